//! Composite actions: entered, walked through, left (steps.md 4.4).
//!
//! A composite action's steps are steps like any other, one level deeper in the path. Knows the scope that they share; how a
//! step itself runs stands elsewhere.

use std::sync::Arc;

use expr::{Object, Value};

use super::contexts::shared_text;
use super::evaluate::{Evaluator, Halt, Texts};
use super::lane::{Cursor, Scope};
use super::{Job, step_timer};
use crate::action::ResolvedAction;
use crate::effect::{Effect, Outcome};
use crate::limits::COMPOSITE_DEPTH;
use crate::lines::LineTag;
use crate::secrets::Secrets;
use crate::step_path::{LaneId, Stage, StepPath};

/// A composite action that was entered: what its steps share. Kept after its end, for their post parts. Values may hold secrets.
#[derive(Clone, PartialEq)]
pub struct Composite {
    /// What the step was dispatched with.
    pub(crate) scope: Scope,
    /// `inputs` as its steps see it.
    pub(crate) inputs: Arc<Object>,
    /// `steps` as its steps see it.
    pub(crate) steps: Arc<Object>,
    /// `github.action_status`: success, failure or cancelled.
    pub(crate) status: Outcome,
    /// Its limit in minutes, which all its steps share.
    pub(crate) timeout: Option<u32>,
    /// No further step of it runs: its time is up, or a condition could not be evaluated.
    pub(crate) broken: bool,
}

impl Job {
    /// The composite action around a step.
    pub(super) fn around(&self, path: &StepPath) -> Option<&Composite> {
        self.composites.get(&path.parent()?.in_stage(Stage::Main)).map(AsRef::as_ref)
    }

    pub(super) fn composite_mut(&mut self, path: &StepPath) -> Option<&mut Composite> {
        Arc::make_mut(&mut self.composites).get_mut(path).map(Arc::make_mut)
    }

    /// `Decided` → before the first step of the action.
    pub(super) fn enter(
        &mut self,
        lane: LaneId,
        path: StepPath,
        inputs: Object,
        secrets: &Secrets,
        out: &mut Vec<Effect>,
    ) {
        if path.depth() >= COMPOSITE_DEPTH {
            let text = format!("Composite action depth exceeded max depth {COMPOSITE_DEPTH}");
            let cycle = self.cycle_to(&path).map_or_else(String::new, |cycle| format!(": {cycle}"));
            self.log(Some(&path), LineTag::Error, &format!("{text}{cycle}"), secrets, out);
            return self.settle_with_forgiveness(lane, path, Outcome::Failure, secrets, out);
        }
        let timeout = self.lanes.get(&lane).and_then(|lane| lane.timeout);
        let composite = Composite {
            scope: self.scope(lane),
            inputs: Arc::new(inputs),
            steps: Arc::default(),
            status: Outcome::Success,
            timeout,
            broken: false,
        };
        self.set_limit(lane, &path, timeout, out);
        Arc::make_mut(&mut self.composites).insert(path.clone(), Arc::new(composite));
        let first = path.child(0);
        if self.definition(&first).is_some() {
            self.lane_or_insert(lane).move_to(Cursor::Ready(first));
        } else {
            self.leave_composite(lane, path, secrets, out);
        }
    }

    /// The actions on the way to a step, if one of them comes twice: `./a → ./b → ./a`.
    fn cycle_to(&self, path: &StepPath) -> Option<String> {
        let mut names: Vec<&str> = Vec::new();
        for around in path.ancestors().into_iter().rev() {
            let action = self.actions.get(&around)?;
            if let Some(begin) = names.iter().position(|name| *name == &*action.directory) {
                let cycle = names.get(begin..)?.iter().copied().chain([&*action.directory]);
                let shown = cycle.map(|directory| self.reference_of(directory));
                return Some(shown.collect::<Vec<_>>().join(" → "));
            }
            names.push(&action.directory);
        }
        None
    }

    fn reference_of(&self, directory: &str) -> String {
        let found = self.actions.values().find(|action| &*action.directory == directory);
        found.map(|action| action.reference.to_string()).unwrap_or_default()
    }

    /// A step of the action is over: the action's status follows, and what it published is for its siblings alone.
    pub(super) fn settled_inside(&mut self, path: &StepPath, conclusion: Outcome) {
        let Some(parent) = path.parent() else { return };
        let Some(composite) = self.composite_mut(&parent) else { return };
        // The greater result wins, and a step that was skipped is none (steps.md 1.3).
        if conclusion != Outcome::Skipped {
            composite.status = composite.status.max(conclusion);
        }
    }

    /// No further step of the action around `path` is to run.
    pub(super) fn break_around(&mut self, path: &StepPath) {
        let Some(parent) = path.parent() else { return };
        if let Some(composite) = self.composite_mut(&parent) {
            composite.broken = true;
        }
    }

    /// From a settled step to the next one of its action, or out of it.
    pub(super) fn leave_inner(
        &mut self,
        lane: LaneId,
        path: &StepPath,
        secrets: &Secrets,
        out: &mut Vec<Effect>,
    ) {
        let Some(parent) = path.parent() else { return };
        let next = path.next_sibling();
        let goes_on = self.around(path).is_some_and(|composite| !composite.broken);
        if goes_on && self.definition(&next).is_some() {
            self.lane_or_insert(lane).move_to(Cursor::Ready(next));
        } else {
            self.leave_composite(lane, parent, secrets, out);
        }
    }

    /// The action's steps are over: its outputs, its result.
    fn leave_composite(&mut self, lane: LaneId, path: StepPath, secrets: &Secrets, out: &mut Vec<Effect>) {
        let Some(composite) = self.composites.get(&path).cloned() else { return };
        let outputs = match self.composite_outputs(lane, &path, &composite, secrets) {
            Ok(outputs) => outputs,
            Err(Halt::Hash(request)) => return self.ask(lane, request, out),
            Err(Halt::Fault(fault)) => {
                let text = self.fault_text_in(&path.child(0), &fault);
                self.log(Some(&path), LineTag::Error, &text, secrets, out);
                if let Some(composite) = self.composite_mut(&path) {
                    composite.status = composite.status.max(Outcome::Failure);
                }
                Vec::new()
            }
        };
        for (name, value) in outputs {
            self.set_output(lane, &path, &name, &value);
        }
        if composite.timeout.is_some() {
            out.push(Effect::CancelTimer { id: step_timer(lane, &path) });
        }
        let outcome = self.composites.get(&path).map_or(Outcome::Failure, |composite| composite.status);
        let state = self.lane_or_insert(lane);
        state.scope = Some(composite.scope.clone());
        self.settle_with_forgiveness(lane, path, outcome, secrets, out);
    }

    fn composite_outputs(
        &self,
        lane: LaneId,
        path: &StepPath,
        composite: &Composite,
        secrets: &Secrets,
    ) -> Result<Texts, Halt> {
        let Some(action) = self.actions.get(path) else { return Ok(Vec::new()) };
        let evaluator = self.evaluator_inside(lane, path, composite, secrets);
        let value = |output: &syntax::ActionOutput| {
            let text = output.value.as_ref().map_or(Ok(Arc::from("")), |value| evaluator.text(value))?;
            Ok((Arc::clone(&output.name.value), text))
        };
        action.manifest.outputs.iter().map(value).collect()
    }

    /// What expressions of the action itself see, as opposed to one of its steps.
    fn evaluator_inside<'a>(
        &'a self,
        lane: LaneId,
        path: &StepPath,
        composite: &Composite,
        secrets: &'a Secrets,
    ) -> Evaluator<'a> {
        self.evaluator(lane, &path.child(u32::MAX), Arc::clone(&composite.scope.env), secrets)
    }

    /// The time of a composite action is up: the step of it that runs ends, and no other begins.
    pub(super) fn composite_timed_out(&mut self, path: &StepPath) {
        if let Some(composite) = self.composite_mut(path) {
            composite.broken = true;
            composite.status = composite.status.max(Outcome::Failure);
        }
    }

    /// Parts of the `github` context that a composite action's steps see besides.
    pub(super) fn action_context(&self, path: &StepPath, github: &mut Object) {
        let around = path.parent().map(|parent| parent.in_stage(Stage::Main));
        let Some(composite) = around.as_ref().and_then(|around| self.composites.get(around)) else { return };
        if let Some(action) = around.as_ref().and_then(|around| self.actions.get(around)) {
            github.insert("action_path", Value::String(Arc::clone(&action.directory)));
            repository_context(action, github);
        }
        github.insert("action_status", shared_text(composite.status));
    }
}

/// `github.action_repository` and `github.action_ref` of an action that came from a repository.
pub(super) fn repository_context(action: &ResolvedAction, github: &mut Object) {
    if let crate::action::ActionReference::Repository(found) =
        crate::action::ActionReference::of(&action.reference)
    {
        github.insert("action_repository", Value::string(found.repository));
        github.insert("action_ref", Value::string(found.reference));
    }
}
