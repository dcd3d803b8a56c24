//! A parsed expression: what the rest of Stepback holds in plans and asks for values (steps.md 6).
//! It does not know the workflow key it stands under, nor whether it came from `${{ }}`.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::error::{EvalError, ParseError};
use crate::evaluate::{Evaluator, Stop};
use crate::fold;
use crate::function::Functions;
use crate::hash::HashRequest;
use crate::limit::{DEFAULT_MEMORY, TEMPLATE_MEMORY};
use crate::object::Object;
use crate::reference::{self, Reference};
use crate::scope::Scope;
use crate::trace::Trace;
use crate::tree::{NodeKind, Tree};
use crate::value::Value;
use crate::{builtin, parser, print};

/// A parsed expression. Cloning shares it.
#[derive(Clone)]
pub struct Expression {
    parsed: Arc<Parsed>,
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.parsed, &other.parsed)
            || (self.source() == other.source() && self.tree() == other.tree())
    }
}

struct Parsed {
    /// What it was parsed from, and where in there it stands.
    text: Arc<str>,
    place: Range<usize>,
    tree: Tree,
}

/// What evaluating gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Evaluated {
    /// The value.
    Value(Value),
    /// The answer to this `hashFiles()` call is needed; evaluate again with it.
    NeedsHash(HashRequest),
}

impl Evaluated {
    /// The value, unless an answer is needed first.
    pub fn value(self) -> Option<Value> {
        match self {
            Evaluated::Value(value) => Some(value),
            Evaluated::NeedsHash(_) => None,
        }
    }

    pub(crate) fn from_result(result: Result<Value, Stop>) -> Result<Evaluated, EvalError> {
        match result {
            Ok(value) => Ok(Evaluated::Value(value)),
            Err(Stop::NeedsHash(request)) => Ok(Evaluated::NeedsHash(request)),
            Err(Stop::Error(error)) => Err(error),
        }
    }
}

impl Expression {
    /// Parses `text`, which is an expression without `${{ }}` around it. `None` is the empty expression.
    ///
    /// # Errors
    /// GitHub's message and position for what the grammar or `scope` refuses (steps.md 6.1).
    pub fn parse(text: &str, scope: &Scope<'_>) -> Result<Option<Expression>, ParseError> {
        Self::parse_part(&Arc::from(text), 0..text.len(), scope)
    }

    /// The expression at `place` in `text`, which it shares.
    pub(crate) fn parse_part(
        text: &Arc<str>,
        place: Range<usize>,
        scope: &Scope<'_>,
    ) -> Result<Option<Expression>, ParseError> {
        let tree = parser::parse(text.get(place.clone()).unwrap_or_default(), scope)?;
        Ok(tree.map(|tree| Expression { parsed: Arc::new(Parsed { text: Arc::clone(text), place, tree }) }))
    }

    /// The text it was parsed from.
    pub fn source(&self) -> &str {
        self.parsed.text.get(self.parsed.place.clone()).unwrap_or_default()
    }

    pub(crate) fn tree(&self) -> &Tree {
        &self.parsed.tree
    }

    pub(crate) fn slice(&self, span: &Range<usize>) -> &str {
        self.source().get(span.clone()).unwrap_or_default()
    }

    /// The expression in GitHub's canonical spelling, fully bracketed.
    pub fn to_canonical_text(&self) -> String {
        print::print(&self.parsed.tree, self.parsed.tree.root())
    }

    /// The names of the functions it calls, as written, in the order of the text.
    pub fn calls(&self) -> impl Iterator<Item = &str> {
        self.parsed.tree.walk().filter_map(|(_, node)| match &node.kind {
            NodeKind::Call { name, .. } => Some(&**name),
            _ => None,
        })
    }

    /// Whether `always`, `cancelled`, `failure` or `success` is called anywhere in it (steps.md 1.4).
    pub fn calls_status_function(&self) -> bool {
        self.calls().any(|name| {
            ["always", "cancelled", "failure", "success"].iter().any(|known| fold::equals(known, name))
        })
    }

    /// Every place where it reads a context.
    pub fn references(&self) -> impl Iterator<Item = Reference> + use<> {
        reference::references(&self.parsed.tree).into_iter()
    }

    /// Whether it reads any context; otherwise it has the same value in all of them.
    pub fn reads_contexts(&self) -> bool {
        self.parsed.tree.has_named()
    }

    /// Its value, if it is a literal.
    pub fn as_literal(&self) -> Option<&Value> {
        match &self.parsed.tree.node(self.parsed.tree.root())?.kind {
            NodeKind::Literal(value) => Some(value),
            _ => None,
        }
    }

    /// Its value under `contexts`; a context that is not there is `null`. Memory is limited to 1 MiB.
    ///
    /// # Errors
    /// What a function or the memory limit refuses, in GitHub's words.
    pub fn evaluate(&self, contexts: &Object, functions: &Functions) -> Result<Evaluated, EvalError> {
        self.evaluate_within(contexts, functions, DEFAULT_MEMORY)
    }

    /// [`Expression::evaluate`] with another memory limit, in bytes by GitHub's reckoning.
    ///
    /// # Errors
    /// As [`Expression::evaluate`].
    pub fn evaluate_within(
        &self,
        contexts: &Object,
        functions: &Functions,
        memory: usize,
    ) -> Result<Evaluated, EvalError> {
        let (result, _) = Evaluator::new(&self.parsed.tree, contexts, functions, memory).run();
        Evaluated::from_result(result)
    }

    /// Its value as that of an `if`. Memory is limited to 10 MiB.
    ///
    /// # Errors
    /// As [`Expression::evaluate`].
    pub fn evaluate_as_condition(
        &self,
        contexts: &Object,
        functions: &Functions,
    ) -> Result<Evaluated, EvalError> {
        self.evaluate_within(contexts, functions, TEMPLATE_MEMORY)
    }

    /// [`Expression::evaluate_as_condition`], and what every part of the expression gave.
    pub fn evaluate_as_condition_traced(
        &self,
        contexts: &Object,
        functions: &Functions,
    ) -> (Result<Evaluated, EvalError>, Trace) {
        self.evaluate_traced_within(contexts, functions, TEMPLATE_MEMORY)
    }

    /// [`Expression::evaluate`], and what every part of the expression gave.
    pub fn evaluate_traced(
        &self,
        contexts: &Object,
        functions: &Functions,
    ) -> (Result<Evaluated, EvalError>, Trace) {
        self.evaluate_traced_within(contexts, functions, DEFAULT_MEMORY)
    }

    /// [`Expression::evaluate_traced`] with another memory limit.
    pub fn evaluate_traced_within(
        &self,
        contexts: &Object,
        functions: &Functions,
        memory: usize,
    ) -> (Result<Evaluated, EvalError>, Trace) {
        let (result, recorder) =
            Evaluator::new(&self.parsed.tree, contexts, functions, memory).recording().run();
        (Evaluated::from_result(result), Trace::new(self.clone(), recorder.unwrap_or_default()))
    }

    /// The well-known functions that every expression may call.
    pub fn well_known_functions() -> impl ExactSizeIterator<Item = crate::FunctionSignature> {
        builtin::signatures()
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({:?})", self.source())
    }
}
