//! Waiting on macOS: a kqueue with `EVFILT_PROC`.
//!
//! Knows descriptors and pids; not what is read.
#![allow(unsafe_code, reason = "kevent takes raw descriptors")]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::kqueue::{Event, EventFilter, EventFlags, ProcessEvents, kevent, kqueue};
use rustix::process::Pid;

use super::Ready;

/// One process that is watched; it need not be a child. As a descriptor it can be read from when the process ends later.
#[derive(Debug)]
pub struct Watch {
    queue: OwnedFd,
    /// It had ended before it could be watched.
    ended_before: bool,
}

impl AsRawFd for Watch {
    fn as_raw_fd(&self) -> RawFd {
        self.queue.as_raw_fd()
    }
}

impl Watch {
    /// Watches this process.
    ///
    /// # Errors
    /// No descriptor is left.
    pub fn new(pid: i32) -> io::Result<Self> {
        let pid = Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidInput)?;
        let queue = kqueue()?;
        let filter = EventFilter::Proc { pid, flags: ProcessEvents::EXIT };
        let change = [Event::new(filter, EventFlags::ADD, std::ptr::null_mut())];
        let mut none: Vec<Event> = Vec::new();
        // SAFETY: the change names a pid, no descriptor; the list of events is empty.
        let added = unsafe { kevent(&queue, &change, spare_capacity(&mut none), None) };
        match added {
            Ok(_) => Ok(Self { queue, ended_before: false }),
            Err(rustix::io::Errno::SRCH) => Ok(Self { queue, ended_before: true }),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until one of the three is ready, or for `timeout`. A process that has ended is not waited for again when
    /// `ended` says that this is known.
    ///
    /// # Errors
    /// The system cannot wait; a signal to us is no error.
    pub fn wait(
        &self,
        output: Option<BorrowedFd<'_>>,
        ended: bool,
        wake: BorrowedFd<'_>,
        timeout: Option<Duration>,
    ) -> io::Result<Ready> {
        let ended_before = self.ended_before && !ended;
        let timeout = if ended_before { Some(Duration::ZERO) } else { timeout };
        let read = |fd: i32| {
            Event::new(EventFilter::Read(fd), EventFlags::ADD | EventFlags::ONESHOT, std::ptr::null_mut())
        };
        let changes: Vec<Event> = output.iter().chain([&wake]).map(|fd| read(fd.as_raw_fd())).collect();
        let mut events: Vec<Event> = Vec::with_capacity(4);
        // SAFETY: the descriptors are borrowed for longer than this call, and are watched once.
        match unsafe { kevent(&self.queue, &changes, spare_capacity(&mut events), timeout) } {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut ready = Ready { ended: ended_before, ..Ready::default() };
        for event in &events {
            match event.filter() {
                EventFilter::Read(fd) if fd == wake.as_raw_fd() => ready.woken = true,
                EventFilter::Read(_) => ready.output = output.is_some(),
                EventFilter::Proc { .. } => ready.ended = !ended,
                _ => {}
            }
        }
        Ok(ready)
    }
}
