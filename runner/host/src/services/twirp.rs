//! Twirp as far as the clients of actions speak it: a method, a JSON message, and errors with a code.
//!
//! Knows how protobuf messages look as JSON; not what a method does.

use std::io;

use axum::http::StatusCode;
use serde::de::{DeserializeOwned, Deserializer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The most bytes of one message. Messages hold names, never content.
pub(super) const MESSAGE_BYTES_MAX: usize = 256 * 1024;

/// Why a call is refused. The text is shown in the log of the step that called.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) text: String,
}

#[derive(Serialize)]
struct Body<'a> {
    code: &'a str,
    msg: &'a str,
}

impl Refusal {
    /// The message makes no sense.
    pub(super) fn invalid(text: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "invalid_argument", text: text.into() }
    }

    /// No token, or none of ours.
    pub(super) fn unauthenticated() -> Self {
        let text = "the token is none of this run's".to_owned();
        Self { status: StatusCode::UNAUTHORIZED, code: "unauthenticated", text }
    }

    /// There is no such thing.
    pub(super) fn not_found(text: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, code: "not_found", text: text.into() }
    }

    /// It is there already.
    pub(super) fn exists(text: impl Into<String>) -> Self {
        Self { status: StatusCode::CONFLICT, code: "already_exists", text: text.into() }
    }

    /// Something has to be done first.
    pub(super) fn precondition(text: impl Into<String>) -> Self {
        Self { status: StatusCode::PRECONDITION_FAILED, code: "failed_precondition", text: text.into() }
    }

    /// There is no room for it. Not the status that clients take for a wish to come again later.
    pub(super) fn too_large(text: impl Into<String>) -> Self {
        Self { status: StatusCode::PAYLOAD_TOO_LARGE, code: "resource_exhausted", text: text.into() }
    }

    /// No such method.
    pub(super) fn no_method(text: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, code: "bad_route", text: text.into() }
    }

    /// As JSON.
    pub(super) fn to_json(&self) -> Vec<u8> {
        json(&Body { code: self.code, msg: &self.text })
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        let text = format!("the store cannot be used: {error}");
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, code: "internal", text }
    }
}

/// The message of a call.
///
/// # Errors
/// It is no such message.
pub(super) fn read<T: DeserializeOwned>(message: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(message)
        .map_err(|error| Refusal::invalid(format!("the message cannot be read: {error}")))
}

/// A message as bytes.
pub(super) fn json(message: &impl Serialize) -> Vec<u8> {
    // Our messages are structs of strings, numbers and lists, all of which can be written.
    serde_json::to_vec(message).unwrap_or_default()
}

/// A 64-bit number, which JSON has as text.
pub(super) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let raw = Option::<Box<RawValue>>::deserialize(from)?;
    let text = raw.as_ref().map(|raw| raw.get().trim_matches('"'));
    Ok(text.and_then(|text| text.parse().ok()))
}

/// Whether people may use the text as a name in the store: something in it, not too long, nothing that is no text.
///
/// # Errors
/// Says what is wrong, beginning with `what`.
pub(super) fn check_name(what: &str, name: &str, most: usize) -> Result<(), Refusal> {
    if name.is_empty() {
        return Err(Refusal::invalid(format!("{what} is empty")));
    }
    if name.chars().count() > most {
        return Err(Refusal::invalid(format!("{what} is longer than {most} characters")));
    }
    if name.chars().any(char::is_control) {
        return Err(Refusal::invalid(format!("{what} has a control character in it")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Message {
        #[serde(default, deserialize_with = "number")]
        size: Option<u64>,
    }

    #[test]
    fn numbers_come_as_text_or_as_numbers() {
        for (text, expected) in [
            (r#"{"size":"12"}"#, Some(12)),
            (r#"{"size":12}"#, Some(12)),
            (r#"{"size":null}"#, None),
            ("{}", None),
            (r#"{"size":"x"}"#, None),
        ] {
            assert_eq!(read::<Message>(text.as_bytes()).unwrap().size, expected, "{text}");
        }
        assert!(read::<Message>(b"[").unwrap_err().text.starts_with("the message cannot be read: "));
    }

    #[test]
    fn names_are_text_of_some_length() {
        assert!(check_name("key", "../../x", 10).is_ok());
        for (name, wrong) in [
            ("", "key is empty"),
            ("a\0b", "key has a control character in it"),
            ("12345678901", "key is longer than 10 characters"),
        ] {
            assert_eq!(check_name("key", name, 10).unwrap_err().text, wrong);
        }
    }
}
