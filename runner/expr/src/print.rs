//! A tree as text in one canonical spelling, as GitHub prints it in logs and memory errors.
//! It does not know the text from which the tree was parsed.

use crate::lexer::is_keyword;
use crate::tree::{NodeId, NodeKind, Tree};
use crate::value::Value;

/// The canonical text of the part of `tree` below `id`.
pub(crate) fn print(tree: &Tree, id: NodeId) -> String {
    print_with(tree, id, &|_| None)
}

/// The same, except that a node for which `known` has a text is shown as that.
pub(crate) fn print_with(tree: &Tree, id: NodeId, known: &dyn Fn(NodeId) -> Option<String>) -> String {
    if let Some(text) = known(id) {
        return text;
    }
    let Some(node) = tree.node(id) else { return String::new() };
    let operands = || node.operands.iter().map(|&id| print_with(tree, id, known));
    let joined = |separator: &str| operands().collect::<Vec<_>>().join(separator);
    match &node.kind {
        NodeKind::Literal(value) => value.to_literal().into_owned(),
        NodeKind::Wildcard => "*".to_owned(),
        NodeKind::Named(name) => name.to_string(),
        NodeKind::Call { name, .. } => format!("{name}({})", joined(", ")),
        NodeKind::Not => format!("!{}", joined("")),
        NodeKind::And => format!("({})", joined(" && ")),
        NodeKind::Or => format!("({})", joined(" || ")),
        NodeKind::Compare(comparison) => format!("({})", joined(&format!(" {} ", comparison.symbol()))),
        NodeKind::Index => match property(tree, &node.operands) {
            Some(name) => format!("{}.{name}", operands().next().unwrap_or_default()),
            None => format!("{}]", joined("[")),
        },
    }
}

/// The key of an index that can be written after a point.
fn property<'t>(tree: &'t Tree, operands: &[NodeId]) -> Option<&'t str> {
    match &tree.node(*operands.get(1)?)?.kind {
        NodeKind::Literal(Value::String(name)) if is_keyword(name) => Some(name),
        _ => None,
    }
}
