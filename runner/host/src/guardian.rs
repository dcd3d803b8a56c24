//! A small process that outlives us and ends what we froze or ran when we are killed (DESIGN 4).
//!
//! It is our own program, started again with a hidden argument, in a session of its own: neither our terminal's Ctrl-C nor its
//! end reaches it. It reads a pipe from us. While we live we tell it which lanes there are; when we go in good order we say so; when the pipe just
//! ends, we died, and it ends everything that it was told of or that carries our tracking id.
//! Stopped processes are ended as they stand: thawing them first would let them run once more.
//!
//! Knows pids and tracking ids; not steps, and nothing of the job's state. Killed itself, it is missed only by those it would
//! have ended: the next start sweeps them ([`crate::orphans::sweep`]).

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::{self, BufRead as _, BufReader, PipeWriter, Write as _};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, WaitOptions, waitpid};

use crate::lane::{self, Lane};
use crate::proc::{ProcessId, TRACKING_VARIABLE};
use crate::spawn::{EnvironmentBlock, Launch, collected, spawn};

/// The argument that turns our program into the guardian.
const ARGUMENT: &str = "__stepback-guardian";

/// How long the guardian goes on ending processes before it gives up; the next start sweeps what is left.
const END_WITHIN: Duration = Duration::from_secs(10);

/// Must be the first call in `main`: turns this process into the guardian and ends it, if that is what it was started for.
pub fn main_if_asked() {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().as_deref() == Some(OsStr::new(ARGUMENT)) {
        let tracking = arguments.next().unwrap_or_default();
        watch(io::stdin().lock(), &tracking.to_string_lossy());
        std::process::exit(0);
    }
}

/// The guardian as we see it. Dropping it in good order dismisses it.
#[derive(Debug)]
pub struct Guardian {
    pid: i32,
    /// `None` once it is dismissed.
    pipe: Option<PipeWriter>,
}

impl Guardian {
    /// Starts the guardian for everything whose tracking id begins with `tracking`. The program's `main` must begin with
    /// [`main_if_asked`].
    ///
    /// # Errors
    /// Our own program cannot be found or started again.
    pub fn start(tracking: &str) -> io::Result<Self> {
        let (reader, pipe) = io::pipe()?;
        let nowhere = OpenOptions::new().write(true).open("/dev/null")?;
        let launch = Launch {
            program: &own_program()?,
            name: Some("stepback-guardian"),
            arguments: &[ARGUMENT.to_owned(), tracking.to_owned()],
            environment: &environment(),
            directory: Path::new("/"),
            input: Some(reader.as_fd()),
            output: nowhere.as_fd(),
            oom_score: 0,
        };
        let pid = spawn(&launch).map_err(io::Error::other)?;
        Ok(Self { pid, pipe: Some(pipe) })
    }

    /// The guardian's pid: it is not to be frozen or ended with the job.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// A process leads a new lane.
    pub fn started(&mut self, leader: i32) {
        self.tell(format_args!("started {leader}\n"));
    }

    /// A lane's first process was collected: its number is free. Its session may live on and is found by its tag.
    pub fn ended(&mut self, leader: i32) {
        self.tell(format_args!("ended {leader}\n"));
    }

    /// These processes stand still.
    pub fn frozen(&mut self, processes: impl Iterator<Item = ProcessId>) {
        let mut text = String::new();
        for id in processes {
            text.push_str(&format!("frozen {} {}\n", id.pid, id.start));
        }
        self.tell(format_args!("{text}"));
    }

    /// Nothing that was frozen so far is ours to care for any longer: it runs again, or is gone.
    pub fn released(&mut self) {
        self.tell(format_args!("released\n"));
    }

    /// A guardian that is gone is no reason to stop: the next start sweeps.
    fn tell(&mut self, message: std::fmt::Arguments<'_>) {
        if let Some(pipe) = &mut self.pipe {
            let _ = pipe.write_all(message.to_string().as_bytes());
        }
    }

    /// Sends the guardian home. Called by `drop` too.
    pub fn dismiss(&mut self) {
        self.tell(format_args!("dismissed\n"));
        if self.pipe.take().is_some() {
            let pid = Pid::from_raw(self.pid);
            while matches!(waitpid(pid, WaitOptions::empty()), Err(rustix::io::Errno::INTR)) {}
            collected(self.pid);
        }
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        self.dismiss();
    }
}

/// Ours, with a tracking id by which the guardian is known as none of the job's processes.
fn environment() -> EnvironmentBlock {
    let mut environment = EnvironmentBlock::default();
    for (name, value) in std::env::vars_os().filter(|(name, _)| name != TRACKING_VARIABLE) {
        environment.push(&name, &value);
    }
    environment.push(OsStr::new(TRACKING_VARIABLE), OsStr::new("stepback-guardian"));
    environment
}

/// On Linux the running file, even if it was replaced since.
fn own_program() -> io::Result<PathBuf> {
    let running = PathBuf::from("/proc/self/exe");
    if cfg!(target_os = "linux") && running.exists() { Ok(running) } else { std::env::current_exe() }
}

/// The guardian's whole life.
fn watch(pipe: impl io::Read, tracking: &str) {
    let mut wards = Wards::default();
    for line in BufReader::new(pipe).lines() {
        match line.as_deref().map(str::trim_end) {
            Ok("dismissed") => return,
            Ok(line) => wards.hear(line),
            Err(_) => break,
        }
    }
    wards.end(tracking);
}

/// What the guardian was told.
#[derive(Debug, Default)]
struct Wards {
    lanes: BTreeMap<i32, Lane>,
    frozen: Vec<ProcessId>,
}

impl Wards {
    fn hear(&mut self, line: &str) {
        let mut words = line.split(' ');
        let verb = words.next();
        let pid = words.next().and_then(|word| word.parse::<i32>().ok());
        let start = words.next().and_then(|word| word.parse::<u64>().ok());
        match (verb, pid, start) {
            (Some("started"), Some(leader), None) => {
                self.lanes.insert(leader, Lane::of_session(leader));
            }
            (Some("ended"), Some(leader), None) => {
                self.lanes.remove(&leader);
            }
            (Some("frozen"), Some(pid), Some(start)) => self.frozen.push(ProcessId { pid, start }),
            (Some("released"), None, None) => self.frozen.clear(),
            _ => {}
        }
    }

    fn end(mut self, tracking: &str) {
        let mut lanes: Vec<Lane> = self.lanes.into_values().collect();
        let frozen = std::mem::take(&mut self.frozen);
        let _ = lane::kill_while(
            |scan| {
                let mut found = scan.tagged(tracking);
                found.extend(lanes.iter_mut().flat_map(|lane| lane.members(scan)));
                let named = frozen.iter().filter_map(|id| scan.process(id.pid).filter(|now| now.id == *id));
                found.extend(named.copied());
                found.retain(|process| process.state != crate::proc::State::Ended);
                found
            },
            END_WITHIN,
        );
    }
}
