//! What a walk found out, besides the tree: how much changed, and what a person should know of.
//!
//! Knows nothing of how a walk goes.

use std::path::PathBuf;

use super::cache::Cached;
use super::roots::Root;
use super::to_path;

/// Something about a covered tree that a person should know of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// Name of the root.
    pub root: String,
    /// Path within it.
    pub path: PathBuf,
    /// What about it.
    pub kind: NoteKind,
}

/// What a [`Note`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoteKind {
    /// The system did not let us read it: recorded as there, without content.
    Unreadable,
    /// It changed each time it was read; the content may be a mix.
    Unstable,
    /// A socket: recorded, cannot be recreated.
    Socket,
    /// A device: recorded, not recreated.
    Device,
    /// It went away or changed its type during the look.
    Vanished,
    /// The root is not a directory, or is reached through a symbolic link.
    NotADirectory,
    /// The owner, mode or an extended attribute could not be set.
    MetadataRefused,
    /// A directory stayed because something left out of the snapshot is in it.
    HoldsExcluded,
}

/// How the tree differs from the look before; directories that only got another modification time do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChangeSummary {
    /// Files, links and the like that were not there.
    pub created: u64,
    /// Files whose content, or entries whose type or link target, is another.
    pub modified: u64,
    /// Files, links and the like that are gone.
    pub deleted: u64,
    /// Entries of which only mode, owner, times or extended attributes are others.
    pub metadata: u64,
    /// Directories that were not there.
    pub dirs_created: u64,
    /// Directories that are gone.
    pub dirs_deleted: u64,
    /// Bytes added to the store.
    pub stored_bytes: u64,
}

impl ChangeSummary {
    /// Whether nothing a person would call a change happened.
    pub fn is_empty(&self) -> bool {
        Self { stored_bytes: 0, ..*self } == Self::default()
    }

    fn add(&mut self, other: &Self) {
        self.created += other.created;
        self.modified += other.modified;
        self.deleted += other.deleted;
        self.metadata += other.metadata;
        self.dirs_created += other.dirs_created;
        self.dirs_deleted += other.dirs_deleted;
        self.stored_bytes += other.stored_bytes;
    }
}

/// What a walk found, besides the cache it brought up to date.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) changes: ChangeSummary,
    pub(super) notes: Vec<Note>,
    /// Any entry differs from its directory's node.
    pub(super) changed: bool,
    /// Files with more than one link were seen.
    pub(super) links: bool,
}

impl Found {
    pub(super) fn note(&mut self, root: &Root, path: &[u8], kind: NoteKind) {
        self.notes.push(Note { root: root.name().to_owned(), path: to_path(path), kind });
    }

    pub(super) fn deleted(&mut self, gone: &Cached) {
        if gone.is_unknown() {
            return;
        }
        let (files, dirs) = gone.count();
        self.changes.deleted += files;
        self.changes.dirs_deleted += dirs;
        self.changed = true;
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.changes.add(&other.changes);
        self.notes.extend(other.notes);
        self.changed |= other.changed;
        self.links |= other.links;
    }

    pub(super) fn finish(mut self) -> Self {
        self.notes.sort();
        self
    }
}
