//! What a plain start makes of killed ones: it ends what they left running and puts a person's files back, and leaves
//! alone what still goes on.

use std::fs;
use std::path::{Path, PathBuf};

use super::process::{Scene, differing, exact};
use crate::cli::program::Ran;

const WAITS: &str = "on: push
jobs:
  build:
    runs-on: x
    steps:
      - name: Waits
        run: |
          setsid tail -f /dev/null > /dev/null 2>&1 &
          echo holds > SAID
          read -r word < TOLD
";

const CHANGES: &str = "on: push
jobs:
  build:
    runs-on: x
    steps:
      - {name: One, run: 'echo 1 > made; echo one > kept'}
      - {name: Two, run: 'rm made; echo two > kept; mkdir more; echo 2 > more/made'}
      - {name: Three, run: 'true'}
";

const OTHER: &str = "on: push\njobs:\n  other:\n    runs-on: x\n    steps: [{run: echo other}]\n";

fn scene(workflow: &str) -> Scene {
    let scene = Scene::new(workflow);
    scene.sandbox.write(".github/workflows/other.yml", OTHER);
    scene
}

#[track_caller]
fn run_another(scene: &Scene, arguments: &[&str]) -> Ran {
    let file = ".github/workflows/other.yml";
    let ran = scene.sandbox.run(&[&["run", file], arguments].concat(), "");
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.errors);
    ran
}

#[test]
fn a_plain_run_ends_what_a_killed_one_left_running() {
    for arguments in [&["run", "ci"][..], &["run", "ci", "--no-record"]] {
        let mut scene = scene(WAITS);
        let process = scene.start(arguments);
        assert_eq!(scene.hear(), "holds");
        process.kill();
        assert!(!scene.sandbox.processes().is_empty(), "a run has no guardian: its step goes on");
        let ran = run_another(&scene, &[]);
        scene.all_end();
        assert!(ran.errors.contains("warning: an earlier run was killed: ended "), "{}", ran.errors);
        let again = run_another(&scene, &[]);
        assert!(!again.errors.contains("warning"), "{}", again.errors);
    }
}

#[test]
fn a_run_that_goes_on_is_left_alone() {
    let mut scene = scene(WAITS);
    let mut process = scene.start(&["run", "ci"]);
    assert_eq!(scene.hear(), "holds");
    let ran = run_another(&scene, &[]);
    assert!(!ran.errors.contains("warning"), "{}", ran.errors);
    assert!(!process.is_over());
    scene.tell(1);
    process.wait_for("● build succeeded");
    process.end();
    scene.all_end();
}

#[test]
fn a_plain_run_finds_the_files_of_the_newest_moment_where_going_back_was_killed() {
    let scene = scene(CHANGES);
    let root = scene.sandbox.root();
    let mut process = scene.start(&["debug", "ci", "--workspace", "in-place"]);
    process.command("next");
    process.command("next");
    process.wait_for("before 3");
    let newest = exact(&root);
    process.command("back");
    process.wait_for("↩ before 2");
    process.kill();
    scene.all_end();
    assert!(differing(&exact(&root), &newest).contains(&PathBuf::from("more/made")));
    let ran = run_another(&scene, &["--workspace", "in-place"]);
    assert_eq!(differing(&exact(&root), &newest), Vec::<PathBuf>::new(), "{}", ran.errors);
    assert!(ran.errors.contains("back to its newest moment"), "{}", ran.errors);
    fs::write(root.join("kept"), "by hand").unwrap();
    let again = run_another(&scene, &["--workspace", "in-place"]);
    assert_eq!(fs::read_to_string(root.join(Path::new("kept"))).unwrap(), "by hand", "{}", again.errors);
}
