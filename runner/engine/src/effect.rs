//! What a job asks of the outside.
//!
//! Effects are plain values; the engine neither carries them out nor waits for them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use expr::HashRequest;

use crate::lines::LineTag;
use crate::process::{CheckoutSpec, ProcessSpec};
use crate::step_path::{LaneId, StepPath};

/// One thing to be done outside the job. The answer, if there is one, comes back as an [`Event`](crate::event::Event).
#[derive(Clone, PartialEq)]
pub enum Effect {
    /// Run the body of a step; answered by `Command`s and one `BodyEnded`.
    Spawn {
        /// Where it runs.
        lane: LaneId,
        /// What to run.
        body: Box<Body>,
    },
    /// Stop what runs in a lane; its `BodyEnded` still comes.
    Signal {
        /// Which lane.
        lane: LaneId,
        /// How insistently.
        signal: Signal,
    },
    /// Wake the job by `Timer(id)` when the lane has run for this long; a frozen lane's time stands still.
    SetTimer {
        /// The name of the timer, given back when it rings.
        id: TimerId,
        /// The lane's own time from now on.
        after: Duration,
    },
    /// Forget a timer. One that rang already may still be in the queue; the job ignores it.
    CancelTimer {
        /// Which one.
        id: TimerId,
    },
    /// Compute `hashFiles(…)` in the workspace; answered by `HashReady`.
    HashFiles {
        /// The lane that waits for it.
        lane: LaneId,
        /// What to hash; it names itself in the answer.
        request: HashRequest,
    },
    /// Find an action and read its manifest; answered by `ActionReady`.
    FetchAction {
        /// The lane that waits for it.
        lane: LaneId,
        /// The step that uses it; it names itself in the answer.
        step: StepPath,
        /// What `uses:` says. `$/path` is left only where it means the repository that the run is for.
        reference: Arc<str>,
        /// The commit that the version in it stands for, where that is settled already.
        commit: Option<Arc<str>>,
    },
    /// Something a person or a log wants to know. Texts in it are masked already.
    Report(Report),
}

/// What can run as the body of a step.
#[derive(Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "there is one at a time, and its effect boxes it")]
pub enum Body {
    /// A script in a shell.
    Process(ProcessSpec),
    /// The built-in checkout.
    Checkout(CheckoutSpec),
}

impl Body {
    /// The step whose body this is.
    pub fn step(&self) -> &StepPath {
        match self {
            Body::Process(spec) => &spec.step,
            Body::Checkout(spec) => &spec.step,
        }
    }
}

/// How to stop a lane (steps.md 3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT, after a while SIGTERM, after a while SIGKILL; always to the whole lane.
    Ladder,
    /// SIGKILL at once.
    Kill,
}

/// Names a timer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TimerId {
    /// `timeout-minutes` of the step that runs in this lane.
    Step(LaneId, StepPath),
    /// `timeout-minutes` of the job; it counts the foreground's time.
    Job,
}

impl TimerId {
    /// The lane whose time this timer counts.
    pub fn lane(&self) -> LaneId {
        match self {
            TimerId::Step(lane, _) => *lane,
            TimerId::Job => LaneId::FOREGROUND,
        }
    }
}

/// How a step or a job ended (steps.md 1.3). Ordered as the results merge: the greater one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It ended well.
    Success,
    /// It failed.
    Failure,
    /// It was stopped.
    Cancelled,
    /// Its condition was false.
    Skipped,
}

impl Outcome {
    /// The word GitHub uses in contexts: `success`, `failure`, `cancelled` or `skipped`.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Success => "success",
            Outcome::Failure => "failure",
            Outcome::Cancelled => "cancelled",
            Outcome::Skipped => "skipped",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// News from the job. All text in it is masked.
#[derive(Clone, Debug, PartialEq)]
pub enum Report {
    /// A step is about to be decided; from here on its log lines belong to it.
    StepStarted {
        /// Its lane.
        lane: LaneId,
        /// Which step.
        step: StepPath,
        /// Its display name.
        name: Arc<str>,
    },
    /// A background step goes on in a lane of its own.
    LaneStarted {
        /// Its lane.
        lane: LaneId,
        /// Which step.
        step: StepPath,
        /// Its display name.
        name: Arc<str>,
    },
    /// A step is over.
    StepSettled {
        /// Its lane.
        lane: LaneId,
        /// Which step.
        step: StepPath,
        /// Its display name as it was known at the end.
        name: Arc<str>,
        /// What happened.
        outcome: Outcome,
        /// What counts for the job: a failure that may be is a success here.
        conclusion: Outcome,
    },
    /// A line for the log of the step that the lane is at.
    Line {
        /// The lane.
        lane: LaneId,
        /// The step whose log it is; `None` is the job's own.
        step: Option<StepPath>,
        /// What kind of line.
        tag: LineTag,
        /// The text without its tag.
        text: String,
    },
    /// The job is over.
    JobFinished {
        /// How.
        outcome: Outcome,
    },
}
