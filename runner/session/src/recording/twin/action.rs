//! Actions that were found, and composite actions that were entered.

use std::sync::Arc;

use engine::action::ResolvedAction;
use engine::job::CompositeState;
use serde::{Deserialize, Serialize};

use super::TwinError;
use super::lane::ScopeTwin;
use super::place::OutcomeTwin;
use super::text::{Filling, Hiding, Text};
use super::value::Tree;

/// [`ResolvedAction`]; its manifest is read again from the text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ActionTwin<'a> {
    #[serde(borrow)]
    reference: Text<'a>,
    directory: Text<'a>,
    file: Text<'a>,
    text: Text<'a>,
    commit: Option<Text<'a>>,
}

impl<'a> ActionTwin<'a> {
    pub(super) fn of(action: &'a ResolvedAction, hide: &Hiding<'_>) -> Self {
        Self {
            reference: hide.text(&action.reference),
            directory: hide.text(&action.directory),
            file: hide.text(&action.file),
            text: hide.text(&action.text),
            commit: action.commit.as_ref().map(|commit| hide.text(commit)),
        }
    }
}

/// Actions that were read, so that each manifest is parsed once.
#[derive(Debug, Default)]
pub(super) struct ActionPool {
    known: Vec<Arc<ResolvedAction>>,
}

impl ActionPool {
    pub(super) fn action(
        &mut self,
        twin: ActionTwin<'_>,
        fill: &Filling<'_>,
    ) -> Result<Arc<ResolvedAction>, TwinError> {
        let text = |text: &Text<'_>| fill.text(text);
        let (reference, directory) = (text(&twin.reference), text(&twin.directory));
        let (file, manifest) = (text(&twin.file), text(&twin.text));
        let commit = twin.commit.as_ref().map(text);
        let same = |known: &&Arc<ResolvedAction>| {
            known.reference == reference
                && known.directory == directory
                && known.file == file
                && known.text == manifest
                && known.commit == commit
        };
        if let Some(known) = self.known.iter().find(same) {
            return Ok(Arc::clone(known));
        }
        let action = ResolvedAction::new(&reference, &directory, &file, &manifest, commit.as_deref());
        let unread = || ResolvedAction::unread(&reference, &directory, &file, &manifest, commit.as_deref());
        let action = action.ok().or_else(unread).map(Arc::new).ok_or(TwinError::Malformed("actions"))?;
        self.known.push(Arc::clone(&action));
        Ok(action)
    }
}

/// [`CompositeState`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct CompositeTwin<'a> {
    #[serde(borrow)]
    scope: ScopeTwin<'a>,
    inputs: Tree<'a>,
    steps: Tree<'a>,
    status: OutcomeTwin,
    timeout: Option<u32>,
    broken: bool,
}

impl<'a> CompositeTwin<'a> {
    pub(super) fn of(composite: &'a CompositeState, hide: &Hiding<'_>) -> Self {
        Self {
            scope: ScopeTwin::of(&composite.scope, hide),
            inputs: Tree::of_object(&composite.inputs, hide),
            steps: Tree::of_object(&composite.steps, hide),
            status: composite.status.into(),
            timeout: composite.timeout,
            broken: composite.broken,
        }
    }

    pub(super) fn composite(self, fill: &Filling<'_>) -> Result<CompositeState, TwinError> {
        Ok(CompositeState {
            scope: self.scope.scope(fill)?,
            inputs: self.inputs.object(fill)?,
            steps: self.steps.object(fill)?,
            status: self.status.into(),
            timeout: self.timeout,
            broken: self.broken,
        })
    }
}
