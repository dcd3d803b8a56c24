//! Before the first step: the actions of other repositories, and those that `$/` names, are looked for, and the pre parts
//! that they bring are put before the main stage (steps.md 1.1, 4.1, 4.3).
//!
//! An action that is not to be had is named here, and fails its step when that is reached: what comes before it can still be
//! debugged. Local actions are not looked for; they may be made by a step.

use std::sync::Arc;

use syntax::{ActionRuns, Step, StepBody};

use super::lane::Cursor;
use super::wanted::Wanted;
use super::{Job, Misuse};
use crate::action::{ActionReference, ResolvedAction};
use crate::effect::Effect;
use crate::limits::COMPOSITE_DEPTH;
use crate::lines::LineTag;
use crate::secrets::Secrets;
use crate::step_path::{LaneId, Stage, StepPath};

impl Job {
    /// Asks for the actions of other repositories, each reference once.
    pub(super) fn prepare_actions(&mut self, secrets: &Secrets, out: &mut Vec<Effect>) {
        let paths: Vec<StepPath> = (0u32..).take(self.plan.steps.len()).map(StepPath::main).collect();
        let mut questions = Vec::new();
        self.await_actions(paths, &mut questions);
        if self.is_setting_up() {
            // Said before the host can say what it does about it.
            self.log(None, LineTag::Plain, "Prepare all required actions", secrets, out);
            out.append(&mut questions);
        } else {
            self.stand_before_the_first_step();
        }
    }

    /// True until every action of another repository was found, or was found missing. No step runs before that.
    pub fn is_setting_up(&self) -> bool {
        !self.awaited.is_empty()
    }

    /// Cancelled before its first step, a job has nothing that would run all the same (steps.md 1.1). Answers that still come find
    /// a job that is over.
    pub(super) fn call_off_set_up(&mut self, out: &mut Vec<Effect>) {
        self.awaited.clear();
        self.done(out);
    }

    fn await_actions(&mut self, paths: Vec<StepPath>, out: &mut Vec<Effect>) {
        for path in paths {
            let Some(written) = self.definition(&path).and_then(known_beforehand) else { continue };
            let Wanted { reference, commit } = self.wanted(&path, &written);
            let users = self.awaited.entry(Arc::clone(&reference)).or_default();
            if users.is_empty() {
                let (lane, step) = (LaneId::FOREGROUND, path.clone());
                out.push(Effect::FetchAction { lane, step, reference, commit });
            }
            users.push(path);
        }
    }

    /// The answer to one of those questions; `None` when it was none of them.
    pub(super) fn prepared(
        &mut self,
        step: &StepPath,
        answer: Result<Arc<ResolvedAction>, String>,
        secrets: &Secrets,
        out: &mut Vec<Effect>,
    ) -> Option<Result<(), Misuse>> {
        let asked = self.awaited.iter().find(|(_, users)| users.first() == Some(step));
        let reference = asked.map(|(reference, _)| Arc::clone(reference))?;
        let users = self.awaited.shift_remove(&reference)?;
        match answer {
            Ok(action) => self.found(&action, users, out),
            Err(text) => self.log(None, LineTag::Warning, &text, secrets, out),
        }
        if !self.is_setting_up() {
            self.stand_before_the_first_step();
        }
        Some(Ok(()))
    }

    /// The actions inside of a composite one are wanted as well. Where they go round in a circle, entering says so.
    fn found(&mut self, action: &Arc<ResolvedAction>, users: Vec<StepPath>, out: &mut Vec<Effect>) {
        let inner = u32::try_from(action.composite_steps().map_or(0, <[Step]>::len)).unwrap_or(u32::MAX);
        for path in users {
            Arc::make_mut(&mut self.actions).insert(path.clone(), Arc::clone(action));
            if path.depth() < COMPOSITE_DEPTH {
                self.await_actions((0..inner).map(|index| path.child(index)).collect(), out);
            }
        }
    }

    fn stand_before_the_first_step(&mut self) {
        let first = self.pre_steps().into_iter().next().or_else(|| self.plan.main(0));
        if let (Some(first), None) = (first, self.outcome()) {
            self.foreground().move_to(Cursor::Ready(first));
        }
    }

    /// The pre parts of all actions that were found before the first step, in the order of the workflow.
    fn pre_steps(&self) -> Vec<StepPath> {
        let mut all = Vec::new();
        for (step, index) in self.plan.steps.iter().zip(0u32..) {
            if step.pre.is_some() {
                all.push(StepPath::new(Stage::Pre, index));
            } else {
                self.add_pre_steps(&StepPath::main(index), &mut all);
            }
        }
        all
    }

    fn add_pre_steps(&self, path: &StepPath, all: &mut Vec<StepPath>) {
        let Some(action) = self.actions.get(path) else { return };
        match &action.manifest.runs {
            ActionRuns::Node { pre: Some(_), .. } if !is_local(&action.reference) => {
                all.push(path.in_stage(Stage::Pre));
            }
            ActionRuns::Composite { steps } => {
                let inner = (0u32..).take(steps.len()).map(|index| path.child(index));
                inner.for_each(|child| self.add_pre_steps(&child, all));
            }
            _ => {}
        }
    }

    /// The step after `path` in the pre and main stages; post steps are the job's to choose.
    pub(super) fn step_after(&self, path: &StepPath) -> Option<StepPath> {
        match path.stage() {
            Stage::Pre => {
                let mut later = self.pre_steps().into_iter().skip_while(|other| other != path).skip(1);
                later.next().or_else(|| self.plan.main(0))
            }
            Stage::Main => self.plan.main(path.index().saturating_add(1)),
            Stage::Post => None,
        }
    }
}

/// The reference of an action that no step can change: it is of another repository, or of the commit that runs.
fn known_beforehand(step: &Step) -> Option<Arc<str>> {
    let StepBody::Uses { reference, .. } = &step.body else { return None };
    let is_known = matches!(
        ActionReference::of(&reference.value),
        ActionReference::Repository(_) | ActionReference::SelfRepository(_)
    );
    is_known.then(|| Arc::clone(&reference.value))
}

fn is_local(reference: &str) -> bool {
    matches!(ActionReference::of(reference), ActionReference::Local(_))
}
