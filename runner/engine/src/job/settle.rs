//! From a running step to a settled one: results, outputs, file commands (steps.md 1.2 steps 10 and 11, 1.3, 5).
//!
//! Knows how a body's end changes the job; not how the body was run.

use std::sync::Arc;

use expr::{Object, Value};

use super::contexts::{NAMES, shared_text};
use super::evaluate::Halt;
use super::lane::{Cursor, Stop};
use super::{Job, Misuse, StepResult, step_timer};
use crate::effect::{Effect, Outcome, Report};
use crate::event::{BodyEnd, Exit, MatcherChange};
use crate::file_command::FileCommandResults;
use crate::lines::{LineTag, StepCommand};
use crate::secrets::Secrets;
use crate::step_path::{LaneId, Stage, StepPath};

/// Context names that GitHub made up itself begin like this; such steps are not in the `steps` context.
const GENERATED_NAME_PREFIX: &str = "__";
/// The line of a step that was cancelled.
pub(super) const CANCELLED: &str = "The operation was canceled.";

impl Job {
    /// A workflow command that a running step printed.
    pub(super) fn command(&mut self, lane: LaneId, command: StepCommand) -> Result<(), Misuse> {
        let path = self.running_step(lane)?;
        match command {
            StepCommand::SetOutput { name, value } => self.set_output(lane, &path, &name, &value),
            StepCommand::SaveState { name, value } => self.save_state(&path, &name, &value),
            StepCommand::SetEnv { name, value } => self.set_env(lane, &name, &value),
            StepCommand::AddPath { path: entry } => self.add_path(lane, &entry),
            // The host turns these into events of their own.
            StepCommand::AddMatcher { .. }
            | StepCommand::RemoveMatcher { .. }
            | StepCommand::RemoveMatchers { .. }
            | StepCommand::Failed { .. } => {}
        }
        Ok(())
    }

    /// Matchers hold for the whole job from here on, also after the step that changed them.
    pub(super) fn change_matchers(&mut self, lane: LaneId, change: MatcherChange) -> Result<(), Misuse> {
        self.running_step(lane)?;
        match change {
            MatcherChange::Add(matchers) => self.matchers.add(matchers),
            MatcherChange::Remove(owners) => {
                self.matchers.remove(owners.iter().map(String::as_str));
            }
        }
        Ok(())
    }

    /// The step of a lane as GitHub calls it in the line of a time-out.
    fn whose(&self, lane: LaneId) -> String {
        let at = self.lanes.get(&lane).and_then(|lane| lane.cursor.step());
        match lane {
            _ if at.is_some_and(|path| path.depth() > 0) => "action".to_owned(),
            LaneId::FOREGROUND => format!("action '{}'", self.scope(lane).name),
            _ => format!("background step '{}'", self.scope(lane).name),
        }
    }

    fn running_step(&self, lane: LaneId) -> Result<StepPath, Misuse> {
        match &self.lanes.get(&lane).ok_or(Misuse::NoLane(lane))?.cursor {
            Cursor::Running(path) => Ok(path.clone()),
            _ => Err(Misuse::NotRunning(lane)),
        }
    }

    /// `Running` → `Settled`.
    pub(super) fn body_ended(
        &mut self,
        lane: LaneId,
        end: BodyEnd,
        secrets: &Secrets,
        out: &mut Vec<Effect>,
    ) -> Result<(), Misuse> {
        let path = self.running_step(lane)?;
        let (stop, timeout) = self.lanes.get(&lane).map_or((None, None), |lane| (lane.stop, lane.timeout));
        if timeout.is_some() {
            out.push(Effect::CancelTimer { id: step_timer(lane, &path) });
        }
        let files_failed = self.apply_files(lane, Some(&path), &end.files);
        let commands_failed = end.command_failed || files_failed;
        let (outcome, line) = judge(&end.exit, stop, commands_failed, || self.whose(lane));
        if let Some(line) = line {
            self.log(Some(&path), LineTag::Error, &line, secrets, out);
        }
        self.settle_with_forgiveness(lane, path, outcome, secrets, out);
        Ok(())
    }

    /// Takes over what file commands said, up to the first error in each; true if one of them fails the step.
    /// The texts of errors are the log's, where the files were read.
    pub(super) fn apply_files(
        &mut self,
        lane: LaneId,
        path: Option<&StepPath>,
        files: &FileCommandResults,
    ) -> bool {
        for (name, value) in &files.env {
            self.set_env(lane, name, value);
        }
        for entry in &files.path {
            self.add_path(lane, entry);
        }
        if let Some(path) = path {
            for (name, value) in &files.output {
                self.set_output(lane, path, name, value);
            }
            for (name, value) in &files.state {
                self.save_state(path, name, value);
            }
        }
        !files.failures.is_empty()
    }

    /// Settles a body's outcome; a failure that may be becomes a success for the job (steps.md 1.3).
    pub(super) fn settle_with_forgiveness(
        &mut self,
        lane: LaneId,
        path: StepPath,
        outcome: Outcome,
        secrets: &Secrets,
        out: &mut Vec<Effect>,
    ) {
        let conclusion = if outcome == Outcome::Failure && self.forgives(lane, &path, secrets, out) {
            Outcome::Success
        } else {
            outcome
        };
        self.settle(lane, path, outcome, conclusion, out);
    }

    fn forgives(&self, lane: LaneId, path: &StepPath, secrets: &Secrets, out: &mut Vec<Effect>) -> bool {
        let Some(token) = self.definition(path).and_then(|step| step.continue_on_error.as_ref()) else {
            return false;
        };
        let env = self.scope(lane).env;
        match self.evaluator(lane, path, env, secrets).boolean(token) {
            Ok(forgives) => forgives,
            Err(halt) => {
                let text = match halt {
                    Halt::Fault(fault) => self.fault_text(&fault),
                    Halt::Hash(_) => "hashFiles() is not answered after a step has ended".to_owned(),
                };
                self.log(Some(path), LineTag::Error, &text, secrets, out);
                let text = "The step's continue-on-error could not be evaluated; its failure counts.";
                self.log(Some(path), LineTag::Error, text, secrets, out);
                false
            }
        }
    }

    /// The step is over: its results go into the contexts, and a failure into the job's status. Of a background step the job
    /// learns when somebody waits for it.
    pub(super) fn settle(
        &mut self,
        lane: LaneId,
        path: StepPath,
        outcome: Outcome,
        conclusion: Outcome,
        out: &mut Vec<Effect>,
    ) {
        let name = self.scope(lane).name;
        if path.depth() > 0 && path.stage() == Stage::Main {
            self.publish(&path, outcome, conclusion);
            self.settled_inside(&path, conclusion);
        } else if lane == LaneId::FOREGROUND {
            self.publish(&path, outcome, conclusion);
            if conclusion == Outcome::Failure && self.status == Outcome::Success {
                self.status = Outcome::Failure;
            }
        }
        let called_off = outcome == Outcome::Cancelled && self.is_called_off(lane, &path);
        let result = StepResult { name: Arc::clone(&name), outcome, conclusion, called_off };
        Arc::make_mut(&mut self.results).insert(path.clone(), result);
        out.push(Effect::Report(Report::StepSettled { lane, step: path.clone(), name, outcome, conclusion }));
        self.lane_or_insert(lane).move_to(Cursor::Settled(path));
    }

    /// Whether a step that was cancelled was so for itself; that of a composite action is known from what is inside of it.
    fn is_called_off(&self, lane: LaneId, path: &StepPath) -> bool {
        let told = self.lanes.get(&lane).and_then(|lane| lane.stop) == Some(Stop::CalledOff);
        let inside = |(known, result): (&StepPath, &StepResult)| {
            result.called_off && known.stage() == path.stage() && known.parent().as_ref() == Some(path)
        };
        told || self.results.iter().any(inside)
    }

    /// Writes outcome and conclusion of a step into the `steps` context, if it has a name of its own there.
    pub(super) fn publish(&mut self, path: &StepPath, outcome: Outcome, conclusion: Outcome) {
        let Some(id) = self.context_name(path) else { return };
        let steps = self.steps_around(path);
        if let Some(entry) = step_entry(steps, &id) {
            entry.insert(Arc::clone(&NAMES.outcome), shared_text(outcome));
            entry.insert(Arc::clone(&NAMES.conclusion), shared_text(conclusion));
        }
    }

    /// The name under which a main step stands in `steps`; generated names do not count, nor do pre and post.
    fn context_name(&self, path: &StepPath) -> Option<Arc<str>> {
        let name = &self.definition(path)?.context_name;
        let named = !name.is_empty() && !name.starts_with(GENERATED_NAME_PREFIX);
        (named && path.stage() == Stage::Main).then(|| Arc::clone(name))
    }

    pub(super) fn set_output(&mut self, lane: LaneId, path: &StepPath, name: &str, value: &str) {
        let Some(id) = self.context_name(path) else { return };
        match self.held_back(lane).filter(|_| path.depth() == 0) {
            Some(deferred) => deferred.set_output(name, value),
            None => put_output(self.steps_around(path), &id, name, value),
        }
    }

    /// The `steps` context in which a step stands: the job's, or that of the action around it.
    fn steps_around(&mut self, path: &StepPath) -> &mut Object {
        let around = path.parent().filter(|parent| self.composites.contains_key(parent));
        let steps = match around.and_then(|parent| Arc::make_mut(&mut self.composites).get_mut(&parent)) {
            Some(composite) => &mut Arc::make_mut(composite).steps,
            None => &mut self.steps,
        };
        Arc::make_mut(steps)
    }

    /// Sets an output of a step of the job.
    pub(super) fn put_output(&mut self, id: &Arc<str>, name: &str, value: &str) {
        put_output(Arc::make_mut(&mut self.steps), id, name, value);
    }

    fn save_state(&mut self, path: &StepPath, name: &str, value: &str) {
        let state = Arc::make_mut(&mut self.saved_state).entry(path.in_stage(Stage::Main)).or_default();
        Arc::make_mut(state).insert(name, Value::string(value));
    }

    pub(super) fn set_env(&mut self, lane: LaneId, name: &str, value: &str) {
        match self.held_back(lane) {
            Some(deferred) => deferred.set_env(name, value),
            None => {
                let env = Arc::make_mut(&mut self.env);
                match env.get_mut(name) {
                    Some(known) => *known = Value::string(value),
                    None => drop(env.insert(name, Value::string(value))),
                }
            }
        }
    }

    /// An entry that is added again moves to the front of PATH (steps.md 3.2).
    pub(super) fn add_path(&mut self, lane: LaneId, entry: &str) {
        if let Some(deferred) = self.held_back(lane) {
            return deferred.add_path(entry);
        }
        let path = Arc::make_mut(&mut self.path);
        path.retain(|known| known.as_ref() != entry);
        path.push(Arc::from(entry));
    }
}

fn put_output(steps: &mut Object, id: &Arc<str>, name: &str, value: &str) {
    let outputs = step_entry(steps, id).and_then(|entry| object_in(entry, &NAMES.outputs, Object::new));
    if let Some(outputs) = outputs {
        outputs.insert(name, Value::string(value));
    }
}

/// The `steps` entry of a step, to be changed. One of which nothing is known yet has no outputs.
fn step_entry<'a>(steps: &'a mut Object, id: &Arc<str>) -> Option<&'a mut Object> {
    object_in(steps, id, || Object::from([(Arc::clone(&NAMES.outputs), Object::new())]))
}

/// The object under a key, made if there is none; always `Some`.
fn object_in<'a>(
    all: &'a mut Object,
    key: &Arc<str>,
    make: impl FnOnce() -> Object,
) -> Option<&'a mut Object> {
    if !matches!(all.get(key), Some(Value::Object(_))) {
        all.insert(Arc::clone(key), make());
    }
    match all.get_mut(key)? {
        Value::Object(object) => Some(Arc::make_mut(object)),
        _ => None,
    }
}

/// The outcome of a body and the line that says why (steps.md 1.2, exception map; 2.3 for background steps).
fn judge(
    exit: &Exit,
    stop: Option<Stop>,
    commands_failed: bool,
    whose: impl FnOnce() -> String,
) -> (Outcome, Option<String>) {
    match (stop, exit) {
        (Some(Stop::TimedOut { minutes }), _) => {
            // A step of a composite action has what is left of the action's time, of which it knows nothing (steps.md 4.4).
            let line = match whose().as_str() {
                "action" => "The action has timed out.".to_owned(),
                whose => format!("The {whose} has timed out after {minutes} minutes."),
            };
            (Outcome::Failure, Some(line))
        }
        (Some(Stop::CalledOff), _) => (Outcome::Cancelled, None),
        (Some(Stop::Cancelled), _) => (Outcome::Cancelled, Some(CANCELLED.to_owned())),
        (None, Exit::Code(0)) if commands_failed => (Outcome::Failure, None),
        (None, Exit::Code(0)) => (Outcome::Success, None),
        (None, Exit::Code(code)) => {
            (Outcome::Failure, Some(format!("Process completed with exit code {code}.")))
        }
        // A shell reports a child's signal as 128 + its number; GitHub does the same for the shell itself.
        (None, Exit::Signal(signal)) => {
            (Outcome::Failure, Some(format!("Process completed with exit code {}.", 128 + signal)))
        }
        (None, Exit::NotStarted(text) | Exit::Failed(text)) => (Outcome::Failure, Some(text.clone())),
    }
}
