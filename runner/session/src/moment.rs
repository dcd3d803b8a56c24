//! A point in a job's history that can be named, compared and come back to.
//!
//! Knows the job's state and the name of the workspace snapshot; not how either is kept on disk.

use std::fmt;
use std::sync::Arc;

use engine::effect::Outcome;
use engine::job::{Cursor, Job};
use engine::step_path::{LaneId, StepPath};
use host::snapshot::SnapshotId;

/// Names a moment. Numbers go up in the order of recording, across all branches; printed as `m12`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MomentId(pub u32);

impl fmt::Display for MomentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m{}", self.0)
    }
}

/// Names a branch of the timeline. The first one is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BranchId(pub u32);

impl fmt::Display for BranchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Where in a step a moment lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Point {
    /// Before the step's condition.
    Before(StepPath),
    /// The condition has been answered.
    Decided(StepPath),
    /// The body runs: the present when somebody went back from the middle of a step.
    During(StepPath),
    /// The step is over.
    After(StepPath, Outcome),
    /// The job is over.
    End(Outcome),
    /// A step inside of a background action is about to run. The foreground is wherever it was.
    LaneBefore(StepPath),
    /// A step is over in the background: the background step itself, or one inside of its action. The foreground is wherever it
    /// was.
    LaneAfter(StepPath, Outcome),
}

impl Point {
    /// The point at which a job's foreground stands.
    pub fn of(job: &Job) -> Self {
        match job.cursor() {
            Cursor::Ready(path) => Point::Before(path.clone()),
            Cursor::Decided(path, _) => Point::Decided(path.clone()),
            Cursor::Running(path) => Point::During(path.clone()),
            Cursor::Settled(path) => {
                let outcome = job.results().get(path).map_or(Outcome::Success, |result| result.outcome);
                Point::After(path.clone(), outcome)
            }
            Cursor::Done(outcome) => Point::End(*outcome),
        }
    }

    /// The step, unless the job is over.
    pub fn step(&self) -> Option<&StepPath> {
        match self {
            Point::Before(path)
            | Point::Decided(path)
            | Point::During(path)
            | Point::After(path, _)
            | Point::LaneBefore(path)
            | Point::LaneAfter(path, _) => Some(path),
            Point::End(_) => None,
        }
    }

    /// The line of execution that it is a stop point of.
    pub fn lane(&self) -> LaneId {
        match self {
            Point::LaneBefore(path) | Point::LaneAfter(path, _) => LaneId::of_background(path),
            Point::Before(_) | Point::Decided(_) | Point::During(_) | Point::After(..) | Point::End(_) => {
                LaneId::FOREGROUND
            }
        }
    }

    /// A stop point of a background step. The foreground has not come to another one.
    pub fn is_of_lane(&self) -> bool {
        self.lane() != LaneId::FOREGROUND
    }

    /// The step's number as people read it, in front of its name: `3 Test`; the name alone when the job is over.
    pub fn titled(&self, name: &str) -> String {
        self.step().map_or_else(|| name.to_owned(), |path| format!("{} {name}", path.number()))
    }

    /// True before the condition of `path`.
    pub fn is_before(&self, path: &StepPath) -> bool {
        matches!(self, Point::Before(own) if own == path)
    }
}

/// What made a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The job came here by itself.
    Advanced,
    /// A person changed something; the text (masked) says what.
    Edited(String),
    /// The present, kept because somebody went back from here.
    Left,
}

/// One moment.
#[derive(Clone)]
pub struct Moment {
    /// Its name.
    pub id: MomentId,
    /// The moment before it on its branch; `None` for the first one.
    pub parent: Option<MomentId>,
    /// The branch that it was recorded on.
    pub branch: BranchId,
    /// Where it lies.
    pub point: Point,
    /// What made it.
    pub cause: Cause,
    /// The whole state of the job.
    pub job: Arc<Job>,
    /// The workspace; `None` where no snapshot could be taken or its content was thinned.
    pub files: Option<SnapshotId>,
}

impl Moment {
    /// A job whose processes are gone can stand here. In the middle of a step that somebody paused it cannot: only `return` leads
    /// there. At a background step's moment it can, with the files of then, for what ran besides starts again.
    pub fn can_be_taken_up(&self) -> bool {
        match &self.point {
            Point::During(_) => false,
            Point::LaneBefore(_) | Point::LaneAfter(..) => self.files.is_some(),
            Point::Before(_) | Point::Decided(_) | Point::After(..) | Point::End(_) => true,
        }
    }
}
