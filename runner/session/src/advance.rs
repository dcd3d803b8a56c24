//! Forwards: from one stop point to the next, with a moment recorded at each.
//!
//! Knows when a snapshot is due and what makes the job stand; what a step does is the engine's.

use std::sync::Arc;

use engine::effect::{Outcome, Report, TimerId};
use engine::event::Event;
use engine::job::{Cursor, Decision};
use engine::step_path::{LaneId, StepPath};
use host::contract::Host;
use host::log::LogBatch;
use host::services::KeptArtifact;
use jiff::Timestamp;

use crate::breakpoint::place_in;
use crate::exception::ExceptionFilter;
use crate::lanes::ran_in_background;
use crate::moment::{Cause, Moment, Point};
use crate::notice::{FileCounts, Notice, StepEnd};
use crate::reach;
use crate::request::{Place, Stop, StopReason};
use crate::session::{Mode, Session};

impl<H: Host> Session<H> {
    /// Records the first moment and stands or goes. A job whose environment is at fault, or that has no steps, is over here.
    pub(crate) fn enter(&mut self) {
        let files = self.snapshot().map(|(id, _)| id);
        self.keep(self.branch, Cause::Advanced, files);
        if let Some(outcome) = self.job.outcome() {
            self.tell_job_end(outcome);
            return self.stand(StopReason::End(outcome));
        }
        self.name_outside_steps();
        if self.mode == Mode::Debug {
            self.stand(StopReason::Entry);
        }
    }

    fn tell_job_end(&self, outcome: Outcome) {
        let took = self.started.elapsed();
        let artifacts = self.artifacts();
        self.tell(Notice::JobEnded { outcome, took, branch: self.branch, artifacts });
    }

    fn artifacts(&self) -> Vec<KeptArtifact> {
        let mut artifacts = self.host.artifacts();
        for artifact in &mut artifacts {
            artifact.name = self.secrets.mask(&artifact.name);
            artifact.path = self.secrets.mask(&artifact.path.to_string_lossy()).into();
        }
        artifacts
    }

    /// Steps that cannot be undone are named before the first one runs (DESIGN 4).
    fn name_outside_steps(&self) {
        let steps: Vec<String> = reach::all_outside(self.job.plan())
            .map(|(path, command)| format!("{} ({command})", self.job.step_name(&path, &self.secrets)))
            .collect();
        if !steps.is_empty() {
            let text = format!("reaches outside the workspace and cannot be undone: {}", steps.join(", "));
            self.tell(Notice::Warning(self.secrets.mask(&text)));
        }
    }

    /// True if the gate is open and the job stands at a point from which it can go on. In the past that may be the middle of a step.
    pub(crate) fn may_advance(&self) -> bool {
        self.gate.is_open() && (self.job.can_advance() || self.is_cut()) && self.shell.is_none()
    }

    /// One transition.
    pub(crate) async fn advance(&mut self) {
        if let Some((command, background)) = self.lane_that_asks().or_else(|| self.asks_first()) {
            let mut gate = self.gate.clone();
            gate.close_to_ask();
            self.stand_for(StopReason::Confirm(self.secrets.mask(&command)), background);
            self.gate = gate;
            return;
        }
        let was_cut = self.is_cut();
        if let Err(refusal) = self.make_rewind_final().await {
            self.tell(Notice::Warning(refusal.text));
            return self.stand(StopReason::Pause);
        }
        self.goes_on();
        self.revive_lanes().await;
        // In the middle of its step a job takes no edit.
        if was_cut && let Err(refusal) = self.take_edited_workflow().await {
            self.tell(Notice::Warning(refusal.text));
            return self.stand(StopReason::Pause);
        }
        if self.gate.is_open() && self.job.can_advance() {
            self.take(Event::Advance).await;
        }
    }

    /// A step that reached outside before and is about to run again is asked about first. One that was stopped in its
    /// middle may have done so by then.
    fn asks_first(&self) -> Option<(String, Option<StepPath>)> {
        let path = match self.job.cursor() {
            Cursor::Decided(path, Decision::Run) => path,
            Cursor::Running(_) => self.job.cut_step().filter(|_| self.is_cut())?,
            _ => return None,
        };
        let was_under_way = |moment: &Moment| moment.job.cut_step() == Some(path);
        let ran_before = self.mode != Mode::Headless
            && !self.confirmed.contains(path)
            && self.timeline.moments().iter().any(|moment| match &moment.point {
                Point::After(other, outcome) if other == path => *outcome != Outcome::Skipped,
                Point::During(_) | Point::LaneBefore(_) | Point::LaneAfter(..) if was_under_way(moment) => {
                    true
                }
                _ => ran_in_background(&moment.job, path),
            });
        let command = ran_before.then(|| reach::reaches_outside(&self.job, path))??;
        Some((command, None))
    }

    /// True when an event moved the job to another stop point.
    pub(crate) fn arrived(&self, before: &Cursor) -> bool {
        // Before the first moment the job is being set up.
        let is_set_up = !self.timeline.moments().is_empty();
        is_set_up && self.job.cursor() != before && !matches!(self.job.cursor(), Cursor::Running(_))
    }

    /// The job has come to a stop point: record the moment, tell, and see whether it stands.
    pub(crate) async fn arrive(&mut self) {
        let point = Point::of(&self.job);
        let (files, counts) = self.files_at(&point).await;
        self.keep(self.branch, Cause::Advanced, files);
        if let Point::After(path, _) = &point {
            self.confirmed.remove(path);
            self.record_result(LaneId::FOREGROUND, path);
            if let Some(end) = self.step_end(LaneId::FOREGROUND, path, counts) {
                self.tell(Notice::StepEnded(end));
            }
        }
        if let Point::End(outcome) = point {
            self.tell_job_end(outcome);
        }
        let doubtful = self.speak_at(self.here);
        let gate = self.gate.reason_to_stop(&point);
        if let Some(reason) = gate.or_else(|| self.reason_at(self.here)).or(doubtful) {
            self.stand(reason);
        }
    }

    pub(crate) fn record_result(&mut self, lane: LaneId, path: &StepPath) {
        let Some(outcome) = self.job.results().get(path).map(|result| result.outcome) else { return };
        let exit_code = self.exit_codes.get(path).copied();
        let epoch = self.epoch;
        self.record(|recorder| recorder.result(lane, path, epoch, outcome, exit_code));
    }

    /// One snapshot per step is shared by its stop points: a body has just ended, or nothing has changed but by background steps.
    async fn files_at(&mut self, point: &Point) -> (Option<host::snapshot::SnapshotId>, Option<FileCounts>) {
        let had_body = match point {
            Point::After(_, outcome) => *outcome != Outcome::Skipped,
            _ => false,
        };
        if had_body {
            return self
                .snapshot_of_one_moment()
                .await
                .map_or((None, None), |(id, counts)| (Some(id), Some(counts)));
        }
        (self.files_between_steps().await, None)
    }

    /// The job stands, and everybody is told why.
    pub(crate) fn stand(&mut self, reason: StopReason) {
        self.stand_for(reason, None);
    }

    /// The same, for something that happened to a background step.
    pub(crate) fn stand_for(&mut self, reason: StopReason, background: Option<StepPath>) {
        self.gate.close();
        self.host.hold_time(LaneId::FOREGROUND, true);
        let mut stop = self.stop_here(reason);
        if let Some(path) = background {
            self.name_background(&mut stop, path);
        }
        self.stop = Some(stop.clone());
        self.record(|recorder| recorder.stop_reached());
        let stays = match (self.mode, &stop.reason) {
            (Mode::Headless, StopReason::End(_)) => false,
            (Mode::Linger, StopReason::End(outcome)) => *outcome == Outcome::Failure,
            _ => true,
        };
        if stays {
            // Whoever stands here is under a person's eyes from now on.
            if self.mode == Mode::Linger {
                self.filters.set(ExceptionFilter::Failed, true);
            }
            self.tell(Notice::Stopped(Box::new(stop)));
        }
    }

    /// The stop is one of a background step.
    pub(crate) fn name_background(&self, stop: &mut Stop, path: StepPath) {
        let is_of_step = |point: &&Point| point.is_of_lane() && point.step() == Some(&path);
        let mut points = self.timeline.ancestry(self.here).map(|moment| &moment.point);
        stop.point = points.find(is_of_step).unwrap_or(&stop.point).clone();
        stop.number = path.index().saturating_add(1);
        stop.name = self.job.step_name(&path, &self.secrets);
        stop.place = self.place(&path);
        stop.background = Some(path);
    }

    /// The stop at the present moment, for this reason.
    pub(crate) fn stop_here(&self, reason: StopReason) -> Stop {
        let point = Point::of(&self.job);
        let path = point.step().cloned();
        Stop {
            reason,
            moment: self.here,
            branch: self.branch,
            number: path.as_ref().map_or(0, |path| path.index().saturating_add(1)),
            name: path.as_ref().map_or_else(
                || Arc::clone(&self.job.plan().name),
                |path| self.job.step_name(path, &self.secrets),
            ),
            place: path.as_ref().and_then(|path| self.place(path)),
            rewound: self.rewound.is_some(),
            runs_nothing: self.only_looks(),
            edited: self.has_pending_branch(),
            undone: None,
            background: None,
            callers: Arc::clone(&self.job.plan().callers),
            notes: [self.notes_at(path.as_ref()), self.notes_on_lanes()].concat(),
            point,
        }
    }

    /// An edit was made in the past, on a branch that is not real yet.
    pub(crate) fn has_pending_branch(&self) -> bool {
        self.rewound.as_ref().is_some_and(|rewound| rewound.pending.is_some())
    }

    fn notes_at(&self, path: Option<&StepPath>) -> Vec<String> {
        if path.is_none() {
            return self.setup_errors.clone();
        }
        let before = matches!(self.job.cursor(), Cursor::Ready(_) | Cursor::Decided(..));
        path.filter(|_| before)
            .and_then(|path| reach::reaches_outside(&self.job, path))
            .map(|command| {
                self.secrets
                    .mask(&format!("reaches outside the workspace: {command}; going back will not undo it"))
            })
            .into_iter()
            .collect()
    }

    /// Where a step stands in its file.
    pub(crate) fn place(&self, path: &StepPath) -> Option<Place> {
        place_in(&self.job, path)
    }

    /// What the engine reports goes to the faces, lines to the log.
    pub(crate) fn report(&mut self, report: Report) {
        match report {
            Report::StepStarted { lane, step, name } => {
                let number = step.index().saturating_add(1);
                let place = self.place(&step);
                // A step that runs again begins a new log; those of an action write into the log of the action.
                if step.level() == 0 {
                    self.log.clear(&step);
                }
                self.tell(Notice::StepStarted { lane, step, number, name, place });
            }
            Report::Line { lane, step: Some(step), tag, text } => {
                let mut batch = LogBatch::new(lane, self.epoch, step, Timestamp::now());
                text.lines().for_each(|line| batch.push(tag, line.as_bytes()));
                self.log.add(&batch);
            }
            Report::Line { step: None, tag, text, .. } => self.tell(Notice::JobLog { tag, text }),
            Report::LaneStarted { lane, name, .. } => self.tell(Notice::LaneStarted { lane, name }),
            Report::StepSettled { lane, step, .. } => {
                self.note_action_time(&step);
                // In the foreground it is told with its files and outputs, when the moment is recorded.
                if lane != LaneId::FOREGROUND {
                    self.lane_settled(lane, &step);
                }
            }
            Report::JobFinished { .. } => {}
        }
    }

    /// What is told of the end of a step.
    pub(crate) fn step_end(
        &self,
        lane: LaneId,
        path: &StepPath,
        files: Option<FileCounts>,
    ) -> Option<StepEnd> {
        let result = self.job.results().get(path)?;
        Some(StepEnd {
            lane,
            step: path.clone(),
            number: path.index().saturating_add(1),
            name: Arc::clone(&result.name),
            outcome: result.outcome,
            conclusion: result.conclusion,
            took: self.clock.took.get(path).copied().unwrap_or_default(),
            files,
            exit_code: self.exit_codes.get(path).copied().filter(|_| result.outcome != Outcome::Skipped),
            last_lines: if result.outcome == Outcome::Failure { self.last_lines(path) } else { Vec::new() },
            outputs: self.new_outputs(path),
            variables: self.new_variables(path),
        })
    }

    /// Arms the job's own time limit again: timers of an earlier epoch are gone.
    pub(crate) fn rearm_job_timer(&mut self) {
        let after = self.job.time_limit(&self.secrets);
        self.host.perform(engine::effect::Effect::SetTimer { id: TimerId::Job, after });
    }
}
