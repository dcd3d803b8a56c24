//! The debugger: driver, gate, timeline, breakpoints, edits, inspection, behind one set of requests.
//!
//! A [`Session`](session::Session) owns a job, the host that runs it and the snapshots of its files. It knows no
//! protocol, no text of a terminal and no JSON; a face translates. `run` without a debugger is the same session
//! with a gate that is open from the start.

// Faces name a job's values and a host's log lines through here: they depend on the session alone (DESIGN 2).
pub use {engine, host};

mod advance;
pub mod breakpoint;
pub mod command;
mod edit;
pub mod exception;
mod exchange;
mod failure;
pub mod files;
pub mod fleet;
pub mod gate;
pub mod handle;
mod inspect;
pub mod journal;
mod keep;
pub mod key;
mod lane_points;
mod lanes;
pub mod look;
pub mod moment;
pub mod notice;
pub mod picture;
pub mod reach;
pub mod recording;
pub mod reload;
pub mod request;
pub mod resume;
mod rewind;
mod serve;
pub mod session;
mod shell;
pub mod sink;
mod stopping;
pub mod timeline;
mod withheld;
pub mod wording;
