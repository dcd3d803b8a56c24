//! The folder of a step with its script and its command files (steps.md 3.1, 5.2).
//!
//! Knows paths and bytes; not what is in them.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use engine::file_command::FileCommands;
use engine::process::{CommandFiles, ProcessSpec};
use engine::step_path::StepPath;

use super::Settings;
use super::folder::StepFolder;
use super::spare::{SpareFolders, Withdrawn, remove};

/// The files of one body.
pub(crate) struct StepFiles {
    /// Where the step finds them.
    path: PathBuf,
    folder: StepFolder,
    /// Its command files are empty, and were never anything but what a step gets.
    are_emptied: bool,
}

/// Makes the step's folder anew, whatever an earlier run of the step left there, with the script and empty command files;
/// returns the script's path.
pub(super) fn prepare(settings: &Settings, spec: &ProcessSpec) -> io::Result<(PathBuf, StepFiles)> {
    let script = settings.temp.join(&spec.script.file);
    let path = settings.temp.join(&spec.command_files.folder);
    let folder = match settings.spare.take(&path, &script) {
        Some(folder) => folder,
        None => make(&settings.spare, &path, &spec.command_files)?,
    };
    if let Some(content) = &spec.script.content {
        folder.write(name(&spec.script.file), content.as_bytes())?;
    }
    Ok((script, StepFiles { path, folder, are_emptied: false }))
}

fn make(spare: &SpareFolders, path: &Path, files: &CommandFiles) -> io::Result<StepFolder> {
    if path.symlink_metadata().is_ok() {
        remove(path)?;
    }
    fs::create_dir_all(path)?;
    let folder = StepFolder::open(path)?;
    for file in files.all() {
        spare.learn(&folder.make(name(file))?);
    }
    Ok(folder)
}

fn name(file: &str) -> &OsStr {
    Path::new(file).file_name().unwrap_or_default()
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

/// What the step wrote. A file that is gone or cannot be read says nothing, as upstream has it. `alone` says that no process is left that
/// the step started: what was read is not needed any more then.
pub(super) fn read(
    files: &mut StepFiles,
    settings: &Settings,
    spec: &ProcessSpec,
    alone: bool,
) -> FileCommands {
    let untouched = settings.spare.untouched().filter(|_| files.folder.is_at(&files.path));
    files.are_emptied = alone;
    let mut content = |file: &str| {
        let taken = untouched.and_then(|untouched| files.folder.take(name(file), untouched, alone));
        files.are_emptied &= taken.is_some();
        taken.or_else(|| read_whatever_is_there(&settings.temp.join(file)))
    };
    let names = &spec.command_files;
    FileCommands {
        env: content(&names.env),
        output: content(&names.output),
        state: content(&names.state),
        path: content(&names.path),
        summary: content(&names.summary),
    }
}

/// The step may have put a link there, or another folder.
fn read_whatever_is_there(path: &Path) -> Option<Vec<u8>> {
    fs::metadata(path).ok().filter(fs::Metadata::is_file).and_then(|_| fs::read(path).ok())
}

/// Takes the step's own files away when its body is over: what was in them is known, and no later step is to see them. What is
/// returned is still to be put away; that may go on beside a later step.
pub(super) fn withdraw(settings: &Settings, files: &StepFiles) -> Option<Withdrawn> {
    let withdrawn = settings.spare.withdraw(&files.path);
    if withdrawn.is_none() {
        // What is gone was removed by the step itself.
        let _ = remove(&files.path);
    }
    withdrawn
}

/// Puts the step's files away for good. They may become those of another step if no process is left that knows them.
pub(super) fn put_away(withdrawn: Withdrawn, files: StepFiles, spec: &ProcessSpec) {
    if !files.are_emptied {
        return withdrawn.remove();
    }
    // The program of an action is none of the step's own files.
    let script = spec.script.content.is_some().then(|| name(&spec.script.file));
    withdrawn.keep(files.folder, spec.command_files.all().len(), script);
}

/// Takes away the files of a step that was ended before its body was over: it leaves no more behind than one that ended.
pub(crate) fn discard(settings: &Settings, step: &StepPath) {
    let _ = remove(&settings.temp.join(CommandFiles::of(step).folder));
}
