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
    /// The script, if it is one of them: the program of an action is none of the step's own files.
    script: Option<OsString>,
    /// The command files are empty, and were never anything but what a step gets.
    are_emptied: bool,
}

/// How many command files there are.
const COMMAND_FILES: usize = 5;

/// Makes the step's folder anew, whatever an earlier run of the step left there, with the script and empty command files;
/// returns the script's path. `before` are the files of a body that is over: they become these if they can.
pub(super) fn prepare(
    settings: &Settings,
    spec: &ProcessSpec,
    before: Option<Box<StepFiles>>,
) -> io::Result<(PathBuf, StepFiles)> {
    let script = settings.temp.join(&spec.script.file);
    let path = settings.temp.join(&spec.command_files.folder);
    let content = spec.script.content.as_ref().map(|content| (name(&spec.script.file), content.as_bytes()));
    let files = match before.and_then(|before| before.hand_on(&settings.spare, &path, content).transpose()) {
        Some(files) => files,
        None => begin(&settings.spare, &path, &spec.command_files, content),
    };
    match files {
        Ok(files) => Ok((script, files)),
        Err(error) => {
            // Half of a step's files is nothing to leave lying about.
            let _ = remove(&path);
            Err(error)
        }
    }
}

fn begin(
    spare: &SpareFolders,
    path: &Path,
    files: &CommandFiles,
    script: Option<(&OsStr, &[u8])>,
) -> io::Result<StepFiles> {
    let own_script = script.map(|(name, _)| name);
    let folder = match spare.take(path, own_script) {
        Some(folder) => folder,
        None => make(spare, path, files)?,
    };
    if let Some((name, content)) = script {
        folder.overwrite(name, 0, content)?;
    }
    Ok(StepFiles {
        path: path.to_owned(),
        folder,
        script: own_script.map(OsStr::to_owned),
        are_emptied: false,
    })
}

impl StepFiles {
    /// Makes them those of another body, with another script. `None`: they cannot be, and are put away.
    fn hand_on(
        mut self: Box<Self>,
        spare: &SpareFolders,
        to: &Path,
        script: Option<(&OsStr, &[u8])>,
    ) -> io::Result<Option<StepFiles>> {
        let Some(length) = self.script_length(spare) else {
            self.put_away(spare);
            return Ok(None);
        };
        if fs::rename(&self.path, to).is_err() {
            self.put_away(spare);
            return Ok(None);
        }
        self.path = to.to_owned();
        self.are_emptied = false;
        let before = self.script.take();
        self.script = script.map(|(name, _)| name.to_owned());
        if let Some(other) = before.as_ref().filter(|before| self.script.as_ref() != Some(before)) {
            self.folder.remove(other)?;
        }
        if let Some((name, content)) = script {
            self.folder.overwrite(name, length, content)?;
        }
        Ok(Some(*self))
    }

    /// How long the script is; `None` unless all is as a step gets it.
    fn script_length(&mut self, spare: &SpareFolders) -> Option<usize> {
        let untouched = spare.untouched().filter(|_| self.are_emptied)?;
        let is_all = self.folder.count()? == COMMAND_FILES + usize::from(self.script.is_some());
        let length = |script: &OsString| self.folder.length(script, untouched);
        self.script.as_ref().map_or(Some(0), length).filter(|_| is_all)
    }

    /// Takes the files away: what was in them is known, and no later step is to see them. What is returned is still to be put away; that
    /// may go on beside a later step.
    pub(super) fn withdraw(self: Box<Self>, spare: &SpareFolders) -> Option<(Withdrawn, Box<Self>)> {
        let withdrawn = spare.withdraw(&self.path);
        if withdrawn.is_none() {
            // What is gone was removed by the step itself.
            let _ = remove(&self.path);
        }
        withdrawn.map(|withdrawn| (withdrawn, self))
    }

    /// Takes the files away and puts them away for good.
    pub(crate) fn put_away(self: Box<Self>, spare: &SpareFolders) {
        if let Some((withdrawn, files)) = self.withdraw(spare) {
            withdrawn.put_away(*files);
        }
    }
}

impl Withdrawn {
    /// Puts the files away for good. They may become those of another step if no process is left that knows them.
    pub(super) fn put_away(self, files: StepFiles) {
        match files.are_emptied {
            true => self.keep(files.folder, COMMAND_FILES, files.script.as_deref()),
            false => self.remove(),
        }
    }
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

/// Takes away the files of a step that was ended before its body was over: it leaves no more behind than one that ended.
pub(crate) fn discard(settings: &Settings, step: &StepPath) {
    let _ = remove(&settings.temp.join(CommandFiles::of(step).folder));
}
