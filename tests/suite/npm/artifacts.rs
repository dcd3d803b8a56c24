//! `@actions/artifact`: from job to job of a run, and into a person's hands.

use std::fs;

use super::toolkit::Toolkit;

const TWO_JOBS: &str = "on: push
jobs:
  first:
    runs-on: x
    steps:
      - run: mkdir out; echo text > out/a.txt; head -c 20000000 /dev/urandom > out/big; sha256sum out/big
      - {uses: toolkit/actions/artifact@v1, id: up, with: {do: upload, name: my report, path: \"out/a.txt\\nout/big\"}}
      - {uses: toolkit/actions/artifact@v1, id: raw, with: {do: upload, path: out/a.txt, raw: true}}
      - {uses: toolkit/actions/artifact@v1, id: bad, with: {do: upload, name: ../../x, path: out/a.txt}}
      - env: {BAD: '${{ steps.bad.outputs.answer }}'}
        run: echo \"up ${{ steps.up.outputs.answer }}, raw ${{ steps.raw.outputs.answer }}, bad $BAD\"
  second:
    needs: first
    runs-on: x
    steps:
      - {uses: toolkit/actions/artifact@v1, id: list, with: {do: list}}
      - {uses: toolkit/actions/artifact@v1, id: down, with: {do: download, name: my report, path: got}}
      - {uses: toolkit/actions/artifact@v1, id: raw, with: {do: download, name: a.txt, path: raw}}
      - {uses: toolkit/actions/artifact@v1, id: taken, with: {do: upload, name: my report, path: raw/a.txt}}
      - {uses: toolkit/actions/artifact@v1, id: gone, with: {do: download, name: other, path: got}}
      - run: 'sha256sum got/out/big; cat raw/a.txt got/out/a.txt'
      - run: 'echo \"list ${{ steps.list.outputs.answer }}, down ${{ steps.down.outputs.answer }}, raw ${{ steps.raw.outputs.answer }}\"'
      - env: {TAKEN: '${{ steps.taken.outputs.answer }}', GONE: '${{ steps.gone.outputs.answer }}'}
        run: echo \"$TAKEN / $GONE\"
      - {uses: toolkit/actions/artifact@v1, id: delete, with: {do: delete, name: a.txt}}
      - {uses: toolkit/actions/artifact@v1, id: again, with: {do: list}}
      - run: 'echo \"deleted ${{ steps.delete.outputs.answer }}, left ${{ steps.again.outputs.answer }}\"'
";

#[test]
fn artifacts_go_from_job_to_job_and_stay() {
    let Some(toolkit) = Toolkit::with(TWO_JOBS) else { return };
    let ran = toolkit.run();
    let says = |text: &str| assert!(ran.out.contains(text), "{text}\n{}", ran.out);
    says("first | up true 64, raw true 64, bad The artifact name is not valid: ../../x.");
    says("second | list my report,a.txt, down whole, raw whole\n");
    says("Conflict: an artifact with this name already exists on the workflow run: my report / ");
    says("Artifact not found for name: other\n");
    says("second | text\nsecond | text\n");
    says("second | deleted true, left my report\n");
    let sums: Vec<&str> = ran
        .out
        .lines()
        .filter(|line| line.ends_with("out/big"))
        .filter_map(|line| line.split(' ').nth(2))
        .collect();
    let sums: Vec<&&str> = sums.iter().filter(|word| word.len() == 64).collect();
    assert!(sums.len() == 2 && sums[0] == sums[1], "{sums:?}");

    let told: Vec<&str> = ran.errors.lines().filter(|line| line.starts_with("artifact: ")).collect();
    assert_eq!(told.len(), 1, "{}", ran.errors);
    assert!(told[0].starts_with("artifact: my report · 19.1 MiB · "), "{}", told[0]);
    let path = told[0].rsplit(" · ").next().unwrap();
    assert!(path.ends_with("/my report.zip"), "{path}");
    assert!(fs::read(path).unwrap().starts_with(b"PK"), "an archive");
    let folder = toolkit.sandbox.beside().join("state/stepback/artifacts");
    assert!(path.starts_with(&*folder.to_string_lossy()), "{path}");
}

const AGAIN: &str = "on: push
jobs:
  build:
    runs-on: x
    steps:
      - run: echo first > file
      - {uses: toolkit/actions/artifact@v1, id: up, with: {do: upload, name: result, path: file}}
      - {uses: toolkit/actions/artifact@v1, id: other, with: {do: upload, name: result, path: file}}
      - {uses: toolkit/actions/artifact@v1, with: {do: download, name: result, path: got}}
      - run: test \"$(cat got/file)\" = second
";

#[test]
fn a_step_that_runs_again_after_back_uploads_again() {
    let Some(toolkit) = Toolkit::with(AGAIN) else { return };
    let script = "next\nnext\nback\n! echo second > file\nnext\np steps.up.outputs.answer\nnext\np steps.other.outputs.answer\nnext\n! cat got/file\nquit\n";
    let ran = toolkit.start("debug", &[], script);
    assert!(ran.out.contains("p steps.up.outputs.answer\ntrue 64\n"), "{}{}", ran.out, ran.errors);
    assert!(ran.out.contains("(409) Conflict"), "another step may not: {}{}", ran.out, ran.errors);
    assert!(ran.out.contains("! cat got/file\nsecond\n"), "{}{}", ran.out, ran.errors);
    assert_eq!(ran.out.matches("\nartifact: result · ").count(), 1, "at the end of the job: {}", ran.out);
    assert!(!ran.errors.contains("artifact: "), "and not once more: {}", ran.errors);
}

#[test]
fn a_reopened_run_has_its_artifacts() {
    let Some(toolkit) = Toolkit::with(AGAIN) else { return };
    let ran = toolkit.start("run", &[], "");
    assert_eq!(ran.code, Some(1), "the last step finds the first file: {}", ran.out);
    let script = "goto 2\n! echo second > file\ncontinue\nquit\n";
    let ran = toolkit.start("debug", &["--last"], script);
    assert!(ran.out.contains("● build succeeded"), "{}{}", ran.out, ran.errors);
    assert_eq!(ran.out.matches("\nartifact: result · ").count(), 1, "{}", ran.out);
}

/// The events of this name, in `--json`.
fn events(out: &str, name: &str) -> Vec<serde_json::Value> {
    let lines = out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines.filter(|line| line["event"] == name).collect()
}

#[test]
fn a_program_is_told_of_artifacts_when_the_debugger_ends() {
    let Some(toolkit) = Toolkit::with(AGAIN) else { return };
    let ran = toolkit.start("debug", &["--json"], "catch off\ncontinue\nquit\n");
    let told = events(&ran.out, "artifact");
    assert_eq!(told.len(), 1, "{}{}", ran.out, ran.errors);
    assert_eq!(told[0]["name"], "result");
    assert!(told[0]["path"].as_str().unwrap().ends_with("/result.zip"), "{told:?}");
    let script = "goto 2\n! echo second > file\ncontinue\nquit\n";
    let ran = toolkit.start("debug", &["--last", "--json"], script);
    assert_eq!(events(&ran.out, "artifact").len(), 1, "{}{}", ran.out, ran.errors);
}

/// It was told in the conversation, where the job came to its end.
#[test]
fn a_run_that_goes_on_in_the_debugger_tells_its_artifacts_once() {
    let Some(toolkit) = Toolkit::with(AGAIN) else { return };
    let mut terminal = toolkit.terminal("run");
    let question = "open the debugger at the failure of build? [y/N] ";
    terminal.command(question, "y");
    terminal.command("(build 5 ✗) ", "goto 2");
    terminal.command("(build 2 ↩) ", "! echo second > file");
    terminal.command("(build 2 ✎) ", "continue");
    terminal.command("(build end) ", "quit");
    assert_eq!(terminal.end(), Some(0));
    let text = terminal.text();
    assert_eq!(text.matches("artifact: result · ").count(), 1, "{text}");

    // Whoever only looks is told at the end of the run, as ever.
    let mut terminal = toolkit.terminal("run");
    terminal.command(question, "y");
    terminal.command("(build 5 ✗) ", "quit");
    assert_eq!(terminal.end(), Some(1));
    assert_eq!(terminal.text().matches("artifact: result · ").count(), 1, "{}", terminal.text());
}
