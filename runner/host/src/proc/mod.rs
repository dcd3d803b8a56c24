//! The processes of this machine as a table that is read at one moment, and signals that hit the right one.
//!
//! Knows pids, parents, sessions, states and one environment variable; not what a lane is nor who started what.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(target_os = "macos")]
use macos as system;

pub use system::{
    all, become_subreaper, children, has_children, hide_from_others, name, read, send_signal, start_of_now,
    tracking_id, working_directory,
};

use std::fmt;

/// The variable by which processes of a job are found again (steps.md 1.7).
pub const TRACKING_VARIABLE: &str = "RUNNER_TRACKING_ID";

/// One process, and not another one that gets the same number later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId {
    /// The process number.
    pub pid: i32,
    /// When it started, in the kernel's own unit; only good for comparing.
    pub start: u64,
}

/// What the kernel says of one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// Which one.
    pub id: ProcessId,
    /// The parent's number.
    pub parent: i32,
    /// The session's number: the pid of the process that made it.
    pub session: i32,
    /// What it is doing.
    pub state: State,
}

/// What a process is doing, as far as freezing is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It runs, or sleeps and may be woken.
    Active,
    /// A signal or a debugger holds it.
    Stopped,
    /// It has ended and waits to be collected.
    Ended,
}

/// A process as a person knows it; shown in messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedProcess {
    /// Its number.
    pub pid: i32,
    /// The program's name, or `?` when it is gone already.
    pub name: String,
}

impl NamedProcess {
    /// Looks the name up now.
    pub fn of(id: ProcessId) -> Self {
        Self { pid: id.pid, name: name(id.pid).unwrap_or_else(|| "?".to_owned()) }
    }
}

impl fmt::Display for NamedProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pid ({}) ({})", self.pid, self.name)
    }
}

/// Joins processes for a message: `pid (7) (sh), pid (8) (sleep)`.
pub(crate) fn list(processes: &[NamedProcess]) -> String {
    processes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Whether a signal reached its process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It was delivered.
    Yes,
    /// The process is gone.
    Gone,
    /// The process belongs to somebody else.
    NotAllowed,
}

/// Finds the value of `RUNNER_TRACKING_ID` in a NUL-separated environment.
fn tracking_in(environment: &[u8]) -> Option<String> {
    let value = environment
        .split(|byte| *byte == 0)
        .find_map(|entry| entry.strip_prefix(TRACKING_VARIABLE.as_bytes())?.strip_prefix(b"="))?;
    Some(String::from_utf8_lossy(value).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_entry_is_in_the_table() {
        let me = i32::try_from(std::process::id()).unwrap();
        let all = all().unwrap();
        let mine = all.iter().find(|process| process.id.pid == me).unwrap();
        assert_eq!(read(me).unwrap().id, mine.id);
        assert_eq!(mine.state, State::Active);
        assert!(name(me).is_some());
    }

    #[test]
    fn a_signal_for_a_process_of_another_start_goes_nowhere() {
        let me = i32::try_from(std::process::id()).unwrap();
        let other = ProcessId { pid: me, start: 1 };
        assert_eq!(send_signal(other, rustix::process::Signal::KILL), Sent::Gone);
    }

    #[test]
    fn the_tracking_id_is_found_among_others() {
        assert_eq!(tracking_in(b"A=1\0RUNNER_TRACKING_ID=x.1\0B=2\0").as_deref(), Some("x.1"));
        assert_eq!(tracking_in(b"RUNNER_TRACKING_ID=\0").as_deref(), Some(""));
        assert_eq!(tracking_in(b"XRUNNER_TRACKING_ID=1\0"), None);
    }
}
