//! What starting a process needs on Linux only.

mod child;
mod score;

pub(super) use child::start;
pub(crate) use score::before_hiding;
pub(super) use score::{after_start, lend_score};
