//! Runs the built program in folders of its own.
//!
//! Knows where cargo puts it and how to keep it away from the machine's own state; not what it prints.

use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A folder with a workflow, and folders for what the program keeps.
pub struct Sandbox {
    folder: tempfile::TempDir,
}

/// What a run of the program gave.
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub errors: String,
}

impl Sandbox {
    /// With `workflow` as its only one.
    pub fn new(workflow: &str) -> Sandbox {
        let sandbox = Sandbox::empty();
        sandbox.write(".github/workflows/ci.yml", workflow);
        sandbox
    }

    /// A copy of `from`.
    pub fn copy(from: &Path) -> Sandbox {
        let sandbox = Sandbox::empty();
        copy(from, &sandbox.root());
        sandbox
    }

    fn empty() -> Sandbox {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("greeting")).expect("a folder");
        Sandbox { folder }
    }

    /// The repository.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("greeting")
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(path, text).expect("a file");
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(arguments).current_dir(self.root());
        self.isolate(&mut command);
        command
    }

    /// Nothing of the machine's own settings gets in.
    pub fn isolate(&self, command: &mut Command) {
        let own = [
            "NO_COLOR",
            "CLICOLOR",
            "CLICOLOR_FORCE",
            "GITHUB_TOKEN",
            "GH_TOKEN",
            "GITHUB_ACTIONS",
            "GITHUB_API_URL",
        ];
        let proxies = [
            "HTTP_PROXY",
            "http_proxy",
            "HTTPS_PROXY",
            "https_proxy",
            "ALL_PROXY",
            "all_proxy",
            "NO_PROXY",
            "no_proxy",
        ];
        for name in own.into_iter().chain(proxies) {
            command.env_remove(name);
        }
        command.env("HOME", self.folder.path().join("home"));
        command.env("XDG_STATE_HOME", self.folder.path().join("state"));
        command.env("XDG_CACHE_HOME", self.folder.path().join("cache"));
        command.env("GIT_CEILING_DIRECTORIES", self.folder.path());
    }

    /// What lies beside the repository: the folders of the program, and what a test puts there.
    pub fn beside(&self) -> &Path {
        self.folder.path()
    }

    /// The processes that were started by the program, or by what it started: all have its environment.
    pub fn processes(&self) -> Vec<i32> {
        let mark = self.folder.path().as_os_str().as_bytes();
        let pids = fs::read_dir("/proc").expect("the processes").filter_map(|entry| {
            let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
            environment.windows(mark.len()).any(|part| part == mark).then_some(pid)
        });
        pids.collect()
    }

    /// Runs it to its end, with `input` in its pipe.
    pub fn run(&self, arguments: &[&str], input: &str) -> Ran {
        finish(self.start(self.command(arguments)), input)
    }

    pub fn start(&self, mut command: Command) -> Child {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts")
    }
}

pub fn finish(mut child: Child, input: &str) -> Ran {
    match child.stdin.take().expect("a pipe").write_all(input.as_bytes()) {
        // A program that refuses is over before it has read anything.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
        written => written.expect("it reads"),
    }
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code(), out: text(&output.stdout), errors: text(&output.stderr) }
}

/// Beside the folder of this test's own program.
pub fn program() -> PathBuf {
    let own = std::env::current_exe().expect("our own path");
    let folder = own.ancestors().nth(2).expect("the target folder");
    let program = folder.join(format!("stepback{}", std::env::consts::EXE_SUFFIX));
    assert!(program.is_file(), "{} is not there: cargo build -p stepback", program.display());
    program
}

/// A folder with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// Durations, the sandbox's own path and the shell's, which differ from run to run and from machine to machine, in one form.
pub fn normal(text: &str, root: &Path) -> String {
    let text = text
        .replace(&*root.to_string_lossy(), "/home/me/greeting")
        .replace("shell: /bin/bash", "shell: /usr/bin/bash")
        .replace("has stood frozen for 1 s", "has stood frozen for 0 s");
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(at);
        let (number, after) =
            from.split_at(from.len() - from.trim_start_matches(|c: char| c.is_ascii_digit()).len());
        let tenths =
            after.strip_prefix('.').and_then(|after| after.strip_prefix(|c: char| c.is_ascii_digit()));
        let seconds = tenths.and_then(|after| after.strip_prefix('s'));
        out.push_str(before);
        out.push_str(if seconds.is_some() { "0.0s" } else { number });
        rest = seconds.unwrap_or(after);
    }
    out + rest
}
