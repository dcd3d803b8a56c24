//! Background steps as the debugger sees them: told when they end, and what becomes of them when the job goes on from a moment at
//! which they ran.
//!
//! Knows which lanes there are; when a lane begins and what its end changes is the engine's, and their stops are `lane_points`'.

use std::sync::Arc;
use std::time::Instant;

use engine::effect::Outcome;
use engine::event::{Event, LaneChoice};
use engine::job::{Job, Lane, StepResult};
use engine::step_path::{LaneId, Stage, StepPath};
use host::contract::Host;
use host::snapshot::SnapshotId;

use crate::notice::{FileCounts, Notice};
use crate::reach;
use crate::request::{BackgroundLine, BackgroundState, Refusal, StopReason};
use crate::session::{Mode, Session};

impl<H: Host> Session<H> {
    /// A background step is over; the job learns of it when somebody waits for it.
    pub(crate) fn lane_settled(&mut self, lane: LaneId, step: &StepPath) {
        self.lanes_wrote |= self.has_written(step);
        self.confirmed.remove(step);
        self.record_result(lane, step);
        let Some(mut end) = self.step_end(lane, step, None) else { return };
        // Of a step that was waited for by then, the wait tells what it brought.
        let deferred = self.job.lanes().get(&lane).map(Lane::deferred).cloned().unwrap_or_default();
        let id = self.job.definition(step).map(|step| step.context_name.to_string());
        let id = id.unwrap_or_default();
        let shown = |(name, value): &(Arc<str>, Arc<str>)| (name.to_string(), self.secrets.mask(value));
        let output = |pair| {
            let (name, value) = shown(pair);
            (format!("{id}.outputs.{name}"), value)
        };
        end.outputs = deferred.outputs.iter().map(output).collect();
        end.variables = deferred.env.iter().map(shown).collect();
        self.tell(Notice::StepEnded(end));
    }

    /// An action with steps of its own writes nothing besides what they wrote, and a skipped step nothing at all.
    fn has_written(&self, step: &StepPath) -> bool {
        let results = self.job.results();
        let ran = results.get(step).is_some_and(|result| result.outcome != Outcome::Skipped);
        ran && !results.contains_key(&step.child(0))
    }

    /// A snapshot while background steps run is taken with them frozen for as long as it takes, so that it holds one moment of
    /// all files.
    pub(crate) async fn snapshot_of_one_moment(&mut self) -> Option<(SnapshotId, FileCounts)> {
        self.files.as_ref()?;
        if self.host.running().is_empty() {
            return self.snapshot();
        }
        match self.host.freeze().await {
            Ok(frozen) => {
                let taken = self.snapshot();
                self.host.thaw(frozen).await;
                taken
            }
            Err(error) => {
                self.tell(Notice::Warning(format!(
                    "the snapshot is fuzzy, for what runs could not be held meanwhile: {error}"
                )));
                self.snapshot()
            }
        }
    }

    /// The files of a moment at which no step of the foreground has written anything: those of the last snapshot, unless a
    /// background step has ended since. It does not run again when the job goes on from here.
    pub(crate) async fn files_between_steps(&mut self) -> Option<SnapshotId> {
        if self.lanes_wrote {
            return self.snapshot_of_one_moment().await.map(|(id, _)| id);
        }
        self.files_here()
    }

    /// Files may have changed since the last snapshot although no person did anything.
    pub(crate) fn lanes_may_have_written(&self) -> bool {
        let is_present = self.rewound.is_none() && !self.lanes_are_gone;
        is_present && (self.lanes_wrote || self.job.cut_lanes().next().is_some())
    }

    /// The job is to go on from a moment in the middle of the foreground's step, whose process is gone.
    pub(crate) fn is_cut(&self) -> bool {
        (self.rewound.is_some() || self.lanes_are_gone) && self.is_running()
    }

    /// The job has gone on from a moment at which something ran: the processes are gone.
    pub(crate) async fn revive_lanes(&mut self) {
        if !std::mem::take(&mut self.lanes_are_gone) {
            return;
        }
        let lanes = std::mem::take(&mut self.lane_choice);
        let has_lanes = self.job.background().any(|(_, lane)| !lane.is_over());
        if has_lanes || self.is_running() {
            self.take(Event::Resumed { lanes }).await;
        }
    }

    /// Stops a background step.
    pub(crate) async fn cancel_lane(&mut self, lane: LaneId) -> Result<(), Refusal> {
        if self.rewound.is_some() || self.held.is_some() {
            return Err(Refusal::new("nothing runs here: everything is frozen")
                .hint("`continue` first, or `lanes leave-out` when going on from the past"));
        }
        let live = self.job.background().any(|(id, state)| id == lane && !state.is_over());
        if !live {
            let name =
                lane.0.checked_sub(1).map(|index| self.job.step_name(&StepPath::main(index), &self.secrets));
            let name = name.unwrap_or_default();
            return Err(Refusal::new(format!("`{name}` does not run in the background now")));
        }
        self.take(Event::CancelLane(lane)).await;
        Ok(())
    }

    /// The background steps that have begun.
    pub(crate) fn background_list(&self) -> Vec<BackgroundLine> {
        let job = self.looked_at();
        let awaited = job.lanes().get(&LaneId::FOREGROUND).and_then(Lane::waits_for);
        let plan = job.plan();
        let paths = (0u32..).take(plan.steps.len()).map(StepPath::main);
        let background = paths.filter(|path| plan.step(path).is_some_and(|step| step.background));
        background
            .filter_map(|step| {
                let lane = LaneId::of_background(&step);
                let state = background_state(job, &step)?;
                let began = self.clock.began.get(&step);
                let so_far = began.map(Instant::elapsed);
                Some(BackgroundLine {
                    lane,
                    name: job.step_name(&step, &self.secrets),
                    state,
                    at_step: job
                        .lanes()
                        .get(&lane)
                        .and_then(|lane| lane.cursor.step())
                        .unwrap_or(&step)
                        .clone(),
                    joined: !job.lanes().contains_key(&lane),
                    awaited: awaited.is_some_and(|wait| wait.steps.contains(&step)),
                    at: self.clock.lanes.get(&step).copied(),
                    took: self.clock.took.get(&step).copied().or(so_far),
                    step,
                })
            })
            .collect()
    }

    /// `lanes restart`, `lanes leave-out`.
    pub(crate) fn choose_lanes(&mut self, choice: LaneChoice) -> Result<(), Refusal> {
        if self.rewound.is_none() && !self.lanes_are_gone || self.job.cut_lanes().next().is_none() {
            return Err(Refusal::new("no background step waits to be started again")
                .hint("going back to a moment at which one ran gives the choice"));
        }
        self.lane_choice = choice;
        // Leaving them out answers whether one may start again.
        if let Some(stop) = &mut self.stop
            && stop.background.is_some()
            && matches!(stop.reason, StopReason::Confirm(_))
        {
            stop.reason = StopReason::Step;
        }
        Ok(())
    }

    /// A background step that reached outside is about to start again, because the job goes on from a moment at which it ran.
    /// A person has to agree first.
    pub(crate) fn lane_that_asks(&self) -> Option<(String, Option<StepPath>)> {
        let are_gone = self.rewound.is_some() || self.lanes_are_gone;
        if !are_gone || self.mode == Mode::Headless || self.lane_choice == LaneChoice::LeaveOut {
            return None;
        }
        let mut open = self.job.cut_lanes().filter(|(_, path)| !self.confirmed.contains(path));
        open.find_map(|(_, path)| {
            // Of an action what counts is what it has come to by now, which may be more than at this moment.
            let has_reached = |job: &Job| reach::has_reached_outside(job, &path);
            let mut moments = self.timeline.moments().iter();
            let command =
                has_reached(&self.job).or_else(|| moments.find_map(|moment| has_reached(&moment.job)))?;
            Some((command, Some(path)))
        })
    }

    /// What is said at a stop in the past about what ran there.
    pub(crate) fn notes_on_lanes(&self) -> Vec<String> {
        if self.rewound.is_none() && !self.lanes_are_gone {
            return Vec::new();
        }
        [self.notes_on_cut_lanes(), self.note_on_cut_step()].concat()
    }

    fn note_on_cut_step(&self) -> Vec<String> {
        let note = |path: &StepPath| {
            let name = self.job.step_name(path, &self.secrets);
            format!(
                "{name} was under way here: going on runs it again from its start; `back` goes to before it"
            )
        };
        self.job.cut_step().map(note).into_iter().collect()
    }

    fn notes_on_cut_lanes(&self) -> Vec<String> {
        let job = &self.job;
        let names: Vec<String> =
            job.cut_lanes().map(|(_, path)| job.step_name(&path, &self.secrets).to_string()).collect();
        let first = job.cut_lanes().map(|(_, path)| path.index().saturating_add(1)).min();
        let Some(first) = first else { return Vec::new() };
        let (what, them) = match names.as_slice() {
            [one] => (format!("{one} was running here"), "it"),
            many => (format!("{} were running here", many.join(", ")), "them"),
        };
        let then = match self.lane_choice {
            LaneChoice::Restart => {
                format!("going on starts {them} again; `lanes leave-out` leaves {them} out")
            }
            LaneChoice::LeaveOut => {
                format!("going on leaves {them} out; `lanes restart` starts {them} again")
            }
        };
        vec![format!("{what}: {then}; `goto {first}` goes back to before")]
    }
}

/// Whether the body of this step has run in the background by then.
pub(crate) fn ran_in_background(job: &Job, path: &StepPath) -> bool {
    let is_background =
        || path.stage() == Stage::Main && job.plan().step(path).is_some_and(|step| step.background);
    let has_run = |result: &StepResult| result.outcome != Outcome::Skipped && is_background();
    job.results().get(path).is_some_and(has_run) || job.cut_lanes().any(|(_, known)| known == *path)
}

/// How far a background step has come, once it has left the foreground.
pub(crate) fn background_state(job: &Job, step: &StepPath) -> Option<BackgroundState> {
    let lane = job.lanes().get(&LaneId::of_background(step)).filter(|lane| {
        let at = lane.cursor.step();
        at.is_some_and(|at| at.outermost() == *step) && !lane.is_over()
    });
    match lane {
        Some(lane) if lane.is_queued() => Some(BackgroundState::Queued),
        Some(_) => Some(BackgroundState::Running),
        None => job.results().get(step).map(|result| BackgroundState::Over(result.outcome)),
    }
}
