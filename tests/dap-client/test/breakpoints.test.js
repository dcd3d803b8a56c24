// Breakpoints on lines and steps: where they land, when they count, what they say.
import assert from "node:assert/strict";
import { test } from "node:test";
import { breakAt, launched, source, standing } from "../lib/session.js";

const WORKFLOW = `on: push
env:
  MODE: fast
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - name: One
        id: one
        run: |
          echo "first"
          echo "n=1" >> "$GITHUB_OUTPUT"
      - name: Two
        id: two
        if: steps.one.outputs.n == '1'
        run: echo two

      # a comment between two steps
      - uses: actions/checkout@v4
      - name: Three
        id: three
        run: echo three
      - name: Last
        run: echo last
`;

const start = (t, more) => launched(t, WORKFLOW, more);

/** Lets the job begin; where it stands first. */
async function begin(client) {
  await client.must("configurationDone");
  return client.untilStopped();
}

test("a line belongs to the step that covers it, and a gap to the next step", async (t) => {
  const client = await start(t);
  const line = (text) => client.repository.line(text);
  const asked = ["on: push", "id: one", 'echo "n=1"', "# a comment", "if: steps", "run: echo last"];
  const found = await breakAt(client, ...asked);
  const expected = ["- name: One", "- name: One", "- name: One", "- uses:", "- name: Two", "- name: Last"];
  assert.deepEqual(found.map((breakpoint) => breakpoint.line), expected.map(line));
  assert.ok(found.every((breakpoint) => breakpoint.verified && breakpoint.source.path === client.repository.workflow));
  assert.ok(found.every((breakpoint) => Number.isInteger(breakpoint.id)));
});

test("lines behind the last step and other files are answered as unverified, one to one", async (t) => {
  const client = await start(t);
  const beyond = await breakAt(client, 500, "id: two");
  assert.deepEqual(beyond.map((breakpoint) => breakpoint.verified), [false, true]);
  assert.equal(beyond[0].reason, "failed");
  assert.ok(beyond[0].message.length > 0);
  const path = `${client.repository.root}/other.yml`;
  const { breakpoints } = await client.must("setBreakpoints", { source: { path }, breakpoints: [{ line: 1 }, { line: 2 }] });
  assert.deepEqual(breakpoints.map((breakpoint) => breakpoint.verified), [false, false]);
  assert.ok(breakpoints[0].message.length > 0);
});

test("another file's breakpoints leave the workflow's alone", async (t) => {
  const client = await start(t);
  await breakAt(client, "- name: Three");
  await client.must("setBreakpoints", { source: { path: `${client.repository.root}/other.yml` }, breakpoints: [] });
  await begin(client);
  assert.equal((await client.top()).line, client.repository.line("- name: Three"));
});

test("a stop names the breakpoint that was hit", async (t) => {
  const client = await start(t);
  const [two] = await breakAt(client, "- name: Two");
  const stop = await begin(client);
  assert.equal(stop.reason, "breakpoint");
  assert.deepEqual(stop.hitBreakpointIds, [two.id]);
  assert.equal(stop.threadId, 1);
  assert.equal(stop.allThreadsStopped, true);
});

test("setting them again replaces them, and what was there keeps its number", async (t) => {
  const client = await start(t);
  const [one, two] = await breakAt(client, "- name: One", "- name: Two");
  const again = await breakAt(client, "- name: Last", "- name: Two");
  assert.equal(again[1].id, two.id);
  assert.notEqual(again[0].id, one.id);
  await begin(client);
  assert.equal((await client.top()).line, client.repository.line("- name: Two"));
  assert.equal((await client.move("continue")).reason, "breakpoint");
  assert.equal((await client.top()).line, client.repository.line("- name: Last"));
});

test("a condition is evaluated as the step sees it, before its own", async (t) => {
  const client = await start(t);
  await breakAt(
    client,
    { at: "- name: Two", condition: "steps.one.outputs.n == '2'" },
    { at: "- name: Three", condition: "${{ steps.one.outputs.n == '1' && env.MODE == 'fast' }}" },
  );
  await begin(client);
  assert.equal((await client.top()).line, client.repository.line("- name: Three"));
});

test("a condition that cannot be evaluated stops and warns instead of being passed over", async (t) => {
  const client = await start(t);
  await breakAt(client, { at: "- name: Two", condition: "fromJSON('{')" });
  const stop = await begin(client);
  assert.equal(stop.reason, "breakpoint");
  assert.match(client.output(), /breakpoint condition/);
});

test("a condition that is no expression is unverified, with the reason", async (t) => {
  const client = await start(t);
  const found = await breakAt(client, { at: "- name: Two", hitCondition: "many" }, "- name: Three");
  assert.deepEqual(found.map((breakpoint) => breakpoint.verified), [false, true]);
  assert.ok(found[0].message.length > 0);
});

test("hits are counted along the branch, so going back takes them back", async (t) => {
  const client = await start(t);
  await breakAt(client, "- name: One", { at: "- name: Two", hitCondition: "2" }, "- name: Three");
  await begin(client);
  await client.move("continue");
  assert.equal((await client.top()).line, client.repository.line("- name: Three"));
  await client.move("stepBack");
  await client.move("stepBack");
  await client.move("continue");
  assert.equal((await client.top()).line, client.repository.line("- name: Three"));
});

test("a hit condition of one stops at once", async (t) => {
  const client = await start(t);
  await breakAt(client, { at: "- name: Two", hitCondition: ">= 1" });
  await begin(client);
  assert.equal((await client.top()).line, client.repository.line("- name: Two"));
});

test("a log point speaks and does not stop", async (t) => {
  const client = await start(t);
  const line = client.repository.line("- name: Three");
  await breakAt(client, { at: "- name: Three", logMessage: "n is {steps.one.outputs.n} in {env.MODE}" }, "- name: Last");
  await begin(client);
  assert.equal((await client.top()).line, client.repository.line("- name: Last"));
  const said = client.all("output").filter((event) => event.output === "n is 1 in fast\n");
  assert.equal(said.length, 1);
  assert.equal(said[0].line, line);
  assert.equal(said[0].source.path, client.repository.workflow);
});

test("function breakpoints: a step's id, its name in any case, an action by a pattern", async (t) => {
  const client = await start(t);
  const names = ["two", "LAST", "actions/*", "nothing like it"];
  const { breakpoints } = await client.must("setFunctionBreakpoints", { breakpoints: names.map((name) => ({ name })) });
  assert.deepEqual(breakpoints.map((breakpoint) => breakpoint.verified), [true, true, true, false]);
  const lines = ["- name: Two", "- name: Last", "- uses:"].map((text) => client.repository.line(text));
  assert.deepEqual(breakpoints.slice(0, 3).map((breakpoint) => breakpoint.line), lines);
  const stop = await begin(client);
  assert.equal(stop.reason, "function breakpoint");
  assert.deepEqual(stop.hitBreakpointIds, [breakpoints[0].id]);
  assert.equal((await client.top()).line, lines[0]);
  await client.move("continue");
  assert.equal((await client.top()).line, lines[2]);
  await client.move("continue");
  assert.equal((await client.top()).line, lines[1]);
});

test("function breakpoints have conditions and hit counts too", async (t) => {
  const client = await start(t);
  await client.must("setFunctionBreakpoints", {
    breakpoints: [
      { name: "two", condition: "false" },
      { name: "actions/checkout@v4", hitCondition: "2" },
      { name: "three", condition: "success()" },
    ],
  });
  await begin(client);
  assert.equal((await client.top()).line, client.repository.line("- name: Three"));
});

test("breakpoints may be set while the job stands in the middle, and hold from there on", async (t) => {
  const client = await standing(t, WORKFLOW);
  await breakAt(client, "- name: Two");
  assert.equal((await client.move("continue")).reason, "breakpoint");
  await breakAt(client);
  await client.must("continue", { threadId: 1 });
  assert.deepEqual(await client.event("exited"), { exitCode: 0 });
});

test("there is one place for a breakpoint in every step", async (t) => {
  const client = await start(t);
  const of = async (line, endLine) =>
    (await client.must("breakpointLocations", { source: source(client), line, endLine })).breakpoints.map((place) => place.line);
  const steps = ["- name: One", "- name: Two", "- uses:", "- name: Three", "- name: Last"].map((text) => client.repository.line(text));
  assert.deepEqual(await of(1, 100), steps);
  assert.deepEqual(await of(steps[1], undefined), [steps[1]]);
  assert.deepEqual(await of(1, 2), []);
  const other = { source: { path: `${client.repository.root}/other.yml` }, line: 1, endLine: 9 };
  assert.deepEqual((await client.must("breakpointLocations", other)).breakpoints, []);
});
