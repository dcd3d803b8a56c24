//! The output of the steps, beside the journal's frames: one pack per run of a step on a lane. It knows lines
//! and blocks. It does not mask (lines arrive masked), does not interpret commands, and knows no moment; a
//! [`LogPosition`](super::LogPosition) in a moment points into it.

mod archive;
mod block;
mod pack;
mod store;

use std::io;

use serde::{Deserialize, Serialize};

pub use archive::{LogArchive, LogEnd, LogLine};
pub use store::LogStore;

/// What a log is the log of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogHead {
    /// The lane; 0 is the foreground.
    pub lane: u32,
    /// Which step, as the text of its step path.
    pub step: String,
    /// The epoch of the dispatch: a step that ran again on another branch has another log.
    pub epoch: u64,
    /// When it began, in milliseconds since 1970 UTC.
    pub started_unix_ms: i64,
}

/// Why a log is not kept or cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The disk is full or broken. Reported once per store; what is not written is counted.
    #[error(
        "failed to write the log of step {step}: {source}\nhint: the step goes on; its further output is shown but not recorded"
    )]
    Write {
        /// Which step.
        step: String,
        /// What the system said.
        source: io::Error,
    },
    /// The folder or a pack cannot be read or made.
    #[error("failed to open the logs: {0}")]
    Open(#[from] io::Error),
    /// The recording has no such log.
    #[error("failed to show log {0}: the recording does not contain it")]
    Missing(u32),
    /// A block inside of the log was altered.
    #[error("failed to show the log of step {step}: it is damaged behind line {line}")]
    Damaged {
        /// Which step.
        step: String,
        /// The last line before the damage, counted from 1; 0 when there is none.
        line: u64,
    },
}
