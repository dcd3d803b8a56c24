//! Waiting for background steps and cancelling them: `wait`, `wait-all`, `cancel`, and the end of the main stage
//! (steps.md 2.4, 2.5).
//!
//! What a background step wrote reaches the job here, once, in the order of the ids; and so does its failure.

use std::sync::Arc;

use syntax::StepBody;

use super::lane::{Cursor, Scope, Stop, Wait, WaitKind};
use super::{Job, Misuse, StepResult};
use crate::effect::{Effect, Outcome, Signal};
use crate::lines::LineTag;
use crate::secrets::Secrets;
use crate::step_path::{LaneId, StepPath};

impl Job {
    /// `Decided` → `Running` for a step that waits or cancels; it ends when what it names is over.
    pub(super) fn begin_wait(
        &mut self,
        path: StepPath,
        body: &StepBody,
        secrets: &Secrets,
        out: &mut Vec<Effect>,
    ) {
        let (kind, steps) = match body {
            StepBody::Wait { ids } => {
                let ids = ids.iter().map(|id| Arc::clone(&id.value)).collect::<Vec<_>>();
                (WaitKind::Ids, self.named(&path, &ids, secrets, out))
            }
            StepBody::Cancel { id } => {
                (WaitKind::Cancel, self.named(&path, &[Arc::clone(&id.value)], secrets, out))
            }
            _ => (WaitKind::All, self.not_joined()),
        };
        self.log(Some(&path), LineTag::Plain, &self.opening_line(kind, &steps, secrets), secrets, out);
        if kind == WaitKind::Cancel {
            steps.iter().for_each(|step| self.cancel_background(step, secrets, out));
        }
        let foreground = self.foreground();
        foreground.cursor = Cursor::Running(path);
        foreground.wait = Some(Wait { kind, steps });
    }

    /// The background steps that ids name; one that names none is said, and nothing is waited for (rows 1 and 6).
    fn named(
        &self,
        path: &StepPath,
        ids: &[Arc<str>],
        secrets: &Secrets,
        out: &mut Vec<Effect>,
    ) -> Vec<StepPath> {
        let mut steps = Vec::new();
        for id in ids {
            let found: Vec<StepPath> = self.plan.background_before(path, id).collect();
            if found.is_empty() {
                let text = format!("No background step before this one has the id '{id}'.");
                self.log(Some(path), LineTag::Warning, &text, secrets, out);
            }
            steps.extend(found.into_iter().filter(|step| !steps.contains(step)).collect::<Vec<_>>());
        }
        steps
    }

    /// Background steps whose writes and results have not reached the job. One that is inside of its action is still that one.
    fn not_joined(&self) -> Vec<StepPath> {
        self.background().filter_map(|(_, lane)| Some(lane.cursor.step()?.outermost())).collect()
    }

    /// A person stops a background step; whoever waits for it learns of it as of one that was cancelled by a step.
    pub(super) fn cancel_lane(
        &mut self,
        lane: LaneId,
        secrets: &Secrets,
        out: &mut Vec<Effect>,
    ) -> Result<(), Misuse> {
        let background = self.lanes.get(&lane).filter(|_| lane != LaneId::FOREGROUND);
        let step = background.ok_or(Misuse::NoLane(lane))?.cursor.step().cloned();
        if let Some(step) = step {
            self.cancel_background(&step, secrets, out);
        }
        Ok(())
    }

    /// Ends a background step wherever it is. Of an action the step that runs ends, and what it has left to do is for its own
    /// conditions to say, which find it cancelled (row 14).
    fn cancel_background(&mut self, step: &StepPath, secrets: &Secrets, out: &mut Vec<Effect>) {
        let id = LaneId::of_background(step);
        let Some(lane) = self.lanes.get(&id) else { return };
        match lane.cursor.clone() {
            Cursor::Decided(path, _) => self.call_off_undone(id, path, secrets, out),
            Cursor::Running(_) => self.stop(id, Stop::CalledOff, Signal::Ladder, out),
            // Its condition waits for `hashFiles`.
            Cursor::Ready(path) => {
                let name = self.plain_name(&path, secrets);
                self.lane_or_insert(id).scope =
                    Some(Scope { name, env: Arc::clone(&self.env), own_env: Arc::default() });
                self.call_off_undone(id, path, secrets, out);
            }
            Cursor::Settled(_) | Cursor::Done(_) => {}
        }
    }

    fn opening_line(&self, kind: WaitKind, steps: &[StepPath], secrets: &Secrets) -> String {
        let heading = match kind {
            WaitKind::All if steps.is_empty() => {
                return "No background steps remaining to wait for.".to_owned();
            }
            WaitKind::Ids => "Waiting for background step(s) to complete:",
            WaitKind::All | WaitKind::StageEnd => "Waiting for all background step(s) to complete:",
            WaitKind::Cancel => "Cancelling background step(s):",
        };
        let names: Vec<Arc<str>> = steps.iter().map(|step| self.step_name(step, secrets)).collect();
        let names = if names.is_empty() { "(none)".to_owned() } else { names.join(", ") };
        format!("{heading} {names}")
    }

    /// Ends the foreground's wait if all that it waits for is over. True if it did, and there may be more to do.
    pub(super) fn end_wait(&mut self, secrets: &Secrets, out: &mut Vec<Effect>) -> bool {
        let Some(wait) = self.lanes.get(&LaneId::FOREGROUND).and_then(|lane| lane.wait.clone()) else {
            return false;
        };
        let lanes = wait.steps.iter().filter_map(|step| self.lanes.get(&LaneId::of_background(step)));
        if !lanes.into_iter().all(super::Lane::is_over) {
            return false;
        }
        let Some(path) = self.cursor().step().cloned() else { return false };
        self.foreground().wait = None;
        self.join(&path, &wait.steps, secrets, out);
        let result = self.merged(&wait);
        match wait.kind {
            WaitKind::StageEnd => {
                if self.status == Outcome::Success {
                    self.status = result;
                }
                self.leave(LaneId::FOREGROUND, &path, secrets, out);
            }
            kind => {
                self.log_end_of_wait(&path, kind, &wait.steps, secrets, out);
                self.settle(LaneId::FOREGROUND, path, result, result, out);
            }
        }
        true
    }

    /// How the steps that were waited for count for whoever waited. One that was cancelled by a `cancel` step does not; one
    /// that fell with the job makes the wait cancelled as well (rows 11, 12 and 20).
    fn merged(&self, wait: &Wait) -> Outcome {
        if wait.kind == WaitKind::Cancel {
            return Outcome::Success;
        }
        let results = || wait.steps.iter().filter_map(|step| self.results.get(step));
        let fell = |result: &StepResult| result.conclusion == Outcome::Cancelled && !result.called_off;
        match results().any(|result| result.conclusion == Outcome::Failure) {
            true => Outcome::Failure,
            false if results().any(fell) => Outcome::Cancelled,
            false => Outcome::Success,
        }
    }

    fn log_end_of_wait(
        &self,
        path: &StepPath,
        kind: WaitKind,
        steps: &[StepPath],
        secrets: &Secrets,
        out: &mut Vec<Effect>,
    ) {
        let text = match kind {
            WaitKind::All if steps.is_empty() => return,
            WaitKind::Ids => "Finished waiting for background step(s).",
            WaitKind::All | WaitKind::StageEnd => "Finished waiting for all background step(s).",
            WaitKind::Cancel => "Finished cancelling background step(s).",
        };
        self.log(Some(path), LineTag::Plain, text, secrets, out);
        for step in steps {
            let result = self.results.get(step).map_or("Unknown", |result| task_result(result.conclusion));
            let text = format!("  {}: {result}", self.step_name(step, secrets));
            self.log(Some(path), LineTag::Plain, &text, secrets, out);
        }
    }

    /// What these steps wrote reaches the job, in this order; each only once, for its lane goes with it (rows 4 and 5).
    fn join(&mut self, path: &StepPath, steps: &[StepPath], secrets: &Secrets, out: &mut Vec<Effect>) {
        let mut written: Vec<Arc<str>> = Vec::new();
        for step in steps {
            let Some(lane) = self.lanes.shift_remove(&LaneId::of_background(step)) else { continue };
            for (name, value) in &lane.deferred.outputs {
                self.set_output(LaneId::FOREGROUND, step, name, value);
            }
            for (name, value) in &lane.deferred.env {
                self.set_env(LaneId::FOREGROUND, name, value);
            }
            for entry in &lane.deferred.path {
                self.add_path(LaneId::FOREGROUND, entry);
            }
            if let Some(result) = self.results.get(step) {
                let (outcome, conclusion) = (result.outcome, result.conclusion);
                self.publish(step, outcome, conclusion);
            }
            self.log_overwritten(path, &lane.deferred.env, &written, secrets, out);
            written.extend(lane.deferred.env.into_iter().map(|(name, _)| name));
        }
    }

    /// Two steps that set one variable: the later one in the list wins, which step debug says (row 21).
    fn log_overwritten(
        &self,
        path: &StepPath,
        env: &[(Arc<str>, Arc<str>)],
        written: &[Arc<str>],
        secrets: &Secrets,
        out: &mut Vec<Effect>,
    ) {
        if !self.line_options(&self.env).step_debug {
            return;
        }
        for (name, _) in env.iter().filter(|(name, _)| written.contains(name)) {
            let text = format!("Two background steps set '{name}'; the last one in the list wins.");
            self.log(Some(path), LineTag::Debug, &text, secrets, out);
        }
    }

    /// The main stage is over. What runs that no step waited for is waited for here, as GitHub does before the post steps; and a
    /// failure that no step saw counts from here on.
    pub(super) fn waits_at_stage_end(&mut self) -> bool {
        let steps = self.not_joined();
        if steps.is_empty() {
            self.count_unseen_failures();
            return false;
        }
        self.foreground().wait = Some(Wait { kind: WaitKind::StageEnd, steps });
        true
    }

    fn count_unseen_failures(&mut self) {
        let failed = self
            .results
            .iter()
            .any(|(path, result)| result.conclusion == Outcome::Failure && self.is_background(path));
        if failed && self.status == Outcome::Success {
            self.status = Outcome::Failure;
        }
    }
}

/// GitHub's word in the log of a wait (steps.md 1.3).
fn task_result(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => "Succeeded",
        Outcome::Failure => "Failed",
        Outcome::Cancelled => "Canceled",
        Outcome::Skipped => "Skipped",
    }
}
