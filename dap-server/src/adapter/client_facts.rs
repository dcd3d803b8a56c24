//! What a client said of itself: where its lines begin, how it writes paths, what it can show.
//!
//! Knows numbers and paths; not what they are of.

use std::path::{Path, PathBuf};

use crate::protocol::lifecycle::{InitializeArguments, PathFormat};

/// What a client said of itself in `initialize`.
#[derive(Clone, Debug)]
pub(super) struct ClientFacts {
    lines_from_1: bool,
    columns_from_1: bool,
    uris: bool,
    /// It shows colours.
    pub(super) ansi: bool,
    /// It understands `invalidated`.
    pub(super) invalidated: bool,
    /// It shows progress.
    pub(super) progress: bool,
}

impl ClientFacts {
    pub(super) fn of(arguments: &InitializeArguments) -> Self {
        Self {
            lines_from_1: arguments.lines_start_at1.unwrap_or(true),
            columns_from_1: arguments.columns_start_at1.unwrap_or(true),
            uris: arguments.path_format == Some(PathFormat::Uri),
            ansi: arguments.supports_ansi_styling.unwrap_or(false),
            invalidated: arguments.supports_invalidated_event.unwrap_or(false),
            progress: arguments.supports_progress_reporting.unwrap_or(false),
        }
    }

    /// A line from 1, as the client counts.
    pub(super) fn line_out(&self, line: u32) -> i64 {
        i64::from(line) - i64::from(!self.lines_from_1)
    }

    /// A line of the client's, from 1; `None` if there is no such line.
    pub(super) fn line_in(&self, line: i64) -> Option<u32> {
        let line = line.checked_add(i64::from(!self.lines_from_1))?;
        u32::try_from(line).ok().filter(|line| *line > 0)
    }

    /// A column in UTF-16 units from 1, as the client counts.
    pub(super) fn column_out(&self, column: u32) -> i64 {
        i64::from(column) - i64::from(!self.columns_from_1)
    }

    /// A column of the client's in UTF-16 units, from 0.
    pub(super) fn column_in(&self, column: i64) -> usize {
        usize::try_from(column.saturating_sub(i64::from(self.columns_from_1))).unwrap_or(0)
    }

    /// A path as the client writes it.
    pub(super) fn path_out(&self, path: &Path) -> String {
        let text = path.to_string_lossy();
        if self.uris { format!("file://{}", escaped(&text)) } else { text.into_owned() }
    }

    /// A path of the client's.
    pub(super) fn path_in(&self, text: &str) -> PathBuf {
        match text.strip_prefix("file://") {
            Some(rest) => PathBuf::from(unescaped(rest)),
            None => PathBuf::from(text),
        }
    }
}

/// Whatever may stand in a URI's path stays.
fn escaped(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                text.push(char::from(byte))
            }
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        match after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(b'%');
                rest = after;
            }
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(one: bool, uris: bool) -> ClientFacts {
        ClientFacts::of(&InitializeArguments {
            lines_start_at1: Some(one),
            columns_start_at1: Some(one),
            path_format: uris.then_some(PathFormat::Uri),
            ..InitializeArguments::default()
        })
    }

    #[test]
    fn lines_and_columns_follow_the_clients_base() {
        let (one, zero) = (facts(true, false), facts(false, false));
        assert_eq!((one.line_out(7), zero.line_out(7)), (7, 6));
        assert_eq!((one.line_in(7), zero.line_in(6)), (Some(7), Some(7)));
        assert_eq!((one.line_in(0), zero.line_in(-1), one.line_in(i64::MAX)), (None, None, None));
        assert_eq!((one.column_in(1), zero.column_in(0), one.column_in(-9)), (0, 0, 0));
        assert_eq!((one.column_out(1), zero.column_out(1)), (1, 0));
    }

    #[test]
    fn paths_come_back_as_they_went() {
        let path = Path::new("/a b/ü%/c.yml");
        for facts in [facts(true, false), facts(true, true)] {
            assert_eq!(facts.path_in(&facts.path_out(path)), path);
        }
        assert_eq!(facts(true, true).path_out(path), "file:///a%20b/%C3%BC%25/c.yml");
        assert_eq!(facts(true, true).path_in("file:///a%2"), Path::new("/a%2"));
    }
}
