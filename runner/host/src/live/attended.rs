//! The body that the session attends itself, for as long as a small step takes: no thread has to be woken for it
//! (docs/design/spawn.md).
//!
//! Knows when the process has ended and when a thread takes over; what an end is, the body knows.
#![allow(unsafe_code, reason = "a descriptor is registered without its owner")]

use std::time::Instant;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Handle;

use super::workers::Worker;
use crate::body::{Attendance, Remains};

/// A body that no thread attends yet.
pub(super) struct Attended {
    body: AsyncFd<Attendance>,
    worker: Worker,
    /// From then on a thread attends it.
    pub(super) until: Instant,
}

impl Attended {
    /// The body is attended by whoever polls [`Self::ended`]. `None`: it cannot be here, and the worker does it.
    pub(super) fn new(body: Attendance, worker: Worker, until: Instant) -> Option<Self> {
        if Handle::try_current().is_err() {
            hand_over(body, worker);
            return None;
        }
        // SAFETY: the descriptor belongs to the body, which keeps it open and the same for as long as it lives.
        match unsafe { AsyncFd::register_with_interest(body, Interest::READABLE) } {
            Ok(body) => Some(Self { body, worker, until }),
            Err(error) => {
                hand_over(error.into_parts().0, worker);
                None
            }
        }
    }

    /// Waits until its process has ended.
    pub(super) async fn ended(&self) {
        // Without a way to learn it, the time comes when the worker takes over.
        if self.body.readable().await.is_err() {
            std::future::pending().await
        }
    }

    /// Ends the body, which is told; or else lets the worker attend it.
    pub(super) fn end(self) -> Option<(Remains, Worker)> {
        match self.body.into_inner().try_end() {
            Ok(remains) => Some((remains, self.worker)),
            Err(body) => {
                hand_over(body, self.worker);
                None
            }
        }
    }

    /// Lets the worker attend the body from here on.
    pub(super) fn hand_over(self) {
        hand_over(self.body.into_inner(), self.worker);
    }
}

fn hand_over(body: Attendance, worker: Worker) {
    worker.run(Box::new(move || body.until_end()));
}
