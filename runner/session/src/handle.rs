//! How a face reaches a running session.

use tokio::sync::{mpsc, oneshot};

use crate::request::{Refusal, Reply, Request};

/// A request on its way.
pub struct Call {
    pub(crate) request: Request,
    pub(crate) reply: oneshot::Sender<Reply>,
}

/// Asks a session; can be cloned and used from any thread.
#[derive(Clone)]
pub struct SessionHandle {
    calls: mpsc::UnboundedSender<Call>,
}

impl SessionHandle {
    pub(crate) fn new(calls: mpsc::UnboundedSender<Call>) -> Self {
        Self { calls }
    }

    /// Asks and waits for the answer. A session that is over refuses everything.
    pub async fn ask(&self, request: Request) -> Reply {
        match self.send(request) {
            Some(answer) => answer.await.unwrap_or_else(|_| over()),
            None => over(),
        }
    }

    /// The same for a thread that may block.
    pub fn ask_blocking(&self, request: Request) -> Reply {
        match self.send(request) {
            Some(answer) => answer.blocking_recv().unwrap_or_else(|_| over()),
            None => over(),
        }
    }

    /// Waits until the session is over.
    pub async fn closed(&self) {
        self.calls.closed().await;
    }

    /// Asks without waiting for the answer.
    pub fn tell(&self, request: Request) {
        drop(self.send(request));
    }

    fn send(&self, request: Request) -> Option<oneshot::Receiver<Reply>> {
        let (reply, answer) = oneshot::channel();
        self.calls.send(Call { request, reply }).ok().map(|()| answer)
    }
}

fn over() -> Reply {
    Reply::Refused(Refusal::new("the session is over"))
}
