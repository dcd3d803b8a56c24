//! The built program, as a person or a script uses it.

mod attaching;
mod calls;
mod debugging;
mod downloads;
mod github;
mod guide;
pub mod program;
mod running;
mod secrecy;
pub mod terminal;
mod typing;
