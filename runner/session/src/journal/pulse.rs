//! A thread that does one piece of work soon after it was asked to, and otherwise sleeps. It does not know
//! what the work is.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// Runs its work at most `delay` after the first [`Pulse::mark`], at once after [`Pulse::now`]. Dropping it
/// waits for the work under way and runs no more; [`Pulse::once_more`] does neither.
pub(super) struct Pulse {
    demand: Arc<(Mutex<Demand>, Condvar)>,
    delay: Duration,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Demand {
    due: Option<Instant>,
    stop: bool,
    /// The thread ends by itself when nothing is due any more.
    last: bool,
}

impl Pulse {
    /// Starts the thread. Fails when the system gives none.
    pub(super) fn start(
        name: &str,
        delay: Duration,
        mut work: impl FnMut() + Send + 'static,
    ) -> io::Result<Self> {
        let demand = Arc::new((Mutex::new(Demand::default()), Condvar::new()));
        let theirs = Arc::clone(&demand);
        let body = move || {
            while wait_until_due(&theirs) {
                work();
            }
        };
        let thread = Builder::new().name(name.to_owned()).spawn(body)?;
        Ok(Pulse { demand, delay, thread: Some(thread) })
    }

    /// Asks for the work within the delay. Costs a lock; a wake-up only when nothing was asked for yet.
    pub(super) fn mark(&self) {
        let mut demand = lock(&self.demand.0);
        if demand.due.is_none() {
            demand.due = Some(Instant::now() + self.delay);
            self.demand.1.notify_one();
        }
    }

    /// Asks for the work at once.
    pub(super) fn now(&self) {
        lock(&self.demand.0).due = Some(Instant::now());
        self.demand.1.notify_one();
    }

    /// Asks for the work at once, for the last time, and leaves the thread to it.
    pub(super) fn once_more(mut self) {
        lock(&self.demand.0).last = true;
        self.now();
        self.thread = None;
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        lock(&self.demand.0).stop = true;
        self.demand.1.notify_one();
        // A panic of the work has been printed by the thread; there is nothing to add to it here.
        let _ = thread.join();
    }
}

/// True when work is due, false when the pulse is being dropped.
fn wait_until_due((demand, wake): &(Mutex<Demand>, Condvar)) -> bool {
    let mut asked = lock(demand);
    loop {
        if asked.stop {
            return false;
        }
        asked = match asked.due.map(|due| due.saturating_duration_since(Instant::now())) {
            None if asked.last => return false,
            None => wake.wait(asked).unwrap_or_else(PoisonError::into_inner),
            Some(Duration::ZERO) => {
                asked.due = None;
                return true;
            }
            Some(left) => wake.wait_timeout(asked, left).unwrap_or_else(PoisonError::into_inner).0,
        };
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
