//! Stops before a step of a background action. Nobody tells a lane to advance, so the job has moved on to the step by then: what it
//! wants of the host is withheld until the job goes on.
//!
//! Knows which effects belong to a step; whether a breakpoint stops there is asked as anywhere else.

use engine::effect::Effect;
use engine::step_path::{LaneId, StepPath};
use host::contract::Host;

use crate::notice::Notice;
use crate::request::StopReason;
use crate::session::Session;

/// What a step in the background wants of the host, and does not get yet.
pub(crate) struct Withheld {
    reason: StopReason,
    lane: LaneId,
    step: StepPath,
    effects: Vec<Effect>,
    /// The job stands for it, or has.
    told: bool,
}

impl<H: Host> Session<H> {
    /// What this step of a lane wants from here on is withheld, for the job is to stand before it.
    pub(crate) fn withhold_step(&mut self, lane: LaneId, step: StepPath, reason: StopReason) {
        self.withheld.push(Withheld { reason, lane, step, effects: Vec::new(), told: false });
    }

    /// Takes out of what is to be done now what steps want that are to be stopped before.
    pub(crate) fn withhold(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        if self.withheld.is_empty() {
            return effects;
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

    /// Stands before the first step that waits for it, with everything frozen, as by a second `pause`.
    pub(crate) async fn stop_at_withheld(&mut self) {
        let Some(index) = self.withheld.iter().position(|step| !step.told) else { return };
        // What the job stands for in the middle of things is one thing; the next one is told when it goes on.
        if self.held.is_some() || self.withheld.iter().any(|step| step.told) || self.rewound.is_some() {
            return;
        }
        match self.host.freeze().await {
            Ok(frozen) => self.held = Some(frozen),
            Err(error) => {
                self.tell(Notice::Warning(format!("cannot stop in the background: {error}")));
                return self.begin_all_withheld();
            }
        }
        let Some(step) = self.withheld.get_mut(index) else { return };
        step.told = true;
        let (reason, path) = (step.reason.clone(), step.step.clone());
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
