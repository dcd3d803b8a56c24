//! YAML events as this crate sees them, whichever library scans the text.
//!
//! Knows nothing of GitHub's scalar rules: a scalar is text, a style and perhaps a tag.

use std::borrow::Cow;
use std::sync::Arc;

use crate::source::Position;

/// A name given to a node; two anchors of one name have different numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Anchor {
    pub(crate) number: usize,
    pub(crate) name: Arc<str>,
}

/// What the scanner found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum YamlEvent<'a> {
    DocumentStart,
    DocumentEnd,
    StreamEnd,
    /// `*name`; the number is that of the anchor it refers to.
    Alias(Anchor),
    /// `*name` without an anchor of that name before it.
    UnknownAlias(Arc<str>),
    Scalar {
        text: Cow<'a, str>,
        /// Written without quotes and not as a block: the only style that can be a number, `true`, …
        plain: bool,
        anchor: Option<Anchor>,
        /// In full, for instance `tag:yaml.org,2002:str`.
        tag: Option<String>,
    },
    SequenceStart(Option<Anchor>),
    SequenceEnd,
    MappingStart(Option<Anchor>),
    MappingEnd,
}

/// An event and its place; positions are those that YamlDotNet calls `Start` and `End`.
pub(crate) type Located<'a> = (YamlEvent<'a>, Position, Position);

/// Text that cannot be read on from here.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(crate) enum YamlFault {
    /// It is no YAML.
    #[error("{message}")]
    Syntax { message: String, at: Position },
    /// More collections inside one another than the scanner follows.
    #[error("too deep")]
    Depth { at: Position },
    /// A `#` right behind a token, which YAML forbids and GitHub's parser takes for a comment.
    #[error("a comment without a blank before it")]
    TightComment { at: Position },
}

/// A scanner of text that lives as long as `'a`. After an error or `StreamEnd` there is nothing more.
pub(crate) trait EventSource<'a> {
    fn next_event(&mut self) -> Option<Result<Located<'a>, YamlFault>>;
}
