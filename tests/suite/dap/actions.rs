//! Breakpoints in the files of actions, over the wire.

use engine::secrets::Secrets;
use host::checkout::Origin;
use host::live::LiveHost;
use serde_json::{Value as Json, json};

use super::job::{Job, WORKFLOW};
use super::wire::Peer;
use crate::debugger::little::workflow;
use crate::debugger::live::{Live, alone};
use crate::debugger::{Place, block_on, plan};

/// Where the little language says that the workspace is.
const MANIFEST: &str = "/w/outer/action.yml";

const OUTER: &str = "runs:
  using: composite
  steps:
    - run: append log one
      shell: bash

    - {run: append log two, shell: bash}
";

const SHELL: &str = "runs:
  using: composite
  steps:
    - {run: 'true', shell: bash}
";

fn job() -> Job {
    let place = Place::new();
    let folder = place.workspace().join("outer");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("action.yml"), OUTER).unwrap();
    Job::little(plan(&workflow("- run: append log 0\n- uses: ./outer\n- run: append log 1\n")), place)
}

async fn set(peer: &Peer, path: &str, lines: &[u32]) -> Json {
    let breakpoints: Vec<Json> = lines.iter().map(|line| json!({ "line": line })).collect();
    let asked = json!({ "source": { "path": path }, "breakpoints": breakpoints });
    peer.ask("setBreakpoints", &asked).await["breakpoints"].clone()
}

async fn lines(peer: &Peer, path: &str) -> Json {
    let whole = json!({ "source": { "path": path }, "line": 1, "endLine": 99 });
    peer.ask("breakpointLocations", &whole).await["breakpoints"].clone()
}

#[test]
fn a_breakpoint_in_an_action_is_verified_when_the_action_is_found() {
    block_on(async {
        let job = job();
        let mut peer = Peer::attached(&job.desk, &[]).await;
        peer.stopped().await;
        assert_eq!(lines(&peer, MANIFEST).await, json!([]));
        let answer = set(&peer, MANIFEST, &[6]).await;
        let id = answer[0]["id"].clone();
        assert_eq!(answer[0]["verified"], json!(false));
        assert_eq!(answer[0]["reason"], json!("pending"));
        assert_eq!(answer[0]["message"], json!("pending until the action is there"));
        // Those of the workflow and of other actions are others.
        assert_eq!(set(&peer, WORKFLOW, &[6]).await[0]["verified"], json!(true));
        assert_eq!(set(&peer, "/w/inner/action.yml", &[1, 2]).await.as_array().unwrap().len(), 2);
        peer.ask("continue", &json!({ "threadId": 1 })).await;
        let changed = peer.event_named("breakpoint").await;
        assert_eq!(changed["reason"], json!("changed"));
        let breakpoint = &changed["breakpoint"];
        assert_eq!((&breakpoint["id"], &breakpoint["verified"]), (&id, &json!(true)));
        assert_eq!((&breakpoint["line"], &breakpoint["source"]["path"]), (&json!(7), &json!(MANIFEST)));
        let stop = peer.stopped().await;
        assert_eq!((stop.reason.as_str(), stop.hit), ("breakpoint", Some(json!([id]))));
        let stack = peer.ask("stackTrace", &json!({ "threadId": 1 })).await;
        let frame = &stack["stackFrames"][0];
        assert_eq!((&frame["source"]["path"], &frame["line"]), (&json!(MANIFEST), &json!(7)));
        let of_action = lines(&peer, MANIFEST).await;
        assert_eq!(of_action, json!([{ "line": 4 }, { "line": 7 }]));
        // The lines of the workflow are its own.
        assert_eq!(lines(&peer, WORKFLOW).await.as_array().unwrap().len(), 3);
        // A file that is told of again has what it is told of, and the others have what they had.
        let again = set(&peer, MANIFEST, &[7, 4]).await;
        assert_eq!((&again[0]["line"], &again[1]["line"]), (&json!(7), &json!(4)));
        set(&peer, MANIFEST, &[]).await;
        assert!(peer.to("continue").await.ended);
        peer.disconnect(&json!({})).await;
        job.quit().await;
    });
}

/// Who sets one in the console is told of it too.
#[test]
fn a_breakpoint_of_the_console_is_told_of_when_the_action_is_found() {
    block_on(async {
        let job = job();
        let mut peer = Peer::attached(&job.desk, &[]).await;
        peer.stopped().await;
        let command = json!({ "expression": "break outer/action.yml:6", "context": "repl" });
        let said = peer.ask("evaluate", &command).await["result"].as_str().unwrap().to_owned();
        assert!(said.contains("pending until the action is there"), "{said}");
        peer.ask("continue", &json!({ "threadId": 1 })).await;
        let changed = peer.event_named("breakpoint").await;
        assert_eq!(changed["reason"], json!("changed"));
        let breakpoint = &changed["breakpoint"];
        assert_eq!((&breakpoint["verified"], &breakpoint["line"]), (&json!(true), &json!(7)));
        let stop = peer.stopped().await;
        assert_eq!((stop.reason.as_str(), stop.hit), ("breakpoint", Some(json!([breakpoint["id"]]))));
        peer.disconnect(&json!({})).await;
        job.quit().await;
    });
}

/// A local action is read from the workspace, which checkout has filled; the editor has the repository's file open.
#[test]
fn the_file_of_the_repository_stands_for_its_copy() {
    let _turn = alone();
    block_on(async {
        let place = Place::new();
        let repository = place.dir.path().join("repository");
        for folder in [place.workspace(), repository.clone()] {
            std::fs::create_dir_all(folder.join("act")).unwrap();
            std::fs::write(folder.join("act/action.yml"), SHELL).unwrap();
        }
        let ours = repository.join("act/action.yml").display().to_string();
        let copy = place.workspace().join("act/action.yml").display().to_string();
        let origin = Origin { folder: repository, name: None, in_place: false };
        let settings = Live::debug(&place).settings();
        let plan = plan(&workflow("- uses: ./act\n- run: echo '# here' >> act/action.yml\n- uses: ./act\n"));
        let job = Job::from(plan, place, Secrets::default(), Some(origin), |masks, log| {
            LiveHost::new(settings, masks, Box::new(log))
        });
        let mut peer = Peer::attached(&job.desk, &[]).await;
        peer.stopped().await;
        let id = set(&peer, &ours, &[4]).await[0]["id"].clone();
        peer.ask("continue", &json!({ "threadId": 1 })).await;
        let changed = peer.event_named("breakpoint").await["breakpoint"].clone();
        assert_eq!((&changed["verified"], &changed["source"]["path"]), (&json!(true), &json!(ours)));
        // The copy has been changed by the time that it is used again: then it is what a person has to see.
        for file in [ours, copy] {
            let stop = peer.stopped().await;
            assert_eq!(stop.hit, Some(json!([id])));
            let stack = peer.ask("stackTrace", &json!({ "threadId": 1 })).await;
            let frame = &stack["stackFrames"][0];
            assert_eq!((&frame["source"]["path"], &frame["line"]), (&json!(file), &json!(4)));
            peer.ask("continue", &json!({ "threadId": 1 })).await;
        }
        assert!(peer.stopped().await.ended);
        peer.disconnect(&json!({})).await;
        job.quit().await;
    });
}

#[test]
fn other_files_are_no_part_of_the_job() {
    block_on(async {
        let job = job();
        let mut peer = Peer::attached(&job.desk, &[]).await;
        peer.stopped().await;
        let answer = set(&peer, "/w/outer/README.md", &[1]).await;
        assert_eq!(answer[0]["message"], json!("this file is not part of the job"));
        peer.disconnect(&json!({})).await;
        job.quit().await;
    });
}
