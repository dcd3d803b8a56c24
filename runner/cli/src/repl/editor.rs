//! The line editor: rustyline on a thread of its own, with completion, hints and history.
//!
//! A thin face; what is printed meanwhile goes above the prompt and never tears it.

use std::borrow::Cow;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc as blocking;
use std::thread;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{ColorMode, CompletionType, Config, Context, Helper, Prompt};
use session::command::Candidate;
use tokio::sync::mpsc;

use super::above::Above;
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
    above: Above,
    /// How the terminal was; the editor changes it for as long as somebody types.
    terminal: Option<Termios>,
    reading: bool,
}

impl Editor {
    /// Starts the editor; `None` if the terminal cannot be edited on.
    pub(super) fn open(
        painter: Painter,
        history: PathBuf,
        completion: Completion,
    ) -> Option<(Editor, Output)> {
        let terminal = tcgetattr(io::stdin()).ok();
        let (wanted, asked) = blocking::channel::<String>();
        let (sender, lines) = mpsc::unbounded_channel();
        let (ready, made) = blocking::channel();
        let work = move || {
            let Some((mut editor, above)) = make(painter, &history, completion) else {
                let _ = ready.send(None);
                return;
            };
            let _ = ready.send(Some(above.clone()));
            for prompt in asked {
                above.begin_line();
                let line = edit(&mut editor, &Shown { prompt: &prompt, above: &above }, &history);
                above.end_line();
                if sender.send(line).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().name("editor".into()).spawn(work).ok()?;
        let above = made.recv().ok().flatten()?;
        let output = Output::new(Box::new(above.clone()));
        Some((Editor { wanted, lines, above, terminal, reading: false }, output))
    }

    /// The next line.
    pub(super) async fn next(&mut self, prompt: &str) -> Line {
        if self.wanted.send(prompt.to_owned()).is_err() {
            return Line::End;
        }
        self.reading = true;
        let line = self.lines.recv().await;
        self.reading = false;
        line.unwrap_or(Line::End)
    }
}

impl Drop for Editor {
    /// Whoever is asked for a line when the debugger goes does not answer any more, and the editor reads on to our end.
    fn drop(&mut self) {
        if !self.reading {
            return;
        }
        if let Some(terminal) = &self.terminal {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, terminal);
        }
        let _ = writeln!(io::stdout());
        self.above.end_line();
    }
}

/// A prompt that tells when it is drawn.
struct Shown<'p> {
    prompt: &'p str,
    above: &'p Above,
}

impl Prompt for Shown<'_> {
    fn raw(&self) -> &str {
        self.prompt
    }

    fn styled(&self) -> &str {
        self.above.prompt_is_drawn();
        self.prompt
    }
}

type Rustyline = rustyline::Editor<Assistant, FileHistory>;

fn make(painter: Painter, history: &Path, completion: Completion) -> Option<(Rustyline, Above)> {
    let config = Config::builder()
        .max_history_size(HISTORY_LINES)
        .ok()?
        .history_ignore_dups(true)
        .ok()?
        .history_ignore_space(true)
        .completion_type(CompletionType::List)
        .auto_add_history(false)
        // Whether there are colours, the painter knows. Only so is the assistant told when the row changes.
        .color_mode(ColorMode::Forced)
        .build();
    let mut editor: Rustyline = rustyline::Editor::with_config(config).ok()?;
    // The first session has no history yet.
    let _ = editor.load_history(history);
    let above = Above::new(io::stdout(), editor.create_external_printer().ok()?).ok()?;
    editor.set_helper(Some(Assistant { completion, painter, above: above.clone() }));
    Some((editor, above))
}

fn edit(editor: &mut Rustyline, prompt: &Shown<'_>, history: &Path) -> Line {
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
    above: Above,
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

    /// Asked before each drawing of the row but that behind the bell.
    fn highlight_char(&self, _: &str, _: usize, _: CmdKind) -> bool {
        self.above.row_changes();
        false
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
