//! What starting a process needs on macOS only.
//!
//! Knows flags; not what is started.

use std::io;

use super::{Child, posix};

/// Asks for a new session (`spawn.h`; the libc crate does not name it).
const SETSID: libc::c_short = 0x0400;

pub(super) fn start(child: &Child<'_>) -> io::Result<i32> {
    posix::start(child, SETSID)
}

/// macOS has no score for the memory killer that a parent could set.
pub(super) struct LentScore;

pub(super) fn lend_score(_score: i16) -> Option<LentScore> {
    Some(LentScore)
}

pub(crate) fn before_hiding() {}

pub(super) fn after_start(_pid: i32, _score: i16) {}
