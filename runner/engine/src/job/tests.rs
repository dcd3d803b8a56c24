//! Jobs driven step by step against answers given in the test.

mod actions;

use std::sync::Arc;

use expr::{Object, Value};
use indexmap::IndexMap;
use syntax::{NoFiles, ReadOptions, Sources};

use super::*;
use crate::effect::{Body, Signal};
use crate::event::{BodyEnd, Edit, Exit};
use crate::file_command::FileCommandResults;
use crate::plan::{Hook, JobKey};

/// A job and everything it asked for.
pub(crate) struct Stage {
    pub(crate) job: Job,
    pub(crate) secrets: Secrets,
    pub(crate) effects: Vec<Effect>,
}

fn plan(steps: &str) -> Plan {
    let text = format!("on: push\njobs:\n  j:\n    runs-on: ubuntu-latest\n{steps}");
    let mut sources = Sources::new();
    let id = sources.add("ci.yml", text);
    let (workflow, diagnostics) = syntax::parse_workflow(&mut sources, id, &ReadOptions::default(), &NoFiles);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    Plan::new(Arc::new(workflow.unwrap()), "ci.yml".into(), JobKey::single("j"), "j".into()).unwrap()
}

impl Stage {
    pub(crate) fn new(steps: &str) -> Self {
        Self::of(plan(steps), Secrets::default())
    }

    fn of(plan: Plan, secrets: Secrets) -> Self {
        Self::given(plan, JobInputs::default(), secrets)
    }

    fn given(plan: Plan, given: JobInputs, secrets: Secrets) -> Self {
        let mut effects = Vec::new();
        let mut runner = Object::new();
        runner.insert("temp", Value::string("/t"));
        let given = JobInputs { runner: Arc::new(runner), ..given };
        let job = Job::new(Arc::new(plan), given, &secrets, &mut effects);
        Self { job, secrets, effects }
    }

    pub(crate) fn handle(&mut self, event: Event) -> &mut Self {
        self.job.handle(event, &self.secrets, &mut self.effects).unwrap();
        self
    }

    pub(crate) fn advance(&mut self) -> &mut Self {
        self.handle(Event::Advance)
    }

    /// Up to the body of the step at the cursor.
    fn start(&mut self) -> &mut Self {
        if matches!(self.job.cursor(), Cursor::Settled(_)) {
            self.advance();
        }
        self.advance().advance();
        assert!(matches!(self.job.cursor(), Cursor::Running(_)), "{:?}", self.job.cursor());
        self
    }

    fn exit(&mut self, code: i32) -> &mut Self {
        self.end(Exit::Code(code), FileCommandResults::default())
    }

    fn end(&mut self, exit: Exit, files: FileCommandResults) -> &mut Self {
        let end = BodyEnd { exit, files, command_failed: false };
        self.handle(Event::BodyEnded { lane: LaneId::FOREGROUND, end })
    }

    /// Runs to the end; each script is its own answer: `exit N`.
    pub(crate) fn run(&mut self) -> &mut Self {
        while self.job.outcome().is_none() {
            match self.job.cursor() {
                Cursor::Running(_) => {
                    let code =
                        self.script().trim().strip_prefix("exit ").map_or(0, |code| code.parse().unwrap());
                    self.exit(code);
                }
                _ => {
                    self.advance();
                }
            }
        }
        self
    }

    fn script(&self) -> String {
        self.bodies().last().map(|(_, script)| script.clone()).unwrap_or_default()
    }

    fn bodies(&self) -> Vec<(String, String)> {
        self.effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Spawn { body, .. } => match body.as_ref() {
                    Body::Process(spec) => Some((spec.step.to_string(), spec.script.text.to_string())),
                    Body::Checkout(spec) => Some((spec.step.to_string(), "checkout".to_owned())),
                },
                _ => None,
            })
            .collect()
    }

    pub(crate) fn process(&self) -> crate::process::ProcessSpec {
        let last = self.effects.iter().rev().find_map(|effect| match effect {
            Effect::Spawn { body, .. } => match body.as_ref() {
                Body::Process(spec) => Some(spec.clone()),
                Body::Checkout(_) => None,
            },
            _ => None,
        });
        last.unwrap()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Report(Report::Line { tag, text, .. }) => Some(format!("{tag:?}: {text}")),
                _ => None,
            })
            .collect()
    }

    /// `step outcome/conclusion` of every step that is over.
    fn results(&self) -> Vec<String> {
        let one = |(path, result): (&StepPath, &StepResult)| {
            format!("{path} {}/{}", result.outcome, result.conclusion)
        };
        self.job.results().iter().map(one).collect()
    }

    fn steps_json(&self) -> String {
        Value::Object(Arc::clone(self.job.steps())).to_json()
    }
}

#[track_caller]
fn check(steps: &str, results: &[&str], outcome: Outcome) {
    let mut stage = Stage::new(steps);
    stage.run();
    assert_eq!(stage.results(), results, "{:?}", stage.lines());
    assert_eq!(stage.job.outcome(), Some(outcome));
}

#[test]
fn a_failure_skips_what_does_not_ask_for_it() {
    check(
        "    steps:\n      - run: exit 1\n      - run: echo\n      - run: echo\n        if: failure()\n      - run: echo\n        if: always()\n",
        &[
            "main.0 failure/failure",
            "main.1 skipped/skipped",
            "main.2 success/success",
            "main.3 success/success",
        ],
        Outcome::Failure,
    );
}

#[test]
fn a_forgiven_failure_does_not_count() {
    check(
        "    steps:\n      - id: a\n        run: exit 7\n        continue-on-error: true\n      - run: echo\n        if: steps.a.outcome == 'failure' && steps.a.conclusion == 'success'\n",
        &["main.0 failure/success", "main.1 success/success"],
        Outcome::Success,
    );
}

#[test]
fn a_wrong_condition_fails_the_step_and_the_next_ones_go_by_it() {
    let mut stage =
        Stage::new("    steps:\n      - run: echo\n        if: fromJSON('{')\n      - run: echo\n");
    stage.run();
    assert_eq!(stage.results(), ["main.0 failure/failure", "main.1 skipped/skipped"]);
    assert!(stage.bodies().is_empty());
}

#[test]
fn outputs_variables_and_path_reach_later_steps() {
    let mut stage = Stage::new(
        "    env:\n      A: job\n    steps:\n      - id: one\n        run: echo\n      - run: echo ${{ steps.one.outputs.v }} ${{ env.B }}\n        env:\n          A: step\n",
    );
    stage.start();
    let files = FileCommandResults {
        output: vec![("v".into(), "42".into())],
        env: vec![("B".into(), "b".into()), ("GITHUB_SHA".into(), "mine".into())],
        path: vec!["/x".into(), "/y".into(), "/x".into()],
        ..FileCommandResults::default()
    };
    stage.end(Exit::Code(0), files).start();
    let spec = stage.process();
    assert_eq!(spec.script.text.as_ref(), "echo 42 b");
    assert_eq!(spec.environment.get("A").map(AsRef::as_ref), Some("step"));
    assert_eq!(spec.environment.get("B").map(AsRef::as_ref), Some("b"));
    assert_eq!(spec.path_prepends.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), ["/x", "/y"]);
    assert_eq!(
        spec.runner_environment.get("GITHUB_OUTPUT").map(AsRef::as_ref),
        Some("/t/_runner_file_commands/main-1/set_output")
    );
    assert!(stage.steps_json().contains("\"outcome\": \"success\""));
}

#[test]
fn a_step_of_its_own_environment_hides_a_variable_for_itself_only() {
    let mut stage = Stage::new(
        "    env:\n      A: job\n    steps:\n      - run: 'a'\n        env:\n          A: step\n      - run: 'b'\n",
    );
    stage.start();
    assert_eq!(stage.process().environment.get("A").map(AsRef::as_ref), Some("step"));
    stage.exit(0).start();
    assert_eq!(stage.process().environment.get("A").map(AsRef::as_ref), Some("job"));
}

#[test]
fn hash_files_is_a_question_and_an_answer() {
    let mut stage = Stage::new("    steps:\n      - run: echo\n        if: hashFiles('*.lock') == 'abc'\n");
    stage.advance();
    assert!(matches!(stage.job.cursor(), Cursor::Ready(_)));
    let request = match stage.effects.last().unwrap() {
        Effect::HashFiles { request, .. } => request.clone(),
        _ => panic!("a question was expected"),
    };
    assert_eq!(
        stage.job.handle(Event::Advance, &stage.secrets.clone(), &mut Vec::new()),
        Err(Misuse::Busy(LaneId::FOREGROUND))
    );
    stage.handle(Event::HashReady { lane: LaneId::FOREGROUND, request, answer: Ok("abc".into()) });
    assert!(matches!(stage.job.cursor(), Cursor::Decided(_, Decision::Run)));
}

#[test]
fn a_cancelled_job_runs_only_what_asks_for_it() {
    let mut stage = Stage::new(
        "    steps:\n      - run: one\n      - run: two\n      - run: three\n        if: cancelled()\n      - run: four\n        if: failure()\n",
    );
    stage.start().handle(Event::Cancel(CancelReason::User));
    assert!(stage.effects.contains(&Effect::Signal { lane: LaneId::FOREGROUND, signal: Signal::Ladder }));
    stage.end(Exit::Signal(2), FileCommandResults::default()).run();
    assert_eq!(
        stage.results(),
        [
            "main.0 cancelled/cancelled",
            "main.1 skipped/skipped",
            "main.2 success/success",
            "main.3 skipped/skipped"
        ]
    );
    assert_eq!(stage.job.outcome(), Some(Outcome::Cancelled));
}

#[test]
fn a_running_step_whose_condition_still_holds_survives_a_cancel_but_not_two() {
    let mut stage = Stage::new("    steps:\n      - run: one\n        if: always()\n");
    stage.start().handle(Event::Cancel(CancelReason::User));
    assert!(!stage.effects.iter().any(|effect| matches!(effect, Effect::Signal { .. })));
    stage.handle(Event::Cancel(CancelReason::User));
    assert!(stage.effects.contains(&Effect::Signal { lane: LaneId::FOREGROUND, signal: Signal::Kill }));
}

#[test]
fn a_cancel_between_decision_and_body_asks_the_condition_again() {
    let check = |condition: &str, expected: &str| {
        let mut stage = Stage::new(&format!("    steps:\n      - run: one\n        if: {condition}\n"));
        stage.advance();
        assert!(matches!(stage.job.cursor(), Cursor::Decided(..)), "{condition}");
        stage.handle(Event::Cancel(CancelReason::User)).run();
        assert_eq!(stage.results(), [expected], "{condition}");
        assert_eq!(stage.bodies().len(), usize::from(expected.contains("success")), "{condition}");
        assert_eq!(stage.job.outcome(), Some(Outcome::Cancelled));
    };
    check("success()", "main.0 cancelled/cancelled");
    check("'true'", "main.0 cancelled/cancelled");
    check("always()", "main.0 success/success");
    check("success() || cancelled()", "main.0 success/success");
    // Decided before the cancel, and GitHub does not look again at what it has skipped.
    check("cancelled()", "main.0 skipped/skipped");
}

#[test]
fn a_step_that_takes_too_long_fails_with_githubs_words() {
    let mut stage =
        Stage::new("    steps:\n      - name: slow\n        run: one\n        timeout-minutes: 3\n");
    stage.start();
    let id = TimerId::Step(LaneId::FOREGROUND, StepPath::main(0));
    assert!(
        stage
            .effects
            .contains(&Effect::SetTimer { id: id.clone(), after: std::time::Duration::from_secs(180) })
    );
    stage.handle(Event::Timer(id.clone())).end(Exit::Signal(15), FileCommandResults::default());
    assert!(stage.effects.contains(&Effect::CancelTimer { id: id.clone() }));
    assert_eq!(stage.lines(), ["Error: The action 'slow' has timed out after 3 minutes."]);
    let before = stage.job.clone();
    stage.handle(Event::Timer(id));
    assert!(stage.job == before, "a timer that rings late means nothing");
}

#[test]
fn post_steps_run_last_registered_first_and_only_for_steps_that_started() {
    let mut plan =
        plan("    steps:\n      - run: a\n      - run: b\n        if: false\n      - run: exit 1\n");
    let scope = expr::Scope::any();
    for (index, step) in plan.steps.iter_mut().enumerate() {
        step.post = Some(Hook {
            condition: expr::Condition::parse(Some("always()"), &scope).unwrap(),
            script: expr::Template::parse(format!("post {index}"), &scope).unwrap(),
        });
    }
    let mut stage = Stage::of(plan, Secrets::default());
    stage.run();
    let order: Vec<String> = stage.bodies().into_iter().map(|(step, _)| step).collect();
    assert_eq!(order, ["main.0", "main.2", "post.2", "post.0"]);
    assert_eq!(
        stage.job.results().get(&StepPath::new(crate::step_path::Stage::Post, 2)).unwrap().name.as_ref(),
        "Post Run exit 1"
    );
}

#[test]
fn names_and_error_lines_are_masked() {
    let secrets = Secrets::new(IndexMap::from([(Arc::from("S"), Arc::from("hunter2"))]));
    let mut stage = Stage::of(
        plan(
            "    steps:\n      - name: use ${{ env.X }}\n        run: exit 1\n        env:\n          X: ${{ secrets.S }}\n",
        ),
        secrets,
    );
    stage.run();
    assert_eq!(stage.job.results().values().next().unwrap().name.as_ref(), "use ***");
    assert!(!format!("{:?}", stage.job).contains("hunter2"));
}

#[test]
fn job_outputs_leave_out_what_is_empty_or_secret() {
    let secrets = Secrets::new(IndexMap::from([(Arc::from("S"), Arc::from("hunter2"))]));
    let mut stage = Stage::of(
        plan(
            "    env:\n      S: ${{ secrets.S }}\n    outputs:\n      a: ${{ env.S }}\n      b: plain\n      c: ''\n    steps:\n      - run: a\n",
        ),
        secrets,
    );
    stage.run();
    assert_eq!(stage.job.outputs().keys().map(AsRef::as_ref).collect::<Vec<&str>>(), ["b"]);
    assert_eq!(stage.lines(), ["Warning: Skip output 'a' since it may contain secret."]);
}

#[test]
fn a_wrong_job_environment_fails_the_job_before_its_first_step() {
    let mut stage = Stage::new("    env: ${{ fromJSON('[1]') }}\n    steps:\n      - run: a\n");
    assert_eq!(stage.job.outcome(), Some(Outcome::Failure));
    assert!(
        stage.lines()[0].starts_with("Error: The template is not valid. ci.yml (Line: "),
        "{:?}",
        stage.lines()
    );
    assert_eq!(stage.job.handle(Event::Advance, &Secrets::default(), &mut Vec::new()), Err(Misuse::Over));
}

#[test]
fn an_action_that_is_not_to_be_had_ends_its_step_with_an_error_and_its_place() {
    let mut stage = Stage::new(
        "    steps:\n      - uses: actions/checkout@v4\n        with:\n          ref: main\n      - uses: ./cache\n",
    );
    stage.start();
    assert!(
        matches!(&stage.effects.last(), Some(Effect::Spawn { body, .. }) if matches!(body.as_ref(), Body::Checkout(spec) if spec.reference.as_deref() == Some("main")))
    );
    stage.exit(0).advance().advance().advance();
    assert!(
        matches!(&stage.effects.last(), Some(Effect::FetchAction { reference, .. }) if **reference == *"./cache")
    );
    assert!(!stage.job.can_advance());
    let step = StepPath::main(1);
    stage.handle(Event::ActionReady { lane: LaneId::FOREGROUND, step, answer: Err("it is not here".into()) });
    stage.run();
    assert_eq!(stage.results(), ["main.0 success/success", "main.1 failure/failure"]);
    assert_eq!(stage.lines(), ["Error: ci.yml:9:15: it is not here"]);
}

#[test]
fn an_edit_at_a_decision_makes_the_decision_anew() {
    let mut stage =
        Stage::new("    env:\n      GO: 'no'\n    steps:\n      - run: a\n        if: env.GO == 'yes'\n");
    stage.advance();
    assert!(matches!(stage.job.cursor(), Cursor::Decided(_, Decision::Skip)));
    stage.handle(Event::Edited(Edit::Env { name: "GO".into(), value: Some("yes".into()) }));
    assert!(matches!(stage.job.cursor(), Cursor::Ready(_)));
    stage.advance();
    assert!(matches!(stage.job.cursor(), Cursor::Decided(_, Decision::Run)));
}

#[test]
fn a_jump_skips_what_lies_between() {
    let mut stage = Stage::new("    steps:\n      - run: a\n      - id: b\n        run: b\n      - run: c\n");
    stage.start().exit(0).handle(Event::Edited(Edit::Jump(StepPath::main(2)))).run();
    assert_eq!(
        stage.results(),
        ["main.0 success/success", "main.1 skipped/skipped", "main.2 success/success"]
    );
    assert!(stage.steps_json().contains("\"conclusion\": \"skipped\""));
}

#[test]
fn the_state_goes_out_and_comes_back_at_every_point() {
    let mut stage = Stage::new(
        "    env:\n      A: a\n    steps:\n      - id: x\n        run: a\n        timeout-minutes: 1\n      - run: exit 1\n",
    );
    let mut seen = 0;
    while stage.job.outcome().is_none() {
        let state = stage.job.state();
        let back = Job::with_state(Arc::clone(stage.job.plan()), Arc::clone(stage.job.given()), state);
        assert!(back == stage.job, "{:?}", stage.job);
        seen += 1;
        match stage.job.cursor() {
            Cursor::Running(_) => stage.exit(0),
            _ => stage.advance(),
        };
    }
    assert_eq!(seen, 8);
}

#[test]
fn the_reason_of_a_condition_can_be_asked() {
    let mut stage =
        Stage::new("    steps:\n      - run: exit 1\n      - run: b\n        if: github.ref == 'main'\n");
    stage.start().exit(1).advance();
    let explanation = stage.job.explain(&stage.secrets).unwrap();
    assert_eq!(explanation.condition, "success() && (github.ref == 'main')");
    assert_eq!(explanation.result, Ok(false));
}

#[test]
fn as_many_background_steps_run_as_the_job_has_slots() {
    let steps: String =
        (0..4).map(|step| format!("      - {{run: 'echo {step}', background: true}}\n")).collect();
    let given = JobInputs {
        background_slots: crate::slots::BackgroundSlots::of_variables([(crate::slots::VARIABLE, "2")]),
        ..JobInputs::default()
    };
    let mut stage = Stage::given(plan(&format!("    steps:\n{steps}")), given, Secrets::default());
    for _ in 0..8 {
        stage.advance();
    }
    let ran = |stage: &Stage| -> Vec<String> { stage.bodies().into_iter().map(|(step, _)| step).collect() };
    assert_eq!(ran(&stage), ["main.0", "main.1"]);
    let end = BodyEnd { exit: Exit::Code(0), files: Default::default(), command_failed: false };
    let lane = LaneId::of_background(&StepPath::main(1));
    stage.handle(Event::BodyEnded { lane, end });
    assert_eq!(ran(&stage), ["main.0", "main.1", "main.2"]);
    assert_eq!(stage.job.given().background_slots.number().get(), 2);
}

#[test]
fn what_all_steps_see_alike_follows_the_plan_and_the_status() {
    let steps = "    steps:\n      - run: a\n      - run: b\n        if: always()\n";
    let mut stage = Stage::new(steps);
    let check = |stage: &Stage, expected: &str| {
        let text = "format('{0} {1} {2}', job.workflow_file_path, job.status, github.job)";
        let answer = stage.job.ask_expression(text, &Default::default(), &stage.secrets);
        assert_eq!(answer, Question::Answer(Value::string(expected)));
    };
    check(&stage, "ci.yml success j");
    let before = stage.job.clone();
    let other = Plan { file: "other.yml".into(), ..plan(steps) };
    stage.handle(Event::Edited(Edit::Plan(Arc::new(other))));
    check(&stage, "other.yml success j");
    stage.start().exit(1).advance();
    check(&stage, "other.yml failure j");
    stage.job = before;
    check(&stage, "ci.yml success j");
}

#[test]
fn each_step_has_the_variables_of_its_own_github_context() {
    let given = JobInputs {
        github: Arc::new(Object::from([("workflow", "w"), ("actor", "a"), ("ref", "r")])),
        ..JobInputs::default()
    };
    let steps = "    steps:\n      - run: a\n      - {run: b, id: second}\n      - run: c\n";
    let mut stage = Stage::given(plan(steps), given, Secrets::default());
    for index in 0..3 {
        stage.start();
        let github = stage.job.github(Some(&StepPath::main(index)));
        let expected = crate::environment::runner_environment(&github, &stage.job.given().runner);
        let found = stage.process().runner_environment;
        assert!(found.iter().eq(expected.iter()), "{found:?} {expected:?}");
        let output = format!("/t/_runner_file_commands/main-{index}/set_output");
        assert_eq!(found.get("GITHUB_OUTPUT").map(AsRef::as_ref), Some(&*output));
        stage.exit(0);
    }
}
