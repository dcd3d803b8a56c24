//! The body that the session attends itself, for as long as a small step takes: no thread has to be woken for it
//! (docs/design/spawn.md).
//!
//! Knows when the process has ended and when a thread takes over; what an end is, the body knows.
#![allow(unsafe_code, reason = "a descriptor is registered without its owner")]

use std::io::PipeReader;
use std::sync::Arc;
use std::time::Instant;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Handle;

use super::workers::Worker;
use crate::body::{Attendance, StepFiles};

/// A step that prints so much at once gets a thread, which reads it while the session goes on.
const MUCH: usize = 16 << 10;

/// A body that no thread attends yet.
pub(super) struct Attended {
    body: AsyncFd<Attendance>,
    /// As long as somebody may write to it.
    output: Option<AsyncFd<Arc<PipeReader>>>,
    worker: Worker,
    /// From then on a thread attends it.
    pub(super) until: Instant,
}

/// What is to be done for a body.
pub(super) enum Need {
    /// Its process has ended.
    End,
    /// It has printed something, or nobody can print any more.
    Read,
}

impl Attended {
    /// The body is attended by whoever polls [`Self::need`]. `None`: it cannot be here, and the worker does it.
    pub(super) fn new(body: Attendance, worker: Worker, until: Instant) -> Option<Self> {
        if Handle::try_current().is_err() {
            hand_over(body, worker);
            return None;
        }
        // SAFETY: the descriptor is that of the pipe, which the reader keeps open for as long as it lives.
        let output = body
            .output()
            .map(|pipe| unsafe { AsyncFd::register_with_interest(pipe, Interest::READABLE) })
            .and_then(Result::ok);
        // SAFETY: the descriptor belongs to the body, which keeps it open and the same for as long as it lives.
        match unsafe { AsyncFd::register_with_interest(body, Interest::READABLE) } {
            Ok(body) => Some(Self { body, output, worker, until }),
            Err(error) => {
                hand_over(error.into_parts().0, worker);
                None
            }
        }
    }

    /// Waits until something is to be done. What cannot be learned here is left to the worker, when its time comes.
    pub(super) async fn need(&self) -> Need {
        let ended = async {
            if self.body.readable().await.is_err() {
                std::future::pending().await
            }
        };
        let printed = async {
            match &self.output {
                // What comes from here on is news again.
                Some(output) => match output.readable().await {
                    Ok(mut ready) => ready.clear_ready(),
                    Err(_) => std::future::pending().await,
                },
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = ended => Need::End,
            () = printed => Need::Read,
        }
    }

    /// Reads what was printed. `None`: that was much, and the worker reads on.
    pub(super) fn read(mut self) -> Option<Self> {
        if self.body.get_ref().read() >= MUCH {
            self.hand_over();
            return None;
        }
        if self.body.get_ref().output().is_none() {
            self.output = None;
        }
        Some(self)
    }

    /// Ends the body, which is told; or else lets the worker attend it.
    pub(super) fn end(self) -> Option<(Box<StepFiles>, Worker)> {
        match self.body.into_inner().try_end() {
            Ok(files) => Some((files, self.worker)),
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
