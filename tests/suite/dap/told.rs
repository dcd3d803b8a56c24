//! What editors show of a job word by word: each thing said once, by the number that people know it by.

use engine::secrets::Secrets;
use host::live::LiveHost;
use serde_json::{Value as Json, json};

use super::job::Job;
use super::wire::Peer;
use crate::debugger::little::workflow;
use crate::debugger::live::{Live, alone};
use crate::debugger::{Place, block_on, plan};

const ACTION: &str = "runs:
  using: composite
  steps:
    - {name: Inner, run: append log in, shell: bash}
";

const STEPS: &str = "- name: First
  run: append log 0
- uses: ./outer
- name: Last
  run: append log 1
";

const ENDING: &str = "- run: append log 0
- name: Skipped
  run: append log 1
- name: Always
  if: always()
  run: append log 2
- name: Skipped as well
  run: append log 3
";

fn live(steps: &str) -> Job {
    let place = Place::new();
    let settings = Live::debug(&place).settings();
    Job::on(plan(&workflow(steps)), place, Secrets::default(), |masks, log| {
        LiveHost::new(settings, masks, Box::new(log))
    })
}

/// What the next stop is called.
async fn description(peer: &mut Peer, command: &str) -> String {
    peer.ask(command, &json!({ "threadId": 1 })).await;
    peer.event_named("stopped").await["description"].as_str().unwrap().to_owned()
}

#[test]
fn the_number_and_the_name_of_a_step_stand_apart() {
    block_on(async {
        let place = Place::new();
        std::fs::create_dir(place.workspace().join("outer")).unwrap();
        std::fs::write(place.workspace().join("outer/action.yml"), ACTION).unwrap();
        let job = Job::little(plan(&workflow(STEPS)), place);
        let mut peer = Peer::attached(&job.desk, &[]).await;
        peer.stopped().await;
        assert_eq!(description(&mut peer, "next").await, "Stopped before 2 Run ./outer");
        assert_eq!(description(&mut peer, "stepIn").await, "Stopped before 2.1 Inner");
        assert_eq!(description(&mut peer, "continue").await, "The job succeeded");
        let timeline = peer.ask("stepback/timeline", &Json::Null).await;
        let told = |each: &Json| {
            let text = |member: &str| each[member].as_str().unwrap_or("none").to_owned();
            format!("{} {} {}", text("step"), each["number"], text("name"))
        };
        let mut moments: Vec<String> = timeline["moments"].as_array().unwrap().iter().map(told).collect();
        moments.dedup();
        let steps = [
            "main.0 1 First",
            "main.1 2 Run ./outer",
            "main.1.0 2 Inner",
            "main.1 2 Run ./outer",
            "main.2 3 Last",
        ];
        assert_eq!(moments[..5], steps, "{moments:?}");
        assert_eq!(moments[5..], ["none 0 end"]);
        let runs: Vec<String> = timeline["runs"].as_array().unwrap().iter().map(told).collect();
        assert_eq!(runs, ["main.0 1 First", "main.1.0 2 Inner", "main.1 2 Run ./outer", "main.2 3 Last"]);
        peer.disconnect(&json!({})).await;
        job.quit().await;
    });
}

#[test]
fn a_shell_of_the_console_has_no_heading() {
    let _turn = alone();
    block_on(async {
        let job = live("- run: 'true'\n");
        let mut peer = Peer::attached(&job.desk, &[]).await;
        peer.stopped().await;
        peer.ask("evaluate", &json!({ "expression": "! echo one", "context": "repl" })).await;
        let said = peer.event_named("output").await;
        assert_eq!(said, json!({ "category": "stdout", "output": "one\n" }));
        peer.disconnect(&json!({})).await;
        job.quit().await;
    });
}

#[test]
fn the_last_lines_of_a_failed_step_are_told_once() {
    let _turn = alone();
    block_on(async {
        let job = live("- {name: Test, run: 'echo bad; exit 3'}\n");
        let mut peer = Peer::attached(&job.desk, &["failed"]).await;
        peer.stopped().await;
        assert_eq!(peer.to("continue").await.reason, "exception");
        let info = peer.ask("exceptionInfo", &json!({ "threadId": 1 })).await;
        assert_eq!(info["description"], "Test failed with exit code 3\nbad");
        // An editor shows the description, and below it a stack trace if there is one.
        let details = json!({ "message": "Test failed with exit code 3", "typeName": "step.exitcode" });
        assert_eq!(info["details"], details);
        peer.disconnect(&json!({})).await;
        job.quit().await;
    });
}

#[test]
fn steps_that_do_not_run_when_a_person_ends_the_job_are_not_told() {
    block_on(async {
        let job = Job::little(plan(&workflow(ENDING)), Place::new());
        let mut peer = Peer::attached(&job.desk, &[]).await;
        peer.stopped().await;
        peer.to("next").await;
        peer.ask("terminate", &json!({})).await;
        let mut titles = Vec::new();
        loop {
            let (event, body) = peer.event().await;
            let output = body["output"].as_str().unwrap_or_default();
            if event == "terminated" {
                break;
            }
            if event == "output" && output.starts_with('▸') {
                titles.push(output.to_owned());
            }
        }
        assert_eq!(titles, ["▸ 3 Always\n"]);
        peer.hang_up().await;
        job.quit().await;
    });
}
