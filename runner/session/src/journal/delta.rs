//! What differs between two byte strings, as copies from the old and insertions of new bytes. It does not
//! know what a state is; it bets that most of it stays and stays in order.
//!
//! A delta is a row of operations, each a LEB128 number `n`: odd means copy `n >> 1` bytes, followed by a
//! zigzag number, the distance from the end of the copy before; even means insert the `n >> 1` bytes that
//! follow. Common ends are found by comparing, the middle by a table of the old middle's 16-byte blocks.

/// Length of a block in the table, and the shortest copy from the middle, in bytes.
const BLOCK: usize = 16;
/// After this many misses (as a power of two) the search skips ahead by one more byte, so that new text costs
/// little to search.
const SKIP_SHIFT: u32 = 5;

/// Makes deltas; keeps its table between calls.
#[derive(Debug, Default)]
pub(super) struct DeltaEncoder {
    table: Vec<u32>,
}

impl DeltaEncoder {
    /// The delta that turns `old` into `new`.
    pub(super) fn encode(&mut self, old: &[u8], new: &[u8]) -> Vec<u8> {
        let front = common_front(old, new);
        let (old_rest, new_rest) = (tail(old, front), tail(new, front));
        let back = common_back(old_rest, new_rest);
        let old_middle = head(old_rest, old_rest.len() - back);
        let new_middle = head(new_rest, new_rest.len() - back);
        let mut out = Output { bytes: Vec::with_capacity(64), expected: 0 };
        out.copy(0, front);
        self.middle(old_middle, new_middle, front, &mut out);
        out.copy(old.len() - back, back);
        out.bytes
    }

    /// The operations for the middle, which begins at `base` of the old string.
    fn middle(&mut self, old: &[u8], new: &[u8], base: usize, out: &mut Output) {
        self.index(old);
        let (mut at, mut literal, mut misses) = (0, 0, 0_usize);
        // Where the old string stands when the next bytes are unchanged: edits in place are found without a table.
        let mut diagonal = 0_usize;
        while let Some(block) = block(new, at) {
            let Some(found) = self.find(old, block, (at - literal) + diagonal) else {
                misses += 1;
                at += 1 + (misses >> SKIP_SHIFT);
                continue;
            };
            let before = common_back(head(old, found), new.get(literal..at).unwrap_or_default());
            let length = before + common_front(tail(old, found), tail(new, at));
            out.insert(new.get(literal..at - before).unwrap_or_default());
            out.copy(base + found - before, length);
            at += length - before;
            (literal, misses, diagonal) = (at, 0, found - before + length);
        }
        out.insert(tail(new, literal));
    }

    /// Puts every block of `old` into the table, later ones over earlier ones; position + 1, zero is empty.
    fn index(&mut self, old: &[u8]) {
        let slots = (old.len() / BLOCK * 2).next_power_of_two().max(2);
        self.table.clear();
        self.table.resize(slots, 0);
        for (number, block) in old.chunks_exact(BLOCK).enumerate() {
            if let Some(block) = block.first_chunk() {
                let slot = self.slot(block);
                if let Some(entry) = self.table.get_mut(slot) {
                    *entry = (number * BLOCK + 1) as u32;
                }
            }
        }
    }

    /// Where `wanted` stands in `old`: at `guess`, or where the table says.
    fn find(&self, old: &[u8], wanted: &[u8; BLOCK], guess: usize) -> Option<usize> {
        if block(old, guess) == Some(wanted) {
            return Some(guess);
        }
        let position = (*self.table.get(self.slot(wanted))? as usize).checked_sub(1)?;
        (block(old, position) == Some(wanted)).then_some(position)
    }

    fn slot(&self, block: &[u8; BLOCK]) -> usize {
        let value = u128::from_le_bytes(*block);
        let mixed =
            (value as u64 ^ ((value >> 64) as u64).rotate_left(29)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        // The table has a power of two of slots; the high bits are the well mixed ones.
        (mixed >> (64 - self.table.len().trailing_zeros())) as usize
    }
}

/// Why a delta cannot be applied: it is not one, or not for this string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadDelta;

/// The new string, which has `length` bytes, from `old` and `delta`.
pub(super) fn apply(old: &[u8], mut delta: &[u8], length: usize) -> Result<Vec<u8>, BadDelta> {
    let mut out = Vec::with_capacity(length);
    let mut expected = 0_usize;
    while !delta.is_empty() {
        let operation = number(&mut delta)?;
        let count = usize::try_from(operation >> 1).map_err(|_| BadDelta)?;
        if count > length - out.len() {
            return Err(BadDelta);
        }
        if operation & 1 == 0 {
            let (inserted, rest) = delta.split_at_checked(count).ok_or(BadDelta)?;
            out.extend_from_slice(inserted);
            delta = rest;
        } else {
            let start = offset(expected, number(&mut delta)?)?;
            let end = start.checked_add(count).ok_or(BadDelta)?;
            out.extend_from_slice(old.get(start..end).ok_or(BadDelta)?);
            expected = end;
        }
    }
    if out.len() == length { Ok(out) } else { Err(BadDelta) }
}

struct Output {
    bytes: Vec<u8>,
    expected: usize,
}

impl Output {
    fn insert(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            put(&mut self.bytes, (bytes.len() as u64) << 1);
            self.bytes.extend_from_slice(bytes);
        }
    }

    fn copy(&mut self, start: usize, count: usize) {
        if count > 0 {
            let distance = start as i64 - self.expected as i64;
            put(&mut self.bytes, (count as u64) << 1 | 1);
            put(&mut self.bytes, (distance << 1 ^ distance >> 63) as u64);
            self.expected = start + count;
        }
    }
}

fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn number(delta: &mut &[u8]) -> Result<u64, BadDelta> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = delta.split_first().ok_or(BadDelta)?;
        *delta = rest;
        value |= u64::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(BadDelta)
}

fn offset(expected: usize, zigzag: u64) -> Result<usize, BadDelta> {
    let distance = (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);
    let distance = isize::try_from(distance).map_err(|_| BadDelta)?;
    expected.checked_add_signed(distance).ok_or(BadDelta)
}

fn common_front(a: &[u8], b: &[u8]) -> usize {
    let wide = a.chunks_exact(32).zip(b.chunks_exact(32)).take_while(|(a, b)| a == b).count() * 32;
    wide + tail(a, wide).iter().zip(tail(b, wide)).take_while(|(a, b)| a == b).count()
}

fn common_back(a: &[u8], b: &[u8]) -> usize {
    let wide = a.rchunks_exact(32).zip(b.rchunks_exact(32)).take_while(|(a, b)| a == b).count() * 32;
    let (a, b) = (head(a, a.len() - wide), head(b, b.len() - wide));
    wide + a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count()
}

fn block(bytes: &[u8], at: usize) -> Option<&[u8; BLOCK]> {
    bytes.get(at..)?.first_chunk()
}

fn head(bytes: &[u8], count: usize) -> &[u8] {
    bytes.get(..count).unwrap_or(bytes)
}

fn tail(bytes: &[u8], count: usize) -> &[u8] {
    bytes.get(count..).unwrap_or_default()
}
