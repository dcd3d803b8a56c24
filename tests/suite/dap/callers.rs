//! The jobs that call a workflow are frames below the job that is in it.

use engine::plan::Caller;
use serde_json::{Value as Json, json};

use super::job::Job;
use super::wire::Peer;
use crate::debugger::little::workflow;
use crate::debugger::{Place, block_on, plan};

#[test]
fn calls_are_frames_with_their_files_and_lines() {
    block_on(async {
        let caller = |name: &str, file: &str, line| Caller { name: name.into(), file: file.into(), line };
        let plan = plan(&workflow("- run: echo\n"))
            .called_by([caller("inner (2)", "middle.yml", 7), caller("outer", "top.yml", 3)].into());
        let job = Job::little(plan, Place::new());
        let mut peer = Peer::attached(&job.desk, &[]).await;
        peer.stopped().await;
        let stack = peer.ask("stackTrace", &json!({ "threadId": 1 })).await;
        let frames = stack["stackFrames"].as_array().unwrap();
        let shown = |frame: &Json| {
            json!([frame["name"], frame["source"]["path"], frame["line"], frame["canRestart"]])
        };
        assert_eq!(
            frames[1..].iter().map(shown).collect::<Vec<_>>(),
            [
                json!(["j", "/w/ci.yml", 3, true]),
                json!(["inner (2)", "/w/middle.yml", 7, false]),
                json!(["outer", "/w/top.yml", 3, false]),
            ]
        );
        let outer = &frames[3]["id"];
        assert_eq!(peer.ask("scopes", &json!({ "frameId": outer })).await["scopes"], json!([]));
        let refused = peer.tried("restartFrame", &json!({ "frameId": outer })).await.unwrap_err();
        assert!(refused.contains("a call of a workflow cannot be run again by itself"), "{refused}");
        peer.hang_up().await;
        job.quit().await;
    });
}
