//! Stopping: the job as a whole, and steps that run too long (steps.md 1.2 steps 6 and 10).
//!
//! Decides who has to stop; the host does the stopping.

use std::sync::Arc;

use super::lane::{Cursor, Decision, Stop};
use super::settle::CANCELLED;
use super::{Job, Misuse};
use crate::effect::{Effect, Outcome, Signal, TimerId};
use crate::event::CancelReason;
use crate::lines::LineTag;
use crate::secrets::Secrets;
use crate::step_path::{LaneId, StepPath};

impl Job {
    /// Cancels the job. A step that runs, or is about to, goes on if its condition still holds for a cancelled job; a second
    /// cancel stops a running one all the same, at once.
    pub(super) fn cancel(
        &mut self,
        reason: CancelReason,
        secrets: &Secrets,
        out: &mut Vec<Effect>,
    ) -> Result<(), Misuse> {
        if matches!(self.cursor(), Cursor::Done(_)) {
            return Err(Misuse::Over);
        }
        let again = self.cancelled.is_some();
        self.cancelled.get_or_insert(reason);
        self.status = Outcome::Cancelled;
        if self.is_setting_up() {
            self.call_off_set_up(out);
            return Ok(());
        }
        let running: Vec<(LaneId, StepPath)> = self
            .lanes
            .iter()
            .filter_map(|(id, lane)| match &lane.cursor {
                Cursor::Running(path) if lane.wait.is_none() => Some((*id, path.clone())),
                _ => None,
            })
            .collect();
        for (lane, path) in running {
            if again {
                self.stop(lane, Stop::Cancelled, Signal::Kill, out);
            } else if !self.survives_cancel(lane, &path, secrets) {
                self.stop(lane, Stop::Cancelled, Signal::Ladder, out);
            }
        }
        self.call_off(secrets, out);
        Ok(())
    }

    /// A step of which it was decided that it runs is cancelled before its body begins, as GitHub cancels it from before its
    /// condition on (steps.md 1.2, step 6). One that was to be skipped is skipped.
    fn call_off(&mut self, secrets: &Secrets, out: &mut Vec<Effect>) {
        let decided = self.lanes.iter().filter_map(|(id, lane)| match &lane.cursor {
            Cursor::Decided(path, Decision::Run) => Some((*id, path.clone())),
            _ => None,
        });
        for (lane, path) in decided.collect::<Vec<_>>() {
            if !self.survives_cancel(lane, &path, secrets) {
                self.log(Some(&path), LineTag::Error, CANCELLED, secrets, out);
                self.settle(lane, path, Outcome::Cancelled, Outcome::Cancelled, out);
            }
        }
    }

    pub(super) fn stop(&mut self, lane: LaneId, stop: Stop, signal: Signal, out: &mut Vec<Effect>) {
        self.lane_or_insert(lane).stop.get_or_insert(stop);
        out.push(Effect::Signal { lane, signal });
    }

    fn survives_cancel(&self, lane: LaneId, path: &StepPath, secrets: &Secrets) -> bool {
        let Some(planned) = self.planned(path) else { return false };
        let env = self.scope(lane).env;
        let evaluator = self.evaluator(lane, path, Arc::clone(&env), secrets);
        evaluator.condition(planned.condition()).unwrap_or(false)
    }

    /// A timer rang. One of a step that is over is nothing.
    pub(super) fn timer(
        &mut self,
        id: &TimerId,
        secrets: &Secrets,
        out: &mut Vec<Effect>,
    ) -> Result<(), Misuse> {
        match id {
            TimerId::Job => self.job_timed_out(secrets, out),
            TimerId::Step(lane, path) => {
                let state = self.lanes.get(lane).ok_or(Misuse::NoLane(*lane))?;
                let runs = matches!(&state.cursor, Cursor::Running(running) if running == path);
                if let (true, Some(minutes), None) = (runs, state.timeout, state.stop) {
                    self.stop(*lane, Stop::TimedOut { minutes }, Signal::Ladder, out);
                } else if !runs {
                    self.action_timed_out(*lane, path, out);
                }
                Ok(())
            }
        }
    }

    /// The time of a composite action is up: what runs in it ends.
    fn action_timed_out(&mut self, lane: LaneId, path: &StepPath, out: &mut Vec<Effect>) {
        let Some(state) = self.lanes.get(&lane) else { return };
        let inside = state.cursor.step().is_some_and(|at| at.ancestors().contains(path));
        let minutes = self.composites.get(path).and_then(|composite| composite.timeout);
        let (true, Some(minutes)) = (inside, minutes) else { return };
        let runs = matches!(state.cursor, Cursor::Running(_)) && state.stop.is_none();
        self.composite_timed_out(path);
        if runs {
            self.stop(lane, Stop::TimedOut { minutes }, Signal::Ladder, out);
        }
    }

    fn job_timed_out(&mut self, secrets: &Secrets, out: &mut Vec<Effect>) -> Result<(), Misuse> {
        if matches!(self.cursor(), Cursor::Done(_)) {
            return Ok(());
        }
        let minutes = self.job_minutes(secrets);
        let text = format!("The job has exceeded the maximum execution time of {minutes} minutes");
        let step = self.cursor().step().cloned();
        self.log(step.as_ref(), LineTag::Error, &text, secrets, out);
        self.cancel(CancelReason::JobTimeout, secrets, out)
    }
}
