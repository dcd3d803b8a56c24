// Data breakpoints: which step changed a variable, an output, the status or a file; forwards and backwards.
import assert from "node:assert/strict";
import { test } from "node:test";
import { standing } from "../lib/session.js";

const WORKFLOW = `on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - name: One
        id: one
        run: echo "A=1" >> "$GITHUB_ENV"
      - name: Two
        id: two
        run: |
          echo "out=x" >> "$GITHUB_OUTPUT"
          mkdir -p src && echo a > src/a.txt
      - name: Three
        id: three
        run: echo "A=2" >> "$GITHUB_ENV"
      - name: Four
        continue-on-error: true
        run: echo b > src/a.txt; exit 1
      - name: Five
        run: exit 1
      - name: Six
        if: always()
        run: echo six
`;

async function watch(client, ...names) {
  const breakpoints = [];
  for (const entry of names) {
    const { name, ...more } = typeof entry === "string" ? { name: entry } : entry;
    const info = await client.must("dataBreakpointInfo", { name });
    assert.ok(info.dataId, `no data id for ${name}`);
    assert.deepEqual(info.accessTypes, ["write"]);
    assert.equal(info.canPersist, true);
    assert.ok(info.description.length > 0);
    breakpoints.push({ dataId: info.dataId, accessType: "write", ...more });
  }
  const answer = await client.must("setDataBreakpoints", { breakpoints });
  assert.deepEqual(answer.breakpoints.map((breakpoint) => breakpoint.verified), names.map(() => true));
  return answer.breakpoints;
}

/** Stops that a continue leads to, by the names of the steps after which they are. */
async function after(client, command, name) {
  const stop = await client.move(command);
  assert.equal(stop.reason, "data breakpoint", JSON.stringify(stop));
  assert.match(stop.description, new RegExp(`${name}$`));
  return stop;
}

const start = async (t) => {
  const client = await standing(t, WORKFLOW);
  await client.must("setExceptionBreakpoints", { filters: [] });
  return client;
};

test("a variable: each change stops after the step that made it, forwards and backwards", async (t) => {
  const client = await start(t);
  const [breakpoint] = await watch(client, "env.A");
  const first = await after(client, "continue", "One");
  assert.match(first.text, /env\.A/);
  assert.deepEqual(first.hitBreakpointIds, [breakpoint.id]);
  const second = await after(client, "continue", "Three");
  assert.match(second.text, /1 → 2/);
  await client.must("setDataBreakpoints", { breakpoints: [] });
  assert.match((await client.move("continue")).description, /failed/);
  await watch(client, "env.A");
  await after(client, "reverseContinue", "Three");
  assert.equal(await client.value("env.A"), "2");
  await after(client, "reverseContinue", "One");
  assert.equal(await client.value("env.A"), "1");
  assert.match((await client.move("reverseContinue")).description, /start/i);
});

test("an output, the status of the job, and files by a pattern", async (t) => {
  const client = await start(t);
  await watch(client, "steps.two.outputs.out", "job.status", "file:src/**");
  await after(client, "continue", "Two");
  await after(client, "continue", "Four");
  const status = await after(client, "continue", "Five");
  assert.match(status.text, /job\.status: success → failure/);
  assert.match((await client.move("continue")).description, /failed/);
  await after(client, "reverseContinue", "Five");
  const file = await after(client, "reverseContinue", "Four");
  assert.match(file.text, /src\/a\.txt/);
  await after(client, "reverseContinue", "Two");
});

test("conditions and hit counts hold for changes too", async (t) => {
  const client = await start(t);
  await watch(client, { name: "env.A", hitCondition: "2" });
  await after(client, "continue", "Three");
  await client.move("reverseContinue");
  await watch(client, { name: "env.A", condition: "env.A == '2'" });
  await after(client, "continue", "Three");
});

test("a variable that is shown can be watched by its place", async (t) => {
  const client = await start(t);
  await client.move("next");
  const { variablesReference } = await client.scope("Env");
  const info = await client.must("dataBreakpointInfo", { variablesReference, name: "A" });
  assert.equal(info.dataId, "env.A");
  const outputs = (await client.shown("Steps")).one;
  const inner = await client.must("dataBreakpointInfo", { variablesReference: outputs.variablesReference, name: "outcome" });
  assert.equal(inner.dataId, "steps.one.outcome");
});

test("what has no history is told with the reason, and not as an error", async (t) => {
  const client = await start(t);
  for (const name of ["github.sha", "1 + 1", "nonsense"]) {
    const info = await client.must("dataBreakpointInfo", { name });
    assert.equal(info.dataId, null);
    assert.ok(info.description.length > 0);
  }
  const { variablesReference } = await client.scope("Secrets");
  assert.equal((await client.must("dataBreakpointInfo", { variablesReference, name: "X" })).dataId, null);
  const wrong = await client.must("setDataBreakpoints", { breakpoints: [{ dataId: "nonsense" }, { dataId: "env.A" }] });
  assert.deepEqual(wrong.breakpoints.map((breakpoint) => breakpoint.verified), [false, true]);
});
