//! Source files, and places in them: bytes, lines, characters and UTF-16 units.
//!
//! Knows nothing of YAML or workflows: a source is a name people recognise and its text.

use std::ops::Deref;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Severity};

/// The name of one file in [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(u32);

/// A place in a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Counted from 1.
    pub line: u32,
    /// Counted from 1, in characters (code points); a byte-order mark does not count.
    pub column: u32,
    /// In bytes from the start of the text.
    pub offset: u32,
}

impl Position {
    /// The first character of a source.
    pub const START: Self = Self { line: 1, column: 1, offset: 0 };
}

/// A stretch of a source; `end` is exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub source: SourceId,
    /// The first character.
    pub start: Position,
    /// Just behind the last character.
    pub end: Position,
}

impl Span {
    /// An empty span.
    pub fn at(source: SourceId, position: Position) -> Self {
        Self { source, start: position, end: position }
    }
}

/// A value and where it is written.
///
/// For a value that comes from a YAML alias the span is that of the definition (as GitHub
/// reports it); the places of use are in [`crate::Step::used_at`] and [`crate::Workflow::aliases`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it is written.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// Joins a value and its place.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }

    /// Another value at the same place.
    pub fn with<U>(&self, value: U) -> Spanned<U> {
        Spanned { value, span: self.span }
    }
}

impl<T> Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

#[derive(Clone, Debug)]
struct File {
    path: Arc<str>,
    text: Arc<str>,
    /// Byte offsets of line starts; the first is behind a byte-order mark.
    lines: Arc<[u32]>,
}

/// Every file that spans point into. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<File>,
}

impl Sources {
    /// No files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file under the name people should see, for instance `.github/workflows/ci.yml`.
    pub fn add(&mut self, path: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> SourceId {
        let text = text.into();
        let id = SourceId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        let lines = line_starts(&text).into();
        self.files.push(File { path: path.into(), text, lines });
        id
    }

    /// Adds a file as read from disk. Text that is not UTF-8 is kept with replacement characters,
    /// and the diagnostic says where the first bad byte is.
    pub fn add_bytes(&mut self, path: impl Into<Arc<str>>, bytes: &[u8]) -> (SourceId, Option<Diagnostic>) {
        match std::str::from_utf8(bytes) {
            Ok(text) => (self.add(path, text), None),
            Err(error) => {
                let id = self.add(path, String::from_utf8_lossy(bytes));
                let offset = u32::try_from(error.valid_up_to()).unwrap_or(u32::MAX);
                let byte = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
                let diagnostic = Diagnostic::new(
                    "not-utf8",
                    Severity::Error,
                    Span::at(id, self.position(id, offset)),
                    format!("The file is not valid UTF-8: unexpected byte 0x{byte:02X}"),
                )
                .with_hint("save the file as UTF-8");
                (id, Some(diagnostic))
            }
        }
    }

    fn file(&self, id: SourceId) -> Option<&File> {
        self.files.get(id.0 as usize)
    }

    /// The id of the file with this name.
    pub fn find(&self, path: &str) -> Option<SourceId> {
        let index = self.files.iter().position(|file| &*file.path == path)?;
        u32::try_from(index).ok().map(SourceId)
    }

    /// The name of a file as shown to people; empty for an id of other `Sources`.
    pub fn path(&self, id: SourceId) -> &str {
        self.file(id).map_or("", |file| &file.path)
    }

    /// The whole text of a file; empty for an id of other `Sources`.
    pub fn text(&self, id: SourceId) -> &str {
        self.file(id).map_or("", |file| &file.text)
    }

    /// The whole text of a file, shared.
    pub fn shared_text(&self, id: SourceId) -> Arc<str> {
        self.file(id).map_or_else(|| Arc::from(""), |file| Arc::clone(&file.text))
    }

    /// The text of a span.
    pub fn slice(&self, span: Span) -> &str {
        self.text(span.source).get(span.start.offset as usize..span.end.offset as usize).unwrap_or("")
    }

    /// How many lines a file has; a file that ends with a line break has no further empty line.
    pub fn line_count(&self, id: SourceId) -> u32 {
        let Some(file) = self.file(id) else { return 0 };
        let mut count = u32::try_from(file.lines.len()).unwrap_or(u32::MAX);
        if file.lines.last().is_some_and(|&last| last as usize == file.text.len()) {
            count -= 1;
        }
        count
    }

    /// One line, counted from 1, without its line break.
    pub fn line(&self, id: SourceId, line: u32) -> &str {
        let Some(file) = self.file(id) else { return "" };
        let Some(&start) = (line as usize).checked_sub(1).and_then(|index| file.lines.get(index)) else {
            return "";
        };
        let end = file.lines.get(line as usize).map_or(file.text.len(), |&next| next as usize);
        file.text.get(start as usize..end).unwrap_or("").trim_end_matches(['\r', '\n'])
    }

    /// Line and column of a byte offset (an offset inside a character counts as its start).
    pub fn position(&self, id: SourceId, offset: u32) -> Position {
        let Some(file) = self.file(id) else { return Position::START };
        let index = file.lines.partition_point(|&start| start <= offset).saturating_sub(1);
        let start = file.lines.get(index).copied().unwrap_or_default();
        let before = file.text.as_bytes().get(start as usize..offset as usize).unwrap_or_default();
        let characters = before.iter().filter(|&&byte| byte & 0xC0 != 0x80).count();
        Position { line: index as u32 + 1, column: characters as u32 + 1, offset }
    }

    /// The place of a line and a column counted from 1 in characters; past the end of a line is its end.
    pub fn position_at(&self, id: SourceId, line: u32, column: u32) -> Option<Position> {
        let start = *self.file(id)?.lines.get((line as usize).checked_sub(1)?)?;
        let text = self.line(id, line);
        let skip = column.saturating_sub(1) as usize;
        let bytes = text.char_indices().nth(skip).map_or(text.len(), |(at, _)| at);
        Some(self.position(id, start + bytes as u32))
    }

    /// The column of a position in UTF-16 units, counted from 1: what DAP and LSP clients count by default.
    pub fn utf16_column(&self, id: SourceId, position: Position) -> u32 {
        let characters = position.column.saturating_sub(1) as usize;
        let units: usize = self.line(id, position.line).chars().take(characters).map(char::len_utf16).sum();
        units as u32 + 1
    }

    /// The inverse of [`Self::utf16_column`]: the place of a line and a column in UTF-16 units, both from 1.
    pub fn position_at_utf16(&self, id: SourceId, line: u32, column: u32) -> Option<Position> {
        let mut left = column.saturating_sub(1) as usize;
        let mut characters = 0;
        for character in self.line(id, line).chars() {
            if left < character.len_utf16() {
                break;
            }
            left -= character.len_utf16();
            characters += 1;
        }
        self.position_at(id, line, characters + 1)
    }
}

fn line_starts(text: &str) -> Vec<u32> {
    let bytes = text.as_bytes();
    let mut starts = vec![if text.starts_with('\u{FEFF}') { 3 } else { 0 }];
    for index in memchr::memchr2_iter(b'\n', b'\r', bytes) {
        // Together they are one break, behind the second.
        if bytes.get(index..index + 2) != Some(b"\r\n") {
            starts.push(index as u32 + 1);
        }
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, offset: u32, line: u32, column: u32, utf16: u32) {
        let mut sources = Sources::new();
        let id = sources.add("a.yml", text);
        let position = sources.position(id, offset);
        assert_eq!((position.line, position.column), (line, column), "{text:?} at {offset}");
        assert_eq!(sources.utf16_column(id, position), utf16);
        assert_eq!(sources.position_at(id, line, column), Some(position));
        assert_eq!(sources.position_at_utf16(id, line, utf16), Some(position));
    }

    #[test]
    fn columns_are_characters_and_convert_to_utf16() {
        check("a: b", 3, 1, 4, 4);
        check("\"🚀é\": ok", 10, 1, 7, 8);
        check("x\r\ny: é z", 8, 2, 5, 5);
        check("x\ry", 2, 2, 1, 1);
        check("\u{FEFF}on: push", 7, 1, 5, 5);
    }

    #[test]
    fn lines_are_without_their_breaks() {
        let mut sources = Sources::new();
        let id = sources.add("a.yml", "one\r\ntwo\n");
        assert_eq!(sources.line_count(id), 2);
        assert_eq!((sources.line(id, 1), sources.line(id, 2), sources.line(id, 3)), ("one", "two", ""));
        assert_eq!(sources.find("a.yml"), Some(id));
    }

    #[test]
    fn bytes_that_are_no_text_are_named_with_their_place() {
        let mut sources = Sources::new();
        let (id, diagnostic) = sources.add_bytes("a.yml", b"on: push\nx: \xFFy");
        let diagnostic = diagnostic.expect("a diagnostic");
        assert_eq!((diagnostic.span.start.line, diagnostic.span.start.column), (2, 4));
        assert!(diagnostic.message.contains("0xFF"), "{}", diagnostic.message);
        assert_eq!(sources.path(id), "a.yml");
    }
}
