//! Completion and hints for the line editor: asked of the debugger, which knows the job.
//!
//! Called on the editor's own thread, which may wait; knows positions in a line, and nothing of commands.

use dap_server::client::Client;
use dap_server::envelope::RawRequest;
use dap_server::protocol::Command;
use dap_server::protocol::evaluate::{CompletionsArguments, byte_at};
use session::command::{Candidate, Known, hint};

/// Asks for completions.
#[derive(Clone)]
pub(super) struct Completion {
    client: Client,
}

impl Completion {
    pub(super) fn of(client: Client) -> Self {
        Self { client }
    }

    /// The byte at which the replaced word begins, and what may take its place. Nothing where the debugger gives nothing.
    pub(super) fn complete(&self, line: &str, cursor: usize) -> (usize, Vec<Candidate>) {
        self.ask(line, cursor).unwrap_or((cursor, Vec::new()))
    }

    fn ask(&self, line: &str, cursor: usize) -> Option<(usize, Vec<Candidate>)> {
        let before = line.get(..cursor)?.encode_utf16().count();
        let column = i64::try_from(before).ok()?.checked_add(1)?;
        let arguments = CompletionsArguments { text: line.to_owned(), column, frame_id: None, line: None };
        let arguments = Some(serde_json::value::to_raw_value(&arguments).ok()?);
        let request = RawRequest { command: CompletionsArguments::NAME.to_owned(), arguments };
        let response =
            self.client.send(request).blocking_response().ok().filter(|response| response.success)?;
        let targets = CompletionsArguments::body(response.body.as_deref()).ok()?.targets;
        let units =
            targets.first().and_then(|target| target.start).and_then(|start| usize::try_from(start).ok());
        let start = units.map_or(cursor, |units| byte_at(line, units));
        let candidate = |target: dap_server::protocol::evaluate::CompletionItem| Candidate {
            text: target.label,
            note: target.detail.unwrap_or_default(),
        };
        Some((start, targets.into_iter().map(candidate).collect()))
    }

    /// What to show dimly behind the end of a line: what a command takes, or the rest of the only thing that fits.
    pub(super) fn hint(&self, line: &str) -> Option<String> {
        let body = line.trim_start();
        if body.is_empty() || body.starts_with(['!', '#', '?']) {
            return None;
        }
        hint(line, &Known::default()).or_else(|| {
            let (start, candidates) = self.ask(line, line.len())?;
            let [only] = candidates.as_slice() else { return None };
            let typed = line.get(start..).filter(|typed| !typed.is_empty())?;
            only.text.get(typed.len()..).map(str::to_owned)
        })
    }
}
