//! Each command's arguments, read by its name.

use serde_json::json;

use super::*;
use crate::protocol::Event;

fn raw(command: &str, arguments: &str) -> RawRequest {
    let arguments = Some(RawValue::from_string(arguments.to_owned()).unwrap());
    RawRequest { command: command.to_owned(), arguments }
}

#[track_caller]
fn refused(command: &str, arguments: &str, with: &str) {
    assert_eq!(Request::decode(raw(command, arguments)).unwrap_err().to_string(), with);
}

#[test]
fn all_of_the_protocol_is_there() {
    assert_eq!(Request::COMMANDS.len() + ReverseRequest::COMMANDS.len(), 45);
    assert_eq!(Event::NAMES.len(), 17);
}

#[test]
fn requests_without_required_members_need_no_arguments() {
    for command in [
        "attach",
        "cancel",
        "configurationDone",
        "disconnect",
        "launch",
        "loadedSources",
        "modules",
        "restart",
        "terminate",
        "terminateThreads",
        "threads",
    ] {
        for arguments in [None, Some("null"), Some("{}"), Some("{\"unknown\":[]}")] {
            let arguments = arguments.map(|text| RawValue::from_string(text.to_owned()).unwrap());
            let request = RawRequest { command: command.to_owned(), arguments };
            assert_eq!(Request::decode(request).unwrap().command(), command);
        }
    }
}

#[test]
fn wrong_arguments_are_named() {
    refused(
        "breakpointLocations",
        "null",
        "invalid arguments for 'breakpointLocations': missing field `source`",
    );
    refused("next", "{}", "invalid arguments for 'next': missing field `threadId`");
    for arguments in ["[]", "[1]", "1", "\"{}\"", "true"] {
        refused("next", arguments, "invalid arguments for 'next': expected an object");
    }
    let secret = r#"{"threadId": "hunter2"}"#;
    refused("next", secret, "invalid arguments for 'next': expected i64, found a string (column 22)");
    refused("unknownFoo", "{}", "unknown request 'unknownFoo'");
    refused("runInTerminal", "{}", "unknown request 'runInTerminal'");
    refused("Threads", "{}", "unknown request 'Threads'");
}

#[test]
fn depth_is_refused_and_answered() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let launch = raw("launch", &format!(r#"{{"x":{deep}}}"#));
    let error = Request::decode(launch).unwrap_err().to_string();
    assert_eq!(error, "invalid arguments for 'launch': recursion limit exceeded");
    let sources =
        format!(r#"{{"line":1,"source":{}{{}}{}}}"#, "{\"sources\":[".repeat(1_000), "]}".repeat(1_000));
    assert!(Request::decode(raw("gotoTargets", &sources)).is_err());
}

#[test]
fn values_of_a_newer_protocol_pass() {
    let next = Request::decode(raw("next", r#"{"threadId":1,"granularity":"step","new":1}"#)).unwrap();
    let Request::Next(arguments) = next else { panic!("next") };
    assert_eq!(arguments.granularity, Some(SteppingGranularity::Other("step".to_owned())));
    let info =
        raw("initialize", r#"{"adapterID":"x","pathFormat":"url","clientId":"y","supportsFlying":true}"#);
    assert!(matches!(Request::decode(info), Ok(Request::Initialize(_))));
}

#[test]
fn a_configuration_is_kept_whole_and_the_token_out_of_sight() {
    let json = json!({"noDebug": true, "job": "build", "env": {"A": "hunter2"}, "token": "hunter2"});
    for command in ["launch", "attach"] {
        let request = Request::decode(raw(command, &json.to_string())).unwrap();
        assert!(!format!("{request:?}").contains("hunter2"));
        let written = request.encode().unwrap().arguments.unwrap();
        let written: serde_json::Value = serde_json::from_str(written.get()).unwrap();
        assert_eq!(written, json);
    }
}

#[test]
fn custom_commands_keep_their_arguments() {
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct View {
        #[serde(default)]
        moment: Option<u32>,
    }
    let Request::Custom(request) = Request::decode(raw("stepback/view", r#"{"moment":3}"#)).unwrap() else {
        panic!("custom")
    };
    assert_eq!(request.arguments_as::<View>(), Ok(View { moment: Some(3) }));
    assert_eq!(raw("stepback/view", "null").arguments_as::<View>(), Ok(View { moment: None }));
    let error = raw("stepback/view", r#"{"moment":"x"}"#).arguments_as::<View>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid arguments for 'stepback/view': expected u32, found a string (column 13)"
    );
}

#[test]
fn bodies_are_typed_by_the_arguments() {
    let body = RawValue::from_string(r#"{"threads":[{"id":1,"name":"x"}]}"#.to_owned()).unwrap();
    assert_eq!(ThreadsArguments::body(Some(&body)).unwrap().threads.len(), 1);
    assert!(ThreadsArguments::body(None).is_err());
    assert!(InitializeArguments::body(None).unwrap().is_none());
    NextArguments::body(Some(&body)).unwrap();
}
