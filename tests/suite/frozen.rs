//! Steps that are frozen in their middle: gone back from, returned to, and none the wiser; and a debugger that is killed
//! while something stands.
//!
//! The script does what leaves a process group (`timeout`, `setsid`, `set -m`), writes through a pipe and to a log file
//! that it holds open. It says where it is, and is told to go on, through named pipes beside its workspace.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use engine::effect::Outcome;
use engine::step_path::StepPath;
use host::lane::Scan;
use host::proc::{self, State};
use host::watch::Watch;
use session::moment::Point;
use session::request::{Request, Stop, StopReason};

use crate::debugger::little::workflow;
use crate::debugger::live::{Live, alone};
use crate::debugger::{Debugger, Place, block_on, plan};
use crate::law::tree;

/// How long the end of a killed process may take before the test gives up on it.
const WITHIN: Duration = Duration::from_secs(20);

const STEPS: &str = r#"- name: Before
  run: |
    echo base > base
    mkdir shared
- name: Many processes
  run: |
    exec 3>> shared/app.log
    echo one >&3
    echo "out one"
    timeout 1000 bash -c '
      echo "in timeout"
      echo up > ../pipes/said
      read word < ../pipes/first
      echo "timeout: $word"
      echo "timeout: $word" > base
    ' | sed -u 's/^/piped /' &
    piped=$!
    setsid bash -c '
      echo "in setsid" >> detached.log
      echo up > ../pipes/said
      read word < ../pipes/second
      echo "setsid: $word" >> detached.log
      echo went > ../pipes/said
    ' &
    detached=$!
    set -m
    (
      echo "in a job of its own" >&3
      echo up > ../pipes/said
      read word < ../pipes/third
      echo "job: $word" >&3
      rm detached.log
    ) &
    job=$!
    wait $piped && echo went > ../pipes/said
    wait $detached
    wait $job
    echo two >&3
    echo "out two"
    echo "count=$(wc -l < shared/app.log)" >> "$GITHUB_OUTPUT"
  id: many
- name: After
  run: |
    cat shared/app.log base
    echo "${{ steps.many.outputs.count }} lines"
"#;

/// A live job of [`STEPS`] and the pipes beside its workspace.
struct Case {
    place: Place,
    debugger: Debugger,
    tracking: String,
    said: BufReader<File>,
    told: BTreeMap<&'static str, File>,
}

impl Case {
    /// Standing before the first step.
    async fn start(tracking: Option<&str>) -> Self {
        let place = Place::new();
        let pipes = place.dir.path().join("pipes");
        fs::create_dir(&pipes).unwrap();
        let open = |name: &str| {
            let path = pipes.join(name);
            let kind = rustix::fs::FileType::Fifo;
            rustix::fs::mknodat(rustix::fs::CWD, &path, kind, rustix::fs::Mode::RWXU, 0).unwrap();
            // Both ends are ours, so that neither side waits for the other to open its own.
            OpenOptions::new().read(true).write(true).open(path).unwrap()
        };
        let said = BufReader::new(open("said"));
        let told = ["first", "second", "third"].into_iter().map(|name| (name, open(name))).collect();
        let mut live = Live::debug(&place);
        if let Some(tracking) = tracking {
            (live.tracking, live.guardian) = (tracking.to_owned(), true);
        }
        let tracking = format!("{}.", live.tracking);
        let mut debugger = live.start(plan(&workflow(STEPS)));
        debugger.stopped().await;
        Self { place, debugger, tracking, said, told }
    }

    /// Waits until the script has said so many lines.
    async fn hear(&mut self, lines: usize) -> Vec<String> {
        let mut said = BufReader::new(self.said.get_ref().try_clone().unwrap());
        std::mem::swap(&mut said, &mut self.said);
        let reading = tokio::task::spawn_blocking(move || {
            let mut heard = Vec::new();
            for _ in 0..lines {
                let mut line = String::new();
                said.read_line(&mut line).unwrap();
                heard.push(line.trim_end().to_owned());
            }
            (heard, said)
        });
        let (heard, said) = reading.await.unwrap();
        self.said = said;
        heard
    }

    fn tell(&mut self, name: &str, word: &str) {
        writeln!(self.told.get_mut(name).unwrap(), "{word}").unwrap();
    }

    /// Into the middle of the second step: all its processes are up.
    async fn run_to_the_middle(&mut self) {
        self.debugger.to(Request::Next).await;
        self.debugger.ask(Request::Continue).await;
        assert_eq!(self.hear(3).await, ["up"; 3]);
    }

    async fn freeze(&mut self) -> Stop {
        self.debugger.ask(Request::Pause).await;
        let stop = self.debugger.to(Request::Pause).await;
        assert_eq!((&stop.point, &stop.reason), (&Point::During(StepPath::main(1)), &StopReason::Pause));
        stop
    }

    fn states(&self) -> BTreeMap<i32, State> {
        let tagged = Scan::now().unwrap().tagged(&self.tracking);
        tagged.into_iter().map(|process| (process.id.pid, process.state)).collect()
    }

    #[track_caller]
    fn all_stand(&self) -> Vec<i32> {
        let states = self.states();
        assert!(states.values().all(|state| *state == State::Stopped), "{states:?}");
        states.into_keys().collect()
    }

    fn files(&self) -> BTreeMap<String, String> {
        tree(&self.place.workspace())
    }

    fn open_log(&self) -> u64 {
        fs::metadata(self.place.workspace().join("shared/app.log")).unwrap().ino()
    }

    /// Back to before the step, a look around, and to the newest moment again.
    async fn back_and_return(&mut self, before: &BTreeMap<String, String>) {
        let (middle, log, pids) = (self.files(), self.open_log(), self.all_stand());
        let stop = self.debugger.to(Request::Back { steps: 1 }).await;
        assert_eq!((stop.point, stop.rewound), (Point::Before(StepPath::main(1)), true));
        assert_eq!(&self.files(), before);
        assert_eq!(self.all_stand(), pids);
        self.debugger.to(Request::Back { steps: 1 }).await;
        assert_eq!(self.files(), BTreeMap::new());
        fs::write(self.place.workspace().join("detached.log"), "by hand, in the past").unwrap();
        fs::write(self.place.workspace().join("shared"), "a file of this name").unwrap();

        let stop = self.debugger.to(Request::Return).await;
        assert_eq!((stop.point, stop.rewound), (Point::During(StepPath::main(1)), false));
        assert_eq!(self.files(), middle);
        assert_eq!(self.open_log(), log, "the open file is another one");
        assert_eq!(self.all_stand(), pids);
    }

    /// The rest of the script, word for word, to the end of the job.
    async fn end(mut self) -> End {
        let stop = self.debugger.stopped().await;
        assert_eq!(stop.reason, StopReason::End(Outcome::Success));
        assert_eq!(self.states(), BTreeMap::new());
        let log = self.debugger.said.log.lock().unwrap().clone();
        let files = self.files();
        let ended = self.debugger.quit().await;
        End { log, files, results: format!("{:?}", ended.job.results()) }
    }
}

/// What a run leaves behind.
#[derive(Debug, PartialEq)]
struct End {
    log: String,
    files: BTreeMap<String, String>,
    results: String,
}

async fn undisturbed() -> End {
    let mut case = Case::start(None).await;
    case.run_to_the_middle().await;
    case.tell("first", "go");
    assert_eq!(case.hear(1).await, ["went"]);
    case.tell("second", "go on");
    assert_eq!(case.hear(1).await, ["went"]);
    case.tell("third", "and out");
    case.end().await
}

#[test]
fn a_frozen_step_that_was_gone_back_from_ends_like_an_undisturbed_one() {
    let _turn = alone();
    block_on(async {
        let expected = undisturbed().await;
        let files: Vec<&str> = expected.files.keys().map(String::as_str).collect();
        assert_eq!(files, ["base", "shared", "shared/app.log"]);
        assert!(expected.log.contains("piped timeout: go\nout two\n"), "{}", expected.log);
        assert!(expected.log.contains("4 lines"), "{}", expected.log);

        let mut case = Case::start(None).await;
        case.debugger.to(Request::Next).await;
        let before = case.files();
        case.debugger.to(Request::Back { steps: 1 }).await;
        case.debugger.to(Request::Return).await;
        case.debugger.ask(Request::Continue).await;
        assert_eq!(case.hear(3).await, ["up"; 3]);

        case.freeze().await;
        assert!(case.all_stand().len() >= 6, "{:?}", case.states());
        case.back_and_return(&before).await;
        // Said while it stands: it hears that when it runs again.
        case.tell("first", "go");
        case.back_and_return(&before).await;
        case.debugger.ask(Request::Continue).await;
        assert_eq!(case.hear(1).await, ["went"]);

        case.freeze().await;
        case.back_and_return(&before).await;
        case.debugger.ask(Request::Continue).await;
        case.tell("second", "go on");
        assert_eq!(case.hear(1).await, ["went"]);
        case.freeze().await;
        case.debugger.ask(Request::Continue).await;
        case.tell("third", "and out");
        assert_eq!(case.end().await, expected);
    });
}

/// Left for good: what stood is gone, and the step runs from its start.
#[test]
fn a_frozen_step_that_is_run_again_is_ended_first() {
    let _turn = alone();
    block_on(async {
        let expected = undisturbed().await;
        let mut case = Case::start(None).await;
        case.run_to_the_middle().await;
        case.freeze().await;
        let stood: Vec<Watch> = case.all_stand().into_iter().map(|pid| Watch::new(pid).unwrap()).collect();
        case.debugger.to(Request::Back { steps: 1 }).await;
        case.debugger.ask(Request::Continue).await;
        assert_eq!(case.hear(3).await, ["up"; 3]);
        assert!(stood.iter().all(ends));
        case.tell("first", "go");
        assert_eq!(case.hear(1).await, ["went"]);
        case.tell("second", "go on");
        assert_eq!(case.hear(1).await, ["went"]);
        case.tell("third", "and out");
        let end = case.end().await;
        assert_eq!((end.files, end.results), (expected.files, expected.results));
    });
}

/// Leaving while something stands in the future: it is cancelled there, and the files are those of the newest moment.
#[test]
fn leaving_ends_what_stood() {
    let _turn = alone();
    block_on(async {
        let mut case = Case::start(None).await;
        case.run_to_the_middle().await;
        case.freeze().await;
        let stood: Vec<Watch> = case.all_stand().into_iter().map(|pid| Watch::new(pid).unwrap()).collect();
        let middle = case.files();
        case.debugger.to(Request::Back { steps: 2 }).await;
        assert_eq!(case.files(), BTreeMap::new());
        let Case { place, debugger, .. } = case;
        let ended = debugger.quit().await;
        assert_eq!(ended.outcome, Outcome::Cancelled);
        assert!(stood.iter().all(ends));
        assert_eq!(tree(&place.workspace()), middle);
    });
}

fn ends(watch: &Watch) -> bool {
    let (wake, _keep) = std::io::pipe().unwrap();
    watch.wait(None, false, std::os::fd::AsFd::as_fd(&wake), Some(WITHIN)).unwrap().ended
}

/// Set for the debugger that is to be killed: what it does before that.
const VICTIM: &str = "STEPBACK_TEST_FROZEN_VICTIM";
/// The test itself, and the tracking id of its victim: the guardian is this program, started with its argument and the
/// tracking id, which the test harness takes for the names of tests to run.
const KILLED: &str = "frozen::a_killed_debugger_leaves_nothing_stopped_or_running";

#[test]
fn a_killed_debugger_leaves_nothing_stopped_or_running() {
    host::guardian::main_if_asked();
    if let Some(manner) = std::env::var_os(VICTIM) {
        return victim(&manner.to_string_lossy());
    }
    let _turn = alone();
    // The tracking id is not one of a kind: another run of this test on the machine has to wait.
    let lock = File::create(std::env::temp_dir().join("stepback-test-frozen.lock")).unwrap();
    lock.lock().unwrap();
    for (manner, state) in
        [("paused", State::Stopped), ("rewound", State::Stopped), ("running", State::Active)]
    {
        let (mut process, pids) = start_victim(manner);
        assert!(pids.len() >= 6, "{manner}: {pids:?}");
        let watches: Vec<Watch> = pids.iter().map(|pid| Watch::new(*pid).unwrap()).collect();
        for pid in &pids {
            assert_eq!(proc::read(*pid).map(|process| process.state), Some(state), "{manner}: {pid}");
        }
        process.kill().unwrap();
        process.wait().unwrap();
        for (pid, watch) in pids.iter().zip(&watches) {
            assert!(ends(watch), "{manner}: {pid} is still there: {:?}", proc::read(*pid));
        }
        assert_eq!(Scan::now().unwrap().tagged(KILLED), []);
    }
}

/// The process, once everything in its job is as the manner says, and the pids of the job's processes.
fn start_victim(manner: &str) -> (Child, Vec<i32>) {
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args([KILLED, "--exact", "--nocapture"])
        .env(VICTIM, manner)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let pids = lines.map_while(Result::ok).find_map(|line| {
        let pids = line.strip_prefix("pids ")?.split(' ').map(|pid| pid.parse().unwrap());
        Some(pids.collect())
    });
    (process, pids.expect("the victim says its pids"))
}

/// Says the pids of its job's processes and waits for its end.
fn victim(manner: &str) {
    block_on(async {
        let mut case = Case::start(Some(KILLED)).await;
        case.run_to_the_middle().await;
        if manner != "running" {
            case.freeze().await;
        }
        if manner == "rewound" {
            case.debugger.to(Request::Back { steps: 1 }).await;
        }
        let pids: Vec<String> = case.states().keys().map(i32::to_string).collect();
        println!("\npids {}", pids.join(" "));
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    });
}
