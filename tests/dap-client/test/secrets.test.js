// Secrets: given by a file, used and printed by steps, looked for everywhere, found nowhere.
import assert from "node:assert/strict";
import { test } from "node:test";
import { breakAt, initialized, launched, standing } from "../lib/session.js";

const SECRET = "hunter2-correct-horse";
/** Nobody knows it before a step says so. */
const MASKED_LATER = "later-battery-staple";

const WORKFLOW = `on: push
jobs:
  build:
    runs-on: ubuntu-latest
    env:
      TOKEN: \${{ secrets.TOKEN }}
    steps:
      - name: Print
        id: print
        run: |
          echo "the token is $TOKEN"
          printf '%s' "$TOKEN" | base64
          echo "out=$TOKEN" >> "$GITHUB_OUTPUT"
          echo "COPY=$TOKEN" >> "$GITHUB_ENV"
          printf 'token=%s\\n' "$TOKEN" > token.txt
          later=later-battery
          echo "::add-mask::$later-staple"
          echo "and $later-staple"
          echo "LATER=$later-staple" >> "$GITHUB_ENV"
      - name: Use \${{ secrets.TOKEN }}
        id: use
        if: env.TOKEN != ''
        run: echo "\${{ secrets.TOKEN }}" && exit 3
      - name: Last
        if: always()
        run: echo last
`;

/** Fails if a message from the adapter shows a secret, as it is or encoded. */
function showsNothing(client) {
  const shapes = [SECRET, MASKED_LATER, Buffer.from(SECRET).toString("base64"), encodeURIComponent(SECRET)];
  for (const message of client.transcript.filter((one) => !one.sent)) {
    const text = JSON.stringify(message);
    for (const shape of shapes) assert.ok(!text.includes(shape), `${shape} in ${text.slice(0, 3000)}`);
  }
}

async function start(t, begin = standing) {
  const launch = (repository) => ({ secretFile: repository.beside("secrets", `TOKEN=${SECRET}\n`) });
  return begin(t, WORKFLOW, { launch });
}

test("no message of a whole session shows a secret", async (t) => {
  const client = await start(t);
  await client.must("setExceptionBreakpoints", { filters: ["failed"] });
  await client.everything();
  await client.move("next");
  await client.everything();
  await client.must("setDataBreakpoints", { breakpoints: [{ dataId: "env.COPY" }, { dataId: "steps.print.outputs.out" }] });
  await client.move("stepBack");
  const change = await client.move("continue");
  assert.equal(change.reason, "data breakpoint");
  await client.must("setDataBreakpoints", { breakpoints: [] });
  await breakAt(client, { at: "id: use", logMessage: "log: {secrets.TOKEN} {env.COPY}" });
  assert.equal((await client.move("continue")).reason, "exception");
  await client.must("exceptionInfo", { threadId: 1 });
  await client.everything();
  await client.frames();
  const { sources } = await client.must("loadedSources");
  for (const source of sources.filter((one) => one.sourceReference > 0)) {
    await client.must("source", { source, sourceReference: source.sourceReference });
  }
  await client.must("stepback/timeline");
  await client.must("stepback/diff");
  for (const context of ["watch", "hover", "clipboard", "repl"]) {
    for (const expression of [
      "secrets.TOKEN", "secrets", "env", "env.TOKEN", "env.COPY", "steps", "toJSON(env)", "toJSON(secrets)", "toJSON(steps)",
      "format('{0}', secrets.TOKEN)", "fromJSON(secrets.TOKEN)",
    ]) {
      await client.ask("evaluate", { expression, context });
    }
  }
  for (const command of ["env", "outputs", "log", "log 1", "diff", "list", "why", "when env.COPY", "steps", '! echo "$TOKEN"', "! cat token.txt", "! env"]) {
    await client.ask("evaluate", { expression: command, context: "repl" });
  }
  for (const text of ["secrets.", "env.", "print secrets.T", "steps.print.outputs."]) {
    await client.must("completions", { text, column: text.length + 1 });
  }
  assert.match(client.output(), /the token is \*\*\*/);
  assert.match(client.output(), /log: \*\*\* \*\*\*/);
  showsNothing(client);
});

test("the names of secrets are shown, their values never, and nobody can set one", async (t) => {
  const client = await start(t);
  const secrets = await client.shown("Secrets");
  assert.equal(secrets.TOKEN.value, "***");
  assert.equal(secrets.TOKEN.variablesReference, 0);
  assert.equal(secrets.TOKEN.evaluateName, undefined);
  const { variablesReference } = await client.scope("Secrets");
  await client.fails("setVariable", { variablesReference, name: "TOKEN", value: "x" });
  await client.fails("setExpression", { expression: "secrets.TOKEN", value: "x" });
  assert.equal(await client.value("secrets.TOKEN"), "***");
  showsNothing(client);
});

test("a secret as a name or in a request is not sent back", async (t) => {
  const client = await start(t);
  await client.ask("evaluate", { expression: SECRET, context: "watch" });
  await client.ask("evaluate", { expression: `env.${SECRET}`, context: "watch" });
  await client.ask("evaluate", { expression: `${SECRET}(`, context: "repl" });
  await client.ask("evaluate", { expression: `! echo ${SECRET} > file-${SECRET}`, context: "repl" });
  await client.ask("setExpression", { expression: "env.X", value: SECRET });
  await client.ask("setExpression", { expression: `env.${SECRET}`, value: "1" });
  await client.ask("dataBreakpointInfo", { name: `env.${SECRET}` });
  await client.ask("setDataBreakpoints", { breakpoints: [{ dataId: SECRET }] });
  await client.ask("setFunctionBreakpoints", { breakpoints: [{ name: SECRET, condition: `${SECRET}(` }] });
  await client.ask("setExceptionBreakpoints", { filters: [SECRET] });
  await client.everything();
  await client.must("stepback/timeline");
  await client.ask("setExceptionBreakpoints", { filters: [] });
  await client.move("next");
  await client.everything();
  showsNothing(client);
});

test("launch refuses secrets in the configuration, and does not repeat them", async (t) => {
  const client = await initialized(t, WORKFLOW);
  const { message } = await client.fails("launch", { workflow: client.repository.workflow, secrets: { TOKEN: SECRET } });
  assert.match(message, /secretFile/);
  showsNothing(client);
});

test("a job that runs through shows nothing either", async (t) => {
  const client = await start(t, launched);
  await client.must("setExceptionBreakpoints", { filters: [] });
  await client.must("configurationDone");
  await client.untilStopped();
  await client.must("terminate", {});
  await client.event("terminated");
  assert.match(client.output(), /the token is \*\*\*/);
  showsNothing(client);
});
