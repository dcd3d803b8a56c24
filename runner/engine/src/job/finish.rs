//! The two ends of a job: its environment before the first step, its outputs after the last (steps.md 1.1, 1.7).
//!
//! Also the way from one step to the next. Runs nothing.

use std::sync::Arc;
use std::time::Duration;

use expr::{Object, Value};

use super::Job;
use super::evaluate::{Evaluator, Halt};
use super::lane::Cursor;
use crate::effect::{Effect, Outcome, Report, TimerId};
use crate::limits::JOB_TIMEOUT_DEFAULT_MINUTES;
use crate::lines::LineTag;
use crate::secrets::Secrets;
use crate::step_path::{LaneId, Stage, StepPath};

const SECONDS_PER_MINUTE: u64 = 60;

impl Job {
    /// Evaluates the job's environment and starts its clock.
    pub(super) fn set_up(&mut self, secrets: &Secrets, out: &mut Vec<Effect>) {
        match self.job_env(secrets) {
            Ok(env) => self.env = Arc::new(env),
            Err(halt) => {
                let text = self.halt_text(halt);
                self.log(None, LineTag::Error, &text, secrets, out);
                self.status = Outcome::Failure;
                self.done(out);
                return;
            }
        }
        if self.outcome().is_some() {
            self.done(out);
            return;
        }
        out.push(Effect::SetTimer { id: TimerId::Job, after: self.time_limit(secrets) });
        self.prepare_actions(secrets, out);
    }

    /// How long the whole job may take.
    pub fn time_limit(&self, secrets: &Secrets) -> Duration {
        let minutes = u64::from(self.job_minutes(secrets));
        Duration::from_secs(minutes.saturating_mul(SECONDS_PER_MINUTE))
    }

    fn job_env(&self, secrets: &Secrets) -> Result<Object, Halt> {
        let evaluator = Evaluator::for_job(self, secrets);
        let mut env = Object::case_sensitive();
        for token in self.plan.environments() {
            for (name, value) in evaluator.texts(token)? {
                env.insert(name, Value::String(value));
            }
        }
        Ok(env)
    }

    /// The job's `timeout-minutes`; GitHub's default where it gives none or cannot be evaluated.
    pub(super) fn job_minutes(&self, secrets: &Secrets) -> u32 {
        let token = self.plan.job().and_then(|job| job.timeout_minutes.as_ref());
        let minutes = token.and_then(|token| Evaluator::for_job(self, secrets).integer(token).ok());
        minutes.filter(|minutes| *minutes > 0).unwrap_or(JOB_TIMEOUT_DEFAULT_MINUTES)
    }

    /// `Settled` → the next `Ready`, or `Done`.
    pub(super) fn leave(&mut self, lane: LaneId, path: &StepPath, secrets: &Secrets, out: &mut Vec<Effect>) {
        if path.depth() > 0 && path.stage() == Stage::Main {
            return self.leave_inner(lane, path, secrets, out);
        }
        let next = self.step_after(path);
        if next.is_none() && path.stage() == Stage::Main && self.waits_at_stage_end() {
            return;
        }
        match next.or_else(|| self.post.pop()) {
            Some(next) => self.lane_or_insert(lane).move_to(Cursor::Ready(next)),
            None => self.finish(lane, secrets, out),
        }
    }

    /// The stage that comes after all others has no steps left.
    fn finish(&mut self, lane: LaneId, secrets: &Secrets, out: &mut Vec<Effect>) {
        match self.job_outputs(lane, secrets, out) {
            Ok(outputs) => self.outputs = Arc::new(outputs),
            Err(Halt::Hash(request)) => return self.ask(lane, request, out),
            Err(halt @ Halt::Fault(_)) => {
                let text = self.halt_text(halt);
                self.log(None, LineTag::Error, &text, secrets, out);
                if self.status == Outcome::Success {
                    self.status = Outcome::Failure;
                }
            }
        }
        self.done(out);
    }

    /// The job is over, as its status says.
    pub(super) fn done(&mut self, out: &mut Vec<Effect>) {
        let outcome = self.status;
        self.foreground().move_to(Cursor::Done(outcome));
        out.push(Effect::CancelTimer { id: TimerId::Job });
        out.push(Effect::Report(Report::JobFinished { outcome }));
    }

    /// The job's outputs; empty ones are left out, and so are those that hold a secret (steps.md 1.7).
    fn job_outputs(&self, lane: LaneId, secrets: &Secrets, out: &mut Vec<Effect>) -> Result<Object, Halt> {
        let mut outputs = Object::new();
        let mut warnings = Vec::new();
        let Some(job) = self.plan.job() else { return Ok(outputs) };
        let hashes = self.lanes.get(&lane).map(|lane| lane.hashes.clone()).unwrap_or_default();
        let evaluator = Evaluator::after_steps(self, hashes, secrets);
        for (name, template) in &job.outputs {
            let value = evaluator.text(template)?;
            if secrets.mask(&value) != value.as_ref() {
                warnings.push(format!("Skip output '{}' since it may contain secret.", name.value));
            } else if !value.is_empty() {
                outputs.insert(Arc::clone(&name.value), Value::String(value));
            }
        }
        for text in warnings {
            self.log(None, LineTag::Warning, &text, secrets, out);
        }
        Ok(outputs)
    }

    fn halt_text(&self, halt: Halt) -> String {
        match halt {
            Halt::Fault(fault) => self.fault_text(&fault),
            Halt::Hash(_) => "hashFiles() cannot be used in the job's env".to_owned(),
        }
    }

    /// True when no step of the plan is left but post steps may be.
    pub fn in_post_stage(&self) -> bool {
        self.cursor().step().is_some_and(|path| path.stage() == Stage::Post)
    }
}
