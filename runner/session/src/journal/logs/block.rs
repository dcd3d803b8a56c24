//! The head of one block of a log pack. It knows no file.
//!
//! ```text
//! 0  magic "SBLK"           4 bytes
//! 4  kind                   u8: 0 head of the pack, 1 text, 2 end of the log; 3 bytes zero
//! 8  length of the body     u32 LE
//! 12 time marks in the body u32 LE
//! 16 lines before the block u64 LE
//! 24 bytes before the block u64 LE, text only
//! 32 line ends in the block u32 LE
//! 36 CRC32 of the body      u32 LE
//! 40 CRC32 of bytes 0..40   u32 LE
//! ```
//! The body of a text block is its time marks, 12 bytes each (line within the block u32, milliseconds since
//! 1970 i64: from that line on, this time), then the text. A block may begin and end inside of a line.

/// Length of a block's head in bytes.
pub(super) const HEAD_BYTES: usize = 44;
/// Length of one time mark in bytes.
pub(super) const MARK_BYTES: usize = 12;
/// Longest body a reader believes in; writers stay far below.
pub(super) const BODY_BYTES_MAX: u32 = 64 * 1024 * 1024;

const MAGIC: [u8; 4] = *b"SBLK";
const CHECKED_BYTES: usize = 40;

/// What a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A [`LogHead`](super::LogHead), first in the pack.
    Head,
    /// Output.
    Text,
    /// Nothing: the log was closed and its counts are final.
    End,
}

/// The head of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BlockHead {
    pub(super) kind: Kind,
    pub(super) body_bytes: u32,
    pub(super) marks: u32,
    pub(super) first_line: u64,
    pub(super) first_byte: u64,
    pub(super) lines: u32,
    pub(super) body_crc: u32,
}

impl BlockHead {
    pub(super) fn to_bytes(self) -> [u8; HEAD_BYTES] {
        let mut out = Vec::with_capacity(HEAD_BYTES);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&[self.kind as u8, 0, 0, 0]);
        out.extend_from_slice(&self.body_bytes.to_le_bytes());
        out.extend_from_slice(&self.marks.to_le_bytes());
        out.extend_from_slice(&self.first_line.to_le_bytes());
        out.extend_from_slice(&self.first_byte.to_le_bytes());
        out.extend_from_slice(&self.lines.to_le_bytes());
        out.extend_from_slice(&self.body_crc.to_le_bytes());
        let crc = crc32fast::hash(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        let mut head = [0; HEAD_BYTES];
        for (to, from) in head.iter_mut().zip(out) {
            *to = from;
        }
        head
    }

    /// The head in `bytes`; none when it is not one, or was altered.
    pub(super) fn parse(bytes: &[u8; HEAD_BYTES]) -> Option<BlockHead> {
        let (checked, crc) = bytes.split_at_checked(CHECKED_BYTES)?;
        if u32::from_le_bytes(*crc.first_chunk()?) != crc32fast::hash(checked) {
            return None;
        }
        let rest = checked.strip_prefix(&MAGIC)?;
        let ([kind, _, _, _], rest) = rest.split_first_chunk()?;
        let (body_bytes, rest) = rest.split_first_chunk()?;
        let (marks, rest) = rest.split_first_chunk()?;
        let (first_line, rest) = rest.split_first_chunk()?;
        let (first_byte, rest) = rest.split_first_chunk()?;
        let (lines, rest) = rest.split_first_chunk()?;
        let head = BlockHead {
            kind: [Kind::Head, Kind::Text, Kind::End].into_iter().find(|known| *known as u8 == *kind)?,
            body_bytes: u32::from_le_bytes(*body_bytes),
            marks: u32::from_le_bytes(*marks),
            first_line: u64::from_le_bytes(*first_line),
            first_byte: u64::from_le_bytes(*first_byte),
            lines: u32::from_le_bytes(*lines),
            body_crc: u32::from_le_bytes(*rest.first_chunk()?),
        };
        (head.body_bytes <= BODY_BYTES_MAX && head.mark_bytes() <= u64::from(head.body_bytes)).then_some(head)
    }

    /// Bytes of the body that are time marks.
    pub(super) fn mark_bytes(&self) -> u64 {
        u64::from(self.marks) * MARK_BYTES as u64
    }

    /// Bytes of the body that are text.
    pub(super) fn text_bytes(&self) -> u64 {
        u64::from(self.body_bytes).saturating_sub(self.mark_bytes())
    }

    /// Lines up to the end of the block.
    pub(super) fn end_line(&self) -> u64 {
        self.first_line.saturating_add(u64::from(self.lines))
    }

    /// Bytes of text up to the end of the block.
    pub(super) fn end_byte(&self) -> u64 {
        self.first_byte.saturating_add(self.text_bytes())
    }
}
