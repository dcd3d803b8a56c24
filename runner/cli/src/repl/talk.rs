//! A conversation with a debugger: lines of a person become requests of DAP, and what comes back is shown.
//!
//! What a line means is the debugger's to say; here only leaving, repeating and interrupting are known.

use dap_server::client::{Client, ClientError, Events, Pending};
use dap_server::envelope::RawEvent;
use dap_server::protocol::evaluate::{EvaluateArguments, EvaluateResponse};
use dap_server::protocol::execution::PauseArguments;
use dap_server::protocol::lifecycle::{
    AttachArguments, ConfigurationDoneArguments, DisconnectArguments, InitializeArguments,
};
use dap_server::protocol::sound::EvaluateArgumentsContext;
use dap_server::protocol::{Command, Token};
use session::command::ENTRIES;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::lines::{Line, Lines};
use super::screen::Screen;
use crate::exit::Fault;

/// The thread of a job without background steps.
const FOREGROUND: i64 = 1;

/// How a conversation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The person left; the job stands as it stood.
    Left,
    /// The debugger is over, with the exit code of the job where it said one.
    Over(Option<i64>),
}

/// One conversation.
pub(super) struct Talk {
    pub(super) client: Client,
    pub(super) events: Events,
    pub(super) lines: Lines,
    pub(super) screen: Screen,
    pub(super) colours: bool,
    /// The last line that an empty one repeats.
    pub(super) last: Option<String>,
    pub(super) manner: Manner,
}

/// Whose the job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// Ours: it ends when we leave.
    Owns,
    /// Somebody else's: it stays as it stands.
    Visits,
}

impl Talk {
    /// Introduces the terminal, and waits for the first stop.
    ///
    /// # Errors
    /// The debugger does not let us in.
    pub(super) async fn begin(&mut self, token: Option<Token>) -> Result<(), Fault> {
        let initialize = InitializeArguments {
            client_id: Some("stepback".to_owned()),
            client_name: Some("Stepback".to_owned()),
            adapter_id: "stepback".to_owned(),
            supports_ansi_styling: Some(self.colours),
            ..InitializeArguments::default()
        };
        self.request(&initialize).await?;
        let mut attach = AttachArguments { token, ..AttachArguments::default() };
        attach.extra.set("stopAtEnd", true);
        self.request(&attach).await?;
        self.request(&ConfigurationDoneArguments::default()).await?;
        let mut interrupt = signal(SignalKind::interrupt()).ok();
        self.wait_for_stop(1, &mut interrupt).await;
        Ok(())
    }

    async fn request<C: Command>(&mut self, arguments: &C) -> Result<C::Body, Fault> {
        self.client.request(arguments).await.map_err(|error| Fault::new(error.to_string()))
    }

    /// Talks until the person leaves or the debugger is over.
    pub(super) async fn talk(&mut self) -> Ended {
        let mut interrupt = signal(SignalKind::interrupt()).ok();
        while !self.screen.over {
            let line = match self.next_line().await {
                Some(Line::Text(line)) => line,
                Some(Line::Interrupted) => continue,
                Some(Line::End) => return self.leave().await,
                None => break,
            };
            match self.meaning(line) {
                Meant::Nothing => {}
                Meant::Leave => return self.leave().await,
                Meant::Command(line) => self.command(&line, &mut interrupt).await,
            }
        }
        Ended::Over(self.screen.exit_code)
    }

    /// The next line; what is told meanwhile goes above it. `None` when the debugger is over first.
    async fn next_line(&mut self) -> Option<Line> {
        let prompt = self.screen.prompt();
        let line = self.lines.next(&prompt);
        tokio::pin!(line);
        loop {
            tokio::select! {
                line = &mut line => return Some(line),
                event = self.events.next_raw() => hear(&mut self.screen, event),
            }
            if self.screen.over {
                return None;
            }
        }
    }

    fn meaning(&mut self, line: String) -> Meant {
        let text = line.trim();
        if text.is_empty() {
            let repeated = self.last.clone().filter(|_| self.lines.is_interactive());
            return repeated.map_or(Meant::Nothing, Meant::Command);
        }
        let name = name_of(text);
        if name == Some("quit") {
            return Meant::Leave;
        }
        self.last =
            Some(text.to_owned()).filter(|_| matches!(name, Some("next" | "back" | "reverse-continue")));
        Meant::Command(text.to_owned())
    }

    async fn command(&mut self, line: &str, interrupt: &mut Option<Signal>) {
        forget(interrupt).await;
        self.screen.shell_begins(is_shell(line));
        let before = self.screen.stops;
        let arguments = EvaluateArguments {
            expression: line.to_owned(),
            context: Some(EvaluateArgumentsContext::Repl),
            ..EvaluateArguments::default()
        };
        let answer = match encode(&arguments) {
            Ok(request) => self.client.send(request),
            Err(error) => return self.screen.say_error(&error.to_string(), None),
        };
        let answer = self.answer(answer, interrupt).await;
        self.screen.shell_begins(false);
        match answer {
            Err(error) => self.refused(&error),
            Ok(response) => self.answered(response, before, interrupt).await,
        }
    }

    async fn answered(&mut self, response: EvaluateResponse, before: u32, interrupt: &mut Option<Signal>) {
        if !response.result.is_empty() {
            self.screen.say("reply", &format!("{}\n", response.result));
        }
        let Some(console) = response.stepback else { return };
        if let Some(prompt) = console.prompt {
            self.screen.set_prompt(prompt);
        }
        self.wait_for_stop(before.saturating_add(console.stops), interrupt).await;
    }

    fn refused(&mut self, error: &ClientError) {
        match error {
            ClientError::Closed => self.screen.over = true,
            ClientError::Refused { text, error } => {
                let hint = error.as_ref().and_then(|error| error.variables.get("hint"));
                let text = hint.and_then(|hint| text.strip_suffix(&format!("; {hint}"))).unwrap_or(text);
                self.screen.say_error(text, hint.map(String::as_str));
            }
            other => self.screen.say_error(&other.to_string(), None),
        }
    }

    /// The answer. Ctrl-C in the meantime asks for an end of what runs.
    async fn answer(
        &mut self,
        pending: Pending,
        interrupt: &mut Option<Signal>,
    ) -> Result<EvaluateResponse, ClientError> {
        let answer = pending.result();
        tokio::pin!(answer);
        let response = loop {
            tokio::select! {
                biased;
                event = self.events.next_raw() => hear(&mut self.screen, event),
                response = &mut answer => break response?,
                Some(()) = received(interrupt) => self.pause(),
            }
        };
        Ok(EvaluateArguments::body(response.body.as_deref())?)
    }

    /// Waits until so many stops were told. Ctrl-C pauses the job, a second one freezes it.
    async fn wait_for_stop(&mut self, stops: u32, interrupt: &mut Option<Signal>) {
        let mut told = false;
        while self.screen.stops < stops && !self.screen.over {
            tokio::select! {
                event = self.events.next_raw() => hear(&mut self.screen, event),
                Some(()) = received(interrupt) => {
                    self.pause();
                    if self.lines.is_interactive() && !std::mem::replace(&mut told, true) {
                        self.screen.say_quietly("pausing", "  pausing after this step · Ctrl-C again freezes it now");
                    }
                }
            }
        }
    }

    fn pause(&self) {
        if let Ok(request) = encode(&PauseArguments { thread_id: FOREGROUND }) {
            drop(self.client.send(request));
        }
    }

    /// Leaves. A job of ours is ended, and how that goes is shown; any other one stays as it stands.
    async fn leave(&mut self) -> Ended {
        self.screen.leaving = true;
        let arguments = DisconnectArguments {
            suspend_debuggee: Some(self.manner == Manner::Visits),
            terminate_debuggee: Some(self.manner == Manner::Owns),
            ..DisconnectArguments::default()
        };
        let Ok(request) = encode(&arguments) else { return Ended::Left };
        let answer = self.client.send(request).response();
        tokio::pin!(answer);
        loop {
            tokio::select! {
                biased;
                event = self.events.next_raw(), if !self.screen.over => hear(&mut self.screen, event),
                // It may be over in this moment.
                _ = &mut answer => return Ended::Left,
            }
        }
    }
}

/// What a line is.
enum Meant {
    Nothing,
    Leave,
    Command(String),
}

fn hear(screen: &mut Screen, event: Option<RawEvent>) {
    match event {
        Some(event) => screen.hear(event),
        None => screen.over = true,
    }
}

fn encode<C: Command>(arguments: &C) -> serde_json::Result<dap_server::envelope::RawRequest> {
    let arguments = Some(serde_json::value::to_raw_value(arguments)?);
    Ok(dap_server::envelope::RawRequest { command: C::NAME.to_owned(), arguments })
}

/// The full name of the command that a line begins with, if that is certain.
fn name_of(line: &str) -> Option<&'static str> {
    let word = line.split_whitespace().next()?;
    ENTRIES.iter().find(|entry| entry.name == word || entry.aliases.contains(&word)).map(|entry| entry.name)
}

/// Whether the output that follows is that of a command which a person gave.
fn is_shell(line: &str) -> bool {
    line.starts_with('!') || matches!(name_of(line), Some("shell" | "try"))
}

/// The next signal of this kind; never, if it cannot be listened to.
async fn received(signal: &mut Option<Signal>) -> Option<()> {
    match signal {
        Some(signal) => signal.recv().await,
        None => std::future::pending().await,
    }
}

/// What was meant for something that has ended in the meantime is not meant for what comes next.
async fn forget(interrupt: &mut Option<Signal>) {
    tokio::select! {
        biased;
        Some(()) = received(interrupt) => {}
        () = std::future::ready(()) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_the_terminal_must_know_are_known_by_their_short_forms_too() {
        assert_eq!(name_of("q"), Some("quit"));
        assert_eq!(name_of("n"), Some("next"));
        assert_eq!(name_of("env.A"), None);
        assert!(is_shell("! ls") && is_shell("!ls") && is_shell("try make") && !is_shell("env"));
    }
}
