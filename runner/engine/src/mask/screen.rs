//! A fast "surely nothing here": finds the first place where one of many patterns *may* start, skipping
//! several bytes at a time (Wu and Manber's shift table over hashed three-byte groups). Exact for "no",
//! a guess for "yes": the automaton decides. Knows bytes and patterns, not what a secret is.

const GROUP: usize = 3;
const TABLE_BITS: u32 = 15;
const TABLE: usize = 1 << TABLE_BITS;
/// Longer windows skip further but fill the table; beyond this nothing is gained.
const WINDOW_MAX: usize = 24;

/// The table for one set of patterns. About 32 KiB, built in microseconds.
#[derive(Clone)]
pub(super) struct Screen {
    window: usize,
    shifts: Box<[u8]>,
    // The first (up to eight) bytes of each pattern, sorted: the check behind a zero shift.
    heads: Vec<u64>,
}

impl Screen {
    /// `None` if there is no pattern or one is shorter than three bytes, where no skipping is possible.
    pub(super) fn new<'p>(patterns: impl Iterator<Item = &'p [u8]> + Clone) -> Option<Self> {
        let window = patterns.clone().map(<[u8]>::len).min()?.min(WINDOW_MAX);
        if window < GROUP {
            return None;
        }
        let default = u8::try_from(window - GROUP + 1).unwrap_or(u8::MAX);
        let mut shifts = vec![default; TABLE].into_boxed_slice();
        let mut heads = Vec::new();
        for pattern in patterns {
            let head = pattern.get(..window).unwrap_or(pattern);
            for (from_end, group) in head.windows(GROUP).rev().enumerate() {
                if let Some(shift) = group.first_chunk().and_then(|group| shifts.get_mut(hash(*group))) {
                    *shift = (*shift).min(u8::try_from(from_end).unwrap_or(u8::MAX));
                }
            }
            heads.push(pack(head));
        }
        heads.sort_unstable();
        heads.dedup();
        Some(Self { window, shifts, heads })
    }

    /// The first offset at or after `from` where a pattern may start.
    pub(super) fn find(&self, text: &[u8], from: usize) -> Option<usize> {
        let mut at = from;
        loop {
            let group = text.get(at + self.window - GROUP..)?.first_chunk()?;
            match self.shifts.get(hash(*group)).copied().unwrap_or(0) {
                0 => {
                    let head = pack(text.get(at..at + self.window)?);
                    if self.heads.binary_search(&head).is_ok() {
                        return Some(at);
                    }
                    at += 1;
                }
                shift => at += usize::from(shift),
            }
        }
    }
}

fn hash([a, b, c]: [u8; GROUP]) -> usize {
    let group = u32::from_le_bytes([a, b, c, 0]);
    (group.wrapping_mul(0x9E37_79B1) >> (32 - TABLE_BITS)) as usize
}

fn pack(head: &[u8]) -> u64 {
    match head.first_chunk::<8>() {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => head.iter().fold(0, |packed, &byte| packed << 8 | u64::from(byte)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn never_misses(
            patterns in proptest::collection::vec(proptest::collection::vec(0u8..4, 3..30), 1..8),
            text in proptest::collection::vec(0u8..4, 0..200),
            from in 0usize..20,
        ) {
            let screen = Screen::new(patterns.iter().map(Vec::as_slice)).expect("long enough");
            let first = (from..text.len()).find(|&at| patterns.iter().any(|pattern| text[at..].starts_with(pattern)));
            if let Some(first) = first {
                prop_assert!(screen.find(&text, from).is_some_and(|found| found <= first));
            }
        }
    }

    #[test]
    fn two_byte_patterns_cannot_be_screened() {
        assert!(Screen::new([b"ab".as_slice()].into_iter()).is_none());
        assert!(Screen::new(std::iter::empty()).is_none());
    }
}
