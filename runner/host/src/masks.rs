//! One set of masks for all lanes of a run.
//!
//! Knows that masks only grow; not what they hide.

use std::sync::{Arc, PoisonError, RwLock};

use engine::lines::MaskStore;
use engine::mask::{Masks, Origin};

/// Masks behind a lock. A clone is the same set.
#[derive(Clone, Debug, Default)]
pub struct SharedMasks {
    masks: Arc<RwLock<Masks>>,
}

impl SharedMasks {
    /// Begins with these.
    pub fn new(masks: Masks) -> Self {
        Self { masks: Arc::new(RwLock::new(masks)) }
    }

    /// Adds values from elsewhere, for instance secrets that a person supplies.
    pub fn extend<V: AsRef<[u8]>>(&self, values: impl IntoIterator<Item = (V, Origin)>) {
        self.masks.write().unwrap_or_else(PoisonError::into_inner).extend(values);
    }

    /// The masks of this moment.
    pub fn current(&self) -> Masks {
        self.masks.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl MaskStore for SharedMasks {
    fn snapshot(&self) -> Masks {
        self.current()
    }

    fn add(&mut self, value: &[u8]) {
        self.extend([(value, Origin::Unnamed)]);
    }
}
