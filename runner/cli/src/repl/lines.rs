//! Where commands come from: an editor on a terminal, plain lines in a pipe.
//!
//! Knows lines, not commands.

use std::io::{self, BufRead as _};
use std::path::PathBuf;
use std::thread;

use tokio::sync::mpsc::{self, UnboundedReceiver};

use super::completion::Completion;
use super::editor::Editor;
use crate::output::Output;
use crate::terminal::Terminal;
use session::wording::Painter;

/// What came.
pub(super) enum Line {
    /// A line without its end.
    Text(String),
    /// Ctrl-C: the line was thrown away.
    Interrupted,
    /// No more lines will come.
    End,
}

/// A source of lines.
pub(super) enum Lines {
    /// A person at a terminal.
    Editor(Editor),
    /// A script, or another program.
    Script {
        /// The lines, as they arrive.
        lines: UnboundedReceiver<String>,
        /// For the echo.
        output: Output,
    },
}

impl Lines {
    /// The source for this terminal, and the output that does not tear its prompt.
    pub(super) fn open(
        terminal: Terminal,
        painter: Painter,
        history: PathBuf,
        completion: Completion,
    ) -> (Lines, Output) {
        if terminal.can_ask()
            && let Some((editor, output)) = Editor::open(painter, history, completion)
        {
            return (Lines::Editor(editor), output);
        }
        let output = Output::standard();
        (Lines::script(io::stdin(), output.clone()), output)
    }

    fn script(input: impl io::Read + Send + 'static, output: Output) -> Lines {
        let (sender, lines) = mpsc::unbounded_channel();
        let read = move || {
            for line in io::BufReader::new(input).lines() {
                // A line that is no text ends the script: what follows could mean anything.
                let Ok(line) = line else { return };
                if sender.send(line).is_err() {
                    return;
                }
            }
        };
        // Without a reader the script is over at once, which ends the session in good order.
        let _ = thread::Builder::new().name("commands".into()).spawn(read);
        Lines::Script { lines, output }
    }

    /// Whether a person types.
    pub(super) fn is_interactive(&self) -> bool {
        matches!(self, Lines::Editor(_))
    }

    /// The next line. In a pipe it is echoed behind its prompt; without a prompt it is not.
    pub(super) async fn next(&mut self, prompt: &str) -> Line {
        match self {
            Lines::Editor(editor) => editor.next(prompt).await,
            Lines::Script { lines, output } => match lines.recv().await {
                Some(line) => {
                    if !prompt.is_empty() {
                        output.write(format!("{prompt}{line}\n").as_bytes());
                    }
                    Line::Text(line)
                }
                None => Line::End,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::testing::Written;

    #[test]
    fn a_script_is_echoed_behind_its_prompts() {
        let written = Written::default();
        let mut lines = Lines::script(&b"next\n\nquit"[..], written.output());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let texts = runtime.block_on(async {
            let mut texts = Vec::new();
            while let Line::Text(text) = lines.next("(p) ").await {
                texts.push(text);
            }
            texts
        });
        assert_eq!(texts, ["next", "", "quit"]);
        assert_eq!(written.text(), "(p) next\n(p) \n(p) quit\n");
    }
}
