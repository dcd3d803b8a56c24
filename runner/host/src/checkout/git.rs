//! The few git commands that checkout needs, run so that they never write to the original.
//!
//! Knows git's command line; not steps, and not what is done with the files.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::{CheckoutError, file_error};

/// A repository with files.
#[derive(Debug)]
pub(super) struct Git {
    top: PathBuf,
}

/// What a reference stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) commit: String,
    /// The branch to be on; a tag or a commit is checked out without one.
    branch: Option<String>,
}

impl Git {
    /// The repository around this folder; `None` when there is none (or no git).
    pub(super) fn of(folder: &Path) -> Option<Self> {
        let top = text(folder, ["rev-parse", "--show-toplevel"]).ok().filter(|top| !top.is_empty())?;
        Some(Self { top: PathBuf::from(top) })
    }

    pub(super) fn top(&self) -> &Path {
        &self.top
    }

    /// Tracked files and new ones that are not ignored, relative to the top. Some may have been deleted since.
    pub(super) fn files(&self) -> Result<Vec<PathBuf>, CheckoutError> {
        let output = run(&self.top, ["ls-files", "-z", "-co", "--exclude-standard"])?;
        let names = output.stdout.split(|byte| *byte == 0).filter(|name| !name.is_empty());
        Ok(names.map(|name| PathBuf::from(OsString::from_vec(name.to_vec()))).collect())
    }

    /// A `.git` in `target` that shares this repository's objects and has its real origin.
    pub(super) fn clone_into(&self, target: &Path) -> Result<(), CheckoutError> {
        let clone = ["clone", "--quiet", "--shared", "--no-checkout", "--"].map(OsStr::new);
        run(target, clone.into_iter().chain([self.top.as_os_str(), OsStr::new(".")]))?;
        match text(&self.top, ["config", "--get", "remote.origin.url"]) {
            Ok(url) => run(target, ["remote", "set-url", "origin", &url]),
            Err(_) => run(target, ["remote", "remove", "origin"]),
        }?;
        Ok(())
    }

    /// Takes what is staged over. Copies keep size and time of their files; told to compare nothing else, git need not read
    /// them all to see that they are unchanged.
    pub(super) fn copy_index(&self, target: &Path) -> Result<(), CheckoutError> {
        let index = self.top.join(text(&self.top, ["rev-parse", "--git-path", "index"])?);
        let folder = target.join(".git");
        let names = fs::read_dir(index.parent().unwrap_or(&self.top)).map_err(file_error(&index))?;
        for entry in names.filter_map(Result::ok) {
            let name = entry.file_name();
            if name == "index" || name.as_encoded_bytes().starts_with(b"sharedindex.") {
                fs::copy(entry.path(), folder.join(&name)).map_err(file_error(&entry.path()))?;
            }
        }
        run(target, ["config", "core.checkStat", "minimal"])?;
        run(target, ["config", "core.trustctime", "false"])?;
        Ok(())
    }

    /// What `with.ref` stands for: a branch, a tag, a commit or a full reference.
    pub(super) fn resolve(&self, reference: &str) -> Option<Place> {
        if reference.starts_with('-') {
            return None;
        }
        let commit = |name: &str| {
            let name = format!("{name}^{{commit}}");
            text(&self.top, ["rev-parse", "--verify", "--quiet", "--end-of-options", &name]).ok()
        };
        let branch = reference.strip_prefix("refs/heads/").unwrap_or(reference);
        if let Some(found) = commit(&format!("refs/heads/{branch}")) {
            return Some(Place { commit: found, branch: Some(branch.to_owned()) });
        }
        let others =
            [format!("refs/tags/{reference}"), format!("refs/remotes/origin/{branch}"), reference.to_owned()];
        let found = others.iter().find_map(|name| commit(name).map(|commit| (name, commit)));
        let on_branch = |name: &str| name.starts_with("refs/remotes/").then(|| branch.to_owned());
        found.map(|(name, commit)| Place { commit, branch: on_branch(name) })
    }
}

/// Puts the files of a commit into a clone. Hooks of the person's own configuration do not run.
pub(super) fn check_out(clone: &Path, place: &Place) -> Result<(), CheckoutError> {
    let mut arguments = vec!["-c", "core.hooksPath=/dev/null", "checkout", "--quiet", "--force"];
    match &place.branch {
        Some(branch) => arguments.extend(["-B", branch, &place.commit]),
        None => arguments.extend(["--detach", &place.commit]),
    }
    run(clone, arguments).map(|_| ())
}

fn text<'a>(folder: &Path, arguments: impl IntoIterator<Item = &'a str>) -> Result<String, CheckoutError> {
    let output = run(folder, arguments)?;
    Ok(String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned())
}

fn run<I: AsRef<OsStr>>(
    folder: &Path,
    arguments: impl IntoIterator<Item = I>,
) -> Result<Output, CheckoutError> {
    let arguments: Vec<OsString> = arguments.into_iter().map(|text| text.as_ref().to_owned()).collect();
    let mut git = Command::new("git");
    // Inside a git hook variables name another repository; and reading must not refresh the original's index.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"GIT_")) {
        git.env_remove(name);
    }
    git.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
    git.current_dir(folder).args(&arguments).stdin(Stdio::null());
    let command = || arguments.first().map(|first| first.to_string_lossy().into_owned()).unwrap_or_default();
    let failure = |message: String| CheckoutError::Git { command: command(), message };
    let output = git.output().map_err(|error| failure(error.to_string()))?;
    if output.status.success() {
        return Ok(output);
    }
    Err(failure(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}
