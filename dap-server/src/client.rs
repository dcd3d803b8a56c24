//! The other end of a connection: sends requests, gives their answers to whoever asked, and events to whoever listens.
//! Used by the terminal and by tests. It shows nothing and decides nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};

use crate::codec;
use crate::envelope::{Content, Envelope, RawEvent, RawRequest, RawResponse};
use crate::protocol::{
    Command, DecodeError, ErrorBody, ErrorId, Event, Failure, ReverseRequest, ReverseResponseBody,
};
use crate::transport::{MessageReader, ReadError};

/// Sends requests. Clones share a connection, which is closed when the last of them is gone.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Mutex<Shared>>,
    frames: mpsc::UnboundedSender<Vec<u8>>,
}

#[derive(Default)]
struct Shared {
    sent: i64,
    waiting: BTreeMap<i64, oneshot::Sender<RawResponse>>,
    closed: bool,
}

/// The events of a connection, in order. They wait here however many they are: read them.
pub struct Events(mpsc::UnboundedReceiver<RawEvent>);

/// A request that was sent and not answered yet.
pub struct Pending {
    /// Its number, by which it can be cancelled.
    pub seq: i64,
    response: oneshot::Receiver<RawResponse>,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The connection was closed before the answer.
    #[error("the debugger has closed the connection")]
    Closed,
    /// The request was refused.
    #[error("{text}")]
    Refused {
        /// The text, filled in.
        text: String,
        /// The error at length, if there was one.
        error: Option<Box<ErrorBody>>,
    },
    /// The answer is none to this request.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The arguments cannot be written.
    #[error("the arguments cannot be written: {0}")]
    Encode(#[from] serde_json::Error),
}

/// Makes a client of a connection. Nothing moves unless the future is run; it ends with the connection. `reverse` answers
/// what the debugger asks: [`refuse`] does for a client that serves nothing.
pub fn connect<R, W, F>(
    reader: R,
    writer: W,
    reverse: F,
) -> (Client, Events, impl Future<Output = Result<(), ReadError>> + Send)
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
    F: FnMut(ReverseRequest) -> Result<ReverseResponseBody, Failure> + Send + 'static,
{
    let (frames, to_write) = mpsc::unbounded_channel();
    let (to_events, events) = mpsc::unbounded_channel();
    let shared = Arc::new(Mutex::new(Shared::default()));
    let client = Client { shared: Arc::clone(&shared), frames: frames.clone() };
    // The reader must not keep the connection open when all clients are gone.
    let answers = Answers { shared, frames: frames.downgrade(), events: to_events };
    let driver = async move {
        let read = read_all(MessageReader::new(reader), &answers, reverse);
        let ended = tokio::select! {
            ended = read => ended,
            error = write_all(writer, to_write) => Err(error),
        };
        let mut shared = lock(&answers.shared);
        shared.closed = true;
        shared.waiting.clear();
        ended
    };
    (client, Events(events), driver)
}

/// Serves no request of a debugger.
///
/// # Errors
/// Always.
pub fn refuse(request: ReverseRequest) -> Result<ReverseResponseBody, Failure> {
    let failure = Failure::new(ErrorId::NotServed, "this client does not serve '{command}'");
    Err(failure.with("command", request.command()))
}

impl Client {
    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// It was refused, or the connection was closed.
    pub async fn request<C: Command>(&self, arguments: &C) -> Result<C::Body, ClientError> {
        let arguments = Some(serde_json::value::to_raw_value(arguments)?);
        let pending = self.send(RawRequest { command: C::NAME.to_owned(), arguments });
        let response = pending.result().await?;
        Ok(C::body(response.body.as_deref())?)
    }

    /// Sends any request.
    pub fn send(&self, request: RawRequest) -> Pending {
        let (reply, response) = oneshot::channel();
        let mut shared = lock(&self.shared);
        shared.sent += 1;
        let seq = shared.sent;
        if !shared.closed {
            shared.waiting.insert(seq, reply);
            // Within the lock, so that requests go out in the order of their numbers.
            queue(&self.frames, Envelope { seq, content: Content::Request(request) });
        }
        Pending { seq, response }
    }
}

impl Pending {
    /// The answer as it came, whether it was done or not.
    ///
    /// # Errors
    /// The connection was closed.
    pub async fn response(self) -> Result<RawResponse, ClientError> {
        self.response.await.map_err(|_| ClientError::Closed)
    }

    /// The same for a thread that may block.
    ///
    /// # Errors
    /// The connection was closed.
    pub fn blocking_response(self) -> Result<RawResponse, ClientError> {
        self.response.blocking_recv().map_err(|_| ClientError::Closed)
    }

    /// The answer if it was done.
    ///
    /// # Errors
    /// It was refused, or the connection was closed.
    pub async fn result(self) -> Result<RawResponse, ClientError> {
        let response = self.response().await?;
        if response.success { Ok(response) } else { Err(refused(&response)) }
    }
}

impl Events {
    /// The next event; `None` when the connection is closed.
    ///
    /// # Errors
    /// The event is not what its name says. Further ones may come.
    pub async fn next(&mut self) -> Option<Result<Event, DecodeError>> {
        self.0.recv().await.map(Event::decode)
    }

    /// The next event as it came.
    pub async fn next_raw(&mut self) -> Option<RawEvent> {
        self.0.recv().await
    }
}

fn refused(response: &RawResponse) -> ClientError {
    #[derive(serde::Deserialize)]
    struct Body {
        error: ErrorBody,
    }
    let body = response.body.as_deref().map(|body| serde_json::from_str::<Body>(body.get()));
    let error = body.and_then(Result::ok).map(|body| Box::new(body.error));
    let text = error.as_deref().map(ErrorBody::text).or_else(|| response.message.clone());
    ClientError::Refused { text: text.unwrap_or_else(|| "refused without a reason".to_owned()), error }
}

/// What the reading half needs.
struct Answers {
    shared: Arc<Mutex<Shared>>,
    frames: mpsc::WeakUnboundedSender<Vec<u8>>,
    events: mpsc::UnboundedSender<RawEvent>,
}

impl Answers {
    fn take(
        &self,
        envelope: Envelope,
        reverse: &mut impl FnMut(ReverseRequest) -> Result<ReverseResponseBody, Failure>,
    ) {
        match envelope.content {
            Content::Response(response) => {
                let waiting = lock(&self.shared).waiting.remove(&response.request_seq);
                // Whoever asked may have gone, and so may whoever listened.
                let _ = waiting.map(|reply| reply.send(response));
            }
            Content::Event(event) => drop(self.events.send(event)),
            Content::Request(request) => {
                let command = request.command.clone();
                let answer = ReverseRequest::decode(request).map_err(Failure::from).and_then(reverse);
                let response = match answer {
                    Ok(body) => body.into_response(envelope.seq, command),
                    Err(failure) => failure.into_response(envelope.seq, command),
                };
                self.answer(response);
            }
        }
    }

    fn answer(&self, response: RawResponse) {
        let Some(frames) = self.frames.upgrade() else { return };
        let mut shared = lock(&self.shared);
        shared.sent += 1;
        queue(&frames, Envelope { seq: shared.sent, content: Content::Response(response) });
    }
}

async fn read_all(
    mut reader: MessageReader,
    answers: &Answers,
    mut reverse: impl FnMut(ReverseRequest) -> Result<ReverseResponseBody, Failure>,
) -> Result<(), ReadError> {
    while let Some(body) = reader.next().await? {
        match Envelope::parse(&body) {
            Ok(envelope) => answers.take(envelope, &mut reverse),
            Err(error) => tracing::warn!(%error, "a message of the debugger was passed over"),
        }
    }
    Ok(())
}

/// Ends with an error alone: when everything is sent, answers may still come.
async fn write_all(
    mut writer: impl AsyncWrite + Unpin,
    mut frames: mpsc::UnboundedReceiver<Vec<u8>>,
) -> ReadError {
    let written = async {
        while let Some(frame) = frames.recv().await {
            writer.write_all(&frame).await?;
            writer.flush().await?;
        }
        writer.shutdown().await
    };
    match written.await {
        Ok(()) => std::future::pending().await,
        Err(error) => error.into(),
    }
}

fn queue(frames: &mpsc::UnboundedSender<Vec<u8>>, envelope: Envelope) {
    let mut frame = Vec::new();
    codec::encode(&envelope.to_json(), &mut frame);
    // Nobody takes it when the connection has ended, and then nobody waits for an answer.
    let _ = frames.send(frame);
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
