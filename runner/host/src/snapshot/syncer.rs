//! Bringing packs to the disk, in the order that keeps a power cut harmless, beside a store that goes on.
//!
//! Knows nothing of what is in the packs.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::error::SnapshotError;
use super::packs::SeriesName;

#[derive(Default)]
pub(super) struct Unsynced {
    data: Vec<Arc<File>>,
    manifests: Vec<Arc<File>>,
    pub(super) new_files: bool,
}

impl Unsynced {
    pub(super) fn add(&mut self, series: SeriesName, file: &Arc<File>) {
        let list = if series == SeriesName::Data { &mut self.data } else { &mut self.manifests };
        if !list.iter().any(|known| Arc::ptr_eq(known, file)) {
            list.push(file.clone());
        }
    }
}

/// Brings what has been written so far to the disk; may be used from another thread than the store's.
#[derive(Clone)]
pub struct Syncer {
    pub(super) dir: PathBuf,
    pub(super) unsynced: Arc<Mutex<Unsynced>>,
}

impl std::fmt::Debug for Syncer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Syncer").field("dir", &self.dir).finish_non_exhaustive()
    }
}

impl Syncer {
    /// Waits until everything written before the call is on the disk: contents first, then manifests, so that a
    /// manifest found after a power cut has its contents.
    pub fn sync(&self) -> Result<(), SnapshotError> {
        let work = std::mem::take(&mut *self.unsynced.lock().unwrap_or_else(PoisonError::into_inner));
        let synced = self.sync_all(&work);
        if synced.is_err() {
            let mut unsynced = self.unsynced.lock().unwrap_or_else(PoisonError::into_inner);
            work.data.iter().for_each(|file| unsynced.add(SeriesName::Data, file));
            work.manifests.iter().for_each(|file| unsynced.add(SeriesName::Manifests, file));
            unsynced.new_files |= work.new_files;
        }
        synced.map_err(|source| SnapshotError::io("sync", &self.dir, source))
    }

    fn sync_all(&self, work: &Unsynced) -> io::Result<()> {
        work.data.iter().try_for_each(|file| file.sync_data())?;
        if work.new_files {
            File::open(&self.dir)?.sync_all()?;
        }
        work.manifests.iter().try_for_each(|file| file.sync_data())
    }
}
