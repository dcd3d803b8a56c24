//! Answers of the session as a person reads them.
//!
//! Text only, each line ended by a line break. All of it was masked by the session; what comes from the job is stripped of
//! whatever a terminal would obey.

use std::sync::Arc;

use engine::plan::Caller;

use crate::breakpoint::{Breakpoint, Location};
use crate::exception::ExceptionFilter;
use crate::files::WORKSPACE;
use crate::moment::Point;
use crate::request::{
    ChangeLine, FileChange, Place, Reply, Request, ShellReply, SourceExcerpt, StepLine, Stop, TimelineLine,
    Variable, Why,
};

use super::paint::{Meaning, Painter, columns, cut, padded};
use super::sanitize;
use super::stop::short_place;
use super::words::{duration, mark, shown};

/// Columns of a value in a table before it is cut.
const VALUE_COLUMNS: usize = 72;
/// Columns of a name in a table before it is cut.
const NAME_COLUMNS: usize = 44;
/// Names of changed files behind a shell command.
const CHANGED_MAX: usize = 5;

/// The lines for an answer; empty for one that needs no words.
pub fn answer(request: &Request, reply: &Reply, painter: Painter) -> String {
    match reply {
        Reply::Done => done(request),
        Reply::Refused(refusal) => format!("{}\n", shown(&refusal.text)),
        Reply::Stop(stop) => status_text(stop),
        // What it holds is asked for by other requests.
        Reply::Picture(_) => String::new(),
        Reply::Value(value) if value.is_empty() => "(empty)\n".to_owned(),
        Reply::Value(text) | Reply::Text(text) => text.lines().map(|line| harmless(line, false)).collect(),
        Reply::Variables(variables) => variables_text(variables, painter),
        Reply::Source(source) => source_text(source, painter),
        Reply::Log(log) if log.is_empty() => "(this step has written nothing)\n".to_owned(),
        Reply::Log(log) => log.iter().map(|line| harmless(line, painter.colours())).collect(),
        Reply::Steps(steps) => steps_text(steps, painter),
        Reply::Why(why) => why_text(why, painter),
        Reply::Files(files) => files_text(files, painter),
        Reply::Changes(changes) => changes_text(changes, painter),
        Reply::Timeline(moments) => timeline_text(moments, painter),
        Reply::Breakpoints(all) if all.is_empty() => "no breakpoints\n".to_owned(),
        Reply::Breakpoints(all) => all.iter().map(breakpoint_text).collect(),
        Reply::Shell(shell) => shell_text(shell, painter),
    }
}

fn status_text(stop: &Stop) -> String {
    let place = stop.place.as_ref().map(short_place).unwrap_or_default();
    let own = row(&format!("{} {} {} {place}", stop.moment, stop.step_number(), shown(&stop.name)));
    let width = stop.callers.iter().map(|caller| columns(&shown(&caller.name))).max().unwrap_or(0);
    let called_by = |caller: &Caller| {
        let place = short_place(&Place { file: Arc::clone(&caller.file), line: caller.line });
        row(&format!("  called by {}  {}", padded(&shown(&caller.name), width), shown(&place)))
    };
    own + &stop.callers.iter().map(called_by).collect::<String>()
}

fn done(request: &Request) -> String {
    match request {
        Request::DeleteBreakpoint(id) => format!("breakpoint {id} deleted\n"),
        Request::Catch(filter, on) => caught_text(*filter, *on),
        Request::View(Some(moment)) => {
            format!("looking at {moment}; `view` alone looks at the present again\n")
        }
        Request::View(None) => "looking at the present\n".to_owned(),
        _ => String::new(),
    }
}

fn caught_text(filter: ExceptionFilter, on: bool) -> String {
    let step = match filter {
        ExceptionFilter::Failed => "a failed step",
        ExceptionFilter::ContinueOnError => "a failed step that is allowed to fail",
        ExceptionFilter::Expression => "a step whose expressions are wrong",
        ExceptionFilter::Cancelled => "a cancelled step",
        ExceptionFilter::Skipped => "a skipped step",
    };
    format!("{step} {} the job\n", if on { "stops" } else { "does not stop" })
}

fn harmless(line: &str, colours: bool) -> String {
    format!("{}\n", sanitize::line(line.as_bytes(), colours))
}

/// Without the blanks that columns leave at the end.
fn row(line: &str) -> String {
    format!("{}\n", line.trim_end())
}

fn variables_text(variables: &[Variable], painter: Painter) -> String {
    if variables.is_empty() {
        return "none\n".to_owned();
    }
    let width = variables.iter().map(|variable| columns(&variable.name)).max().unwrap_or(0);
    let line = |variable: &Variable| {
        let sign = if variable.fresh { painter.paint(Meaning::Good, "*") } else { " ".to_owned() };
        row(&format!(
            "{sign} {}  {}",
            padded(&shown(&variable.name), width),
            cut(&shown(&variable.value), VALUE_COLUMNS)
        ))
    };
    variables.iter().map(line).collect()
}

fn source_text(source: &SourceExcerpt, painter: Painter) -> String {
    let line = |(number, line): (u32, &String)| {
        let sign = match (number == source.current, source.breakpoints.contains(&number)) {
            (true, _) => painter.paint(Meaning::Past, "→"),
            (false, true) => painter.paint(Meaning::Bad, "●"),
            (false, false) => " ".to_owned(),
        };
        let number = painter.paint(Meaning::Quiet, &format!("{number:>4}"));
        row(&format!("{sign} {number} {}", sanitize::line(line.as_bytes(), false)))
    };
    let lines: String = (source.first_line..).zip(&source.lines).map(line).collect();
    format!("{}\n{lines}", source.file)
}

fn steps_text(steps: &[StepLine], painter: Painter) -> String {
    let width = steps.iter().map(|step| columns(&shown(&step.name))).max().unwrap_or(0).min(NAME_COLUMNS);
    let line = |step: &StepLine| {
        let cursor = if step.current { painter.paint(Meaning::Past, "→") } else { " ".to_owned() };
        let (sign, meaning) = match step.outcome {
            Some(outcome) => mark(outcome, step.conclusion != step.outcome),
            None if step.background.is_some() => ("◐", Meaning::Past),
            None => ("·", Meaning::Quiet),
        };
        let mut facts = Vec::new();
        facts.extend(step.background.map(|state| format!("{} in the background", state.as_str())));
        facts.extend(step.took.map(duration));
        facts.extend(step.id.as_ref().map(|id| format!("id {id}")));
        facts.extend(step.place.as_ref().map(short_place));
        facts.extend(step.reaches_outside.as_ref().map(|what| format!("reaches outside: {}", shown(what))));
        let name = padded(&cut(&shown(&step.name), width), width);
        let facts = painter.paint(Meaning::Quiet, &facts.join(" · "));
        row(&format!("{cursor} {} {} {name}  {facts}", painter.paint(meaning, sign), step.path.number()))
    };
    steps.iter().map(line).collect()
}

fn why_text(why: &Why, painter: Painter) -> String {
    let verdict = match &why.result {
        Ok(true) => painter.paint(Meaning::Good, "it runs"),
        Ok(false) => painter.paint(Meaning::Warning, "it is skipped"),
        Err(error) => painter.paint(Meaning::Bad, &shown(error)),
    };
    let parts: String = why.parts.iter().map(|part| format!("  {}", harmless(part, false))).collect();
    format!("{}: {verdict}\n{parts}", shown(&why.condition))
}

fn files_text(files: &[FileChange], painter: Painter) -> String {
    if files.is_empty() {
        return "no file differs\n".to_owned();
    }
    let line = |file: &FileChange| {
        let root = if file.root == WORKSPACE { String::new() } else { format!(" ({})", file.root) };
        let diff = file.diff.as_deref().map_or_else(String::new, |diff| diff_text(diff, painter));
        format!("{:<9} {}{root}\n{diff}", file.kind, shown(&file.path))
    };
    files.iter().map(line).collect()
}

fn diff_text(diff: &str, painter: Painter) -> String {
    let coloured = |line: &str| match line.chars().next() {
        Some('+') => painter.paint(Meaning::Good, line),
        Some('-') => painter.paint(Meaning::Bad, line),
        _ => line.to_owned(),
    };
    diff.lines()
        .map(|line| row(&format!("    {}", coloured(&sanitize::line(line.as_bytes(), false)))))
        .collect()
}

fn changes_text(changes: &[ChangeLine], painter: Painter) -> String {
    if changes.is_empty() {
        return "it never changed\n".to_owned();
    }
    let width = changes.iter().map(|change| columns(&shown(&change.by))).max().unwrap_or(0).min(NAME_COLUMNS);
    let line = |change: &ChangeLine| {
        let by = padded(&cut(&shown(&change.by), width), width);
        let value =
            change.value.as_deref().map(|value| cut(&shown(value), VALUE_COLUMNS)).unwrap_or_default();
        let place = change.place.as_ref().map(short_place).unwrap_or_default();
        let moment = change.moment.to_string();
        row(&format!(
            "  {by}  {:<8} {moment:<4} {value}  {}",
            change.kind,
            painter.paint(Meaning::Quiet, &place)
        ))
    };
    changes.iter().map(line).collect()
}

fn timeline_text(moments: &[TimelineLine], painter: Painter) -> String {
    let mut branch = None;
    let mut out = String::new();
    for moment in moments {
        if branch.replace(moment.branch) != Some(moment.branch) {
            out.push_str(&row(&painter.paint(Meaning::Strong, &format!("branch {}", moment.branch))));
        }
        let cursor = if moment.current { painter.paint(Meaning::Past, "→") } else { " ".to_owned() };
        let mut facts = Vec::new();
        facts.extend(moment.point.is_of_lane().then(|| "in the background".to_owned()));
        facts.extend(moment.cause.as_deref().map(shown));
        facts.extend(moment.newest.then(|| "newest".to_owned()));
        facts.extend((!moment.has_files).then(|| "no files".to_owned()));
        let title = moment.point.titled(&shown(&moment.name));
        let (id, place) = (moment.moment.to_string(), point(&moment.point));
        let facts = painter.paint(Meaning::Quiet, &facts.join(" · "));
        out.push_str(&row(&format!("{cursor} {id:<4} {place} {title}   {facts}")));
    }
    out
}

fn point(point: &Point) -> String {
    match point {
        Point::Before(_) | Point::LaneBefore(_) => "before  ".to_owned(),
        Point::Decided(_) => "decided ".to_owned(),
        Point::During(_) => "during  ".to_owned(),
        Point::After(_, outcome) | Point::LaneAfter(_, outcome) => {
            format!("after  {}", mark(*outcome, false).0)
        }
        Point::End(outcome) => format!("end    {}", mark(*outcome, false).0),
    }
}

/// What is said of a breakpoint in the file of an action that was not found yet.
pub const PENDING: &str = "pending until the action is there";

/// A breakpoint as the list of breakpoints has it.
pub fn breakpoint_text(breakpoint: &Breakpoint) -> String {
    let place = match &breakpoint.spec.location {
        Location::Line(line) => format!("line {line}"),
        Location::ActionLine(file, line) => {
            format!("{}:{line}", shown(&file.path().to_string_lossy()))
        }
        Location::Step(step) => format!("step {}", shown(step)),
        Location::Change(key) => format!("changes of {}", shown(&key.to_string())),
    };
    let line = match (&breakpoint.spec.location, breakpoint.line) {
        (Location::Change(_), _) => String::new(),
        (_, None) if breakpoint.pending => format!("  ({PENDING})"),
        (_, None) => "  (no such step)".to_owned(),
        (Location::Line(asked) | Location::ActionLine(_, asked), Some(line)) if *asked == line => {
            String::new()
        }
        (_, Some(line)) => format!("  (line {line})"),
    };
    let condition =
        breakpoint.spec.condition.as_ref().map_or_else(String::new, |text| format!("  if {}", shown(text)));
    format!("breakpoint {} at {place}{line}{condition}\n", breakpoint.id)
}

fn shell_text(shell: &ShellReply, painter: Painter) -> String {
    let mut facts = Vec::new();
    if shell.exit_code != 0 {
        facts.push(format!("exit {}", shell.exit_code));
    }
    if !shell.changed.is_empty() {
        let names: Vec<String> = shell.changed.iter().take(CHANGED_MAX).map(|name| shown(name)).collect();
        let more = shell.changed.len().saturating_sub(names.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        facts.push(format!("✎ changed {}{more}", names.join(", ")));
    }
    if facts.is_empty() {
        String::new()
    } else {
        format!("  {}\n", painter.paint(Meaning::Quiet, &facts.join(" · ")))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::moment::{BranchId, MomentId};
    use crate::request::Place;
    use engine::effect::Outcome;
    use engine::step_path::StepPath;

    use crate::request::BackgroundState;

    use super::*;

    fn check(reply: Reply, expected: &str) {
        assert_eq!(answer(&Request::Status, &reply, Painter::new(false)), expected);
    }

    #[test]
    fn variables_stand_in_columns_and_new_ones_have_a_star() {
        let variable =
            |name: &str, value: &str, fresh| Variable { name: name.into(), value: value.into(), fresh };
        check(
            Reply::Variables(vec![
                variable("A", "1", false),
                variable("LONGER", "two\nlines \u{1b}[2J", true),
            ]),
            "  A       1\n* LONGER  two\n",
        );
        check(Reply::Variables(Vec::new()), "none\n");
    }

    #[test]
    fn steps_show_the_cursor_and_what_came_of_them() {
        let step = |number: u32, name: &str, outcome: Option<Outcome>| StepLine {
            path: StepPath::main(number - 1),
            number,
            id: (number == 2).then(|| "test".into()),
            name: name.into(),
            outcome,
            conclusion: outcome,
            took: outcome.map(|_| Duration::from_millis(1200)),
            current: number == 2,
            background: None,
            place: Some(Place { file: "a/ci.yml".into(), line: 8 + number }),
            reaches_outside: None,
        };
        check(
            Reply::Steps(vec![step(1, "Check out", Some(Outcome::Success)), step(2, "Test", None)]),
            "  ✓ 1 Check out  1.2s · ci.yml:9\n→ · 2 Test       id test · ci.yml:10\n",
        );
        let server = StepLine { background: Some(BackgroundState::Running), ..step(1, "Server", None) };
        check(Reply::Steps(vec![server]), "  ◐ 1 Server  running in the background · ci.yml:9\n");
    }

    #[test]
    fn source_shows_the_line_and_breakpoints() {
        let lines = ["a:", "  b: 1"].map(str::to_owned).to_vec();
        let source =
            SourceExcerpt { file: "ci.yml".into(), first_line: 9, lines, current: 10, breakpoints: vec![9] };
        check(Reply::Source(source), "ci.yml\n●    9 a:\n→   10   b: 1\n");
    }

    #[test]
    fn the_timeline_is_told_branch_by_branch() {
        let moment = |id: u32, branch: u32, cause: Option<&str>| TimelineLine {
            moment: MomentId(id),
            parent: None,
            branch: BranchId(branch),
            point: Point::After(StepPath::main(0), Outcome::Failure),
            at: None,
            took: None,
            name: "Test".into(),
            place: None,
            cause: cause.map(Into::into),
            current: id == 2,
            newest: id == 2,
            has_files: id != 1,
        };
        check(
            Reply::Timeline(vec![moment(0, 1, None), moment(1, 1, Some("set env.A=1")), moment(2, 2, None)]),
            "branch 1\n  m0   after  ✗ 1 Test\n  m1   after  ✗ 1 Test   set env.A=1 · no files\n\
             branch 2\n→ m2   after  ✗ 1 Test   newest\n",
        );
    }

    #[test]
    fn files_conditions_and_shells_are_told_shortly() {
        let diff = Some("-a\n+b\n".into());
        let file =
            FileChange { path: "src/a".into(), root: "workspace".into(), kind: "modified".into(), diff };
        check(Reply::Files(vec![file]), "modified  src/a\n    -a\n    +b\n");
        let why = Why {
            condition: "success() && env.X".into(),
            result: Ok(false),
            parts: vec!["env.X = null".into()],
        };
        check(Reply::Why(why), "success() && env.X: it is skipped\n  env.X = null\n");
        check(
            Reply::Shell(ShellReply { exit_code: 2, changed: vec!["a".into()] }),
            "  exit 2 · ✎ changed a\n",
        );
        check(Reply::Shell(ShellReply { exit_code: 0, changed: Vec::new() }), "");
        check(Reply::Value(String::new()), "(empty)\n");
        check(Reply::Value("a\u{1b}]0;x\u{7}b\nc".into()), "ab\nc\n");
    }
}
