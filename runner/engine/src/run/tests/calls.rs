//! Jobs that call workflows.

use indexmap::IndexMap;
use syntax::FileProvider;

use super::*;
use crate::plan::Caller;

/// Workflow files by their references.
struct Files<'a>(&'a [(&'a str, &'a str)]);

impl FileProvider for Files<'_> {
    fn read(&self, path: &str) -> Result<Arc<str>, String> {
        let found = self.0.iter().find(|(name, _)| *name == path);
        found.map(|(_, text)| Arc::from(*text)).ok_or_else(|| "workflow was not found.".to_owned())
    }
}

fn workflow(jobs: &str, files: &[(&str, &str)]) -> Arc<Workflow> {
    let mut sources = Sources::new();
    let id = sources.add("ci.yml", format!("on: push\njobs:\n{jobs}"));
    let (workflow, diagnostics) =
        syntax::parse_workflow(&mut sources, id, &ReadOptions::default(), &Files(files));
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    Arc::new(workflow.unwrap())
}

fn run(jobs: &str, files: &[(&str, &str)], wanted: Option<&str>) -> Run {
    let given = RunInputs { file: "ci.yml".into(), ..RunInputs::default() };
    Run::new(workflow(jobs, files), given, wanted.map(|path| vec![path.into()]))
}

/// Begins the run and gives the plans and inputs of the jobs that start.
fn started(run: &mut Run, secrets: &Secrets) -> Vec<(Arc<Plan>, Arc<JobInputs>)> {
    let mut out = Vec::new();
    run.handle(RunEvent::Begin, secrets, &mut out);
    let start = |effect| match effect {
        RunEffect::StartJob { plan, inputs, .. } => Some((plan, inputs)),
        _ => None,
    };
    out.into_iter().filter_map(start).collect()
}

const BUILD: &str = "on:
  workflow_call:
    inputs:
      who: {type: string, default: '${{ inputs.nobody }}nobody'}
      fast: {type: boolean}
      times: {type: number}
    outputs:
      made: {value: 'made by ${{ jobs.build.outputs.from }}, test was ${{ jobs.test.result }}'}
    secrets:
      key: {}
jobs:
  build:
    name: for ${{ inputs.who }}
    runs-on: x
    steps: [{run: a}]
  test:
    needs: build
    runs-on: x
    steps: [{run: a}]
";

const CALL: &str = "  a:\n    uses: ./.github/workflows/build.yml\n";

#[test]
fn a_call_runs_the_jobs_of_the_workflow_and_gives_its_outputs() {
    let jobs = format!("{CALL}  b:\n    needs: a\n    name: ${{{{ needs.a.outputs.made }}}}\n{STEPS}");
    let mut run = run(&jobs, &[("./.github/workflows/build.yml", BUILD)], None);
    let log = drive(&mut run, |_| Outcome::Success);
    let expected = [
        "start a / for nobody",
        "start a / test",
        "start made by a / for nobody, test was success",
        "finished success",
    ];
    assert_eq!(log, expected);
}

#[test]
fn the_worst_of_the_called_jobs_is_the_result_of_the_call() {
    let jobs = format!(
        "{CALL}  b:\n    needs: a\n{STEPS}  c:\n    needs: a\n    if: needs.a.result == 'failure' && failure()\n{STEPS}"
    );
    let mut run = run(&jobs, &[("./.github/workflows/build.yml", BUILD)], None);
    let log =
        drive(&mut run, |name| if name.starts_with("a / for") { Outcome::Failure } else { Outcome::Success });
    let expected = ["start a / for nobody", "a / test skipped", "b skipped", "start c", "finished failure"];
    assert_eq!(log, expected);
}

#[test]
fn a_call_whose_jobs_are_all_skipped_is_over_at_once() {
    let file = "on: workflow_call\njobs:\n  x:\n    if: false\n    runs-on: x\n    steps: [{run: a}]\n";
    let jobs = "  a:\n    uses: ./x.yml\n".to_owned()
        + &format!("  b:\n    needs: a\n    if: always() && needs.a.result == 'skipped'\n{STEPS}");
    let mut run = run(
        &jobs.replace("./x.yml", "./.github/workflows/x.yml"),
        &[("./.github/workflows/x.yml", file)],
        None,
    );
    assert_eq!(drive(&mut run, |_| Outcome::Success), ["a / x skipped", "start b", "finished success"]);
}

#[test]
fn a_called_job_sees_what_the_call_gives_it() {
    let jobs = "  a:
    strategy:
      matrix: {n: [7]}
    uses: ./.github/workflows/build.yml
    with: {who: 'you ${{ matrix.n }}', fast: true, times: '${{ matrix.n }}'}
    secrets: {key: '${{ secrets.DEPLOY }}'}
";
    let mut run = run(jobs, &[("./.github/workflows/build.yml", BUILD)], None);
    let secrets = Secrets::new(IndexMap::from([
        (Arc::from("DEPLOY"), Arc::from("hunter2")),
        (Arc::from("GITHUB_TOKEN"), Arc::from("ghs_1")),
    ]));
    let (plan, inputs) = started(&mut run, &secrets).swap_remove(0);
    assert_eq!((plan.key.to_string(), plan.key.id_path()), ("a[0]/build".to_owned(), "a/build".to_owned()));
    assert_eq!(
        (&*plan.name, &*plan.file),
        ("a (7) / for you 7", "./.github/workflows/build.yml".strip_prefix("./").unwrap())
    );
    let caller = Caller { name: "a (7)".into(), file: "ci.yml".into(), line: 6 };
    assert_eq!(*plan.callers, [caller]);
    let expected =
        [("who", Value::string("you 7")), ("fast", Value::Bool(true)), ("times", Value::Number(7.0))];
    assert!(inputs.inputs.iter().map(|(name, value)| (&**name, value.clone())).eq(expected));
    let passed_on = inputs.secrets.as_ref().unwrap();
    assert_eq!(passed_on.get("key"), Some(&Value::string("hunter2")));
    assert_eq!(passed_on.get("github_token"), Some(&Value::string("ghs_1")));
    assert_eq!(passed_on.get("DEPLOY"), None, "only what is named");
}

#[test]
fn secrets_can_be_inherited_through_two_calls() {
    let middle =
        "on: workflow_call\njobs:\n  m:\n    uses: ./.github/workflows/build.yml\n    secrets: inherit\n";
    let files = [("./.github/workflows/build.yml", BUILD), ("./.github/workflows/middle.yml", middle)];
    let mut run = run("  a:\n    uses: ./.github/workflows/middle.yml\n    secrets: inherit\n", &files, None);
    let secrets = Secrets::new(IndexMap::from([(Arc::from("DEPLOY"), Arc::from("hunter2"))]));
    let (plan, inputs) = started(&mut run, &secrets).swap_remove(0);
    assert_eq!(&*plan.name, "a / m / for nobody");
    assert_eq!(plan.callers.iter().map(|caller| &*caller.name).collect::<Vec<_>>(), ["m", "a"]);
    assert_eq!(inputs.secrets.as_ref().unwrap().get("deploy"), Some(&Value::string("hunter2")));
}

#[test]
fn a_value_that_does_not_fit_fails_the_call_at_its_place() {
    let jobs = "  a:\n    uses: ./.github/workflows/build.yml\n    with: {times: '${{ github.x }}y'}\n";
    let mut run = run(jobs, &[("./.github/workflows/build.yml", BUILD)], None);
    assert_eq!(
        drive(&mut run, |_| Outcome::Success),
        [
            "a failure: ci.yml (Line: 4, Col: 11): the input `times` cannot be `y`: it is a number",
            "finished failure"
        ]
    );
}

#[test]
fn an_output_that_cannot_be_evaluated_fails_the_call() {
    let file = "on:\n  workflow_call:\n    outputs:\n      o: {value: '${{ fromJSON(jobs.x.outputs.from) }}'}\njobs:\n  x:\n    runs-on: x\n    steps: [{run: a}]\n";
    let mut run =
        run("  a:\n    uses: ./.github/workflows/o.yml\n", &[("./.github/workflows/o.yml", file)], None);
    let log = drive(&mut run, |_| Outcome::Success);
    assert!(log[1].starts_with("a failure: .github/workflows/o.yml (Line: 4, Col: "), "{log:?}");
    assert_eq!(log[2], "finished failure");
}

#[test]
fn one_job_of_a_called_workflow_can_be_wanted_with_those_that_it_needs() {
    let jobs = format!(
        "  z:\n{STEPS}  a:\n    needs: z\n    strategy: {{matrix: {{n: [1, 2]}}}}\n    uses: ./.github/workflows/build.yml\n"
    );
    let files = [("./.github/workflows/build.yml", BUILD)];
    let mut all = run(&jobs, &files, Some("a/test"));
    let log = drive(&mut all, |_| Outcome::Success);
    assert_eq!(log[0], "start z");
    assert_eq!(log.iter().filter(|line| line.starts_with("start a")).count(), 4);

    let mut one = run(&jobs, &files, Some("a/build"));
    let choices = one.choices("a/build").unwrap();
    one.only(choices.all[1].0.clone());
    assert!(one.choices("a/build").is_none());
    assert_eq!(
        drive(&mut one, |_| Outcome::Success),
        ["start z", "start a (2) / for nobody", "finished success"]
    );
}

#[test]
fn fail_fast_and_cancelling_reach_into_calls() {
    let jobs = "  a:\n    strategy: {matrix: {n: [1, 2]}}\n    uses: ./.github/workflows/build.yml\n";
    let mut run = run(jobs, &[("./.github/workflows/build.yml", BUILD)], None);
    let secrets = Secrets::default();
    assert_eq!(started(&mut run, &secrets).len(), 2);
    let caller = JobKey { combination: Some(0), ..JobKey::single("a") };
    let key = JobKey { caller: Some(Arc::new(caller)), ..JobKey::single("build") };
    let mut out = Vec::new();
    let outputs = Arc::default();
    run.handle(RunEvent::JobFinished { key, outcome: Outcome::Failure, outputs }, &secrets, &mut out);
    let told: Vec<String> = out
        .iter()
        .map(|effect| match effect {
            RunEffect::CancelJob { key, .. } => format!("cancel {key}"),
            RunEffect::JobEnded { key, outcome, .. } => format!("{key} {outcome}"),
            _ => "other".to_owned(),
        })
        .collect();
    assert_eq!(told, ["a[0]/test skipped", "cancel a[1]/build"]);
}

#[test]
fn jobs_have_the_slots_of_the_run_those_of_called_workflows_too() {
    let slots = crate::slots::BackgroundSlots::of_variables([(crate::slots::VARIABLE, "3")]);
    let files = [("./.github/workflows/build.yml", BUILD)];
    let given = RunInputs { background_slots: slots, ..RunInputs::default() };
    let mut run = Run::new(workflow(&format!("{CALL}  b:\n{STEPS}"), &files), given, None);
    let found: Vec<_> =
        started(&mut run, &Secrets::default()).iter().map(|(_, inputs)| inputs.background_slots).collect();
    assert_eq!(found, [slots; 2]);
}
