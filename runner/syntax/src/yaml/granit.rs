//! Events from the `granit-parser` crate, with positions moved to where YamlDotNet has them.
//!
//! The only module that knows that crate. Its positions differ from GitHub's for block scalars
//! (the first content line instead of the `|`), sequences that are not indented (behind the `-`),
//! empty nodes, and nodes with a tag or an anchor (crates.md B.1).

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use granit_parser::{
    ErrorKind, Event, Marker, Options, Parser, ScalarStyle, ScanError, Span as Range, StrInput,
    StructureStyle, Tag,
};

use indexmap::IndexMap;

use super::MAX_DEPTH;
use super::event::{Anchor, EventSource, Located, YamlEvent, YamlFault};
use crate::source::{Position, SourceId, Sources};

/// Keys longer than this are refused, as YAML says.
const SIMPLE_KEY_LIMIT: usize = 1024;

/// The scanner of one source.
pub(crate) struct Granit<'a> {
    parser: Parser<'a, StrInput<'a>>,
    /// The text of the source, in which comments may be blanked out.
    text: &'a str,
    sources: &'a Sources,
    source: SourceId,
    names: IndexMap<usize, Arc<str>>,
    /// Open collections: whether each is a mapping.
    open: Vec<bool>,
    /// Byte offset behind everything seen so far.
    seen: usize,
    ahead: VecDeque<(Event<'a>, Range)>,
    failed: bool,
}

impl<'a> Granit<'a> {
    pub(crate) fn new(text: &'a str, sources: &'a Sources, source: SourceId) -> Self {
        let options: Options = granit_parser::options! {
            emit_anchor_events: true,
            emit_unresolved_aliases: true,
            emit_comments: false,
            // As libyaml: GitHub's parser adds no line feed that the file does not have.
            block_scalar_eof_without_line_feed: true,
            simple_key_max_lookahead: SIMPLE_KEY_LIMIT,
            flow_nesting_limit: MAX_DEPTH,
            block_nesting_limit: MAX_DEPTH,
        };
        Self {
            parser: Parser::new_from_str_with_options(text, options),
            text,
            sources,
            source,
            names: IndexMap::new(),
            open: Vec::new(),
            seen: 0,
            ahead: VecDeque::new(),
            failed: false,
        }
    }

    fn pull(&mut self) -> Option<Result<(Event<'a>, Range), ScanError>> {
        if self.ahead.is_empty() {
            return self.parser.next_event();
        }
        self.ahead.pop_front().map(Ok)
    }

    /// The anchor of the node just read: the event that follows it, if it has one.
    fn anchor(&mut self, number: usize) -> Result<Option<(Anchor, usize)>, ScanError> {
        if number == 0 {
            return Ok(None);
        }
        let Some(next) = self.pull() else { return Ok(None) };
        match next? {
            (Event::Anchor(number, name), range) => {
                let name: Arc<str> = Arc::from(&*name);
                self.names.insert(number, Arc::clone(&name));
                Ok(Some((Anchor { number, name }, offset(&range.start))))
            }
            other => {
                self.ahead.push_front(other);
                Ok(None)
            }
        }
    }

    fn name(&self, number: usize) -> Arc<str> {
        self.names.get(&number).map_or_else(|| Arc::from(""), Arc::clone)
    }

    fn located(&mut self, event: Event<'a>, range: &Range) -> Result<Option<Located<'a>>, ScanError> {
        let (event, start, end) = match event {
            Event::DocumentStart(..) => (YamlEvent::DocumentStart, offset(&range.start), offset(&range.end)),
            Event::DocumentEnd => (YamlEvent::DocumentEnd, offset(&range.start), offset(&range.end)),
            Event::StreamEnd => (YamlEvent::StreamEnd, offset(&range.start), offset(&range.end)),
            Event::Alias(number) => {
                let anchor = Anchor { number, name: self.name(number) };
                (YamlEvent::Alias(anchor), offset(&range.start), offset(&range.end))
            }
            Event::UnresolvedAlias(name) => {
                (YamlEvent::UnknownAlias(Arc::from(&*name)), offset(&range.start), offset(&range.end))
            }
            Event::Scalar(text, style, number, tag) => {
                return self.scalar(text, style, number, tag, range).map(Some);
            }
            Event::SequenceStart(style, number, _) => {
                let (anchor, first) = self.properties(number, range)?;
                let unindented = style == StructureStyle::Block && self.open.last() == Some(&true);
                let content = if unindented { self.find(self.seen, b"-") } else { None };
                let start = content.unwrap_or_else(|| offset(&range.start)).min(first);
                self.open.push(false);
                (YamlEvent::SequenceStart(anchor), start, start)
            }
            Event::MappingStart(_, number, _) => {
                let (anchor, first) = self.properties(number, range)?;
                let start = offset(&range.start).min(first);
                self.open.push(true);
                (YamlEvent::MappingStart(anchor), start, start)
            }
            Event::SequenceEnd => {
                self.open.pop();
                (YamlEvent::SequenceEnd, offset(&range.start), offset(&range.end))
            }
            Event::MappingEnd => {
                self.open.pop();
                (YamlEvent::MappingEnd, offset(&range.start), offset(&range.end))
            }
            _ => return Ok(None),
        };
        self.seen = self.seen.max(end);
        Ok(Some((event, self.position(start, range), self.position(end, range))))
    }

    fn scalar(
        &mut self,
        text: Cow<'a, str>,
        style: ScalarStyle,
        number: usize,
        tag: Option<Cow<'a, Tag>>,
        range: &Range,
    ) -> Result<Located<'a>, ScanError> {
        let (anchor, first) = self.properties(number, range)?;
        let empty = style == ScalarStyle::Plain && range.is_empty();
        let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        let content = if block {
            self.find(self.seen, b"|>")
        } else if empty {
            Some(self.empty_place())
        } else {
            None
        };
        let start = content.unwrap_or_else(|| offset(&range.start)).min(first);
        let end = if empty { start } else { offset(&range.end) };
        self.seen = self.seen.max(end);
        let event = YamlEvent::Scalar {
            // The scanner writes `~` for a node that is not there.
            text: if empty { Cow::Borrowed("") } else { text },
            plain: style == ScalarStyle::Plain,
            anchor,
            tag: tag.map(|tag| format!("{}{}", tag.handle(), tag.suffix())),
        };
        Ok((event, self.position(start, range), self.position(end, range)))
    }

    /// The anchor of a node, and the first byte of its properties (`usize::MAX` without any).
    fn properties(&mut self, number: usize, range: &Range) -> Result<(Option<Anchor>, usize), ScanError> {
        let tag = range.tag_start().map_or(usize::MAX, |mark| offset(&mark));
        Ok(match self.anchor(number)? {
            Some((anchor, start)) => (Some(anchor), tag.min(start)),
            None => (None, tag),
        })
    }

    /// The first of `wanted` behind `from`, past blanks, comments, indicators and properties.
    fn find(&self, from: usize, wanted: &[u8]) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let mut at = from;
        while let Some(&byte) = bytes.get(at) {
            if wanted.contains(&byte) {
                return Some(at);
            }
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b':' | b'-' | b'?' => at += 1,
                b'#' => at = skip_while(bytes, at, |byte| byte != b'\n'),
                b'!' | b'&' => at = skip_while(bytes, at, |byte| !byte.is_ascii_whitespace()),
                _ => return None,
            }
        }
        None
    }

    /// An empty node sits right behind the `:`, `-` or `?` that announces it.
    fn empty_place(&self) -> usize {
        let bytes = self.text.as_bytes();
        let at = skip_while(bytes, self.seen, |byte| matches!(byte, b' ' | b'\t'));
        match bytes.get(at) {
            Some(b':' | b'-' | b'?') => at + 1,
            _ => self.seen,
        }
    }

    /// A position for a byte offset; the scanner's own marks save counting characters on long lines.
    fn position(&self, at: usize, range: &Range) -> Position {
        for mark in [&range.start, &range.end] {
            if mark.byte_offset() == Some(at) {
                return position(mark);
            }
        }
        self.sources.position(self.source, at as u32)
    }
}

fn skip_while(bytes: &[u8], mut at: usize, wanted: impl Fn(u8) -> bool) -> usize {
    while bytes.get(at).is_some_and(|&byte| wanted(byte)) {
        at += 1;
    }
    at
}

fn offset(mark: &Marker) -> usize {
    mark.byte_offset().unwrap_or_default()
}

fn position(mark: &Marker) -> Position {
    Position { line: mark.line() as u32, column: mark.col() as u32 + 1, offset: offset(mark) as u32 }
}

fn fault(error: &ScanError) -> YamlFault {
    let at = position(error.marker());
    if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
        return YamlFault::Depth { at };
    }
    if matches!(error.kind(), ErrorKind::CommentNotSeparated) {
        return YamlFault::TightComment { at };
    }
    let info = error.info();
    let message = if info.is_empty() { "The text is not valid YAML".to_owned() } else { info };
    YamlFault::Syntax { message, at }
}

impl<'a> EventSource<'a> for Granit<'a> {
    fn next_event(&mut self) -> Option<Result<Located<'a>, YamlFault>> {
        while !self.failed {
            let located = match self.pull()? {
                Ok((event, range)) => self.located(event, &range),
                Err(error) => Err(error),
            };
            match located {
                Ok(Some(located)) => return Some(Ok(located)),
                Ok(None) => {}
                Err(error) => {
                    self.failed = true;
                    return Some(Err(fault(&error)));
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One line for each node: `line:column text`.
    fn check(text: &str, expected: &[&str]) {
        let mut sources = Sources::new();
        let source = sources.add("a.yml", text);
        let mut granit = Granit::new(text, &sources, source);
        let mut found = Vec::new();
        while let Some(event) = granit.next_event() {
            let (event, start, _) = event.expect("YAML");
            let text = match event {
                YamlEvent::Scalar { text, tag, .. } => format!("{text:?}{}", tag.unwrap_or_default()),
                YamlEvent::SequenceStart(_) => "[".to_owned(),
                YamlEvent::MappingStart(_) => "{".to_owned(),
                YamlEvent::Alias(anchor) => format!("*{}", anchor.name),
                YamlEvent::UnknownAlias(name) => format!("*{name}?"),
                _ => continue,
            };
            found.push(format!("{}:{} {text}", start.line, start.column));
        }
        assert_eq!(found, expected);
    }

    #[test]
    fn positions_are_those_of_github() {
        check(
            "a:\n- b\n- c: d\n",
            &["1:1 {", "1:1 \"a\"", "2:1 [", "2:3 \"b\"", "3:3 {", "3:3 \"c\"", "3:6 \"d\""],
        );
        check("a:\n  - - b\n", &["1:1 {", "1:1 \"a\"", "2:3 [", "2:5 [", "2:7 \"b\""]);
        check("a:\n- - b\n", &["1:1 {", "1:1 \"a\"", "2:1 [", "2:3 [", "2:5 \"b\""]);
        check("run: | # x\n\n  one\n  two\n", &["1:1 {", "1:1 \"run\"", "1:6 \"\\none\\ntwo\\n\""]);
        check("- >-\n  a\n- |\n  b", &["1:1 [", "1:3 \"a\"", "3:3 \"b\""]);
        check(
            "x: !!bool test\ny: &n 1\nz: *n\n",
            &[
                "1:1 {",
                "1:1 \"x\"",
                "1:4 \"test\"tag:yaml.org,2002:bool",
                "2:1 \"y\"",
                "2:4 \"1\"",
                "3:1 \"z\"",
                "3:4 *n",
            ],
        );
        check(
            "a:\nb: ~\nc:   # x\n",
            &["1:1 {", "1:1 \"a\"", "1:3 \"\"", "2:1 \"b\"", "2:4 \"~\"", "3:1 \"c\"", "3:3 \"\""],
        );
        check(
            "\u{FEFF}on: push\r\njobs: {é: *q}\r\n",
            &["1:1 {", "1:1 \"on\"", "1:5 \"push\"", "2:1 \"jobs\"", "2:7 {", "2:8 \"é\"", "2:11 *q?"],
        );
    }
}
