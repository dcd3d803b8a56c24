//! session

pub mod command;
pub mod journal;
