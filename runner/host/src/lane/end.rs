//! Signals to a whole lane, and its end by SIGKILL.
//!
//! Knows processes and signals; when to escalate is the caller's business.

use std::collections::BTreeSet;
use std::io;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{Lane, Scan};
use crate::proc::{self, NamedProcess, Process, ProcessId};

/// Processes that were still there after a SIGKILL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} survived SIGKILL for {} s\nhint: it hangs in the kernel or belongs to another user; end it by hand, then try again",
    proc::list(.processes), .after.as_secs_f32()
)]
pub struct Survivors {
    /// Which ones.
    pub processes: Vec<NamedProcess>,
    /// How long they were waited for.
    pub after: Duration,
}

/// Sends a signal to every process of the lane, and returns who was there. Parents come first: a shell with a trap must know of
/// the signal before it sees its child die of it.
///
/// # Errors
/// The process table cannot be read.
pub fn signal_all(lane: &mut Lane, signal: Signal) -> io::Result<Vec<ProcessId>> {
    let members = lane.members(&mut Scan::now()?);
    Ok(members
        .iter()
        .map(|process| {
            proc::send_signal(process.id, signal);
            process.id
        })
        .collect())
}

/// Ends every process of the lanes and looks again until none is left. Blocks for at most `within`.
///
/// # Errors
/// Something is still there.
pub fn kill(lanes: &mut [Lane], within: Duration) -> Result<(), Survivors> {
    let _no_spawns = super::hold_spawns_for(lanes);
    kill_while(|scan| lanes.iter_mut().flat_map(|lane| lane.members(scan)).collect(), within).map(|_| ())
}

/// Ends every process that `find` names, until it names none; returns all that were ended, in the order found.
pub(crate) fn kill_while(
    mut find: impl FnMut(&mut Scan) -> Vec<Process>,
    within: Duration,
) -> Result<Vec<NamedProcess>, Survivors> {
    let deadline = Instant::now() + within;
    let mut scan = Scan::default();
    let mut ended = Vec::new();
    let mut seen = BTreeSet::new();
    loop {
        // Without a table nobody can be named; the deadline ends the attempt.
        let members = if scan.again().is_ok() { find(&mut scan) } else { Vec::new() };
        if members.is_empty() {
            return Ok(ended);
        }
        for process in &members {
            if seen.insert(process.id) {
                ended.push(NamedProcess::of(process.id));
            }
            proc::send_signal(process.id, Signal::KILL);
        }
        if Instant::now() >= deadline {
            let processes = members.iter().map(|process| NamedProcess::of(process.id)).collect();
            return Err(Survivors { processes, after: within });
        }
        std::thread::sleep(Duration::from_micros(200));
    }
}
