//! One log while it is written: text gathers in memory and goes out in blocks. It does not know when it is
//! asked to; the store sees to that.

use std::io;

use super::super::limits::LOG_BLOCK_BYTES;
use super::super::storage::{Storage, write_all_at};
use super::block::{BlockHead, HEAD_BYTES, Kind};
use super::{LogError, LogHead};

/// A log that is being written.
pub(super) struct Pack {
    storage: Box<dyn Storage>,
    step: String,
    /// Length of the file in bytes: the end of its last block.
    length: u64,
    /// Lines and bytes in blocks that are written.
    lines: u64,
    bytes: u64,
    marks: Vec<u8>,
    mark_count: u32,
    marked_ms: Option<i64>,
    text: Vec<u8>,
    text_lines: u32,
    /// Bytes of text that were given and not kept, once the disk has refused.
    pub(super) lost: u64,
    failed: bool,
}

impl Pack {
    /// Begins a pack on `storage`, which is empty.
    pub(super) fn begin(storage: Box<dyn Storage>, head: &LogHead) -> io::Result<Pack> {
        let body = postcard::to_stdvec(head).map_err(io::Error::other)?;
        let mut pack = Pack {
            storage,
            step: head.step.clone(),
            length: 0,
            lines: 0,
            bytes: 0,
            marks: Vec::new(),
            mark_count: 0,
            marked_ms: None,
            text: Vec::new(),
            text_lines: 0,
            lost: 0,
            failed: false,
        };
        pack.write_block(Kind::Head, &body)?;
        Ok(pack)
    }

    /// Takes text that was produced at `at_unix_ms`; writes a block for each [`LOG_BLOCK_BYTES`].
    pub(super) fn append(&mut self, at_unix_ms: i64, mut text: &[u8]) -> Result<(), LogError> {
        let mut result = Ok(());
        while !text.is_empty() {
            let room = LOG_BLOCK_BYTES.saturating_sub(self.text.len()).max(1);
            let (now, later) = text.split_at(room.min(text.len()));
            self.mark(at_unix_ms);
            self.text_lines += count_lines(now);
            self.text.extend_from_slice(now);
            text = later;
            if self.text.len() >= LOG_BLOCK_BYTES {
                // Going on after a failure keeps the count of what is lost right.
                result = result.and(self.flush());
            }
        }
        result
    }

    /// Notes the time from here on, unless it is that of the line before.
    fn mark(&mut self, at_unix_ms: i64) {
        if self.marked_ms != Some(at_unix_ms) {
            self.marks.extend_from_slice(&self.text_lines.to_le_bytes());
            self.marks.extend_from_slice(&at_unix_ms.to_le_bytes());
            self.mark_count += 1;
            self.marked_ms = Some(at_unix_ms);
        }
    }

    /// Writes what has gathered. When the disk refuses, the pack ends at its last whole block and what is given
    /// from then on is counted.
    pub(super) fn flush(&mut self) -> Result<(), LogError> {
        if self.text.is_empty() {
            return Ok(());
        }
        let mut body = std::mem::take(&mut self.marks);
        let mark_bytes = body.len();
        body.extend_from_slice(&self.text);
        let written = self.write_block(Kind::Text, &body);
        let (bytes, lines) = (self.text.len() as u64, u64::from(self.text_lines));
        self.text.clear();
        body.truncate(mark_bytes);
        body.clear();
        self.marks = body;
        (self.text_lines, self.mark_count, self.marked_ms) = (0, 0, None);
        match written {
            Ok(()) => {
                self.bytes += bytes;
                self.lines += lines;
                Ok(())
            }
            Err(source) => {
                self.lost += bytes;
                let first = !std::mem::replace(&mut self.failed, true);
                let step = self.step.clone();
                if first { Err(LogError::Write { step, source }) } else { Ok(()) }
            }
        }
    }

    /// Closes the log: after this its end is known to be its end.
    pub(super) fn finish(mut self) -> Result<(), LogError> {
        self.flush()?;
        let step = self.step.clone();
        if self.failed {
            return Ok(());
        }
        self.write_block(Kind::End, &[]).map_err(|source| LogError::Write { step, source })
    }

    /// Lines and bytes given so far and not lost, whether written yet or not.
    pub(super) fn position(&self) -> (u64, u64) {
        (self.lines + u64::from(self.text_lines), self.bytes + self.text.len() as u64)
    }

    fn write_block(&mut self, kind: Kind, body: &[u8]) -> io::Result<()> {
        if self.failed {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let head = BlockHead {
            kind,
            body_bytes: body.len() as u32,
            marks: self.mark_count,
            first_line: self.lines,
            first_byte: self.bytes,
            lines: self.text_lines,
            body_crc: crc32fast::hash(body),
        };
        let result = write_all_at(self.storage.as_mut(), body, self.length + HEAD_BYTES as u64)
            .and_then(|()| write_all_at(self.storage.as_mut(), &head.to_bytes(), self.length));
        match &result {
            Ok(()) => self.length += (HEAD_BYTES + body.len()) as u64,
            // What cannot be cut off is a block without a good head, which readers leave aside.
            Err(_) => drop(self.storage.set_len(self.length)),
        }
        result
    }
}

fn count_lines(text: &[u8]) -> u32 {
    // Counted in short runs of bytes, which the compiler turns into vector code; one long `u32` sum would not be.
    text.chunks(192).map(|run| u32::from(run.iter().map(|byte| u8::from(*byte == b'\n')).sum::<u8>())).sum()
}
