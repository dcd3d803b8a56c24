/**
 * Stepback's own requests and events in the Debug Adapter Protocol, version 1.
 *
 * The response to `initialize` says which of them an adapter serves:
 * `body.stepback = { version: 1, requests: ["stepback/timeline", …] }`. Any client may use them. What arrives is read
 * by the guards at the end, which pass over members that are missing or of another type, so that a newer or an older
 * adapter leaves a gap in the picture and not an error.
 *
 * This file knows no editor.
 */

/** The version of these requests that this extension speaks. Another number may mean anything at all. */
export const VERSION = 1;

/** The names of the requests. */
export const Requests = {
  /** {@link Timeline}: every moment of the job, and the runs of its steps. Arguments: `{}`. */
  timeline: "stepback/timeline",
  /** Look at a moment without moving anything; `null` looks at the present again. `{moment}` → `{}`, then `invalidated`. */
  view: "stepback/view",
  /**
   * Go to a moment: files, variables and outputs become those of then. `{moment}` → `{}`, then `stopped`.
   *
   * Better with a `continued` when the way begins, for clients that do not know our requests: without it VS Code goes
   * on showing why the job stopped before. It clears that a little after `continued` has come, so a `stopped` right
   * behind it loses its own reason; the time that files take to be put back is enough.
   */
  goto: "stepback/goto",
  /** Leave the past for the newest moment. `{}` → `{}`, then as for `goto`. */
  return: "stepback/return",
  /** Take over what changed in the repository since checkout. `{}` → {@link Said}. */
  sync: "stepback/sync",
  /** Write the workspace's changes to the repository, as a patch. `{}` → {@link Kept}. */
  keep: "stepback/keep",
  /** The files that differ between two moments; without them, those that the last step changed. {@link DiffArguments} → {@link Diff}. */
  diff: "stepback/diff",
} as const;

/** The name of one of our requests. */
export type RequestName = (typeof Requests)[keyof typeof Requests];

/** Sent when a moment was added, or when the current, viewed or newest one is another. Its body is `{}`. */
export const TIMELINE_CHANGED = "stepback/timelineChanged";

/** What the adapter announces in the response to `initialize`. */
export interface Announcement {
  version: number;
  requests: ReadonlySet<string>;
}

/** Where in a step a moment lies. `during` is a pause inside a running step, `end` is after the last one. */
export type Point = "before" | "decided" | "during" | "after" | "end";

/** How a step ended. */
export type Outcome = "success" | "failure" | "cancelled" | "skipped";

/** A point in the job's history that can be viewed, and gone back to. */
export interface Moment {
  id: number;
  /** The moment before it; absent for the first. On a new branch, the moment at which it begins. */
  parent?: number;
  /** Branches count from 1. */
  branch: number;
  point: Point;
  /** The path of the step, counted from 0: `main.2`, and `main.2.0` for the first step of its action; absent at the end. */
  step?: string;
  /** The number of the step among those of the job, from 1; 0 at the end. For one inside of an action, see `step`. */
  number: number;
  name: string;
  /** The lane that came to it; 0 is the foreground. Absent where the adapter does not say. */
  lane?: number;
  outcome?: Outcome;
  /** The text of the edit that made this moment, for example `! echo 1.4.2 > VERSION`. */
  cause?: string;
  /** The job stands here. */
  current: boolean;
  /** The variables and files shown are those of this moment. */
  viewed: boolean;
  /** The newest moment of the branch that the job is on: where `stepback/return` leads. */
  newest: boolean;
  /** Its files are kept, so that one can go there. Without them it can be viewed. */
  hasFiles: boolean;
  /** Milliseconds since the job began. */
  atMs: number;
}

/** One run of one step: a bar in the picture. */
export interface Run {
  step: string;
  number: number;
  name: string;
  /** 0 is the foreground, every other a background step. */
  lane: number;
  branch: number;
  outcome?: Outcome;
  /** Milliseconds since the job began. */
  startMs: number;
  /** Absent while it runs. */
  tookMs?: number;
  /** Where the step stands, with its line by the client's own base. */
  source?: { path?: string; name?: string; sourceReference?: number };
  line?: number;
}

/** One line of execution. */
export interface Lane {
  id: number;
  name: string;
}

/** The body of the response to `stepback/timeline`. */
export interface Timeline {
  moments: Moment[];
  runs: Run[];
  lanes: Lane[];
  /** The job stands in its past, and `stepback/return` leads out of it. */
  rewound: boolean;
  /** The branch that the job is on. */
  branch: number;
}

/** The body of the response to `stepback/sync`: a sentence for the person. */
export interface Said {
  text: string;
}

/** The body of the response to `stepback/keep`. */
export interface Kept extends Said {
  /** The path of the patch; absent when nothing differs. */
  patch?: string;
}

/** The arguments of `stepback/diff`: ids of moments. */
export interface DiffArguments {
  from?: number;
  to?: number;
}

/** One file that differs. */
export interface ChangedFile {
  path: string;
  /** Which folder the path is in, for example `workspace`. */
  root: string;
  /** `created`, `changed`, `deleted`, or a newer word. */
  kind: string;
  /** The difference as unified text; absent for files that are no text, or too long. */
  diff?: string;
}

/** The body of the response to `stepback/diff`. */
export interface Diff {
  files: ChangedFile[];
}

type Members = Record<string, unknown>;

const POINTS: readonly string[] = ["before", "decided", "during", "after", "end"] satisfies Point[];
const OUTCOMES: readonly string[] = ["success", "failure", "cancelled", "skipped"] satisfies Outcome[];

/** Reads what an adapter announces; undefined when it is none of ours. */
export function readAnnouncement(initializeBody: unknown): Announcement | undefined {
  const stepback = members(initializeBody)["stepback"];
  if (typeof stepback !== "object" || stepback === null) {
    return undefined;
  }
  const { version, requests } = members(stepback);
  return { version: number(version) ?? 0, requests: new Set(list(requests).filter((name) => typeof name === "string")) };
}

/** Reads a timeline. Moments without an id and runs without a start are left out, as nothing can be drawn of them. */
export function readTimeline(body: unknown): Timeline {
  const from = members(body);
  const moments = list(from["moments"]).map(readMoment).filter(isPresent);
  const current = moments.find((moment) => moment.current);
  return {
    moments,
    runs: list(from["runs"]).map(readRun).filter(isPresent),
    lanes: list(from["lanes"]).map(readLane).filter(isPresent),
    rewound: from["rewound"] === true,
    branch: number(from["branch"]) ?? current?.branch ?? 1,
  };
}

/** Reads the answer to `sync` or `keep`. */
export function readKept(body: unknown): Kept {
  const { text, patch } = members(body);
  return { text: string(text) ?? "", ...optional("patch", string(patch)) };
}

/** Reads the answer to `diff`. Files without a path are left out. */
export function readDiff(body: unknown): Diff {
  return { files: list(members(body)["files"]).map(readChangedFile).filter(isPresent) };
}

function readMoment(value: unknown): Moment | undefined {
  const from = members(value);
  const id = number(from["id"]);
  if (id === undefined) {
    return undefined;
  }
  const point = string(from["point"]);
  return {
    id,
    ...optional("parent", number(from["parent"])),
    branch: number(from["branch"]) ?? 1,
    point: point !== undefined && POINTS.includes(point) ? (point as Point) : "during",
    ...optional("step", string(from["step"])),
    ...optional("lane", number(from["lane"])),
    number: number(from["number"]) ?? 0,
    name: string(from["name"]) ?? "",
    ...optional("outcome", outcome(from["outcome"])),
    ...optional("cause", string(from["cause"])),
    current: from["current"] === true,
    viewed: from["viewed"] === true,
    newest: from["newest"] === true,
    // An adapter that does not say so refuses by itself; better to offer it than to hide what may work.
    hasFiles: from["hasFiles"] !== false,
    atMs: number(from["atMs"]) ?? 0,
  };
}

function readRun(value: unknown): Run | undefined {
  const from = members(value);
  const startMs = number(from["startMs"]);
  if (startMs === undefined) {
    return undefined;
  }
  return {
    step: string(from["step"]) ?? "",
    number: number(from["number"]) ?? 0,
    name: string(from["name"]) ?? "",
    lane: number(from["lane"]) ?? 0,
    branch: number(from["branch"]) ?? 1,
    ...optional("outcome", outcome(from["outcome"])),
    startMs,
    ...optional("tookMs", number(from["tookMs"])),
    ...optional("source", readSource(from["source"])),
    ...optional("line", number(from["line"])),
  };
}

function readSource(value: unknown): NonNullable<Run["source"]> | undefined {
  if (typeof value !== "object" || value === null) {
    return undefined;
  }
  const { path, name, sourceReference } = members(value);
  return {
    ...optional("path", string(path)),
    ...optional("name", string(name)),
    ...optional("sourceReference", number(sourceReference)),
  };
}

function readLane(value: unknown): Lane | undefined {
  const { id, name } = members(value);
  const key = number(id);
  return key === undefined ? undefined : { id: key, name: string(name) ?? `lane ${key}` };
}

function readChangedFile(value: unknown): ChangedFile | undefined {
  const from = members(value);
  const path = string(from["path"]);
  if (path === undefined) {
    return undefined;
  }
  return {
    path,
    root: string(from["root"]) ?? "",
    kind: string(from["kind"]) ?? "changed",
    ...optional("diff", string(from["diff"])),
  };
}

function members(value: unknown): Members {
  return typeof value === "object" && value !== null ? (value as Members) : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function string(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function outcome(value: unknown): Outcome | undefined {
  return typeof value === "string" && OUTCOMES.includes(value) ? (value as Outcome) : undefined;
}

/** A member that is left out altogether when there is no value, as the protocol wants it. */
function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
}

function isPresent<T>(value: T | undefined): value is T {
  return value !== undefined;
}
