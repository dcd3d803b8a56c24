//! The tree of an expression as one flat list of nodes, so that no depth of nesting can overflow a stack.
//! It does not know how it was parsed, nor how to evaluate or print itself.

use std::ops::Range;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::builtin::Builtin;
use crate::compare::Comparison;
use crate::value::Value;

/// A node's place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NodeId(u32);

impl NodeId {
    /// The place with this number; an expression is far too short for more.
    pub(crate) fn new(index: usize) -> NodeId {
        NodeId(u32::try_from(index).unwrap_or(u32::MAX))
    }

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A node's operands: nearly always four at most, which need no memory of their own then.
pub(crate) type Operands = SmallVec<[NodeId; 4]>;

/// What a node does with its operands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum NodeKind {
    Literal(Value),
    /// `*`, as an index.
    Wildcard,
    /// A context, by the name as written.
    Named(Arc<str>),
    /// A call, by the name as written; extension functions are looked up at evaluation.
    Call {
        name: Arc<str>,
        builtin: Option<Builtin>,
    },
    /// The first operand indexed by the second; both `a.b` and `a['b']`.
    Index,
    Not,
    And,
    Or,
    Compare(Comparison),
}

/// One node.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    pub(crate) operands: Operands,
    /// Bytes of the source, without brackets around it.
    pub(crate) span: Range<usize>,
    /// Height of the tree below and including it: 1 for a leaf.
    pub(crate) height: usize,
}

/// All nodes; operands stand before what uses them. Nodes merged into a longer `&&` or `||` stay behind, unused.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tree {
    nodes: Box<[Node]>,
    root: NodeId,
}

impl Tree {
    pub(crate) fn new(nodes: Box<[Node]>, root: NodeId) -> Tree {
        Tree { nodes, root }
    }

    pub(crate) fn root(&self) -> NodeId {
        self.root
    }

    /// How many places there are, used or not.
    pub(crate) fn size(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.index())
    }

    /// Whether a context stands in it. Nodes that are not used any more are none.
    pub(crate) fn has_named(&self) -> bool {
        self.nodes.iter().any(|node| matches!(node.kind, NodeKind::Named(_)))
    }

    /// Every node that is part of the tree, in the order of the source.
    pub(crate) fn walk(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        let mut open = vec![self.root];
        std::iter::from_fn(move || {
            let id = open.pop()?;
            let node = self.node(id)?;
            open.extend(node.operands.iter().rev());
            Some((id, node))
        })
    }
}
