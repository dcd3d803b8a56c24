//! What starting a process needs on Linux only.
//!
//! Knows flags and `/proc`; not what is started.

/// Asks for a new session (glibc 2.26, musl 1.1.22).
pub(super) const SETSID: libc::c_short = libc::POSIX_SPAWN_SETSID;

/// Lets the kernel prefer a step to us when memory runs out (steps.md 3.2). Written by the parent right after
/// the exec, because `posix_spawn` runs nothing of ours in the child; failing is harmless.
pub(super) fn after_start(pid: i32, oom_score: i16) {
    let path = format!("/proc/{pid}/oom_score_adj");
    let flags = rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::CLOEXEC;
    if let Ok(file) = rustix::fs::open(path, flags, rustix::fs::Mode::empty()) {
        let _ = rustix::io::write(&file, oom_score.to_string().as_bytes());
    }
}
