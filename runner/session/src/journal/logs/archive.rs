//! Reading logs back by step and by line, also while they are written and after a crash. Opening reads the
//! heads of the blocks, not the text; a block's text is checked when it is shown.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use super::super::record::LogId;
use super::block::{BlockHead, HEAD_BYTES, Kind, MARK_BYTES};
use super::{LogError, LogHead};

/// Where a log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogEnd {
    /// Whole lines; an unfinished last line comes on top.
    pub lines: u64,
    /// Bytes of text.
    pub bytes: u64,
    /// It was closed. Otherwise the writer died, or is still at work: later output may be missing.
    pub complete: bool,
    /// Bytes of the file behind the last good block.
    pub torn_bytes: u64,
}

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Its number, from 0.
    pub number: u64,
    /// When its batch arrived, in milliseconds since 1970 UTC.
    pub at_unix_ms: i64,
    /// The bytes as the step wrote them, masked, without the line end.
    pub text: Vec<u8>,
}

/// The logs of a recording, as they were when it was opened.
#[derive(Debug)]
pub struct LogArchive {
    logs: IndexMap<LogId, Log>,
}

#[derive(Debug)]
struct Log {
    /// Opened for each reading: a recording may have more logs than a process may have files.
    path: PathBuf,
    head: LogHead,
    blocks: Vec<(u64, BlockHead)>,
    end: LogEnd,
}

impl LogArchive {
    /// Opens all logs in `folder`, ordered by number. A file without a good head is no log and is left out: its
    /// writer died before it had written anything.
    pub fn open(folder: &Path) -> Result<LogArchive, LogError> {
        let mut numbered = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            numbered.extend(pack_number(&entry.file_name()).map(|number| (number, entry.path())));
        }
        numbered.sort();
        let mut logs = IndexMap::new();
        for (number, path) in numbered {
            if let Some(log) = Log::open(&path)? {
                logs.insert(LogId(number), log);
            }
        }
        Ok(LogArchive { logs })
    }

    /// Every log, what it is the log of, and where it ends.
    pub fn logs(&self) -> impl Iterator<Item = (LogId, &LogHead, LogEnd)> {
        self.logs.iter().map(|(id, log)| (*id, &log.head, log.end))
    }

    /// The logs of a step, one per time it ran, oldest first.
    pub fn of_step<'a>(&'a self, step: &'a str) -> impl Iterator<Item = LogId> + 'a {
        self.logs.iter().filter(move |(_, log)| log.head.step == step).map(|(id, _)| *id)
    }

    /// Where a log ends; none when there is no such log.
    pub fn end(&self, log: LogId) -> Option<LogEnd> {
        self.logs.get(&log).map(|log| log.end)
    }

    /// The lines of a log with numbers in `range`, as many as there are. Reads the blocks they are in.
    pub fn lines(&self, log: LogId, range: Range<u64>) -> Result<Vec<LogLine>, LogError> {
        let found = self.logs.get(&log).ok_or(LogError::Missing(log.0))?;
        found.lines(range)
    }
}

impl Log {
    fn open(path: &Path) -> io::Result<Option<Log>> {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        let Some(first) = read_head(&file, 0, size)?.filter(|head| head.kind == Kind::Head) else {
            return Ok(None);
        };
        let Some(body) = read_body(&file, 0, &first)? else { return Ok(None) };
        let Ok(head) = postcard::from_bytes(&body) else { return Ok(None) };
        let mut log = Log { path: path.to_owned(), head, blocks: Vec::new(), end: LogEnd::default() };
        log.scan(&file, block_end(0, &first), size)?;
        Ok(Some(log))
    }

    /// Follows the heads of the blocks; the text of the last is checked at once, since that is where a crash cuts.
    fn scan(&mut self, file: &File, mut offset: u64, size: u64) -> io::Result<()> {
        while let Some(head) = read_head(file, offset, size)? {
            match head.kind {
                Kind::Text if head.first_line == self.end.lines && head.first_byte == self.end.bytes => {
                    (self.end.lines, self.end.bytes) = (head.end_line(), head.end_byte());
                    self.blocks.push((offset, head));
                }
                Kind::End => self.end.complete = true,
                Kind::Text | Kind::Head => break,
            }
            offset = block_end(offset, &head);
            if self.end.complete {
                break;
            }
        }
        if let Some((at, last)) = self.blocks.last().filter(|_| !self.end.complete)
            && read_body(file, *at, last)?.is_none()
        {
            (self.end.lines, self.end.bytes) = (last.first_line, last.first_byte);
            offset = *at;
            self.blocks.pop();
        }
        self.end.torn_bytes = size.saturating_sub(offset);
        Ok(())
    }

    fn lines(&self, range: Range<u64>) -> Result<Vec<LogLine>, LogError> {
        let file = File::open(&self.path)?;
        let mut out = Vec::new();
        let mut cut = Cut { range, number: 0, at_unix_ms: 0, text: Vec::new(), out: &mut out };
        // A block that ends in the middle of the first wanted line counts the lines before it.
        let first = self.blocks.partition_point(|(_, head)| head.end_line() < cut.range.start);
        for (position, (offset, head)) in self.blocks.iter().enumerate().skip(first) {
            if head.first_line >= cut.range.end {
                break;
            }
            let damaged = || LogError::Damaged { step: self.head.step.clone(), line: head.first_line };
            let body = read_body(&file, *offset, head)?.ok_or_else(damaged)?;
            if position == first {
                cut.number = head.first_line;
            }
            cut.block(head, &body);
        }
        cut.finish();
        Ok(out)
    }
}

/// Cuts text into lines across blocks and keeps those in the range.
struct Cut<'a> {
    range: Range<u64>,
    number: u64,
    at_unix_ms: i64,
    text: Vec<u8>,
    out: &'a mut Vec<LogLine>,
}

impl Cut<'_> {
    fn block(&mut self, head: &BlockHead, body: &[u8]) {
        let (marks, text) = body.split_at_checked(head.mark_bytes() as usize).unwrap_or((&[], body));
        let mut marks = marks.chunks_exact(MARK_BYTES).filter_map(parse_mark).peekable();
        for (line, piece) in (0_u32..).zip(text.split_inclusive(|byte| *byte == b'\n')) {
            while let Some((_, at)) = marks.next_if(|(from, _)| *from <= line) {
                // The time of a line is that of its first bytes.
                if self.text.is_empty() {
                    self.at_unix_ms = at;
                }
            }
            self.piece(piece);
        }
    }

    fn piece(&mut self, piece: &[u8]) {
        if self.range.contains(&self.number) {
            self.text.extend_from_slice(piece);
        }
        if piece.ends_with(b"\n") {
            if self.range.contains(&self.number) {
                self.text.pop();
                self.push();
            }
            self.number += 1;
        }
    }

    /// A last line without an end is a line too.
    fn finish(mut self) {
        if !self.text.is_empty() {
            self.push();
        }
    }

    fn push(&mut self) {
        let text = std::mem::take(&mut self.text);
        self.out.push(LogLine { number: self.number, at_unix_ms: self.at_unix_ms, text });
    }
}

fn parse_mark(mark: &[u8]) -> Option<(u32, i64)> {
    let (line, at) = mark.split_first_chunk()?;
    Some((u32::from_le_bytes(*line), i64::from_le_bytes(*at.first_chunk()?)))
}

/// The number of the pack in a file of that name; none for files that are no packs.
pub(super) fn pack_number(name: &OsStr) -> Option<u32> {
    name.to_str()?.strip_suffix(".log")?.parse().ok()
}

fn block_end(offset: u64, head: &BlockHead) -> u64 {
    offset + HEAD_BYTES as u64 + u64::from(head.body_bytes)
}

/// The head at `offset`; none where no whole block is.
fn read_head(file: &File, offset: u64, size: u64) -> io::Result<Option<BlockHead>> {
    if size.saturating_sub(offset) < HEAD_BYTES as u64 {
        return Ok(None);
    }
    let mut bytes = [0; HEAD_BYTES];
    file.read_exact_at(&mut bytes, offset)?;
    Ok(BlockHead::parse(&bytes).filter(|head| block_end(offset, head) <= size))
}

/// The body of the block at `offset`; none when it was altered.
fn read_body(file: &File, offset: u64, head: &BlockHead) -> io::Result<Option<Vec<u8>>> {
    let mut body = vec![0; head.body_bytes as usize];
    file.read_exact_at(&mut body, offset + HEAD_BYTES as u64)?;
    Ok((crc32fast::hash(&body) == head.body_crc).then_some(body))
}
