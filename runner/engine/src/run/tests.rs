//! Runs driven against outcomes given in the test.

mod calls;

use super::*;
use syntax::{NoFiles, ReadOptions, Sources};

fn run_of(jobs: &str) -> Run {
    let mut sources = Sources::new();
    let id = sources.add("ci.yml", format!("on: push\njobs:\n{jobs}"));
    let (workflow, diagnostics) = syntax::parse_workflow(&mut sources, id, &ReadOptions::default(), &NoFiles);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    Run::new(Arc::new(workflow.unwrap()), RunInputs { file: "ci.yml".into(), ..RunInputs::default() }, None)
}

/// Drives a run; `answer` gives the outcome of each job by its name. Returns what happened, in order.
fn drive(run: &mut Run, mut answer: impl FnMut(&str) -> Outcome) -> Vec<String> {
    let secrets = Secrets::default();
    let mut log = Vec::new();
    let mut events = std::collections::VecDeque::from([RunEvent::Begin]);
    while let Some(event) = events.pop_front() {
        let mut out = Vec::new();
        run.handle(event, &secrets, &mut out);
        for effect in out {
            match effect {
                RunEffect::StartJob { key, plan, .. } => {
                    log.push(format!("start {}", plan.name));
                    let outcome = answer(&plan.name);
                    let outputs =
                        [(Arc::from("from"), Value::string(plan.name.as_ref()))].into_iter().collect();
                    events.push_back(RunEvent::JobFinished { key, outcome, outputs: Arc::new(outputs) });
                }
                RunEffect::CancelJob { key, .. } => log.push(format!("cancel {key}")),
                RunEffect::JobEnded { name, outcome, error, .. } => {
                    log.push(format!(
                        "{name} {outcome}{}",
                        error.map(|e| format!(": {e}")).unwrap_or_default()
                    ));
                }
                RunEffect::Finished { outcome } => log.push(format!("finished {outcome}")),
            }
        }
    }
    log
}

#[track_caller]
fn check(jobs: &str, fails: &[&str], expected: &[&str]) {
    let answer = |name: &str| if fails.contains(&name) { Outcome::Failure } else { Outcome::Success };
    assert_eq!(drive(&mut run_of(jobs), answer), expected);
}

const STEPS: &str = "    runs-on: x\n    steps:\n      - run: a\n";

#[test]
fn jobs_start_when_what_they_need_is_over() {
    check(
        &format!("  c:\n    needs: [a, B]\n{STEPS}  a:\n{STEPS}  b:\n    needs: a\n{STEPS}"),
        &[],
        &["start a", "start b", "start c", "finished success"],
    );
}

#[test]
fn a_failed_need_skips_and_its_descendants_too() {
    check(
        &format!(
            "  a:\n{STEPS}  b:\n    needs: a\n{STEPS}  c:\n    needs: b\n{STEPS}  d:\n    needs: c\n    if: always()\n{STEPS}  e:\n    needs: c\n    if: failure()\n{STEPS}"
        ),
        &["a"],
        &["start a", "b skipped", "c skipped", "start d", "start e", "finished failure"],
    );
}

#[test]
fn results_and_outputs_can_be_asked_for() {
    check(
        &format!(
            "  a:\n{STEPS}  b:\n    needs: a\n    if: needs.a.outputs.from == 'a' && needs.a.result == 'success'\n{STEPS}"
        ),
        &[],
        &["start a", "start b", "finished success"],
    );
}

#[test]
fn a_matrix_starts_all_its_combinations_and_stops_at_the_first_failure() {
    let matrix = "    strategy:\n      max-parallel: 1\n      matrix:\n        n: [1, 2, 3]\n";
    check(
        &format!("  t:\n{matrix}{STEPS}"),
        &["t (2)"],
        &["start t (1)", "start t (2)", "t (3) cancelled", "finished failure"],
    );
}

#[test]
fn without_fail_fast_all_run() {
    let matrix = "    strategy:\n      fail-fast: false\n      matrix:\n        n: [1, 2]\n";
    check(&format!("  t:\n{matrix}{STEPS}"), &["t (1)"], &["start t (1)", "start t (2)", "finished failure"]);
}

#[test]
fn a_forgiven_job_does_not_count() {
    check(
        &format!("  a:\n    continue-on-error: true\n{STEPS}  b:\n    needs: a\n{STEPS}"),
        &["a"],
        &["start a", "start b", "finished success"],
    );
}

/// Two combinations, one after the other: the first one's failure is forgiven, the second one's is not.
const HALF_FORGIVEN: &str = "    strategy:\n      max-parallel: 1\n      matrix:\n        n: [1, 2]\n    continue-on-error: ${{ matrix.n == 1 }}\n";

#[test]
fn forgiveness_is_a_matter_of_each_combination() {
    let jobs = format!("  t:\n{HALF_FORGIVEN}{STEPS}  b:\n    needs: t\n{STEPS}");
    check(&jobs, &["t (1)"], &["start t (1)", "start t (2)", "start b", "finished success"]);
    check(&jobs, &["t (2)"], &["start t (1)", "start t (2)", "b skipped", "finished failure"]);
}

#[test]
fn a_condition_sees_the_needs_of_its_needs_and_a_step_does_not() {
    let condition = "    if: needs.a.result == 'success' && needs.a.outputs.from == 'a'\n";
    let jobs = format!("  a:\n{STEPS}  b:\n    needs: a\n{STEPS}  c:\n    needs: b\n{condition}{STEPS}");
    let mut run = run_of(&jobs);
    assert_eq!(drive(&mut run, |_| Outcome::Success), ["start a", "start b", "start c", "finished success"]);
    let Work::Steps { inputs, .. } = &run.groups()["c"].instances[0].work else { panic!("steps") };
    let needs = &inputs.needs;
    assert!(needs.get("b").is_some() && needs.get("a").is_none());
}

#[test]
fn an_exclude_that_names_no_vector_fails_its_job_at_the_key() {
    let matrix = "    strategy:\n      matrix:\n        n: [1, 2]\n        exclude:\n        - m: 1\n";
    let text = "t failure: ci.yml (Line: 8, Col: 11): Matrix exclude key 'm' does not match any key within the matrix";
    check(&format!("  t:\n{matrix}{STEPS}"), &[], &[text, "finished failure"]);
}

#[test]
fn a_wrong_matrix_fails_its_job_with_its_place() {
    let log = drive(
        &mut run_of(&format!("  t:\n    strategy:\n      matrix: ${{{{ fromJSON('[]') }}}}\n{STEPS}")),
        |_| Outcome::Success,
    );
    assert_eq!(log[0], "t failure: ci.yml (Line: 5, Col: 15): the matrix must be a mapping");
    assert_eq!(log[1], "finished failure");
}

#[test]
fn a_cancelled_run_starts_only_what_asks_for_it() {
    let mut run = run_of(&format!(
        "  a:\n{STEPS}  b:\n    needs: a\n{STEPS}  c:\n    needs: a\n    if: cancelled()\n{STEPS}"
    ));
    let secrets = Secrets::default();
    let mut out = Vec::new();
    run.handle(RunEvent::Begin, &secrets, &mut out);
    run.handle(RunEvent::Cancel, &secrets, &mut out);
    let key = JobKey::single("a");
    run.handle(
        RunEvent::JobFinished { key, outcome: Outcome::Cancelled, outputs: Arc::default() },
        &secrets,
        &mut out,
    );
    let started: Vec<String> = out
        .iter()
        .filter_map(|effect| match effect {
            RunEffect::StartJob { key, .. } => Some(key.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(started, ["a", "c"]);
}

#[test]
fn one_combination_can_be_chosen_and_is_what_it_would_have_been() {
    let jobs = format!(
        "  a:\n    strategy:\n      matrix: {{n: [1, 2], m: [x]}}\n{STEPS}  b:\n    needs: a\n{STEPS}"
    );
    let mut run = run_of(&jobs);
    let choices = run.choices("a").unwrap();
    let values: Vec<String> =
        choices.all.iter().map(|(_, matrix)| matrix.get("n").unwrap().to_text().into_owned()).collect();
    assert_eq!((values, choices.computed), (vec!["1".to_owned(), "2".to_owned()], false));
    run.only(choices.all[1].0.clone());
    assert_eq!(drive(&mut run, |_| Outcome::Success), ["start a (2, x)", "start b", "finished success"]);
    assert!(run.choices("b").is_none());
}

#[test]
fn a_matrix_that_needs_give_is_not_known_before() {
    let matrix = "${{ fromJSON(needs.a.outputs.m) }}";
    let run =
        run_of(&format!("  a:\n{STEPS}  b:\n    needs: a\n    strategy:\n      matrix: {matrix}\n{STEPS}"));
    assert!(run.choices("b").is_none());
    let matrix = r#""${{ fromJSON('{\"n\": [1]}') }}""#;
    let run = run_of(&format!("  b:\n    strategy:\n      matrix: {matrix}\n{STEPS}"));
    assert!(run.choices("b").unwrap().computed);
}
