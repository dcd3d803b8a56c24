//! Lanes against real processes that try to get away.
//!
//! Each script tells by a line that it is where the test wants it; nothing here waits for time to pass.

use super::*;
use crate::proc::State;
use crate::spawn::{EnvironmentBlock, Launch, spawn};
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, PipeReader, Read as _};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const WITHIN: Duration = Duration::from_secs(20);

pub(crate) struct Body {
    pub(crate) lane: Lane,
    pub(crate) output: BufReader<PipeReader>,
    /// It works in a folder of its own: its strays are nobody else's.
    _folder: tempfile::TempDir,
    keeper: Keeper,
}

impl Body {
    pub(crate) fn start(script: &str) -> Self {
        static SUBREAPER: Once = Once::new();
        SUBREAPER.call_once(|| proc::become_subreaper().unwrap());
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let serial = NEXT.fetch_add(1, Ordering::Relaxed);
        let tag = format!("lanetest_{}_{serial}.", std::process::id());
        let (reader, writer) = std::io::pipe().unwrap();
        let mut environment = EnvironmentBlock::default();
        environment.push(OsStr::new("PATH"), &std::env::var_os("PATH").unwrap());
        environment.push(OsStr::new(proc::TRACKING_VARIABLE), OsStr::new(&tag));
        let folder = tempfile::tempdir().unwrap();
        let keeper = Keeper::new([folder.path().to_owned()]);
        keeper.starts_a_body();
        let launch = Launch {
            program: Path::new("/bin/bash"),
            name: None,
            arguments: &["-c".to_owned(), script.to_owned()],
            environment: &environment,
            directory: folder.path(),
            input: None,
            output: writer.as_fd(),
            oom_score: 500,
        };
        let leader = spawn(&launch).unwrap();
        Self { lane: Lane::of_leader(tag, leader), output: BufReader::new(reader), _folder: folder, keeper }
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    pub(crate) fn leader(&self) -> i32 {
        *self.lane.sessions.keys().next().unwrap()
    }

    fn alive(&mut self) -> Vec<Process> {
        self.lane.members(&mut Scan::now().unwrap())
    }

    fn freeze(&mut self) -> Frozen {
        super::freeze(std::slice::from_mut(&mut self.lane), &Except::new(), WITHIN).unwrap().remove(0)
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        let _ = kill(std::slice::from_mut(&mut self.lane), WITHIN);
    }
}

/// A fifo in a folder of its own: a script that reads it waits for the test.
fn fifo() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("go").to_str().unwrap().to_owned();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &path,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    (folder, path)
}

/// `wrapper` runs a shell that says `ready` and works on when told to. Frozen in between, nothing of it runs, and its output
/// is that of an undisturbed run.
#[track_caller]
fn check_wrapper(wrapper: &str, processes: usize) {
    let (_folder, go) = fifo();
    let work = format!("'echo ready; read go < {go}; for i in 1 2 3; do echo $i; done'");
    let script = wrapper.replace("WORK", &work);
    let undisturbed = run_to_the_end(&script, &go, |_| {});
    let frozen = run_to_the_end(&script, &go, |body| {
        let frozen = body.freeze();
        let alive = body.alive();
        assert!(alive.iter().all(|process| process.state == State::Stopped), "{alive:?}");
        assert_eq!(alive.len(), processes, "{alive:?}");
        assert_eq!(frozen.processes().count(), processes);
        thaw(&frozen);
    });
    assert!(undisturbed.starts_with("1\n2\n3\n") && undisturbed.ends_with("end\n"), "{undisturbed}");
    assert_eq!(frozen, undisturbed);
}

fn run_to_the_end(script: &str, go: &str, at_ready: impl FnOnce(&mut Body)) -> String {
    let mut body = Body::start(script);
    assert_eq!(body.line(), "ready");
    at_ready(&mut body);
    std::fs::write(go, "go\n").unwrap();
    let mut text = String::new();
    body.output.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn timeout_leaves_the_group() {
    check_wrapper("timeout 100 bash -c WORK; echo end", 3);
}

#[test]
fn setsid_leaves_the_session() {
    check_wrapper("setsid --wait bash -c WORK; echo end", 2);
}

#[test]
fn job_control_makes_groups() {
    check_wrapper("set -m; bash -c WORK & wait; echo end", 2);
}

#[test]
fn a_daemon_without_environment_in_a_new_session_is_still_ours() {
    check_wrapper("(env -i setsid bash -c WORK; echo end) & true", 2);
}

#[test]
fn a_pipeline_stands_as_one() {
    check_wrapper("bash -c WORK | cat | cat; echo end", 4);
}

#[test]
fn what_had_stopped_itself_stays_stopped_after_a_thaw() {
    let mut body = Body::start("bash -c 'echo $$; kill -STOP $$; echo on' & wait; echo end");
    let sleeper: i32 = body.line().parse().unwrap();
    let stopped = |pid| proc::read(pid).unwrap().state == State::Stopped;
    while !stopped(sleeper) {
        std::thread::yield_now();
    }
    let frozen = body.freeze();
    thaw(&frozen);
    assert!(stopped(sleeper));
    proc::send_signal(proc::read(sleeper).unwrap().id, rustix::process::Signal::CONT);
    let mut text = String::new();
    body.output.read_to_string(&mut text).unwrap();
    assert_eq!(text, "on\nend\n");
}

#[test]
fn an_open_log_file_is_written_on_after_a_thaw() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let script =
        format!("exec 3>{}; echo a >&3; echo ready; read go < GO; echo b >&3; echo end", log.display());
    let (_go, path) = fifo();
    let mut body = Body::start(&script.replace("GO", &path));
    assert_eq!(body.line(), "ready");
    let frozen = body.freeze();
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "a\n");
    thaw(&frozen);
    std::fs::write(&path, "go\n").unwrap();
    assert_eq!(body.line(), "end");
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "a\nb\n");
}

#[test]
fn two_thousand_children_freeze_and_end() {
    let mut body = Body::start("for i in {1..2000}; do sleep 1000 & done; echo ready; wait");
    assert_eq!(body.line(), "ready");
    let started = std::time::Instant::now();
    let frozen = body.freeze();
    println!("froze {} processes in {:?}", frozen.processes().count(), started.elapsed());
    assert_eq!(frozen.processes().count(), 2001);
    assert!(body.alive().iter().all(|process| process.state == State::Stopped));
    let started = std::time::Instant::now();
    kill(std::slice::from_mut(&mut body.lane), WITHIN).unwrap();
    println!("ended them in {:?}", started.elapsed());
    assert_eq!(body.alive(), []);
}

#[test]
fn a_fork_storm_is_caught() {
    let mut body = Body::start("echo ready; f() { while :; do (:) & (exec -a x true); done; }; f & f & wait");
    assert_eq!(body.line(), "ready");
    body.freeze();
    let first: Vec<ProcessId> = body.alive().iter().map(|process| process.id).collect();
    for _ in 0..20 {
        let again = body.alive();
        assert!(again.iter().all(|process| process.state == State::Stopped), "{again:?}");
        assert_eq!(again.iter().map(|process| process.id).collect::<Vec<_>>(), first);
    }
}

#[test]
fn everything_ends_even_what_ignores_signals() {
    let mut body = Body::start(
        "trap '' TERM INT HUP; setsid bash -c 'trap \"\" TERM INT; echo ready; while :; do sleep 1000; done' & wait",
    );
    assert_eq!(body.line(), "ready");
    kill(std::slice::from_mut(&mut body.lane), WITHIN).unwrap();
    assert_eq!(body.alive(), []);
    let mut text = String::new();
    body.output.read_to_string(&mut text).unwrap();
    assert_eq!(text, "");
}

#[test]
fn what_left_all_traces_behind_is_a_stray() {
    let (_go, path) = fifo();
    let script = "env -i setsid --fork bash -c 'echo $$; read go < GO; echo end'";
    let mut body = Body::start(&script.replace("GO", &path));
    let pid: i32 = body.line().parse().unwrap();
    let leader = body.leader();
    rustix::process::waitpid(rustix::process::Pid::from_raw(leader), rustix::process::WaitOptions::empty())
        .unwrap();
    assert_eq!(body.alive(), []);
    let mut strays = Lane::of_strays(body.keeper);
    let found: Vec<i32> =
        strays.members(&mut Scan::now().unwrap()).iter().map(|process| process.id.pid).collect();
    assert!(found.contains(&pid), "{found:?} {pid}");
    std::fs::write(&path, "go\n").unwrap();
    assert_eq!(body.line(), "end");
}

#[test]
fn two_lanes_freeze_apart() {
    let mut one = Body::start("echo ready; sleep 1000; true");
    let mut two = Body::start("echo ready; sleep 1000; true");
    assert_eq!((one.line(), two.line()), ("ready".to_owned(), "ready".to_owned()));
    let frozen = one.freeze();
    assert!(two.alive().iter().all(|process| process.state == State::Active));
    thaw(&frozen);
    let mut lanes = [one.lane.clone(), two.lane.clone()];
    let both = super::freeze(&mut lanes, &Except::new(), WITHIN).unwrap();
    for body in [&mut one, &mut two] {
        assert!(body.alive().iter().all(|process| process.state == State::Stopped));
    }
    both.iter().for_each(thaw);
}
