//! Stops at what background steps have come to, over the wire.

use serde_json::{Value as Json, json};

use super::job::Job;
use super::wire::{Peer, Stopped};
use crate::debugger::little::workflow;
use crate::debugger::{Place, block_on, plan};

/// The background step fails while the second step of the foreground runs.
const STEPS: &str = "- {id: a, name: Server, background: true, run: \"takes 5\\nexit 3\"}
- {id: slow, name: Slow, run: \"write slow 1\\ntakes 10\"}
- {id: last, name: Last, run: write last 2}
";

fn job() -> Job {
    Job::little(plan(&workflow(STEPS)), Place::new())
}

#[test]
fn reverse_continue_stops_on_the_thread_of_a_failed_background_step() {
    block_on(async {
        let job = job();
        let mut peer = Peer::attached(&job.desk, &[]).await;
        peer.stopped().await;
        assert!(peer.to("continue").await.ended);
        peer.ask("setExceptionBreakpoints", &json!({ "filters": ["failed"] })).await;
        let stop = peer.to("reverseContinue").await;
        assert_eq!((stop.reason.as_str(), stop.thread), ("exception", 1), "the wait failed for it later");
        let stop = peer.to("reverseContinue").await;
        assert_eq!((stop.reason.as_str(), stop.thread, stop.rewound), ("exception", 2, true));
        assert_eq!(stop.text, "Server failed with exit code 3");
        shows_the_server(&peer, &stop).await;
        // The foreground is in the middle of its step, which is the one to go back before.
        let stack = peer.ask("stackTrace", &json!({ "threadId": 1 })).await;
        assert_eq!(stack["stackFrames"][0]["name"], "2 Slow");
        let stop = peer.to("stepBack").await;
        assert_eq!((stop.reason.as_str(), stop.thread), ("step", 1));
        let gone = peer.tried("stackTrace", &json!({ "threadId": 9 })).await;
        assert_eq!(gone, Err("there is no thread 9".to_owned()));
        peer.hang_up().await;
        job.quit().await;
    });
}

#[test]
fn a_background_step_that_fails_stops_on_its_thread_which_is_there_for_that() {
    block_on(async {
        let job = job();
        let mut peer = Peer::attached(&job.desk, &["failed"]).await;
        peer.stopped().await;
        let stop = peer.to("continue").await;
        assert_eq!((stop.reason.as_str(), stop.thread, stop.rewound), ("exception", 2, false));
        shows_the_server(&peer, &stop).await;
        peer.hang_up().await;
        job.quit().await;
    });
}

/// What a client asks for after a stop on the thread of a step that is over.
async fn shows_the_server(peer: &Peer, stop: &Stopped) {
    let threads = peer.ask("threads", &Json::Null).await;
    let names: Vec<&str> = threads["threads"]
        .as_array()
        .unwrap()
        .iter()
        .map(|thread| thread["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["j", "1 Server (failure)"]);
    let stack = peer.ask("stackTrace", &json!({ "threadId": 2 })).await;
    let frame = &stack["stackFrames"][0];
    assert_eq!((&frame["name"], &frame["line"]), (&json!("1 Server"), &json!(6)));
    let info = peer.ask("exceptionInfo", &json!({ "threadId": 2 })).await;
    assert_eq!(info["exceptionId"], "step.exitcode");
    let timeline = peer.ask("stepback/timeline", &Json::Null).await;
    let of_lanes: Vec<&Json> =
        timeline["moments"].as_array().unwrap().iter().filter(|moment| moment["lane"] != 0).collect();
    let [moment] = of_lanes.as_slice() else { panic!("{of_lanes:?}") };
    let said = ["point", "step", "name", "outcome", "lane", "id", "current", "hasFiles"]
        .map(|member| &moment[member]);
    let expected = [json!("after"), json!("main.0"), json!("Server"), json!("failure"), json!(1)];
    assert_eq!(said[..5], expected.each_ref()[..]);
    assert_eq!(said[5..], [&json!(stop.moment), &json!(true), &json!(true)]);
}
