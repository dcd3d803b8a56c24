//! What all steps of a job see alike, made when the first of them asks for it.
//!
//! Knows the plan and what the job was given, from which it follows; so it is neither compared nor written down, and is made anew when
//! the plan is exchanged.

use std::sync::{Arc, OnceLock};

use expr::{Object, Value};
use indexmap::IndexMap;

use super::contexts::{NAMES, shared_text};
use super::{JobInputs, workflow_identity};
use crate::effect::Outcome;
use crate::environment::StepVariables;
use crate::plan::Plan;

/// Shared by all clones of a job.
#[derive(Clone, Default)]
pub(super) struct Alike {
    made: Arc<Made>,
}

#[derive(Default)]
struct Made {
    contexts: OnceLock<AlikeContexts>,
    variables: OnceLock<StepVariables>,
}

/// What does not change from step to step in contexts that do.
pub(super) struct AlikeContexts {
    /// `github`, with the job's id in it.
    pub(super) github: Object,
    /// `job`, as long as nothing has failed.
    pub(super) job: Arc<Object>,
    /// `runner.temp`.
    pub(super) temp: Arc<str>,
}

impl PartialEq for Alike {
    /// Plan and inputs are compared; what follows from them is not.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Alike {
    /// The contexts of the job that has this plan and these inputs.
    pub(super) fn contexts(&self, plan: &Plan, given: &JobInputs) -> &AlikeContexts {
        self.made.contexts.get_or_init(|| AlikeContexts::of(plan, given))
    }

    /// `GITHUB_*` and `RUNNER_*` for a step of the job itself, which sees this `github`.
    pub(super) fn variables(&self, github: &Object, runner: &Object) -> IndexMap<Arc<str>, Arc<str>> {
        self.made.variables.get_or_init(|| StepVariables::of(github, runner)).for_step(github)
    }
}

impl AlikeContexts {
    fn of(plan: &Plan, given: &JobInputs) -> Self {
        let mut github = given.github.clone_with_room(1);
        github.insert("job", Value::String(Arc::clone(&plan.key.id)));
        let mut job = Object::from([(Arc::clone(&NAMES.status), shared_text(Outcome::Success))]);
        workflow_identity::put_into(&mut job, plan, &given.github);
        Self {
            github: github.shared_by_copies(),
            job: Arc::new(job),
            temp: given.runner.get("temp").map_or_else(|| Arc::from(""), Value::to_shared_text),
        }
    }
}
