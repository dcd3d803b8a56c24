//! What a job is told by the outside.
//!
//! The set is closed: whatever may happen to a job is listed here.

use std::sync::Arc;

use expr::HashRequest;

use crate::action::ResolvedAction;
use crate::effect::{Outcome, TimerId};
use crate::step_path::{LaneId, StepPath};

/// One thing that happened.
#[derive(Clone, PartialEq)]
pub enum Event {
    /// The gate lets the job go on from the stop point where it stands.
    Advance,
    /// A workflow command in a step's output that changes the job at once: outputs, state, variables, PATH.
    /// Commands about matchers come as `Matchers`, failed ones as [`BodyEnd::command_failed`].
    Command {
        /// The lane whose output it stood in.
        lane: LaneId,
        /// The command.
        command: crate::lines::StepCommand,
    },
    /// The files that a matcher command named have been read.
    Matchers {
        /// The lane whose output the command stood in.
        lane: LaneId,
        /// What becomes of the job's matchers.
        change: MatcherChange,
    },
    /// A step's body is over: everything it wrote has been read, its file commands too.
    BodyEnded {
        /// The lane it ran in.
        lane: LaneId,
        /// What came of it.
        end: BodyEnd,
    },
    /// The answer to `Effect::HashFiles`.
    HashReady {
        /// The lane that asked.
        lane: LaneId,
        /// What was asked.
        request: HashRequest,
        /// The digest in hex, or why there is none.
        answer: Result<String, String>,
    },
    /// The answer to `Effect::FetchAction`.
    ActionReady {
        /// The lane that asked.
        lane: LaneId,
        /// The step that uses it.
        step: StepPath,
        /// The action, or why there is none.
        answer: Result<Arc<ResolvedAction>, String>,
    },
    /// A timer rang.
    Timer(TimerId),
    /// The job is to be stopped.
    Cancel(CancelReason),
    /// A background step is to be stopped, as a `cancel` step stops it.
    CancelLane(LaneId),
    /// A person changed something at this stop point.
    Edited(Edit),
    /// The job goes on from a moment at which background steps ran, whose processes are gone.
    Resumed {
        /// What becomes of them.
        lanes: LaneChoice,
    },
}

/// What becomes of background steps that ran at the moment to which a person went back (DESIGN 4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LaneChoice {
    /// They start again from their own start.
    #[default]
    Restart,
    /// They are over, as if a `cancel` step had named them.
    LeaveOut,
}

/// A change of the job's problem matchers.
#[derive(Clone, PartialEq)]
pub enum MatcherChange {
    /// These come before all others; one of the same owner is replaced.
    Add(Vec<crate::matcher::Matcher>),
    /// Those of these owners go.
    Remove(Vec<String>),
}

/// What came of a step's body.
#[derive(Clone, PartialEq)]
pub struct BodyEnd {
    /// How the process ended.
    pub exit: Exit,
    /// What the step's command files said.
    pub files: crate::file_command::FileCommandResults,
    /// A workflow command failed, which fails the step whatever its exit code (steps.md 1.3). The text was logged.
    pub command_failed: bool,
}

impl BodyEnd {
    /// The end of a body that was killed and said nothing.
    pub(crate) fn killed() -> Self {
        const KILL: i32 = 9;
        Self { exit: Exit::Signal(KILL), files: Default::default(), command_failed: false }
    }
}

/// How a body ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The exit code.
    Code(i32),
    /// The number of the signal that ended it.
    Signal(i32),
    /// It never ran, and why (masked).
    NotStarted(String),
    /// A built-in body failed, and why (masked).
    Failed(String),
}

/// Who stops the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelReason {
    /// A person.
    User,
    /// Another job of the matrix failed (`fail-fast`).
    FailFast,
    /// The job's `timeout-minutes` passed.
    JobTimeout,
    /// The whole run is being stopped.
    Run,
}

/// A change made by a person. Values may hold secrets; never print one.
#[derive(Clone, PartialEq)]
pub enum Edit {
    /// `env.NAME` of the job; `None` removes it.
    Env {
        /// The variable.
        name: Arc<str>,
        /// Its new value.
        value: Option<Arc<str>>,
    },
    /// `steps.ID.outputs.NAME`.
    Output {
        /// The step's id.
        step: Arc<str>,
        /// The output's name.
        name: Arc<str>,
        /// Its new value.
        value: Arc<str>,
    },
    /// `steps.ID.outcome`, and its conclusion with it.
    Outcome {
        /// The step's id.
        step: Arc<str>,
        /// Its new outcome.
        outcome: Outcome,
    },
    /// `inputs.NAME`.
    Input {
        /// The input.
        name: Arc<str>,
        /// Its new value.
        value: Arc<str>,
    },
    /// `job.status`.
    Status(Outcome),
    /// What file commands written by a shell command of the debugger said.
    Files(Box<crate::file_command::FileCommandResults>),
    /// The workflow file was read again; steps after the cursor take their new text.
    Plan(Arc<crate::plan::Plan>),
    /// Go on at another step, skipping what lies between.
    Jump(StepPath),
}
