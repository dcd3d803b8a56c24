//! Serving clients on a thread of its own: however busy the jobs are, a client is answered.
//!
//! Knows threads and connections; what is said is the conversation's affair.

use std::io;
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::task::LocalSet;

use crate::connection;
use crate::debuggee::{Closing, Debuggee, Desk, LaunchCall};
use crate::protocol::Token;
use crate::transport::{Address, Connection, ListenError, Listener, PeerCheck};

/// Serves the one client at the other end of standard input and output. Blocks until it has gone.
///
/// # Errors
/// The system gives us no event loop.
pub fn serve_stdio(launches: mpsc::UnboundedSender<LaunchCall>) -> io::Result<()> {
    in_runtime(async { connection::serve(Desk::for_one(launches), Connection::stdio()).await })
}

/// Where somebody listens, and what a client has to show there.
#[derive(Clone, Debug)]
pub struct Listening {
    /// Where.
    pub address: Address,
    /// For a port.
    pub token: Option<Token>,
}

/// What clients of a listening debugger find.
pub enum Offer {
    /// A job that is there already, and the way to say that it is over.
    Job(Debuggee, Arc<Closing>),
    /// The first client starts its own.
    Launches(mpsc::UnboundedSender<LaunchCall>),
}

/// Lets clients in, one at a time, until the job is over. Blocks; where it listens is told as soon as it does.
///
/// # Errors
/// Nobody can listen there, or the system gives us no event loop.
pub fn serve_clients(
    address: &Address,
    check: Arc<dyn PeerCheck>,
    offer: Offer,
    listening: oneshot::Sender<Listening>,
) -> Result<(), ListenError> {
    let failed = |error| ListenError::Io { address: address.clone(), error };
    in_runtime(async {
        let mut listener = match address {
            Address::Unix(path) => Listener::unix(path, check)?,
            Address::Tcp(address) => Listener::tcp(address.port(), check).await?,
        };
        let there = Listening { address: listener.address(), token: listener.token().cloned() };
        // Whoever wanted to know may have gone.
        let _ = listening.send(there);
        let desk = match offer {
            Offer::Job(debuggee, closing) => Desk::with(debuggee, closing),
            Offer::Launches(launches) => Desk::for_launches(launches),
        };
        accept_all(&mut listener, &desk).await.map_err(failed)
    })
    .map_err(failed)?
}

/// A second client is served as soon as the first has gone; a job that is over needs none.
async fn accept_all(listener: &mut Listener, desk: &Rc<Desk>) -> io::Result<()> {
    while !desk.is_over() {
        tokio::select! {
            connection = listener.accept() => connection::serve(Rc::clone(desk), connection?).await,
            () = desk.closed() => {}
        }
    }
    Ok(())
}

/// Serves a client within this process: the terminal.
pub async fn serve_connection(desk: Rc<Desk>, connection: Connection) {
    connection::serve(desk, connection).await;
}

/// Runs `work` on this thread.
fn in_runtime<T>(work: impl Future<Output = T>) -> io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = LocalSet::new().block_on(&runtime, work);
    // A thread that waits for input must not keep us.
    runtime.shutdown_background();
    Ok(result)
}
