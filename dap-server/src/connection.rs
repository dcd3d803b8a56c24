//! One connection: bytes become requests for the conversation, and what it says becomes bytes.
//!
//! Knows streams; not how a peer came to have one.

use std::io;
use std::rc::Rc;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;

use crate::adapter::converse;
use crate::codec::{Decoder, encode};
use crate::debuggee::Desk;
use crate::envelope::{Content, Envelope, RawRequest};
use crate::limits::READ_BYTES;
use crate::outlet::{Incoming, Outlet};

/// Serves a client until it goes. A frame that is none ends the connection; a message that is none is answered.
pub async fn serve<R, W>(desk: Rc<Desk>, reader: R, writer: W)
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let (sender, messages) = mpsc::unbounded_channel();
    let out = Outlet::new(sender);
    let requests = Requests { reader, decoder: Decoder::new(), buffer: Vec::new(), at: 0, out: out.clone() };
    let talk = converse(desk, out, requests);
    let ((), written) = tokio::join!(talk, write(messages, writer));
    if let Err(error) = written {
        tracing::debug!("a client has gone: {error}");
    }
}

struct Requests<R> {
    reader: R,
    decoder: Decoder,
    buffer: Vec<u8>,
    at: usize,
    out: Outlet,
}

impl<R: AsyncRead + Unpin> Requests<R> {
    /// The next body; `None` at the end of the stream, or where it can no longer be followed.
    async fn body(&mut self) -> Option<String> {
        loop {
            let mut rest = self.buffer.get(self.at..).unwrap_or_default();
            let before = rest.len();
            let found = self.decoder.decode(&mut rest);
            self.at += before - rest.len();
            match found {
                Ok(Some(body)) => return Some(body),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!("a connection is closed: {error}");
                    return None;
                }
            }
            self.buffer.clear();
            self.buffer.reserve(READ_BYTES);
            self.at = 0;
            // Whoever waits for us may stop waiting here: nothing is read then.
            if self.reader.read_buf(&mut self.buffer).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }
}

impl<R: AsyncRead + Unpin> Incoming for Requests<R> {
    async fn next(&mut self) -> Option<(i64, RawRequest)> {
        loop {
            let body = self.body().await?;
            match Envelope::parse(&body) {
                Ok(Envelope { seq, content: Content::Request(request) }) => return Some((seq, request)),
                // We ask nothing, so these answer nothing.
                Ok(_) => {}
                Err(malformed) => {
                    if let Some(answer) = malformed.answer() {
                        self.out.response(answer);
                    }
                }
            }
        }
    }
}

/// Writes until the last one who could say something has gone.
async fn write<W: AsyncWrite + Unpin>(
    mut messages: mpsc::UnboundedReceiver<Content>,
    mut writer: W,
) -> io::Result<()> {
    let mut seq = 0;
    let mut bytes = Vec::new();
    while let Some(content) = messages.recv().await {
        let mut next = Some(content);
        while let Some(content) = next {
            seq += 1;
            encode(&Envelope { seq, content }.to_json(), &mut bytes);
            next = messages.try_recv().ok();
        }
        writer.write_all(&bytes).await?;
        writer.flush().await?;
        bytes.clear();
    }
    Ok(())
}
