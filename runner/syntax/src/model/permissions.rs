//! What the token of a job may do.

use std::sync::Arc;

use crate::source::{Span, Spanned};

/// How far one scope goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Not at all.
    None,
    /// Reading.
    Read,
    /// Reading and writing.
    Write,
}

impl Level {
    /// As in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::None => "none",
            Level::Read => "read",
            Level::Write => "write",
        }
    }

    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "read" => Level::Read,
            "write" => Level::Write,
            _ => Level::None,
        }
    }
}

/// `permissions` as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permissions {
    /// The value.
    pub span: Span,
    /// What it grants.
    pub permitted: Permitted,
}

/// What `permissions` grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permitted {
    /// `read-all`, `write-all`.
    All(Level),
    /// Scope by scope; what is not named is [`Level::None`].
    Scopes(Vec<(Spanned<Arc<str>>, Level)>),
}

/// The scopes that `read-all` and `write-all` stand for, in the order in which GitHub lists them.
pub(crate) const SCOPES: &[&str] = &[
    "actions",
    "checks",
    "contents",
    "deployments",
    "discussions",
    "issues",
    "packages",
    "pages",
    "pull-requests",
    "repository-projects",
    "statuses",
    "security-events",
    "id-token",
];

impl Permissions {
    /// How far one scope goes.
    pub fn level(&self, scope: &str) -> Level {
        match &self.permitted {
            Permitted::All(level) => *level,
            Permitted::Scopes(scopes) => {
                scopes.iter().find(|(name, _)| &*name.value == scope).map_or(Level::None, |(_, level)| *level)
            }
        }
    }

    /// Every scope that is granted or named.
    pub fn scopes(&self) -> Vec<(Arc<str>, Level)> {
        match &self.permitted {
            Permitted::All(level) => SCOPES.iter().map(|&scope| (Arc::from(scope), *level)).collect(),
            Permitted::Scopes(scopes) => {
                scopes.iter().map(|(name, level)| (Arc::clone(&name.value), *level)).collect()
            }
        }
    }
}
