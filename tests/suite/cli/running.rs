//! `run`, `check` and `list`: exit codes, faces, what is given, what is refused.

use std::io::{BufRead, BufReader, Read};

use super::program::{Sandbox, normal};

const TWO_JOBS: &str = "name: CI
on: {push: , workflow_dispatch: {inputs: {who: {default: me}}}}
jobs:
  first:
    runs-on: ubuntu-latest
    outputs: {word: '${{ steps.say.outputs.word }}'}
    steps:
      - id: say
        run: echo \"word=from-first\" >> \"$GITHUB_OUTPUT\"
  second:
    needs: first
    runs-on: ubuntu-latest
    env: {GIVEN: from workflow}
    steps:
      - run: echo \"${{ needs.first.outputs.word }} $GIVEN ${{ inputs.who }} ${{ vars.COLOUR }} ${{ secrets.TOKEN }} $GITHUB_EVENT_NAME\"
";

#[test]
fn jobs_run_by_their_needs_with_what_they_are_given() {
    let sandbox = Sandbox::new(TWO_JOBS);
    let options = [
        "--env",
        "GIVEN=from option",
        "--input",
        "who=you",
        "--var",
        "COLOUR=blue",
        "--secret",
        "TOKEN=hunter2",
    ];
    let ran = sandbox.run(&[&["run"], options.as_slice()].concat(), "");
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.errors);
    assert!(
        ran.out.contains("second | from-first from option you blue *** workflow_dispatch\n"),
        "{}",
        ran.out
    );
    assert!(!ran.out.contains("hunter2") && !ran.errors.contains("warning"), "{}{}", ran.out, ran.errors);
    let ends: Vec<&str> = ran.out.lines().filter(|line| line.contains(" succeeded in ")).take(2).collect();
    assert!(ends[0].starts_with("● first") && ends[1].starts_with("● second"), "{ends:?}");
}

#[test]
fn what_nobody_gave_is_named_before_the_first_step() {
    let sandbox = Sandbox::new(TWO_JOBS);
    let ran = sandbox.run(&["run"], "");
    assert!(
        ran.errors.starts_with(
            "warning: nobody gave, so empty: secrets.TOKEN (.github/workflows/ci.yml:15), vars.COLOUR"
        ),
        "{}",
        ran.errors
    );
    let ran = sandbox.run(&["run", "--job", "first"], "");
    assert_eq!((ran.code, ran.errors.as_str()), (Some(0), ""), "the first job uses neither");
}

#[test]
fn secrets_come_from_files_and_the_environment_and_stay_out_of_steps() {
    let sandbox = Sandbox::new(
        "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: echo \"[${{ secrets.ONE }}] [${{ secrets.TWO }}] [$ONE]\"\n",
    );
    sandbox.write(".secrets", "TWO='second value'\n");
    let mut command = sandbox.command(&["run", "--secret", "ONE", "--secret-file", ".secrets"]);
    command.env("ONE", "first value");
    let ran = super::program::finish(sandbox.start(command), "");
    assert!(ran.out.contains("\n[***] [***] []\n"), "{}{}", ran.out, ran.errors);
    let ran = sandbox.run(&["run", "--secret-file", "/dev/stdin"], "ONE=piped\nTWO=too\n");
    assert!(ran.out.contains("\n[***] [***] []\n"), "a pipe is read once: {}{}", ran.out, ran.errors);
    let ran = sandbox.run(&["run", "--secret", "ONE"], "");
    assert_eq!(ran.code, Some(2));
    assert!(ran.errors.contains("the environment has no variable ONE"), "{}", ran.errors);
}

const FAILS: &str = "on: push
jobs:
  a:
    runs-on: x
    steps:
      - {name: Good, run: echo fine}
      - {name: Bad, run: 'echo broken; exit 3'}
      - {name: After, run: echo never}
";

#[test]
fn a_failed_job_is_exit_1_with_its_log() {
    let sandbox = Sandbox::new(FAILS);
    let ran = sandbox.run(&["run"], "");
    assert_eq!(ran.code, Some(1));
    let expected = "● a · 3 steps · .github/workflows/ci.yml
▸ 1 Good
##[group]Run echo fine
echo fine
shell: /usr/bin/bash -e {0}
##[endgroup]
fine
✓ 1 Good                       0.0s
▸ 2 Bad
##[group]Run echo broken; exit 3
echo broken; exit 3
shell: /usr/bin/bash -e {0}
##[endgroup]
broken
##[error]Process completed with exit code 3.
✗ 2 Bad                        0.0s   exit 3
- 3 After                     skipped
● a failed in 0.0s
";
    let found = normal(&ran.out, &sandbox.root());
    assert_eq!(found, expected);
    assert!(ran.errors.contains("`stepback debug --last` stops at the failure"), "{}", ran.errors);
}

#[test]
fn json_is_one_object_to_a_line() {
    let sandbox = Sandbox::new(FAILS);
    let ran = sandbox.run(&["run", "--json"], "");
    assert_eq!((ran.code, ran.errors.as_str()), (Some(1), ""));
    let lines: Vec<serde_json::Value> =
        ran.out.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert!(lines.iter().all(|line| line["schema"] == 1));
    let ended: Vec<(String, String)> = lines
        .iter()
        .filter(|line| line["event"] == "step_ended")
        .map(|line| (line["name"].as_str().unwrap().to_owned(), line["outcome"].as_str().unwrap().to_owned()))
        .collect();
    let pair = |name: &str, outcome: &str| (name.to_owned(), outcome.to_owned());
    assert_eq!(ended, [pair("Good", "success"), pair("Bad", "failure"), pair("After", "skipped")]);
    assert_eq!(
        (&lines.first().unwrap()["event"], &lines.last().unwrap()["event"]),
        (&"job_started".into(), &"run_ended".into())
    );
    assert!(lines.iter().any(|line| line["event"] == "log" && line["line"] == "broken"));
}

#[test]
fn what_is_wrong_is_said_with_its_place_before_anything_runs() {
    let check = |workflow: &str, arguments: &[&str], expected: &str| {
        let ran = Sandbox::new(workflow).run(arguments, "");
        assert_eq!(ran.code, Some(2), "{arguments:?}: {}{}", ran.out, ran.errors);
        assert!(ran.errors.contains(expected), "{arguments:?}: {}", ran.errors);
        assert_eq!(ran.out, "", "nothing may have run");
    };
    check(TWO_JOBS, &["run", "--job", "frist"], "there is no job `frist`\n  hint: did you mean `first`?");
    check(FAILS, &["run", "nope.yml"], "nope.yml: there is no such file");
    check(FAILS, &["run", "--env", "X"], "--env X: expected KEY=VALUE");
    check(FAILS, &["run", "--input", "x=1"], "the event `push` has no inputs");
    check(FAILS, &["run", "--event-path", "none.json"], "none.json: cannot be read");
    check("on: push\njobs: [\n", &["run"], ".github/workflows/ci.yml:");
    check("on: push\njobs:\n  a: {runs-on: x, stepz: []}\n", &["debug"], "ci.yml:3:19");
    let container = "on: push\njobs:\n  a: {runs-on: x, container: alpine, steps: [{run: echo hi}]}\n";
    check(container, &["run"], "ci.yml:3:30: job `a` wants `container:`");
    assert_eq!(Sandbox::new(container).run(&["run", "--host"], "").code, Some(0));
}

#[test]
fn the_configuration_file_says_the_same_as_options() {
    let sandbox = Sandbox::new(TWO_JOBS);
    sandbox.write(".stepback.toml", "json = true\nenv = { GIVEN = 'from file' }\nvar = { COLOUR = 'red' }\n");
    let ran = sandbox.run(&["run", "--var", "COLOUR=green", "--json=false"], "");
    assert!(ran.out.contains("second | from-first from file"), "{}", ran.out);
    assert!(ran.out.contains(" green "), "{}", ran.out);
    sandbox.write(".stepback.toml", "event = 'push'\nevnt = 1\n");
    let ran = sandbox.run(&["run"], "");
    assert_eq!(ran.code, Some(2));
    assert!(ran.errors.contains(".stepback.toml:2:1: unknown field `evnt`"), "{}", ran.errors);
}

#[test]
fn another_system_is_worth_one_warning_and_a_matrix_can_be_narrowed() {
    let sandbox = Sandbox::new(
        "on: push\njobs:\n  a:\n    strategy: {matrix: {n: [1, 2, 3]}}\n    runs-on: windows-latest\n    steps: [{run: 'echo n=${{ matrix.n }}'}]\n",
    );
    let ran = sandbox.run(&["run"], "");
    assert_eq!((ran.code, ran.out.matches("wants another system").count()), (Some(0), 1), "{}", ran.out);
    assert_eq!(ran.out.matches(" | n=").count(), 3, "{}", ran.out);
    let ran = sandbox.run(&["run", "--matrix", "n=2"], "");
    assert!(ran.out.contains("● a (2) succeeded") && !ran.out.contains("● a (1)"), "{}", ran.out);
}

#[test]
fn colours_come_when_asked_for_and_control_sequences_never() {
    let sandbox = Sandbox::new(
        "on: push\njobs:\n  a:\n    runs-on: x\n    steps: [{run: 'printf \"\\033[31mred\\033[0m \\033]0;title\\007\\033[2Jend\\n\"'}]\n",
    );
    assert!(!sandbox.run(&["run"], "").out.contains('\u{1b}'));
    let coloured = sandbox.run(&["--color", "always", "run"], "").out;
    assert!(coloured.contains("\u{1b}[31mred\u{1b}[0m end"), "{coloured:?}");
    assert!(!coloured.contains("\u{1b}]") && !coloured.contains("\u{1b}[2J"), "{coloured:?}");
}

#[test]
fn an_interrupt_cancels_the_job_and_is_exit_130() {
    let sandbox = Sandbox::new(
        "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: echo ready; read -r never < <(tail -f /dev/null)\n      - {if: always(), run: echo cleaned up}\n      - run: echo never\n",
    );
    let mut child = sandbox.start(sandbox.command(&["run"]));
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    while line.trim() != "ready" {
        line.clear();
        assert_ne!(out.read_line(&mut line).expect("text"), 0, "it ended early");
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("a signal");
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("text");
    assert_eq!(child.wait().expect("an end").code(), Some(130), "{rest}");
    assert!(rest.contains("\ncleaned up\n") && !rest.contains("\nnever\n"), "{rest}");
    assert!(rest.contains("● a was cancelled in "), "{rest}");
}

#[test]
fn the_list_shows_jobs_and_their_needs() {
    let sandbox = Sandbox::new(TWO_JOBS);
    let ran = sandbox.run(&["list"], "");
    assert_eq!(
        ran.out,
        ".github/workflows/ci.yml · CI · on push, workflow_dispatch\n  first   1 step  ubuntu-latest\n  second  1 step  ubuntu-latest  needs first\n"
    );
    let ran = sandbox.run(&["check"], "");
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "✓ .github/workflows/ci.yml · 2 jobs\n"));
}

#[test]
fn the_post_part_of_an_inner_action_is_a_step_with_a_heading() {
    let steps = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: actions/checkout@v4\n      - uses: ./outer\n";
    let sandbox = Sandbox::new(steps);
    sandbox.write("outer/action.yml", "runs: {using: composite, steps: [{uses: ./inner}]}\n");
    sandbox.write("inner/action.yml", "runs: {using: node20, main: main.js, post: post.js}\n");
    sandbox.write("inner/main.js", "console.log('main runs');\n");
    sandbox.write("inner/post.js", "console.log('post runs');\n");
    let ran = sandbox.run(&["run"], "");
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.errors);
    let post = ran.out.lines().skip_while(|line| !line.starts_with("▸ 2 Post")).take(3).collect::<Vec<_>>();
    assert_eq!(post, ["▸ 2 Post Run ./inner", "Post job cleanup.", "post runs"], "{}", ran.out);
}

/// Also a failure inside of it that the action's step is forgiven counts for nobody.
#[test]
fn an_action_with_steps_of_its_own_can_run_in_the_background() {
    let sandbox = Sandbox::new(
        "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: actions/checkout@v4\n      - {id: bg, uses: ./outer, background: true, continue-on-error: true}\n      - wait: bg\n      - run: echo \"${{ steps.bg.outputs.word }} ${{ steps.bg.outcome }}\"\n",
    );
    sandbox.write(
        "outer/action.yml",
        "outputs: {word: {value: '${{ steps.s.outputs.word }}'}}\nruns:\n  using: composite\n  steps:\n    - {id: s, run: echo word=said >> \"$GITHUB_OUTPUT\", shell: bash}\n    - {run: exit 3, shell: bash}\n",
    );
    let ran = sandbox.run(&["run"], "");
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.errors);
    assert!(ran.out.contains("\nsaid failure\n"), "{}", ran.out);
}

#[test]
fn a_person_says_how_many_background_steps_run_at_once() {
    let pipe = "\"$PIPES/pipe\"";
    let sandbox = Sandbox::new(&format!(
        "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: 'mkfifo {pipe}'\n      - {{run: 'read go < {pipe}', background: true}}\n      \
         - {{run: echo next, background: true}}\n      - run: 'echo go > {pipe}; rm {pipe}'\n"
    ));
    let pipes = format!("PIPES={}", sandbox.beside().display());
    let states = |options: &[&str]| {
        let arguments = [&["debug", "--env", &pipes], options].concat();
        let ran = sandbox.run(&arguments, "break 4\ncontinue\nsteps\ncontinue\n");
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.errors);
        let of = |step: &str| {
            let mut lines = ran.out.lines().filter(|line| line.contains(step) && line.contains("ci.yml:"));
            lines.any(|line| line.contains("queued in the background"))
        };
        [of(" 2 Run read"), of(" 3 Run echo next")]
    };
    assert_eq!(states(&[]), [false, false]);
    assert_eq!(states(&["--background-slots", "1"]), [false, true]);
    sandbox.write(".stepback.toml", "background-slots = 1\n");
    assert_eq!(states(&[]), [false, true]);
    assert_eq!(states(&["--background-slots=2"]), [false, false]);
    let ran = sandbox.run(&["run", "--background-slots", "0"], "");
    assert_eq!(ran.code, Some(2));
    assert!(ran.errors.contains("invalid value '0' for '--background-slots <NUMBER>'"), "{}", ran.errors);
}
