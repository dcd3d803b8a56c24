// Recordings: opened where the job failed, looked at without anything being run, and run on from there.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { binary } from "../lib/client.js";
import { adapter, breakAt, FULL_CLIENT, moment, workspaceFiles } from "../lib/session.js";

const WORKFLOW = `on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: Make
        id: make
        run: |
          echo made > file; echo "made=1" >> "$GITHUB_OUTPUT"; echo "STAGE=made" >> "$GITHUB_ENV"
          echo make >> "\${{ github.workspace }}/../../../seen"
      - name: Check
        run: |
          echo "looking for it"; echo check >> "\${{ github.workspace }}/../../../seen"
          test -e missing
      - name: Last
        if: always()
        run: echo last >> "\${{ github.workspace }}/../../../seen"
`;

/** Where the steps say that they have run; beside the workspace, so that going back does not undo it. */
const seen = (client) => {
  const runs = path.join(client.repository.env.XDG_CACHE_HOME, "stepback/runs");
  const [run] = readdirSync(runs);
  const file = path.join(runs, run, "seen");
  return existsSync(file) ? readFileSync(file, "utf8") : "";
};

/** An adapter in a repository whose job has run and failed. */
async function afterARun(t) {
  const client = await adapter(t, WORKFLOW, { "README.md": "read me\n" });
  const { root, env } = client.repository;
  assert.throws(() => execFileSync(binary(), ["run"], { cwd: root, env, stdio: "ignore" }), { status: 1 });
  assert.equal(seen(client), "make\ncheck\nlast\n");
  await client.must("initialize", FULL_CLIENT);
  return client;
}

async function open(client, recording) {
  await client.must("attach", { type: "stepback", request: "attach", name: "x", recording });
  await client.event("initialized");
  await client.must("configurationDone");
  return client.untilStopped();
}

test("a recording opens at its failure, is walked in both directions, and nothing of it runs", async (t) => {
  const client = await afterARun(t);
  const stop = await open(client, "last");
  assert.equal(stop.reason, "exception");
  assert.match(stop.text, /Check failed with exit code 1/);
  const { line } = await client.top();
  assert.equal(line, client.repository.line("- name: Check"));
  assert.equal(await client.value("env.STAGE"), "made");
  const failed = await moment(client);
  assert.equal(failed.files.file.text, "made\n");
  assert.match(await client.value("toJSON(steps.make)"), /"made": "1"/);
  assert.match((await client.evaluate("log", "repl")).result, /looking for it/);

  const { moments } = await client.must("stepback/timeline");
  const before = moments.find((one) => one.point === "before" && one.name === "Make");
  await client.must("stepback/view", { moment: before.id });
  assert.equal((await client.top()).line, client.repository.line("- name: Make"));
  assert.equal(await client.value("env.STAGE"), "null");
  await client.must("stepback/view", { moment: null });

  await client.move("stepBack");
  await client.move("stepBack");
  assert.equal((await workspaceFiles(client)).file, undefined);
  assert.match((await client.move("reverseContinue")).description, /start/i);
  await client.move("stepback/return", {});
  assert.match((await client.top()).name, /failure/);
  await client.must("disconnect", { terminateDebuggee: false });
  assert.equal(await client.exited, 1);
  assert.equal(seen(client), "make\ncheck\nlast\n");
});

test("a recording runs on from where it was mended, over breakpoints, and is then the job that it has become", async (t) => {
  const client = await afterARun(t);
  await open(client, "last");
  await client.move("stepBack");
  await client.must("evaluate", { expression: "! touch missing", context: "repl" });
  await breakAt(client, "- name: Last");
  assert.equal((await client.move("continue")).reason, "breakpoint");
  assert.match((await client.move("continue")).description, /succeeded/);
  assert.equal(seen(client), "make\ncheck\nlast\ncheck\nlast\n");
  assert.equal((await client.must("stepback/timeline")).branch, 2);
  await client.must("terminate", {});
  assert.deepEqual(await client.event("exited"), { exitCode: 0 });
  await client.must("disconnect", {});
  assert.equal(await client.exited, 0);
});

test("a recording that is not there is named, with those that are, and the client may ask again", async (t) => {
  const client = await afterARun(t);
  const [name] = readdirSync(path.join(client.repository.env.XDG_STATE_HOME, "stepback/recordings")).filter((each) => each.includes("."));
  const error = await client.fails("attach", { recording: "nothing" });
  assert.match(error.message, /there is no recording `nothing`/);
  assert.ok(error.message.includes(name), error.message);
  assert.equal(error.showUser, true);
  assert.equal((await open(client, name)).reason, "exception");
});
