/** Shows the files that differ, as one document that can be read and searched. */
import * as vscode from "vscode";
import type { Diff } from "./protocol";

const SCHEME = "stepback-changes";

/** Holds the document. It is made anew by each question, and is nowhere on a disk. */
export class Changes implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private text = "";
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  private readonly uri = vscode.Uri.from({ scheme: SCHEME, path: "/changes.diff" });

  readonly onDidChange = this.changed.event;

  provideTextDocumentContent(): string {
    return this.text;
  }

  async show(diff: Diff): Promise<void> {
    if (diff.files.length === 0) {
      void vscode.window.showInformationMessage("No file differs.");
      return;
    }
    this.text = textOf(diff);
    this.changed.fire(this.uri);
    const document = await vscode.workspace.openTextDocument(this.uri);
    await vscode.window.showTextDocument(document, { preview: true });
  }

  dispose(): void {
    this.registration.dispose();
    this.changed.dispose();
  }
}

function textOf(diff: Diff): string {
  const parts = diff.files.map((file) => {
    const title = `${file.kind} ${file.path}${file.root === "" ? "" : ` (${file.root})`}`;
    return file.diff === undefined ? `${title}\n` : `${title}\n${file.diff.trimEnd()}\n`;
  });
  return parts.join("\n");
}
