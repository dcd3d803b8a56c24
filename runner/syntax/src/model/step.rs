//! A step of a job.

use std::sync::Arc;

use expr::{Condition, Template};

use crate::source::{Span, Spanned};
use crate::token::Token;

/// A step of a job, or of a `parallel` group.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its mapping; starts at the first key, where a breakpoint binds.
    pub span: Span,
    /// The alias through which the step came into its list, if it is written elsewhere.
    pub used_at: Option<Span>,
    /// `id`.
    pub id: Option<Spanned<Arc<str>>>,
    /// The id, or the one GitHub makes up (`__run`, `__actions_checkout_2` …): the name in the
    /// `steps` context, where those with `__` do not appear.
    pub context_name: Arc<str>,
    /// `name`.
    pub name: Option<Spanned<Template>>,
    /// `if`, normalised (steps.md 1.4); without one `success()`. Fixed to `always()` for the steps that wait or cancel.
    pub condition: Spanned<Condition>,
    /// `env`: a mapping, or an expression that gives one.
    pub env: Option<Spanned<Token>>,
    /// `continue-on-error`: a boolean, or an expression.
    pub continue_on_error: Option<Spanned<Token>>,
    /// `timeout-minutes`: a number, or an expression.
    pub timeout_minutes: Option<Spanned<Token>>,
    /// `background`; at the step's own place when it is not written.
    pub background: Spanned<bool>,
    /// What it does.
    pub body: StepBody,
    /// A hash of what is written, whatever its place, style and comments: for matching steps of an edited file.
    pub fingerprint: u64,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum StepBody {
    /// `run`.
    Run {
        /// The script.
        script: Spanned<Template>,
        /// The line in the file of the script's first line: line `n` (from 0) is `first_line + n`,
        /// unless YAML folded the text.
        first_line: u32,
        /// `shell`.
        shell: Option<Spanned<Template>>,
        /// `working-directory`.
        working_directory: Option<Spanned<Template>>,
    },
    /// `uses`.
    Uses {
        /// The reference as written.
        reference: Spanned<Arc<str>>,
        /// `with`: a mapping, or an expression that gives one.
        with: Option<Spanned<Token>>,
    },
    /// `wait` for background steps.
    Wait {
        /// Their ids.
        ids: Vec<Spanned<Arc<str>>>,
    },
    /// `wait-all`.
    WaitAll,
    /// `cancel` a background step.
    Cancel {
        /// Its id.
        id: Spanned<Arc<str>>,
    },
    /// `parallel`: all at once, then wait for them.
    Parallel {
        /// The members.
        steps: Vec<Step>,
    },
}
