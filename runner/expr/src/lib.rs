//! The `${{ }}` language of GitHub Actions: values, parser, evaluator, templates and `if:` conditions,
//! with GitHub's own error texts and positions (steps.md 1.4, 1.5 and 6).
//!
//! It knows no workflow file, no job and no host: contexts come in as an [`Object`], what the status
//! functions answer as [`StatusFacts`], and `hashFiles()` goes out as a [`HashRequest`] to be answered by
//! whoever can read files. The same input gives the same answer on every machine.

mod builtin;
mod compare;
mod condition;
mod error;
mod evaluate;
mod expression;
mod fold;
mod format;
mod function;
mod hash;
mod index;
mod json_print;
mod json_read;
mod lexer;
pub mod limit;
mod memory;
mod number;
mod object;
mod ordered;
mod parser;
mod print;
mod reference;
mod scope;
mod template;
mod trace;
mod trace_text;
mod tree;
mod value;

pub use condition::Condition;
pub use error::{EvalError, JsonError, ParseError, ParseErrorKind, TemplateError};
pub use expression::{Evaluated, Expression};
pub use function::{Functions, JobStatus, Phase, StatusFacts};
pub use hash::{HashAnswers, HashRequest};
pub use object::{KeyCase, Object};
pub use ordered::OrderedMap;
pub use reference::{Key, Reference};
pub use scope::{FunctionSignature, Scope};
pub use template::{Template, TemplatePart, holds_expression};
pub use trace::{Outcome, Trace, TraceNode};
pub use value::{Kind, Value};
