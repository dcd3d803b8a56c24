//! Silence while an answer is due that news must come after: what a movement leads to is told after the answer to it.

use std::cell::Cell;
use std::rc::Rc;

use tokio::sync::Notify;

/// How many answers are due before which nothing is told.
#[derive(Default)]
pub(super) struct Hushes {
    due: Cell<u32>,
    ended: Notify,
}

/// Nothing is told as long as this lives, unless it is lifted.
pub(super) struct Hush {
    hushes: Rc<Hushes>,
    lifted: Cell<bool>,
}

impl Hushes {
    /// Whether nothing may be told now.
    pub(super) fn any(&self) -> bool {
        self.due.get() > 0
    }

    /// Returns when one has ended.
    pub(super) async fn ended(&self) {
        self.ended.notified().await;
    }
}

impl Hush {
    /// Silence from now on.
    pub(super) fn over(hushes: &Rc<Hushes>) -> Self {
        hushes.due.set(hushes.due.get().saturating_add(1));
        Self { hushes: Rc::clone(hushes), lifted: Cell::new(false) }
    }

    /// No silence: for requests that turn out to move nothing and may take long.
    pub(super) fn lift(&self) {
        if !self.lifted.replace(true) {
            self.hushes.due.set(self.hushes.due.get().saturating_sub(1));
            self.hushes.ended.notify_one();
        }
    }
}

impl Drop for Hush {
    fn drop(&mut self) {
        self.lift();
    }
}
