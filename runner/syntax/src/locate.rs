//! From an offset in a scalar's value back to its place in the file.
//!
//! Knows the ways YAML writes a scalar only so far that blanks may differ: indentation, folded
//! lines, quotes and their escapes.

use crate::source::{Position, Sources, Span};

/// The place of the byte `offset` of `value`, which is written at `span`. Falls back to the start of
/// the scalar where the writing is too far from the value (a double-quoted `\u0041`).
pub(crate) fn locate(sources: &Sources, span: Span, value: &str, offset: usize) -> Position {
    walk(sources.slice(span), value, offset)
        .map_or(span.start, |at| sources.position(span.source, span.start.offset + at as u32))
}

/// A stretch of a value.
pub(crate) fn locate_range(sources: &Sources, span: Span, value: &str, start: usize, end: usize) -> Span {
    let from = locate(sources, span, value, start);
    let to = locate(sources, span, value, end);
    Span { source: span.source, start: from, end: to.max(from) }
}

/// The line of the first line of a script, as a person sees it in the file: behind the `|` of a
/// block, else where the scalar begins.
pub(crate) fn first_line(sources: &Sources, span: Span) -> u32 {
    let slice = sources.slice(span);
    let content = content_start(slice);
    let line = sources.position(span.source, span.start.offset + content as u32).line;
    let block = slice.get(content..).is_some_and(|rest| rest.starts_with(['|', '>']));
    if block { line + 1 } else { line }
}

/// Behind tag and anchor.
fn content_start(slice: &str) -> usize {
    let mut at = 0;
    while let Some(rest) = slice.get(at..) {
        let trimmed = rest.trim_start();
        let here = at + (rest.len() - trimmed.len());
        if !trimmed.starts_with(['!', '&']) {
            return here;
        }
        let length = trimmed.find(char::is_whitespace).unwrap_or(trimmed.len());
        at = here + length;
    }
    at
}

fn walk(slice: &str, value: &str, offset: usize) -> Option<usize> {
    let mut at = content_start(slice);
    let first = slice.get(at..)?.chars().next()?;
    let quote = matches!(first, '\'' | '"').then_some(first);
    if quote.is_some() {
        at += 1;
    } else if matches!(first, '|' | '>') {
        at += slice.get(at..)?.find('\n')? + 1;
    }
    for (index, wanted) in value.char_indices() {
        if wanted.is_whitespace() {
            if index >= offset {
                return Some(at);
            }
            let rest = slice.get(at..)?;
            at += if wanted == ' ' && rest.starts_with(' ') && !rest.starts_with("  ") {
                1
            } else {
                rest.len() - rest.trim_start().len()
            };
            continue;
        }
        let rest = slice.get(at..)?;
        at += rest.len() - rest.trim_start().len();
        if index >= offset {
            return Some(at);
        }
        let rest = slice.get(at..)?;
        let found = rest.chars().next()?;
        at += match (quote, found) {
            (Some('\''), '\'') => 2,
            (Some('"'), '\\') => {
                let escaped = rest.chars().nth(1)?;
                if escaped != wanted {
                    return None;
                }
                1 + escaped.len_utf8()
            }
            _ if found == wanted => found.len_utf8(),
            _ => return None,
        };
    }
    (offset >= value.len()).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the `§`-marked character of `text` is found when the value is `value` and the scalar is all of `text`.
    fn check(text: &str, value: &str, needle: &str, expected: (u32, u32)) {
        let mut sources = Sources::new();
        let id = sources.add("a.yml", text);
        let end = sources.position(id, text.len() as u32);
        let span = Span { source: id, start: Position::START, end };
        let found = locate(&sources, span, value, value.find(needle).expect("the needle"));
        assert_eq!((found.line, found.column), expected, "{text:?}");
    }

    #[test]
    fn offsets_are_found_in_every_style() {
        check("echo ${{ x }}", "echo ${{ x }}", "x }}", (1, 10));
        check("'it''s ${{ x }}'", "it's ${{ x }}", "x", (1, 12));
        check("\"a \\\"b\\\" x\"", "a \"b\" x", "x", (1, 10));
        check("|\n    one\n      two x\n", "one\n  two x\n", "x", (3, 11));
        check(">-\n  one\n  two\n\n  three", "one two\nthree", "three", (5, 3));
        check("!!str &a plain\n  goes on x", "plain goes on x", "x", (2, 11));
    }

    #[test]
    fn a_script_begins_behind_its_bar() {
        let line = |text: &str| {
            let mut sources = Sources::new();
            let id = sources.add("a.yml", text);
            let end = sources.position(id, text.len() as u32);
            first_line(&sources, Span { source: id, start: Position::START, end })
        };
        assert_eq!((line("echo"), line("|\n  echo"), line("&a |\n  echo"), line("'|'")), (1, 2, 2, 1));
    }
}
