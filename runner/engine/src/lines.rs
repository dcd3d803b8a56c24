//! From the bytes of a step's output to log lines, commands and annotations (steps.md 3.3, 5.1, 5.3, 9).
//! Knows lines, commands, masks and matchers as values; where bytes come from and lines go to is the
//! host's affair, what a command does to the job is [`Job`'s](crate).

mod block;
mod execute;
mod output;
mod partial;
mod sink;
#[cfg(test)]
mod tests;

use crate::annotation::AnnotationCounts;
use crate::command::{WorkflowCommand, is_registered};
use crate::mask::Masks;
use crate::matcher::{Matchers, Scanner};
use partial::Partial;

pub use sink::{LineSink, LineTag, MaskStore, StepCommand, Stream};

/// What a step's surroundings say about its output. The defaults are GitHub's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineOptions {
    /// `ACTIONS_STEP_DEBUG`: debug lines are shown, and commands are echoed from the start.
    pub step_debug: bool,
    /// `ACTIONS_ALLOW_UNSECURE_COMMANDS` is true: `::set-env` and `::add-path` work.
    pub allow_unsecure_commands: bool,
    /// `ACTIONS_ALLOW_UNSECURE_STOPCOMMAND_TOKENS` is true: any stop token is taken.
    pub allow_unsecure_stop_tokens: bool,
    /// Server flag `DistributedTask.EnhancedAnnotations`: `::notice::` works. On for hosted GitHub.
    pub enhanced_annotations: bool,
    /// Server flag `DistributedTask.DeprecateStepOutputCommands`: `::set-output` and `::save-state` warn.
    pub deprecate_output_commands: bool,
    /// `github.workspace` as the step sees it; files of annotations are made relative to it.
    pub workspace: Option<String>,
    /// `github.repository`.
    pub repository: Option<String>,
    /// Annotations that this step has already, from earlier parts of it.
    pub annotations: AnnotationCounts,
}

impl Default for LineOptions {
    fn default() -> Self {
        Self {
            step_debug: false,
            allow_unsecure_commands: false,
            allow_unsecure_stop_tokens: false,
            enhanced_annotations: true,
            deprecate_output_commands: false,
            workspace: None,
            repository: None,
            annotations: AnnotationCounts::default(),
        }
    }
}

/// The text side of one step on one lane: a plain value that takes bytes as they arrive and gives lines
/// to a [`LineSink`]. How the bytes were split over calls makes no difference to what comes out. One
/// step, one processor: stop tokens, echo and matcher progress end with it.
///
/// A line ends at `\n`, `\r\n` or a lone `\r`. A line above
/// [`LINE_DISPLAY_BYTES`](crate::limits::LINE_DISPLAY_BYTES) comes in pieces and is not shown to matchers; commands work up to
/// [`LINE_COMMAND_BYTES`](crate::limits::LINE_COMMAND_BYTES), provided their name and properties stand in the first piece. Memory stays below
/// the larger of these plus the longest secret.
#[derive(Clone, PartialEq, Debug)]
pub struct LineProcessor {
    options: LineOptions,
    stdout: Partial,
    stderr: Partial,
    echo: bool,
    stop: StopToken,
    scanner: Scanner,
    annotations: AnnotationCounts,
}

/// The token of `::stop-commands::` while it is in force.
#[derive(Clone, PartialEq, Eq, Default)]
struct StopToken(Option<String>);

// Whoever knows the token could resume commands.
impl std::fmt::Debug for StopToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Stopped" } else { "Running" })
    }
}

/// Whether processing goes on after a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    // The set of matchers is about to change: the lines that follow have to wait for it.
    Pause,
}

/// What a line needs besides the processor itself.
struct Surroundings<'a, M, S> {
    store: &'a mut M,
    sink: &'a mut S,
    masks: Masks,
}

impl LineProcessor {
    /// A processor for a step that starts now, with the matchers in force in the job.
    pub fn new(options: LineOptions, matchers: &Matchers) -> Self {
        let mut scanner = Scanner::default();
        scanner.update(matchers);
        Self {
            stdout: Partial::default(),
            stderr: Partial::default(),
            echo: options.step_debug,
            stop: StopToken::default(),
            scanner,
            annotations: options.annotations,
            options,
        }
    }

    /// Takes bytes from one of the step's streams. Returns how many were taken: fewer than given only
    /// after an `add-matcher` or `remove-matcher` command, so that the caller can apply it with
    /// [`LineProcessor::set_matchers`] before feeding the rest. A mask that was added by another lane
    /// holds from the next call on, one added here from the next line on.
    #[must_use = "the bytes that were not taken have to be fed again"]
    pub fn feed(
        &mut self,
        stream: Stream,
        bytes: &[u8],
        store: &mut impl MaskStore,
        sink: &mut impl LineSink,
    ) -> usize {
        let masks = store.snapshot();
        let around = &mut Surroundings { store, sink, masks };
        let block_end = memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1);
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let (taken, flow) = match bytes.get(at..block_end).filter(|block| !block.is_empty()) {
                Some(block) if self.partial(stream).is_empty() => self.block(block, around),
                _ => self.feed_partial(stream, rest, around),
            };
            at += taken;
            if flow == Flow::Pause {
                break;
            }
        }
        at
    }

    /// The stream is at its end: a last line without a line end is processed.
    pub fn finish(&mut self, stream: Stream, store: &mut impl MaskStore, sink: &mut impl LineSink) {
        let masks = store.snapshot();
        self.end_partial(stream, &mut Surroundings { store, sink, masks });
    }

    /// Replaces the set of matchers; those that were there before go on where they were.
    pub fn set_matchers(&mut self, matchers: &Matchers) {
        self.scanner.update(matchers);
    }

    /// Annotations so far, for the next part of the same step.
    pub fn annotations(&self) -> AnnotationCounts {
        self.annotations
    }

    fn partial(&mut self, stream: Stream) -> &mut Partial {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }

    fn parse_command(&self, line: &str) -> Option<WorkflowCommand> {
        let token = self.stop.0.as_deref();
        WorkflowCommand::parse(line, |name| {
            is_registered(name) || token.is_some_and(|token| same_name(token, name))
        })
    }
}

/// Ordinal comparison without letter case, as upstream compares names and tokens.
fn same_name(one: &str, other: &str) -> bool {
    one == other || one.to_uppercase() == other.to_uppercase()
}
