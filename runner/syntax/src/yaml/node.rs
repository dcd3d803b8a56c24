//! The nodes of a file, as small as they can be: there are thousands, and most are short texts.
//!
//! Knows no key, and not how nodes are read.

use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

use super::scalar::Literal;
use crate::source::Span;

/// A use of a node: the node, and the alias through which it is used.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) node: Node,
    /// In a box: hardly any node has one.
    pub(crate) used_at: Option<Box<Span>>,
}

/// A key of a mapping and its value.
pub(crate) type Pair = [Item; 2];

/// A value of the file. Cloning shares what is inside it.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) kind: NodeKind,
}

#[derive(Clone, Debug)]
pub(crate) enum NodeKind {
    Scalar(Scalar),
    Sequence(Rc<[Item]>),
    Mapping(Pairs),
    /// Already reported; whoever meets it says nothing more.
    Invalid,
}

/// The pairs of a mapping.
#[derive(Clone, Debug)]
pub(crate) struct Pairs {
    /// Keys and values in turn, as they are read.
    items: Rc<[Item]>,
}

impl Pairs {
    pub(super) fn new(items: Rc<[Item]>) -> Self {
        Self { items }
    }
}

impl Deref for Pairs {
    type Target = [Pair];

    fn deref(&self) -> &[Pair] {
        self.items.as_chunks().0
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Scalar {
    pub(crate) text: Arc<str>,
    pub(crate) literal: Literal,
}

/// An alias and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The name of the anchor.
    pub name: Arc<str>,
    /// The `*name`.
    pub used_at: Span,
    /// The node behind `&name`.
    pub definition: Span,
}
