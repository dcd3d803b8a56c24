//! Breakpoints in the files of actions: pending until the action is found, then before its steps and programs, in the foreground
//! and in the background, forwards and backwards.

use std::path::Path;

use session::breakpoint::{ActionFile, Breakpoint, BreakpointSpec, Location};
use session::exception::{ExceptionFilter, ExceptionFilters};
use session::moment::Point;
use session::notice::Notice;
use session::request::{Reply, Request, Stop, StopReason};

use super::Case;
use crate::debugger::little::{debug, workflow};
use crate::debugger::{Place, block_on};

const STEPS: &str = "\
- run: write log 0
- {id: one, uses: ./outer, with: {word: one}}
- {id: two, uses: ./outer, with: {word: two}}
";

/// Its steps begin in lines 5, 8 and 9.
const OUTER: &str = "inputs: {word: {default: none}}
runs:
  using: composite
  steps:
    - id: say
      run: append log ${{ inputs.word }}
      shell: bash
    - {uses: ./inner}
    - {run: append log last, shell: bash}
";

const INNER: &str = "runs:
  using: composite
  steps:
    - {run: append log inner, shell: bash}
";

/// Its programs stand in lines 4 and 5.
const NODE: &str = "runs:
  using: node20

  main: main.js
  post: post.js
";

async fn start(steps: &str) -> Case {
    let place = Place::new();
    for (name, text) in [
        ("outer/action.yml", OUTER),
        ("inner/action.yml", INNER),
        ("node/action.yml", NODE),
        ("node/main.js", "append log main"),
        ("node/post.js", "append log post"),
    ] {
        let path = place.workspace().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let mut debugger = debug(&workflow(steps), &place);
    debugger.stopped().await;
    Case { place, debugger }
}

fn line(file: &str, line: u32) -> BreakpointSpec {
    BreakpointSpec::at(Location::ActionLine(ActionFile::new(Path::new(file), None).unwrap(), line))
}

async fn set(case: &mut Case, spec: BreakpointSpec) -> Breakpoint {
    match case.debugger.ask(Request::Break(spec)).await {
        Reply::Breakpoints(mut all) => all.remove(0),
        other => panic!("a breakpoint was expected: {other:?}"),
    }
}

/// Where a stop is: the step's number, in the background too, and whether a breakpoint is why.
fn at(stop: &Stop) -> (String, bool) {
    let path = stop.background.clone().or_else(|| stop.point.step().cloned());
    let is_hit = matches!(stop.reason, StopReason::Breakpoint(_));
    (path.map_or_else(|| "end".to_owned(), |path| path.to_string()), is_hit)
}

fn hit(path: &str) -> (String, bool) {
    (path.to_owned(), true)
}

#[test]
fn a_line_of_an_action_is_pending_until_the_action_is_found() {
    block_on(async {
        let mut case = start(STEPS).await;
        // The line between two steps is that of the next one.
        let asked = set(&mut case, line("outer/action.yml", 7)).await;
        assert!(asked.pending && !asked.is_verified() && asked.line.is_none(), "{asked:?}");
        case.debugger.ask(Request::Continue).await;
        let found = loop {
            match case.debugger.notice().await {
                Notice::BreakpointChanged(breakpoint) => break *breakpoint,
                Notice::Stopped(stop) => panic!("it stopped first: {stop:?}"),
                _ => {}
            }
        };
        assert_eq!((found.id, found.is_verified(), found.line), (asked.id, true, Some(5)));
        assert_eq!(at(&case.debugger.stopped().await), hit("main.1.0"));
        assert_eq!(case.log(), "0");
        // Wherever the action is used.
        assert_eq!(at(&case.to(Request::Continue).await), hit("main.2.0"));
        assert_eq!(at(&case.to(Request::Continue).await).0, "end");
        assert_eq!(at(&case.to(Request::ReverseContinue).await), hit("main.2.0"));
        assert_eq!(at(&case.to(Request::ReverseContinue).await), hit("main.1.0"));
        assert_eq!(case.log(), "0");
        // Who is in the past before the action was found knows it all the same.
        case.to(Request::ReverseContinue).await;
        let other = set(&mut case, line("/w/inner/action.yml", 1)).await;
        assert!(other.is_verified(), "{other:?}");
        assert_eq!(at(&case.to(Request::Continue).await), hit("main.1.0"));
        assert_eq!(at(&case.to(Request::Continue).await), hit("main.1.1.0"));
    });
}

#[test]
fn a_line_after_the_last_step_means_nothing() {
    block_on(async {
        let mut case = start(STEPS).await;
        set(&mut case, line("outer/action.yml", 99)).await;
        assert_eq!(at(&case.to(Request::Continue).await).0, "end");
        let Reply::Breakpoints(all) = case.debugger.ask(Request::Breakpoints).await else { panic!() };
        assert!(!all[0].pending && !all[0].is_verified(), "{all:?}");
    });
}

#[test]
fn conditions_hits_and_log_points_work_inside_of_an_action() {
    block_on(async {
        let mut case = start(STEPS).await;
        let condition = Some("inputs.word == 'two'".to_owned());
        set(&mut case, BreakpointSpec { condition, ..line("outer/action.yml", 5) }).await;
        let message = Some("word {inputs.word}".to_owned());
        set(&mut case, BreakpointSpec { log_message: message, ..line("outer/action.yml", 8) }).await;
        let hits = Some("2".parse().unwrap());
        set(&mut case, BreakpointSpec { hits, ..line("outer/action.yml", 9) }).await;
        case.debugger.ask(Request::Continue).await;
        let mut said = Vec::new();
        let stop = loop {
            match case.debugger.notice().await {
                Notice::LogPoint { text, place, .. } => said.push((text, place.unwrap().line)),
                Notice::Stopped(stop) => break stop,
                _ => {}
            }
        };
        assert_eq!((at(&stop), said), (hit("main.2.0"), vec![("word one".to_owned(), 8)]));
        assert_eq!(at(&case.to(Request::Continue).await), hit("main.2.2"));
    });
}

#[test]
fn the_programs_of_a_javascript_action_have_lines_as_well() {
    block_on(async {
        let mut case = start("- run: write log 0\n- {uses: ./node}\n").await;
        set(&mut case, line("node/action.yml", 3)).await;
        set(&mut case, line("node/action.yml", 5)).await;
        // A local action is looked for when its step begins, which is too late to stop before it.
        assert_eq!(at(&case.to(Request::Continue).await), hit("post.1"));
        assert_eq!(case.log(), "0main");
        case.to(Request::Goto(session::request::Target::Step("main.0".parse().unwrap()))).await;
        assert_eq!(at(&case.to(Request::Continue).await), hit("post.1"));
    });
}

const LANES: &str = "\
- {id: b, uses: ./outer, with: {word: back}, background: true}
- run: write front 1
- wait: b
- {uses: ./outer, if: false}
";

#[test]
fn a_step_of_a_background_action_is_stopped_before() {
    block_on(async {
        let mut case = start(LANES).await;
        set(&mut case, line("outer/action.yml", 9)).await;
        set(&mut case, line("inner/action.yml", 4)).await;
        let stop = case.to(Request::Continue).await;
        assert_eq!((at(&stop), case.log()), (hit("main.0.1.0"), "back".to_owned()));
        let place = stop.place.unwrap();
        assert_eq!((&*place.file, place.line), ("./inner/action.yml", 4));
        let stop = case.to(Request::Continue).await;
        assert_eq!((at(&stop), case.log()), (hit("main.0.2"), "backinner".to_owned()));
        // What waits there waits there still after a look at the past.
        let stop = case.to(Request::Back { steps: 9 }).await;
        assert_eq!(stop.point, Point::Before("main.0".parse().unwrap()));
        assert_eq!(case.log(), "");
        case.to(Request::Return).await;
        assert_eq!(case.log(), "backinner");
        let stop = case.to(Request::Continue).await;
        assert_eq!((at(&stop).0, case.log()), ("end".to_owned(), "backinnerlast".to_owned()));
    });
}

#[test]
fn breakpoints_in_a_background_action_are_found_backwards() {
    block_on(async {
        let mut case = start(LANES).await;
        set(&mut case, line("outer/action.yml", 9)).await;
        let condition = Some("inputs.word == 'back'".to_owned());
        set(&mut case, BreakpointSpec { condition, ..line("outer/action.yml", 5) }).await;
        set(
            &mut case,
            BreakpointSpec {
                condition: Some("inputs.word == 'front'".to_owned()),
                ..line("inner/action.yml", 4)
            },
        )
        .await;
        let mut forwards = Vec::new();
        while !matches!(forwards.last(), Some((path, _)) if path == "end") {
            forwards.push(at(&case.to(Request::Continue).await));
        }
        assert_eq!(forwards, [hit("main.0.0"), hit("main.0.2"), ("end".to_owned(), false)]);
        let stop = case.to(Request::ReverseContinue).await;
        assert_eq!((at(&stop), case.log()), (hit("main.0.2"), "backinner".to_owned()));
        assert_eq!(stop.point, Point::LaneBefore("main.0.2".parse().unwrap()));
        let stop = case.to(Request::ReverseContinue).await;
        assert_eq!((at(&stop), case.log()), (hit("main.0.0"), String::new()));
        assert_eq!(case.to(Request::ReverseContinue).await.reason, StopReason::Start);
        let stop = case.to(Request::Return).await;
        assert!(matches!(stop.point, Point::End(_)), "{stop:?}");
        assert_eq!(case.log(), "backinnerlast");
    });
}

/// The job stands for one thing at a time, and says that one.
#[test]
fn a_failure_and_a_breakpoint_that_come_together_are_two_stops() {
    block_on(async {
        let steps = "- {uses: ./both, background: true}\n- run: takes 5\n- run: write front 1\n";
        let mut case = start(steps).await;
        let both = "runs:\n  using: composite\n  steps:\n    - {run: exit 1, shell: bash, continue-on-error: true}\n    - {run: append log second, shell: bash}\n";
        std::fs::create_dir(case.place.workspace().join("both")).unwrap();
        std::fs::write(case.place.workspace().join("both/action.yml"), both).unwrap();
        set(&mut case, line("both/action.yml", 5)).await;
        let filters = ExceptionFilters::new(vec![(ExceptionFilter::ContinueOnError, None)]);
        case.debugger.ask(Request::SetExceptionFilters(filters)).await;
        let stop = case.to(Request::Continue).await;
        assert!(matches!(stop.reason, StopReason::Failure(_)), "{stop:?}");
        let Reply::Stop(status) = case.debugger.ask(Request::Status).await else { panic!() };
        assert_eq!(status.reason, stop.reason, "it stands for the failure still");
        assert_eq!(at(&case.to(Request::Continue).await), hit("main.0.1"));
        assert_eq!(case.log(), "");
        assert_eq!(at(&case.to(Request::Continue).await).0, "end");
        assert_eq!(case.log(), "second");
    });
}

/// What a lane came to before it was started again from an earlier moment has not happened on the new branch.
#[test]
fn hits_in_the_background_count_from_the_latest_start() {
    block_on(async {
        let steps = "- {id: b, run: write b 1}
- {uses: ./slow, background: true}
- run: takes 5
- run: write front 1
";
        let mut case = start(steps).await;
        let slow = "runs:\n  using: composite\n  steps:\n    - {run: append log quick, shell: bash}\n    - {run: takes 20, shell: bash}\n";
        std::fs::create_dir(case.place.workspace().join("slow")).unwrap();
        std::fs::write(case.place.workspace().join("slow/action.yml"), slow).unwrap();
        let hits = Some("2".parse().unwrap());
        set(&mut case, BreakpointSpec { hits, ..line("slow/action.yml", 4) }).await;
        assert_eq!(at(&case.to(Request::Continue).await).0, "end");
        // Its second step runs there, so it starts again as a whole.
        case.to(Request::Goto(session::request::Target::Step("main.3".parse().unwrap()))).await;
        assert_eq!(at(&case.to(Request::Continue).await).0, "end");
        let again = case.debugger.timeline().await;
        let quick = |line: &&session::request::TimelineLine| {
            line.point == Point::LaneBefore("main.1.0".parse().unwrap())
        };
        assert_eq!(again.iter().filter(quick).count(), 2);
        // Backwards as forwards.
        let hits = Some("1".parse().unwrap());
        set(&mut case, BreakpointSpec { hits, ..line("slow/action.yml", 4) }).await;
        assert_eq!(at(&case.to(Request::ReverseContinue).await), hit("main.1.0"));
    });
}

/// Who goes on from the past leaves behind what waited at the newest moment.
#[test]
fn a_background_action_that_starts_again_is_stopped_again() {
    block_on(async {
        let mut case = start(LANES).await;
        let hits = Some("2".parse().unwrap());
        set(&mut case, BreakpointSpec { hits, ..line("inner/action.yml", 4) }).await;
        let condition = Some("inputs.word == 'back'".to_owned());
        set(&mut case, BreakpointSpec { condition, ..line("outer/action.yml", 5) }).await;
        let first = case.to(Request::Continue).await;
        assert_eq!((at(&first), case.log()), (hit("main.0.0"), String::new()));
        case.to(Request::Back { steps: 9 }).await;
        let again = case.to(Request::Continue).await;
        assert_eq!((at(&again), case.log()), (hit("main.0.0"), String::new()));
        // One hit on each branch is not two.
        let stop = case.to(Request::Continue).await;
        assert_eq!((at(&stop).0, case.log()), ("end".to_owned(), "backinnerlast".to_owned()));
    });
}

#[test]
fn a_cancelled_job_does_not_wait_for_what_stands_in_the_background() {
    block_on(async {
        let mut case = start(LANES).await;
        set(&mut case, line("outer/action.yml", 5)).await;
        assert_eq!(at(&case.to(Request::Continue).await), hit("main.0.0"));
        let stop = case.to(Request::Cancel).await;
        assert_eq!(stop.point, Point::End(engine::effect::Outcome::Cancelled));
    });
}
