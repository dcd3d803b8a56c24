//! What a driver may ask of a host, whichever host it is: the live one, a scripted one, a recording.
//!
//! Knows effects, events, epochs and lanes; not how anything is run.

use std::future::Future;
use std::time::Duration;

use engine::effect::Effect;
use engine::event::Event;
use engine::step_path::{LaneId, StepPath};

pub use crate::lane::{CannotFreeze, Survivors};
use crate::services::KeptArtifact;

/// Raised when a branch becomes real. Events carry the epoch in which their cause was asked for; the driver drops those of an
/// epoch that is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);

/// An event and the epoch it belongs to.
#[derive(Clone, PartialEq)]
pub struct HostEvent {
    /// The epoch in which it was asked for.
    pub epoch: Epoch,
    /// What happened.
    pub event: Event,
}

/// One body in one lane, running or standing, or what it left running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneStatus {
    /// The lane.
    pub lane: LaneId,
    /// The epoch in which the body was started.
    pub epoch: Epoch,
    /// The step whose body it is.
    pub step: StepPath,
    /// The body is not over. `false`: it ended, and left processes running.
    pub running: bool,
    /// How many processes stand; 0 while they run, for nobody counts them then.
    pub processes: usize,
}

/// Carries out effects. Every host is driven by one owner, which asks for the next event whenever it has nothing else to do.
pub trait Host {
    /// Lanes that stand still until they are thawed or ended.
    type Frozen: FrozenLanes;

    /// Carries the effect out, or begins to. `Effect::Report` is the driver's own and is passed over here.
    fn perform(&mut self, effect: Effect);

    /// The next event. Dropping the future loses nothing.
    fn next(&mut self) -> impl Future<Output = HostEvent>;

    /// What is asked for from now on belongs to this epoch. Lanes keep the epoch they were started in.
    fn set_epoch(&mut self, epoch: Epoch);

    /// Stops or continues the time that a lane's timers count, as long as the job stands at a stop point there. A frozen
    /// lane's time stands still anyway.
    fn hold_time(&mut self, lane: LaneId, held: bool);

    /// Freezes everything that runs: processes, what they left behind, reading of their output, timers. Set aside, they do not
    /// keep their lanes from being used again.
    ///
    /// # Errors
    /// Something cannot be frozen; everything runs on.
    fn freeze(&mut self) -> impl Future<Output = Result<Self::Frozen, CannotFreeze>>;

    /// Lets frozen lanes run on, with their timers.
    fn thaw(&mut self, frozen: Self::Frozen) -> impl Future<Output = ()>;

    /// Ends frozen lanes by SIGKILL: they never run again, and nothing more is heard of them.
    ///
    /// # Errors
    /// Something is still there; it stands.
    fn end(&mut self, frozen: Self::Frozen) -> impl Future<Output = Result<(), Survivors>>;

    /// The job is over: ends what it left running, and gives the lines for its log (steps.md 1.7).
    fn clean_up(&mut self) -> Vec<String>;

    /// The artifacts that the job's steps have left where a person finds them.
    fn artifacts(&self) -> Vec<KeptArtifact> {
        Vec::new()
    }

    /// The bodies that run now, frozen ones left out.
    fn running(&self) -> Vec<LaneStatus>;
}

/// What [`Host::freeze`] gives.
pub trait FrozenLanes: Sized {
    /// The lanes that stand, in the order in which their bodies were started.
    fn lanes(&self) -> Vec<LaneStatus>;

    /// How long they have stood.
    fn stood(&self) -> Duration;

    /// Takes out the lanes for which `which` says so; timers go with their lanes.
    fn split_off(&mut self, which: impl FnMut(&LaneStatus) -> bool) -> Self;
}
