//! What cancelled background steps leave behind: nothing, whatever they did to get away. Looked for by tracking id, session and
//! descent, while the job goes on: its end would sweep the rest away.
//!
//! A run is one cancelled step; each job has one of every kind. `STEPBACK_STRAYS=1000` makes that many runs, and
//! `STEPBACK_STRAYS_AT_LENGTH=20` that many at the full length of the signal ladder.

use std::collections::BTreeSet;
use std::time::Duration;

use engine::effect::Outcome;
use fastrand::Rng;
use host::lane::Scan;
use host::proc::{self, Process, ProcessId, State};
use host::times::Times;
use session::request::Request;
use session::session::Mode;

use super::shells::Shells;
use crate::debugger::little::workflow;
use crate::debugger::live::{TIMES, alone};
use crate::debugger::{block_on, plan};

/// The ladder at a hundredth of its length.
const HUNDREDTH: Times =
    Times { interrupt: Duration::from_millis(75), terminate: Duration::from_millis(25), ..TIMES };
/// Runs where nobody says how many.
const RUNS: usize = 100;

/// A way to go on after a signal, and how many processes of it say that they are up.
struct Kind {
    script: &'static str,
    say: usize,
}

const KINDS: [Kind; 5] = [
    // Killed where it stands.
    Kind { script: "say; sleep 1000", say: 1 },
    // A child of nobody, out of the group as well.
    Kind { script: "( ( set -m; ( say; sleep 1000 ) & ) & )\nsay\nsleep 1000", say: 2 },
    // A session of its own, and the shell waits for it.
    Kind { script: "setsid bash -c 'say; sleep 1000' &\nsay\nwait", say: 2 },
    // Both, and the shell is gone at once: what holds its pipe is the daemon.
    Kind { script: "( setsid bash -c 'say; sleep 1000' & )\nsay\nsleep 1000 & wait", say: 2 },
    // A group of its own.
    Kind { script: "timeout 1000 bash -c 'say; sleep 1000 & wait'", say: 1 },
];

/// A job with a step of each kind, which are cancelled; half of them ignore SIGINT and SIGTERM.
struct Job {
    steps: String,
    say: usize,
}

impl Job {
    fn new(rng: &mut Rng) -> Self {
        let mut order: Vec<usize> = (0..KINDS.len()).collect();
        rng.shuffle(&mut order);
        let mut steps = String::new();
        for kind in &order {
            let mut script = String::from("say() { echo $BASHPID > ../pipes/up; }\nexport -f say\n");
            if rng.bool() {
                // What `timeout` starts would hear SIGINT again.
                script += "deaf() { trap '' INT TERM; }\nexport -f deaf\ndeaf\n";
                script += &KINDS[*kind].script.replace("bash -c '", "bash -c 'deaf; ");
            } else {
                script += KINDS[*kind].script;
            }
            steps += &format!(
                "- id: s{kind}\n  background: true\n  run: |\n    {}\n",
                script.replace('\n', "\n    ")
            );
        }
        steps += "- if: always()\n  run: read word < ../pipes/first\n";
        rng.shuffle(&mut order);
        order.iter().for_each(|kind| steps += &format!("- cancel: s{kind}\n"));
        steps += "- if: always()\n  run: echo over > ../pipes/up; read word < ../pipes/second\n";
        Self { steps, say: KINDS.iter().map(|kind| kind.say).sum() }
    }
}

/// What a job's steps were before they were cancelled.
struct Seen {
    said: Vec<ProcessId>,
    sessions: BTreeSet<i32>,
}

async fn check(seed: u64, times: Times) {
    let mut rng = Rng::with_seed(seed);
    let job = Job::new(&mut rng);
    let mut shells = Shells::new(times);
    let debugger = shells.start(plan(&workflow(&job.steps)), Mode::Headless);
    let mut said = Vec::new();
    for _ in 0..job.say {
        let pid: i32 = shells.hear("up").await.parse().unwrap();
        said.push(proc::read(pid).unwrap().id);
    }
    let sessions = tagged(&shells).iter().map(|process| process.session).collect();
    let seen = Seen { said, sessions };
    let with_the_job = rng.u8(0..3) == 0;
    if with_the_job {
        debugger.handle.tell(Request::Cancel);
        // Its condition lets the foreground's step go on.
    }
    shells.tell("first", "go");
    assert_eq!(shells.hear("up").await, "over", "{}", job.steps);
    nothing_is_left_of(&seen, &shells, &job);
    shells.tell("second", "go");
    let end = shells.end(debugger).await;
    let outcomes: Vec<String> = (0..KINDS.len()).map(|kind| end.step(&format!("s{kind}"))).collect();
    assert_eq!(outcomes, ["cancelled/cancelled"; KINDS.len()], "{}", job.steps);
    assert_eq!(end.outcome, if with_the_job { Outcome::Cancelled } else { Outcome::Success });
}

fn tagged(shells: &Shells) -> Vec<Process> {
    Scan::now().unwrap().tagged(&shells.tracking())
}

#[track_caller]
fn nothing_is_left_of(seen: &Seen, shells: &Shells, job: &Job) {
    let mut scan = Scan::now().unwrap();
    let here = scan.tagged(&shells.tracking());
    let tags: BTreeSet<String> =
        here.iter().filter_map(|process| scan.tag(*process).map(str::to_owned)).collect();
    assert_eq!(tags.len(), 1, "only the foreground's step has its tracking id: {here:?}\n{}", job.steps);
    let lives = |process: &Process| process.state != State::Ended;
    for id in &seen.said {
        let found = proc::read(id.pid).filter(|found| found.id == *id && lives(found));
        assert_eq!(found, None, "{}", job.steps);
    }
    let all = proc::all().unwrap();
    let in_session: Vec<&Process> =
        all.iter().filter(|process| seen.sessions.contains(&process.session) && lives(process)).collect();
    assert!(in_session.is_empty(), "{in_session:?}\n{}", job.steps);
    let strays: Vec<Process> = scan
        .foreign_children()
        .filter(|process| lives(process) && !here.contains(process))
        .copied()
        .collect();
    assert!(strays.is_empty(), "{strays:?}\n{}", job.steps);
}

fn given(name: &str) -> Option<usize> {
    std::env::var(name).ok()?.parse().ok()
}

fn check_all(runs: usize, times: Times) {
    let _turn = alone();
    let jobs = runs.div_ceil(KINDS.len());
    for seed in 0..jobs {
        block_on(check(seed as u64, times));
    }
    println!("strays: {} cancelled steps in {jobs} jobs", jobs * KINDS.len());
}

#[test]
fn cancelled_steps_leave_nothing_running() {
    check_all(given("STEPBACK_STRAYS").unwrap_or(RUNS), HUNDREDTH);
}

#[test]
fn cancelled_steps_leave_nothing_running_at_full_length() {
    match given("STEPBACK_STRAYS_AT_LENGTH") {
        Some(runs) => check_all(runs, Times::default()),
        None => println!("strays: skipped at full length; STEPBACK_STRAYS_AT_LENGTH=20 runs them"),
    }
}
