//! Sessions of a person who types at a terminal.

use std::fs;
use std::fs::{File, OpenOptions};
use std::io::Write as _;

use super::guide;
use super::program::Sandbox;
use super::terminal::{CTRL_C, Terminal, UP};

const WORKFLOW: &str = "on: push
jobs:
  build:
    runs-on: x
    steps:
      - {name: One, id: one, run: 'echo value=1 >> $GITHUB_OUTPUT; echo 1 > file'}
      - {name: Two, run: 'grep -q 2 file'}
      - {name: Three, run: 'echo done'}
";

/// Two steps that wait until they are let go.
const WAITS: &str = "on: push
jobs:
  build:
    runs-on: x
    steps:
      - {name: One, run: 'echo first waits; read -r word < GATE; echo \"first got $word\"'}
      - {name: Two, run: 'echo second waits; read -r word < GATE; echo \"second got $word\"'}
      - {name: Three, run: 'echo over; exit 3'}
";

/// What the steps of [`WAITS`] wait for.
struct Gate(File);

impl Gate {
    /// A repository with `workflow`, and the gate in it.
    fn of(workflow: &str) -> (Sandbox, Self) {
        let sandbox = Sandbox::new("");
        let path = sandbox.beside().join("gate");
        sandbox.write(".github/workflows/ci.yml", &workflow.replace("GATE", &path.to_string_lossy()));
        let kind = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, &path, kind, rustix::fs::Mode::RWXU, 0).unwrap();
        // Both ends are ours, so that neither side waits for the other to open its own.
        (sandbox, Self(OpenOptions::new().read(true).write(true).open(path).unwrap()))
    }

    fn let_one_go(&mut self) {
        self.0.write_all(b"go\n").unwrap();
    }
}

#[test]
fn the_session_of_the_readme_is_the_same_on_a_terminal() {
    let block = guide::first_session_of("README.md");
    let (command, session) = block.split_once('\n').unwrap();
    let sandbox = guide::example();
    let mut terminal = Terminal::start(&sandbox, &command.split(' ').skip(2).collect::<Vec<_>>());
    for (prompt, typed) in session.lines().filter_map(guide::typed) {
        terminal.command(prompt, typed);
    }
    assert_eq!(terminal.end(), Some(0), "{}", terminal.text());
    assert_eq!(terminal.text(), session);
}

#[test]
fn the_tabulator_completes_and_lists() {
    let sandbox = Sandbox::new(WORKFLOW);
    let mut terminal = Terminal::start(&sandbox, &["debug"]);
    terminal.command("(build 1) ", "next");
    terminal.at("(build 2) ");
    terminal.write("outp");
    terminal.press("\t");
    terminal.at("(build 2) outputs");
    terminal.enter();
    terminal.sees("steps.one.outputs.value  1\n");
    terminal.at("(build 2) ");
    terminal.write("steps.o");
    terminal.press("\t");
    terminal.at("(build 2) steps.one");
    terminal.write(".");
    terminal.press("\t\t");
    terminal.sees("outcome");
    terminal.at("(build 2) steps.one.");
    terminal.write("conc");
    terminal.press("\t");
    terminal.at("(build 2) steps.one.conclusion");
    terminal.enter();
    terminal.sees("steps.one.conclusion\nsuccess\n");
    terminal.command("(build 2) ", "quit");
    assert_eq!(terminal.end(), Some(130), "{}", terminal.text());
}

#[test]
fn lines_that_are_typed_ahead_are_all_taken() {
    let sandbox = Sandbox::new(WORKFLOW);
    let mut terminal = Terminal::start(&sandbox, &["debug"]);
    terminal.at("(build 1) ");
    terminal.press("next\rprint 'of ' && job.status\rback\rquit\r");
    assert_eq!(terminal.end(), Some(130), "{}", terminal.text());
    let text = terminal.text();
    for part in ["✓ 1 One", "\nsuccess\n", "↩ the start: before 1 One"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn an_interrupt_at_the_prompt_throws_the_line_away() {
    let sandbox = Sandbox::new(WORKFLOW);
    let mut terminal = Terminal::start(&sandbox, &["debug"]);
    terminal.at("(build 1) ");
    terminal.write("continue and more");
    terminal.press(CTRL_C);
    terminal.at("(build 1) ");
    terminal.command("(build 1) ", "next");
    terminal.command("(build 2) ", "quit");
    assert_eq!(terminal.end(), Some(130), "{}", terminal.text());
    assert!(!terminal.text().contains("✗"), "{}", terminal.text());
}

#[test]
fn lines_of_this_session_and_of_the_last_one_come_back() {
    let sandbox = Sandbox::new(WORKFLOW);
    let mut terminal = Terminal::start(&sandbox, &["debug"]);
    terminal.command("(build 1) ", "print 1 == 1");
    terminal.command("(build 1) ", "set env.TOKEN=hunter2");
    terminal.at("(build 1 ✎) ");
    terminal.press(UP);
    terminal.at("(build 1 ✎) print 1 == 1");
    terminal.enter();
    terminal.command("(build 1 ✎) ", "quit");
    terminal.end();
    let mut terminal = Terminal::start(&sandbox, &["debug"]);
    terminal.at("(build 1) ");
    terminal.press(UP);
    terminal.at("(build 1) quit");
    terminal.press(UP);
    terminal.at("(build 1) print 1 == 1");
    terminal.press(CTRL_C);
    terminal.command("(build 1) ", "quit");
    terminal.end();
    let kept = fs::read_to_string(sandbox.beside().join("state/stepback/history")).unwrap();
    assert!(!kept.contains("hunter2"), "{kept}");
}

#[test]
fn an_interrupt_pauses_the_job_and_a_second_one_freezes_its_step() {
    let (sandbox, mut gate) = Gate::of(WAITS);
    let mut terminal = Terminal::start(&sandbox, &["debug", "--verbose"]);
    terminal.command("(build 1) ", "continue");
    terminal.sees("first waits\n");
    terminal.press(CTRL_C);
    terminal.sees("Ctrl-C again freezes it now\n");
    gate.let_one_go();
    terminal.sees("first got go\n");
    terminal.command("(build 1) ", "continue");
    terminal.sees("second waits\n");
    terminal.press(CTRL_C);
    terminal.sees_times("Ctrl-C again freezes it now\n", 2);
    terminal.press(CTRL_C);
    terminal.command("(build 2) ", "back");
    terminal.command("(build 2 ↩) ", "return");
    terminal.command("(build 2) ", "next");
    gate.let_one_go();
    terminal.sees("second got go\n");
    terminal.command("(build 3) ", "quit");
    assert_eq!(terminal.end(), Some(130), "{}", terminal.text());
}

#[test]
fn a_red_run_offers_the_debugger_at_its_failure() {
    let sandbox = Sandbox::new(WORKFLOW);
    let mut terminal = Terminal::start(&sandbox, &["run"]);
    let question = "open the debugger at the failure of build? [y/N] ";
    terminal.at(question);
    terminal.write("y");
    terminal.enter();
    terminal.command("(build 2 ✗) ", "back");
    terminal.command("(build 2 ↩) ", "! echo 2 > file");
    terminal.command("(build 2 ✎) ", "continue");
    terminal.command("(build end) ", "quit");
    assert_eq!(terminal.end(), Some(0), "{}", terminal.text());
    assert!(terminal.text().contains("✓ 3 Three"), "{}", terminal.text());
}

#[test]
fn nobody_is_kept_who_does_not_want_the_debugger() {
    let sandbox = Sandbox::new(WORKFLOW);
    let question = "open the debugger at the failure of build? [y/N] ";
    for answer in ["\r", "n\r", CTRL_C, "\u{4}"] {
        let mut terminal = Terminal::start(&sandbox, &["run"]);
        terminal.at(question);
        terminal.press(answer);
        assert_eq!(terminal.end(), Some(1), "{answer:?}: {}", terminal.text());
    }
}

#[test]
fn an_interrupt_in_the_debugger_of_a_red_run_pauses_and_does_not_cancel() {
    let (sandbox, mut gate) = Gate::of(&WAITS.replace("run: 'echo first", "run: 'test -e fixed; echo first"));
    let mut terminal = Terminal::start(&sandbox, &["run", "--verbose"]);
    terminal.at("open the debugger at the failure of build? [y/N] ");
    terminal.write("y");
    terminal.enter();
    terminal.command("(build 1 ✗) ", "back");
    terminal.command("(build 1 ↩) ", "! touch fixed");
    terminal.command("(build 1 ✎) ", "continue");
    terminal.sees("first waits\n");
    terminal.press(CTRL_C);
    terminal.sees("Ctrl-C again freezes it now\n");
    gate.let_one_go();
    terminal.command("(build 1) ", "continue");
    gate.let_one_go();
    terminal.command("(build 3 ✗) ", "continue");
    terminal.command("(build end) ", "quit");
    assert_eq!(terminal.end(), Some(1), "{}", terminal.text());
    assert!(!terminal.text().contains("cancel"), "{}", terminal.text());
}

#[test]
fn a_combination_of_a_matrix_is_asked_for() {
    let sandbox = Sandbox::new(
        "on: push\njobs:\n  build:\n    strategy: {matrix: {n: [1, 2], m: [x]}}\n    runs-on: x\n    steps: [{run: 'true'}]\n",
    );
    let mut terminal = Terminal::start(&sandbox, &["debug"]);
    terminal.at("which one? [1] ");
    assert!(terminal.text().contains("combinations:\n  1 n=1, m=x\n  2 n=2, m=x\n"), "{}", terminal.text());
    terminal.write("2");
    terminal.enter();
    terminal.command("(build (2, x) 1) ", "strategy.job-index");
    terminal.sees("strategy.job-index\n1\n");
    terminal.command("(build (2, x) 1) ", "quit");
    assert_eq!(terminal.end(), Some(130), "{}", terminal.text());
}

/// Its foreground stands before the last step while the background step comes to the inner action.
const BINDS: &str = "on: push
jobs:
  build:
    runs-on: x
    steps:
      - uses: actions/checkout@v4
      - {uses: ./outer, background: true}
      - {name: Last, run: 'echo last'}
";

#[test]
fn a_breakpoint_that_comes_into_force_is_told_above_the_line_that_is_typed() {
    let (sandbox, mut gate) = Gate::of(BINDS);
    let wait = format!("read -r word < {}", sandbox.beside().join("gate").display());
    let manifest = |steps: &str| format!("runs:\n  using: composite\n  steps:\n{steps}");
    let outer = format!("    - {{run: '{wait}', shell: bash}}\n    - uses: ./inner\n");
    sandbox.write("outer/action.yml", &manifest(&outer));
    sandbox.write("inner/action.yml", &manifest("    - run: echo inner\n      shell: bash\n"));
    let mut terminal = Terminal::start(&sandbox, &["debug"]);
    terminal.command("(build 1) ", "break inner/action.yml:5 if 1 == 2");
    terminal.command("(build 1) ", "break 3");
    terminal.command("(build 1) ", "continue");
    terminal.at("(build 3) ");
    terminal.write("print 'half a li");
    gate.let_one_go();
    terminal.sees("\nbreakpoint 1 is in force: inner/action.yml:4\n");
    terminal.at("(build 3) print 'half a li");
    terminal.write("ne'");
    terminal.enter();
    terminal.sees("\nhalf a line\n");
    terminal.command("(build 3) ", "continue");
    terminal.command("(build end) ", "quit");
    assert_eq!(terminal.end(), Some(0), "{}", terminal.text());
}
