//! Keeping moments: in the timeline, which lives as long as the session, and in the recording, which stays.
//!
//! Knows what is written down and in which order; not when something is due, nor how it is written.

use std::sync::Arc;
use std::time::Duration;

use engine::effect::Outcome;
use engine::event::Event;
use engine::job::Cursor;
use host::contract::Host;
use host::snapshot::SnapshotId;

use crate::moment::{BranchId, Cause, Point};
use crate::notice::{FileCounts, Notice};
use crate::recording::Recorder;
use crate::session::Session;

impl<H: Host> Session<H> {
    /// Keeps the job as it is now as a moment after the present one, and makes it the present one.
    pub(crate) fn keep(&mut self, branch: BranchId, cause: Cause, files: Option<SnapshotId>) {
        self.keep_at(Point::of(&self.job), branch, cause, files);
    }

    /// The same for a stop point that need not be the foreground's.
    pub(crate) fn keep_at(
        &mut self,
        point: Point,
        branch: BranchId,
        cause: Cause,
        files: Option<SnapshotId>,
    ) {
        let is_before_a_step = matches!(&point, Point::Before(path) if path.level() == 0);
        let parent = (!self.timeline.moments().is_empty()).then_some(self.here);
        let mut job = self.job.clone();
        job.forget_question();
        self.here = self.timeline.record(parent, branch, point, cause, Arc::new(job), files);
        self.clock.reached.insert(self.here, (self.started.elapsed(), self.body_time_here()));
        if let (Some(recorder), Some(moment)) = (&mut self.recorder, self.timeline.get(self.here)) {
            recorder.moment(moment, self.epoch, &self.secrets);
        }
        self.tell_recording_faults();
        if self.only_runs {
            self.forget_point_of_lane();
            self.before_the_step = Some(self.here).filter(|_| is_before_a_step).or(self.before_the_step);
        }
    }

    /// Without a debugger there is no way back. What is told at the end of a step compares with the moment before it, and
    /// an inner step's end with one inside the outer step: what lies before a step of the job itself is needed no more. It is
    /// forgotten when the step's process is on its way, and has not to wait for that.
    pub(crate) fn forget_what_nobody_asks_for(&mut self) {
        let Some(before) = self.before_the_step.filter(|_| matches!(self.job.cursor(), Cursor::Running(_)))
        else {
            return;
        };
        self.before_the_step = None;
        self.timeline.forget_before(before);
        self.clock.reached.retain(|id, _| *id >= before);
    }

    /// Without a debugger nobody asks for a background step's moment once it is written down, and there may be any number of them
    /// while one step of the foreground runs.
    fn forget_point_of_lane(&mut self) {
        if let Some(id) = self.timeline.forget_lane_before_latest() {
            self.clock.reached.shift_remove(&id);
        }
    }

    /// How long the body ran that has just ended.
    fn body_time_here(&self) -> Option<Duration> {
        match &self.timeline.get(self.here)?.point {
            Point::After(path, outcome) | Point::LaneAfter(path, outcome) if *outcome != Outcome::Skipped => {
                self.clock.took.get(path).copied()
            }
            _ => None,
        }
    }

    /// Writes something down, if the job is recorded. A failure is told once, and the job goes on.
    pub(crate) fn record(&mut self, write: impl FnOnce(&mut Recorder)) {
        if let Some(recorder) = &mut self.recorder {
            write(recorder);
            self.tell_recording_faults();
        }
    }

    fn tell_recording_faults(&mut self) {
        let faults = self.recorder.as_mut().map(Recorder::take_warnings).unwrap_or_default();
        faults.into_iter().for_each(|text| self.tell(Notice::Warning(text)));
    }

    /// Events that came from outside; what the gate does follows from the moments.
    pub(crate) fn record_event(&mut self, event: &Event) {
        if self.recorder.is_none() || matches!(event, Event::Advance) {
            return;
        }
        let (epoch, secrets) = (self.epoch, self.secrets.clone());
        self.record(|recorder| recorder.event(epoch, event, &secrets));
    }

    /// The job is over, or was left. Without an outcome it may be taken up again.
    pub(crate) fn close_recording(&mut self, outcome: Option<Outcome>) {
        let Some(mut recorder) = self.recorder.take() else { return };
        if let Some(outcome) = outcome {
            recorder.finished(outcome);
        }
        recorder.close().into_iter().for_each(|text| self.tell(Notice::Warning(text)));
    }

    /// The snapshot of the present moment.
    pub(crate) fn files_here(&self) -> Option<SnapshotId> {
        self.timeline.get(self.here).and_then(|moment| moment.files)
    }

    /// Takes a snapshot; a failure is told, and the moment has no files.
    pub(crate) fn snapshot(&mut self) -> Option<(SnapshotId, FileCounts)> {
        match self.files.as_mut()?.take() {
            Ok(taken) => {
                self.lanes_wrote = false;
                Some(taken)
            }
            Err(error) => {
                self.tell(Notice::Warning(format!(
                    "no snapshot of the workspace: {error}; this moment can be viewed, but not gone back to with its files"
                )));
                None
            }
        }
    }
}
