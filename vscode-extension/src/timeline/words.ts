/** How moments and runs are called, in the picture, in lists and for screen readers. */
import type { Moment, Outcome, Run } from "../protocol";

/** A sign for an outcome, so that nothing hangs on colour alone. */
export function sign(outcome: Outcome | undefined): string {
  switch (outcome) {
    case "success":
      return "✓";
    case "failure":
      return "✗";
    case "cancelled":
      return "⊘";
    case "skipped":
      return "–";
    case undefined:
      return "";
  }
}

/** A span of time as the terminal writes it: `0.4s`, `2m 05s`, `1h 02m`. */
export function time(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 59.95) {
    return `${seconds.toFixed(1)}s`;
  }
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours === 0 ? `${minutes}m ${pad(whole % 60)}s` : `${hours}h ${pad(minutes)}m`;
}

/** What a moment is called: `after ✓ 2 Generate`. */
export function momentTitle(moment: Moment): string {
  const step = moment.number > 0 ? `${moment.number} ${moment.name}` : moment.name;
  const words = moment.point === "end" ? ["the end", sign(moment.outcome)] : [POINT[moment.point], sign(moment.outcome), step];
  return words.filter((word) => word !== "").join(" ");
}

/** What else there is to say of a moment: its name in the terminal, branch, time, edit, and how it stands out. */
export function momentDetail(moment: Moment, branches: number): string {
  const words = [
    `m${moment.id}`,
    branches > 1 ? `branch ${moment.branch}` : "",
    time(moment.atMs),
    moment.cause === undefined ? "" : `✎ ${moment.cause}`,
    moment.current ? "the job stands here" : "",
    moment.viewed && !moment.current ? "viewed" : "",
    moment.newest && !moment.current ? "newest" : "",
    moment.hasFiles ? "" : "its files are no longer kept",
  ];
  return words.filter((word) => word !== "").join(" · ");
}

/** What a run is called: `✓ 2 Generate · 0.4s`. */
export function runTitle(run: Run): string {
  const took = run.tookMs === undefined ? "running" : time(run.tookMs);
  return `${[sign(run.outcome), run.number > 0 ? String(run.number) : "", run.name].filter((word) => word !== "").join(" ")} · ${took}`;
}

const POINT = { before: "before", decided: "decided", during: "during", after: "after", end: "end" } as const;

function pad(value: number): string {
  return String(value).padStart(2, "0");
}
