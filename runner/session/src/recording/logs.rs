//! The output of the steps on its way into the recording, from the threads that read it.
//!
//! It knows lines, tags and which run of a step they belong to. Lines arrive masked; packs and blocks are the journal's.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::lines::LineTag;
use engine::step_path::{LaneId, StepPath};
use host::contract::Epoch;
use host::log::{LogBatch, LogSink};
use indexmap::IndexMap;

use crate::journal::{LogError, LogHead, LogId, LogPosition, LogStore};

/// One run of a step on a lane.
type Run = (LaneId, StepPath, Epoch);

/// Writes logs. A clone writes to the same ones, from any thread.
#[derive(Clone, Debug)]
pub struct LogRecorder {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug)]
struct Shared {
    store: LogStore,
    open: IndexMap<Run, Open>,
    warning: Option<String>,
}

/// A log that is written. The end of its last line is written with the line after it: that may be more of the same.
#[derive(Clone, Copy, Debug)]
struct Open {
    log: LogId,
    unfinished_ms: Option<i64>,
}

impl LogRecorder {
    /// Writes logs in `folder`, which exists.
    pub(super) fn open(folder: &Path) -> Result<Self, LogError> {
        let shared = Shared { store: LogStore::open(folder)?, open: IndexMap::new(), warning: None };
        Ok(Self { shared: Arc::new(Mutex::new(shared)) })
    }

    /// Adds lines with the prefixes of their tags, as GitHub's own logs have them. A failure is kept for
    /// [`Recorder::take_warnings`](super::Recorder::take_warnings).
    pub fn add(&self, batch: &LogBatch) {
        let mut shared = self.lock();
        let at = batch.time.as_millisecond();
        let run = (batch.lane, batch.step.clone(), batch.epoch);
        let mut open = shared.begin(run.clone(), at);
        for (tag, text) in batch.spans() {
            shared.span(&mut open, at, tag, text);
        }
        shared.open.insert(run, open);
    }

    /// Everything that was added so far is in the files.
    pub(crate) fn flush(&self) {
        let mut shared = self.lock();
        shared.close_lines(|_| true);
        if let Err(error) = shared.store.flush() {
            shared.warn(&error);
        }
    }

    /// How far the logs have come. Those of the step `settled` are ended: what it wrote has all been read.
    pub(super) fn positions(&self, settled: Option<&StepPath>) -> Vec<LogPosition> {
        let mut shared = self.lock();
        let ends = |run: &Run| settled == Some(&run.1);
        shared.close_lines(ends);
        let positions = shared.open.values().filter_map(|open| shared.store.position(open.log)).collect();
        shared.finish(ends);
        positions
    }

    /// Ends the logs of lanes that began before this epoch: they never run again.
    pub(super) fn end_before(&self, epoch: Epoch) {
        let mut shared = self.lock();
        shared.close_lines(|run| run.2 < epoch);
        shared.finish(|run| run.2 < epoch);
    }

    /// Ends all logs.
    pub(super) fn end_all(&self) {
        let mut shared = self.lock();
        shared.close_lines(|_| true);
        shared.finish(|_| true);
    }

    pub(super) fn take_warning(&self) -> Option<String> {
        self.lock().warning.take()
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LogSink for LogRecorder {
    fn write(&mut self, batch: LogBatch) {
        self.add(&batch);
    }
}

impl Shared {
    fn begin(&mut self, run: Run, at: i64) -> Open {
        if let Some(open) = self.open.get(&run) {
            return *open;
        }
        let (lane, step, epoch) = run;
        let head = LogHead { lane: lane.0, step: step.to_string(), epoch: epoch.0, started_unix_ms: at };
        let log = match self.store.begin(&head) {
            Ok(log) => log,
            Err((log, error)) => {
                self.warn(&error);
                log
            }
        };
        Open { log, unfinished_ms: None }
    }

    fn span(&mut self, open: &mut Open, at: i64, tag: LineTag, text: &[u8]) {
        // The time of a line is that of its first piece.
        let at = match open.unfinished_ms {
            Some(begun) if tag == LineTag::Continued => begun,
            _ => {
                self.close_line(open);
                at
            }
        };
        if !tag.prefix().is_empty() {
            self.append(open.log, at, tag.prefix().as_bytes());
        }
        self.append(open.log, at, text.strip_suffix(b"\n").unwrap_or(text));
        open.unfinished_ms = Some(at);
    }

    /// Ends the last line, at the time of the line itself: the time of the next one counts from its own first byte.
    fn close_line(&mut self, open: &mut Open) {
        if let Some(at) = open.unfinished_ms.take() {
            self.append(open.log, at, b"\n");
        }
    }

    fn close_lines(&mut self, which: impl Fn(&Run) -> bool) {
        let mut logs = std::mem::take(&mut self.open);
        logs.iter_mut().filter(|(run, _)| which(run)).for_each(|(_, open)| self.close_line(open));
        self.open = logs;
    }

    fn finish(&mut self, which: impl Fn(&Run) -> bool) {
        let logs = std::mem::take(&mut self.open);
        let (ended, open): (IndexMap<_, _>, _) = logs.into_iter().partition(|(run, _)| which(run));
        self.open = open;
        for log in ended.values() {
            if let Err(error) = self.store.finish(log.log) {
                self.warn(&error);
            }
        }
    }

    fn append(&mut self, log: LogId, at: i64, text: &[u8]) {
        if let Err(error) = self.store.append(log, at, text) {
            self.warn(&error);
        }
    }

    fn warn(&mut self, error: &LogError) {
        self.warning.get_or_insert_with(|| error.to_string());
    }
}
