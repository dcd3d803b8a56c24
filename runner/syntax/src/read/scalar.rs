//! Scalars: expressions in text, and whether a value is of the kind its key wants.
//!
//! Follows GitHub's `TemplateReader` (steps.md 6.4); the language itself is in `expr`.

use std::rc::Rc;
use std::sync::Arc;

use expr::holds_expression;

use super::mapping::expression_not_allowed;
use super::{Allowed, Reader};
use crate::diagnostic::{Diagnostic, suggestion};
use crate::locate::locate_range;
use crate::schema::definition::{Definition, Kind, Text};
use crate::source::{Sources, Span};
use crate::token::Token;
use crate::yaml::Scalar;
use crate::yaml::scalar::Literal;

impl Reader<'_> {
    pub(super) fn scalar(
        &mut self,
        scalar: &Scalar,
        span: Span,
        definition: &'static Definition,
        allowed: &Rc<Allowed>,
    ) -> Token {
        let token = self.parse_scalar(scalar, span, allowed);
        self.validate(token, span, definition, allowed)
    }

    /// A literal, or the expressions in it. Faulty text is reported and stays text.
    pub(super) fn parse_scalar(&mut self, scalar: &Scalar, span: Span, allowed: &Rc<Allowed>) -> Token {
        match scalar.literal {
            Literal::Null => Token::Null,
            Literal::Bool(value) => Token::Bool(value),
            Literal::Number(value) => Token::Number(value),
            Literal::String if !holds_expression(&scalar.text) => Token::String(Arc::clone(&scalar.text)),
            Literal::String => self.parse_template(&scalar.text, span, allowed),
        }
    }

    fn parse_template(&mut self, text: &Arc<str>, span: Span, allowed: &Rc<Allowed>) -> Token {
        match self.known.template(text, allowed) {
            Ok(template) if template.is_insert() => Token::Insert,
            Ok(template) => match template.as_literal() {
                // A literal that looks like an expression must not be taken for one later.
                Some(literal) if !holds_expression(literal) => Token::String(Arc::from(literal)),
                _ => Token::Template(template),
            },
            Err(error) => {
                let fault = ExpressionFault { message: &error.text, span, text, offset: error.offset };
                self.report(fault.diagnostic(self.sources, allowed));
                Token::String(Arc::clone(text))
            }
        }
    }

    /// The token as its key wants it: a number where text is wanted becomes text.
    pub(super) fn validate(
        &mut self,
        token: Token,
        span: Span,
        definition: &'static Definition,
        allowed: &Rc<Allowed>,
    ) -> Token {
        if let Token::Template(template) = &token {
            if allowed.nothing() && template.as_literal().is_none() {
                self.report(expression_not_allowed(span));
            }
            return token;
        }
        if definition.alternatives().any(|alternative| fits(alternative, &token)) {
            return token;
        }
        let text = token.literal_text();
        if let Some(text) = &text {
            let text = Token::String(Arc::clone(text));
            if definition.alternatives().any(|alternative| fits(alternative, &text)) {
                return text;
            }
        }
        let shown = text.unwrap_or_else(|| Arc::from("${{ insert }}"));
        let diagnostic = Diagnostic::error("unexpected-value", span, format!("Unexpected value '{shown}'"));
        self.report(diagnostic.with_optional_hint(value_hint(&shown, definition)));
        token
    }
}

fn fits(definition: &Definition, token: &Token) -> bool {
    match (&definition.kind, token) {
        (Kind::Null, Token::Null) | (Kind::Boolean, Token::Bool(_)) | (Kind::Number, Token::Number(_)) => {
            true
        }
        (Kind::String(wanted), Token::String(text)) => match wanted {
            Text::Any => true,
            Text::NonEmpty => !text.is_empty(),
            Text::Values(values) => values.contains(&&**text),
        },
        _ => false,
    }
}

fn value_hint(text: &str, definition: &'static Definition) -> Option<String> {
    let values: Vec<&str> = definition
        .alternatives()
        .filter_map(|alternative| match &alternative.kind {
            Kind::String(Text::Values(values)) => Some(values.iter().copied()),
            _ => None,
        })
        .flatten()
        .collect();
    if let Some(hint) = suggestion(text, values.iter().copied()) {
        return Some(hint);
    }
    const MOST_TO_LIST: usize = 8;
    if !values.is_empty() && values.len() <= MOST_TO_LIST {
        return Some(format!("one of: {}", values.join(", ")));
    }
    let wants: Vec<&str> = definition
        .alternatives()
        .filter_map(|alternative| match alternative.kind {
            Kind::Boolean => Some("`true` or `false`"),
            Kind::Number => Some("a number"),
            Kind::Mapping(_) => Some("a mapping"),
            Kind::Sequence(_) => Some("a list"),
            Kind::String(Text::NonEmpty) => Some("text"),
            _ => None,
        })
        .fold(Vec::new(), |mut wants, want| {
            if !wants.contains(&want) {
                wants.push(want);
            }
            wants
        });
    (!wants.is_empty()).then(|| format!("expected {}", wants.join(", or ")))
}

/// What `expr` refuses, and where.
pub(crate) struct ExpressionFault<'a> {
    /// In GitHub's words.
    pub(crate) message: &'a str,
    /// The scalar.
    pub(crate) span: Span,
    /// Its text.
    pub(crate) text: &'a str,
    /// Where in the text, in bytes.
    pub(crate) offset: usize,
}

impl ExpressionFault<'_> {
    /// With a hint for names that are unknown here, and the name itself in focus.
    pub(crate) fn diagnostic(&self, sources: &Sources, allowed: &Allowed) -> Diagnostic {
        let name = self.message.split_once(": '").and_then(|(_, rest)| rest.split_once("'. Located"));
        let name = name.map_or("", |(name, _)| name);
        let named = self.text.get(self.offset..).is_some_and(|rest| rest.starts_with(name));
        let end = self.offset + if named { name.len() } else { 0 };
        Diagnostic::error("expression", self.span, self.message)
            .with_focus(locate_range(sources, self.span, self.text, self.offset, end))
            .with_optional_hint(self.hint(name, allowed))
    }

    fn hint(&self, name: &str, allowed: &Allowed) -> Option<String> {
        if self.message.starts_with("Unrecognized named-value") {
            let contexts = allowed.contexts();
            let list = || Some(format!("contexts that may be used here: {}", contexts.join(", ")));
            return match contexts {
                [] => Some("no expression may be used here".to_owned()),
                _ => suggestion(name, contexts.iter().copied()).or_else(list),
            };
        }
        if self.message.starts_with("Unrecognized function") {
            return suggestion(name, allowed.functions().chain(WELL_KNOWN.iter().copied()));
        }
        name.starts_with('"').then(|| "strings in expressions stand in single quotes".to_owned())
    }
}

const WELL_KNOWN: &[&str] =
    &["contains", "endsWith", "format", "join", "startsWith", "toJSON", "fromJSON", "case"];
