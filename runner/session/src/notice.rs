//! What the session tells by itself, in the order in which it happened.
//!
//! All text is masked. A face may show what it likes of it.

use std::sync::Arc;
use std::time::Duration;

use engine::effect::Outcome;
use engine::lines::LineTag;
use engine::step_path::{LaneId, StepPath};
use host::log::LogBatch;
use host::services::KeptArtifact;

use crate::breakpoint::{Breakpoint, BreakpointId};
use crate::request::{Place, Stop};

/// Whoever shows the session to a person or writes it down. Called in the order in which things happened, from
/// whichever thread they happened on; the caller waits, so a slow observer slows the job instead of filling memory.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn notice(&self, notice: Notice);

    /// Lines were added to a log. They are masked.
    fn log(&self, batch: &LogBatch);
}

/// One piece of news.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// A step has begun.
    StepStarted {
        /// The line of execution that comes to it; a background step that runs goes on in its own.
        lane: LaneId,
        /// Which.
        step: StepPath,
        /// From 1 among the main steps.
        number: u32,
        /// Its display name.
        name: Arc<str>,
        /// Its place.
        place: Option<Place>,
    },
    /// A background step goes on in a lane of its own, which ends with its `StepEnded`.
    LaneStarted {
        /// The lane.
        lane: LaneId,
        /// The step's display name.
        name: Arc<str>,
    },
    /// A step is over.
    StepEnded(StepEnd),
    /// The job stands and waits for a request.
    Stopped(Box<Stop>),
    /// The job runs on.
    Continued,
    /// The job is over.
    JobEnded {
        /// How.
        outcome: Outcome,
        /// From its first step on.
        took: Duration,
        /// The branch on which it ended.
        branch: crate::moment::BranchId,
        /// What its steps have left for a person to find, masked.
        artifacts: Vec<KeptArtifact>,
    },
    /// A line of the job's own log: it belongs to no step.
    JobLog {
        /// What kind of line.
        tag: LineTag,
        /// The text.
        text: String,
    },
    /// A breakpoint in an action's file is in force now, or lies elsewhere: its action was found.
    BreakpointChanged(Box<Breakpoint>),
    /// A log point has something to say.
    LogPoint {
        /// Which.
        breakpoint: BreakpointId,
        /// Its message, evaluated.
        text: String,
        /// The step's place.
        place: Option<Place>,
    },
    /// Something a person should know, though the job goes on.
    Warning(String),
}

/// The end of a step.
#[derive(Clone, Debug, PartialEq)]
pub struct StepEnd {
    /// Where it ran.
    pub lane: LaneId,
    /// Which.
    pub step: StepPath,
    /// From 1 among the main steps.
    pub number: u32,
    /// Its display name.
    pub name: Arc<str>,
    /// What happened.
    pub outcome: Outcome,
    /// What counts for the job.
    pub conclusion: Outcome,
    /// How long its body ran; the time in which it stood frozen is left out.
    pub took: Duration,
    /// How many files it created, changed and deleted; `None` without snapshots.
    pub files: Option<FileCounts>,
    /// The exit code of its process, where there was one.
    pub exit_code: Option<i32>,
    /// Of a step that failed, the last lines it printed.
    pub last_lines: Vec<String>,
    /// The outputs it set, masked.
    pub outputs: Vec<(String, String)>,
    /// The variables it set for later steps, masked.
    pub variables: Vec<(String, String)>,
}

/// Changed files, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileCounts {
    /// New files.
    pub created: u64,
    /// Files with another content or mode.
    pub modified: u64,
    /// Files that are gone.
    pub deleted: u64,
}
