//! Problem matchers: patterns that turn output lines into annotations (steps.md 5.3). Knows a matcher's
//! configuration and its running state; neither reads the file it came from nor looks at matched paths.

mod config;
mod dialect;
mod scan;

use std::sync::Arc;

pub use config::{LinePattern, Matcher, MatcherError};
pub use dialect::{Dialect, Pattern, PatternError, TooSlow};
pub use scan::{Match, Scanner, Verdict};

/// The matchers in force in a job: an ordered set by owner, letter case aside. A clone is one reference
/// count, so checkpoints may hold it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Matchers {
    list: Arc<[Matcher]>,
}

impl Matchers {
    /// Puts `new` in front, in their order; one with a known owner replaces the old one.
    pub fn add(&mut self, new: Vec<Matcher>) {
        let known = self.list.iter().filter(|old| !new.iter().any(|new| new.has_owner(old.owner())));
        self.list = new.iter().chain(known).cloned().collect();
    }

    /// Takes out the matchers of these owners and returns how many there were.
    pub fn remove<'o>(&mut self, owners: impl IntoIterator<Item = &'o str>) -> usize {
        let before = self.list.len();
        let owners: Vec<_> = owners.into_iter().collect();
        if self.list.iter().any(|matcher| owners.iter().any(|owner| matcher.has_owner(owner))) {
            let kept =
                self.list.iter().filter(|matcher| !owners.iter().any(|owner| matcher.has_owner(owner)));
            self.list = kept.cloned().collect();
        }
        before - self.list.len()
    }

    /// In the order in which they are tried.
    pub fn iter(&self) -> impl Iterator<Item = &Matcher> {
        self.list.iter()
    }

    /// Whether no matcher is in force.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matchers(owners: &[&str]) -> Vec<Matcher> {
        let one =
            |owner: &&str| format!(r#"{{"owner":"{owner}","pattern":[{{"regexp":"{owner}","message":0}}]}}"#);
        let list: Vec<_> = owners.iter().map(one).collect();
        Matcher::parse(format!(r#"{{"problemMatcher":[{}]}}"#, list.join(",")).as_bytes()).expect("valid")
    }

    #[test]
    fn new_ones_come_first_and_replace() {
        let mut set = Matchers::default();
        set.add(matchers(&["a", "b"]));
        let kept = set.clone();
        set.add(matchers(&["c", "B"]));
        let owners = |set: &Matchers| {
            set.iter().map(|matcher| matcher.owner().to_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(owners(&set), "c B a");
        assert_eq!(set.remove(["C", "x"]), 1);
        assert_eq!(owners(&set), "B a");
        assert_eq!(owners(&kept), "a b");
        assert_ne!(set, kept);
    }
}
