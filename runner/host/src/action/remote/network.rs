//! The thread on which connections live, and how other threads wait for them.
//!
//! Knows clients and waiting; not what is asked.

use std::future::Future;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot};

use super::Pace;
use super::get::{Trouble, is_loopback};
use crate::action::errand::Errand;

/// Downloads at once: more do not come faster, and GitHub counts them.
const SLOTS: usize = 4;

/// Connections, which are used again as long as this is there.
pub(super) struct Network {
    pub(super) client: Client,
    pub(super) slots: Semaphore,
    handle: Handle,
    _end: oneshot::Sender<()>,
}

impl Network {
    /// Starts the thread.
    pub(super) fn start(pace: &Pace, api: &Url) -> Result<Self, String> {
        let failed = |error: &dyn std::fmt::Display| format!("nothing can be downloaded: {error}");
        // Another part of the program may have chosen one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = Client::builder()
            .user_agent(concat!("stepback/", env!("CARGO_PKG_VERSION")))
            // Where the token may go is decided at each step.
            .redirect(Policy::none())
            .connect_timeout(pace.connect)
            .read_timeout(pace.silence)
            .pool_idle_timeout(Duration::from_secs(30));
        // No proxy of the outside leads to this machine.
        let builder = if is_loopback(api) { builder.no_proxy() } else { builder };
        let client = builder.build().map_err(|error| failed(&get_text(&error)))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| failed(&error))?;
        let handle = runtime.handle().clone();
        let (sender, end) = oneshot::channel::<()>();
        let run = move || drop(runtime.block_on(end));
        let thread = std::thread::Builder::new().name("downloads".to_owned()).spawn(run);
        thread.map_err(|error| failed(&error))?;
        Ok(Self { client, slots: Semaphore::new(SLOTS), handle, _end: sender })
    }

    /// Waits on this thread, unless the errand is called off. Must not be called on a thread of a runtime.
    pub(super) fn wait<T>(&self, errand: &Errand, future: impl Future<Output = T>) -> Result<T, Trouble> {
        self.handle.block_on(async {
            tokio::select! {
                biased;
                () = errand.called_off() => Err(Trouble::CalledOff),
                done = future => Ok(done),
            }
        })
    }
}

fn get_text(error: &reqwest::Error) -> String {
    super::get::chain(error)
}
