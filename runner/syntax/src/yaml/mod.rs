//! The YAML layer: text to a tree of nodes, by GitHub's rules.
//!
//! Knows nothing of workflows; a node is a scalar, a sequence or a mapping with its place.

pub(crate) mod event;
mod granit;
pub(crate) mod scalar;
mod tree;
pub use tree::Alias;
pub(crate) use tree::{Item, MAX_DEPTH, NodeKind, Scalar, read};
