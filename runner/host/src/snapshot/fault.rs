//! A counter that makes the Nth change to a disk fail, so that tests can try every point at which a crash or a full
//! disk can hit. In a product run it counts nothing.
//!
//! Knows nothing of what is being changed.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Shared by everything that changes files for one store.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults {
    plan: Option<Arc<Plan>>,
}

#[derive(Debug)]
struct Plan {
    left: AtomicU64,
    kind: FaultKind,
}

/// What happens when the counter runs out.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(test), expect(dead_code, reason = "only tests make faults"))]
pub(super) enum FaultKind {
    /// Every change from then on fails with this error number.
    Error(i32),
    /// The process is killed as by `kill -9`.
    Kill,
}

impl Faults {
    #[cfg(test)]
    pub(super) fn after(changes: u64, kind: FaultKind) -> Self {
        Self { plan: Some(Arc::new(Plan { left: AtomicU64::new(changes), kind })) }
    }

    /// Called before every change.
    pub(super) fn step(&self) -> io::Result<()> {
        match &self.plan {
            None => Ok(()),
            Some(plan) => plan.step(),
        }
    }
}

impl Plan {
    fn step(&self) -> io::Result<()> {
        let counted =
            self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        match (counted, self.kind) {
            (Ok(_), _) => Ok(()),
            (Err(_), FaultKind::Error(number)) => Err(io::Error::from_raw_os_error(number)),
            (Err(_), FaultKind::Kill) => {
                let _ =
                    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
                Err(io::Error::other("killed"))
            }
        }
    }
}
