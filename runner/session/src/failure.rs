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
        let kept = self.log.last(path, LAST_LINES_MAX);
        if !kept.is_empty() {
            return kept;
        }
        let recorded = self.recorded_lines(path).unwrap_or_default();
        recorded.into_iter().rev().take(LAST_LINES_MAX).rev().collect()
    }

    /// Whether a condition of a breakpoint holds in a recorded state; one that cannot be evaluated does not.
    pub(crate) fn holds_in(&self, job: &Job, condition: &Option<String>) -> bool {
        let Some(text) = condition else { return true };
        let answer = job.ask_expression(text, &HashAnswers::default(), &self.secrets);
        matches!(answer, Question::Answer(value) if value.is_truthy())
    }
}
