//! The contexts that a job's expressions see (steps.md 1.5).
//!
//! Puts together what was given at the start and what the job has done since; evaluates nothing.

use std::sync::{Arc, LazyLock};

use expr::{Object, Value};

use super::{Job, workflow_identity};
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
const OF_A_STEP: usize = 12;

const CONTEXTS: [&str; 11] =
    ["github", "strategy", "matrix", "runner", "job", "inputs", "steps", "needs", "vars", "secrets", "env"];

/// Names that every dispatch uses again.
static NAMES: LazyLock<Vec<Arc<str>>> = LazyLock::new(|| {
    let of_a_step = ["action", "output", "path", "state", "step_summary"];
    let of_a_job = ["status", "workflow_ref", "workflow_sha", "workflow_repository", "workflow_file_path"];
    let keys = of_a_step.into_iter().chain(of_a_job);
    CONTEXTS.into_iter().chain(keys).map(Arc::from).collect()
});

/// The name, shared if it is used again and again.
pub(super) fn name(text: &'static str) -> Arc<str> {
    NAMES.iter().find(|known| &***known == text).map_or_else(|| Arc::from(text), Arc::clone)
}

static NOTHING: LazyLock<Arc<Object>> = LazyLock::new(Arc::default);

impl Job {
    /// All contexts but `env`, as the step at `path` sees them.
    pub(super) fn contexts(&self, path: Option<&StepPath>, secrets: &Secrets) -> Object {
        let given = &self.given;
        let mut all = Object::new();
        all.reserve(CONTEXTS.len());
        let mut insert = |context: &'static str, value: Value| all.insert(name(context), value);
        insert("github", object(self.github(path)));
        insert("strategy", Value::Object(Arc::clone(&given.strategy)));
        insert("matrix", given.matrix.clone());
        insert("runner", Value::Object(Arc::clone(&given.runner)));
        insert("job", object(self.job_context()));
        let inside = path.filter(|path| path.depth() > 0).map(|path| self.around(path));
        let (inputs, steps) = match inside {
            None => (&self.inputs, &self.steps),
            // The pre part of an inner step runs before the action around it is entered.
            Some(None) => (&*NOTHING, &*NOTHING),
            Some(Some(around)) => (&around.inputs, &around.steps),
        };
        insert("inputs", Value::Object(Arc::clone(inputs)));
        insert("steps", Value::Object(Arc::clone(steps)));
        if inside.is_none() {
            // An action sees none of these (steps.md 1.5).
            insert("needs", Value::Object(Arc::clone(&given.needs)));
            insert("vars", Value::Object(Arc::clone(&given.vars)));
            let passed_on = given.secrets.as_ref().unwrap_or(secrets.context());
            insert("secrets", Value::Object(Arc::clone(passed_on)));
        }
        all
    }

    /// The `github` context with the parts that belong to a step.
    pub(super) fn github(&self, path: Option<&StepPath>) -> Object {
        let mut github = self.given.github.as_ref().clone();
        github.reserve(OF_A_STEP);
        github.insert(name("job"), Value::String(Arc::clone(&self.plan.key.id)));
        let Some(path) = path else { return github };
        if let Some(step) = self.definition(path) {
            github.insert(name("action"), Value::String(Arc::clone(&step.context_name)));
        }
        self.action_context(path, &mut github);
        let files = CommandFiles::of(path);
        let temp = self.temp();
        let in_temp = |file: &str| Value::string(format!("{temp}/{file}"));
        github.insert(name("env"), in_temp(&files.env));
        github.insert(name("output"), in_temp(&files.output));
        github.insert(name("path"), in_temp(&files.path));
        github.insert(name("state"), in_temp(&files.state));
        github.insert(name("step_summary"), in_temp(&files.summary));
        github
    }

    fn temp(&self) -> Arc<str> {
        self.given.runner.get("temp").map_or_else(|| Arc::from(""), Value::to_shared_text)
    }

    fn job_context(&self) -> Object {
        let mut job = Object::new();
        job.insert(name("status"), Value::string(self.status.as_str()));
        workflow_identity::put_into(&mut job, &self.plan, &self.given.github);
        job
    }
}

fn object(object: Object) -> Value {
    Value::Object(Arc::new(object))
}
