//! Bringing the journal to the disk without anyone waiting for it. It knows how far the file has been
//! written, not what is in it.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::limits::UNSYNCED_MAX;
use super::pulse::Pulse;
use super::storage::SyncHandle;

/// Syncs in the background: within [`UNSYNCED_MAX`] after a write, at once when asked.
pub(super) struct BackgroundSync {
    disk: Arc<Disk>,
    pulse: Pulse,
}

/// What the thread and the writer share.
struct Disk {
    handle: Box<dyn SyncHandle>,
    written: AtomicU64,
    durable: AtomicU64,
    /// The kernel tells a failed sync to one caller only; kept here until the writer has reported it.
    failure: Mutex<Option<io::Error>>,
}

impl BackgroundSync {
    /// Starts the thread for a file of which `durable` bytes need no sync.
    pub(super) fn start(handle: Box<dyn SyncHandle>, durable: u64) -> io::Result<Self> {
        let disk = Arc::new(Disk {
            handle,
            written: AtomicU64::new(durable),
            durable: AtomicU64::new(durable),
            failure: Mutex::new(None),
        });
        let theirs = Arc::clone(&disk);
        let pulse = Pulse::start("journal-sync", UNSYNCED_MAX, move || theirs.sync())?;
        Ok(BackgroundSync { disk, pulse })
    }

    /// Says that the file now has `length` bytes.
    pub(super) fn written(&self, length: u64) {
        self.disk.written.store(length, Ordering::Release);
        self.pulse.mark();
    }

    /// Starts a sync and returns.
    pub(super) fn start_now(&self) {
        self.pulse.now();
    }

    /// Starts the last sync and returns. Nobody hears of its failure.
    pub(super) fn finish(self) {
        self.pulse.once_more();
    }

    /// Syncs on this thread and returns when it is done.
    pub(super) fn wait(&self) -> io::Result<()> {
        self.disk.sync();
        self.take_failure().map_or(Ok(()), Err)
    }

    /// The failure of a sync nobody has heard of yet.
    pub(super) fn take_failure(&self) -> Option<io::Error> {
        self.disk.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Bytes at the front of the file that are known to be on the disk.
    pub(super) fn durable(&self) -> u64 {
        self.disk.durable.load(Ordering::Acquire)
    }
}

impl Disk {
    fn sync(&self) {
        let written = self.written.load(Ordering::Acquire);
        if self.durable.load(Ordering::Acquire) >= written {
            return;
        }
        match self.handle.sync_data() {
            Ok(()) => {
                self.durable.fetch_max(written, Ordering::AcqRel);
            }
            Err(error) => {
                let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
                failure.get_or_insert(error);
            }
        }
    }
}
