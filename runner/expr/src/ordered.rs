//! A map in the order of insertion whose copies share what they have in common. A job keeps its state at every step, and what grows
//! with its steps must not be copied whole each time.
//!
//! Knows nothing of keys and values but how to compare and copy them.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use foldhash::fast::RandomState;
use indexmap::{Equivalent, IndexMap};

/// A piece is closed when it has so many entries, so that a copy of a map copies fewer …
const PIECE_MIN: usize = 32;
/// … or this part of the closed ones, so that a large map has few pieces to be searched.
const PIECE_PART: usize = 16;

type Piece<K, V> = IndexMap<K, V, RandomState>;

/// Keys to values in insertion order. Replacing a value keeps the key and its place.
///
/// Copying costs a pointer for each closed piece and the entries of the open one: of `n` entries, about `n / 16` or 32, whichever is
/// more, where a plain map copies all. Equality does not mind the order.
#[derive(Clone)]
pub struct OrderedMap<K, V> {
    /// Shared with copies, each until an entry in it changes.
    closed: Vec<Arc<Piece<K, V>>>,
    closed_len: usize,
    open: Piece<K, V>,
}

impl<K, V> Default for OrderedMap<K, V> {
    fn default() -> Self {
        Self { closed: Vec::new(), closed_len: 0, open: Piece::default() }
    }
}

impl<K, V> OrderedMap<K, V> {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.closed_len + self.open.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Makes room for a few more entries.
    pub fn reserve(&mut self, more: usize) {
        self.open.reserve(more.min(PIECE_MIN));
    }

    /// Closes the open piece, so that copies made from here on share all there is. For a map that is copied often and is not going
    /// to change itself.
    pub fn close(&mut self) {
        if !self.open.is_empty() {
            self.closed_len += self.open.len();
            self.closed.push(Arc::new(std::mem::take(&mut self.open)));
        }
    }

    /// Keys and values in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> + ExactSizeIterator {
        let closed = self.closed.iter().flat_map(|piece| piece.iter());
        Counted { entries: closed.chain(self.open.iter()), left: self.len() }
    }

    /// Keys and values in order, without those that a copy shares: all in which this map can differ from it, and some others.
    pub fn not_shared_with<'a>(&'a self, copy: &'a Self) -> impl Iterator<Item = (&'a K, &'a V)> {
        let own = |piece: &&Arc<Piece<K, V>>| !copy.closed.iter().any(|other| Arc::ptr_eq(other, piece));
        let closed = self.closed.iter().filter(own).flat_map(|piece| piece.iter());
        closed.chain(self.open.iter())
    }

    /// Keys in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> + ExactSizeIterator {
        self.iter().map(|(key, _)| key)
    }

    /// Values in order.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> + ExactSizeIterator {
        self.iter().map(|(_, value)| value)
    }
}

impl<K: Hash + Eq, V> OrderedMap<K, V> {
    /// The value under `key`.
    pub fn get<Q: ?Sized + Hash + Equivalent<K>>(&self, key: &Q) -> Option<&V> {
        self.get_key_value(key).map(|(_, value)| value)
    }

    /// The key as it was first put in, and its value.
    pub fn get_key_value<Q: ?Sized + Hash + Equivalent<K>>(&self, key: &Q) -> Option<(&K, &V)> {
        // What was put in last is asked for most.
        let closed = || self.closed.iter().rev().find_map(|piece| piece.get_key_value(key));
        self.open.get_key_value(key).or_else(closed)
    }

    /// Whether `key` is there.
    pub fn contains_key<Q: ?Sized + Hash + Equivalent<K>>(&self, key: &Q) -> bool {
        self.get_key_value(key).is_some()
    }
}

impl<K: Hash + Eq + Clone, V: Clone> OrderedMap<K, V> {
    /// A copy with room for a few more entries.
    pub fn clone_with_room(&self, more: usize) -> Self {
        let room = self.open.len() + more.min(PIECE_MIN);
        let mut open = Piece::with_capacity_and_hasher(room, RandomState::default());
        open.extend(self.open.iter().map(|(key, value)| (key.clone(), value.clone())));
        Self { closed: self.closed.clone(), closed_len: self.closed_len, open }
    }

    /// The value under `key`, to change in place.
    pub fn get_mut<Q: ?Sized + Hash + Equivalent<K>>(&mut self, key: &Q) -> Option<&mut V> {
        match self.closed_with(key) {
            Some(index) => self.closed.get_mut(index).and_then(|piece| Arc::make_mut(piece).get_mut(key)),
            None => self.open.get_mut(key),
        }
    }

    /// Puts `value` under `key` and gives back what was there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        if let Some(piece) = self.closed_with(&key).and_then(|index| self.closed.get_mut(index)) {
            return Arc::make_mut(piece).insert(key, value);
        }
        let old = self.open.insert(key, value);
        if self.open.len() >= PIECE_MIN.max(self.closed_len / PIECE_PART) {
            self.close();
        }
        old
    }

    /// Takes `key` out; the others keep their order.
    pub fn remove<Q: ?Sized + Hash + Equivalent<K>>(&mut self, key: &Q) -> Option<V> {
        let Some(index) = self.closed_with(key) else { return self.open.shift_remove(key) };
        let piece = Arc::make_mut(self.closed.get_mut(index)?);
        let removed = piece.shift_remove(key);
        if piece.is_empty() {
            self.closed.remove(index);
        }
        self.closed_len -= usize::from(removed.is_some());
        removed
    }

    /// Keeps the entries that `wanted` holds for.
    pub fn retain(&mut self, wanted: impl Fn(&K, &V) -> bool) {
        for piece in &mut self.closed {
            if !piece.iter().all(|(key, value)| wanted(key, value)) {
                Arc::make_mut(piece).retain(|key, value| wanted(key, value));
            }
        }
        self.closed.retain(|piece| !piece.is_empty());
        self.open.retain(|key, value| wanted(key, value));
        self.closed_len = self.closed.iter().map(|piece| piece.len()).sum();
    }

    fn closed_with<Q: ?Sized + Hash + Equivalent<K>>(&self, key: &Q) -> Option<usize> {
        self.closed.iter().position(|piece| piece.contains_key(key))
    }
}

/// Entries that are counted.
struct Counted<I> {
    entries: I,
    left: usize,
}

impl<I: Iterator> Iterator for Counted<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.left = self.left.saturating_sub(1);
        self.entries.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<I: DoubleEndedIterator> DoubleEndedIterator for Counted<I> {
    fn next_back(&mut self) -> Option<I::Item> {
        self.left = self.left.saturating_sub(1);
        self.entries.next_back()
    }
}

impl<I: Iterator> ExactSizeIterator for Counted<I> {}

impl<K: Hash + Eq, V: PartialEq> PartialEq for OrderedMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(key, value)| other.get(key) == Some(value))
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for OrderedMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Hash + Eq + Clone, V: Clone> FromIterator<(K, V)> for OrderedMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::default();
        for (key, value) in entries {
            map.insert(key, value);
        }
        map
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_copy_shares_all_but_a_few_entries() {
        let one: OrderedMap<u32, u32> = (0..10_000).map(|key| (key, key)).collect();
        let mut two = one.clone();
        two.insert(10_000, 0);
        let shared = one
            .closed
            .iter()
            .zip(&two.closed)
            .filter(|(one, two)| Arc::ptr_eq(one, two))
            .map(|(one, _)| one.len());
        assert!(shared.sum::<usize>() > 9_000);
        assert!(one.closed.len() < 80, "{} pieces to be searched", one.closed.len());
        let own: Vec<_> = two.not_shared_with(&one).map(|(key, _)| *key).collect();
        assert!(own.len() < 2_000 && own.is_sorted() && own.ends_with(&[9_999, 10_000]), "{own:?}");
        two.insert(3, 4);
        assert_eq!(
            two.not_shared_with(&one).filter(|(key, value)| key != value).collect::<Vec<_>>(),
            [(&3, &4), (&10_000, &0)]
        );
        assert_eq!((one.len(), two.len()), (10_000, 10_001));
    }

    #[test]
    fn a_change_of_a_copy_is_its_own() {
        let one: OrderedMap<u32, u32> = (0..100).map(|key| (key, key)).collect();
        let mut two = one.clone();
        *two.get_mut(&3).unwrap() = 7;
        assert_eq!(two.remove(&4), Some(4));
        two.retain(|key, _| *key != 5);
        assert_eq!((one.get(&3), one.get(&4), one.get(&5)), (Some(&3), Some(&4), Some(&5)));
        assert_eq!((two.get(&3), two.get(&4), two.get(&5)), (Some(&7), None, None));
        assert_eq!((one.len(), two.len()), (100, 98));
        assert_ne!(one, two);
    }

    #[test]
    fn entries_that_come_and_go_leave_nothing() {
        let mut map = OrderedMap::default();
        for key in 0..10_000_u32 {
            map.insert(key, key);
            map.remove(&key.saturating_sub(40));
        }
        assert!(map.closed.len() < 4, "{} pieces", map.closed.len());
        map.retain(|_, _| false);
        assert!(map.closed.is_empty() && map.is_empty());
    }

    proptest! {
        /// It does what a plain ordered map does, and an earlier copy stays what it was.
        #[test]
        fn it_is_an_ordered_map(acts in prop::collection::vec((0u8..14, 0u16..150, 0u16..5), 0..400)) {
            let (mut map, mut plain) = (OrderedMap::default(), IndexMap::new());
            let mut earlier = Vec::new();
            for (act, key, value) in acts {
                match act {
                    0 => prop_assert_eq!(map.remove(&key), plain.shift_remove(&key)),
                    1 => {
                        map.retain(|_, kept| *kept != value);
                        plain.retain(|_, kept| *kept != value);
                    }
                    2 => earlier.push((map.clone(), plain.clone())),
                    3 => prop_assert_eq!(map.get_mut(&key), plain.get_mut(&key)),
                    4 => map.close(),
                    5 => map = map.clone_with_room(usize::from(key)),
                    _ => prop_assert_eq!(map.insert(key, value), plain.insert(key, value)),
                }
            }
            earlier.push((map, plain));
            for (map, plain) in &earlier {
                prop_assert!(map.iter().eq(plain.iter()));
                prop_assert!(map.iter().rev().eq(plain.iter().rev()));
                prop_assert_eq!(map.iter().len(), plain.len());
                prop_assert!((0..150).all(|key: u16| map.get(&key) == plain.get(&key)));
                prop_assert!(*map == plain.iter().rev().map(|(key, value)| (*key, *value)).collect());
            }
        }
    }
}
