//! Background steps: a lane each, as many at a time as there are slots, and what they write held back (steps.md 2.3, 2.6).
//!
//! Knows when a lane begins and what becomes of lanes that a person went back over; who waits for them stands in `join`.

use std::sync::Arc;

use super::lane::{Cursor, Decision, Deferred, Lane, Stop};
use super::settle::CANCELLED;
use super::{Job, Misuse};
use crate::effect::{Effect, Outcome, Report};
use crate::event::LaneChoice;
use crate::lines::LineTag;
use crate::secrets::Secrets;
use crate::step_path::{LaneId, Stage, StepPath};

impl Job {
    /// True for a step that is to run in a lane of its own.
    pub(super) fn is_background(&self, path: &StepPath) -> bool {
        let is_of_the_job = path.stage() == Stage::Main && path.depth() == 0;
        is_of_the_job && self.plan.step(path).is_some_and(|step| step.background)
    }

    /// `Decided` in the foreground → a lane that waits for its turn; the foreground goes on to the next step. Environment, name
    /// and time limit stay as they are now, PATH is taken when the body starts (steps.md 2.3).
    pub(super) fn launch(
        &mut self,
        path: StepPath,
        minutes: Option<u32>,
        secrets: &Secrets,
        out: &mut Vec<Effect>,
    ) {
        let foreground = self.foreground();
        let lane = Lane {
            scope: foreground.scope.take(),
            hashes: std::mem::take(&mut foreground.hashes),
            timeout: minutes,
            ..Lane::at(Cursor::Decided(path.clone(), Decision::Run))
        };
        let id = LaneId::of_background(&path);
        let name = lane.scope.as_ref().map_or_else(|| Arc::from(""), |scope| Arc::clone(&scope.name));
        self.lanes.insert(id, lane);
        out.push(Effect::Report(Report::LaneStarted { lane: id, step: path.clone(), name }));
        self.leave(LaneId::FOREGROUND, &path, secrets, out);
    }

    /// The background lanes, in the order in which they were launched.
    pub fn background(&self) -> impl Iterator<Item = (LaneId, &Lane)> {
        self.lanes.iter().filter(|(id, _)| **id != LaneId::FOREGROUND).map(|(id, lane)| (*id, lane))
    }

    /// Lets a lane that waits for a slot begin, if there is one. True if one began.
    pub(super) fn fill_slot(&mut self, secrets: &Secrets, out: &mut Vec<Effect>) -> bool {
        let Some((lane, path)) = self.next_queued() else { return false };
        self.in_slot(lane, path, secrets, out);
        true
    }

    /// Moves a lane that is inside of an action to its next step: nobody stops it there. True if one moved.
    pub(super) fn advance_inside(&mut self, secrets: &Secrets, out: &mut Vec<Effect>) -> bool {
        let ready = |lane: &Lane| {
            let inside = lane.cursor.step().is_some_and(|path| path.depth() > 0);
            inside && lane.is_idle() && !matches!(lane.cursor, Cursor::Running(_))
        };
        let Some(lane) = self.background().find(|(_, lane)| ready(lane)).map(|(id, _)| id) else {
            return false;
        };
        self.advance(lane, secrets, out).is_ok()
    }

    fn next_queued(&self) -> Option<(LaneId, StepPath)> {
        let in_slots = self.background().filter(|(_, lane)| !lane.is_queued() && !lane.is_over()).count();
        let (lane, queued) = self.background().find(|(_, lane)| lane.is_queued())?;
        let path = queued.cursor.step()?.clone();
        self.given.background_slots.are_free(in_slots).then_some((lane, path))
    }

    /// Where a lane's step writes what later steps see; `None` for the foreground, whose writes are seen at once.
    pub(super) fn held_back(&mut self, lane: LaneId) -> Option<&mut Deferred> {
        if lane == LaneId::FOREGROUND {
            return None;
        }
        self.lanes.get_mut(&lane).map(|lane| &mut lane.deferred)
    }

    /// The lane in which this step is, if it is not over and done with.
    pub(super) fn lane_of(&self, path: &StepPath) -> LaneId {
        let lane = LaneId::of_background(path);
        let is_there = self.lanes.get(&lane).is_some_and(|lane| {
            let at = lane.cursor.step();
            at.is_some_and(|at| at == path || at.ancestors().contains(path))
        });
        if is_there { lane } else { LaneId::FOREGROUND }
    }

    /// A step that waits for a slot, or for its action, is over without having begun.
    pub(super) fn call_off_undone(
        &mut self,
        lane: LaneId,
        path: StepPath,
        secrets: &Secrets,
        out: &mut Vec<Effect>,
    ) {
        self.lane_or_insert(lane).stop = Some(Stop::CalledOff);
        self.log(Some(&path), LineTag::Plain, CANCELLED, secrets, out);
        self.settle(lane, path, Outcome::Cancelled, Outcome::Cancelled, out);
    }

    /// The background steps of which something had begun and was not over: what a job that is taken up at an earlier moment lacks.
    /// Between two steps of an action nothing runs.
    pub fn cut_lanes(&self) -> impl Iterator<Item = (LaneId, StepPath)> {
        self.background().filter_map(|(id, lane)| Some((id, lane.body_in_slot()?.outermost())))
    }

    /// The step of the foreground whose body had begun and was not over: the other thing that a job lacks which is taken up at an
    /// earlier moment. A step that waits has no body.
    pub fn cut_step(&self) -> Option<&StepPath> {
        let lane = self.lanes.get(&LaneId::FOREGROUND).filter(|lane| lane.wait.is_none())?;
        match &lane.cursor {
            Cursor::Running(path) => Some(path),
            _ => None,
        }
    }

    /// The foreground's step stands before its start again, with all that was evaluated for it.
    fn restart_foreground(&mut self, secrets: &Secrets, out: &mut Vec<Effect>) -> Result<(), Misuse> {
        let Some(path) = self.cut_step().cloned() else { return Ok(()) };
        let lane = self.foreground();
        if lane.stop.is_some() {
            // It was being ended already, and now has ended.
            return self.body_ended(LaneId::FOREGROUND, crate::event::BodyEnd::killed(), secrets, out);
        }
        let (scope, hashes) = (lane.scope.take(), std::mem::take(&mut lane.hashes));
        let name = scope.as_ref().map_or_else(|| Arc::from(""), |scope| Arc::clone(&scope.name));
        *lane = Lane { scope, hashes, ..Lane::at(Cursor::Decided(path.clone(), Decision::Run)) };
        out.push(Effect::Report(Report::StepStarted { lane: LaneId::FOREGROUND, step: path, name }));
        Ok(())
    }

    /// The background actions of which no step runs, with the step that each is at.
    fn lanes_between_steps(&self) -> Vec<(LaneId, StepPath)> {
        let between = |(id, lane): (LaneId, &Lane)| {
            let step = lane.cursor.step().filter(|step| step.depth() > 0)?;
            (!matches!(lane.cursor, Cursor::Running(_))).then(|| (id, step.clone()))
        };
        self.background().filter_map(between).collect()
    }

    /// A background action goes on with its next step: what it waits for is asked again, and its limits count anew.
    fn go_on_inside(&mut self, id: LaneId, step: &StepPath, out: &mut Vec<Effect>) {
        let lane = self.lane_or_insert(id);
        (lane.asked, lane.fetching) = (None, false);
        for path in step.ancestors() {
            let minutes = self.composites.get(&path).and_then(|composite| composite.timeout);
            self.set_limit(id, &path, minutes, out);
        }
    }

    /// The job goes on from an earlier moment: the bodies that ran then are gone. Each starts again from its own start; those of
    /// background steps may be left out (DESIGN 4).
    pub(super) fn resumed(
        &mut self,
        choice: LaneChoice,
        secrets: &Secrets,
        out: &mut Vec<Effect>,
    ) -> Result<(), Misuse> {
        for (id, path) in self.lanes_between_steps() {
            self.go_on_inside(id, &path, out);
        }
        for (id, path) in self.cut_lanes().collect::<Vec<_>>() {
            if self.lane_or_insert(id).stop.is_some() {
                // It was being ended already, and now has ended. An action does what it has left to do then.
                self.body_ended(id, crate::event::BodyEnd::killed(), secrets, out)?;
                continue;
            }
            // A composite action starts again as a whole.
            let entered = self.composites.get(&path).map(|action| (action.scope.clone(), action.timeout));
            let is_inside = |known: &StepPath| known.stage() == Stage::Main && known.outermost() == path;
            Arc::make_mut(&mut self.composites).retain(|known, _| !is_inside(known));
            Arc::make_mut(&mut self.results).retain(|known, _| !is_inside(known));
            let lane = self.lane_or_insert(id);
            let scope = entered.as_ref().map(|(scope, _)| scope.clone()).or_else(|| lane.scope.take());
            let timeout = entered.map_or(lane.timeout, |(_, timeout)| timeout);
            if choice == LaneChoice::LeaveOut {
                let (stop, deferred) = (Some(Stop::CalledOff), std::mem::take(&mut lane.deferred));
                *lane = Lane { scope, timeout, stop, deferred, ..Lane::at(Cursor::Running(path)) };
                self.body_ended(id, crate::event::BodyEnd::killed(), secrets, out)?;
                continue;
            }
            let name = scope.as_ref().map_or_else(|| Arc::from(""), |scope| Arc::clone(&scope.name));
            *lane = Lane { scope, timeout, ..Lane::at(Cursor::Decided(path.clone(), Decision::Run)) };
            let (step, again) = (path.clone(), Arc::clone(&name));
            out.push(Effect::Report(Report::StepStarted { lane: id, step, name: again }));
            out.push(Effect::Report(Report::LaneStarted { lane: id, step: path, name }));
        }
        self.restart_foreground(secrets, out)
    }
}

impl Lane {
    /// The step whose body has begun, or is being prepared, in a slot.
    fn body_in_slot(&self) -> Option<&StepPath> {
        match &self.cursor {
            Cursor::Running(path) => Some(path),
            _ if self.is_over() || self.is_queued() => None,
            cursor => cursor.step().filter(|path| path.depth() == 0),
        }
    }
}

impl Deferred {
    pub(super) fn set_output(&mut self, name: &str, value: &str) {
        self.outputs.push((Arc::from(name), Arc::from(value)));
    }

    pub(super) fn set_env(&mut self, name: &str, value: &str) {
        self.env.push((Arc::from(name), Arc::from(value)));
    }

    pub(super) fn add_path(&mut self, entry: &str) {
        self.path.push(Arc::from(entry));
    }
}
