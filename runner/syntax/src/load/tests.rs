//! Files read as a whole: what is understood, and what is said about the rest.

use std::cell::RefCell;

use super::*;
use crate::{JobBody, Severity, Step, StepBody, WorkflowOrigin, render};

/// Files of an imagined repository; remembers what was asked for.
#[derive(Default)]
struct Files {
    texts: Vec<(&'static str, &'static str)>,
    asked: RefCell<Vec<String>>,
    commit: Option<&'static str>,
}

impl FileProvider for Files {
    fn read(&self, path: &str) -> Result<Arc<str>, String> {
        self.asked.borrow_mut().push(path.to_owned());
        let found = self.texts.iter().find(|(name, _)| *name == path);
        found.map(|(_, text)| Arc::from(*text)).ok_or_else(|| "workflow was not found.".to_owned())
    }

    fn commit(&self, _path: &str) -> Option<Arc<str>> {
        self.commit.map(Arc::from)
    }
}

fn read_with(text: &str, files: &Files) -> (Sources, Option<Workflow>, Vec<Diagnostic>) {
    let mut sources = Sources::new();
    let source = sources.add(".github/workflows/ci.yml", text);
    let (workflow, diagnostics) = parse_workflow(&mut sources, source, &ReadOptions::default(), files);
    (sources, workflow, diagnostics)
}

fn read(text: &str) -> (Sources, Workflow, Vec<Diagnostic>) {
    let (sources, workflow, diagnostics) = read_with(text, &Files::default());
    let workflow = workflow.unwrap_or_else(|| panic!("{diagnostics:?}"));
    (sources, workflow, diagnostics)
}

fn told(diagnostics: &[Diagnostic]) -> Vec<String> {
    let told = |fault: &Diagnostic| {
        let warning = if fault.severity == Severity::Warning { "warning " } else { "" };
        let hint = fault.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{warning}{}:{} {}{hint}", fault.span.start.line, fault.span.start.column, fault.message)
    };
    diagnostics.iter().map(told).collect()
}

fn check(text: &str, expected: &[&str]) {
    assert_eq!(told(&read_with(text, &Files::default()).2), expected, "{text}");
}

/// Steps of a job that is otherwise fine, from line 6 on.
fn check_steps(steps: &str, expected: &[&str]) {
    check(&format!("on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n{steps}"), expected);
}

fn steps(steps: &str) -> (Sources, Vec<Step>) {
    let (sources, workflow, diagnostics) =
        read(&format!("on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n{steps}"));
    assert_eq!(told(&diagnostics), [""; 0]);
    (sources, workflow.jobs["a"].steps().to_vec())
}

#[test]
fn near_misses_get_a_hint() {
    check_steps("    - run: x\n      envs: {}\n", &["7:7 Unexpected value 'envs' (did you mean `env`?)"]);
    check_steps(
        "    - run: x\n      timeout-minutes: '5'\n",
        &["7:24 Unexpected value '5' (expected a number)"],
    );
    check("on: psuh\njobs: {a: {runs-on: x}}", &["1:5 Unexpected value 'psuh' (did you mean `push`?)"]);
    check(
        "on: push\njobs: {build: {runs-on: x}, b: {runs-on: x, needs: biuld}}",
        &["2:52 Job 'b' depends on unknown job 'biuld'. (did you mean `build`?)"],
    );
    check(
        "on: push\npermissions: {content: read}\njobs: {a: {runs-on: x}}",
        &["2:15 Unexpected value 'content' (did you mean `contents`?)"],
    );
    check(
        "on: {workflow_dispatch: {input: }}\njobs: {a: {runs-on: x}}",
        &["warning 1:26 Unexpected value 'input' (did you mean `inputs`?)"],
    );
    check(
        "on: {schedule: [{cron: '* * *'}]}\njobs: {a: {runs-on: x}}",
        &[
            "warning 1:24 Invalid cron expression. Expected format: '* * * * *' (minute hour day month weekday)",
        ],
    );
}

#[test]
fn contexts_are_those_of_the_key() {
    let secrets = "Unrecognized named-value: 'secrets'. Located at position 1 within expression: secrets.x";
    let hint = "(contexts that may be used here: github, inputs, vars, needs, strategy, matrix, steps, job, runner, env)";
    check_steps("    - run: ${{ secrets.x }}\n", &[]);
    check_steps("    - run: x\n      if: secrets.x\n", &[&format!("7:11 {secrets} {hint}")]);
    check_steps(
        "    - run: x\n      env: {A: '${{ hashFiles(''a'') && always() }}'}\n",
        &[
            "7:16 Unrecognized function: 'always'. Located at position 19 within expression: hashFiles('a') && always()",
        ],
    );
    check(
        "on: push\nname: ${{ github.ref }}\njobs: {a: {runs-on: x}}",
        &[
            "2:7 Unrecognized named-value: 'github'. Located at position 1 within expression: github.ref (no expression may be used here)",
        ],
    );
}

#[test]
fn background_keywords_are_checked() {
    let start = "    - {id: srv, run: x, background: true}\n";
    check_steps(
        &format!("{start}    - wait: srv\n    - wait: [srv]\n    - wait-all:\n    - cancel: srv\n"),
        &[],
    );
    check_steps(
        &format!("{start}    - wait: [svr]\n"),
        &["7:14 Step references unknown step ID 'svr' (did you mean `srv`?)"],
    );
    check_steps(&format!("{start}    - wait: SRV\n"), &[]);
    check_steps("    - parallel: [{id: m, run: x}]\n    - wait: m\n", &[]);
    check_steps(
        "    - {id: front, run: x}\n    - wait: [Front]\n    - cancel: front\n",
        &[
            "7:14 Step 'front' does not run in the background (add `background: true` to it)",
            "8:15 Step 'front' does not run in the background (add `background: true` to it)",
        ],
    );
    check_steps("    - {id: w, wait: w}\n", &["6:21 Step 'w' cannot reference itself (did you mean `w`?)"]);
    check_steps(
        "    - wait: __run\n",
        &["6:13 The identifier '__run' is invalid. IDs starting with '__' are reserved."],
    );
    check_steps("    - wait-all: false\n", &["6:17 The value of 'wait-all' must be true or omitted"]);
    check_steps(
        "    - {wait-all: , if: x}\n",
        &["6:20 Unexpected value 'if' (`if` does not go together with the keys before it)"],
    );
    check_steps("    - parallel: [{run: x}, {uses: a/b@c}]\n", &[]);
    check_steps(
        "    - parallel: [{wait-all: }]\n",
        &["6:19 Steps of a 'parallel' group must be 'run' or 'uses' steps"],
    );
    let without = ReadOptions { background_steps: false, ..ReadOptions::default() };
    let mut sources = Sources::new();
    let source =
        sources.add("ci.yml", "on: push\njobs: {a: {runs-on: x, steps: [{run: x, background: true}]}}");
    let (_, diagnostics) = parse_workflow(&mut sources, source, &without, &Files::default());
    assert_eq!(told(&diagnostics), ["2:41 Unexpected value 'background'"]);
}

#[test]
fn names_in_the_steps_context_are_those_of_github() {
    let (_, steps) = steps(
        "    - {run: a, id: one}\n    - uses: ./x\n    - uses: $/y\n    - uses: docker://a/b:1\n    - uses: o/r/sub@v1\n    \
         - parallel: [{run: b}, {run: c, id: two}]\n    - run: d\n",
    );
    let mut names: Vec<&str> = steps.iter().map(|step| &*step.context_name).collect();
    let StepBody::Parallel { steps } = &steps[5].body else { panic!("a group") };
    names.extend(steps.iter().map(|step| &*step.context_name));
    assert_eq!(
        names,
        ["one", "__self", "__self_2", "__a_b_1", "__o_r", "__parallel", "__run_2", "__run", "two"]
    );
}

#[test]
fn lines_of_scripts_are_lines_of_the_file() {
    let (sources, steps) =
        steps("    - run: one\n    - name: x\n      run: |\n        two\n    - run: >-\n        three\n");
    let found: Vec<_> = steps
        .iter()
        .map(|step| match &step.body {
            StepBody::Run { first_line, .. } => {
                (step.span.start.line, sources.line(step.span.source, *first_line).trim())
            }
            _ => panic!("a script"),
        })
        .collect();
    assert_eq!(found, [(6, "- run: one"), (7, "two"), (10, "three")]);
}

#[test]
fn conditions_are_normalised_and_strings_are_warned_about() {
    let (_, steps) = steps(
        "    - run: x\n    - {run: x, if: ' '}\n    - {run: x, if: failure()}\n    - {run: x, if: a}\n"
            .replace("if: a}", "if: env.a}")
            .as_str(),
    );
    let found: Vec<&str> = steps.iter().map(|step| step.condition.expression().source()).collect();
    assert_eq!(found, ["success()", "success()", "failure()", "success() && (env.a)"]);
    check_steps(
        "    - run: x\n      if: ${{ github.ref }} == 'x'\n",
        &[
            "warning 7:11 This condition is always true (text outside `${{ }}` makes it a string that is not empty: put \
         the whole condition inside, or leave `${{ }}` out)",
        ],
    );
}

#[test]
fn a_condition_that_stood_elsewhere_is_judged_where_it_stands() {
    let job = |id: &str, condition: &str, step: &str| {
        format!("  {id}:\n    if: {condition}\n    runs-on: x\n    steps:\n    - {{run: x, if: {step}}}\n")
    };
    let (fine, steps_only) = ("github.ref", "runner.os");
    let (_, workflow, diagnostics) = read(&format!(
        "on: push\njobs:\n{}{}{}",
        job("a", fine, steps_only),
        job("b", steps_only, steps_only),
        job("c", steps_only, fine)
    ));
    let fault = |line: u32| {
        format!(
            "{line}:9 Unrecognized named-value: 'runner'. Located at position 1 within expression: runner.os \
             (contexts that may be used here: github, inputs, vars, needs)"
        )
    };
    assert_eq!(told(&diagnostics), [fault(9), fault(14)]);
    let step = &workflow.jobs["a"].steps()[0];
    assert_eq!(step.condition.expression().source(), "success() && (runner.os)");
}

#[test]
fn a_self_reference_has_no_version() {
    check_steps(
        "    - uses: $/a@v1\n    - uses: $/a\n",
        &[
            "6:13 Expected format $/path. Actual '$/a@v1' (leave `@…` out: `$/` means the version that this file is from)",
        ],
    );
}

#[test]
fn a_fault_in_one_job_leaves_the_others() {
    let (_, workflow, diagnostics) = read(
        "on: push\njobs:\n  a:\n    runs-on: x\n    timeout-minutes: soon\n    steps:\n      - run: x\n  b:\n    needs: a\n    \
         runs-on: x\n  c:\n    runs-on: x\n    steps: [{uses: nothing}]\n",
    );
    assert_eq!(
        told(&diagnostics),
        [
            "5:22 Unexpected value 'soon' (expected a number)",
            "13:20 Expected format {org}/{repo}[/path]@ref. Actual 'nothing'",
        ]
    );
    assert_eq!(workflow.jobs.keys().map(|id| &**id).collect::<Vec<_>>(), ["b"]);
    assert_eq!(workflow.faulty.keys().map(|id| &**id).collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(workflow.faulty["a"].steps()[0].span.start.line, 7);
}

#[test]
fn aliases_keep_both_places() {
    let (_, workflow, diagnostics) = read(
        "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - &s\n        run: x\n  b:\n    runs-on: x\n    steps:\n      \
         - *s\n      - run: y\n",
    );
    assert_eq!(told(&diagnostics), [""; 0]);
    let step = &workflow.jobs["b"].steps()[0];
    assert_eq!(step.span.start.line, 7);
    assert_eq!(step.used_at.map(|span| (span.start.line, span.start.column)), Some((11, 9)));
    assert_eq!(workflow.jobs["b"].steps()[1].used_at, None);
    let alias = &workflow.aliases[0];
    assert_eq!((&*alias.name, alias.used_at.start.line, alias.definition.start.line), ("s", 11, 6));
}

#[test]
fn an_alias_of_nothing_gets_a_hint() {
    check(
        "on: push\nenv: &common {A: 1}\njobs: {a: {runs-on: x, env: *comon}}\n",
        &["3:29 Unknown anchor 'comon' (did you mean `common`?)"],
    );
}

#[test]
fn fingerprints_are_of_the_content() {
    let hash = |text: &str| steps(text).1[0].fingerprint;
    let first = hash("    - name: a # comment\n      run: \"x ${{ env.y }}\"\n");
    assert_eq!(first, hash("\n    # more\n    - {name: 'a', run: 'x ${{  env.y  }}'}\n"));
    assert_ne!(first, hash("    - name: a\n      run: x ${{ env.z }}\n"));
    assert_ne!(first, hash("    - run: x ${{ env.y }}\n      name: a\n"));
}

#[test]
fn inputs_of_triggers_are_typed() {
    let (_, workflow, diagnostics) = read(
        "on:\n  push: {branches: main, paths-ignore: [a, b]}\n  workflow_dispatch:\n    inputs:\n      level: {type: choice, \
         options: [a, b], default: a}\n      dry: {type: boolean, required: true}\n      free:\njobs: {a: {runs-on: x}}\n",
    );
    assert_eq!(told(&diagnostics), [""; 0]);
    let push = &workflow.on.events["push"];
    let filters: Vec<_> =
        push.filters.iter().map(|filter| (filter.name.to_string(), filter.values.len())).collect();
    assert_eq!(filters, [("branches".to_owned(), 1), ("paths-ignore".to_owned(), 2)]);
    let inputs = &workflow.on.events["workflow_dispatch"].inputs;
    let inputs: Vec<_> =
        inputs.values().map(|input| (input.kind.as_str(), input.required, input.options.len())).collect();
    assert_eq!(inputs, [("choice", false, 2), ("boolean", true, 0), ("string", false, 0)]);
}

const CALLED: &str = "on:\n  workflow_call:\n    inputs: {n: {type: number, required: true}}\n    secrets: {s: {required: true}}\n\
                      jobs:\n  x:\n    uses: ./.github/workflows/inner.yml\n";

#[test]
fn called_workflows_are_read_where_they_lie() {
    let inner = "on: workflow_call\njobs: {y: {runs-on: x}}";
    let files = Files {
        texts: vec![
            ("o/r/.github/workflows/outer.yml@v1", CALLED),
            ("o/r/.github/workflows/inner.yml@v1", inner),
            ("./.github/workflows/inner.yml", inner),
        ],
        commit: Some("0123abc"),
        ..Files::default()
    };
    let text = "on: push\njobs:\n  a:\n    uses: o/r/.github/workflows/outer.yml@v1\n    with: {n: 1}\n    secrets: {s: x}\n  b:\n    \
                uses: $/.github/workflows/inner.yml\n";
    let (_, workflow, diagnostics) = read_with(text, &files);
    assert_eq!(told(&diagnostics), [""; 0]);
    let expected = [
        "o/r/.github/workflows/outer.yml@v1",
        "o/r/.github/workflows/inner.yml@v1",
        "./.github/workflows/inner.yml",
    ];
    assert_eq!(*files.asked.borrow(), expected);
    let workflow = workflow.expect("a workflow");
    let JobBody::Reusable { workflow: Some(called), .. } = &workflow.jobs["a"].body else { panic!("a call") };
    let JobBody::Reusable { workflow: Some(inner), .. } = &called.jobs["x"].body else { panic!("a call") };
    assert!(inner.jobs.contains_key("y"));
    let origin =
        WorkflowOrigin { repository: "o/r".into(), reference: "v1".into(), commit: Some("0123abc".into()) };
    assert_eq!((&called.origin, &inner.origin), (&Some(origin.clone()), &Some(origin)));
    let JobBody::Reusable { workflow: Some(own), .. } = &workflow.jobs["b"].body else { panic!("a call") };
    assert_eq!((&workflow.origin, &own.origin), (&None, &None));
}

#[test]
fn calls_must_fit_what_is_called() {
    let files = Files {
        texts: vec![
            ("o/r/.github/workflows/outer.yml@v1", CALLED),
            ("./.github/workflows/broken.yml", "on: workflow_call\njobs:\n  x: {runs-on: x, step: []}\n"),
            ("./.github/workflows/plain.yml", "on: push\njobs: {x: {runs-on: x}}\n"),
        ],
        ..Files::default()
    };
    let text = "on: push\njobs:\n  a:\n    uses: o/r/.github/workflows/outer.yml@v1\n    with: {m: 1}\n  b:\n    \
                uses: ./.github/workflows/broken.yml\n  c:\n    uses: ./.github/workflows/plain.yml\n  d:\n    \
                uses: ./.github/workflows/none.yml\n";
    let (sources, _, diagnostics) = read_with(text, &files);
    let found: Vec<String> = diagnostics.iter().map(|fault| fault.github_text(&sources)).collect();
    assert_eq!(
        found,
        [
            ".github/workflows/ci.yml (Line: 4, Col: 11): Input n is required, but not provided while calling.",
            ".github/workflows/ci.yml (Line: 5, Col: 15): Invalid input, m is not defined in the referenced workflow.",
            ".github/workflows/ci.yml (Line: 4, Col: 11): Secret s is required, but not provided while calling.",
            "In .github/workflows/ci.yml (Line: 7, Col: 11): Error from called workflow .github/workflows/broken.yml (Line: 3, Col: 19): Unexpected value 'step'",
            "In .github/workflows/ci.yml (Line: 9, Col: 11): Error from called workflow .github/workflows/plain.yml (Line: 1, Col: 5): workflow_call key is not defined in the referenced workflow.",
            ".github/workflows/ci.yml (Line: 11, Col: 11): error parsing called workflow './.github/workflows/none.yml': workflow was not found.",
        ]
    );
    let text = render(&diagnostics, &sources, false);
    assert!(text.contains("broken.yml:3:19") && text.contains("called from here"), "{text}");
}

#[test]
fn a_tree_of_calls_comes_to_an_end() {
    let mut text = String::from("on: {workflow_call: }\njobs:\n");
    for job in 0..60 {
        text.push_str(&format!("  j{job}: {{uses: ./.github/workflows/again.yml}}\n"));
    }
    let text: &'static str = Box::leak(text.into_boxed_str());
    let files = Files { texts: vec![("./.github/workflows/again.yml", text)], ..Files::default() };
    let (_, _, diagnostics) = read_with(text, &files);
    assert_eq!(diagnostics.iter().filter(|fault| fault.is_error()).count(), 1, "{:?}", told(&diagnostics));
}

#[test]
fn many_faults_and_many_jobs_take_no_time() {
    let keys: String = (0..20_000).map(|n| format!("k{n}: 1\n")).collect();
    let (_, _, diagnostics) = read_with(&keys, &Files::default());
    assert_eq!(diagnostics.len(), crate::diagnostic::MAX_DIAGNOSTICS);
    let mut jobs = String::from("on: push\njobs:\n");
    for job in 0..4000 {
        jobs.push_str(&format!("  j{job}: {{runs-on: x, needs: j{}}}\n", job + 1));
    }
    jobs.push_str("  j4000: {runs-on: x}\n");
    assert_eq!(told(&read(&jobs).2), [""; 0]);
}
