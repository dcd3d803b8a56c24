//! Backwards: going to a past moment, coming back from it, and the point at which going back becomes final.
//!
//! The order of DESIGN 4: freeze, keep the present as a moment of its own, restore the files, swap the job. Nothing
//! is lost until the job advances from there. What a restore does to files is the snapshot store's.

use engine::event::LaneChoice;
use engine::job::Cursor;
use engine::step_path::LaneId;
use host::contract::{Epoch, FrozenLanes, Host};
use host::snapshot::{Change, SnapshotId};

use crate::files::{Manner, WORKSPACE, is_of_git};
use crate::journal::RestoreResult;
use crate::moment::{Cause, Moment, MomentId, Point};
use crate::notice::Notice;
use crate::reach;
use crate::request::{Refusal, StopReason, Undone};
use crate::session::{Rewound, Session};

impl<H: Host> Session<H> {
    /// `back n`.
    pub(crate) async fn back(&mut self, steps: u32) -> Result<(), Refusal> {
        let point = Point::of(&self.job);
        let mut target: Option<(MomentId, Point)> = None;
        for _ in 0..steps.max(1) {
            let (from, at) = target.clone().unwrap_or_else(|| (self.here, point.clone()));
            match self.timeline.back_from(from, &at) {
                Some(moment) => target = Some((moment.id, moment.point.clone())),
                None => break,
            }
        }
        match target {
            Some((id, _)) => {
                let reason = if self.is_start(id) { StopReason::Start } else { StopReason::Back };
                self.go_back_to(id, reason).await
            }
            None => {
                self.stand(StopReason::Start);
                Ok(())
            }
        }
    }

    fn is_start(&self, id: MomentId) -> bool {
        self.timeline.get(id).is_some_and(|moment| {
            let mut before = self.timeline.ancestry(id).skip(1);
            matches!(moment.point, Point::Before(_))
                && !before.any(|other| matches!(other.point, Point::Before(_)))
        })
    }

    /// `reverse-continue`: found by evaluating recorded states; nothing runs.
    pub(crate) async fn reverse_continue(&mut self) -> Result<(), Refusal> {
        let present = self.stands_at();
        let earlier = self.timeline.ancestry(self.here).map(|moment| moment.id);
        let earlier: Vec<MomentId> = earlier.filter(|id| !present.contains(id)).collect();
        let hit = earlier.iter().find_map(|id| Some((*id, self.reason_at(*id)?)));
        match hit.or_else(|| earlier.last().map(|id| (*id, StopReason::Start))) {
            Some((id, reason)) => self.go_back_to(id, reason).await,
            None => {
                self.stand(StopReason::Start);
                Ok(())
            }
        }
    }

    /// Goes to a moment of the past, or of another branch.
    pub(crate) async fn go_back_to(&mut self, target: MomentId, reason: StopReason) -> Result<(), Refusal> {
        if self.rewound.as_ref().is_some_and(|rewound| rewound.newest == target) {
            return self.return_to_newest().await;
        }
        self.must_have_no_shell()?;
        let moment = self.target(target)?;
        let was_held = self.held.is_some();
        let frozen = self.freeze().await?;
        let present = self.keep_present();
        if self.rewound.is_none() && present == target {
            return self.stay_here(frozen, was_held, reason).await;
        }
        let undone = self.undone(present, &moment);
        self.record(|recorder| recorder.restore_begin(present, target));
        if let Err(refusal) = self.restore_files(present, &moment, frozen.is_some()) {
            self.after_failed_restore(present, target, &refusal, frozen);
            return Err(refusal);
        }
        self.record(|recorder| recorder.restore_end(target, RestoreResult::Done));
        let warnings = self.outside_between(&moment);
        self.enter_past(present, frozen);
        self.lanes_wrote = false;
        self.lane_choice = LaneChoice::default();
        self.job = moment.job.as_ref().clone();
        self.here = target;
        self.viewing = None;
        self.stand_in_past(reason, undone, warnings);
        Ok(())
    }

    /// The target is the present itself: nothing is undone. What was frozen for the look at the files runs on, unless the job stands
    /// in the middle of a step.
    async fn stay_here(
        &mut self,
        frozen: Option<H::Frozen>,
        was_held: bool,
        reason: StopReason,
    ) -> Result<(), Refusal> {
        match frozen {
            Some(frozen) if was_held || self.is_running() => self.held = Some(frozen),
            Some(frozen) => self.host.thaw(frozen).await,
            None => {}
        }
        self.viewing = None;
        self.stand_for(reason, self.step_of_lane_at(self.here));
        Ok(())
    }

    /// The moment, if it can be gone to with its files.
    fn target(&self, id: MomentId) -> Result<Moment, Refusal> {
        let moment = self
            .timeline
            .get(id)
            .ok_or_else(|| Refusal::new(format!("there is no moment {id}")).hint("`timeline` lists them"))?;
        if matches!(moment.point, Point::During(_)) {
            return Err(Refusal::new(format!(
                "{id} lies in the middle of a running step, which cannot be gone back to"
            ))
            .hint("`return` leads there if it is the newest moment; `back` goes to before its step"));
        }
        if self.files.is_some() && moment.files.is_none() && !self.only_looks() {
            let nearest = self.timeline.restorable_at_or_before(id).map(|moment| moment.id);
            let hint =
                nearest.map(|id| format!("the nearest earlier moment with files is {id}: `goto {id}`"));
            return Err(Refusal {
                text: format!("the files of {id} are not kept; it can be viewed: `view {id}`"),
                hint,
            });
        }
        Ok(moment.clone())
    }

    /// Freezes whatever runs; nothing has changed if that is refused.
    async fn freeze(&mut self) -> Result<Option<H::Frozen>, Refusal> {
        if let Some(held) = self.held.take() {
            return Ok(Some(held));
        }
        if self.rewound.is_some() || self.host.running().is_empty() {
            return Ok(None);
        }
        let frozen = self.host.freeze().await.map_err(|error| {
            Refusal::new(format!("cannot go back: {error}")).hint("nothing has changed; the job is as it was")
        })?;
        Ok(Some(frozen))
    }

    /// The present as a moment of its own, so that nothing is lost that a lane, an editor or a shell wrote.
    fn keep_present(&mut self) -> MomentId {
        if self.only_looks() {
            return self.here;
        }
        // What runs in the foreground writes too.
        let by_job = self.lanes_may_have_written() || self.rewound.is_none() && self.is_running();
        let files = self.snapshot().map(|(id, _)| id);
        let here = self.timeline.get(self.here);
        let same_files = here.is_some_and(|moment| moment.files == files);
        let same_point = here.is_some_and(|moment| self.is_at(moment));
        if same_files && same_point && self.is_as_kept() {
            return self.here;
        }
        let cause = if same_point && !same_files && !by_job {
            Cause::Edited("files changed from outside".to_owned())
        } else {
            Cause::Left
        };
        let branch = self.branch_for_edit();
        self.keep(branch, cause, files);
        self.here
    }

    /// The job has come to no other point since this moment. Between two of a background step's only its state tells.
    fn is_at(&self, moment: &Moment) -> bool {
        if moment.point.is_of_lane() { *moment.job == self.job } else { moment.point == Point::of(&self.job) }
    }

    /// Background steps may have gone on since the present moment was kept.
    fn is_as_kept(&self) -> bool {
        self.job.background().next().is_none()
            || self.timeline.get(self.here).is_some_and(|moment| *moment.job == self.job)
    }

    fn restore_files(&mut self, from: MomentId, to: &Moment, lanes_frozen: bool) -> Result<(), Refusal> {
        let Some(target) = to.files.filter(|_| !self.only_looks()) else { return Ok(()) };
        let parks = lanes_frozen || self.rewound.as_ref().is_some_and(|rewound| rewound.frozen.is_some());
        let manner = if parks { Manner::Park } else { Manner::Replace };
        let Some(files) = self.files.as_mut() else { return Ok(()) };
        files.restore(target, manner).map(drop).map_err(|error| {
            Refusal::new(format!("cannot go back from {from} to {}: {error}", to.id))
                .hint("the workspace was put back as it was")
        })
    }

    /// A restore that failed half-way is undone. What was frozen stays so until the person lets it go on.
    fn after_failed_restore(
        &mut self,
        present: MomentId,
        target: MomentId,
        why: &Refusal,
        frozen: Option<H::Frozen>,
    ) {
        let files = self.timeline.get(present).and_then(|moment| moment.files);
        let mut result = RestoreResult::Returned;
        if let (Some(files), Some(store)) = (files, self.files.as_mut())
            && let Err(error) = store.bring_back(files)
        {
            self.tell(Notice::Warning(format!("the workspace could not be put back: {error}")));
            result = RestoreResult::Failed(why.text.clone());
        }
        self.record(|recorder| recorder.restore_end(target, result));
        if let Some(frozen) = frozen {
            self.held = Some(frozen);
            self.stand(StopReason::Pause);
        }
    }

    fn enter_past(&mut self, present: MomentId, frozen: Option<H::Frozen>) {
        match &mut self.rewound {
            Some(rewound) => rewound.pending = None,
            None => {
                self.rewound = Some(Rewound {
                    newest: present,
                    branch: self.branch,
                    frozen,
                    waiting: std::mem::take(&mut self.waiting),
                    pending: None,
                });
            }
        }
    }

    fn stand_in_past(&mut self, reason: StopReason, undone: Undone, warnings: Vec<String>) {
        self.gate.close();
        // Going back from a job that was running is a stop like any other: its limit does not run on meanwhile.
        self.host.hold_time(LaneId::FOREGROUND, true);
        let mut stop = self.stop_here(reason);
        if let Some(path) = self.step_of_lane_at(self.here) {
            self.name_background(&mut stop, path);
        }
        stop.undone = Some(undone);
        stop.notes.extend(warnings);
        if let Some(frozen) = self.rewound.as_ref().and_then(|rewound| rewound.frozen.as_ref()) {
            let seconds = frozen.stood().as_secs();
            stop.notes.push(format!("what ran has stood frozen for {seconds} s; `return` brings it back"));
        }
        self.stop = Some(stop.clone());
        self.record(|recorder| recorder.stop_reached());
        self.tell(Notice::Stopped(Box::new(stop)));
    }

    /// Steps between a moment and the present that reached outside: they stay done.
    fn outside_between(&self, target: &Moment) -> Vec<String> {
        let results = self.job.results().iter();
        results
            .filter(|(path, _)| !target.job.results().contains_key(*path))
            .filter_map(|(path, result)| {
                let command = reach::reaches_outside(&self.job, path)?;
                Some(
                    self.secrets
                        .mask(&format!("{} reached outside ({command}); that is not undone", result.name)),
                )
            })
            .collect()
    }

    fn undone(&mut self, present: MomentId, target: &Moment) -> Undone {
        let ids = |moment: &Moment| moment.files;
        let from = self.timeline.get(present).and_then(ids);
        let files = match (from, target.files, self.files.as_ref()) {
            (Some(from), Some(to), Some(files)) if !self.only_looks() => {
                files.diff(from, to).map_or(0, |changes| {
                    let seen = |change: &&Change| change.root == WORKSPACE && !is_of_git(&change.path);
                    changes.iter().filter(seen).count()
                })
            }
            _ => 0,
        };
        let (outputs, variables) = crate::inspect::differences(&self.job, &target.job);
        Undone { files, outputs, variables }
    }

    /// `return`: the newest moment with everything as it was.
    pub(crate) async fn return_to_newest(&mut self) -> Result<(), Refusal> {
        let Some(newest) = self.rewound.as_ref().map(|rewound| rewound.newest) else {
            return Err(Refusal::new("the job is at its newest moment already"));
        };
        self.must_have_no_shell()?;
        // What was edited here stays in the timeline, on a branch of its own.
        self.keep_present();
        let moment =
            self.timeline.get(newest).cloned().ok_or_else(|| Refusal::new("the newest moment is lost"))?;
        let from = self.here;
        self.record(|recorder| recorder.restore_begin(from, newest));
        let restored = self.restore_newest_files(moment.files);
        let result = match &restored {
            Ok(()) => RestoreResult::Done,
            Err(refusal) => RestoreResult::Failed(refusal.text.clone()),
        };
        self.record(|recorder| recorder.restore_end(newest, result));
        restored?;
        let Some(rewound) = self.rewound.take() else { return Ok(()) };
        self.job = moment.job.as_ref().clone();
        self.here = newest;
        self.branch = rewound.branch;
        self.viewing = None;
        self.lanes_wrote = false;
        self.lane_choice = LaneChoice::default();
        self.held = rewound.frozen;
        self.waiting = rewound.waiting;
        self.stand_for(StopReason::Return, self.step_of_lane_at(newest));
        Ok(())
    }

    fn restore_newest_files(&mut self, target: Option<SnapshotId>) -> Result<(), Refusal> {
        let target = target.filter(|_| !self.only_looks());
        let (Some(target), Some(files)) = (target, self.files.as_mut()) else { return Ok(()) };
        files.bring_back(target).map(drop).map_err(|error| Refusal::new(format!("cannot return: {error}")))
    }

    /// The job is about to advance: going back becomes final, a branch begins, and what was frozen ends.
    pub(crate) async fn make_rewind_final(&mut self) -> Result<(), Refusal> {
        self.note_outside_changes().await;
        let Some(mut rewound) = self.rewound.take() else { return Ok(()) };
        let next = Epoch(self.epoch.0.saturating_add(1));
        if let Some(mut frozen) = rewound.frozen.take() {
            // The host remembers whom it could not end: no lanes are needed to ask it again.
            let none = frozen.split_off(|_| false);
            if let Err(survivors) = self.host.end(frozen).await {
                rewound.frozen = Some(none);
                self.rewound = Some(rewound);
                return Err(Refusal::new(format!("{survivors}; the job stays where it is")));
            }
        }
        self.epoch = next;
        self.host.set_epoch(next);
        self.withheld.clear();
        if let Some(files) = self.files.as_mut()
            && let Err(error) = files.discard_parked()
        {
            self.tell(Notice::Warning(format!("parked files could not be removed: {error}")));
        }
        self.branch = rewound.pending.unwrap_or_else(|| self.timeline.new_branch());
        let (branch, from) = (self.branch, self.here);
        self.record(|recorder| recorder.branch_began(branch, next, from));
        self.rearm_job_timer();
        self.lanes_are_gone = true;
        Ok(())
    }

    /// Files that somebody changed while the job stood are an edit of this moment; those that background steps may have
    /// changed are none, but they are kept.
    async fn note_outside_changes(&mut self) {
        if self.stop.take().is_none() || self.files.is_none() {
            return;
        }
        let (known, by_lanes) = (self.files_here(), self.lanes_may_have_written());
        let Some((now, counts)) = self.snapshot_of_one_moment().await else { return };
        let changed = known.is_some_and(|known| known != now);
        if changed && by_lanes {
            self.keep(self.branch, Cause::Left, Some(now));
        } else if changed {
            let what = match counts.created + counts.modified + counts.deleted {
                0 => "something".to_owned(),
                1 => "1 file".to_owned(),
                many => format!("{many} files"),
            };
            self.record_file_edit(format!("{what} changed from outside"), Some(now));
        }
    }

    /// Where the job stands is not the end of a running step.
    pub(crate) fn is_running(&self) -> bool {
        matches!(self.job.cursor(), Cursor::Running(_))
    }
}
