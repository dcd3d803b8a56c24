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

/** The number of a step as people read it, and as the terminal says it: `3`, or `3.1` for the first step of its action. */
export function stepNumber({ step = "", number }: { step?: string; number: number }): string {
  const inside = step.split(".").slice(2).map((index) => Number(index) + 1);
  return number > 0 ? [number, ...(inside.every(Number.isInteger) ? inside : [])].join(".") : "";
}

/** What a moment is called: `after ✓ 2 Generate`. */
export function momentTitle(moment: Moment): string {
  const what = [POINT[moment.point], sign(moment.outcome), stepNumber(moment), moment.name];
  const words = moment.point === "end" ? ["the end", sign(moment.outcome)] : what;
  return words.filter((word) => word !== "").join(" ");
}

/** What else there is to say of a moment: its name in the terminal, branch, time, edit, and how it stands out. */
export function momentDetail(moment: Moment, branches: number): string {
  const words = [
    `m${moment.id}`,
    branches > 1 ? `branch ${moment.branch}` : "",
    time(moment.atMs),
    (moment.lane ?? 0) > 0 ? "in the background" : "",
    moment.cause === undefined ? "" : `✎ ${moment.cause}`,
    moment.current ? "the job stands here" : "",
    moment.viewed && !moment.current ? "viewed" : "",
    moment.newest && !moment.current ? "newest" : "",
    moment.hasFiles ? "" : "its files are no longer kept",
  ];
  return words.filter((word) => word !== "").join(" · ");
}

/** `✓ 2 Generate` */
export function runName(run: Run): string {
  return [sign(run.outcome), stepNumber(run), run.name].filter((word) => word !== "").join(" ");
}

/** What a run is called: `✓ 2 Generate · 0.4s`. */
export function runTitle(run: Run): string {
  const took = run.tookMs === undefined ? "running" : time(run.tookMs);
  return `${runName(run)} · ${took}`;
}

const POINT = { before: "before", decided: "decided", during: "during", after: "after", end: "end" } as const;

function pad(value: number): string {
  return String(value).padStart(2, "0");
}
