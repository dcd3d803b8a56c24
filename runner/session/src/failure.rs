//! What a stop on failure shows: whether a step failed, how, and the last lines of its log.

use engine::effect::Outcome;
use engine::expr::HashAnswers;
use engine::job::{Job, Question};
use engine::step_path::StepPath;
use host::contract::Host;

use crate::moment::Point;
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

impl<H: Host> Session<H> {
    /// The failure at the point where the job stands.
    pub(crate) fn failure_at(&self, point: &Point) -> Option<Failure> {
        self.failure_of(&self.job, point)
    }

    /// The failure at a recorded point; a failure that was forgiven does not stop the job.
    pub(crate) fn failure_of(&self, job: &Job, point: &Point) -> Option<Failure> {
        let Point::After(path, Outcome::Failure) = point else { return None };
        let result = job.results().get(path)?;
        let forgiven = result.conclusion != Outcome::Failure;
        (!forgiven).then(|| Failure {
            exit_code: self.exit_codes.get(path).copied(),
            last_lines: self.last_lines(path),
            forgiven,
        })
    }

    /// From memory, or of a job that was reopened from its recording.
    fn last_lines(&self, path: &StepPath) -> Vec<String> {
        let kept = self.log.last(path, usize::MAX);
        let lines = if kept.is_empty() { self.recorded_lines(path).unwrap_or_default() } else { kept };
        let output: Vec<&String> = without_heading(&lines).collect();
        output.iter().skip(output.len().saturating_sub(LAST_LINES_MAX)).map(|line| (*line).clone()).collect()
    }

    /// Whether a condition of a breakpoint holds in a recorded state; one that cannot be evaluated does not.
    pub(crate) fn holds_in(&self, job: &Job, condition: &Option<String>) -> bool {
        let Some(text) = condition else { return true };
        let answer = job.ask_expression(text, &HashAnswers::default(), &self.secrets);
        matches!(answer, Question::Answer(value) if value.is_truthy())
    }
}
