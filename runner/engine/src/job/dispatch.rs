//! From a step that is ready to a step that is decided (steps.md 1.2, steps 3 to 9).
//!
//! Evaluates the step's `env`, name and condition, in this order. Runs nothing.

use std::sync::Arc;

use expr::{Condition, HashRequest, Object, Trace, Value};
use syntax::{Spanned, Step};

use super::evaluate::{Evaluator, Fault, Halt};
use super::lane::{Cursor, Decision, Scope};
use super::{Job, Misuse};
use crate::effect::{Effect, Outcome, Report};
use crate::lines::LineTag;
use crate::plan::{self, Planned};
use crate::secrets::Secrets;
use crate::step_path::{LaneId, StepPath};

/// Why a step runs or does not.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The condition with the implicit `success() &&` where it applies.
    pub condition: String,
    /// Whether the step would run; an error's text (masked) otherwise.
    pub result: Result<bool, String>,
    /// Every part of the condition with its value.
    pub trace: Trace,
}

impl Job {
    /// `Ready` → `Decided`, or a question for `hashFiles`.
    pub(super) fn decide(&mut self, lane: LaneId, path: StepPath, secrets: &Secrets, out: &mut Vec<Effect>) {
        let decided = self.dispatch(lane, &path, secrets);
        match decided {
            Err(Halt::Hash(request)) => self.ask(lane, request, out),
            Err(Halt::Fault(fault)) => {
                let scope = Scope {
                    name: self.plain_name(&path, secrets),
                    env: Arc::clone(&self.env),
                    own_env: Vec::new(),
                };
                let text = secrets.mask(&self.fault_text(&fault));
                self.decided(lane, path, scope, Decision::Fail(text), out);
            }
            Ok((scope, decision)) => self.decided(lane, path, scope, decision, out),
        }
    }

    fn decided(
        &mut self,
        lane: LaneId,
        path: StepPath,
        scope: Scope,
        decision: Decision,
        out: &mut Vec<Effect>,
    ) {
        let name = Arc::clone(&scope.name);
        out.push(Effect::Report(Report::StepStarted { lane, step: path.clone(), name }));
        let state = self.lane_or_insert(lane);
        state.scope = Some(scope);
        state.cursor = Cursor::Decided(path, decision);
    }

    /// Lets the lane wait for `hashFiles`.
    pub(super) fn ask(&mut self, lane: LaneId, request: HashRequest, out: &mut Vec<Effect>) {
        self.lane_or_insert(lane).asked = Some(request.clone());
        out.push(Effect::HashFiles { lane, request });
    }

    pub(super) fn hash_ready(
        &mut self,
        lane: LaneId,
        request: HashRequest,
        answer: Result<String, String>,
        secrets: &Secrets,
        out: &mut Vec<Effect>,
    ) -> Result<(), Misuse> {
        let state = self.lanes.get_mut(&lane).ok_or(Misuse::NoLane(lane))?;
        if state.asked.as_ref() != Some(&request) {
            return Err(Misuse::NotRunning(lane));
        }
        state.asked = None;
        state.hashes.insert(request, answer);
        match lane {
            LaneId::FOREGROUND => self.advance(lane, secrets, out),
            // It is queued again, and takes its slot at once.
            _ => Ok(()),
        }
    }

    fn dispatch(&self, lane: LaneId, path: &StepPath, secrets: &Secrets) -> Result<(Scope, Decision), Halt> {
        let planned = self.plan.at(path).ok_or_else(|| missing(path))?;
        let evaluator = self.evaluator(lane, path, Arc::clone(&self.env), secrets);
        let (env, own_env) = self.step_env(planned, &evaluator)?;
        let evaluator = evaluator.with_env(Arc::clone(&env));
        let name = self.display_name(path, planned, &evaluator, secrets);
        let decision = match evaluator.condition(condition_of(planned)) {
            Ok(true) => Decision::Run,
            Ok(false) => Decision::Skip,
            Err(Halt::Hash(request)) => return Err(Halt::Hash(request)),
            Err(Halt::Fault(fault)) => Decision::Fail(secrets.mask(&fault.text)),
        };
        Ok((Scope { name, env, own_env }, decision))
    }

    pub(super) fn evaluator(
        &self,
        lane: LaneId,
        path: &StepPath,
        env: Arc<Object>,
        secrets: &Secrets,
    ) -> Evaluator {
        let hashes = self.lanes.get(&lane).map(|lane| lane.hashes.clone()).unwrap_or_default();
        Evaluator::for_step(self, path, env, hashes, secrets)
    }

    /// The `env` context of a step and the names that its own `env:` sets. The evaluator is the step's, with the
    /// job's `env`.
    fn step_env(
        &self,
        planned: Planned<'_>,
        evaluator: &Evaluator,
    ) -> Result<(Arc<Object>, Vec<Arc<str>>), Halt> {
        let (Planned::Step(step) | Planned::Hook(step, _)) = planned;
        let Some(own) = &step.env else { return Ok((Arc::clone(&self.env), Vec::new())) };
        let pairs = evaluator.texts(own)?;
        let mut env = self.env.as_ref().clone();
        let names = pairs.iter().map(|(name, _)| Arc::clone(name)).collect();
        for (name, value) in pairs {
            env.insert(name, Value::String(value));
        }
        Ok((Arc::new(env), names))
    }

    /// The `env` context as the step at the foreground's cursor sees it. Values may hold secrets.
    pub fn env_at_cursor(&self, secrets: &Secrets) -> Arc<Object> {
        let lane = self.lanes.get(&LaneId::FOREGROUND);
        if let Some(scope) = lane.and_then(|lane| lane.scope.as_ref()) {
            return Arc::clone(&scope.env);
        }
        let ready = match self.cursor() {
            Cursor::Ready(path) => self.plan.at(path).map(|planned| (path, planned)),
            _ => None,
        };
        ready
            .and_then(|(path, planned)| {
                let evaluator = self.evaluator(LaneId::FOREGROUND, path, Arc::clone(&self.env), secrets);
                self.step_env(planned, &evaluator).ok()
            })
            .map_or_else(|| Arc::clone(&self.env), |(env, _)| env)
    }

    /// The display name; the text as written where it cannot be evaluated (steps.md 1.6).
    fn display_name(
        &self,
        path: &StepPath,
        planned: Planned<'_>,
        evaluator: &Evaluator,
        secrets: &Secrets,
    ) -> Arc<str> {
        let (Planned::Step(step) | Planned::Hook(step, _)) = planned;
        let evaluated = match title_template(step) {
            Some(template) => evaluator.text(template).ok(),
            None => None,
        };
        let name = match (&step.name, evaluated) {
            (Some(_), Some(name)) => name.to_string(),
            (None, Some(script)) => plan::unnamed_step_title(&step.body, &script),
            (_, None) => written_name(step),
        };
        secrets.mask(&stage_name(path, &name)).into()
    }

    /// The display name before anything can be evaluated.
    pub(super) fn plain_name(&self, path: &StepPath, secrets: &Secrets) -> Arc<str> {
        let name = self.plan.step(path).map(|step| written_name(&step.definition)).unwrap_or_default();
        secrets.mask(&stage_name(path, &name)).into()
    }

    /// The name of a step as far as it is known: evaluated at its dispatch, as written before.
    pub fn step_name(&self, path: &StepPath, secrets: &Secrets) -> Arc<str> {
        let scope =
            self.lanes.values().find(|lane| lane.cursor.step() == Some(path)).and_then(|l| l.scope.as_ref());
        match (scope, self.results.get(path)) {
            (Some(scope), _) => Arc::clone(&scope.name),
            (None, Some(result)) => Arc::clone(&result.name),
            (None, None) => self.plain_name(path, secrets),
        }
    }

    /// Why the step at the foreground's cursor runs or does not, from the state as it is. `None` when the job
    /// is over, and an error's text in the result when `hashFiles` has not been answered.
    pub fn explain(&self, secrets: &Secrets) -> Option<Explanation> {
        let path = self.cursor().step()?.clone();
        let planned = self.plan.at(&path)?;
        let condition = condition_of(planned);
        let env = self.env_at_cursor(secrets);
        let evaluator = self.evaluator(LaneId::FOREGROUND, &path, env, secrets);
        let (result, trace) = evaluator.explain(condition);
        let result = match result {
            Ok(expr::Evaluated::Value(value)) => Ok(value.is_truthy()),
            Ok(expr::Evaluated::NeedsHash(_)) => {
                Err("hashFiles() is answered when the step is decided".to_owned())
            }
            Err(error) => Err(secrets.mask(&error.to_string())),
        };
        Some(Explanation { condition: condition.expression().source().to_owned(), result, trace })
    }

    /// `Decided(Fail)`: the step has failed without a body, and may not be forgiven (steps.md 1.2, step 5).
    pub(super) fn fail_undispatched(
        &mut self,
        lane: LaneId,
        path: StepPath,
        text: &str,
        secrets: &Secrets,
        out: &mut Vec<Effect>,
    ) {
        self.log(Some(&path), LineTag::Error, text, secrets, out);
        self.settle(lane, path, Outcome::Failure, Outcome::Failure, out);
    }
}

/// What the step's name is made from when it has no `name:`.
fn title_template(step: &Step) -> Option<&Spanned<expr::Template>> {
    match (&step.name, &step.body) {
        (Some(name), _) => Some(name),
        (None, syntax::StepBody::Run { script, .. }) => Some(script),
        (None, _) => None,
    }
}

fn written_name(step: &Step) -> String {
    match (&step.name, &step.body) {
        (Some(name), _) => name.value.source().to_owned(),
        (None, syntax::StepBody::Run { script, .. }) => {
            plan::unnamed_step_title(&step.body, script.value.source())
        }
        (None, body) => plan::unnamed_step_title(body, ""),
    }
}

fn stage_name(path: &StepPath, name: &str) -> String {
    match path.stage() {
        crate::step_path::Stage::Main => name.to_owned(),
        crate::step_path::Stage::Pre => format!("Pre {name}"),
        crate::step_path::Stage::Post => format!("Post {name}"),
    }
}

pub(super) fn condition_of(planned: Planned<'_>) -> &Condition {
    match planned {
        Planned::Step(step) => &step.condition.value,
        Planned::Hook(_, hook) => &hook.condition,
    }
}

pub(super) fn missing(path: &StepPath) -> Halt {
    Halt::Fault(Fault { span: None, text: format!("the workflow no longer has a step at {path}") })
}
