//! Faults that other debuggers of jobs have had, kept away for good.
//!
//! A runner that registers its expression functions each time a step is dispatched dies of a duplicate key when a step
//! is dispatched again. Here every dispatch makes a table of its own, from constants.

use engine::effect::Outcome;
use engine::step_path::StepPath;
use expr::{Functions, HashAnswers, JobStatus, Phase, StatusFacts};
use session::moment::Point;
use session::request::{Reply, Request, Stop, StopReason};

use crate::debugger::little::{debug, workflow};
use crate::debugger::{Debugger, Place, block_on};

/// Every function of a condition, in a job that fails half-way. `log` tells which steps ran.
const STEPS: &str = "\
- id: one
  run: |
    append log 1
    output v a
- id: two
  if: success()
  run: append log 2
- id: fails
  continue-on-error: ${{ env.FORGIVE == 'yes' }}
  run: |
    append log 3
    exit 3
- id: after
  run: append log 4
- id: always
  if: always()
  run: append log 5
- id: failure
  if: failure()
  run: append log 6
- id: cancelled
  if: cancelled()
  run: append log 7
- id: all
  if: always() && !cancelled() && (success() || failure()) && hashFiles('log') != ''
  run: append log 8
";

/// What the straight run writes.
const LOG: &str = "123568";

/// How each step ends there.
const OUTCOMES: [Outcome; 8] = {
    use Outcome::{Failure, Skipped, Success};
    [Success, Success, Failure, Skipped, Success, Success, Skipped, Success]
};

/// The names of the functions of a condition, each once.
const NAMES: [&str; 5] = ["always", "cancelled", "failure", "success", "hashFiles"];

struct Case {
    place: Place,
    debugger: Debugger,
}

impl Case {
    async fn start() -> (Self, Stop) {
        let place = Place::new();
        let mut debugger = debug(&workflow(STEPS), &place);
        let stop = debugger.stopped().await;
        debugger.ask(Request::Catch(session::exception::ExceptionFilter::Failed, false)).await;
        (Self { place, debugger }, stop)
    }

    async fn to(&mut self, request: Request) -> Stop {
        self.looks_well().await;
        self.debugger.to(request).await
    }

    /// A person's expression and the step's own condition are evaluated as at a dispatch, as often as one likes.
    async fn looks_well(&mut self) {
        let all = "always() && (success() || failure() || cancelled()) && hashFiles('no such file') == ''";
        assert_eq!(self.debugger.print(all).await, "true");
        table_is_whole();
    }

    async fn why(&mut self) -> Result<bool, String> {
        match self.debugger.ask(Request::Why).await {
            Reply::Why(why) => why.result,
            other => panic!("a reason was expected: {other:?}"),
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.place.workspace().join("log")).unwrap_or_default()
    }

    /// Steps to the end of the job, looking at each stop.
    async fn step_to_the_end(&mut self, mut stop: Stop) -> usize {
        let mut steps = 0;
        while !matches!(stop.point, Point::End(_)) {
            stop = self.to(Request::Next).await;
            steps += 1;
        }
        steps
    }

    async fn ends_like_the_straight_run(self) {
        assert_eq!(self.log(), LOG);
        let ended = self.debugger.quit().await;
        assert_eq!(ended.outcome, Outcome::Failure);
        let outcomes: Vec<Outcome> = ended.job.results().values().map(|result| result.outcome).collect();
        assert_eq!(outcomes, OUTCOMES);
    }
}

/// The table of a dispatch in any state has each function exactly once, however many were made before.
#[track_caller]
fn table_is_whole() {
    for status in [JobStatus::Success, JobStatus::Failure, JobStatus::Cancelled] {
        let facts = StatusFacts::for_job(Some(status));
        let table = Functions::for_dispatch(Phase::Condition, facts, HashAnswers::new());
        assert_eq!(table.len(), NAMES.len());
        assert_eq!(table.names().collect::<Vec<_>>(), NAMES);
        let body = Functions::for_dispatch(Phase::Body, facts, HashAnswers::new());
        assert_eq!(body.names().collect::<Vec<_>>(), ["hashFiles"]);
    }
}

fn back(steps: u32) -> Request {
    Request::Back { steps }
}

/// A step that is dispatched again and again is decided the same each time, and its functions are there once.
#[test]
fn functions_are_rebuilt_on_every_dispatch() {
    block_on(async {
        let (mut case, mut stop) = Case::start().await;
        while !matches!(stop.point, Point::End(_)) {
            let here = stop.point.clone();
            for _ in 0..3 {
                case.to(Request::Next).await;
                // From before the next step, or from the end of the job, back to before this one.
                stop = case.to(back(1)).await;
                assert_eq!(stop.point, here);
            }
            stop = case.to(Request::Next).await;
        }
        case.ends_like_the_straight_run().await;
    });
}

mod functions_are_rebuilt_on_every_dispatch {
    use super::*;

    #[test]
    fn back_several_times_in_a_row() {
        block_on(async {
            let (mut case, mut stop) = Case::start().await;
            for _ in 0..2 {
                case.step_to_the_end(stop).await;
                assert_eq!(case.log(), LOG);
                stop = case.to(back(1)).await;
                for index in (0..7).rev() {
                    assert_eq!(stop.point, Point::Before(StepPath::main(index + 1)));
                    stop = case.to(back(1)).await;
                }
                assert_eq!(stop.reason, StopReason::Start);
                assert_eq!(case.log(), "");
                let again = case.to(back(1)).await;
                assert_eq!((again.point, again.reason), (stop.point.clone(), StopReason::Start));
            }
            case.step_to_the_end(stop).await;
            stop = case.to(back(20)).await;
            assert_eq!(stop.point, Point::Before(StepPath::main(0)));
            case.to(Request::Continue).await;
            case.ends_like_the_straight_run().await;
        });
    }

    #[test]
    fn back_then_commands_then_forward() {
        block_on(async {
            let (mut case, _) = Case::start().await;
            for _ in 0..2 {
                case.to(Request::Next).await;
            }
            let stop = case.to(back(2)).await;
            assert_eq!(stop.point, Point::Before(StepPath::main(0)));
            assert_eq!(case.why().await, Ok(true));
            assert_eq!(case.debugger.print("steps.one.outputs.v").await, "null");
            case.debugger.set("env.FORGIVE", Some("yes")).await;
            assert!(matches!(case.debugger.ask(Request::Env).await, Reply::Variables(all) if all.len() == 1));
            assert!(matches!(case.debugger.ask(Request::Steps).await, Reply::Steps(all) if all.len() == 8));
            let command = "append log from-the-shell".to_owned();
            let Reply::Shell(shell) = case.debugger.ask(Request::Shell { command }).await else {
                panic!("the end of a command was expected")
            };
            assert_eq!((shell.exit_code, shell.changed), (0, vec!["log".to_owned()]));
            case.looks_well().await;
            case.to(Request::Continue).await;
            // The failure was forgiven, so `after` ran and `failure` did not.
            assert_eq!(case.log(), "from-the-shell123458");

            // Undone: from the moment before the edits everything is as in the straight run.
            let stop =
                case.to(Request::Goto(session::request::Target::Moment(session::moment::MomentId(0)))).await;
            assert_eq!((case.log().as_str(), stop.number), ("", 1));
            case.debugger.set("env.FORGIVE", Some("yes")).await;
            case.debugger.set("env.FORGIVE", None).await;
            case.to(Request::Continue).await;
            case.ends_like_the_straight_run().await;
        });
    }

    #[test]
    fn reverse_continue_to_the_start_then_every_step() {
        block_on(async {
            let (mut case, stop) = Case::start().await;
            assert_eq!(case.step_to_the_end(stop).await, 8);
            for _ in 0..3 {
                let stop = case.to(Request::ReverseContinue).await;
                assert_eq!(
                    (&stop.point, &stop.reason),
                    (&Point::Before(StepPath::main(0)), &StopReason::Start)
                );
                assert_eq!(case.log(), "");
                assert_eq!(case.step_to_the_end(stop).await, 8);
                assert_eq!(case.log(), LOG);
            }
            case.ends_like_the_straight_run().await;
        });
    }

    #[test]
    fn always_failure_and_cancelled() {
        block_on(async {
            let (mut case, mut stop) = Case::start().await;
            let mut first = Vec::new();
            while !matches!(stop.point, Point::End(_)) {
                first.push(case.why().await);
                stop = case.to(Request::Next).await;
            }
            let known: Vec<bool> = first.iter().take(7).map(|why| *why.as_ref().unwrap()).collect();
            assert_eq!(known, [true, true, true, false, true, true, false]);
            // Backwards over all of them: each is asked again where it stands.
            for index in (0..first.len()).rev() {
                case.to(back(1)).await;
                assert_eq!(case.why().await, first[index], "step {}", index + 1);
            }
            // A cancelled job: `cancelled()` and `always()` run, the others do not.
            case.to(Request::Next).await;
            case.debugger.set("job.status", Some("cancelled")).await;
            let stop = case.to(Request::Continue).await;
            assert_eq!(stop.reason, StopReason::End(Outcome::Cancelled));
            assert_eq!(case.log(), "157");
            // And back before that: not cancelled.
            case.to(Request::ReverseContinue).await;
            case.to(Request::Continue).await;
            case.ends_like_the_straight_run().await;
        });
    }

    /// A step that is run again from where it failed, with the REPL's `rerun`.
    #[test]
    fn the_failing_step_again_and_again() {
        block_on(async {
            let (mut case, _) = Case::start().await;
            case.debugger.ask(Request::Catch(session::exception::ExceptionFilter::Failed, true)).await;
            let mut stop = case.to(Request::Continue).await;
            for _ in 0..5 {
                assert!(matches!(&stop.reason, StopReason::Failure(failure) if failure.exit_code == Some(3)));
                assert_eq!(case.log(), "123");
                let before = case.to(Request::Rerun).await;
                assert_eq!(before.point, Point::Before(StepPath::main(2)));
                stop = case.debugger.stopped().await;
            }
            case.to(Request::Continue).await;
            case.ends_like_the_straight_run().await;
        });
    }
}
