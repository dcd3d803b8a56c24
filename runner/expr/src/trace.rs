//! What every part of an expression gave in one evaluation: the answer to "why was this false?".
//! It holds values as they are: rendering takes a mask, and it prints nothing by itself.

use std::fmt;
use std::ops::Range;

use crate::evaluate::Stop;
use crate::expression::Expression;
use crate::index::Operand;
use crate::tree::{Node, NodeId, NodeKind};
use crate::value::Value;

/// What a part of an expression gave.
#[derive(Clone, PartialEq)]
pub enum Outcome {
    /// It was not needed: an earlier part had decided, or evaluation had ended.
    NotEvaluated,
    /// Its value.
    Value(Value),
    /// It failed, or something in it did, with this text.
    Failed(String),
    /// It waits for the answer to a `hashFiles()` call.
    Waiting,
}

impl Outcome {
    pub(crate) fn of(result: &Result<Operand, Stop>) -> Outcome {
        match result {
            Ok(operand) => Outcome::Value(operand.value.clone()),
            Err(Stop::Error(error)) => Outcome::Failed(error.text.clone()),
            Err(Stop::NeedsHash(_)) => Outcome::Waiting,
        }
    }

    /// The value, if there is one.
    pub fn value(&self) -> Option<&Value> {
        match self {
            Outcome::Value(value) => Some(value),
            _ => None,
        }
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values may be secrets; the kind says enough for a log of ours.
        match self {
            Outcome::NotEvaluated => f.write_str("NotEvaluated"),
            Outcome::Value(value) => write!(f, "Value({})", value.kind()),
            Outcome::Failed(_) => f.write_str("Failed"),
            Outcome::Waiting => f.write_str("Waiting"),
        }
    }
}

/// Collects outcomes during an evaluation.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    outcomes: Vec<Outcome>,
    turns: Vec<usize>,
    begun: usize,
}

impl Recorder {
    pub(crate) fn new(size: usize) -> Recorder {
        Recorder { outcomes: vec![Outcome::NotEvaluated; size], turns: vec![usize::MAX; size], begun: 0 }
    }

    pub(crate) fn enter(&mut self, id: NodeId) {
        if let Some(turn) = self.turns.get_mut(id.index()) {
            *turn = self.begun;
        }
        self.begun += 1;
    }

    pub(crate) fn leave(&mut self, id: NodeId, outcome: Outcome) {
        if let Some(slot) = self.outcomes.get_mut(id.index()) {
            *slot = outcome;
        }
    }
}

/// One evaluation, part by part.
#[derive(Clone, Debug)]
pub struct Trace {
    expression: Expression,
    outcomes: Vec<Outcome>,
    turns: Vec<usize>,
}

/// One part of a traced expression.
#[derive(Clone, Copy)]
pub struct TraceNode<'t> {
    trace: &'t Trace,
    id: NodeId,
    node: &'t Node,
}

impl Trace {
    pub(crate) fn new(expression: Expression, recorder: Recorder) -> Trace {
        Trace { expression, outcomes: recorder.outcomes, turns: recorder.turns }
    }

    /// The expression that was evaluated.
    pub fn expression(&self) -> &Expression {
        &self.expression
    }

    /// The whole expression as a part.
    pub fn root(&self) -> Option<TraceNode<'_>> {
        self.part(self.expression.tree().root())
    }

    pub(crate) fn part(&self, id: NodeId) -> Option<TraceNode<'_>> {
        let node = self.expression.tree().node(id)?;
        Some(TraceNode { trace: self, id, node })
    }

    /// When a part was begun, counted among all parts.
    pub(crate) fn turn(&self, id: NodeId) -> usize {
        self.turns.get(id.index()).copied().unwrap_or(usize::MAX)
    }
}

impl<'t> TraceNode<'t> {
    /// Its text as written, without brackets around it.
    pub fn source(&self) -> &'t str {
        self.trace.expression.slice(&self.node.span)
    }

    /// The bytes of the expression that it covers.
    pub fn span(&self) -> Range<usize> {
        self.node.span.clone()
    }

    /// What it gave.
    pub fn outcome(&self) -> &'t Outcome {
        self.trace.outcomes.get(self.id.index()).unwrap_or(&Outcome::NotEvaluated)
    }

    /// Whether it stands for itself: a literal or `*`.
    pub fn is_literal(&self) -> bool {
        matches!(self.node.kind, NodeKind::Literal(_) | NodeKind::Wildcard)
    }

    /// Its operands, in the order of the text.
    pub fn operands(&self) -> impl DoubleEndedIterator<Item = TraceNode<'t>> + use<'t> {
        let trace = self.trace;
        self.node.operands.iter().filter_map(move |&id| trace.part(id))
    }

    pub(crate) fn kind(&self) -> &'t NodeKind {
        &self.node.kind
    }

    pub(crate) fn id(&self) -> NodeId {
        self.id
    }

    pub(crate) fn trace(&self) -> &'t Trace {
        self.trace
    }
}
