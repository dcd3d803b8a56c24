//! The files of a job in its recording: those with a secret in them are sealed under the key of this machine.
//!
//! Knows masks and the key; the store of the files decides when to ask. What was not known to be a secret when it was
//! stored is stored as it is.

use host::masks::SharedMasks;
use host::snapshot::Vault;

use super::SealKey;

/// Seals contents by the masks of a run.
pub struct MaskedContents {
    masks: SharedMasks,
    key: Option<SealKey>,
}

impl MaskedContents {
    /// By these masks. Without a key, contents with a secret are left out.
    pub fn new(masks: SharedMasks, key: Option<SealKey>) -> Self {
        Self { masks, key }
    }
}

impl Vault for MaskedContents {
    fn holds_secret(&self, bytes: &[u8]) -> bool {
        let masks = self.masks.current();
        !masks.is_empty() && masks.contains_secret(bytes)
    }

    fn seal(&self, content: &[u8; 32], bytes: &[u8]) -> Option<Vec<u8>> {
        self.key.as_ref()?.seal_content(content, bytes)
    }

    fn open(&self, content: &[u8; 32], sealed: &[u8]) -> Option<Vec<u8>> {
        self.key.as_ref()?.open_content(content, sealed)
    }
}
