//! Scalars: expressions in text, and whether a value is of the kind its key wants.
//!
//! Follows GitHub's `TemplateReader` (steps.md 6.4); the language itself is in `expr`.

use std::rc::Rc;
use std::sync::Arc;

use expr::Template;

use super::mapping::expression_not_allowed;
use super::{Allowed, Reader};
use crate::diagnostic::{Diagnostic, suggestion};
use crate::locate::locate_range;
use crate::schema::definition::{Definition, Kind, Text};
use crate::source::Span;
use crate::token::Token;
use crate::yaml::Scalar;
use crate::yaml::scalar::Literal;

const OPEN: &str = "${{";

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
            Literal::String if !scalar.text.contains(OPEN) => Token::String(Arc::clone(&scalar.text)),
            Literal::String => self.parse_template(&scalar.text, span, allowed),
        }
    }

    fn parse_template(&mut self, text: &Arc<str>, span: Span, allowed: &Rc<Allowed>) -> Token {
        match Template::parse(text, &allowed.scope()) {
            Ok(template) if template.is_insert() => Token::Insert,
            Ok(template) => match template.as_literal() {
                // A literal that looks like an expression must not be taken for one later.
                Some(literal) if !literal.contains(OPEN) => Token::String(Arc::from(literal)),
                _ => Token::Template(template),
            },
            Err(error) => {
                let place = locate_range(self.sources, span, text, error.offset, error.offset);
                let diagnostic = expression_fault(&error.text, span, allowed);
                let same = place.start == span.start;
                self.report(if same { diagnostic } else { diagnostic.with_label(place, "here") });
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
    let wants = definition.alternatives().find_map(|alternative| match alternative.kind {
        Kind::Boolean => Some("`true` or `false`"),
        Kind::Number => Some("a number"),
        Kind::Mapping(_) => Some("a mapping"),
        Kind::Sequence(_) => Some("a list"),
        _ => None,
    });
    wants.map(|wants| format!("expected {wants}"))
}

/// A fault in an expression in GitHub's words, with a hint for names that are unknown here.
pub(crate) fn expression_fault(message: &str, span: Span, allowed: &Allowed) -> Diagnostic {
    let quoted = |prefix: &str| message.strip_prefix(prefix).and_then(|rest| rest.split('\'').next());
    let hint = if let Some(name) = quoted("Unrecognized named-value: '") {
        let contexts = allowed.contexts();
        suggestion(name, contexts.iter().copied())
            .or_else(|| Some(format!("contexts that may be used here: {}", contexts.join(", "))))
    } else if let Some(name) = quoted("Unrecognized function: '") {
        suggestion(name, allowed.functions().chain(WELL_KNOWN.iter().copied()))
    } else if message.contains("'\"") {
        Some("strings in expressions stand in single quotes".to_owned())
    } else {
        None
    };
    Diagnostic::error("expression", span, message).with_optional_hint(hint)
}

const WELL_KNOWN: &[&str] =
    &["contains", "endsWith", "format", "join", "startsWith", "toJSON", "fromJSON", "case"];
