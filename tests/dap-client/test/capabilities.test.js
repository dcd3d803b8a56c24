// What is announced and what works are the same: every request of the protocol is tried, and so is every feature that has
// a flag and no request of its own.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { test } from "node:test";
import { breakAt, initialized, launched, source, standing } from "../lib/session.js";

const WORKFLOW = `on: push
env:
  MODE: fast
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - name: One
        id: one
        run: echo one
      - name: Two
        continue-on-error: true
        run: exit 2
      - name: Slow
        run: echo "it has" begun; sleep 100
`;

/** The flag that announces a request; null: every adapter serves it. Two have no flag and are not for us. */
const FLAG_OF = {
  initialize: null,
  launch: null,
  attach: null,
  disconnect: null,
  setBreakpoints: null,
  setExceptionBreakpoints: null,
  continue: null,
  next: null,
  stepIn: null,
  stepOut: null,
  pause: null,
  threads: null,
  stackTrace: null,
  scopes: null,
  variables: null,
  source: null,
  evaluate: null,
  cancel: "supportsCancelRequest",
  configurationDone: "supportsConfigurationDoneRequest",
  restart: "supportsRestartRequest",
  terminate: "supportsTerminateRequest",
  breakpointLocations: "supportsBreakpointLocationsRequest",
  setFunctionBreakpoints: "supportsFunctionBreakpoints",
  dataBreakpointInfo: "supportsDataBreakpoints",
  setDataBreakpoints: "supportsDataBreakpoints",
  setInstructionBreakpoints: "supportsInstructionBreakpoints",
  stepBack: "supportsStepBack",
  reverseContinue: "supportsStepBack",
  restartFrame: "supportsRestartFrame",
  goto: "supportsGotoTargetsRequest",
  gotoTargets: "supportsGotoTargetsRequest",
  stepInTargets: "supportsStepInTargetsRequest",
  setVariable: "supportsSetVariable",
  setExpression: "supportsSetExpression",
  terminateThreads: "supportsTerminateThreadsRequest",
  modules: "supportsModulesRequest",
  loadedSources: "supportsLoadedSourcesRequest",
  completions: "supportsCompletionsRequest",
  exceptionInfo: "supportsExceptionInfoRequest",
  readMemory: "supportsReadMemoryRequest",
  writeMemory: "supportsWriteMemoryRequest",
  disassemble: "supportsDisassembleRequest",
  locations: "nothing announces it: it is for references that we do not give out",
  runInTerminal: "an adapter asks this",
  startDebugging: "an adapter asks this",
};

/** The protocol as it is published. */
function protocol() {
  const require = createRequire(import.meta.url);
  const file = path.join(path.dirname(require.resolve("@vscode/debugprotocol")), "debugProtocol.d.ts");
  const text = readFileSync(file, "utf8");
  const [, capabilities] = /interface Capabilities \{([^]*?)\n\t\}/.exec(text);
  const commands = [...text.matchAll(/\/\/ command: '(\w+)';/g)].map((match) => match[1]);
  const members = [...capabilities.matchAll(/^\t\t(\w+)\??:/gm)].map((match) => match[1]);
  return { commands, members };
}

/** Tries every request once, the movements last; the names of those that work. */
async function served(t) {
  const client = await standing(t, WORKFLOW);
  const works = new Set(["initialize", "launch", "configurationDone"]);
  const attempt = async (command, args) => {
    const response = await client.ask(command, args);
    if (response.success) works.add(command);
    else assert.ok(response.body.error.id > 0 && response.message.length > 0, `${command} fails without a reason`);
    return response.body ?? {};
  };
  const move = async (command, args = { threadId: 1 }) => {
    await attempt(command, args);
    if (works.has(command)) await client.untilStopped();
  };
  await client.move("next");
  await attempt("setExceptionBreakpoints", { filters: ["continue-on-error"] });
  await client.move("next");
  const thread = { threadId: 1 };
  const line = client.repository.line("- name: One");
  await attempt("exceptionInfo", thread);
  await attempt("threads");
  const { stackFrames } = await attempt("stackTrace", thread);
  const frameId = stackFrames[0].id;
  const { scopes } = await attempt("scopes", { frameId });
  const { variablesReference } = scopes.find((scope) => scope.name === "Env");
  await attempt("variables", { variablesReference });
  await attempt("evaluate", { expression: "env.MODE" });
  await attempt("completions", { text: "env.", column: 5 });
  await attempt("source", { source: source(client), sourceReference: 0 });
  await attempt("loadedSources");
  await attempt("breakpointLocations", { source: source(client), line });
  await attempt("setBreakpoints", { source: source(client), breakpoints: [] });
  await attempt("setFunctionBreakpoints", { breakpoints: [] });
  const { dataId } = await attempt("dataBreakpointInfo", { name: "env.MODE" });
  await attempt("setDataBreakpoints", { breakpoints: [{ dataId }] });
  await attempt("setInstructionBreakpoints", { breakpoints: [] });
  await attempt("stepInTargets", { frameId });
  const { targets } = await attempt("gotoTargets", { source: source(client), line });
  await attempt("setVariable", { variablesReference, name: "MODE", value: "slow" });
  await attempt("setExpression", { expression: "env.MODE", value: "fast" });
  await attempt("setDataBreakpoints", { breakpoints: [] });
  await attempt("cancel", { requestId: 1 });
  await attempt("modules", {});
  await attempt("readMemory", { memoryReference: "0", count: 1 });
  await attempt("writeMemory", { memoryReference: "0", data: "" });
  await attempt("disassemble", { memoryReference: "0", instructionCount: 1 });
  await attempt("locations", { locationReference: 1 });
  await attempt("runInTerminal", { cwd: "/", args: ["true"] });
  await attempt("startDebugging", { configuration: {}, request: "launch" });
  await move("goto", { threadId: 1, targetId: targets[0].id });
  await move("restartFrame", { frameId: (await client.top()).id });
  await move("stepBack");
  await move("stepIn");
  await move("stepOut");
  await move("reverseContinue");
  await move("reverseContinue");
  await move("restart", {});
  await move("next");
  await move("continue");
  await attempt("continue", thread);
  await client.untilOutput("it has begun");
  await attempt("pause", thread);
  await attempt("terminateThreads", { threadIds: [1] });
  await client.event("terminated");
  await attempt("disconnect", {});
  return { client, works };
}

test("every request of the protocol is known here", () => {
  assert.deepEqual(protocol().commands.toSorted(), Object.keys(FLAG_OF).toSorted());
});

test("the requests that are announced are the requests that work", async (t) => {
  const { client, works } = await served(t);
  // These take another session: one that is told to end, and one that others have started.
  const elsewhere = ["terminate", "attach"];
  const announced = Object.entries(FLAG_OF).filter(([, flag]) => flag === null || client.capabilities[flag] === true);
  const expected = announced.map(([command]) => command).filter((command) => !elsewhere.includes(command));
  assert.deepEqual([...works].toSorted(), expected.toSorted());
});

/** Features that have a flag and no request of their own: what shows that each is there. */
const FEATURES = {
  supportsConditionalBreakpoints: async (client) => {
    const [never] = await breakAt(client, { at: "- name: Two", condition: "false" });
    assert.equal(never.verified, true);
  },
  supportsHitConditionalBreakpoints: async (client) => {
    const [second] = await breakAt(client, { at: "- name: Two", hitCondition: "2" });
    assert.equal(second.verified, true);
  },
  supportsLogPoints: async (client) => {
    await breakAt(client, { at: "- name: Two", logMessage: "log of {env.MODE}" });
    await client.move("next");
    await client.untilOutput("log of fast");
  },
  supportsEvaluateForHovers: async (client) => {
    assert.equal((await client.evaluate("env.MODE", "hover")).result, "fast");
  },
  supportsClipboardContext: async (client) => {
    assert.equal((await client.evaluate("env.MODE", "clipboard")).result, "fast");
  },
  exceptionBreakpointFilters: async (client) => {
    const filters = client.capabilities.exceptionBreakpointFilters.map((filter) => filter.filter);
    const { breakpoints } = await client.must("setExceptionBreakpoints", { filters });
    assert.ok(breakpoints.every((breakpoint) => breakpoint.verified));
  },
  supportsExceptionFilterOptions: async (client) => {
    const filterOptions = [{ filterId: "failed", condition: "true" }];
    const { breakpoints } = await client.must("setExceptionBreakpoints", { filters: [], filterOptions });
    assert.deepEqual(breakpoints.map((breakpoint) => breakpoint.verified), [true]);
  },
  completionTriggerCharacters: async (client) => {
    const { targets } = await client.must("completions", { text: "env.", column: 5 });
    assert.ok(client.capabilities.completionTriggerCharacters.includes(".") && targets.length > 0);
  },
  supportsDelayedStackTraceLoading: async (client) => {
    const { stackFrames, totalFrames } = await client.must("stackTrace", { threadId: 1, startFrame: 0, levels: 1 });
    assert.ok(stackFrames.length === 1 && totalFrames > 1);
  },
  supportsSteppingGranularity: async (client) => {
    assert.equal((await client.move("next", { threadId: 1, granularity: "statement" })).reason, "step");
  },
  supportsANSIStyling: async (client) => {
    assert.equal((await client.evaluate("help", "repl")).result.length > 0, true);
  },
  supportTerminateDebuggee: async (client) => {
    await client.must("disconnect", { terminateDebuggee: true });
    assert.equal(await client.exited, 130);
  },
};

test("every flag that is announced has a request or a feature behind it", async (t) => {
  const client = await initialized(t, WORKFLOW, { facts: { supportsANSIStyling: true } });
  const known = [...protocol().members, "supportsANSIStyling", "stepback"];
  const announced = Object.keys(client.capabilities);
  assert.deepEqual(announced.filter((flag) => !known.includes(flag)), [], "flags that are not in the protocol");
  const requests = Object.values(FLAG_OF).filter((flag) => client.capabilities[flag] === true);
  const behind = [...new Set(requests), ...Object.keys(FEATURES), "stepback"];
  assert.deepEqual(announced.toSorted(), behind.toSorted());
});

for (const [flag, works] of Object.entries(FEATURES)) {
  test(`${flag} is true`, async (t) => {
    const client = await standing(t, WORKFLOW, { facts: { supportsANSIStyling: true } });
    assert.ok(client.capabilities[flag]);
    await works(client);
  });
}

test("what is not announced is refused: leaving a job suspended where nobody can come back", async (t) => {
  const client = await launched(t, WORKFLOW);
  assert.equal(client.capabilities.supportSuspendDebuggee, undefined);
  await client.must("configurationDone");
  await client.untilOutput("it has begun");
  await client.fails("disconnect", { suspendDebuggee: true });
  await client.must("threads");
});

test("terminate works", async (t) => {
  const client = await standing(t, WORKFLOW.replace("sleep 100", "true"));
  await client.must("terminate");
  assert.deepEqual(await client.event("exited"), { exitCode: 130 });
});
