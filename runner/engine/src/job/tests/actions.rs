//! Actions: composite ones walked through, JavaScript ones as processes, what is looked for before the first step.

mod background;

use super::*;
use crate::action::ResolvedAction;
use crate::event::CancelReason;

impl Stage {
    /// Answers every question for an action with the manifest of that reference; runs to the end, scripts as `Stage::run`.
    fn run_with(&mut self, actions: &[(&str, &str)]) -> &mut Self {
        let mut asked = 0;
        loop {
            let fetches: Vec<(LaneId, StepPath, Arc<str>)> = self
                .effects
                .iter()
                .filter_map(|effect| match effect {
                    Effect::FetchAction { lane, step, reference, .. } => {
                        Some((*lane, step.clone(), Arc::clone(reference)))
                    }
                    _ => None,
                })
                .skip(asked)
                .collect();
            asked += fetches.len();
            let answered = !fetches.is_empty();
            for (lane, step, reference) in fetches {
                let answer = found(&reference, actions);
                self.handle(Event::ActionReady { lane, step, answer });
            }
            match self.job.cursor() {
                Cursor::Done(_) => return self,
                Cursor::Running(_) => {
                    let script = self.script();
                    let code = script.trim().strip_prefix("exit ").map_or(0, |code| code.parse().unwrap());
                    self.exit(code);
                }
                _ if self.job.can_advance() => {
                    self.advance();
                }
                at => assert!(answered, "the job stands at {at:?}"),
            }
        }
    }

    fn errors(&self) -> Vec<String> {
        self.lines().into_iter().filter(|line| line.starts_with("Error: ")).collect()
    }

    /// What the processes ran: the script, or the file of an action's program.
    fn ran(&self) -> Vec<String> {
        let process = |effect: &Effect| match effect {
            Effect::Spawn { body, .. } => match body.as_ref() {
                Body::Process(spec) if spec.script.content.is_none() => {
                    Some(format!("{} {}", spec.step, spec.script.file))
                }
                Body::Process(spec) => Some(format!("{} {}", spec.step, spec.script.text)),
                Body::Checkout(_) => None,
            },
            _ => None,
        };
        self.effects.iter().filter_map(process).collect()
    }
}

fn found(reference: &str, actions: &[(&str, &str)]) -> Result<Arc<ResolvedAction>, String> {
    let (_, manifest) = actions.iter().find(|(name, _)| *name == reference).ok_or("it is not here")?;
    let folder = format!("/a/{}", reference.trim_start_matches("./"));
    let commit = reference.starts_with("p/q").then_some("1234567");
    let action =
        ResolvedAction::new(reference, &folder, &format!("{reference}/action.yml"), manifest, commit);
    action.map(Arc::new)
}

const COMPOSITE: &str = "inputs:
  who: {default: nobody}
outputs:
  said: {value: '${{ steps.say.outputs.word }}'}
runs:
  using: composite
  steps:
    - {id: say, run: 'echo ${{ inputs.who }} $X ${{ env.X }}', shell: bash}
    - {run: exit 3, shell: bash, if: inputs.who == 'bad'}
    - {run: 'after', shell: bash}
    - {run: '${{ github.action_status }}', shell: bash, if: always()}
";

#[test]
fn a_composite_actions_steps_run_one_level_deeper() {
    let mut stage = Stage::new(
        "    steps:\n      - {id: a, uses: ./c, with: {who: me}, env: {X: own}}\n      - {run: 'echo ${{ job.status }}'}\n",
    );
    stage.run_with(&[("./c", COMPOSITE)]);
    assert_eq!(
        stage.ran(),
        ["main.0.0 echo me $X own", "main.0.2 after", "main.0.3 success", "main.1 echo success"]
    );
    assert_eq!(
        stage.results(),
        [
            "main.0.0 success/success",
            "main.0.1 skipped/skipped",
            "main.0.2 success/success",
            "main.0.3 success/success",
            "main.0 success/success",
            "main.1 success/success"
        ]
    );
}

#[test]
fn a_failure_inside_is_that_of_the_action() {
    let mut stage = Stage::new(
        "    steps:\n      - {id: a, uses: ./c, with: {who: bad}, continue-on-error: true}\n      - {run: '${{ steps.a.outcome }} ${{ steps.a.conclusion }} ${{ steps.say.outcome }}'}\n",
    );
    stage.run_with(&[("./c", COMPOSITE)]);
    assert_eq!(
        stage.ran(),
        ["main.0.0 echo bad $X ", "main.0.1 exit 3", "main.0.3 failure", "main.1 failure success "]
    );
    assert_eq!(stage.job.outcome(), Some(Outcome::Success));
}

#[test]
fn outputs_of_an_action_are_those_of_its_steps() {
    let mut stage =
        Stage::new("    steps:\n      - {id: a, uses: ./c}\n      - {run: '${{ steps.a.outputs.said }}'}\n");
    stage.advance().advance();
    stage.handle(Event::ActionReady {
        lane: LaneId::FOREGROUND,
        step: StepPath::main(0),
        answer: found("./c", &[("./c", COMPOSITE)]),
    });
    assert_eq!(stage.job.cursor(), &Cursor::Ready(StepPath::main(0).child(0)));
    stage.advance().advance();
    let files = FileCommandResults { output: vec![("word".into(), "hi".into())], ..Default::default() };
    stage.end(Exit::Code(0), files).run();
    assert_eq!(stage.script(), "hi");
}

#[test]
fn actions_that_use_each_other_in_a_circle_are_named() {
    let one = "runs: {using: composite, steps: [{uses: ./two}]}";
    let two = "runs: {using: composite, steps: [{uses: ./one}]}";
    let mut stage = Stage::new("    steps:\n      - {uses: ./one}\n");
    stage.run_with(&[("./one", one), ("./two", two)]);
    assert_eq!(stage.errors(), ["Error: Composite action depth exceeded max depth 9: ./one → ./two → ./one"]);
    assert_eq!(stage.job.outcome(), Some(Outcome::Failure));
}

#[test]
fn a_composite_action_that_takes_too_long_ends_with_its_step() {
    let mut stage = Stage::new("    steps:\n      - {uses: ./c, timeout-minutes: 2}\n");
    stage.advance().advance();
    let step = StepPath::main(0);
    let answer = found("./c", &[("./c", COMPOSITE)]);
    stage.handle(Event::ActionReady { lane: LaneId::FOREGROUND, step: step.clone(), answer });
    stage.advance().advance();
    let timer = TimerId::Step(LaneId::FOREGROUND, step);
    assert!(stage.effects.iter().any(|effect| matches!(effect, Effect::SetTimer { id, .. } if *id == timer)));
    stage.handle(Event::Timer(timer));
    assert!(stage.effects.contains(&Effect::Signal { lane: LaneId::FOREGROUND, signal: Signal::Ladder }));
    stage.end(Exit::Signal(2), FileCommandResults::default()).advance();
    assert_eq!(stage.errors(), ["Error: The action has timed out."]);
    assert_eq!(stage.results(), ["main.0.0 failure/failure", "main.0 failure/failure"]);
}

#[test]
fn a_condition_that_is_wrong_ends_the_action() {
    let wrong = "runs:\n  using: composite\n  steps:\n    - {run: one, shell: bash, if: \"fromJSON('{')\"}\n    - {run: two, shell: bash, if: always()}\n";
    let mut stage = Stage::new("    steps:\n      - {uses: ./c}\n");
    stage.run_with(&[("./c", wrong)]);
    assert_eq!(stage.ran(), [""; 0]);
    assert_eq!(stage.results(), ["main.0.0 failure/failure", "main.0 failure/failure"]);
}

const NODE: &str = "inputs: {Some Name: {default: d}, old: {deprecationMessage: use new}}
runs: {using: node20, pre: setup.js, main: main.js, post: clean.js, post-if: success()}
";

#[test]
fn a_javascript_action_has_three_parts() {
    let mut stage = Stage::new(
        "    steps:\n      - {run: first}\n      - {uses: o/r@v1, with: {Some Name: x}}\n      - {uses: ./n, with: {wrong: 1, old: 2}}\n",
    );
    assert!(stage.job.is_setting_up() && !stage.job.can_advance());
    stage.run_with(&[("o/r@v1", NODE), ("./n", NODE)]);
    assert_eq!(
        stage.ran(),
        [
            "pre.1 /a/o/r@v1/setup.js",
            "main.0 first",
            "main.1 /a/o/r@v1/main.js",
            "main.2 /a/n/main.js",
            "post.2 /a/n/clean.js",
            "post.1 /a/o/r@v1/clean.js"
        ]
    );
    assert_eq!(
        stage.lines(),
        [
            "Plain: Prepare all required actions",
            "Warning: `pre` execution is not supported for local action from './n'",
            "Warning: Input 'old' has been deprecated with message: use new",
            "Warning: Unexpected input(s) 'wrong', valid inputs are ['Some Name', 'old']"
        ]
    );
}

#[test]
fn a_javascript_action_gets_its_inputs_and_its_state() {
    let mut stage = Stage::new("    steps:\n      - {uses: ./n, with: {SOME name: x}}\n");
    stage.advance().advance();
    let answer = found("./n", &[("./n", NODE)]);
    stage.handle(Event::ActionReady { lane: LaneId::FOREGROUND, step: StepPath::main(0), answer });
    let spec = stage.process();
    assert_eq!(
        spec.action.map(|program| program.node),
        Some(20),
        "its services and its node are the host's to add"
    );
    let of = |spec: &crate::process::ProcessSpec, name: &str| spec.environment.get(name).cloned();
    assert_eq!(of(&spec, "INPUT_SOME_NAME").as_deref(), Some("x"));
    assert_eq!(of(&spec, "INPUT_OLD").as_deref(), Some(""));
    assert_eq!(spec.runner_environment.get("GITHUB_ACTION_PATH").map(AsRef::as_ref), Some("/a/n"));
    let state = FileCommandResults { state: vec![("k".into(), "v".into())], ..Default::default() };
    stage.end(Exit::Code(0), state).advance().advance().advance();
    assert_eq!(stage.process().step.to_string(), "post.0");
    assert_eq!(of(&stage.process(), "STATE_k").as_deref(), Some("v"));
    assert_eq!(of(&stage.process(), "INPUT_SOME_NAME").as_deref(), Some("x"));
}

fn of_workflow(origin: Option<(&str, &str, &str)>, steps: &str) -> Stage {
    let mut plan = plan(&format!("    steps:\n{steps}"));
    Arc::make_mut(&mut plan.workflow).origin =
        origin.map(|(repository, reference, commit)| syntax::WorkflowOrigin {
            repository: repository.into(),
            reference: reference.into(),
            commit: Some(commit.into()),
        });
    Stage::of(plan, Secrets::default())
}

#[test]
fn self_references_mean_the_repository_that_their_file_is_from() {
    let steps =
        "      - {uses: $/a}\n      - {uses: p/q/x@v2}\n      - {uses: ./local}\n      - {uses: $/}\n";
    let uses = |reference: &str| {
        format!("runs:\n  using: composite\n  steps: [{{uses: {reference}}}, {{uses: ./beside}}]\n")
    };
    let (outer, inner, local) = (uses("$/lib/y"), uses("$/z"), uses("$/b"));
    let none = "runs: {using: composite, steps: []}";
    let mut actions = vec![("p/q/x@v2", outer.as_str()), ("p/q/lib/y@v2", &inner), ("p/q/z@v2", none)];
    actions.extend([("./local", local.as_str()), ("./beside", none)]);

    let mut stage = of_workflow(Some(("o/w", "v1", "c0ffee")), steps);
    let of_o_w = ["o/w/a@v1", "o/w/b@v1", "o/w@v1"].map(|reference| (reference, none));
    stage.run_with(&[actions.as_slice(), &of_o_w].concat());
    assert_eq!(stage.errors(), [""; 0]);
    let asked = |stage: &Stage| -> Vec<String> {
        let ask = |effect: &Effect| match effect {
            Effect::FetchAction { step, reference, commit, .. } => {
                let commit = commit.as_ref().map_or_else(String::new, |commit| format!(" at {commit}"));
                Some(format!("{step} {reference}{commit}"))
            }
            _ => None,
        };
        stage.effects.iter().filter_map(ask).collect()
    };
    assert_eq!(
        asked(&stage),
        [
            "main.0 o/w/a@v1 at c0ffee",
            "main.1 p/q/x@v2",
            "main.3 o/w@v1 at c0ffee",
            "main.1.0 p/q/lib/y@v2 at 1234567",
            "main.1.0.0 p/q/z@v2 at 1234567",
            "main.1.0.1 ./beside",
            "main.1.1 ./beside",
            "main.2 ./local",
            "main.2.0 o/w/b@v1 at c0ffee",
            "main.2.1 ./beside"
        ]
    );

    // In a workflow of one's own, only the actions of others say where they are from.
    let mut own = of_workflow(None, steps);
    let ours = ["$/a", "$/b", "$/"].map(|reference| (reference, none));
    own.run_with(&[actions.as_slice(), &ours].concat());
    assert_eq!(own.errors(), [""; 0]);
    let asked: Vec<String> =
        asked(&own).into_iter().filter(|ask| ask.contains('$') || ask.contains("lib")).collect();
    assert_eq!(asked, ["main.0 $/a", "main.3 $/", "main.1.0 p/q/lib/y@v2 at 1234567", "main.2.0 $/b"]);
}

/// As those of other repositories: no step can change it.
#[test]
fn an_action_of_the_commit_that_runs_is_prepared_before_the_first_step() {
    let mut stage = Stage::new("    steps:\n      - {run: first}\n      - {uses: $/n}\n");
    assert!(stage.job.is_setting_up());
    stage.run_with(&[("$/n", NODE)]);
    assert_eq!(
        stage.ran(),
        ["pre.1 /a/$/n/setup.js", "main.0 first", "main.1 /a/$/n/main.js", "post.1 /a/$/n/clean.js"]
    );
}

/// Whatever its steps' conditions say: none of them was reached.
#[test]
fn a_job_can_be_cancelled_while_its_actions_are_looked_for() {
    let mut stage =
        Stage::new("    steps:\n      - {uses: o/r@v1, if: always()}\n      - {run: x, if: always()}\n");
    let step = StepPath::main(0);
    stage.handle(Event::Cancel(CancelReason::User));
    assert_eq!(stage.job.outcome(), Some(Outcome::Cancelled));
    assert!(!stage.job.is_setting_up());
    let late =
        Event::ActionReady { lane: LaneId::FOREGROUND, step, answer: found("o/r@v1", &[("o/r@v1", NODE)]) };
    let before = stage.job.clone();
    assert!(stage.job.handle(late, &stage.secrets, &mut Vec::new()).is_err());
    assert!(stage.job == before && stage.ran().is_empty());
}

#[test]
fn an_action_that_is_missing_is_named_at_once_and_fails_its_step_only() {
    let mut stage = Stage::new(
        "    steps:\n      - {run: first}\n      - {uses: o/gone@v1}\n      - {uses: o/gone@v1, if: always()}\n",
    );
    stage.run_with(&[]);
    assert_eq!(stage.ran(), ["main.0 first"]);
    assert_eq!(
        stage.lines(),
        [
            "Plain: Prepare all required actions",
            "Warning: it is not here",
            "Error: ci.yml:7:16: it is not here",
            "Error: ci.yml:8:16: it is not here"
        ]
    );
}
