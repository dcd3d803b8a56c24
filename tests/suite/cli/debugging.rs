//! `debug` from a pipe: sessions as scripts.

use super::program::{Sandbox, normal};

const WORKFLOW: &str = "on: push
jobs:
  build:
    runs-on: x
    steps:
      - {name: One, id: one, run: 'echo v=1 >> $GITHUB_OUTPUT; echo 1 > file'}
      - {name: Two, run: 'grep -q 2 file'}
      - {name: Three, run: 'echo A=${{ env.A }} $A'}
";

/// The transcript of a session, and its exit code.
fn session(workflow: &str, arguments: &[&str], script: &str) -> (Option<i32>, String) {
    let sandbox = Sandbox::new(workflow);
    let ran = sandbox.run(&[&["debug"], arguments].concat(), script);
    (ran.code, normal(&ran.out, &sandbox.root()) + &ran.errors)
}

#[test]
fn going_back_and_on_makes_the_job_green() {
    let (code, text) = session(WORKFLOW, &[], "continue\nback\n! echo 2 > file\ncontinue\nquit\n");
    let expected = "● build · 3 steps · .github/workflows/ci.yml
  before 1 One                         ci.yml:6
(build 1) continue
✓ 1 One                        0.0s   +1 file, outputs.v=1
✗ 2 Two                        0.0s   exit 1
  stopped on failure · `log` all of it · `back` to before this step · `!` a shell here · `why`, `env`, `print`
(build 2 ✗) back
↩ before 2 Two   `return` to undo that
(build 2 ↩) ! echo 2 > file
  ✎ changed file
(build 2 ✎) continue
✓ 2 Two                        0.0s
✓ 3 Three                      0.0s
● build succeeded in 0.0s
  on branch 2; what was before is kept: `timeline`
(build end) quit
";
    assert_eq!(text, expected);
    assert_eq!(code, Some(0));
}

#[test]
fn files_and_outputs_are_those_of_the_moment() {
    let (_, text) = session(
        WORKFLOW,
        &[],
        "next\n! cat file\nback\n! ls\nsteps.one.outputs.v\nreturn\n! cat file\nsteps.one.outputs.v\nquit\n",
    );
    let after = |command: &str| {
        text.split(&format!("{command}\n"))
            .skip(1)
            .map(|rest| rest.lines().next().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(after(") ! cat file"), ["1", "1"], "{text}");
    assert_eq!(after(") steps.one.outputs.v"), ["null", "1"], "{text}");
    assert_eq!(after("(build 1 ↩) ! ls").len(), 1, "{text}");
}

#[test]
fn variables_can_be_set_and_conditions_stop() {
    let script = "b 3 if env.A == 'x'\nset env.A=x\ncatch off\nc\np env.A\nquit\n";
    let (code, text) = session(&WORKFLOW.replace("grep -q 2", "grep -q 1"), &[], script);
    assert!(text.contains("breakpoint 1 at step 3  (line 8)  if env.A == 'x'\n"), "{text}");
    assert!(text.contains("● breakpoint 1: before 3 Three"), "{text}");
    assert!(text.contains("(build 3) p env.A\nx\n"), "{text}");
    assert_eq!(code, Some(130), "left before the end");
}

#[test]
fn the_end_of_the_input_quits() {
    let (code, text) = session(WORKFLOW, &[], "next\n");
    assert_eq!(code, Some(130), "{text}");
    let (code, _) = session(WORKFLOW, &[], "c\ncatch off\nc\n");
    assert_eq!(code, Some(1));
}

#[test]
fn mistakes_are_answered_and_the_session_goes_on() {
    let (_, text) = session(WORKFLOW, &[], "contineu\ngoto nowhere\nprint env.\nback\nhelp back\nquit\n");
    assert!(text.contains("✗ there is no command `contineu`\n  did you mean `continue`?\n"), "{text}");
    assert!(text.contains("✗ there is no step `nowhere`"), "{text}");
    assert!(text.contains("back [COUNT]\n"), "{text}");
    assert!(text.ends_with(") quit\n● build was cancelled in 0.0s\n"), "{text}");
}

#[test]
fn needed_jobs_run_first_without_stops() {
    let workflow = WORKFLOW.to_owned()
        + "  test:\n    needs: build\n    runs-on: x\n    steps: [{name: Only, run: 'echo ok'}]\n";
    let (code, text) =
        session(&workflow.replace("grep -q 2", "grep -q 1"), &["--job", "test"], "next\nquit\n");
    assert_eq!(code, Some(0), "{text}");
    let build = text.find("● build succeeded").expect("build ran");
    assert!(build < text.find("● test · 1 step").expect("test is debugged"), "{text}");
    let (code, text) = session(&workflow, &["--job", "test"], "");
    assert_eq!(code, Some(1));
    assert!(text.contains("● test was skipped"), "{text}");
    let (code, text) = session(&workflow, &[], "");
    assert_eq!(code, Some(2));
    assert!(text.contains("several jobs:\n  1 build\n  2 test\n  hint: name one: --job JOB"), "{text}");
}

#[test]
fn programs_get_events_and_replies() {
    let (code, text) = session(WORKFLOW, &["--json"], "next\nsteps.one.outputs.v\nnonsense\nquit\n");
    assert_eq!(code, Some(130));
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let events: Vec<&str> =
        lines.iter().map(|line| line["event"].as_str().unwrap()).filter(|event| *event != "log").collect();
    assert_eq!(
        events[..7],
        ["job_started", "stopped", "continued", "step_started", "step_ended", "stopped", "reply"],
        "{text}"
    );
    assert!(lines.iter().any(|line| line["event"] == "reply" && line["text"] == "1\n"), "{text}");
    assert!(events.contains(&"refused"), "{text}");
}

#[test]
fn the_last_run_opens_again_at_its_failure() {
    let sandbox = Sandbox::new(WORKFLOW);
    let ran = sandbox.run(&["debug", "--last"], "");
    assert_eq!(ran.code, Some(2));
    assert!(ran.errors.contains("nothing has been recorded yet"), "{}", ran.errors);
    assert_eq!(sandbox.run(&["run"], "").code, Some(1));
    let ran = sandbox.run(&["debug", "--last"], "! cat file\nback\n! echo 2 > file\ncontinue\nquit\n");
    let text = normal(&ran.out, &sandbox.root());
    assert!(text.contains("✗ 2 Two") && text.contains("stopped on failure"), "{text}");
    assert!(text.contains("(build 2 ✗) ! cat file\n1\n"), "{text}");
    assert!(text.contains("✓ 3 Three") && text.contains("● build succeeded"), "{text}");
    assert_eq!(ran.code, Some(0), "{}", ran.errors);
    let ran = sandbox.run(&["run", "--no-record"], "");
    assert_eq!(ran.code, Some(1));
    let ran = sandbox.run(&["debug", "--last"], "timeline\nquit\n");
    assert!(ran.out.contains("branch 2"), "the one without a recording changed nothing: {}", ran.out);
}

#[test]
fn leaving_a_job_that_was_gone_back_from_its_end_says_where_it_returns_to() {
    let (code, text) = session(WORKFLOW, &[], "catch off\ncontinue\nback\nquit\n");
    let end = "(build 3 ↩) quit\n↪ the newest moment: the end of build\n";
    assert!(text.ends_with(end), "{text}");
    assert_eq!(code, Some(1));
}

#[test]
fn an_older_recording_opens_by_the_name_of_its_run_and_by_its_folder() {
    let sandbox = Sandbox::new(WORKFLOW);
    assert_eq!(sandbox.run(&["run"], "").code, Some(1));
    sandbox.write(".github/workflows/ci.yml", &WORKFLOW.replace("Two", "Other"));
    assert_eq!(sandbox.run(&["run"], "").code, Some(1));
    let shelf = sandbox.beside().join("state/stepback/recordings");
    let folders = std::fs::read_dir(&shelf).unwrap().map(|entry| entry.unwrap().path());
    let (mut first, second) = {
        let mut all: Vec<_> = folders.filter(|path| path.is_dir()).collect();
        all.sort();
        (all.remove(0), all.remove(0))
    };
    let failed = |path: &std::path::Path| {
        sandbox.run(&["debug", "--recording", &path.to_string_lossy()], "quit\n").out
    };
    if failed(&first).contains("Other") {
        // Begun within one second, in which names tell nothing of the order.
        first = second;
    }
    assert!(failed(&first).contains("✗ 2 Two"), "{}", failed(&first));
    let name = first.file_name().unwrap().to_string_lossy().into_owned();
    let run = name.split_once('.').unwrap().0.to_owned();
    for named in [&name, &run] {
        let ran = sandbox.run(&["debug", "--recording", named], "quit\n");
        assert!(ran.out.contains("✗ 2 Two"), "{}{}", ran.out, ran.errors);
    }
    let ran = sandbox.run(&["debug", "--recording", "nothing"], "");
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.errors.contains("there is no recording `nothing`") && ran.errors.contains(&name),
        "{}",
        ran.errors
    );
}

#[test]
fn an_edited_workflow_is_taken_over_when_the_job_goes_on() {
    let sandbox = Sandbox::new(WORKFLOW);
    let file = sandbox.root().join(".github/workflows/ci.yml").display().to_string();
    let edit = |from: &str, to: &str| format!("! sed -i 's/{from}/{to}/' {file}\n");
    let script = format!("continue\nback\n{}continue\nquit\n", edit("grep -q 2", "grep -q 1"));
    let ran = sandbox.run(&["debug"], &script);
    assert!(ran.out.contains("● build succeeded"), "{}{}", ran.out, ran.errors);
    let script = format!("next\n{}next\nquit\n", edit("echo v=1", "echo v=2"));
    let ran = sandbox.run(&["debug"], &script);
    assert!(
        ran.out.contains("step 1 (.github/workflows/ci.yml:6) was edited, and it has run already"),
        "{}",
        ran.out
    );
}

const WITH_GIT: &str = "on: push
jobs:
  build:
    runs-on: x
    steps:
      - {name: One, run: 'mkdir .git part part/.git; echo one > .git/HEAD; echo 1 > part/.git/HEAD; echo a > file'}
      - {name: Two, run: 'echo two > .git/HEAD; rm part/.git/HEAD'}
      - {name: Three, run: 'true'}
";

#[test]
fn the_books_of_git_are_restored_but_are_no_files_that_a_step_changed() {
    let script = "next\ndiff\ndiff all\nnext\ndiff\nback\n! cat .git/HEAD part/.git/HEAD\n! echo x > .git/HEAD\nquit\n";
    let (_, text) = session(WITH_GIT, &[], script);
    let after = |command: &str| {
        let (_, rest) = text.split_once(&format!("{command}\n")).expect(command);
        rest.split_once("(build").map_or(rest, |(reply, _)| reply).to_owned()
    };
    assert!(text.contains("✓ 1 One                        0.0s   +1 file\n"), "{text}");
    assert!(text.contains("✓ 2 Two                        0.0s\n"), "{text}");
    assert!(after("(build 2) diff").contains("created   file\n"), "{text}");
    assert!(!after("(build 2) diff").contains(".git"), "{text}");
    assert!(after("(build 2) diff all").contains("created   part/.git/HEAD\n"), "{text}");
    assert_eq!(after("(build 3) diff"), "no file differs\n", "{text}");
    assert_eq!(after(") ! cat .git/HEAD part/.git/HEAD"), "one\n1\n", "{text}");
    assert_eq!(after(") ! echo x > .git/HEAD"), "  ✎ changed .git\n", "{text}");
}

const BY_HASH: &str = "on: push
jobs:
  build:
    runs-on: x
    steps:
      - {name: One, run: 'echo 1 > one'}
      - {name: Two, if: \"hashFiles('lock') == ''\", run: 'echo 2 > two'}
      - {name: Three, run: 'true'}
";

#[test]
fn a_decision_by_files_that_are_changed_at_it_is_made_anew() {
    let (_, text) = session(BY_HASH, &[], "next\nnext\ngoto m4\n! echo more > one\ncontinue\nquit\n");
    assert!(text.contains("✓ 2 Two"), "nothing was locked: {text}");
    assert!(!text.contains("- 2 Two"), "another file does not matter: {text}");
    assert_eq!(text.matches("✓ 2 Two").count(), 2, "{text}");
    let (_, text) = session(BY_HASH, &[], "next\nnext\ngoto m4\n! echo new > lock\ncontinue\nquit\n");
    assert!(text.contains("- 2 Two                       skipped"), "{text}");
}

const MATRIX: &str = "on: push
jobs:
  build:
    strategy: {matrix: {os: [one, two], n: [1, 2], exclude: [{os: two, n: 2}], include: [{os: three}]}}
    runs-on: x
    steps: [{run: 'echo ${{ matrix.os }} ${{ matrix.n }} ${{ strategy.job-index }}'}]
";

#[test]
fn without_a_terminal_a_combination_has_to_be_named() {
    let (code, text) = session(MATRIX, &[], "quit\n");
    assert_eq!(code, Some(2));
    let expected = "`build` has several combinations:\n  1 os=one, n=1\n  2 os=one, n=2\n  3 os=two, n=1\n  4 os=three\n  hint: name values until one is left: --matrix KEY=VALUE\n";
    assert!(text.ends_with(expected), "{text}");
    let (code, text) = session(MATRIX, &["--matrix", "os=one"], "quit\n");
    assert!(code == Some(2) && text.contains(":\n  1 os=one, n=1\n  2 os=one, n=2\n  hint"), "{text}");
    let (code, text) = session(MATRIX, &["--matrix", "os=one", "--matrix", "n=2"], "next\nquit\n");
    assert!(code == Some(0) && text.starts_with("● build (one, 2) · "), "{text}");
    let (code, text) = session(MATRIX, &["--matrix", "os=three"], "matrix.os\nquit\n");
    assert!(code == Some(130) && text.contains("matrix.os\nthree\n"), "{text}");
}

#[test]
fn a_computed_matrix_from_which_nothing_can_be_named_is_debugged_at_its_first_combination() {
    let computed = "on: push\njobs:\n  build:\n    strategy: {matrix: '${{ fromJSON(''{\"n\": [1, 2]}'') }}'}\n    runs-on: x\n    steps: [{run: 'true'}]\n";
    let (code, text) = session(computed, &[], "next\nquit\n");
    assert!(code == Some(0) && text.contains("● build (1) · "), "{text}");
    assert!(text.contains("`build` has 2 combinations, this is the first: n=1"), "{text}");
}
