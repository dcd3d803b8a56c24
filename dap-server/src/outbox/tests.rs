//! The order and the limits of what waits to be written.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, duplex};

use super::*;
use crate::codec::Decoder;
use crate::limits::{OUTBOX_BYTES_MAX, OUTPUT_BYTES_MAX, OUTPUT_TIME_MAX};
use crate::protocol::ResponseBody;
use crate::protocol::execution::StoppedEvent;
use crate::protocol::output::{OutputEvent, OutputGroup};
use crate::protocol::reverse::RunInTerminalArguments;
use crate::protocol::sound::OutputEventCategory;

fn text(output: &str) -> OutputEvent {
    OutputEvent {
        category: Some(OutputEventCategory::Stdout),
        output: output.to_owned(),
        ..OutputEvent::default()
    }
}

fn group(group: OutputGroup) -> OutputEvent {
    OutputEvent { group: Some(group), ..text("g\n") }
}

fn stopped() -> Content {
    let stopped = StoppedEvent {
        reason: "step".into(),
        description: None,
        thread_id: Some(1),
        preserve_focus_hint: None,
        text: None,
        all_threads_stopped: None,
        hit_breakpoint_ids: None,
    };
    Content::Event(Event::Stopped(stopped).encode().unwrap())
}

fn messages(frames: &[u8]) -> Vec<Value> {
    let (mut decoder, mut input, mut found) = (Decoder::new(), frames, Vec::new());
    while let Some(body) = decoder.decode(&mut input).unwrap() {
        found.push(serde_json::from_str(&body).unwrap());
    }
    assert!(decoder.is_between_frames());
    found
}

/// Everything that is sent if the client reads now and never again.
fn drain(queue: &mut Queue, now: Instant) -> Vec<Value> {
    let mut found = Vec::new();
    while let Step::Send(frames) = queue.step(now) {
        found.extend(messages(&frames));
    }
    found
}

fn outputs(messages: &[Value]) -> Vec<&str> {
    messages.iter().filter_map(|message| message["body"]["output"].as_str()).collect()
}

#[test]
fn output_waits_for_more_and_is_joined() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    queue.push_output(text("a\n"), now);
    queue.push_output(text("b\n"), now + OUTPUT_TIME_MAX / 2);
    assert_eq!(queue.step(now), Step::WaitUntil(now + OUTPUT_TIME_MAX));
    let sent = drain(&mut queue, now + OUTPUT_TIME_MAX);
    assert_eq!(
        sent,
        [json!({"seq": 1, "type": "event", "event": "output",
        "body": {"category": "stdout", "output": "a\nb\n"}})]
    );
    assert_eq!(queue.step(now), Step::Wait);
}

#[test]
fn nothing_overtakes_output() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    queue.push_output(text("a\n"), now);
    queue.push(stopped());
    queue.push_output(text("b\n"), now);
    let sent = drain(&mut queue, now);
    assert_eq!(
        (sent[0]["body"]["output"].clone(), sent[1]["event"].clone()),
        (json!("a\n"), json!("stopped"))
    );
    assert_eq!(sent.len(), 2, "the last still waits for more");
    queue.finish();
    assert_eq!(outputs(&drain(&mut queue, now)), ["b\n"]);
    assert_eq!(queue.step(now), Step::Finished);
}

#[test]
fn output_that_looks_different_is_not_joined() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    let stderr = OutputEvent { category: Some(OutputEventCategory::Stderr), ..text("b\n") };
    let line = OutputEvent { line: Some(3), ..text("c\n") };
    for event in [text("a\n"), stderr, line, group(OutputGroup::Start), text("d\n"), group(OutputGroup::End)]
    {
        queue.push_output(event, now);
    }
    assert_eq!(queue.step(now), Step::WaitUntil(now + OUTPUT_TIME_MAX), "groups wait as lines do");
    assert_eq!(
        outputs(&drain(&mut queue, now + OUTPUT_TIME_MAX)),
        ["a\n", "b\n", "c\n", "g\n", "d\n", "g\n"]
    );
}

fn timeline_changed() -> RawEvent {
    RawEvent { event: "stepback/timelineChanged".to_owned(), body: None }
}

#[test]
fn a_hint_waits_with_the_output_and_is_sent_once_for_many() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    queue.push_hint(timeline_changed(), now);
    queue.push_output(text("a\n"), now);
    queue.push_hint(timeline_changed(), now + OUTPUT_TIME_MAX / 2);
    assert_eq!(queue.step(now), Step::WaitUntil(now + OUTPUT_TIME_MAX));
    let sent = drain(&mut queue, now + OUTPUT_TIME_MAX);
    assert_eq!(sent.len(), 2, "{sent:?}");
    assert_eq!(sent[0]["event"], "stepback/timelineChanged");
    queue.push_hint(timeline_changed(), now);
    queue.push(stopped());
    assert_eq!(drain(&mut queue, now).len(), 2, "a stop takes along what waits");
}

#[test]
fn output_waits_no_longer_than_until_there_is_an_event_full() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    for _ in 0..2 {
        queue.push_output(group(OutputGroup::Start), now);
        queue.push_output(text(&"x\n".repeat(OUTPUT_BYTES_MAX / 4)), now);
    }
    assert!(matches!(queue.step(now), Step::Send(_)));
}

#[test]
fn output_is_cut_after_lines() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    let line = format!("{}\n", "é".repeat(500));
    let long = line.repeat(200) + &"x".repeat(2 * OUTPUT_BYTES_MAX);
    queue.push_output(text(&long), now);
    queue.finish();
    let sent = drain(&mut queue, now);
    let outputs = outputs(&sent);
    assert!(outputs.iter().all(|output| output.len() <= OUTPUT_BYTES_MAX));
    assert!(outputs[0].ends_with('\n'));
    assert_eq!(outputs.concat(), long);
}

#[test]
fn a_slow_client_loses_output_and_is_told() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    queue.push_output(text("first\n"), now);
    queue.push(stopped());
    let line = format!("{}\n", "x".repeat(1023));
    let lines = 3 * OUTBOX_BYTES_MAX / line.len();
    for _ in 0..lines {
        queue.push_output(text(&line), now);
    }
    let important = OutputEvent { category: Some(OutputEventCategory::Important), ..text("look\n") };
    queue.push_output(important, now);
    queue.finish();
    let sent = drain(&mut queue, now);
    assert_eq!(outputs(&sent)[0], "… 1 line dropped: the client reads more slowly than the job writes\n");
    assert_eq!(sent[1]["event"], "stopped");
    let dropped: usize = outputs(&sent)[1].split(' ').nth(1).unwrap().parse().unwrap();
    let kept = outputs(&sent)[2..].concat().matches("x\n").count();
    assert_eq!(dropped + kept, lines);
    assert!(kept > 0 && dropped > lines / 2, "{kept} kept, {dropped} dropped");
    assert_eq!(*outputs(&sent).last().unwrap(), "look\n");
    let seqs: Vec<i64> = sent.iter().map(|message| message["seq"].as_i64().unwrap()).collect();
    assert_eq!(seqs, (1..=sent.len() as i64).collect::<Vec<_>>());
}

#[test]
fn groups_stay_balanced_when_output_is_dropped() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    let block = "x\n".repeat(OUTPUT_BYTES_MAX / 2);
    queue.push_output(group(OutputGroup::End), now);
    for _ in 0..3 * OUTBOX_BYTES_MAX / OUTPUT_BYTES_MAX {
        queue.push_output(group(OutputGroup::Start), now);
        queue.push_output(text(&block), now);
        queue.push_output(group(OutputGroup::End), now);
    }
    queue.push_output(group(OutputGroup::StartCollapsed), now);
    queue.finish();
    let sent = drain(&mut queue, now);
    let depth: i32 = sent
        .iter()
        .map(|message| match message["body"]["group"].as_str() {
            Some("start" | "startCollapsed") => 1,
            Some("end") => -1,
            _ => 0,
        })
        .sum();
    assert_eq!(depth, 0);
    assert_eq!(sent[0]["body"]["group"], "end");
    assert_eq!(sent.last().unwrap()["body"]["group"], "startCollapsed");
}

#[test]
fn responses_push_output_out_but_not_each_other() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    let block = "x\n".repeat(OUTPUT_BYTES_MAX / 2);
    for _ in 0..OUTBOX_BYTES_MAX / OUTPUT_BYTES_MAX - 2 {
        queue.push_output(text(&block), now);
    }
    let body = serde_json::value::to_raw_value(&"y".repeat(1 << 20)).unwrap();
    let mut responses = 0;
    while !queue.has_overflowed() {
        let response = ResponseBody::Custom(body.clone()).into_response(responses, "stepback/x");
        queue.push(Content::Response(response));
        responses += 1;
        assert!(queue.bytes <= OUTBOX_BYTES_MAX);
    }
    assert_eq!(responses, 8);
    assert_eq!(queue.step(now), Step::Overflowed);
    assert_eq!(queue.bytes, 0);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_reads_is_let_go() {
    let (ours, _theirs) = duplex(1024);
    let outbox = Outbox::new();
    let full = async {
        tokio::task::yield_now().await;
        let body = serde_json::value::to_raw_value(&"y".repeat(1 << 20)).unwrap();
        for seq in 0..20 {
            outbox.respond(ResponseBody::Custom(body.clone()).into_response(seq, "stepback/x"));
            tokio::task::yield_now().await;
        }
    };
    let (ended, ()) = tokio::join!(outbox.pump(ours), full);
    assert!(matches!(ended, Err(OutboxError::Overflow)), "{ended:?}");
    assert!(outbox.is_closed());
}

#[tokio::test(start_paused = true)]
async fn output_comes_after_its_time_and_the_rest_at_once() {
    let (ours, mut theirs) = duplex(1 << 16);
    let outbox = Outbox::new();
    let pump = outbox.clone();
    let pumping = tokio::spawn(async move { pump.pump(ours).await });
    let begin = Instant::now();
    outbox.tell(Event::Output(text("a\n")));
    let mut byte = [0];
    theirs.read_exact(&mut byte).await.unwrap();
    assert!((OUTPUT_TIME_MAX..OUTPUT_TIME_MAX + Duration::from_millis(5)).contains(&begin.elapsed()));
    let begin = Instant::now();
    outbox.tell(Event::Output(text("b\n")));
    outbox.respond(ResponseBody::Empty.into_response(1, "next"));
    outbox.finish();
    let mut rest = byte.to_vec();
    theirs.read_to_end(&mut rest).await.unwrap();
    assert!(begin.elapsed() < Duration::from_millis(5));
    pumping.await.unwrap().unwrap();
    let sent = messages(&rest);
    assert_eq!(outputs(&sent), ["a\n", "b\n"]);
    assert_eq!(sent[2]["request_seq"], 1);
}

#[tokio::test(start_paused = true)]
async fn questions_get_their_answers() {
    let (ours, mut theirs) = duplex(1 << 16);
    let outbox = Outbox::new();
    let pump = outbox.clone();
    let pumping = tokio::spawn(async move { pump.pump(ours).await });
    let shell = RunInTerminalArguments { cwd: "/".to_owned(), ..RunInTerminalArguments::default() };
    outbox.respond(ResponseBody::Empty.into_response(1, "next"));
    let answer = outbox.ask(&ReverseRequest::RunInTerminal(shell.clone()));
    let unanswered = outbox.ask(&ReverseRequest::RunInTerminal(shell));
    tokio::task::yield_now().await;
    outbox.answered(ResponseBody::Empty.into_response(77, "runInTerminal"));
    outbox.answered(ResponseBody::Empty.into_response(2, "runInTerminal"));
    assert_eq!(answer.await.unwrap().request_seq, 2);
    outbox.finish();
    pumping.await.unwrap().unwrap();
    assert!(unanswered.await.is_err());
    let mut sent = Vec::new();
    theirs.read_to_end(&mut sent).await.unwrap();
    assert_eq!(messages(&sent)[1]["command"], "runInTerminal");
}

proptest! {
    /// Whatever is put in whenever, everything comes out in order, and numbers have no gaps.
    #[test]
    fn order_is_kept(acts in prop::collection::vec(0u8..5, 0..60)) {
        let (mut queue, mut now) = (Queue::default(), Instant::now());
        let (mut sent, mut put) = (Vec::new(), String::new());
        for (number, act) in acts.iter().enumerate() {
            match act {
                0 => now += OUTPUT_TIME_MAX / 3,
                1 => if let Step::Send(frames) = queue.step(now) {
                    sent.extend(messages(&frames));
                },
                2 => {
                    queue.push(stopped());
                    put.push('!');
                }
                _ => {
                    queue.push_output(text(&format!("{number}\n")), now);
                    put.push_str(&format!("{number}\n"));
                }
            }
        }
        queue.finish();
        sent.extend(drain(&mut queue, now));
        let got: String = sent.iter().map(|message| message["body"]["output"].as_str().unwrap_or("!")).collect();
        prop_assert_eq!(got, put);
        for (index, message) in sent.iter().enumerate() {
            prop_assert_eq!(message["seq"].as_i64(), Some(index as i64 + 1));
        }
    }
}
