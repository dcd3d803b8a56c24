//! GitHub's template tokens: what a file holds once its keys are checked and its expressions parsed.
//!
//! Knows no key; what a token gives for a set of contexts is in [`crate::evaluate`].

use std::sync::Arc;

use expr::Template;

use crate::source::Spanned;

/// A value of a workflow or action file (steps.md 6.4).
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// `null`, or nothing at all.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Any number.
    Number(f64),
    /// Text without expressions.
    String(Arc<str>),
    /// Text with at least one `${{ }}`.
    Template(Template),
    /// The key `${{ insert }}`: its value is a mapping that takes its place.
    Insert,
    /// A list.
    Sequence(Vec<Spanned<Token>>),
    /// Keys and values in the order of the file. Cloning shares them: a step's `env` goes on into plans and jobs.
    Mapping(Arc<Vec<(Spanned<Token>, Spanned<Token>)>>),
}

impl Token {
    /// The text of a literal as GitHub prints it; `None` for what has to be evaluated and for collections.
    pub fn literal_text(&self) -> Option<Arc<str>> {
        match self {
            Token::Null => Some(Arc::from("")),
            Token::Bool(value) => Some(Arc::from(if *value { "true" } else { "false" })),
            Token::Number(value) => Some(expr::Value::Number(*value).to_shared_text()),
            Token::String(text) => Some(Arc::clone(text)),
            Token::Template(template) => template.as_literal().map(Arc::from),
            Token::Insert | Token::Sequence(_) | Token::Mapping(_) => None,
        }
    }

    /// The text of a string without expressions.
    pub fn as_str(&self) -> Option<&Arc<str>> {
        match self {
            Token::String(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a sequence.
    pub fn as_sequence(&self) -> Option<&[Spanned<Token>]> {
        match self {
            Token::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The pairs of a mapping.
    pub fn as_mapping(&self) -> Option<&[(Spanned<Token>, Spanned<Token>)]> {
        match self {
            Token::Mapping(pairs) => Some(pairs),
            _ => None,
        }
    }

    /// The value under a key that is spelled exactly so.
    pub fn get(&self, key: &str) -> Option<&Spanned<Token>> {
        let pairs = self.as_mapping()?;
        pairs
            .iter()
            .find(|(name, _)| name.as_str().is_some_and(|name| &**name == key))
            .map(|(_, value)| value)
    }

    /// Whether there is an expression in it, at any depth.
    pub fn has_expressions(&self) -> bool {
        match self {
            Token::Template(template) => template.as_literal().is_none(),
            Token::Insert => true,
            Token::Sequence(items) => items.iter().any(|item| item.has_expressions()),
            Token::Mapping(pairs) => {
                pairs.iter().any(|(key, value)| key.has_expressions() || value.has_expressions())
            }
            Token::Null | Token::Bool(_) | Token::Number(_) | Token::String(_) => false,
        }
    }

    /// A hash of the content, whatever its place, style and comments; equal on every machine.
    pub fn fingerprint(&self) -> u64 {
        let mut hash = Fnv::new();
        self.write(&mut hash);
        hash.0
    }

    fn write(&self, hash: &mut Fnv) {
        match self {
            Token::Null => hash.tag(0),
            Token::Bool(value) => hash.tag(if *value { 2 } else { 1 }),
            Token::Number(value) => {
                hash.tag(3);
                hash.bytes(&value.to_bits().to_le_bytes());
            }
            Token::String(text) => hash.text(4, text),
            Token::Template(template) => hash.text(5, expression_text(template)),
            Token::Insert => hash.tag(6),
            Token::Sequence(items) => {
                hash.tag(7);
                items.iter().for_each(|item| item.write(hash));
                hash.tag(8);
            }
            Token::Mapping(pairs) => {
                hash.tag(9);
                for (key, value) in pairs.iter() {
                    key.write(hash);
                    value.write(hash);
                }
                hash.tag(10);
            }
        }
    }
}

/// The expression that a template stands for (a `format(...)` call for mixed text), or its literal text.
pub(crate) fn expression_text(template: &Template) -> &str {
    match template.expression() {
        Some(expression) => expression.source(),
        None => template.as_literal().unwrap_or_default(),
    }
}

/// FNV-1a, 64 bits.
struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Self(0xCBF2_9CE4_8422_2325)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        }
    }

    fn tag(&mut self, tag: u8) {
        self.bytes(&[tag]);
    }

    fn text(&mut self, tag: u8, text: &str) {
        self.tag(tag);
        self.bytes(&(text.len() as u64).to_le_bytes());
        self.bytes(text.as_bytes());
    }
}
