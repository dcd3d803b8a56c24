//! On whose behalf an action is looked for: who is told of a download, and who may call it off.
//!
//! Knows neither actions nor downloads.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

/// Said once for each job, as GitHub does (steps.md 4.1).
const FIRST_WORD: &str = "Getting action download info";

type Listener = Arc<dyn Fn(&str) + Send + Sync>;

/// Of one job.
#[derive(Clone)]
pub(crate) struct Errand {
    cancelled: watch::Receiver<()>,
    listener: Listener,
    begun: Arc<AtomicBool>,
}

/// Calls everything off when it is dropped.
#[derive(Debug)]
pub(crate) struct CallOff(#[allow(dead_code, reason = "its end is what it says")] watch::Sender<()>);

impl Errand {
    /// `listener` is told of what is asked and downloaded, on any thread.
    pub(crate) fn new(listener: impl Fn(&str) + Send + Sync + 'static) -> (Self, CallOff) {
        let (sender, cancelled) = watch::channel(());
        (Self { cancelled, listener: Arc::new(listener), begun: Arc::default() }, CallOff(sender))
    }

    /// Ends when the errand is called off.
    pub(super) async fn called_off(&self) {
        // Nothing is ever sent.
        let _ = self.cancelled.clone().changed().await;
    }

    /// The first question to the outside is about to be asked.
    pub(super) fn begin(&self) {
        if !self.begun.swap(true, Ordering::Relaxed) {
            self.say(FIRST_WORD);
        }
    }

    pub(super) fn say(&self, text: &str) {
        (self.listener)(text);
    }
}

impl fmt::Debug for Errand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Errand").finish_non_exhaustive()
    }
}
