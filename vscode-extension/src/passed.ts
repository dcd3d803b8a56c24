/** Which steps lie behind the job. Pure. */
import type { Moment, Timeline } from "./protocol";

/**
 * The moment before a step that has run on the way to where the job stands, found by its place in a file; undefined
 * when the step is still to come. Of several, the latest.
 *
 * @param line in the client's own base, as the adapter gives it
 */
export function momentBefore(timeline: Timeline, path: string, line: number): Moment | undefined {
  const steps = new Set(timeline.runs.filter((run) => run.source?.path === path && run.line === line).map((run) => run.step));
  const byId = new Map(timeline.moments.map((moment) => [moment.id, moment]));
  const seen = new Set<number>();
  let at = timeline.moments.find((moment) => moment.current);
  while (at !== undefined && !seen.has(at.id)) {
    seen.add(at.id);
    // Where the job stands before that very step, running to it is done; so the current moment does not count.
    if (!at.current && at.point === "before" && at.step !== undefined && steps.has(at.step)) {
      return at;
    }
    at = at.parent === undefined ? undefined : byId.get(at.parent);
  }
  return undefined;
}
