//! The adapter as its clients see it, over the wire: laws that hold for any job, and what must never happen.

mod drops;
mod job;
mod law;
mod look;
mod planted;
pub(crate) mod schema;
mod walk;
mod wire;
