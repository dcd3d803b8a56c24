//! SIGINT, after a while SIGTERM, after a while SIGKILL, always to the whole lane (steps.md 3.4).
//!
//! Upstream signals the shell alone and leaves its children to the orphan clean-up. Knows signals and times; not why.

use std::time::Instant;

use engine::effect::Signal as Asked;
use rustix::process::Signal;

use crate::countdown::Countdown;
use crate::lane::{self, Lane, Survivors};
use crate::times::Times;

/// How far a lane was asked to end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ladder {
    /// SIGINT was sent; SIGTERM comes next.
    Interrupted(Countdown),
    /// SIGTERM was sent; SIGKILL comes next.
    Terminated(Countdown),
    /// SIGKILL was sent and waited for.
    Killed,
}

impl Ladder {
    /// Takes the first rung.
    pub(super) fn begin(asked: Asked, lane: &mut Lane, times: &Times) -> (Self, Result<(), Survivors>) {
        match asked {
            Asked::Ladder => {
                let _ = lane::signal_all(lane, Signal::INT);
                (Self::Interrupted(Countdown::started(times.interrupt, Instant::now())), Ok(()))
            }
            Asked::Kill => (Self::Killed, kill(lane, times)),
        }
    }

    /// Takes the next rung if it is time.
    pub(super) fn climb(&mut self, lane: &mut Lane, times: &Times, now: Instant) -> Result<(), Survivors> {
        let due = self.deadline().is_some_and(|deadline| deadline <= now);
        match self {
            Self::Interrupted(_) if due => {
                let _ = lane::signal_all(lane, Signal::TERM);
                *self = Self::Terminated(Countdown::started(times.terminate, now));
                Ok(())
            }
            Self::Terminated(_) if due => {
                *self = Self::Killed;
                kill(lane, times)
            }
            _ => Ok(()),
        }
    }

    /// When the next rung is taken; `None` after the last one, or while the lane stands still.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Interrupted(countdown) | Self::Terminated(countdown) => countdown.deadline(),
            Self::Killed => None,
        }
    }

    pub(super) fn countdown(&mut self) -> Option<&mut Countdown> {
        match self {
            Self::Interrupted(countdown) | Self::Terminated(countdown) => Some(countdown),
            Self::Killed => None,
        }
    }
}

fn kill(lane: &mut Lane, times: &Times) -> Result<(), Survivors> {
    lane::kill(std::slice::from_mut(lane), times.kill)
}
