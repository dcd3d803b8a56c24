//! Numbers that stand for things as long as the job stands where it does.
//!
//! Numbers are never given twice in a session: one that belongs to an earlier stop is known to be stale, and never
//! leads to another stop's data.

use std::hash::Hash;

use indexmap::IndexSet;

/// Numbers for things of one kind. A context of a thousand members is asked for at every stop.
#[derive(Debug)]
pub(super) struct Handles<T> {
    first: i64,
    items: IndexSet<T>,
}

impl<T> Default for Handles<T> {
    /// 0 stands for nothing in the protocol.
    fn default() -> Self {
        Self { first: 1, items: IndexSet::new() }
    }
}

impl<T: Hash + Eq> Handles<T> {
    /// The number that this has already, or a new one.
    pub(super) fn of(&mut self, item: T) -> i64 {
        let (index, _) = self.items.insert_full(item);
        self.first.saturating_add(count(index))
    }

    /// What a number stands for; `None` for a stale one.
    pub(super) fn get(&self, id: i64) -> Option<&T> {
        let index = id.checked_sub(self.first)?;
        self.items.get_index(usize::try_from(index).ok()?)
    }

    /// The job moves: all numbers are stale.
    pub(super) fn clear(&mut self) {
        self.first = self.first.saturating_add(count(self.items.len()));
        self.items.clear();
    }
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_number_leads_nowhere() {
        let mut handles = Handles::default();
        assert_eq!((handles.of('a'), handles.of('b')), (1, 2));
        assert_eq!(handles.get(2), Some(&'b'));
        handles.clear();
        assert_eq!((handles.get(1), handles.get(2)), (None, None));
        assert_eq!(handles.of('c'), 3);
        assert_eq!((handles.get(3), handles.get(0), handles.get(-1)), (Some(&'c'), None, None));
    }

    #[test]
    fn the_same_thing_keeps_its_number() {
        let mut handles = Handles::default();
        assert_eq!((handles.of("x"), handles.of("y"), handles.of("x")), (1, 2, 1));
    }
}
