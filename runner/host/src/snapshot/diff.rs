//! What differs between two snapshots; directories that are shared are not even read.
//!
//! Knows nothing of why anything changed.

use std::path::PathBuf;

use super::error::SnapshotError;
use super::id::SnapshotId;
use super::manifest::{Entry, Kind};
use super::stat::FileType;
use super::store::{Store, Taken};
use super::walk::ChangeSummary;
use super::{join, to_path};

/// One path that differs between two snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Name of the root.
    pub root: String,
    /// Path within it; empty for the root itself.
    pub path: PathBuf,
    /// How it differs.
    pub kind: ChangeKind,
    /// Type and size in bytes before; `None` where nothing was there.
    pub before: Option<(FileType, u64)>,
    /// Type and size in bytes after; `None` where nothing is there.
    pub after: Option<(FileType, u64)>,
}

/// How a path differs; the first that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// It was not there.
    Created,
    /// It is no longer there.
    Deleted,
    /// Another type: a directory where a file was, for instance.
    TypeChanged,
    /// Another content or link target.
    Modified,
    /// Other permission bits.
    ModeChanged,
    /// Another owner, other extended attributes or hard links.
    MetadataChanged,
    /// Only another modification time. Not reported for directories.
    Touched,
}

impl Store {
    /// All paths that differ between `before` and `after`, sorted by root and path. A created or deleted directory
    /// is listed with everything in it.
    pub fn diff(&self, before: SnapshotId, after: SnapshotId) -> Result<Vec<Change>, SnapshotError> {
        let mut diff = Diff { store: self, root: String::new(), changes: Vec::new() };
        if before != after {
            let (before, after) = (self.snapshot(before)?, self.snapshot(after)?);
            for one in &before.roots {
                let other = after.roots.iter().find(|root| root.name == one.name);
                diff.root.clone_from(&one.name);
                diff.entries(b"", one.top.as_ref(), other.and_then(|root| root.top.as_ref()))?;
            }
            for new in after.roots.iter().filter(|new| before.roots.iter().all(|root| root.name != new.name))
            {
                diff.root.clone_from(&new.name);
                diff.entries(b"", None, new.top.as_ref())?;
            }
        }
        Ok(diff.changes)
    }

    /// The summary of a snapshot that was taken without a cache, against the one before.
    pub(super) fn summary(&self, before: SnapshotId, taken: &Taken) -> Result<ChangeSummary, SnapshotError> {
        let mut summary =
            ChangeSummary { stored_bytes: taken.changed.stored_bytes, ..ChangeSummary::default() };
        for change in self.diff(before, taken.id)? {
            let is_dir = |side: Option<(FileType, u64)>| side.is_some_and(|(of, _)| of == FileType::Dir);
            match change.kind {
                ChangeKind::Created if is_dir(change.after) => summary.dirs_created += 1,
                ChangeKind::Created => summary.created += 1,
                ChangeKind::Deleted if is_dir(change.before) => summary.dirs_deleted += 1,
                ChangeKind::Deleted => summary.deleted += 1,
                ChangeKind::TypeChanged | ChangeKind::Modified => summary.modified += 1,
                ChangeKind::ModeChanged | ChangeKind::MetadataChanged | ChangeKind::Touched => {
                    summary.metadata += u64::from(!is_dir(change.after));
                }
            }
        }
        Ok(summary)
    }
}

struct Diff<'s> {
    store: &'s Store,
    root: String,
    changes: Vec<Change>,
}

impl Diff<'_> {
    fn entries(
        &mut self,
        path: &[u8],
        before: Option<&Entry>,
        after: Option<&Entry>,
    ) -> Result<(), SnapshotError> {
        if before == after {
            return Ok(());
        }
        if let Some(kind) = compare(before, after) {
            let side = |entry: Option<&Entry>| entry.map(|entry| (entry.kind.file_type(), entry.kind.size()));
            self.changes.push(Change {
                root: self.root.clone(),
                path: to_path(path),
                kind,
                before: side(before),
                after: side(after),
            });
        }
        let node = |entry: Option<&Entry>| match entry.map(|entry| &entry.kind) {
            Some(Kind::Dir { node, .. }) => Some(*node),
            _ => None,
        };
        let (before, after) = (node(before), node(after));
        if before == after {
            return Ok(());
        }
        let load = |digest: Option<_>| digest.map(|digest| self.store.node(&digest)).transpose();
        let (before, after) = (load(before)?, load(after)?);
        let none = Vec::new();
        let before = before.as_ref().map_or(&none, |node| &node.entries);
        let after = after.as_ref().map_or(&none, |node| &node.entries);
        let (mut old, mut new) = (before.iter().peekable(), after.iter().peekable());
        loop {
            let (one, other) = match (old.peek(), new.peek()) {
                (None, None) => return Ok(()),
                (Some(_), None) => (old.next(), None),
                (None, Some(_)) => (None, new.next()),
                (Some(one), Some(other)) => match one.name.cmp(&other.name) {
                    std::cmp::Ordering::Less => (old.next(), None),
                    std::cmp::Ordering::Greater => (None, new.next()),
                    std::cmp::Ordering::Equal => (old.next(), new.next()),
                },
            };
            if let Some(entry) = one.or(other) {
                self.entries(&join(path, &entry.name), one, other)?;
            }
        }
    }
}

fn compare(before: Option<&Entry>, after: Option<&Entry>) -> Option<ChangeKind> {
    let (before, after) = match (before, after) {
        (None, None) => return None,
        (None, Some(_)) => return Some(ChangeKind::Created),
        (Some(_), None) => return Some(ChangeKind::Deleted),
        (Some(before), Some(after)) => (before, after),
    };
    let group = |entry: &Entry| if let Kind::File { group, .. } = entry.kind { group } else { None };
    let (one, other) = (&before.meta, &after.meta);
    Some(if before.kind.file_type() != after.kind.file_type() {
        ChangeKind::TypeChanged
    } else if !before.kind.same_content(&after.kind) {
        ChangeKind::Modified
    } else if one.mode != other.mode {
        ChangeKind::ModeChanged
    } else if (one.uid, one.gid, &one.xattrs) != (other.uid, other.gid, &other.xattrs)
        || group(before) != group(after)
    {
        ChangeKind::MetadataChanged
    } else if one.mtime != other.mtime && after.kind.file_type() != FileType::Dir {
        ChangeKind::Touched
    } else {
        return None;
    })
}
