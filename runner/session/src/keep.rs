//! Keeping moments: in the timeline, which lives as long as the session.
//!
//! Knows that a moment has a state, files and a cause; not when one is due.

use std::sync::Arc;

use host::contract::Host;
use host::snapshot::SnapshotId;

use crate::moment::{BranchId, Cause};
use crate::notice::{FileCounts, Notice};
use crate::session::Session;

impl<H: Host> Session<H> {
    /// Keeps the job as it is now as a moment after the present one, and makes it the present one.
    pub(crate) fn keep(&mut self, branch: BranchId, cause: Cause, files: Option<SnapshotId>) {
        let parent = (!self.timeline.moments().is_empty()).then_some(self.here);
        self.here = self.timeline.record(parent, branch, cause, Arc::new(self.job.clone()), files);
    }

    /// The snapshot of the present moment.
    pub(crate) fn files_here(&self) -> Option<SnapshotId> {
        self.timeline.get(self.here).and_then(|moment| moment.files)
    }

    /// Takes a snapshot; a failure is told, and the moment has no files.
    pub(crate) fn snapshot(&mut self) -> Option<(SnapshotId, FileCounts)> {
        match self.files.as_mut()?.take() {
            Ok(taken) => Some(taken),
            Err(error) => {
                self.tell(Notice::Warning(format!(
                    "no snapshot of the workspace: {error}; this moment can be viewed, but not gone back to with its files"
                )));
                None
            }
        }
    }
}
