// Our own requests: the timeline, views of other moments, going to one and back, and what changed between two.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { moment, standing, workspaceFiles } from "../lib/session.js";

const WORKFLOW = `on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: One
        id: one
        run: echo one > a.txt; echo "N=1" >> "$GITHUB_ENV"
      - name: Two
        run: echo two > b.txt; echo changed > read.me; echo "N=2" >> "$GITHUB_ENV"
      - name: Three
        run: echo three
`;

async function atThree(t) {
  const client = await standing(t, WORKFLOW, { files: { "read.me": "original\n" } });
  for (let step = 0; step < 3; step += 1) await client.move("next");
  return client;
}

const timeline = (client) => client.must("stepback/timeline");
const at = (all, name, point) => all.moments.find((one) => one.name.endsWith(name) && one.point === point);

/** Goes somewhere by a request that clients do not know: they are told when the way begins. */
async function travel(client, command, args) {
  await client.must(command, args);
  assert.deepEqual(await client.event("continued"), { threadId: 1, allThreadsContinued: true });
  return client.untilStopped();
}

test("what there is of our own is announced with its version", async (t) => {
  const client = await standing(t, WORKFLOW);
  const { version, requests } = client.capabilities.stepback;
  assert.equal(version, 1);
  const names = ["timeline", "view", "goto", "return", "sync", "keep", "diff"].map((name) => `stepback/${name}`);
  assert.deepEqual(requests, names);
});

test("the timeline: moments with their parents, steps that ran, where the job is", async (t) => {
  const client = await atThree(t);
  const all = await timeline(client);
  assert.deepEqual([all.rewound, all.branch], [false, 1]);
  assert.deepEqual(all.lanes, [{ id: 0, name: "build" }]);
  assert.deepEqual(all.runs.map((run) => [run.number, run.outcome]), [[1, "success"], [2, "success"], [3, "success"]]);
  assert.equal(all.runs[1].line, client.repository.line("- name: One"));
  const ids = all.moments.map((one) => one.id);
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(all.moments.slice(1).every((one) => ids.includes(one.parent)));
  assert.equal(all.moments.filter((one) => one.current).length, 1);
  assert.equal(all.moments.filter((one) => one.newest).length, 1);
  assert.ok(all.moments.find((one) => one.current).name.endsWith("Three"));
  assert.ok(all.moments.every((one) => one.hasFiles));
});

test("a stop comes with what a terminal shows of it, before it", async (t) => {
  const client = await atThree(t);
  const stop = client.all("stepback/stop").at(-1);
  assert.match(stop.prompt, /build 4/);
  assert.deepEqual([stop.rewound, stop.ended], [false, false]);
  assert.equal(stop.moment, (await timeline(client)).moments.find((one) => one.current).id);
  const lastOf = (name) => client.transcript.findLastIndex((message) => message.event === name);
  assert.ok(lastOf("stepback/stop") < lastOf("stopped"));
  // The hint is sent once for all that a step has changed; it may come in front of the stop.
  const moved = client.transcript.findLastIndex((message) => message.command === "next" && message.type === "response");
  while (lastOf("stepback/timelineChanged") < moved) await client.event("stepback/timelineChanged");
});

test("a view shows another moment and moves nothing", async (t) => {
  const client = await atThree(t);
  const present = await moment(client);
  const old = at(await timeline(client), "One", "before");
  client.forget("invalidated");
  await client.must("stepback/view", { moment: old.id });
  assert.deepEqual((await client.event("invalidated")).areas, ["all"]);
  const top = await client.top();
  assert.equal(top.line, client.repository.line("- name: One"));
  assert.equal(top.canRestart, false);
  assert.equal(await client.value("env.N"), "null");
  assert.ok((await workspaceFiles(client))["b.txt"], "files are those of the present");
  const viewed = (await timeline(client)).moments.filter((one) => one.viewed);
  assert.deepEqual(viewed.map((one) => one.id), [old.id]);
  await client.must("stepback/view", {});
  assert.deepEqual(await moment(client), present);
  assert.equal(client.unasked("stopped"), 0);
});

test("stepback/goto goes to a moment of the past, and stepback/return comes back", async (t) => {
  const client = await atThree(t);
  const present = await moment(client);
  const old = at(await timeline(client), "One", "after");
  const stop = await travel(client, "stepback/goto", { moment: old.id });
  assert.equal(stop.reason, "goto");
  assert.equal(await client.value("env.N"), "1");
  assert.equal((await workspaceFiles(client))["b.txt"], undefined);
  assert.equal((await timeline(client)).rewound, true);
  await travel(client, "stepback/return");
  assert.deepEqual(await moment(client), present);
  assert.equal((await timeline(client)).rewound, false);
});

test("from a view, going to its moment makes it the present", async (t) => {
  const client = await atThree(t);
  const old = at(await timeline(client), "Two", "before");
  await client.must("stepback/view", { moment: old.id });
  await travel(client, "stepback/goto", { moment: old.id });
  assert.equal((await workspaceFiles(client))["b.txt"], undefined);
  assert.equal((await timeline(client)).moments.filter((one) => one.viewed).length, 0);
});

test("a way that leads nowhere: an error, and the stop is told again", async (t) => {
  const client = await atThree(t);
  for (const [command, args] of [["stepback/return", undefined], ["stepback/goto", { moment: 4711 }]]) {
    await client.fails(command, args);
    await client.event("continued");
    await client.untilStopped();
    assert.equal((await client.top()).line, client.repository.line("- name: Three"));
  }
  await client.fails("stepback/goto", {});
  await client.fails("stepback/goto", { moment: "m1" });
  await client.fails("stepback/view", { moment: 4711 });
  assert.equal(client.unasked("stopped") + client.unasked("continued"), 0);
});

test("diff: around the last step, and between two moments", async (t) => {
  const client = await atThree(t);
  const names = (body) => body.files.map((file) => [file.path, file.kind]);
  const last = await client.must("stepback/diff");
  assert.deepEqual(names(last), [["b.txt", "created"], ["read.me", "modified"]]);
  assert.match(last.files[1].diff, /-original\n\+changed/);
  const all = await timeline(client);
  const [from, to] = [at(all, "One", "before").id, at(all, "Two", "before").id];
  assert.deepEqual(names(await client.must("stepback/diff", { from, to })), [["a.txt", "created"]]);
  await client.fails("stepback/diff", { from });
  await client.fails("stepback/diff", { from: 0, to: 4711 });
});

test("sync takes what changed in the repository, keep gives back what changed here", async (t) => {
  const client = await atThree(t);
  client.repository.write("new.txt", "from outside\n");
  assert.match((await client.must("stepback/sync")).text, /new\.txt/);
  await client.event("invalidated");
  assert.equal((await workspaceFiles(client))["new.txt"].text, "from outside\n");
  const { text } = await client.must("stepback/keep");
  const patch = /wrote (.+)/.exec(text)[1];
  assert.equal(path.dirname(patch), client.repository.root);
  assert.match(readFileSync(patch, "utf8"), /\+two/);
});

test("a request of ours that nobody knows is an error", async (t) => {
  const client = await standing(t, WORKFLOW);
  const { message } = await client.fails("stepback/fly");
  assert.match(message, /stepback\/fly/);
});
