//! The tree of moments. Going back and running on makes a branch; nothing is ever deleted by going back. Only where nobody
//! can go back is what lies behind forgotten.
//!
//! Knows how moments hang together and finds the one that a person means. Moves nothing, stores nothing on disk.

use std::sync::Arc;

use engine::job::Job;
use engine::step_path::StepPath;
use host::snapshot::SnapshotId;

use crate::moment::{BranchId, Cause, Moment, MomentId, Point};

/// All moments of a job.
#[derive(Clone, Default)]
pub struct Timeline {
    moments: Vec<Moment>,
    /// How many moments were dropped: the first that is kept has this number.
    forgotten: u32,
    branches: u32,
}

impl Timeline {
    /// Adds a moment after `parent`. It lies on the parent's branch, or on a new one if the parent has been left
    /// behind there already: `branch` says which.
    pub fn record(
        &mut self,
        parent: Option<MomentId>,
        branch: BranchId,
        cause: Cause,
        job: Arc<Job>,
        files: Option<SnapshotId>,
    ) -> MomentId {
        let kept = u32::try_from(self.moments.len()).unwrap_or(u32::MAX);
        let id = MomentId(self.forgotten.saturating_add(kept));
        self.branches = self.branches.max(branch.0);
        self.moments.push(Moment { id, parent, branch, point: Point::of(&job), cause, job, files });
        id
    }

    /// Puts back a moment that was read from a journal. Moments come in the order of their numbers.
    pub fn restore(&mut self, moment: Moment) {
        self.branches = self.branches.max(moment.branch.0);
        self.moments.push(moment);
    }

    /// A branch that no moment lies on yet.
    pub fn new_branch(&self) -> BranchId {
        BranchId(self.branches.saturating_add(1))
    }

    /// How many branches there are.
    pub fn branch_count(&self) -> u32 {
        self.branches
    }

    /// The moment with this name.
    pub fn get(&self, id: MomentId) -> Option<&Moment> {
        self.moments.get(self.index(id)?)
    }

    /// Where a moment stands among those that are kept.
    fn index(&self, id: MomentId) -> Option<usize> {
        usize::try_from(id.0.checked_sub(self.forgotten)?).ok()
    }

    /// Drops every moment before `id`, with the job that each of them holds: a long job that runs by itself would keep three
    /// of its states for every step, and none of its own could be changed without a copy. Numbers go on as if they were there.
    pub fn forget_before(&mut self, id: MomentId) {
        let Some(index) = self.index(id).filter(|index| *index < self.moments.len()) else { return };
        self.moments.drain(..index);
        self.forgotten = id.0;
    }

    /// All moments in the order of recording.
    pub fn moments(&self) -> &[Moment] {
        &self.moments
    }

    /// Drops the file content of a moment; its state stays.
    pub fn forget_files(&mut self, id: MomentId) {
        if let Some(moment) = self.index(id).and_then(|index| self.moments.get_mut(index)) {
            moment.files = None;
        }
    }

    /// `id` and everything before it, the latest first: the current branch as a person has lived it.
    pub fn ancestry(&self, id: MomentId) -> impl Iterator<Item = &Moment> {
        std::iter::successors(self.get(id), |moment| moment.parent.and_then(|parent| self.get(parent)))
    }

    /// The first moment of all.
    pub fn start(&self) -> Option<&Moment> {
        self.moments.first()
    }

    /// Where `back` goes from a job that stands at `point` after `from`: the before-moment of the running or settled
    /// step itself, else of the step that was dispatched before (DESIGN 4). `None` at the start.
    pub fn back_from(&self, from: MomentId, point: &Point) -> Option<&Moment> {
        match point {
            Point::During(path) | Point::After(path, _) => self.before_moment(from, path),
            Point::Before(path) | Point::Decided(path) => {
                let previous = self.ancestry(from).find(|moment| comes_before(&moment.point, path))?;
                let Point::Before(previous) = &previous.point else { return None };
                self.before_moment(from, previous)
            }
            Point::End(_) => self
                .ancestry(from)
                .find(|moment| matches!(&moment.point, Point::Before(path) if path.level() == 0)),
        }
    }

    /// The latest moment before the condition of `path`, at `from` or before it. Of several (edits were made there)
    /// the one that the step last started from.
    pub fn before_moment(&self, from: MomentId, path: &StepPath) -> Option<&Moment> {
        self.ancestry(from).find(|moment| moment.point.is_before(path))
    }

    /// The nearest moment at or before `id` that has files.
    pub fn restorable_at_or_before(&self, id: MomentId) -> Option<&Moment> {
        self.ancestry(id).find(|moment| moment.files.is_some())
    }

    /// True when `ancestor` lies on the way to `id`.
    pub fn is_ancestor(&self, ancestor: MomentId, id: MomentId) -> bool {
        self.ancestry(id).any(|moment| moment.id == ancestor)
    }
}

/// Before another step, at this depth or outside of it: a step back over an action is one step.
fn comes_before(point: &Point, path: &StepPath) -> bool {
    matches!(point, Point::Before(other) if other != path && other.level() <= path.level())
}
