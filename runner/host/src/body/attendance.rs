//! Attending a body whose process runs: what it prints, what is asked of it, its end.
//!
//! A body may be attended by whoever waits for its end anyway, without a thread of its own, for as long as nothing is asked of
//! it (docs/design/spawn.md); a thread can take it over at any time. Knows processes and pipes; not the job.

use std::io::{self, PipeReader};
use std::os::fd::{AsFd as _, AsRawFd, RawFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::effect::Signal as Asked;
use engine::lines::LineTag;
use rustix::process::WaitOptions;

use super::ending::{Process, collect, conclude, give_up, not_started, put_away_after};
use super::files::StepFiles;
use super::ladder::Ladder;
use super::output::{Journalist, Pump};
use super::process::{Begun, Started};
use super::run::{Run, RunState};
use super::{Shared, heading};
use crate::countdown::Countdown;
use crate::lane::{Scan, Survivors};
use crate::proc::{self, NamedProcess};
use crate::watch::Watch;

/// One body whose process was started. As a descriptor it can be read from when the process has ended.
pub(crate) struct Attendance {
    shared: Arc<Shared>,
    run: Arc<Run>,
    process: Process,
    watch: Watch,
}

impl AsRawFd for Attendance {
    fn as_raw_fd(&self) -> RawFd {
        self.watch.as_raw_fd()
    }
}

/// What the thread does next.
enum Next {
    /// Wait for the leader, its output, a wake-up or a time.
    Wait(Option<Arc<PipeReader>>, Option<Duration>),
    /// The leader is gone; wait for another process of the lane.
    WaitFor(i32, Option<Duration>),
    Over,
}

impl Attendance {
    /// Begins the log of a body. `None` if it is over with that: it was not started, which is told, or its lane was ended for
    /// good, which is not.
    pub(crate) fn open(shared: &Arc<Shared>, run: &Arc<Run>, begun: Begun) -> Option<Self> {
        let Begun { spec, shell, warnings, started } = begun;
        let mut out = Journalist::new(Arc::clone(shared), run.lane, run.epoch, run.step.clone());
        let mut state = run.lock_moving();
        if !state.discarded {
            // Nothing of the shell is read before this, so the log begins with it.
            heading::write(&spec, shell.as_deref(), &shared.masks.current(), out.batch());
            warnings.iter().for_each(|warning| out.note(LineTag::Warning, warning));
            out.flush();
        }
        let Started { leader, output, files } = match started {
            Ok(started) => started,
            Err(reason) => {
                if !state.discarded {
                    not_started(shared, run, &mut state, &reason);
                }
                drop(state);
                run.finish();
                return None;
            }
        };
        state.pump = Some(Pump::new(output, &spec, out));
        let process = Process { spec, leader, files: Box::new(files) };
        match Watch::new(leader) {
            Ok(watch) => {
                drop(state);
                Some(Self { shared: Arc::clone(shared), run: Arc::clone(run), process, watch })
            }
            Err(error) => {
                let tidying = shared.tidy();
                let files = give_up(shared, run, &mut state, process, &error);
                drop(state);
                put_away_after(shared, files, tidying);
                run.finish();
                None
            }
        }
    }

    /// Its output, which somebody may write to.
    pub(crate) fn output(&self) -> Option<Arc<PipeReader>> {
        self.run.lock().pump.as_ref().and_then(Pump::pipe)
    }

    /// Takes what was printed; how many bytes it was.
    pub(crate) fn read(&self) -> usize {
        let mut state = self.run.lock();
        if state.held || state.discarded {
            return 0;
        }
        state.pump.as_mut().and_then(Pump::read).unwrap_or(0)
    }

    /// Ends the body if nobody has to wait for that: its process has ended, and its output with it. The end is told; what is
    /// left of the body is still to be put away.
    pub(crate) fn try_end(self) -> Result<Box<StepFiles>, Self> {
        let mut state = self.run.lock();
        let moves = !state.held && !state.discarded && state.asked.is_none();
        // A pipe holds no more than one read takes; the second finds the end.
        let has_ended = |pump: &mut Pump| {
            (0..2).all(|_| pump.pipe().is_none() || pump.read().is_some()) && pump.pipe().is_none()
        };
        if !moves || !state.pump.as_mut().is_some_and(has_ended) {
            drop(state);
            return Err(self);
        }
        let files = conclude(&self.shared, &self.run, &mut state, self.process);
        drop(state);
        self.run.finish();
        Ok(files)
    }

    /// Attends the body until it is over. One whose lane was ended for good ends without a word.
    pub(crate) fn until_end(self) {
        let run = Arc::clone(&self.run);
        self.attend();
        run.finish();
    }

    fn attend(self) {
        let Self { shared, run, process, watch } = self;
        let shared = &*shared;
        let wake = run.wake_fd();
        let mut ended = false;
        loop {
            let mut state = run.lock_moving();
            if state.discarded {
                collect(process.leader, WaitOptions::empty());
                shared.watchers().ended(process.leader);
                return;
            }
            let next = next(shared, &mut state, ended);
            let ready = match next {
                // The end is told under the lock: a freeze finds the body running or over, and nothing in between.
                Next::Over => {
                    let tidying = shared.tidy();
                    let files = conclude(shared, &run, &mut state, process);
                    drop(state);
                    return put_away_after(shared, files, tidying);
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

pub(super) fn note(state: &mut RunState, tag: LineTag, text: &str) {
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
