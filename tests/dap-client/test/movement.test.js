// Forwards and elsewhere: next, stepIn, stepOut, continue, pause, goto, restart, restartFrame.
import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { breakAt, launched, source, standing, workspaceFiles } from "../lib/session.js";

const WORKFLOW = `on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - name: One
        id: one
        run: |
          echo one >> log
          echo "made=by one" >> "$GITHUB_OUTPUT"
      - name: Two
        run: echo two >> log
      - name: Three
        run: echo three >> log
`;

/** A step that says when it runs, and ends when its test says so: `running` and `release`. */
const SLOW = `on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - name: Slow
        run: |
          mkfifo "$RUNNER_TEMP/never"
          echo "begun" >> begun
          echo "it has" begun
          until [ -e "$GO" ]; do read -t 0.05 -u 7 || true; done 7<> "$RUNNER_TEMP/never"
          rm "$RUNNER_TEMP/never"
      - name: After
        run: echo after
`;

/** A job in the middle of its slow step. */
async function running(t) {
  const client = await launched(t, SLOW, { launch: (repository) => ({ env: { GO: path.join(repository.base, "go") } }) });
  await client.must("configurationDone");
  await client.untilOutput("it has begun");
  return client;
}

function release(client) {
  client.repository.beside("go", "");
}

const log = async (client) => (await workspaceFiles(client)).log?.text ?? "";
const lineOf = (client, name) => client.repository.line(`- name: ${name}`);

async function isAt(client, name) {
  assert.equal((await client.top()).line, lineOf(client, name));
}

async function targetAt(client, line) {
  return (await client.must("gotoTargets", { source: source(client), line })).targets;
}

test("next, stepIn and stepOut run steps; granularity makes no difference", async (t) => {
  const client = await standing(t, WORKFLOW);
  assert.equal((await client.move("next", { threadId: 1, granularity: "instruction" })).reason, "step");
  await isAt(client, "Two");
  assert.equal((await client.move("stepIn", { threadId: 1, granularity: "line" })).reason, "step");
  await isAt(client, "Three");
  assert.equal(await log(client), "one\ntwo\n");
  await client.must("stepOut", { threadId: 1 });
  assert.deepEqual(await client.event("exited"), { exitCode: 0 });
});

test("continue says that all threads go on, and no event repeats it", async (t) => {
  const client = await standing(t, WORKFLOW);
  await breakAt(client, "- name: Three");
  assert.deepEqual(await client.must("continue", { threadId: 1 }), { allThreadsContinued: true });
  await client.untilStopped();
  assert.equal(client.all("continued").length, 0);
});

test("a step is no list of parts to step into", async (t) => {
  const client = await standing(t, WORKFLOW);
  const { targets } = await client.must("stepInTargets", { frameId: (await client.top()).id });
  assert.deepEqual(targets, []);
  await client.fails("stepInTargets", { frameId: 12345 });
});

test("goto forwards skips what lies between", async (t) => {
  const client = await standing(t, WORKFLOW);
  const [target] = await targetAt(client, client.repository.line("run: echo three"));
  assert.equal(target.line, lineOf(client, "Three"));
  const stop = await client.move("goto", { threadId: 1, targetId: target.id });
  assert.equal(stop.reason, "goto");
  await isAt(client, "Three");
  assert.equal(await client.value("steps.one.outcome"), "skipped");
  assert.equal(await log(client), "");
});

test("goto backwards restores the state of that step", async (t) => {
  const client = await standing(t, WORKFLOW);
  await client.move("next");
  await client.move("next");
  assert.equal(await log(client), "one\ntwo\n");
  const [target] = await targetAt(client, lineOf(client, "Two"));
  const stop = await client.move("goto", { threadId: 1, targetId: target.id });
  assert.equal(stop.reason, "goto");
  await isAt(client, "Two");
  assert.equal(await log(client), "one\n");
  assert.equal(await client.value("steps.one.outputs.made"), "by one");
});

test("no target where there is no step, and an old one is an error", async (t) => {
  const client = await standing(t, WORKFLOW);
  assert.deepEqual(await targetAt(client, 400), []);
  const other = { source: { path: `${client.repository.root}/x.yml` }, line: 6 };
  assert.deepEqual((await client.must("gotoTargets", other)).targets, []);
  const [target] = await targetAt(client, lineOf(client, "Three"));
  await client.move("next");
  await client.fails("goto", { threadId: 1, targetId: target.id });
  await isAt(client, "Two");
});

test("restartFrame runs a step again from its own beginning", async (t) => {
  const client = await standing(t, WORKFLOW.replace("echo two >> log", "echo two >> log; exit 1"));
  await client.move("next");
  assert.equal((await client.move("next")).reason, "exception");
  assert.equal(await log(client), "one\ntwo\n");
  const frame = await client.top();
  assert.equal(frame.canRestart, true);
  const again = await client.move("restartFrame", { frameId: frame.id });
  assert.equal(again.reason, "exception", "it fails again, and nothing is told of the way to its beginning");
  assert.equal(client.all("continued").length, 0);
  assert.equal(await log(client), "one\ntwo\n", "the step ran on the files that it found the first time");
});

test("restartFrame of a stale frame is an error", async (t) => {
  const client = await standing(t, WORKFLOW);
  const old = await client.top();
  await client.move("next");
  await client.fails("restartFrame", { frameId: old.id });
});

test("restart begins the whole job again, breakpoints kept", async (t) => {
  const client = await launched(t, WORKFLOW);
  await breakAt(client, "- name: Two");
  await client.must("configurationDone");
  await client.untilStopped();
  await client.move("next");
  await isAt(client, "Three");
  const stop = await client.move("restart", {});
  assert.equal(stop.reason, "breakpoint");
  await isAt(client, "Two");
  assert.equal(await log(client), "one\n");
  assert.equal(client.unasked("stopped"), 0);
});

test("restart stands at the beginning again where the job stood there first", async (t) => {
  const client = await standing(t, WORKFLOW);
  await client.move("next");
  const stop = await client.move("restart", {});
  assert.equal(stop.reason, "goto");
  await isAt(client, "One");
  assert.equal(await log(client), "");
});

test("pause: at the next stop point; asked again, in the middle of the step", async (t) => {
  const client = await running(t);
  await client.must("pause", { threadId: 1 });
  const stop = await client.move("pause");
  assert.equal(stop.reason, "pause");
  await isAt(client, "Slow");
  // It goes on where it was, and the pause holds no longer.
  await breakAt(client, "- name: After");
  await client.must("continue", { threadId: 1 });
  release(client);
  assert.equal((await client.untilStopped()).reason, "breakpoint");
  await isAt(client, "After");
  assert.equal((await workspaceFiles(client)).begun.text, "begun\n");
});

test("pause once holds at the next stop point", async (t) => {
  const client = await running(t);
  await client.must("pause", { threadId: 1 });
  assert.equal(client.unasked("stopped"), 0);
  release(client);
  assert.equal((await client.untilStopped()).reason, "pause");
});

test("stepBack out of a frozen step goes to its beginning", async (t) => {
  const client = await running(t);
  await client.must("pause", { threadId: 1 });
  await client.move("pause");
  assert.equal((await client.move("stepBack")).reason, "step");
  await isAt(client, "Slow");
  assert.equal((await workspaceFiles(client)).begun, undefined);
});

test("a step that is frozen may be run again", async (t) => {
  const client = await running(t);
  await client.must("pause", { threadId: 1 });
  await client.move("pause");
  release(client);
  const stop = await client.move("restartFrame", { frameId: (await client.top()).id });
  assert.equal(stop.reason, "step");
  await isAt(client, "After");
  assert.equal((await workspaceFiles(client)).begun.text, "begun\n");
});

test("a job that stands cannot be paused", async (t) => {
  const client = await standing(t, WORKFLOW);
  await client.fails("pause", { threadId: 1 });
  await isAt(client, "One");
});

test("a job that runs cannot be looked at, but its threads are told", async (t) => {
  const client = await running(t);
  assert.equal((await client.fails("stackTrace", { threadId: 1 })).message, "notStopped");
  await client.fails("scopes", { frameId: 1 });
  assert.equal((await client.fails("evaluate", { expression: "job.status", context: "watch" })).message, "notStopped");
  assert.equal((await client.must("threads")).threads.length, 1);
});

test("terminateThreads ends the job, and names a thread that is none", async (t) => {
  const client = await running(t);
  await client.fails("terminateThreads", { threadIds: [99] });
  await client.must("terminateThreads", { threadIds: [1] });
  assert.deepEqual(await client.event("exited"), { exitCode: 130 });
});
