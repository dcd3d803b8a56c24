// Texts that are no files: scripts and logs of steps; and what there is to be read.
import assert from "node:assert/strict";
import { test } from "node:test";
import { standing } from "../lib/session.js";

const WORKFLOW = `on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - name: Talk / loud
        run: |
          echo "first line"
          echo "second line"
      - uses: actions/checkout@v4
      - name: Last
        run: echo last
`;

const loaded = async (client) => (await client.must("loadedSources")).sources;
const read = (client, source) => client.must("source", { source, sourceReference: source.sourceReference });

test("the workflow is a file, which the client reads itself", async (t) => {
  const client = await standing(t, WORKFLOW);
  const [workflow] = await loaded(client);
  assert.equal(workflow.path, client.repository.workflow);
  assert.equal(workflow.name, "ci.yml");
  assert.ok(!workflow.sourceReference);
  const { content, mimeType } = await client.must("source", { source: workflow, sourceReference: 0 });
  assert.equal(content, WORKFLOW);
  assert.match(mimeType, /yaml/);
});

test("a step's script, and its log once it has run", async (t) => {
  const client = await standing(t, WORKFLOW);
  const before = await loaded(client);
  assert.deepEqual(before.map((source) => source.name), ["ci.yml", "1 Talk _ loud.sh", "3 Last.sh"]);
  const script = await read(client, before[1]);
  assert.match(script.content, /echo "second line"/);
  assert.match(script.mimeType, /shellscript/);
  await client.move("next");
  const after = await loaded(client);
  const log = after.find((source) => source.name === "1 Talk _ loud.log");
  const { content, mimeType } = await read(client, log);
  assert.match(content, /first line\nsecond line\n$/);
  assert.equal(mimeType, "text/plain");
});

test("the number of a text holds for the whole session", async (t) => {
  const client = await standing(t, WORKFLOW);
  const [, script] = await loaded(client);
  await client.move("next");
  await client.move("next");
  await client.move("stepBack");
  assert.match((await read(client, script)).content, /first line/);
  const again = (await loaded(client)).find((source) => source.name === script.name);
  assert.equal(again.sourceReference, script.sourceReference);
});

test("a number that was never given is an error", async (t) => {
  const client = await standing(t, WORKFLOW);
  for (const sourceReference of [77, -3, 0]) await client.fails("source", { sourceReference });
  await client.fails("source", { source: { path: "/etc/hostname" }, sourceReference: 0 });
});
