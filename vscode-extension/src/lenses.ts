/** "Debug job" above each job of a workflow, and "Run to here" above each of its steps. */
import * as vscode from "vscode";
import { TYPE } from "./sessions";
import { findJobs, isWorkflowPath } from "./workflow";
import type { JobMark } from "./workflow";

/** Files that may have lenses; whether one is a workflow, its path says. */
export const SELECTOR: vscode.DocumentSelector = [
  { scheme: "file", pattern: "**/.github/workflows/*.{yml,yaml}" },
];

/** Makes the lenses. */
export class Lenses implements vscode.CodeLensProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly listener = vscode.workspace.onDidChangeConfiguration((event) => {
    if (event.affectsConfiguration("stepback.codeLens")) {
      this.changed.fire();
    }
  });

  readonly onDidChangeCodeLenses = this.changed.event;

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    if (!isWorkflowPath(document.uri.fsPath) || !vscode.workspace.getConfiguration(TYPE, document).get<boolean>("codeLens", true)) {
      return [];
    }
    const jobs = findJobs(document.getText());
    // Jobs that share steps by an anchor have lenses on the same lines, which then must say whose they are.
    const lines = jobs.flatMap((job) => job.steps.map((step) => step.line));
    const shared = new Set(lines.filter((line, index) => lines.indexOf(line) !== index));
    return jobs.flatMap((job) => lensesOf(document.uri, job, shared));
  }

  dispose(): void {
    this.listener.dispose();
    this.changed.dispose();
  }
}

function lensesOf(workflow: vscode.Uri, job: JobMark, shared: ReadonlySet<number>): vscode.CodeLens[] {
  const lens = (line: number, title: string, command: string, tooltip: string, ...more: unknown[]): vscode.CodeLens =>
    new vscode.CodeLens(new vscode.Range(line, 0, line, 0), { title, command, tooltip, arguments: [workflow, job.id, ...more] });
  return [
    lens(job.line, "$(debug-alt)\u00a0Debug job", "stepback.debugJob", `Run ${job.id} on this machine, and stop at breakpoints and failures`),
    lens(job.line, "$(run)\u00a0Run job", "stepback.runJob", `Run ${job.id} on this machine without stops`),
    ...job.steps.map((step) =>
      lens(step.line, `$(debug-continue-small)\u00a0Run ${shared.has(step.line) ? `${job.id} ` : ""}to here`, "stepback.runToStep", `Run ${job.id} until it comes to "${step.label}"`, step.line),
    ),
  ];
}
