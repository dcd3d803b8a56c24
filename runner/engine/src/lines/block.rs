//! The fast way through a read: runs of plain lines go to the sink in one piece, only lines that may be
//! secret, a command or a match are looked at one by one. Knows where to look, not what to do there.

use super::sink::{LineSink, MaskStore};
use super::{Flow, LineProcessor, Surroundings};
use crate::limits::LINE_DISPLAY_BYTES;

/// The next places in a block that end a plain run, each found once.
struct Marks {
    v1: usize,
    carriage_return: usize,
    suspect: usize,
}

const NOWHERE: usize = usize::MAX;

impl LineProcessor {
    /// Processes a block that ends with `\n`; returns how much was taken.
    pub(super) fn block<M: MaskStore, S: LineSink>(
        &mut self,
        block: &[u8],
        around: &mut Surroundings<'_, M, S>,
    ) -> (usize, Flow) {
        let v1 = memchr::memmem::Finder::new("##[");
        let mut marks = Marks { v1: 0, carriage_return: 0, suspect: 0 };
        let (mut at, mut plain_from, mut newline) = (0, 0, 0);
        while at < block.len() {
            let rest = block.get(at..).unwrap_or_default();
            if newline <= at {
                newline = memchr::memchr(b'\n', rest).map_or(block.len(), |found| at + found + 1);
            }
            marks.advance(block, at, &v1, around);
            let line = block.get(at..newline).unwrap_or_default();
            if self.scanner.is_idle() && marks.are_beyond(newline) && is_plain(line) {
                at = newline;
                continue;
            }
            emit_plain(around.sink, block.get(plain_from..at));
            let end = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
            let (line, tail) = rest.split_at(end);
            let generation = around.masks.generation();
            let flow = self.whole_line(line, around);
            at += end + if tail.starts_with(b"\r\n") { 2 } else { 1 };
            plain_from = at;
            if flow == Flow::Pause {
                return (at, flow);
            }
            if around.masks.generation() != generation {
                marks.suspect = 0;
            }
        }
        emit_plain(around.sink, block.get(plain_from..));
        (block.len(), Flow::On)
    }
}

impl Marks {
    fn advance<M, S>(
        &mut self,
        block: &[u8],
        at: usize,
        v1: &memchr::memmem::Finder<'_>,
        around: &Surroundings<'_, M, S>,
    ) {
        let rest = block.get(at..).unwrap_or_default();
        let place = |found: Option<usize>| found.map_or(NOWHERE, |found| at + found);
        if self.v1 <= at {
            self.v1 = place(v1.find(rest));
        }
        if self.carriage_return <= at {
            self.carriage_return = place(memchr::memchr(b'\r', rest));
        }
        if self.suspect <= at {
            self.suspect = around.masks.suspect(block, at).unwrap_or(NOWHERE);
        }
    }

    fn are_beyond(&self, newline: usize) -> bool {
        self.v1 >= newline && self.carriage_return >= newline && self.suspect >= newline
    }
}

fn is_plain(line: &[u8]) -> bool {
    line.len() <= LINE_DISPLAY_BYTES && !starts_like_v2(line)
}

// Upstream trims Unicode white space before the `::`.
fn starts_like_v2(line: &[u8]) -> bool {
    let blank = line.iter().position(|byte| !matches!(byte, b' ' | b'\t'..=b'\r'));
    match blank.and_then(|at| line.get(at..)) {
        Some([b':', b':', ..]) => true,
        Some([0x80..=0xFF, ..]) => String::from_utf8_lossy(line).trim_start().starts_with("::"),
        _ => false,
    }
}

/// Whether it is worth parsing: `::` at the start, or `##[` anywhere.
pub(super) fn looks_like_command(line: &[u8]) -> bool {
    starts_like_v2(line) || has_v1(line)
}

/// Whether a line holds `##[`. On the short text of one line, looking for `#` beats a searcher that has to
/// be built first.
pub(super) fn has_v1(line: &[u8]) -> bool {
    memchr::memchr_iter(b'#', line).any(|at| line.get(at..).is_some_and(|rest| rest.starts_with(b"##[")))
}

fn emit_plain(sink: &mut impl LineSink, block: Option<&[u8]>) {
    if let Some(block) = block.filter(|block| !block.is_empty()) {
        sink.plain_lines(block);
    }
}
