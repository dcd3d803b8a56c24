//! A person at a real terminal: the program in a pseudo-terminal, what is typed, and what is to be seen.
//!
//! Nothing is typed before the program has said that it reads, and nothing waits for a time to pass: a wait ends when the
//! screen shows what is awaited, or fails the test with all that it shows instead.

mod screen;

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use super::program::{Sandbox, normal, program};
use screen::Screen;

const COLUMNS: u16 = 100;
const ROWS: u16 = 30;
/// How long the screen may take to show what is awaited before the test gives up on it.
const WITHIN: Duration = Duration::from_secs(60);

/// Ctrl-C, as the key sends it.
pub const CTRL_C: &str = "\u{3}";
/// The key for the line before this one in the history.
pub const UP: &str = "\u{1b}[A";

/// The program at work in a terminal, and the one who sits there.
pub struct Terminal<'a> {
    sandbox: &'a Sandbox,
    child: Child,
    keyboard: File,
    screen: Screen,
}

impl<'a> Terminal<'a> {
    pub fn start(sandbox: &'a Sandbox, arguments: &[&str]) -> Self {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let name = ptsname(&controller, Vec::new()).unwrap();
        let terminal = open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
        let size = Winsize { ws_row: ROWS, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&terminal, size).unwrap();
        let child = start_in(sandbox, arguments, &terminal);
        Self { sandbox, child, keyboard: File::from(controller), screen: Screen::new(COLUMNS.into()) }
    }

    /// Waits until the cursor stands behind `text` in a row that has nothing else: the program reads now.
    #[track_caller]
    pub fn at(&mut self, text: &str) {
        self.wait(text, |screen| screen.before_cursor() == text);
    }

    /// Waits until `part` is to be seen.
    #[track_caller]
    pub fn sees(&mut self, part: &str) {
        self.sees_times(part, 1);
    }

    /// Waits until `part` is to be seen so many times.
    #[track_caller]
    pub fn sees_times(&mut self, part: &str, times: usize) {
        self.wait(part, |screen| screen.text().matches(part).count() == times);
    }

    /// Presses keys that show nothing by themselves.
    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Types `text`, and waits until it stands behind what stood there.
    #[track_caller]
    pub fn write(&mut self, text: &str) {
        let expected = self.screen.before_cursor() + text;
        self.press(text);
        self.at(&expected);
    }

    /// Ends the line, and waits until the program has taken it.
    #[track_caller]
    pub fn enter(&mut self) {
        let row = self.screen.row();
        self.press("\r");
        self.wait("the next row", |screen| screen.row() > row);
    }

    /// Types a whole line behind this prompt.
    #[track_caller]
    pub fn command(&mut self, prompt: &str, line: &str) {
        self.at(prompt);
        self.write(line);
        self.enter();
    }

    /// Whether the terminal itself shows what is typed and gives whole lines to its reader, as a shell leaves it.
    pub fn is_ordinary(&self) -> bool {
        let modes = tcgetattr(&self.keyboard).unwrap().local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO)
    }

    /// All that was to be seen, without what differs from run to run.
    pub fn text(&self) -> String {
        normal(&self.screen.text(), &self.sandbox.root())
    }

    /// Waits for the end of the program; its exit code.
    #[track_caller]
    pub fn end(&mut self) -> Option<i32> {
        let deadline = Instant::now() + WITHIN;
        while self.read(deadline) {}
        assert!(Instant::now() < deadline, "the program does not end:\n{}", self.screen.text());
        self.child.wait().unwrap().code()
    }

    #[track_caller]
    fn wait(&mut self, what: &str, done: impl Fn(&Screen) -> bool) {
        let deadline = Instant::now() + WITHIN;
        while !done(&self.screen) {
            assert!(self.read(deadline), "{what:?} does not appear:\n{}", self.screen.text());
        }
    }

    /// Takes in what the program writes next; false if nothing more came.
    fn read(&mut self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).unwrap();
        let mut ready = [PollFd::new(&self.keyboard, PollFlags::IN)];
        if poll(&mut ready, Some(&left)).unwrap() == 0 {
            return false;
        }
        let mut bytes = [0; 4096];
        // Once nobody has the terminal open any longer, reading from it fails.
        let Ok(count @ 1..) = self.keyboard.read(&mut bytes) else { return false };
        self.screen.write(&bytes[..count]);
        true
    }
}

/// Starts the program in a session that has `terminal` as its own, so that Ctrl-C reaches it as a signal.
fn start_in(sandbox: &Sandbox, arguments: &[&str], terminal: &OwnedFd) -> Child {
    let stream = || Stdio::from(terminal.try_clone().unwrap());
    let mut command = Command::new("setsid");
    command.arg("--ctty").arg(program()).args(arguments).current_dir(sandbox.root());
    sandbox.isolate(&mut command);
    command.env("TERM", "xterm-256color");
    command.stdin(stream()).stdout(stream()).stderr(stream());
    command.spawn().unwrap()
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        for pid in self.sandbox.processes().into_iter().filter_map(Pid::from_raw) {
            // It may have ended by itself.
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}
