//! Writing the logs of a recording: at most 256 KiB or 50 ms of output are only in memory. It knows when to
//! write, not how a block looks.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;

use super::super::limits::UNSYNCED_MAX;
use super::super::pulse::Pulse;
use super::super::record::{LogId, LogPosition};
use super::super::storage::{FileStorage, Storage};
use super::archive::pack_number;
use super::pack::Pack;
use super::{LogError, LogHead};

/// Opens the file of a pack; tests give one that fails.
type OpenPack = Box<dyn FnMut(&Path) -> io::Result<Box<dyn Storage>> + Send>;

/// The logs of a recording that is being written. A failure of the disk never stops the caller: it is reported
/// by the next call, once, and what was not kept is counted.
pub struct LogStore {
    shared: Arc<Mutex<Shared>>,
    pulse: Pulse,
}

struct Shared {
    folder: PathBuf,
    open: OpenPack,
    next: u32,
    packs: IndexMap<LogId, Pack>,
    failure: Option<LogError>,
    reported: bool,
    lost: u64,
}

impl std::fmt::Debug for LogStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogStore").field("open", &self.shared().packs.len()).finish_non_exhaustive()
    }
}

impl LogStore {
    /// The store in `folder`, which exists; new logs are numbered after those that are there.
    pub fn open(folder: &Path) -> Result<LogStore, LogError> {
        Self::open_with(folder, Box::new(|path| Ok(Box::new(FileStorage::create(path)?))))
    }

    pub(in super::super) fn open_with(folder: &Path, open: OpenPack) -> Result<LogStore, LogError> {
        let mut next = 1;
        for entry in fs::read_dir(folder)? {
            next = next.max(pack_number(&entry?.file_name()).map_or(0, |number| number + 1));
        }
        let shared = Arc::new(Mutex::new(Shared {
            folder: folder.to_owned(),
            open,
            next,
            packs: IndexMap::new(),
            failure: None,
            reported: false,
            lost: 0,
        }));
        let theirs = Arc::clone(&shared);
        let pulse = Pulse::start("log-flush", UNSYNCED_MAX, move || lock(&theirs).flush())?;
        Ok(LogStore { shared, pulse })
    }

    /// Begins the log of one run of a step. The number is good even when the file could not be made; its output is
    /// then counted as lost.
    pub fn begin(&self, head: &LogHead) -> Result<LogId, (LogId, LogError)> {
        let mut shared = self.shared();
        let id = shared.begin(head);
        shared.take_failure().map_or(Ok(id), |error| Err((id, error)))
    }

    /// Appends masked output of a log, in order, produced at `at_unix_ms`. Batches of whole lines are usual; any
    /// split is fine. The text is copied; every 256 KiB the call writes a block.
    pub fn append(&self, log: LogId, at_unix_ms: i64, text: &[u8]) -> Result<(), LogError> {
        let mut shared = self.shared();
        shared.append(log, at_unix_ms, text);
        let failure = shared.take_failure();
        drop(shared);
        self.pulse.mark();
        failure.map_or(Ok(()), Err)
    }

    /// How far a log has come, for a moment; none for a log that is finished or was never begun.
    pub fn position(&self, log: LogId) -> Option<LogPosition> {
        let (lines, bytes) = self.shared().packs.get(&log)?.position();
        Some(LogPosition { log, lines, bytes })
    }

    /// Writes everything given so far. After it, `kill -9` loses none of it, and a [`LogArchive`](super::LogArchive)
    /// opened on the folder finds it.
    pub fn flush(&self) -> Result<(), LogError> {
        let mut shared = self.shared();
        shared.flush();
        shared.take_failure().map_or(Ok(()), Err)
    }

    /// Ends a log. Without this (after a crash) it opens as incomplete.
    pub fn finish(&self, log: LogId) -> Result<(), LogError> {
        let mut shared = self.shared();
        shared.finish(log);
        shared.take_failure().map_or(Ok(()), Err)
    }

    /// Bytes of output that were given and are not kept.
    pub fn lost(&self) -> u64 {
        let shared = self.shared();
        shared.lost + shared.packs.values().map(|pack| pack.lost).sum::<u64>()
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        lock(&self.shared)
    }
}

impl Drop for LogStore {
    fn drop(&mut self) {
        // Nobody is left to hear of a failure; the logs say themselves where they end.
        self.shared().flush();
    }
}

impl Shared {
    fn begin(&mut self, head: &LogHead) -> LogId {
        let id = LogId(self.next);
        self.next += 1;
        let path = self.folder.join(format!("{:06}.log", id.0));
        match (self.open)(&path).and_then(|storage| Pack::begin(storage, head)) {
            Ok(pack) => drop(self.packs.insert(id, pack)),
            Err(source) => self.note(LogError::Write { step: head.step.clone(), source }),
        }
        id
    }

    fn append(&mut self, log: LogId, at_unix_ms: i64, text: &[u8]) {
        match self.packs.get_mut(&log) {
            Some(pack) => {
                if let Err(error) = pack.append(at_unix_ms, text) {
                    self.note(error);
                }
            }
            None => self.lost += text.len() as u64,
        }
    }

    fn flush(&mut self) {
        let errors: Vec<LogError> = self.packs.values_mut().filter_map(|pack| pack.flush().err()).collect();
        errors.into_iter().for_each(|error| self.note(error));
    }

    fn finish(&mut self, log: LogId) {
        let Some(mut pack) = self.packs.shift_remove(&log) else { return };
        let flushed = pack.flush();
        self.lost += pack.lost;
        if let Err(error) = flushed.and_then(|()| pack.finish()) {
            self.note(error);
        }
    }

    /// Keeps the first failure until a caller takes it; a full disk fails for every log, and one message says so.
    fn note(&mut self, error: LogError) {
        if !self.reported {
            self.reported = true;
            self.failure = Some(error);
        }
    }

    fn take_failure(&mut self) -> Option<LogError> {
        self.failure.take()
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
