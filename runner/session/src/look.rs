//! A recorded job that can only be looked at: one goes through its past, and nothing of it runs or changes.
//!
//! Knows which requests that leaves, and why there are no others; opening a recording is not its business.

use host::contract::Host;

use crate::recording::SecretsNeeded;
use crate::request::{Refusal, Request};
use crate::session::Session;

/// Why a recorded job can only be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnlyLook {
    /// Placeholders stand where these would be needed.
    Secrets(Box<SecretsNeeded>),
    /// Its job still runs, or another debugger has it open.
    InUse,
    /// Nothing can be written to it.
    NotWritable,
}

impl OnlyLook {
    /// For whoever opens the recording.
    pub(crate) fn warning(&self) -> String {
        format!("{}; {}", self.text(), self.hint())
    }

    /// For whoever wants more than to look.
    fn refusal(&self) -> Refusal {
        Refusal::new(self.text()).hint(self.hint())
    }

    fn text(&self) -> String {
        let why = match self {
            OnlyLook::Secrets(needed) => needed.to_string(),
            OnlyLook::InUse => "its job still runs, or another debugger has it open".to_owned(),
            OnlyLook::NotWritable => "nothing can be written where it lies".to_owned(),
        };
        format!("this recording can only be looked at: {why}")
    }

    fn hint(&self) -> &'static str {
        match self {
            OnlyLook::Secrets(needed) => needed.remedy(),
            OnlyLook::InUse => "open it again when that is over",
            OnlyLook::NotWritable => {
                "to run on in it, copy its folder to where you may write, and open it there"
            }
        }
    }
}

impl Request {
    /// Whether it lets something run, or changes the job, its files or the repository.
    fn acts(&self) -> bool {
        match self {
            Request::Next
            | Request::StepIn
            | Request::StepOut
            | Request::Continue
            | Request::Rerun
            | Request::Cancel
            | Request::Confirm(_)
            | Request::CancelLane(_)
            | Request::Lanes(_)
            | Request::Set { .. }
            | Request::Shell { .. }
            | Request::Try { .. }
            | Request::Sync
            | Request::Keep => true,
            Request::Begin
            | Request::Back { .. }
            | Request::ReverseContinue
            | Request::Goto(_)
            | Request::Return
            | Request::View(_)
            | Request::Pause
            | Request::EndShell
            | Request::Break(_)
            | Request::DeleteBreakpoint(_)
            | Request::SetBreakpoints { .. }
            | Request::Breakpoints
            | Request::SetExceptionFilters(_)
            | Request::Catch(..)
            | Request::Print(_)
            | Request::Env
            | Request::Outputs
            | Request::Steps
            | Request::Source(_)
            | Request::Log(_)
            | Request::Why
            | Request::Diff { .. }
            | Request::When(_)
            | Request::Timeline
            | Request::Status
            | Request::Picture
            // Whoever only looked leaves nothing running.
            | Request::Detach
            | Request::Quit => false,
        }
    }
}

impl<H: Host> Session<H> {
    /// Refuses what a job does not do that can only be looked at.
    pub(crate) fn may_answer(&self, request: &Request) -> Result<(), Refusal> {
        match &self.only_look {
            Some(why) if request.acts() => Err(why.refusal()),
            _ => Ok(()),
        }
    }

    /// Whether going back moves nothing but the view: no file is touched.
    pub(crate) fn only_looks(&self) -> bool {
        self.only_look.is_some()
    }
}
