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
use super::spare::Withdrawn;
use crate::lane::Lane;
use crate::orphans;

/// The process of a body that has begun.
pub(super) struct Process {
    pub(super) spec: Box<ProcessSpec>,
    pub(super) leader: i32,
    pub(super) files: Box<StepFiles>,
}

/// What is left of a body whose end was told: its files, where no step finds them.
pub(crate) struct Remains {
    withdrawn: Option<Withdrawn>,
    files: Box<StepFiles>,
    spec: Box<ProcessSpec>,
}

impl Remains {
    /// Puts the files away for good.
    pub(crate) fn put_away(self) {
        if let Some(withdrawn) = self.withdrawn {
            files::put_away(withdrawn, *self.files, &self.spec);
        }
    }

    /// The same beside the job, which may go on from here.
    pub(super) fn put_away_after(self, shared: &Shared, tidying: MutexGuard<'_, ()>) {
        let _emptying = shared.empty();
        drop(tidying);
        self.put_away();
    }
}

/// Collects what the body left and tells its end. Its files are out of sight when this returns: whoever is not the thread that
/// begins the next body keeps it waiting meanwhile, by [`Shared::tidy`].
pub(super) fn conclude(shared: &Shared, run: &Run, state: &mut RunState, process: Process) -> Remains {
    let Process { spec, leader, mut files } = process;
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
    let alone = orphans::all_awaited();
    let written = files::read(&mut files, &shared.settings, &spec, alone).read(&masks);
    let mut command_failed = false;
    if let Some(mut pump) = state.pump.take() {
        pump.close();
        pump.out.flush();
        command_failed = pump.out.command_failed;
    }
    state.over = true;
    shared.ended(run, BodyEnd { exit, files: written, command_failed });
    let withdrawn = files::withdraw(&shared.settings, &files);
    Remains { withdrawn, files, spec }
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
) -> Remains {
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
