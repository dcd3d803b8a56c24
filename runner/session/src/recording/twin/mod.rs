//! Serialisable twins of what runs: the state of a job, what it was given, its events.
//!
//! They know how each value is written down and put back, and that no text is written as it is: every one passes
//! [`Hiding`], which puts placeholders in the place of secrets. They do not know the journal, files or moments.
//!
//! Rules of change. Every twin begins with its [`Format`]. A minor may add variants at the end of an enum and fields at
//! the end of an outermost twin; everything else is a major. Field order and the order of variants are the format.
//!
//! Canonical: equal values give equal bytes, provided that they are equal in the order of their entries too (which
//! `IndexMap` does not compare, and which people see) and that the same is masked.

mod action;
mod event;
mod given;
mod job;
mod lane;
mod matcher;
mod place;
mod text;
mod value;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub(super) use event::{EventReader, write_event};
pub(super) use given::{FactsTwin, PlanTwin};
pub(super) use job::{StateReader, StateWriter};
pub use text::SecretsNeeded;
pub(super) use text::{Filling, Hiding};

/// The version of a twin, its first two bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Format {
    /// Readers refuse another major than their own.
    pub major: u8,
    /// Readers accept any minor.
    pub minor: u8,
}

impl Format {
    /// What this build writes.
    pub const OURS: Format = Format { major: 3, minor: 2 };
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Why bytes are no twin, or a value has none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TwinError {
    /// Written by a release with another format.
    #[error(
        "its states have format {found}, this release reads {}\nhint: open it with a release of that format",
        Format::OURS
    )]
    Format {
        /// The format of the bytes.
        found: Format,
    },
    /// The bytes are no twin of this kind.
    #[error("its {0} cannot be read: the bytes are not what a recorder writes")]
    Malformed(&'static str),
    /// The value cannot be written.
    #[error("the {0} cannot be written down")]
    Unwritable(&'static str),
}

/// What a twin is the twin of, for messages.
trait Twin {
    /// A word for a person.
    const KIND: &'static str;
}

/// Appends the format and the twin to `out`, which is emptied first.
fn write<T: Serialize + Twin>(twin: &T, mut out: Vec<u8>) -> Result<Vec<u8>, TwinError> {
    out.clear();
    out.extend_from_slice(&[Format::OURS.major, Format::OURS.minor]);
    postcard::to_extend(twin, out).map_err(|_| TwinError::Unwritable(T::KIND))
}

/// The same, followed by the fields that later minors added.
fn write_all<T: Serialize + Twin, L: Serialize>(twin: &T, later: &L) -> Result<Vec<u8>, TwinError> {
    postcard::to_extend(later, write(twin, Vec::new())?).map_err(|_| TwinError::Unwritable(T::KIND))
}

/// The twin in `bytes`, and the fields that later minors added: empty where the twin was written before them.
fn read_all<'a, T, L>(bytes: &'a [u8]) -> Result<(T, L), TwinError>
where
    T: Deserialize<'a> + Twin,
    L: Deserialize<'a> + Default,
{
    let malformed = |_| TwinError::Malformed(T::KIND);
    let (twin, rest) = postcard::take_from_bytes(fields(bytes, T::KIND)?).map_err(malformed)?;
    let later = match rest {
        [] => L::default(),
        rest => postcard::from_bytes(rest).map_err(malformed)?,
    };
    Ok((twin, later))
}

/// The twin in `bytes`. What follows the fields that are known here was added by a newer minor.
fn read<'a, T: Deserialize<'a> + Twin>(bytes: &'a [u8]) -> Result<T, TwinError> {
    postcard::from_bytes(fields(bytes, T::KIND)?).map_err(|_| TwinError::Malformed(T::KIND))
}

/// What stands behind the format.
fn fields<'a>(bytes: &'a [u8], kind: &'static str) -> Result<&'a [u8], TwinError> {
    let ([major, minor], rest) = bytes.split_first_chunk().ok_or(TwinError::Malformed(kind))?;
    let found = Format { major: *major, minor: *minor };
    match found.major == Format::OURS.major {
        true => Ok(rest),
        false => Err(TwinError::Format { found }),
    }
}
