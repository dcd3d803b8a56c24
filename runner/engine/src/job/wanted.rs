//! Which action a `uses:` is about: `$/path` written out, with the repository that it is in (steps.md 4.1).
//!
//! Knows where a step is written; not where actions are looked for.

use std::sync::Arc;

use super::Job;
use crate::action::{ActionReference, ResolvedAction};
use crate::step_path::StepPath;

/// An action as the host is asked for it.
pub(super) struct Wanted {
    /// The whole reference. `$/path` is left only where it means the run's own repository.
    pub(super) reference: Arc<str>,
    /// The commit that the version in it stands for, if the file with `$/` was read at one: versions may move meanwhile.
    pub(super) commit: Option<Arc<str>>,
}

impl Job {
    /// `$/path` means the repository of the action around the step. Where there is none, or it is a local one, that of the
    /// workflow counts, as GitHub's runner has it.
    pub(super) fn wanted(&self, path: &StepPath, reference: &Arc<str>) -> Wanted {
        let as_written = || Wanted { reference: Arc::clone(reference), commit: None };
        let folder = match ActionReference::of(reference) {
            // A version is the file's own; GitHub refuses another one.
            ActionReference::SelfRepository(folder) if !folder.contains('@') => folder,
            _ => return as_written(),
        };
        let around = path.parent().and_then(|parent| self.action(&parent));
        if let Some(wanted) = around.and_then(|action| beside(action, folder)) {
            return wanted;
        }
        match &self.plan.workflow.origin {
            Some(origin) => Wanted {
                reference: whole(&origin.repository, folder, &origin.reference),
                commit: origin.commit.clone(),
            },
            None => as_written(),
        }
    }
}

fn beside(action: &ResolvedAction, folder: &str) -> Option<Wanted> {
    let own = action.repository()?;
    Some(Wanted { reference: whole(own.repository, folder, own.reference), commit: action.commit.clone() })
}

fn whole(repository: &str, folder: &str, version: &str) -> Arc<str> {
    match folder {
        "" => format!("{repository}@{version}").into(),
        folder => format!("{repository}/{folder}@{version}").into(),
    }
}
