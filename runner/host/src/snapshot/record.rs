//! Reading one file into the store: content, holes, extended attributes, and proof that it stood still meanwhile.
//!
//! Knows nothing of directories or of what was there before.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use rustix::io::Errno;

use super::error::SnapshotError;
use super::id::Digest;
use super::manifest::{Content, Holes, Kind, Xattr};
use super::packs::{Object, Packs};
use super::stat::Stat;
use super::{beneath, os};

/// Files above this many bytes are stored in chunks, so that one changed byte costs one chunk.
pub(super) const WHOLE_LIMIT: u64 = 4 << 20;
/// Size of a chunk in bytes.
pub(super) const CHUNK: usize = 1 << 20;
/// A secret that lies across the end of a chunk is found if it has no more bytes than this; those that people use have a
/// few thousand at most.
const EDGE: usize = 16 << 10;
/// A file that changes while it is read is read again this often, then marked unstable.
const RETRIES: u32 = 3;

/// Where hashed bytes go.
pub(super) enum Sink<'p> {
    /// Into the packs.
    Store(Mutex<&'p mut Packs>),
    /// Nowhere: only the hashes are wanted.
    Look(&'p Packs),
}

impl<'p> Sink<'p> {
    pub(super) fn store(packs: &'p mut Packs) -> Self {
        Self::Store(Mutex::new(packs))
    }

    pub(super) fn stores(&self) -> bool {
        matches!(self, Self::Store(_))
    }

    /// Returns the bytes this took in the store.
    pub(super) fn put(&self, kind: Object, digest: Digest, bytes: &[u8]) -> Result<u64, SnapshotError> {
        match self {
            Self::Store(packs) => {
                packs.lock().unwrap_or_else(PoisonError::into_inner).put(kind, digest, bytes)
            }
            Self::Look(_) => Ok(0),
        }
    }

    /// The same for contents of a file; `around` gives what stands at their edges, if somebody has to look.
    pub(super) fn put_content(
        &self,
        digest: Digest,
        bytes: &[u8],
        around: impl FnOnce() -> Vec<Vec<u8>>,
    ) -> Result<u64, SnapshotError> {
        match self {
            Self::Store(packs) => {
                packs.lock().unwrap_or_else(PoisonError::into_inner).put_content(digest, bytes, around)
            }
            Self::Look(_) => Ok(0),
        }
    }

    /// Whether an object that was just put, or only hashed, is in the store.
    pub(super) fn has(&self, digest: &Digest) -> bool {
        match self {
            Self::Store(_) => true,
            Self::Look(packs) => packs.contains(digest),
        }
    }

    pub(super) fn has_content(&self, kind: &Kind) -> bool {
        match kind {
            Kind::File { size, content, .. } => *size == 0 || self.has(content.digest()),
            _ => true,
        }
    }
}

/// A file as it was read.
pub(super) struct FileRecord {
    pub(super) stat: Stat,
    pub(super) kind: Kind,
    pub(super) xattrs: Vec<Xattr>,
    pub(super) stored_bytes: u64,
}

/// Why a file was not read.
pub(super) enum Unread {
    /// It is gone or of another type by now: look at it again.
    Raced,
    /// The system does not let us.
    Refused,
    /// The snapshot cannot be taken.
    Fatal(SnapshotError),
}

impl Unread {
    pub(super) fn from_io(error: io::Error) -> Self {
        match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::NOENT | Errno::LOOP | Errno::NXIO | Errno::NOTDIR | Errno::MLINK) => Self::Raced,
            Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM) => {
                Self::Fatal(SnapshotError::io("open", Path::new("a file of the workspace"), error))
            }
            _ => Self::Refused,
        }
    }
}

impl From<SnapshotError> for Unread {
    fn from(error: SnapshotError) -> Self {
        Self::Fatal(error)
    }
}

/// Reads the regular file `name`, whose state was `before` when it was listed.
pub(super) fn read_file(
    dir: BorrowedFd<'_>,
    name: &CStr,
    before: &Stat,
    sink: &Sink<'_>,
    buffer: &mut Vec<u8>,
) -> Result<FileRecord, Unread> {
    let file = beneath::open_read(dir, name).map_err(Unread::from_io)?;
    let mut before = *before;
    let mut stored_bytes = 0;
    for attempt in 0..=RETRIES {
        let holes: Holes =
            beneath::holes(file.as_fd(), before.size).map_err(Unread::from_io)?.map(Vec::into_boxed_slice);
        let read = read_content(file.as_fd(), before.size, &holes, sink, buffer)?;
        let xattrs = beneath::xattrs(file.as_fd()).map_err(Unread::from_io)?;
        let after = os::stat_fd(file.as_fd()).map_err(Unread::from_io)?;
        if after.file_type() != super::stat::FileType::File {
            return Err(Unread::Raced);
        }
        stored_bytes += read.stored_bytes;
        let steady = after == before && read.size == after.size;
        if steady || attempt == RETRIES {
            let kind =
                Kind::File { size: read.size, content: read.content, holes, group: None, unstable: !steady };
            return Ok(FileRecord { stat: after, kind, xattrs, stored_bytes });
        }
        before = after;
    }
    Err(Unread::Raced)
}

struct ReadContent {
    content: Content,
    size: u64,
    stored_bytes: u64,
}

fn read_content(
    file: BorrowedFd<'_>,
    expected: u64,
    holes: &Holes,
    sink: &Sink<'_>,
    buffer: &mut Vec<u8>,
) -> Result<ReadContent, Unread> {
    if expected > WHOLE_LIMIT {
        return read_chunks(file, expected, holes, sink, buffer);
    }
    let wanted = usize::try_from(expected).unwrap_or(0);
    let bytes = read_at(file, buffer, 0, wanted)?;
    let digest = Digest::of(bytes);
    let stored_bytes = if bytes.is_empty() { 0 } else { sink.put_content(digest, bytes, Vec::new)? };
    Ok(ReadContent { content: Content::Blob(digest), size: bytes.len() as u64, stored_bytes })
}

fn read_chunks(
    file: BorrowedFd<'_>,
    expected: u64,
    holes: &Holes,
    sink: &Sink<'_>,
    buffer: &mut Vec<u8>,
) -> Result<ReadContent, Unread> {
    let mut list = Vec::new();
    let (mut at, mut stored_bytes) = (0, 0);
    while at < expected {
        let wanted = usize::try_from(expected - at).unwrap_or(usize::MAX).min(CHUNK);
        if wanted == CHUNK && inside_hole(holes, at, CHUNK as u64) {
            list.extend_from_slice(zero_chunk().as_bytes());
            at += CHUNK as u64;
            continue;
        }
        let bytes = read_at(file, buffer, at, wanted)?;
        if bytes.is_empty() {
            break;
        }
        let digest = Digest::of(bytes);
        if digest != *zero_chunk() {
            stored_bytes += sink.put_content(digest, bytes, || edges(file, at, bytes.len() as u64))?;
        }
        list.extend_from_slice(digest.as_bytes());
        at += bytes.len() as u64;
        if bytes.len() < wanted {
            break;
        }
    }
    let digest = Digest::of(&list);
    stored_bytes += sink.put(Object::Chunks, digest, &list)?;
    Ok(ReadContent { content: Content::Chunks(digest), size: at, stored_bytes })
}

/// What stands across both ends of a chunk. A chunk that holds only a part of a secret is secret too.
fn edges(file: BorrowedFd<'_>, start: u64, length: u64) -> Vec<Vec<u8>> {
    let across = |at: u64| {
        let mut bytes = Vec::new();
        let from = at.saturating_sub(EDGE as u64);
        // What cannot be read now changes: the file is read again.
        let read = read_at(file, &mut bytes, from, 2 * EDGE).map_or(0, <[u8]>::len);
        bytes.truncate(read);
        bytes
    };
    [start, start + length].into_iter().filter(|at| *at > 0).map(across).collect()
}

fn inside_hole(holes: &Holes, offset: u64, length: u64) -> bool {
    holes
        .iter()
        .flat_map(|holes| holes.iter())
        .any(|(start, size)| *start <= offset && offset + length <= start + size)
}

/// The hash of a chunk of zeros, which is known and never stored.
pub(super) fn zero_chunk() -> &'static Digest {
    static ZERO: OnceLock<Digest> = OnceLock::new();
    ZERO.get_or_init(|| Digest::of(&vec![0; CHUNK]))
}

/// Reads until `wanted` bytes or the end of the file; `buffer` only ever grows, so that it is cleared once.
fn read_at<'b>(
    file: BorrowedFd<'_>,
    buffer: &'b mut Vec<u8>,
    offset: u64,
    wanted: usize,
) -> Result<&'b [u8], Unread> {
    if buffer.len() < wanted {
        buffer.resize(wanted.next_power_of_two(), 0);
    }
    let mut filled = 0;
    while let Some(room) = buffer.get_mut(filled..wanted).filter(|room| !room.is_empty()) {
        match rustix::io::pread(file, room, offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(Errno::INTR) => {}
            Err(error) => return Err(Unread::from_io(error.into())),
        }
    }
    Ok(buffer.get(..filled).unwrap_or_default())
}
