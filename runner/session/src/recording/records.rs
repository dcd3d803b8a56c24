//! Session's things as the journal has them. It knows both sides and nothing of when which is written.

use engine::effect::Outcome;
use engine::step_path::{LaneId, StepPath};
use host::contract::Epoch;

use crate::journal::{self, Record, StateEncoder, StateError, StepResult, StoredState};
use crate::moment::{Cause, Moment, MomentId, Point};

/// Bytes that stand on their own, packed.
pub(super) fn packed(bytes: &[u8]) -> Result<StoredState, StateError> {
    StateEncoder::new().encode(journal::MomentId(0), None, bytes)
}

/// The moment's number in the journal.
pub(super) fn number(id: MomentId) -> journal::MomentId {
    journal::MomentId(u64::from(id.0))
}

/// Where in its step.
pub(super) fn point(point: &Point) -> journal::Point {
    match point {
        Point::Before(_) => journal::Point::Ready,
        Point::Decided(_) => journal::Point::Decided,
        Point::During(_) => journal::Point::Running,
        Point::After(..) => journal::Point::Settled,
        Point::End(_) => journal::Point::Done,
        // Which of the two it is stands here, that it is a background step's in the cause.
        Point::LaneBefore(_) => journal::Point::Decided,
        Point::LaneAfter(..) => journal::Point::Settled,
    }
}

/// What made it.
pub(super) fn cause(moment: &Moment) -> journal::Cause {
    match &moment.cause {
        Cause::Advanced if moment.point.is_of_lane() => journal::Cause::Lane,
        Cause::Advanced if moment.parent.is_none() => journal::Cause::Start,
        Cause::Advanced => journal::Cause::Passed,
        Cause::Edited(_) => journal::Cause::Edit,
        Cause::Left => journal::Cause::Present,
    }
}

/// How it ended.
pub(super) fn outcome_record(outcome: Outcome) -> journal::Outcome {
    match outcome {
        Outcome::Success => journal::Outcome::Success,
        Outcome::Failure => journal::Outcome::Failure,
        Outcome::Cancelled => journal::Outcome::Cancelled,
        Outcome::Skipped => journal::Outcome::Skipped,
    }
}

/// The record of a step that ended.
pub(super) fn result(
    lane: LaneId,
    step: &StepPath,
    epoch: Epoch,
    outcome: journal::Outcome,
    exit_code: Option<i32>,
) -> Record {
    StepResult { lane: lane.0, step: step.to_string(), epoch: epoch.0, outcome, exit_code }.into()
}
