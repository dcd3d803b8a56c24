//! The contexts that a job's expressions see (steps.md 1.5).
//!
//! Puts together what was given at the start and what the job has done since; evaluates nothing.

use std::sync::{Arc, LazyLock};

use expr::{Object, Value};

use super::Job;
use crate::effect::Outcome;
use crate::process::CommandFiles;
use crate::secrets::Secrets;
use crate::slots::BackgroundSlots;
use crate::step_path::StepPath;

/// What a job is started with and never changes: one object per context, shared by everything that reads it.
#[derive(Clone, Default, PartialEq)]
pub struct JobInputs {
    /// `github`, without the parts that change from step to step.
    pub github: Arc<Object>,
    /// `needs`: the results and outputs of the jobs before it.
    pub needs: Arc<Object>,
    /// `strategy`.
    pub strategy: Arc<Object>,
    /// `matrix`; null without one.
    pub matrix: Value,
    /// `vars`.
    pub vars: Arc<Object>,
    /// `inputs`, as they were at the start.
    pub inputs: Arc<Object>,
    /// `secrets`, for a job of a called workflow, which sees those that the call passes on; `None`: all there are.
    pub secrets: Option<Arc<Object>>,
    /// `runner`; `temp` in it is where scripts and command files go.
    pub runner: Arc<Object>,
    /// How many of its background steps run at once.
    pub background_slots: BackgroundSlots,
}

/// How many entries of `github` belong to a step, those of an action included.
const OF_A_STEP: usize = 10;
/// How many contexts there are.
const CONTEXTS: usize = 11;

macro_rules! names {
    ($($name:ident),*) => {
        /// Names that every dispatch uses again, each made once.
        pub(super) struct Names { $(pub(super) $name: Arc<str>),* }
        pub(super) static NAMES: LazyLock<Names> = LazyLock::new(|| Names { $($name: Arc::from(stringify!($name))),* });
    };
}
names!(
    github,
    strategy,
    matrix,
    runner,
    job,
    inputs,
    steps,
    needs,
    vars,
    secrets,
    env,
    action,
    output,
    path,
    state,
    step_summary,
    status,
    outputs,
    outcome,
    conclusion,
    success,
    failure,
    cancelled,
    skipped
);

/// An outcome as it stands in a context.
pub(super) fn shared_text(outcome: Outcome) -> Value {
    Value::String(Arc::clone(match outcome {
        Outcome::Success => &NAMES.success,
        Outcome::Failure => &NAMES.failure,
        Outcome::Cancelled => &NAMES.cancelled,
        Outcome::Skipped => &NAMES.skipped,
    }))
}

/// No contexts, or a context in which there is nothing.
pub(super) static NOTHING: LazyLock<Arc<Object>> = LazyLock::new(Arc::default);

impl Job {
    /// All contexts, as the step at `path` sees them, with these two, which differ most from step to step.
    pub(super) fn contexts(
        &self,
        path: Option<&StepPath>,
        secrets: &Secrets,
        github: Arc<Object>,
        env: Arc<Object>,
    ) -> Object {
        let given = &self.given;
        let mut all = Object::new();
        all.reserve(CONTEXTS);
        let mut insert = |context: &Arc<str>, value: Value| all.insert(Arc::clone(context), value);
        insert(&NAMES.github, Value::Object(github));
        insert(&NAMES.strategy, Value::Object(Arc::clone(&given.strategy)));
        insert(&NAMES.matrix, given.matrix.clone());
        insert(&NAMES.runner, Value::Object(Arc::clone(&given.runner)));
        insert(&NAMES.job, Value::Object(self.job_context()));
        let inside = path.filter(|path| path.depth() > 0).map(|path| self.around(path));
        let (inputs, steps) = match inside {
            None => (&self.inputs, &self.steps),
            // The pre part of an inner step runs before the action around it is entered.
            Some(None) => (&*NOTHING, &*NOTHING),
            Some(Some(around)) => (&around.inputs, &around.steps),
        };
        insert(&NAMES.inputs, Value::Object(Arc::clone(inputs)));
        insert(&NAMES.steps, Value::Object(Arc::clone(steps)));
        if inside.is_none() {
            // An action sees none of these (steps.md 1.5).
            insert(&NAMES.needs, Value::Object(Arc::clone(&given.needs)));
            insert(&NAMES.vars, Value::Object(Arc::clone(&given.vars)));
            let passed_on = given.secrets.as_ref().unwrap_or(secrets.context());
            insert(&NAMES.secrets, Value::Object(Arc::clone(passed_on)));
        }
        insert(&NAMES.env, Value::Object(env));
        all
    }

    /// The `github` context with the parts that belong to a step.
    pub(super) fn github(&self, path: Option<&StepPath>) -> Object {
        let alike = self.alike.contexts(&self.plan, &self.given);
        let mut github = alike.github.clone();
        let Some(path) = path else { return github };
        github.reserve(OF_A_STEP);
        if let Some(step) = self.definition(path) {
            github.insert(Arc::clone(&NAMES.action), Value::String(Arc::clone(&step.context_name)));
        }
        self.action_context(path, &mut github);
        let names = [&NAMES.env, &NAMES.output, &NAMES.path, &NAMES.state, &NAMES.step_summary];
        for (name, file) in names.into_iter().zip(CommandFiles::paths(path, &alike.temp)) {
            github.insert(Arc::clone(name), Value::String(file));
        }
        github
    }

    fn job_context(&self) -> Arc<Object> {
        let alike = self.alike.contexts(&self.plan, &self.given);
        if self.status == Outcome::Success {
            return Arc::clone(&alike.job);
        }
        let mut job = alike.job.as_ref().clone();
        job.insert(Arc::clone(&NAMES.status), shared_text(self.status));
        Arc::new(job)
    }
}
