//! A run of the program that can be killed at a chosen point, and what it left behind: its recordings, its workspace, its
//! processes.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::Duration;

use host::watch::Watch;
use session::journal::{Recording, Recordings};
use session::recording::{Reopened, open};

use crate::cli::program::{Ran, Sandbox};

/// How long the end of a killed process may take before the test gives up on it.
const WITHIN: Duration = Duration::from_secs(20);

/// A repository, the pipes through which its job talks with the test, and the folders of the program.
pub struct Scene {
    pub sandbox: Sandbox,
    said: BufReader<File>,
    told: File,
}

impl Scene {
    /// `workflow` names the pipes `SAID` and `TOLD`.
    pub fn new(workflow: &str) -> Self {
        let sandbox = Sandbox::new("");
        let beside = sandbox.beside().to_owned();
        let pipe = |name: &str| {
            let path = beside.join(name);
            let kind = rustix::fs::FileType::Fifo;
            rustix::fs::mknodat(rustix::fs::CWD, &path, kind, rustix::fs::Mode::RWXU, 0).unwrap();
            // Both ends are ours, so that neither side waits for the other to open its own.
            OpenOptions::new().read(true).write(true).open(path).unwrap()
        };
        let (said, told) = (BufReader::new(pipe("said")), pipe("told"));
        let workflow = workflow
            .replace("SAID", &beside.join("said").to_string_lossy())
            .replace("TOLD", &beside.join("told").to_string_lossy());
        sandbox.write(".github/workflows/ci.yml", &workflow);
        Self { sandbox, said, told }
    }

    /// Waits for the next line that the job says.
    pub fn hear(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Lets the job go on past so many places where it waits.
    pub fn tell(&mut self, times: usize) {
        self.told.write_all("go\n".repeat(times).as_bytes()).unwrap();
    }

    pub fn start(&self, arguments: &[&str]) -> Process {
        let mut command = self.sandbox.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (input, out) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Process { child, input, out, heard: String::new() }
    }

    /// `debug --last` with these commands, to its end.
    pub fn debug_last(&self, commands: &str) -> Ran {
        self.sandbox.run(&["debug", "--last"], commands)
    }

    fn shelf(&self) -> PathBuf {
        self.sandbox.beside().join("state/stepback")
    }

    /// The journal that is being written, once there is one.
    pub fn journal(&self) -> Option<PathBuf> {
        let folders = fs::read_dir(self.shelf().join("recordings")).ok()?;
        let journals = folders.filter_map(|folder| Some(folder.ok()?.path().join("journal")));
        journals.filter(|journal| journal.is_file()).max()
    }

    /// How long the journal is.
    pub fn written(&self) -> u64 {
        self.journal().and_then(|journal| fs::metadata(journal).ok()).map_or(0, |metadata| metadata.len())
    }

    /// The newest recording, if one was begun.
    pub fn recording(&self) -> Option<Recording> {
        let recordings = Recordings::under(&self.shelf()).unwrap();
        let newest = recordings.list().unwrap().pop()?;
        Some(recordings.open(newest.id).unwrap())
    }

    /// What the newest recording says.
    #[track_caller]
    pub fn reopened(&self) -> Reopened {
        open(&self.recording().expect("something was recorded"), None, None).unwrap()
    }

    /// The fresh workspace of the newest run.
    pub fn workspace(&self) -> PathBuf {
        let runs = fs::read_dir(self.sandbox.beside().join("cache/stepback/runs")).unwrap();
        let newest = runs.map(|run| run.unwrap().path()).max().expect("a run has a folder");
        newest.join("build/work/greeting")
    }

    /// Waits until no process of the program, nor of its job, is left.
    #[track_caller]
    pub fn all_end(&self) {
        for pid in self.sandbox.processes() {
            let Ok(watch) = Watch::new(pid) else { continue };
            let (wake, _keep) = std::io::pipe().unwrap();
            let ended = watch.wait(None, false, wake.as_fd(), Some(WITHIN)).unwrap().ended;
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            assert!(ended, "{pid} is still there: {}", String::from_utf8_lossy(&line));
        }
    }
}

/// A running program.
pub struct Process {
    child: Child,
    input: ChildStdin,
    out: BufReader<ChildStdout>,
    heard: String,
}

impl Process {
    /// As a signal that nothing can hear: the process is gone when this returns.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end.
    pub fn end(mut self) {
        self.child.wait().unwrap();
    }

    pub fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Gives the debugger a command.
    pub fn command(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    /// Reads what the debugger says until a line has `part` in it.
    #[track_caller]
    pub fn wait_for(&mut self, part: &str) {
        loop {
            let mut line = String::new();
            let bytes = self.out.read_line(&mut line).unwrap();
            assert!(bytes > 0, "the debugger ended before it said {part:?}:\n{}", self.heard);
            self.heard.push_str(&line);
            if line.contains(part) {
                return;
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All that going back has to bring back exactly: contents, modes and times of modification.
pub fn exact(dir: &Path) -> BTreeMap<PathBuf, (u32, i64, i64, Vec<u8>)> {
    let mut all = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(&at).unwrap().map(Result::unwrap) {
            let (path, metadata) = (entry.path(), entry.metadata().unwrap());
            let content = if metadata.is_dir() {
                open.push(path.clone());
                Vec::new()
            } else if metadata.is_symlink() {
                fs::read_link(&path).unwrap().as_os_str().as_bytes().to_vec()
            } else {
                fs::read(&path).unwrap()
            };
            let name = path.strip_prefix(dir).unwrap().to_owned();
            all.insert(name, (metadata.mode(), metadata.mtime(), metadata.mtime_nsec(), content));
        }
    }
    all
}

/// The names of what differs between two trees.
pub fn differing<T: PartialEq>(left: &BTreeMap<PathBuf, T>, right: &BTreeMap<PathBuf, T>) -> Vec<PathBuf> {
    let names = left.keys().chain(right.keys().filter(|name| !left.contains_key(*name)));
    names.filter(|name| left.get(*name) != right.get(*name)).take(10).cloned().collect()
}
