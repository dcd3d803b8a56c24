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

/// True if no step of this process can have left anything running. What a step leaves comes to us, the subreaper, as a child,
/// or hangs below one; so without a child that nobody waits for there is nothing to look for.
pub fn none_possible() -> bool {
    if all_awaited() {
        return true;
    }
    // It may be a step of another job that is just being started, or was just collected.
    let _no_spawns = crate::spawn::hold_spawns();
    all_awaited()
}

/// True if somebody waits for each of our children. One that is being started may be missed: ask again, or take no for an
/// answer.
pub(crate) fn all_awaited() -> bool {
    let is_awaited = |pid: &i32| crate::spawn::is_awaited(*pid);
    !proc::has_children() || proc::children().is_some_and(|children| children.iter().all(is_awaited))
}

/// Collects ended processes that came to us as the child subreaper. Children in our own session are somebody's
/// `Child` and stay; so do the leaders of lanes, for whose exit codes a lane waits.
pub fn reap() {
    // A leader between its start and its entry in the table would look like an orphan.
    let _no_spawns = crate::spawn::hold_spawns();
    let Ok(scan) = Scan::now() else { return };
    let ended = scan.foreign_children().filter(|process| process.state == State::Ended);
    for process in ended.filter(|process| !crate::spawn::is_awaited(process.id.pid)) {
        let pid = rustix::process::Pid::from_raw(process.id.pid);
        let _ = rustix::process::waitpid(pid, WaitOptions::NOHANG);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lane::tests::Body;

    #[test]
    fn orphans_are_collected_and_leaders_left_to_those_who_wait() {
        let mut body = Body::start("env -i setsid --fork bash -c 'echo $$; exit 3'");
        let orphan: i32 = body.line().parse().unwrap();
        let leader = body.leader();
        // Both have come to their end when nobody holds the pipe any more.
        assert_eq!(body.line(), "");
        let is_over = |pid| proc::read(pid).is_none_or(|process| process.state == State::Ended);
        while !is_over(orphan) || !is_over(leader) {
            std::thread::yield_now();
        }
        reap();
        assert_eq!(proc::read(orphan), None);
        assert_eq!(proc::read(leader).unwrap().state, State::Ended);
    }
}
