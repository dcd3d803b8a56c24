//! Mappings: known keys, any keys, keys that appear twice, keys that are missing.
//!
//! Follows GitHub's `TemplateReader`; where several mappings fit, the keys seen decide which is meant.

use std::rc::Rc;
use std::sync::Arc;

use foldhash::fast::RandomState;
use indexmap::IndexMap;
use indexmap::map::Entry;

use super::{Allowed, Reader, size, text_size};
use crate::any_case::AnyCase;
use crate::diagnostic::{Diagnostic, suggestion};
use crate::schema::definition::{ANY, Definition, Keys, Kind, Property};
use crate::schema::workflow::BACKGROUND_KEYS;
use crate::source::{Span, Spanned};
use crate::token::Token;
use crate::yaml::{Item, NodeKind, Pair};

/// One mapping being read.
struct Progress {
    /// Those that the keys so far allow.
    fitting: Vec<&'static Keys>,
    /// Keys so far and where they are.
    seen: IndexMap<AnyCase, Span, RandomState>,
    expression_key: bool,
}

impl Reader<'_> {
    pub(super) fn mapping(
        &mut self,
        pairs: &[Pair],
        span: Span,
        definition: &'static Definition,
        allowed: &Rc<Allowed>,
    ) -> Token {
        let fitting: Vec<_> = mappings(definition).collect();
        if fitting.is_empty() {
            self.report(Diagnostic::error("unexpected-mapping", span, "A mapping was not expected"));
            return Token::Null;
        }
        let seen = IndexMap::with_capacity_and_hasher(pairs.len(), RandomState::default());
        let mut progress = Progress { fitting, seen, expression_key: false };
        let mut token = Vec::with_capacity(pairs.len());
        for [key, value] in pairs {
            if let Some(pair) = self.pair(key, value, definition, &mut progress, allowed) {
                token.push(pair);
            }
        }
        self.finish_mapping(span, &progress);
        Token::Mapping(Arc::new(token))
    }

    fn pair(
        &mut self,
        key: &Item,
        value: &Item,
        definition: &'static Definition,
        progress: &mut Progress,
        allowed: &Rc<Allowed>,
    ) -> Option<(Spanned<Token>, Spanned<Token>)> {
        let span = key.node.span;
        let NodeKind::Scalar(scalar) = &key.node.kind else {
            self.complex_key(key);
            return None;
        };
        let token = self.parse_scalar(scalar, span, allowed);
        let Some(name) = token.literal_text() else {
            progress.expression_key = true;
            if allowed.nothing() {
                self.report(expression_not_allowed(span));
                return None;
            }
            self.spend(size(&token), span);
            let mut all = mappings(definition);
            let only = all.next().filter(|keys| all.next().is_none() && keys.properties.is_empty());
            let wanted = only.and_then(|keys| keys.loose).map_or(&ANY, |(_, value)| value);
            return Some((Spanned::new(token, span), self.value(value, wanted, allowed)));
        };
        match progress.seen.entry(AnyCase::new(&name)) {
            Entry::Occupied(first) => {
                let diagnostic =
                    Diagnostic::error("duplicate-key", span, format!("'{name}' is already defined"));
                self.report(diagnostic.with_label(*first.get(), "first defined here"));
                return None;
            }
            Entry::Vacant(place) => place.insert(span),
        };
        let errors = self.errors;
        let (wanted, isolated) = self.wanted(&name, span, definition, progress, allowed)?;
        self.spend(text_size(&name), span);
        let value = self.value(value, wanted, allowed);
        if isolated && self.errors > errors {
            self.faulty.push(Arc::clone(&name));
        }
        Some((Spanned::new(Token::String(name), span), value))
    }

    fn complex_key(&mut self, key: &Item) {
        let what = match key.node.kind {
            NodeKind::Sequence(_) => "A sequence was not expected",
            NodeKind::Mapping(_) => "A mapping was not expected",
            NodeKind::Scalar(_) | NodeKind::Invalid => {
                self.errors += 1;
                return;
            }
        };
        self.report(Diagnostic::error("complex-key", key.node.span, what).with_hint("a key is a plain name"));
    }

    /// What the value of a key must be, and whether it is judged by itself.
    fn wanted(
        &mut self,
        name: &Arc<str>,
        span: Span,
        definition: &'static Definition,
        progress: &mut Progress,
        allowed: &Rc<Allowed>,
    ) -> Option<(&'static Definition, bool)> {
        let first = progress.fitting.first().copied();
        let known = progress.fitting.iter().find_map(|keys| property(keys, name));
        if let Some(known) = known {
            progress.fitting.retain(|keys| property(keys, name).is_some());
            if !self.options.background_steps && BACKGROUND_KEYS.contains(&&**name) && is_step(definition) {
                self.report(Diagnostic::error("unexpected-key", span, format!("Unexpected value '{name}'")));
                return None;
            }
            return Some((known.definition, false));
        }
        if let Some((key, value)) = first.and_then(|keys| keys.loose) {
            self.validate(Token::String(Arc::clone(name)), span, key, allowed);
            return Some((value, first.is_some_and(|keys| keys.isolated)));
        }
        let message = format!("Unexpected value '{name}'");
        let diagnostic = if progress.fitting.iter().all(|keys| keys.lenient) {
            Diagnostic::warning("unexpected-key", span, message)
        } else {
            Diagnostic::error("unexpected-key", span, message)
        };
        let hint = key_hint(name, definition, &progress.fitting);
        self.report(diagnostic.with_optional_hint(hint));
        None
    }

    fn finish_mapping(&mut self, span: Span, progress: &Progress) {
        match progress.fitting.as_slice() {
            [keys] if !progress.expression_key => {
                let missing = |property: &&Property| {
                    property.required && !progress.seen.keys().any(|key| key.is(property.name))
                };
                for property in keys.properties.iter().filter(missing) {
                    let message = format!("Required property is missing: {}", property.name);
                    self.report(Diagnostic::error("missing-key", span, message));
                }
            }
            [_] => {}
            several => {
                let mut distinct = distinct_keys(several);
                if !self.options.background_steps {
                    distinct.retain(|name| !BACKGROUND_KEYS.contains(name));
                }
                let list = distinct.join(", ");
                let message = format!(
                    "There's not enough info to determine what you meant. Add one of these properties: {list}"
                );
                self.report(Diagnostic::error("ambiguous-mapping", span, message));
            }
        }
    }
}

pub(super) fn expression_not_allowed(span: Span) -> Diagnostic {
    Diagnostic::error("expression-not-allowed", span, "A template expression is not allowed in this context")
}

/// The mappings that may stand where this definition is.
fn mappings(definition: &'static Definition) -> impl Iterator<Item = &'static Keys> {
    definition.alternatives().filter_map(|alternative| match &alternative.kind {
        Kind::Mapping(keys) => Some(keys),
        _ => None,
    })
}

fn property(keys: &'static Keys, name: &str) -> Option<&'static Property> {
    keys.properties.iter().find(|property| property.name == name)
}

fn is_step(definition: &'static Definition) -> bool {
    mappings(definition).any(|keys| property(keys, "run").is_some())
}

/// Keys that only one of the mappings has, in the order of the alphabet.
fn distinct_keys(several: &[&'static Keys]) -> Vec<&'static str> {
    let mut counts: IndexMap<&'static str, usize> = IndexMap::new();
    for property in several.iter().flat_map(|keys| keys.properties) {
        *counts.entry(property.name).or_default() += 1;
    }
    let mut distinct: Vec<_> =
        counts.into_iter().filter(|&(_, count)| count == 1).map(|(name, _)| name).collect();
    distinct.sort_unstable();
    distinct
}

fn key_hint(name: &str, definition: &'static Definition, fitting: &[&'static Keys]) -> Option<String> {
    let all = || mappings(definition).flat_map(|keys| keys.properties).map(|property| property.name);
    if all().any(|known| known == name) {
        return Some(format!("`{name}` does not go together with the keys before it"));
    }
    let fitting = fitting.iter().flat_map(|keys| keys.properties).map(|property| property.name);
    suggestion(name, fitting).or_else(|| suggestion(name, all()))
}
