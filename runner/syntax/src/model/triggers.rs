//! What starts a workflow: `on`.

use std::sync::Arc;

use expr::Template;
use indexmap::IndexMap;

use crate::source::{Span, Spanned};
use crate::token::Token;

/// `on` of a workflow.
#[derive(Clone, Debug, PartialEq)]
pub struct Triggers {
    /// The value.
    pub span: Span,
    /// By event name in the order of the file.
    pub events: IndexMap<Arc<str>, Trigger>,
}

/// One event that starts a workflow.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    /// The event's name.
    pub name: Spanned<Arc<str>>,
    /// `types`, `branches`, `paths-ignore` and the like.
    pub filters: Vec<Filter>,
    /// Of `schedule`.
    pub schedule: Vec<Schedule>,
    /// `inputs` of `workflow_dispatch` and `workflow_call`, by name.
    pub inputs: IndexMap<Arc<str>, Input>,
    /// `secrets` of `workflow_call`, by name.
    pub secrets: IndexMap<Arc<str>, CallSecret>,
    /// `outputs` of `workflow_call`.
    pub outputs: Vec<CallOutput>,
    /// All that is written under the event.
    pub config: Option<Spanned<Token>>,
}

/// A filter of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Its key, for instance `branches-ignore`.
    pub name: Spanned<Arc<str>>,
    /// One or more patterns or names.
    pub values: Vec<Spanned<Arc<str>>>,
}

/// A time of `schedule`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// `cron`, as written.
    pub cron: Spanned<Arc<str>>,
    /// `timezone`, as written.
    pub timezone: Option<Spanned<Arc<str>>>,
}

/// The type of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InputKind {
    /// Text; also when no type is written.
    String,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// One of `options`.
    Choice,
    /// The name of an environment.
    Environment,
}

impl InputKind {
    /// As in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            InputKind::String => "string",
            InputKind::Boolean => "boolean",
            InputKind::Number => "number",
            InputKind::Choice => "choice",
            InputKind::Environment => "environment",
        }
    }

    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "boolean" => InputKind::Boolean,
            "number" => InputKind::Number,
            "choice" => InputKind::Choice,
            "environment" => InputKind::Environment,
            _ => InputKind::String,
        }
    }
}

/// An input of a workflow.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Its name.
    pub name: Spanned<Arc<str>>,
    /// `type`.
    pub kind: InputKind,
    /// `description`.
    pub description: Option<Arc<str>>,
    /// `required`.
    pub required: bool,
    /// `default`: a literal; in `workflow_call` it may be an expression.
    pub default: Option<Spanned<Token>>,
    /// `options` of a choice.
    pub options: Vec<Spanned<Arc<str>>>,
}

/// A secret that a called workflow takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallSecret {
    /// Its name.
    pub name: Spanned<Arc<str>>,
    /// `required`.
    pub required: bool,
}

/// An output of a called workflow.
#[derive(Clone, Debug, PartialEq)]
pub struct CallOutput {
    /// Its name.
    pub name: Spanned<Arc<str>>,
    /// `value`; uses the `jobs` context.
    pub value: Spanned<Template>,
}
