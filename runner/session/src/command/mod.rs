//! The debugger's commands as text: what a person types in a terminal, or in an editor's debug console.
//!
//! Pure functions from text and what is known of the job: parsing, help, completion, hints. Carries out nothing, and knows no
//! terminal.

mod complete;
mod error;
mod help;
mod known;
pub mod nearest;
mod parse;
mod table;

pub use complete::{Candidate, Completion, complete, hint};
pub use error::CommandError;
pub use help::help;
pub use known::{Known, KnownStep};
pub use parse::{Command, expression, parse};
pub use table::{Argument, ENTRIES, Entry, Group};

#[cfg(test)]
mod tests;
