//! Exception filters: which ways for a step to end badly stop the job.
//!
//! Knows names and which are on; what a step's end was like is found in `failure`.

/// A way for a step to end that may stop the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExceptionFilter {
    /// It failed, and that counts.
    Failed,
    /// It failed, and `continue-on-error` forgives it.
    ContinueOnError,
    /// Its `env`, `if` or another expression could not be evaluated.
    Expression,
    /// It was cancelled.
    Cancelled,
    /// Its condition was false.
    Skipped,
}

impl ExceptionFilter {
    /// All of them, in the order in which an editor lists them.
    pub const ALL: [ExceptionFilter; 5] = [
        ExceptionFilter::Failed,
        ExceptionFilter::ContinueOnError,
        ExceptionFilter::Expression,
        ExceptionFilter::Cancelled,
        ExceptionFilter::Skipped,
    ];

    /// The name by which it is switched.
    pub fn name(self) -> &'static str {
        match self {
            ExceptionFilter::Failed => "failed",
            ExceptionFilter::ContinueOnError => "continue-on-error",
            ExceptionFilter::Expression => "expression",
            ExceptionFilter::Cancelled => "cancelled",
            ExceptionFilter::Skipped => "skipped",
        }
    }

    /// The filter with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|filter| filter.name().eq_ignore_ascii_case(name))
    }
}

/// The filters that are on, each with the condition under which it stops.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExceptionFilters(Vec<(ExceptionFilter, Option<String>)>);

impl ExceptionFilters {
    /// Exactly these.
    pub fn new(on: Vec<(ExceptionFilter, Option<String>)>) -> Self {
        Self(on)
    }

    /// What a debugger starts with: a failure that counts stops.
    pub fn of_a_debugger() -> Self {
        Self(vec![(ExceptionFilter::Failed, None)])
    }

    /// Switches one, without a condition.
    pub fn set(&mut self, filter: ExceptionFilter, on: bool) {
        self.0.retain(|(known, _)| *known != filter);
        if on {
            self.0.push((filter, None));
        }
    }

    /// Whether it is on.
    pub fn has(&self, filter: ExceptionFilter) -> bool {
        self.0.iter().any(|(known, _)| *known == filter)
    }

    /// The first of these that is on and whose condition `holds`.
    pub fn first(
        &self,
        candidates: &[ExceptionFilter],
        mut holds: impl FnMut(&Option<String>) -> bool,
    ) -> Option<ExceptionFilter> {
        let on = |filter: &ExceptionFilter| {
            self.0.iter().any(|(known, condition)| known == filter && holds(condition))
        };
        candidates.iter().copied().find(on)
    }
}
