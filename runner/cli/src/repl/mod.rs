//! The terminal face of the debugger: reads commands, asks the session, shows its answers.
//!
//! Commands are parsed in `session::command`; what they do is the session's. On a terminal lines come from an editor
//! with completion and history, in a pipe from a plain reader that echoes each one, so that a transcript reads well.

mod editor;
mod knowledge;
mod lines;
mod screen;

use std::sync::Arc;

use session::command::{Command, CommandError, parse};
use session::handle::SessionHandle;
use session::notice::Observer;
use session::request::{Reply, Request};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::launch::StartedJob;
use crate::prepare::Prepared;
use crate::terminal::Terminal;
use knowledge::Knowledge;
use lines::Line;
pub(crate) use lines::Lines;
pub(crate) use screen::{Screen, Stops};
use session::wording::{self, Meaning, Painter};

/// What may be repeated by an empty line, as in gdb.
fn repeats(request: &Request) -> bool {
    matches!(request, Request::Next | Request::Back { .. } | Request::ReverseContinue)
}

/// What is answered at once, and runs on afterwards: an interrupt is meant for what runs.
fn only_begins(request: &Request) -> bool {
    matches!(request, Request::Next | Request::Continue | Request::Confirm(_))
}

/// One conversation with one session.
pub(crate) struct Repl {
    handle: SessionHandle,
    screen: Arc<Screen>,
    stops: Stops,
    lines: Lines,
    painter: Painter,
    knowledge: Knowledge,
    last: Option<Request>,
    /// Ctrl-C outside of a prompt. One for the whole conversation, so that none is lost between two waits.
    interrupt: Option<Signal>,
}

impl Repl {
    /// A conversation on this terminal. `screen` must watch the session already. Has to be called within a runtime.
    pub(crate) fn new(
        handle: SessionHandle,
        screen: Arc<Screen>,
        stops: Stops,
        lines: Lines,
        painter: Painter,
    ) -> Repl {
        let interrupt = signal(SignalKind::interrupt()).ok();
        Repl { handle, screen, stops, lines, painter, knowledge: Knowledge::default(), last: None, interrupt }
    }

    /// Talks until the person quits, or the input ends.
    pub(crate) async fn talk(&mut self) {
        self.wait_for_stop().await;
        loop {
            self.knowledge.refresh(&self.handle).await;
            self.forget_interrupt().await;
            let prompt = self.screen.prompt();
            let line = match self.lines.next(&prompt, self.knowledge.known()).await {
                Line::Text(line) => line,
                Line::Interrupted => continue,
                Line::End => "quit".to_owned(),
            };
            match self.meaning(&line) {
                Ok(Some(Request::Quit)) => {
                    self.screen.leave();
                    self.handle.ask(Request::Quit).await;
                    return;
                }
                Ok(Some(request)) => self.ask(request).await,
                Ok(None) => {}
                Err(error) => self.show_error(&error.text, error.hint.as_deref()),
            }
        }
    }

    /// The request that a line means; help is shown at once.
    fn meaning(&mut self, line: &str) -> Result<Option<Request>, CommandError> {
        match parse(line, self.knowledge.known())? {
            Command::Ask(request) => {
                self.last = Some(request.clone()).filter(repeats);
                Ok(Some(request))
            }
            Command::Help(text) => {
                self.screen.say("help", &text);
                Ok(None)
            }
            Command::Nothing if line.trim().is_empty() && self.lines.is_interactive() => {
                Ok(self.last.clone())
            }
            Command::Nothing => Ok(None),
        }
    }

    async fn ask(&mut self, request: Request) {
        let shell = matches!(request, Request::Shell { .. } | Request::Try { .. });
        self.screen.shell_begins(shell);
        let reply = self.answer(request.clone()).await;
        self.screen.shell_begins(false);
        let cancels = matches!(request, Request::Cancel) && reply == Reply::Done;
        if cancels {
            self.screen.runs_on();
        }
        self.show(&request, reply);
        if self.screen.is_running() {
            self.wait_for_stop().await;
        }
    }

    /// The answer. Ctrl-C in the meantime asks for an end of what runs, a second one leaves.
    async fn answer(&mut self, request: Request) -> Reply {
        let only_begins = only_begins(&request);
        let answer = self.handle.ask(request);
        tokio::pin!(answer);
        let mut asked = false;
        loop {
            tokio::select! {
                reply = &mut answer => return reply,
                Some(()) = received(&mut self.interrupt), if !only_begins => {
                    self.handle.tell(if asked { Request::Quit } else { Request::Pause });
                    asked = true;
                }
            }
        }
    }

    /// Waits until the job stands. Ctrl-C pauses it, a second one freezes it.
    async fn wait_for_stop(&mut self) {
        let mut told = false;
        while self.screen.is_running() {
            tokio::select! {
                stopped = self.stops.recv() => {
                    if stopped.is_none() {
                        return;
                    }
                }
                Some(()) = received(&mut self.interrupt) => {
                    self.handle.tell(Request::Pause);
                    if self.lines.is_interactive() && !std::mem::replace(&mut told, true) {
                        let text = "  pausing after this step · Ctrl-C again freezes it now";
                        self.screen.say("pausing", &format!("{}\n", self.painter.paint(Meaning::Quiet, text)));
                    }
                }
            }
        }
    }

    /// What was meant for something that has ended in the meantime is not meant for what comes next.
    async fn forget_interrupt(&mut self) {
        tokio::select! {
            biased;
            Some(()) = received(&mut self.interrupt) => {}
            () = std::future::ready(()) => {}
        }
    }

    fn show(&self, request: &Request, reply: Reply) {
        if let Reply::Refused(refusal) = &reply {
            return self.show_error(&refusal.text, refusal.hint.as_deref());
        }
        let text = wording::answer(request, &reply, self.painter);
        if !text.is_empty() {
            self.screen.say("reply", &text);
        }
        let changed_by_shell = matches!(&reply, Reply::Shell(shell) if !shell.changed.is_empty());
        if changed_by_shell || matches!(request, Request::Set { .. } | Request::Sync) {
            self.screen.edited();
        }
    }

    fn show_error(&self, text: &str, hint: Option<&str>) {
        let mut lines = format!("{} {}\n", self.painter.paint(Meaning::Bad, "✗"), wording::shown(text));
        if let Some(hint) = hint {
            lines.push_str(&format!("  {}\n", self.painter.paint(Meaning::Quiet, &wording::shown(hint))));
        }
        self.screen.say("refused", &lines);
    }
}

/// The next signal of this kind; never, if it cannot be listened to.
async fn received(signal: &mut Option<Signal>) -> Option<()> {
    match signal {
        Some(signal) => signal.recv().await,
        None => std::future::pending().await,
    }
}

/// The debugger for a job that has failed and waits: back at the step that failed.
pub(crate) async fn at_failure(job: &StartedJob, verbose: bool, terminal: Terminal, prepared: &Prepared) {
    let painter = Painter::new(terminal.colour);
    let (lines, output) = Lines::open(terminal, painter, prepared.paths.history());
    let (screen, stops) = Screen::new(output, painter, job.heading.clone(), verbose, prepared.settings.json);
    let screen = Arc::new(screen);
    job.relay.hand_over(Arc::clone(&screen) as Arc<dyn Observer>);
    if job.handle.ask(Request::ReverseContinue).await != Reply::Done {
        job.relay.repeat_stop();
    }
    Repl::new(job.handle.clone(), screen, stops, lines, painter).talk().await;
}
