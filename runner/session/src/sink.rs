//! Where log lines go: to whoever watches, and the last few of each step into memory.
//!
//! Called from the threads that read the steps' output, at the speed of the pipe.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use engine::lines::LineTag;
use engine::step_path::StepPath;
use host::log::{LogBatch, LogSink};
use indexmap::IndexMap;

use crate::journal::LogArchive;
use crate::notice::{Notice, Observer};
use crate::recording::LogRecorder;

/// How many lines of each step are kept in memory.
const TAIL_LINES_MAX: usize = 50;
/// A longer line is kept only up to here.
const TAIL_LINE_BYTES_MAX: usize = 2_000;

/// The last lines of every step's log.
#[derive(Default)]
struct LogTail {
    steps: Mutex<IndexMap<StepPath, LastLines>>,
}

impl LogTail {
    /// The last `most` lines of a step, oldest first, groups and headings left out.
    fn last(&self, path: &StepPath, most: usize) -> Vec<String> {
        let steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(lines) = steps.get(&path.outermost()) else { return Vec::new() };
        lines.iter().skip(lines.starts.len().saturating_sub(most)).map(str::to_owned).collect()
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
                if tag != LineTag::Continued || lines.starts.is_empty() {
                    lines.begin(tag.prefix());
                }
                lines.extend(line);
            }
            lines.keep_last(TAIL_LINES_MAX);
        }
    }
}

/// Lines, of which only the last can grow.
#[derive(Default)]
struct LastLines {
    /// One after the other, without line ends; what was forgotten stands in front.
    text: String,
    starts: VecDeque<usize>,
}

impl LastLines {
    fn begin(&mut self, prefix: &str) {
        self.starts.push_back(self.text.len());
        self.text.push_str(prefix);
    }

    fn extend(&mut self, bytes: &[u8]) {
        let length = self.text.len() - self.starts.back().copied().unwrap_or_default();
        let room = TAIL_LINE_BYTES_MAX.saturating_sub(length);
        self.text.push_str(&String::from_utf8_lossy(bytes.get(..room).unwrap_or(bytes)));
    }

    fn keep_last(&mut self, most: usize) {
        self.starts.drain(..self.starts.len().saturating_sub(most));
        let forgotten = self.starts.front().copied().unwrap_or_default();
        // To move all for each line would take time for nothing.
        if forgotten > self.text.len() / 2 {
            self.text.drain(..forgotten);
            self.starts.iter_mut().for_each(|start| *start -= forgotten);
        }
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        let ends = self.starts.iter().copied().skip(1).chain([self.text.len()]);
        self.starts.iter().zip(ends).map(|(start, end)| self.text.get(*start..end).unwrap_or_default())
    }
}

/// The lines at the end of a block, oldest first; earlier ones would be dropped at once.
fn last_lines(block: &[u8]) -> impl Iterator<Item = &[u8]> {
    let block = block.strip_suffix(b"\n").unwrap_or(block);
    let start = memchr::memrchr_iter(b'\n', block).nth(TAIL_LINES_MAX - 1).map_or(0, |at| at + 1);
    block.get(start..).unwrap_or_default().split(|byte| *byte == b'\n')
}

/// Where everything goes that a session says: to the observer, and the last lines of each step into memory. Cheap to
/// clone; the session and the threads of its host write to the same one.
#[derive(Clone)]
pub struct SessionLog {
    tail: Arc<LogTail>,
    observer: Arc<dyn Observer>,
    recorded: Option<LogRecorder>,
    /// Where older lines are, of a recording that is only looked at.
    archive: Option<PathBuf>,
}

impl SessionLog {
    /// A log that `observer` is told of.
    pub fn new(observer: Arc<dyn Observer>) -> Self {
        Self { tail: Arc::default(), observer, recorded: None, archive: None }
    }

    /// The same, written down as well.
    #[must_use]
    pub fn recorded(self, logs: LogRecorder) -> Self {
        Self { recorded: Some(logs), ..self }
    }

    /// The same, with the lines that are in this folder of a recording.
    #[must_use]
    pub fn reading(self, logs: PathBuf) -> Self {
        Self { archive: Some(logs), ..self }
    }

    /// The lines of a recording that is only looked at.
    pub(crate) fn archive(&self) -> Option<LogArchive> {
        LogArchive::open(self.archive.as_ref()?).ok()
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

#[cfg(test)]
mod tests {
    use engine::step_path::LaneId;
    use host::contract::Epoch;

    use super::*;

    fn batch(lines: impl IntoIterator<Item = (LineTag, String)>) -> LogBatch {
        let mut batch =
            LogBatch::new(LaneId::FOREGROUND, Epoch(0), StepPath::main(0), jiff::Timestamp::UNIX_EPOCH);
        lines.into_iter().for_each(|(tag, text)| batch.push(tag, text.as_bytes()));
        batch
    }

    #[test]
    fn the_last_lines_are_kept_however_they_come() {
        let tail = LogTail::default();
        for number in 0..1_000 {
            tail.add(&batch([
                (LineTag::Plain, format!("line {number}")),
                (LineTag::Continued, ", and more".to_owned()),
                (LineTag::Error, format!("bad {number}")),
            ]));
        }
        let last = tail.last(&StepPath::main(0), 3);
        assert_eq!(last, ["##[error]bad 998", "line 999, and more", "##[error]bad 999"]);
        assert_eq!(tail.last(&StepPath::main(0), 1_000).len(), TAIL_LINES_MAX);
        let steps = tail.steps.lock().unwrap();
        assert!(steps[&StepPath::main(0)].text.len() < 4_000, "what is forgotten goes");
    }

    #[test]
    fn a_long_line_is_kept_up_to_its_limit_also_when_it_comes_in_parts() {
        let tail = LogTail::default();
        let part = "x".repeat(1_500);
        tail.add(&batch([
            (LineTag::Plain, part.clone()),
            (LineTag::Continued, part),
            (LineTag::Plain, "next".to_owned()),
        ]));
        let last = tail.last(&StepPath::main(0), 2);
        assert_eq!(last.iter().map(String::len).collect::<Vec<_>>(), [TAIL_LINE_BYTES_MAX, 4]);
    }
}
