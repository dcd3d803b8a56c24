//! The files of a job: its covered directories, the store of their snapshots, and what is parked.
//!
//! A thin layer over the snapshot store that says in the session's words what is wanted of it.

use std::path::{Path, PathBuf};

use host::snapshot::{
    Change, ChangeKind, ChangeSummary, EntryInfo, FileType, ParkingLot, RestoreMode, RestoreReport, Root,
    Roots, SnapshotId, Store,
};

use crate::notice::FileCounts;

/// The name of the root that holds the checked-out files.
pub const WORKSPACE: &str = "workspace";
/// Where git keeps what is its own, at the top of a repository or of one inside it.
const GIT: &str = ".git";

/// Whether a change is one of git's own books: kept and restored like all others, but nothing that a person changed.
pub(crate) fn is_of_git(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == GIT)
}

/// How files are put back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Overwritten and deleted as needed.
    Replace,
    /// Put aside, so that frozen lanes find the very same files again.
    Park,
}

/// Snapshots of one job's files.
pub struct Files {
    store: Store,
    /// `None`: what is in the store can be looked at, and no directory is touched.
    covered: Option<Covered>,
    /// The last look, with which the next one is compared.
    last: Option<SnapshotId>,
}

/// What snapshots are taken of, and what is put aside of it.
struct Covered {
    roots: Roots,
    lot: ParkingLot,
}

/// What a snapshot or a restore can fail with, in words for a person.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct FilesError(String);

fn failed(error: impl std::fmt::Display) -> FilesError {
    FilesError(error.to_string())
}

impl Files {
    /// Snapshots of `roots` in `store`; files are parked beside the store.
    ///
    /// # Errors
    /// The parking place cannot be made.
    pub fn new(store: Store, roots: Roots) -> Result<Self, FilesError> {
        let lot = ParkingLot::open(&store.dir().join("parked"), &roots).map_err(failed)?;
        Ok(Self { store, covered: Some(Covered { roots, lot }), last: None })
    }

    /// The snapshots in `store`, to be looked at.
    pub fn to_look_at(store: Store) -> Self {
        Self { store, covered: None, last: None }
    }

    fn covered(&mut self) -> Result<(&mut Store, &mut Covered), FilesError> {
        let covered = self.covered.as_mut();
        covered.map(|covered| (&mut self.store, covered)).ok_or_else(|| {
            FilesError("the files of a job that is only looked at are left where they are".to_owned())
        })
    }

    /// Takes a snapshot; the counts compare it with the look before, without git's own files.
    pub(crate) fn take(&mut self) -> Result<(SnapshotId, FileCounts), FilesError> {
        let (store, covered) = self.covered()?;
        let taken = store.take(&covered.roots).map_err(failed)?;
        let mut counts = counts(&taken.changed);
        if let (Some(last), true) = (self.last.replace(taken.id), counts != FileCounts::default()) {
            counts = counts_without_git(&self.diff(last, taken.id)?);
        }
        Ok((taken.id, counts))
    }

    /// What differs between two snapshots.
    pub(crate) fn diff(&self, from: SnapshotId, to: SnapshotId) -> Result<Vec<Change>, FilesError> {
        self.store.diff(from, to).map_err(failed)
    }

    /// A file's content in a snapshot.
    pub(crate) fn read(&self, id: SnapshotId, root: &str, path: &Path) -> Result<Vec<u8>, FilesError> {
        self.store.read(id, root, path).map_err(failed)
    }

    /// Files of a snapshot that hold a secret and whose key is not here.
    pub(crate) fn left_out(&self, id: SnapshotId) -> Result<Vec<PathBuf>, FilesError> {
        let left_out = self.store.left_out(id).map_err(failed)?;
        Ok(left_out.into_iter().map(|(_, path)| path).collect())
    }

    /// Where along `ids` a file of the workspace changed.
    pub(crate) fn history(
        &self,
        ids: &[SnapshotId],
        path: &Path,
    ) -> Result<Vec<(usize, Option<EntryInfo>)>, FilesError> {
        self.store.history(ids, WORKSPACE, path).map_err(failed)
    }

    /// Makes the directories equal to a snapshot.
    pub(crate) fn restore(
        &mut self,
        target: SnapshotId,
        manner: Manner,
    ) -> Result<RestoreReport, FilesError> {
        let (store, Covered { roots, lot }) = self.covered()?;
        let mode = match manner {
            Manner::Replace => RestoreMode::Replace,
            Manner::Park => RestoreMode::Park(lot),
        };
        let report = store.restore(target, roots, mode).map_err(failed)?;
        self.last = Some(target);
        Ok(report)
    }

    /// The newest moment's files again, the very same ones where they were parked.
    pub(crate) fn bring_back(&mut self, newest: SnapshotId) -> Result<RestoreReport, FilesError> {
        let (store, Covered { roots, lot }) = self.covered()?;
        if lot.is_empty() {
            return self.restore(newest, Manner::Replace);
        }
        let report = store.unpark(lot, newest, roots).map_err(failed)?;
        self.last = Some(newest);
        Ok(report)
    }

    /// Nobody will come back to what is parked.
    pub(crate) fn discard_parked(&mut self) -> Result<(), FilesError> {
        self.covered()?.1.lot.discard().map_err(failed)
    }

    /// The workspace of a snapshot as a copy in an empty directory.
    pub(crate) fn copy_workspace(&mut self, id: SnapshotId, to: &Path) -> Result<(), FilesError> {
        let (store, covered) = self.covered()?;
        let others = covered.roots.iter().filter(|root| root.name() != WORKSPACE);
        let elsewhere = others.map(|root| Root::new(root.name(), to.join(root.name())));
        let roots =
            Roots::new(elsewhere.chain([Root::new(WORKSPACE, to.join(WORKSPACE))])).map_err(failed)?;
        store.restore(id, &roots, RestoreMode::Replace).map_err(failed)?;
        // The store remembers its last look; the next one has to be at the real directories.
        store.take(&covered.roots).map_err(failed)?;
        Ok(())
    }
}

/// What a person changed. Folders come and go with their files.
fn counts_without_git(changes: &[Change]) -> FileCounts {
    let mut counts = FileCounts::default();
    for change in changes.iter().filter(|change| !is_of_git(&change.path)) {
        let is_file = |side: Option<(FileType, u64)>| side.is_some_and(|(kind, _)| kind != FileType::Dir);
        match change.kind {
            ChangeKind::Created => counts.created += u64::from(is_file(change.after)),
            ChangeKind::Deleted => counts.deleted += u64::from(is_file(change.before)),
            ChangeKind::TypeChanged | ChangeKind::Modified => counts.modified += 1,
            ChangeKind::ModeChanged | ChangeKind::MetadataChanged | ChangeKind::Touched => {}
        }
    }
    counts
}

fn counts(summary: &ChangeSummary) -> FileCounts {
    FileCounts { created: summary.created, modified: summary.modified, deleted: summary.deleted }
}
