//! The files of a job: its covered directories, the store of their snapshots, and what is parked.
//!
//! A thin layer over the snapshot store that says in the session's words what is wanted of it.

use std::path::Path;

use host::snapshot::{
    Change, ChangeSummary, EntryInfo, ParkingLot, RestoreMode, RestoreReport, Root, Roots, SnapshotId, Store,
};

use crate::notice::FileCounts;

/// The name of the root that holds the checked-out files.
pub const WORKSPACE: &str = "workspace";

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
        Ok(Self { store, roots, lot })
    }

    /// The covered directories.
    pub fn roots(&self) -> &Roots {
        &self.roots
    }

    /// Takes a snapshot; the counts compare it with the look before.
    pub(crate) fn take(&mut self) -> Result<(SnapshotId, FileCounts), FilesError> {
        let taken = self.store.take(&self.roots).map_err(failed)?;
        Ok((taken.id, counts(&taken.changed)))
    }

    /// What differs between two snapshots.
    pub(crate) fn diff(&self, from: SnapshotId, to: SnapshotId) -> Result<Vec<Change>, FilesError> {
        self.store.diff(from, to).map_err(failed)
    }

    /// A file's content in a snapshot.
    pub(crate) fn read(&self, id: SnapshotId, root: &str, path: &Path) -> Result<Vec<u8>, FilesError> {
        self.store.read(id, root, path).map_err(failed)
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
        let mode = match manner {
            Manner::Replace => RestoreMode::Replace,
            Manner::Park => RestoreMode::Park(&mut self.lot),
        };
        self.store.restore(target, &self.roots, mode).map_err(failed)
    }

    /// The newest moment's files again, the very same ones where they were parked.
    pub(crate) fn bring_back(&mut self, newest: SnapshotId) -> Result<RestoreReport, FilesError> {
        if self.lot.is_empty() {
            return self.restore(newest, Manner::Replace);
        }
        self.store.unpark(&mut self.lot, newest, &self.roots).map_err(failed)
    }

    /// Nobody will come back to what is parked.
    pub(crate) fn discard_parked(&mut self) -> Result<(), FilesError> {
        self.lot.discard().map_err(failed)
    }

    /// The workspace of a snapshot as a copy in an empty directory.
    pub(crate) fn copy_workspace(&mut self, id: SnapshotId, to: &Path) -> Result<(), FilesError> {
        let others = self.roots.iter().filter(|root| root.name() != WORKSPACE);
        let elsewhere = others.map(|root| Root::new(root.name(), to.join(root.name())));
        let roots =
            Roots::new(elsewhere.chain([Root::new(WORKSPACE, to.join(WORKSPACE))])).map_err(failed)?;
        self.store.restore(id, &roots, RestoreMode::Replace).map_err(failed)?;
        // The store remembers its last look; the next one has to be at the real directories.
        self.store.take(&self.roots).map_err(failed)?;
        Ok(())
    }
}

fn counts(summary: &ChangeSummary) -> FileCounts {
    FileCounts { created: summary.created, modified: summary.modified, deleted: summary.deleted }
}
