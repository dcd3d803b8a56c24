//! A command that cannot be understood.
//!
//! Knows texts; the face decides how they look.

/// What is wrong with a command, and what to type instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct CommandError {
    /// What is wrong.
    pub text: String,
    /// What to try.
    pub hint: Option<String>,
}

impl CommandError {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
