//! Lanes that stand still, and how they come to it.
//!
//! Knows bodies and their processes; not why they stand.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use engine::step_path::StepPath;

use crate::body::{Run, Shared};
use crate::contract::{Epoch, FrozenLanes, LaneStatus};
use crate::lane::{self, CannotFreeze, Except, Frozen, Lane, Scan};
use crate::proc::ProcessId;
use crate::timers::Timers;

/// Lanes that stand still, with their timers. They must be thawed or ended; dropped, they stand until the guardian or the next
/// start ends them.
#[must_use = "what stands still has to be thawed or ended"]
pub struct LiveFrozen {
    pub(super) lanes: Vec<Standing>,
    pub(super) timers: Timers,
    since: Instant,
}

/// One lane that stands.
pub(super) struct Standing {
    pub(super) status: LaneStatus,
    /// `None` for what a body that is over left running.
    pub(super) run: Option<Arc<Run>>,
    pub(super) frozen: Frozen,
}

/// What the host remembers of every body, by its number.
pub(super) type Places = BTreeMap<u64, (engine::step_path::LaneId, Epoch, StepPath)>;

impl LiveFrozen {
    pub(super) fn new(lanes: Vec<Standing>, timers: Timers, since: Instant) -> Self {
        Self { lanes, timers, since }
    }

    pub(super) fn processes(&self) -> impl Iterator<Item = ProcessId> {
        self.lanes.iter().flat_map(|lane| lane.frozen.processes())
    }
}

impl FrozenLanes for LiveFrozen {
    fn lanes(&self) -> Vec<LaneStatus> {
        self.lanes.iter().map(|lane| lane.status.clone()).collect()
    }

    fn stood(&self) -> Duration {
        self.since.elapsed()
    }

    fn split_off(&mut self, mut which: impl FnMut(&LaneStatus) -> bool) -> Self {
        let (taken, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.lanes).into_iter().partition(|lane| which(&lane.status));
        self.lanes = kept;
        let ids: Vec<_> =
            taken.iter().filter(|lane| lane.status.running).map(|lane| lane.status.lane).collect();
        let timers = self.timers.split_off(&ids);
        Self { lanes: taken, timers, since: self.since }
    }
}

/// Stops everything; blocks for as long as a freeze may take. Bodies that come to their end meanwhile are left out.
pub(super) fn freeze_all(
    shared: &Shared,
    runs: &[Arc<Run>],
    places: &Places,
    except: &Except,
) -> Result<Vec<Standing>, CannotFreeze> {
    let held = hold_all(shared, runs)?;
    let running: Vec<&Arc<Run>> = held.iter().filter(|run| !run.lock().over).collect();
    let mut lanes: Vec<Lane> = running.iter().map(|run| run.lock().membership.clone()).collect();
    lanes.push(shared.leftovers.lock().unwrap_or_else(PoisonError::into_inner).clone());
    lanes.push(Lane::of_strays(shared.keeper));
    let frozen = lane::freeze(&mut lanes, except, shared.settings.times.freeze);
    let mut frozen = match frozen {
        Ok(frozen) => frozen,
        Err(error) => {
            held.iter().for_each(|run| run.release());
            return Err(error);
        }
    };
    shared.keeper.found(frozen.iter().flat_map(Frozen::processes));
    crate::orphans::reap();
    let strays = frozen.pop().unwrap_or_default();
    let leftovers = frozen.pop().unwrap_or_default();
    let mut standing = Vec::new();
    for ((run, frozen), lane) in running.into_iter().zip(frozen).zip(lanes) {
        let mut state = run.lock();
        state.drain_pipe();
        state.membership = lane;
        let status = run.status(frozen.processes().count());
        standing.push(Standing { status, run: Some(Arc::clone(run)), frozen });
    }
    standing.extend(left_by(leftovers, places, &shared.settings.tracking));
    standing.extend(left_by(strays, places, &shared.settings.tracking));
    Ok(standing)
}

/// Our own side first, so that no thread of ours starts or reads anything while processes are stopped.
fn hold_all<'a>(shared: &Shared, runs: &'a [Arc<Run>]) -> Result<&'a [Arc<Run>], CannotFreeze> {
    for (index, run) in runs.iter().enumerate() {
        if !run.hold(shared.settings.times.freeze) {
            runs.iter().take(index).for_each(|run| run.release());
            return Err(CannotFreeze::BuiltIn { step: run.step.to_string() });
        }
    }
    Ok(runs)
}

/// Sorts leftovers by the bodies that left them; those of an unknown body go to the newest one.
fn left_by(frozen: Frozen, places: &Places, tracking: &str) -> Vec<Standing> {
    let mut scan = Scan::now().unwrap_or_default();
    let number = |id: ProcessId| {
        let process = scan.process(id.pid).copied()?;
        let tag = scan.tag(process)?.strip_prefix(tracking)?.strip_prefix('.')?;
        tag.parse::<u64>().ok().filter(|number| places.contains_key(number))
    };
    let newest = places.keys().next_back().copied();
    let mut groups = frozen.group_by(number);
    if let Some(unknown) = groups.remove(&None).filter(|unknown| !unknown.is_empty()) {
        match newest {
            Some(newest) => groups.entry(Some(newest)).or_default().append(unknown),
            // Nothing was ever started by this host: it cannot be ours.
            None => lane::thaw(&unknown),
        }
    }
    let standing = |(number, frozen): (Option<u64>, Frozen)| {
        let (lane, epoch, step) = places.get(&number?)?.clone();
        let processes = frozen.processes().count();
        let status = LaneStatus { lane, epoch, step, running: false, processes };
        Some(Standing { status, run: None, frozen })
    };
    groups.into_iter().filter_map(standing).collect()
}
