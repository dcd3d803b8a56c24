//! Going back in a job with background steps: their files belong to moments, and are no edits of a person's.

use engine::effect::Outcome;
use engine::event::LaneChoice;
use engine::step_path::StepPath;
use session::moment::Point;
use session::request::{Request, Stop, StopReason, Target};

use super::shells::over_and_out;
use crate::debugger::little::{debug, workflow};
use crate::debugger::{Debugger, Place, block_on};
use crate::law::tree;

const STEPS: &str = "- {id: a, background: true, run: \"write l/x text\\ntakes 0\"}
- {id: never, if: false, run: write never x}
- {id: last, run: write b text}
- wait: a
";

#[test]
fn what_a_background_step_wrote_by_a_moment_comes_back_with_it() {
    block_on(async {
        let place = Place::new();
        let mut debugger = debug(&workflow(STEPS), &place);
        debugger.stopped().await;
        over_and_out(&mut debugger, 0).await;
        // Nothing but the background step has written anything between these two moments.
        let stop = debugger.to(Request::Next).await;
        assert_eq!(stop.point, Point::Before(StepPath::main(2)));
        let files = tree(&place.workspace());
        assert_eq!(files.keys().collect::<Vec<_>>(), ["l", "l/x"]);
        debugger.to(Request::Next).await;
        let stop = debugger.to(Request::Back { steps: 1 }).await;
        assert_eq!(stop.point, Point::Before(StepPath::main(2)));
        assert_eq!(tree(&place.workspace()), files);
        end(debugger).await;
    });
}

const FOR_EVER: &str = "- {id: a, background: true, run: \"write l/x text\\ntakes for-ever\"}
- {id: one, run: write b text}
- {id: two, run: write c text}
- cancel: a
";

#[test]
fn what_a_background_step_writes_while_the_job_stands_is_no_edit() {
    block_on(async {
        let place = Place::new();
        let mut debugger = debug(&workflow(FOR_EVER), &place);
        debugger.stopped().await;
        for _ in 0..3 {
            debugger.to(Request::Next).await;
        }
        debugger.to(Request::Back { steps: 2 }).await;
        debugger.to(Request::Return).await;
        let causes: Vec<String> =
            debugger.timeline().await.into_iter().filter_map(|line| line.cause).collect();
        assert!(causes.iter().all(|cause| cause == "left from here"), "{causes:?}");
        assert!(!causes.is_empty(), "the files of the moment that was left are kept");
        end(debugger).await;
    });
}

/// What becomes of a background step is chosen for the moment at which the job stands, and for no other.
#[test]
fn a_choice_for_one_moment_is_none_for_another() {
    block_on(async {
        let place = Place::new();
        let mut debugger = debug(&workflow(FOR_EVER), &place);
        debugger.stopped().await;
        for _ in 0..3 {
            debugger.to(Request::Next).await;
        }
        let stop = debugger.to(Request::Back { steps: 1 }).await;
        assert!(starts_again(&stop), "{:?}", stop.notes);
        debugger.ask(Request::Lanes(LaneChoice::LeaveOut)).await;
        debugger.to(Request::Return).await;
        let stop = debugger.to(Request::Goto(Target::Step(StepPath::main(1)))).await;
        assert!(starts_again(&stop), "{:?}", stop.notes);
        end(debugger).await;
    });
}

const OUTSIDE: &str = "- {id: a, background: true, run: \"git push\\nwrite l/x text\\ntakes for-ever\"}
- {id: one, run: write b text}
- {id: two, run: write c text}
- cancel: a
";

/// What a background step did outside is done: starting it again is asked about, whether it ran at the moment from which the
/// job goes on, or is come to once more.
#[test]
fn a_background_step_that_reached_outside_is_not_started_again_without_asking() {
    block_on(async {
        let place = Place::new();
        let mut debugger = debug(&workflow(OUTSIDE), &place);
        debugger.stopped().await;
        for _ in 0..3 {
            debugger.to(Request::Next).await;
        }
        debugger.to(Request::Back { steps: 1 }).await;
        let stop = debugger.to(Request::Next).await;
        asks(&stop, true);
        assert_eq!(debugger.refused(Request::Next).await, "this step reached outside before");
        let stop = debugger.to(Request::Confirm(true)).await;
        assert_eq!(stop.point, Point::Before(StepPath::main(3)));

        debugger.to(Request::Goto(Target::Step(StepPath::main(0)))).await;
        let stop = debugger.to(Request::Next).await;
        asks(&stop, false);
        debugger.to(Request::Confirm(true)).await;
        debugger.to(Request::Next).await;
        debugger.to(Request::Back { steps: 1 }).await;
        let stop = debugger.to(Request::Next).await;
        asks(&stop, true);
        debugger.ask(Request::Lanes(LaneChoice::LeaveOut)).await;
        let stop = debugger.to(Request::Next).await;
        assert_eq!(stop.point, Point::Before(StepPath::main(2)));
        assert_eq!(debugger.print("steps.a.outcome").await, "null", "nobody has waited for it");
        let stop = debugger.to(Request::Continue).await;
        assert_eq!(stop.reason, StopReason::End(Outcome::Success));
        assert_eq!(debugger.print("steps.a.outcome").await, "cancelled");
        debugger.quit().await;
    });
}

#[track_caller]
fn asks(stop: &Stop, background: bool) {
    assert_eq!(stop.reason, StopReason::Confirm("git push".to_owned()), "{stop:?}");
    assert_eq!(stop.background, background.then(|| StepPath::main(0)));
}

fn starts_again(stop: &Stop) -> bool {
    stop.notes.iter().any(|note| note.contains("going on starts it again"))
}

async fn end(mut debugger: Debugger) {
    let stop = debugger.to(Request::Continue).await;
    assert_eq!(stop.reason, StopReason::End(Outcome::Success));
    assert_eq!(debugger.quit().await.outcome, Outcome::Success);
}
