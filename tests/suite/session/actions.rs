//! Stepping over actions, into them and out of them, forwards and backwards, with real shells.

use std::fs;

use engine::effect::Outcome;
use engine::step_path::StepPath;
use session::exception::ExceptionFilter;
use session::moment::Point;
use session::request::{Reply, Request, Stop, StopReason};

use super::{BACK, before};
use crate::debugger::little::workflow;
use crate::debugger::live::Live;
use crate::debugger::{Debugger, Place, block_on, plan};

const STEPS: &str = "\
- run: echo 0 >> log
- id: outer
  uses: ./outer
  with: {word: one}
- run: echo \"${{ steps.outer.outputs.said }}\" >> log
";

const OUTER: &str = "inputs: {word: {default: none}}
outputs: {said: {value: '${{ steps.say.outputs.word }}'}}
runs:
  using: composite
  steps:
    - {id: say, run: 'echo ${{ inputs.word }} >> log; echo word=${{ inputs.word }}! >> $GITHUB_OUTPUT', shell: bash}
    - {uses: ./inner}
    - {run: echo last >> log, shell: bash}
";

const INNER: &str = "runs:
  using: composite
  steps:
    - {run: 'echo inner >> log', shell: bash}
    - {run: '[ ! -e bad ]', shell: bash}
";

struct Case {
    place: Place,
    debugger: Debugger,
}

impl Case {
    async fn start() -> Self {
        let place = Place::new();
        for (folder, manifest) in [("outer", OUTER), ("inner", INNER)] {
            let folder = place.workspace().join(folder);
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("action.yml"), manifest).unwrap();
        }
        let mut debugger = Live::debug(&place).start(plan(&workflow(STEPS)));
        debugger.stopped().await;
        Self { place, debugger }
    }

    async fn to(&mut self, request: Request) -> Stop {
        self.debugger.to(request).await
    }

    fn log(&self) -> String {
        fs::read_to_string(self.place.workspace().join("log")).unwrap_or_default().replace('\n', " ")
    }
}

fn inner(path: &str) -> Point {
    Point::Before(path.parse::<StepPath>().unwrap())
}

#[test]
fn an_action_is_one_step_until_it_is_stepped_into() {
    block_on(async {
        let mut case = Case::start().await;
        assert_eq!(case.to(Request::Next).await.point, before(1));
        assert_eq!(case.to(Request::Next).await.point, before(2));
        assert_eq!(case.log(), "0 one inner last ");
        // Back over it is one step as well, and undoes all of it.
        assert_eq!(case.to(BACK).await.point, before(1));
        assert_eq!(case.log(), "0 ");
        let stop = case.to(Request::StepIn).await;
        assert_eq!((stop.point.clone(), stop.step_number().as_str()), (inner("main.1.0"), "2.1"));
        let place = stop.place.unwrap();
        assert_eq!((&*place.file, place.line), ("./outer/action.yml", 6));
        assert_eq!(case.debugger.print("inputs.word").await, "one");
        assert_eq!(case.to(Request::Next).await.point, inner("main.1.1"));
        assert_eq!(case.to(Request::StepIn).await.point, inner("main.1.1.0"));
        assert_eq!(case.to(Request::StepOut).await.point, inner("main.1.2"));
        assert_eq!(case.log(), "0 one inner ");
        assert_eq!(case.to(BACK).await.point, inner("main.1.1"));
        assert_eq!(case.log(), "0 one ");
        assert_eq!(case.to(BACK).await.point, inner("main.1.0"));
        assert_eq!(case.to(BACK).await.point, before(1));
        assert_eq!(case.to(Request::Return).await.point, inner("main.1.2"));
        assert_eq!(case.log(), "0 one inner ");
        assert_eq!(case.to(Request::StepOut).await.point, before(2));
        case.to(Request::Continue).await;
        assert_eq!(case.log(), "0 one inner last one! ");
        assert_eq!(case.debugger.quit().await.outcome, Outcome::Success);
    });
}

#[test]
fn a_failure_inside_stops_at_the_step_that_failed_and_at_no_other() {
    block_on(async {
        let mut case = Case::start().await;
        fs::write(case.place.workspace().join("bad"), "").unwrap();
        let stop = case.to(Request::Continue).await;
        assert!(matches!(stop.reason, StopReason::Failure(_)), "{stop:?}");
        assert_eq!(stop.step_number(), "2.2.2");
        let Reply::Log(lines) = case.debugger.ask(Request::Log(Some(StepPath::main(1)))).await else {
            panic!()
        };
        assert!(lines.iter().any(|line| line.contains("exit code 1")), "the action's log has it: {lines:?}");
        // What was wrong is put right, and the step runs again in the middle of the action.
        case.to(BACK).await;
        fs::remove_file(case.place.workspace().join("bad")).unwrap();
        let stop = case.to(Request::Continue).await;
        assert_eq!(stop.point, Point::End(Outcome::Success));
        assert_eq!(case.log(), "0 one inner last one! ");
    });
}

#[test]
fn only_the_step_at_fault_stops_a_job_that_fails_to_its_end() {
    block_on(async {
        let mut case = Case::start().await;
        fs::write(case.place.workspace().join("bad"), "").unwrap();
        case.debugger.ask(Request::Catch(ExceptionFilter::Failed, true)).await;
        case.to(Request::Continue).await;
        let stop = case.to(Request::Continue).await;
        assert_eq!(stop.point, Point::End(Outcome::Failure));
    });
}

#[test]
fn an_action_took_as_long_as_its_steps() {
    block_on(async {
        let mut case = Case::start().await;
        case.to(Request::Next).await;
        case.to(Request::Next).await;
        let lines = case.debugger.timeline().await;
        let took = |step: &str| {
            let after = |point: &Point| matches!(point, Point::After(path, _) if path.to_string() == step);
            lines.iter().find(|line| after(&line.point)).and_then(|line| line.took).unwrap()
        };
        assert_eq!(took("main.1"), took("main.1.0") + took("main.1.1") + took("main.1.2"));
        assert_eq!(took("main.1.1"), took("main.1.1.0") + took("main.1.1.1"));
        case.debugger.quit().await;
    });
}
