//! The process table of Linux: `/proc`, pidfds and the child subreaper.
//!
//! Knows the kernel's text formats; not what the table is read for.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;

use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions};

use super::{Process, ProcessId, Sent, State, tracking_in};

/// Every process, ordered by number.
///
/// # Errors
/// `/proc` cannot be listed. Processes that end while the table is read are left out.
pub fn all() -> io::Result<Vec<Process>> {
    let mut buffer = Vec::with_capacity(512);
    let mut processes = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let pid = name.to_str().and_then(|name| name.parse::<i32>().ok());
        processes.extend(pid.and_then(|pid| read_with(pid, &mut buffer)));
    }
    processes.sort_unstable_by_key(|process| process.id.pid);
    Ok(processes)
}

/// One process; `None` when it is gone.
pub fn read(pid: i32) -> Option<Process> {
    read_with(pid, &mut Vec::with_capacity(512))
}

fn read_with(pid: i32, buffer: &mut Vec<u8>) -> Option<Process> {
    buffer.clear();
    fs::File::open(format!("/proc/{pid}/stat")).ok()?.read_to_end(buffer).ok()?;
    parse_stat(pid, buffer)
}

/// The name may hold blanks and brackets, so fields are counted from its last bracket (proc_pid_stat(5)).
fn parse_stat(pid: i32, stat: &[u8]) -> Option<Process> {
    let after_name = memchr::memrchr(b')', stat)?.checked_add(2)?;
    let mut fields = std::str::from_utf8(stat.get(after_name..)?).ok()?.split(' ');
    let state = match fields.next()? {
        "T" | "t" => State::Stopped,
        "Z" | "X" | "x" => State::Ended,
        _ => State::Active,
    };
    let parent = fields.next()?.parse().ok()?;
    let session = fields.nth(1)?.parse().ok()?;
    let start = fields.nth(15)?.parse().ok()?;
    Some(Process { id: ProcessId { pid, start }, parent, session, state })
}

/// False if we have no child at all, not even one that has ended; costs much less than [`children`].
pub fn has_children() -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    !matches!(rustix::process::waitid(WaitId::All, options), Err(rustix::io::Errno::CHILD))
}

/// The numbers of our own children, ended ones too; `None` where the kernel does not list them.
pub fn children() -> Option<Vec<i32>> {
    let mut children = Vec::new();
    for thread in fs::read_dir("/proc/self/task").ok()? {
        let listed = fs::read_to_string(thread.ok()?.path().join("children")).ok()?;
        children.extend(listed.split_ascii_whitespace().filter_map(|pid| pid.parse::<i32>().ok()));
    }
    Some(children)
}

/// The program's name, at most 15 bytes of it.
pub fn name(pid: i32) -> Option<String> {
    let bytes = fs::read(format!("/proc/{pid}/comm")).ok()?;
    Some(String::from_utf8_lossy(&bytes).trim_end().to_owned())
}

/// The process's `RUNNER_TRACKING_ID` as it was given at its exec. `Err` says that the environment could not be
/// read or was empty, which it is for a moment during an exec: ask again.
pub fn tracking_id(pid: i32) -> Result<Option<String>, io::Error> {
    let environment = fs::read(format!("/proc/{pid}/environ"))?;
    if environment.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(tracking_in(&environment))
}

/// The [`start`](ProcessId::start) that a process has which starts now.
pub fn start_of_now() -> u64 {
    /// `USER_HZ`, in which `/proc` tells times: part of the kernel's interface, whatever its timer does.
    const TICKS_PER_SECOND: u64 = 100;
    const NANOSECONDS_PER_TICK: u64 = 1_000_000_000 / TICKS_PER_SECOND;
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let whole = |part: i64| u64::try_from(part).unwrap_or(0);
    whole(now.tv_sec) * TICKS_PER_SECOND + whole(now.tv_nsec) / NANOSECONDS_PER_TICK
}

/// The folder that a process works in, also one that was removed.
///
/// # Errors
/// Not found for a process that is gone or going; else it may not be read.
pub fn working_directory(pid: i32) -> io::Result<PathBuf> {
    let told = fs::read_link(format!("/proc/{pid}/cwd"))?.into_os_string().into_vec();
    let path = told.strip_suffix(b" (deleted)").unwrap_or(&told);
    Ok(PathBuf::from(OsStr::from_bytes(path)))
}

/// Sends a signal to exactly this process. The pidfd holds the number, so that a reused one is never hit.
pub fn send_signal(id: ProcessId, signal: Signal) -> Sent {
    let Some(pid) = Pid::from_raw(id.pid) else { return Sent::Gone };
    let Ok(handle) = rustix::process::pidfd_open(pid, PidfdFlags::empty()) else { return Sent::Gone };
    if read(id.pid).map(|process| process.id) != Some(id) {
        return Sent::Gone;
    }
    match rustix::process::pidfd_send_signal(&handle, signal) {
        Ok(()) => Sent::Yes,
        Err(rustix::io::Errno::SRCH) => Sent::Gone,
        Err(_) => Sent::NotAllowed,
    }
}

/// Makes orphans below us our children, so that a double fork does not lose them.
///
/// # Errors
/// The kernel refuses, which none since 3.4 does.
pub fn become_subreaper() -> io::Result<()> {
    Ok(rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?)
}

/// Keeps other programs of our user from opening our memory, environment and descriptors.
///
/// # Errors
/// The kernel refuses.
pub fn hide_from_others() -> io::Result<()> {
    crate::spawn::before_hiding();
    Ok(rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_of_now_is_that_of_a_process_started_now() {
        let before = start_of_now();
        let mut child =
            std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        let start = read(i32::try_from(child.id()).unwrap()).unwrap().id.start;
        assert!((before..=start_of_now()).contains(&start), "{before} {start}");
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
    }

    #[test]
    fn a_folder_that_was_removed_is_told_and_a_process_that_was_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap();
        let mut cat = std::process::Command::new("cat");
        let mut child = cat.stdin(std::process::Stdio::piped()).current_dir(&path).spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        folder.close().unwrap();
        assert_eq!(working_directory(pid).unwrap(), path);
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
        assert_eq!(working_directory(pid).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_name_with_brackets_and_blanks_does_not_shift_the_fields() {
        let stat = b"7 (a) b (c) T 3 7 6 0 -1 1 2 3 4 5 6 7 8 9 20 0 1 0 991 55 66";
        let process = parse_stat(7, stat).unwrap();
        assert_eq!((process.parent, process.session, process.id.start), (3, 6, 991));
        assert_eq!(process.state, State::Stopped);
    }
}
