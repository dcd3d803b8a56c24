//! Serving clients on a thread of its own: however busy the jobs are, a client is answered.
//!
//! Knows threads and streams; what is said is the conversation's affair.

use std::io;
use std::rc::Rc;

use tokio::sync::mpsc;
use tokio::task::LocalSet;

use crate::connection;
use crate::debuggee::{Desk, LaunchCall};

/// Serves the one client at the other end of standard input and output. Blocks until it has gone.
///
/// # Errors
/// The system gives us no event loop.
pub fn serve_stdio(launches: mpsc::UnboundedSender<LaunchCall>) -> io::Result<()> {
    in_runtime(async {
        connection::serve(Desk::for_launches(launches), tokio::io::stdin(), tokio::io::stdout()).await;
    })
}

/// Runs `work` on this thread.
fn in_runtime<T>(work: impl Future<Output = T>) -> io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = LocalSet::new().block_on(&runtime, work);
    // A thread that waits for input must not keep us.
    runtime.shutdown_background();
    Ok(result)
}

/// Serves a client on any stream, on this thread's runtime.
pub async fn serve_stream<S>(desk: Rc<Desk>, stream: S)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let (reader, writer) = tokio::io::split(stream);
    connection::serve(desk, reader, writer).await;
}
