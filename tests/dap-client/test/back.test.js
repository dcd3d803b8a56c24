// Backwards: what a step did is undone exactly, however often; history is walked to breakpoints, failures and the start.
import assert from "node:assert/strict";
import { test } from "node:test";
import { breakAt, moment, standing, workspaceFiles } from "../lib/session.js";

const WORKFLOW = `on: push
env:
  MODE: fast
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: Make
        id: make
        run: |
          mkdir -p out/empty && echo 1 > out/number && chmod 640 out/number
          ln -s number out/link
          echo "made=1" >> "$GITHUB_OUTPUT"
          echo "VERSION=1" >> "$GITHUB_ENV"
          echo "$PWD/out" >> "$GITHUB_PATH"
      - name: Change
        id: change
        run: |
          echo 2 > out/number && rm out/link README.md && rmdir out/empty
          echo "VERSION=2" >> "$GITHUB_ENV"
          echo "changed=yes" >> "$GITHUB_OUTPUT"
      - name: Grow
        id: grow
        if: env.VERSION == '2'
        run: |
          echo "more" >> out/number && head -c 100000 /dev/zero > out/big
          echo 'list=[1,2,3]' >> "$GITHUB_OUTPUT"
      - name: Last
        run: cat out/number
`;

const FILES = { "README.md": "read me\n" };
const STEPS = ["- uses:", "- name: Make", "- name: Change", "- name: Grow", "- name: Last"];

const start = (t, workflow = WORKFLOW) => standing(t, workflow, { files: FILES });
const lineOf = (client, text) => client.repository.line(text);

async function isAt(client, text) {
  assert.equal((await client.top()).line, lineOf(client, text));
}

test("stepBack undoes next exactly: frame, variables, outputs, files with their times", async (t) => {
  const client = await start(t);
  await client.move("next");
  await client.move("next");
  const before = await moment(client);
  await client.move("next");
  const after = await moment(client);
  assert.notDeepEqual(before.files, after.files);
  const stop = await client.move("stepBack");
  assert.equal(stop.reason, "step");
  assert.deepEqual(withoutChanges(await moment(client)), withoutChanges(before));
});

test("n forward, n back, n forward: each moment is the same each time it is visited", async (t) => {
  const client = await start(t);
  const seen = [await moment(client)];
  for (let step = 1; step < STEPS.length; step += 1) {
    await client.move("next");
    seen.push(await moment(client));
  }
  for (let step = STEPS.length - 2; step >= 0; step -= 1) {
    await client.move("stepBack");
    assert.deepEqual(withoutChanges(await moment(client)), withoutChanges(seen[step]), `back at step ${step}`);
  }
  for (let step = 1; step < STEPS.length; step += 1) {
    await client.move("next");
    const now = withoutTimes(withoutChanges(await moment(client)));
    assert.deepEqual(now, withoutTimes(withoutChanges(seen[step])), `again at step ${step}`);
  }
});

test("stepBack at the start is an answer: the job stands where it stood", async (t) => {
  const client = await start(t);
  const stop = await client.move("stepBack");
  assert.match(stop.description, /start/i);
  await isAt(client, "- uses:");
  await client.move("next");
  const start2 = await client.move("stepBack");
  assert.match(start2.description, /start/i);
});

test("reverseContinue goes to the last breakpoint, then to the one before, then to the start", async (t) => {
  const client = await start(t);
  const [make, grow] = await breakAt(client, "- name: Make", "- name: Grow", "- name: Last");
  await client.move("continue");
  await client.move("continue");
  await client.move("continue");
  await isAt(client, "- name: Last");
  let stop = await client.move("reverseContinue");
  assert.deepEqual([stop.reason, stop.hitBreakpointIds], ["breakpoint", [grow.id]]);
  await isAt(client, "- name: Grow");
  stop = await client.move("reverseContinue");
  assert.deepEqual([stop.reason, stop.hitBreakpointIds], ["breakpoint", [make.id]]);
  stop = await client.move("reverseContinue");
  assert.match(stop.description, /start/i);
  await isAt(client, "- uses:");
  stop = await client.move("reverseContinue");
  assert.match(stop.description, /start/i);
});

test("reverseContinue finds breakpoints that were set only now, with their conditions", async (t) => {
  const client = await start(t);
  for (let step = 0; step < 4; step += 1) await client.move("next");
  await breakAt(client, { at: "- name: Change", condition: "env.VERSION == '1'" }, { at: "- name: Grow", condition: "env.VERSION == '1'" });
  assert.equal((await client.move("reverseContinue")).reason, "breakpoint");
  await isAt(client, "- name: Change");
});

test("going back is undone by going forward on another branch, and nothing is lost", async (t) => {
  const client = await start(t);
  for (let step = 0; step < 3; step += 1) await client.move("next");
  await client.move("stepBack");
  await client.must("setExpression", { expression: "env.VERSION", value: "9" });
  await client.move("next");
  assert.equal(await client.value("env.VERSION"), "2");
  const { moments, branch } = await client.must("stepback/timeline");
  assert.equal(branch, 2);
  assert.deepEqual([...new Set(moments.map((one) => one.branch))], [1, 2]);
});

test("a step that failed can be gone back from, put right, and run again", async (t) => {
  const client = await start(t, WORKFLOW.replace("run: cat out/number", "run: test -e fixed"));
  assert.equal((await client.move("continue")).reason, "exception");
  await isAt(client, "- name: Last");
  await client.move("stepBack");
  await isAt(client, "- name: Last");
  assert.equal(await client.value("job.status"), "success");
  await client.must("evaluate", { expression: "! touch fixed", context: "repl" });
  await client.must("continue", { threadId: 1 });
  assert.deepEqual(await client.event("exited"), { exitCode: 0 });
});

test("going back from the end of a failed job works, several times", async (t) => {
  const client = await start(t, WORKFLOW.replace("run: cat out/number", "run: exit 7"));
  assert.equal((await client.move("continue")).reason, "exception");
  const end = await client.move("continue");
  assert.match(end.description, /failed/);
  await client.move("stepBack");
  await isAt(client, "- name: Last");
  await client.move("stepBack");
  await isAt(client, "- name: Grow");
  assert.equal((await workspaceFiles(client))["out/big"], undefined);
  assert.equal(client.all("terminated").length, 0);
});

test("putting files back is shown as progress, with an end to every beginning, and only to who wants it", async (t) => {
  for (const supportsProgressReporting of [true, false]) {
    const client = await standing(t, WORKFLOW, { files: FILES, facts: { supportsProgressReporting } });
    await client.move("next");
    await client.move("stepBack");
    await client.fails("evaluate", { expression: "goto m99", context: "repl" });
    const begun = client.all("progressStart").map((progress) => progress.progressId);
    assert.deepEqual(client.all("progressEnd").map((progress) => progress.progressId), begun);
    assert.equal(begun.length > 0, supportsProgressReporting);
  }
});

test("a breakpoint in the past stops a job that runs there again", async (t) => {
  const client = await start(t);
  for (let step = 0; step < 3; step += 1) await client.move("next");
  await client.move("reverseContinue");
  await breakAt(client, "- name: Change");
  assert.equal((await client.move("continue")).reason, "breakpoint");
  await isAt(client, "- name: Change");
});

/** The scope Changes tells of the way by which a moment was reached. */
function withoutChanges({ variables, ...rest }) {
  const { Changes: _, ...others } = variables;
  return { ...rest, variables: others };
}

/** A step that runs a second time takes another time, and its files get other times. */
function withoutTimes({ variables, files, ...rest }) {
  const plain = ({ mtime: _, ...about }) => about;
  const { Step: _, ...others } = variables;
  return {
    ...rest,
    variables: others,
    files: Object.fromEntries(Object.entries(files).filter(([name]) => !name.startsWith(".git/")).map(([name, about]) => [name, plain(about)])),
  };
}
