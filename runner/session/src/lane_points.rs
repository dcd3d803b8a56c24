//! Stop points of background steps: a moment for each, and the stop that it asks for. Nobody tells a lane to advance, so the job may
//! have moved on by the time it stands.
//!
//! Knows when a lane has come to one; whether the job stands there is found as anywhere else (`stopping`).

use engine::effect::{Effect, Outcome, Report};
use engine::job::{Cursor, Decision, Job};
use engine::step_path::{LaneId, StepPath};
use host::contract::Host;
use host::snapshot::SnapshotId;

use crate::moment::{Cause, MomentId, Point};
use crate::notice::Notice;
use crate::request::StopReason;
use crate::session::Session;

/// A background step has come to something for which the job is to stand.
pub(crate) struct LaneStop {
    step: StepPath,
    reason: StopReason,
}

impl<H: Host> Session<H> {
    /// Carries out what one state of the job led to, with a moment for each stop point that a background step came to by that.
    pub(crate) async fn follow(&mut self, effects: Vec<Effect>) {
        let (begun, ended) = (begun_in_lanes(&self.job, &effects), ended_in_lanes(&effects));
        for (lane, step) in begun {
            self.before_step_of_lane(lane, step).await;
        }
        let effects = self.withhold(effects);
        self.carry_out(effects);
        for step in ended {
            self.after_step_of_lane(step).await;
        }
    }

    /// Who runs by itself and writes nothing down has nobody who could look back.
    fn keeps_points_of_lanes(&self) -> bool {
        !self.timeline.moments().is_empty() && (self.recorder.is_some() || !self.only_runs)
    }

    async fn before_step_of_lane(&mut self, lane: LaneId, step: StepPath) {
        if !self.keeps_points_of_lanes() {
            return;
        }
        let files = match self.only_runs {
            true => self.files_here().filter(|_| !self.lanes_wrote),
            false => self.files_between_steps().await,
        };
        self.keep_at(Point::LaneBefore(step.clone()), self.branch, Cause::Advanced, files);
        let doubtful = self.speak_at(self.here);
        if let Some(reason) = self.reason_at(self.here).or(doubtful) {
            self.withhold_step(lane, step, reason);
        }
    }

    async fn after_step_of_lane(&mut self, step: StepPath) {
        let Some(outcome) = self.job.results().get(&step).map(|result| result.outcome) else { return };
        if !self.keeps_points_of_lanes() {
            return;
        }
        let files = self.files_after_lane(outcome).await;
        self.keep_at(Point::LaneAfter(step.clone(), outcome), self.branch, Cause::Advanced, files);
        if self.lane_stop.is_none()
            && let Some(reason) = self.reason_at(self.here)
        {
            self.lane_stop = Some(LaneStop { step, reason });
        }
    }

    /// A job that runs by itself is held up for no more than a person will want: the files at a bad end, which is what somebody
    /// opens its recording for. Those that a step left which ended well are in the next snapshot of the foreground.
    async fn files_after_lane(&mut self, outcome: Outcome) -> Option<SnapshotId> {
        let ended_well = matches!(outcome, Outcome::Success | Outcome::Skipped);
        if self.only_runs && ended_well && self.lanes_wrote {
            return None;
        }
        self.files_between_steps().await
    }

    /// Stands for what a background step has come to, wherever the foreground is: everything is frozen, as by a second `pause`. A
    /// job that stands already, or has just come to a stop, shows it in its list of steps.
    pub(crate) async fn stop_at_lane_point(&mut self) {
        let Some(LaneStop { step, reason }) = self.lane_stop.take() else { return };
        if !self.gate.is_open() || self.held.is_some() {
            return;
        }
        match self.host.freeze().await {
            Ok(frozen) => {
                self.held = Some(frozen);
                self.stand_for(reason, Some(step));
            }
            Err(error) => {
                let name = self.job.step_name(&step, &self.secrets);
                self.tell(Notice::Warning(format!("cannot stop at the end of {name}: {error}")));
            }
        }
    }

    /// The background step whose stop point this moment is.
    pub(crate) fn step_of_lane_at(&self, id: MomentId) -> Option<StepPath> {
        let point = &self.timeline.get(id)?.point;
        point.step().filter(|_| point.is_of_lane()).cloned()
    }

    /// The moments at which the job stands now: going back leads to earlier ones. None while it runs, or is frozen in the middle of
    /// a step.
    pub(crate) fn stands_at(&self) -> Vec<MomentId> {
        if self.rewound.is_some() {
            return vec![self.here];
        }
        let present = Point::of(&self.job);
        let foreground = self.timeline.of_foreground(self.here).filter(|moment| moment.point == present);
        let step = self.stop.as_ref().and_then(|stop| stop.background.as_ref());
        let is_of_step = |point: &Point| point.is_of_lane() && point.step() == step;
        let lane =
            step.and_then(|_| self.timeline.ancestry(self.here).find(|moment| is_of_step(&moment.point)));
        foreground.into_iter().chain(lane).map(|moment| moment.id).collect()
    }
}

/// The steps inside of background actions that are about to run. The background step itself was stopped at in the foreground.
fn begun_in_lanes(job: &Job, effects: &[Effect]) -> Vec<(LaneId, StepPath)> {
    let begun = |effect: &Effect| match effect {
        Effect::Report(Report::StepStarted { lane, step, .. }) => {
            let cursor = job.lanes().get(lane).map(|lane| &lane.cursor);
            let runs = matches!(cursor, Some(Cursor::Decided(path, Decision::Run)) if path == step);
            (*lane != LaneId::FOREGROUND && step.level() > 0 && runs).then(|| (*lane, step.clone()))
        }
        _ => None,
    };
    effects.iter().filter_map(begun).collect()
}

fn ended_in_lanes(effects: &[Effect]) -> Vec<StepPath> {
    let ended = |effect: &Effect| match effect {
        Effect::Report(Report::StepSettled { lane, step, .. }) if *lane != LaneId::FOREGROUND => {
            Some(step.clone())
        }
        _ => None,
    };
    effects.iter().filter_map(ended).collect()
}
