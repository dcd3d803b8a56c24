//! What a token gives for a set of contexts: GitHub's `TemplateEvaluator` (steps.md 6.4).
//!
//! Knows no key; the caller says which shape a key wants.

use std::sync::Arc;

use expr::{Evaluated, Functions, HashRequest, Object, Value};

use crate::source::{Span, Spanned};
use crate::token::Token;
use crate::yaml::MAX_DEPTH;

/// GitHub's limit of tokens and values in one evaluation.
const MAX_EVENTS: usize = 1_000_000;
/// GitHub's limit of what one evaluation gives, in its measure of bytes.
const MAX_BYTES: usize = 10 * 1024 * 1024;
const OBJECT_SIZE: usize = 24;
const STRING_SIZE: usize = 26;

/// What evaluating a token gave.
#[derive(Clone, Debug, PartialEq)]
pub enum TokenValue {
    /// The value.
    Value(Value),
    /// The answer to this `hashFiles()` call is needed; evaluate again with it.
    NeedsHash(HashRequest),
}

/// A token that could not be evaluated.
///
/// The text may quote values of the job, so whoever shows it masks it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct TokenError {
    /// The part of the token that is at fault.
    pub span: Span,
    /// GitHub's message, without file and place.
    pub text: String,
}

/// The kind of value that a key wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Anything.
    Any,
    /// Text; other scalars become text.
    Text,
    /// A mapping from names to texts, as `env` and `with`.
    Texts,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
}

impl Spanned<Token> {
    /// Evaluates every expression in it. `${{ insert }}` keys put the pairs of their values in their place.
    /// A list that an expression gives as an item of a sequence puts its items in its place; lists within it stay lists
    /// (actions/runner `TemplateUnraveler.SequenceItemBasicExpression`).
    ///
    /// # Errors
    /// GitHub's message and the part at fault: what `expr` refuses, a key that is there twice, and
    /// the limits of depth (50), events (1,000,000) and size (10 MiB).
    pub fn evaluate(&self, contexts: &Object, functions: &Functions) -> Result<TokenValue, TokenError> {
        self.evaluate_as(Shape::Any, contexts, functions)
    }

    /// As [`Self::evaluate`], and the value is of the shape its key wants.
    ///
    /// # Errors
    /// Further `Unexpected value '…'`, `A sequence was not expected`, `A mapping was not expected`.
    pub fn evaluate_as(
        &self,
        shape: Shape,
        contexts: &Object,
        functions: &Functions,
    ) -> Result<TokenValue, TokenError> {
        let mut evaluator = Evaluator { contexts, functions, events: 0, bytes: 0, depth: 0 };
        match evaluator.token(self, shape) {
            Ok(value) => Ok(TokenValue::Value(value)),
            Err(Stop::Hash(request)) => Ok(TokenValue::NeedsHash(request)),
            Err(Stop::Error(error)) => Err(error),
        }
    }
}

enum Stop {
    Hash(HashRequest),
    Error(TokenError),
}

fn fail<T>(span: Span, text: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Error(TokenError { span, text: text.into() }))
}

struct Evaluator<'a> {
    contexts: &'a Object,
    functions: &'a Functions,
    events: usize,
    bytes: usize,
    depth: usize,
}

impl Evaluator<'_> {
    fn spend(&mut self, span: Span, bytes: usize) -> Result<(), Stop> {
        self.events += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.events > MAX_EVENTS {
            return fail(
                span,
                "Maximum events exceeded while evaluating the template. This may indicate an infinite loop or too \
                 many nested loops.",
            );
        }
        if self.bytes > MAX_BYTES {
            return fail(span, "Maximum object size exceeded");
        }
        Ok(())
    }

    fn enter(&mut self, span: Span) -> Result<(), Stop> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { fail(span, "Maximum object depth exceeded") } else { Ok(()) }
    }

    fn token(&mut self, token: &Spanned<Token>, shape: Shape) -> Result<Value, Stop> {
        let span = token.span;
        match &token.value {
            Token::Template(template) => {
                let evaluated = template
                    .evaluate(self.contexts, self.functions)
                    .map_err(|error| Stop::Error(TokenError { span, text: error.text }))?;
                match evaluated {
                    Evaluated::Value(value) => {
                        self.account(&value, span)?;
                        shaped(value, shape, span)
                    }
                    Evaluated::NeedsHash(request) => Err(Stop::Hash(request)),
                }
            }
            Token::Insert => fail(span, "The expression directive 'insert' is not supported in this context"),
            Token::Sequence(items) => {
                if shape != Shape::Any {
                    return fail(span, "A sequence was not expected");
                }
                self.enter(span)?;
                self.spend(span, OBJECT_SIZE)?;
                let mut values = Vec::with_capacity(items.len());
                for item in items {
                    let value = self.token(item, Shape::Any)?;
                    match (&item.value, value.as_array()) {
                        (Token::Template(_), Some(inserted)) => values.extend(inserted.iter().cloned()),
                        _ => values.push(value),
                    }
                }
                self.depth -= 1;
                Ok(Value::array(values))
            }
            Token::Mapping(pairs) => {
                if !matches!(shape, Shape::Any | Shape::Texts) {
                    return fail(span, "A mapping was not expected");
                }
                self.enter(span)?;
                self.spend(span, OBJECT_SIZE)?;
                let object =
                    self.mapping(pairs, if shape == Shape::Texts { Shape::Text } else { Shape::Any })?;
                self.depth -= 1;
                Ok(Value::from(object))
            }
            literal => {
                let value = match literal {
                    Token::Bool(value) => Value::Bool(*value),
                    Token::Number(value) => Value::Number(*value),
                    Token::String(text) => Value::string(Arc::clone(text)),
                    _ => Value::Null,
                };
                self.account(&value, span)?;
                shaped(value, shape, span)
            }
        }
    }

    fn mapping(&mut self, pairs: &[(Spanned<Token>, Spanned<Token>)], values: Shape) -> Result<Object, Stop> {
        let mut object = Object::new();
        for (key, value) in pairs {
            if key.value == Token::Insert {
                let inserted =
                    self.token(value, if values == Shape::Text { Shape::Texts } else { Shape::Any })?;
                let Some(inserted) = inserted.as_object() else {
                    return fail(value.span, "Expected a mapping");
                };
                for (name, inserted) in inserted.iter() {
                    add(&mut object, Arc::clone(name), inserted.clone(), key.span)?;
                }
                continue;
            }
            let name = self.token(key, Shape::Text)?.to_shared_text();
            let value = self.token(value, values)?;
            add(&mut object, name, value, key.span)?;
        }
        Ok(object)
    }

    /// Counts what an expression gave. The walk needs no stack of its own: values cannot be deeper
    /// than the limit without being refused on the way down.
    fn account(&mut self, value: &Value, span: Span) -> Result<(), Stop> {
        let bytes = match value.as_str() {
            Some(text) => OBJECT_SIZE + STRING_SIZE + 2 * text.len(),
            None => OBJECT_SIZE,
        };
        self.spend(span, bytes)?;
        if let Some(items) = value.as_array() {
            self.enter(span)?;
            items.iter().try_for_each(|item| self.account(item, span))?;
            self.depth -= 1;
        } else if let Some(object) = value.as_object() {
            self.enter(span)?;
            object.values().try_for_each(|item| self.account(item, span))?;
            self.depth -= 1;
        }
        Ok(())
    }
}

fn add(object: &mut Object, name: Arc<str>, value: Value, span: Span) -> Result<(), Stop> {
    if object.contains_key(&name) {
        return fail(span, format!("'{name}' is already defined"));
    }
    object.insert(name, value);
    Ok(())
}

fn shaped(value: Value, shape: Shape, span: Span) -> Result<Value, Stop> {
    let list = value.as_array().is_some();
    let object = value.as_object().is_some();
    match shape {
        Shape::Any => Ok(value),
        Shape::Texts => match value.as_object() {
            Some(found) => {
                let mut texts = Object::new();
                for (name, item) in found.iter() {
                    add(&mut texts, Arc::clone(name), shaped(item.clone(), Shape::Text, span)?, span)?;
                }
                Ok(Value::from(texts))
            }
            None if list => fail(span, "A sequence was not expected"),
            None => fail(span, format!("Unexpected value '{}'", value.to_text())),
        },
        _ if list => fail(span, "A sequence was not expected"),
        _ if object => fail(span, "A mapping was not expected"),
        Shape::Text => Ok(Value::string(value.to_shared_text())),
        Shape::Boolean if value.as_bool().is_some() => Ok(value),
        Shape::Number if value.as_number().is_some() => Ok(value),
        Shape::Boolean | Shape::Number => fail(span, format!("Unexpected value '{}'", value.to_text())),
    }
}

#[cfg(test)]
mod tests;
