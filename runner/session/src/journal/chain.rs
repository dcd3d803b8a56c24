//! The chained hash that ties each frame to all before it. It knows no frame layout.

/// Length of one link in bytes: half a blake3 hash, plenty against accident and reordering. The chain is not
/// keyed: it proves that a file is what was written, not who wrote it.
pub(super) const LINK_BYTES: usize = 16;

/// The link of the newest frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chain([u8; LINK_BYTES]);

impl Chain {
    /// The link before the first frame, made from what stands in front of it.
    pub(super) fn start(head: &[u8]) -> Chain {
        Chain::cut(blake3::hash(head))
    }

    /// The link of a frame whose bytes are `parts`, following `self`.
    pub(super) fn next(&self, parts: &[&[u8]]) -> Chain {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0);
        for part in parts {
            hasher.update(part);
        }
        Chain::cut(hasher.finalize())
    }

    pub(super) fn bytes(&self) -> &[u8; LINK_BYTES] {
        &self.0
    }

    fn cut(hash: blake3::Hash) -> Chain {
        let mut link = [0; LINK_BYTES];
        for (to, from) in link.iter_mut().zip(hash.as_bytes()) {
            *to = *from;
        }
        Chain(link)
    }
}
