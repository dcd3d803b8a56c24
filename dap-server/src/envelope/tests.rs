//! Envelopes read and written, the wrong ones too.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn parse(body: &str) -> Envelope {
    Envelope::parse(body).unwrap_or_else(|error| panic!("{body}: {error}"))
}

/// The number and the command of the answer, and what it says.
#[track_caller]
fn answered(body: &str, seq: i64, command: &str, reason: &str) {
    let malformed = Envelope::parse(body).unwrap_err();
    assert_eq!(malformed.reason, reason);
    let answer = malformed.answer().expect("an answer");
    assert_eq!((answer.request_seq, answer.command.as_str(), answer.success), (seq, command, false));
    let answer = Envelope { seq: 1, content: Content::Response(answer) }.to_json();
    assert!(answer.contains(r#""id":1001"#), "{answer}");
}

#[track_caller]
fn ignored(body: &str) {
    assert!(Envelope::parse(body).unwrap_err().answer().is_none());
}

fn same(body: serde_json::Value) {
    let written: serde_json::Value = serde_json::from_str(&parse(&body.to_string()).to_json()).unwrap();
    assert_eq!(written, body);
}

#[test]
fn messages_are_written_as_they_were_read() {
    same(json!({"seq": 1, "type": "request", "command": "threads"}));
    same(json!({"seq": 1, "type": "request", "command": "a\"b", "arguments": {"a": [1, {}], "b": null}}));
    same(json!({"seq": 2, "type": "response", "request_seq": 1, "success": true, "command": "threads"}));
    same(
        json!({"seq": 2, "type": "response", "request_seq": 1, "success": false, "command": "x", "message": "\u{1}",
        "body": {"error": {}}}),
    );
    same(json!({"seq": 3, "type": "event", "event": "stopped", "body": {"reason": "step"}}));
}

#[test]
fn absent_and_null_are_one() {
    for body in [
        r#"{"seq":1,"type":"request","command":"threads"}"#,
        r#"{"seq":1,"type":"request","command":"threads","arguments":null}"#,
        r#"{"command":"threads","arguments" : null ,"extra":[[]],"type":"request","seq":1}"#,
    ] {
        let Content::Request(request) = parse(body).content else { panic!("a request") };
        assert!(request.arguments.is_none(), "{body}");
    }
}

#[test]
fn what_is_no_object_is_answered_to_nobody_in_particular() {
    for body in ["1", "\"x\"", "null", "true", "[]", "[{\"seq\":1}]", "[1,\"request\",\"next\"]"] {
        answered(body, 0, "", "not an object");
    }
    for body in ["", " ", "{", "nul", "{]", "\u{feff}{}", "{\"seq\":1}{}", "{'seq':1}"] {
        let malformed = Envelope::parse(body).unwrap_err();
        assert_eq!(malformed.reason, "not JSON", "{body}");
        assert!(malformed.answer().is_some());
    }
}

#[test]
fn what_was_read_before_the_fault_is_answered_to() {
    let start = r#"{"seq":5,"type":"request","command":"evaluate","arguments":"#;
    for rest in ["{bad}}", "{\"a\":}", "", "[", "tru}", "{\"a\":\"\\x\"}}"] {
        answered(&format!("{start}{rest}"), 5, "evaluate", "not JSON");
    }
    answered(r#"{"seq":5,"type":"request"}"#, 5, "", "no `command`");
    answered(r#"{"seq":5,"type":"request","command":7}"#, 5, "", "`command` is not a string");
    answered(r#"{"seq":5,"command":"next"}"#, 5, "next", "no `type`");
    answered(r#"{"seq":5,"type":null,"command":"next"}"#, 5, "next", "`type` is not a string");
    let other = r#"{"seq":5,"type":"reverseRequest","command":"next"}"#;
    answered(other, 5, "next", "`type` is neither request nor response nor event");
    answered(r#"{"type":"request","command":"next"}"#, 0, "next", "no `seq`");
    for seq in ["\"5\"", "5.5", "null", "1e99", "99999999999999999999", "{}"] {
        let body = format!(r#"{{"seq":{seq},"type":"request","command":"next"}}"#);
        answered(&body, 0, "next", "`seq` is not an integer");
    }
}

#[test]
fn a_long_command_is_not_repeated() {
    let command = "x".repeat(COMMAND_BYTES_MAX + 1);
    let body = format!(r#"{{"seq":5,"type":"request","command":"{command}"}}"#);
    answered(&body, 5, "", "`command` is too long");
}

#[test]
fn nobody_waits_for_an_answer_to_a_response_or_an_event() {
    ignored(r#"{"seq":5,"type":"response"}"#);
    ignored(r#"{"seq":5,"type":"response","request_seq":"1","success":true}"#);
    ignored(r#"{"seq":5,"type":"event"}"#);
    ignored(r#"{"seq":5,"type":"event","event":"x","body":"#);
}

#[test]
fn responses_are_read_with_tolerance() {
    let body = r#"{"seq":5,"type":"response","request_seq":1,"success":true,"message":null,"body":null}"#;
    let Content::Response(response) = parse(body).content else { panic!("a response") };
    assert_eq!((response.command.as_str(), response.message), ("", None));
    assert!(response.body.is_none());
}

#[test]
fn depth_costs_nothing() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        let body = format!(r#"{{"seq":5,"type":"request","command":"next","arguments":{deep},"x":{deep}}}"#);
        let Content::Request(request) = parse(&body).content else { panic!("a request") };
        assert_eq!(request.arguments.unwrap().get().len(), deep.len());
        answered(body.split_at(body.len() / 2).0, 5, "next", "not JSON");
    }
    answered(&"[".repeat(100_000), 0, "", "not an object");
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}") {
        if let Err(malformed) = Envelope::parse(&text) {
            prop_assert!(malformed.answer().is_some());
        }
    }

    #[test]
    fn a_cut_message_is_answered_or_ignored(cut in 0usize..90, seq in any::<i64>()) {
        let body = json!({"seq": seq, "type": "request", "command": "next", "arguments": {"threadId": 1}}).to_string();
        let cut = cut.min(body.len() - 1);
        let malformed = Envelope::parse(body.split_at(cut).0).unwrap_err();
        let answer = malformed.answer().unwrap();
        prop_assert!(answer.command.is_empty() || answer.command == "next");
        prop_assert!(answer.request_seq == 0 || answer.request_seq == seq);
    }
}
