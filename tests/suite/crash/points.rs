//! `kill -9` of a run at random points of its job.

use std::collections::BTreeSet;
use std::fs;
use std::thread;

use engine::step_path::StepPath;
use session::journal::{self, OpenError};
use session::moment::{Moment, Point};
use session::recording::{ReopenError, Reopened, open};

use super::process::{Process, Scene};

const POINTS: usize = 50;
const STEPS: u16 = 5;
/// What a step says while it runs.
const SAYS: usize = 3;
/// About as much as a step or two write: a kill comes at most so many bytes after what was heard.
const BYTES_LATER: u64 = 1_500;
/// How many of the killed runs are debugged afterwards: every so many-th.
const DEBUGGED: usize = 6;

fn workflow() -> String {
    let mut text = "on: push\njobs:\n  build:\n    runs-on: x\n    steps:\n".to_owned();
    for number in 1..=STEPS {
        text += &format!(
            "      - name: Step {number}
        id: s{number}
        run: |
          echo begins > SAID
          echo {number} > file{number}
          echo 'v{number}=is {number}' | tee -a \"$GITHUB_ENV\" >> \"$GITHUB_OUTPUT\"
          echo holds > SAID
          read -r word < TOLD
          echo \"$word\" >> all
          echo ends > SAID\n"
        );
    }
    text
}

/// Where a run is killed.
#[derive(Debug)]
struct Place {
    /// After so many lines of the job.
    heard: usize,
    /// And so many more bytes in the journal; none for at once.
    later: Option<u64>,
}

impl Place {
    fn random(random: &mut fastrand::Rng) -> Self {
        let heard = random.usize(0..=SAYS * usize::from(STEPS));
        let later = (heard == 0 || random.bool()).then(|| random.u64(0..BYTES_LATER));
        Self { heard, later }
    }

    /// The step whose script is at a place where it waits for us.
    fn held_step(&self) -> Option<StepPath> {
        let holds = self.later.is_none() && self.heard % SAYS == 2;
        holds.then(|| step(self.heard / SAYS))
    }

    /// Steps of which the job has spoken.
    fn begun(&self) -> usize {
        self.heard.div_ceil(SAYS)
    }
}

fn step(index: usize) -> StepPath {
    StepPath::main(u16::try_from(index).unwrap().into())
}

/// Runs until the place and kills. What was in the journal just before is given back.
fn run_and_kill(scene: &mut Scene, place: &Place) -> Vec<u8> {
    let mut process = scene.start(&["run"]);
    for heard in 0..place.heard {
        assert_eq!(scene.hear(), ["begins", "holds", "ends"][heard % SAYS]);
        if heard % SAYS == 1 && heard + 1 < place.heard {
            scene.tell(1);
        }
    }
    if let Some(later) = place.later {
        // Nobody listens any longer: it may run to its end.
        scene.tell(usize::from(STEPS));
        wait_for_bytes(scene, &mut process, later);
    }
    let before = scene.journal().map(|journal| fs::read(journal).unwrap()).unwrap_or_default();
    process.kill();
    before
}

fn wait_for_bytes(scene: &Scene, process: &mut Process, later: u64) {
    let from = scene.written();
    while scene.written() < from + later && !process.is_over() {
        thread::yield_now();
    }
}

/// A run that nobody disturbs.
fn undisturbed() -> Reopened {
    let mut scene = Scene::new(&workflow());
    scene.tell(usize::from(STEPS));
    let mut process = scene.start(&["run"]);
    process.wait_for("succeeded");
    (0..SAYS * usize::from(STEPS)).for_each(|_| drop(scene.hear()));
    while !process.is_over() {
        thread::yield_now();
    }
    scene.reopened()
}

/// What was recorded is the beginning of what a whole run records: the same points, with the same state at each.
#[track_caller]
fn check_moments(found: &[Moment], whole: &[Moment]) {
    assert!(found.len() <= whole.len(), "{} moments of {}", found.len(), whole.len());
    for (found, expected) in found.iter().zip(whole) {
        assert_eq!((found.parent, found.branch), (expected.parent, expected.branch));
        assert_eq!(found.point, expected.point);
        assert!(found.job.state() == expected.job.state(), "{:?} is not {:?}", found.job, expected.job);
        assert_eq!(found.files.is_some(), expected.files.is_some());
    }
}

#[test]
fn a_run_that_is_killed_anywhere_keeps_what_it_wrote() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let whole = undisturbed();
    let mut figures = Figures::default();
    for number in 0..POINTS {
        let place = Place::random(&mut random);
        println!("point {number}: {place:?}");
        let mut scene = Scene::new(&workflow());
        let before = run_and_kill(&mut scene, &place);
        let Some(reopened) = check_journal(&scene, &place, &before) else {
            figures.nothing += 1;
            continue;
        };
        check_moments(&reopened.moments, &whole.moments);
        check_steps(&reopened, &place);
        figures.add(&reopened);
        if number % DEBUGGED == 0 && !reopened.moments.is_empty() {
            check_debugger(&scene, &reopened);
            scene.all_end();
        }
    }
    println!("{figures:?}");
}

/// The journal opens and lost nothing. `None` if it had not begun.
#[track_caller]
fn check_journal(scene: &Scene, place: &Place, before: &[u8]) -> Option<Reopened> {
    let Some(recording) = scene.recording() else {
        assert_eq!(place.heard, 0, "nothing was recorded");
        return None;
    };
    let opened = match journal::read(&recording.journal()) {
        Ok(opened) => opened,
        Err(OpenError::NoHeader | OpenError::Storage(_)) if place.heard == 0 => return None,
        Err(error) => panic!("{error}"),
    };
    if let Some(torn) = opened.dropped_tail {
        assert!(torn.is_unfinished_write(), "{torn:?}");
    }
    let now = fs::read(recording.journal()).unwrap();
    assert!(now.starts_with(before), "what was in the journal has changed");
    let end = opened.dropped_tail.map_or(now.len() as u64, |torn| torn.offset);
    assert!(opened.dropped_tail.is_none() || end >= whole_frames(scene, before), "a whole record was lost");
    match open(&recording, None, None) {
        Ok(reopened) => Some(reopened),
        Err(ReopenError::Empty) if place.heard == 0 => None,
        Err(error) => panic!("{error}"),
    }
}

/// Where the last whole record ended in what was in the journal before the kill.
fn whole_frames(scene: &Scene, before: &[u8]) -> u64 {
    let copy = scene.sandbox.root().join("journal-before");
    fs::write(&copy, before).unwrap();
    match journal::read(&copy) {
        Ok(opened) => opened.dropped_tail.map_or(before.len() as u64, |torn| torn.offset),
        Err(_) => 0,
    }
}

/// Steps that were seen to run are known to have been begun; those that were seen to end, to have ended.
#[track_caller]
fn check_steps(reopened: &Reopened, place: &Place) {
    let ended: BTreeSet<StepPath> = reopened
        .moments
        .iter()
        .filter_map(|moment| match &moment.point {
            Point::After(path, _) => Some(path.clone()),
            _ => None,
        })
        .collect();
    let unknown: BTreeSet<StepPath> =
        reopened.unknown.iter().map(|intent| intent.step.parse().unwrap()).collect();
    for index in 0..place.begun() {
        let step = step(index);
        assert!(ended.contains(&step) || unknown.contains(&step), "{step} is forgotten");
        if index + 1 < place.begun() {
            assert!(ended.contains(&step), "{step} had ended, and this is forgotten");
        }
    }
    assert!(unknown.len() <= 1, "one step runs at a time: {unknown:?}");
    if let Some(held) = place.held_step() {
        assert!(unknown.contains(&held), "{held} was running: {unknown:?}");
        assert_eq!(reopened.unknown[0].description, format!("Step {}", held.index() + 1));
        assert!(!reopened.complete);
    }
}

/// The next start ends what still ran, opens the recording and says what is unknown.
#[track_caller]
fn check_debugger(scene: &Scene, reopened: &Reopened) {
    let ran = scene.debug_last("status\nquit\n");
    let said = ran.out + &ran.errors;
    for intent in &reopened.unknown {
        let expected = format!("unknown outcome: `{}`", intent.description);
        assert!(said.contains(&expected), "{expected:?} is not in:\n{said}");
    }
    if reopened.unknown.is_empty() {
        assert!(!said.contains("unknown outcome"), "{said}");
    }
    assert!(said.contains("status"), "{said}");
    assert!(said.contains("quit"), "{said}");
}

/// What the points were.
#[derive(Debug, Default)]
struct Figures {
    /// Killed before a recording had begun.
    nothing: usize,
    /// Killed in a step.
    unknown: usize,
    /// Killed between steps.
    between: usize,
    /// Over before the kill.
    over: usize,
    torn: usize,
}

impl Figures {
    fn add(&mut self, reopened: &Reopened) {
        self.torn += usize::from(reopened.torn.is_some());
        match (reopened.unknown.is_empty(), reopened.finished) {
            (false, _) => self.unknown += 1,
            (true, None) => self.between += 1,
            (true, Some(_)) => self.over += 1,
        }
    }
}
