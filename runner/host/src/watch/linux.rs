//! Waiting on Linux: `poll` with a pidfd.
//!
//! Knows descriptors and pids; not what is read.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::Ready;

/// One process that is watched; it need not be a child. As a descriptor it can be read from when the process has ended.
#[derive(Debug)]
pub struct Watch {
    process: OwnedFd,
}

impl AsRawFd for Watch {
    fn as_raw_fd(&self) -> RawFd {
        self.process.as_raw_fd()
    }
}

impl Watch {
    /// Watches this process.
    ///
    /// # Errors
    /// It is gone and was collected, or no descriptor is left.
    pub fn new(pid: i32) -> io::Result<Self> {
        let pid = Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(Self { process: pidfd_open(pid, PidfdFlags::empty())? })
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
        const WANTED: PollFlags = PollFlags::IN;
        // `poll` passes over an entry that asks for nothing but still reports its end: use the wake-up pipe twice.
        let process = if ended { PollFd::new(&wake, WANTED) } else { PollFd::new(&self.process, WANTED) };
        let output_entry = match &output {
            Some(output) => PollFd::new(output, WANTED),
            None => PollFd::new(&wake, WANTED),
        };
        let mut entries = [output_entry, process, PollFd::new(&wake, WANTED)];
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        match poll(&mut entries, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let [first, second, third] = entries.map(|entry| !entry.revents().is_empty());
        Ok(Ready { output: output.is_some() && first, ended: !ended && second, woken: third })
    }
}
