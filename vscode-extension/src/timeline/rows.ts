/** Which row of its branch a thing of the timeline lies in. Pure; knows no pixels. */
import type { Moment, Run } from "../protocol";

/** Where something lies among the rows: by its lane, and in there by how many actions are around it. */
export type Row = number;

/** What lies deeper than so many rows shares the last one. */
const DEEPEST = 16;

function rowIn(lane: number, step: string | undefined): Row {
  // Of what comes before and after the job's steps, each is one of the job's own.
  const around = step?.startsWith("main.") === true ? step.split(".").length - 2 : 0;
  return lane * DEEPEST + Math.min(around, DEEPEST - 1);
}

export function rowOfRun(run: Run): Row {
  return rowIn(run.lane, run.step);
}

/**
 * A background step is started by the foreground, so only what comes later of it lies in its own row. Where the adapter does not say
 * which lane came to a moment, the run of its step does.
 */
export function rowOfMoment(moment: Moment, runs: readonly Run[]): Row {
  const inLane = moment.point === "after" || moment.point === "during";
  const run = inLane ? runs.find((each) => each.step === moment.step) : undefined;
  return rowIn(moment.lane ?? run?.lane ?? 0, moment.step);
}

/** The rows that there are, from top to bottom. The foreground is there even before anything ran. */
export function rowsOf(moments: readonly Moment[], runs: readonly Run[]): Row[] {
  const all = new Set<Row>([0, ...runs.map(rowOfRun), ...moments.map((moment) => rowOfMoment(moment, runs))]);
  return [...all].sort((a, b) => a - b);
}
