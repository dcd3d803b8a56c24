//! Events of what is frozen, of what came back, and of what was left for good.

use engine::effect::Outcome;
use session::moment::Point;
use session::request::{Request, StopReason};

use super::{BACK, Case, before};
use crate::debugger::block_on;

const STEPS: &str = "\
- id: quick
  run: append log 1
- id: slow
  run: |
    append log 2
    takes 100
- id: last
  run: append log 3
";

/// The second step has written and stands in its middle.
async fn paused() -> Case {
    let mut case = Case::with(STEPS).await;
    case.to(Request::Next).await;
    // The session serves these before it looks at what the host says, so the step is frozen before its end.
    for request in [Request::Next, Request::Pause, Request::Pause] {
        case.debugger.handle.tell(request);
    }
    let stop = case.debugger.stopped().await;
    assert!(matches!((&stop.point, &stop.reason), (Point::During(_), StopReason::Pause)), "{stop:?}");
    case
}

#[test]
fn a_frozen_step_goes_on_when_one_returns() {
    block_on(async {
        let mut case = paused().await;
        assert_eq!(case.log(), "12");
        let stop = case.to(BACK).await;
        assert_eq!((stop.point, case.log().as_str()), (before(1), "1"));
        let stop = case.to(Request::Return).await;
        assert!(matches!(stop.point, Point::During(_)));
        assert_eq!(case.log(), "12");
        let stop = case.to(Request::Continue).await;
        assert_eq!((stop.reason, case.log().as_str()), (StopReason::End(Outcome::Success), "123"));
    });
}

#[test]
fn what_an_earlier_epoch_says_is_dropped() {
    block_on(async {
        let mut case = paused().await;
        case.to(BACK).await;
        let stop = case.to(Request::Continue).await;
        assert_eq!((stop.reason, case.log().as_str()), (StopReason::End(Outcome::Success), "123"));
        let ends = case.debugger.timeline().await;
        let after = |line: &&session::request::TimelineLine| matches!(line.point, Point::After(..));
        // The frozen body never ended: three steps on the branch that counts, one of them shared with the first.
        assert_eq!(ends.iter().filter(after).count(), 3);
        let ended = case.debugger.quit().await;
        assert_eq!(ended.outcome, Outcome::Success);
    });
}

#[test]
fn the_middle_of_a_step_can_be_returned_to_but_not_gone_to() {
    block_on(async {
        let mut case = paused().await;
        case.to(BACK).await;
        let middle = case.debugger.timeline().await;
        let middle = middle.iter().find(|line| matches!(line.point, Point::During(_))).unwrap().moment;
        case.to(Request::Next).await;
        let text = case.debugger.refused(super::moment(middle.0)).await;
        assert!(text.contains("middle of a running step"), "{text}");
    });
}

#[test]
fn back_from_a_running_step_goes_to_before_it() {
    block_on(async {
        let mut case = Case::with(STEPS).await;
        case.to(Request::Next).await;
        // One transition is made between two requests: the step is decided, then it runs.
        case.debugger.handle.tell(Request::Next);
        case.debugger.handle.tell(Request::View(None));
        let stop = case.to(BACK).await;
        assert_eq!((stop.point, case.log().as_str()), (before(1), "1"));
        case.debugger.ask(Request::Next).await;
        let stop = case.debugger.stopped().await;
        assert_eq!((stop.point, case.log().as_str()), (before(2), "12"));
    });
}

#[test]
fn a_pause_that_is_asked_once_lets_the_step_end() {
    block_on(async {
        let mut case = Case::with(STEPS).await;
        case.debugger.handle.tell(Request::Continue);
        case.debugger.handle.tell(Request::Pause);
        let stop = case.debugger.stopped().await;
        assert_eq!(stop.reason, StopReason::Pause);
        assert!(!matches!(stop.point, Point::During(_)), "{:?}", stop.point);
        assert_eq!(case.debugger.refused(Request::Pause).await, "the job stands already");
        assert_eq!(case.to(Request::Continue).await.reason, StopReason::End(Outcome::Success));
    });
}

/// Whoever goes back while the job runs stands from then on, like everybody who stops: the job's own limit does not run out under
/// a person's eyes.
#[test]
fn the_time_of_a_job_stands_still_in_the_past() {
    block_on(async {
        let mut case = Case::with(STEPS).await;
        case.to(Request::Next).await;
        case.debugger.handle.tell(Request::Next);
        let stop = case.to(BACK).await;
        assert_eq!(stop.point, before(0));
        // All that can happen has happened when the host was asked for its next event as often as this.
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        case.to(Request::Return).await;
        let stop = case.to(Request::Continue).await;
        assert_eq!((stop.reason, case.log().as_str()), (StopReason::End(Outcome::Success), "123"));
    });
}

/// A question of the step that was under way belongs to the newest moment, and so does its answer. Whoever goes on from there
/// without having come back to it by `return` asks again.
#[test]
fn a_question_whose_answer_was_dropped_is_asked_again() {
    block_on(async {
        let hashed = "- {run: takes 900, background: true}
- run: append log 1
- run: append log ${{ hashFiles('log') != '' }}
- run: append log 3
";
        let mut case = Case::with(hashed).await;
        case.to(Request::Next).await;
        case.to(Request::Next).await;
        let actions = [Request::Next, Request::View(None), Request::View(None)];
        actions.into_iter().for_each(|request| case.debugger.handle.tell(request));
        case.to(BACK).await;
        let left = case.debugger.timeline().await.into_iter().rfind(|line| line.cause.is_some()).unwrap();
        assert!(matches!(left.point, Point::Decided(_)), "{left:?}");
        case.to(BACK).await;
        // That is not the newest moment then, so nothing waits there any more.
        case.to(Request::Next).await;
        case.to(super::moment(left.moment.0)).await;
        let stop = case.to(Request::Continue).await;
        assert_eq!((stop.reason, case.log().as_str()), (StopReason::End(Outcome::Success), "1true3"));
    });
}
