//! The names of one directory in one buffer, so that listing ten thousand files allocates nothing.
//!
//! Knows nothing of what the names stand for.

use std::ffi::CStr;

/// Names in the order the file system gave them, each with its closing NUL, in one reusable buffer.
#[derive(Default)]
pub(super) struct Listing {
    bytes: Vec<u8>,
    spans: Vec<(usize, usize)>,
}

impl Listing {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.spans.clear();
    }

    /// Adds a name unless it is `.` or `..`.
    pub(super) fn push(&mut self, name: &CStr) {
        if name == c"." || name == c".." {
            return;
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(name.to_bytes_with_nul());
        self.spans.push((start, self.bytes.len()));
    }

    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    /// Forgets the names for which `keep` says no.
    pub(super) fn retain(&mut self, keep: impl Fn(&[u8]) -> bool) {
        let bytes = &self.bytes;
        self.spans.retain(|(start, end)| bytes.get(*start..end - 1).is_some_and(&keep));
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &CStr> {
        let name = |(start, end): &(usize, usize)| self.bytes.get(*start..*end);
        self.spans.iter().filter_map(name).filter_map(|name| CStr::from_bytes_with_nul(name).ok())
    }
}
