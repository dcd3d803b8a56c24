//! Message bodies from a connection, and the narrow gate that a peer is in front of until it has shown its token. Does
//! not know what the messages say, but for the two that may come before.

use std::io;
use std::ops::Range;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::{Instant, timeout_at};

use crate::codec::{Decoder, FrameError};
use crate::limits::{READ_BYTES, UNADMITTED_BYTES_MAX, UNADMITTED_TIME_MAX};
use crate::protocol::{ErrorId, Failure, Request, Token};

/// Why no message comes any more; the connection has to be closed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The bytes are no messages.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The connection is broken.
    #[error("failed to read from the peer: {0}")]
    Io(#[from] io::Error),
    /// It was closed within a message.
    #[error("the peer hung up in the middle of a message")]
    CutOff,
    /// No token in time.
    #[error("the peer showed no token within {} s", UNADMITTED_TIME_MAX.as_secs())]
    TooLate,
    /// No token within the bytes that it may send before.
    #[error("the peer sent more than {UNADMITTED_BYTES_MAX} bytes before its token")]
    TooMuch,
    /// It was refused by [`MessageReader::admit`].
    #[error("the peer was not admitted")]
    NotAdmitted,
}

/// Reads the messages of one peer.
pub struct MessageReader {
    from: Box<dyn AsyncRead + Send + Unpin>,
    decoder: Decoder,
    buffer: Box<[u8]>,
    unread: Range<usize>,
    gate: Gate,
}

/// How far in the peer is.
enum Gate {
    /// All the way.
    Open,
    /// It has to show this token, with that many bytes, by then.
    Token { token: Token, bytes_left: usize, until: Instant },
    /// It tried in vain.
    Shut,
}

impl MessageReader {
    /// From a peer that is trusted.
    pub fn new(from: impl AsyncRead + Send + Unpin + 'static) -> Self {
        let buffer = vec![0; READ_BYTES].into_boxed_slice();
        Self { from: Box::new(from), decoder: Decoder::new(), buffer, unread: 0..0, gate: Gate::Open }
    }

    /// From a peer that has to show a token first. Its time begins now.
    pub fn with_token(from: impl AsyncRead + Send + Unpin + 'static, token: Token) -> Self {
        let until = Instant::now() + UNADMITTED_TIME_MAX;
        let gate = Gate::Token { token, bytes_left: UNADMITTED_BYTES_MAX, until };
        Self { gate, ..Self::new(from) }
    }

    /// The next message body; `None` when the peer has closed the connection. May be dropped while it waits: nothing
    /// gets lost.
    ///
    /// # Errors
    /// No message will come any more.
    pub async fn next(&mut self) -> Result<Option<String>, ReadError> {
        loop {
            let mut input = self.buffer.get(self.unread.clone()).unwrap_or_default();
            let body = self.decoder.decode(&mut input)?;
            self.unread.start = self.unread.end - input.len();
            if body.is_some() {
                return Ok(body);
            }
            match self.fill().await? {
                0 if self.decoder.is_between_frames() => return Ok(None),
                0 => return Err(ReadError::CutOff),
                count => self.unread = 0..count,
            }
        }
    }

    /// To be asked for every request before it is served. A peer from a port may ask `initialize` and then has to show
    /// its token in `attach` or `launch`; every other peer is in already.
    ///
    /// # Errors
    /// What to answer before the connection is closed; nothing more can be read. It is the same for all that is wrong.
    pub fn admit(&mut self, request: &Request) -> Result<(), Failure> {
        match (&self.gate, request) {
            (Gate::Open, _) | (Gate::Token { .. }, Request::Initialize(_)) => return Ok(()),
            (Gate::Token { token, .. }, request) => {
                if shown_in(request).is_some_and(|shown| token.matches(&shown)) {
                    self.gate = Gate::Open;
                    return Ok(());
                }
            }
            (Gate::Shut, _) => {}
        }
        self.gate = Gate::Shut;
        Err(Failure::new(ErrorId::NotAdmitted, "not admitted").hint(
            "'attach' or 'launch' has to carry the 'token' that was shown where the debugger was started",
        ))
    }

    /// Whether the peer is in.
    pub fn is_admitted(&self) -> bool {
        matches!(self.gate, Gate::Open)
    }

    async fn fill(&mut self) -> Result<usize, ReadError> {
        match &mut self.gate {
            Gate::Open => Ok(self.from.read(&mut self.buffer).await?),
            Gate::Shut => Err(ReadError::NotAdmitted),
            Gate::Token { bytes_left: 0, .. } => Err(ReadError::TooMuch),
            Gate::Token { bytes_left, until, .. } => {
                let room = self.buffer.get_mut(..*bytes_left).unwrap_or_default();
                let read = timeout_at(*until, self.from.read(room)).await;
                let count = read.map_err(|_| ReadError::TooLate)??;
                *bytes_left = bytes_left.saturating_sub(count);
                Ok(count)
            }
        }
    }
}

/// The token that a request shows.
fn shown_in(request: &Request) -> Option<Token> {
    match request {
        Request::Attach(arguments) => arguments.token.clone(),
        Request::Launch(arguments) => {
            arguments.extra.get("token").and_then(|token| token.as_str()).map(Token::given)
        }
        _ => None,
    }
}
