/** Which workflow and job a person means: by the editor, by a list, or because there is only one. */
import * as path from "node:path";
import * as vscode from "vscode";
import { findJobs, isWorkflowPath, jobAt } from "./workflow";
import type { JobMark } from "./workflow";

/** More workflows than this in one folder nobody picks from a list. */
const MOST_WORKFLOWS = 200;

/** The workflow in the editor, if it is one. */
export function activeWorkflow(): vscode.TextDocument | undefined {
  const document = vscode.window.activeTextEditor?.document;
  return document !== undefined && document.uri.scheme === "file" && isWorkflowPath(document.uri.fsPath) ? document : undefined;
}

/** The workflows of a folder, or of all that are open. */
export async function workflowsOf(folder: vscode.WorkspaceFolder | undefined): Promise<vscode.Uri[]> {
  const pattern = ".github/workflows/*.{yml,yaml}";
  const files = await vscode.workspace.findFiles(folder === undefined ? `**/${pattern}` : new vscode.RelativePattern(folder, pattern), undefined, MOST_WORKFLOWS);
  return files.sort((a, b) => a.fsPath.localeCompare(b.fsPath));
}

/** The jobs of a file, as it is in the editor if it is open there. Undefined when it cannot be read. */
export async function jobsOf(file: string): Promise<JobMark[] | undefined> {
  try {
    return findJobs((await vscode.workspace.openTextDocument(vscode.Uri.file(file))).getText());
  } catch {
    return undefined;
  }
}

/** The folder of the repository that a workflow belongs to. */
export function repositoryOf(workflow: string): string | undefined {
  return isWorkflowPath(workflow) ? path.resolve(workflow, "..", "..", "..") : undefined;
}

/** The workflow in the editor, else the only one, else the one that the person picks. */
export async function pickWorkflow(folder: vscode.WorkspaceFolder | undefined): Promise<string | undefined> {
  const open = activeWorkflow();
  if (open !== undefined) {
    return open.uri.fsPath;
  }
  const files = await workflowsOf(folder);
  if (files.length < 2) {
    if (files.length === 0) {
      void vscode.window.showErrorMessage("There is no workflow here. Open a folder that has .github/workflows, or name a file in \"workflow\".");
    }
    return files[0]?.fsPath;
  }
  const items = files.map((file) => ({ label: path.basename(file.fsPath), description: vscode.workspace.asRelativePath(file), file: file.fsPath }));
  return (await vscode.window.showQuickPick(items, { title: "Debug a Job", placeHolder: "Of which workflow?" }))?.file;
}

/** The only job of a workflow, else the one that the person picks; the one at the cursor stands first. */
export async function pickJob(workflow: string, jobs: readonly JobMark[]): Promise<string | undefined> {
  if (jobs.length < 2) {
    return jobs[0]?.id;
  }
  const editor = vscode.window.activeTextEditor;
  const here = editor?.document.uri.fsPath === workflow ? jobAt(jobs, editor.selection.active.line) : undefined;
  const ordered = here === undefined ? jobs : [here, ...jobs.filter((job) => job !== here)];
  const items = ordered.map((job) => ({ label: job.id, description: job.name ?? "", detail: aboutJob(job), job: job.id }));
  return (await vscode.window.showQuickPick(items, { title: "Debug a Job", placeHolder: `Which job of ${path.basename(workflow)}?`, matchOnDescription: true }))?.job;
}

function aboutJob(job: JobMark): string {
  if (job.uses !== undefined) {
    return `calls ${job.uses}`;
  }
  return `${job.steps.length} ${job.steps.length === 1 ? "step" : "steps"}${job.matrix ? ", with a matrix" : ""}`;
}
