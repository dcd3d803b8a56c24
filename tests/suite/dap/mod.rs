//! The adapter as its clients see it, over the wire: laws that hold for any job, and what must never happen.

mod drops;
mod halves;
mod intruders;
mod job;
mod law;
mod listening;
mod look;
mod page;
mod pipelined;
mod planted;
mod requests;
pub(crate) mod schema;
mod secrets;
mod walk;
mod wire;
