//! What stands at a path: a step of the workflow, a step of a composite action, the pre or post part of an action.
//!
//! Looks things up; evaluates nothing.

use std::sync::Arc;

use syntax::{ActionRuns, Span, Step};

use super::Job;
use super::evaluate::Fault;
use crate::action::ResolvedAction;
use crate::plan::Planned;
use crate::step_path::{Stage, StepPath};

impl Job {
    /// The step at a path, whichever stage it names: of the workflow, or of a composite action that was found.
    pub fn definition(&self, path: &StepPath) -> Option<&Step> {
        let mut step = self.plan.step(path)?.definition.as_ref();
        if path.depth() == 0 {
            return Some(step);
        }
        let mut at = StepPath::main(path.index());
        for index in path.inner() {
            let steps = self.actions.get(&at)?.composite_steps()?;
            step = steps.get(usize::try_from(*index).ok()?)?;
            at = at.child(*index);
        }
        Some(step)
    }

    /// The action that the step at a path uses, once it was found.
    pub fn action(&self, path: &StepPath) -> Option<&Arc<ResolvedAction>> {
        self.actions.get(&path.in_stage(Stage::Main))
    }

    /// The actions that were found, by the steps that use them, in the order in which they were.
    pub fn actions(&self) -> &indexmap::IndexMap<StepPath, Arc<ResolvedAction>> {
        &self.actions
    }

    /// The step at a path, with the part of its action that the stage names.
    pub(super) fn planned(&self, path: &StepPath) -> Option<Planned<'_>> {
        let step = self.definition(path)?;
        if path.stage() == Stage::Main {
            return Some(Planned::Step(step));
        }
        let hooked = self.plan.at(path).filter(|_| path.depth() == 0);
        hooked.or_else(|| {
            let ActionRuns::Node { pre, post, .. } = &self.action(path)?.manifest.runs else { return None };
            let part = if path.stage() == Stage::Pre { pre } else { post };
            Some(Planned::Program(step, part.as_ref()?))
        })
    }

    /// The file in which the step at a path is written, as shown to people, and its place in it.
    pub fn place(&self, path: &StepPath) -> Option<(&Arc<str>, Span)> {
        Some((self.file_of(path), self.definition(path)?.span))
    }

    /// The file in which the step at a path is written.
    pub(super) fn file_of(&self, path: &StepPath) -> &Arc<str> {
        let around = path.parent().and_then(|parent| self.action(&parent));
        around.map_or(&self.plan.file, |action| &action.file)
    }

    /// A fault as GitHub words it, with the place in the workflow file or, inside of a composite action, in its manifest.
    pub(super) fn fault_text_in(&self, path: &StepPath, fault: &Fault) -> String {
        super::located(self.file_of(path), fault)
    }
}
