//! Where log lines go: to whoever watches, and the last few of each step into memory.
//!
//! Called from the threads that read the steps' output, at the speed of the pipe.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use engine::lines::LineTag;
use engine::step_path::StepPath;
use host::log::{LogBatch, LogSink};
use indexmap::IndexMap;

use crate::notice::{Notice, Observer};
use crate::recording::LogRecorder;

/// How many lines of each step are kept in memory.
const TAIL_LINES_MAX: usize = 50;
/// A longer line is kept only up to here.
const TAIL_LINE_BYTES_MAX: usize = 2_000;

/// The last lines of every step's log.
#[derive(Default)]
struct LogTail {
    steps: Mutex<IndexMap<StepPath, VecDeque<String>>>,
}

impl LogTail {
    /// The last `most` lines of a step, oldest first, groups and headings left out.
    fn last(&self, path: &StepPath, most: usize) -> Vec<String> {
        let steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(lines) = steps.get(&path.outermost()) else { return Vec::new() };
        lines.iter().skip(lines.len().saturating_sub(most)).cloned().collect()
    }

    /// Begins a step's log anew: it runs again.
    fn clear(&self, path: &StepPath) {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).shift_remove(path);
    }

    fn add(&self, batch: &LogBatch) {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        // The steps of an action write into the log of the action (steps.md 4.4).
        let lines = steps.entry(batch.step.outermost()).or_default();
        for (tag, text) in batch.spans() {
            for line in last_lines(text) {
                match (tag, lines.back_mut()) {
                    (LineTag::Continued, Some(last)) => extend(last, line),
                    (tag, _) => {
                        let mut text = tag.prefix().to_owned();
                        extend(&mut text, line);
                        lines.push_back(text);
                    }
                }
            }
            let surplus = lines.len().saturating_sub(TAIL_LINES_MAX);
            lines.drain(..surplus);
        }
    }
}

/// The lines at the end of a block, oldest first; earlier ones would be dropped at once.
fn last_lines(block: &[u8]) -> impl Iterator<Item = &[u8]> {
    let block = block.strip_suffix(b"\n").unwrap_or(block);
    let start = memchr::memrchr_iter(b'\n', block).nth(TAIL_LINES_MAX - 1).map_or(0, |at| at + 1);
    block.get(start..).unwrap_or_default().split(|byte| *byte == b'\n')
}

fn extend(text: &mut String, bytes: &[u8]) {
    let room = TAIL_LINE_BYTES_MAX.saturating_sub(text.len());
    text.push_str(&String::from_utf8_lossy(bytes.get(..room).unwrap_or(bytes)));
}

/// Where everything goes that a session says: to the observer, and the last lines of each step into memory. Cheap to
/// clone; the session and the threads of its host write to the same one.
#[derive(Clone)]
pub struct SessionLog {
    tail: Arc<LogTail>,
    observer: Arc<dyn Observer>,
    recorded: Option<LogRecorder>,
}

impl SessionLog {
    /// A log that `observer` is told of.
    pub fn new(observer: Arc<dyn Observer>) -> Self {
        Self { tail: Arc::default(), observer, recorded: None }
    }

    /// The same, written down as well.
    #[must_use]
    pub fn recorded(self, logs: LogRecorder) -> Self {
        Self { recorded: Some(logs), ..self }
    }

    /// The last `most` lines of a step, oldest first.
    pub(crate) fn last(&self, path: &StepPath, most: usize) -> Vec<String> {
        self.tail.last(path, most)
    }

    /// Begins a step's log anew: it runs again.
    pub(crate) fn clear(&self, path: &StepPath) {
        self.tail.clear(path);
    }

    pub(crate) fn notice(&self, notice: Notice) {
        self.observer.notice(notice);
    }

    /// Adds lines.
    pub(crate) fn add(&self, batch: &LogBatch) {
        self.tail.add(batch);
        if let Some(logs) = &self.recorded {
            logs.add(batch);
        }
        self.observer.log(batch);
    }
}

impl LogSink for SessionLog {
    fn write(&mut self, batch: LogBatch) {
        self.add(&batch);
    }

    fn job_line(&mut self, text: &str) {
        self.notice(Notice::JobLog { tag: LineTag::Plain, text: text.to_owned() });
    }
}
