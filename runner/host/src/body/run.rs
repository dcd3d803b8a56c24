//! One body while it runs: what its own thread and the host both look at, under one lock.
//!
//! The thread holds the lock while it starts the process and while it handles what it read, never while it waits. Whoever else
//! has the lock can therefore be sure that nothing of this body moves in our own process.

use std::io::{self, PipeReader, PipeWriter, Read as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use engine::effect::Signal;
use engine::step_path::{LaneId, StepPath};

use super::ladder::Ladder;
use super::output::Pump;
use crate::contract::{Epoch, LaneStatus};
use crate::countdown::Countdown;
use crate::lane::Lane;

/// Wakes a thread that waits for the output of a process.
#[derive(Debug)]
pub(crate) struct Wake {
    reader: PipeReader,
    writer: PipeWriter,
}

impl Wake {
    pub(crate) fn new() -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        Ok(Self { reader, writer })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }

    fn wake(&self) {
        let _ = (&self.writer).write(&[0]);
    }

    /// Takes one wake-up back; only after it was seen.
    pub(crate) fn clear(&self) {
        let _ = (&self.reader).read(&mut [0; 1]);
    }
}

/// One body.
pub(crate) struct Run {
    pub(crate) lane: LaneId,
    pub(crate) epoch: Epoch,
    pub(crate) step: StepPath,
    state: Mutex<RunState>,
    changed: Condvar,
    wake: Arc<Wake>,
}

pub(crate) struct RunState {
    /// Nothing may move until this is `false` again.
    pub(crate) held: bool,
    /// The lane was ended for good: nobody wants to hear of it any more.
    pub(crate) discarded: bool,
    /// The body is over.
    pub(crate) over: bool,
    /// It has no process of its own.
    pub(crate) built_in: bool,
    pub(crate) asked: Option<Signal>,
    pub(super) ladder: Option<Ladder>,
    /// How long a held pipe is still read; begins with the exit.
    pub(super) drain: Option<Countdown>,
    pub(crate) membership: Lane,
    pub(super) pump: Option<Pump>,
}

impl Run {
    pub(crate) fn new(
        place: (LaneId, Epoch, StepPath),
        tag: String,
        built_in: bool,
        wake: Arc<Wake>,
    ) -> Self {
        let (lane, epoch, step) = place;
        let state = RunState {
            held: false,
            discarded: false,
            over: false,
            built_in,
            asked: None,
            ladder: None,
            drain: None,
            membership: Lane::of_tag(tag),
            pump: None,
        };
        Self { lane, epoch, step, state: Mutex::new(state), changed: Condvar::new(), wake }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, RunState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lock, once nothing is held.
    pub(super) fn lock_moving(&self) -> MutexGuard<'_, RunState> {
        let waiting = self.changed.wait_while(self.lock(), |state| state.held);
        waiting.unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wake_fd(&self) -> &Wake {
        &self.wake
    }

    /// Asks the body to end.
    pub(crate) fn signal(&self, signal: Signal) {
        self.lock().asked = Some(signal);
        self.wake.wake();
    }

    /// Stops our side of it: reading, ladder, drain. `false` when it is a built-in body and not over within `patience`.
    pub(crate) fn hold(&self, patience: Duration) -> bool {
        let now = Instant::now();
        let mut state = self.lock();
        if state.built_in {
            let waited = self.changed.wait_timeout_while(state, patience, |state| !state.over);
            return waited.unwrap_or_else(PoisonError::into_inner).0.over;
        }
        state.held = true;
        for countdown in state.countdowns() {
            countdown.stop(now);
        }
        true
    }

    /// Lets our side go on.
    pub(crate) fn release(&self) {
        let now = Instant::now();
        let mut state = self.lock();
        state.held = false;
        for countdown in state.countdowns() {
            countdown.go_on(now);
        }
        drop(state);
        self.changed.notify_all();
        self.wake.wake();
    }

    /// Its processes are gone for good: the thread cleans up and says nothing.
    pub(crate) fn discard(&self) {
        self.lock().discarded = true;
        self.release();
    }

    /// Marks the body as over.
    pub(crate) fn finish(&self) {
        self.lock().over = true;
        self.changed.notify_all();
    }

    pub(crate) fn status(&self, processes: usize) -> LaneStatus {
        LaneStatus { lane: self.lane, epoch: self.epoch, step: self.step.clone(), running: true, processes }
    }
}

impl RunState {
    fn countdowns(&mut self) -> impl Iterator<Item = &mut Countdown> {
        self.drain.iter_mut().chain(self.ladder.as_mut().and_then(Ladder::countdown))
    }

    /// Reads what a frozen lane had written already.
    pub(crate) fn drain_pipe(&mut self) {
        if let Some(pump) = &mut self.pump {
            pump.drain();
        }
    }
}
