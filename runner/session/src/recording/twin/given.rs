//! What a job was given and what its plan was made from: written once, not at every moment.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::num::NonZeroU32;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::job::JobInputs;
use engine::plan::{Caller, JobKey};
use engine::secrets::Secrets;
use engine::slots::BackgroundSlots;
use engine::syntax::WorkflowOrigin;
use serde::{Deserialize, Serialize};

use super::super::facts::{HookText, JobFacts, PlanFacts, PlanText};
use super::text::{Filling, Hiding, SecretCheck, Text};
use super::value::Tree;
use super::{Twin, TwinError};

/// [`JobFacts`], and what the secrets are recognised by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::recording) struct FactsTwin<'a> {
    #[serde(borrow)]
    checks: Vec<(Text<'a>, SecretCheck)>,
    github: Tree<'a>,
    needs: Tree<'a>,
    strategy: Tree<'a>,
    matrix: Tree<'a>,
    vars: Tree<'a>,
    inputs: Tree<'a>,
    secrets: Option<Tree<'a>>,
    runner: Tree<'a>,
    roots: Vec<(Text<'a>, PathTwin<'a>)>,
    repository: Option<PathTwin<'a>>,
    options: Vec<Text<'a>>,
    secrets_used: Vec<Text<'a>>,
}

impl Twin for FactsTwin<'_> {
    const KIND: &'static str = "description of the job";
}

/// What 3.2 added to [`FactsTwin`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct FactsLater {
    background_slots: u32,
}

impl FactsLater {
    fn background_slots(&self) -> BackgroundSlots {
        NonZeroU32::new(self.background_slots).map(BackgroundSlots::new).unwrap_or_default()
    }
}

/// A path, which need not be UTF-8.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum PathTwin<'a> {
    Text(#[serde(borrow)] Text<'a>),
    Bytes(#[serde(borrow)] Cow<'a, [u8]>),
}

impl<'a> FactsTwin<'a> {
    /// The bytes of the facts. Names of secrets are no secrets.
    pub(in crate::recording) fn write(facts: &JobFacts, secrets: &Secrets) -> Result<Vec<u8>, TwinError> {
        let hide = Hiding::new(secrets.masks());
        let inputs = &facts.inputs;
        let twin = FactsTwin {
            checks: secrets
                .names()
                .filter_map(|name| {
                    let value = secrets.value(name)?;
                    Some((Text(name.as_ref().into()), SecretCheck::of(name, value)))
                })
                .collect(),
            github: Tree::of_object(&inputs.github, &hide),
            needs: Tree::of_object(&inputs.needs, &hide),
            strategy: Tree::of_object(&inputs.strategy, &hide),
            matrix: Tree::of(&inputs.matrix, &hide),
            vars: Tree::of_object(&inputs.vars, &hide),
            inputs: Tree::of_object(&inputs.inputs, &hide),
            secrets: inputs.secrets.as_ref().map(|secrets| Tree::of_object(secrets, &hide)),
            runner: Tree::of_object(&inputs.runner, &hide),
            roots: facts
                .roots
                .iter()
                .map(|(name, path)| (hide.text(name), PathTwin::of(path, &hide)))
                .collect(),
            repository: facts.repository.as_deref().map(|path| PathTwin::of(path, &hide)),
            options: facts.options.iter().map(|option| hide.text(option)).collect(),
            secrets_used: facts.secrets_used.iter().map(|name| Text(name.as_str().into())).collect(),
        };
        super::write_all(&twin, &FactsLater { background_slots: inputs.background_slots.number().get() })
    }

    /// The facts in `bytes`; `fill` learns what the secrets are recognised by.
    pub(in crate::recording) fn read(bytes: &'a [u8], fill: &mut Filling<'_>) -> Result<JobFacts, TwinError> {
        let (twin, later): (Self, FactsLater) = super::read_all(bytes)?;
        for (name, check) in &twin.checks {
            fill.check(&name.0, *check);
        }
        let fill = &*fill;
        let inputs = JobInputs {
            github: Arc::new(twin.github.owned_object(fill)?),
            needs: Arc::new(twin.needs.owned_object(fill)?),
            strategy: Arc::new(twin.strategy.owned_object(fill)?),
            matrix: twin.matrix.value(fill)?,
            vars: Arc::new(twin.vars.owned_object(fill)?),
            inputs: Arc::new(twin.inputs.owned_object(fill)?),
            secrets: twin.secrets.map(|secrets| secrets.owned_object(fill)).transpose()?.map(Arc::new),
            runner: Arc::new(twin.runner.owned_object(fill)?),
            background_slots: later.background_slots(),
        };
        Ok(JobFacts {
            inputs,
            roots: twin.roots.into_iter().map(|(name, path)| (fill.string(name), path.path(fill))).collect(),
            repository: twin.repository.map(|path| path.path(fill)),
            options: twin.options.into_iter().map(|option| fill.string(option)).collect(),
            secrets_used: twin.secrets_used.into_iter().map(|name| name.0.into_owned()).collect(),
        })
    }
}

impl<'a> PathTwin<'a> {
    fn of(path: &'a Path, hide: &Hiding<'_>) -> Self {
        match path.to_str() {
            Some(text) => Self::Text(hide.text(text)),
            None => Self::Bytes(hide.bytes(path.as_os_str().as_bytes())),
        }
    }

    fn path(self, fill: &Filling<'_>) -> PathBuf {
        match self {
            Self::Text(text) => PathBuf::from(fill.string(text)),
            Self::Bytes(Cow::Borrowed(bytes)) => PathBuf::from(OsStr::from_bytes(bytes)),
            Self::Bytes(Cow::Owned(bytes)) => PathBuf::from(OsString::from_vec(bytes)),
        }
    }
}

/// [`PlanFacts`]: the text of a workflow and which of its jobs is meant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::recording) struct PlanTwin<'a> {
    number: u32,
    #[serde(borrow)]
    file: Text<'a>,
    text: Text<'a>,
    called: Vec<(Text<'a>, Text<'a>)>,
    job: Text<'a>,
    combination: Option<u32>,
    name: Text<'a>,
    callers: Vec<CallerTwin<'a>>,
    hooks: Vec<HookTwin<'a>>,
}

impl Twin for PlanTwin<'_> {
    const KIND: &'static str = "workflow";
}

/// What 3.2 added to [`PlanTwin`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct PlanLater<'a> {
    #[serde(borrow)]
    origin: Option<OriginTwin<'a>>,
}

/// [`WorkflowOrigin`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct OriginTwin<'a> {
    #[serde(borrow)]
    repository: Text<'a>,
    reference: Text<'a>,
    commit: Option<Text<'a>>,
}

impl<'a> OriginTwin<'a> {
    fn of(origin: &'a WorkflowOrigin, hide: &Hiding<'_>) -> Self {
        Self {
            repository: hide.text(&origin.repository),
            reference: hide.text(&origin.reference),
            commit: origin.commit.as_ref().map(|commit| hide.text(commit)),
        }
    }

    fn origin(&self, fill: &Filling<'_>) -> WorkflowOrigin {
        WorkflowOrigin {
            repository: fill.text(&self.repository),
            reference: fill.text(&self.reference),
            commit: self.commit.as_ref().map(|commit| fill.text(commit)),
        }
    }
}

/// A job around the one that is meant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct CallerTwin<'a> {
    #[serde(borrow)]
    job: Text<'a>,
    combination: Option<u32>,
    name: Text<'a>,
    file: Text<'a>,
    line: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct HookTwin<'a> {
    step: u32,
    post: bool,
    #[serde(borrow)]
    condition: Text<'a>,
    script: Text<'a>,
}

impl<'a> PlanTwin<'a> {
    /// The bytes of the plan.
    pub(in crate::recording) fn write(facts: &PlanFacts, hide: &Hiding<'_>) -> Result<Vec<u8>, TwinError> {
        let text = &facts.text;
        let twin = PlanTwin {
            number: facts.number,
            file: hide.text(&text.file),
            text: hide.text(&text.text),
            called: text.called.iter().map(|(name, text)| (hide.text(name), hide.text(text))).collect(),
            job: hide.text(&facts.key.id),
            combination: facts.key.combination,
            name: hide.text(&facts.name),
            callers: facts
                .callers
                .iter()
                .zip(keys_outwards(&facts.key).skip(1))
                .map(|(caller, key)| CallerTwin {
                    job: hide.text(&key.id),
                    combination: key.combination,
                    name: hide.text(&caller.name),
                    file: hide.text(&caller.file),
                    line: caller.line,
                })
                .collect(),
            hooks: facts
                .hooks
                .iter()
                .map(|hook| HookTwin {
                    step: hook.step,
                    post: hook.post,
                    condition: hide.text(&hook.condition),
                    script: hide.text(&hook.script),
                })
                .collect(),
        };
        let later = PlanLater { origin: facts.origin.as_ref().map(|origin| OriginTwin::of(origin, hide)) };
        super::write_all(&twin, &later)
    }

    /// The plan in `bytes`. Where secrets are missing, words take their places, so that the text can still be parsed.
    pub(in crate::recording) fn read(bytes: &'a [u8], fill: &Filling<'_>) -> Result<PlanFacts, TwinError> {
        let (twin, later): (Self, PlanLater<'_>) = super::read_all(bytes)?;
        let called = twin.called.iter().map(|(name, text)| (fill.file(name), fill.file(text)));
        Ok(PlanFacts {
            number: twin.number,
            text: PlanText {
                file: fill.text(&twin.file),
                text: fill.file(&twin.text),
                called: called.collect(),
            },
            key: JobKey {
                caller: CallerTwin::key(&twin.callers, fill),
                id: fill.file(&twin.job),
                combination: twin.combination,
            },
            callers: twin.callers.iter().map(|caller| caller.caller(fill)).collect(),
            name: fill.text(&twin.name),
            origin: later.origin.map(|origin| origin.origin(fill)),
            hooks: twin
                .hooks
                .into_iter()
                .map(|hook| HookText {
                    step: hook.step,
                    post: hook.post,
                    condition: fill.file(&hook.condition).to_string(),
                    script: fill.file(&hook.script).to_string(),
                })
                .collect(),
        })
    }
}

impl CallerTwin<'_> {
    /// The key of the first of these jobs, each called by the next.
    fn key(callers: &[Self], fill: &Filling<'_>) -> Option<Arc<JobKey>> {
        callers.iter().rev().fold(None, |caller, twin| {
            Some(Arc::new(JobKey { caller, id: fill.file(&twin.job), combination: twin.combination }))
        })
    }

    fn caller(&self, fill: &Filling<'_>) -> Caller {
        Caller { name: fill.text(&self.name), file: fill.text(&self.file), line: self.line }
    }
}

fn keys_outwards(key: &JobKey) -> impl Iterator<Item = &JobKey> {
    std::iter::successors(Some(key), |key| key.caller.as_deref())
}
