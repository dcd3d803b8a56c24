//! A small process that outlives us and ends what we froze or ran when we are killed (DESIGN 4).
//!
//! It is our own program, started again with a hidden argument, in a session of its own and without our terminal. It reads a
//! pipe from us. While we live we tell it which lanes there are; when we go in good order we say so; when the pipe just
//! ends, we died, and it ends everything that it was told of or that carries our tracking id.
//! Stopped processes are ended as they stand: thawing them first would let them run once more.
//!
//! Knows pids and tracking ids; not steps, and nothing of the job's state. Killed itself, it is missed only by those it would
//! have ended: the next start sweeps them ([`crate::orphans::sweep`]).

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use crate::lane::{self, Lane};
use crate::proc::{ProcessId, TRACKING_VARIABLE};

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
    process: Child,
    /// `None` once it is dismissed.
    pipe: Option<ChildStdin>,
}

impl Guardian {
    /// Starts the guardian for everything whose tracking id begins with `tracking`. The program's `main` must begin with
    /// [`main_if_asked`].
    ///
    /// # Errors
    /// Our own program cannot be found or started again.
    pub fn start(tracking: &str) -> io::Result<Self> {
        Self::start_program(&own_program()?, tracking)
    }

    fn start_program(program: &PathBuf, tracking: &str) -> io::Result<Self> {
        // A new process group now and a new session in its first moment: `setsid` needs no `pre_exec`, which would copy our
        // page tables, when the guardian calls it itself; a group of its own keeps a terminal's Ctrl-C away until then.
        let mut process = Command::new(program)
            .arg0("stepback-guardian")
            .arg(ARGUMENT)
            .arg(tracking)
            .env(TRACKING_VARIABLE, "stepback-guardian")
            .process_group(0)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        if let Ok(pid) = i32::try_from(process.id()) {
            crate::spawn::awaited(pid);
        }
        let pipe = process.stdin.take();
        Ok(Self { process, pipe })
    }

    /// The guardian's pid: it is not to be frozen or ended with the job.
    pub fn pid(&self) -> u32 {
        self.process.id()
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
            let _ = self.process.wait();
            if let Ok(pid) = i32::try_from(self.process.id()) {
                crate::spawn::collected(pid);
            }
        }
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        self.dismiss();
    }
}

/// On Linux the running file, even if it was replaced since.
fn own_program() -> io::Result<PathBuf> {
    let running = PathBuf::from("/proc/self/exe");
    if cfg!(target_os = "linux") && running.exists() { Ok(running) } else { std::env::current_exe() }
}

/// The guardian's whole life.
fn watch(pipe: impl io::Read, tracking: &str) {
    let _ = rustix::process::setsid();
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
