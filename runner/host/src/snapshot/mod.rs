//! Workspace snapshots (DESIGN 4): recording the covered directories at a moment and bringing them back exactly.
//!
//! The backend here needs no root and works on any file system: a stat cache finds what changed, contents live in
//! packs addressed by blake3, directories are nodes that snapshots share. [`Store::take`] records, [`Store::diff`]
//! and its siblings look, [`Store::restore`] brings back. While lanes are frozen a [`ParkingLot`] puts aside what
//! would be removed, and [`Store::unpark`] brings the very same files back.
//!
//! Knows nothing of jobs, moments, the journal or what else going back means: the session orders these calls
//! (`RestoreBegin`, restore, `RestoreEnd`) and keeps the ids.

mod beneath;
mod cache;
mod diff;
mod error;
mod fault;
mod id;
mod listing;
mod manifest;
mod node_cache;
mod packs;
mod park;
mod read;
mod record;
mod restore;
mod roots;
mod seal;
mod stat;
mod store;
mod thin;
mod vault;
mod walk;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as os;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
use macos as os;

use std::ffi::CStr;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

pub use diff::{Change, ChangeKind};
pub use error::{RestoreError, SnapshotError};
pub use id::{ContentId, NotAnId, SnapshotId};
pub use packs::Syncer;
pub use park::ParkingLot;
pub use read::{EntryInfo, Presence};
pub use restore::{RestoreMode, RestoreReport};
pub use roots::{Root, Roots, RootsError};
pub use stat::{FileType, Time};
pub use store::{Store, Taken};
pub use thin::Thinned;
pub use vault::Vault;
pub use walk::{ChangeSummary, Note, NoteKind};

/// `dir/name`, for a `dir` that is empty at the root.
fn join(dir: &[u8], name: &[u8]) -> Vec<u8> {
    let mut path = Vec::with_capacity(dir.len() + name.len() + 1);
    path.extend_from_slice(dir);
    if !dir.is_empty() && !name.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path
}

fn to_path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(std::ffi::OsString::from_vec(bytes.to_vec()))
}

fn split(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

/// Opens the directory `path`, relative to `root`, through no symbolic link and never outside of it.
pub(crate) fn open_beneath(root: BorrowedFd<'_>, path: &[u8]) -> io::Result<OwnedFd> {
    os::open_dir(root, path)
}

/// Removes `name` with all it holds, through no symbolic link. Being absent already is no error.
pub(crate) fn remove_all(dir: BorrowedFd<'_>, name: &CStr) -> io::Result<()> {
    beneath::remove_all(dir, name)
}

/// Renames without ever replacing something that has the new name.
pub(crate) fn rename_new(
    from: BorrowedFd<'_>,
    name: &CStr,
    to: BorrowedFd<'_>,
    new: &CStr,
) -> io::Result<()> {
    os::rename_new(from, name, to, new)
}

/// Directory and last name of a relative path.
fn parent(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (path.get(..slash).unwrap_or_default(), path.get(slash + 1..).unwrap_or_default()),
        None => (&[], path),
    }
}

#[cfg(test)]
mod tests;
