//! The end of a body: its exit, what it wrote for the job, and what it leaves behind.
//!
//! Knows processes and files; not the job.

use std::io;
use std::sync::{MutexGuard, PoisonError};

use engine::event::{BodyEnd, Exit};
use engine::file_command::FileCommandResults;
use engine::lines::LineTag;
use engine::process::ProcessSpec;
use rustix::process::{Pid, WaitOptions, WaitStatus};

use super::Shared;
use super::attendance::note;
use super::files::{self, StepFiles};
use super::run::{Run, RunState};
use crate::lane::Lane;
use crate::orphans;

/// The process of a body that has begun.
pub(super) struct Process {
    pub(super) spec: Box<ProcessSpec>,
    pub(super) leader: i32,
    pub(super) files: Box<StepFiles>,
}

/// The files of a body that is over, which are still where the step found them, are put away beside the job, which may go on from here.
/// `tidying` was taken before the end was told, by whoever is not the thread that begins the next body.
pub(super) fn put_away_after(shared: &Shared, files: Box<StepFiles>, tidying: MutexGuard<'_, ()>) {
    let withdrawn = files.withdraw(&shared.settings.spare);
    let _emptying = shared.empty();
    drop(tidying);
    if let Some((withdrawn, files)) = withdrawn {
        withdrawn.put_away(*files);
    }
}

/// Collects what the body left and tells its end. Its files are returned, and still have to be put away.
pub(super) fn conclude(shared: &Shared, run: &Run, state: &mut RunState, process: Process) -> Box<StepFiles> {
    let Process { spec, leader, mut files } = process;
    // Before it is collected: from then on nothing else says whose the processes of its session are.
    shared.keeper.made_session(leader);
    // After a SIGKILL that did not help it may still be there; nobody waits for it then.
    let exit = match collect(leader, WaitOptions::NOHANG) {
        Some(status) => exit(status),
        None => {
            crate::spawn::collected(leader);
            Exit::Signal(rustix::process::Signal::KILL.as_raw())
        }
    };
    remember_leftovers(shared, state, leader);
    shared.watchers().ended(leader);
    let masks = shared.masks.current();
    // Whatever else runs in this job may have got to know the files.
    let alone = shared.watchers().none_runs() && orphans::all_awaited();
    let written = files::read(&mut files, &shared.settings, &spec, alone).read(&masks);
    let mut command_failed = false;
    if let Some(mut pump) = state.pump.take() {
        pump.close();
        pump.out.flush();
        command_failed = pump.out.command_failed;
    }
    state.over = true;
    shared.ended(run, BodyEnd { exit, files: written, command_failed });
    files
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

pub(super) fn collect(leader: i32, options: WaitOptions) -> Option<WaitStatus> {
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
pub(super) fn give_up(
    shared: &Shared,
    run: &Run,
    state: &mut RunState,
    process: Process,
    error: &io::Error,
) -> Box<StepFiles> {
    note(state, LineTag::Error, &format!("failed to watch the step's process: {error}"));
    let killed = crate::lane::kill(std::slice::from_mut(&mut state.membership), shared.settings.times.kill);
    if let Err(survivors) = killed {
        note(state, LineTag::Error, &survivors.to_string());
    }
    conclude(shared, run, state, process)
}

/// Tells that the body has no process.
pub(super) fn not_started(shared: &Shared, run: &Run, state: &mut RunState, reason: &str) {
    state.over = true;
    let exit = Exit::NotStarted(shared.masks.current().mask_text(reason).into_owned());
    shared.ended(run, BodyEnd { exit, files: FileCommandResults::default(), command_failed: false });
}
