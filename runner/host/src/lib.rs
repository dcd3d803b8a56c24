//! Effects become processes, files and snapshots; their results become events.
//!
//! This crate knows the operating system. It does not know the debugger, its timeline, breakpoints or any protocol,
//! and it decides nothing about a job: the engine does.

pub mod action;
pub mod body;
pub mod checkout;
pub mod contract;
mod countdown;
pub mod guardian;
pub mod hash_files;
pub mod lane;
pub mod live;
pub mod log;
pub mod masks;
pub mod orphans;
pub mod proc;
pub mod scripted;
pub mod services;
pub mod snapshot;
pub mod spawn;
mod timers;
pub mod times;
pub mod watch;
