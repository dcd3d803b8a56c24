//! One combination of a matrix instead of all: what there is to choose from before anything has run, and the choice.
//!
//! Whoever chooses sees the combinations as the run will have them, with the same keys.

use std::sync::Arc;

use expr::{Object, Value};
use syntax::{Job, Token};

use super::matrix::expand;
use super::{Instance, Run, Work};
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
    /// What the job at `path` (`build`, or `call/build` in a called workflow) can be run for, or else a job on the way to it; `None`
    /// without a matrix, when all is chosen, and where a matrix is not known before the jobs that it needs have run.
    pub fn choices(&self, path: &str) -> Option<Choices> {
        let (first, rest) = path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)));
        let (id, job) = self.workflow.jobs.get_key_value(first)?;
        let mut contexts = self.contexts(job);
        contexts.insert("needs", Value::Null);
        let chosen = self.chosen_key().is_some_and(|key| key.id == *id);
        if !chosen && let Some(choices) = self.own_choices(id, job, &contexts) {
            return Some(choices);
        }
        match &self.group(id, job, &contexts).ok()?.instances.first()?.work {
            Work::Call(run) => run.choices(rest?),
            Work::Steps { .. } => None,
        }
    }

    fn own_choices(&self, id: &Arc<str>, job: &Job, contexts: &Object) -> Option<Choices> {
        let token = job.strategy.as_ref()?.matrix.as_ref()?;
        let combinations = expand(&self.token(token, contexts).ok()?).ok()?;
        let all =
            combinations.into_iter().zip(0..).map(|(one, index)| (self.key(id, Some(index)), one.values));
        Some(Choices { all: all.collect(), computed: !matches!(token.value, Token::Mapping(_)) })
    }

    /// Of the job with this id, and of those on the way to it, only this combination is run.
    pub fn only(&mut self, key: JobKey) {
        self.only = Some(key);
    }

    /// The chosen key as far as it is about this workflow.
    fn chosen_key(&self) -> Option<&JobKey> {
        self.only.as_ref()?.chain().get(self.depth()).copied()
    }

    /// What the person chose, if it is there.
    pub(super) fn chosen(&self, mut instances: Vec<Instance>) -> Vec<Instance> {
        let chosen = |instance: &Instance| Some(&instance.key) == self.chosen_key();
        if instances.iter().any(chosen) {
            instances.retain(chosen);
        }
        instances
    }
}
