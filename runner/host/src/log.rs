//! Where the masked log of the steps goes, in batches.
//!
//! Knows lines, tags and times; neither the journal nor a terminal. What control characters do to a person's terminal is
//! the printing side's affair.

use engine::annotation::Annotation;
use engine::lines::LineTag;
use engine::step_path::{LaneId, StepPath};
use jiff::Timestamp;

use crate::contract::Epoch;

/// Lines of one step that came together. All text is masked; it is what the step wrote, not always UTF-8.
#[derive(Clone, Debug, PartialEq)]
pub struct LogBatch {
    /// The lane they were written in.
    pub lane: LaneId,
    /// The epoch in which the lane's body was started.
    pub epoch: Epoch,
    /// The step whose log they belong to.
    pub step: StepPath,
    /// When they were read: one time for all.
    pub time: Timestamp,
    /// Annotations among them that count.
    pub annotations: Vec<Annotation>,
    /// The lines, each ended by `\n`.
    text: Vec<u8>,
    /// Stretches of `text` with one tag each. A plain stretch may hold many lines, any other holds one.
    spans: Vec<Span>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    tag: LineTag,
    end: usize,
}

/// One line of a batch, without its line end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLine<'a> {
    /// What kind of line. [`LineTag::Continued`]: no line break between it and the line before.
    pub tag: LineTag,
    /// The text without the tag's prefix.
    pub text: &'a [u8],
}

impl LogBatch {
    /// An empty batch.
    pub fn new(lane: LaneId, epoch: Epoch, step: StepPath, time: Timestamp) -> Self {
        Self { lane, epoch, step, time, annotations: Vec::new(), text: Vec::new(), spans: Vec::new() }
    }

    /// Adds one line.
    pub fn push(&mut self, tag: LineTag, text: &[u8]) {
        self.text.extend_from_slice(text);
        self.text.push(b'\n');
        self.spans.push(Span { tag, end: self.text.len() });
    }

    /// Adds plain lines, each ended by `\n`.
    pub fn push_plain(&mut self, block: &[u8]) {
        self.text.extend_from_slice(block);
        let end = self.text.len();
        match self.spans.last_mut() {
            Some(last) if last.tag == LineTag::Plain => last.end = end,
            _ => self.spans.push(Span { tag: LineTag::Plain, end }),
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty() && self.annotations.is_empty()
    }

    /// All text, each line ended by `\n`, without tags.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Stretches of lines with the same tag: only plain ones hold more than one. Each line is ended by `\n`.
    pub fn spans(&self) -> impl Iterator<Item = (LineTag, &[u8])> {
        let mut start = 0;
        self.spans.iter().map(move |span| {
            let text = self.text.get(start..span.end).unwrap_or_default();
            start = span.end;
            (span.tag, text)
        })
    }

    /// The lines in order.
    pub fn lines(&self) -> impl Iterator<Item = LogLine<'_>> {
        self.spans().flat_map(|(tag, text)| {
            let text = text.strip_suffix(b"\n").unwrap_or(text);
            let many = tag == LineTag::Plain;
            // Other tags hold one line, and a line may hold no `\n` anyway.
            text.split(move |byte| many && *byte == b'\n').map(move |text| LogLine { tag, text })
        })
    }
}

/// Takes the log. Called on the threads of the lanes, one at a time; a slow sink slows the steps down.
pub trait LogSink: Send {
    /// Takes a batch.
    fn write(&mut self, batch: LogBatch);

    /// Takes a line that belongs to no step, masked.
    fn job_line(&mut self, _text: &str) {}
}

impl<F: FnMut(LogBatch) + Send> LogSink for F {
    fn write(&mut self, batch: LogBatch) {
        self(batch);
    }
}

/// Appends the line as GitHub's log files have it (steps.md 9): time in UTC with seven digits, a blank, tag and text, and a line
/// end. A [`LineTag::Continued`] line takes the place of the line end before it.
pub fn render(line: LogLine<'_>, time: Timestamp, out: &mut Vec<u8>) {
    if line.tag == LineTag::Continued && out.last() == Some(&b'\n') {
        out.pop();
    } else {
        out.extend_from_slice(stamp(time).as_bytes());
        out.push(b' ');
    }
    out.extend_from_slice(line.tag.prefix().as_bytes());
    out.extend_from_slice(line.text);
    out.push(b'\n');
}

/// `2026-11-23T06:46:25.1234567Z`
fn stamp(time: Timestamp) -> String {
    let utc = jiff::tz::Offset::UTC.to_datetime(time);
    let (date, clock, ticks) = (utc.date(), utc.time(), utc.subsec_nanosecond() / 100);
    format!("{date}T{:02}:{:02}:{:02}.{ticks:07}Z", clock.hour(), clock.minute(), clock.second())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> LogBatch {
        let time = Timestamp::new(1_795_416_385, 123_456_789).unwrap();
        LogBatch::new(LaneId::FOREGROUND, Epoch(0), StepPath::main(0), time)
    }

    #[test]
    fn lines_come_back_as_they_went_in() {
        let mut batch = batch();
        batch.push_plain(b"a\nb\n");
        batch.push_plain(b"\nc\n");
        batch.push(LineTag::Error, b"bad");
        batch.push(LineTag::Plain, b"d");
        let lines: Vec<_> = batch.lines().map(|line| (line.tag, line.text)).collect();
        let plain = |text: &'static [u8]| (LineTag::Plain, text);
        assert_eq!(
            lines,
            [plain(b"a"), plain(b"b"), plain(b""), plain(b"c"), (LineTag::Error, b"bad"), plain(b"d")]
        );
    }

    #[test]
    fn a_rendered_line_has_seven_digits_and_its_tag() {
        let mut batch = batch();
        batch.push(LineTag::Warning, b"careful");
        batch.push(LineTag::Plain, b"part one");
        batch.push(LineTag::Continued, b", part two");
        let mut out = Vec::new();
        batch.lines().for_each(|line| render(line, batch.time, &mut out));
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "2026-11-23T06:46:25.1234567Z ##[warning]careful\n2026-11-23T06:46:25.1234567Z part one, part two\n"
        );
    }
}
