// How it ends: a good end, a bad one that stays to be looked at, terminate, and the ways to leave.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { breakAt, launched, standing } from "../lib/session.js";

const WORKFLOW = `on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - name: One
        run: echo one >> "$SEEN"
      - name: Two
        run: echo two >> "$SEEN"
      - name: Last
        if: always()
        run: echo "last after \${{ job.status }}" >> "$SEEN"
`;

const LONG = WORKFLOW.replace('echo two >> "$SEEN"', 'echo "it has" begun; sleep 100');

const seenBy = (repository) => path.join(repository.base, "seen");
const launch = (repository) => ({ env: { SEEN: seenBy(repository) } });
const seen = (client) => (existsSync(seenBy(client.repository)) ? readFileSync(seenBy(client.repository), "utf8") : "");

/** What ends a session: the exit code, then the end, each once. */
async function ends(client, exitCode) {
  assert.deepEqual(await client.event("exited"), { exitCode });
  await client.event("terminated");
  const last = client.transcript.filter((message) => message.type === "event").map((message) => message.event);
  assert.deepEqual(last.filter((name) => name === "exited" || name === "terminated"), ["exited", "terminated"]);
}

test("a job that succeeds: exited 0, then terminated; and only leaving is left", async (t) => {
  const client = await launched(t, WORKFLOW, { launch });
  await client.must("configurationDone");
  await ends(client, 0);
  await client.fails("threads");
  await client.must("disconnect", {});
  assert.equal(await client.exited, 0);
  assert.equal(seen(client), "one\ntwo\nlast after success\n");
});

test("stopAtEnd keeps a job that succeeded, so that it can be walked back", async (t) => {
  const client = await launched(t, WORKFLOW, { launch: (repository) => ({ ...launch(repository), stopAtEnd: true }) });
  await client.must("configurationDone");
  assert.match((await client.untilStopped()).description, /succeeded/);
  await client.move("stepBack");
  assert.equal((await client.top()).line, client.repository.line("- name: Last"));
});

test("a job that fails: nothing ends before the person lets go", async (t) => {
  const client = await launched(t, WORKFLOW.replace("echo two >>", "exit 5; echo >>"), { launch });
  await client.must("configurationDone");
  assert.equal((await client.untilStopped()).reason, "exception");
  assert.match((await client.move("continue")).description, /failed/);
  const [frame] = await client.frames();
  assert.match(frame.name, /failure/);
  await client.move("stepBack");
  await client.move("stepBack");
  assert.equal((await client.top()).line, client.repository.line("- name: Two"));
  assert.deepEqual([client.all("exited").length, client.all("terminated").length], [0, 0]);
  await client.must("stepback/return");
  await client.untilStopped();
  await client.must("terminate", {});
  await ends(client, 1);
  await client.must("disconnect", { terminateDebuggee: false });
  assert.equal(await client.exited, 1);
});

test("terminate cancels as GitHub does: always() steps run, and the exit code is 130", async (t) => {
  const client = await launched(t, LONG, { launch });
  await client.must("configurationDone");
  await client.untilOutput("it has begun");
  await client.must("terminate", { restart: false });
  await ends(client, 130);
  assert.equal(seen(client), "one\nlast after cancelled\n");
  await client.must("disconnect", { restart: false, terminateDebuggee: false });
  assert.equal(await client.exited, 130);
});

test("terminate again ends also what always runs", async (t) => {
  const always = LONG.replace("- name: Two", "- name: Two\n        if: always()");
  const client = await launched(t, always, { launch });
  await client.must("configurationDone");
  await client.untilOutput("it has begun");
  await client.must("terminate", {});
  await client.must("terminate", {});
  await ends(client, 130);
});

test("terminate from a stop, with breakpoints on the rest, stops nowhere", async (t) => {
  const client = await standing(t, WORKFLOW, { launch });
  await breakAt(client, "- name: Two", "- name: Last");
  await client.move("continue");
  await client.must("terminate", {});
  await ends(client, 130);
  assert.equal(seen(client), "one\nlast after cancelled\n");
  assert.equal(client.unasked("stopped"), 0);
});

test("terminate in the past ends the job from its newest moment", async (t) => {
  const client = await standing(t, WORKFLOW, { launch });
  await client.move("next");
  await client.move("stepBack");
  await client.must("terminate", {});
  await ends(client, 130);
  assert.equal(client.unasked("stopped"), 0);
});

test("terminate of a frozen step ends it", async (t) => {
  const client = await launched(t, LONG, { launch });
  await client.must("configurationDone");
  await client.untilOutput("it has begun");
  await client.must("pause", { threadId: 1 });
  await client.move("pause");
  await client.must("terminate", {});
  await ends(client, 130);
});

test("disconnect ends a job that was launched: what runs always runs, and nothing of it is left", async (t) => {
  const client = await launched(t, LONG, { launch });
  await client.must("configurationDone");
  await client.untilOutput("it has begun");
  await client.must("disconnect", {});
  assert.equal(await client.exited, 130);
  assert.equal(seen(client), "one\nlast after cancelled\n");
});

test("disconnect with breakpoints on the rest ends all the same", async (t) => {
  const client = await standing(t, WORKFLOW, { launch });
  await breakAt(client, "- name: Two", "- name: Last");
  await client.must("disconnect", { terminateDebuggee: true });
  assert.equal(await client.exited, 130);
  assert.equal(seen(client), "last after cancelled\n");
});

test("disconnect without terminateDebuggee lets the job run to its end without stops", async (t) => {
  const client = await standing(t, WORKFLOW, { launch });
  await breakAt(client, "- name: Two");
  await client.must("disconnect", { terminateDebuggee: false });
  assert.equal(await client.exited, 0);
  assert.equal(seen(client), "one\ntwo\nlast after success\n");
});

test("disconnect before there is a job ends the adapter", async (t) => {
  const client = await launched(t, WORKFLOW, { launch });
  await client.must("disconnect");
  assert.equal(await client.exited, 130);
});
