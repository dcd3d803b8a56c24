//! What the machine itself costs: `bash` with a script file, as cheaply started as the system allows.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::measure::through_a_pipe;

/// The shell as a step with `shell: bash` has it.
pub fn bash(script: &Path) -> Command {
    let mut command = Command::new("/bin/bash");
    command.args(["--noprofile", "--norc", "-eo", "pipefail"]).arg(script);
    command
}

/// `count` times a fresh script with `true` in it and four command files, one after the other.
pub fn trues(count: usize) -> impl FnMut() -> Option<u64> {
    let dir = tempfile::tempdir().unwrap();
    move || {
        for _ in 0..count {
            let script = dir.path().join("step.sh");
            fs::write(&script, "true\n").unwrap();
            for file in 0..4 {
                fs::write(dir.path().join(file.to_string()), "").unwrap();
            }
            run(&script);
        }
        None
    }
}

/// Every script once, one after the other.
pub fn scripts(scripts: Vec<String>, env: Vec<(String, String)>) -> impl FnMut() -> Option<u64> {
    let dir = tempfile::tempdir().unwrap();
    move || {
        for script in &scripts {
            let path = dir.path().join("step.sh");
            fs::write(&path, script).unwrap();
            through_a_pipe(bash(&path).envs(env.iter().map(|(name, value)| (name, value))));
        }
        None
    }
}

fn run(script: &Path) {
    let output = bash(script).output().unwrap();
    assert!(output.status.success());
}
