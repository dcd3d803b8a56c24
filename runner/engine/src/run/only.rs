//! One combination of a matrix instead of all: what there is to choose from before anything has run, and the choice.
//!
//! Whoever chooses sees the combinations as the run will have them, with the same keys.

use expr::{Object, Value};
use syntax::Token;

use super::matrix::expand;
use super::{Instance, Run};
use crate::plan::JobKey;

/// The combinations of a job's matrix.
#[derive(Clone, PartialEq)]
pub struct Choices {
    /// Each with its `matrix` context, in the order of the run.
    pub all: Vec<(JobKey, Object)>,
    /// The matrix comes out of an expression, at least as a whole.
    pub computed: bool,
}

impl Run {
    /// What the job `id` can be run for; `None` without a matrix, and where the matrix is not known before the jobs that it
    /// needs have run.
    pub fn choices(&self, id: &str) -> Option<Choices> {
        let (id, job) = self.workflow.jobs.get_key_value(id)?;
        let token = job.strategy.as_ref()?.matrix.as_ref()?;
        let mut contexts = self.contexts(job);
        contexts.insert("needs", Value::Null);
        let combinations = expand(&self.token(token, &contexts).ok()?).ok()?;
        let key = |index| JobKey { id: id.clone(), combination: Some(index) };
        let all = combinations.into_iter().zip(0..).map(|(one, index)| (key(index), one.values)).collect();
        Some(Choices { all, computed: !matches!(token.value, Token::Mapping(_)) })
    }

    /// Of the job with this id only this combination is run.
    pub fn only(&mut self, key: JobKey) {
        self.only = Some(key);
    }

    /// What the person chose, if it is there.
    pub(super) fn chosen(&self, mut instances: Vec<Instance>) -> Vec<Instance> {
        let chosen = |instance: &Instance| Some(&instance.plan.key) == self.only.as_ref();
        if instances.iter().any(chosen) {
            instances.retain(chosen);
        }
        instances
    }
}
