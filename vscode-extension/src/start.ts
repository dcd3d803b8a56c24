/** Starts jobs: from a lens, from the palette, up to a step. */
import * as vscode from "vscode";
import { activeWorkflow } from "./jobs";
import { momentBefore } from "./passed";
import { Requests } from "./protocol";
import { TYPE } from "./sessions";
import type { Session, Sessions } from "./sessions";

/** Starts a job of a workflow. Without a job the person is asked. */
export function startJob(workflow: vscode.Uri | undefined, job: string | undefined, noDebug: boolean): Thenable<boolean> {
  const file = workflow ?? activeWorkflow()?.uri;
  const folder = file === undefined ? undefined : vscode.workspace.getWorkspaceFolder(file);
  const config: vscode.DebugConfiguration = {
    type: TYPE,
    request: "launch",
    name: job ?? "Debug a job",
    ...(file === undefined ? {} : { workflow: file.fsPath }),
    ...(job === undefined ? {} : { job }),
  };
  return vscode.debug.startDebugging(folder ?? vscode.workspace.workspaceFolders?.[0], config, { noDebug });
}

/** Runs a job until it comes to a line: one that stands already, or a new one. */
export class RunTo implements vscode.Disposable {
  /** Breakpoints that were set to stop once. */
  private readonly once = new Set<vscode.Breakpoint>();
  private readonly disposable: vscode.Disposable;

  constructor(private readonly sessions: Sessions) {
    // The first stop ends it, whatever the reason: a failure on the way is where the person wants to be.
    this.disposable = sessions.onDidStop(() => this.forget());
  }

  /** @param line from 0 */
  async run(workflow: vscode.Uri, job: string, line: number): Promise<void> {
    const standing = this.sessions.all.find((session) => session.stopped && isOf(session, workflow, job));
    if (standing !== undefined && (await this.passed(standing, workflow, line))) {
      return;
    }
    this.forget();
    this.stopOnceAt(workflow, line);
    if (standing === undefined) {
      if (!(await startJob(workflow, job, false))) {
        this.forget();
      }
    } else {
      await goOn(standing);
    }
  }

  dispose(): void {
    this.forget();
    this.disposable.dispose();
  }

  /** Whether the step lies behind the job: then going on would never come to it, and the person is asked to go back. */
  private async passed(session: Session, workflow: vscode.Uri, line: number): Promise<boolean> {
    const moment = session.timeline === undefined ? undefined : momentBefore(session.timeline, workflow.fsPath, line + 1);
    if (moment === undefined || !session.serves(Requests.goto)) {
      return false;
    }
    const back = "Go Back";
    const question = `The step "${moment.name}" has run already. Go back to before it?`;
    if ((await vscode.window.showInformationMessage(question, { modal: true }, back)) === back) {
      await session.debug.customRequest(Requests.goto, { moment: moment.id });
    }
    return true;
  }

  private stopOnceAt(workflow: vscode.Uri, line: number): void {
    const isThere = vscode.debug.breakpoints.some(
      (each) => each instanceof vscode.SourceBreakpoint && each.enabled && each.location.uri.toString() === workflow.toString() && each.location.range.start.line === line,
    );
    if (!isThere) {
      const breakpoint = new vscode.SourceBreakpoint(new vscode.Location(workflow, new vscode.Position(line, 0)));
      this.once.add(breakpoint);
      vscode.debug.addBreakpoints([breakpoint]);
    }
  }

  private forget(): void {
    if (this.once.size > 0) {
      vscode.debug.removeBreakpoints([...this.once]);
      this.once.clear();
    }
  }
}

/** By the editor's own command where it can, since then the editor also shows that the job runs. */
async function goOn(session: Session): Promise<void> {
  if (vscode.debug.activeDebugSession?.id === session.debug.id) {
    await vscode.commands.executeCommand("workbench.action.debug.continue");
    return;
  }
  const { threads } = (await session.debug.customRequest("threads")) as { threads?: { id: number }[] };
  await session.debug.customRequest("continue", { threadId: threads?.[0]?.id ?? 1 });
}

function isOf(session: Session, workflow: vscode.Uri, job: string): boolean {
  const { configuration } = session.debug;
  return configuration["workflow"] === workflow.fsPath && configuration["job"] === job;
}
