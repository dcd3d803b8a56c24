//! From a step that is ready to a step that is decided (steps.md 1.2, steps 3 to 9).
//!
//! Evaluates the step's `env`, name and condition, in this order. Runs nothing.

use std::borrow::Cow;
use std::sync::Arc;

use expr::{HashRequest, Object, Trace, Value};
use syntax::{Spanned, Step};

use super::evaluate::{Evaluator, Fault, Halt};
use super::lane::{Cursor, Decision, NameList, Scope};
use super::{Job, Misuse};
use crate::effect::{Effect, Outcome, Report};
use crate::lines::LineTag;
use crate::plan::{self, Planned};
use crate::secrets::Secrets;
use crate::step_path::{LaneId, Stage, StepPath};

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
                    env: self.env_around(lane, &path).0,
                    own_env: Arc::default(),
                };
                let text = secrets.mask(&self.fault_text_in(&path, &fault));
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

    /// The foreground waits for no answer any more: it asks again when it advances. An answer belongs to the line of events in which
    /// it was asked for, and the job may be taken up in another one.
    pub fn forget_question(&mut self) {
        let foreground = self.foreground();
        foreground.asked = None;
        foreground.fetching = false;
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
        let planned = self.planned(path).ok_or_else(|| missing(path))?;
        let (around, inherited) = self.env_around(lane, path);
        let evaluator = self.evaluator(lane, path, Arc::clone(&around), secrets);
        let (env, own_env) = step_env(planned, &evaluator, around, inherited)?;
        let evaluator = evaluator.with_env(Arc::clone(&env));
        let name = display_name(path, planned, &evaluator, secrets);
        let decision = match evaluator.condition(planned.condition()) {
            Ok(true) => Decision::Run,
            Ok(false) => Decision::Skip,
            Err(Halt::Hash(request)) => return Err(Halt::Hash(request)),
            Err(Halt::Fault(fault)) => Decision::Fail(secrets.mask(&fault.text)),
        };
        Ok((Scope { name, env, own_env }, decision))
    }

    pub(super) fn evaluator<'a>(
        &'a self,
        lane: LaneId,
        path: &StepPath,
        env: Arc<Object>,
        secrets: &'a Secrets,
    ) -> Evaluator<'a> {
        let hashes = self.lanes.get(&lane).map(|lane| lane.hashes.clone()).unwrap_or_default();
        Evaluator::for_step(self, path, env, hashes, secrets)
    }

    /// The variables that a step finds, before its own `env:`, and which of them hide the job's own: those of the composite
    /// steps around it (steps.md 4.4). The steps of a background action see what the job's were when it was dispatched, and what
    /// earlier ones of it have set; of what others change meanwhile they see as little as others see of them (2.3, 2.6).
    fn env_around(&self, lane: LaneId, path: &StepPath) -> (Arc<Object>, NameList) {
        let Some(composite) = self.around(path) else { return (Arc::clone(&self.env), Arc::default()) };
        let mut env = match self.composites.get(&path.outermost()).filter(|_| lane != LaneId::FOREGROUND) {
            Some(background) => Arc::clone(&background.scope.env),
            None => Arc::clone(&self.env),
        };
        let deferred = self.lanes.get(&lane).map(|lane| lane.deferred.env.as_slice()).unwrap_or_default();
        for (name, value) in deferred {
            Arc::make_mut(&mut env).insert(Arc::clone(name), Value::String(Arc::clone(value)));
        }
        for name in composite.scope.own_env.iter() {
            if let Some(value) = composite.scope.env.get(name) {
                Arc::make_mut(&mut env).insert(Arc::clone(name), value.clone());
            }
        }
        (env, Arc::clone(&composite.scope.own_env))
    }

    /// The `env` context as the step at the foreground's cursor sees it. Values may hold secrets.
    pub fn env_at_cursor(&self, secrets: &Secrets) -> Arc<Object> {
        let lane = self.lanes.get(&LaneId::FOREGROUND);
        if let Some(scope) = lane.and_then(|lane| lane.scope.as_ref()) {
            return Arc::clone(&scope.env);
        }
        let around = self.cursor().step().map(|path| self.env_around(LaneId::FOREGROUND, path));
        let (around, inherited) = around.unwrap_or_else(|| (Arc::clone(&self.env), Arc::default()));
        let ready = match self.cursor() {
            Cursor::Ready(path) => self.planned(path).map(|planned| (path, planned)),
            _ => None,
        };
        ready
            .and_then(|(path, planned)| {
                let evaluator = self.evaluator(LaneId::FOREGROUND, path, Arc::clone(&around), secrets);
                step_env(planned, &evaluator, Arc::clone(&around), inherited).ok()
            })
            .map_or(around, |(env, _)| env)
    }

    /// The display name before anything can be evaluated.
    pub(super) fn plain_name(&self, path: &StepPath, secrets: &Secrets) -> Arc<str> {
        let name = self.definition(path).map(written_name).unwrap_or_default();
        shown_name(path, name.into(), secrets)
    }

    /// The name of a step as far as it is known: evaluated at its dispatch, as written before.
    pub fn step_name(&self, path: &StepPath, secrets: &Secrets) -> Arc<str> {
        let scope =
            self.lanes.values().find(|lane| lane.cursor.step() == Some(path)).and_then(|l| l.scope.as_ref());
        // An action that was entered has handed the lane on to its steps.
        let scope = scope.or_else(|| self.composites.get(path).map(|action| &action.scope));
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
        let planned = self.planned(&path)?;
        let condition = planned.condition();
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
        Some(Explanation { condition: condition.source().to_owned(), result, trace })
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
        // Inside of an action nothing more runs then (steps.md 4.4).
        self.break_around(&path);
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

/// The display name; the text as written where it cannot be evaluated (steps.md 1.6).
fn display_name(
    path: &StepPath,
    planned: Planned<'_>,
    evaluator: &Evaluator<'_>,
    secrets: &Secrets,
) -> Arc<str> {
    let step = planned.step();
    let evaluated = match title_template(step) {
        Some(template) => evaluator.text(template).ok(),
        None => None,
    };
    let name = match (&step.name, evaluated) {
        (Some(_), Some(name)) => name,
        (None, Some(script)) => plan::unnamed_step_title(&step.body, &script).into(),
        (_, None) => written_name(step).into(),
    };
    shown_name(path, name, secrets)
}

/// The name with what its stage puts before it, masked.
fn shown_name(path: &StepPath, name: Arc<str>, secrets: &Secrets) -> Arc<str> {
    let name = match path.stage() {
        Stage::Main => name,
        Stage::Pre => format!("Pre {name}").into(),
        Stage::Post => format!("Post {name}").into(),
    };
    match secrets.masks().mask_text(&name) {
        Cow::Borrowed(_) => name,
        Cow::Owned(masked) => masked.into(),
    }
}

/// The `env` context of a step and the names that hide the job's own. The evaluator is the step's, with the variables around it.
fn step_env(
    planned: Planned<'_>,
    evaluator: &Evaluator<'_>,
    around: Arc<Object>,
    inherited: NameList,
) -> Result<(Arc<Object>, NameList), Halt> {
    let Some(own) = &planned.step().env else { return Ok((around, inherited)) };
    let own = evaluator.mapping(own)?;
    let mut env = around.clone_with_room(own.len());
    for (name, value) in own.iter() {
        env.insert(Arc::clone(name), Value::String(value.to_shared_text()));
    }
    let hidden = match inherited.is_empty() {
        true => own.keys().cloned().collect(),
        false => {
            let added = own.keys().filter(|name| !inherited.contains(name));
            inherited.iter().chain(added).cloned().collect()
        }
    };
    Ok((Arc::new(env), hidden))
}

pub(super) fn missing(path: &StepPath) -> Halt {
    Halt::Fault(Fault { span: None, text: format!("the workflow no longer has a step at {path}") })
}
