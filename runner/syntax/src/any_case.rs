//! Names that are the same in any case: keys of a mapping, ids of steps.
//!
//! Compares upper cases in full (`ß` is `SS`); the expression language has a rule of its own.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A name that equals every other spelling of itself.
#[derive(Clone, Debug)]
pub(crate) struct AnyCase(Arc<str>);

impl AnyCase {
    pub(crate) fn new(name: &Arc<str>) -> Self {
        Self(Arc::clone(name))
    }

    /// Whether it is a spelling of `name`.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.0.eq_ignore_ascii_case(name)
            || !(self.0.is_ascii() && name.is_ascii()) && upper(&self.0).eq(upper(name))
    }
}

fn upper(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_uppercase)
}

impl PartialEq for AnyCase {
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.0)
    }
}

impl Eq for AnyCase {}

impl Hash for AnyCase {
    fn hash<H: Hasher>(&self, state: &mut H) {
        if self.0.is_ascii() {
            self.0.bytes().for_each(|byte| state.write_u32(byte.to_ascii_uppercase().into()));
        } else {
            upper(&self.0).for_each(|character| state.write_u32(character.into()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher;

    use foldhash::fast::RandomState;

    use super::*;

    #[test]
    fn spellings_are_equal_when_their_upper_cases_are() {
        let hasher = RandomState::default();
        let texts =
            ["env", "ENV", "Env", "envy", "", "straße", "STRASSE", "Strasse", "ſ", "s", "ı", "i", "ΰ"];
        for (left, right) in texts.iter().flat_map(|left| texts.iter().map(move |right| (*left, *right))) {
            let same = left.to_uppercase() == right.to_uppercase();
            let (one, other) = (AnyCase(left.into()), AnyCase(right.into()));
            assert_eq!((one == other, one.is(right)), (same, same), "{left} {right}");
            assert!(!same || hasher.hash_one(&one) == hasher.hash_one(&other), "{left} {right}");
        }
    }
}
