//! The process table of macOS: libproc and `KERN_PROCARGS2`.
//!
//! Knows the kernel's structures; not what the table is read for.
#![allow(unsafe_code, reason = "libproc and sysctl have no safe wrapper in the crates we use")]

use std::io;
use std::mem::{MaybeUninit, size_of};
use std::path::PathBuf;
use std::ptr;

use rustix::process::{Pid, Signal};

use super::{Process, ProcessId, Sent, State, tracking_in};

/// Every process, ordered by number.
///
/// # Errors
/// The kernel does not list them.
pub fn all() -> io::Result<Vec<Process>> {
    // SAFETY: a null buffer of size 0 asks for the number of processes only.
    let count = unsafe { libc::proc_listallpids(ptr::null_mut(), 0) };
    if count <= 0 {
        return Err(io::Error::last_os_error());
    }
    let mut pids = vec![0i32; usize::try_from(count).unwrap_or(0) + 64];
    let bytes = i32::try_from(pids.len() * size_of::<i32>()).unwrap_or(i32::MAX);
    // SAFETY: the buffer is ours and `bytes` is its size.
    let count = unsafe { libc::proc_listallpids(pids.as_mut_ptr().cast(), bytes) };
    pids.truncate(usize::try_from(count).unwrap_or(0));
    let mut processes: Vec<Process> = pids.into_iter().filter_map(read).collect();
    processes.sort_unstable_by_key(|process| process.id.pid);
    Ok(processes)
}

/// One process; `None` when it is gone.
pub fn read(pid: i32) -> Option<Process> {
    let info = bsd_info(pid)?;
    // SAFETY: getsid takes a number and touches no memory of ours.
    let session = unsafe { libc::getsid(pid) };
    let state = match info.pbi_status {
        libc::SSTOP => State::Stopped,
        libc::SZOMB => State::Ended,
        _ => State::Active,
    };
    let start = info.pbi_start_tvsec.wrapping_mul(1_000_000).wrapping_add(info.pbi_start_tvusec);
    let parent = i32::try_from(info.pbi_ppid).unwrap_or(0);
    Some(Process { id: ProcessId { pid, start }, parent, session, state })
}

fn bsd_info(pid: i32) -> Option<libc::proc_bsdinfo> {
    let mut info = MaybeUninit::<libc::proc_bsdinfo>::zeroed();
    let size = i32::try_from(size_of::<libc::proc_bsdinfo>()).ok()?;
    // SAFETY: the buffer is as large as `size` says.
    let got = unsafe { libc::proc_pidinfo(pid, libc::PROC_PIDTBSDINFO, 0, info.as_mut_ptr().cast(), size) };
    // SAFETY: all-zero bytes are a valid value, and the kernel filled all of it when it says so.
    (got == size).then(|| unsafe { info.assume_init() })
}

/// Always true: what a step leaves does not come to us, and none of our own tells of it.
pub fn has_children() -> bool {
    true
}

/// The numbers of our own children; `None`, for this system does not list them cheaply.
pub fn children() -> Option<Vec<i32>> {
    None
}

/// The program's name, at most 15 bytes of it.
pub fn name(pid: i32) -> Option<String> {
    let info = bsd_info(pid)?;
    let bytes: Vec<u8> = info.pbi_comm.iter().take_while(|c| **c != 0).map(|c| c.cast_unsigned()).collect();
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The process's `RUNNER_TRACKING_ID` as it was given at its exec. `Err` says that the environment could not be
/// read or was empty, which it is for a moment during an exec: ask again.
pub fn tracking_id(pid: i32) -> Result<Option<String>, io::Error> {
    let mut name = [libc::CTL_KERN, libc::KERN_PROCARGS2, pid];
    let mut buffer = vec![0u8; 1 << 20];
    let mut size = buffer.len();
    // SAFETY: `name` has three entries, and `size` is the size of `buffer`.
    let result = unsafe {
        libc::sysctl(name.as_mut_ptr(), 3, buffer.as_mut_ptr().cast(), &raw mut size, ptr::null_mut(), 0)
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    buffer.truncate(size);
    if buffer.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(tracking_in(&buffer)) }
}

/// The [`start`](ProcessId::start) that a process has which starts now.
pub fn start_of_now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_micros()).unwrap_or(u64::MAX)
}

/// It is asked of strays only, and here they do not come to us.
///
/// # Errors
/// Always.
pub fn working_directory(_pid: i32) -> io::Result<PathBuf> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Sends a signal to this process. There is no pidfd here: the start is compared right before.
pub fn send_signal(id: ProcessId, signal: Signal) -> Sent {
    let (Some(pid), Some(process)) = (Pid::from_raw(id.pid), read(id.pid)) else { return Sent::Gone };
    if process.id != id {
        return Sent::Gone;
    }
    match rustix::process::kill_process(pid, signal) {
        Ok(()) => Sent::Yes,
        Err(rustix::io::Errno::SRCH) => Sent::Gone,
        Err(_) => Sent::NotAllowed,
    }
}

/// macOS has no child subreaper: orphans are found by session and tracking id alone.
///
/// # Errors
/// None.
pub fn become_subreaper() -> io::Result<()> {
    Ok(())
}

/// Other programs of our user cannot look into us here without rights that they have to be given.
///
/// # Errors
/// Never.
pub fn hide_from_others() -> io::Result<()> {
    crate::spawn::before_hiding();
    Ok(())
}
