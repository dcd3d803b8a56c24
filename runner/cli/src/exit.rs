//! How the program ends: its exit codes, and the error that carries the second of them.
//!
//! Knows numbers and texts; decides nothing about a job.

use std::fmt;
use std::process::ExitCode;

/// Every way in which the program can end. The numbers are documented in the README and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: everything that was asked for went well.
    Success,
    /// 1: a job failed.
    JobFailed,
    /// 2: the command line, the configuration or the workflow is at fault; no step ran.
    BadUsage,
    /// 130: a person cancelled.
    Cancelled,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Success => 0,
            Exit::JobFailed => 1,
            Exit::BadUsage => 2,
            Exit::Cancelled => 130,
        })
    }
}

/// Something that a person can put right before anything runs: what went wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// What went wrong; may begin with `FILE:LINE:COLUMN: `.
    pub(crate) text: String,
    /// What to try.
    pub(crate) hint: Option<String>,
}

impl Fault {
    /// A fault without a hint.
    pub(crate) fn new(text: impl Into<String>) -> Fault {
        Fault { text: text.into(), hint: None }
    }

    /// The same with a hint.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Fault {
        self.hint = Some(hint.into());
        self
    }

    /// The same with a hint, if there is one.
    #[must_use]
    pub(crate) fn optional_hint(mut self, hint: Option<String>) -> Fault {
        self.hint = hint.or(self.hint);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Fault {}
