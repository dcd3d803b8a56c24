// What no client should send: an answer to everything that has a number, and the conversation goes on.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isFailure } from "../lib/client.js";
import { FULL_CLIENT, adapter, initialized, launched, standing } from "../lib/session.js";

const WORKFLOW = `on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - name: One
        run: echo one
`;

test("nothing but initialize is served first, and initialize once", async (t) => {
  const client = await adapter(t, WORKFLOW);
  for (const command of ["launch", "threads", "setBreakpoints", "evaluate", "configurationDone", "stepback/timeline"]) {
    await client.fails(command, {});
  }
  await client.must("initialize", FULL_CLIENT);
  await client.fails("initialize", FULL_CLIENT);
  await client.must("launch", { workflow: client.repository.workflow });
});

test("a disconnect is served at any time", async (t) => {
  const client = await adapter(t, WORKFLOW);
  await client.must("disconnect");
  assert.equal(await client.exited, 0);
});

test("what needs a job says that there is none", async (t) => {
  const client = await initialized(t, WORKFLOW);
  const line = { source: { path: client.repository.workflow }, line: 6, column: 1 };
  for (const [command, args] of [
    ["configurationDone"], ["threads"], ["stackTrace", { threadId: 1 }], ["continue", { threadId: 1 }],
    ["stepBack", { threadId: 1 }], ["terminate"], ["restart"], ["evaluate", { expression: "1" }], ["stepback/timeline"],
    ["loadedSources"], ["gotoTargets", line], ["pause", { threadId: 1 }], ["exceptionInfo", { threadId: 1 }],
  ]) {
    await client.fails(command, args);
  }
  await client.must("launch", { workflow: client.repository.workflow });
});

test("a launch that cannot be is refused with its reason, and another one may follow", async (t) => {
  const client = await initialized(t, WORKFLOW);
  const { workflow } = client.repository;
  for (const [args, reason] of [
    [{ workflow: `${workflow}.none` }, /none/],
    [{ workflow, job: "biuld" }, /biuld/],
    [{ workflow, job: 7 }, /configuration/],
    [{ workflow, inputs: [] }, /configuration/],
    [{ workflow, secretFile: "/nowhere/at/all" }, /nowhere/],
  ]) {
    const error = await client.fails("launch", args);
    assert.match(error.message, reason);
    assert.equal(error.showUser, true);
  }
  await client.must("launch", { workflow, job: "build" });
  await client.event("initialized");
  await client.fails("launch", { workflow, job: "build" });
  await client.fails("attach", {});
});

test("attach where there is no job is refused", async (t) => {
  const client = await initialized(t, WORKFLOW);
  const error = await client.fails("attach", {});
  assert.match(error.message, /--listen/);
  await client.fails("attach", { recording: "nothing" });
});

test("unknown commands are errors with their own name", async (t) => {
  const client = await standing(t, WORKFLOW);
  for (const command of ["unknownFoo", "", "INITIALIZE", "continued", "🚀"]) {
    const response = await client.ask(command, { any: "thing" });
    assert.equal(response.success, false);
    assert.equal(response.command, command);
  }
  assert.equal((await client.top()).name, "1 One");
});

test("arguments of another type are errors that repeat no value", async (t) => {
  const client = await standing(t, WORKFLOW);
  const wrong = [
    ["stackTrace", { threadId: "hunter2" }],
    ["stackTrace", {}],
    ["scopes", { frameId: 1.5 }],
    ["variables", { variablesReference: null }],
    ["setBreakpoints", { source: "hunter2" }],
    ["setBreakpoints", { source: {}, breakpoints: [{ line: "hunter2" }] }],
    ["setFunctionBreakpoints", { breakpoints: {} }],
    ["setExceptionBreakpoints", { filters: "hunter2" }],
    ["evaluate", { expression: ["hunter2"] }],
    ["completions", { text: "x" }],
    ["goto", { threadId: 1 }],
    ["setVariable", { variablesReference: 1, name: "x" }],
    ["source", {}],
    ["cancel", { requestId: "hunter2" }],
    ["stepback/goto", { moment: "hunter2" }],
    ["stepback/diff", { from: -1, to: 2 }],
  ];
  for (const [command, args] of wrong) {
    const error = await client.fails(command, args);
    assert.ok(!error.message.includes("hunter2"), error.message);
  }
  for (const args of [7, "hunter2", [1], true]) {
    isFailure(await client.raw({ command: "evaluate", arguments: args }), "evaluate");
  }
  assert.equal((await client.top()).name, "1 One");
});

test("absent, null and empty arguments are the same for every request that needs none", async (t) => {
  const client = await standing(t, WORKFLOW);
  for (const command of ["threads", "loadedSources", "stepback/timeline", "cancel"]) {
    for (const more of [{}, { arguments: null }, { arguments: {} }]) {
      assert.equal((await client.raw({ command, ...more })).success, true, `${command} ${JSON.stringify(more)}`);
    }
  }
});

test("members that nobody knows are passed over", async (t) => {
  const client = await launched(t, WORKFLOW, { launch: { __sessionId: "x", preLaunchTask: 7, presentation: {} } });
  await client.must("setExceptionBreakpoints", { filters: [], colour: "blue" });
  await client.must("configurationDone", { really: true });
  assert.deepEqual(await client.event("exited"), { exitCode: 0 });
});

test("a body that is no message is answered if it has a number, and the stream goes on", async (t) => {
  const client = await standing(t, WORKFLOW);
  const write = (json) => client.outputStream.write(`Content-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`);
  for (const json of ["[]", "7", "null", "{}", "{", '{"seq":"x","type":"request"}', '{"seq":1,"type":"event"}']) write(json);
  assert.equal((await client.must("threads")).threads.length, 1);
  const { success } = await client.raw({ command: 7 });
  assert.equal(success, false);
  const response = await client.raw({ type: "request" });
  assert.equal(response.success, false);
});

test("a frame that is none ends the connection, and the job with it", async (t) => {
  const client = await standing(t, WORKFLOW);
  client.outputStream.write("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}");
  assert.equal(typeof (await client.exited), "number");
});

test("a request in pieces of one byte is one request", async (t) => {
  const client = await standing(t, WORKFLOW);
  const seq = client.sequence++;
  const json = JSON.stringify({ seq, type: "request", command: "threads" });
  const answer = new Promise((resolve) => client.pendingRequests.set(seq, resolve));
  for (const byte of Buffer.from(`content-length: ${json.length}\r\n\r\n${json}`)) client.outputStream.write(Buffer.of(byte));
  assert.equal((await answer).success, true);
});
