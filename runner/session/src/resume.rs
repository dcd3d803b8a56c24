//! Taking a recorded job up again: after its end, or after the debugger was killed in the middle of it.
//!
//! Puts the timeline and the workspace back to where the recording left them, and then goes to what a person wants to
//! see: the failure. What was running when the recording broke off has an unknown outcome, which is said and never
//! guessed (DESIGN 4).

use engine::effect::Outcome;
use host::contract::{Epoch, Host};
use tokio::sync::mpsc;

use crate::handle::{Call, SessionHandle};
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
    /// Names of steps that were running when the recording broke off.
    unknown: Vec<String>,
    /// The files were at another moment, or on their way to one.
    files_elsewhere: bool,
}

impl Past {
    /// What a reopened recording says; `None` if no moment of it was written.
    pub fn of(reopened: &Reopened) -> Option<Self> {
        let newest = reopened.newest?;
        Some(Self {
            moments: reopened.moments.clone(),
            newest,
            epoch: reopened.epoch,
            unknown: reopened.unknown.iter().map(|intent| intent.description.clone()).collect(),
            files_elsewhere: reopened.unfinished_restore.is_some() || reopened.rewound.is_some(),
        })
    }
}

impl<H: Host> Session<H> {
    /// A session that stands where the recording left the job.
    pub fn resume(setup: Setup<H>, past: Past) -> (Self, SessionHandle, mpsc::UnboundedReceiver<Call>) {
        let (mut session, handle, calls) = Self::new(Setup { mode: Mode::Debug, ..setup });
        past.moments.iter().cloned().for_each(|moment| session.timeline.restore(moment));
        session.epoch = Epoch(past.epoch.0.saturating_add(1));
        session.host.set_epoch(session.epoch);
        session.resumed = Some(past);
        (session, handle, calls)
    }

    /// The files where they belong, and then to the failure.
    pub(crate) async fn reenter(&mut self, past: Past) {
        let Some(at) = self.standing_moment(past.newest) else { return };
        self.job = at.job.as_ref().clone();
        self.here = at.id;
        self.branch = at.branch;
        if past.files_elsewhere {
            self.put_files_back(&at);
        }
        for name in &past.unknown {
            self.tell(Notice::Warning(format!(
                "unknown outcome: `{name}` was running when the recording broke off; `continue` runs it again"
            )));
        }
        let failure = self.latest_failure();
        match failure {
            Some(id) if id != self.here => {
                let failure =
                    self.timeline.get(id).and_then(|moment| self.failure_of(&moment.job, &moment.point));
                let reason = failure.map_or(StopReason::Goto, StopReason::Failure);
                if let Err(refusal) = self.go_back_to(id, reason).await {
                    self.tell(Notice::Warning(refusal.text));
                    self.stand(StopReason::Pause);
                }
            }
            _ => self.stand(match self.job.outcome() {
                Some(outcome) => StopReason::End(outcome),
                None => StopReason::Pause,
            }),
        }
    }

    /// The newest moment at which a job can stand: what ran in a moment *during* a step is gone.
    fn standing_moment(&self, newest: MomentId) -> Option<Moment> {
        self.timeline.ancestry(newest).find(|moment| !matches!(moment.point, Point::During(_))).cloned()
    }

    fn put_files_back(&mut self, at: &Moment) {
        let (Some(target), Some(files)) = (at.files, self.files.as_mut()) else { return };
        let done = files.bring_back(target);
        let text = match done {
            Ok(_) => {
                "the workspace was put back to the newest moment: the last session ended while going back"
                    .to_owned()
            }
            Err(error) => format!("the workspace could not be put back: {error}"),
        };
        self.tell(Notice::Warning(text));
    }

    /// The last step that failed and was not forgiven.
    fn latest_failure(&self) -> Option<MomentId> {
        self.timeline
            .ancestry(self.here)
            .find(|moment| match &moment.point {
                Point::After(path, Outcome::Failure) => {
                    moment.job.results().get(path).is_some_and(|result| result.conclusion == Outcome::Failure)
                }
                _ => false,
            })
            .map(|moment| moment.id)
    }
}
