//! The immutable list of what one job will do, with source spans.
//!
//! A plan is made from a parsed workflow and one combination of its matrix. It knows nothing of how far a job
//! has come: that is [`Job`](crate::job::Job).

mod expand;

use std::fmt;
use std::sync::Arc;

use expr::{Condition, Template, Value};
use syntax::{Job as JobDefinition, JobBody, RunDefaults, Spanned, Step, StepBody, Token, Workflow};

use crate::step_path::{Stage, StepPath};

/// Names one job of a run: its id, the matrix combination where there is one, and the jobs whose calls of workflows lead to it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobKey {
    /// The job that calls the workflow in which this one is; `None` for the workflow of the run.
    pub caller: Option<Arc<JobKey>>,
    /// The key below `jobs:`.
    pub id: Arc<str>,
    /// Which combination of the matrix, from 0; `None` without a matrix.
    pub combination: Option<u32>,
}

impl JobKey {
    /// The key of a job without a matrix.
    pub fn single(id: impl Into<Arc<str>>) -> Self {
        Self { caller: None, id: id.into(), combination: None }
    }

    /// From the job of the run's own workflow, through those that are called, to this one.
    pub fn chain(&self) -> Vec<&JobKey> {
        let outwards = std::iter::successors(Some(self), |key| key.caller.as_deref());
        let mut chain: Vec<_> = outwards.collect();
        chain.reverse();
        chain
    }

    /// The ids that lead to it, without combinations: `call/build`.
    pub fn id_path(&self) -> String {
        let ids: Vec<&str> = self.chain().into_iter().map(|key| &*key.id).collect();
        ids.join("/")
    }

    /// Whether it is `other`, or in a workflow that `other` calls.
    pub fn is_within(&self, other: &JobKey) -> bool {
        self.chain().contains(&other)
    }

    /// The workflow in which it is, when `top` is that of the run.
    pub fn workflow<'a>(&self, top: &'a Arc<Workflow>) -> Option<&'a Arc<Workflow>> {
        match &self.caller {
            None => Some(top),
            Some(caller) => caller.workflow(top)?.job(&caller.id)?.called(),
        }
    }
}

impl fmt::Display for JobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(caller) = &self.caller {
            write!(f, "{caller}/")?;
        }
        match self.combination {
            None => f.write_str(&self.id),
            Some(index) => write!(f, "{}[{index}]", self.id),
        }
    }
}

/// A job that calls the workflow which another job is in: a frame around that job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Its name, matrix values included, without those of the jobs around it.
    pub name: Arc<str>,
    /// The file in which it is, as shown to people.
    pub file: Arc<str>,
    /// The line of its `uses`, from 1.
    pub line: u32,
}

/// What one job will do.
#[derive(Clone, PartialEq)]
pub struct Plan {
    /// The workflow it was made from.
    pub workflow: Arc<Workflow>,
    /// The workflow file as shown to people, for instance `.github/workflows/ci.yml`.
    pub file: Arc<str>,
    /// Which job.
    pub key: JobKey,
    /// The name shown for the job, matrix values and the names of its callers included.
    pub name: Arc<str>,
    /// The jobs whose calls lead to it, the innermost first.
    pub callers: Arc<[Caller]>,
    /// The steps of the main stage, in order; pre and post hang off them. The members of a `parallel` group stand in it one by
    /// one, followed by a wait for them, and a wait that GitHub adds stands last.
    pub steps: Vec<PlannedStep>,
}

/// One step of the workflow, with what its action adds before and after.
#[derive(Clone, PartialEq)]
pub struct PlannedStep {
    /// The step as the workflow file has it.
    pub definition: Arc<Step>,
    /// What runs before the first step of the main stage.
    pub pre: Option<Hook>,
    /// What runs after the last one, if the step itself was started.
    pub post: Option<Hook>,
    /// It runs in a lane of its own, while the foreground goes on (steps.md 2).
    pub background: bool,
}

impl PlannedStep {
    /// A step without pre and post.
    fn new(definition: Step, background: bool) -> Self {
        Self { definition: Arc::new(definition), pre: None, post: None, background }
    }

    /// Whether it is called so in the `steps` context, in any case.
    pub(crate) fn has_context_name(&self, id: &str) -> bool {
        self.definition.context_name.eq_ignore_ascii_case(id)
    }
}

/// The pre or post part of an action.
#[derive(Clone, PartialEq)]
pub struct Hook {
    /// `pre-if` or `post-if`, by default `always()`; used as written (steps.md 4.2).
    pub condition: Condition,
    /// The script that is run.
    pub script: Template,
}

/// Why a workflow's job cannot become a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// There is no such job.
    #[error("the workflow has no job `{0}`")]
    UnknownJob(Arc<str>),
    /// The job calls another workflow.
    #[error("job `{0}` has no steps of its own: it calls a workflow")]
    ReusableWorkflow(Arc<str>),
}

/// What a path of a plan stands for.
#[derive(Clone, Copy)]
pub(crate) enum Planned<'a> {
    /// A step of the workflow.
    Step(&'a Step),
    /// The pre or post part of a step's action.
    Hook(&'a Step, &'a Hook),
    /// The pre or post program of a step's JavaScript action.
    Program(&'a Step, &'a syntax::Stage),
}

impl<'a> Planned<'a> {
    /// The step itself.
    pub(crate) fn step(self) -> &'a Step {
        let (Planned::Step(step) | Planned::Hook(step, _) | Planned::Program(step, _)) = self;
        step
    }

    /// What has to hold for it to run.
    pub(crate) fn condition(self) -> &'a expr::Expression {
        match self {
            Planned::Step(step) => step.condition.value.expression(),
            Planned::Hook(_, hook) => hook.condition.expression(),
            Planned::Program(_, stage) => &stage.condition.value,
        }
    }
}

impl Plan {
    /// The plan of the job that `key` names. `name` is its display name with the matrix applied.
    ///
    /// # Errors
    /// The workflow has no such job, or the job has no steps of its own.
    pub fn new(
        workflow: Arc<Workflow>,
        file: Arc<str>,
        key: JobKey,
        name: Arc<str>,
    ) -> Result<Self, PlanError> {
        let job = workflow.job(&key.id).ok_or_else(|| PlanError::UnknownJob(Arc::clone(&key.id)))?;
        let JobBody::Steps { steps, .. } = &job.body else {
            return Err(PlanError::ReusableWorkflow(Arc::clone(&key.id)));
        };
        let steps = expand::planned(steps);
        Ok(Self { workflow, file, key, name, callers: Arc::default(), steps })
    }

    /// The same plan, for a job that is reached by these calls, the innermost first.
    #[must_use]
    pub fn called_by(self, callers: Arc<[Caller]>) -> Self {
        Self { callers, ..self }
    }

    /// The job as the workflow file has it. `None` only if the plan's workflow was exchanged for another one.
    pub fn job(&self) -> Option<&JobDefinition> {
        self.workflow.job(&self.key.id)
    }

    /// The step that a path starts with.
    pub fn step(&self, path: &StepPath) -> Option<&PlannedStep> {
        self.steps.get(usize::try_from(path.index()).ok()?)
    }

    pub(crate) fn at(&self, path: &StepPath) -> Option<Planned<'_>> {
        let planned = self.step(path)?;
        let hook = match path.stage() {
            Stage::Main => return Some(Planned::Step(&planned.definition)),
            Stage::Pre => planned.pre.as_ref(),
            Stage::Post => planned.post.as_ref(),
        };
        hook.map(|hook| Planned::Hook(&planned.definition, hook))
    }

    /// The step at `index` of the main stage, if there is one.
    pub(crate) fn main(&self, index: u32) -> Option<StepPath> {
        let path = StepPath::main(index);
        self.step(&path).is_some().then_some(path)
    }

    /// The background steps before `path` that `id` names, in any case. Ids are unique, made-up ones too.
    pub(crate) fn background_before<'a>(
        &'a self,
        path: &StepPath,
        id: &'a str,
    ) -> impl Iterator<Item = StepPath> + 'a {
        let steps = self.steps.iter().zip(0..path.index());
        steps
            .filter(move |(step, _)| step.background && step.has_context_name(id))
            .map(|(_, index)| StepPath::main(index))
    }

    /// `defaults.run` of the job, then of the workflow.
    pub(crate) fn defaults(&self) -> impl Iterator<Item = &RunDefaults> {
        self.job().map(|job| &job.defaults).into_iter().chain([&self.workflow.defaults])
    }

    /// `env` of the workflow, then of the job.
    pub(crate) fn environments(&self) -> impl Iterator<Item = &Spanned<Token>> {
        self.workflow.env.iter().chain(self.job().and_then(|job| job.env.as_ref()))
    }

    /// The main step with this id, in any case.
    pub fn step_with_id(&self, id: &str) -> Option<StepPath> {
        self.steps
            .iter()
            .zip(0u32..)
            .find(|(step, _)| {
                step.definition.id.as_ref().is_some_and(|known| known.value.eq_ignore_ascii_case(id))
            })
            .map(|(_, index)| StepPath::main(index))
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plan({} of {}, {} steps)", self.key, self.file, self.steps.len())
    }
}

/// The name of a step that has no `name:`: what stands in the log's heading (steps.md 1.6).
pub(crate) fn unnamed_step_title(body: &StepBody, script: &str) -> String {
    match body {
        StepBody::Run { .. } => {
            let first = script.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
            format!("Run {}", first.trim_start())
        }
        StepBody::Uses { reference, .. } => {
            format!("Run {}", reference.value.strip_prefix('/').unwrap_or(&reference.value))
        }
        StepBody::Wait { .. } => "Wait".to_owned(),
        StepBody::WaitAll => "Wait for all".to_owned(),
        StepBody::Cancel { .. } => "Cancel".to_owned(),
        StepBody::Parallel { .. } => "Parallel".to_owned(),
    }
}

/// A matrix value as it stands in a job's name.
pub(crate) fn name_part(value: &Value) -> String {
    value.to_text().to_string()
}
