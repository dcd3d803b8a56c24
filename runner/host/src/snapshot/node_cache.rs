//! Decoded nodes, kept for a while: looking one path up in many snapshots reads each shared directory once.
//!
//! Knows nothing of where nodes come from.

use std::sync::Arc;

use super::id::{Digest, DigestMap};
use super::manifest::Node;

/// Decoded nodes kept at a time; beyond it all are forgotten and read again when needed.
const KEPT: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct NodeCache {
    nodes: std::sync::Mutex<DigestMap<Arc<Node>>>,
}

impl NodeCache {
    pub(super) fn get(&self, digest: &Digest) -> Option<Arc<Node>> {
        self.nodes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(digest).cloned()
    }

    pub(super) fn put(&self, digest: Digest, node: Node) -> Arc<Node> {
        let node = Arc::new(node);
        let mut nodes = self.nodes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if nodes.len() >= KEPT {
            nodes.clear();
        }
        nodes.insert(digest, node.clone());
        node
    }
}
