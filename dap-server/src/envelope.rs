//! Messages whose arguments and bodies are still text: who sent it, what it is called, to what it answers. Read before
//! anything is typed, so that whatever is wrong with the rest can be answered to the right request.
//!
//! Does not know which commands and events there are.

use std::fmt::Write as _;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::limits::COMMAND_BYTES_MAX;
use crate::protocol::error::{ErrorId, Failure};

/// A message with its number.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// Counted from 1 by each side for itself.
    pub seq: i64,
    /// What it is.
    pub content: Content,
}

/// What a message is.
#[derive(Clone, Debug)]
pub enum Content {
    /// It wants an answer.
    Request(RawRequest),
    /// It is one.
    Response(RawResponse),
    /// It tells something.
    Event(RawEvent),
}

/// A request.
#[derive(Clone, Debug)]
pub struct RawRequest {
    /// Its name.
    pub command: String,
    /// Its arguments; absent and null are one.
    pub arguments: Option<Box<RawValue>>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct RawResponse {
    /// The `seq` of the request.
    pub request_seq: i64,
    /// The command of the request; empty when it could not be read.
    pub command: String,
    /// Whether it was done.
    pub success: bool,
    /// Why not, in short.
    pub message: Option<String>,
    /// The result, or the error at length; absent and null are one.
    pub body: Option<Box<RawValue>>,
}

/// An event.
#[derive(Clone, Debug)]
pub struct RawEvent {
    /// Its name.
    pub event: String,
    /// What it tells; absent and null are one.
    pub body: Option<Box<RawValue>>,
}

/// A body that is no message, with what could be read of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed message: {reason}")]
pub struct Malformed {
    /// Its `seq`; 0 when that could not be read.
    pub request_seq: i64,
    /// Its `command`; empty when that could not be read.
    pub command: String,
    /// What is wrong, without repeating anything of it.
    pub reason: &'static str,
    /// It says that it is a response or an event, so that nobody waits for an answer.
    answered_by_nobody: bool,
}

impl Malformed {
    /// The answer to send, if one is due.
    pub fn answer(&self) -> Option<RawResponse> {
        let failure =
            Failure::new(ErrorId::Malformed, "malformed message: {reason}").with("reason", self.reason);
        (!self.answered_by_nobody).then(|| failure.into_response(self.request_seq, self.command.clone()))
    }
}

impl Envelope {
    /// Reads a message.
    ///
    /// # Errors
    /// It is not JSON, not an object, or lacks what every message has.
    pub fn parse(body: &str) -> Result<Self, Malformed> {
        let mut read = Members::default();
        let mut json = serde_json::Deserializer::from_str(body);
        let complete = MembersInto(&mut read).deserialize(&mut json).and_then(|()| json.end());
        match complete {
            Ok(()) => read.into_envelope(),
            Err(error) if error.is_data() => Err(read.malformed("not an object")),
            Err(_) => Err(read.malformed("not JSON")),
        }
    }

    /// The message as text.
    pub fn to_json(&self) -> String {
        let mut json = format!(r#"{{"seq":{},"type":"#, self.seq);
        match &self.content {
            Content::Request(request) => {
                json.push_str(r#""request""#);
                push(&mut json, "command", Some(quoted(&request.command)));
                push(&mut json, "arguments", request.arguments.as_deref().map(RawValue::get));
            }
            Content::Response(response) => {
                json.push_str(r#""response""#);
                push(&mut json, "request_seq", Some(response.request_seq));
                push(&mut json, "success", Some(response.success));
                push(&mut json, "command", Some(quoted(&response.command)));
                push(&mut json, "message", response.message.as_deref().map(quoted));
                push(&mut json, "body", response.body.as_deref().map(RawValue::get));
            }
            Content::Event(event) => {
                json.push_str(r#""event""#);
                push(&mut json, "event", Some(quoted(&event.event)));
                push(&mut json, "body", event.body.as_deref().map(RawValue::get));
            }
        }
        json.push('}');
        json
    }
}

/// Appends a member; an absent one leaves no trace.
fn push(json: &mut String, name: &str, value: Option<impl std::fmt::Display>) {
    if let Some(value) = value {
        // Writing to a string cannot fail.
        let _ = write!(json, r#","{name}":{value}"#);
    }
}

fn quoted(text: &str) -> Value {
    Value::from(text)
}

/// A member that has a type of its own.
#[derive(Debug, Default)]
enum Member<T> {
    #[default]
    Absent,
    Wrong,
    Is(T),
}

impl<T: serde::de::DeserializeOwned> Member<T> {
    fn read(raw: &RawValue) -> Self {
        serde_json::from_str(raw.get()).map_or(Self::Wrong, Self::Is)
    }

    fn into_option(self) -> Option<T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Absent | Self::Wrong => None,
        }
    }
}

/// The members of a message, as far as they have been read.
#[derive(Debug, Default)]
struct Members {
    seq: Member<i64>,
    kind: Member<String>,
    command: Member<String>,
    event: Member<String>,
    request_seq: Member<i64>,
    success: Member<bool>,
    message: Member<String>,
    arguments: Option<Box<RawValue>>,
    body: Option<Box<RawValue>>,
}

impl Members {
    fn into_envelope(self) -> Result<Envelope, Malformed> {
        let kind = match &self.kind {
            Member::Is(kind) => kind.as_str(),
            Member::Absent => return Err(self.malformed("no `type`")),
            Member::Wrong => return Err(self.malformed("`type` is not a string")),
        };
        let seq = match self.seq {
            Member::Is(seq) => seq,
            Member::Absent => return Err(self.malformed("no `seq`")),
            Member::Wrong => return Err(self.malformed("`seq` is not an integer")),
        };
        let content = match kind {
            "request" => self.into_request().map(Content::Request)?,
            "response" => self.into_response().map(Content::Response)?,
            "event" => self.into_event().map(Content::Event)?,
            _ => return Err(self.malformed("`type` is neither request nor response nor event")),
        };
        Ok(Envelope { seq, content })
    }

    fn into_request(self) -> Result<RawRequest, Malformed> {
        match self.command {
            Member::Is(command) if command.len() <= COMMAND_BYTES_MAX => {
                Ok(RawRequest { command, arguments: self.arguments })
            }
            Member::Is(_) => Err(self.malformed("`command` is too long")),
            Member::Absent => Err(self.malformed("no `command`")),
            Member::Wrong => Err(self.malformed("`command` is not a string")),
        }
    }

    fn into_response(self) -> Result<RawResponse, Malformed> {
        let (Member::Is(request_seq), Member::Is(success)) = (&self.request_seq, &self.success) else {
            return Err(self.malformed("a response without `request_seq` or `success`"));
        };
        Ok(RawResponse {
            request_seq: *request_seq,
            success: *success,
            command: self.command.into_option().unwrap_or_default(),
            message: self.message.into_option(),
            body: self.body,
        })
    }

    fn into_event(self) -> Result<RawEvent, Malformed> {
        match self.event {
            Member::Is(event) => Ok(RawEvent { event, body: self.body }),
            Member::Absent | Member::Wrong => Err(self.malformed("an event without a name")),
        }
    }

    fn malformed(self, reason: &'static str) -> Malformed {
        let kind = self.kind.into_option();
        let command = self.command.into_option().filter(|command| command.len() <= COMMAND_BYTES_MAX);
        Malformed {
            request_seq: self.seq.into_option().unwrap_or_default(),
            command: command.unwrap_or_default(),
            reason,
            answered_by_nobody: matches!(kind.as_deref(), Some("response" | "event")),
        }
    }
}

/// Reads into what is already there, so that it remains when the reading fails.
struct MembersInto<'m>(&'m mut Members);

impl<'de> DeserializeSeed<'de> for MembersInto<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for MembersInto<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        // A number that ends where the text is cut off may be the start of another: it counts once something follows.
        let mut seq = None;
        loop {
            let name = map.next_key::<String>()?;
            if let Some(seq) = seq.take() {
                self.0.seq = seq;
            }
            let Some(name) = name else { return Ok(()) };
            match name.as_str() {
                "seq" => seq = Some(Member::read(map.next_value()?)),
                "type" => self.0.kind = Member::read(map.next_value()?),
                "command" => self.0.command = Member::read(map.next_value()?),
                "event" => self.0.event = Member::read(map.next_value()?),
                "request_seq" => self.0.request_seq = Member::read(map.next_value()?),
                "success" => self.0.success = Member::read(map.next_value()?),
                "message" => self.0.message = Member::read(map.next_value()?),
                "arguments" => self.0.arguments = map.next_value()?,
                "body" => self.0.body = map.next_value()?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
    }
}

#[cfg(test)]
mod tests;
