//! What is known of a job before its first step and does not change from moment to moment, so that a recording can be
//! opened on its own: the text of the workflow, what the job was given, which directories its snapshots cover.
//!
//! Plain data; it does not know how it is written down.

use std::path::PathBuf;
use std::sync::Arc;

use engine::expr::{Condition, Scope, Template};
use engine::job::JobInputs;
use engine::plan::{Caller, Hook, JobKey, Plan, PlanError};
use engine::syntax::{FileProvider, ReadOptions, SourceId, Sources, WorkflowOrigin, parse_workflow};
use indexmap::IndexMap;

/// What a job was given and where it ran.
#[derive(Clone, Default, PartialEq)]
pub struct JobFacts {
    /// What it was given: `github` with the event, `needs`, `matrix` and so on.
    pub inputs: JobInputs,
    /// The directories that its snapshots cover, by the names of their roots.
    pub roots: Vec<(String, PathBuf)>,
    /// The repository that it ran for, if it ran for one on this machine.
    pub repository: Option<PathBuf>,
    /// The command line options it was started with, masked.
    pub options: Vec<String>,
    /// Names of the secrets that its steps use.
    pub secrets_used: Vec<String>,
}

// Values may hold secrets.
impl std::fmt::Debug for JobFacts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JobFacts")
            .field("roots", &self.roots)
            .field("repository", &self.repository)
            .field("options", &self.options)
            .field("secrets_used", &self.secrets_used)
            .finish_non_exhaustive()
    }
}

/// The texts from which a plan was made, and can be made again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanText {
    /// The workflow file that has the job, as shown to people, for instance `.github/workflows/ci.yml`.
    pub file: Arc<str>,
    /// Its text.
    pub text: Arc<str>,
    /// The workflows that it calls, by reference as `uses:` has it.
    pub called: IndexMap<Arc<str>, Arc<str>>,
}

impl PlanText {
    /// A workflow file that calls no other.
    pub fn new(file: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        Self { file: file.into(), text: text.into(), called: IndexMap::new() }
    }
}

/// Gives the called workflows that were recorded.
impl FileProvider for PlanText {
    fn read(&self, path: &str) -> Result<Arc<str>, String> {
        self.called.get(path).cloned().ok_or_else(|| "the recording does not contain it".to_owned())
    }
}

/// A pre or post part of an action, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HookText {
    pub(super) step: u32,
    pub(super) post: bool,
    pub(super) condition: String,
    pub(super) script: String,
}

/// Everything that names one plan of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PlanFacts {
    pub(super) number: u32,
    pub(super) text: PlanText,
    pub(super) key: JobKey,
    pub(super) callers: Arc<[Caller]>,
    pub(super) name: Arc<str>,
    pub(super) origin: Option<WorkflowOrigin>,
    pub(super) hooks: Vec<HookText>,
}

/// Why a recorded workflow gives no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RebuildError {
    /// There is nothing in the text that could run.
    #[error("failed to read the recorded workflow {file}: {message}")]
    Workflow {
        /// Its name.
        file: Arc<str>,
        /// The first thing that is wrong with it.
        message: String,
    },
    /// The job is not in it.
    #[error("failed to plan the recorded job: {0}")]
    Plan(#[from] PlanError),
    /// A hook of an action does not fit its plan.
    #[error("failed to plan the recorded job: an action's pre or post part does not fit it")]
    Hook,
}

/// A plan made again from its text, and the sources that its spans point into.
#[derive(Clone, Debug)]
pub struct Rebuilt {
    /// The plan; equal to the one that was recorded.
    pub plan: Arc<Plan>,
    /// The workflow file and those that it calls.
    pub sources: Sources,
    /// The workflow file among them.
    pub source: SourceId,
}

impl PlanFacts {
    /// What there is to say of a plan.
    pub(super) fn of(number: u32, plan: &Plan, text: &PlanText) -> Self {
        let hooks = plan.steps.iter().zip(0u32..).flat_map(|(planned, step)| {
            let hook = move |hook: &Hook, post| HookText {
                step,
                post,
                condition: hook.condition.source().to_owned(),
                script: hook.script.source().to_owned(),
            };
            let pre = planned.pre.as_ref().map(|pre| hook(pre, false));
            pre.into_iter().chain(planned.post.as_ref().map(|post| hook(post, true)))
        });
        Self {
            number,
            text: text.clone(),
            key: plan.key.clone(),
            callers: Arc::clone(&plan.callers),
            name: Arc::clone(&plan.name),
            origin: plan.workflow.origin.clone(),
            hooks: hooks.collect(),
        }
    }

    /// The plan. Other jobs of the workflow may have faults; this one ran.
    pub(super) fn rebuild(&self) -> Result<Rebuilt, RebuildError> {
        let mut sources = Sources::new();
        let source = sources.add(Arc::clone(&self.text.file), Arc::clone(&self.text.text));
        let (workflow, diagnostics) =
            parse_workflow(&mut sources, source, &ReadOptions::default(), &self.text);
        let mut workflow = workflow.ok_or_else(|| RebuildError::Workflow {
            file: Arc::clone(&self.text.file),
            message: diagnostics.first().map_or_else(String::new, |first| first.message.clone()),
        })?;
        workflow.origin = self.origin.clone();
        let mut plan = Plan::new(
            Arc::new(workflow),
            Arc::clone(&self.text.file),
            self.key.clone(),
            Arc::clone(&self.name),
        )?
        .called_by(Arc::clone(&self.callers));
        for hook in &self.hooks {
            hook.put_into(&mut plan).ok_or(RebuildError::Hook)?;
        }
        Ok(Rebuilt { plan: Arc::new(plan), sources, source })
    }
}

impl HookText {
    fn put_into(&self, plan: &mut Plan) -> Option<()> {
        let scope = Scope::any();
        let step = plan.steps.get_mut(usize::try_from(self.step).ok()?)?;
        let hook = Hook {
            condition: Condition::parse(Some(&self.condition), &scope).ok()?,
            script: Template::parse(self.script.as_str(), &scope).ok()?,
        };
        *(if self.post { &mut step.post } else { &mut step.pre }) = Some(hook);
        Some(())
    }
}
