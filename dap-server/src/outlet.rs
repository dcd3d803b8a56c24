//! The two ends of a connection as the conversation sees them: requests come in, answers and news go out.
//!
//! Knows messages; no bytes.

use tokio::sync::mpsc;

use crate::envelope::{Content, RawRequest, RawResponse};
use crate::protocol::Event;
use crate::protocol::output::OutputEvent;

/// Where requests come from.
pub(crate) trait Incoming {
    /// The next request with its number; `None` when the client has gone.
    async fn next(&mut self) -> Option<(i64, RawRequest)>;
}

/// Where answers and news go. A client that has gone gets nothing, and nobody minds.
#[derive(Clone)]
pub(crate) struct Outlet {
    sender: mpsc::UnboundedSender<Content>,
}

impl Outlet {
    pub(crate) fn new(sender: mpsc::UnboundedSender<Content>) -> Self {
        Self { sender }
    }

    pub(crate) fn response(&self, response: RawResponse) {
        let _ = self.sender.send(Content::Response(response));
    }

    pub(crate) fn event(&self, event: Event) {
        match event.encode() {
            Ok(event) => drop(self.sender.send(Content::Event(event))),
            Err(error) => tracing::warn!("an event cannot be written: {error}"),
        }
    }

    pub(crate) fn output(&self, event: OutputEvent) {
        self.event(Event::Output(event));
    }
}
