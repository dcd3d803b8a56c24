//! A stop in words: where the job stands, why, and what a person may want to do now.
//!
//! Plain text, ended by a line break; no line of it is needed to go on.

use crate::exception::ExceptionFilter;
use crate::moment::Point;
use crate::request::{DataChange, Place, Stop, StopReason, Undone};

use super::paint::{Meaning, Painter, cut, padded};
use super::words::{exit_of, shown};

/// The column of a place, behind the column of names.
const PLACE_GAP: usize = 14;
/// Columns of a changed value before it is cut.
const VALUE_COLUMNS: usize = 40;

/// The lines for a stop.
pub fn stop(stop: &Stop, name_columns: usize, painter: Painter) -> String {
    let notes = stop.notes.iter().map(|note| format!("  {}", painter.paint(Meaning::Quiet, &shown(note))));
    let lines = [first_line(stop, name_columns, painter)].into_iter().chain(notes);
    lines.filter(|line| !line.is_empty()).map(|line| line + "\n").collect()
}

/// The failure at which the job stands, for somebody who did not see it happen; nothing for other stops.
pub fn failure(stop: &Stop, painter: Painter) -> String {
    let StopReason::Failure(failure) = &stop.reason else { return String::new() };
    let exit = failure.exit_code.map_or_else(String::new, |code| format!("   exit {code}"));
    let sign = painter.paint(Meaning::Bad, "✗");
    let mut text = format!(
        "{sign} {} {}{}\n",
        stop.step_number(),
        shown(&stop.name),
        painter.paint(Meaning::Quiet, &exit)
    );
    text.push_str(&barred(&failure.last_lines, usize::MAX, painter));
    text
}

/// What a step printed last, behind a bar; cut to so many columns.
pub fn barred(lines: &[String], width: usize, painter: Painter) -> String {
    let bar = painter.paint(Meaning::Bad, "│");
    let lines = lines.iter().filter(|line| exit_of(line).is_none());
    lines.map(|line| format!("    {bar} {}\n", cut(&shown(line), width))).collect()
}

fn first_line(stop: &Stop, name_columns: usize, painter: Painter) -> String {
    let quiet = |text: &str| painter.paint(Meaning::Quiet, text);
    let step = |sign: &str| format!("{sign}{}", where_it_stands(stop));
    let at = |sign: &str| {
        let place = stop.place.as_ref().map(short_place).unwrap_or_default();
        format!("{} {}", padded(&step(sign), name_columns + PLACE_GAP), quiet(&place)).trim_end().to_owned()
    };
    match &stop.reason {
        StopReason::Entry | StopReason::Step | StopReason::Goto => at("  "),
        StopReason::Breakpoint(id) => at(&format!("● breakpoint {id}: ")),
        StopReason::DataBreakpoint(change) => at(&format!("● {}: ", change_text(change))),
        StopReason::Pause => at("‖ paused "),
        StopReason::Edit => at("✎ "),
        StopReason::Start => at("↩ the start: "),
        StopReason::Back => {
            let undone =
                stop.undone.and_then(undone_text).map_or_else(String::new, |text| format!("{text} · "));
            format!(
                "{}   {}",
                painter.paint(Meaning::Past, &step("↩ ")),
                quiet(&format!("{undone}`return` to undo that"))
            )
        }
        StopReason::Return => painter.paint(Meaning::Past, &step("↪ the newest moment: ")),
        StopReason::Failure(failure) => {
            let told = told_of(failure.filter);
            let shell = if stop.runs_nothing { "" } else { "`!` a shell here · " };
            quiet(&format!(
                "  {told} · `log` all of it · `back` to before this step · {shell}`why`, `env`, `print`"
            ))
        }
        StopReason::Confirm(command) => format!(
            "{} `{}` reached outside the workspace before: {}",
            painter.paint(Meaning::Warning, "?"),
            shown(command),
            match stop.background {
                Some(_) => "`confirm` starts it again, `lanes leave-out` leaves it out",
                None => "`confirm` runs it again, `goto` another step skips it",
            }
        ),
        StopReason::End(_) if stop.branch.0 > 1 => {
            quiet(&format!("  on branch {}; what was before is kept: `timeline`", stop.branch))
        }
        StopReason::End(_) => quiet("  `back` goes to before the last step, `quit` leaves"),
    }
}

fn told_of(filter: ExceptionFilter) -> &'static str {
    match filter {
        ExceptionFilter::Failed => "stopped on failure",
        ExceptionFilter::ContinueOnError => "a failure that is allowed",
        ExceptionFilter::Expression => "an expression could not be evaluated",
        ExceptionFilter::Cancelled => "stopped at a cancelled step",
        ExceptionFilter::Skipped => "stopped at a skipped step",
    }
}

/// `breakpoint 2: env.A is now v2, was v1`
fn change_text(change: &DataChange) -> String {
    let value = |value: &Option<String>| value.as_ref().map(|value| cut(&shown(value), VALUE_COLUMNS));
    let (breakpoint, key) = (change.breakpoint, shown(&change.key.to_string()));
    match (value(&change.before), value(&change.after)) {
        (Some(before), Some(after)) => format!("breakpoint {breakpoint}: {key} is now {after}, was {before}"),
        (None, Some(after)) => format!("breakpoint {breakpoint}: {key} is now {after}"),
        (_, None) => format!("breakpoint {breakpoint}: {key} is gone"),
    }
}

/// `before 2 Test`, `the end of build`.
pub fn where_it_stands(stop: &Stop) -> String {
    let name = shown(&stop.name);
    match stop.point {
        Point::Before(_) => format!("before {} {name}", stop.step_number()),
        Point::Decided(_) => format!("about to run {} {name}", stop.step_number()),
        Point::During(_) => format!("in the middle of {} {name}", stop.step_number()),
        Point::After(..) => format!("after {} {name}", stop.step_number()),
        Point::LaneBefore(_) => format!("before {} {name}, in the background", stop.step_number()),
        Point::LaneAfter(..) => format!("after {} {name}, in the background", stop.step_number()),
        Point::End(_) => format!("the end of {name}"),
    }
}

/// What a prompt says of a stop: `build 3 ✗`.
pub fn prompt(job: &str, stop: &Stop) -> String {
    let name = shown(job);
    let sign = match (&stop.reason, stop.edited, stop.rewound) {
        (_, true, _) => " ✎",
        (StopReason::Failure(_), ..) => " ✗",
        (_, false, true) => " ↩",
        _ => "",
    };
    match stop.point {
        Point::End(_) => format!("{name} end{sign}"),
        _ => format!("{name} {}{sign}", stop.step_number()),
    }
}

/// The file's name and the line.
pub fn short_place(place: &Place) -> String {
    let name = place.file.rsplit('/').next().unwrap_or(&place.file);
    format!("{name}:{}", place.line)
}

/// `1 file and 1 output undone`; nothing when nothing was.
fn undone_text(undone: Undone) -> Option<String> {
    let count = |count: usize, noun: &str| {
        (count > 0).then(|| format!("{count} {noun}{}", if count == 1 { "" } else { "s" }))
    };
    let parts =
        [count(undone.files, "file"), count(undone.outputs, "output"), count(undone.variables, "variable")];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    match parts.as_slice() {
        [] => None,
        [one] => Some(format!("{one} undone")),
        [first @ .., last] => Some(format!("{} and {last} undone", first.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use crate::breakpoint::BreakpointId;
    use crate::moment::{BranchId, MomentId};
    use crate::request::Failure;
    use engine::step_path::StepPath;

    use super::*;

    fn check(reason: StopReason, undone: Option<Undone>, expected: &str) {
        let stop = Stop {
            reason,
            moment: MomentId(3),
            branch: BranchId(1),
            point: Point::Before(StepPath::main(1)),
            number: 2,
            name: "Test".into(),
            place: Some(Place { file: ".github/workflows/ci.yml".into(), line: 14 }),
            rewound: false,
            runs_nothing: false,
            edited: false,
            undone,
            background: None,
            callers: [].into(),
            notes: vec!["a note".into()],
        };
        assert_eq!(super::stop(&stop, 10, Painter::new(false)), format!("{expected}\n  a note\n"));
    }

    #[test]
    fn a_stop_says_where_and_why() {
        check(StopReason::Step, None, "  before 2 Test          ci.yml:14");
        check(StopReason::Breakpoint(BreakpointId(2)), None, "● breakpoint 2: before 2 Test ci.yml:14");
        let undone = Undone { files: 2, outputs: 1, variables: 0 };
        check(
            StopReason::Back,
            Some(undone),
            "↩ before 2 Test   2 files and 1 output undone · `return` to undo that",
        );
        check(StopReason::Return, None, "↪ the newest moment: before 2 Test");
        let failure = Failure {
            filter: ExceptionFilter::Failed,
            exit_code: Some(1),
            error: None,
            last_lines: Vec::new(),
        };
        let words = "  stopped on failure · `log` all of it · `back` to before this step · `!` a shell here · `why`, `env`, `print`";
        check(StopReason::Failure(failure), None, words);
    }

    #[test]
    fn a_failure_that_nobody_saw_is_told() {
        let last_lines = vec!["it broke".into(), "Process completed with exit code 3.".into()];
        let mut stop = Stop {
            reason: StopReason::Failure(Failure {
                filter: ExceptionFilter::Failed,
                exit_code: Some(3),
                error: None,
                last_lines,
            }),
            moment: MomentId(3),
            branch: BranchId(1),
            point: Point::Before(StepPath::main(1)),
            number: 2,
            name: "Test".into(),
            place: None,
            rewound: true,
            runs_nothing: true,
            edited: false,
            undone: None,
            background: None,
            callers: [].into(),
            notes: Vec::new(),
        };
        assert_eq!(failure(&stop, Painter::new(false)), "✗ 2 Test   exit 3\n    │ it broke\n");
        let line = super::stop(&stop, 10, Painter::new(false));
        assert!(!line.contains("shell"), "nothing runs where one only looks: {line}");
        stop.reason = StopReason::Step;
        assert_eq!(failure(&stop, Painter::new(false)), "");
    }

    #[test]
    fn what_was_undone_is_counted() {
        let check = |files: usize, outputs: usize, variables: usize, expected: Option<&str>| {
            assert_eq!(undone_text(Undone { files, outputs, variables }).as_deref(), expected);
        };
        check(0, 0, 0, None);
        check(1, 0, 0, Some("1 file undone"));
        check(1, 2, 1, Some("1 file, 2 outputs and 1 variable undone"));
    }
}
