//! What can go wrong with snapshots, in words a person can act on.

use std::io;
use std::path::{Path, PathBuf};

use super::id::SnapshotId;

/// Why a snapshot could not be taken, read or kept.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Another process holds the store.
    #[error(
        "the snapshot store {0} is in use by another process; end it, or open the store for reading only"
    )]
    Locked(PathBuf),
    /// The store was opened for reading only.
    #[error("the snapshot store {0} is open for reading only")]
    ReadOnly(PathBuf),
    /// The disk is full. The store is as it was before the call.
    #[error("no space left for snapshots in {0}; free some, or thin the store")]
    NoSpace(PathBuf),
    /// The store has never seen this snapshot, or lost it in a crash before it was written.
    #[error("snapshot {0} is not in this store; its moment can be viewed without files")]
    Unknown(SnapshotId),
    /// The snapshot has no such root or path.
    #[error("the snapshot has no {path} in `{root}`")]
    NotFound {
        /// Name of the root.
        root: String,
        /// Path within it.
        path: PathBuf,
    },
    /// The path is not a regular file, or was one that could not be read.
    #[error("{0} is not a file that can be read")]
    NotAFile(PathBuf),
    /// The file's bytes were dropped by thinning, or lost in a crash.
    #[error("the content of {0} is no longer stored; its size and hash still are")]
    ContentGone(PathBuf),
    /// The file holds a secret, and its bytes were sealed under a key that is not here.
    #[error("the content of {0} is left out: it holds a secret and was sealed on another machine")]
    Sealed(PathBuf),
    /// Stored bytes do not have the form they were written in.
    #[error("the snapshot store is damaged at {0}; moments that need it can be viewed without files")]
    Damaged(String),
    /// A file-system call failed.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl SnapshotError {
    pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace(path.to_owned()),
            _ => Self::Io { action, path: path.to_owned(), source },
        }
    }
}

/// Why files could not be brought back. Where something had been changed already, the same call made again finishes
/// it, and going to any other snapshot still works.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The store could not give or take what was needed.
    #[error(transparent)]
    Store(#[from] SnapshotError),
    /// Contents the target needs are gone; nothing was changed.
    #[error(
        "{count} files of snapshot {target} have no stored content, {example} for one; nothing was changed"
    )]
    WithoutFiles {
        /// Where the restore was to lead.
        target: SnapshotId,
        /// How many files.
        count: usize,
        /// One of them.
        example: PathBuf,
    },
    /// The snapshot covers other roots than the ones given; nothing was changed.
    #[error("the snapshot does not cover `{0}`; nothing was changed")]
    OtherRoots(String),
    /// A file could not be put aside on its own file system.
    #[error("{path} cannot be put aside, so it cannot be brought back untouched: {source}")]
    CannotPark {
        /// What.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file-system call failed in the covered tree.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
