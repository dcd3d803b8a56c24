//! Stop points of background steps are moments like all others: found backwards where they stop forwards, gone to, returned from
//! and gone on from.

use engine::effect::Outcome;
use engine::event::LaneChoice;
use engine::step_path::StepPath;
use session::breakpoint::{BreakpointSpec, Location};
use session::exception::{ExceptionFilter, ExceptionFilters};
use session::moment::{MomentId, Point};
use session::request::{Reply, Request, Stop, StopReason, Target, TimelineLine};
use session::session::Mode;

use crate::debugger::little::{debug, start, workflow};
use crate::debugger::{Debugger, Place, block_on};
use crate::law::tree;

/// The background step fails while the foreground's second step runs. The third one writes over nothing of it.
const STEPS: &str =
    "- {id: a, background: true, run: \"write l/a text\\noutput word held\\ntakes 5\\nexit 3\"}
- {id: b, background: true, run: \"write l/b text\\ntakes 20\"}
- {id: slow, run: \"write slow 1\\ntakes 10\"}
- {id: last, run: write last 2}
- {wait: a}
- {id: end, if: always(), run: write end 3}
";

struct Case {
    place: Place,
    debugger: Debugger,
}

impl Case {
    async fn of(steps: &str) -> Self {
        let place = Place::new();
        let mut debugger = debug(&workflow(steps), &place);
        debugger.stopped().await;
        Self { place, debugger }
    }

    /// At the end of the job, without having stopped on the way.
    async fn over(steps: &str) -> Self {
        let mut case = Self::of(steps).await;
        case.catch(&[]).await;
        let stop = case.to(Request::Continue).await;
        assert!(matches!(stop.reason, StopReason::End(_)), "{stop:?}");
        case.catch(&[(ExceptionFilter::Failed, None)]).await;
        case
    }

    async fn to(&mut self, request: Request) -> Stop {
        self.debugger.to(request).await
    }

    async fn catch(&mut self, on: &[(ExceptionFilter, Option<&str>)]) {
        let on = on.iter().map(|(filter, condition)| (*filter, condition.map(str::to_owned))).collect();
        self.debugger.ask(Request::SetExceptionFilters(ExceptionFilters::new(on))).await;
    }

    fn files(&self) -> Vec<String> {
        tree(&self.place.workspace()).into_keys().collect()
    }

    /// The moments of background steps, as `step point`.
    async fn of_lanes(&mut self) -> Vec<(MomentId, String)> {
        let lines = self.debugger.timeline().await;
        lines.iter().filter_map(|line| Some((line.moment, told(line)?))).collect()
    }

    async fn lane_moment(&mut self, told: &str) -> MomentId {
        let all = self.of_lanes().await;
        all.iter().find(|(_, known)| known == told).unwrap_or_else(|| panic!("{told}: {all:?}")).0
    }

    /// On to the end, which is that of a run that nobody ever stopped.
    async fn ends_as_the_straight_run(mut self, steps: &str) {
        self.catch(&[]).await;
        if !matches!(self.debugger.ask(Request::Status).await, Reply::Stop(stop) if matches!(stop.point, Point::End(_)))
        {
            let stop = self.to(Request::Continue).await;
            assert!(matches!(stop.reason, StopReason::End(_)), "{stop:?}");
        }
        let ended = self.debugger.quit().await;
        let place = Place::new();
        let straight = start(&workflow(steps), &place, Mode::Headless).ended().await;
        assert!(ended.job == straight.job, "{:?}\n{:?}", ended.job.results(), straight.job.results());
        assert_eq!(tree(&self.place.workspace()), tree(&place.workspace()));
    }
}

fn told(line: &TimelineLine) -> Option<String> {
    match &line.point {
        Point::LaneBefore(path) => Some(format!("before {path}")),
        Point::LaneAfter(path, outcome) => Some(format!("after {path} {outcome}")),
        _ => None,
    }
}

/// The background step that a stop is at, with the filter that stopped there.
fn failed(stop: &Stop) -> Option<(StepPath, ExceptionFilter)> {
    match &stop.reason {
        StopReason::Failure(failure) => Some((stop.background.clone()?, failure.filter)),
        _ => None,
    }
}

#[test]
fn every_end_of_a_background_step_is_one_moment() {
    block_on(async {
        let mut case = Case::over(STEPS).await;
        let lanes: Vec<String> = case.of_lanes().await.into_iter().map(|(_, told)| told).collect();
        assert_eq!(lanes, ["after main.0 failure", "after main.1 success"]);
        // In the order of events: the first while the second step of the foreground runs, the second in the wait at the end.
        let lines = case.debugger.timeline().await;
        let place =
            |told_as: &str| lines.iter().position(|line| told(line).as_deref() == Some(told_as)).unwrap();
        let after = |index: u32| {
            let is = |line: &TimelineLine| matches!(&line.point, Point::After(path, _) if *path == StepPath::main(index));
            lines.iter().position(is).unwrap()
        };
        assert!(place("after main.0 failure") < after(2));
        assert!(after(5) < place("after main.1 success"));
    });
}

#[test]
fn reverse_continue_finds_a_failed_background_step() {
    block_on(async {
        let mut case = Case::over(STEPS).await;
        // What waited for it failed as well, and that was later.
        let stop = case.to(Request::ReverseContinue).await;
        assert_eq!(stop.point, Point::After(StepPath::main(4), Outcome::Failure));
        let stop = case.to(Request::ReverseContinue).await;
        assert_eq!(failed(&stop), Some((StepPath::main(0), ExceptionFilter::Failed)), "{stop:?}");
        assert_eq!((stop.point, stop.number), (Point::LaneAfter(StepPath::main(0), Outcome::Failure), 1));
        assert_eq!(case.files(), ["l", "l/a", "l/b", "slow"]);
        let notes = stop.notes.join("\n");
        assert!(notes.contains("going on starts it again"), "{notes}");
        assert!(notes.contains("was under way here: going on runs it again from its start"), "{notes}");
        let stop = case.to(Request::ReverseContinue).await;
        assert_eq!(stop.reason, StopReason::Start);
        let stop = case.to(Request::Return).await;
        assert!(matches!(stop.point, Point::End(_)), "{stop:?}");
        assert_eq!(case.files(), ["end", "l", "l/a", "l/b", "last", "slow"]);
    });
}

#[test]
fn a_job_that_goes_on_from_a_background_failure_ends_as_the_straight_run() {
    block_on(async {
        let mut case = Case::over(STEPS).await;
        let moment = case.lane_moment("after main.0 failure").await;
        case.to(Request::Goto(Target::Moment(moment))).await;
        case.ends_as_the_straight_run(STEPS).await;
    });
}

/// Whoever stands at the failure as it happens goes nowhere by going back to it, and on as if nothing had been.
#[test]
fn the_moment_at_which_the_job_stands_is_no_earlier_one() {
    block_on(async {
        let mut case = Case::of(STEPS).await;
        let stop = case.to(Request::Continue).await;
        assert_eq!(failed(&stop), Some((StepPath::main(0), ExceptionFilter::Failed)), "{stop:?}");
        assert_eq!(case.to(Request::ReverseContinue).await.reason, StopReason::Start);
        let stop = case.to(Request::Return).await;
        assert_eq!(stop.background, Some(StepPath::main(0)), "{stop:?}");
        let here = stop.moment;
        let stop = case.to(Request::Goto(Target::Moment(here))).await;
        assert!(!stop.rewound, "{stop:?}");
        case.ends_as_the_straight_run(STEPS).await;
    });
}

/// Two fail while one step of the foreground runs.
const TWO: &str = "- {id: a, background: true, run: \"write l/a text\\ntakes 5\\nexit 3\"}
- {id: b, background: true, run: \"write l/b text\\ntakes 7\\nexit 4\"}
- {id: slow, run: \"write slow 1\\ntakes 10\"}
- {id: last, if: always(), run: write last 2}
";

#[test]
fn a_frozen_foreground_step_comes_back_by_return() {
    block_on(async {
        let mut case = Case::of(TWO).await;
        let stop = case.to(Request::Continue).await;
        assert_eq!(failed(&stop), Some((StepPath::main(0), ExceptionFilter::Failed)), "{stop:?}");
        let stop = case.to(Request::Continue).await;
        assert_eq!(failed(&stop), Some((StepPath::main(1), ExceptionFilter::Failed)), "{stop:?}");
        let stop = case.to(Request::ReverseContinue).await;
        assert_eq!(failed(&stop), Some((StepPath::main(0), ExceptionFilter::Failed)), "{stop:?}");
        assert!(stop.rewound && stop.notes.iter().any(|note| note.contains("stood frozen")), "{stop:?}");
        let stop = case.to(Request::Return).await;
        assert_eq!((stop.background, stop.rewound), (Some(StepPath::main(1)), false));
        let lines = case.debugger.timeline().await;
        assert!(lines.iter().all(|line| line.cause.is_none()), "the present was a moment already");
        case.catch(&[]).await;
        case.to(Request::Continue).await;
        let lines = case.debugger.timeline().await;
        let runs = |line: &&TimelineLine| line.point == Point::Decided(StepPath::main(2));
        assert_eq!(
            lines.iter().filter(runs).count(),
            1,
            "the step that was frozen went on, and did not start again"
        );
        case.ends_as_the_straight_run(TWO).await;
    });
}

#[test]
fn a_condition_of_a_filter_holds_in_the_recorded_state() {
    block_on(async {
        let mut case = Case::over(STEPS).await;
        let no_env = "steps.a.outcome == 'failure'";
        // Nobody has waited for it then, so the job does not know of the failure.
        case.catch(&[(ExceptionFilter::Failed, Some(no_env))]).await;
        let stop = case.to(Request::ReverseContinue).await;
        assert_eq!(stop.point, Point::After(StepPath::main(4), Outcome::Failure));
        assert_eq!(case.to(Request::ReverseContinue).await.reason, StopReason::Start);
        case.to(Request::Return).await;
        case.catch(&[(ExceptionFilter::Failed, Some("steps.a.outcome == null"))]).await;
        let stop = case.to(Request::ReverseContinue).await;
        assert_eq!(failed(&stop), Some((StepPath::main(0), ExceptionFilter::Failed)), "{stop:?}");
    });
}

/// The foreground waits for that one alone: it has gone on by the time anybody could stand.
const FORGIVEN: &str = "- {id: a, background: true, continue-on-error: true, run: \"takes 5\\nexit 3\"}
- {wait: a}
- {id: last, run: write last 2}
";

#[test]
fn a_forgiven_failure_that_ends_a_wait_stops_forwards_and_backwards() {
    block_on(async {
        let mut case = Case::of(FORGIVEN).await;
        let expected = Some((StepPath::main(0), ExceptionFilter::ContinueOnError));
        case.catch(&[(ExceptionFilter::ContinueOnError, None)]).await;
        let stop = case.to(Request::Continue).await;
        assert_eq!(failed(&stop), expected, "{stop:?}");
        assert_eq!(case.to(Request::ReverseContinue).await.reason, StopReason::Start, "it stood there");
        case.to(Request::Return).await;
        case.catch(&[]).await;
        case.to(Request::Continue).await;
        case.catch(&[(ExceptionFilter::ContinueOnError, None)]).await;
        let stop = case.to(Request::ReverseContinue).await;
        assert_eq!(failed(&stop), expected, "{stop:?}");
        // Nobody has waited yet at this moment.
        assert_eq!(case.debugger.print("steps.a.outcome").await, "null");
        case.ends_as_the_straight_run(FORGIVEN).await;
    });
}

const FOR_EVER: &str = "- {id: a, background: true, run: takes for-ever}
- {id: b, background: true, run: takes for-ever}
- {id: one, run: write one 1}
- {cancel: a}
- {cancel: b}
";

#[test]
fn several_ends_at_once_are_a_moment_each() {
    block_on(async {
        let mut case = Case::over(FOR_EVER).await;
        case.to(Request::Goto(Target::Step(StepPath::main(2)))).await;
        case.debugger.ask(Request::Lanes(LaneChoice::LeaveOut)).await;
        case.to(Request::Continue).await;
        let lines = case.debugger.timeline().await;
        let second: Vec<String> = lines.iter().filter(|line| line.branch.0 == 2).filter_map(told).collect();
        assert_eq!(second, ["after main.0 cancelled", "after main.1 cancelled"]);
    });
}

#[test]
fn step_back_does_not_stop_at_moments_of_background_steps() {
    block_on(async {
        let mut case = Case::over(STEPS).await;
        // The last one waits for what no step waited for.
        for index in [6, 5, 4, 3, 2, 1, 0] {
            let stop = case.to(Request::Back { steps: 1 }).await;
            assert_eq!((stop.point, stop.background), (Point::Before(StepPath::main(index)), None));
        }
        case.to(Request::Return).await;
        let moment = case.lane_moment("after main.0 failure").await;
        case.to(Request::Goto(Target::Moment(moment))).await;
        // In the middle of the foreground's step: to before it.
        let stop = case.to(Request::Back { steps: 1 }).await;
        assert_eq!(stop.point, Point::Before(StepPath::main(2)));
    });
}

#[test]
fn a_background_step_may_be_left_out_and_the_foreground_goes_on_from_its_start() {
    block_on(async {
        let mut case = Case::over(STEPS).await;
        let moment = case.lane_moment("after main.0 failure").await;
        case.to(Request::Goto(Target::Moment(moment))).await;
        case.debugger.ask(Request::Lanes(LaneChoice::LeaveOut)).await;
        case.catch(&[]).await;
        case.to(Request::Continue).await;
        let results = case.debugger.quit().await.job.results().clone();
        let outcome = |index: u32| results.get(&StepPath::main(index)).unwrap().outcome;
        assert_eq!([0, 1, 2].map(outcome), [Outcome::Failure, Outcome::Cancelled, Outcome::Success]);
    });
}

#[test]
fn changes_are_reported_when_somebody_waits() {
    block_on(async {
        let mut case = Case::over(STEPS).await;
        let key = session::key::Key::parse("steps.a.outputs.word").unwrap();
        case.debugger.ask(Request::Break(BreakpointSpec::at(Location::Change(key)))).await;
        case.catch(&[]).await;
        let stop = case.to(Request::ReverseContinue).await;
        assert!(matches!(stop.reason, StopReason::DataBreakpoint(_)), "{stop:?}");
        assert_eq!(stop.point, Point::After(StepPath::main(4), Outcome::Failure));
        assert_eq!(case.to(Request::ReverseContinue).await.reason, StopReason::Start);
    });
}

/// A step that reached outside and was under way is not run again without asking.
#[test]
fn a_foreground_step_that_was_under_way_outside_is_asked_about() {
    block_on(async {
        let steps = "- {id: a, background: true, run: \"takes 5\\nexit 3\"}
- {id: push, run: \"git push\\ntakes 10\"}
- {id: last, run: write last 2}
";
        let mut case = Case::over(steps).await;
        let moment = case.lane_moment("after main.0 failure").await;
        case.to(Request::Goto(Target::Moment(moment))).await;
        let stop = case.to(Request::Next).await;
        assert_eq!(stop.reason, StopReason::Confirm("git push".to_owned()), "{stop:?}");
        assert!(stop.rewound, "nothing is final before that is answered");
        let stop = case.to(Request::Confirm(true)).await;
        assert_eq!(stop.point, Point::Before(StepPath::main(2)));
    });
}
