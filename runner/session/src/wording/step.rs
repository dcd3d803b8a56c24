//! The line for a step that is over, and the line for a job.
//!
//! From notices to text; writes nothing.

use std::fmt::Write as _;
use std::time::Duration;

use engine::effect::Outcome;

use super::paint::{Meaning, Painter, columns, push_cut};
use super::words::{clean, duration, mark, shown, verb};
use crate::notice::{FileCounts, StepEnd};

/// An output's value in a step line is cut to this many columns.
const VALUE_COLUMNS: usize = 24;
/// Room for most of what stands in a step line.
const LINE_BYTES: usize = 96;
/// So many outputs and variables stand in a step line.
const VALUES_MAX: usize = 3;

/// `✓ 2 Generate   0.4s   +1 file, outputs.version=1.4.2`. `exit` is what is known of a failure, for instance `exit 1`.
pub fn step_line(name_columns: usize, end: &StepEnd, exit: Option<&str>, painter: Painter) -> String {
    let forgiven = end.outcome == Outcome::Failure && end.conclusion != Outcome::Failure;
    let (sign, meaning) = mark(end.outcome, forgiven);
    let mut title = String::with_capacity(LINE_BYTES);
    // Writing to a String cannot fail.
    let _ = write!(title, " {} ", end.step.number());
    let before = title.len();
    push_cut(&mut title, &clean(&end.name), name_columns);
    let missing = name_columns.saturating_sub(columns(title.get(before..).unwrap_or_default()));
    title.extend(std::iter::repeat_n(' ', missing));
    if end.outcome == Outcome::Skipped {
        return painter.paint(meaning, format!("{sign}{title}  skipped").trim_end());
    }
    let mut line = painter.paint(meaning, sign);
    let _ = write!(line, "{title} {:>6}   ", duration(end.took));
    line.push_str(&painter.paint(Meaning::Quiet, &facts(end, exit, forgiven)));
    line.truncate(line.trim_end().len());
    line
}

/// What is known of a step's end, with commas between.
fn facts(end: &StepEnd, exit: Option<&str>, forgiven: bool) -> String {
    let mut facts = Facts(String::with_capacity(LINE_BYTES));
    if let (Outcome::Failure, Some(exit)) = (end.outcome, exit) {
        facts.next().push_str(exit);
    }
    if end.outcome == Outcome::Cancelled {
        facts.next().push_str("cancelled");
    }
    if forgiven {
        facts.next().push_str("continues");
    }
    if let Some(files) = end.files.and_then(files) {
        facts.next().push_str(&files);
    }
    facts.add_values("outputs.", &end.outputs);
    facts.add_values("env.", &end.variables);
    facts.0
}

struct Facts(String);

impl Facts {
    /// Where the next one is to be written.
    fn next(&mut self) -> &mut String {
        if !self.0.is_empty() {
            self.0.push_str(", ");
        }
        &mut self.0
    }

    fn add_values(&mut self, prefix: &str, values: &[(String, String)]) {
        for (name, value) in values.iter().take(VALUES_MAX) {
            // The step is said already: `ID.outputs.NAME` is `NAME` here.
            let name = name.split_once(".outputs.").map_or(name.as_str(), |(_, name)| name);
            let text = self.next();
            for piece in [prefix, &clean(name), "="] {
                text.push_str(piece);
            }
            push_cut(text, &clean(value), VALUE_COLUMNS);
        }
        if values.len() > VALUES_MAX {
            let _ = write!(self.next(), "{} more", values.len() - VALUES_MAX);
        }
    }
}

fn files(counts: FileCounts) -> Option<String> {
    let parts: Vec<String> = [("+", counts.created), ("~", counts.modified), ("−", counts.deleted)]
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(sign, count)| format!("{sign}{count}"))
        .collect();
    let total = counts.created + counts.modified + counts.deleted;
    (total > 0).then(|| format!("{} file{}", parts.join(" "), if total == 1 { "" } else { "s" }))
}

/// `● build succeeded in 7.1s`
pub fn job_line(name: &str, outcome: Outcome, took: Option<Duration>, painter: Painter) -> String {
    let time = took.map_or_else(String::new, |took| format!(" in {}", duration(took)));
    let (_, meaning) = mark(outcome, false);
    format!(
        "{} {}{time}",
        painter.paint(Meaning::Strong, &format!("● {}", shown(name))),
        painter.paint(meaning, verb(outcome))
    )
}

#[cfg(test)]
mod tests {
    use engine::step_path::StepPath;

    use super::*;

    fn end(outcome: Outcome, conclusion: Outcome) -> StepEnd {
        StepEnd {
            lane: engine::step_path::LaneId::FOREGROUND,
            step: StepPath::main(2),
            number: 3,
            name: "Test".into(),
            outcome,
            conclusion,
            took: Duration::from_millis(2345),
            files: None,
            exit_code: None,
            last_lines: Vec::new(),
            outputs: Vec::new(),
            variables: Vec::new(),
        }
    }

    fn check(end: &StepEnd, exit: Option<&str>, expected: &str) {
        assert_eq!(step_line(10, end, exit, Painter::new(false)), expected);
    }

    #[test]
    fn a_step_line_says_what_came_of_it() {
        check(&end(Outcome::Success, Outcome::Success), None, "✓ 3 Test         2.3s");
        check(&end(Outcome::Failure, Outcome::Failure), Some("exit 1"), "✗ 3 Test         2.3s   exit 1");
        check(
            &end(Outcome::Failure, Outcome::Success),
            Some("exit 1"),
            "✗ 3 Test         2.3s   exit 1, continues",
        );
        check(&end(Outcome::Skipped, Outcome::Skipped), None, "- 3 Test        skipped");
        let mut full = end(Outcome::Success, Outcome::Success);
        full.files = Some(FileCounts { created: 1, modified: 2, deleted: 0 });
        full.outputs = vec![("gen.outputs.version".into(), "1.4.2\nmore".into())];
        full.variables = (0..5).map(|index| (format!("V{index}"), "x".into())).collect();
        check(
            &full,
            None,
            "✓ 3 Test         2.3s   +1 ~2 files, outputs.version=1.4.2, env.V0=x, env.V1=x, env.V2=x, 2 more",
        );
        full.files = Some(FileCounts { created: 1, ..FileCounts::default() });
        full.outputs.clear();
        full.variables.clear();
        check(&full, None, "✓ 3 Test         2.3s   +1 file");
    }

    #[test]
    fn names_cannot_play_with_the_terminal() {
        let mut evil = end(Outcome::Success, Outcome::Success);
        evil.name = "a\u{1b}[2J\u{1b}]0;x\u{7}b".into();
        check(&evil, None, "✓ 3 ab           2.3s");
    }
}
