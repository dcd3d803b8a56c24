//! Starts one process fast, in a session of its own, with one descriptor for everything it prints.
//!
//! `std::process::Command` copies our page tables as soon as a `pre_exec` is needed for `setsid`; `posix_spawn` shares them
//! until the exec, which keeps a step close to the bare cost of its shell.
//!
//! **One pipe for stdout and stderr**: two pipes have two queues, and nothing tells which line was written first. With one, the
//! log has the lines in the order in which they were written (steps.md 11, row 29).
//!
//! Knows programs, arguments, descriptors and directories; not steps, shells or lanes.
#![allow(unsafe_code, reason = "posix_spawn has no safe wrapper")]

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(target_os = "macos")]
use macos as system;
pub(crate) use system::before_hiding;

use std::collections::BTreeSet;
use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard};

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
        let text = |text: &OsStr| text.as_bytes().split(|byte| *byte == 0).next().unwrap_or(&[]).to_vec();
        self.starts.push(self.bytes.len());
        if memchr::memchr2(0, 0, name.as_bytes()).or(memchr::memchr(0, value.as_bytes())).is_some() {
            self.bytes.extend(text(name));
            self.bytes.push(b'=');
            self.bytes.extend(text(value));
        } else {
            self.bytes.extend_from_slice(name.as_bytes());
            self.bytes.push(b'=');
            self.bytes.extend_from_slice(value.as_bytes());
        }
        self.bytes.push(0);
    }

    /// The entries, `NAME=VALUE` each.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.split_inclusive(|byte| *byte == 0).map(|entry| entry.strip_suffix(b"\0").unwrap_or(entry))
    }

    fn pointers(&self) -> Vec<*mut libc::c_char> {
        let base = self.bytes.as_ptr();
        // `wrapping_add` keeps the arithmetic defined; each start lies inside `bytes`.
        let entries = self.starts.iter().map(|start| base.wrapping_add(*start).cast_mut().cast());
        entries.chain([ptr::null_mut()]).collect()
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
    start(launch).map_err(|error| explain(launch, error))
}

/// `posix_spawn` gives one error number for everything; the directory is looked at to tell the causes apart.
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

fn start(launch: &Launch<'_>) -> io::Result<i32> {
    let program = c_string(launch.program.as_os_str())?;
    let name = c_string(launch.name.map_or(launch.program.as_os_str(), OsStr::new))?;
    let directory = c_string(launch.directory.as_os_str())?;
    let arguments =
        launch.arguments.iter().map(|text| c_string(OsStr::new(text))).collect::<io::Result<Vec<_>>>()?;
    let argv: Vec<*mut libc::c_char> = [&name]
        .into_iter()
        .chain(&arguments)
        .map(|text| text.as_ptr().cast_mut())
        .chain([ptr::null_mut()])
        .collect();
    let environment = launch.environment.pointers();
    let mut actions = FileActions::new()?;
    match launch.input {
        Some(input) => actions.duplicate(input, 0)?,
        None => actions.open_null(0)?,
    }
    actions.duplicate(launch.output, 1)?;
    actions.duplicate(launch.output, 2)?;
    actions.change_directory(&directory)?;
    let attributes = Attributes::new_session()?;
    let mut pid = 0;
    let _spawning = SPAWNING.read().unwrap_or_else(PoisonError::into_inner);
    let lent = system::lend_score(launch.oom_score);
    // SAFETY: all pointers are to values that live until the call returns; both lists end with a null pointer.
    check(unsafe {
        libc::posix_spawn(
            &raw mut pid,
            program.as_ptr(),
            actions.0.as_ptr(),
            attributes.0.as_ptr(),
            argv.as_ptr(),
            environment.as_ptr(),
        )
    })?;
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

/// The functions of the posix_spawn family return the error number itself.
fn check(result: libc::c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(result)) }
}

/// What the child does with its descriptors and directory before the exec.
struct FileActions(MaybeUninit<libc::posix_spawn_file_actions_t>);

impl FileActions {
    fn new() -> io::Result<Self> {
        let mut actions = MaybeUninit::uninit();
        // SAFETY: the function initialises what the pointer shows to.
        check(unsafe { libc::posix_spawn_file_actions_init(actions.as_mut_ptr()) })?;
        Ok(Self(actions))
    }

    fn open_null(&mut self, fd: libc::c_int) -> io::Result<()> {
        const NULL: &CStr = c"/dev/null";
        // SAFETY: the actions are initialised; the path is copied or lives for ever.
        check(unsafe {
            libc::posix_spawn_file_actions_addopen(self.0.as_mut_ptr(), fd, NULL.as_ptr(), libc::O_RDONLY, 0)
        })
    }

    fn duplicate(&mut self, from: BorrowedFd<'_>, to: libc::c_int) -> io::Result<()> {
        // SAFETY: the actions are initialised; numbers only.
        check(unsafe { libc::posix_spawn_file_actions_adddup2(self.0.as_mut_ptr(), from.as_raw_fd(), to) })
    }

    fn change_directory(&mut self, directory: &CStr) -> io::Result<()> {
        // SAFETY: the actions are initialised; the path is copied by the call.
        check(unsafe { libc::posix_spawn_file_actions_addchdir_np(self.0.as_mut_ptr(), directory.as_ptr()) })
    }
}

impl Drop for FileActions {
    fn drop(&mut self) {
        // SAFETY: initialised in `new`, destroyed once.
        unsafe { libc::posix_spawn_file_actions_destroy(self.0.as_mut_ptr()) };
    }
}

/// Signals that a parent may ignore: `nohup`, a shell's background, our own SIGPIPE. Each costs the child a system call.
const IGNORABLE: [libc::c_int; 9] = [
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGPIPE,
    libc::SIGTERM,
    libc::SIGCHLD,
    libc::SIGTSTP,
    libc::SIGTTIN,
    libc::SIGTTOU,
];

/// A session of its own, no blocked signal, every signal at its default (we ignore SIGPIPE; a step must not).
struct Attributes(MaybeUninit<libc::posix_spawnattr_t>);

impl Attributes {
    fn new_session() -> io::Result<Self> {
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: the function initialises what the pointer shows to.
        check(unsafe { libc::posix_spawnattr_init(attributes.as_mut_ptr()) })?;
        let mut this = Self(attributes);
        let mut signals = MaybeUninit::uninit();
        let flags = system::SETSID
            | libc::c_short::try_from(libc::POSIX_SPAWN_SETSIGMASK | libc::POSIX_SPAWN_SETSIGDEF)
                .unwrap_or(0);
        // SAFETY: the attributes are initialised; the signal set is initialised before each use.
        unsafe {
            check(libc::posix_spawnattr_setflags(this.0.as_mut_ptr(), flags))?;
            libc::sigemptyset(signals.as_mut_ptr());
            check(libc::posix_spawnattr_setsigmask(this.0.as_mut_ptr(), signals.as_ptr()))?;
            // Caught signals become default by the exec itself; these may have been ignored by whoever started us.
            for signal in IGNORABLE {
                libc::sigaddset(signals.as_mut_ptr(), signal);
            }
            check(libc::posix_spawnattr_setsigdefault(this.0.as_mut_ptr(), signals.as_ptr()))?;
        }
        Ok(this)
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: initialised in `new_session`, destroyed once.
        unsafe { libc::posix_spawnattr_destroy(self.0.as_mut_ptr()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;
    use std::os::fd::AsFd as _;

    fn run(program: &str, arguments: &[&str], directory: &str) -> Result<String, SpawnError> {
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
        let pid = spawn(&launch)?;
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
        let text = run("/bin/sh", &["-c", script], "/").unwrap();
        assert_eq!(text, "out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\n/\none\n");
    }

    #[test]
    fn the_child_leads_its_own_session_and_signals_are_at_their_default() {
        let text =
            run("/bin/sh", &["-c", "ps -o sid= -p $$; echo $$; kill -PIPE $$; echo alive"], "/").unwrap();
        let words: Vec<&str> = text.split_whitespace().collect();
        assert_eq!(words.len(), 2, "{text}");
        assert_eq!(words[0], words[1]);
    }

    #[test]
    fn the_child_goes_before_us_when_memory_runs_out() {
        let script = "cat /proc/self/oom_score_adj /proc/$$/oom_score_adj";
        assert_eq!(run("/bin/sh", &["-c", script], "/").unwrap(), "500\n500\n");
    }

    #[test]
    fn a_missing_directory_and_a_missing_program_are_told_apart() {
        let text = run("/bin/sh", &[], "/no/such/place").unwrap_err().to_string();
        assert!(
            text.starts_with("failed to start /bin/sh: the working directory /no/such/place does not exist")
        );
        let text = run("/no/such/shell", &[], "/").unwrap_err().to_string();
        assert_eq!(text, "failed to start /no/such/shell: No such file or directory (os error 2)");
        let text = run("/bin/sh", &[], "/etc/passwd").unwrap_err().to_string();
        assert!(text.contains("/etc/passwd cannot be entered"), "{text}");
    }

    #[test]
    fn an_environment_shows_no_values() {
        let mut environment = EnvironmentBlock::default();
        environment.push(OsStr::new("TOKEN"), OsStr::new("hunter2"));
        assert_eq!(format!("{environment:?}"), "EnvironmentBlock(1 variables)");
        assert_eq!(environment.iter().collect::<Vec<_>>(), [b"TOKEN=hunter2"]);
    }
}
