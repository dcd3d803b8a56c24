//! How a step ended badly, and what a stop on it shows: the exit code, the error, the last lines of its log.
//!
//! Knows moments; whether such an end stops the job is for `stopping` and the exception filters.

use engine::effect::Outcome;
use engine::expr::HashAnswers;
use engine::job::{Cursor, Decision, Job, Question, StepResult};
use engine::step_path::{LaneId, StepPath};
use host::contract::Host;

use crate::exception::ExceptionFilter;
use crate::moment::{Moment, Point};
use crate::request::Failure;
use crate::session::Session;

/// How many lines of a failing step's log a stop shows.
const LAST_LINES_MAX: usize = 10;

/// What the step itself printed: neither the heading of its log nor the line that repeats the exit code.
fn without_heading(lines: &[String]) -> impl Iterator<Item = &String> {
    let has_heading = lines.first().is_some_and(|line| line.starts_with("##[group]"));
    let end = lines.iter().position(|line| line == "##[endgroup]").filter(|_| has_heading);
    lines.iter().skip(end.map_or(0, |end| end + 1)).filter(|line| !line.starts_with(EXIT_LINE))
}

/// How the line begins that repeats the exit code.
const EXIT_LINE: &str = "##[error]Process completed with exit code ";

/// The failure of an action is that of one of its steps, at which the job stood already.
fn failed_inside(moment: &Moment, path: &StepPath) -> bool {
    let inner = |(other, result): (&StepPath, &StepResult)| {
        result.conclusion == Outcome::Failure && other.parent().as_ref() == Some(path)
    };
    moment.job.results().iter().any(inner)
}

impl<H: Host> Session<H> {
    /// What can be said of the bad end that this moment is; `None` for any other moment. The most telling filter comes first.
    pub(crate) fn bad_end<'m>(&self, moment: &'m Moment) -> Option<(&'m StepPath, Vec<ExceptionFilter>)> {
        let (Point::After(path, outcome) | Point::LaneAfter(path, outcome)) = &moment.point else {
            return None;
        };
        let filters = match outcome {
            Outcome::Success => return None,
            Outcome::Cancelled => vec![ExceptionFilter::Cancelled],
            Outcome::Skipped => vec![ExceptionFilter::Skipped],
            Outcome::Failure if moment.job.results().get(path)?.conclusion != Outcome::Failure => {
                vec![ExceptionFilter::ContinueOnError]
            }
            Outcome::Failure if failed_inside(moment, path) => return None,
            Outcome::Failure if self.expression_fault(moment, path).is_some() => {
                vec![ExceptionFilter::Expression, ExceptionFilter::Failed]
            }
            Outcome::Failure => vec![ExceptionFilter::Failed],
        };
        Some((path, filters))
    }

    /// The text (masked) of an expression that could not be evaluated, if that is why the step has failed.
    fn expression_fault(&self, moment: &Moment, path: &StepPath) -> Option<String> {
        let before = self.timeline.get(moment.parent?)?;
        match before.job.cursor() {
            Cursor::Decided(decided, Decision::Fail(text)) if decided == path => Some(text.clone()),
            _ => None,
        }
    }

    /// What a stop at this end of a step shows.
    pub(crate) fn failure(&self, moment: &Moment, path: &StepPath, filter: ExceptionFilter) -> Failure {
        let ran = filter != ExceptionFilter::Skipped;
        Failure {
            filter,
            exit_code: self.exit_codes.get(path).copied().filter(|_| ran),
            error: self.expression_fault(moment, path),
            last_lines: if ran { self.last_lines(path) } else { Vec::new() },
        }
    }

    /// From memory, or of a job that was reopened from its recording.
    pub(crate) fn last_lines(&self, path: &StepPath) -> Vec<String> {
        let kept = self.log.last(path, usize::MAX);
        let lines = if kept.is_empty() { self.recorded_lines(path).unwrap_or_default() } else { kept };
        let output: Vec<&String> = without_heading(&lines).collect();
        output.iter().skip(output.len().saturating_sub(LAST_LINES_MAX)).map(|line| (*line).clone()).collect()
    }

    /// Whether a condition holds in a recorded state; one that cannot be evaluated does not.
    pub(crate) fn holds_in(&self, job: &Job, condition: &Option<String>) -> bool {
        self.holds_in_lane(LaneId::FOREGROUND, job, condition)
    }

    /// The same, as the step of a lane sees that state.
    pub(crate) fn holds_in_lane(&self, lane: LaneId, job: &Job, condition: &Option<String>) -> bool {
        let Some(text) = condition else { return true };
        let answer = job.ask_expression_in(lane, text, &HashAnswers::default(), &self.secrets);
        matches!(answer, Question::Answer(value) if value.is_truthy())
    }
}
