//! What a client gets when it does not get what it asked for. Every error has a number that stays the same in all
//! releases, so that people can look it up. The texts repeat nothing of a body that could not be read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::envelope::RawResponse;

/// The number of an error. Numbers are never given anew; docs/dap.md lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorId {
    /// The message is no message of the protocol.
    Malformed = 1001,
    /// The command is not known.
    UnknownCommand = 1002,
    /// The arguments are not those of the command.
    InvalidArguments = 1003,
    /// The token is missing or wrong.
    NotAdmitted = 1004,
    /// The answer could not be written.
    Internal = 1005,
    /// The request is not served: no job has what it is about.
    NotServed = 1006,
    /// The request comes too early or too late.
    Order = 1007,
    /// The request was cancelled.
    Cancelled = 1008,
    /// There is no job.
    NoJob = 2001,
    /// The job runs.
    NotStopped = 2002,
    /// The number belongs to an earlier stop.
    Stale = 2003,
    /// The session refuses; the text says why.
    Refused = 2004,
    /// The expression is wrong.
    Expression = 2005,
    /// The command is wrong.
    Command = 2006,
    /// It cannot be set.
    ReadOnly = 2007,
    /// The job does not stand at a failure.
    NoException = 2008,
}

/// The error at length: the `error` member in the body of a response without success.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// One of [`ErrorId`], or that of another adapter.
    pub id: i64,
    /// The text, with names in braces for `variables`.
    pub format: String,
    /// What to put in for the names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
    /// For the maker of the adapter; never set by us.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_telemetry: Option<bool>,
    /// The client should tell the person, not just whoever asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub show_user: Option<bool>,
    /// Where there is more about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What a link to it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_label: Option<String>,
}

impl ErrorBody {
    /// The text with everything put in. A value is not looked through again for names.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(self.format.len());
        let mut rest = self.format.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            match after.split_once('}').and_then(|(name, left)| Some((self.variables.get(name)?, left))) {
                Some((value, left)) => {
                    text.push_str(value);
                    rest = left;
                }
                None => {
                    text.push('{');
                    rest = after;
                }
            }
        }
        text + rest
    }
}

/// Why a request is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// One of the two short texts that programs look for.
    predefined: Option<&'static str>,
    /// All about it.
    pub error: Box<ErrorBody>,
}

impl Failure {
    /// A failure that whoever asked is told of. Whatever comes from outside belongs into variables: [`Failure::with`].
    pub fn new(id: ErrorId, format: impl Into<String>) -> Self {
        let error = ErrorBody { id: id as i64, format: format.into(), ..ErrorBody::default() };
        Self { predefined: None, error: Box::new(error) }
    }

    /// The request was cancelled.
    pub fn cancelled(id: ErrorId) -> Self {
        Self { predefined: Some("cancelled"), ..Self::new(id, "cancelled") }
    }

    /// The request needs a job that stands.
    pub fn not_stopped(id: ErrorId) -> Self {
        Self { predefined: Some("notStopped"), ..Self::new(id, "the job is running; pause it first") }
    }

    /// Puts a value in for a name in braces.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.error.variables.insert(name.to_owned(), value.into());
        self
    }

    /// Appends what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: &str) -> Self {
        self.error.format.push_str("; ");
        self.error.format.push_str(hint);
        self
    }

    /// The person is told too.
    #[must_use]
    pub fn shown(mut self) -> Self {
        self.error.show_user = Some(true);
        self
    }

    /// The response that says so. Many clients show `message` alone, so it is the whole text unless it is predefined.
    pub fn into_response(self, request_seq: i64, command: impl Into<String>) -> RawResponse {
        let message = self.predefined.map_or_else(|| self.error.text(), str::to_owned);
        let body = serde_json::value::to_raw_value(&ErrorResponseBody { error: &self.error }).ok();
        RawResponse { request_seq, command: command.into(), success: false, message: Some(message), body }
    }
}

/// The body of a response without success.
#[derive(Serialize)]
struct ErrorResponseBody<'e> {
    error: &'e ErrorBody,
}

/// Why a message could not be given its types.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A command that nobody knows.
    #[error("unknown request '{0}'")]
    UnknownCommand(String),
    /// Arguments that are not those of the command.
    #[error("invalid arguments for '{command}': {reason}")]
    InvalidArguments {
        /// The command.
        command: String,
        /// What is wrong, without repeating a value.
        reason: String,
    },
    /// A body that is not that of the response or event.
    #[error("invalid body of '{name}': {reason}")]
    InvalidBody {
        /// The command or the event.
        name: String,
        /// What is wrong, without repeating a value.
        reason: String,
    },
}

impl DecodeError {
    /// For members in [`Extra`](super::Extra) that the reader could not use.
    pub fn arguments(command: &str, error: &serde_json::Error) -> Self {
        Self::InvalidArguments { command: command.to_owned(), reason: reason(error) }
    }

    pub(super) fn body(name: &str, error: &serde_json::Error) -> Self {
        Self::InvalidBody { name: name.to_owned(), reason: reason(error) }
    }
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::UnknownCommand(command) => {
                Self::new(ErrorId::UnknownCommand, "unknown request '{command}'").with("command", command)
            }
            DecodeError::InvalidArguments { command, reason } => {
                Self::new(ErrorId::InvalidArguments, "invalid arguments for '{command}': {reason}")
                    .with("command", command)
                    .with("reason", reason)
            }
            DecodeError::InvalidBody { name, reason } => {
                Self::new(ErrorId::Malformed, "invalid body of '{name}': {reason}")
                    .with("name", name)
                    .with("reason", reason)
            }
        }
    }
}

/// What the parser found, without the value that it found: that may be a secret.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let at = match error.column() {
        0 => String::new(),
        column => format!(" (column {column})"),
    };
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(before, _)| before);
    if text.starts_with("missing field `") || text.starts_with("recursion limit exceeded") {
        return text.to_owned();
    }
    match text.rsplit_once(", expected ") {
        Some((found, expected)) => format!("expected {expected}, found {}{at}", kind(found)),
        None => format!("not what the protocol says{at}"),
    }
}

/// The kind of value that the parser did not expect.
fn kind(found: &str) -> &'static str {
    let kinds = [
        ("string", "a string"),
        ("integer", "an integer"),
        ("floating point", "a fraction"),
        ("boolean", "a boolean"),
        ("null", "null"),
        ("sequence", "an array"),
        ("map", "an object"),
    ];
    let what = found.strip_prefix("invalid type: ").or(found.strip_prefix("invalid value: "));
    let what = what.unwrap_or_default();
    kinds.iter().find(|(start, _)| what.starts_with(start)).map_or("something else", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Wanted {
        #[expect(dead_code, reason = "only its type matters")]
        number: u8,
    }

    fn refused(json: &str) -> String {
        reason(&serde_json::from_str::<Wanted>(json).unwrap_err())
    }

    #[test]
    fn reasons_do_not_repeat_values() {
        assert_eq!(refused("{}"), "missing field `number`");
        let tricky = r#"{"number": "hunter2, expected x at line 3"}"#;
        assert_eq!(refused(tricky), "expected u8, found a string (column 42)");
        assert_eq!(refused(r#"{"number": 300}"#), "expected u8, found an integer (column 14)");
        assert_eq!(refused(r#"{"number": [1]}"#), "expected u8, found an array (column 11)");
    }

    #[test]
    fn names_are_filled_in_once() {
        let failure = Failure::new(ErrorId::Internal, "{a}, {b} and {c}").with("a", "{b}").with("b", "2");
        assert_eq!(failure.error.text(), "{b}, 2 and {c}");
    }

    #[test]
    fn a_failure_becomes_a_response() {
        let failure = Failure::from(DecodeError::UnknownCommand("fly".to_owned())).hint("walk").shown();
        let response = failure.into_response(7, "fly");
        assert_eq!(response.message.as_deref(), Some("unknown request 'fly'; walk"));
        let body: serde_json::Value = serde_json::from_str(response.body.unwrap().get()).unwrap();
        let error = serde_json::json!({"id": 1002, "format": "unknown request '{command}'; walk",
            "variables": {"command": "fly"}, "showUser": true});
        assert_eq!(body, serde_json::json!({ "error": error }));
        let cancelled = Failure::cancelled(ErrorId::Internal).into_response(1, "evaluate");
        assert_eq!(cancelled.message.as_deref(), Some("cancelled"));
    }
}
