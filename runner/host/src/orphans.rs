//! What a job left running: found by its tracking id, ended, and said (steps.md 1.7).
//!
//! Knows tracking ids; not jobs. A process that emptied its `RUNNER_TRACKING_ID` asked to be left alone and is.

use std::time::Duration;

use rustix::process::WaitOptions;

use crate::lane::{Scan, Survivors, kill_while};
use crate::proc::{self, NamedProcess, State};

/// The line of the log for one ended orphan.
pub fn line(orphan: &NamedProcess) -> String {
    format!("Terminate orphan process: {orphan}")
}

/// Ends every process whose tracking id begins with `tracking`, and returns them in the order of their pids. Also used at a
/// start, to sweep what a killed debugger's guardian could not reach.
///
/// # Errors
/// Some are still there after `within`.
pub fn sweep(tracking: &str, within: Duration) -> Result<Vec<NamedProcess>, Survivors> {
    if tracking.is_empty() {
        return Ok(Vec::new());
    }
    kill_while(|scan| scan.tagged(tracking), within)
}

/// Collects ended processes that came to us as the child subreaper. Children in our own session are somebody's
/// `Child` and stay; so do the leaders of lanes, for whose exit codes a lane waits.
pub fn reap(scan: &Scan, leaders: &[i32]) {
    for process in scan.foreign_children().filter(|process| process.state == State::Ended) {
        if !leaders.contains(&process.id.pid) && proc::read(process.id.pid).is_some() {
            let pid = rustix::process::Pid::from_raw(process.id.pid);
            let _ = rustix::process::waitpid(pid, WaitOptions::NOHANG);
        }
    }
}
