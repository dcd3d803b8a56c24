//! engine

pub mod annotation;
pub mod command;
pub mod file_command;
pub mod limits;
pub mod lines;
pub mod mask;
pub mod matcher;
