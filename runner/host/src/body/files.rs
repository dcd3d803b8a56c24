//! The script file and the command files of a step (steps.md 3.1, 5.2).
//!
//! Knows paths and bytes; not what is in them.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use engine::file_command::FileCommands;
use engine::process::{CommandFiles, ProcessSpec};

/// Writes the script and empties the command files, whatever an earlier run of the step left there; returns the script's path.
pub(super) fn prepare(temp: &Path, spec: &ProcessSpec) -> io::Result<PathBuf> {
    let script = temp.join(&spec.script.file);
    create(&script)?.write_all(spec.script.content.as_bytes())?;
    for file in spec.command_files.all() {
        create(&temp.join(file))?;
    }
    Ok(script)
}

/// The folder is there nearly always: it is only made when it is missing.
fn create(path: &Path) -> io::Result<File> {
    let open = || OpenOptions::new().write(true).create(true).truncate(true).open(path);
    match open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            open()
        }
        other => other,
    }
}

/// The variables that name the command files.
pub(super) fn variables(temp: &Path, files: &CommandFiles) -> [(&'static str, OsString); 5] {
    let at = |file: &str| temp.join(file).into_os_string();
    [
        ("GITHUB_ENV", at(&files.env)),
        ("GITHUB_OUTPUT", at(&files.output)),
        ("GITHUB_PATH", at(&files.path)),
        ("GITHUB_STATE", at(&files.state)),
        ("GITHUB_STEP_SUMMARY", at(&files.summary)),
    ]
}

/// Removes the step's own files when its body is over: what was in them is known, and a checkpoint should not have to look
/// at those of every earlier step.
pub(super) fn remove(temp: &Path, spec: &ProcessSpec) {
    for file in spec.command_files.all().into_iter().chain([spec.script.file.as_str()]) {
        // One that is gone was removed by the step itself.
        let _ = fs::remove_file(temp.join(file));
    }
}

/// What the step wrote. A file that is gone or cannot be read says nothing, as upstream has it.
pub(super) fn read(temp: &Path, files: &CommandFiles) -> FileCommands {
    let content = |file: &str| {
        let path = temp.join(file);
        match fs::metadata(&path) {
            Ok(found) if found.is_file() && found.len() == 0 => Some(Vec::new()),
            Ok(found) if found.is_file() => fs::read(&path).ok(),
            _ => None,
        }
    };
    FileCommands {
        env: content(&files.env),
        output: content(&files.output),
        state: content(&files.state),
        path: content(&files.path),
        summary: content(&files.summary),
    }
}
