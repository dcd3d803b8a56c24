//! The secrets of a job, kept beside the job and never in it.
//!
//! Knows names, values and what has to be masked; not where secrets come from.

use std::fmt;
use std::sync::Arc;

use expr::{Object, Value};
use indexmap::IndexMap;

use crate::mask::{Masks, Origin};

/// Named secrets and everything that must not be shown. Passed to every transition; cheap to clone.
#[derive(Clone, Default)]
pub struct Secrets {
    values: Arc<IndexMap<Arc<str>, Arc<str>>>,
    /// The `secrets` context: every expression of every step sees this one.
    context: Arc<Object>,
    masks: Masks,
}

impl Secrets {
    /// Secrets by name, in the order in which the `secrets` context shows them; their values are masked from here on.
    pub fn new(values: IndexMap<Arc<str>, Arc<str>>) -> Self {
        let mut masks = Masks::default();
        let origin = |name: &Arc<str>| Origin::Secret { name: Arc::clone(name) };
        masks.extend(values.iter().map(|(name, value)| (value.as_bytes(), origin(name))));
        let context =
            values.iter().map(|(name, value)| (Arc::clone(name), Value::String(Arc::clone(value)))).collect();
        Self { values: Arc::new(values), context: Arc::new(context), masks }
    }

    /// The same secrets with what was masked since (masks only grow).
    pub fn with_masks(&self, masks: Masks) -> Self {
        Self { values: Arc::clone(&self.values), context: Arc::clone(&self.context), masks }
    }

    /// What must not be shown.
    pub fn masks(&self) -> &Masks {
        &self.masks
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.values.keys()
    }

    /// The value of a secret, whose name matches in any case as in the `secrets` context. For putting it back where a
    /// recording left it out; never print it.
    pub fn value(&self, name: &str) -> Option<&Arc<str>> {
        let folded = || self.values.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        self.values.get(name).or_else(|| folded().map(|(_, value)| value))
    }

    /// The text with every secret in it replaced by `***`.
    pub fn mask(&self, text: &str) -> String {
        self.masks.mask_text(text).into_owned()
    }

    /// The `secrets` context.
    pub(crate) fn context(&self) -> &Arc<Object> {
        &self.context
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}
