//! The two sides that a processor talks to: where lines go, and where masks live.

use crate::annotation::{Annotation, Level};
use crate::mask::{Masks, Origin};

/// Which of a step's streams bytes came from. Each has its own unfinished line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What a log line is; the prefix that GitHub's log shows is [`LineTag::prefix`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LineTag {
    /// Output as it came.
    Plain,
    /// More of the line before: no line break between them. Lines above 64 KiB come in such pieces.
    Continued,
    /// An error.
    Error,
    /// A warning.
    Warning,
    /// A notice.
    Notice,
    /// Shown in step debug only.
    Debug,
    /// Opens a group.
    Group,
    /// Closes the group.
    EndGroup,
    /// A command line that the runner started; written by hosts, never by a processor.
    Command,
    /// A heading of the runner; written by hosts, never by a processor.
    Section,
}

impl LineTag {
    /// `##[error]` and so on; empty for output.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Plain | Self::Continued => "",
            Self::Error => "##[error]",
            Self::Warning => "##[warning]",
            Self::Notice => "##[notice]",
            Self::Debug => "##[debug]",
            Self::Group => "##[group]",
            Self::EndGroup => "##[endgroup]",
            Self::Command => "##[command]",
            Self::Section => "##[section]",
        }
    }
}

impl From<Level> for LineTag {
    fn from(level: Level) -> Self {
        match level {
            Level::Error => Self::Error,
            Level::Warning => Self::Warning,
            Level::Notice => Self::Notice,
        }
    }
}

/// What a workflow command asks of the job. Texts are raw: they may hold secrets.
#[derive(Clone, PartialEq, Eq)]
pub enum StepCommand {
    /// `::set-output name=N::V`
    SetOutput {
        /// Never empty.
        name: String,
        /// May be empty or hold newlines.
        value: String,
    },
    /// `::save-state name=N::V`
    SaveState {
        /// Never empty.
        name: String,
        /// May be empty or hold newlines.
        value: String,
    },
    /// `::set-env name=N::V`, where allowed; never `NODE_OPTIONS`.
    SetEnv {
        /// Never empty.
        name: String,
        /// May be empty or hold newlines.
        value: String,
    },
    /// `::add-path::FOLDER`, where allowed.
    AddPath {
        /// Never empty.
        path: String,
    },
    /// `::add-matcher::FILE`: read it ([`Matcher::parse`](crate::matcher::Matcher::parse)), add its matchers to the job's and set them in
    /// all running processors. An error there fails the step like [`StepCommand::Failed`].
    AddMatcher {
        /// Relative to the workspace, or absolute as the step sees it.
        file: String,
    },
    /// `::remove-matcher owner=O::`
    RemoveMatcher {
        /// Compare without letter case.
        owner: String,
    },
    /// `::remove-matcher::FILE`: the owners in that file ([`Matcher::owners`](crate::matcher::Matcher::owners)).
    RemoveMatchers {
        /// As in [`StepCommand::AddMatcher`].
        file: String,
    },
    /// A command could not be carried out: the step fails even if its process ends well. The error
    /// lines and annotations have been written already.
    Failed {
        /// The line, or only the command's name where the line is not shown.
        line: String,
        /// Why.
        message: String,
    },
}

// Names only: values may be secret.
impl std::fmt::Debug for StepCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SetOutput { name, .. } => write!(f, "SetOutput({name})"),
            Self::SaveState { name, .. } => write!(f, "SaveState({name})"),
            Self::SetEnv { name, .. } => write!(f, "SetEnv({name})"),
            Self::AddPath { .. } => f.write_str("AddPath"),
            Self::AddMatcher { .. } => f.write_str("AddMatcher"),
            Self::RemoveMatcher { owner } => write!(f, "RemoveMatcher({owner})"),
            Self::RemoveMatchers { .. } => f.write_str("RemoveMatchers"),
            Self::Failed { .. } => f.write_str("Failed"),
        }
    }
}

/// Takes what a processor makes of a step's output, in the order of the output.
pub trait LineSink {
    /// One line without its line end, masked. `text` is whatever the step wrote: not always UTF-8, and
    /// it may hold NUL.
    fn line(&mut self, tag: LineTag, text: &[u8]);

    /// Many plain lines at once, each ended by `\n` (the last one too): the way of nearly all output.
    /// Nothing in them is secret and no line holds a `\r`.
    fn plain_lines(&mut self, block: &[u8]) {
        let lines = block.strip_suffix(b"\n").unwrap_or(block);
        for line in lines.split(|byte| *byte == b'\n') {
            self.line(LineTag::Plain, line);
        }
    }

    /// A command for the job.
    fn command(&mut self, command: StepCommand);

    /// An annotation that counts; its log line comes by itself.
    fn annotation(&mut self, annotation: Annotation);
}

/// Where the masks of a run live. [`Masks`] itself is one; a host with several lanes puts one behind a
/// lock.
pub trait MaskStore {
    /// The masks of this moment.
    fn snapshot(&self) -> Masks;
    /// Adds a value that the run taught (`::add-mask::`, a stop token).
    fn add(&mut self, value: &[u8]);
}

impl MaskStore for Masks {
    fn snapshot(&self) -> Masks {
        self.clone()
    }

    fn add(&mut self, value: &[u8]) {
        Masks::add(self, value, Origin::Unnamed);
    }
}
