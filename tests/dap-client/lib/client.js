// A client of the debug adapter: the DebugClient of @vscode/debugadapter-testsupport, with answers at length (an error is a
// value, not only a text), events that wait to be asked for, and a transcript of everything that was said.
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import net from "node:net";
import { fileURLToPath } from "node:url";
import testsupport from "@vscode/debugadapter-testsupport";

/** How long anything may take before a test gives up. Generous: the machine may have other things to do. */
export const DEADLINE_MS = 60_000;

const alive = new Set();
process.on("exit", () => alive.forEach((child) => child.kill("SIGKILL")));

/** Whatever happens, this child does not outlive the tests. Resolves with its exit code or signal. */
export function watchOver(child) {
  alive.add(child);
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => {
      alive.delete(child);
      resolve(signal ?? code);
    });
  });
}

/** The binary under test: $STEPBACK, else what was built last. */
export function binary() {
  const built = ["debug", "release"].map((profile) =>
    fileURLToPath(new URL(`../../../target/${profile}/stepback`, import.meta.url)),
  );
  const found = [process.env.STEPBACK, ...built].find((path) => path && existsSync(path));
  assert.ok(found, "no stepback binary: build it, or set STEPBACK to its path");
  return found;
}

/** Rejects after a while. `what` is said then, with the end of the transcript. */
export function within(promise, what, ms = DEADLINE_MS) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${typeof what === "function" ? what() : what}: not within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export class Client extends testsupport.DebugClient {
  /** Every message in the order in which it was sent or came, with `sent` for ours. */
  transcript = [];
  /** Events that nobody has asked for yet, by name. */
  #waiting = new Map();
  #takers = new Map();

  constructor(options) {
    super(binary(), "dap", "stepback", options);
    // One listener per pending wait and test is fine.
    this.setMaxListeners(0);
  }

  async start() {
    await super.start();
    const child = this._adapterProcess;
    this.exited = watchOver(child);
    this.stderr = "";
    child.stderr.on("data", (data) => (this.stderr += data));
    // What is written to an adapter that has gone is lost, and the test sees it by the missing answer.
    child.stdin.on("error", () => {});
  }

  /** Comes to a debugger that listens, at the path of a socket or at HOST:PORT. Its end is not ours. */
  async visit(address) {
    const port = /^127\.0\.0\.1:(\d+)$/.exec(address)?.[1];
    this._socket = port ? net.connect(Number(port), "127.0.0.1") : net.connect(address);
    this.stderr = "";
    this.gone = new Promise((resolve) => this._socket.once("close", resolve));
    this._socket.on("error", () => {});
    await within(once(this._socket, "connect"), `a connection to ${address}`);
    this.connect(this._socket, this._socket);
  }

  /** Drops the connection without a word. */
  drop() {
    this._socket.destroy();
    return this.gone;
  }

  // ---- what comes

  dispatch(text) {
    const message = JSON.parse(text);
    this.transcript.push(message);
    super.dispatch(text);
    if (message.type === "event") {
      const taker = this.#takers.get(message.event)?.shift();
      if (taker) taker(message.body);
      else this.#queue(message.event).push(message.body);
    }
  }

  #queue(name) {
    if (!this.#waiting.has(name)) this.#waiting.set(name, []);
    return this.#waiting.get(name);
  }

  /** The body of the next event of this name, one that came already or one to come. Each is given out once. */
  event(name, ms = DEADLINE_MS) {
    const queue = this.#queue(name);
    if (queue.length > 0) return Promise.resolve(queue.shift());
    const takers = this.#takers.get(name) ?? [];
    this.#takers.set(name, takers);
    const next = new Promise((resolve) => takers.push(resolve));
    return within(next, () => `waiting for '${name}'\n${this.tail()}`, ms);
  }

  /** The first event of this name that fits; those before it are passed over. */
  async eventThat(name, fits) {
    for (;;) {
      const body = await this.event(name);
      if (fits(body)) return body;
    }
  }

  /** How many events of this name have come and not been asked for. */
  unasked(name) {
    return this.#queue(name).length;
  }

  /** Forgets the events of this name that came so far. */
  forget(name) {
    this.#queue(name).length = 0;
  }

  /** All bodies of events of this name so far, whether asked for or not. */
  all(name) {
    return this.transcript.filter((message) => message.event === name).map((message) => message.body);
  }

  /** Everything that was written into the client's console so far. */
  output() {
    return this.all("output").map((body) => body.output).join("");
  }

  /** Waits until the console shows this. */
  async untilOutput(text) {
    while (!this.output().includes(text)) await this.event("output");
  }

  tail() {
    const shown = this.transcript.slice(-12).map((message) => JSON.stringify(message).slice(0, 400));
    return `${shown.join("\n")}\nstderr: ${this.stderr?.slice(-2000)}`;
  }

  // ---- what is asked

  doSend(command, args, answer) {
    this.transcript.push({ sent: true, type: "request", command, arguments: args, seq: this.sequence });
    super.doSend(command, args, answer);
  }

  /** Asks; the whole response, also one without success. */
  ask(command, args) {
    const answer = new Promise((resolve) => this.doSend(command, args, resolve));
    return within(answer, () => `waiting for the answer to '${command}'\n${this.tail()}`);
  }

  /** The same, and the number of the request. */
  begin(command, args) {
    const seq = this.sequence;
    return { seq, answer: this.ask(command, args) };
  }

  /** Asks for what must succeed; its body. */
  async must(command, args) {
    const response = await this.ask(command, args);
    assert.equal(response.success, true, `'${command}' failed: ${response.message}\n${this.tail()}`);
    assert.equal(response.command, command);
    return response.body;
  }

  /** Asks for what must fail; the error at length. */
  async fails(command, args) {
    return isFailure(await this.ask(command, args), command);
  }

  /** Writes a message as it stands, for those that the library would not send; resolves with the answer. */
  raw(message) {
    const seq = this.sequence++;
    const json = JSON.stringify({ seq, type: "request", ...message });
    this.transcript.push({ sent: true, raw: json });
    const answer = new Promise((resolve) => this.pendingRequests.set(seq, resolve));
    this.outputStream.write(`Content-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`);
    return within(answer, () => `waiting for the answer to ${json}\n${this.tail()}`);
  }

  // ---- stops

  /** The next stop. */
  untilStopped() {
    return this.event("stopped");
  }

  /** Asks for a movement, and waits until the job stands again. The answer comes before the stop. */
  async move(command, args = { threadId: 1 }) {
    assert.equal(this.unasked("stopped"), 0, `a stop that nobody asked for\n${this.tail()}`);
    await this.must(command, args);
    const answered = this.transcript.findLastIndex((message) => message.command === command && message.type === "response");
    const stop = await this.untilStopped();
    const told = this.transcript.findLastIndex((message) => message.event === "stopped");
    assert.ok(answered < told, `'${command}' was answered after its stop`);
    return stop;
  }

  async frames() {
    return (await this.must("stackTrace", { threadId: 1 })).stackFrames;
  }

  async top() {
    return (await this.frames())[0];
  }

  async scopes() {
    return (await this.must("scopes", { frameId: (await this.top()).id })).scopes;
  }

  async scope(name) {
    const scopes = await this.scopes();
    const found = scopes.find((scope) => scope.name === name);
    assert.ok(found, `no scope '${name}' among ${scopes.map((scope) => scope.name)}`);
    return found;
  }

  async variables(variablesReference, more = {}) {
    return (await this.must("variables", { variablesReference, ...more })).variables;
  }

  /** The variables of a scope by name. */
  async shown(scope) {
    const variables = await this.variables((await this.scope(scope)).variablesReference);
    return Object.fromEntries(variables.map((variable) => [variable.name, variable]));
  }

  async evaluate(expression, context = "watch") {
    return this.must("evaluate", { expression, context });
  }

  /** The text of an expression's value, uncut. */
  async value(expression) {
    return (await this.evaluate(expression, "clipboard")).result;
  }

  /** Everything that can be opened from the top frame, without numbers, to be compared. */
  async everything(without = []) {
    const open = async (reference, depth) => {
      const variables = await this.variables(reference);
      const entries = [];
      for (const variable of variables) {
        const inner = variable.variablesReference > 0 && depth < 6 ? await open(variable.variablesReference, depth + 1) : undefined;
        entries.push([variable.name, variable.value, variable.type, variable.evaluateName, inner]);
      }
      return entries;
    };
    const all = {};
    for (const scope of await this.scopes()) {
      if (!without.includes(scope.name)) all[scope.name] = await open(scope.variablesReference, 0);
    }
    return all;
  }

  // ---- the end

  /** Ends the adapter in any case; from one that was only visited, goes away. */
  async close() {
    this._socket?.destroy();
    const child = this._adapterProcess;
    if (child && child.exitCode === null && child.signalCode === null) {
      // Its answer may never come; the end of the process is what counts.
      this.doSend("disconnect", { terminateDebuggee: true }, () => {});
      child.stdin.end();
      try {
        await within(this.exited, "the adapter's end", 30_000);
      } catch {
        child.kill("SIGKILL");
        await this.exited;
      }
    }
    // Whoever cleans up after a killed adapter may hold its pipes for a while.
    for (const pipe of child?.stdio ?? []) pipe.destroy();
  }
}

/** A proper error: no success, a text, and the error at length. Returns that. */
export function isFailure(response, command) {
  assert.equal(response.success, false, `'${command}' should fail, and answered ${JSON.stringify(response.body)}`);
  assert.equal(response.type, "response");
  assert.equal(response.command, command);
  assert.ok(response.message.length > 0);
  const { error } = response.body;
  assert.ok(Number.isInteger(error.id) && error.id > 0);
  assert.ok(error.format.length > 0);
  return { message: response.message, ...error };
}
