//! The live host with real shells. Waiting is for events and lines only; grace times are made short.

mod actions;
mod attended;

use super::*;
use crate::checkout::Origin;
use crate::contract::FrozenLanes as _;
use crate::log::LogBatch;
use crate::times::Times;
use engine::effect::Body;
use engine::effect::TimerId;
use engine::event::{BodyEnd, Exit};
use engine::lines::{LineOptions, StepCommand};
use engine::mask::Origin as MaskOrigin;
use engine::matcher::Matchers;
use engine::process::{CommandFiles, Heading, ProcessSpec, Script, ShellCommand};
use engine::step_path::StepPath;
use indexmap::IndexMap;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Condvar;
use std::sync::Mutex;
use std::time::Duration;

/// The log as text, one line for each line: `lane/epoch tag text`.
#[derive(Default)]
struct Log {
    text: Mutex<String>,
    grown: Condvar,
}

impl Log {
    fn write(&self, batch: &LogBatch) {
        let mut text = self.text.lock().unwrap();
        for line in batch.lines() {
            let shown = String::from_utf8_lossy(line.text);
            writeln!(text, "{}/{} {}{shown}", batch.lane, batch.epoch.0, line.tag.prefix()).unwrap();
        }
        for annotation in &batch.annotations {
            writeln!(text, "annotation {:?} {}", annotation.file, annotation.message).unwrap();
        }
        self.grown.notify_all();
    }

    fn wait_for(&self, wanted: &str) -> String {
        let text = self.text.lock().unwrap();
        let grown =
            self.grown.wait_timeout_while(text, Duration::from_secs(20), |text| !text.contains(wanted));
        let (text, timeout) = grown.unwrap();
        assert!(!timeout.timed_out(), "no `{wanted}` in\n{text}");
        text.clone()
    }

    fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }
}

struct Fixture {
    runtime: tokio::runtime::Runtime,
    host: LiveHost,
    log: Arc<Log>,
    masks: SharedMasks,
    folder: tempfile::TempDir,
    tracking: String,
    attended_here: bool,
}

/// A process that another test is just starting holds our pipes until its exec: what is not about held ones waits long.
const SHORT: Times = Times {
    interrupt: Duration::from_millis(60),
    terminate: Duration::from_millis(60),
    kill: Duration::from_secs(20),
    freeze: Duration::from_secs(20),
    held_pipe: Duration::from_secs(20),
    own_thread_after: Duration::from_millis(4),
};

impl Fixture {
    fn new() -> Self {
        Self::with_times(SHORT)
    }

    fn with_times(times: Times) -> Self {
        let log = Arc::new(Log::default());
        let sink = Arc::clone(&log);
        Self::with_sink(times, log, Box::new(move |batch: LogBatch| sink.write(&batch)))
    }

    fn with_sink(times: Times, log: Arc<Log>, sink: Box<dyn LogSink>) -> Self {
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let serial = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir(&path).unwrap();
            path
        };
        let workspace = place("workspace");
        let tracking = format!("hosttest_{}_{serial}", std::process::id());
        let settings = Settings {
            origin: Origin { folder: workspace.clone(), name: None, in_place: true },
            workspace,
            temp: place("temp"),
            spare: SpareFolders::kept_in(folder.path().join("spare")),
            base: BaseEnvironment::of_this_process(),
            tracking: tracking.clone(),
            actions: Default::default(),
            times,
            guardian: false,
            server_url: String::new(),
            repository: String::new(),
            services: None,
            externals: None,
        };
        let masks = SharedMasks::default();
        let host = LiveHost::new(settings, masks.clone(), sink);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { runtime, host, log, masks, folder, tracking, attended_here: false }
    }

    fn spec(&self, step: u32, script: &str) -> ProcessSpec {
        let step = StepPath::main(step);
        let command_files = CommandFiles::of(&step);
        ProcessSpec {
            heading: Some(Heading {
                title: "Run it".to_owned(),
                with: Vec::new(),
                env: Vec::new(),
                folds: true,
            }),
            script: Script {
                file: command_files.script(".sh"),
                text: script.into(),
                content: Some(script.to_owned()),
            },
            shell: ShellCommand {
                candidates: vec!["bash".to_owned(), "sh".to_owned()],
                arguments: "-e {0}".to_owned(),
            },
            working_directory: "".into(),
            environment: IndexMap::new(),
            runner_environment: IndexMap::new(),
            path_prepends: Vec::new(),
            command_files,
            lines: LineOptions::default(),
            matchers: Matchers::default(),
            action: None,
            step,
        }
    }

    fn start(&mut self, lane: u32, script: &str) {
        let spec = self.spec(lane, script);
        self.start_spec(lane, spec);
    }

    fn start_spec(&mut self, lane: u32, spec: ProcessSpec) {
        // Outside of the runtime a thread attends the body from the start.
        let _context = self.attended_here.then(|| self.runtime.enter());
        self.host.perform(Effect::Spawn { lane: LaneId(lane), body: Box::new(Body::Process(spec)) });
    }

    fn next(&mut self) -> HostEvent {
        let next = async { tokio::time::timeout(Duration::from_secs(30), self.host.next()).await };
        self.runtime.block_on(next).expect("an event")
    }

    fn end(&mut self) -> (LaneId, Epoch, BodyEnd) {
        loop {
            let HostEvent { epoch, event } = self.next();
            if let Event::BodyEnded { lane, end } = event {
                return (lane, epoch, end);
            }
        }
    }

    /// Runs a script to its end and returns its exit and the log without the heading.
    fn run(&mut self, script: &str) -> (Exit, String) {
        self.start(0, script);
        let exit = self.end().2.exit;
        (exit, self.body_log())
    }

    fn body_log(&self) -> String {
        let text = self.log.text();
        let body = text.split_once("##[endgroup]\n").map_or(text.as_str(), |(_, body)| body);
        body.lines().map(|line| format!("{}\n", line.split_once(' ').unwrap().1)).collect()
    }

    fn freeze(&mut self) -> LiveFrozen {
        self.runtime.block_on(self.host.freeze()).unwrap()
    }

    fn alive(&self) -> Vec<proc::Process> {
        lane::Scan::now().unwrap().tagged(&format!("{}.", self.tracking))
    }

    fn fifo(&self) -> PathBuf {
        let path = self.folder.path().join("go");
        let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU);
        rustix::fs::mknodat(rustix::fs::CWD, &path, kind, mode, 0).unwrap();
        path
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let _ = self.host.terminate_orphans();
    }
}

#[test]
fn a_step_runs_and_says_what_it_wrote() {
    let mut fixture = Fixture::new();
    fixture.start(0, "echo hello\necho a=1 >> \"$GITHUB_OUTPUT\"\necho /x >> $GITHUB_PATH\nexit 3");
    let (lane, epoch, end) = fixture.end();
    assert_eq!((lane, epoch, end.exit), (LaneId(0), Epoch(0), Exit::Code(3)));
    assert_eq!(end.files.output, [("a".to_owned(), "1".to_owned())]);
    assert_eq!(end.files.path, ["/x"]);
    let shell = which("bash");
    assert_eq!(
        fixture.log.text(),
        format!(
            "0/0 ##[group]Run it\n\
             0/0 \u{1b}[36;1mecho hello\u{1b}[0m\n\
             0/0 \u{1b}[36;1mecho a=1 >> \"$GITHUB_OUTPUT\"\u{1b}[0m\n\
             0/0 \u{1b}[36;1mecho /x >> $GITHUB_PATH\u{1b}[0m\n\
             0/0 \u{1b}[36;1mexit 3\u{1b}[0m\n\
             0/0 shell: {shell} -e {{0}}\n\
             0/0 ##[endgroup]\n\
             0/0 hello\n"
        )
    );
    assert!(fixture.host.running().is_empty());
}

#[test]
fn no_step_finds_the_files_of_one_before_it_and_none_are_left() {
    let mut fixture = Fixture::new();
    for lane in 0..20 {
        fixture.start(lane, "cd \"$(dirname \"$GITHUB_OUTPUT\")/..\"; echo \"found: $(echo *)\"");
        fixture.end();
    }
    let found: Vec<String> = fixture
        .log
        .text()
        .lines()
        .filter_map(|line| line.split_once(" found: ").map(|(_, files)| files.to_owned()))
        .collect();
    assert_eq!(found, (0..20).map(|lane| format!("main-{lane}")).collect::<Vec<_>>());
    assert_eq!(fixture.host.clean_up(), [""; 0]);
    let folder = fixture.folder.path().join("temp").join(CommandFiles::FOLDER);
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0);
}

fn which(name: &str) -> String {
    let path = std::env::var("PATH").unwrap();
    let mut all = path.split(':').map(|folder| format!("{folder}/{name}"));
    all.find(|file| std::path::Path::new(file).exists()).unwrap()
}

#[test]
fn a_signal_and_bytes_that_are_no_text_arrive() {
    let mut fixture = Fixture::new();
    let (exit, log) = fixture.run(r"printf 'a\xffb\0c\r\nlast'; kill -9 $$");
    assert_eq!((exit, log.as_str()), (Exit::Signal(9), "a\u{fffd}b\0c\nlast\n"));
}

#[test]
fn what_cannot_start_says_why() {
    let mut fixture = Fixture::new();
    let mut spec = fixture.spec(0, "true");
    spec.shell.candidates = vec!["no-such-shell".to_owned()];
    fixture.start_spec(0, spec);
    let Exit::NotStarted(reason) = fixture.end().2.exit else { panic!("it started") };
    assert!(reason.starts_with("shell not found: there is no no-such-shell on PATH ("), "{reason}");
    let mut spec = fixture.spec(0, "true");
    spec.working_directory = "no/such/folder".into();
    fixture.start_spec(0, spec);
    let Exit::NotStarted(reason) = fixture.end().2.exit else { panic!("it started") };
    assert!(reason.contains("/workspace/no/such/folder does not exist\nhint: "), "{reason}");
}

#[test]
fn the_files_of_a_step_are_gone_for_the_next_one() {
    let mut fixture = Fixture::new();
    fixture.start(1, "echo A=1 >> \"$GITHUB_ENV\"; echo a=1 >> \"$GITHUB_OUTPUT\"");
    assert_eq!(fixture.end().2.files.env, [("A".to_owned(), "1".to_owned())]);
    fixture.start(2, "ls ${GITHUB_ENV%/*/*}; cat \"$GITHUB_ENV\" \"$GITHUB_OUTPUT\"; basename $0");
    let end = fixture.end().2;
    assert_eq!((end.exit, end.files.env), (Exit::Code(0), Vec::new()));
    let log = fixture.log.text();
    assert!(log.ends_with("2/0 ##[endgroup]\n2/0 main-2\n2/0 script.sh\n"), "{log}");
}

#[test]
fn what_a_step_left_running_does_not_write_into_the_next_one() {
    let mut fixture = Fixture::new();
    let go = fixture.fifo();
    let late = format!(
        "exec 9>> \"$GITHUB_ENV\"; cd ${{GITHUB_ENV%/*}}\n\
         (read x < {0}; echo LATE=1 >&9; echo LATE=2 >> set_env || :; echo done > {0}) > /dev/null 2>&1 &",
        go.display()
    );
    fixture.start(1, &late);
    assert_eq!(fixture.end().2.exit, Exit::Code(0));
    fixture
        .start(2, &format!("echo go > {0}; read x < {0}; echo ON_TIME=1 >> \"$GITHUB_ENV\"", go.display()));
    let end = fixture.end().2;
    assert_eq!((end.exit, end.files.env), (Exit::Code(0), vec![("ON_TIME".to_owned(), "1".to_owned())]));
}

#[test]
fn the_environment_has_its_layers() {
    let mut fixture = Fixture::new();
    let mut spec =
        fixture.spec(0, "echo $A $GITHUB_REF $CI $GITHUB_ACTIONS ${PATH%%:/*}; [ -w $GITHUB_ENV ] && tool");
    spec.environment.extend([("A", "user"), ("GITHUB_REF", "user")].map(|(n, v)| (n.into(), v.into())));
    spec.runner_environment.insert("GITHUB_REF".into(), "runner".into());
    let tool = fixture.folder.path().join("tool");
    std::fs::write(&tool, "#!/bin/sh\necho tool ran ${RUNNER_TRACKING_ID##*.}").unwrap();
    std::fs::set_permissions(&tool, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let folder = fixture.folder.path().to_str().unwrap().to_owned();
    spec.path_prepends = vec![folder.as_str().into()];
    fixture.start_spec(0, spec);
    assert_eq!(fixture.end().2.exit, Exit::Code(0));
    assert_eq!(fixture.body_log(), format!("user runner true true {folder}\ntool ran 0\n"));
}

#[test]
fn commands_masks_and_matchers_take_effect() {
    let mut fixture = Fixture::new();
    fixture.masks.extend([("hunter2", MaskOrigin::Secret { name: "TOKEN".into() })]);
    let matcher = r#"{"problemMatcher":[{"owner":"x","pattern":[{"regexp":"^BAD (.*)$","message":1}]}]}"#;
    std::fs::write(fixture.folder.path().join("workspace/matcher.json"), matcher).unwrap();
    let script = "echo hunter2; echo ::add-mask::later; echo sooner or later\n\
                  echo '::set-output name=a::1'\n\
                  echo ::add-matcher::matcher.json\necho BAD thing\necho ::add-matcher::none.json";
    fixture.start(0, script);
    let mut commands = Vec::new();
    let end = loop {
        match fixture.next().event {
            Event::Command { command: StepCommand::SetOutput { name, value }, .. } => {
                commands.push((name, value))
            }
            Event::Matchers { .. } => commands.push(("matchers".to_owned(), String::new())),
            Event::BodyEnded { end, .. } => break end,
            _ => panic!("unexpected event"),
        }
    };
    assert_eq!(commands, [("a".to_owned(), "1".to_owned()), ("matchers".to_owned(), String::new())]);
    assert!(end.command_failed);
    let log = fixture.log.text();
    for wanted in ["0/0 ***\n", "0/0 sooner or ***\n", "0/0 ##[error]BAD thing\n", "annotation None thing\n"]
    {
        assert!(log.contains(wanted), "no {wanted:?} in\n{log}");
    }
    assert!(
        log.contains("##[error]Unable to process command '::add-matcher::none.json' successfully.\n"),
        "{log}"
    );
    assert!(!log.contains("hunter2") && !fixture.body_log().contains("later"), "{log}");
    assert!(fixture.masks.current().contains_secret(b"later"));
}

#[test]
fn a_held_pipe_is_let_go_and_its_holder_lives_on() {
    let mut fixture = Fixture::with_times(Times { held_pipe: Duration::from_millis(60), ..SHORT });
    let go = fixture.fifo();
    let script = format!("(read x < {}; echo unseen; echo fine > done.txt) & echo said", go.display());
    let (exit, log) = fixture.run(&script);
    assert_eq!(exit, Exit::Code(0));
    assert!(
        log.starts_with(
            "said\n##[warning]The step's output is still open 0.06 s after its end, held by pid ("
        )
    );
    let holder = fixture.alive();
    assert_eq!(holder.len(), 1);
    let watch = crate::watch::Watch::new(holder[0].id.pid).unwrap();
    std::fs::write(&go, "go\n").unwrap();
    let (wake, _keep) = std::io::pipe().unwrap();
    let wake = std::os::fd::AsFd::as_fd(&wake);
    assert!(watch.wait(None, false, wake, Some(Duration::from_secs(20))).unwrap().ended);
    // It could still print: a closed pipe would have ended it by SIGPIPE.
    let done = fixture.folder.path().join("workspace/done.txt");
    assert_eq!(std::fs::read_to_string(done).unwrap(), "fine\n");
    assert!(!fixture.log.text().contains("unseen\n0/0"));
}

#[test]
fn the_ladder_reaches_the_whole_lane() {
    let mut fixture = Fixture::new();
    let wait = "while :; do sleep 1000 & wait $!; done";
    let cases = [
        (format!("trap 'exit 7' INT; echo ready; {wait}"), Exit::Code(7)),
        (format!("trap '' INT; trap 'exit 8' TERM; echo ready; {wait}"), Exit::Code(8)),
        (
            format!("trap '' INT TERM; setsid bash -c 'trap \"\" INT TERM; {wait}' & echo ready; {wait}"),
            Exit::Signal(9),
        ),
        // The shell goes at once, its child only by SIGKILL.
        (
            format!("setsid bash -c 'trap \"\" INT TERM; echo ready; exec >/dev/null 2>&1; {wait}' & wait"),
            Exit::Signal(2),
        ),
    ];
    for (script, exit) in cases {
        fixture.log.text.lock().unwrap().clear();
        fixture.start(0, &script);
        fixture.log.wait_for("0/0 ready\n");
        fixture.host.perform(Effect::Signal { lane: LaneId(0), signal: Signal::Ladder });
        assert_eq!(fixture.end().2.exit, exit, "{script}");
        assert_eq!(fixture.alive(), [], "{script}");
    }
}

#[test]
fn a_kill_needs_no_ladder() {
    let mut fixture = Fixture::with_times(Times { interrupt: Duration::from_secs(600), ..SHORT });
    fixture.start(0, "trap '' INT; echo ready; sleep 1000; sleep 1000");
    fixture.log.wait_for("ready\n");
    fixture.host.perform(Effect::Signal { lane: LaneId(0), signal: Signal::Ladder });
    fixture.host.perform(Effect::Signal { lane: LaneId(0), signal: Signal::Kill });
    assert_eq!(fixture.end().2.exit, Exit::Signal(9));
    assert_eq!(fixture.alive(), []);
}

#[test]
fn a_frozen_lane_goes_on_in_its_own_epoch_beside_its_successor() {
    let mut fixture = Fixture::new();
    let go = fixture.fifo();
    fixture.start(
        1,
        &format!("echo one; read x < {}; echo two; echo k=v >> $GITHUB_OUTPUT; exit 4", go.display()),
    );
    fixture.log.wait_for("1/0 one\n");
    let frozen = fixture.freeze();
    let alive = fixture.alive();
    assert!(!alive.is_empty() && alive.iter().all(|process| process.state == State::Stopped), "{alive:?}");
    assert!(fixture.host.running().is_empty());
    let lanes = frozen.lanes();
    assert_eq!((lanes.len(), lanes[0].lane, lanes[0].running), (1, LaneId(1), true), "{lanes:?}");
    assert_eq!(lanes[0].processes, alive.len());

    fixture.host.set_epoch(Epoch(1));
    let successor = fixture.spec(2, "echo again");
    fixture.start_spec(1, successor);
    let (_, epoch, end) = fixture.end();
    assert_eq!((epoch, end.exit), (Epoch(1), Exit::Code(0)));
    // Freezing again does not touch what stands already.
    let second = fixture.freeze();
    assert!(second.lanes().is_empty(), "{:?}", second.lanes());
    fixture.runtime.block_on(fixture.host.end(second)).unwrap();
    assert_eq!(fixture.alive().len(), alive.len());

    fixture.runtime.block_on(fixture.host.thaw(frozen));
    std::fs::write(&go, "go\n").unwrap();
    let (lane, epoch, end) = fixture.end();
    assert_eq!((lane, epoch, end.exit), (LaneId(1), Epoch(0), Exit::Code(4)));
    assert_eq!(end.files.output, [("k".to_owned(), "v".to_owned())]);
    let log = fixture.log.text();
    assert!(log.contains("1/1 again\n") && log.ends_with("1/0 two\n"), "{log}");
}

#[test]
fn what_was_written_before_the_freeze_is_read_before_it() {
    let mut fixture = Fixture::new();
    fixture.start(1, "for i in {1..5000}; do echo line $i; done; echo done > done.txt; sleep 1000");
    let done = fixture.folder.path().join("workspace/done.txt");
    while !done.exists() {
        std::thread::yield_now();
    }
    let frozen = fixture.freeze();
    assert!(fixture.log.text().ends_with("1/0 line 5000\n"));
    fixture.runtime.block_on(fixture.host.end(frozen)).unwrap();
}

#[test]
fn ended_lanes_are_never_heard_of_again() {
    let mut fixture = Fixture::new();
    fixture.start(1, "trap '' TERM INT; (setsid sleep 1000 &) ; echo ready; while :; do sleep 1; done");
    fixture.start(2, "echo ready; sleep 1000; true");
    fixture.log.wait_for("1/0 ready\n");
    fixture.log.wait_for("2/0 ready\n");
    let mut frozen = fixture.freeze();
    assert_eq!(frozen.lanes().len(), 2);
    let first = frozen.split_off(|status| status.lane == LaneId(1));
    fixture.runtime.block_on(fixture.host.end(first)).unwrap();
    assert!(fixture.alive().iter().all(|process| process.state == State::Stopped));
    fixture.runtime.block_on(fixture.host.end(frozen)).unwrap();
    assert_eq!(fixture.alive(), []);
    fixture.host.set_epoch(Epoch(1));
    fixture.start(3, "true");
    assert_eq!((fixture.end().0, fixture.host.running().len()), (LaneId(3), 0));
}

#[test]
fn what_a_body_left_running_freezes_as_its_own() {
    let mut fixture = Fixture::new();
    fixture.start(0, "sleep 1000 > /dev/null 2>&1 & env -i setsid --fork sleep 1001 > /dev/null 2>&1");
    assert_eq!(fixture.end().2.exit, Exit::Code(0));
    fixture.start(5, "true");
    fixture.end();
    let frozen = fixture.freeze();
    let lanes = frozen.lanes();
    let steps: BTreeSet<String> = lanes.iter().map(|lane| lane.step.to_string()).collect();
    // Without any trace it belongs to the newest body.
    assert_eq!(steps, BTreeSet::from(["main.0".to_owned(), "main.5".to_owned()]), "{lanes:?}");
    assert!(lanes.iter().all(|lane| !lane.running && lane.processes == 1), "{lanes:?}");
    let processes: Vec<ProcessId> = frozen.processes().collect();
    fixture.runtime.block_on(fixture.host.end(frozen)).unwrap();
    let scan = lane::Scan::now().unwrap();
    assert!(processes.iter().all(|id| alive(&scan, *id).is_none()));
}

#[test]
fn two_hosts_of_one_process_keep_their_strays_apart() {
    let (mut one, mut other) = (Fixture::new(), Fixture::new());
    // In a session of its own, and in that of a shell that has ended: both without environment.
    one.start(
        0,
        "env -i setsid --fork sleep 1001 > /dev/null 2>&1; cd /; env -i sleep 1002 > /dev/null 2>&1 &",
    );
    assert_eq!(one.end().2.exit, Exit::Code(0));
    other.start(0, "env -i setsid --fork sleep 1003 > /dev/null 2>&1");
    assert_eq!(other.end().2.exit, Exit::Code(0));
    let count = |frozen: &LiveFrozen| frozen.processes().count();
    let of_other = other.freeze();
    assert_eq!(count(&of_other), 1, "{:?}", of_other.lanes());
    let of_one = one.freeze();
    assert_eq!(count(&of_one), 2, "{:?}", of_one.lanes());
    other.runtime.block_on(other.host.end(of_other)).unwrap();
    let scan = lane::Scan::now().unwrap();
    assert!(of_one.processes().all(|id| alive(&scan, id).is_some()));
    one.runtime.block_on(one.host.end(of_one)).unwrap();
}

#[test]
fn timers_stand_still_with_their_lanes() {
    let mut fixture = Fixture::new();
    let id = TimerId::Step(LaneId(1), StepPath::main(1));
    fixture.host.perform(Effect::SetTimer { id: id.clone(), after: Duration::from_millis(30) });
    let frozen = fixture.freeze();
    fixture.host.set_epoch(Epoch(1));
    let other = TimerId::Job;
    fixture.host.perform(Effect::SetTimer { id: other.clone(), after: Duration::from_millis(120) });
    // The later one rings first, for the earlier one stands.
    assert!(fixture.next() == HostEvent { epoch: Epoch(1), event: Event::Timer(other) });
    fixture.runtime.block_on(fixture.host.thaw(frozen));
    assert!(fixture.next() == HostEvent { epoch: Epoch(0), event: Event::Timer(id) });
}

#[test]
fn orphans_end_with_the_job_and_those_that_asked_stay() {
    let mut fixture = Fixture::new();
    // Between its fork and its exec a child of bash is another bash.
    let script = "started() { until [ \"$(cat /proc/$1/comm)\" = sleep ]; do :; done; }
        sleep 1000 >/dev/null 2>&1 & started $!
        RUNNER_TRACKING_ID= sleep 1002 >/dev/null 2>&1 & started $!
        echo $!";
    let (_, log) = fixture.run(script);
    let spared: i32 = log.trim().parse().unwrap();
    let orphan = fixture.alive()[0].id.pid;
    let lines = fixture.host.terminate_orphans().unwrap();
    assert_eq!(lines, [format!("Terminate orphan process: pid ({orphan}) (sleep)")]);
    let spared = proc::read(spared).unwrap().id;
    assert_eq!(proc::send_signal(spared, rustix::process::Signal::KILL), proc::Sent::Yes);
}

#[test]
fn a_dropped_host_leaves_nothing_running() {
    let mut fixture = Fixture::new();
    fixture.start(1, "trap '' TERM INT; echo ready; (setsid sleep 1000); sleep 1000");
    fixture.log.wait_for("1/0 ready\n");
    let frozen = fixture.freeze();
    fixture.start(2, "trap '' TERM INT; echo ready; (setsid sleep 1000); sleep 1000");
    fixture.log.wait_for("2/0 ready\n");
    drop(frozen);
    let tracking = format!("{}.", fixture.tracking);
    let other = Fixture::new();
    fixture.host = Fixture::new().take_host();
    assert_eq!(lane::Scan::now().unwrap().tagged(&tracking), []);
    drop(other);
}

impl Fixture {
    fn take_host(mut self) -> LiveHost {
        let settings = self.host.shared.settings.clone();
        std::mem::replace(
            &mut self.host,
            LiveHost::new(settings, SharedMasks::default(), Box::new(|_: LogBatch| {})),
        )
    }
}

/// The peak is one of a whole process: it takes one in which no other test runs.
#[test]
fn a_line_without_end_takes_no_memory() {
    const ALONE: &str = "STEPBACK_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return measure_a_line_without_end();
    }
    let name = "live::tests::a_line_without_end_takes_no_memory";
    let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
    let output = alone.args([name, "--exact", "--nocapture"]).env(ALONE, "1").output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

fn measure_a_line_without_end() {
    let received = Arc::new(Mutex::new(0));
    let count = Arc::clone(&received);
    let sink = Box::new(move |batch: LogBatch| {
        let letters = batch.text().iter().filter(|byte| **byte == b'a').count();
        *count.lock().unwrap() += letters;
    });
    let mut fixture = Fixture::with_sink(SHORT, Arc::default(), sink);
    fixture.masks.extend([("secret-value", MaskOrigin::Unnamed)]);
    let peak = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let before = peak();
    fixture.start(0, "head -c 100M /dev/zero | tr '\\0' a");
    assert_eq!(fixture.end().2.exit, Exit::Code(0));
    let shell = which("bash").matches('a').count() + "shell: ".matches('a').count();
    let expected = (100 << 20) + "head -c 100M /dev/zero | tr '\\0' a".matches('a').count() + shell;
    assert_eq!(*received.lock().unwrap(), expected);
    assert!(peak() - before < 16 << 10, "{} KiB", peak() - before);
}

#[test]
fn ten_lanes_keep_their_lines_whole() {
    let mut fixture = Fixture::new();
    for lane in 1..=10 {
        fixture.start(lane, &format!("for i in {{1..2000}}; do echo lane {lane} line $i; done"));
    }
    for _ in 0..10 {
        assert_eq!(fixture.end().2.exit, Exit::Code(0));
    }
    let log = fixture.log.text();
    for lane in 1..=10 {
        let prefix = format!("{lane}/0 lane {lane} line ");
        let lines: Vec<&str> = log.lines().filter_map(|line| line.strip_prefix(&prefix)).collect();
        assert_eq!(lines, (1..=2000).map(|number| number.to_string()).collect::<Vec<_>>());
    }
}
