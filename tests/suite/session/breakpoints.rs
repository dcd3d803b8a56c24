//! Breakpoints, stops on failure, and `reverse-continue`.

use engine::effect::Outcome;
use session::breakpoint::{BreakpointId, BreakpointSpec, Location};
use session::exception::ExceptionFilter;
use session::moment::Point;
use session::request::{Failure, Reply, Request, StopReason};

use super::{BACK, Case, before, moment};
use crate::debugger::block_on;

fn at(location: Location) -> BreakpointSpec {
    BreakpointSpec::at(location)
}

fn named(name: &str) -> BreakpointSpec {
    at(Location::Step(name.to_owned()))
}

fn when(name: &str, condition: &str) -> BreakpointSpec {
    BreakpointSpec { condition: Some(condition.to_owned()), ..named(name) }
}

async fn set(case: &mut Case, spec: BreakpointSpec) -> session::breakpoint::Breakpoint {
    match case.debugger.ask(Request::Break(spec)).await {
        Reply::Breakpoints(mut all) if all.len() == 1 => all.remove(0),
        other => panic!("one breakpoint was expected: {other:?}"),
    }
}

/// Where a job with this one breakpoint stops first, failures apart.
#[track_caller]
fn check(spec: BreakpointSpec, expected: Option<u32>) {
    block_on(async {
        let mut case = Case::start().await;
        case.debugger.ask(Request::Catch(ExceptionFilter::Failed, false)).await;
        let known = set(&mut case, spec.clone()).await;
        let stop = case.to(Request::Continue).await;
        match expected {
            Some(index) => {
                assert_eq!(stop.reason, StopReason::Breakpoint(known.id), "{spec:?}");
                assert_eq!(stop.point, before(index), "{spec:?}");
            }
            None => assert_eq!(stop.reason, StopReason::End(Outcome::Failure), "{spec:?}"),
        }
    });
}

#[test]
fn a_line_an_id_a_name_or_a_number_means_a_step() {
    // The first step begins in line 6, the second in line 11.
    check(at(Location::Line(10)), None);
    check(at(Location::Line(11)), Some(1));
    check(at(Location::Line(13)), Some(1));
    check(at(Location::Line(15)), Some(2));
    check(at(Location::Line(99)), None);
    check(named("second"), Some(1));
    check(named("LAST"), Some(3));
    check(named("3"), Some(2));
    check(named("5"), None);
    check(named("nothing"), None);
}

#[test]
fn a_name_means_a_step_that_is_met_again() {
    block_on(async {
        let mut case = Case::start().await;
        set(&mut case, named("make it")).await;
        case.to(Request::Next).await;
        let stop = case.to(Request::ReverseContinue).await;
        assert_eq!((stop.point, stop.reason), (before(0), StopReason::Breakpoint(BreakpointId(1))));
    });
}

#[test]
fn a_condition_has_to_hold() {
    check(when("second", "steps.make.outputs.v == 'one'"), Some(1));
    check(when("second", "steps.make.outputs.v == 'two'"), None);
    check(when("last", "failure()"), Some(3));
    check(when("last", "success()"), None);
    check(when("last", "env.SEEN == 'two' && github.ref == 'refs/heads/main'"), Some(3));
    // One that cannot be evaluated stops rather than being missed.
    check(when("second", "nonsense("), Some(1));
}

#[test]
fn breakpoints_are_not_history() {
    block_on(async {
        let mut case = Case::start().await;
        set(&mut case, named("second")).await;
        case.to(Request::Continue).await;
        let set_later = set(&mut case, named("third")).await;
        case.to(BACK).await;
        // What was set later is still there, and a deleted one does not come back.
        case.debugger.ask(Request::DeleteBreakpoint(BreakpointId(1))).await;
        case.to(Request::Return).await;
        let Reply::Breakpoints(all) = case.debugger.ask(Request::Breakpoints).await else { panic!() };
        assert_eq!(all, [set_later]);
        case.to(BACK).await;
        let stop = case.to(Request::Continue).await;
        assert_eq!((stop.point, stop.reason), (before(2), StopReason::Breakpoint(BreakpointId(2))));
        assert_eq!(
            case.debugger.refused(Request::DeleteBreakpoint(BreakpointId(1))).await,
            "there is no breakpoint 1"
        );
    });
}

#[test]
fn a_failure_stops_and_continue_goes_on_after_it() {
    block_on(async {
        let mut case = Case::start().await;
        let stop = case.to(Request::Continue).await;
        let StopReason::Failure(Failure { exit_code, filter, .. }) = stop.reason else {
            panic!("{:?}", stop.reason)
        };
        assert_eq!((exit_code, filter, stop.number), (Some(4), ExceptionFilter::Failed, 3));
        assert!(matches!(stop.point, Point::After(_, Outcome::Failure)));
        assert_eq!(case.log(), "123");
        let stop = case.to(Request::Continue).await;
        assert_eq!(stop.reason, StopReason::End(Outcome::Failure));
        assert_eq!(case.log(), "1234");
        // A failure that was forgiven is none.
        case.to(Request::Back { steps: 2 }).await;
        case.debugger.set("env.FORGIVE", Some("yes")).await;
        let stop = case.to(Request::Continue).await;
        assert_eq!(stop.reason, StopReason::End(Outcome::Success));
    });
}

#[test]
fn reverse_continue_goes_from_stop_to_stop() {
    block_on(async {
        let mut case = Case::start().await;
        set(&mut case, when("second", "steps.make.outputs.v == 'one'")).await;
        set(&mut case, when("third", "steps.make.outputs.v == 'other'")).await;
        case.debugger.ask(Request::Catch(ExceptionFilter::Failed, false)).await;
        case.to(Request::Continue).await;
        case.to(Request::Continue).await;
        assert_eq!(case.log(), "1234");
        case.debugger.ask(Request::Catch(ExceptionFilter::Failed, true)).await;
        let stop = case.to(Request::ReverseContinue).await;
        assert!(matches!(stop.reason, StopReason::Failure(_)), "{:?}", stop.reason);
        assert_eq!(case.log(), "123");
        let stop = case.to(Request::ReverseContinue).await;
        assert_eq!((stop.point, stop.reason), (before(1), StopReason::Breakpoint(BreakpointId(1))));
        assert_eq!(case.log(), "1");
        let stop = case.to(Request::ReverseContinue).await;
        assert_eq!((stop.point, stop.reason), (before(0), StopReason::Start));
        assert_eq!(case.log(), "");
        // At the start there is nothing before: an answer, not an error.
        let stop = case.to(Request::ReverseContinue).await;
        assert_eq!((stop.point, stop.reason), (before(0), StopReason::Start));
        let stop = case.to(Request::Return).await;
        assert_eq!(stop.point, Point::End(Outcome::Failure));
        assert_eq!(case.log(), "1234");
    });
}

/// Another branch's moments do not stop a way back that does not lead over them.
#[test]
fn reverse_continue_stays_on_its_branch() {
    block_on(async {
        let mut case = Case::start().await;
        case.debugger.set("env.FORGIVE", Some("yes")).await;
        case.to(Request::Continue).await;
        case.to(moment(0)).await;
        let stop = case.to(Request::Continue).await;
        assert!(matches!(stop.reason, StopReason::Failure(_)));
        set(&mut case, when("third", "env.FORGIVE == 'yes'")).await;
        let stop = case.to(Request::ReverseContinue).await;
        assert_eq!((stop.moment.0, stop.reason), (0, StopReason::Start));
    });
}
