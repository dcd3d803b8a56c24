//! Faces of a run: the tree on a terminal, plain text in a pipe, JSON for programs.
//!
//! Each turns the session's notices into text. None of them asks anything or decides anything.

/// Raised when a field of a JSON line changes its meaning or goes; new fields and events do not raise it.
pub(crate) const SCHEMA_VERSION: u32 = 1;
