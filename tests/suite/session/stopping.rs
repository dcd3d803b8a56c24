//! What else stops a job: hits, log points, changes, and ends of steps; forwards and backwards.

use engine::effect::Outcome;
use session::breakpoint::{BreakpointKind, BreakpointSpec, Location};
use session::exception::{ExceptionFilter, ExceptionFilters};
use session::key::Key;
use session::moment::Point;
use session::notice::Notice;
use session::request::{Reply, Request, Stop, StopReason};

use super::{Case, before};
use crate::debugger::block_on;

/// Three steps with the same action, of which there is none here, and one that runs.
const ACTIONS: &str = "\
- uses: some/action@v1
  continue-on-error: true
- uses: Some/Action@v2
  continue-on-error: true
- uses: some/other@v1
  continue-on-error: true
- run: append log 1
";

async fn set(case: &mut Case, kind: BreakpointKind, specs: Vec<BreakpointSpec>) -> Vec<u32> {
    match case.debugger.ask(Request::SetBreakpoints { kind: Some(kind), specs }).await {
        Reply::Breakpoints(all) => all.iter().map(|breakpoint| breakpoint.id.0).collect(),
        other => panic!("breakpoints were expected: {other:?}"),
    }
}

fn step(name: &str) -> BreakpointSpec {
    BreakpointSpec::at(Location::Step(name.to_owned()))
}

fn change(key: &str) -> BreakpointSpec {
    BreakpointSpec::at(Location::Change(Key::parse(key).unwrap()))
}

async fn all_points(case: &mut Case) -> Vec<Point> {
    let mut points = Vec::new();
    loop {
        let stop = case.to(Request::Continue).await;
        if matches!(stop.reason, StopReason::End(_)) {
            return points;
        }
        points.push(stop.point);
    }
}

#[track_caller]
fn check_steps(spec: BreakpointSpec, expected: &[u32]) {
    block_on(async {
        let mut case = Case::with(ACTIONS).await;
        set(&mut case, BreakpointKind::Step, vec![spec.clone()]).await;
        // The first step is where the job stands already.
        let points = all_points(&mut case).await;
        assert_eq!(points, expected.iter().map(|index| before(*index)).collect::<Vec<_>>(), "{spec:?}");
    });
}

#[test]
fn an_action_means_all_its_steps() {
    check_steps(step("some/action"), &[1]);
    check_steps(step("some/*"), &[1, 2]);
    check_steps(step("*/*@v1"), &[2]);
    check_steps(step("some/action@v3"), &[]);
}

#[test]
fn hits_count_along_the_branch() {
    let hits = |text: &str| BreakpointSpec { hits: Some(text.parse().unwrap()), ..step("some/*") };
    check_steps(hits("3"), &[2]);
    check_steps(hits(">=2"), &[1, 2]);
    check_steps(hits("%2"), &[1]);
    block_on(async {
        let mut case = Case::with(ACTIONS).await;
        set(&mut case, BreakpointKind::Step, vec![hits("2")]).await;
        for _ in 0..3 {
            assert_eq!(case.to(Request::Continue).await.point, before(1));
            // Going back takes the hit back.
            case.to(Request::Back { steps: 1 }).await;
        }
    });
}

#[test]
fn a_log_point_speaks_and_does_not_stop() {
    block_on(async {
        let mut case = Case::start().await;
        let message = "v is {steps.make.outputs.v}, not {nonsense(}, {env.NONE}!".to_owned();
        let spec = BreakpointSpec { log_message: Some(message), ..step("second") };
        set(&mut case, BreakpointKind::Step, vec![spec]).await;
        case.debugger.ask(Request::Continue).await;
        let text = loop {
            match case.debugger.notice().await {
                Notice::LogPoint { text, place, .. } => break (text, place.map(|place| place.line)),
                Notice::Stopped(stop) => panic!("it stopped: {stop:?}"),
                _ => {}
            }
        };
        assert!(text.0.starts_with("v is one, not {") && text.0.ends_with("}, null!"), "{text:?}");
        assert_eq!(text.1, Some(11));
    });
}

fn changed(stop: &Stop) -> (String, Option<&str>, Option<&str>) {
    match &stop.reason {
        StopReason::DataBreakpoint(change) => {
            (change.key.to_string(), change.before.as_deref(), change.after.as_deref())
        }
        other => panic!("a change was expected: {other:?}"),
    }
}

#[test]
fn a_change_stops_forwards_and_backwards() {
    block_on(async {
        let mut case = Case::start().await;
        case.debugger.ask(Request::Catch(ExceptionFilter::Failed, false)).await;
        let specs = vec![change("env.SEEN"), change("steps.make.outputs.v"), change("job.status")];
        set(&mut case, BreakpointKind::Change, specs).await;
        let expected = [
            (0, ("steps.make.outputs.v".to_owned(), None, Some("one"))),
            (1, ("env.SEEN".to_owned(), None, Some("two"))),
            (2, ("job.status".to_owned(), Some("success"), Some("failure"))),
        ];
        for (index, what) in &expected {
            let stop = case.to(Request::Continue).await;
            assert_eq!((stop.number, &changed(&stop)), (index + 1, what));
        }
        assert_eq!(case.to(Request::Continue).await.reason, StopReason::End(Outcome::Failure));
        for (index, what) in expected.iter().rev() {
            let stop = case.to(Request::ReverseContinue).await;
            assert_eq!((stop.number, &changed(&stop)), (index + 1, what));
            assert!(matches!(stop.point, Point::After(..)));
        }
        assert_eq!(case.to(Request::ReverseContinue).await.reason, StopReason::Start);
    });
}

#[test]
fn changed_files_stop_by_pattern() {
    block_on(async {
        let mut case = Case::with("- run: append a/b/c 1\n- run: append d 1\n- run: append a/x 1\n").await;
        set(&mut case, BreakpointKind::Change, vec![change("file:a/**")]).await;
        let stop = case.to(Request::Continue).await;
        assert_eq!((stop.number, changed(&stop).2), (1, Some("a/b/c")));
        let stop = case.to(Request::Continue).await;
        assert_eq!((stop.number, changed(&stop).2), (3, Some("a/x")));
        let stop = case.to(Request::ReverseContinue).await;
        assert_eq!((stop.number, changed(&stop).2), (1, Some("a/b/c")));
    });
}

const ENDS: &str = "\
- run: exit 3
  continue-on-error: true
- if: false
  run: append log 1
- run: append log 2
  env: {X: '${{ fromJSON(env.NOTHING) }}'}
- if: always()
  run: append log 3
";

#[track_caller]
fn check_filters(on: &[(ExceptionFilter, Option<&str>)], expected: &[(u32, ExceptionFilter)]) {
    block_on(async {
        let mut case = Case::with(ENDS).await;
        let on = on.iter().map(|(filter, condition)| (*filter, condition.map(str::to_owned))).collect();
        case.debugger.ask(Request::SetExceptionFilters(ExceptionFilters::new(on))).await;
        let mut found = Vec::new();
        loop {
            let stop = case.to(Request::Continue).await;
            match stop.reason {
                StopReason::Failure(failure) => found.push((stop.number, failure.filter)),
                _ => break,
            }
        }
        assert_eq!(found, expected);
        for end in expected.iter().rev() {
            let stop = case.to(Request::ReverseContinue).await;
            let StopReason::Failure(failure) = stop.reason else { panic!("{:?}", stop.reason) };
            assert_eq!((stop.number, failure.filter), *end);
        }
    });
}

#[test]
fn filters_stop_at_the_ends_they_name() {
    use ExceptionFilter::{ContinueOnError, Expression, Failed, Skipped};
    check_filters(&[(Failed, None)], &[(3, Failed)]);
    check_filters(&[(Failed, None), (Expression, None)], &[(3, Expression)]);
    check_filters(&[(ContinueOnError, None), (Skipped, None)], &[(1, ContinueOnError), (2, Skipped)]);
    check_filters(&[(Failed, Some("job.status == 'success'"))], &[]);
    check_filters(&[(Failed, Some("job.status == 'failure'"))], &[(3, Failed)]);
    check_filters(&[], &[]);
}

#[test]
fn breakpoints_of_a_kind_are_replaced_together_and_keep_their_names() {
    block_on(async {
        let mut case = Case::start().await;
        let lines = set(&mut case, BreakpointKind::Line, vec![BreakpointSpec::at(Location::Line(11))]).await;
        let steps = set(&mut case, BreakpointKind::Step, vec![step("third"), step("last")]).await;
        assert_eq!((lines, steps.as_slice()), (vec![1], &[2, 3][..]));
        assert_eq!(set(&mut case, BreakpointKind::Step, vec![step("make"), step("last")]).await, [4, 3]);
        let Reply::Breakpoints(all) = case.debugger.ask(Request::Breakpoints).await else { panic!() };
        assert_eq!(all.iter().map(|breakpoint| breakpoint.id.0).collect::<Vec<_>>(), [1, 4, 3]);
    });
}

#[test]
fn a_detached_job_runs_to_its_end_from_the_newest_moment() {
    block_on(async {
        let mut case = Case::start().await;
        set(&mut case, BreakpointKind::Step, vec![step("last")]).await;
        case.to(Request::Next).await;
        case.to(Request::Next).await;
        case.to(Request::Back { steps: 2 }).await;
        assert_eq!(case.log(), "");
        case.debugger.ask(Request::Detach).await;
        let Case { place, debugger } = case;
        assert_eq!(debugger.ended().await.outcome, Outcome::Failure);
        assert_eq!(std::fs::read_to_string(place.workspace().join("log")).unwrap(), "1234");
    });
}

#[test]
fn a_picture_answers_for_its_moment_for_ever() {
    block_on(async {
        let mut case = Case::start().await;
        let picture = |reply| match reply {
            Reply::Picture(picture) => *picture,
            other => panic!("a picture was expected: {other:?}"),
        };
        let first = picture(case.debugger.ask(Request::Picture).await);
        case.to(Request::Next).await;
        let second = picture(case.debugger.ask(Request::Picture).await);
        let shown =
            |picture: &session::picture::Picture, text: &str| picture.show(&picture.evaluate(text).unwrap());
        assert_eq!(shown(&first, "toJSON(steps)"), "{}");
        assert_eq!(shown(&second, "steps.make.outputs.v"), "one");
        assert_eq!(second.step(), Some(&engine::step_path::StepPath::main(1)));
        case.debugger.ask(Request::View(Some(first.moment))).await;
        let viewed = picture(case.debugger.ask(Request::Picture).await);
        assert_eq!((viewed.viewed, shown(&viewed, "toJSON(steps)").as_str()), (true, "{}"));
        assert!(first.evaluate("nonsense(").is_err());
    });
}

#[test]
fn a_job_begins_at_a_breakpoint_on_its_first_step() {
    block_on(async {
        let mut case = Case::start().await;
        set(&mut case, BreakpointKind::Step, vec![step("make")]).await;
        let stop = case.to(Request::Begin).await;
        assert!(matches!(stop.reason, StopReason::Breakpoint(_)), "{:?}", stop.reason);
        assert_eq!((stop.point, case.log().as_str()), (before(0), ""));
        set(&mut case, BreakpointKind::Step, Vec::new()).await;
        assert!(matches!(case.to(Request::Begin).await.reason, StopReason::Failure(_)));
    });
}
