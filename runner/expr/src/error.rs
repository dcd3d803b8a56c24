//! What can go wrong with an expression, in GitHub's words (steps.md 6.1, 6.3).
//! It does not know the file or line: whoever holds the source adds them.

use crate::limit::{MAX_DEPTH, MAX_LENGTH};

/// Which part of the language refused an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseErrorKind {
    /// The text at the position is no token of the language.
    Lexing,
    /// The token at the position may not stand there, or the expression is too long or too deep.
    Parsing,
}

/// An expression that cannot be parsed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct ParseError {
    /// Which part refused it.
    pub kind: ParseErrorKind,
    /// The whole message as GitHub prints it.
    pub text: String,
    /// Where, 1-based in UTF-16 units of the expression, as in the message; 1 when it concerns all of it.
    pub position: usize,
    /// The same place, 0-based in bytes of the expression.
    pub offset: usize,
}

/// What is wrong at a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    UnexpectedSymbol,
    UnexpectedEnd,
    UnrecognizedFunction,
    UnrecognizedNamedValue,
    TooFewParameters,
    TooManyParameters,
    EvenParameters,
}

impl Fault {
    fn description(self) -> &'static str {
        match self {
            Fault::UnexpectedSymbol => "Unexpected symbol",
            Fault::UnexpectedEnd => "Unexpected end of expression",
            Fault::UnrecognizedFunction => "Unrecognized function",
            Fault::UnrecognizedNamedValue => "Unrecognized named-value",
            Fault::TooFewParameters => "Too few parameters supplied",
            Fault::TooManyParameters => "Too many parameters supplied",
            Fault::EvenParameters => {
                "Even number of parameters supplied, requires an odd number of parameters"
            }
        }
    }
}

impl ParseError {
    /// A fault at the token `raw`, which starts `offset` bytes into `expression`.
    pub(crate) fn at(
        kind: ParseErrorKind,
        fault: Fault,
        raw: &str,
        offset: usize,
        expression: &str,
    ) -> ParseError {
        let position = utf16_length(expression.get(..offset).unwrap_or_default()) + 1;
        let description = fault.description();
        let text =
            format!("{description}: '{raw}'. Located at position {position} within expression: {expression}");
        ParseError { kind, text, position, offset }
    }

    fn of_all(text: String) -> ParseError {
        ParseError { kind: ParseErrorKind::Parsing, text, position: 1, offset: 0 }
    }

    pub(crate) fn too_long() -> ParseError {
        ParseError::of_all(format!("Exceeded max expression length {MAX_LENGTH}"))
    }

    pub(crate) fn too_deep() -> ParseError {
        ParseError::of_all(format!("Exceeded max expression depth {MAX_DEPTH}"))
    }
}

/// Length in the unit in which GitHub counts text.
pub(crate) fn utf16_length(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().map(char::len_utf16).sum() }
}

/// An expression that could be parsed but not evaluated.
///
/// The text may quote values of the job, so whoever shows it masks it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct EvalError {
    /// The whole message as GitHub prints it.
    pub text: String,
}

impl EvalError {
    /// An error with this message.
    pub fn new(text: impl Into<String>) -> EvalError {
        EvalError { text: text.into() }
    }
}

/// Text with `${{ }}` in it that cannot be parsed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct TemplateError {
    /// The whole message as GitHub prints it.
    pub text: String,
    /// Where in the text, 0-based in bytes.
    pub offset: usize,
}

/// Text that is no JSON even to a lenient reader.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct JsonError {
    /// The message, with path, line and position as GitHub's reader gives them.
    pub text: String,
}
