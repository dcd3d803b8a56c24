//! Everything that goes to one client, in order: numbered when it is sent, output gathered into larger events, memory
//! bounded. Whoever puts something in never waits, so that a client that does not read cannot hold a job up.
//!
//! A client that is [`OUTBOX_BYTES_MAX`](crate::limits::OUTBOX_BYTES_MAX) behind loses the output that it has not read
//! and is told how much; responses and all other events are never left out. One that is as far behind with these alone
//! is let go. What the messages say is not known here.

mod batch;
mod queue;

use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::envelope::{Content, RawEvent, RawResponse};
use crate::protocol::{Event, ReverseRequest};
use queue::{Queue, Step};

/// The way to one client. Clones lead to the same one; they may be used from any thread.
#[derive(Clone, Default)]
pub struct Outbox(Arc<Shared>);

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// Something can be sent, or the end is near.
    changed: Notify,
    /// The bound is exceeded: whatever is being written will not be waited for.
    overflowed: Notify,
}

/// Why nothing more is sent.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// The client is too far behind with what must not be left out.
    #[error("the client does not read what it is sent")]
    Overflow,
    /// The connection is broken.
    #[error("failed to write to the client: {0}")]
    Write(#[from] io::Error),
}

impl Outbox {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers a request.
    pub fn respond(&self, response: RawResponse) {
        self.put(|queue| queue.push(Content::Response(response)));
    }

    /// Tells the client something. Output waits a moment for more of it.
    pub fn tell(&self, event: Event) {
        self.put(|queue| match event {
            Event::Output(output) => queue.push_output(output, Instant::now()),
            event => match event.encode() {
                Ok(event) => queue.push(Content::Event(event)),
                Err(error) => tracing::error!(event = event.name(), %error, "an event cannot be written"),
            },
        });
    }

    /// Tells the client that something is to be asked for again. It waits as output does, and is told once for many.
    pub fn hint(&self, event: RawEvent) {
        self.put(|queue| queue.push_hint(event, Instant::now()));
    }

    /// Asks the client something. The answer comes through [`Outbox::answered`]; it never comes once the connection is
    /// closed.
    pub fn ask(&self, request: &ReverseRequest) -> oneshot::Receiver<RawResponse> {
        let (reply, answer) = oneshot::channel();
        match request.encode() {
            Ok(request) => self.put(|queue| queue.push_question(request, reply)),
            Err(error) => tracing::error!(command = request.command(), %error, "a request cannot be written"),
        }
        answer
    }

    /// Gives a response of the client to whoever asked. One that answers nothing is passed over.
    pub fn answered(&self, response: RawResponse) {
        if let Some(reply) = self.queue().take_question(response.request_seq) {
            // Whoever asked may have gone.
            let _ = reply.send(response);
        }
    }

    /// Nothing more is put in; what is there is still sent.
    pub fn finish(&self) {
        self.put(Queue::finish);
    }

    /// Whether there is no point in putting more in.
    pub fn is_closed(&self) -> bool {
        self.queue().is_closed()
    }

    /// Sends what is put in until [`Outbox::finish`]. Runs once for each outbox.
    ///
    /// # Errors
    /// The client cannot be written to, or does not read.
    pub async fn pump<W: AsyncWrite + Unpin>(&self, mut writer: W) -> Result<(), OutboxError> {
        let ended = self.send_all(&mut writer).await;
        self.queue().close();
        ended
    }

    async fn send_all<W: AsyncWrite + Unpin>(&self, writer: &mut W) -> Result<(), OutboxError> {
        loop {
            let step = self.queue().step(Instant::now());
            match step {
                Step::Send(frames) => {
                    let mut write = pin!(write(writer, &frames));
                    tokio::select! {
                        written = &mut write => written?,
                        () = self.0.overflowed.notified() => return Err(OutboxError::Overflow),
                    }
                }
                Step::WaitUntil(instant) => tokio::select! {
                    () = sleep_until(instant) => {}
                    () = self.0.changed.notified() => {}
                },
                Step::Wait => self.0.changed.notified().await,
                Step::Finished => return Ok(writer.shutdown().await?),
                Step::Overflowed => return Err(OutboxError::Overflow),
            }
        }
    }

    fn put(&self, change: impl FnOnce(&mut Queue)) {
        let mut queue = self.queue();
        change(&mut queue);
        if queue.has_overflowed() {
            self.0.overflowed.notify_one();
        }
        drop(queue);
        self.0.changed.notify_one();
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn write<W: AsyncWrite + Unpin>(writer: &mut W, frames: &[u8]) -> io::Result<()> {
    writer.write_all(frames).await?;
    writer.flush().await
}

#[cfg(test)]
mod tests;
