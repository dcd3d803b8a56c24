//! The folder of a step with its script and its command files (steps.md 3.1, 5.2).
//!
//! Knows paths and bytes; not what is in them.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use engine::file_command::FileCommands;
use engine::process::{CommandFiles, ProcessSpec};
use engine::step_path::StepPath;

use super::Settings;
use super::spare::{Withdrawn, remove};

/// Makes the step's folder anew, whatever an earlier run of the step left there, with the script and empty command files;
/// returns the script's path.
pub(super) fn prepare(settings: &Settings, spec: &ProcessSpec) -> io::Result<PathBuf> {
    let script = settings.temp.join(&spec.script.file);
    let folder = settings.temp.join(&spec.command_files.folder);
    if !settings.spare.take(&folder, &script) {
        if folder.symlink_metadata().is_ok() {
            remove(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        for file in spec.command_files.all() {
            settings.spare.learn(&create(&settings.temp.join(file))?);
        }
    }
    if let Some(content) = &spec.script.content {
        create(&script)?.write_all(content.as_bytes())?;
    }
    Ok(script)
}

/// Not truncated: the file is empty, and ext4 writes a file to the disk when it is closed after it was truncated.
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).open(path)
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

/// Takes the step's own files away when its body is over: what was in them is known, and no later step is to see them. What is
/// returned is still to be put away; that may go on beside a later step.
pub(super) fn withdraw(settings: &Settings, spec: &ProcessSpec) -> Option<Withdrawn> {
    let folder = settings.temp.join(&spec.command_files.folder);
    let withdrawn = settings.spare.withdraw(&folder);
    if withdrawn.is_none() {
        // What is gone was removed by the step itself.
        let _ = remove(&folder);
    }
    withdrawn
}

/// Puts the step's files away for good. `alone` says that no process is left that the step started; only then they may
/// become those of another step.
pub(super) fn put_away(withdrawn: Withdrawn, spec: &ProcessSpec, alone: bool) {
    if !alone {
        return withdrawn.remove();
    }
    // The program of an action is none of the step's own files.
    let script = spec.script.content.is_some().then_some(&spec.script.file);
    let files = spec.command_files.all().into_iter().chain(script.map(|file| file.as_ref()));
    let names: Vec<&OsStr> = files.filter_map(|file| Path::new(file).file_name()).collect();
    withdrawn.keep(&names, Path::new(&*spec.script.file).file_name().unwrap_or_default());
}

/// Takes away the files of a step that was ended before its body was over: it leaves no more behind than one that ended.
pub(crate) fn discard(settings: &Settings, step: &StepPath) {
    let _ = remove(&settings.temp.join(CommandFiles::of(step).folder));
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
