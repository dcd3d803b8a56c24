//! The texts of a file, each kept once: keys stand in every step, and many values do.
//!
//! Knows nothing of what they mean.

use std::sync::Arc;

use foldhash::fast::RandomState;
use indexmap::IndexSet;

#[derive(Default)]
pub(super) struct Texts {
    known: IndexSet<Arc<str>, RandomState>,
}

impl Texts {
    /// `text`, shared with everywhere else it stands.
    pub(super) fn shared(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.known.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = Arc::from(text);
        self.known.insert(Arc::clone(&new));
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_one() {
        let mut texts = Texts::default();
        let first = texts.shared("run");
        assert!(Arc::ptr_eq(&first, &texts.shared("run")));
        assert_eq!((&*first, &*texts.shared("Run")), ("run", "Run"));
    }
}
