import assert from "node:assert/strict";
import { test } from "node:test";
import { momentBefore } from "../src/passed";
import { sample } from "./sample";

const FILE = "/r/.github/workflows/ci.yml";

test("a step that has run is found on the way to where the job stands", () => {
  const timeline = sample();
  assert.equal(momentBefore(timeline, FILE, 35)?.id, 0);
  // Step 2 ran on both branches: the one that the job is on counts.
  assert.equal(momentBefore(timeline, FILE, 40)?.id, 9);
});

test("a step that is still to come is not", () => {
  const timeline = sample();
  timeline.moments[18]!.current = false;
  timeline.moments[3]!.current = true;
  assert.equal(momentBefore(timeline, FILE, 35)?.id, 0);
  assert.equal(momentBefore(timeline, FILE, 40), undefined);
  assert.equal(momentBefore(timeline, FILE, 45), undefined);
  assert.equal(momentBefore(timeline, "/other.yml", 35), undefined);
  assert.equal(momentBefore(timeline, FILE, 99), undefined);
});

test("a loop of parents ends", () => {
  const timeline = sample();
  timeline.moments[0]!.parent = 18;
  assert.equal(momentBefore(timeline, FILE, 99), undefined);
});
