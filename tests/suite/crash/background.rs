//! Recordings of jobs with background steps: what one of them came to is found in them, after the end and after a kill.

use std::fs;

use session::moment::{MomentId, Point};
use session::recording::Reopened;

use super::process::Scene;

/// Both background steps fail while the foreground's step is held, which ends by itself once there is a file `go`.
const WORKFLOW: &str = "on: push
jobs:
  build:
    runs-on: x
    steps:
      - name: First
        background: true
        continue-on-error: true
        run: |
          read -r word < TOLD
          echo one >> first
          exit 3
      - name: Second
        background: true
        continue-on-error: true
        run: |
          read -r word < TOLD
          echo two >> second
          exit 4
      - name: Middle
        run: |
          echo some >> middle
          [ -e go ] && exit 0
          echo holds > SAID
          exec sleep 1000
      - name: Last
        run: echo old > last
";

/// Both background steps have failed. Their last moment may still be on its way to the recording.
fn in_the_middle() -> (Scene, super::process::Process) {
    let mut scene = Scene::new(WORKFLOW);
    let mut process = scene.start(&["run"]);
    assert_eq!(scene.hear(), "holds");
    for _ in 0..2 {
        scene.tell(1);
        process.wait_for(", continues");
    }
    (scene, process)
}

/// The ends of background steps, in the order of recording.
fn ends(reopened: &Reopened) -> Vec<(MomentId, String)> {
    let end = |point: &Point| match point {
        Point::LaneAfter(path, outcome) => Some(format!("{path} {outcome}")),
        _ => None,
    };
    let moments = reopened.moments.iter();
    moments.filter_map(|moment| Some((moment.id, end(&moment.point)?))).collect()
}

#[test]
fn a_killed_run_stands_at_the_latest_end_of_a_background_step() {
    let (mut scene, process) = in_the_middle();
    process.kill();
    let reopened = scene.reopened();
    let known = ends(&reopened);
    assert!(known.iter().any(|(id, _)| Some(*id) == reopened.newest), "{known:?}");
    // How the background steps ended is known; the foreground's is the only one that is not.
    let unknown: Vec<&str> = reopened.unknown.iter().map(|intent| &*intent.description).collect();
    assert_eq!(unknown, ["Middle"]);
    fs::write(scene.workspace().join("go"), "").unwrap();
    // For one whose last moment was not written down any more, and which starts again.
    scene.tell(1);
    let mut process = scene.start(&["debug", "--last"]);
    process.wait_for("unknown outcome: `Middle`");
    process.command("continue");
    process.wait_for("build succeeded");
    process.command("quit");
    process.end();
    scene.all_end();
    let text = |file: &str| fs::read_to_string(scene.workspace().join(file)).unwrap();
    // The first of the two that ended was written down in any case, and did not run again.
    assert_eq!(text("middle"), "some\nsome\n");
    let known = known.iter().map(|(_, end)| if end.starts_with("main.0") { "first" } else { "second" });
    for file in known {
        assert_eq!(text(file).lines().count(), 1, "{file} ran twice");
    }
    assert_eq!(scene.reopened().unknown, []);
}

#[test]
fn a_recording_has_the_ends_of_background_steps_and_reverse_continue_finds_them() {
    let (mut scene, process) = in_the_middle();
    process.kill();
    fs::write(scene.workspace().join("go"), "").unwrap();
    // For one whose last moment was not written down any more, and which starts again.
    scene.tell(1);
    scene.debug_last("continue\nquit\n");
    let reopened = scene.reopened();
    assert!(reopened.complete);
    assert_eq!(ends(&reopened).len(), 2, "each end once: {:?}", ends(&reopened));
    let ran = scene.debug_last("timeline\ncatch continue-on-error on\nreverse-continue\nsteps\nreverse-continue\nreverse-continue\nquit\n");
    let lines = ran
        .out
        .lines()
        .filter(|line| line.ends_with("in the background") || line.contains("in the background ·"));
    assert_eq!(lines.count(), 2, "{}", ran.out);
    assert_eq!(ran.out.matches("a failure that is allowed").count(), 2, "{}", ran.out);
    assert!(ran.out.contains("↩ the start"), "{}", ran.out);
}

/// In the middle of its step a job takes no edit of the workflow: it is taken when the step is to run again.
#[test]
fn an_edited_workflow_is_taken_over_from_the_end_of_a_background_step() {
    let mut scene = Scene::new(WORKFLOW);
    let mut process = scene.start(&["debug"]);
    process.command("catch continue-on-error on");
    process.command("continue");
    assert_eq!(scene.hear(), "holds");
    scene.tell(1);
    process.wait_for("a failure that is allowed");
    process.command("continue");
    scene.tell(1);
    process.wait_for("a failure that is allowed");
    process.command("reverse-continue");
    process.wait_for("Middle was under way here");
    fs::write(scene.workspace().join("go"), "").unwrap();
    let file = scene.sandbox.root().join(".github/workflows/ci.yml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("echo old", "echo new")).unwrap();
    process.command("catch continue-on-error off");
    process.command("continue");
    // The other background step starts again as well.
    scene.tell(1);
    process.wait_for("build succeeded");
    assert_eq!(fs::read_to_string(scene.workspace().join("last")).unwrap(), "new\n");
    process.command("quit");
    process.end();
}
