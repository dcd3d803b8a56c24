//! Starts: what a condition, variables or files say before a body begins.

use engine::effect::Outcome;
use session::request::Request;
use session::session::Mode;

use crate::background::shells::{Shells, run};
use crate::debugger::little::workflow;
use crate::debugger::live::{TIMES, alone};
use crate::debugger::{block_on, plan};

#[test]
fn row_08_in_a_cancelled_job_a_background_step_runs_if_its_condition_says_so() {
    let steps = r#"- id: front
  run: |
    echo up > ../pipes/up
    sleep 1000
- id: no
  background: true
  run: touch no
- id: yes
  background: true
  if: always()
  run: echo ran > yes
- id: w
  wait: [no, yes]
"#;
    let _turn = alone();
    let end = block_on(async {
        let mut shells = Shells::new(TIMES);
        let debugger = shells.start(plan(&workflow(steps)), Mode::Headless);
        assert_eq!(shells.hear("up").await, "up");
        debugger.handle.tell(Request::Cancel);
        shells.end(debugger).await
    });
    assert_eq!(end.steps(["front", "no"]), ["cancelled/cancelled", "skipped/skipped"]);
    assert_eq!(end.steps(["yes", "w"]), ["success/success"; 2]);
    assert_eq!((end.file("yes"), end.file("no")), (Some("ran"), None));
    assert_eq!(end.outcome, Outcome::Cancelled);
}

#[test]
fn row_09_a_skipped_step_is_known_at_once() {
    let end = run(r#"- id: b
  background: true
  if: false
  run: touch b
- run: echo "${{ steps.b.outcome }} ${{ steps.b.conclusion }}" > seen
- id: w
  wait: b
"#);
    assert_eq!((end.file("seen"), end.file("b")), (Some("skipped skipped"), None));
    assert_eq!(end.step("w"), "success/success");
}

#[test]
fn row_10_a_step_whose_env_is_at_fault_fails_at_once_and_says_so() {
    let end = run(r#"- id: b
  background: true
  env:
    A: ${{ fromJSON('{') }}
  run: touch b
- id: next
  run: touch next
- if: failure()
  run: echo "${{ steps.b.outcome }}" > seen
- id: w
  wait: b
"#);
    assert_eq!(end.steps(["b", "next", "w"]), ["failure/failure", "skipped/skipped", "failure/failure"]);
    assert_eq!((end.file("seen"), end.file("b")), (Some("failure"), None));
    assert!(end.log.contains("##[error]The template is not valid. ci.yml (Line: 9, Col: 14)"), "{}", end.log);
    assert_eq!(end.outcome, Outcome::Failure);
}

#[test]
fn row_27_files_are_hashed_for_a_background_step() {
    let end = run(r#"- run: echo text > file
- id: b
  background: true
  if: hashFiles('file') != ''
  env:
    HASH: ${{ hashFiles('file') }}
  run: echo "hash=${{ hashFiles('file') == env.HASH }} ${#HASH}" >> $GITHUB_OUTPUT
- wait: b
- run: echo "${{ steps.b.outputs.hash }}" > seen
"#);
    assert_eq!(end.file("seen"), Some("true 64"));
}

#[test]
fn row_28_a_client_sees_each_background_step_as_a_thread() {
    crate::background::threads::check();
}
