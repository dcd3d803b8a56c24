//! Masking of a text that is too long to hold: bytes go in as they come, masked pieces of a fixed size
//! come out, and a secret across a border is still one `***`. Knows nothing of lines.

use super::{MASK, Masks};

/// The unfinished end of a long text. Memory is bounded by one piece plus the longest secret.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct MaskStream {
    held: Vec<u8>,
    // The last output ended in a mask which runs over this many bytes of `held`.
    covered: Option<usize>,
}

// What is held is not masked yet.
impl std::fmt::Debug for MaskStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MaskStream").field("held_bytes", &self.held.len()).finish()
    }
}

impl MaskStream {
    /// Takes more text and gives every piece that is certain by now to `out`. Pieces stand for
    /// `piece_bytes` of the text, less where a character would be cut, and do not depend on how the
    /// text was split over calls; pieces with nothing to show are left out.
    pub fn push(&mut self, mut bytes: &[u8], masks: &Masks, piece_bytes: usize, mut out: impl FnMut(&[u8])) {
        let certain = piece_bytes + masks.hold_bytes();
        while !bytes.is_empty() {
            let room = (certain + 1).saturating_sub(self.held.len());
            let (head, rest) = bytes.split_at(room.min(bytes.len()));
            self.held.extend_from_slice(head);
            bytes = rest;
            if self.held.len() > certain {
                self.cut(self.border(piece_bytes), masks, &mut out);
            }
        }
    }

    /// The text is complete: gives out what is left.
    pub fn finish(&mut self, masks: &Masks, piece_bytes: usize, mut out: impl FnMut(&[u8])) {
        while self.held.len() > piece_bytes {
            self.cut(self.border(piece_bytes), masks, &mut out);
        }
        self.cut(self.held.len(), masks, &mut out);
        self.covered = None;
    }

    fn border(&self, piece_bytes: usize) -> usize {
        let inside = |at: usize| self.held.get(at).is_some_and(|byte| byte & 0xC0 == 0x80);
        let back = (0..4).find(|back| !inside(piece_bytes.saturating_sub(*back))).unwrap_or(0);
        match piece_bytes.saturating_sub(back) {
            0 => piece_bytes,
            border => border,
        }
    }

    fn cut(&mut self, border: usize, masks: &Masks, out: &mut impl FnMut(&[u8])) {
        let ranges = masks.ranges(&self.held);
        let mut piece = Vec::new();
        let mut covered = self.covered;
        for range in ranges {
            match covered {
                Some(end) if range.start <= end => covered = Some(end.max(range.end)),
                _ if range.start >= border => break,
                _ => {
                    piece.extend_from_slice(
                        self.held.get(covered.unwrap_or(0)..range.start).unwrap_or_default(),
                    );
                    piece.extend_from_slice(MASK.as_bytes());
                    covered = Some(range.end);
                }
            }
        }
        let shown = covered.unwrap_or(0);
        self.covered = covered.and_then(|end| end.checked_sub(border));
        match (piece.is_empty(), self.held.get(shown..border).unwrap_or_default()) {
            (true, []) => {}
            (true, plain) => out(plain),
            (false, plain) => {
                piece.extend_from_slice(plain);
                out(&piece);
            }
        }
        self.held.drain(..border);
    }
}
