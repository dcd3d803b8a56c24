//! Installs the clients, once, and makes repositories whose workflows use them.
//!
//! Knows npm; not what the clients do.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cli::program::{Ran, Sandbox, program};
use crate::cli::terminal::Terminal;

/// What names the folder with the actions.
const NAME: &str = "toolkit/actions@v1";

/// A repository, and the actions beside it.
pub struct Toolkit {
    pub sandbox: Sandbox,
    option: String,
}

impl Toolkit {
    /// With this workflow. `None`, and the reason printed, where the clients cannot be installed; not where CI needs them.
    pub fn with(workflow: &str) -> Option<Toolkit> {
        let modules = match installed() {
            Ok(modules) => modules,
            Err(reason) => {
                assert!(!wanted_by_ci(), "{reason}");
                println!("skipped: {reason}");
                return None;
            }
        };
        let sandbox = Sandbox::new(workflow);
        let beside = sandbox.beside().join("toolkit");
        // Modules are looked for in the folders around a program, so they lie beside the actions.
        crate::cli::program::copy(&sources().join("actions"), &beside.join("actions"));
        std::os::unix::fs::symlink(modules, beside.join("node_modules")).unwrap();
        let option = format!("{NAME}={}", beside.join("actions").display());
        Some(Toolkit { sandbox, option })
    }

    /// Runs the program to its end.
    pub fn start(&self, command: &str, arguments: &[&str], input: &str) -> Ran {
        self.sandbox.run(&[&[command, "--action", &self.option], arguments].concat(), input)
    }

    /// The program at work in a terminal.
    pub fn terminal(&self, command: &str) -> Terminal<'_> {
        Terminal::start(&self.sandbox, &[command, "--action", &self.option])
    }

    /// `run` of all jobs, which is to end well.
    pub fn run(&self) -> Ran {
        let ran = self.start("run", &[], "");
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.errors);
        ran
    }
}

fn wanted_by_ci() -> bool {
    std::env::var("CI").as_deref() == Ok("true")
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("actions-toolkit")
}

/// The folder with the modules. Several tests may ask at once: one installs, the others wait.
fn installed() -> Result<PathBuf, String> {
    let folder = program().ancestors().nth(2).unwrap().join("actions-toolkit");
    fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let (modules, mark) = (folder.join("node_modules"), folder.join("installed.json"));
    let wanted = fs::read(sources().join("package-lock.json")).unwrap();
    if fs::read(&mark).is_ok_and(|installed| installed == wanted) && modules.is_dir() {
        return Ok(modules);
    }
    for file in ["package.json", "package-lock.json", ".npmrc"] {
        fs::copy(sources().join(file), folder.join(file)).unwrap();
    }
    // Without a network each test would wait long to learn that there is none; CI has one, and may be unlucky.
    let retries = if wanted_by_ci() { "2" } else { "0" };
    let npm = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--fetch-retries", retries])
        .current_dir(&folder)
        .output();
    let output = npm.map_err(|error| format!("npm cannot be started: {error}"))?;
    if !output.status.success() {
        return Err(format!("npm ci failed: {}", String::from_utf8_lossy(&output.stderr)));
    }
    fs::write(mark, wanted).unwrap();
    Ok(modules)
}
