/**
 * Where everything of a timeline lies in its picture. Pure: no colours, no texts, no window.
 *
 * Each branch is a band of rows, one for the foreground and one for each background lane that ran on it; the steps of an
 * action lie in a row below that of the step that uses it. From left to
 * right goes time, but not to scale: a step of five minutes beside one of a millisecond must leave both to be seen, so
 * a span is as wide as the logarithm of its time, with a least width, and what passed while nothing ran (a person who
 * thought) has only the least. The order of things is always the true one. A branch begins below the moment that it
 * came from, so that the same step stands in the same column of each.
 */
import type { Moment, Run, Timeline } from "../protocol";
import { rowOfMoment, rowOfRun, rowsOf } from "./rows";

/** Pixels. */
export const RADIUS = 5;
export const BAR_HEIGHT = 18;
const MARGIN = 14;
const TOP = 2;
/** Between two things. */
const GAP = 2;
const ROW = 27;
const BAND_GAP = 7;
const BAND_TITLE = 15;
/** What a bar needs for its number. */
const LEAST_BAR = 26;
/** What a bar needs for the beginning of its name: there is room for that while there are few. */
const NAMED_BAR = 62;
const FEW = 12;
/** The width of doubling a span of this many milliseconds. */
const UNIT_MS = 60;
const UNIT = 13;
/** Above this many moments those between the condition and the step are left out: they double the picture for little. */
const MANY = 600;

/** How a thing lies to where the job stands. */
export type Place = "past" | "ahead" | "aside";

export interface Mark {
  moment: Moment;
  x: number;
  y: number;
  place: Place;
}

export interface Bar {
  run: Run;
  x: number;
  y: number;
  width: number;
  place: Place;
}

export interface Band {
  branch: number;
  /** The moment that the branch began at; undefined for the first. */
  from?: number;
  x: number;
  y: number;
}

export interface Link {
  fromX: number;
  fromY: number;
  toX: number;
  toY: number;
}

export interface Picture {
  width: number;
  height: number;
  bands: Band[];
  bars: Bar[];
  marks: Mark[];
  links: Link[];
}

/** Lays a timeline out. */
export function layOut(timeline: Timeline): Picture {
  const places = new Places(timeline);
  const picture: Picture = { width: 0, height: TOP, bands: [], bars: [], marks: [], links: [] };
  const marks = new Map<number, Mark>();
  const branches = branchesOf(timeline);
  const least = branches.every((branch) => timeline.runs.filter((run) => run.branch === branch).length <= FEW) ? NAMED_BAR : LEAST_BAR;
  for (const branch of branches) {
    const moments = shown(timeline, branch);
    const runs = timeline.runs.filter((run) => run.branch === branch);
    const parent = moments[0]?.parent === undefined ? undefined : marks.get(moments[0].parent);
    const band: Band = { branch, x: parent?.x ?? MARGIN, y: picture.height };
    if (parent !== undefined) {
      band.from = parent.moment.id;
    }
    const top = picture.height + (branches.length > 1 ? BAND_TITLE : 0);
    const rows = new Map(rowsOf(moments, runs).map((row, index) => [row, top + index * ROW + ROW / 2]));
    const spread = spreadOut(moments, runs, band.x, least);
    for (const [index, moment] of moments.entries()) {
      const mark = { moment, x: spread.moments[index] ?? band.x, y: rows.get(rowOfMoment(moment, runs)) ?? top, place: places.of(moment) };
      marks.set(moment.id, mark);
      picture.marks.push(mark);
    }
    for (const [index, run] of runs.entries()) {
      const [start, end] = spread.runs[index] ?? [band.x, band.x];
      const y = rows.get(rowOfRun(run)) ?? top;
      picture.bars.push({ run, x: start, y, width: Math.max(end - start, 4), place: places.ofRun(spread.next[index]) });
    }
    const first = moments[0] === undefined ? undefined : marks.get(moments[0].id);
    if (parent !== undefined && first !== undefined) {
      picture.links.push({ fromX: parent.x, fromY: parent.y, toX: first.x, toY: first.y });
    }
    picture.bands.push(band);
    picture.height = top + rows.size * ROW + BAND_GAP;
    picture.width = Math.max(picture.width, spread.right + MARGIN);
  }
  return picture;
}

/** The branches that have anything to show, in their order. */
export function branchesOf(timeline: Timeline): number[] {
  const branches = new Set([...timeline.moments, ...timeline.runs].map((each) => each.branch));
  return [...branches].sort((a, b) => a - b);
}

/** What lies behind the job, what it would return to, and what was left on other branches. */
class Places {
  private readonly past: ReadonlySet<number>;
  private readonly ahead: ReadonlySet<number>;

  constructor(timeline: Timeline) {
    const byId = new Map(timeline.moments.map((moment) => [moment.id, moment]));
    const behind = (moment: Moment | undefined): Set<number> => {
      const ids = new Set<number>();
      // The set also ends a loop, should an adapter name a moment as its own ancestor.
      for (let at = moment; at !== undefined && !ids.has(at.id); at = at.parent === undefined ? undefined : byId.get(at.parent)) {
        ids.add(at.id);
      }
      return ids;
    };
    const newest = timeline.moments.find((moment) => moment.newest);
    const current = timeline.moments.find((moment) => moment.current) ?? newest;
    this.past = behind(current);
    this.ahead = behind(newest);
  }

  of(moment: Moment): Place {
    return this.past.has(moment.id) ? "past" : this.ahead.has(moment.id) ? "ahead" : "aside";
  }

  /** A run lies where the moment after its start lies; one that has none is the last thing that happened. */
  ofRun(next: Moment | undefined): Place {
    return next === undefined ? "past" : this.of(next);
  }
}

function shown(timeline: Timeline, branch: number): Moment[] {
  const few = timeline.moments.length <= MANY;
  const origins = few ? new Set<number | undefined>() : originsOf(timeline);
  return timeline.moments
    .filter((moment) => moment.branch === branch)
    .filter((moment, index) => few || index === 0 || moment.point !== "decided" || special(moment) || origins.has(moment.id))
    .sort((a, b) => a.id - b.id);
}

function special(moment: Moment): boolean {
  return moment.current || moment.viewed || moment.newest || moment.cause !== undefined;
}

/** The moments at which other branches begin. */
function originsOf(timeline: Timeline): Set<number | undefined> {
  const branches = new Map(timeline.moments.map((moment) => [moment.id, moment.branch]));
  const begin = timeline.moments.filter((moment) => moment.parent !== undefined && branches.get(moment.parent) !== moment.branch);
  return new Set(begin.map((moment) => moment.parent));
}

interface Spread {
  /** The middle of each moment. */
  moments: number[];
  /** The start and end of each run. */
  runs: [number, number][];
  /** The moment after each run's start. */
  next: (Moment | undefined)[];
  right: number;
}

interface Happening {
  kind: "moment" | "start" | "end";
  index: number;
  /** Its place among the moments: exact where the moments tell, by the clock where they do not. */
  key: number;
  at: number;
}

/** Gives everything of one branch its place from left to right. */
function spreadOut(moments: readonly Moment[], runs: readonly Run[], left: number, least: number): Spread {
  const happenings = moments.map((moment, index): Happening => ({ kind: "moment", index, key: index, at: moment.atMs }));
  const clock = (at: number): number => moments.findLastIndex((moment) => moment.atMs <= at) + 0.5;
  const spread: Spread = { moments: [], runs: runs.map(() => [left, left]), next: [], right: left };
  for (const [index, run] of runs.entries()) {
    const opened = moments.findLastIndex((moment) => moment.step === run.step && (moment.point === "before" || moment.point === "decided"));
    const start = opened < 0 ? clock(run.startMs) : opened + 0.3;
    spread.next.push(moments[Math.ceil(start)]);
    happenings.push({ kind: "start", index, key: start, at: run.startMs });
    const end = run.tookMs === undefined ? undefined : run.startMs + run.tookMs;
    const closed = moments.findIndex((moment) => moment.step === run.step && moment.point === "after");
    const key = end === undefined ? moments.length : closed < 0 ? Math.max(clock(end), start) : closed - 0.3;
    happenings.push({ kind: "end", index, key, at: end ?? Math.max(run.startMs, ...moments.slice(-1).map((moment) => moment.atMs)) });
  }
  happenings.sort((a, b) => a.key - b.key || a.at - b.at || ORDER[a.kind] - ORDER[b.kind]);
  place(happenings, moments, spread, left, least);
  endTogether(runs, spread);
  return spread;
}

const ORDER = { end: 0, moment: 1, start: 2 };

function place(happenings: readonly Happening[], moments: readonly Moment[], spread: Spread, left: number, least: number): void {
  let x = left;
  let before: Happening | undefined;
  let running = 0;
  for (const happening of happenings) {
    if (before !== undefined) {
      const passed = running > 0 ? wide(happening.at - before.at) : 0;
      x += Math.max(passed, half(before, moments) + half(happening, moments) + GAP);
    }
    const bar = spread.runs[happening.index];
    if (happening.kind === "moment") {
      spread.moments[happening.index] = x;
    } else if (happening.kind === "start" && bar !== undefined) {
      bar[0] = x;
      running += 1;
    } else if (bar !== undefined) {
      x = Math.max(x, bar[0] + least);
      bar[1] = x;
      running -= 1;
    }
    spread.right = Math.max(spread.right, x);
    before = happening;
  }
}

/** What runs, runs until now: the right edge is the same for all of it. */
function endTogether(runs: readonly Run[], spread: Spread): void {
  for (const [index, run] of runs.entries()) {
    const bar = spread.runs[index];
    if (run.tookMs === undefined && bar !== undefined) {
      bar[1] = spread.right;
    }
  }
}

function half(happening: Happening, moments: readonly Moment[]): number {
  if (happening.kind !== "moment") {
    return 1;
  }
  return moments[happening.index]?.point === "decided" ? RADIUS - 1 : RADIUS + 1;
}

function wide(ms: number): number {
  return UNIT * Math.log2(1 + Math.max(0, ms) / UNIT_MS);
}
