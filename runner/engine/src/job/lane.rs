//! Where one line of execution stands.
//!
//! Knows its cursor and what the step at the cursor needs; not what other lanes do.

use std::sync::Arc;

use expr::{HashAnswers, HashRequest, Object};

use crate::effect::Outcome;
use crate::step_path::StepPath;

/// Every point at which a lane can stand. All but `Running` are stop points.
#[derive(Clone, Debug, PartialEq)]
pub enum Cursor {
    /// Before the step's condition.
    Ready(StepPath),
    /// The condition has been answered; the body has not begun.
    Decided(StepPath, Decision),
    /// The body runs.
    Running(StepPath),
    /// The step is over; the next one has not been looked at.
    Settled(StepPath),
    /// Nothing more will run.
    Done(Outcome),
}

impl Cursor {
    /// The step at the cursor.
    pub fn step(&self) -> Option<&StepPath> {
        match self {
            Cursor::Ready(path)
            | Cursor::Decided(path, _)
            | Cursor::Running(path)
            | Cursor::Settled(path) => Some(path),
            Cursor::Done(_) => None,
        }
    }
}

/// What became of a step's condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is true: the body will run.
    Run,
    /// It is false.
    Skip,
    /// The step's `env` or `if` could not be evaluated; the text (masked) says why.
    Fail(String),
}

/// Why a running body was told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The step's `timeout-minutes` passed.
    TimedOut {
        /// The limit, in minutes.
        minutes: u32,
    },
    /// The job was cancelled and the step's condition does not hold then.
    Cancelled,
    /// A `cancel` step named it, or a person left it out when the job went on from an earlier moment: nothing that counts
    /// against the job (steps.md 2.7, rows 11 and 12).
    CalledOff,
}

/// What a background step wrote, kept from the job until a step waits for it (steps.md 2.6). Values may hold secrets.
#[derive(Clone, Default, PartialEq)]
pub struct Deferred {
    /// Outputs, in the order in which they were set.
    pub outputs: Vec<(Arc<str>, Arc<str>)>,
    /// Variables for later steps, in the order in which they were set.
    pub env: Vec<(Arc<str>, Arc<str>)>,
    /// Entries for PATH, in the order in which they were added.
    pub path: Vec<Arc<str>>,
}

/// What the foreground waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// How it began.
    pub kind: WaitKind,
    /// The background steps that have to be over, in the order in which what they wrote is taken over.
    pub steps: Vec<StepPath>,
}

/// Why the foreground waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitKind {
    /// A `wait` step.
    Ids,
    /// A `wait-all` step.
    All,
    /// A `cancel` step.
    Cancel,
    /// The main stage is over, and something runs that no step waits for.
    StageEnd,
}

/// One line of execution.
#[derive(Clone, PartialEq)]
pub struct Lane {
    /// Where it stands.
    pub cursor: Cursor,
    /// What the step at the cursor was dispatched with; `None` before its condition is looked at.
    pub(crate) scope: Option<Scope>,
    /// The answers of `hashFiles` since the step at the cursor became ready.
    pub(crate) hashes: HashAnswers,
    /// The `hashFiles` that the lane waits for; it cannot advance meanwhile.
    pub(crate) asked: Option<HashRequest>,
    /// The lane waits for its step's action; it cannot advance meanwhile.
    pub(crate) fetching: bool,
    /// Set when the running body was told to stop.
    pub(crate) stop: Option<Stop>,
    /// Which minute limit runs, so that a timer of an earlier step means nothing. A background step's is set before it has a
    /// slot.
    pub(crate) timeout: Option<u32>,
    /// What a background step has written so far.
    pub(crate) deferred: Deferred,
    /// The background steps that the foreground waits for.
    pub(crate) wait: Option<Wait>,
}

/// Names in order, shared.
pub(crate) type NameList = Arc<[Arc<str>]>;

/// What a step was dispatched with (steps.md 1.2, steps 3 to 8).
#[derive(Clone, PartialEq)]
pub(crate) struct Scope {
    /// The display name, masked.
    pub(crate) name: Arc<str>,
    /// The `env` context: job, `GITHUB_ENV`, step.
    pub(crate) env: Arc<Object>,
    /// The names that the step's own `env:` sets, in order.
    pub(crate) own_env: NameList,
}

impl Lane {
    /// A lane that stands before a step.
    pub(crate) fn at(cursor: Cursor) -> Self {
        Self {
            cursor,
            scope: None,
            hashes: HashAnswers::default(),
            asked: None,
            fetching: false,
            stop: None,
            timeout: None,
            deferred: Deferred::default(),
            wait: None,
        }
    }

    /// Moves to another point, leaving nothing of the last one behind but what is kept for whoever waits.
    pub(crate) fn move_to(&mut self, cursor: Cursor) {
        *self = Self { deferred: std::mem::take(&mut self.deferred), ..Self::at(cursor) };
    }

    /// The background steps that the foreground waits for.
    pub fn waits_for(&self) -> Option<&Wait> {
        self.wait.as_ref()
    }

    /// What the step that runs here has written for later steps.
    pub fn deferred(&self) -> &Deferred {
        &self.deferred
    }

    /// A background step that waits for a slot.
    pub fn is_queued(&self) -> bool {
        matches!(&self.cursor, Cursor::Decided(path, _) if path.depth() == 0) && self.is_idle()
    }

    /// It waits for no answer and for no other lane.
    pub(crate) fn is_idle(&self) -> bool {
        self.asked.is_none() && !self.fetching && self.wait.is_none()
    }

    /// The step of this lane is over.
    pub fn is_over(&self) -> bool {
        match &self.cursor {
            Cursor::Settled(path) => path.depth() == 0,
            Cursor::Done(_) => true,
            Cursor::Ready(_) | Cursor::Decided(..) | Cursor::Running(_) => false,
        }
    }

    /// The `hashFiles` that the lane waits for.
    pub fn waits_for_hash(&self) -> Option<&HashRequest> {
        self.asked.as_ref()
    }
}
