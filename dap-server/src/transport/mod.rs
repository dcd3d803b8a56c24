//! How peers come in: over the program's own input and output, a UNIX socket, or a port of this machine. Decides who may
//! be there at all; what is then said is not known here.
//!
//! Whoever can talk to a debugger can run commands as its user. So a socket lies in a folder that is closed to others and
//! its peer has to have our user id; a port is on the loopback address alone, and nothing is served there before the
//! peer has shown a token that is made anew for each start ([`MessageReader::admit`]); and the composition root may refuse
//! peers of its own, such as the steps of the job that is debugged ([`PeerCheck`]). That holds off ordinary programs and
//! other users, not hostile code of the same user.

mod address;
mod listener;
mod owner;
mod reader;

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};

pub use address::{Address, AddressError};
pub use listener::{ListenError, Listener};
pub use reader::{MessageReader, ReadError};

/// Bytes that an in-memory pipe holds in each direction.
const PIPE_BYTES: usize = 64 * 1024;

/// The half of a connection to write to, usually by [`Outbox::pump`](crate::outbox::Outbox::pump).
pub type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// A peer that may talk, though perhaps only to show its token.
pub struct Connection {
    /// What it sends.
    pub reader: MessageReader,
    /// What it is sent.
    pub writer: Writer,
    /// Who it is.
    pub peer: Peer,
}

/// Who is at the other end, as far as the system knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// The user that it runs as.
    pub uid: Option<u32>,
    /// The processes that hold its end: one for a socket; for a port those that could be found.
    pub pids: Vec<i32>,
}

/// Whether a peer may come in, besides all that is checked here anyway.
pub trait PeerCheck: Send + Sync {
    /// Refused peers are hung up on without a word.
    fn admits(&self, peer: &Peer) -> bool;
}

impl<F: Fn(&Peer) -> bool + Send + Sync> PeerCheck for F {
    fn admits(&self, peer: &Peer) -> bool {
        self(peer)
    }
}

impl Connection {
    /// The program's own input and output: whoever started it may talk. Nothing else may be written to the output. The
    /// input is read on a thread that only ends with a further line, so the runtime has to be shut down without waiting.
    pub fn stdio() -> Self {
        Self::over(tokio::io::stdin(), tokio::io::stdout())
    }

    /// Any two halves of a connection whose peer is trusted.
    pub fn over(
        reader: impl AsyncRead + Send + Unpin + 'static,
        writer: impl AsyncWrite + Send + Unpin + 'static,
    ) -> Self {
        let peer = Peer::default();
        Self { reader: MessageReader::new(reader), writer: Box::new(writer), peer }
    }

    /// A connection within this process, and its other end.
    pub fn in_memory() -> (Self, DuplexStream) {
        let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
        let (reader, writer) = tokio::io::split(ours);
        (Self::over(reader, writer), theirs)
    }
}

#[cfg(test)]
mod tests;
