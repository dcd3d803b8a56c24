/** How each session reaches its debugger: a program that is started, a socket, or a port. */
import type { Socket } from "node:net";
import { homedir } from "node:os";
import { dirname } from "node:path";
import * as vscode from "vscode";
import { parseAddress } from "./address";
import { findBinary } from "./binary";
import type { Found } from "./binary";
import { openPort, PortConnection } from "./port";
import { TYPE } from "./sessions";

/** The program, as the setting and the environment have it. */
export function binaryFor(folder: vscode.WorkspaceFolder | undefined): Promise<Found> {
  return findBinary({
    configured: vscode.workspace.getConfiguration(TYPE, folder).get<string>("path", ""),
    path: process.env["PATH"] ?? "",
    home: homedir(),
    folder: folder?.uri.fsPath,
    platform: process.platform,
  });
}

/** Asks for a token. It is kept by whoever asked, and nowhere else. */
export function askToken(address?: string): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title: "Attach to a Job",
    prompt: `The token ${address === undefined ? "" : `of ${address} `}that "stepback debug --listen" printed. It is not stored.`,
    password: true,
    ignoreFocusOut: true,
  });
}

/** Makes the descriptors of our sessions. */
export class AdapterFactory implements vscode.DebugAdapterDescriptorFactory {
  async createDebugAdapterDescriptor(session: vscode.DebugSession): Promise<vscode.DebugAdapterDescriptor> {
    const address: unknown = session.configuration["address"];
    if (session.configuration.request === "attach" && typeof address === "string") {
      return attachTo(address, session.configuration["token"]);
    }
    const found = await binaryFor(session.workspaceFolder);
    if ("missing" in found) {
      throw new Error(found.missing);
    }
    return new vscode.DebugAdapterExecutable(found.binary, ["dap"], startedIn(session));
  }
}

async function attachTo(text: string, given: unknown): Promise<vscode.DebugAdapterDescriptor> {
  const address = parseAddress(text);
  if (address.kind === "socket") {
    return new vscode.DebugAdapterNamedPipeServer(address.path);
  }
  // Asked first, since an open connection that says nothing is soon closed by the debugger. A variable of the
  // configuration may have asked already.
  const token = typeof given === "string" && given !== "" ? given : await askToken(text);
  if (token === undefined || token === "") {
    throw new Error("Without its token the debugger tells nothing. Start again, and paste what it printed.");
  }
  const socket = await openPort(address.host, address.port);
  return new vscode.DebugAdapterInlineImplementation(new PortAdapter(socket, token));
}

/** The connection to a port, as the editor wants an adapter that lives in the extension. */
class PortAdapter implements vscode.DebugAdapter {
  private readonly sent = new vscode.EventEmitter<vscode.DebugProtocolMessage>();
  private readonly connection: PortConnection;

  readonly onDidSendMessage = this.sent.event;

  constructor(socket: Socket, token: string) {
    this.connection = new PortConnection(socket, token, (message) => this.sent.fire(message as vscode.DebugProtocolMessage));
  }

  handleMessage(message: vscode.DebugProtocolMessage): void {
    this.connection.send(message);
  }

  dispose(): void {
    this.connection.close();
    this.sent.dispose();
  }
}

/** The folder in which the program is started: relative paths in its arguments count from there. */
function startedIn(session: vscode.DebugSession): vscode.DebugAdapterExecutableOptions {
  const { cwd, workflow } = session.configuration as { cwd?: unknown; workflow?: unknown };
  if (typeof cwd === "string" && cwd !== "") {
    return { cwd };
  }
  const folder = session.workspaceFolder?.uri.fsPath;
  if (folder !== undefined) {
    return { cwd: folder };
  }
  return typeof workflow === "string" && workflow !== "" ? { cwd: dirname(workflow) } : {};
}
