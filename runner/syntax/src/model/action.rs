//! An action manifest (`action.yml`) as typed values (steps.md 4.2).

use std::sync::Arc;

use expr::{Expression, Template};
use indexmap::IndexMap;

use crate::source::{SourceId, Span, Spanned};
use crate::token::Token;

/// An action manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    /// The file.
    pub source: SourceId,
    /// `name`.
    pub name: Option<Spanned<Arc<str>>>,
    /// `description`.
    pub description: Option<Spanned<Arc<str>>>,
    /// `inputs` by name, spelled as in the file: names match in any case.
    pub inputs: IndexMap<Arc<str>, ActionInput>,
    /// `outputs`.
    pub outputs: Vec<ActionOutput>,
    /// `runs`.
    pub runs: ActionRuns,
    /// The mapping under `runs`.
    pub runs_span: Span,
}

/// An input of an action.
#[derive(Clone, Debug, PartialEq)]
pub struct ActionInput {
    /// Its name.
    pub name: Spanned<Arc<str>>,
    /// `default`.
    pub default: Option<Spanned<Template>>,
    /// `deprecationMessage`: to be shown when the input is given.
    pub deprecation_message: Option<Arc<str>>,
    /// `required`: documentation only, the runner does not insist.
    pub required: bool,
}

/// An output of an action.
#[derive(Clone, Debug, PartialEq)]
pub struct ActionOutput {
    /// Its name.
    pub name: Spanned<Arc<str>>,
    /// `value`; only composite actions use it.
    pub value: Option<Spanned<Template>>,
}

/// A program that runs before or after the action itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// `pre`, `post`, `pre-entrypoint` or `post-entrypoint`.
    pub program: Spanned<Arc<str>>,
    /// `pre-if` or `post-if`, used as written; without one `always()`.
    pub condition: Spanned<Expression>,
}

/// How an action runs.
#[derive(Clone, Debug, PartialEq)]
pub enum ActionRuns {
    /// `using: node20` and the like.
    Node {
        /// The version as written.
        using: Spanned<Arc<str>>,
        /// `main`.
        main: Spanned<Arc<str>>,
        /// `pre`.
        pre: Option<Stage>,
        /// `post`.
        post: Option<Stage>,
    },
    /// `using: docker`.
    Docker {
        /// `image`: `Dockerfile`, a path to one, or `docker://…`.
        image: Spanned<Arc<str>>,
        /// `entrypoint`.
        entrypoint: Option<Spanned<Arc<str>>>,
        /// `args`.
        args: Option<Spanned<Token>>,
        /// `env`.
        env: Option<Spanned<Token>>,
        /// `pre-entrypoint`.
        pre: Option<Stage>,
        /// `post-entrypoint`.
        post: Option<Stage>,
    },
    /// `using: composite`.
    Composite {
        /// `steps`.
        steps: Vec<CompositeStep>,
    },
    /// `plugin`: built into the runner.
    Plugin {
        /// Its name.
        name: Spanned<Arc<str>>,
    },
}

/// A step of a composite action: a step of which only `run` and `uses` bodies occur.
pub type CompositeStep = super::Step;
