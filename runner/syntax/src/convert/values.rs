//! Scalars as templates and texts.
//!
//! Knows no key.

use std::sync::Arc;

use expr::{Scope, Template};

use crate::source::Spanned;
use crate::token::Token;

/// A scalar as a template; `None` for a collection.
pub(crate) fn template(token: &Spanned<Token>) -> Option<Spanned<Template>> {
    let template = match &token.value {
        Token::Template(template) => template.clone(),
        other => literal_template(other.literal_text()?)?,
    };
    Some(token.with(template))
}

/// A template without expressions. Text that holds `${{` gives whatever that parses to.
pub(crate) fn literal_template(text: Arc<str>) -> Option<Template> {
    Template::parse(text, &Scope::any()).ok()
}

/// The text of a literal scalar.
pub(crate) fn text_of(token: &Spanned<Token>) -> Option<Spanned<Arc<str>>> {
    token.literal_text().map(|text| token.with(text))
}

/// One text, or the texts of a sequence.
pub(crate) fn texts(token: &Spanned<Token>) -> Vec<Spanned<Arc<str>>> {
    match &token.value {
        Token::Sequence(items) => items.iter().filter_map(text_of).collect(),
        _ => text_of(token).into_iter().collect(),
    }
}
