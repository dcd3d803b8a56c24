//! Leaving the debugger.

use engine::effect::Outcome;
use session::breakpoint::{BreakpointSpec, Location};
use session::exception::ExceptionFilter;
use session::request::Request;

use super::{BACK, Case};
use crate::debugger::block_on;

#[test]
fn quitting_while_rewound_puts_the_workspace_back() {
    block_on(async {
        let mut case = Case::start().await;
        case.to(Request::Continue).await;
        case.to(Request::Continue).await;
        assert_eq!(case.log(), "1234");
        case.write("notes", "mine");
        case.to(Request::Back { steps: 3 }).await;
        assert_eq!((case.log().as_str(), case.read("notes")), ("1", None));
        let Case { place, debugger } = case;
        let ended = debugger.quit().await;
        assert_eq!(ended.outcome, Outcome::Failure);
        let read = |name: &str| std::fs::read_to_string(place.workspace().join(name)).unwrap();
        assert_eq!((read("log").as_str(), read("notes").as_str()), ("1234", "mine"));
    });
}

/// The rest of a job that is left runs as that of a cancelled one, from the newest moment.
#[test]
fn quitting_in_the_past_cancels_from_the_newest_moment() {
    block_on(async {
        let mut case = Case::start().await;
        case.to(Request::Next).await;
        case.to(Request::Next).await;
        case.to(BACK).await;
        assert_eq!(case.log(), "1");
        let Case { place, debugger } = case;
        let ended = debugger.quit().await;
        assert_eq!(ended.outcome, Outcome::Cancelled);
        assert_eq!(std::fs::read_to_string(place.workspace().join("log")).unwrap(), "124");
    });
}

/// What stopped the job for the person does not stop it on its way to its end: nobody would let it go on.
#[test]
fn quitting_passes_breakpoints_and_filters() {
    block_on(async {
        let mut case = Case::start().await;
        for name in ["second", "last"] {
            let location = Location::Step(name.to_owned());
            case.debugger.ask(Request::Break(BreakpointSpec::at(location))).await;
        }
        case.debugger.ask(Request::Catch(ExceptionFilter::Skipped, true)).await;
        let Case { place, debugger } = case;
        assert_eq!(debugger.quit().await.outcome, Outcome::Cancelled);
        assert_eq!(std::fs::read_to_string(place.workspace().join("log")).unwrap(), "4");
    });
}

/// The future that was left for good does not come back by leaving.
#[test]
fn quitting_after_a_branch_became_real_keeps_that_branch() {
    block_on(async {
        let mut case = Case::start().await;
        case.debugger.ask(Request::Catch(ExceptionFilter::Failed, false)).await;
        case.to(Request::Continue).await;
        case.to(Request::Back { steps: 9 }).await;
        case.write("branch", "2");
        case.to(Request::Next).await;
        let Case { place, debugger } = case;
        debugger.quit().await;
        assert_eq!(std::fs::read_to_string(place.workspace().join("log")).unwrap(), "14");
        assert!(place.workspace().join("branch").exists());
    });
}
