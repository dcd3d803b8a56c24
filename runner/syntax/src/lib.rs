//! Workflow and action files as typed values with spans, and what is wrong with them.
//!
//! Text goes through four layers: YAML by GitHub's scalar rules, the tables of keys, template
//! tokens, typed values. None throws: each gives a value and diagnostics in GitHub's words. The crate
//! reads no file and evaluates nothing by itself; it does not know what a step does.

mod any_case;
mod convert;
mod cron;
mod diagnostic;
mod empty_reads;
mod evaluate;
pub mod filter;
mod load;
mod locate;
mod members;
mod model;
mod options;
mod read;
mod references;
mod render;
mod schema;
mod source;
mod token;
mod yaml;

pub use diagnostic::{Diagnostic, Label, Severity};
pub use empty_reads::empty_reads;
pub use evaluate::{Shape, TokenError, TokenValue};
pub use load::{parse_action, parse_workflow};
pub use members::github_variables;
pub use model::{
    Action, ActionInput, ActionOutput, ActionRuns, Alias, CallOutput, CallSecret, CallSecrets, CompositeStep,
    Filter, Input, InputKind, Job, JobBody, Level, Permissions, Permitted, RunDefaults, Schedule, Stage,
    Step, StepBody, Strategy, Trigger, Triggers, Workflow, WorkflowOrigin,
};
pub use options::{FileProvider, NoFiles, PermissionsPolicy, ReadOptions};
pub use references::{Referenced, referenced, referenced_in};
pub use render::render;
pub use source::{Position, SourceId, Sources, Span, Spanned};
pub use token::Token;
