//! The extension functions of one dispatch: the status functions and `hashFiles` (steps.md 1.2 step 2, 1.4).
//! A table is made anew from constants every time, so no function can be in it twice.
//! It does not know the well-known functions (`contains` …), nor whose status it is told.

use crate::fold;
use crate::hash::HashAnswers;
use crate::scope::{ALWAYS, CANCELLED, FAILURE, FunctionSignature, HASH_FILES, SUCCESS, Scope};

/// What an expression belongs to, which decides the functions it may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// An `if`: status functions and `hashFiles`.
    Condition,
    /// Everything else of a step: `hashFiles`.
    Body,
}

/// A status as `success()`, `failure()` and `cancelled()` see it: of a job, or the `action_status` of a
/// composite action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum JobStatus {
    /// Nothing has failed so far.
    #[default]
    Success,
    /// A step has failed.
    Failure,
    /// The job is cancelled.
    Cancelled,
}

/// What the status functions answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusFacts {
    /// What `success()` gives.
    pub success: bool,
    /// What `failure()` gives.
    pub failure: bool,
    /// What `cancelled()` gives.
    pub cancelled: bool,
}

impl StatusFacts {
    /// For a step of the job, and for the pre and post of any action; no status yet counts as success.
    pub fn for_job(status: Option<JobStatus>) -> StatusFacts {
        let status = status.unwrap_or_default();
        StatusFacts {
            success: status == JobStatus::Success,
            failure: status == JobStatus::Failure,
            cancelled: status == JobStatus::Cancelled,
        }
    }

    /// For a main step of a composite action: success and failure are those of the action
    /// (`github.action_status`), cancelling is that of the job.
    pub fn for_composite(job: Option<JobStatus>, action: Option<JobStatus>) -> StatusFacts {
        StatusFacts { cancelled: StatusFacts::for_job(job).cancelled, ..StatusFacts::for_job(action) }
    }
}

impl Default for StatusFacts {
    fn default() -> StatusFacts {
        StatusFacts::for_job(None)
    }
}

/// An extension function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extension {
    Always,
    Cancelled,
    Failure,
    Success,
    HashFiles,
}

const CONDITION: &[(FunctionSignature, Extension)] = &[
    (ALWAYS, Extension::Always),
    (CANCELLED, Extension::Cancelled),
    (FAILURE, Extension::Failure),
    (SUCCESS, Extension::Success),
    (HASH_FILES, Extension::HashFiles),
];

const BODY: &[(FunctionSignature, Extension)] = &[(HASH_FILES, Extension::HashFiles)];

/// The extension functions that one evaluation may call, and what they answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Functions {
    phase: Phase,
    status: StatusFacts,
    hashes: HashAnswers,
}

impl Functions {
    /// The functions of one dispatch: for [`Phase::Condition`] exactly `always`, `cancelled`, `failure`,
    /// `success` and `hashFiles`, for [`Phase::Body`] `hashFiles`.
    pub fn for_dispatch(phase: Phase, status: StatusFacts, hashes: HashAnswers) -> Functions {
        Functions { phase, status, hashes }
    }

    fn table(&self) -> &'static [(FunctionSignature, Extension)] {
        match self.phase {
            Phase::Condition => CONDITION,
            Phase::Body => BODY,
        }
    }

    /// Their names, in the order in which GitHub's runner adds them.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &'static str> {
        self.table().iter().map(|(signature, _)| signature.name)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.table().len()
    }

    /// Whether there are none; there always is one.
    pub fn is_empty(&self) -> bool {
        self.table().is_empty()
    }

    /// The scope of an expression that uses these functions and the given contexts.
    pub fn scope<'a>(&self, named_values: &'a [&'a str]) -> Scope<'a> {
        match self.phase {
            Phase::Condition => Scope::condition(named_values),
            Phase::Body => Scope::body(named_values),
        }
    }

    pub(crate) fn find(&self, name: &str) -> Option<Extension> {
        self.table()
            .iter()
            .find(|(signature, _)| fold::equals(signature.name, name))
            .map(|&(_, function)| function)
    }

    pub(crate) fn status(&self) -> StatusFacts {
        self.status
    }

    pub(crate) fn hashes(&self) -> &HashAnswers {
        &self.hashes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dispatch_has_each_function_once() {
        let functions = |phase| Functions::for_dispatch(phase, StatusFacts::default(), HashAnswers::new());
        let names: Vec<_> = functions(Phase::Condition).names().collect();
        assert_eq!(names, ["always", "cancelled", "failure", "success", "hashFiles"]);
        assert_eq!(functions(Phase::Body).names().collect::<Vec<_>>(), ["hashFiles"]);
        let declared: Vec<_> = Scope::CONDITION_FUNCTIONS.iter().map(|signature| signature.name).collect();
        assert_eq!(names, declared);
    }

    #[test]
    fn a_composite_reads_its_own_status_and_the_jobs_cancelling() {
        let facts = StatusFacts::for_composite(Some(JobStatus::Cancelled), Some(JobStatus::Failure));
        assert_eq!(facts, StatusFacts { success: false, failure: true, cancelled: true });
        assert!(StatusFacts::for_composite(Some(JobStatus::Failure), None).success);
    }
}
