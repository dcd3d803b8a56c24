//! Freezing lanes by SIGSTOP, and thawing them.
//!
//! Parents are stopped before their children, so that no shell with job control sees a child stop; children go on before
//! their parents for the same reason. A parent must stand before its children are signalled: one that is just waking up in
//! `wait` would still be told of them. A process may fork between the look and the signal, therefore the table is read
//! until two passes agree.
//!
//! Knows processes and signals; not output, timers or moments.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{Except, Lane, Scan};
use crate::proc::{self, NamedProcess, ProcessId, Sent, State};

/// What was stopped, and has to be thawed or ended.
#[derive(Clone, Debug, Default)]
pub struct Frozen {
    /// Stopped by us, parents first.
    stopped: Vec<ProcessId>,
    /// Stopped before we came; thawing leaves them so.
    stood: Vec<ProcessId>,
}

impl Frozen {
    /// Whether nothing stands.
    pub fn is_empty(&self) -> bool {
        self.stopped.is_empty() && self.stood.is_empty()
    }

    /// Adds what stands in another one.
    pub(crate) fn append(&mut self, other: Self) {
        self.stopped.extend(other.stopped);
        self.stood.extend(other.stood);
    }

    /// Sorts the processes by what `key` says of each; the order among those of one key stays.
    pub(crate) fn group_by<K: Ord>(self, mut key: impl FnMut(ProcessId) -> K) -> BTreeMap<K, Self> {
        let mut groups: BTreeMap<K, Self> = BTreeMap::new();
        for id in self.stopped {
            groups.entry(key(id)).or_default().stopped.push(id);
        }
        for id in self.stood {
            groups.entry(key(id)).or_default().stood.push(id);
        }
        groups
    }

    /// Everything that stands still, parents first.
    pub fn processes(&self) -> impl Iterator<Item = ProcessId> {
        self.stopped.iter().chain(&self.stood).copied()
    }
}

/// Why lanes could not be frozen. Everything that had been stopped runs again.
#[derive(Debug, thiserror::Error)]
pub enum CannotFreeze {
    /// Some processes take no signal from us.
    #[error(
        "failed to freeze {}: not ours to stop\nhint: it runs as another user; end it, or go on without going back",
        proc::list(.0)
    )]
    NotAllowed(Vec<NamedProcess>),
    /// A built-in body, which has no process to be stopped, did not come to its end in time.
    #[error(
        "failed to freeze {step}: it is at work inside the runner\nhint: wait for its end, then try again"
    )]
    BuiltIn {
        /// The step.
        step: String,
    },
    /// Some processes did not stop in time, or new ones kept coming.
    #[error(
        "failed to freeze {} within {} s\nhint: try again in a moment, or end the step",
        proc::list(.processes), .within.as_secs_f32()
    )]
    TooSlow {
        /// Those that were still running.
        processes: Vec<NamedProcess>,
        /// The time it was given.
        within: Duration,
    },
    /// The process table could not be read.
    #[error("failed to freeze: the process table cannot be read: {0}")]
    NoTable(#[from] std::io::Error),
}

/// Stops every process of the lanes but those in `except`; returns one `Frozen` for each lane. A process that two lanes find
/// belongs to the first. Blocks for at most `within`.
///
/// # Errors
/// See [`CannotFreeze`]; nothing stays stopped then.
pub fn freeze(lanes: &mut [Lane], except: &Except, within: Duration) -> Result<Vec<Frozen>, CannotFreeze> {
    let _no_spawns = super::hold_spawns_for(lanes);
    let mut frozen = vec![Frozen::default(); lanes.len()];
    let result = stop_all(lanes, &mut frozen, except, within);
    if result.is_err() {
        frozen.iter().for_each(thaw);
    }
    result.map(|()| frozen)
}

fn stop_all(
    lanes: &mut [Lane],
    frozen: &mut [Frozen],
    except: &Except,
    within: Duration,
) -> Result<(), CannotFreeze> {
    let deadline = Instant::now() + within;
    let mut scan = Scan::now()?;
    let mut before: Option<BTreeSet<ProcessId>> = None;
    loop {
        let pass = one_pass(lanes, frozen, except, &mut scan, deadline);
        if !pass.refused.is_empty() {
            return Err(CannotFreeze::NotAllowed(pass.refused.into_iter().map(NamedProcess::of).collect()));
        }
        if pass.active.is_empty() && before.as_ref() == Some(&pass.seen) {
            return Ok(());
        }
        if Instant::now() >= deadline {
            let processes = pass.active.into_iter().map(NamedProcess::of).collect();
            return Err(CannotFreeze::TooSlow { processes, within });
        }
        // A process in the middle of a system call stops at its end: leave it the processor.
        let settled = pass.active.is_empty();
        before = settled.then_some(pass.seen);
        if !settled {
            std::thread::sleep(Duration::from_micros(200));
        }
        scan.again()?;
    }
}

#[derive(Default)]
struct Pass {
    seen: BTreeSet<ProcessId>,
    active: Vec<ProcessId>,
    refused: Vec<ProcessId>,
    /// Signalled in this pass and not known to stand yet.
    signalled: BTreeSet<i32>,
}

fn one_pass(
    lanes: &mut [Lane],
    frozen: &mut [Frozen],
    except: &Except,
    scan: &mut Scan,
    deadline: Instant,
) -> Pass {
    let mut pass = Pass::default();
    for (lane, frozen) in lanes.iter_mut().zip(frozen) {
        for process in lane.members(scan) {
            let id = process.id;
            if except.contains(&id) || !pass.seen.insert(id) {
                continue;
            }
            let ours = frozen.stopped.contains(&id);
            match process.state {
                State::Ended => {}
                State::Stopped if ours => {}
                State::Stopped => {
                    if !frozen.stood.contains(&id) {
                        frozen.stood.push(id);
                    }
                }
                State::Active => {
                    if pass.signalled.remove(&process.parent) {
                        wait_until_stopped(process.parent, deadline);
                    }
                    stop_one(id, ours, frozen, &mut pass);
                }
            }
        }
    }
    pass
}

/// Until the deadline, that is; the passes that follow find out whether it stands.
fn wait_until_stopped(pid: i32, deadline: Instant) {
    let stands = || proc::read(pid).is_none_or(|process| process.state != State::Active);
    while !stands() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_micros(50));
    }
}

fn stop_one(id: ProcessId, ours: bool, frozen: &mut Frozen, pass: &mut Pass) {
    match proc::send_signal(id, Signal::STOP) {
        Sent::Gone => {}
        Sent::NotAllowed => pass.refused.push(id),
        Sent::Yes => {
            if !ours {
                frozen.stopped.push(id);
                // Somebody continued what had stood: from here on it is ours to thaw.
                frozen.stood.retain(|stood| *stood != id);
            }
            pass.active.push(id);
            pass.signalled.insert(id.pid);
        }
    }
}

/// Lets everything run again that [`freeze`] stopped, children before their parents.
pub fn thaw(frozen: &Frozen) {
    for id in frozen.stopped.iter().rev() {
        proc::send_signal(*id, Signal::CONT);
    }
}
