// A whole session in one call: repository, adapter, handshake; and its end in any case.
import assert from "node:assert/strict";
import { Client } from "./client.js";
import { Repository, filesIn } from "./repository.js";

/** What an editor with everything says of itself. */
export const FULL_CLIENT = {
  clientID: "test",
  clientName: "Test",
  adapterID: "stepback",
  locale: "en",
  pathFormat: "path",
  linesStartAt1: true,
  columnsStartAt1: true,
  supportsVariableType: true,
  supportsVariablePaging: true,
  supportsInvalidatedEvent: true,
  supportsProgressReporting: true,
};

/** An adapter for a workflow, with nothing said yet. It is ended and its folder removed when the test is over. */
export async function adapter(t, workflow, files) {
  const repository = new Repository(workflow, files);
  const client = new Client({ cwd: repository.root, env: repository.env });
  client.repository = repository;
  t.after(async () => {
    await client.close();
    repository.remove();
    wellFormed(client);
  });
  await client.start();
  return client;
}

/** An adapter that was told who asks. */
export async function initialized(t, workflow, { files, facts } = {}) {
  const client = await adapter(t, workflow, files);
  client.capabilities = await client.must("initialize", { ...FULL_CLIENT, ...facts });
  return client;
}

/** A job that waits for breakpoints. */
export async function launched(t, workflow, { launch, ...more } = {}) {
  const client = await initialized(t, workflow, more);
  const members = typeof launch === "function" ? launch(client.repository) : launch;
  await client.must("launch", { workflow: client.repository.workflow, job: "build", ...members });
  await client.event("initialized");
  return client;
}

/** A job that stands before its first step. */
export async function standing(t, workflow, { launch, ...more } = {}) {
  const members = (repository) => (typeof launch === "function" ? launch(repository) : launch);
  const client = await launched(t, workflow, {
    launch: (repository) => ({ stopOnEntry: true, ...members(repository) }),
    ...more,
  });
  await client.must("configurationDone");
  const stop = await client.untilStopped();
  assert.equal(stop.reason, "entry");
  return client;
}

export function source(client) {
  return { path: client.repository.workflow };
}

/** Sets line breakpoints by the texts of their lines; a number is a line. */
export async function breakAt(client, ...places) {
  const breakpoints = places.map((place) => {
    const { at, ...more } = typeof place === "object" ? place : { at: place };
    return { line: typeof at === "number" ? at : client.repository.line(at), ...more };
  });
  return (await client.must("setBreakpoints", { source: source(client), breakpoints })).breakpoints;
}

/** The files of the job's workspace. */
export async function workspaceFiles(client) {
  return filesIn(await client.value("github.workspace"));
}

/** Where the job is, and everything that can be seen and touched there. */
export async function moment(client) {
  const { line, name } = await client.top();
  return { line, name, variables: await client.everything(), files: await workspaceFiles(client) };
}

/** What holds of every conversation: messages are numbered, every request is answered once, nothing is null, and nothing is
 * said before the client was greeted. */
export function wellFormed(client) {
  const theirs = client.transcript.filter((message) => !message.sent);
  theirs.forEach((message, index) => assert.equal(message.seq, index + 1, "the numbering of messages"));
  // 0 answers what had no number.
  const answered = theirs.filter((message) => message.type === "response" && message.request_seq > 0).map((message) => message.request_seq);
  assert.equal(new Set(answered).size, answered.length, "a request was answered twice");
  // The protocol wants a null there, and nowhere else in what we send.
  const mayBeNull = "dataId";
  const hasNull = (value) =>
    value === null ||
    (typeof value === "object" && Object.entries(value).some(([name, inner]) => name !== mayBeNull && hasNull(inner)));
  theirs.forEach((message) => assert.ok(!hasNull(message), `a null in ${JSON.stringify(message)}`));
  const greeting = theirs.findIndex((message) => message.command === "initialize" && message.success);
  const early = theirs.findIndex((message) => message.type === "event");
  assert.ok(early < 0 || greeting < early, "an event before the answer to initialize");
}
