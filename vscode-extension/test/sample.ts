/** A timeline as the guide shows it: a job that failed, was taken back two steps, changed, and succeeded. */
import type { Moment, Outcome, Point, Run, Timeline } from "../src/protocol";

const NAMES = ["", "Check out", "Generate", "Test", "Publish"];

export function moment(id: number, branch: number, point: Point, number: number, outcome?: Outcome): Moment {
  return {
    id,
    ...(id === 0 ? {} : { parent: id === 9 ? 3 : id - 1 }),
    branch,
    point,
    ...(number > 0 ? { step: `main.${number - 1}` } : {}),
    number,
    name: NAMES[number] ?? `step ${number}`,
    ...(outcome === undefined ? {} : { outcome }),
    current: false,
    viewed: false,
    newest: false,
    hasFiles: true,
    atMs: id * 20 + (branch === 2 ? 30_000 : 0),
  };
}

function run(number: number, branch: number, startMs: number, tookMs: number, outcome: Outcome): Run {
  return { step: `main.${number - 1}`, number, name: NAMES[number] ?? "", lane: 0, branch, outcome, startMs, tookMs, source: { path: "/r/.github/workflows/ci.yml" }, line: 30 + 5 * number };
}

export function sample(): Timeline {
  const first = [1, 2, 3].flatMap((number, index) => [
    moment(3 * index, 1, "before", number),
    moment(3 * index + 1, 1, "decided", number),
    moment(3 * index + 2, 1, "after", number, number === 3 ? "failure" : "success"),
  ]);
  const second = [2, 3, 4].flatMap((number, index) => [
    moment(9 + 3 * index, 2, "before", number),
    moment(10 + 3 * index, 2, "decided", number),
    moment(11 + 3 * index, 2, "after", number, "success"),
  ]);
  const end = { ...moment(18, 2, "end", 0, "success"), name: "end", current: true, newest: true };
  const moments = [...first, ...second, end];
  moments[9] = { ...moments[9]!, cause: "! echo 1.4.2 > VERSION" };
  return {
    moments,
    runs: [
      run(1, 1, 25, 10, "success"),
      run(2, 1, 85, 10, "success"),
      run(3, 1, 145, 10, "failure"),
      run(2, 2, 30_205, 10, "success"),
      run(3, 2, 30_265, 10, "success"),
      run(4, 2, 30_325, 10, "success"),
    ],
    lanes: [{ id: 0, name: "foreground" }],
    rewound: false,
    branch: 2,
  };
}

/** A long job with background lanes, and one step that still runs. */
export function lanes(): Timeline {
  const names = ["Check out", "Start the database", "Build", "Test", "Deploy"];
  const moments: Moment[] = [];
  const at = [0, 900, 1000, 91_000, 100_000];
  names.forEach((name, index) => {
    const number = index + 1;
    const base = { branch: 1, step: `main.${number - 1}`, number, name, current: false, viewed: false, newest: false, hasFiles: index !== 0 };
    const id = moments.length;
    moments.push({ ...base, id, ...(id > 0 ? { parent: id - 1 } : {}), point: "before", atMs: at[index]! });
    moments.push({ ...base, id: id + 1, parent: id, point: "decided", atMs: at[index]! + 1 });
    if (number !== 2 && number !== 5) {
      moments.push({ ...base, id: id + 2, parent: id + 1, point: "after", outcome: number === 4 ? "failure" : "success", atMs: at[index + 1]! - 5 });
    }
  });
  moments[8] = { ...moments[8]!, viewed: true };
  moments[moments.length - 1] = { ...moments.at(-1)!, current: true, newest: true };
  const runs: Run[] = names.map((name, index) => ({
    step: `main.${index}`,
    number: index + 1,
    name,
    lane: index === 1 ? 1 : 0,
    branch: 1,
    startMs: at[index]! + 2,
    ...(index === 1 || index === 4 ? {} : { tookMs: at[index + 1]! - at[index]! - 10, outcome: index === 3 ? "failure" : "success" }),
  }));
  return { moments, runs, lanes: [{ id: 0, name: "foreground" }, { id: 1, name: "Start the database" }], rewound: false, branch: 1 };
}

/** A job of one step, whose action has one step of its own: before that has run, or after all. */
export function action(over: boolean): Timeline {
  const points: [string, Point][] = [["main.0", "before"], ["main.0", "decided"], ["main.0.0", "before"], ["main.0.0", "decided"], ["main.0.0", "after"], ["main.0", "after"]];
  const name = (step: string): string => (step === "main.0" ? "Build" : "Compile");
  const all = points.map(([step, point], id): Moment => ({ ...moment(id, 1, point, 1), step, name: name(step) }));
  const run = (step: string, startMs: number, tookMs: number): Run => ({ step, number: 1, name: name(step), lane: 0, branch: 1, outcome: "success", startMs, tookMs });
  const moments = over ? all : all.slice(0, 3);
  moments.push({ ...moments.pop()!, current: true, newest: true });
  return { moments, runs: over ? [run("main.0.0", 60, 20), run("main.0", 20, 80)] : [], lanes: [{ id: 0, name: "foreground" }], rewound: false, branch: 1 };
}
