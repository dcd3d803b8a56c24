//! `attach`: the terminal as a client of a debugger that listens.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Child;

use super::program::{Ran, Sandbox, finish, normal};
use super::terminal::Terminal;

const WORKFLOW: &str = "on: push
jobs:
  build:
    runs-on: x
    steps:
      - {name: One, id: one, run: 'echo v=1 >> $GITHUB_OUTPUT; echo 1 > file'}
      - {name: Two, run: 'grep -q 2 file'}
      - {name: Three, run: 'echo A=${{ env.A }} $A'}
";

/// A debugger that listens, killed at the end of the test.
struct Listening {
    sandbox: Sandbox,
    child: Child,
    output: BufReader<std::process::ChildStdout>,
    address: String,
    token: Option<String>,
}

impl Listening {
    /// At this address; `SOCKET` is one of the sandbox's own.
    fn start(address: &str) -> Self {
        let sandbox = Sandbox::new(WORKFLOW);
        let folder = sandbox.beside().join("sockets");
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        let address = address.replace("SOCKET", &folder.join("debugger").to_string_lossy());
        let mut child = sandbox.start(sandbox.command(&["debug", &format!("--listen={address}")]));
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = || {
            let mut line = String::new();
            output.read_line(&mut line).unwrap();
            line
        };
        assert!(line().starts_with("● build · 3 steps"));
        let waiting = line();
        let address = waiting.trim().strip_prefix("waiting for a debugger at ").unwrap().to_owned();
        let [terminal, code, neovim] = [line(), line(), line()];
        assert!(terminal.contains(&format!("stepback attach {address}")), "{terminal}");
        assert!(code.contains("\"request\": \"attach\"") && neovim.contains("stepback"), "{code}{neovim}");
        let token =
            address.contains("127.0.0.1").then(|| line().split_whitespace().nth(1).unwrap().to_owned());
        Self { sandbox, child, output, address, token }
    }

    fn attach(&self, token: Option<&str>, script: &str) -> Ran {
        let mut command = self.sandbox.command(&["attach", &self.address]);
        command.env_remove("STEPBACK_TOKEN");
        command.envs(token.map(|token| ("STEPBACK_TOKEN", token)));
        let ran = finish(self.sandbox.start(command), script);
        Ran { out: normal(&ran.out, &self.sandbox.root()), ..ran }
    }

    /// Waits for its end; the exit code and what else it said.
    fn ended(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_person_may_go_and_come_back_and_finds_the_job_as_it_was() {
    let debugger = Listening::start("SOCKET");
    let first = debugger.attach(None, "continue\nback\n! echo 2 > file; echo done\nquit\n");
    let expected = "  before 1 One                         ci.yml:6
(build 1) continue
✓ 1 One                        0.0s   +1 file, outputs.v=1
✗ 2 Two                        0.0s   exit 1
  stopped on failure · `log` all of it · `back` to before this step · `!` a shell here · `why`, `env`, `print`
(build 2 ✗) back
↩ before 2 Two   `return` to undo that
(build 2 ↩) ! echo 2 > file; echo done
done
  ✎ changed file
(build 2 ✎) quit
  the job stands as it stood; `stepback attach` comes back to it
";
    assert_eq!((first.out.as_str(), first.code), (expected, Some(0)));
    let second = debugger.attach(None, "print steps.one.outputs.v\n! cat file\ncontinue\nquit\n");
    assert!(second.out.contains("print steps.one.outputs.v\n1\n"), "{}", second.out);
    assert!(second.out.contains("! cat file\n2\n"), "{}", second.out);
    assert!(second.out.contains("✓ 3 Three") && second.out.contains("● build succeeded"), "{}", second.out);
}

#[test]
fn a_port_wants_the_token() {
    let debugger = Listening::start("127.0.0.1:0");
    let none = debugger.attach(None, "");
    assert_eq!(none.code, Some(2));
    assert!(
        none.errors.contains("a port wants the token") && none.errors.contains("hint"),
        "{}",
        none.errors
    );
    let wrong = debugger.attach(Some("0123"), "");
    assert_eq!((wrong.code, wrong.out.as_str()), (Some(2), ""));
    assert!(wrong.errors.contains("not admitted"), "{}", wrong.errors);
    let token = debugger.token.clone().unwrap();
    let right = debugger.attach(Some(&token), "next\ncancel\nquit\n");
    assert!(right.out.contains("before 2 Two") && right.out.contains("was cancelled"), "{}", right.out);
}

#[test]
fn nobody_at_the_address_is_said_with_a_hint() {
    let sandbox = Sandbox::new(WORKFLOW);
    let ran = sandbox.run(&["attach", "./nobody"], "");
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.errors.contains("nobody listens at ./nobody") && ran.errors.contains("--listen"),
        "{}",
        ran.errors
    );
}

#[test]
fn an_interrupt_ends_a_debugger_that_listens() {
    let debugger = Listening::start("SOCKET");
    let ran = debugger.attach(None, "catch off\ncontinue\nquit\n");
    assert!(ran.out.contains("● build failed"), "{}", ran.out);
    // It was left standing at its end, where the next client would find it.
    interrupt(debugger.child.id());
    assert_eq!(debugger.ended().0, Some(1));
}

/// As a person's Ctrl-C does.
fn interrupt(pid: u32) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
}

#[test]
fn a_terminal_is_as_it_was_when_the_debugger_goes_while_somebody_is_asked() {
    let mut debugger = Listening::start("SOCKET");
    let mut terminal = Terminal::start(&debugger.sandbox, &["attach", &debugger.address]);
    terminal.at("(build 1) ");
    terminal.write("tim");
    assert!(!terminal.is_ordinary(), "the editor shows what is typed");
    debugger.child.kill().unwrap();
    terminal.end();
    assert!(terminal.is_ordinary());
}
