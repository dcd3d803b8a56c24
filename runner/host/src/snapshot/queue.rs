//! The directories a walk has still to visit, shared by its threads.
//!
//! Knows nothing of what visiting means.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use super::cache::Cached;

/// One directory to visit: number of its root, path within it, and what is known of it.
pub(super) struct Task<'t> {
    pub(super) root: usize,
    pub(super) path: Vec<u8>,
    pub(super) cached: &'t mut Cached,
}

/// Directories still to be visited, and how many are being visited.
pub(super) struct Queue<'t> {
    tasks: Mutex<(Vec<Task<'t>>, usize)>,
    wake: Condvar,
    failed: AtomicBool,
}

impl<'t> Queue<'t> {
    pub(super) fn new(tasks: Vec<Task<'t>>) -> Self {
        Self { tasks: Mutex::new((tasks, 0)), wake: Condvar::new(), failed: AtomicBool::new(false) }
    }

    pub(super) fn next(&self) -> Option<Task<'t>> {
        let mut state = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if self.failed.load(Ordering::Relaxed) {
                return None;
            }
            if let Some(task) = state.0.pop() {
                state.1 += 1;
                return Some(task);
            }
            if state.1 == 0 {
                return None;
            }
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(super) fn done(&self, more: &mut Vec<Task<'t>>, failed: bool) {
        let mut state = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        state.0.append(more);
        state.1 -= 1;
        if failed {
            self.failed.store(true, Ordering::Relaxed);
        }
        if failed || !state.0.is_empty() || state.1 == 0 {
            self.wake.notify_all();
        }
    }
}
