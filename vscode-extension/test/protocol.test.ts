import assert from "node:assert/strict";
import { test } from "node:test";
import { readAnnouncement, readDiff, readKept, readTimeline } from "../src/protocol";
import { sample } from "./sample";

/** Everything that is not what it should be. */
const ODD: unknown[] = [undefined, null, 0, "", "text", true, [], {}, [[]], [null], [{}]];

test("a whole timeline is read as it is", () => {
  const timeline = sample();
  assert.deepEqual(readTimeline(JSON.parse(JSON.stringify(timeline))), timeline);
});

test("missing members have the value that says least", () => {
  assert.deepEqual(readTimeline({ moments: [{ id: 4 }], runs: [{ startMs: 1 }], lanes: [{ id: 2 }] }), {
    moments: [{ id: 4, branch: 1, point: "during", number: 0, name: "", current: false, viewed: false, newest: false, hasFiles: true, atMs: 0 }],
    runs: [{ step: "", number: 0, name: "", lane: 0, branch: 1, startMs: 1 }],
    lanes: [{ id: 2, name: "lane 2" }],
    rewound: false,
    branch: 1,
  });
});

test("the branch is that of the current moment when it is not said", () => {
  assert.equal(readTimeline({ moments: [{ id: 1, branch: 3, current: true }] }).branch, 3);
});

test("unknown words and members of the wrong kind are passed over", () => {
  const read = readTimeline({
    moments: [{ id: 1, point: "between", outcome: "splendid", parent: "0", name: 7, current: "yes", atMs: Number.NaN, extra: [] }, { id: "2" }, null],
    runs: [{ startMs: 0, outcome: 3, source: 4, line: "x" }, {}],
    lanes: ["a"],
  });
  assert.deepEqual(read.moments, [{ id: 1, branch: 1, point: "during", number: 0, name: "", current: false, viewed: false, newest: false, hasFiles: true, atMs: 0 }]);
  assert.deepEqual(read.runs, [{ step: "", number: 0, name: "", lane: 0, branch: 1, startMs: 0 }]);
  assert.deepEqual(read.lanes, []);
});

test("nothing that can arrive is an error", () => {
  for (const odd of ODD) {
    readTimeline(odd);
    readTimeline({ moments: odd, runs: odd, lanes: odd, rewound: odd, branch: odd });
    assert.deepEqual(readDiff({ files: odd }).files, []);
    assert.deepEqual(readKept({ text: odd, patch: odd }).text, typeof odd === "string" ? odd : "");
    readAnnouncement(odd);
    readAnnouncement({ stepback: odd });
  }
});

test("what an adapter announces", () => {
  assert.equal(readAnnouncement({ supportsStepBack: true }), undefined);
  const announced = readAnnouncement({ stepback: { version: 1, requests: ["stepback/timeline", 3] } });
  assert.equal(announced?.version, 1);
  assert.deepEqual([...(announced?.requests ?? [])], ["stepback/timeline"]);
  assert.equal(readAnnouncement({ stepback: {} })?.version, 0);
});

test("files that differ", () => {
  assert.deepEqual(readDiff({ files: [{ path: "a", root: "workspace", kind: "created", diff: "+a" }, { path: "b" }, { kind: "x" }] }).files, [
    { path: "a", root: "workspace", kind: "created", diff: "+a" },
    { path: "b", root: "", kind: "changed" },
  ]);
});
