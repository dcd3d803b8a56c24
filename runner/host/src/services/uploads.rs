//! The uploads of one service that are on their way.
//!
//! Knows who sends what; not where it will be kept.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::store::Store;
use super::token::Maker;
use super::upload::Upload;

/// All of them.
pub(super) struct Uploads<W> {
    open: Mutex<Vec<Arc<Upload<W>>>>,
}

impl<W: PartialEq> Uploads<W> {
    /// None yet.
    pub(super) fn new() -> Self {
        Self { open: Mutex::default() }
    }

    /// Begins an upload of `what`. `Ok(None)`: somebody else is sending the same thing. What the same step sent in an
    /// earlier execution is forgotten, and so is what nobody goes on with.
    ///
    /// # Errors
    /// There is no place for it.
    pub(super) fn begin(&self, store: &Store, maker: &Maker, what: W) -> io::Result<Option<Arc<Upload<W>>>> {
        let mut open = self.lock();
        open.retain(|other| !(other.what == what && (maker.replaces(&other.maker) || other.is_abandoned())));
        if open.iter().any(|other| other.what == what) {
            return Ok(None);
        }
        let (id, folder) = store.begin_upload()?;
        let upload = Arc::new(Upload::new(id, folder, maker.clone(), what));
        open.push(Arc::clone(&upload));
        Ok(Some(upload))
    }

    /// By its number.
    pub(super) fn get(&self, id: u64) -> Option<Arc<Upload<W>>> {
        self.lock().iter().find(|upload| upload.id == id).cloned()
    }

    /// What this process sends.
    pub(super) fn find(&self, maker: &Maker, what: impl Fn(&W) -> bool) -> Option<Arc<Upload<W>>> {
        self.lock().iter().find(|upload| upload.maker == *maker && what(&upload.what)).cloned()
    }

    /// It has arrived, or nobody wants it any more.
    pub(super) fn end(&self, id: u64) {
        self.lock().retain(|upload| upload.id != id);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Upload<W>>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
