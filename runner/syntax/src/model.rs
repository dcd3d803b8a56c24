//! A workflow file as typed values: the jobs, their steps and what triggers them.
//!
//! Values whose meaning depends on a run stay tokens or templates; nothing here is evaluated.

mod action;
mod permissions;
mod step;
mod triggers;

use std::sync::Arc;

use expr::{Condition, Template};
use indexmap::IndexMap;

pub use action::{Action, ActionInput, ActionOutput, ActionRuns, CompositeStep, Stage};
pub(crate) use permissions::SCOPES;
pub use permissions::{Level, Permissions, Permitted};
pub use step::{Step, StepBody};
pub use triggers::{CallOutput, CallSecret, Filter, Input, InputKind, Schedule, Trigger, Triggers};

use crate::source::{SourceId, Span, Spanned};
use crate::token::Token;
pub use crate::yaml::Alias;

/// A workflow file.
#[derive(Clone, Debug, PartialEq)]
pub struct Workflow {
    /// The file.
    pub source: SourceId,
    /// The file as shown to people; the whole reference for one of another repository.
    pub file: Arc<str>,
    /// Where it is from, if that is another repository than the run's own.
    pub origin: Option<WorkflowOrigin>,
    /// `name`.
    pub name: Option<Spanned<Template>>,
    /// `run-name`.
    pub run_name: Option<Spanned<Template>>,
    /// `on`.
    pub on: Triggers,
    /// `env`: a mapping, or an expression that gives one.
    pub env: Option<Spanned<Token>>,
    /// `defaults`.
    pub defaults: RunDefaults,
    /// `permissions`.
    pub permissions: Option<Permissions>,
    /// `concurrency`: a group, or a mapping.
    pub concurrency: Option<Spanned<Token>>,
    /// Jobs by id in the order of the file; one with a fault is in `faulty` instead.
    pub jobs: IndexMap<Arc<str>, Job>,
    /// Jobs with faults, as far as they could be read: for outlines and breakpoints, not to be run.
    /// What is at fault is `null` or not there.
    pub faulty: IndexMap<Arc<str>, Job>,
    /// Every YAML alias of the file and what it stands for.
    pub aliases: Vec<Alias>,
}

/// The repository of a workflow that was called from another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkflowOrigin {
    /// `owner/repo`
    pub repository: Arc<str>,
    /// The branch, tag or commit of the call.
    pub reference: Arc<str>,
    /// The commit that this stood for when the file was read, where that is known.
    pub commit: Option<Arc<str>>,
}

/// `defaults.run` of a workflow or job.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunDefaults {
    /// `shell`.
    pub shell: Option<Spanned<Template>>,
    /// `working-directory`.
    pub working_directory: Option<Spanned<Template>>,
    /// All of `defaults`: in a job, `run` may be one expression, and then the two above are empty.
    pub token: Option<Spanned<Token>>,
}

/// A job.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// The key under `jobs`.
    pub id: Spanned<Arc<str>>,
    /// Its mapping, without the key.
    pub span: Span,
    /// `name`; GitHub shows the id without one, or with an empty one.
    pub name: Option<Spanned<Template>>,
    /// `needs`, spelled as in the file: ids match in any case.
    pub needs: Vec<Spanned<Arc<str>>>,
    /// `if`, normalised (steps.md 1.4); without one `success()` at the job's place.
    pub condition: Spanned<Condition>,
    /// `strategy`.
    pub strategy: Option<Strategy>,
    /// `env`: a mapping, or an expression that gives one.
    pub env: Option<Spanned<Token>>,
    /// `defaults`.
    pub defaults: RunDefaults,
    /// `timeout-minutes`: a number, or an expression.
    pub timeout_minutes: Option<Spanned<Token>>,
    /// `cancel-timeout-minutes`: a number, or an expression.
    pub cancel_timeout_minutes: Option<Spanned<Token>>,
    /// `continue-on-error`: a boolean, or an expression.
    pub continue_on_error: Option<Spanned<Token>>,
    /// `outputs`.
    pub outputs: Vec<(Spanned<Arc<str>>, Spanned<Template>)>,
    /// `permissions`, else those of the workflow (or of the caller).
    pub permissions: Option<Permissions>,
    /// `concurrency`: a group, or a mapping.
    pub concurrency: Option<Spanned<Token>>,
    /// `environment`: a name, or a mapping with `name` and `url`.
    pub environment: Option<Spanned<Token>>,
    /// `snapshot`: an image name, or a mapping.
    pub snapshot: Option<Spanned<Token>>,
    /// What it does.
    pub body: JobBody,
}

/// What a job does.
#[derive(Clone, Debug, PartialEq)]
pub enum JobBody {
    /// Runs steps on a runner.
    Steps {
        /// `runs-on`: a label, labels, or a mapping with `group` and `labels`.
        runs_on: Spanned<Token>,
        /// `container`: an image, or a mapping.
        container: Option<Spanned<Token>>,
        /// `services`: a mapping of containers.
        services: Option<Spanned<Token>>,
        /// `steps`.
        steps: Vec<Step>,
    },
    /// Calls another workflow.
    Reusable {
        /// `uses`, as written.
        uses: Spanned<Arc<str>>,
        /// `with`.
        with: Option<Spanned<Token>>,
        /// `secrets`.
        secrets: Option<CallSecrets>,
        /// The called workflow, if calls are followed and the file could be had.
        workflow: Option<Arc<Workflow>>,
    },
}

/// `secrets` of a job that calls a workflow.
#[derive(Clone, Debug, PartialEq)]
pub enum CallSecrets {
    /// `inherit`: all that the caller has.
    Inherit(Span),
    /// By name.
    Named(Spanned<Token>),
}

/// `strategy` of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct Strategy {
    /// Its mapping, or the expression that gives one.
    pub span: Span,
    /// `matrix`: a mapping, or an expression.
    pub matrix: Option<Spanned<Token>>,
    /// `fail-fast`.
    pub fail_fast: Option<Spanned<Token>>,
    /// `max-parallel`.
    pub max_parallel: Option<Spanned<Token>>,
    /// All of it; when it is one expression, the three above are empty.
    pub token: Spanned<Token>,
}

impl Job {
    /// The steps, none for a job that calls a workflow.
    pub fn steps(&self) -> &[Step] {
        match &self.body {
            JobBody::Steps { steps, .. } => steps,
            JobBody::Reusable { .. } => &[],
        }
    }

    /// The workflow that it calls, if it calls one that could be had.
    pub fn called(&self) -> Option<&Arc<Workflow>> {
        match &self.body {
            JobBody::Steps { .. } => None,
            JobBody::Reusable { workflow, .. } => workflow.as_ref(),
        }
    }
}

impl Workflow {
    /// The job with this id in any case, as `needs` finds it.
    pub fn job(&self, id: &str) -> Option<&Job> {
        let folded = id.to_uppercase();
        self.jobs.get(id).or_else(|| self.jobs.values().find(|job| job.id.to_uppercase() == folded))
    }
}
