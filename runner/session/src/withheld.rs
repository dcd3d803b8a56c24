//! Stops before a step of a background action. Nobody tells a lane to advance, so the job has moved on to the step by then: what it
//! wants of the host is withheld until the job goes on.
//!
//! Knows which effects belong to a step; whether a breakpoint stops there is asked as anywhere else.

use engine::effect::{Effect, Report};
use engine::expr::HashAnswers;
use engine::job::Question;
use engine::step_path::{LaneId, StepPath};
use host::contract::Host;

use crate::breakpoint::{Breakpoint, BreakpointId};
use crate::notice::Notice;
use crate::request::StopReason;
use crate::session::Session;

/// What a step in the background wants of the host, and does not get yet.
pub(crate) struct Withheld {
    breakpoint: BreakpointId,
    lane: LaneId,
    step: StepPath,
    effects: Vec<Effect>,
    /// The job stands for it, or has.
    told: bool,
}

/// A breakpoint was come to in the background.
#[derive(Clone, Copy)]
pub(crate) struct LaneHit {
    breakpoint: BreakpointId,
    /// The moment after which that was, so that hits count along the current branch.
    after: crate::moment::MomentId,
}

impl<H: Host> Session<H> {
    /// Takes out of what is to be done now what steps want that are to be stopped before.
    pub(crate) fn withhold(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        if self.breakpoints.all().is_empty() {
            return effects;
        }
        let settled = |effects: &[Effect], path: &StepPath| {
            let is_end = |effect: &Effect| matches!(effect, Effect::Report(Report::StepSettled { step, .. }) if step == path);
            effects.iter().any(is_end)
        };
        let mut begun: Vec<(LaneId, StepPath)> = Vec::new();
        for effect in &effects {
            if let Effect::Report(Report::StepStarted { lane, step, .. }) = effect
                && *lane != LaneId::FOREGROUND
                && step.level() > 0
                && !settled(&effects, step)
            {
                begun.push((*lane, step.clone()));
            }
        }
        for (lane, step) in begun {
            if let Some(breakpoint) = self.hit_in_lane(lane, &step) {
                self.withheld.push(Withheld { breakpoint, lane, step, effects: Vec::new(), told: false });
            }
        }
        let mut now = Vec::new();
        for effect in effects {
            let lane = wanted_by(&effect);
            match self.withheld.iter_mut().rev().find(|step| Some(step.lane) == lane && !step.told) {
                Some(step) => step.effects.push(effect),
                None => now.push(effect),
            }
        }
        now
    }

    /// The breakpoint that stops before a step of a lane. Log points have said what they have to say.
    fn hit_in_lane(&mut self, lane: LaneId, step: &StepPath) -> Option<BreakpointId> {
        let here: Vec<Breakpoint> = self.breakpoints.at(&self.job, step).cloned().collect();
        let mut stops = None;
        for breakpoint in here {
            let (holds, doubt) = self.holds_in_lane(lane, &breakpoint);
            if let Some(text) = doubt {
                self.tell(Notice::Warning(text));
                stops = stops.or(Some(breakpoint.id));
            }
            if !holds {
                continue;
            }
            let after = self.here;
            self.lane_hits.push(LaneHit { breakpoint: breakpoint.id, after });
            let on_this_branch = |hit: &&LaneHit| {
                hit.breakpoint == breakpoint.id && self.timeline.is_ancestor(hit.after, self.here)
            };
            let hits =
                u32::try_from(self.lane_hits.iter().filter(on_this_branch).count()).unwrap_or(u32::MAX);
            if !breakpoint.spec.hits.is_none_or(|condition| condition.holds(hits)) {
                continue;
            }
            match &breakpoint.spec.log_message {
                Some(message) => {
                    let text = self.interpolate(message, &self.job, lane);
                    self.tell(Notice::LogPoint { breakpoint: breakpoint.id, text, place: self.place(step) });
                }
                None => stops = stops.or(Some(breakpoint.id)),
            }
        }
        stops
    }

    /// Whether the breakpoint's condition holds for the step of a lane; and what is wrong with it.
    fn holds_in_lane(&self, lane: LaneId, breakpoint: &Breakpoint) -> (bool, Option<String>) {
        let Some(text) = &breakpoint.spec.condition else { return (true, None) };
        match self.job.ask_expression_in(lane, text, &HashAnswers::default(), &self.secrets) {
            Question::Answer(value) => (value.is_truthy(), None),
            Question::NeedsHash(_) => {
                (false, Some(format!("breakpoint condition `{text}`: hashFiles() cannot be used here")))
            }
            Question::Wrong(error) => (false, Some(format!("breakpoint condition `{text}`: {error}"))),
        }
    }

    /// Stands before the first step that waits for it, with everything frozen, as by a second `pause`.
    pub(crate) async fn stop_at_withheld(&mut self) {
        let Some(index) = self.withheld.iter().position(|step| !step.told) else { return };
        if self.withheld.iter().any(|step| step.told) || self.rewound.is_some() {
            return;
        }
        if self.held.is_none() {
            match self.host.freeze().await {
                Ok(frozen) => self.held = Some(frozen),
                Err(error) => {
                    self.tell(Notice::Warning(format!("cannot stop in the background: {error}")));
                    return self.begin_all_withheld();
                }
            }
        }
        let Some(step) = self.withheld.get_mut(index) else { return };
        step.told = true;
        let (reason, path) = (StopReason::Breakpoint(step.breakpoint), step.step.clone());
        self.stand_for(reason, Some(path));
    }

    /// The step at which the job stands gets what it wants. True if there is another one to stand for.
    pub(crate) fn begin_withheld(&mut self) -> bool {
        if let Some(index) = self.withheld.iter().position(|step| step.told) {
            let step = self.withheld.remove(index);
            self.carry_out(step.effects);
        }
        !self.withheld.is_empty()
    }

    /// Nobody stops any more.
    pub(crate) fn begin_all_withheld(&mut self) {
        for step in std::mem::take(&mut self.withheld) {
            self.carry_out(step.effects);
        }
    }
}

/// The lane whose step this is done for; `None` for what is done anyway.
fn wanted_by(effect: &Effect) -> Option<LaneId> {
    match effect {
        Effect::Spawn { lane, .. } | Effect::FetchAction { lane, .. } | Effect::HashFiles { lane, .. } => {
            Some(*lane)
        }
        Effect::SetTimer { id, .. } => Some(id.lane()),
        _ => None,
    }
}
