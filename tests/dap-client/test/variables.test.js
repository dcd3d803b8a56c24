// Looking and changing: threads, frames, scopes, variables; numbers that end with their stop.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FULL_CLIENT, breakAt, standing } from "../lib/session.js";

const WORKFLOW = `on: push
env:
  MODE: fast
  odd-name: it's odd
jobs:
  build:
    name: Build it
    runs-on: ubuntu-latest
    strategy:
      matrix:
        os: [linux]
        size: [1]
    steps:
      - name: Make
        id: make
        run: |
          for n in $(seq 1 30); do echo "v$n=$n" >> "$GITHUB_OUTPUT"; done
          echo 'list=["a","b","c","d"]' >> "$GITHUB_OUTPUT"
          echo made > made.txt
      - name: Use
        id: use
        if: steps.make.outputs.v1 == '1'
        env:
          LOCAL: \${{ steps.make.outputs.v2 }}
        run: echo "seen=$MODE" >> "$GITHUB_OUTPUT"; echo "$MODE" >> made.txt
      - name: Last
        run: test "\${{ steps.make.outputs.v1 }}" = 1
`;

async function atUse(t, more) {
  const client = await standing(t, WORKFLOW, more);
  await client.move("next");
  return client;
}

test("a thread, the step's frame above the job's, and parts of the stack", async (t) => {
  const client = await atUse(t);
  const { threads } = await client.must("threads");
  assert.equal(threads.length, 1);
  assert.match(threads[0].name, /Build it/);
  const all = await client.must("stackTrace", { threadId: 1 });
  assert.equal(all.totalFrames, 2);
  assert.deepEqual(all.stackFrames.map((frame) => frame.line), [client.repository.line("- name: Use"), client.repository.line("build:")]);
  assert.equal(all.stackFrames[0].name, "2 Use");
  assert.equal(all.stackFrames[1].presentationHint, "subtle");
  assert.ok(all.stackFrames.every((frame) => frame.column === 1 && frame.source.path === client.repository.workflow));
  const part = async (args) => (await client.must("stackTrace", { threadId: 1, ...args })).stackFrames.map((frame) => frame.id);
  const ids = all.stackFrames.map((frame) => frame.id);
  assert.deepEqual(await part({ startFrame: 1, levels: 20 }), ids.slice(1));
  assert.deepEqual(await part({ startFrame: 0, levels: 1 }), ids.slice(0, 1));
  assert.deepEqual(await part({ startFrame: 9 }), []);
  assert.deepEqual(await part({ levels: 0 }), ids);
});

test("scopes: the step, every context, secrets, changes, functions; the costly ones are marked", async (t) => {
  const client = await atUse(t);
  const scopes = await client.scopes();
  const names = ["Step", "GitHub", "Env", "Job", "Steps", "Runner", "Inputs", "Vars", "Matrix", "Strategy", "Needs", "Secrets", "Changes", "Functions"];
  assert.deepEqual(scopes.map((scope) => scope.name), names);
  assert.deepEqual(scopes.filter((scope) => scope.expensive).map((scope) => scope.name), ["GitHub", "Changes"]);
  const references = scopes.map((scope) => scope.variablesReference);
  assert.equal(new Set(references).size, references.length);
  assert.ok(references.every((reference) => reference > 0 && reference < 2 ** 31));
});

test("the step as the workflow has it, and what became of it", async (t) => {
  const client = await atUse(t);
  const step = await client.shown("Step");
  assert.equal(step.name.value, "Use");
  assert.equal(step.id.value, "use");
  assert.match(step.if.value, /steps\.make\.outputs\.v1 == '1'/);
  assert.match(step.run.value, /seen=/);
  assert.equal((await client.shown("Functions"))["success()"].value, "true");
  assert.equal((await client.shown("Matrix")).os.value, "linux");
  const changes = await client.shown("Changes");
  assert.match(changes["made.txt"].value, /^created\n[^]*\+made/);
});

test("long lists come in parts, named and indexed, and parts make the whole", async (t) => {
  const client = await atUse(t);
  const steps = await client.shown("Steps");
  const make = Object.fromEntries((await client.variables(steps.make.variablesReference)).map((one) => [one.name, one]));
  const { variablesReference, namedVariables } = make.outputs;
  assert.equal(namedVariables, 31);
  const all = await client.variables(variablesReference);
  assert.equal(all.length, 31);
  const parts = [];
  for (let start = 0; start < 40; start += 10) {
    parts.push(...(await client.variables(variablesReference, { filter: "named", start, count: 10 })));
  }
  assert.deepEqual(parts, all);
  assert.deepEqual(await client.variables(variablesReference, { filter: "indexed" }), []);
  const list = await client.evaluate("fromJSON(steps.make.outputs.list)");
  assert.equal(list.indexedVariables, 4);
  const middle = await client.variables(list.variablesReference, { filter: "indexed", start: 1, count: 2 });
  assert.deepEqual(middle.map((one) => [one.name, one.value]), [["1", "b"], ["2", "c"]]);
});

test("an evaluateName leads to the same value, wherever it is shown", async (t) => {
  const client = await atUse(t);
  let checked = 0;
  const walk = async (reference, depth) => {
    for (const variable of await client.variables(reference)) {
      if (variable.evaluateName) {
        const again = await client.evaluate(variable.evaluateName);
        assert.equal(again.result, variable.value, variable.evaluateName);
        assert.equal(again.type, variable.type);
        checked += 1;
      }
      if (variable.variablesReference > 0 && depth < 2) await walk(variable.variablesReference, depth + 1);
    }
  };
  for (const name of ["Env", "Steps", "Job", "Matrix", "Functions", "Runner"]) {
    await walk((await client.scope(name)).variablesReference, 0);
  }
  assert.ok(checked > 40, `only ${checked}`);
  assert.equal((await client.shown("Env"))["odd-name"].value, "it's odd");
});

test("numbers of an earlier stop are errors, never another stop's data", async (t) => {
  const client = await atUse(t);
  const frame = await client.top();
  const { variablesReference } = await client.scope("Env");
  await client.move("stepBack");
  await client.fails("scopes", { frameId: frame.id });
  await client.fails("variables", { variablesReference });
  await client.fails("evaluate", { expression: "env.MODE", context: "watch", frameId: frame.id });
  await client.fails("setVariable", { variablesReference, name: "MODE", value: "x" });
  const again = await client.top();
  assert.notEqual(again.id, frame.id);
  for (const wrong of [0, -1, 999999]) await client.fails("variables", { variablesReference: wrong });
});

test("setVariable answers the value as it is now, tells that views are old, and the step sees it", async (t) => {
  const client = await atUse(t);
  const { variablesReference } = await client.scope("Env");
  client.forget("invalidated");
  const answer = await client.must("setVariable", { variablesReference, name: "MODE", value: "slow" });
  assert.equal(answer.value, "slow");
  assert.deepEqual((await client.event("invalidated")).areas, ["variables"]);
  assert.equal((await client.variables(variablesReference)).find((one) => one.name === "MODE").value, "slow");
  await client.move("next");
  assert.equal(await client.value("steps.use.outputs.seen"), "slow");
  await client.move("stepBack");
  assert.equal(await client.value("env.MODE"), "slow", "the edit belongs to the moment");
  const { moments } = await client.must("stepback/timeline");
  assert.ok(moments.some((one) => /MODE/.test(one.cause ?? "")), "an edit is in the timeline");
});

test("setExpression: outputs, outcomes, inputs of conditions; what cannot be set says so", async (t) => {
  const client = await atUse(t);
  const set = await client.must("setExpression", { expression: "steps.make.outputs.v1", value: "2" });
  assert.equal(set.value, "2");
  await client.event("invalidated");
  await client.must("setExpression", { expression: "steps.make.outcome", value: "failure" });
  assert.equal(await client.value("steps.make.outcome"), "failure");
  await client.must("setExpression", { expression: "env['odd-name']", value: "even" });
  assert.equal(await client.value("env['odd-name']"), "even");
  for (const expression of ["github.sha", "1 + 1", "matrix.os", "secrets.X", ""]) {
    await client.fails("setExpression", { expression, value: "x" });
  }
  await client.fails("setExpression", { expression: "steps.make.outcome", value: "perhaps" });
  const { variablesReference } = await client.scope("Functions");
  await client.fails("setVariable", { variablesReference, name: "success()", value: "false" });
});

test("the outcome of a step that has run can be set where it is shown", async (t) => {
  const client = await atUse(t);
  const steps = await client.shown("Steps");
  const answer = await client.must("setVariable", {
    variablesReference: steps.make.variablesReference,
    name: "outcome",
    value: "failure",
  });
  assert.equal(answer.value, "failure");
});

test("what cannot be set is marked as read-only", async (t) => {
  const client = await atUse(t);
  const isReadOnly = (variable) => variable.presentationHint?.attributes?.includes("readOnly") ?? false;
  assert.equal(isReadOnly((await client.shown("Env")).MODE), false);
  assert.equal(isReadOnly((await client.shown("GitHub")).sha), true);
  assert.equal(isReadOnly((await client.shown("Matrix")).os), true);
  assert.equal(isReadOnly((await client.shown("Step")).name), true);
});

test("a client that knows no invalidated event gets none", async (t) => {
  const client = await atUse(t, { facts: { supportsInvalidatedEvent: false } });
  assert.equal(FULL_CLIENT.supportsInvalidatedEvent, true);
  await client.must("setExpression", { expression: "env.MODE", value: "slow" });
  await breakAt(client, "- name: Last");
  await client.move("continue");
  assert.equal(client.all("invalidated").length, 0);
});
