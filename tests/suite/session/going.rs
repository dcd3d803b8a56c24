//! `goto`, `view`, `back` and what they leave alone.

use engine::effect::Outcome;
use session::moment::{BranchId, MomentId, Point};
use session::request::{Reply, Request, StopReason};

use super::{BACK, Case, before, moment, step};
use crate::debugger::block_on;

#[test]
fn goto_forwards_skips_and_backwards_rewinds() {
    block_on(async {
        let mut case = Case::start().await;
        let stop = case.to(step(2)).await;
        assert_eq!((stop.point, stop.reason, stop.rewound), (before(2), StopReason::Goto, false));
        assert_eq!(case.log(), "");
        assert_eq!(case.debugger.print("steps.make.outcome").await, "skipped");
        let stop = case.to(step(0)).await;
        assert_eq!((stop.point, stop.reason, stop.rewound), (before(0), StopReason::Goto, true));
        assert_eq!(case.debugger.print("steps.make.outcome").await, "null");
        case.to(Request::Next).await;
        let stop = case.to(step(3)).await;
        assert_eq!(stop.branch, BranchId(2));
        case.to(Request::Continue).await;
        assert_eq!(case.log(), "14");
        let ended = case.debugger.quit().await;
        let outcomes: Vec<Outcome> = ended.job.results().values().map(|result| result.outcome).collect();
        use Outcome::{Skipped, Success};
        assert_eq!(outcomes, [Success, Skipped, Skipped, Success]);
    });
}

#[test]
fn goto_says_what_it_cannot_do() {
    block_on(async {
        let mut case = Case::start().await;
        assert_eq!(case.debugger.refused(step(0)).await, "the job stands there already");
        assert_eq!(case.debugger.refused(step(9)).await, "the job has no step at main.9");
        assert_eq!(case.debugger.refused(moment(7)).await, "there is no moment m7");
        assert!(case.debugger.refused(Request::Return).await.contains("newest"));
        assert!(case.debugger.refused(Request::Rerun).await.contains("no step has run"));
        let stop = case.to(Request::Next).await;
        assert_eq!((stop.point, stop.branch, stop.rewound), (before(1), BranchId(1), false));
    });
}

/// Going to where one is makes no past of the present.
#[test]
fn going_to_the_present_moment_leaves_it_the_newest() {
    block_on(async {
        let mut case = Case::start().await;
        let stop = case.to(Request::Next).await;
        let here = stop.moment;
        let stop = case.to(moment(here.0)).await;
        assert_eq!((stop.moment, stop.rewound), (here, false));
        let stop = case.to(Request::Next).await;
        assert_eq!(stop.branch, BranchId(1));
    });
}

#[test]
fn a_view_moves_nothing() {
    block_on(async {
        let mut case = Case::start().await;
        case.to(Request::Next).await;
        let stop = case.to(Request::Next).await;
        assert_eq!((stop.point.clone(), case.log().as_str()), (before(2), "12"));
        let moments = case.debugger.timeline().await;
        case.debugger.ask(Request::View(Some(MomentId(0)))).await;
        assert_eq!(case.debugger.print("env.SEEN").await, "null");
        assert_eq!(case.log(), "12");
        // What is seen cannot be changed, and nothing that looks at it is recorded.
        for request in [
            Request::Set { name: "env.X".to_owned(), value: Some("1".to_owned()) },
            Request::Shell { command: "write x 1".to_owned() },
            step(3),
        ] {
            assert!(case.debugger.refused(request).await.contains("view of the past"));
        }
        let Reply::Stop(status) = case.debugger.ask(Request::Status).await else { panic!() };
        assert_eq!(*status, stop);
        case.debugger.ask(Request::View(None)).await;
        assert_eq!(case.debugger.print("env.SEEN").await, "two");
        assert_eq!(case.debugger.timeline().await, moments);
        assert_eq!(case.debugger.refused(Request::View(Some(MomentId(99)))).await, "there is no moment m99");
        // Going on from a view goes on from the present.
        case.debugger.ask(Request::View(Some(MomentId(0)))).await;
        let stop = case.to(Request::Next).await;
        assert!(matches!(stop.point, Point::After(_, Outcome::Failure)));
        assert_eq!((stop.branch, case.log().as_str()), (BranchId(1), "123"));
    });
}

#[test]
fn a_skipped_step_can_be_stood_before_again() {
    block_on(async {
        let steps = "- id: a\n  run: append log a\n- id: b\n  if: failure()\n  run: append log b\n- run: append log c\n";
        let mut case = Case::with(steps).await;
        case.to(Request::Next).await;
        case.to(Request::Next).await;
        let stop = case.to(BACK).await;
        assert_eq!(stop.point, before(1));
        let Reply::Why(why) = case.debugger.ask(Request::Why).await else { panic!() };
        assert_eq!(why.result, Ok(false));
        assert_eq!(case.log(), "a");
        case.debugger.set("steps.a.outcome", Some("failure")).await;
        case.debugger.set("job.status", Some("failure")).await;
        let Reply::Why(why) = case.debugger.ask(Request::Why).await else { panic!() };
        assert_eq!(why.result, Ok(true));
        case.to(Request::Continue).await;
        assert_eq!(case.log(), "ab");
    });
}
