//! Debuggers that clients come to: where they listen, whom they let in, and how a person tells an editor.
//!
//! Knows addresses and processes; what clients say is the adapter's affair.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use dap_server::debuggee::Closing;
use dap_server::server::{Listening, Offer, serve_clients};
use dap_server::transport::{Address, ListenError, Peer, PeerCheck};
use host::proc;
use tokio::sync::oneshot;

use crate::exit::Fault;
use crate::paths::Paths;

/// How far up a peer's parents are looked through: deeper nests than this are nobody's.
const ANCESTORS_MAX: usize = 1000;

/// A debugger that listens on a thread of its own.
pub(crate) struct Server {
    thread: JoinHandle<Result<(), ListenError>>,
    closing: Arc<Closing>,
}

impl Server {
    /// Listens at `address`, and says where.
    ///
    /// # Errors
    /// Nobody can listen there.
    pub(crate) async fn start(
        address: Address,
        offer: impl FnOnce(Arc<Closing>) -> Offer,
    ) -> Result<(Self, Listening), Fault> {
        hide_from_steps();
        let closing = Arc::new(Closing::default());
        let offer = offer(Arc::clone(&closing));
        let (told, listening) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("dap".to_owned())
            .spawn(move || serve_clients(&address, Arc::new(NoSteps), offer, told))
            .map_err(|error| Fault::new(format!("failed to start a thread: {error}")))?;
        match listening.await {
            Ok(listening) => Ok((Self { thread, closing }, listening)),
            Err(_) => Err(ended(thread)),
        }
    }

    /// The job is over: waits for a client that is still there.
    pub(crate) fn close(self) {
        self.closing.close();
        // What went wrong there was said there.
        let _ = self.thread.join();
    }
}

fn ended(thread: JoinHandle<Result<(), ListenError>>) -> Fault {
    match thread.join() {
        Ok(Err(error)) => Fault::new(error.to_string()),
        _ => Fault::new("the debug adapter has failed"),
    }
}

/// Where to listen: what was named, else a socket of our own.
///
/// # Errors
/// The text is no address.
pub(crate) fn address(named: &str, paths: &Paths) -> Result<Address, Fault> {
    if !named.is_empty() {
        return named
            .parse()
            .map_err(|error: dap_server::transport::AddressError| Fault::new(error.to_string()));
    }
    Ok(Address::Unix(socket_folder(paths).join(format!("{}.sock", std::process::id()))))
}

/// The system's folder for such things, which goes with the login, else ours.
fn socket_folder(paths: &Paths) -> PathBuf {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty());
    runtime.map_or_else(|| paths.state.join("sockets"), |folder| PathBuf::from(folder).join("stepback"))
}

/// How to attach, for each editor; ended by a line break.
pub(crate) fn how_to_attach(listening: &Listening) -> String {
    let address = listening.address.to_string();
    let mut lines = vec![format!("  waiting for a debugger at {address}")];
    lines.push(format!("  terminal   stepback attach {address}"));
    lines.push(format!(
        "  VS Code    {{\"type\": \"stepback\", \"request\": \"attach\", \"address\": \"{address}\"}}"
    ));
    let adapter = match &listening.address {
        Address::Unix(path) => format!("type = \"pipe\", pipe = \"{}\"", path.display()),
        Address::Tcp(address) => {
            format!("type = \"server\", host = \"{}\", port = {}", address.ip(), address.port())
        }
    };
    lines.push(format!("  Neovim     require(\"dap\").adapters.stepback = {{ {adapter} }}"));
    if let Some(token) = &listening.token {
        lines.push(format!("  token      {}", token.reveal()));
    }
    lines.join("\n") + "\n"
}

/// A step of the job must not drive its own debugger (DESIGN 5): all of them descend from us, or carry a job's tracking id.
struct NoSteps;

impl PeerCheck for NoSteps {
    fn admits(&self, peer: &Peer) -> bool {
        !peer.pids.iter().any(|pid| is_of_a_step(*pid))
    }
}

fn is_of_a_step(pid: i32) -> bool {
    let tracked = proc::tracking_id(pid).ok().flatten().is_some_and(|id| id.starts_with("github_"));
    let us = i32::try_from(std::process::id()).unwrap_or(0);
    let ancestors =
        std::iter::successors(proc::read(pid), |process| proc::read(process.parent)).take(ANCESTORS_MAX);
    tracked || ancestors.skip(usize::from(pid == us)).any(|process| process.id.pid == us)
}

/// Neither our memory nor our descriptors can be opened by other programs of this user: there is the token.
fn hide_from_steps() {
    if let Err(error) = proc::hide_from_others() {
        tracing::warn!("other programs may look into this one: {error}");
    }
}
