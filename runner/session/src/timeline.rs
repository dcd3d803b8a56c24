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
    /// In the order of their numbers, of which some may have been forgotten.
    moments: Vec<Moment>,
    /// The number of the next one.
    next: u32,
    branches: u32,
}

impl Timeline {
    /// Adds a moment after `parent`. It lies on the parent's branch, or on a new one if the parent has been left
    /// behind there already: `branch` says which.
    pub fn record(
        &mut self,
        parent: Option<MomentId>,
        branch: BranchId,
        point: Point,
        cause: Cause,
        job: Arc<Job>,
        files: Option<SnapshotId>,
    ) -> MomentId {
        let id = MomentId(self.next);
        self.restore(Moment { id, parent, branch, point, cause, job, files });
        id
    }

    /// Puts back a moment that was read from a journal. Moments come in the order of their numbers.
    pub fn restore(&mut self, moment: Moment) {
        self.branches = self.branches.max(moment.branch.0);
        self.next = moment.id.0.saturating_add(1);
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
        self.moments.binary_search_by_key(&id, |moment| moment.id).ok()
    }

    /// Drops every moment before `id`, with the job that each of them holds: a long job that runs by itself would keep three
    /// of its states for every step, and none of its own could be changed without a copy. Numbers go on as if they were there.
    pub fn forget_before(&mut self, id: MomentId) {
        if let Some(index) = self.index(id) {
            self.moments.drain(..index);
        }
    }

    /// Drops the moment before the latest one, if it is a background step's; what came before that is the latest one's parent
    /// then. Returns which was dropped.
    pub fn forget_lane_before_latest(&mut self) -> Option<MomentId> {
        let index = self.moments.len().checked_sub(2)?;
        let before = self.moments.get(index).filter(|moment| moment.point.is_of_lane())?;
        let (id, parent) = (before.id, before.parent);
        self.moments.remove(index);
        if let Some(latest) = self.moments.last_mut().filter(|latest| latest.parent == Some(id)) {
            latest.parent = parent;
        }
        Some(id)
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
            // In the middle of the foreground's step or between two of them, as the foreground is at a background step's moment.
            Point::LaneBefore(_) | Point::LaneAfter(..) => {
                self.back_from(from, &Point::of(&self.get(from)?.job))
            }
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

    /// The nearest moment at or before `id` that has files and can be gone to.
    pub fn restorable_at_or_before(&self, id: MomentId) -> Option<&Moment> {
        let can_be_gone_to = |moment: &&Moment| !matches!(moment.point, Point::During(_));
        self.ancestry(id).filter(can_be_gone_to).find(|moment| moment.files.is_some())
    }

    /// The latest moment at or before `id` to which the foreground came.
    pub fn of_foreground(&self, id: MomentId) -> Option<&Moment> {
        self.ancestry(id).find(|moment| !moment.point.is_of_lane())
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
