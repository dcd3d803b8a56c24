//! Fetching an action, and what it is given: `with`, defaults, warnings (steps.md 4.2).
//!
//! Knows manifests; not where actions come from.

use std::sync::Arc;

use expr::{Object, Value};
use syntax::{Action, ActionRuns, Step, StepBody};

use super::evaluate::{Evaluator, Halt, Texts};
use super::wanted::Wanted;
use super::{Job, Misuse};
use crate::action::{ActionReference, ResolvedAction};
use crate::effect::Effect;
use crate::lines::LineTag;
use crate::secrets::Secrets;
use crate::step_path::{LaneId, StepPath};

impl Job {
    /// Lets the lane wait for its step's action.
    pub(super) fn fetch(
        &mut self,
        lane: LaneId,
        path: &StepPath,
        reference: &Arc<str>,
        out: &mut Vec<Effect>,
    ) {
        self.lane_or_insert(lane).fetching = true;
        let Wanted { reference, commit } = self.wanted(path, reference);
        out.push(Effect::FetchAction { lane, step: path.clone(), reference, commit });
    }

    /// The answer to [`Effect::FetchAction`].
    pub(super) fn action_ready(
        &mut self,
        lane: LaneId,
        step: &StepPath,
        answer: Result<Arc<ResolvedAction>, String>,
        secrets: &Secrets,
        out: &mut Vec<Effect>,
    ) -> Result<(), Misuse> {
        if self.is_setting_up()
            && let Some(done) = self.prepared(step, answer.clone(), secrets, out)
        {
            return done;
        }
        let state = self.lanes.get_mut(&lane).ok_or(Misuse::NoLane(lane))?;
        let at = state.cursor.step().filter(|at| state.fetching && *at == step);
        let path = at.cloned().ok_or(Misuse::NotRunning(lane))?;
        state.fetching = false;
        match answer {
            Ok(action) => {
                Arc::make_mut(&mut self.actions).insert(path, action);
                // A background step has its slot, and goes on with it by itself.
                if lane == LaneId::FOREGROUND {
                    self.advance(lane, secrets, out)?;
                }
            }
            Err(text) => {
                let place = self.definition(&path).and_then(reference_span).map(|span| span.start);
                let place = place.map_or_else(String::new, |at| {
                    format!("{}:{}:{}: ", self.file_of(&path), at.line, at.column)
                });
                let fault = super::evaluate::Fault { span: None, text: format!("{place}{text}") };
                self.not_prepared(lane, path, Halt::Fault(fault), secrets, out);
            }
        }
        Ok(())
    }

    /// Everything that the action of a step is given: what `with` says, else its defaults. Names are folded.
    pub(super) fn action_inputs(
        &self,
        step: &Step,
        action: &Action,
        evaluator: &Evaluator<'_>,
    ) -> Result<Object, Halt> {
        let mut inputs = Object::new();
        for (name, value) in given(step, evaluator)? {
            inputs.insert(name.to_lowercase(), Value::String(value));
        }
        for (name, input) in &action.inputs {
            let folded = name.to_lowercase();
            if inputs.get(&folded).is_none() {
                let default =
                    input.default.as_ref().map_or(Ok(Arc::from("")), |text| evaluator.text(text))?;
                inputs.insert(folded, Value::String(default));
            }
        }
        Ok(inputs)
    }

    /// A local action is read when its step runs, which is too late for its `pre` (steps.md 1.1).
    pub(super) fn warn_of_pre(
        &self,
        path: &StepPath,
        action: &ResolvedAction,
        secrets: &Secrets,
        out: &mut Vec<Effect>,
    ) {
        if let (true, ActionReference::Local(_)) = (action.has_pre(), ActionReference::of(&action.reference))
        {
            let text =
                format!("`pre` execution is not supported for local action from '{}'", action.reference);
            self.log(Some(path), LineTag::Warning, &text, secrets, out);
        }
    }

    /// Says which inputs the action does not know, and which it would rather not get.
    pub(super) fn warn_of_inputs(
        &self,
        path: &StepPath,
        step: &Step,
        action: &ResolvedAction,
        evaluator: &Evaluator<'_>,
        secrets: &Secrets,
        out: &mut Vec<Effect>,
    ) {
        let Ok(given) = given(step, evaluator) else { return };
        let declared = &action.manifest.inputs;
        for (name, _) in &given {
            let input = declared.values().find(|input| input.name.value.eq_ignore_ascii_case(name));
            if let Some(message) = input.and_then(|input| input.deprecation_message.as_ref()) {
                let text = format!("Input '{name}' has been deprecated with message: {message}");
                self.log(Some(path), LineTag::Warning, &text, secrets, out);
            }
        }
        let valid: Vec<&str> =
            always_valid(action).iter().copied().chain(declared.keys().map(|n| &**n)).collect();
        let is_unknown = |name: &&str| !valid.iter().any(|known| known.eq_ignore_ascii_case(name));
        let unknown: Vec<&str> = given.iter().map(|(name, _)| &**name).filter(is_unknown).collect();
        if !unknown.is_empty() {
            let (unknown, valid) = (unknown.join("', '"), valid.join("', '"));
            let text = format!("Unexpected input(s) '{unknown}', valid inputs are ['{valid}']");
            self.log(Some(path), LineTag::Warning, &text, secrets, out);
        }
    }
}

/// The inputs that a container action has without declaring them.
fn always_valid(action: &ResolvedAction) -> &'static [&'static str] {
    match action.manifest.runs {
        ActionRuns::Docker { .. } => &["entryPoint", "args"],
        _ => &[],
    }
}

/// What `with` says.
pub(super) fn given(step: &Step, evaluator: &Evaluator<'_>) -> Result<Texts, Halt> {
    match &step.body {
        StepBody::Uses { with: Some(with), .. } => evaluator.texts(with),
        _ => Ok(Vec::new()),
    }
}

fn reference_span(step: &Step) -> Option<syntax::Span> {
    match &step.body {
        StepBody::Uses { reference, .. } => Some(reference.span),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
