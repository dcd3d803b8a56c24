//! An ordered map from text keys to values, as contexts and `fromJSON` results are (steps.md 6.2).
//! It does not know which context it is; only `env` on Unix asks for keys that mind their case.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use indexmap::Equivalent;

use crate::fold;
use crate::ordered::OrderedMap;
use crate::value::Value;

/// Whether two spellings of a key that differ in case are the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum KeyCase {
    /// They are one key: the rule for every context.
    #[default]
    Insensitive,
    /// They are two keys: the rule for `env` on Unix.
    Sensitive,
}

/// Keys to values in insertion order. Replacing a value keeps the key's place and first spelling.
///
/// Equality is structural and includes order, spelling and the case rule.
#[derive(Clone, Default)]
pub struct Object {
    case: KeyCase,
    entries: OrderedMap<StoredKey, Value>,
}

/// A key beside the rule by which it is compared: equality has to be known where the map looks.
#[derive(Clone)]
struct StoredKey {
    text: Arc<str>,
    case: KeyCase,
}

struct SoughtKey<'a> {
    text: &'a str,
    case: KeyCase,
}

/// All bits but those by which small letters differ from capitals. By them other characters differ too, which merely collides a
/// little more.
const NO_CASE: u64 = !0x2020_2020_2020_2020;

fn same_key(left: &str, right: &str, case: KeyCase) -> bool {
    match case {
        KeyCase::Insensitive => fold::equals(left, right),
        KeyCase::Sensitive => left == right,
    }
}

/// Folded under both rules: equal keys hash alike, and the sensitive rule merely collides a little more.
///
/// Nearly every key is ASCII, and feeding a hasher whole words costs a fraction of feeding it characters. No such
/// key equals one with other letters, so the two ways need not agree.
fn hash_key<H: Hasher>(text: &str, state: &mut H) {
    if !text.is_ascii() {
        return fold::folded(text).for_each(|c| state.write_u32(u32::from(c)));
    }
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    words.iter().for_each(|word| state.write_u64(u64::from_le_bytes(*word) & NO_CASE));
    // Seven bytes at most, and how many of them count.
    let last = rest.iter().fold(rest.len() as u64, |last, byte| (last << 8) | u64::from(*byte));
    state.write_u64(last & NO_CASE);
}

impl Hash for StoredKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_key(&self.text, state);
    }
}

impl Hash for SoughtKey<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_key(self.text, state);
    }
}

impl PartialEq for StoredKey {
    fn eq(&self, other: &StoredKey) -> bool {
        same_key(&self.text, &other.text, self.case)
    }
}

impl Eq for StoredKey {}

impl Equivalent<StoredKey> for SoughtKey<'_> {
    fn equivalent(&self, key: &StoredKey) -> bool {
        same_key(self.text, &key.text, self.case)
    }
}

impl Object {
    /// An empty object whose keys ignore case.
    pub fn new() -> Object {
        Object::default()
    }

    /// An empty object whose keys mind their case.
    pub fn case_sensitive() -> Object {
        Object::with_case(KeyCase::Sensitive)
    }

    /// An empty object under the given rule.
    pub fn with_case(case: KeyCase) -> Object {
        Object { case, entries: OrderedMap::default() }
    }

    /// Makes room for so many more entries.
    pub fn reserve(&mut self, more: usize) {
        self.entries.reserve(more);
    }

    /// A copy with room for so many more entries.
    pub fn clone_with_room(&self, more: usize) -> Object {
        Object { case: self.case, entries: self.entries.clone_with_room(more) }
    }

    /// The same object, of which copies are cheap however large it is: they share what is in it now.
    #[must_use]
    pub fn shared_by_copies(mut self) -> Object {
        self.entries.close();
        self
    }

    /// The rule by which keys are compared.
    pub fn key_case(&self) -> KeyCase {
        self.case
    }

    fn sought<'a>(&self, text: &'a str) -> SoughtKey<'a> {
        SoughtKey { text, case: self.case }
    }

    /// The value under `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries.get(&self.sought(key))
    }

    /// The value under `key`, to change in place.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        let sought = self.sought(key);
        self.entries.get_mut(&sought)
    }

    /// The key in its stored spelling, and its value.
    pub fn get_key_value(&self, key: &str) -> Option<(&Arc<str>, &Value)> {
        self.entries.get_key_value(&self.sought(key)).map(|(key, value)| (&key.text, value))
    }

    /// Whether `key` is there.
    pub fn contains_key(&self, key: &str) -> bool {
        self.entries.contains_key(&self.sought(key))
    }

    /// Puts `value` under `key` and gives back what was there. A key that is there already keeps its place
    /// and spelling.
    pub fn insert(&mut self, key: impl Into<Arc<str>>, value: impl Into<Value>) -> Option<Value> {
        let key = StoredKey { text: key.into(), case: self.case };
        self.entries.insert(key, value.into())
    }

    /// Takes `key` out; the others keep their order.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let sought = self.sought(key);
        self.entries.remove(&sought)
    }

    /// Inserts every entry of `other`.
    pub fn merge(&mut self, other: &Object) {
        for (key, value) in other.iter() {
            self.insert(Arc::clone(key), value.clone());
        }
    }

    /// Removes everything.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// Keys and values in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Arc<str>, &Value)> + ExactSizeIterator {
        self.entries.iter().map(|(key, value)| (&key.text, value))
    }

    /// Keys and values in order, without those that a copy shares: all in which this object can differ from it, and some others.
    pub fn not_shared_with<'a>(
        &'a self,
        copy: &'a Object,
    ) -> impl Iterator<Item = (&'a Arc<str>, &'a Value)> {
        self.entries.not_shared_with(&copy.entries).map(|(key, value)| (&key.text, value))
    }

    /// Keys in order, as first spelled.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &Arc<str>> + ExactSizeIterator {
        self.entries.keys().map(|key| &key.text)
    }

    /// Values in order.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Value> + ExactSizeIterator {
        self.entries.values()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<'o> IntoIterator for &'o Object {
    type Item = (&'o Arc<str>, &'o Value);
    type IntoIter = Box<dyn Iterator<Item = Self::Item> + 'o>;

    fn into_iter(self) -> Self::IntoIter {
        Box::new(self.iter())
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Object) -> bool {
        self.case == other.case && self.iter().eq(other.iter())
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Into<Arc<str>>, V: Into<Value>> Extend<(K, V)> for Object {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl<K: Into<Arc<str>>, V: Into<Value>> FromIterator<(K, V)> for Object {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Object {
        let mut object = Object::new();
        object.extend(entries);
        object
    }
}

impl<K: Into<Arc<str>>, V: Into<Value>, const N: usize> From<[(K, V); N]> for Object {
    fn from(entries: [(K, V); N]) -> Object {
        entries.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_spelling_and_place_stay() {
        let mut object = Object::from([("Path", 1), ("b", 2)]);
        assert_eq!(object.insert("PATH", 3), Some(1.into()));
        assert_eq!(format!("{object:?}"), r#"{"Path": 3, "b": 2}"#);
        assert_eq!(object.get("pAtH"), Some(&3.into()));
        assert_eq!(object.remove("PATH"), Some(3.into()));
        assert_eq!(object.len(), 1);
    }

    #[test]
    fn keys_that_mind_their_case() {
        let mut env = Object::case_sensitive();
        env.insert("path", "a");
        env.insert("PATH", "b");
        assert_eq!((env.len(), env.get("Path")), (2, None));
        assert_eq!(env.get("PATH"), Some(&"b".into()));
    }

    #[test]
    fn order_and_spelling_are_part_of_the_value() {
        assert_eq!(Object::from([("a", 1), ("b", 2)]), Object::from([("a", 1), ("b", 2)]));
        assert_ne!(Object::from([("a", 1), ("b", 2)]), Object::from([("b", 2), ("a", 1)]));
        assert_ne!(Object::from([("a", 1)]), Object::from([("A", 1)]));
        assert_ne!(Object::new(), Object::case_sensitive());
    }
}
