//! Ids of jobs and steps: which are fine, and those that GitHub makes up (its `IdBuilder`).
//!
//! Knows no step; it is given texts.

use std::sync::Arc;

use foldhash::fast::RandomState;
use indexmap::{IndexMap, IndexSet};

use crate::any_case::AnyCase;

/// An id must be shorter than this.
const MAX_LENGTH: usize = 100;
/// What the parts of a made-up id are joined with.
const PREFIX: &str = "__";

/// The ids of one list of steps.
#[derive(Debug, Default)]
pub(crate) struct StepIds {
    taken: IndexSet<AnyCase, RandomState>,
    /// The numbers up to which made-up ids are taken.
    numbers: IndexMap<AnyCase, u32, RandomState>,
}

impl StepIds {
    /// Takes an id that is written in the file.
    ///
    /// # Errors
    /// GitHub's words for an id that may not be used.
    pub(crate) fn claim(&mut self, id: &Arc<str>) -> Result<(), String> {
        check(id)?;
        if self.taken.insert(AnyCase::new(id)) {
            Ok(())
        } else {
            Err(format!("The identifier '{id}' may not be used more than once within the same scope."))
        }
    }

    /// Makes up an id for a step of this kind, numbered from 2 on where it is taken.
    pub(crate) fn make_up(&mut self, kind: &str) -> Arc<str> {
        let legal = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' };
        let original: String = PREFIX.chars().chain(kind.chars().map(legal)).collect();
        let number = self.numbers.entry(AnyCase::new(&Arc::from(&*original))).or_default();
        loop {
            *number += 1;
            let suffix = if *number == 1 { String::new() } else { format!("_{number}") };
            let kept: String = original.chars().take(MAX_LENGTH.saturating_sub(suffix.len())).collect();
            let candidate = Arc::from(format!("{kept}{suffix}"));
            if self.taken.insert(AnyCase::new(&candidate)) {
                return candidate;
            }
        }
    }
}

/// Whether a job or step may have this id.
pub(crate) fn check(id: &str) -> Result<(), String> {
    let mut characters = id.chars();
    let first = characters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    let rest = characters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if !first || !rest || id.len() >= MAX_LENGTH {
        return Err(format!(
            "The identifier '{id}' is invalid. IDs may only contain alphanumeric characters, '_', and '-'. \
             IDs must start with a letter or '_' and must be less than {MAX_LENGTH} characters."
        ));
    }
    if id.starts_with(PREFIX) {
        return Err(format!("The identifier '{id}' is invalid. IDs starting with '__' are reserved."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_ids_count_collisions_in_any_case() {
        let mut ids = StepIds::default();
        let mut make = |kind: &str| ids.make_up(kind).to_string();
        assert_eq!(make("actions/checkout"), "__actions_checkout");
        assert_eq!(make("Actions/Checkout"), "__Actions_Checkout_2");
        assert_eq!(make("run"), "__run");
        assert_eq!(make("run"), "__run_2");
        assert_eq!(make("run-3"), "__run-3");
        assert_eq!(make("run_3"), "__run_3");
        assert_eq!(make("Run"), "__Run_4");
        assert_eq!(make(&"x".repeat(200)).len(), 100);
        assert_eq!(make(&"x".repeat(200)).len(), 100);
    }

    #[test]
    fn written_ids_are_checked() {
        let mut ids = StepIds::default();
        assert_eq!(ids.claim(&"build-1".into()), Ok(()));
        assert!(ids.claim(&"Build-1".into()).is_err_and(|text| text.contains("more than once")));
        for wrong in ["", "1a", "-a", "a b", "é", &"a".repeat(100)] {
            assert!(ids.claim(&wrong.into()).is_err_and(|text| text.contains("is invalid")), "{wrong}");
        }
        assert!(ids.claim(&"__a".into()).is_err_and(|text| text.contains("reserved")));
    }
}
