//! What is done after the next start: looking runs nothing, going on settles what was unknown, and what the killed step
//! wrote stays.

use std::fs;

use super::process::Scene;

const WORKFLOW: &str = "on: push
jobs:
  build:
    runs-on: x
    steps:
      - name: Before
        run: echo 1 > before
      - name: Middle
        run: |
          echo some >> middle
          echo holds > SAID
          read -r word < TOLD
          echo more >> middle
      - name: Clean
        if: always()
        run: echo cleaned >> clean
";

/// Killed in the middle of the second step, run without a debugger.
fn killed_in_the_middle() -> Scene {
    let mut scene = Scene::new(WORKFLOW);
    let process = scene.start(&["run"]);
    assert_eq!(scene.hear(), "holds");
    process.kill();
    scene
}

#[test]
fn the_next_start_ends_what_a_killed_run_left_running() {
    let scene = killed_in_the_middle();
    assert!(!scene.sandbox.processes().is_empty(), "a run has no guardian: its step goes on");
    scene.debug_last("quit\n");
    scene.all_end();
    assert_eq!(fs::read_to_string(scene.workspace().join("middle")).unwrap(), "some\n");
}

#[test]
fn looking_at_a_killed_run_runs_nothing() {
    let scene = killed_in_the_middle();
    for _ in 0..2 {
        let ran = scene.debug_last("status\n! cat middle\nquit\n");
        assert!(ran.out.contains("unknown outcome: `Middle`"), "{}", ran.out);
        assert!(ran.out.contains("! cat middle\nsome\n"), "{}", ran.out);
        assert!(!scene.workspace().join("clean").exists(), "{}", ran.out);
        let reopened = scene.reopened();
        assert_eq!(reopened.unknown.len(), 1);
        assert_eq!(reopened.finished, None);
    }
}

#[test]
fn going_on_settles_what_was_unknown() {
    let mut scene = killed_in_the_middle();
    // The step runs on what its killed run left, and beside nothing of it: the word is for the new one.
    let mut process = scene.start(&["debug", "--last"]);
    process.command("continue");
    assert_eq!(scene.hear(), "holds");
    scene.tell(1);
    process.wait_for("build succeeded");
    process.command("quit");
    process.end();
    assert_eq!(fs::read_to_string(scene.workspace().join("middle")).unwrap(), "some\nsome\nmore\n");
    assert_eq!(fs::read_to_string(scene.workspace().join("clean")).unwrap(), "cleaned\n");
    let reopened = scene.reopened();
    assert_eq!(reopened.unknown, []);
    assert!(reopened.complete);
    let again = scene.debug_last("quit\n");
    assert!(!again.out.contains("unknown outcome"), "{}", again.out);
}

/// Back and returned before the kill: the files are where they were, and what the step wrote is not undone.
#[test]
fn a_step_that_is_killed_after_a_return_keeps_its_files() {
    let mut scene = Scene::new(WORKFLOW);
    let mut process = scene.start(&["debug"]);
    for command in ["next", "back", "return", "continue"] {
        process.command(command);
    }
    assert_eq!(scene.hear(), "holds");
    process.kill();
    scene.all_end();
    assert_eq!(scene.reopened().rewound, None);
    let ran = scene.debug_last("! cat middle\nquit\n");
    assert!(!ran.out.contains("put back"), "{}", ran.out);
    assert!(ran.out.contains("! cat middle\nsome\n"), "{}", ran.out);
}
