//! Events to a tree of nodes: anchors replayed, limits kept, scalars read.
//!
//! Knows GitHub's limits and words for them (actions/runner `YamlObjectReader`); knows no key.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use indexmap::IndexMap;

use super::event::{Anchor, EventSource, YamlEvent, YamlFault};
use super::granit::Granit;
use super::node::{Alias, Item, Node, NodeKind, Pairs, Scalar};
use super::scalar::{self, Literal, ScalarFault};
use super::texts::Texts;
use crate::diagnostic::{Diagnostic, suggestion};
use crate::source::{Position, SourceId, Sources, Span};

/// GitHub follows at most this many YAML events in a file, replayed ones included.
const MAX_YAML_NODES: usize = 50_000;
/// GitHub's limit of collections inside collections, in YAML and in templates.
pub(crate) const MAX_DEPTH: usize = 50;
/// GitHub reads no file with more characters (UTF-16 units) than this.
const MAX_FILE_SIZE: usize = 1024 * 1024;

/// Comments without a blank before them are rare; each costs another reading of the file.
const MAX_TIGHT_COMMENTS: usize = 16;

/// What a file holds.
pub(crate) struct Tree {
    pub(crate) root: Option<Item>,
    pub(crate) aliases: Vec<Alias>,
}

/// Reads one YAML document. Without a root there is at least one error.
pub(crate) fn read(sources: &Sources, source: SourceId, anchors: bool) -> (Tree, Vec<Diagnostic>) {
    let mut text = Cow::Borrowed(sources.text(source));
    let mut builder = Builder::new(source, anchors);
    let mut outcome = check_text(sources, source);
    if outcome.is_ok() {
        outcome = builder.run(&mut Granit::new(&text, sources, source));
        for _ in 0..MAX_TIGHT_COMMENTS {
            let Some(at) = builder.tight_comment.take() else { break };
            blank_comment(text.to_mut(), at.offset as usize);
            builder = Builder::new(source, anchors);
            outcome = builder.run(&mut Granit::new(&text, sources, source));
        }
    }
    if let Err(fatal) = outcome {
        builder.diagnostics.push(*fatal);
        builder.root = None;
    }
    (Tree { root: builder.root, aliases: builder.aliases }, builder.diagnostics)
}

/// Blanks from `at` to the end of the line, so that every place stays where it is.
fn blank_comment(text: &mut String, at: usize) {
    let Some(rest) = text.get(at..) else { return };
    let length = rest.find(['\r', '\n']).unwrap_or(rest.len());
    text.replace_range(at..at + length, &" ".repeat(length));
}

type Outcome<T = ()> = Result<T, Box<Diagnostic>>;

fn check_text(sources: &Sources, source: SourceId) -> Outcome {
    let text = sources.text(source);
    if text.len() > MAX_FILE_SIZE && text.encode_utf16().count() > MAX_FILE_SIZE {
        let span = Span::at(source, Position::START);
        let message = format!("The maximum file size of {MAX_FILE_SIZE} characters has been exceeded");
        return Err(Box::new(Diagnostic::error("file-size", span, message).whole_file()));
    }
    if let Some(at) = text.find('\0') {
        let span = Span::at(source, sources.position(source, at as u32));
        let diagnostic = Diagnostic::error("yaml-syntax", span, "A NUL character is not allowed")
            .with_hint("the file is perhaps saved as UTF-16: save it as UTF-8");
        return Err(Box::new(diagnostic));
    }
    Ok(())
}

/// A collection whose end has not come yet.
struct Open {
    start: Position,
    anchor: Option<Anchor>,
    mapping: bool,
    /// Where its items begin among all that wait.
    first: usize,
    size: Size,
}

/// What a node counts for GitHub's limits wherever it is used.
#[derive(Clone, Copy)]
struct Size {
    /// How many events a replay of it counts.
    events: usize,
    /// Collections inside it, itself included.
    height: usize,
}

impl Size {
    const SCALAR: Self = Self { events: 1, height: 0 };
    const EMPTY_COLLECTION: Self = Self { events: 2, height: 1 };
}

struct Builder {
    source: SourceId,
    anchors: bool,
    stack: Vec<Open>,
    /// What is in the open collections so far, the outermost first.
    items: Vec<Item>,
    root: Option<Item>,
    texts: Texts,
    /// Anchors by number; a collection is there once it is closed.
    named: IndexMap<usize, (Node, Size)>,
    anchor_names: Vec<Arc<str>>,
    aliases: Vec<Alias>,
    events: usize,
    /// Where reading stopped at a comment that GitHub would accept.
    tight_comment: Option<Position>,
    diagnostics: Vec<Diagnostic>,
}

impl Builder {
    fn new(source: SourceId, anchors: bool) -> Self {
        Self {
            source,
            anchors,
            stack: Vec::new(),
            items: Vec::new(),
            root: None,
            texts: Texts::default(),
            named: IndexMap::new(),
            anchor_names: Vec::new(),
            aliases: Vec::new(),
            // The starts of stream and document.
            events: 2,
            tight_comment: None,
            diagnostics: Vec::new(),
        }
    }

    fn run<'a>(&mut self, events: &mut impl EventSource<'a>) -> Outcome {
        let mut documents = 0;
        while let Some(next) = events.next_event() {
            let (event, start, end) = next.map_err(|fault| self.syntax(fault))?;
            let span = Span { source: self.source, start, end };
            match event {
                YamlEvent::DocumentStart => {
                    documents += 1;
                    if documents > 1 {
                        return Err(Box::new(
                            Diagnostic::error("yaml-documents", span, "Expected stream end parse event")
                                .with_hint("a file holds one YAML document: remove what follows this `---`")
                                .whole_file(),
                        ));
                    }
                }
                YamlEvent::DocumentEnd => {}
                YamlEvent::StreamEnd => break,
                node => self.node(node, span)?,
            }
        }
        if self.root.is_none() {
            let span = Span::at(self.source, Position::START);
            return Err(Box::new(
                Diagnostic::error("yaml-empty", span, "Expected document start parse event")
                    .with_hint("the file is empty")
                    .whole_file(),
            ));
        }
        Ok(())
    }

    fn syntax(&mut self, fault: YamlFault) -> Box<Diagnostic> {
        let (mut message, at) = match fault {
            YamlFault::Depth { at } => return Box::new(too_deep(Span::at(self.source, at))),
            YamlFault::Syntax { message, at } => (message, at),
            YamlFault::TightComment { at } => {
                self.tight_comment = Some(at);
                ("A comment must be separated from what is before it by a blank".to_owned(), at)
            }
        };
        if let Some(first) = message.get(..1).map(str::to_uppercase) {
            message.replace_range(..1, &first);
        }
        Box::new(Diagnostic::error("yaml-syntax", Span::at(self.source, at), message))
    }

    fn node(&mut self, event: YamlEvent<'_>, span: Span) -> Outcome {
        match event {
            YamlEvent::Scalar { text, plain, anchor, tag } => {
                self.spend(1, span)?;
                let kind = self.scalar(&text, plain, tag.as_deref(), span);
                self.finish(Node { span, kind }, Size::SCALAR, anchor);
            }
            YamlEvent::SequenceStart(anchor) => self.open(false, anchor, span)?,
            YamlEvent::MappingStart(anchor) => self.open(true, anchor, span)?,
            YamlEvent::SequenceEnd | YamlEvent::MappingEnd => self.close(span)?,
            YamlEvent::Alias(anchor) => self.alias(&anchor, span)?,
            YamlEvent::UnknownAlias(name) => {
                let hint = suggestion(&name, self.anchor_names.iter().map(|name| &**name));
                let diagnostic = Diagnostic::error("yaml-anchor", span, format!("Unknown anchor '{name}'"));
                self.diagnostics.push(diagnostic.with_optional_hint(hint).whole_file());
                self.finish(Node { span, kind: NodeKind::Invalid }, Size::SCALAR, None);
            }
            YamlEvent::DocumentStart | YamlEvent::DocumentEnd | YamlEvent::StreamEnd => {}
        }
        Ok(())
    }

    /// GitHub counts events only where anchors are allowed.
    fn spend(&mut self, events: usize, span: Span) -> Outcome {
        self.events = self.events.saturating_add(events);
        if self.anchors && self.events > MAX_YAML_NODES {
            return Err(Box::new(
                Diagnostic::error("yaml-nodes", span, "Maximum YAML nodes exceeded")
                    .with_hint(format!("at most {MAX_YAML_NODES}, what aliases repeat included"))
                    .whole_file(),
            ));
        }
        Ok(())
    }

    fn check_depth(&self, more: usize, span: Span) -> Outcome {
        if self.stack.len() + more > MAX_DEPTH {
            return Err(Box::new(too_deep(span)));
        }
        Ok(())
    }

    fn open(&mut self, mapping: bool, anchor: Option<Anchor>, span: Span) -> Outcome {
        self.spend(1, span)?;
        self.check_depth(1, span)?;
        let first = self.items.len();
        self.stack.push(Open { start: span.start, anchor, mapping, first, size: Size::EMPTY_COLLECTION });
        Ok(())
    }

    fn close(&mut self, span: Span) -> Outcome {
        self.spend(1, span)?;
        let Some(Open { start, anchor, mapping, first, size }) = self.stack.pop() else {
            return Ok(());
        };
        let items: Rc<[Item]> = self.items.drain(first..).collect();
        // The scanner sees the end of a block collection only at the next token, lines further on.
        let block_end = items.last().map(|item| item.used_at.as_deref().unwrap_or(&item.node.span).end);
        let flow = span.end.offset > span.start.offset;
        let end = if flow { span.end } else { block_end.unwrap_or(span.end) };
        let kind = if mapping { NodeKind::Mapping(Pairs::new(items)) } else { NodeKind::Sequence(items) };
        self.finish(Node { span: Span { source: self.source, start, end }, kind }, size, anchor);
        Ok(())
    }

    fn finish(&mut self, node: Node, size: Size, anchor: Option<Anchor>) {
        if let Some(anchor) = anchor {
            if self.anchors {
                self.named.insert(anchor.number, (node.clone(), size));
                self.anchor_names.push(anchor.name);
            } else {
                let message =
                    format!("Anchors are not currently supported. Remove the anchor '{}'", anchor.name);
                self.diagnostics.push(Diagnostic::error("yaml-anchor", node.span, message).whole_file());
            }
        }
        self.attach(Item { node, used_at: None }, size);
    }

    fn attach(&mut self, item: Item, size: Size) {
        match self.stack.last_mut() {
            Some(parent) => {
                parent.size.events = parent.size.events.saturating_add(size.events);
                parent.size.height = parent.size.height.max(size.height + 1);
                self.items.push(item);
            }
            None => self.root = Some(item),
        }
    }

    fn alias(&mut self, anchor: &Anchor, span: Span) -> Outcome {
        let Some((node, size)) = self.named.get(&anchor.number).cloned() else {
            if self.anchors {
                // Replaying it would never end; GitHub's parser replays until its budget is spent.
                return Err(Box::new(
                    Diagnostic::error("yaml-nodes", span, "Maximum YAML nodes exceeded")
                        .with_hint(format!("the anchor `{}` contains itself", anchor.name))
                        .whole_file(),
                ));
            }
            self.finish(Node { span, kind: NodeKind::Invalid }, Size::SCALAR, None);
            return Ok(());
        };
        self.spend(size.events, span)?;
        self.check_depth(size.height, span)?;
        self.aliases.push(Alias { name: Arc::clone(&anchor.name), used_at: span, definition: node.span });
        self.attach(Item { node, used_at: Some(Box::new(span)) }, size);
        Ok(())
    }

    fn scalar(&mut self, text: &str, plain: bool, tag: Option<&str>, span: Span) -> NodeKind {
        let literal = scalar::resolve(text, plain, tag).unwrap_or_else(|fault| {
            let (line, column) = (span.start.line, span.start.column);
            let message = match fault {
                ScalarFault::Tag { tag } => format!("Unexpected tag '{tag}'"),
                ScalarFault::Invalid { tag } => {
                    format!("The value '{text}' on line {line} and column {column} is invalid for the type '{tag}'")
                }
                ScalarFault::Style { tag } => format!(
                    "The scalar style on line {line} and column {column} is not valid with the tag '{tag}'"
                ),
            };
            self.diagnostics.push(Diagnostic::error("yaml-tag", span, message).whole_file());
            Literal::String
        });
        NodeKind::Scalar(Scalar { text: self.texts.shared(text), literal })
    }
}

fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::error("depth", span, "Maximum object depth exceeded")
        .with_hint(format!("at most {MAX_DEPTH} sequences and mappings inside one another"))
        .whole_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let mut sources = Sources::new();
        let source = sources.add("a.yml", text);
        let (tree, diagnostics) = read(&sources, source, true);
        let found: Vec<_> = diagnostics
            .iter()
            .map(|fault| format!("{}:{} {}", fault.span.start.line, fault.span.start.column, fault.message))
            .collect();
        assert_eq!(found, expected, "{}", text.get(..100).unwrap_or(text));
        assert!(tree.root.is_some() || !found.is_empty());
    }

    fn bomb() -> String {
        let mut text = String::from("a: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for level in 1..=9 {
            let alias = format!("*a{}", level - 1);
            text.push_str(&format!("b{level}: &a{level} [{}]\n", vec![alias; 9].join(", ")));
        }
        text
    }

    #[test]
    fn limits_hold() {
        check(&bomb(), &["5:30 Maximum YAML nodes exceeded"]);
        check("a: &a [*a]", &["1:8 Maximum YAML nodes exceeded"]);
        check(&"[".repeat(10_000), &["1:51 Maximum object depth exceeded"]);
        check(&format!("{}x", "- ".repeat(5000)), &["1:101 Maximum object depth exceeded"]);
        let chain: String = (1..60).map(|n| format!("k{n}: &a{n} [*a{}]\n", n - 1)).collect();
        check(&format!("k0: &a0 [x]\n{chain}"), &["50:12 Maximum object depth exceeded"]);
        let long = format!("a: {}", "x".repeat(10 << 20));
        check(&long, &["1:1 The maximum file size of 1048576 characters has been exceeded"]);
    }

    #[test]
    fn what_is_no_yaml_is_said_with_its_place() {
        check("a: b\u{0}c", &["1:5 A NUL character is not allowed"]);
        check("a: 1\n---\nb: 2\n", &["2:1 Expected stream end parse event"]);
        check("", &["1:1 Expected document start parse event"]);
        check("a: *nobody\n", &["1:4 Unknown anchor 'nobody'"]);
        check(
            "a: !!int x\n",
            &["1:4 The value 'x' on line 1 and column 4 is invalid for the type 'tag:yaml.org,2002:int'"],
        );
        check("a: !odd x\n", &["1:4 Unexpected tag '!odd'"]);
    }

    #[test]
    fn a_comment_right_behind_a_bracket_is_one() {
        check("a: [one]#, two ]\nb: \"x\"# é\n", &[]);
        check(
            &"- [x]#\n".repeat(40),
            &["17:6 A comment must be separated from what is before it by a blank"],
        );
    }

    #[test]
    fn a_block_ends_with_its_last_value() {
        let mut sources = Sources::new();
        let source = sources.add("a.yml", "- a: 1\n  b: {c: d }\n\n# x\n- e");
        let (tree, _) = read(&sources, source, true);
        let NodeKind::Sequence(items) = &tree.root.expect("a root").node.kind else { panic!("a sequence") };
        assert_eq!(sources.slice(items[0].node.span), "a: 1\n  b: {c: d }");
    }
}
