//! Steps that reached outside: named before they run, warned of when gone back over, asked about before they run again.

use engine::effect::Outcome;
use session::notice::Notice;
use session::request::{Request, StopReason};

use super::{BACK, Case, before, step};
use crate::debugger::little::{debug, workflow};
use crate::debugger::{Place, block_on};

const STEPS: &str = "\
- id: build
  run: append log 1
- id: send
  name: Send it
  run: |
    append log 2
    git push origin main
- id: last
  run: append log 3
";

#[test]
fn they_are_named_before_the_first_step() {
    block_on(async {
        let place = Place::new();
        let mut debugger = debug(&workflow(STEPS), &place);
        let said = debugger.notice().await;
        let expected = "reaches outside the workspace and cannot be undone: Send it (git push)";
        assert_eq!(said, Notice::Warning(expected.to_owned()));
    });
}

#[test]
fn one_that_has_run_is_asked_about_before_it_runs_again() {
    block_on(async {
        let mut case = Case::with(STEPS).await;
        // The first time nobody asks.
        case.to(Request::Next).await;
        let stop = case.to(Request::Next).await;
        assert_eq!(stop.point, before(2));
        let stop = case.to(BACK).await;
        assert!(
            stop.notes.iter().any(|note| note.contains("Send it reached outside (git push)")),
            "{:?}",
            stop.notes
        );

        let stop = case.to(Request::Next).await;
        assert_eq!(stop.reason, StopReason::Confirm("git push".to_owned()));
        assert_eq!(case.log(), "1");
        let text = case.debugger.refused(Request::Next).await;
        assert!(text.contains("reached outside before"), "{text}");
        case.debugger.ask(Request::Confirm(false)).await;
        assert_eq!(case.log(), "1");
        // The answer goes on as far as was asked for: `next` ends before the next step.
        let stop = case.to(Request::Confirm(true)).await;
        assert_eq!((stop.point, case.log().as_str()), (before(2), "12"));
        // Each time anew.
        case.to(BACK).await;
        let stop = case.to(Request::Continue).await;
        assert_eq!(stop.reason, StopReason::Confirm("git push".to_owned()));
        let stop = case.to(Request::Confirm(true)).await;
        assert_eq!((stop.reason, case.log().as_str()), (StopReason::End(Outcome::Success), "123"));
        assert_eq!(case.debugger.refused(Request::Confirm(true)).await, "nothing was asked");
    });
}

#[test]
fn it_can_be_skipped_instead() {
    block_on(async {
        let mut case = Case::with(STEPS).await;
        case.to(Request::Continue).await;
        case.to(Request::Back { steps: 2 }).await;
        case.to(Request::Continue).await;
        let stop = case.to(step(2)).await;
        assert_eq!(stop.reason, StopReason::Goto);
        let stop = case.to(Request::Continue).await;
        assert_eq!((stop.reason, case.log().as_str()), (StopReason::End(Outcome::Success), "13"));
    });
}

/// It was stopped in its middle: nobody knows whether it had reached outside by then.
#[test]
fn one_that_was_frozen_in_its_middle_is_asked_about_too() {
    block_on(async {
        let mut case = Case::with("- run: append log 1\n- run: |\n    npm publish\n    takes 100\n").await;
        case.to(Request::Next).await;
        for request in [Request::Next, Request::Pause, Request::Pause] {
            case.debugger.handle.tell(request);
        }
        case.debugger.stopped().await;
        case.to(BACK).await;
        let stop = case.to(Request::Continue).await;
        assert_eq!(stop.reason, StopReason::Confirm("npm publish".to_owned()));
        let stop = case.to(Request::Confirm(true)).await;
        assert_eq!(stop.reason, StopReason::End(Outcome::Success));
    });
}

/// Starting an action of the background again runs again what it has run.
#[test]
fn an_action_of_the_background_that_has_reached_outside_is_asked_about() {
    block_on(async {
        let steps = "- run: append log 1\n- {background: true, uses: ./send}\n- run: append log 2\n- run: append log 3\n";
        let place = Place::new();
        std::fs::create_dir(place.workspace().join("send")).unwrap();
        let action = "runs:
  using: composite
  steps:
    - {run: git push, shell: bash}
    - {run: takes 900, shell: bash}
";
        std::fs::write(place.workspace().join("send/action.yml"), action).unwrap();
        let mut debugger = debug(&workflow(steps), &place);
        debugger.stopped().await;
        for _ in 0..3 {
            debugger.to(Request::Next).await;
        }
        debugger.to(BACK).await;
        let stop = debugger.to(Request::Next).await;
        assert_eq!(stop.reason, StopReason::Confirm("git push".to_owned()));
        assert_eq!(stop.background, Some(engine::step_path::StepPath::main(1)));
    });
}
