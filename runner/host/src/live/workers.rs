//! Threads that run bodies, kept for the next body when one is over: a thread costs as much as a good part of a small step.
//!
//! Knows tasks; not what they do.

use std::io;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::body::Wake;

type Task = Box<dyn FnOnce() + Send>;

/// A thread that waits for work. It ends when nobody has its sender any more.
pub(super) struct Worker {
    tasks: Sender<(Task, Worker)>,
    wake: Arc<Wake>,
}

impl Worker {
    /// Wakes the task that this worker runs.
    pub(super) fn wake(&self) -> Arc<Wake> {
        Arc::clone(&self.wake)
    }

    /// Runs the task.
    pub(super) fn run(self, task: Task) {
        // The receiver lives as long as its thread, which waits for this.
        let _ = self.tasks.clone().send((task, self));
    }
}

/// Idle threads.
#[derive(Default)]
pub(super) struct Workers {
    idle: Arc<Mutex<Vec<Worker>>>,
}

impl Workers {
    /// Takes back one that was not needed.
    pub(super) fn give_back(&self, worker: Worker) {
        lock(&self.idle).push(worker);
    }

    /// An idle thread, or a new one.
    ///
    /// # Errors
    /// No thread or no descriptor is left.
    pub(super) fn take(&self) -> io::Result<Worker> {
        match lock(&self.idle).pop() {
            Some(worker) => Ok(worker),
            None => start(Arc::downgrade(&self.idle)),
        }
    }
}

fn lock(idle: &Mutex<Vec<Worker>>) -> std::sync::MutexGuard<'_, Vec<Worker>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

fn start(idle: Weak<Mutex<Vec<Worker>>>) -> io::Result<Worker> {
    let wake = Arc::new(Wake::new()?);
    let (tasks, queue) = channel::<(Task, Worker)>();
    std::thread::Builder::new().name("lane".to_owned()).spawn(move || {
        while let Ok((task, worker)) = queue.recv() {
            task();
            let Some(idle) = idle.upgrade() else { return };
            lock(&idle).push(worker);
        }
    })?;
    Ok(Worker { tasks, wake })
}
