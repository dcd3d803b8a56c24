//! Requests in one breath: a client that does not wait for an answer before it asks the next thing is judged as one that
//! does. Found by the fuzz target of request sequences.

use std::time::Duration;

use dap_server::client::Pending;
use dap_server::codec;
use dap_server::debuggee::Desk;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;

use super::job::{Job, launched};
use super::wire::{Peer, ended, serve};
use crate::debugger::little::workflow;
use crate::debugger::{Place, block_on, plan};

const STEPS: &str = "- run: write a 1\n- run: write b 1\n";

fn job() -> Job {
    Job::little(plan(&workflow(STEPS)), Place::in_memory())
}

/// An answer that has not come for so long will not come any more, on any machine.
const STUCK_AFTER: Duration = Duration::from_secs(60);

/// Which of them were done.
async fn done<const N: usize>(pending: [Pending; N]) -> [bool; N] {
    let mut done = [false; N];
    for (done, pending) in done.iter_mut().zip(pending) {
        let response = tokio::time::timeout(STUCK_AFTER, pending.response()).await;
        *done = response.expect("no answer").unwrap().success;
    }
    done
}

fn count(names: &[String], name: &str) -> usize {
    names.iter().filter(|other| *other == name).count()
}

const INITIALIZE: &str = "initialize";

fn facts() -> Json {
    json!({ "adapterID": "stepback" })
}

#[test]
fn the_second_initialize_is_refused() {
    block_on(async {
        let job = job();
        let peer = Peer::new(&job.desk);
        let asked = [peer.send(INITIALIZE, &facts()), peer.send(INITIALIZE, &facts())];
        assert_eq!(done(asked).await, [true, false]);
    });
}

#[test]
fn of_several_launches_one_starts_a_job() {
    block_on(async {
        let (launches, mut calls) = mpsc::unbounded_channel();
        let peer = Peer::new(&Desk::for_launches(launches));
        peer.ask(INITIALIZE, &facts()).await;
        let first = peer.send("launch", &json!({}));
        let others = [peer.send("launch", &json!({})), peer.send("attach", &json!({}))];
        assert_eq!(done(others).await, [false, false]);
        drop(calls.recv().await.expect("a wish").reply);
        assert_eq!(done([first]).await, [false], "nobody starts it");
        assert!(calls.try_recv().is_err());
        // What came to nothing may be tried again.
        let again = peer.send("launch", &json!({}));
        drop(calls.recv().await.expect("another wish"));
        assert_eq!(done([again]).await, [false]);
    });
}

/// The client goes in the moment in which its job is handed over, so that nobody takes it.
#[test]
fn a_job_that_nobody_takes_ends() {
    block_on(async {
        let (launches, mut calls) = mpsc::unbounded_channel();
        let desk = Desk::for_launches(launches);
        let (mut stream, server) = serve(&desk);
        let mut frames = Vec::new();
        for text in [
            r#"{"seq":1,"type":"request","command":"initialize","arguments":{"adapterID":"stepback"}}"#,
            r#"{"seq":2,"type":"request","command":"launch"}"#,
        ] {
            codec::encode(text, &mut frames);
        }
        stream.write_all(&frames).await.unwrap();
        let call = calls.recv().await.expect("a wish");
        let place = Place::in_memory();
        let (debuggee, _reachable, session) = launched(plan(&workflow(STEPS)), &place);
        drop(stream);
        assert!(call.reply.send(Ok(debuggee)).is_ok(), "it was refused");
        ended(server).await;
        tokio::time::timeout(STUCK_AFTER, session).await.expect("the job stands for ever").unwrap();
    });
}

#[test]
fn the_second_configuration_done_is_refused() {
    block_on(async {
        let job = job();
        let peer = Peer::new(&job.desk);
        peer.ask(INITIALIZE, &facts()).await;
        peer.ask("attach", &json!({})).await;
        let asked =
            [peer.send("configurationDone", &Json::Null), peer.send("configurationDone", &Json::Null)];
        assert_eq!(done(asked).await, [true, false]);
        let told = peer.told_to_the_end().await;
        assert_eq!((count(&told, "process"), count(&told, "stopped")), (1, 1), "{told:?}");
    });
}

#[test]
fn a_way_that_leads_nowhere_tells_no_stop_before_configuration_done() {
    block_on(async {
        let job = job();
        let peer = Peer::new(&job.desk);
        peer.ask(INITIALIZE, &facts()).await;
        peer.ask("attach", &json!({})).await;
        let back = json!({ "expression": "return", "context": "repl" });
        assert_eq!(done([peer.send("evaluate", &back)]).await, [false]);
        let told = peer.told_to_the_end().await;
        assert_eq!((count(&told, "continued"), count(&told, "stopped")), (0, 0), "{told:?}");
    });
}

#[test]
fn the_end_is_told_once() {
    block_on(async {
        let job = job();
        let mut peer = Peer::attached(&job.desk, &[]).await;
        peer.stopped().await;
        assert!(peer.to("continue").await.ended);
        let asked = [peer.send("terminate", &Json::Null), peer.send("terminate", &Json::Null)];
        done(asked).await;
        let told = peer.told_to_the_end().await;
        assert_eq!((count(&told, "exited"), count(&told, "terminated")), (1, 1), "{told:?}");
    });
}

/// A way that leads nowhere is at its end just when the end of the job is told.
#[test]
fn no_stop_is_told_after_the_end() {
    let moves = ["next", "stepIn", "continue"];
    for first in moves {
        for second in moves {
            for third in ["next", "stepback/return"] {
                block_on(told_around_the_end([first, second, third, "stepback/return", "terminate"]));
            }
        }
    }
}

async fn told_around_the_end(commands: [&str; 5]) {
    let job = job();
    let mut peer = Peer::attached(&job.desk, &[]).await;
    peer.stopped().await;
    done(commands.map(|command| peer.send(command, &json!({ "threadId": 1 })))).await;
    let told = peer.told_to_the_end().await;
    let end = told.iter().position(|name| name == "terminated").unwrap_or(told.len());
    assert!(!told[end..].iter().any(|name| name == "stopped"), "{commands:?}: {told:?}");
}

#[test]
fn a_line_that_no_file_has_is_not_repeated() {
    block_on(async {
        let job = job();
        let peer = Peer::attached(&job.desk, &[]).await;
        let lines = [-1_i64, 1 << 53].map(|line| json!({ "line": line }));
        let asked = json!({ "source": { "path": "/other.yml" }, "breakpoints": lines });
        let answer = peer.ask("setBreakpoints", &asked).await;
        assert!(
            answer["breakpoints"].as_array().unwrap().iter().all(|one| one["line"].is_null()),
            "{answer}"
        );
    });
}

/// As a script does that writes its requests into a pipe and closes it.
#[test]
fn a_client_that_only_reads_any_more_is_answered() {
    block_on(async {
        let job = job();
        let asked = [
            (INITIALIZE, facts()),
            ("attach", json!({})),
            ("configurationDone", json!({})),
            ("threads", json!({})),
            ("evaluate", json!({ "expression": "github.workspace", "context": "watch" })),
            ("loadedSources", json!({})),
        ];
        let (stream, server) = serve(&job.desk);
        let (mut reader, mut writer) = tokio::io::split(stream);
        let mut frames = Vec::new();
        for (seq, (command, arguments)) in (1..).zip(&asked) {
            let request =
                json!({ "seq": seq, "type": "request", "command": command, "arguments": arguments });
            codec::encode(&request.to_string(), &mut frames);
        }
        writer.write_all(&frames).await.unwrap();
        writer.shutdown().await.unwrap();
        let mut said = String::new();
        reader.read_to_string(&mut said).await.unwrap();
        server.await.unwrap();
        for (command, _) in asked {
            let answers = said.matches(&format!("\"command\":\"{command}\"")).count();
            assert_eq!(answers, 1, "{command}: {said}");
        }
        job.quit().await;
    });
}

/// Nobody would ever find it.
#[test]
fn a_launch_of_a_client_that_only_reads_any_more_is_called_off() {
    block_on(async {
        let (launches, mut calls) = mpsc::unbounded_channel();
        let (stream, server) = serve(&Desk::for_one(launches));
        let (mut reader, mut writer) = tokio::io::split(stream);
        let mut frames = Vec::new();
        for (seq, command) in [(1, INITIALIZE), (2, "launch")] {
            let request = json!({ "seq": seq, "type": "request", "command": command, "arguments": facts() });
            codec::encode(&request.to_string(), &mut frames);
        }
        writer.write_all(&frames).await.unwrap();
        let wish = calls.recv().await.expect("a wish");
        writer.shutdown().await.unwrap();
        let mut said = String::new();
        reader.read_to_string(&mut said).await.unwrap();
        server.await.unwrap();
        assert!(said.contains("\"message\":\"cancelled\""), "{said}");
        assert!(wish.reply.is_closed());
    });
}
