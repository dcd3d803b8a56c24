// How editors begin: each in its own order, with its own idea of what missing arguments look like.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FULL_CLIENT, adapter, initialized, launched, source, standing } from "../lib/session.js";

const WORKFLOW = `on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - name: One
        run: echo one
      - name: Two
        run: echo two
`;

/** Waits until the job has run to its successful end. */
async function runsToTheEnd(client) {
  assert.deepEqual(await client.event("exited"), { exitCode: 0 });
  await client.event("terminated");
}

test("as VS Code: launch at once, then the configuration, requests without arguments", async (t) => {
  const client = await adapter(t, WORKFLOW);
  const workflow = client.repository.workflow;
  await client.must("initialize", FULL_CLIENT);
  const launch = client.ask("launch", { type: "stepback", name: "Debug", request: "launch", workflow, job: "build" });
  await client.event("initialized");
  const line = client.repository.line("- name: Two");
  const { breakpoints } = await client.must("setBreakpoints", {
    source: { name: "ci.yml", path: workflow },
    lines: [line],
    breakpoints: [{ line }],
    sourceModified: false,
  });
  assert.equal(breakpoints[0].verified, true);
  await client.must("setFunctionBreakpoints", { breakpoints: [] });
  await client.must("setDataBreakpoints", { breakpoints: [] });
  await client.must("setExceptionBreakpoints", { filters: ["failed"], filterOptions: [] });
  await client.must("configurationDone");
  assert.equal((await launch).success, true);
  assert.equal((await client.untilStopped()).reason, "breakpoint");
  const threads = [client.must("threads"), client.must("threads")];
  for (const answer of await Promise.all(threads)) assert.deepEqual(answer.threads, [{ id: 1, name: "build" }]);
  const { stackFrames } = await client.must("stackTrace", { threadId: 1, startFrame: 0, levels: 20 });
  assert.equal(stackFrames[0].line, line);
  await client.must("continue", { threadId: 1 });
  await runsToTheEnd(client);
  await client.must("disconnect", { restart: false, terminateDebuggee: false });
  assert.equal(await client.exited, 0);
});

test("as nvim-dap: members in another case, deprecated lines, no arguments member", async (t) => {
  const client = await adapter(t, WORKFLOW);
  const workflow = client.repository.workflow;
  await client.must("initialize", {
    clientId: "neovim",
    clientname: "neovim",
    adapterID: "nvim-dap",
    pathFormat: "path",
    columnsStartAt1: true,
    linesStartAt1: true,
    supportsRunInTerminalRequest: true,
    locale: "en_US",
  });
  const launch = client.ask("launch", { type: "stepback", request: "launch", name: "Debug", workflow });
  await client.event("initialized");
  const line = client.repository.line("run: echo two");
  await client.must("setBreakpoints", { source: { path: workflow, name: "ci.yml" }, breakpoints: [{ line }], lines: [line] });
  await client.must("setExceptionBreakpoints", { filters: ["failed"] });
  assert.equal((await client.raw({ command: "configurationDone" })).success, true);
  assert.equal((await launch).success, true);
  await client.untilStopped();
  assert.equal((await client.raw({ command: "threads" })).body.threads.length, 1);
  await client.must("continue", { threadId: 1 });
  await runsToTheEnd(client);
});

test("as Helix: missing arguments are null", async (t) => {
  const client = await adapter(t, WORKFLOW);
  await client.must("initialize", { clientID: "hx", clientName: "helix", adapterID: "stepback", linesStartAt1: true });
  const launch = client.ask("launch", { workflow: client.repository.workflow, stopOnEntry: true });
  await client.event("initialized");
  assert.equal((await client.raw({ command: "configurationDone", arguments: null })).success, true);
  assert.equal((await launch).success, true);
  await client.untilStopped();
  assert.equal((await client.raw({ command: "threads", arguments: null })).body.threads.length, 1);
  assert.equal((await client.raw({ command: "loadedSources", arguments: null })).success, true);
  await client.must("continue", { threadId: 1 });
  await runsToTheEnd(client);
});

test("the configuration may come before launch is answered, or after", async (t) => {
  const client = await launched(t, WORKFLOW);
  await client.must("setBreakpoints", { source: source(client), breakpoints: [{ line: client.repository.line("One") }] });
  await client.must("configurationDone", {});
  assert.equal((await client.untilStopped()).reason, "breakpoint");
});

test("stopOnEntry stands before the first step, and says so once", async (t) => {
  const client = await standing(t, WORKFLOW);
  assert.equal((await client.top()).line, client.repository.line("- name: One"));
  const process = await client.event("process");
  assert.equal(process.name, "build");
  assert.equal(process.startMethod, "launch");
  assert.equal(client.all("stopped").length, 1);
});

test("without stopOnEntry the job runs, and the first step's breakpoint counts", async (t) => {
  const client = await launched(t, WORKFLOW);
  await client.must("configurationDone");
  await runsToTheEnd(client);
  assert.equal(client.all("stopped").length, 0);
  assert.equal(client.all("continued").length, 0);
});

test("noDebug runs past breakpoints and failures", async (t) => {
  const client = await launched(t, WORKFLOW.replace("echo one", "exit 3"), { launch: { noDebug: true } });
  await client.must("setBreakpoints", { source: source(client), breakpoints: [{ line: client.repository.line("One") }] });
  await client.must("configurationDone");
  assert.deepEqual(await client.event("exited"), { exitCode: 1 });
  await client.event("terminated");
  assert.equal(client.all("stopped").length, 0);
});

test("a client that counts from 0 and writes URIs gets what it understands", async (t) => {
  const facts = { linesStartAt1: false, columnsStartAt1: false, pathFormat: "uri" };
  const client = await launched(t, WORKFLOW, { facts });
  const path = new URL(`file://${client.repository.workflow}`).href;
  const line = client.repository.line("- name: Two") - 1;
  const { breakpoints } = await client.must("setBreakpoints", { source: { path }, breakpoints: [{ line }] });
  assert.equal(breakpoints[0].line, line);
  await client.must("configurationDone");
  await client.untilStopped();
  const frame = await client.top();
  assert.deepEqual([frame.line, frame.column, frame.source.path], [line, 0, path]);
});

test("an adapter whose client goes without a word ends with its job", async (t) => {
  const client = await standing(t, WORKFLOW);
  client._adapterProcess.stdin.end();
  assert.equal(typeof (await client.exited), "number");
});

test("an initialized adapter whose client goes ends too", async (t) => {
  const client = await initialized(t, WORKFLOW);
  client._adapterProcess.stdin.end();
  assert.equal(await client.exited, 0);
});
