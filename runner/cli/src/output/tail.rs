//! The last lines of the step that runs, with closed groups folded to one line each.
//!
//! Bounded in lines and bytes, whatever a step writes. Knows log batches; prints nothing.

use std::collections::VecDeque;

use engine::lines::LineTag;
use host::log::LogBatch;

use session::wording::exit_of;
use session::wording::sanitize;

/// Longer lines are cut for the memory of them.
const LINE_BYTES_MAX: usize = 500;

/// What is remembered of a step's log.
#[derive(Debug)]
pub(crate) struct Tail {
    lines: VecDeque<String>,
    most: usize,
    group: Option<OpenGroup>,
    groups: usize,
    exit: Option<String>,
}

#[derive(Debug)]
struct OpenGroup {
    title: String,
    /// Lines so far.
    count: usize,
    /// How many of them are still in `lines`.
    kept: usize,
}

impl Tail {
    /// Remembers at most `most` lines.
    pub(crate) fn new(most: usize) -> Tail {
        Tail { lines: VecDeque::new(), most, group: None, groups: 0, exit: None }
    }

    /// Takes a batch. Of a long plain stretch only the end is looked at.
    pub(crate) fn add(&mut self, batch: &LogBatch) {
        for (tag, block) in batch.spans() {
            match tag {
                LineTag::Plain => self.plain(block),
                LineTag::Group => self.open(&shown(block)),
                LineTag::EndGroup => self.close(),
                LineTag::Continued => {}
                LineTag::Error => {
                    let text = shown(block);
                    self.exit = exit_of(&text).or(self.exit.take());
                    self.push(text);
                }
                LineTag::Warning | LineTag::Notice | LineTag::Debug | LineTag::Command | LineTag::Section => {
                    self.push(shown(block));
                }
            }
        }
    }

    fn plain(&mut self, block: &[u8]) {
        let lines = block.strip_suffix(b"\n").unwrap_or(block).rsplit(|byte| *byte == b'\n');
        let last: Vec<&[u8]> = lines.take(self.most).collect();
        if let Some(group) = &mut self.group {
            let total = block.iter().filter(|byte| **byte == b'\n').count();
            group.count += total.saturating_sub(last.len());
        }
        last.into_iter().rev().for_each(|line| self.push(shown(line)));
    }

    fn push(&mut self, line: String) {
        if let Some(group) = &mut self.group {
            group.count += 1;
            group.kept += 1;
        }
        self.lines.push_back(line);
        if self.lines.len() > self.most {
            self.lines.pop_front();
            if let Some(group) = &mut self.group {
                group.kept = group.kept.min(self.lines.len());
            }
        }
    }

    fn open(&mut self, title: &str) {
        self.close();
        self.groups += 1;
        self.group = Some(OpenGroup { title: title.to_owned(), count: 0, kept: 0 });
    }

    /// Folds the group. The first one of a step is its heading, which its line in the tree says already.
    fn close(&mut self) {
        let Some(group) = self.group.take() else { return };
        self.lines.truncate(self.lines.len().saturating_sub(group.kept));
        if self.groups > 1 {
            let plural = if group.count == 1 { "" } else { "s" };
            self.push(format!("▸ {} · {} line{plural}", group.title, group.count));
        }
    }

    /// `exit 1`, if the step said so.
    pub(crate) fn exit(&self) -> Option<&str> {
        self.exit.as_deref()
    }

    /// The newest line.
    pub(crate) fn newest(&self) -> Option<&str> {
        self.lines.back().map(String::as_str)
    }

    /// The lines that are remembered, oldest first, without the runner's own last words about the exit code and
    /// without blank lines at either end.
    pub(crate) fn lines(&self) -> Vec<&str> {
        let blank = |line: &&str| line.trim().is_empty();
        let lines: Vec<&str> =
            self.lines.iter().map(String::as_str).filter(|line| exit_of(line).is_none()).collect();
        let start = lines.iter().take_while(|line| blank(line)).count();
        let end = lines.len() - lines.iter().rev().take_while(|line| blank(line)).count();
        lines.get(start..end.max(start)).unwrap_or_default().to_vec()
    }
}

/// One line as it may be shown, without its line end.
fn shown(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    sanitize::line(line.get(..LINE_BYTES_MAX).unwrap_or(line), false).into_owned()
}

#[cfg(test)]
pub(crate) mod tests {
    use engine::step_path::{LaneId, StepPath};
    use host::contract::Epoch;

    use super::*;

    /// A batch of tagged lines.
    pub(crate) fn batch(lines: &[(LineTag, &str)]) -> LogBatch {
        let time = jiff::Timestamp::new(1_795_416_385, 0).unwrap();
        let mut batch = LogBatch::new(LaneId::FOREGROUND, Epoch(0), StepPath::main(1), time);
        for (tag, line) in lines {
            match tag {
                LineTag::Plain => batch.push_plain(format!("{line}\n").as_bytes()),
                tag => batch.push(*tag, line.as_bytes()),
            }
        }
        batch
    }

    fn check(most: usize, lines: &[(LineTag, &str)], expected: &[&str]) {
        let mut tail = Tail::new(most);
        tail.add(&batch(lines));
        assert_eq!(tail.lines(), expected);
    }

    #[test]
    fn closed_groups_are_folded_and_the_heading_goes() {
        use LineTag::{EndGroup, Error, Group, Plain};
        let heading = [(Group, "Run make"), (Plain, "make"), (EndGroup, "")];
        let with = |more: &[(LineTag, &'static str)]| [heading.as_slice(), more].concat();
        check(10, &with(&[(Plain, "a")]), &["a"]);
        check(
            10,
            &with(&[(Group, "Install"), (Plain, "x"), (Plain, "y"), (EndGroup, ""), (Plain, "b")]),
            &["▸ Install · 2 lines", "b"],
        );
        check(10, &with(&[(Group, "Open"), (Plain, "x")]), &["x"]);
        check(
            3,
            &with(&[(Plain, "1"), (Group, "G"), (Plain, "2\n3\n4\n5"), (EndGroup, "")]),
            &["▸ G · 4 lines"],
        );
        check(10, &with(&[(Plain, "bad"), (Error, "Process completed with exit code 2.")]), &["bad"]);
    }

    #[test]
    fn only_the_last_lines_are_kept() {
        let many: String = (0..1000).map(|number| format!("{number}\n")).collect();
        check(3, &[(LineTag::Plain, many.trim_end())], &["997", "998", "999"]);
    }

    #[test]
    fn the_exit_code_is_remembered() {
        let mut tail = Tail::new(2);
        tail.add(&batch(&[
            (LineTag::Error, "Process completed with exit code 2."),
            (LineTag::Error, "other"),
        ]));
        assert_eq!((tail.exit(), tail.newest()), (Some("exit 2"), Some("other")));
    }
}
