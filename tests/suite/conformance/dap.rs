//! The messages that were generated from the schema of the protocol: what is known is read and written again without
//! loss, what cannot be served is answered.

use dap_server::envelope::{Content, Envelope, RawRequest};
use dap_server::protocol::{
    DecodeError, Event, Failure, Request, ResponseBody, ReverseRequest, ReverseResponseBody,
};
use serde_json::Value as Json;

use super::{Tally, data, text};
use crate::dap::schema::Schema;

/// A message as this crate writes it after it has read it, types and all.
fn written_again(message: &Json) -> Result<Json, String> {
    let Envelope { seq, content } =
        Envelope::parse(&message.to_string()).map_err(|error| error.to_string())?;
    let content = match content {
        Content::Request(request) => Content::Request(request_again(request)?),
        Content::Response(response) if !response.success => Content::Response(response),
        Content::Response(response) => {
            let (command, body) = (response.command.as_str(), response.body.as_deref());
            let again = match ResponseBody::decode(command, body) {
                Ok(body) => body.into_response(response.request_seq, command),
                Err(DecodeError::UnknownCommand(_)) => {
                    let body =
                        ReverseResponseBody::decode(command, body).map_err(|error| error.to_string())?;
                    body.into_response(response.request_seq, command)
                }
                Err(error) => return Err(error.to_string()),
            };
            Content::Response(again)
        }
        Content::Event(event) => {
            let event = Event::decode(event).map_err(|error| error.to_string())?;
            Content::Event(event.encode().map_err(|error| error.to_string())?)
        }
    };
    serde_json::from_str(&Envelope { seq, content }.to_json()).map_err(|error| error.to_string())
}

fn request_again(request: RawRequest) -> Result<RawRequest, String> {
    let again = match Request::decode(request.clone()) {
        Ok(known) => known.encode(),
        Err(DecodeError::UnknownCommand(_)) => {
            ReverseRequest::decode(request).map_err(|error| error.to_string())?.encode()
        }
        Err(error) => return Err(error.to_string()),
    };
    again.map_err(|error| error.to_string())
}

/// Absent, null and empty arguments are one.
fn with_arguments(mut message: Json) -> Json {
    if message["type"] == "request" && message.get("arguments").is_none_or(Json::is_null) {
        message["arguments"] = Json::Object(serde_json::Map::new());
    }
    message
}

/// What a request is refused with; it must be an answer to it, and valid.
fn refusal(message: &Json, schema: &Schema) -> Result<String, String> {
    let parsed = Envelope::parse(&message.to_string()).map_err(|error| error.to_string())?;
    let Content::Request(request) = parsed.content else { return Err("no request".to_owned()) };
    let Err(error) = Request::decode(request) else { return Err("it was accepted".to_owned()) };
    let response = Failure::from(error).into_response(parsed.seq, text(message, "command"));
    if response.request_seq != message["seq"] || response.success {
        return Err("the answer is not to the request".to_owned());
    }
    let said = response.message.clone().unwrap_or_default();
    let answer = Envelope { seq: 1, content: Content::Response(response) }.to_json();
    schema.check(&serde_json::from_str(&answer).map_err(|error| error.to_string())?)?;
    Ok(said)
}

/// One line of the data.
fn case(line: &Json, schema: &Schema) -> Result<(), String> {
    let message = &line["msg"];
    let lacks_source =
        text(line, "name") == "breakpointLocations" && message["arguments"]["source"].is_null();
    let expected = match (text(line, "kind"), text(line, "name")) {
        ("req", "unknownFoo") => Some("unknown request 'unknownFoo'"),
        ("req", _) if lacks_source => {
            Some("invalid arguments for 'breakpointLocations': missing field `source`")
        }
        _ => None,
    };
    if let Some(expected) = expected {
        let said = refusal(message, schema)?;
        return if said == expected { Ok(()) } else { Err(said) };
    }
    let (again, message) = (written_again(message)?, with_arguments(message.clone()));
    if again == message { Ok(()) } else { Err(format!("read   {message}\n    wrote  {again}")) }
}

#[test]
fn messages() {
    let (Some(folder), Some(schema)) = (data(), Schema::load()) else { return };
    let lines = std::fs::read_to_string(folder.join("dap/messages.jsonl")).unwrap();
    let mut tally = Tally::new("dap");
    for line in lines.lines() {
        let line: Json = serde_json::from_str(line).unwrap();
        let name = ["kind", "name", "variant"].map(|field| text(&line, field)).join(" ");
        tally.case(&name, case(&line, &schema));
    }
    tally.finish();
}
