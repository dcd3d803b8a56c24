// Exception filters: which bad ends of a step stop the job, under which condition, and what is told of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { launched, standing } from "../lib/session.js";

const WORKFLOW = `on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - name: May fail
        id: may
        continue-on-error: true
        run: exit 4
      - name: Not now
        if: github.event_name == 'never'
        run: echo never
      - name: Fails
        id: fails
        run: |
          echo "going down"
          echo "::error::it is broken"
          exit 3
      - name: Wrong
        if: always()
        env:
          VALUE: \${{ fromJSON('{') }}
        run: echo wrong
      - name: Always
        if: always()
        run: echo always
`;

/** A job under these filters, where it first stands. */
async function under(t, filters, workflow = WORKFLOW) {
  const client = await launched(t, workflow);
  client.answer = await client.must("setExceptionBreakpoints", filters);
  await client.must("configurationDone");
  return client;
}

async function isAt(client, name) {
  assert.equal((await client.top()).line, client.repository.line(`- name: ${name}`));
}

test("every filter is announced with a name, a label, a condition; a failed step is on by default", async (t) => {
  const client = await launched(t, WORKFLOW);
  const filters = client.capabilities.exceptionBreakpointFilters;
  const names = ["failed", "continue-on-error", "expression", "cancelled", "skipped"];
  assert.deepEqual(filters.map((filter) => filter.filter), names);
  assert.deepEqual(filters.filter((filter) => filter.default).map((filter) => filter.filter), ["failed"]);
  assert.ok(filters.every((filter) => filter.label && filter.description && filter.supportsCondition && filter.conditionDescription));
});

test("a failed step stops, with its exit code and its last lines", async (t) => {
  const client = await under(t, { filters: ["failed"] });
  assert.deepEqual(client.answer.breakpoints.map((breakpoint) => breakpoint.verified), [true]);
  const stop = await client.untilStopped();
  assert.equal(stop.reason, "exception");
  assert.match(stop.text, /Fails failed with exit code 3/);
  await isAt(client, "Fails");
  const info = await client.must("exceptionInfo", { threadId: 1 });
  assert.equal(info.exceptionId, "step.exitcode");
  assert.equal(info.breakMode, "unhandled");
  assert.match(info.description, /going down/);
  assert.match(info.description, /it is broken/);
  assert.match(info.details.message, /exit code 3/);
  assert.equal(await client.value("steps.fails.outcome"), "failure");
});

test("a client that sets no filters gets the default", async (t) => {
  const client = await launched(t, WORKFLOW);
  await client.must("configurationDone");
  assert.equal((await client.untilStopped()).reason, "exception");
});

test("without filters the job runs to its failed end, and stays there", async (t) => {
  const client = await under(t, { filters: [] });
  const stop = await client.untilStopped();
  assert.match(stop.description, /failed/);
  assert.equal(client.all("exited").length, 0);
});

test("each of the other filters stops where it says", async (t) => {
  const client = await under(t, { filters: ["continue-on-error", "skipped", "expression", "failed"] });
  const stop = await client.untilStopped();
  assert.equal(stop.reason, "exception");
  await isAt(client, "May fail");
  const allowed = await client.must("exceptionInfo", { threadId: 1 });
  assert.equal(allowed.breakMode, "always");
  assert.match(allowed.description, /exit code 4, which is allowed/);
  assert.match((await client.move("continue")).text, /Not now was skipped/);
  await isAt(client, "Not now");
  assert.equal((await client.must("exceptionInfo", { threadId: 1 })).exceptionId, "step.skipped");
  await client.move("continue");
  await isAt(client, "Fails");
  await client.move("continue");
  await isAt(client, "Wrong");
  const wrong = await client.must("exceptionInfo", { threadId: 1 });
  assert.equal(wrong.exceptionId, "step.expression");
  assert.match(wrong.description, /Wrong: The template is not valid/);
});

test("options have conditions on the step", async (t) => {
  const client = await under(t, {
    filters: [],
    filterOptions: [
      { filterId: "continue-on-error", condition: "steps.may.outcome == 'success'" },
      { filterId: "failed", condition: "steps.may.outcome == 'failure'" },
    ],
  });
  assert.deepEqual(client.answer.breakpoints.map((breakpoint) => breakpoint.verified), [true, true]);
  await client.untilStopped();
  await isAt(client, "Fails");
});

test("a name that nobody knows is unverified, and the others hold", async (t) => {
  const client = await under(t, { filters: ["uncaught", "failed"] });
  assert.deepEqual(client.answer.breakpoints.map((breakpoint) => breakpoint.verified), [false, true]);
  assert.match(client.answer.breakpoints[0].message, /uncaught/);
  await client.untilStopped();
  await isAt(client, "Fails");
});

test("filters hold backwards too", async (t) => {
  const client = await under(t, { filters: [] });
  await client.untilStopped();
  await client.must("setExceptionBreakpoints", { filters: ["continue-on-error", "failed"] });
  assert.equal((await client.move("reverseContinue")).reason, "exception");
  await isAt(client, "Wrong");
  assert.equal((await client.move("reverseContinue")).reason, "exception");
  await isAt(client, "Fails");
  assert.equal((await client.move("reverseContinue")).reason, "exception");
  await isAt(client, "May fail");
});

test("where the job does not stand at a failure there is nothing to be told", async (t) => {
  const client = await standing(t, WORKFLOW);
  await client.fails("exceptionInfo", { threadId: 1 });
});
