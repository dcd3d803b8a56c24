/** Everything that can be called by name: from the palette, a button or a lens. */
import * as vscode from "vscode";
import { BadAddress, parseAddress } from "./address";
import { askToken } from "./adapter";
import { Changes } from "./changes";
import { pickMoment } from "./moments";
import { readDiff, readKept, Requests } from "./protocol";
import type { RequestName } from "./protocol";
import { TYPE } from "./sessions";
import type { Session, Sessions } from "./sessions";
import { RunTo, startJob } from "./start";

/** Registers all commands. */
export function registerCommands(sessions: Sessions): vscode.Disposable {
  const commands = new Commands(sessions);
  const runTo = new RunTo(sessions);
  const all: Record<string, (...given: never[]) => unknown> = {
    askToken: () => askToken(),
    attach: () => commands.attach(),
    openRecording: () => commands.openRecording(),
    debugJob: (workflow?: vscode.Uri, job?: unknown) => startJob(workflow, jobIn(job), false),
    runJob: (workflow?: vscode.Uri, job?: unknown) => startJob(workflow, jobIn(job), true),
    runToStep: (workflow: vscode.Uri, job: string, line: number) => runTo.run(workflow, job, line),
    // The editor's own commands do these two for the thread that is chosen; they are named here to be found.
    stepBack: () => vscode.commands.executeCommand("workbench.action.debug.stepBack"),
    reverseContinue: () => vscode.commands.executeCommand("workbench.action.debug.reverseContinue"),
    rerunStep: () => commands.rerunStep(),
    return: () => commands.send(Requests.return, {}),
    viewMoment: () => commands.onMoment(Requests.view, "View a Moment"),
    viewPresent: () => commands.send(Requests.view, { moment: null }),
    rewind: () => commands.onMoment(Requests.goto, "Rewind to a Moment"),
    sync: () => commands.sync(),
    keep: () => commands.keep(),
    showChanges: () => commands.showChanges(),
  };
  const registered = Object.entries(all).map(([name, run]) =>
    vscode.commands.registerCommand(`stepback.${name}`, async (...given: never[]) => {
      try {
        return await run(...given);
      } catch (error) {
        // What the adapter answers is written for people; it says what to do.
        void vscode.window.showErrorMessage(error instanceof Error ? error.message : String(error));
        return undefined;
      }
    }),
  );
  return vscode.Disposable.from(...registered, runTo, commands);
}

class Commands implements vscode.Disposable {
  private readonly changes = new Changes();

  constructor(private readonly sessions: Sessions) {}

  dispose(): void {
    this.changes.dispose();
  }

  async attach(): Promise<void> {
    const address = await vscode.window.showInputBox({
      title: "Attach to a Job",
      prompt: 'The address that "stepback debug --listen" printed: a socket, or a port of this machine.',
      placeHolder: "/run/user/1000/stepback/job.sock  or  127.0.0.1:4711",
      ignoreFocusOut: true,
      validateInput: mistakeIn,
    });
    if (address !== undefined) {
      await start({ type: TYPE, request: "attach", name: `Attach to ${address.trim()}`, address: address.trim() });
    }
  }

  async openRecording(): Promise<void> {
    const way = await vscode.window.showQuickPick(WAYS_TO_RECORDINGS, { title: "Open a Recording", placeHolder: "Nothing is executed by opening one." });
    const recording = await way?.choose();
    if (recording !== undefined && recording !== "") {
      await start({ type: TYPE, request: "attach", name: `Recording ${recording.replace(/^.*[\\/]/, "")}`, recording });
    }
  }

  /** Runs the step of the chosen frame again, from the state before it. */
  async rerunStep(): Promise<void> {
    const session = this.session();
    const item = vscode.debug.activeStackItem;
    if (item instanceof vscode.DebugStackFrame && item.session.id === session.debug.id) {
      // The editor's own command, which then also shows that the job runs.
      await vscode.commands.executeCommand("workbench.action.debug.restartFrame");
      return;
    }
    const frameId = await topFrame(session);
    if (frameId === undefined) {
      throw new Error("The job stands at no step that could run again.");
    }
    await session.debug.customRequest("restartFrame", { frameId });
  }

  async onMoment(request: RequestName, title: string): Promise<void> {
    const { timeline } = this.session();
    if (timeline === undefined || timeline.moments.length === 0) {
      throw new Error("There are no moments yet. They appear as the job goes on.");
    }
    const moment = await pickMoment(timeline, title, request === Requests.goto);
    if (moment !== undefined) {
      await this.send(request, { moment });
    }
  }

  async sync(): Promise<void> {
    const { text } = readKept(await this.send(Requests.sync, {}));
    void vscode.window.showInformationMessage(text === "" ? "The workspace is as the repository." : text);
  }

  async keep(): Promise<void> {
    const { text, patch } = readKept(await this.send(Requests.keep, {}));
    const open = "Open Patch";
    const action = await vscode.window.showInformationMessage(text === "" ? "Nothing differs." : text, ...(patch === undefined ? [] : [open]));
    if (action === open && patch !== undefined) {
      await vscode.window.showTextDocument(vscode.Uri.file(patch));
    }
  }

  async showChanges(): Promise<void> {
    await this.changes.show(readDiff(await this.send(Requests.diff, {})));
  }

  /** Sends one of our requests to the session in sight. */
  async send(request: RequestName, args: object): Promise<unknown> {
    const session = this.session();
    if (!session.serves(request)) {
      throw new Error(session.whyNoTimeline() ?? `This debugger does not serve ${request}. Update it, or this extension.`);
    }
    const answer: unknown = await session.debug.customRequest(request, args);
    this.sessions.refresh();
    return answer;
  }

  private session(): Session {
    const session = this.sessions.active;
    if (session === undefined) {
      throw new Error('No job is being debugged. Start one by "Debug job" above it in its workflow file.');
    }
    return session;
  }
}

/** A button in an editor's title hands over other things than a lens. */
function jobIn(given: unknown): string | undefined {
  return typeof given === "string" ? given : undefined;
}

function mistakeIn(address: string): string | undefined {
  try {
    parseAddress(address);
    return undefined;
  } catch (error) {
    return error instanceof BadAddress ? error.message : String(error);
  }
}

/** How people name a recording; each gives what goes into `recording`. */
const WAYS_TO_RECORDINGS = [
  { label: "The last run", choose: () => Promise.resolve("last") },
  { label: "One of my recordings, by its name…", choose: () => vscode.window.showInputBox({ title: "Open a Recording", prompt: "The name of the recording. A wrong one lists the newest." }) },
  { label: "The folder of a recording…", choose: chooseFolder },
];

async function chooseFolder(): Promise<string | undefined> {
  const chosen = await vscode.window.showOpenDialog({ title: "Open a Recording", canSelectFiles: false, canSelectFolders: true, canSelectMany: false });
  return chosen?.[0]?.fsPath;
}

async function topFrame(session: Session): Promise<number | undefined> {
  const { threads } = (await session.debug.customRequest("threads")) as { threads?: { id: number }[] };
  const threadId = threads?.[0]?.id;
  if (threadId === undefined) {
    return undefined;
  }
  const { stackFrames } = (await session.debug.customRequest("stackTrace", { threadId, startFrame: 0, levels: 1 })) as { stackFrames?: { id: number }[] };
  return stackFrames?.[0]?.id;
}

async function start(config: vscode.DebugConfiguration): Promise<void> {
  await vscode.debug.startDebugging(vscode.workspace.workspaceFolders?.[0], config);
}
