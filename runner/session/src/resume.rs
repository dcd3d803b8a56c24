//! Taking a recorded job up again: after its end, or after the debugger was killed in the middle of it.
//!
//! Puts the timeline and the workspace back to where the recording left them, and then goes to what a person wants to
//! see: the failure. What was running when the recording broke off has an unknown outcome, which is said and never
//! guessed (DESIGN 4).

use engine::action::ResolvedAction;
use engine::effect::Outcome;
use engine::step_path::StepPath;
use host::contract::{Epoch, Host};
use host::snapshot::SnapshotId;
use indexmap::IndexMap;
use tokio::sync::mpsc;

use crate::handle::{Call, SessionHandle};
use crate::journal::{RestoreResult, StepIntent};
use crate::look::OnlyLook;
use crate::moment::{Moment, MomentId, Point};
use crate::notice::Notice;
use crate::recording::Reopened;
use crate::request::StopReason;
use crate::session::{Mode, Session, Setup};

/// Where a recording left a job.
pub struct Past {
    moments: Vec<Moment>,
    newest: MomentId,
    epoch: Epoch,
    /// Steps that were running when the recording broke off.
    unknown: Vec<StepIntent>,
    exit_codes: IndexMap<StepPath, i32>,
    /// The files were at another moment, or on their way to one.
    files_elsewhere: bool,
    only_look: Option<OnlyLook>,
}

impl Past {
    /// What a reopened recording says; `None` if no moment of it was written.
    pub fn of(reopened: &Reopened) -> Option<Self> {
        let newest = reopened.newest?;
        Some(Self {
            moments: reopened.moments.clone(),
            newest,
            epoch: reopened.epoch,
            unknown: reopened.unknown.clone(),
            exit_codes: reopened.exit_codes.clone(),
            files_elsewhere: reopened.unfinished_restore.is_some() || reopened.rewound.is_some(),
            only_look: reopened
                .is_for_viewing_only()
                .then(|| OnlyLook::Secrets(Box::new(reopened.needed.clone()))),
        })
    }
}

impl Past {
    /// The actions that the job had found, by which the run goes on.
    pub fn actions(&self) -> impl Iterator<Item = &ResolvedAction> {
        let newest = self.moments.iter().find(|moment| moment.id == self.newest);
        newest.into_iter().flat_map(|moment| moment.job.actions().values().map(AsRef::as_ref))
    }

    /// It can only be looked at, for this reason.
    pub fn only_to_look_at(&mut self, why: OnlyLook) {
        self.only_look = Some(why);
    }

    /// The job's folders were removed meanwhile: its files come from the snapshots.
    pub fn files_are_gone(&mut self) {
        self.files_elsewhere = true;
    }
}

impl<H: Host> Session<H> {
    /// A session that stands where the recording left the job.
    pub fn resume(setup: Setup<H>, past: Past) -> (Self, SessionHandle, mpsc::UnboundedReceiver<Call>) {
        // The job that it begins with is exchanged for the recorded one: what that asks for, it was given then.
        let (mut session, _) = Self::begun(Setup { mode: Mode::Debug, ..setup });
        let (sender, calls) = mpsc::unbounded_channel();
        let handle = SessionHandle::new(sender);
        past.moments.iter().cloned().for_each(|moment| session.timeline.restore(moment));
        session.epoch = Epoch(past.epoch.0.saturating_add(1));
        session.host.set_epoch(session.epoch);
        session.exit_codes.clone_from(&past.exit_codes);
        session.only_look.clone_from(&past.only_look);
        session.resumed = Some(past);
        session.lanes_are_gone = true;
        (session, handle, calls)
    }

    /// The files where they belong, and then to the failure.
    pub(crate) async fn reenter(&mut self, past: Past) {
        let Some(at) = self.standing_moment(past.newest) else { return };
        self.job = at.job.as_ref().clone();
        self.here = at.id;
        self.branch = at.branch;
        if let Some(why) = &past.only_look {
            self.tell(Notice::Warning(why.warning()));
        } else {
            if past.files_elsewhere {
                self.put_files_back(&at);
            }
            self.tell_left_out(&at);
        }
        for intent in &past.unknown {
            let text = match self.only_look {
                None => "was running when the recording broke off; `continue` runs it again",
                Some(OnlyLook::Secrets(_) | OnlyLook::NotWritable) => {
                    "was running when the recording broke off"
                }
                Some(OnlyLook::InUse) => "runs, or did when this was recorded",
            };
            self.tell(Notice::Warning(format!("unknown outcome: `{}` {text}", intent.description)));
        }
        self.taken_up = Some(past.unknown);
        let failure = self.latest_failure();
        match failure {
            Some(id) if id != self.here => {
                let reason = self.bad_end_as_reason(id).unwrap_or(StopReason::Goto);
                if let Err(refusal) = self.go_back_to(id, reason).await {
                    self.tell(Notice::Warning(refusal.text));
                    self.stand(StopReason::Pause);
                }
            }
            _ => {
                let failed = || failure.and_then(|id| self.bad_end_as_reason(id));
                let reason = match self.job.outcome() {
                    Some(outcome) => StopReason::End(outcome),
                    None => failed().unwrap_or(StopReason::Pause),
                };
                self.stand_for(reason, self.step_of_lane_at(self.here));
            }
        }
    }

    fn bad_end_as_reason(&self, id: MomentId) -> Option<StopReason> {
        let moment = self.timeline.get(id)?;
        let (path, filters) = self.bad_end(moment)?;
        Some(StopReason::Failure(self.failure(moment, path, *filters.first()?)))
    }

    /// The newest moment at which a job can stand.
    fn standing_moment(&self, newest: MomentId) -> Option<Moment> {
        self.timeline.ancestry(newest).find(|moment| moment.can_be_taken_up()).cloned()
    }

    /// Written down as well: from here on the files are a person's again, and no later start may touch them.
    fn put_files_back(&mut self, at: &Moment) {
        let Some(target) = at.files else { return };
        self.record(|recorder| recorder.restore_begin(at.id, at.id));
        let (text, result) = match self.bring_back(target) {
            Ok(()) => ("the workspace was put back to the newest moment".to_owned(), RestoreResult::Done),
            Err(text) => (text.clone(), RestoreResult::Failed(text)),
        };
        self.record(|recorder| recorder.restore_end(at.id, result));
        self.tell(Notice::Warning(text));
    }

    fn bring_back(&mut self, target: SnapshotId) -> Result<(), String> {
        let Some(files) = self.files.as_mut() else { return Ok(()) };
        let failed = |error| format!("the workspace could not be put back: {error}");
        files.bring_back(target).map(drop).map_err(failed)
    }

    /// A recording of another machine does not have the files that hold a secret.
    fn tell_left_out(&mut self, at: &Moment) {
        let (Some(id), Some(files)) = (at.files, self.files.as_ref()) else { return };
        let text = match files.left_out(id) {
            Ok(left_out) if left_out.is_empty() => return,
            Ok(left_out) => {
                let names: Vec<String> = left_out.iter().map(|path| path.display().to_string()).collect();
                format!(
                    "left out, since they hold a secret and were recorded on another machine: {}",
                    self.secrets.mask(&names.join(", "))
                )
            }
            Err(error) => error.to_string(),
        };
        self.tell(Notice::Warning(text));
    }

    /// The job that was taken up goes on: the person has seen what is unknown, and it stays so.
    pub(crate) fn goes_on(&mut self) {
        for intent in self.taken_up.take().unwrap_or_default() {
            self.record(|recorder| recorder.accept_unknown(&intent));
        }
    }

    /// The last step that failed and was not forgiven.
    fn latest_failure(&self) -> Option<MomentId> {
        self.timeline
            .ancestry(self.here)
            .find(|moment| match &moment.point {
                Point::LaneAfter(..) if moment.files.is_none() && self.files.is_some() => false,
                Point::After(path, Outcome::Failure) | Point::LaneAfter(path, Outcome::Failure) => {
                    moment.job.results().get(path).is_some_and(|result| result.conclusion == Outcome::Failure)
                }
                _ => false,
            })
            .map(|moment| moment.id)
    }
}
