//! The step loop as a pure state machine.
//!
//! A [`Job`](job::Job) is a plain value; [`Job::handle`](job::Job::handle) turns one event into a changed job and a list of effects
//! that somebody else carries out. A [`Run`](run::Run) does the same for all jobs of one workflow.
//!
//! This crate does not know files, processes, clocks, the environment, the debugger or any protocol. It never
//! waits: what it needs from outside is an [`Effect`](effect::Effect), and the answer is an [`Event`](event::Event).

// Crates above this one name values and spans through here: they depend on the engine alone (DESIGN 2).
pub use {expr, syntax};

pub mod action;
pub mod annotation;
pub mod command;
pub mod effect;
mod environment;
pub mod event;
pub mod file_command;
pub mod job;
pub mod limits;
pub mod lines;
pub mod mask;
pub mod matcher;
pub mod plan;
pub mod process;
pub mod run;
pub mod secrets;
pub mod shell;
pub mod slots;
pub mod step_path;
