//! The body of a `run` step: a script in a shell, from its files to its exit.
//!
//! It begins on the thread of whoever asks for it, and is attended by a thread of its lane. Knows processes and pipes; not the job.

use std::ffi::OsString;
use std::io::{self, PipeReader};
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use engine::effect::Signal as Asked;
use engine::event::{BodyEnd, Exit};
use engine::file_command::FileCommandResults;
use engine::lines::LineTag;
use engine::mask::Origin;
use engine::process::{ActionProgram, ProcessSpec};
use rustix::process::{Pid, WaitOptions, WaitStatus};

use super::ladder::Ladder;
use super::output::{Journalist, Pump};
use super::run::{Run, RunState};
use super::{Shared, command_line, environment, files, heading, node};
use crate::countdown::Countdown;
use crate::lane::{Lane, Scan, Survivors};
use crate::orphans;
use crate::proc::{self, NamedProcess};
use crate::services::Access;
use crate::spawn::{EnvironmentBlock, Launch, spawn};
use crate::watch::Watch;

/// How much more willingly the kernel ends a step than anything else (steps.md 3.2).
const OOM_SCORE: i16 = 500;

/// A body that was begun: its leader and its output, or why it has none.
pub(crate) struct Begun {
    shell: Option<PathBuf>,
    /// For the step's log.
    warnings: Vec<String>,
    started: Result<(i32, PipeReader), String>,
}

/// Begins the body. Whoever attends it may come later: waking a thread costs as much as a tenth of a small step, and goes on beside the
/// step when that is on its way already. One that takes its time to begin is better begun by whoever attends it ([`is_slow`]).
pub(crate) fn begin(shared: &Shared, run: &Run, tag: &str, spec: &ProcessSpec) -> Begun {
    let prepared = prepare(shared, tag, spec);
    let mut state = run.lock_moving();
    let discarded = || Err("the lane was ended".to_owned());
    let started = if state.discarded { discarded() } else { start(&prepared, spec) };
    if let Ok((leader, _)) = &started {
        state.membership = Lane::of_new_leader(tag.to_owned(), *leader);
        drop(state);
        shared.watchers().started(*leader);
    }
    Begun { shell: prepared.shell, warnings: prepared.warnings, started }
}

/// Whether the session should not wait for the beginning: the services may have to start, and a `node` to tell its version.
pub(crate) fn is_slow(spec: &ProcessSpec) -> bool {
    spec.action.is_some()
}

/// Attends the body until it is over; `over` is called with its end while nothing of it can move any more. A body whose lane was
/// ended for good ends without a word.
pub(crate) fn attend(
    shared: &Arc<Shared>,
    run: &Run,
    spec: &ProcessSpec,
    begun: Begun,
    over: impl FnOnce(BodyEnd),
) {
    let mut out = Journalist::new(Arc::clone(shared), run.lane, run.epoch, run.step.clone());
    let mut state = run.lock_moving();
    if !state.discarded {
        // Nothing of the shell is read before this, so the log begins with it.
        heading::write(spec, begun.shell.as_deref(), &shared.masks.current(), out.batch());
        begun.warnings.iter().for_each(|warning| out.note(LineTag::Warning, warning));
        out.flush();
    }
    match begun.started {
        Ok((leader, output)) => {
            state.pump = Some(Pump::new(output, spec, out));
            drop(state);
            await_end(shared, run, spec, leader, over);
        }
        Err(_) if state.discarded => {}
        Err(reason) => {
            let exit = Exit::NotStarted(shared.masks.current().mask_text(&reason).into_owned());
            state.over = true;
            over(BodyEnd { exit, files: FileCommandResults::default(), command_failed: false });
        }
    }
}

/// Everything a start needs, as far as it is there.
struct Prepared {
    shell: Option<PathBuf>,
    /// Where it was looked for.
    path: OsString,
    script: Result<PathBuf, String>,
    environment: EnvironmentBlock,
    directory: PathBuf,
    /// For the step's log.
    warnings: Vec<String>,
}

fn prepare(shared: &Shared, tag: &str, spec: &ProcessSpec) -> Prepared {
    let settings = &shared.settings;
    let variables = files::variables(&settings.temp, &spec.command_files);
    let mut warnings = Vec::new();
    let access = access(shared, spec, tag).unwrap_or_else(|warning| {
        warnings.push(warning);
        None
    });
    let step = environment::build(&settings.base, spec, tag, &variables, access.as_ref());
    let directory = settings.workspace.join(&*spec.working_directory);
    let shell = match spec.action {
        Some(program) => node(shared, spec, program, &step.path, &mut warnings),
        None => command_line::find(&spec.shell.candidates, &step.path, &directory),
    };
    let tidy = shared.tidy();
    let script = files::prepare(settings, spec).map_err(|error| {
        format!("failed to write the step's files below {}: {error}", settings.temp.display())
    });
    drop(tidy);
    Prepared { shell, path: step.path, script, environment: step.block, directory, warnings }
}

/// The program that runs an action: of the version that it wants where there is one, else whichever is on PATH.
fn node(
    shared: &Shared,
    spec: &ProcessSpec,
    program: ActionProgram,
    path: &OsString,
    warnings: &mut Vec<String>,
) -> Option<PathBuf> {
    let settings = &shared.settings;
    let (version, conflict) = node::wanted(program.node, spec, &settings.base);
    warnings.extend(conflict.map(str::to_owned));
    if let Some(own) = node::own(settings.externals.as_deref(), version) {
        return Some(own);
    }
    let found = command_line::find(&spec.shell.candidates, path, &settings.workspace)?;
    warnings.extend(shared.nodes.warning(version, &found, path));
    Some(found)
}

/// What the process of an action is told of the services. Its token is masked before the process can print it.
fn access(shared: &Shared, spec: &ProcessSpec, tag: &str) -> Result<Option<Access>, String> {
    let (Some(services), Some(_)) = (&shared.settings.services, spec.action) else { return Ok(None) };
    let access = services
        .access(&spec.step, tag)
        .map_err(|error| format!("Caches and artifacts cannot be used in this step: {error}"))?;
    shared.masks.extend([(&access.secret, Origin::Unnamed)]);
    Ok(Some(access))
}

/// The leader and its output, which is read without waiting.
fn start(prepared: &Prepared, spec: &ProcessSpec) -> Result<(i32, PipeReader), String> {
    let script = prepared.script.as_ref().map_err(String::clone)?;
    let shell = prepared.shell.as_ref();
    let shell = shell.ok_or_else(|| match spec.script.content {
        Some(_) => command_line::not_found(&spec.shell.candidates, &prepared.path),
        None => command_line::no_node(&prepared.path),
    })?;
    let arguments = command_line::arguments(&spec.shell.arguments, &script.to_string_lossy());
    let no_pipe = |error: io::Error| format!("failed to make a pipe for the step's output: {error}");
    let (reader, writer) = io::pipe().map_err(no_pipe)?;
    rustix::io::ioctl_fionbio(&reader, true).map_err(|error| no_pipe(error.into()))?;
    let launch = Launch {
        program: shell,
        name: None,
        arguments: &arguments,
        environment: &prepared.environment,
        directory: &prepared.directory,
        input: None,
        output: writer.as_fd(),
        oom_score: OOM_SCORE,
    };
    let leader = spawn(&launch).map_err(|error| error.to_string())?;
    Ok((leader, reader))
}

/// What the thread does next.
enum Next {
    /// Wait for the leader, its output, a wake-up or a time.
    Wait(Option<Arc<PipeReader>>, Option<Duration>),
    /// The leader is gone; wait for another process of the lane.
    WaitFor(i32, Option<Duration>),
    Over,
}

fn await_end(shared: &Shared, run: &Run, spec: &ProcessSpec, leader: i32, over: impl FnOnce(BodyEnd)) {
    let watch = match Watch::new(leader) {
        Ok(watch) => watch,
        Err(error) => return give_up(shared, run, spec, leader, &error, over),
    };
    let wake = run.wake_fd();
    let mut ended = false;
    loop {
        let mut state = run.lock_moving();
        if state.discarded {
            collect(leader, WaitOptions::empty());
            shared.watchers().ended(leader);
            return;
        }
        let next = next(shared, &mut state, ended);
        let ready = match next {
            Next::Over => {
                // The end is told under the lock: a freeze finds the body running or over, and nothing in between.
                let end = conclude(shared, &mut state, spec, leader);
                return tell(shared, spec, end, over);
            }
            Next::WaitFor(other, timeout) => {
                drop(state);
                // One that is gone already is not found again by the next look.
                if let Ok(ready) =
                    Watch::new(other).and_then(|other| other.wait(None, false, wake.fd(), timeout))
                    && ready.woken
                {
                    wake.clear();
                }
                continue;
            }
            Next::Wait(pipe, timeout) => {
                drop(state);
                watch.wait(pipe.as_ref().map(|pipe| pipe.as_fd()), ended, wake.fd(), timeout)
            }
        };
        let Ok(ready) = ready else { continue };
        if ready.woken {
            wake.clear();
        }
        let mut state = run.lock();
        // What is not taken now is still there after the thaw.
        if state.held || state.discarded {
            continue;
        }
        if ready.output
            && let Some(pump) = &mut state.pump
        {
            pump.read();
        }
        if ready.ended {
            ended = true;
            state.drain = Some(Countdown::started(shared.settings.times.held_pipe, Instant::now()));
        }
    }
}

fn next(shared: &Shared, state: &mut RunState, ended: bool) -> Next {
    let now = Instant::now();
    if let Err(survivors) = climb(shared, state, now) {
        note(state, LineTag::Error, &survivors.to_string());
        return Next::Over;
    }
    let pipe = state.pump.as_ref().and_then(Pump::pipe);
    let drained = state.drain.and_then(|drain| drain.deadline()).is_some_and(|deadline| deadline <= now);
    if ended && (pipe.is_none() || drained) {
        if pipe.is_some() {
            let_go(shared, state);
        }
        return match &state.ladder {
            None | Some(Ladder::Killed) => Next::Over,
            Some(ladder) => {
                let timeout = ladder.deadline().map(|deadline| deadline.saturating_duration_since(now));
                first_member(state).map_or(Next::Over, |pid| Next::WaitFor(pid, timeout))
            }
        };
    }
    let ladder = state.ladder.as_ref().and_then(Ladder::deadline);
    let drain = state.drain.and_then(|drain| drain.deadline());
    let deadline = ladder.into_iter().chain(drain).min();
    Next::Wait(pipe, deadline.map(|deadline| deadline.saturating_duration_since(now)))
}

/// The ladder as far as it goes now.
fn climb(shared: &Shared, state: &mut RunState, now: Instant) -> Result<(), Survivors> {
    let times = &shared.settings.times;
    let asked = match (state.asked.take(), &mut state.ladder) {
        (Some(asked), None) => asked,
        (Some(Asked::Kill), Some(Ladder::Interrupted(_) | Ladder::Terminated(_))) => Asked::Kill,
        // A second, gentle request changes nothing.
        (_, Some(ladder)) => return ladder.climb(&mut state.membership, times, now),
        (None, None) => return Ok(()),
    };
    let (ladder, result) = Ladder::begin(asked, &mut state.membership, times);
    state.ladder = Some(ladder);
    result
}

fn first_member(state: &mut RunState) -> Option<i32> {
    let members = state.membership.members(&mut Scan::now().ok()?);
    members.first().map(|process| process.id.pid)
}

fn note(state: &mut RunState, tag: LineTag, text: &str) {
    if let Some(pump) = &mut state.pump {
        pump.out.note(tag, text);
        pump.out.flush();
    }
}

/// The shell has ended, but somebody holds its output open: the step is over, and what is printed from here on is thrown away
/// so that the holder neither waits nor dies of it (steps.md 3.3).
fn let_go(shared: &Shared, state: &mut RunState) {
    let Some(pump) = &mut state.pump else { return };
    let pipe = pump.pipe();
    pump.close();
    let members = Scan::now().map(|mut scan| state.membership.members(&mut scan)).unwrap_or_default();
    let names: Vec<NamedProcess> = members.iter().map(|process| NamedProcess::of(process.id)).collect();
    let holders = if names.is_empty() { "another process".to_owned() } else { proc::list(&names) };
    let seconds = shared.settings.times.held_pipe.as_secs_f32();
    note(
        state,
        LineTag::Warning,
        &format!(
            "The step's output is still open {seconds} s after its end, held by {holders}. What it prints from now on is not shown."
        ),
    );
    let discard = move || {
        if let Some(pipe) = pipe {
            let _ = rustix::io::ioctl_fionbio(&pipe, false);
            let _ = io::copy(&mut &*pipe, &mut io::sink());
        }
    };
    let _ = std::thread::Builder::new().name("discard".to_owned()).spawn(discard);
}

/// Collects what the body left: its exit, its command files, its last line.
fn conclude(shared: &Shared, state: &mut RunState, spec: &ProcessSpec, leader: i32) -> BodyEnd {
    // Before it is collected: from then on nothing else says whose the processes of its session are.
    shared.keeper.made_session(leader);
    // After a SIGKILL that did not help it may still be there; nobody waits for it then.
    let exit = match collect(leader, WaitOptions::NOHANG) {
        Some(status) => exit(status),
        None => Exit::Signal(rustix::process::Signal::KILL.as_raw()),
    };
    remember_leftovers(shared, state, leader);
    shared.watchers().ended(leader);
    let masks = shared.masks.current();
    let files = files::read(&shared.settings.temp, &spec.command_files).read(&masks);
    let mut command_failed = false;
    if let Some(mut pump) = state.pump.take() {
        pump.close();
        pump.out.flush();
        command_failed = pump.out.command_failed;
    }
    state.over = true;
    BodyEnd { exit, files, command_failed }
}

/// Tells the end, and puts the files away while the job makes something of it. No later body begins before that is done.
fn tell(shared: &Shared, spec: &ProcessSpec, end: BodyEnd, over: impl FnOnce(BodyEnd)) {
    let _tidying = shared.tidy();
    over(end);
    files::retire(&shared.settings, spec, orphans::all_awaited());
}

/// Only what left its group or was seen in a scan has to be kept in mind; anything else carries its tag.
fn remember_leftovers(shared: &Shared, state: &mut RunState, leader: i32) {
    let group_lives =
        Pid::from_raw(leader).is_some_and(|group| rustix::process::test_kill_process_group(group).is_ok());
    if group_lives || state.membership.was_seen() {
        let membership = std::mem::replace(&mut state.membership, Lane::of_tag(String::new()));
        membership.sessions().for_each(|session| shared.keeper.made_session(session));
        shared.leftovers.lock().unwrap_or_else(PoisonError::into_inner).inherit(membership, leader);
    } else {
        shared.keeper.forget_session(leader);
    }
}

fn collect(leader: i32, options: WaitOptions) -> Option<WaitStatus> {
    let pid = Pid::from_raw(leader)?;
    loop {
        match rustix::process::waitpid(Some(pid), options) {
            Err(rustix::io::Errno::INTR) => {}
            Ok(Some((_, status))) => {
                crate::spawn::collected(leader);
                // Orphans of its group have come to us; those that have ended are collected on the way.
                while let Ok(Some(_)) = rustix::process::waitpgid(pid, WaitOptions::NOHANG) {}
                return Some(status);
            }
            _ => return None,
        }
    }
}

fn exit(status: WaitStatus) -> Exit {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => Exit::Failed("the process ended in an unknown way".to_owned()),
    }
}

/// No descriptor is left to watch the process with: it cannot be run properly.
fn give_up(
    shared: &Shared,
    run: &Run,
    spec: &ProcessSpec,
    leader: i32,
    error: &io::Error,
    over: impl FnOnce(BodyEnd),
) {
    let mut state = run.lock_moving();
    note(&mut state, LineTag::Error, &format!("failed to watch the step's process: {error}"));
    let killed = crate::lane::kill(std::slice::from_mut(&mut state.membership), shared.settings.times.kill);
    if let Err(survivors) = killed {
        note(&mut state, LineTag::Error, &survivors.to_string());
    }
    let end = conclude(shared, &mut state, spec, leader);
    tell(shared, spec, end, over);
}
