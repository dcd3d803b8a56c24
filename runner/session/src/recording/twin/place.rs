//! Small things with few forms: step paths, outcomes, cursors, `hashFiles` questions.

use engine::effect::Outcome;
use engine::event::CancelReason;
use engine::expr::HashRequest;
use engine::job::{Cursor, Decision, Stop};
use engine::step_path::{Stage, StepPath};
use serde::{Deserialize, Serialize};

use super::TwinError;
use super::text::{Filling, Hiding, Text};

const MALFORMED: TwinError = TwinError::Malformed("step paths");

/// [`StepPath`]; nearly all name a step of the workflow, which takes two bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum StepTwin {
    Pre(u32),
    Main(u32),
    Post(u32),
    /// A step inside a composite action, as its text.
    Nested(String),
}

impl StepTwin {
    pub(super) fn of(path: &StepPath) -> Self {
        match (path.depth(), path.stage()) {
            (0, Stage::Pre) => Self::Pre(path.index()),
            (0, Stage::Main) => Self::Main(path.index()),
            (0, Stage::Post) => Self::Post(path.index()),
            _ => Self::Nested(path.to_string()),
        }
    }

    pub(super) fn path(self) -> Result<StepPath, TwinError> {
        Ok(match self {
            Self::Pre(index) => StepPath::new(Stage::Pre, index),
            Self::Main(index) => StepPath::new(Stage::Main, index),
            Self::Post(index) => StepPath::new(Stage::Post, index),
            Self::Nested(text) => text.parse().map_err(|_| MALFORMED)?,
        })
    }
}

/// [`Outcome`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum OutcomeTwin {
    Success,
    Failure,
    Cancelled,
    Skipped,
    /// Cancelled for itself, and not with the job.
    CalledOff,
}

impl From<Outcome> for OutcomeTwin {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Success => Self::Success,
            Outcome::Failure => Self::Failure,
            Outcome::Cancelled => Self::Cancelled,
            Outcome::Skipped => Self::Skipped,
        }
    }
}

impl From<OutcomeTwin> for Outcome {
    fn from(outcome: OutcomeTwin) -> Self {
        match outcome {
            OutcomeTwin::Success => Self::Success,
            OutcomeTwin::Failure => Self::Failure,
            OutcomeTwin::Cancelled | OutcomeTwin::CalledOff => Self::Cancelled,
            OutcomeTwin::Skipped => Self::Skipped,
        }
    }
}

/// [`CancelReason`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum CancelTwin {
    User,
    FailFast,
    JobTimeout,
    Run,
}

impl From<CancelReason> for CancelTwin {
    fn from(reason: CancelReason) -> Self {
        match reason {
            CancelReason::User => Self::User,
            CancelReason::FailFast => Self::FailFast,
            CancelReason::JobTimeout => Self::JobTimeout,
            CancelReason::Run => Self::Run,
        }
    }
}

impl From<CancelTwin> for CancelReason {
    fn from(reason: CancelTwin) -> Self {
        match reason {
            CancelTwin::User => Self::User,
            CancelTwin::FailFast => Self::FailFast,
            CancelTwin::JobTimeout => Self::JobTimeout,
            CancelTwin::Run => Self::Run,
        }
    }
}

/// [`Stop`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum StopTwin {
    TimedOut(u32),
    Cancelled,
    CalledOff,
}

impl From<Stop> for StopTwin {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::TimedOut { minutes } => Self::TimedOut(minutes),
            Stop::Cancelled => Self::Cancelled,
            Stop::CalledOff => Self::CalledOff,
        }
    }
}

impl From<StopTwin> for Stop {
    fn from(stop: StopTwin) -> Self {
        match stop {
            StopTwin::TimedOut(minutes) => Self::TimedOut { minutes },
            StopTwin::Cancelled => Self::Cancelled,
            StopTwin::CalledOff => Self::CalledOff,
        }
    }
}

/// [`Cursor`], with its [`Decision`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum CursorTwin<'a> {
    Ready(StepTwin),
    WillRun(StepTwin),
    WillSkip(StepTwin),
    WillFail(StepTwin, #[serde(borrow)] Text<'a>),
    Running(StepTwin),
    Settled(StepTwin),
    Done(OutcomeTwin),
}

impl<'a> CursorTwin<'a> {
    pub(super) fn of(cursor: &'a Cursor, hide: &Hiding<'_>) -> Self {
        match cursor {
            Cursor::Ready(path) => Self::Ready(StepTwin::of(path)),
            Cursor::Decided(path, Decision::Run) => Self::WillRun(StepTwin::of(path)),
            Cursor::Decided(path, Decision::Skip) => Self::WillSkip(StepTwin::of(path)),
            Cursor::Decided(path, Decision::Fail(why)) => Self::WillFail(StepTwin::of(path), hide.text(why)),
            Cursor::Running(path) => Self::Running(StepTwin::of(path)),
            Cursor::Settled(path) => Self::Settled(StepTwin::of(path)),
            Cursor::Done(outcome) => Self::Done((*outcome).into()),
        }
    }

    pub(super) fn cursor(self, fill: &Filling<'_>) -> Result<Cursor, TwinError> {
        Ok(match self {
            Self::Ready(path) => Cursor::Ready(path.path()?),
            Self::WillRun(path) => Cursor::Decided(path.path()?, Decision::Run),
            Self::WillSkip(path) => Cursor::Decided(path.path()?, Decision::Skip),
            Self::WillFail(path, why) => Cursor::Decided(path.path()?, Decision::Fail(fill.string(why))),
            Self::Running(path) => Cursor::Running(path.path()?),
            Self::Settled(path) => Cursor::Settled(path.path()?),
            Self::Done(outcome) => Cursor::Done(outcome.into()),
        })
    }
}

/// [`HashRequest`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct HashTwin<'a> {
    #[serde(borrow)]
    patterns: Vec<Text<'a>>,
    follow_symbolic_links: bool,
}

impl<'a> HashTwin<'a> {
    pub(super) fn of(request: &'a HashRequest, hide: &Hiding<'_>) -> Self {
        Self {
            patterns: request.patterns.iter().map(|pattern| hide.text(pattern)).collect(),
            follow_symbolic_links: request.follow_symbolic_links,
        }
    }

    pub(super) fn request(self, fill: &Filling<'_>) -> HashRequest {
        HashRequest {
            patterns: self.patterns.into_iter().map(|pattern| fill.string(pattern)).collect(),
            follow_symbolic_links: self.follow_symbolic_links,
        }
    }
}
