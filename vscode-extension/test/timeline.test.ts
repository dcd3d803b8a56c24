import assert from "node:assert/strict";
import { test } from "node:test";
import type { Timeline } from "../src/protocol";
import { drawDetail } from "../src/timeline/detail";
import { drawTimeline, focusOf } from "../src/timeline/draw";
import { layOut } from "../src/timeline/layout";
import { momentDetail, momentTitle, time } from "../src/timeline/words";
import { action, lanes, moment, sample } from "./sample";

const all = { view: true, rewind: true, return: true };

/** Whether a text is well-formed as XML is: every tag closed in its order, every attribute quoted. */
function wellFormed(svg: string): void {
  const open: string[] = [];
  const rest = svg.replace(/<(\/?)([a-zA-Z][\w-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/g, (_all, close: string, name: string, _attributes, empty: string) => {
    if (close !== "") {
      assert.equal(open.pop(), name);
    } else if (empty === "") {
      open.push(name);
    }
    return "";
  });
  assert.deepEqual(open, []);
  assert.doesNotMatch(rest, /[<>]/);
}

/** The class words of every element that has an attribute. */
function classesOf(svg: string, attribute: string): Map<number, string[]> {
  const found = [...svg.matchAll(new RegExp(`<g class="([^"]*)"[^>]*${attribute}="(\\d+)"`, "g"))];
  return new Map(found.map(([, classes, id]) => [Number(id), (classes ?? "").split(" ")]));
}

test("every moment and run is drawn once, well-formed", () => {
  for (const timeline of [sample(), lanes()]) {
    const svg = drawTimeline(timeline);
    wellFormed(svg);
    assert.equal(classesOf(svg, "data-moment").size, timeline.moments.length);
    assert.equal(classesOf(svg, "data-run").size, timeline.runs.length);
  }
});

test("the same timeline always gives the same picture, and the timeline is left as it was", () => {
  const timeline = sample();
  const drawn = drawTimeline(timeline);
  assert.deepEqual(timeline, sample());
  assert.equal(drawTimeline(sample()), drawn);
});

test("where nothing happened yet, a sentence says so", () => {
  const nothing: Timeline = { moments: [], runs: [], lanes: [], rewound: false, branch: 1 };
  assert.match(drawTimeline(nothing), /Nothing has happened yet/);
});

test("things stand from left to right in the order in which they happened", () => {
  const { marks, bars } = layOut(sample());
  for (const branch of [1, 2]) {
    const xs = marks.filter((mark) => mark.moment.branch === branch).map((mark) => mark.x);
    assert.deepEqual(xs, [...xs].sort((a, b) => a - b));
    assert.equal(new Set(xs).size, xs.length);
  }
  for (const bar of bars) {
    const of = (point: string) => marks.find((mark) => mark.moment.step === bar.run.step && mark.moment.branch === bar.run.branch && mark.moment.point === point);
    assert.ok(of("decided")!.x < bar.x && bar.x + bar.width < of("after")!.x, bar.run.name);
    assert.ok(bar.width >= 26);
  }
});

test("marks of a branch never cover each other, also when all has the same time", () => {
  const timeline = sample();
  timeline.moments.forEach((each) => (each.atMs = 0));
  timeline.runs.forEach((each) => Object.assign(each, { startMs: 0, tookMs: 0 }));
  const { marks } = layOut(timeline);
  for (const a of marks) {
    for (const b of marks) {
      assert.ok(a === b || a.y !== b.y || Math.abs(a.x - b.x) >= 8, `m${a.moment.id} and m${b.moment.id}`);
    }
  }
});

test("a branch begins below the moment that it came from, and the same step in the same column", () => {
  const { marks, links, bands, bars } = layOut(sample());
  const at = (id: number) => marks.find((mark) => mark.moment.id === id)!;
  assert.equal(at(9).x, at(3).x);
  assert.ok(at(9).y > at(3).y);
  assert.deepEqual(bands.map((band) => band.from), [undefined, 3]);
  assert.deepEqual(links, [{ fromX: at(3).x, fromY: at(3).y, toX: at(9).x, toY: at(9).y }]);
  const starts = bars.filter((bar) => bar.run.number === 2).map((bar) => bar.x);
  assert.equal(starts[0], starts[1]);
});

test("a step of minutes is wider than one of seconds, and both are seen", () => {
  const { bars, width } = layOut(lanes());
  const of = (number: number) => bars.find((bar) => bar.run.number === number)!;
  assert.ok(of(3).width > of(4).width && of(4).width > of(1).width);
  assert.ok(width < 900, String(width));
});

test("what a person took to think is not drawn as time of the job", () => {
  const quick = layOut(sample()).width;
  const slow = sample();
  slow.moments.forEach((each) => (each.atMs += each.branch === 2 ? 3_600_000 : 0));
  slow.runs.forEach((each) => (each.startMs += each.branch === 2 ? 3_600_000 : 0));
  assert.equal(layOut(slow).width, quick);
});

test("the steps of an action lie below the step that uses it, while they run and afterwards", () => {
  const [running, over] = [action(false), action(true)].map(layOut);
  for (const picture of [running!, over!]) {
    const rows = picture.marks.map((mark) => `${mark.moment.step}: ${mark.y}`);
    const [outer, inner] = [picture.marks[0]!.y, picture.marks[0]!.y + 27];
    const all = [`main.0: ${outer}`, `main.0: ${outer}`, `main.0.0: ${inner}`, `main.0.0: ${inner}`, `main.0.0: ${inner}`, `main.0: ${outer}`];
    assert.deepEqual(rows, all.slice(0, rows.length));
  }
  const [inner, outer] = over!.bars;
  assert.deepEqual([inner!.y - outer!.y, over!.height - running!.height], [27, 0]);
  assert.ok(outer!.x < inner!.x && inner!.x + inner!.width < outer!.x + outer!.width);
  const drawn = drawTimeline(action(true));
  assert.match(drawn, />✓ 1\.1 Co/);
});

test("a background lane has a row of its own, over what ran beside it", () => {
  const { bars, marks } = layOut(lanes());
  const [database, build, test] = [2, 3, 4].map((number) => bars.find((bar) => bar.run.number === number)!);
  assert.ok(database!.y > build!.y);
  assert.ok(database!.x < build!.x && database!.x + database!.width > test!.x);
  assert.equal(marks.find((mark) => mark.moment.step === "main.1")!.y, build!.y);
  const classes = classesOf(drawTimeline(lanes()), "data-run");
  assert.deepEqual(classes.get(1), ["bar", "running", "past", "background"]);
});

test("a moment of a background step lies in the row of its lane, a step of its action one below", () => {
  const timeline = lanes();
  const last = timeline.moments.at(-1)!;
  const end = { ...moment(last.id + 1, 1, "after", 2), step: "main.1", lane: 1, outcome: "failure" as const, atMs: last.atMs + 1 };
  const inside = { ...end, id: end.id + 1, step: "main.1.0", point: "before" as const };
  timeline.moments.push(end, inside);
  const { bars, marks } = layOut(timeline);
  const y = (id: number): number => marks.find((mark) => mark.moment.id === id)!.y;
  const database = bars.find((bar) => bar.run.lane === 1)!;
  assert.equal(y(end.id), database.y);
  assert.ok(y(inside.id) > database.y);
  assert.equal(momentDetail(end, 1), `m${end.id} · 1m 40s · in the background`);
});

test("past, ahead and aside", () => {
  const timeline = sample();
  const places = (of: Timeline) => Object.fromEntries(layOut(of).marks.map((mark) => [mark.moment.id, mark.place]));
  const now = places(timeline);
  assert.deepEqual([now[0], now[3], now[4], now[8], now[9], now[18]], ["past", "past", "aside", "aside", "past", "past"]);
  timeline.moments[18]!.current = false;
  timeline.moments[12]!.current = true;
  const back = places(timeline);
  assert.deepEqual([back[3], back[8], back[12], back[13], back[18]], ["past", "aside", "past", "ahead", "ahead"]);
  const runs = layOut(timeline).bars.map((bar) => `${bar.run.branch}.${bar.run.number} ${bar.place}`);
  assert.deepEqual(runs, ["1.1 past", "1.2 aside", "1.3 aside", "2.2 past", "2.3 ahead", "2.4 ahead"]);
});

test("what stands out is in the classes and in words", () => {
  const timeline = sample();
  timeline.moments[8]!.viewed = true;
  timeline.moments[5]!.hasFiles = false;
  const svg = drawTimeline(timeline);
  const classes = classesOf(svg, "data-moment");
  assert.deepEqual(classes.get(8), ["mark", "after", "aside", "failure", "viewed"]);
  assert.deepEqual(classes.get(5), ["mark", "after", "aside", "success", "bare"]);
  assert.deepEqual(classes.get(9), ["mark", "before", "past", "edit"]);
  assert.deepEqual(classes.get(18), ["mark", "end", "past", "success", "current", "newest"]);
  assert.match(svg, /aria-label="after ✗ 3 Test · m8 · branch 1 · 0\.2s · viewed"/);
  assert.match(svg, /✎ ! echo 1\.4\.2 &gt; VERSION/);
});

test("one mark is reached by Tab: what is viewed, else where the job stands", () => {
  const timeline = sample();
  assert.equal(focusOf(timeline), 18);
  timeline.moments[8]!.viewed = true;
  assert.equal(focusOf(timeline), 8);
  assert.equal(drawTimeline(timeline).match(/tabindex="0"/g)?.length, 1);
});

test("names of steps are text, whatever is in them", () => {
  const timeline = sample();
  const evil = `"><script>alert('x')</script>&amp;`;
  timeline.runs.forEach((run) => (run.name = evil));
  timeline.moments.forEach((each) => Object.assign(each, { name: evil, cause: evil, step: evil }));
  const html = drawTimeline(timeline) + drawDetail(timeline, 3, all);
  assert.doesNotMatch(html, /<script/);
  wellFormed(drawTimeline(timeline));
});

test("no style and no handler stands in the picture, as the page's policy allows none", () => {
  assert.doesNotMatch(drawTimeline(sample()), /\sstyle=|\son\w+=|fill=|stroke=/);
});

test("a family tree that makes no sense is drawn all the same", () => {
  const timeline = sample();
  timeline.moments[0]!.parent = 8;
  timeline.moments[5]!.parent = 99;
  timeline.moments[9]!.parent = 18;
  wellFormed(drawTimeline(timeline));
});

test("a thousand steps: drawn quickly, and the moments before and after each are there", () => {
  const moments = Array.from({ length: 3000 }, (_, id) => ({ ...moment(id, 1, (["before", "decided", "after"] as const)[id % 3]!, Math.floor(id / 3) + 1), parent: id - 1 }));
  moments[1]!.viewed = true;
  moments[2999]!.current = true;
  const branch = { ...moment(3000, 2, "before", 5), parent: 13 };
  const runs = Array.from({ length: 1000 }, (_, index) => ({ step: `main.${index}`, number: index + 1, name: "x", lane: 0, branch: 1, startMs: index * 60, tookMs: 30 }));
  const began = performance.now();
  const svg = drawTimeline({ moments: [...moments, branch], runs, lanes: [], rewound: false, branch: 1 });
  assert.ok(performance.now() - began < 1500);
  const ids = classesOf(svg, "data-moment");
  assert.equal(ids.size, 2003);
  assert.ok(ids.has(1) && ids.has(13) && !ids.has(4));
});

test("words", () => {
  assert.deepEqual([0, 40, 1250, 59_940, 60_000, 125_400, 3_725_000].map(time), ["0.0s", "0.0s", "1.3s", "59.9s", "1m 00s", "2m 05s", "1h 02m"]);
  assert.equal(momentTitle(moment(2, 1, "after", 1, "success")), "after ✓ 1 Check out");
  assert.equal(momentTitle(moment(3, 1, "end", 0, "cancelled")), "the end ⊘");
  assert.equal(momentTitle({ ...moment(3, 1, "before", 2), step: "main.1.0.4" }), "before 2.1.5 Generate");
  assert.equal(momentTitle({ ...moment(3, 1, "before", 2), step: "post.1" }), "before 2 Generate");
  assert.equal(momentTitle({ ...moment(3, 1, "before", 2), step: "a.b.c" }), "before 2 Generate");
  assert.equal(momentDetail({ ...moment(2, 1, "after", 1), hasFiles: false }, 1), "m2 · 0.0s · its files are no longer kept");
});

test("the chosen moment, and what can be done with it", () => {
  const timeline = sample();
  const actions = (html: string) => [...html.matchAll(/data-action="(\w+)"[^>]*?( disabled)?>/g)].map(([, action, off]) => `${action}${off ?? ""}`);
  assert.deepEqual(actions(drawDetail(timeline, 8, all)), ["rewind", "reveal"]);
  assert.deepEqual(actions(drawDetail(timeline, 18, all)), []);
  assert.deepEqual(actions(drawDetail(timeline, undefined, all)), []);
  timeline.moments[8]!.viewed = true;
  timeline.moments[8]!.hasFiles = false;
  timeline.rewound = true;
  assert.deepEqual(actions(drawDetail(timeline, 8, all)), ["rewind disabled", "present", "return", "reveal"]);
  assert.deepEqual(actions(drawDetail(timeline, 8, { view: false, rewind: false, return: false })), ["reveal"]);
  assert.match(drawDetail(timeline, 8, all), /data-action="reveal" data-run="2"/);
});
