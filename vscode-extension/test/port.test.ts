import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { test } from "node:test";
import { Decoder, encode } from "../src/framing";
import { openPort, PortConnection } from "../src/port";

interface Ends {
  connection: PortConnection;
  /** The debugger's end. */
  debuggerEnd: Socket;
  /** What the debugger got. */
  got: unknown[];
  /** What the editor got. */
  received: { event?: string; body?: { output?: string } }[];
}

/** A connection to a server of the test's own. */
async function connected(token: string | undefined, use: (ends: Ends) => Promise<void>): Promise<void> {
  const server: Server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const accepted = once(server, "connection") as Promise<[Socket]>;
  const socket = await openPort("127.0.0.1", (server.address() as AddressInfo).port);
  const [debuggerEnd] = await accepted;
  const ends: Ends = { debuggerEnd, got: [], received: [], connection: undefined as unknown as PortConnection };
  const decoder = new Decoder();
  debuggerEnd.on("data", (bytes) => ends.got.push(...decoder.push(bytes)));
  ends.connection = new PortConnection(socket, token, (message) => ends.received.push(message as Ends["received"][number]));
  try {
    await use(ends);
  } finally {
    debuggerEnd.destroy();
    socket.destroy();
    server.close();
  }
}

test("the token travels with attach, and with nothing else", () =>
  connected("t0ken", async ({ connection, debuggerEnd, got }) => {
    const attach = { seq: 2, type: "request", command: "attach", arguments: { address: ":1" } };
    connection.send({ seq: 1, type: "request", command: "initialize", arguments: {} });
    connection.send(attach);
    connection.send({ seq: 3, type: "request", command: "evaluate", arguments: { expression: "attach" } });
    connection.close();
    await once(debuggerEnd, "end");
    assert.deepEqual(got, [
      { seq: 1, type: "request", command: "initialize", arguments: {} },
      { seq: 2, type: "request", command: "attach", arguments: { address: ":1", token: "t0ken" } },
      { seq: 3, type: "request", command: "evaluate", arguments: { expression: "attach" } },
    ]);
    assert.deepEqual(attach.arguments, { address: ":1" }, "the editor's own message is left as it was");
  }));

test("what the debugger says arrives, and its end ends the session", () =>
  connected(undefined, async ({ debuggerEnd, received }) => {
    debuggerEnd.end(encode({ seq: 1, type: "event", event: "initialized" }));
    while (received.length < 2) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(received.map((each) => each.event), ["initialized", "terminated"]);
  }));

test("what does not speak the protocol ends the session with a hint", () =>
  connected("t0ken", async ({ debuggerEnd, received }) => {
    debuggerEnd.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    while (received.length < 2) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(received.map((each) => each.event), ["output", "terminated"]);
    assert.match(received[0]?.body?.output ?? "", /Is the port right\?/);
  }));

test("a port where nobody listens is told with a hint", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  await assert.rejects(openPort("127.0.0.1", port), /ECONNREFUSED.*stepback debug --listen/);
});
