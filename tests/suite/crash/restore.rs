//! `kill -9` in the middle of going back: the next start puts the files to where it says they are.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use session::recording::Reopened;

use super::process::{Process, Scene, differing, exact};

const FILES: u32 = 2_000;
const TIMES: usize = 5;

/// The first step makes files, the second changes, removes and adds some of them; the third tells its files apart.
const WORKFLOW: &str = "on: push
jobs:
  build:
    runs-on: x
    steps:
      - name: Make
        run: |
          mkdir -p many/gone empty; seq 0 1999 | sed 's/.*/one & of a step/' | split -l 1 -d -a 4 - many/f
          cp many/f00* many/gone; chmod 600 many/f0001; ln -s f0002 many/link
      - name: Change
        run: |
          sed -i 's/one/another/' many/f*; rm -r many/gone empty; mkdir new; cp many/f01* new
          chmod 755 many/f0001; ln -sfn f0003 many/link
      - name: Look
        run: echo \"$(cat many/f* | sort | uniq | wc -l) lines, $(ls new | wc -l) new\" > seen
";

/// When the program is killed.
#[derive(Debug)]
enum When {
    /// As soon as the journal says that files are about to be restored.
    Begun,
    /// As soon as this file is the old one again.
    File(u32),
    /// When it has said that it stands in the past.
    Rewound,
}

/// A debugger that stands after the second step, and the files there.
fn at_the_newest(
    scene: &Scene,
    arguments: &[&str],
    workspace: impl Fn(&Scene) -> PathBuf,
) -> (Process, PathBuf) {
    let mut process = scene.start(&[&["debug"], arguments].concat());
    process.command("next");
    process.command("next");
    process.wait_for("2 Change");
    process.command("status");
    process.wait_for("status");
    let workspace = workspace(scene);
    (process, workspace)
}

fn kill_while_going_back(scene: &Scene, mut process: Process, workspace: &Path, when: &When) {
    let written = scene.written();
    process.command("back");
    match when {
        When::Begun => {
            while scene.written() == written {
                thread::yield_now();
            }
        }
        When::File(number) => {
            let file = workspace.join(format!("many/f{number:04}"));
            // It is written in place: half of it may be there.
            while !fs::read(&file).is_ok_and(|content| content.starts_with(b"one")) {
                thread::yield_now();
            }
        }
        When::Rewound => process.wait_for("↩ before 2"),
    }
    process.kill();
}

/// Kills, starts again with `commands`, and says what the recording said in between and what the program said then.
fn killed(
    scene: &Scene,
    arguments: &[&str],
    place: impl Fn(&Scene) -> PathBuf,
    when: &When,
    commands: &str,
) -> Killed {
    let (process, workspace) = at_the_newest(scene, arguments, place);
    let newest = exact(&workspace);
    kill_while_going_back(scene, process, &workspace, when);
    scene.all_end();
    let between = scene.reopened();
    let halfway = differing(&exact(&workspace), &newest).len();
    let ran = scene.debug_last(commands);
    let after = exact(&workspace);
    Killed { workspace, between, halfway, newest, after, said: ran.out + &ran.errors }
}

type Tree = std::collections::BTreeMap<PathBuf, (u32, i64, i64, Vec<u8>)>;

struct Killed {
    workspace: PathBuf,
    between: Reopened,
    halfway: usize,
    newest: Tree,
    after: Tree,
    said: String,
}

impl Killed {
    /// The program knew that the files were elsewhere, and put them back, every one.
    #[track_caller]
    fn check(&self) {
        let elsewhere = self.between.unfinished_restore.is_some() || self.between.rewound.is_some();
        assert!(elsewhere || self.halfway == 0, "the recording does not say where the files are");
        assert_eq!(
            self.said.contains("the workspace was put back to the newest moment"),
            elsewhere,
            "{}",
            self.said
        );
        assert_eq!(differing(&self.after, &self.newest), Vec::<PathBuf>::new(), "{}", self.said);
    }
}

fn random_time(random: &mut fastrand::Rng, number: usize) -> When {
    match number {
        0 => When::Begun,
        1 => When::Rewound,
        _ => When::File(random.u32(0..FILES)),
    }
}

#[test]
fn going_back_that_is_killed_is_undone_at_the_next_start() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut unfinished = 0;
    for number in 0..TIMES {
        let when = random_time(&mut random, number);
        let scene = Scene::new(WORKFLOW);
        let killed = killed(&scene, &[], Scene::workspace, &when, "status\nquit\n");
        println!(
            "{when:?}: unfinished {}, rewound {}",
            killed.between.unfinished_restore.is_some(),
            killed.between.rewound.is_some()
        );
        unfinished += usize::from(killed.between.unfinished_restore.is_some());
        killed.check();
        let settled = scene.reopened();
        assert_eq!((settled.unfinished_restore, settled.rewound), (None, None), "{when:?}");
        // What a person does to the files from here on is theirs.
        fs::write(killed.workspace.join("many/f0007"), "by hand").unwrap();
        let again = scene.debug_last("status\nquit\n");
        assert!(!again.out.contains("put back"), "{}", again.out);
        assert_eq!(fs::read_to_string(killed.workspace.join("many/f0007")).unwrap(), "by hand");
    }
    assert!(unfinished > 0, "no restore was cut off in its middle");
}

#[test]
fn a_job_goes_on_after_going_back_was_killed() {
    let scene = Scene::new(WORKFLOW);
    let mut killed = killed(&scene, &[], Scene::workspace, &When::File(1_000), "continue\nquit\n");
    assert!(killed.said.contains("build succeeded"), "{}", killed.said);
    let seen = killed.after.remove(Path::new("seen")).expect("the third step ran");
    assert_eq!(String::from_utf8_lossy(&seen.3), "2000 lines, 100 new\n");
    killed.check();
    let settled = scene.reopened();
    assert_eq!((settled.unfinished_restore, settled.rewound), (None, None));
    assert!(settled.complete);
}

#[test]
fn going_back_in_place_that_is_killed_is_undone_too() {
    for when in [When::File(700), When::Rewound] {
        let scene = Scene::new(WORKFLOW);
        let in_place = |scene: &Scene| scene.sandbox.root();
        let killed = killed(&scene, &["--workspace", "in-place"], in_place, &when, "quit\n");
        assert!(killed.workspace.join(".github/workflows/ci.yml").is_file());
        killed.check();
    }
}
