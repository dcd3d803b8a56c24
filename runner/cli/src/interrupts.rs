//! Signals that end a run: SIGINT, SIGTERM and SIGHUP cancel as GitHub does, and once more kill.
//!
//! Knows signals and whom to tell; while somebody talks with a job, Ctrl-C is theirs and no wish to end the run.

use std::io::{self, Write as _};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::{JoinHandle, spawn_local};

/// Listens for the run.
pub(crate) struct Interrupts {
    cancel: UnboundedSender<()>,
    listening: JoinHandle<()>,
}

impl Interrupts {
    /// Every signal is one message on `cancel`. Has to be called within a `tokio::task::LocalSet`.
    pub(crate) fn listen(cancel: UnboundedSender<()>) -> Interrupts {
        let listening = spawn_local(pass_on(cancel.clone(), signals(true)));
        Interrupts { cancel, listening }
    }

    /// From now on Ctrl-C belongs to a conversation.
    pub(crate) fn leave_keyboard(&mut self) {
        self.listen_anew(false);
    }

    /// From now on Ctrl-C cancels the run again.
    pub(crate) fn take_keyboard(&mut self) {
        self.listen_anew(true);
    }

    /// A new listener hears nothing of what came before it, so that an answer to the conversation is not taken for more.
    fn listen_anew(&mut self, keyboard: bool) {
        self.listening.abort();
        self.listening = spawn_local(pass_on(self.cancel.clone(), signals(keyboard)));
    }
}

fn signals(keyboard: bool) -> [Option<Signal>; 3] {
    let listen = |kind| signal(kind).ok();
    [
        keyboard.then(|| listen(SignalKind::interrupt())).flatten(),
        listen(SignalKind::terminate()),
        listen(SignalKind::hangup()),
    ]
}

async fn pass_on(cancel: UnboundedSender<()>, mut signals: [Option<Signal>; 3]) {
    let [interrupt, terminate, hangup] = &mut signals;
    let mut first = true;
    loop {
        tokio::select! {
            Some(Some(())) = next(interrupt) => {}
            Some(Some(())) = next(terminate) => {}
            Some(Some(())) = next(hangup) => {}
            else => return,
        }
        if first {
            let _ = writeln!(io::stderr(), "cancelling; once more to kill");
        }
        first = false;
        if cancel.send(()).is_err() {
            return;
        }
    }
}

/// The next of these signals; nothing if they cannot be listened to.
pub(crate) async fn next(signal: &mut Option<Signal>) -> Option<Option<()>> {
    match signal {
        Some(signal) => Some(signal.recv().await),
        None => None,
    }
}
