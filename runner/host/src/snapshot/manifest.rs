//! What a snapshot says about a tree: one node per directory, sorted by name, addressed by its hash, so that
//! directories that did not change are shared between snapshots.
//!
//! Knows nothing of files on disk, stored bytes (`codec`) or packs.

use std::sync::Arc;

use super::id::Digest;
use super::stat::{FileType, Time};

/// Name and value of one extended attribute.
pub(super) type Xattr = (Box<[u8]>, Box<[u8]>);

/// What can be set on any kind of entry without touching its content.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Meta {
    /// Permission bits, 0 to 0o7777.
    pub(super) mode: u32,
    pub(super) mtime: Time,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) xattrs: Option<Arc<[Xattr]>>,
}

/// Where a file's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// One blob; an empty file has the hash of nothing, which is never stored.
    Blob(Digest),
    /// A list of hashes of 1 MiB chunks, itself stored.
    Chunks(Digest),
}

impl Content {
    pub(super) fn digest(&self) -> &Digest {
        match self {
            Self::Blob(digest) | Self::Chunks(digest) => digest,
        }
    }
}

/// (offset, length) pairs.
pub(super) type Holes = Option<Box<[(u64, u64)]>>;

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    File {
        size: u64,
        content: Content,
        holes: Holes,
        /// Equal for all names of one inode within the covered roots; absent where there is one name.
        group: Option<u64>,
        /// The file changed while it was read, four times in a row: the content may be a mix.
        unstable: bool,
    },
    Dir {
        node: Digest,
        content: Digest,
    },
    Symlink {
        target: Box<[u8]>,
    },
    Fifo,
    Socket,
    Device {
        block: bool,
        rdev: u64,
    },
    /// There, but its content could not be read.
    Unreadable {
        of: FileType,
        size: u64,
    },
}

impl Kind {
    pub(super) fn file_type(&self) -> FileType {
        match self {
            Self::File { .. } => FileType::File,
            Self::Dir { .. } => FileType::Dir,
            Self::Symlink { .. } => FileType::Symlink,
            Self::Fifo => FileType::Fifo,
            Self::Socket => FileType::Socket,
            Self::Device { block: true, .. } => FileType::BlockDevice,
            Self::Device { block: false, .. } => FileType::CharDevice,
            Self::Unreadable { of, .. } => *of,
        }
    }

    /// The size in bytes of what the entry holds; 0 for all but files and links.
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::File { size, .. } | Self::Unreadable { size, .. } => *size,
            Self::Symlink { target } => target.len() as u64,
            _ => 0,
        }
    }

    /// Whether both hold the same, whatever their metadata, hard links and directory entries.
    pub(super) fn same_content(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::File { size, content, holes, .. },
                Self::File { size: other_size, content: other_content, holes: other_holes, .. },
            ) => size == other_size && content == other_content && holes == other_holes,
            (Self::Dir { .. }, Self::Dir { .. }) => true,
            (one, other) => one == other,
        }
    }
}

/// One name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: Box<[u8]>,
    pub(super) meta: Meta,
    pub(super) kind: Kind,
}

/// A directory's entries, sorted by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Node {
    pub(super) entries: Vec<Entry>,
}

impl Node {
    pub(super) fn get(&self, name: &[u8]) -> Option<&Entry> {
        let at = self.entries.binary_search_by(|entry| (*entry.name).cmp(name)).ok()?;
        self.entries.get(at)
    }
}

/// One root of a snapshot. `top` is absent where the directory was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RootRecord {
    pub(super) name: String,
    /// The root directory itself, with an empty name; its kind is `Dir`.
    pub(super) top: Option<Entry>,
}

/// The stored form of a snapshot: its roots in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Snapshot {
    pub(super) roots: Vec<RootRecord>,
}

/// Whose files carry no owner of their own in a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Owner {
    pub(super) fn of_this_process() -> Self {
        Self { uid: rustix::process::geteuid().as_raw(), gid: rustix::process::getegid().as_raw() }
    }
}
