//! Nodes to tokens by the tables of [`crate::schema`]: GitHub's `TemplateReader`.
//!
//! Knows how tables are walked and GitHub's words for what does not fit; knows no key.

mod allowed;
mod known;
mod mapping;
mod scalar;

use std::rc::Rc;
use std::sync::Arc;

pub(crate) use allowed::Allowed;
use known::Known;
pub(crate) use scalar::ExpressionFault;

use crate::diagnostic::{Diagnostic, MAX_DIAGNOSTICS};
use crate::options::ReadOptions;
use crate::schema::definition::{Definition, Kind};
use crate::source::{Sources, Span, Spanned};
use crate::token::{Token, expression_text};
use crate::yaml::{Item, NodeKind};

/// GitHub's measure of memory (`TemplateMemory`): an object, and a string without its characters.
const OBJECT_SIZE: usize = 24;
const STRING_SIZE: usize = 26;

/// One walk over the nodes of a file.
pub(crate) struct Reader<'a> {
    sources: &'a Sources,
    options: &'a ReadOptions,
    diagnostics: Vec<Diagnostic>,
    /// Faults that make GitHub refuse the file, those found in the YAML layer included.
    errors: usize,
    /// Keys of isolated mappings whose values have faults.
    faulty: Vec<Arc<str>>,
    known: Known,
    size: usize,
    exhausted: bool,
}

/// What a walk gives.
pub(crate) struct Read {
    pub(crate) token: Spanned<Token>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) faulty: Vec<Arc<str>>,
    pub(crate) size: usize,
}

/// Reads `root` by `definition`; `size` is what earlier files of this reading took.
pub(crate) fn read(
    sources: &Sources,
    options: &ReadOptions,
    root: &Item,
    definition: &'static Definition,
    size: usize,
) -> Read {
    let mut reader = Reader {
        sources,
        options,
        diagnostics: Vec::new(),
        errors: 0,
        faulty: Vec::new(),
        known: Known::default(),
        size,
        exhausted: false,
    };
    let token = reader.value(root, definition, &Rc::new(Allowed::default()));
    Read { token, diagnostics: reader.diagnostics, faulty: reader.faulty, size: reader.size }
}

impl Reader<'_> {
    fn report(&mut self, diagnostic: Diagnostic) {
        if diagnostic.is_error() {
            self.errors += 1;
        }
        // An alias brings the same fault again.
        if self.diagnostics.len() >= MAX_DIAGNOSTICS {
            return;
        }
        let known = |old: &Diagnostic| old.span == diagnostic.span && old.message == diagnostic.message;
        if !self.diagnostics.iter().any(known) {
            self.diagnostics.push(diagnostic);
        }
    }

    fn spend(&mut self, bytes: usize, span: Span) {
        self.size = self.size.saturating_add(bytes);
        if self.size > self.options.max_result_size && !self.exhausted {
            self.exhausted = true;
            self.report(
                Diagnostic::error("result-size", span, "Maximum object size exceeded")
                    .with_hint(format!("all values together may take {} bytes", self.options.max_result_size))
                    .whole_file(),
            );
        }
    }

    fn value(&mut self, item: &Item, definition: &'static Definition, outer: &Rc<Allowed>) -> Spanned<Token> {
        let node = &item.node;
        if self.exhausted {
            return Spanned::new(Token::Null, node.span);
        }
        let allowed = self.known.within(outer, definition);
        let token = match &node.kind {
            NodeKind::Invalid => {
                self.errors += 1;
                Token::Null
            }
            NodeKind::Scalar(scalar) => {
                let token = self.scalar(scalar, node.span, definition, &allowed);
                self.spend(size(&token), node.span);
                token
            }
            NodeKind::Sequence(items) => {
                self.spend(OBJECT_SIZE, node.span);
                let item_definition =
                    definition.alternatives().find_map(|alternative| match alternative.kind {
                        Kind::Sequence(item) => Some(item),
                        _ => None,
                    });
                match item_definition {
                    Some(wanted) => {
                        Token::Sequence(items.iter().map(|item| self.value(item, wanted, &allowed)).collect())
                    }
                    None => {
                        let hint = (items.len() == 1).then(|| "remove the `- ` or the brackets".to_owned());
                        let diagnostic = Diagnostic::error(
                            "unexpected-sequence",
                            node.span,
                            "A sequence was not expected",
                        );
                        self.report(diagnostic.with_optional_hint(hint));
                        Token::Null
                    }
                }
            }
            NodeKind::Mapping(pairs) => {
                self.spend(OBJECT_SIZE, node.span);
                self.mapping(pairs, node.span, definition, &allowed)
            }
        };
        Spanned::new(token, node.span)
    }
}

fn size(token: &Token) -> usize {
    match token {
        Token::String(text) => text_size(text),
        Token::Template(template) => text_size(expression_text(template)),
        Token::Null
        | Token::Bool(_)
        | Token::Number(_)
        | Token::Insert
        | Token::Sequence(_)
        | Token::Mapping(_) => OBJECT_SIZE,
    }
}

fn text_size(text: &str) -> usize {
    let units = if text.is_ascii() { text.len() } else { text.encode_utf16().count() };
    OBJECT_SIZE + STRING_SIZE + 2 * units
}
