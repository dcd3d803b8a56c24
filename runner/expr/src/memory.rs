//! How much an evaluation may hold, counted as GitHub's runner counts it (steps.md 6.3), so that an
//! expression that fails there fails here. It does not measure real memory.

use smallvec::SmallVec;

use crate::error::utf16_length;
use crate::value::Value;

/// Bytes of an object, by GitHub's reckoning.
pub(crate) const OBJECT_BYTES: usize = 24;
/// Bytes of a reference.
pub(crate) const POINTER_BYTES: usize = 8;
const STRING_BYTES: usize = 26;

/// The account would go over its limit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Exceeded;

/// Bytes of a text, by GitHub's reckoning.
pub(crate) fn text_bytes(text: &str) -> usize {
    STRING_BYTES + 2 * utf16_length(text)
}

/// Bytes of a value, by GitHub's reckoning; what an array or object holds is not counted.
pub(crate) fn value_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text_bytes(text),
        _ => OBJECT_BYTES,
    }
}

/// What one function has made so far.
#[derive(Debug)]
pub(crate) struct Counter {
    used: usize,
    limit: usize,
}

impl Counter {
    pub(crate) fn new(limit: usize) -> Counter {
        Counter { used: 0, limit }
    }

    pub(crate) fn add(&mut self, bytes: usize) -> Result<(), Exceeded> {
        self.used = self.used.saturating_add(bytes);
        if self.used > self.limit { Err(Exceeded) } else { Ok(()) }
    }

    pub(crate) fn used(&self) -> usize {
        self.used
    }
}

/// What is held at each level of the tree. When a primitive is finished, what lies below it is let go.
#[derive(Debug)]
pub(crate) struct Account {
    /// Few expressions are deeper, and one is evaluated for nearly every variable of a step.
    levels: SmallVec<[usize; 8]>,
    limit: usize,
}

impl Account {
    pub(crate) fn new(limit: usize) -> Account {
        Account { levels: SmallVec::new(), limit }
    }

    pub(crate) fn add(&mut self, level: usize, bytes: usize, releases_below: bool) -> Result<(), Exceeded> {
        if releases_below {
            self.levels.truncate(level + 1);
        }
        if self.levels.len() <= level {
            self.levels.resize(level + 1, 0);
        }
        if let Some(held) = self.levels.get_mut(level) {
            *held = held.saturating_add(bytes);
        }
        let total = self.levels.iter().fold(0_usize, |total, held| total.saturating_add(*held));
        if total > self.limit { Err(Exceeded) } else { Ok(()) }
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finished_primitive_releases_what_is_below() {
        let mut account = Account::new(100);
        assert_eq!(account.add(2, 60, false), Ok(()));
        assert_eq!(account.add(1, 40, true), Ok(()));
        assert_eq!(account.add(1, 60, false), Ok(()));
        assert_eq!(account.add(0, 1, false), Err(Exceeded));
    }

    #[test]
    fn text_counts_in_utf16() {
        assert_eq!(text_bytes("ab"), 30);
        assert_eq!(text_bytes("\u{1F600}"), 30);
    }
}
