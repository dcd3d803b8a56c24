//! The guide and the README tell the truth: every `console` block in them is run, and prints what it says.
//!
//! A block runs in a copy of one of `docs/examples`. Lines that begin with `$ ` are commands, lines that begin with a prompt of the
//! debugger are its input. With `STEPBACK_BLESS=1` the blocks are written anew instead of being compared.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::program::{Sandbox, finish, normal, program};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_path_buf()
}

fn check(file: &str, example: &str) {
    let path = workspace().join(file);
    let text = fs::read_to_string(&path).expect("the page");
    let mut page = String::new();
    let mut rest = text.as_str();
    let mut blocks = 0;
    while let Some((before, block)) = rest.split_once("```console\n") {
        let (block, after) = block.split_once("```").expect("the block ends");
        page.push_str(&format!("{before}```console\n{}```", run(block, example)));
        rest = after;
        blocks += 1;
    }
    page.push_str(rest);
    assert!(blocks > 0, "{file} has no example");
    if std::env::var_os("STEPBACK_BLESS").is_some() {
        fs::write(&path, page).expect("the page is written");
    } else {
        assert_eq!(text, page, "{file}: STEPBACK_BLESS=1 writes what is printed now");
    }
}

/// The example of the README and of most pages.
const GREETING: &str = "greeting";
/// The one with background steps, an action and a reusable workflow.
const DELIVERY: &str = "delivery";

/// A repository of its own, with the workflow of the README.
pub fn example() -> Sandbox {
    copy_of(GREETING)
}

fn copy_of(example: &str) -> Sandbox {
    Sandbox::copy(&workspace().join("docs/examples").join(example))
}

/// The first block of `file`: a command, and the session that follows.
pub fn first_session_of(file: &str) -> String {
    let text = fs::read_to_string(workspace().join(file)).expect("the page");
    let (_, block) = text.split_once("```console\n").expect("a block");
    block.split_once("```").expect("the block ends").0.to_owned()
}

/// A prompt of the debugger and what is typed behind it, if a line is that.
pub fn typed(line: &str) -> Option<(&str, &str)> {
    let end = line.starts_with('(').then(|| line.find(") "))?? + 2;
    Some(line.split_at(end))
}

/// The block as it really comes out.
fn run(block: &str, example: &str) -> String {
    let sandbox = copy_of(example);
    let mut out = String::new();
    let mut lines = block.lines().peekable();
    while let Some(line) = lines.next() {
        let command = line.strip_prefix("$ ").unwrap_or_else(|| panic!("a command is expected: {line}"));
        let mut input = String::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
            input.extend(typed(line).map(|(_, typed)| format!("{typed}\n")));
        }
        out.push_str(&format!("{line}\n{}", print(&sandbox, command, &input)));
    }
    out
}

fn print(sandbox: &Sandbox, command: &str, input: &str) -> String {
    let mut shell = Command::new("sh");
    let path = std::env::var("PATH").unwrap_or_default();
    let folder = program().parent().expect("a folder").to_path_buf();
    shell
        .args(["-c", command])
        .current_dir(sandbox.root())
        .env("PATH", format!("{}:{path}", folder.display()));
    sandbox.isolate(&mut shell);
    let ran = finish(sandbox.start(shell), input);
    assert!(!ran.errors.contains("panicked"), "{}", ran.errors);
    normal(&ran.out, &sandbox.root())
}

#[test]
fn the_readme() {
    check("README.md", GREETING);
}

#[test]
fn a_first_session() {
    check("docs/guide/first-session.md", GREETING);
}

#[test]
fn commands() {
    check("docs/guide/commands.md", GREETING);
}

#[test]
fn going_back() {
    check("docs/guide/going-back.md", GREETING);
}

#[test]
fn actions() {
    check("docs/guide/actions.md", DELIVERY);
}

#[test]
fn background_steps() {
    check("docs/guide/background-steps.md", DELIVERY);
}

#[test]
fn reusable_workflows() {
    check("docs/guide/reusable-workflows.md", DELIVERY);
}

#[test]
fn every_command_of_the_debugger_is_in_the_guide() {
    let text = fs::read_to_string(workspace().join("docs/guide/commands.md")).expect("the page");
    for entry in session::command::ENTRIES {
        assert!(text.contains(&format!("`{}`", entry.name)), "{} is not explained", entry.name);
    }
}
