//! The line editor: rustyline on a thread of its own, with completion, hints and history.
//!
//! A thin face; what is printed meanwhile goes above the prompt and never tears it.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc as blocking;
use std::thread;

use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, ExternalPrinter, Helper};
use session::command::Candidate;
use tokio::sync::mpsc;

use super::above::{Above, Typing};
use super::completion::Completion;
use super::lines::Line;
use crate::output::Output;
use session::wording::{Meaning, Painter, padded};

/// Lines of history that are kept.
const HISTORY_LINES: usize = 2000;
/// The column of candidates in a list of completions.
const CANDIDATE_COLUMNS: usize = 24;

/// The end of the editor that asks for lines.
pub(crate) struct Editor {
    wanted: blocking::Sender<String>,
    lines: mpsc::UnboundedReceiver<Line>,
    typing: Typing,
}

impl Editor {
    /// Starts the editor; `None` if the terminal cannot be edited on.
    pub(super) fn open(
        painter: Painter,
        history: PathBuf,
        completion: Completion,
    ) -> Option<(Editor, Output)> {
        let (wanted, asked) = blocking::channel::<String>();
        let (sender, lines) = mpsc::unbounded_channel();
        let (ready, made) = blocking::channel();
        let typing = Typing::default();
        let at_work = typing.clone();
        let work = move || {
            let Some((mut editor, printer)) = make(painter, &history, completion) else {
                let _ = ready.send(None);
                return;
            };
            let _ = ready.send(Some(printer));
            for prompt in asked {
                let line = edit(&mut editor, &prompt, &history);
                at_work.set(false);
                if sender.send(line).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().name("editor".into()).spawn(work).ok()?;
        let printer = made.recv().ok().flatten()?;
        let above = Above::new(printer, typing.clone()).ok()?;
        Some((Editor { wanted, lines, typing }, Output::new(Box::new(above))))
    }

    /// The next line.
    pub(super) async fn next(&mut self, prompt: &str) -> Line {
        self.typing.set(true);
        if self.wanted.send(prompt.to_owned()).is_err() {
            return Line::End;
        }
        self.lines.recv().await.unwrap_or(Line::End)
    }
}

type Rustyline = rustyline::Editor<Assistant, FileHistory>;

fn make(
    painter: Painter,
    history: &Path,
    completion: Completion,
) -> Option<(Rustyline, impl ExternalPrinter + Send + use<>)> {
    let config = Config::builder()
        .max_history_size(HISTORY_LINES)
        .ok()?
        .history_ignore_dups(true)
        .ok()?
        .history_ignore_space(true)
        .completion_type(CompletionType::List)
        .auto_add_history(false)
        .build();
    let mut editor: Rustyline = rustyline::Editor::with_config(config).ok()?;
    editor.set_helper(Some(Assistant { completion, painter }));
    // The first session has no history yet.
    let _ = editor.load_history(history);
    let printer = editor.create_external_printer().ok()?;
    Some((editor, printer))
}

fn edit(editor: &mut Rustyline, prompt: &str, history: &Path) -> Line {
    match editor.readline(prompt) {
        Ok(line) => {
            if !line.trim().is_empty() && !may_hold_secret(&line) {
                let _ = editor.add_history_entry(line.as_str());
                let made = history.parent().map(fs::create_dir_all);
                // A history that cannot be written is no reason to stop.
                let _ = made.map(|_| editor.save_history(history));
            }
            Line::Text(line)
        }
        Err(ReadlineError::Interrupted) => Line::Interrupted,
        Err(_) => Line::End,
    }
}

/// What somebody sets by hand may be a secret: it is not kept.
fn may_hold_secret(line: &str) -> bool {
    line.trim_start().starts_with("set ")
}

/// Completion and hints, which the debugger gives.
struct Assistant {
    completion: Completion,
    painter: Painter,
}

impl Helper for Assistant {}
impl Validator for Assistant {}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(&self, line: &str, cursor: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (start, candidates) = self.completion.complete(line, cursor);
        let pair = |candidate: Candidate| Pair {
            display: match candidate.note.as_str() {
                "" => candidate.text.clone(),
                note => format!("{} {note}", padded(&candidate.text, CANDIDATE_COLUMNS)),
            },
            replacement: candidate.text,
        };
        Ok((start, candidates.into_iter().map(pair).collect()))
    }
}

impl Hinter for Assistant {
    type Hint = String;

    fn hint(&self, line: &str, cursor: usize, _: &Context<'_>) -> Option<String> {
        if cursor < line.len() { None } else { self.completion.hint(line) }
    }
}

impl Highlighter for Assistant {
    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(self.painter.paint(Meaning::Quiet, hint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_is_not_remembered() {
        assert!(may_hold_secret("  set env.TOKEN=hunter2"));
        assert!(!may_hold_secret("settle"));
        assert!(!may_hold_secret("next"));
    }
}
