//! The YAML layer: text to a tree of nodes, by GitHub's rules.
//!
//! Knows nothing of workflows; a node is a scalar, a sequence or a mapping with its place.

pub(crate) mod event;
mod granit;
mod node;
pub(crate) mod scalar;
mod texts;
mod tree;
pub use node::Alias;
pub(crate) use node::{Item, NodeKind, Pair, Scalar};
pub(crate) use tree::{MAX_DEPTH, read};
