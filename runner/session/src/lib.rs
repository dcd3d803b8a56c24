//! session

pub mod journal;
