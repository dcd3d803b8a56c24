//! The debugger's commands as text.

pub mod nearest;
