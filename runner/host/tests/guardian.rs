//! The guardian against the sudden death of its owner.
//!
//! This program is test, owner and guardian at once, told apart by its first argument. It speaks as much of the test
//! harness's command line as `cargo test` and nextest use.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::print_stdout, clippy::print_stderr, unreachable_pub)]

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use engine::effect::{Body, Effect};
use engine::lines::LineOptions;
use engine::matcher::Matchers;
use engine::process::{CommandFiles, Heading, ProcessSpec, Script, ShellCommand};
use engine::step_path::{LaneId, StepPath};
use host::checkout::Origin;
use host::contract::Host as _;
use host::guardian::Guardian;
use host::lane::{self, Lane};
use host::live::{BaseEnvironment, LiveHost, Settings, SpareFolders};
use host::log::LogBatch;
use host::masks::SharedMasks;
use host::spawn::{EnvironmentBlock, Launch, spawn};
use host::times::Times;
use host::watch::Watch;
use host::{orphans, proc};

const WITHIN: Duration = Duration::from_secs(20);

const TESTS: [(&str, fn()); 4] = [
    ("a_killed_host_leaves_nothing_of_its_frozen_and_running_lanes", killed_host),
    ("a_killed_owner_leaves_nothing_stopped_or_running", killed_owner),
    ("a_dismissed_guardian_touches_nothing", dismissed),
    ("a_sweep_ends_what_a_killed_guardian_could_not", killed_guardian),
];

fn main() {
    host::guardian::main_if_asked();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |wanted: &str| arguments.iter().any(|argument| argument == wanted);
    if arguments.first().is_some_and(|first| first == "owner") {
        owner(&arguments[1], &arguments[2]);
    } else if arguments.first().is_some_and(|first| first == "host") {
        live_host(&arguments[1], Path::new(&arguments[2]));
    } else if has("--list") {
        if !has("--ignored") {
            TESTS.iter().for_each(|(name, _)| println!("{name}: test"));
        }
    } else {
        let names: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
        for (name, test) in TESTS {
            if names.is_empty() || names.iter().any(|wanted| name.contains(wanted.as_str())) {
                test();
                println!("test {name} ... ok");
            }
        }
    }
}

/// Lanes that try to get away, one of them frozen: prints the pids of all processes, then does as it is told.
fn owner(tracking: &str, folder: &str) {
    proc::become_subreaper().unwrap();
    let mut guardian = Guardian::start(tracking).unwrap();
    let scripts = [
        "timeout 1000 bash -c 'trap \"\" TERM INT; echo up; read x < GO' & setsid sleep 1000 & wait",
        "env -i bash -c 'echo up; read x < GO; true' & wait",
        "set -m; (trap '' HUP INT TERM; echo up; read x < GO; true) & wait",
    ];
    let mut lanes: Vec<Lane> = Vec::new();
    for (serial, script) in scripts.iter().enumerate() {
        let (reader, writer) = std::io::pipe().unwrap();
        let mut environment = EnvironmentBlock::default();
        environment.push(OsStr::new("PATH"), &std::env::var_os("PATH").unwrap());
        let tag = format!("{tracking}.{serial}");
        environment.push(OsStr::new(proc::TRACKING_VARIABLE), OsStr::new(&tag));
        let arguments = ["-c".to_owned(), script.replace("GO", &format!("{folder}/go"))];
        let (program, directory) = (Path::new("/bin/bash"), Path::new("/"));
        let environment = &environment;
        let output = writer.as_fd();
        let launch = Launch {
            program,
            name: None,
            arguments: &arguments,
            environment,
            directory,
            input: None,
            output,
            oom_score: 500,
        };
        let leader = spawn(&launch).unwrap();
        drop(writer);
        guardian.started(leader);
        lanes.push(Lane::of_leader(tag, leader));
        let mut line = String::new();
        let mut reader = BufReader::new(reader);
        reader.read_line(&mut line).unwrap();
        assert_eq!(line, "up\n");
        std::mem::forget(reader);
    }
    let frozen = lane::freeze(&mut lanes[..2], &lane::Except::new(), WITHIN).unwrap();
    guardian.frozen(frozen.iter().flat_map(lane::Frozen::processes));
    let mut scan = lane::Scan::now().unwrap();
    let members: Vec<String> = lanes
        .iter_mut()
        .flat_map(|lane| lane.members(&mut scan))
        .map(|process| process.id.pid.to_string())
        .collect();
    println!("{} {}", guardian.pid(), members.join(" "));
    // The test closes our stdin to let us leave in good order.
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    guardian.dismiss();
    println!("dismissed");
}

/// A live host with one frozen and one running lane, until it is killed. Its guardian starts beside the first step, so the
/// test is only told of the processes once the guardian is there.
fn live_host(tracking: &str, folder: &Path) {
    let origin = Origin { folder: folder.to_owned(), name: None, in_place: true };
    let settings = Settings {
        workspace: folder.to_owned(),
        temp: folder.to_owned(),
        spare: SpareFolders::default(),
        base: BaseEnvironment::of_this_process(),
        tracking: tracking.to_owned(),
        origin,
        actions: Default::default(),
        times: Times::default(),
        guardian: true,
        server_url: String::new(),
        repository: String::new(),
        services: None,
        externals: None,
    };
    let (said, heard) = std::sync::mpsc::channel();
    let sink = move |batch: LogBatch| {
        let ready = batch.lines().filter(|line| line.text == b"ready").count();
        (0..ready).for_each(|_| said.send(()).unwrap());
    };
    let mut host = LiveHost::new(settings, SharedMasks::default(), Box::new(sink));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let script = "trap '' INT TERM HUP; setsid bash -c 'trap \"\" TERM; echo ready; sleep 1000; true' & env -i sleep 1000 & wait";
    host.perform(spawn_effect(1, script));
    heard.recv().unwrap();
    let frozen = runtime.block_on(host.freeze()).unwrap();
    host.perform(spawn_effect(2, script));
    heard.recv().unwrap();
    let me = i32::try_from(std::process::id()).unwrap();
    let deadline = Instant::now() + WITHIN;
    let guardian = loop {
        assert!(Instant::now() < deadline, "no guardian came");
        let mut scan = lane::Scan::now().unwrap();
        if let Some(guardian) = scan.tagged("stepback-guardian").iter().find(|process| process.parent == me) {
            break guardian.id.pid;
        }
        std::thread::yield_now();
    };
    // What a shell starts after it said so may take its time.
    let members = loop {
        let members = host_members(tracking);
        if members.len() >= 8 {
            break members;
        }
        assert!(Instant::now() < deadline, "only {members:?}");
        std::thread::yield_now();
    };
    println!("{guardian} {}", members.join(" "));
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    drop(frozen);
}

/// The processes in the sessions of the host's lanes. What emptied its environment is still in one of them.
fn host_members(tracking: &str) -> Vec<String> {
    let mut scan = lane::Scan::now().unwrap();
    let tagged = scan.tagged(&format!("{tracking}."));
    let sessions: Vec<i32> = tagged.iter().map(|process| process.session).collect();
    let all = proc::all().unwrap();
    let members = all.iter().filter(|process| sessions.contains(&process.session));
    members.map(|process| process.id.pid.to_string()).collect()
}

fn spawn_effect(lane: u32, script: &str) -> Effect {
    let step = StepPath::main(lane);
    let command_files = CommandFiles::of(&step);
    let spec = ProcessSpec {
        heading: Some(Heading { title: "Run it".to_owned(), with: Vec::new(), env: Vec::new(), folds: true }),
        script: Script {
            file: command_files.script(".sh"),
            text: "".into(),
            content: Some(script.to_owned()),
        },
        shell: ShellCommand { candidates: vec!["bash".to_owned()], arguments: "{0}".to_owned() },
        working_directory: "".into(),
        environment: Default::default(),
        runner_environment: Default::default(),
        path_prepends: Vec::new(),
        command_files,
        lines: LineOptions::default(),
        matchers: Matchers::default(),
        action: None,
        step,
    };
    Effect::Spawn { lane: LaneId(lane), body: Box::new(Body::Process(spec)) }
}

struct Owner {
    process: Child,
    stdin: Option<ChildStdin>,
    output: BufReader<std::process::ChildStdout>,
    guardian: Watch,
    guardian_pid: i32,
    members: Vec<(i32, Watch)>,
    tracking: String,
    _folder: tempfile::TempDir,
}

impl Owner {
    fn start(name: &str) -> Self {
        Self::start_as("owner", name)
    }

    fn start_as(role: &str, name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tracking = format!("guardiantest_{}_{name}", std::process::id());
        let fifo = folder.path().join("go");
        let kind = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, kind, rustix::fs::Mode::RWXU, 0).unwrap();
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args([role, &tracking, folder.path().to_str().unwrap()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = process.stdin.take();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let pids: Vec<i32> = line.split_whitespace().map(|word| word.parse().unwrap()).collect();
        assert!(pids.len() >= 8, "{line}");
        let members = pids[1..].iter().map(|pid| (*pid, Watch::new(*pid).unwrap())).collect();
        let guardian = Watch::new(pids[0]).unwrap();
        Self { process, stdin, output, guardian, guardian_pid: pids[0], members, tracking, _folder: folder }
    }

    fn states(&self) -> Vec<proc::State> {
        self.members.iter().map(|(pid, _)| proc::read(*pid).unwrap().state).collect()
    }

    #[track_caller]
    fn assert_all_end(&self) {
        for (pid, watch) in &self.members {
            assert!(ends(watch), "{pid} is still there: {:?}", proc::read(*pid));
        }
        assert!(lane::Scan::now().unwrap().tagged(&self.tracking).is_empty());
    }
}

fn ends(watch: &Watch) -> bool {
    let (wake, _keep) = std::io::pipe().unwrap();
    watch.wait(None, false, wake.as_fd(), Some(WITHIN)).unwrap().ended
}

fn killed_owner() {
    let mut owner = Owner::start("killed");
    assert!(owner.states().contains(&proc::State::Stopped));
    assert!(owner.states().contains(&proc::State::Active));
    owner.process.kill().unwrap();
    owner.process.wait().unwrap();
    owner.assert_all_end();
    assert!(ends(&owner.guardian));
}

fn killed_host() {
    let mut owner = Owner::start_as("host", "host");
    assert!(owner.states().contains(&proc::State::Stopped) && owner.states().contains(&proc::State::Active));
    // What the owner's terminal sends to its session or group does not reach it.
    assert_eq!(proc::read(owner.guardian_pid).unwrap().session, owner.guardian_pid);
    owner.process.kill().unwrap();
    owner.process.wait().unwrap();
    owner.assert_all_end();
    assert!(ends(&owner.guardian));
}

fn dismissed() {
    let mut owner = Owner::start("dismissed");
    let before = owner.states();
    drop(owner.stdin.take());
    let mut line = String::new();
    owner.output.read_line(&mut line).unwrap();
    assert_eq!(line, "dismissed\n");
    assert!(owner.process.wait().unwrap().success());
    assert!(ends(&owner.guardian));
    assert_eq!(owner.states(), before);
    let mut left: Vec<Lane> = owner.members.iter().map(|(pid, _)| Lane::of_session(*pid)).collect();
    lane::kill(&mut left, WITHIN).unwrap();
    owner.assert_all_end();
}

fn killed_guardian() {
    let mut owner = Owner::start("swept");
    let guardian = proc::read(owner.guardian_pid).unwrap().id;
    proc::send_signal(guardian, rustix::process::Signal::KILL);
    assert!(ends(&owner.guardian));
    owner.process.kill().unwrap();
    owner.process.wait().unwrap();
    let swept = orphans::sweep(&owner.tracking, WITHIN).unwrap();
    assert!(swept.len() >= 6, "{swept:?}");
    assert!(orphans::line(&swept[0]).starts_with("Terminate orphan process: pid ("));
    // One child had emptied its environment: no tracking id leads to it, and nobody is left who knew its session.
    let rest: Vec<i32> =
        owner.members.iter().map(|(pid, _)| *pid).filter(|pid| proc::read(*pid).is_some()).collect();
    let mut left: Vec<Lane> = rest.iter().map(|pid| Lane::of_session(*pid)).collect();
    lane::kill(&mut left, WITHIN).unwrap();
    owner.assert_all_end();
    std::io::stdout().flush().unwrap();
}
