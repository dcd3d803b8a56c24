//! The two halves of a client's connection: what is read is held against the schema, and what is written may break off.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use dap_server::codec::Decoder;
use serde_json::Value as Json;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::schema::Schema;

thread_local! {
    /// Validators cannot be shared by threads.
    static SCHEMA: Option<Schema> = Schema::load();
}

/// What a server has sent.
#[derive(Default)]
pub(crate) struct Heard {
    pub messages: usize,
    pub wrong: Vec<String>,
}

/// Passes on what it reads, after a look at it.
pub(crate) struct Overheard<R> {
    pub from: R,
    pub decoder: Decoder,
    pub heard: Arc<Mutex<Heard>>,
}

impl<R: AsyncRead + Unpin> AsyncRead for Overheard<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let known = buffer.filled().len();
        ready!(Pin::new(&mut self.from).poll_read(context, buffer))?;
        let this = &mut *self;
        this.heard.lock().unwrap().take(&mut this.decoder, &buffer.filled()[known..]);
        Poll::Ready(Ok(()))
    }
}

/// Writes, until it is told to break off within a message.
pub(crate) struct Breaking<W> {
    pub to: W,
    /// How many bytes more may be written.
    pub left: Arc<Mutex<Option<usize>>>,
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Breaking<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let left = *self.left.lock().unwrap();
        let Some(left) = left else { return Pin::new(&mut self.to).poll_write(context, bytes) };
        let part = &bytes[..left.min(bytes.len())];
        if part.is_empty() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let written = ready!(Pin::new(&mut self.to).poll_write(context, part))?;
        *self.left.lock().unwrap() = Some(left - written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.to).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.to).poll_shutdown(context)
    }
}

impl Heard {
    fn take(&mut self, decoder: &mut Decoder, mut bytes: &[u8]) {
        loop {
            match decoder.decode(&mut bytes) {
                Ok(Some(body)) => self.check(&body),
                Ok(None) => return,
                Err(error) => return self.wrong.push(error.to_string()),
            }
        }
    }

    fn check(&mut self, body: &str) {
        self.messages += 1;
        let message: Json = serde_json::from_str(body).unwrap_or_default();
        let checked = SCHEMA.with(|schema| schema.as_ref().map_or(Ok(()), |schema| schema.check(&message)));
        if let Err(wrong) = checked {
            self.wrong.push(format!("{wrong}\nin {body}"));
        }
    }
}
