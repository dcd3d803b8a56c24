//! Archives made for a test, byte by byte: honest crates would not write most of them.

use std::io::{Cursor, Read, Write as _};

use flate2::Compression;
use flate2::read::GzEncoder;
use tar::{EntryType, Header};

const BLOCK: usize = 512;

/// An archive, before it is compressed.
#[derive(Clone, Default)]
pub(super) struct Tape {
    bytes: Vec<u8>,
}

impl Tape {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// A member with a header of its own making.
    pub(super) fn header(mut self, change: impl FnOnce(&mut Header), data: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(data.len() as u64);
        header.set_entry_type(EntryType::Regular);
        change(&mut header);
        header.set_cksum();
        self.bytes.extend_from_slice(header.as_bytes());
        self.data(data)
    }

    /// Bytes, filled up to a whole block.
    pub(super) fn data(mut self, data: &[u8]) -> Self {
        self.bytes.extend_from_slice(data);
        self.bytes.resize(self.bytes.len().next_multiple_of(BLOCK), 0);
        self
    }

    pub(super) fn member(self, kind: EntryType, name: &str, link: &str, data: &[u8]) -> Self {
        let change = |header: &mut Header| {
            header.set_entry_type(kind);
            put(&mut header.as_old_mut().name, name.as_bytes());
            put(&mut header.as_old_mut().linkname, link.as_bytes());
        };
        self.header(change, data)
    }

    pub(super) fn file(self, name: &str) -> Self {
        self.member(EntryType::Regular, name, "", b"text")
    }

    pub(super) fn mode(self, name: &str, mode: u32) -> Self {
        let change = |header: &mut Header| {
            put(&mut header.as_old_mut().name, name.as_bytes());
            header.set_mode(mode);
        };
        self.header(change, b"text")
    }

    pub(super) fn folder(self, name: &str) -> Self {
        self.member(EntryType::Directory, name, "", b"")
    }

    pub(super) fn symlink(self, name: &str, target: &str) -> Self {
        self.member(EntryType::Symlink, name, target, b"")
    }

    pub(super) fn hard_link(self, name: &str, target: &str) -> Self {
        self.member(EntryType::Link, name, target, b"")
    }

    /// A pax record about the next member, or with `global` about all.
    pub(super) fn pax(self, global: bool, records: &[(&str, &[u8])]) -> Self {
        let kind = if global { EntryType::XGlobalHeader } else { EntryType::XHeader };
        let data: Vec<u8> = records.iter().flat_map(|(key, value)| record(key, value)).collect();
        self.member(kind, "pax", "", &data)
    }

    /// The archive with its end.
    pub(super) fn end(mut self) -> Vec<u8> {
        self.bytes.resize(self.bytes.len() + 2 * BLOCK, 0);
        self.bytes
    }

    pub(super) fn gzip(self) -> Vec<u8> {
        gzip(&self.end())
    }

    /// Without an end, and with so many zeros behind it. They are made when they are read.
    pub(super) fn then_zeros(self, count: u64) -> Box<dyn Read> {
        let zeros = std::io::repeat(0).take(count);
        Box::new(GzEncoder::new(Cursor::new(self.bytes).chain(zeros), Compression::fast()))
    }
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// `LENGTH KEY=VALUE\n`, the length that of the whole.
fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let length = (rest..).find(|length| rest + length.to_string().len() == *length).unwrap();
    let mut bytes = format!("{length} {key}=").into_bytes();
    bytes.extend_from_slice(value);
    bytes.push(b'\n');
    bytes
}

pub(super) fn put(field: &mut [u8], bytes: &[u8]) {
    field[..bytes.len()].copy_from_slice(bytes);
}
