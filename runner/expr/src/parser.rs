//! Tokens to tree, by two stacks: errors come in the order of the text, as GitHub reports them, and depth
//! costs no call stack (steps.md 6.1). It does not know what any function or context means.

use std::ops::Range;

use smallvec::{SmallVec, smallvec};

use crate::builtin::Builtin;
use crate::compare::Comparison;
use crate::error::{Fault, ParseError, ParseErrorKind, utf16_length};
use crate::lexer::{Lexer, Operator, Token, TokenKind};
use crate::limit::{MAX_DEPTH, MAX_LENGTH};
use crate::scope::Scope;
use crate::tree::{Node, NodeId, NodeKind, Operands, Tree};
use crate::value::Value;

/// The tree of `text`, or `None` when there is nothing but blanks.
pub(crate) fn parse(text: &str, scope: &Scope<'_>) -> Result<Option<Tree>, ParseError> {
    if utf16_length(text) > MAX_LENGTH {
        return Err(ParseError::too_long());
    }
    Parser { text, scope, nodes: Nodes::new(), operands: Stack::new(), operators: Stack::new() }.run()
}

struct Parser<'a> {
    text: &'a str,
    scope: &'a Scope<'a>,
    nodes: Nodes,
    operands: Stack<Operand>,
    operators: Stack<Token>,
}

/// Few expressions need more, and a workflow may have thousands of them.
type Stack<T> = SmallVec<[T; 4]>;
type Nodes = SmallVec<[Node; 8]>;

fn pop_if<T>(stack: &mut Stack<T>, wanted: impl FnOnce(&T) -> bool) -> Option<T> {
    if stack.last().is_some_and(wanted) { stack.pop() } else { None }
}

/// A finished operand; `outer` includes the brackets around it.
struct Operand {
    id: NodeId,
    outer: Range<usize>,
}

/// How tightly an operator binds; a higher one goes first.
fn precedence(kind: &TokenKind) -> u8 {
    match kind {
        TokenKind::StartGroup => 20,
        TokenKind::StartIndex | TokenKind::StartParameters | TokenKind::Dereference => 19,
        TokenKind::Operator(Operator::Not) => 16,
        TokenKind::Operator(Operator::Compare(Comparison::Equal | Comparison::NotEqual)) => 10,
        TokenKind::Operator(Operator::Compare(_)) => 11,
        TokenKind::Operator(Operator::And) => 6,
        TokenKind::Operator(Operator::Or) => 5,
        TokenKind::EndGroup | TokenKind::EndIndex | TokenKind::EndParameters | TokenKind::Separator => 1,
        _ => 0,
    }
}

fn is_right_to_left(kind: &TokenKind) -> bool {
    matches!(kind, TokenKind::StartGroup | TokenKind::Operator(Operator::Not))
}

impl Parser<'_> {
    fn run(mut self) -> Result<Option<Tree>, ParseError> {
        let mut lexer = Lexer::new(self.text);
        let mut last: Option<Token> = None;
        while let Some(token) = lexer.next()? {
            if token.kind.is_operator() {
                self.push_operator(&token, last.as_ref())?;
            } else {
                self.push_operand(&token)?;
            }
            last = Some(token);
        }
        let Some(last) = last else { return Ok(None) };
        if !self.operators.is_empty() && (is_open_end(&last.kind) || lexer.has_open_bracket()) {
            return Err(self.fault(Fault::UnexpectedEnd, &last.span));
        }
        while let Some(operator) = self.operators.pop() {
            self.reduce(&operator);
        }
        let Some(root) = self.operands.pop() else { return Ok(None) };
        if self.height(root.id) > MAX_DEPTH {
            return Err(ParseError::too_deep());
        }
        Ok(Some(Tree::new(self.nodes.into_boxed_slice(), root.id)))
    }

    fn fault(&self, fault: Fault, span: &Range<usize>) -> ParseError {
        let raw = self.slice(span);
        ParseError::at(ParseErrorKind::Parsing, fault, raw, span.start, self.text)
    }

    fn slice(&self, span: &Range<usize>) -> &str {
        self.text.get(span.clone()).unwrap_or_default()
    }

    fn height(&self, id: NodeId) -> usize {
        self.nodes.get(id.index()).map_or(0, |node| node.height)
    }

    fn push_operand(&mut self, token: &Token) -> Result<(), ParseError> {
        let name = self.slice(&token.span);
        let kind = match &token.kind {
            TokenKind::Literal(value) => NodeKind::Literal(value.clone()),
            TokenKind::PropertyName => NodeKind::Literal(Value::string(name)),
            TokenKind::Wildcard => NodeKind::Wildcard,
            TokenKind::Function => {
                let builtin = Builtin::named(name);
                let known = builtin.is_some() || self.scope.allows_unknown();
                if !known && self.scope.function(name).is_none() {
                    return Err(self.fault(Fault::UnrecognizedFunction, &token.span));
                }
                NodeKind::Call { name: name.into(), builtin }
            }
            _ => {
                if !self.scope.allows_named_value(name) {
                    return Err(self.fault(Fault::UnrecognizedNamedValue, &token.span));
                }
                NodeKind::Named(name.into())
            }
        };
        self.push_node(kind, Operands::new(), token.span.clone(), token.span.clone());
        Ok(())
    }

    fn push_node(&mut self, kind: NodeKind, operands: Operands, span: Range<usize>, outer: Range<usize>) {
        let height = 1 + operands.iter().map(|&id| self.height(id)).max().unwrap_or(0);
        let id = NodeId::new(self.nodes.len());
        self.nodes.push(Node { kind, operands, span, height });
        self.operands.push(Operand { id, outer });
    }

    fn push_operator(&mut self, token: &Token, last: Option<&Token>) -> Result<(), ParseError> {
        if !is_right_to_left(&token.kind) {
            let binding = precedence(&token.kind);
            while let Some(top) =
                pop_if(&mut self.operators, |top| !is_barrier(&top.kind) && binding <= precedence(&top.kind))
            {
                self.reduce(&top);
            }
        }
        match token.kind {
            TokenKind::EndGroup => self.close_group(token),
            TokenKind::EndIndex => self.close_index(token),
            TokenKind::EndParameters => self.close_call(token, last)?,
            _ => self.operators.push(token.clone()),
        }
        Ok(())
    }

    fn close_group(&mut self, end: &Token) {
        if let (Some(start), Some(operand)) = (self.operators.pop(), self.operands.last_mut()) {
            operand.outer = start.span.start..end.span.end;
        }
    }

    fn close_index(&mut self, end: &Token) {
        self.operators.pop();
        if let (Some(index), Some(object)) = (self.operands.pop(), self.operands.pop()) {
            let span = object.outer.start..end.span.end;
            self.push_node(NodeKind::Index, smallvec![object.id, index.id], span.clone(), span);
        }
    }

    fn close_call(&mut self, end: &Token, last: Option<&Token>) -> Result<(), ParseError> {
        let mut count = usize::from(last.is_none_or(|last| last.kind != TokenKind::StartParameters));
        while pop_if(&mut self.operators, |top| top.kind == TokenKind::Separator).is_some() {
            count += 1;
        }
        self.operators.pop();
        let first = self.operands.len().saturating_sub(count);
        let arguments: Operands = self.operands.drain(first..).map(|operand| operand.id).collect();
        let Some(callee) = self.operands.last_mut() else { return Ok(()) };
        let name = callee.outer.clone();
        callee.outer.end = end.span.end;
        let id = callee.id;
        self.check_count(&name, arguments.len())?;
        let height = 1 + arguments.iter().map(|&id| self.height(id)).max().unwrap_or(0);
        if let Some(node) = self.nodes.get_mut(id.index()) {
            node.operands = arguments;
            node.height = height;
            node.span.end = end.span.end;
        }
        Ok(())
    }

    fn check_count(&self, name: &Range<usize>, count: usize) -> Result<(), ParseError> {
        let text = self.slice(name);
        let builtin = Builtin::named(text);
        let signature = builtin.map(Builtin::signature).or_else(|| self.scope.function(text));
        let fault = match signature {
            Some(signature) if count < signature.min => Fault::TooFewParameters,
            Some(signature) if count > signature.max => Fault::TooManyParameters,
            Some(_) if builtin == Some(Builtin::Case) && count.is_multiple_of(2) => Fault::EvenParameters,
            _ => return Ok(()),
        };
        Err(self.fault(fault, name))
    }

    /// Applies an operator that stands between or before its operands.
    fn reduce(&mut self, token: &Token) {
        let Some(right) = self.operands.pop() else { return };
        let kind = match token.kind {
            TokenKind::Operator(Operator::Not) => {
                let span = token.span.start..right.outer.end;
                return self.push_node(NodeKind::Not, smallvec![right.id], span.clone(), span);
            }
            TokenKind::Dereference => NodeKind::Index,
            TokenKind::Operator(Operator::And) => NodeKind::And,
            TokenKind::Operator(Operator::Or) => NodeKind::Or,
            TokenKind::Operator(Operator::Compare(comparison)) => NodeKind::Compare(comparison),
            _ => return,
        };
        let Some(left) = self.operands.pop() else { return };
        let span = left.outer.start..right.outer.end;
        let mut operands = self.merged(&kind, left.id);
        operands.extend(self.merged(&kind, right.id));
        self.push_node(kind, operands, span.clone(), span);
    }

    /// The operands that `id` contributes: its own when it is an `&&` inside `&&` or an `||` inside `||`.
    fn merged(&mut self, kind: &NodeKind, id: NodeId) -> Operands {
        match self.nodes.get_mut(id.index()) {
            Some(node) if matches!(kind, NodeKind::And | NodeKind::Or) && node.kind == *kind => {
                std::mem::take(&mut node.operands)
            }
            _ => smallvec![id],
        }
    }
}

/// Whether operators below this one belong to an enclosing bracket.
fn is_barrier(kind: &TokenKind) -> bool {
    use TokenKind::{Separator, StartGroup, StartIndex, StartParameters};
    matches!(kind, StartGroup | StartIndex | StartParameters | Separator)
}

/// Whether an expression that ends with this token lacks something.
fn is_open_end(kind: &TokenKind) -> bool {
    use TokenKind::{EndGroup, EndIndex, EndParameters, Function};
    *kind == Function || (kind.is_operator() && !matches!(kind, EndGroup | EndIndex | EndParameters))
}

#[cfg(test)]
mod tests;
