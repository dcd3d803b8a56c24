//! Which contexts an expression reads, as far as its text tells: "which secrets does this job use?".
//! It does not evaluate: a key that is computed is only marked.

use std::ops::Range;
use std::sync::Arc;

use smallvec::smallvec;

use crate::fold;
use crate::tree::{Node, NodeKind, Operands, Tree};

/// One step of a path into a context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// A key known from the text: `a.name`, `a['name']`, `a[0]`.
    Name(Arc<str>),
    /// `*`: every member.
    Wildcard,
    /// A key that only evaluation tells.
    Dynamic,
}

/// One place where an expression reads a context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The context as written.
    pub context: Arc<str>,
    /// The keys behind it: `secrets.NPM_TOKEN` has one.
    pub path: Vec<Key>,
    /// Bytes of the expression that it covers.
    pub span: Range<usize>,
}

impl Reference {
    /// Whether it reads this context, apart from case.
    pub fn is_to(&self, context: &str) -> bool {
        fold::equals(&self.context, context)
    }

    /// The key at `depth`, counted from 0 behind the context, if the text tells it.
    pub fn key(&self, depth: usize) -> Option<&str> {
        match self.path.get(depth)? {
            Key::Name(name) => Some(name),
            Key::Wildcard | Key::Dynamic => None,
        }
    }
}

/// Every reference in the order of the source.
pub(crate) fn references(tree: &Tree) -> Vec<Reference> {
    let mut found = Vec::new();
    let mut open: Operands = smallvec![tree.root()];
    while let Some(id) = open.pop() {
        let Some(node) = tree.node(id) else { continue };
        let mut computed = Operands::new();
        match chain(tree, node, &mut computed) {
            Some(reference) => found.push(reference),
            None => computed.clone_from(&node.operands),
        }
        open.extend(computed.iter().rev().copied());
    }
    found
}

/// The reference that ends at `node`, if it is a context or a chain of indexes that starts at one. Keys that
/// are computed, and may hold references of their own, go to `computed`.
fn chain(tree: &Tree, node: &Node, computed: &mut Operands) -> Option<Reference> {
    let mut path = Vec::new();
    let mut at = node;
    let context = loop {
        match (&at.kind, at.operands.as_slice()) {
            (NodeKind::Named(name), _) => break name,
            (NodeKind::Index, [object, key]) => {
                path.push(match &tree.node(*key)?.kind {
                    NodeKind::Literal(value) => Key::Name(value.to_shared_text()),
                    NodeKind::Wildcard => Key::Wildcard,
                    _ => {
                        computed.insert(0, *key);
                        Key::Dynamic
                    }
                });
                at = tree.node(*object)?;
            }
            _ => {
                computed.clear();
                return None;
            }
        }
    };
    path.reverse();
    Some(Reference { context: Arc::clone(context), path, span: node.span.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::Expression;
    use crate::scope::Scope;

    fn check(text: &str, expected: &str) {
        let expression = Expression::parse(text, &Scope::any()).unwrap().unwrap();
        let shown: Vec<String> = expression
            .references()
            .map(|reference| {
                let keys = reference.path.iter().map(|key| match key {
                    Key::Name(name) => format!(".{name}"),
                    Key::Wildcard => ".*".to_owned(),
                    Key::Dynamic => ".?".to_owned(),
                });
                format!("{}{}", reference.context, keys.collect::<String>())
            })
            .collect();
        assert_eq!(shown.join(" "), expected, "{text}");
    }

    #[test]
    fn paths_are_as_long_as_the_text_tells() {
        check("secrets.NPM_TOKEN", "secrets.NPM_TOKEN");
        check("Secrets['A'][0].b.*.c == env", "Secrets.A.0.b.*.c env");
        check("a[b.c].d[format('x', e)]", "a.?.d.? b.c e");
        check("fromJSON(vars.list)[matrix.i].x", "vars.list matrix.i");
        check("'secrets.x' || 1", "");
    }
}
