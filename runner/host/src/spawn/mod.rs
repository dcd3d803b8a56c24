//! Starts one process fast, in a session of its own, with one descriptor for everything it prints.
//!
//! `std::process::Command` copies our page tables as soon as a `pre_exec` is needed for `setsid`; here the child shares them
//! until the exec, which keeps a step close to the bare cost of its shell (docs/design/spawn.md).
//!
//! **One pipe for stdout and stderr**: two pipes have two queues, and nothing tells which line was written first. With one, the
//! log has the lines in the order in which they were written (steps.md 11, row 29).
//!
//! Knows programs, arguments, descriptors and directories; not steps, shells or lanes.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(any(target_os = "macos", test))]
mod posix;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(target_os = "macos")]
use macos as system;
pub(crate) use system::before_hiding;

use std::collections::BTreeSet;
use std::ffi::{CStr, CString, OsStr};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockWriteGuard};

/// A process to be started.
#[derive(Debug)]
pub struct Launch<'a> {
    /// The program's file.
    pub program: &'a Path,
    /// What the process is called in a list of processes; `None`: the program's path.
    pub name: Option<&'a str>,
    /// The arguments after the program's name.
    pub arguments: &'a [String],
    /// The whole environment.
    pub environment: &'a EnvironmentBlock,
    /// An existing directory.
    pub directory: &'a Path,
    /// Becomes stdin; `None`: `/dev/null`.
    pub input: Option<BorrowedFd<'a>>,
    /// Becomes stdout and stderr.
    pub output: BorrowedFd<'a>,
    /// How willingly the kernel ends it when memory runs out, -1000 to 1000 (steps.md 3.2: 500). Linux only.
    pub oom_score: i16,
}

/// `NAME=VALUE` entries as the kernel wants them: one run of bytes, each entry ended by a NUL.
#[derive(Clone, Default)]
pub struct EnvironmentBlock {
    bytes: Vec<u8>,
    starts: Vec<usize>,
}

impl EnvironmentBlock {
    /// An empty environment with room for `bytes` bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), starts: Vec::with_capacity(bytes / 32) }
    }

    /// Adds one variable. Names are not compared with earlier ones. A NUL cannot be passed on: the text ends there.
    pub fn push(&mut self, name: &OsStr, value: &OsStr) {
        let start = self.bytes.len();
        self.starts.push(start);
        self.push_entry(name.as_bytes(), value.as_bytes());
        if memchr::memchr(0, self.bytes.get(start..).unwrap_or_default()).is_some() {
            let until_nul =
                |text: &OsStr| text.as_bytes().split(|byte| *byte == 0).next().unwrap_or(&[]).to_vec();
            self.bytes.truncate(start);
            self.push_entry(&until_nul(name), &until_nul(value));
        }
        self.bytes.push(0);
    }

    fn push_entry(&mut self, name: &[u8], value: &[u8]) {
        self.bytes.extend_from_slice(name);
        self.bytes.push(b'=');
        self.bytes.extend_from_slice(value);
    }

    /// The entries, `NAME=VALUE` each.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.split_inclusive(|byte| *byte == 0).map(|entry| entry.strip_suffix(b"\0").unwrap_or(entry))
    }

    fn pointers(&self) -> Vec<*const libc::c_char> {
        let base = self.bytes.as_ptr();
        // `wrapping_add` keeps the arithmetic defined; each start lies inside `bytes`.
        let entries = self.starts.iter().map(|start| base.wrapping_add(*start).cast());
        entries.chain([ptr::null()]).collect()
    }
}

impl std::fmt::Debug for EnvironmentBlock {
    /// Values may be secrets: only their number is shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EnvironmentBlock({} variables)", self.starts.len())
    }
}

/// Why nothing was started.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// The directory is not there.
    #[error(
        "failed to start {program}: the working directory {directory} does not exist\n\
         hint: create it in an earlier step, or correct `working-directory`"
    )]
    NoDirectory {
        /// The program.
        program: PathBuf,
        /// The missing directory.
        directory: PathBuf,
    },
    /// The path is no directory that can be entered.
    #[error("failed to start {program}: the working directory {directory} cannot be entered: {source}")]
    BadDirectory {
        /// The program.
        program: PathBuf,
        /// The path.
        directory: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The program's file cannot be run.
    #[error("failed to start {program}: {source}")]
    Program {
        /// The program.
        program: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Between its `setsid` and its exec a child looks like a stray: who looks for strays keeps spawns away meanwhile.
static SPAWNING: RwLock<()> = RwLock::new(());

/// Nothing is spawned by this module while the guard lives.
pub(crate) fn hold_spawns() -> RwLockWriteGuard<'static, ()> {
    SPAWNING.write().unwrap_or_else(PoisonError::into_inner)
}

/// Processes that were started here and not collected yet. One table for the whole program: several hosts share our children, and
/// whoever collects orphans must leave these to those who wait for them.
static UNCOLLECTED: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

fn uncollected() -> MutexGuard<'static, BTreeSet<i32>> {
    UNCOLLECTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether somebody waits for this process.
pub(crate) fn is_awaited(pid: i32) -> bool {
    uncollected().contains(&pid)
}

/// The process was collected: its number is free.
pub fn collected(pid: i32) {
    uncollected().remove(&pid);
}

/// Starts the process in a session of its own; returns its pid. Whoever has waited for it says so to [`collected`].
///
/// # Errors
/// The directory or the program is at fault, or the system has no process left.
pub fn spawn(launch: &Launch<'_>) -> Result<i32, SpawnError> {
    start(launch, system::start).map_err(|error| explain(launch, error))
}

/// There is one error number for everything that fails in the child; the directory is looked at to tell the causes apart.
fn explain(launch: &Launch<'_>, source: io::Error) -> SpawnError {
    let (program, directory) = (launch.program.to_path_buf(), launch.directory.to_path_buf());
    match std::fs::metadata(&directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            SpawnError::NoDirectory { program, directory }
        }
        Err(source) => SpawnError::BadDirectory { program, directory, source },
        Ok(found) if !found.is_dir() => {
            SpawnError::BadDirectory { program, directory, source: io::ErrorKind::NotADirectory.into() }
        }
        Ok(_) if rustix::fs::access(&directory, rustix::fs::Access::EXEC_OK).is_err() => {
            SpawnError::BadDirectory { program, directory, source }
        }
        Ok(_) => SpawnError::Program { program, source },
    }
}

/// What a child becomes. Both lists end with a null pointer, and all they point to lives as long as this.
struct Child<'a> {
    program: &'a CStr,
    arguments: &'a [*const libc::c_char],
    environment: &'a [*const libc::c_char],
    directory: &'a CStr,
    input: BorrowedFd<'a>,
    output: BorrowedFd<'a>,
}

fn start(launch: &Launch<'_>, begin: fn(&Child<'_>) -> io::Result<i32>) -> io::Result<i32> {
    let program = c_string(launch.program.as_os_str())?;
    let name = c_string(launch.name.map_or(launch.program.as_os_str(), OsStr::new))?;
    let directory = c_string(launch.directory.as_os_str())?;
    let arguments =
        launch.arguments.iter().map(|text| c_string(OsStr::new(text))).collect::<io::Result<Vec<_>>>()?;
    let argv: Vec<*const libc::c_char> =
        [&name].into_iter().chain(&arguments).map(|text| text.as_ptr()).chain([ptr::null()]).collect();
    let environment = launch.environment.pointers();
    let child = Child {
        program: &program,
        arguments: &argv,
        environment: &environment,
        directory: &directory,
        input: match launch.input {
            Some(input) => input,
            None => null()?,
        },
        output: launch.output,
    };
    let _spawning = SPAWNING.read().unwrap_or_else(PoisonError::into_inner);
    let lent = system::lend_score(launch.oom_score);
    let pid = begin(&child)?;
    uncollected().insert(pid);
    let is_inherited = lent.is_some();
    drop(lent);
    if !is_inherited {
        system::after_start(pid, launch.oom_score);
    }
    Ok(pid)
}

fn c_string(text: &OsStr) -> io::Result<CString> {
    CString::new(text.as_bytes())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "text with a NUL in it"))
}

/// One open file for all: a child that opens its own waits for it.
fn null() -> io::Result<BorrowedFd<'static>> {
    static NULL: OnceLock<File> = OnceLock::new();
    if let Some(null) = NULL.get() {
        return Ok(null.as_fd());
    }
    let null = File::open("/dev/null")?;
    Ok(NULL.get_or_init(|| null).as_fd())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    /// The system's own, and that of other systems.
    const WAYS: [fn(&Child<'_>) -> io::Result<i32>; 2] =
        [system::start, |child| posix::start(child, libc::POSIX_SPAWN_SETSID)];

    fn run(program: &str, arguments: &[&str], directory: &str) -> [Result<String, SpawnError>; 2] {
        WAYS.map(|way| run_by(way, program, arguments, directory))
    }

    fn run_by(
        way: fn(&Child<'_>) -> io::Result<i32>,
        program: &str,
        arguments: &[&str],
        directory: &str,
    ) -> Result<String, SpawnError> {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut environment = EnvironmentBlock::default();
        environment.push(OsStr::new("A"), OsStr::new("one"));
        environment.push(OsStr::new("PATH"), OsStr::new("/usr/bin:/bin"));
        let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
        let launch = Launch {
            program: Path::new(program),
            name: None,
            arguments: &arguments,
            environment: &environment,
            directory: Path::new(directory),
            input: None,
            output: writer.as_fd(),
            oom_score: 500,
        };
        let pid = start(&launch, way).map_err(|error| explain(&launch, error))?;
        drop(writer);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty()).unwrap();
        Ok(text)
    }

    #[test]
    fn both_streams_keep_the_order_of_writing() {
        let script = "for i in 1 2 3; do echo out $i; echo err $i >&2; done; pwd; echo $A; cat";
        for text in run("/bin/sh", &["-c", script], "/") {
            assert_eq!(text.unwrap(), "out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\n/\none\n");
        }
    }

    #[test]
    fn the_child_leads_its_own_session_and_signals_are_at_their_default() {
        let script = "ps -o sid= -p $$; echo $$; kill -PIPE $$; echo alive";
        for text in run("/bin/sh", &["-c", script], "/") {
            let text = text.unwrap();
            let words: Vec<&str> = text.split_whitespace().collect();
            assert_eq!(words.len(), 2, "{text}");
            assert_eq!(words[0], words[1]);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn no_signal_is_blocked_or_ignored_in_the_child_and_ours_stay_as_they_were() {
        let ours = || signal_lines(&std::fs::read_to_string("/proc/thread-self/status").unwrap());
        let before = ours();
        for text in run("/bin/cat", &["/proc/self/status"], "/") {
            let lines = signal_lines(&text.unwrap());
            assert_eq!(lines.len(), 2, "{lines:?}");
            // Those of the real-time kind are nobody's business but of whoever started us.
            let signals = |line: &String| u64::from_str_radix(line.split_at(8).1, 16).unwrap() & 0x7fff_ffff;
            assert!(lines.iter().all(|line| signals(line) == 0), "{lines:?}");
        }
        assert_eq!(ours(), before);
    }

    #[cfg(target_os = "linux")]
    fn signal_lines(status: &str) -> Vec<String> {
        let is_wanted = |line: &&str| line.starts_with("SigBlk:") || line.starts_with("SigIgn:");
        status.lines().filter(is_wanted).map(str::to_owned).collect()
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_child_goes_before_us_when_memory_runs_out() {
        let script = "cat /proc/self/oom_score_adj /proc/$$/oom_score_adj";
        for text in run("/bin/sh", &["-c", script], "/") {
            assert_eq!(text.unwrap(), "500\n500\n");
        }
    }

    #[test]
    fn a_missing_directory_and_a_missing_program_are_told_apart() {
        let fault =
            |program, directory| run(program, &[], directory).map(|text| text.unwrap_err().to_string());
        for text in fault("/bin/sh", "/no/such/place") {
            let start = "failed to start /bin/sh: the working directory /no/such/place does not exist";
            assert!(text.starts_with(start), "{text}");
        }
        for text in fault("/no/such/shell", "/") {
            assert_eq!(text, "failed to start /no/such/shell: No such file or directory (os error 2)");
        }
        for text in fault("/bin/sh", "/etc/passwd") {
            assert!(text.contains("/etc/passwd cannot be entered"), "{text}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_was_not_started_leaves_no_process() {
        for fault in run("/no/such/shell", &[], "/") {
            fault.unwrap_err();
        }
        assert_eq!(std::fs::read_to_string("/proc/thread-self/children").unwrap(), "");
    }

    #[test]
    fn an_environment_shows_no_values() {
        let mut environment = EnvironmentBlock::default();
        environment.push(OsStr::new("TOKEN"), OsStr::new("hunter2"));
        assert_eq!(format!("{environment:?}"), "EnvironmentBlock(1 variables)");
        assert_eq!(environment.iter().collect::<Vec<_>>(), [b"TOKEN=hunter2"]);
    }

    #[test]
    fn a_text_in_the_environment_ends_before_a_nul() {
        let mut environment = EnvironmentBlock::default();
        environment.push(OsStr::new("A\0B"), OsStr::new("one\0two"));
        environment.push(OsStr::new("C"), OsStr::new("three"));
        assert_eq!(environment.iter().collect::<Vec<_>>(), [&b"A=one"[..], b"C=three"]);
    }
}
