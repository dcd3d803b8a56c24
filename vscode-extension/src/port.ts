/**
 * A debugger behind a port of this machine. This file knows no editor.
 *
 * The editor could open the port by itself. It is opened here so that the token can be put into `attach` on its way:
 * so it is in no configuration, which other extensions may read, and in no log of the editor.
 */
import { connect } from "node:net";
import type { Socket } from "node:net";
import { BadFrame, Decoder, encode } from "./framing";

/** How long a connection may take. On one machine it takes none. Milliseconds. */
const CONNECT_MS = 5000;

/** Opens the port. Rejected with a hint when nobody listens there. */
export function openPort(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const fail = (why: string): void => {
      socket.destroy();
      reject(new Error(`Nothing answers at ${host}:${port} (${why}). Is the job still waiting? "stepback debug --listen" prints its address.`));
    };
    socket.setTimeout(CONNECT_MS, () => fail("no answer in time"));
    socket.once("error", (error: NodeJS.ErrnoException) => fail(error.code ?? "error"));
    socket.once("connect", () => {
      socket.setTimeout(0);
      socket.removeAllListeners("error").removeAllListeners("timeout");
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

/** Passes messages both ways, and adds the token to `attach`. */
export class PortConnection {
  private readonly decoder = new Decoder();
  private over = false;

  constructor(
    private readonly socket: Socket,
    private readonly token: string | undefined,
    private readonly received: (message: unknown) => void,
  ) {
    socket.on("data", (bytes) => this.receive(bytes));
    socket.on("error", () => this.end("The connection to the debugger broke."));
    socket.on("close", () => this.end(undefined));
  }

  send(message: unknown): void {
    if (!this.socket.destroyed) {
      this.socket.write(encode(withToken(message, this.token)));
    }
  }

  close(): void {
    this.over = true;
    this.socket.end();
  }

  private receive(bytes: Buffer): void {
    if (this.over) {
      return;
    }
    try {
      for (const message of this.decoder.push(bytes)) {
        this.received(message);
      }
    } catch (error) {
      this.end(error instanceof BadFrame ? error.message : "What the debugger sent could not be read.");
      this.socket.destroy();
    }
  }

  /** The editor must be told, or it would wait for ever. */
  private end(why: string | undefined): void {
    if (this.over) {
      return;
    }
    this.over = true;
    if (why !== undefined) {
      this.received({ seq: 0, type: "event", event: "output", body: { category: "important", output: `${why}\n` } });
    }
    this.received({ seq: 0, type: "event", event: "terminated", body: {} });
  }
}

function withToken(message: unknown, token: string | undefined): unknown {
  const request = message as { type?: string; command?: string; arguments?: object };
  if (token === undefined || request.type !== "request" || request.command !== "attach") {
    return message;
  }
  return { ...request, arguments: { ...request.arguments, token } };
}
