// A debugger that listens: on a socket, and on a port with a token. Clients come and go; the job stays.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { Client, binary, watchOver, within } from "../lib/client.js";
import { Repository } from "../lib/repository.js";
import { FULL_CLIENT, breakAt, moment, wellFormed } from "../lib/session.js";

const WORKFLOW = `on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - name: One
        id: one
        run: echo one > log; echo "N=1" >> "$GITHUB_ENV"
      - name: Two
        run: echo two >> log
      - name: Three
        run: echo three >> log
`;

const TRANSPORTS = {
  socket: (repository) => path.join(repository.folder("run"), "job.sock"),
  port: () => "127.0.0.1:0",
};

/** A job that waits for clients. */
async function waiting(t, transport, workflow = WORKFLOW) {
  const repository = new Repository(workflow);
  const asked = TRANSPORTS[transport](repository);
  const child = spawn(binary(), ["debug", "--job", "build", `--listen=${asked}`], {
    cwd: repository.root,
    env: repository.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const job = { repository, exited: watchOver(child), said: "", clients: [] };
  t.after(async () => {
    for (const client of job.clients) await client.close();
    child.kill("SIGKILL");
    await job.exited;
    child.stdout.destroy();
    child.stderr.destroy();
    repository.remove();
    job.clients.forEach(wellFormed);
  });
  const announced = new Promise((resolve) => {
    const hear = (data) => {
      job.said += data;
      if (transport === "socket" ? /"address"/.test(job.said) : /token\s+\w+\n/.test(job.said)) resolve();
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
  });
  await within(announced, () => `the address\n${job.said}`);
  job.address = /"address": "([^"]+)"/.exec(job.said)[1];
  job.token = /token\s+(\w+)\n/.exec(job.said)?.[1];
  return job;
}

/** A client that has said who it is. */
async function visitor(job) {
  const client = new Client({});
  client.repository = job.repository;
  job.clients.push(client);
  await client.visit(job.address);
  client.capabilities = await client.must("initialize", FULL_CLIENT);
  return client;
}

/** A client that has come to the job, where it stands. */
async function attached(job) {
  const client = await visitor(job);
  await client.must("attach", { token: job.token });
  await client.event("initialized");
  await client.must("configurationDone");
  await client.untilStopped();
  return client;
}

for (const transport of Object.keys(TRANSPORTS)) {
  test(`${transport}: a whole session, forwards and backwards`, async (t) => {
    const job = await waiting(t, transport);
    const client = await attached(job);
    assert.equal((await client.event("process")).startMethod, "attach");
    assert.equal((await client.top()).name, "1 One");
    await client.move("next");
    const before = await moment(client);
    await breakAt(client, "- name: Three");
    assert.equal((await client.move("continue")).reason, "breakpoint");
    await client.move("stepBack");
    const { Changes: _, ...variables } = before.variables;
    const { Changes: __, ...again } = (await moment(client)).variables;
    assert.deepEqual(again, variables);
    await client.must("evaluate", { expression: "! echo more >> log", context: "repl" });
    await breakAt(client);
    await client.must("continue", { threadId: 1 });
    assert.deepEqual(await client.event("exited"), { exitCode: 0 });
    await client.event("terminated");
    await client.must("disconnect", {});
    assert.equal(await within(job.exited, "the end"), 0);
  });

  test(`${transport}: a client drops, and the next one finds the same stop`, async (t) => {
    const job = await waiting(t, transport);
    const first = await attached(job);
    await first.move("next");
    const stood = await moment(first);
    await first.drop();
    const second = await attached(job);
    assert.deepEqual(await moment(second), stood);
    await second.move("next");
    assert.equal((await second.top()).name, "3 Three");
  });

  test(`${transport}: left suspended on purpose, the job waits`, async (t) => {
    const job = await waiting(t, transport);
    const first = await attached(job);
    assert.equal(first.capabilities.supportSuspendDebuggee, true);
    await first.move("next");
    await first.must("disconnect", { suspendDebuggee: true });
    const second = await attached(job);
    assert.equal((await second.top()).name, "2 Two");
  });

  test(`${transport}: left without a word about the job, it runs on without stops`, async (t) => {
    const job = await waiting(t, transport);
    const client = await attached(job);
    await breakAt(client, "- name: Three");
    await client.must("disconnect", {});
    assert.equal(await within(job.exited, "the end"), 0);
  });

  test(`${transport}: left with the wish to end it, it is cancelled`, async (t) => {
    const job = await waiting(t, transport);
    const client = await attached(job);
    await client.must("disconnect", { terminateDebuggee: true });
    assert.equal(await within(job.exited, "the end"), 130);
  });
}

test("port: a wrong token learns nothing and is hung up on; the right one still counts", async (t) => {
  const job = await waiting(t, "port");
  const liar = await visitor(job);
  await liar.fails("attach", { token: "0".repeat(64) });
  await within(liar.gone, "the end of the connection");
  assert.ok(!JSON.stringify(liar.transcript.filter((message) => !message.sent)).includes("build"));
  const silent = await visitor(job);
  await silent.fails("threads");
  const client = await attached(job);
  assert.equal((await client.top()).name, "1 One");
});
