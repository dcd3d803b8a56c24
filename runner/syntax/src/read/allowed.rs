//! Which contexts and functions an expression may use, gathered from the outside in.
//!
//! Knows no context; the tables name them.

use expr::{FunctionSignature, Scope};

use crate::schema::definition::Definition;

/// What may be used in one place: what its definition allows and what all around it allow.
#[derive(Clone, Debug, Default)]
pub(crate) struct Allowed {
    contexts: Vec<&'static str>,
    functions: Vec<FunctionSignature>,
}

impl Allowed {
    /// What a definition alone allows.
    pub(crate) fn by(definition: &Definition) -> Self {
        Self { contexts: definition.contexts.to_vec(), functions: definition.functions.to_vec() }
    }

    /// The same, and what a definition allows besides.
    pub(super) fn and_by(&self, definition: &Definition) -> Self {
        let mut allowed = self.clone();
        for &context in definition.contexts {
            if !allowed.contexts.contains(&context) {
                allowed.contexts.push(context);
            }
        }
        for &function in definition.functions {
            if !allowed.functions.contains(&function) {
                allowed.functions.push(function);
            }
        }
        allowed
    }

    /// Whether there may be no expression at all.
    pub(crate) fn nothing(&self) -> bool {
        self.contexts.is_empty() && self.functions.is_empty()
    }

    pub(crate) fn contexts(&self) -> &[&'static str] {
        &self.contexts
    }

    pub(crate) fn functions(&self) -> impl Iterator<Item = &'static str> {
        self.functions.iter().map(|function| function.name)
    }

    pub(crate) fn scope(&self) -> Scope<'_> {
        Scope::new(&self.contexts, &self.functions)
    }
}
