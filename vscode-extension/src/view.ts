/** The timeline view in the Debug side bar: hands the page what to draw, and does what the person asks there. */
import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import { Requests } from "./protocol";
import type { RequestName, Run } from "./protocol";
import type { Session, Sessions } from "./sessions";
import { readFromPage } from "./timeline/messages";
import type { FromPage, ToPage } from "./timeline/messages";
import { pageOf } from "./timeline/page";

const INTRODUCED = "timelineIntroduced";

/** Provides the view. */
export class TimelineView implements vscode.WebviewViewProvider, vscode.Disposable {
  static readonly id = "stepback.timeline";

  private view: vscode.WebviewView | undefined;
  private readonly listener: vscode.Disposable;

  constructor(
    private readonly extension: vscode.Uri,
    private readonly sessions: Sessions,
    private readonly memory: vscode.Memento,
  ) {
    this.listener = vscode.Disposable.from(
      sessions.onDidChange(() => this.show()),
      sessions.onDidStop((session) => void this.introduce(session)),
    );
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    const folder = vscode.Uri.joinPath(this.extension, "dist", "webview");
    const address = (file: string): string => view.webview.asWebviewUri(vscode.Uri.joinPath(folder, file)).toString();
    this.view = view;
    view.webview.options = { enableScripts: true, localResourceRoots: [folder] };
    view.webview.onDidReceiveMessage((message: unknown) => void this.receive(readFromPage(message)));
    view.onDidDispose(() => (this.view = undefined));
    view.onDidChangeVisibility(() => this.show());
    view.webview.html = pageOf({
      script: address("page.js"),
      style: address("page.css"),
      source: view.webview.cspSource,
      nonce: randomBytes(16).toString("base64url"),
    });
  }

  dispose(): void {
    this.listener.dispose();
  }

  /**
   * Opens the view at the first stop of all. The editor adds views to the debug side bar folded up at its end, where
   * nobody looks; once it was open, it stays as the person leaves it.
   */
  private async introduce(session: Session): Promise<void> {
    if (session.stopped && session.serves(Requests.timeline) && this.memory.get(INTRODUCED) !== true) {
      await this.memory.update(INTRODUCED, true);
      await vscode.commands.executeCommand(`${TimelineView.id}.focus`, { preserveFocus: true });
    }
  }

  private show(): void {
    if (this.view?.visible === true) {
      void this.view.webview.postMessage(this.picture());
    }
  }

  private picture(): ToPage {
    const session = this.sessions.active;
    if (session === undefined) {
      return { type: "nothing", text: "No job is being debugged." };
    }
    const why = session.whyNoTimeline();
    if (session.timeline === undefined || why !== undefined) {
      return { type: "nothing", text: why ?? "The job is about to begin." };
    }
    const can = { view: session.serves(Requests.view), rewind: session.serves(Requests.goto), return: session.serves(Requests.return) };
    return { type: "timeline", timeline: session.timeline, can };
  }

  private async receive(message: FromPage | undefined): Promise<void> {
    const session = this.sessions.active;
    if (message === undefined || session === undefined) {
      return;
    }
    switch (message.type) {
      case "ready":
        this.sessions.refresh();
        return this.show();
      case "view":
        return this.ask(session, Requests.view, { moment: message.moment });
      case "rewind":
        return this.ask(session, Requests.goto, { moment: message.moment });
      case "return":
        return this.ask(session, Requests.return, {});
      case "reveal":
        return reveal(session.timeline?.runs[message.run]);
    }
  }

  private async ask(session: Session, request: RequestName, args: object): Promise<void> {
    try {
      await session.debug.customRequest(request, args);
    } catch (error) {
      void vscode.window.showErrorMessage(error instanceof Error ? error.message : String(error));
    }
    this.sessions.refresh();
  }
}

/** Shows a step in its file. */
async function reveal(run: Run | undefined): Promise<void> {
  if (run?.source?.path === undefined || run.line === undefined) {
    return;
  }
  // The editor counts lines from 1 towards adapters, and from 0 towards extensions.
  const line = new vscode.Position(Math.max(0, run.line - 1), 0);
  await vscode.window.showTextDocument(vscode.Uri.file(run.source.path), { selection: new vscode.Range(line, line), preserveFocus: true });
}
