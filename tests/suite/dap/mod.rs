//! The adapter as its clients see it, over the wire: laws that hold for any job, and what must never happen.

mod actions;
mod artifacts;
mod callers;
mod drops;
mod halves;
mod intruders;
pub(crate) mod job;
mod lanes;
mod law;
mod listening;
mod look;
mod page;
mod pipelined;
mod planted;
mod recordings;
mod requests;
pub(crate) mod schema;
mod secrets;
mod told;
mod walk;
pub(crate) mod wire;
