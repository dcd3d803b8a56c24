// Expressions, commands, a shell in the step, completion; and ending what takes too long.
import assert from "node:assert/strict";
import { test } from "node:test";
import { launched, standing, workspaceFiles } from "../lib/session.js";

const WORKFLOW = `on: push
env:
  MODE: fast
  ROCKET: 🚀
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - name: Make
        id: make
        run: |
          echo 'list=["a","b"]' >> "$GITHUB_OUTPUT"
          echo "long=$(printf 'x%.0s' $(seq 1 3000))" >> "$GITHUB_OUTPUT"
      - name: Use
        id: use
        env:
          LOCAL: here
        run: echo "shell=$SHELL_SAID" >> "$GITHUB_OUTPUT"
      - name: Last
        run: echo last
`;

async function atUse(t, more) {
  const client = await standing(t, WORKFLOW, more);
  await client.move("next");
  return client;
}

const repl = (client, expression) => client.evaluate(expression, "repl");

test("watch and hover give typed values, and those that have parts can be opened", async (t) => {
  const client = await atUse(t);
  for (const context of ["watch", "hover", "variables", undefined]) {
    assert.deepEqual(await client.evaluate("env.MODE", context), { result: "fast", type: "string", variablesReference: 0 });
    assert.equal((await client.evaluate("${{ success() }}", context)).type, "boolean");
    const steps = await client.evaluate("steps.make", context);
    assert.equal(steps.type, "object");
    const parts = await client.variables(steps.variablesReference);
    assert.deepEqual(parts.map((part) => part.name).sort(), ["conclusion", "outcome", "outputs"]);
  }
  const list = await client.evaluate("fromJSON(steps.make.outputs.list)");
  assert.deepEqual([list.type, list.indexedVariables], ["array", 2]);
});

test("a hover runs no process and no command", async (t) => {
  const client = await atUse(t);
  for (const expression of ["! touch made", "next", "back", "set env.MODE=x"]) {
    const response = await client.ask("evaluate", { expression, context: "hover" });
    if (response.success) assert.equal(response.body.result, "", expression);
  }
  assert.deepEqual(Object.keys(await workspaceFiles(client)), []);
  assert.equal(await client.value("env.MODE"), "fast");
  assert.equal(client.unasked("stopped"), 0);
});

test("a long value is cut where it is shown, and whole where it is copied", async (t) => {
  const client = await atUse(t);
  const shown = await client.evaluate("steps.make.outputs.long", "hover");
  assert.ok(shown.result.length < 1100 && shown.result.endsWith("…"));
  assert.equal(await client.value("steps.make.outputs.long"), "x".repeat(3000));
  assert.deepEqual(JSON.parse(await client.value("steps.make.outputs.list")), ["a", "b"]);
});

test("what is wrong is an error, not a text", async (t) => {
  const client = await atUse(t);
  for (const context of ["watch", "hover", "clipboard", "repl"]) {
    for (const expression of ["env.", "nonsense(", "unknown.x", "fromJSON('{')"]) {
      const error = await client.fails("evaluate", { expression, context });
      assert.ok(error.message.length > 0);
    }
  }
  const { message } = await client.fails("evaluate", { expression: "contineu", context: "repl" });
  assert.match(message, /continue/, "the nearest command is named");
});

test("the console takes commands and expressions", async (t) => {
  const client = await atUse(t);
  assert.equal((await repl(client, "env.MODE")).result, "fast");
  assert.equal((await repl(client, "print steps.make.outcome")).result, "success");
  assert.match((await repl(client, "steps")).result, /Use/);
  assert.match((await repl(client, "help")).result, /continue/);
  assert.match((await repl(client, "timeline")).result, /Make/);
  assert.equal((await repl(client, "")).result, "");
});

test("a shell command runs in the step, writes into the console while it runs, and what it changes is an edit", async (t) => {
  const client = await atUse(t);
  const said = client.begin("evaluate", {
    expression: '! echo "local is $LOCAL"; echo made > made.txt; echo "SHELL_SAID=yes" >> "$GITHUB_ENV"',
    context: "repl",
  });
  await client.untilOutput("local is here");
  assert.equal((await said.answer).success, true);
  await client.event("invalidated");
  assert.equal((await workspaceFiles(client))["made.txt"].text, "made\n");
  const { moments } = await client.must("stepback/timeline");
  assert.ok(moments.some((one) => one.cause?.includes("made.txt")), "the edit is in the timeline");
  await client.move("next");
  assert.equal(await client.value("steps.use.outputs.shell"), "yes");
  await client.move("stepBack");
  assert.equal((await workspaceFiles(client))["made.txt"].text, "made\n");
  await client.move("stepBack");
  assert.deepEqual(Object.keys(await workspaceFiles(client)), []);
});

test("a shell command that fails says so, and one that changes nothing is no edit", async (t) => {
  const client = await atUse(t);
  const before = (await client.must("stepback/timeline")).moments.length;
  assert.match((await repl(client, "! echo nothing; exit 3")).result, /3/);
  assert.equal((await client.must("stepback/timeline")).moments.length, before);
});

test("try leaves no trace", async (t) => {
  const client = await atUse(t);
  await repl(client, "try echo tried > tried.txt; cat tried.txt");
  await client.untilOutput("tried");
  assert.deepEqual(Object.keys(await workspaceFiles(client)), []);
});

test("a running command blocks nothing, shows its output, and can be cancelled", async (t) => {
  const client = await atUse(t);
  const slow = client.begin("evaluate", { expression: '! echo "it has" begun; sleep 100', context: "repl" });
  await client.untilOutput("it has begun\n");
  assert.equal((await client.must("threads")).threads.length, 1);
  assert.equal((await client.top()).name, "2 Use");
  assert.ok((await client.shown("Env")).MODE);
  assert.equal(await client.value("env.MODE"), "fast");
  await client.fails("next", { threadId: 1 });
  await client.must("cancel", { requestId: slow.seq });
  const answer = await slow.answer;
  assert.deepEqual([answer.success, answer.message], [false, "cancelled"]);
  await repl(client, "! true");
  await client.move("next");
});

test("pause ends a running command too", async (t) => {
  const client = await atUse(t);
  const slow = client.begin("evaluate", { expression: '! echo "it has" begun; sleep 100', context: "repl" });
  await client.untilOutput("it has begun\n");
  await client.must("pause", { threadId: 1 });
  assert.equal((await slow.answer).success, true);
});

test("cancelling what is over or was never asked is no error", async (t) => {
  const client = await atUse(t);
  const done = client.begin("evaluate", { expression: "env.MODE", context: "watch" });
  await done.answer;
  await client.must("cancel", { requestId: done.seq });
  await client.must("cancel", { requestId: 99999 });
  await client.must("cancel", { progressId: "none" });
  await client.must("cancel", {});
});

test("answers come in the order in which they are ready: twenty at once", async (t) => {
  const client = await atUse(t);
  const asked = Array.from({ length: 20 }, (_, index) => client.value(`format('{0}', ${index})`));
  assert.deepEqual(await Promise.all(asked), Array.from({ length: 20 }, (_, index) => String(index)));
});

test("commands of the console that move: a client is told that the job goes, and where it stands then", async (t) => {
  const client = await atUse(t);
  await repl(client, "next");
  await client.event("continued");
  assert.equal((await client.untilStopped()).reason, "step");
  for (const [command, line] of [["back", "- name: Use"], ["goto 1", "- name: Make"], ["return", "- name: Last"], ["rc", "- name: Make"]]) {
    await repl(client, command);
    await client.event("continued");
    await client.untilStopped();
    assert.equal((await client.top()).line, client.repository.line(line), command);
  }
  assert.equal(client.unasked("stopped") + client.unasked("continued"), 0);
});

test("a command that goes nowhere: the job stands where it stood, and that is told again", async (t) => {
  const client = await atUse(t);
  await client.fails("evaluate", { expression: "return", context: "repl" });
  await client.event("continued");
  await client.untilStopped();
  assert.equal((await client.top()).name, "2 Use");
});

test("rerun in the console tells one stop", async (t) => {
  const client = await atUse(t);
  await repl(client, "rerun");
  await client.event("continued");
  assert.equal((await client.untilStopped()).reason, "step");
  assert.equal((await client.top()).name, "2 Use");
  assert.equal(client.unasked("stopped") + client.unasked("continued"), 0);
});

test("quit in the console ends the job as terminate does", async (t) => {
  const client = await atUse(t);
  await repl(client, "quit");
  assert.deepEqual(await client.event("exited"), { exitCode: 130 });
  await client.event("terminated");
});

test("completion counts columns in UTF-16 units, and says what it replaces", async (t) => {
  const client = await atUse(t);
  const at = async (text, column, line) => (await client.must("completions", { text, column, line })).targets;
  const labels = (targets) => targets.map((target) => target.label);
  const typed = "env.RO";
  const [rocket] = await at(typed, typed.length + 1);
  assert.match(rocket.label, /ROCKET/);
  assert.equal(typed.slice(0, rocket.start) + rocket.label + typed.slice(rocket.start + rocket.length), "env.ROCKET");
  const wide = "print '🚀' == env.MO";
  const [mode] = await at(wide, wide.length + 1);
  assert.equal(wide.slice(0, mode.start) + mode.label + wide.slice(mode.start + mode.length), "print '🚀' == env.MODE");
  assert.ok(labels(await at("con", 4)).includes("continue"));
  assert.ok(labels(await at("goto ma", 8)).some((label) => label.includes("make")));
  assert.ok(labels(await at("first\nenv.MO", 7, 2)).some((label) => label.endsWith("MODE")));
  await client.must("completions", { text: "", column: 1 });
  await client.must("completions", { text: "env", column: 999 });
});

test("completion for a client that counts from 0", async (t) => {
  const client = await atUse(t, { facts: { columnsStartAt1: false, linesStartAt1: false } });
  const { targets } = await client.must("completions", { text: "env.RO", column: 6, line: 0 });
  assert.match(targets[0].label, /ROCKET/);
  assert.ok(client.capabilities.completionTriggerCharacters.includes("."));
});

test("colours reach only a client that shows them", async (t) => {
  const workflow = WORKFLOW.replace("echo last", String.raw`printf '\033[31mred\033[0m\n'`);
  for (const supportsANSIStyling of [false, true]) {
    const client = await launched(t, workflow, { facts: { supportsANSIStyling } });
    await client.must("configurationDone");
    await client.event("terminated");
    assert.equal(client.output().includes("\u001b[31mred"), supportsANSIStyling);
    assert.ok(client.output().includes("red"));
    assert.equal(client.capabilities.supportsANSIStyling ?? false, supportsANSIStyling);
  }
});
