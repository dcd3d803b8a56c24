/**
 * The debug sessions of our type: what each can do, where its job stands, and its timeline.
 *
 * Everything comes from what the adapter sends, overheard by a tracker. The timeline is asked for again whenever it may
 * have changed, at most a few times a second, and only while someone listens.
 */
import * as vscode from "vscode";
import { readAnnouncement, readTimeline, Requests, TIMELINE_CHANGED, VERSION } from "./protocol";
import type { Announcement, RequestName, Timeline } from "./protocol";

/** The type of our debug sessions. */
export const TYPE = "stepback";

/** The timeline is asked for at most this often. Milliseconds. */
const LEAST_PAUSE_MS = 150;

/** One session. */
export class Session {
  announcement: Announcement | undefined;
  timeline: Timeline | undefined;
  /** The adapter has said something. */
  alive = false;
  stopped = false;

  constructor(readonly debug: vscode.DebugSession) {}

  /** Whether the adapter serves one of our requests, in the version that we speak. */
  serves(request: RequestName): boolean {
    return this.announcement?.version === VERSION && this.announcement.requests.has(request);
  }

  /** Why there is no timeline; undefined when there should be one. */
  whyNoTimeline(): string | undefined {
    if (this.announcement === undefined) {
      return "This debugger tells nothing of its timeline. Is it Stepback?";
    }
    if (this.announcement.version !== VERSION) {
      const older = this.announcement.version < VERSION;
      return `The debugger speaks version ${this.announcement.version} of the timeline's protocol, and this extension version ${VERSION}. Update the ${older ? "debugger" : "extension"}.`;
    }
    return this.serves(Requests.timeline) ? undefined : "This debugger keeps no timeline of this job.";
  }
}

/** All sessions, and which of them the person is looking at. */
export class Sessions implements vscode.Disposable, vscode.DebugAdapterTrackerFactory {
  private readonly byId = new Map<string, Session>();
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly stops = new vscode.EventEmitter<Session>();
  private readonly disposables: vscode.Disposable[];
  private timer: NodeJS.Timeout | undefined;
  /** The session whose timeline is being asked for, and whether it changed meanwhile. */
  private asking: { session: Session; again: boolean } | undefined;

  /** The active session is another, or something of it changed. */
  readonly onDidChange = this.changed.event;
  /** The job of a session came to a stop, or the session ended. */
  readonly onDidStop = this.stops.event;

  constructor() {
    this.disposables = [
      this.changed,
      this.stops,
      vscode.debug.registerDebugAdapterTrackerFactory(TYPE, this),
      vscode.debug.onDidChangeActiveDebugSession(() => this.refresh()),
      vscode.debug.onDidTerminateDebugSession((debug) => this.end(debug)),
      this.changed.event(() => void this.setContext()),
    ];
    void this.setContext();
  }

  /** The session of ours that the person is looking at. */
  get active(): Session | undefined {
    const debug = vscode.debug.activeDebugSession;
    return debug === undefined ? undefined : this.byId.get(debug.id);
  }

  /** All that are alive. */
  get all(): readonly Session[] {
    return [...this.byId.values()];
  }

  createDebugAdapterTracker(debug: vscode.DebugSession): vscode.DebugAdapterTracker {
    const session = new Session(debug);
    this.byId.set(debug.id, session);
    return {
      onDidSendMessage: (message: unknown) => this.overhear(session, message),
      onExit: (code) => this.exited(session, code),
    };
  }

  /** Asks for the timeline again soon. */
  refresh(): void {
    this.changed.fire();
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.askTimeline();
    }, LEAST_PAUSE_MS);
  }

  dispose(): void {
    clearTimeout(this.timer);
    vscode.Disposable.from(...this.disposables).dispose();
  }

  private overhear(session: Session, value: unknown): void {
    session.alive = true;
    const message = (value ?? {}) as { type?: string; command?: string; event?: string; success?: boolean; body?: unknown };
    if (message.type === "response" && message.command === "initialize" && message.success === true) {
      session.announcement = readAnnouncement(message.body);
      this.refresh();
    } else if (message.type === "event") {
      this.overhearEvent(session, message.event);
    }
  }

  private overhearEvent(session: Session, event: string | undefined): void {
    switch (event) {
      case "stopped":
        session.stopped = true;
        this.stops.fire(session);
        return this.refresh();
      case "continued":
        session.stopped = false;
        return this.refresh();
      case TIMELINE_CHANGED:
        return this.refresh();
    }
  }

  /** An adapter that ends before it has said a word is most often too old to know `dap`. */
  private exited(session: Session, code: number | undefined): void {
    if (!session.alive && code !== undefined && code !== 0) {
      void vscode.window.showErrorMessage(
        `Stepback ended at once, with exit code ${code}. Does "stepback dap" work in a terminal? A version that is too old does not know it.`,
      );
    }
  }

  private end(debug: vscode.DebugSession): void {
    const session = this.byId.get(debug.id);
    if (session !== undefined) {
      this.byId.delete(debug.id);
      session.stopped = false;
      this.stops.fire(session);
      this.changed.fire();
    }
  }

  private async askTimeline(): Promise<void> {
    const session = this.active;
    if (session === undefined || !session.serves(Requests.timeline)) {
      return;
    }
    if (this.asking?.session === session) {
      this.asking.again = true;
      return;
    }
    const asking = { session, again: false };
    this.asking = asking;
    try {
      session.timeline = readTimeline(await session.debug.customRequest(Requests.timeline, {}));
    } catch {
      // Before the job began there is none, and while it ends there is none any more. The next event asks again.
    }
    if (this.asking === asking) {
      this.asking = undefined;
    }
    this.changed.fire();
    if (asking.again) {
      this.refresh();
    }
  }

  /** What the `when` clauses of the manifest ask. */
  private async setContext(): Promise<void> {
    const session = this.active;
    const timeline = session?.timeline;
    const values = {
      "stepback.active": session !== undefined,
      "stepback.hasTimeline": (timeline?.moments.length ?? 0) > 0,
      "stepback.rewound": timeline?.rewound === true && session?.serves(Requests.return) === true,
      "stepback.viewing": timeline?.moments.some((moment) => moment.viewed && !moment.current) === true,
    };
    await Promise.all(Object.entries(values).map(([key, value]) => vscode.commands.executeCommand("setContext", key, value)));
  }
}
