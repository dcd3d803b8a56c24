//! One client's connection: messages become requests for the conversation, and what it says goes into the outbox.
//!
//! Knows who may ask what before it has shown its token; not what a request does.

use std::rc::Rc;

use crate::adapter::converse;
use crate::debuggee::Desk;
use crate::envelope::{Content, Envelope};
use crate::outbox::Outbox;
use crate::protocol::{Failure, Request};
use crate::transport::{Connection, MessageReader};

/// Serves a client until it goes. Bytes that are no messages end the connection; a message that cannot be read is answered.
pub async fn serve(desk: Rc<Desk>, connection: Connection) {
    let Connection { reader, writer, .. } = connection;
    let out = Outbox::new();
    let incoming = Incoming { reader, out: out.clone() };
    let talk = async {
        converse(desk, out.clone(), incoming).await;
        out.finish();
    };
    let (written, ()) = tokio::join!(out.pump(writer), talk);
    if let Err(error) = written {
        tracing::debug!("a client has gone: {error}");
    }
}

/// A request that may be served, or what is wrong with it.
pub(crate) struct Asked {
    /// Its number.
    pub(crate) seq: i64,
    /// Its command.
    pub(crate) command: String,
    /// What it asks.
    pub(crate) request: Result<Request, Failure>,
}

/// Where requests come from.
pub(crate) struct Incoming {
    reader: MessageReader,
    out: Outbox,
}

impl Incoming {
    /// The next request; `None` when the client has gone, or has to. May be dropped while it waits: nothing gets lost.
    pub(crate) async fn next(&mut self) -> Option<Asked> {
        loop {
            let body = match self.reader.next().await {
                Ok(body) => body?,
                Err(error) => {
                    tracing::debug!("a connection is closed: {error}");
                    return None;
                }
            };
            let envelope = Envelope::parse(&body);
            if envelope.is_err() && !self.reader.is_admitted() {
                return None;
            }
            match envelope {
                Ok(Envelope { seq, content: Content::Request(raw) }) => {
                    let command = raw.command.clone();
                    return self.admitted(Asked {
                        seq,
                        command,
                        request: Request::decode(raw).map_err(Failure::from),
                    });
                }
                Ok(Envelope { content: Content::Response(response), .. }) => self.out.answered(response),
                Ok(Envelope { content: Content::Event(_), .. }) => {}
                Err(malformed) => {
                    if let Some(answer) = malformed.answer() {
                        self.out.respond(answer);
                    }
                }
            }
        }
    }

    /// Whoever asks anything else before it has shown its token is told nothing but that.
    fn admitted(&mut self, asked: Asked) -> Option<Asked> {
        let admitted = match &asked.request {
            Ok(request) => self.reader.admit(request),
            Err(_) if self.reader.is_admitted() => Ok(()),
            Err(_) => return None,
        };
        match admitted {
            Ok(()) => Some(asked),
            Err(failure) => {
                self.out.respond(failure.into_response(asked.seq, asked.command));
                None
            }
        }
    }
}
