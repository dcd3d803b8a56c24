//! The built-in `actions/checkout`: fills the workspace from the repository at hand, as CI would from GitHub.
//!
//! Without a reference the working tree comes as it is, ignored files left out, so that what a person has not committed yet is
//! tried too. `.git` is a clone that borrows the original's objects (`git clone --shared`): history is there at once, nothing is
//! copied, and nothing that a step does can change the original.
//!
//! Knows repositories and files; not steps, logs or snapshots. The original is only read.

mod copy;
mod git;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use engine::process::CheckoutSpec;
use indexmap::IndexSet;

use git::Git;

/// Where the files come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// A folder of the repository, or of plain files.
    pub folder: PathBuf,
    /// `owner/name` as GitHub knows it, if it is known.
    pub name: Option<String>,
    /// The workspace is the folder itself: there is nothing to fill.
    pub in_place: bool,
}

/// Why the workspace could not be filled.
#[derive(Debug, thiserror::Error)]
pub enum CheckoutError {
    /// Another repository was asked for.
    #[error(
        "failed to check out {wanted}: only the repository at hand{} can be checked out here\n\
         hint: clone {wanted} beside it and put its files in place with a `run` step, or skip this step",
        .local.as_ref().map(|name| format!(" ({name})")).unwrap_or_default()
    )]
    OtherRepository {
        /// What `with.repository` says.
        wanted: String,
        /// The local one's name.
        local: Option<String>,
    },
    /// There is no such commit, branch or tag.
    #[error(
        "failed to check out {reference}: {folder} has no such commit, branch or tag\n\
         hint: fetch it first (`git fetch origin {reference}`), or leave `ref` out to take the working tree as it is"
    )]
    NoReference {
        /// What `with.ref` says.
        reference: String,
        /// The repository.
        folder: PathBuf,
    },
    /// A reference was asked for where there is no repository.
    #[error(
        "failed to check out {reference}: {folder} is no git repository\nhint: leave `ref` out to take its files as they are"
    )]
    NoRepository {
        /// What `with.ref` says.
        reference: String,
        /// The folder.
        folder: PathBuf,
    },
    /// `with.path` leads out of the workspace.
    #[error("failed to check out into {0}: it is not under the workspace")]
    OutsideWorkspace(String),
    /// git said no.
    #[error("failed to run git {command}: {message}")]
    Git {
        /// The subcommand.
        command: String,
        /// Its last words.
        message: String,
    },
    /// A file could not be read or written.
    #[error("failed to copy {path}: {source}")]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Fills the workspace (or `with.path` below it); what was there is deleted, as upstream does. `note` takes lines for the log.
/// Blocks while git runs and files are copied.
///
/// # Errors
/// See [`CheckoutError`].
pub fn checkout(
    origin: &Origin,
    workspace: &Path,
    spec: &CheckoutSpec,
    note: &mut dyn FnMut(&str),
) -> Result<(), CheckoutError> {
    let is_local =
        |wanted: &String| origin.name.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(wanted));
    if let Some(wanted) = spec.repository.as_ref().filter(|wanted| !wanted.is_empty() && !is_local(wanted)) {
        return Err(CheckoutError::OtherRepository { wanted: wanted.clone(), local: origin.name.clone() });
    }
    if origin.in_place {
        note("The workspace is the repository itself: nothing is checked out");
        return Ok(());
    }
    let target = target(workspace, spec.path.as_deref())?;
    let git = repository(&origin.folder);
    empty(&target)?;
    match (git, spec.reference.as_deref().filter(|reference| !reference.is_empty())) {
        (Some(git), Some(reference)) => commit(&git, reference, &target, note),
        (Some(git), None) => working_tree(&git, &target, note),
        (None, None) => plain_folder(&origin.folder, &target, note),
        (None, Some(reference)) => Err(CheckoutError::NoRepository {
            reference: reference.to_owned(),
            folder: origin.folder.clone(),
        }),
    }
}

/// What a checkout of the working tree would bring: the folder that it takes files from, and their paths below it.
///
/// # Errors
/// See [`CheckoutError`].
pub fn listed(origin: &Origin) -> Result<(PathBuf, IndexSet<PathBuf>), CheckoutError> {
    let mut files = IndexSet::new();
    match repository(&origin.folder) {
        Some(git) => list(&git, Path::new(""), &mut files).map(|()| (git.top().to_path_buf(), files)),
        None => walk(&origin.folder, Path::new(""), &mut files).map(|()| (origin.folder.clone(), files)),
    }
}

/// Copies these files from `folder` into the workspace, as a checkout does; returns how many came.
///
/// # Errors
/// See [`CheckoutError`].
pub fn bring(folder: &Path, workspace: &Path, files: &IndexSet<PathBuf>) -> Result<usize, CheckoutError> {
    copy::files(folder, workspace, files)
}

/// The repository whose top this folder is. A project that lies inside a larger repository is plain files: checking out the
/// larger one would put its workflows and files in the wrong places.
fn repository(folder: &Path) -> Option<Git> {
    let folder = folder.canonicalize().ok()?;
    Git::of(&folder).filter(|git| git.top() == folder)
}

fn target(workspace: &Path, path: Option<&str>) -> Result<PathBuf, CheckoutError> {
    let path = Path::new(path.unwrap_or_default());
    let outside = |part: std::path::Component<'_>| {
        !matches!(part, std::path::Component::Normal(_) | std::path::Component::CurDir)
    };
    let relative = path.strip_prefix(workspace).unwrap_or(path);
    if relative.components().any(outside) {
        return Err(CheckoutError::OutsideWorkspace(path.display().to_string()));
    }
    Ok(workspace.join(relative))
}

fn file_error(path: &Path) -> impl FnOnce(io::Error) -> CheckoutError {
    let path = path.to_path_buf();
    move |source| CheckoutError::File { path, source }
}

fn empty(folder: &Path) -> Result<(), CheckoutError> {
    fs::create_dir_all(folder).map_err(file_error(folder))?;
    for entry in fs::read_dir(folder).map_err(file_error(folder))? {
        let entry = entry.map_err(file_error(folder))?;
        let path = entry.path();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }
            .map_err(file_error(&path))?;
    }
    Ok(())
}

fn working_tree(git: &Git, target: &Path, note: &mut dyn FnMut(&str)) -> Result<(), CheckoutError> {
    git.clone_into(target)?;
    git.copy_index(target)?;
    let mut files = IndexSet::new();
    list(git, Path::new(""), &mut files)?;
    let count = copy::files(git.top(), target, &files)?;
    note(&format!("Copied the working tree of {} ({count} files)", git.top().display()));
    Ok(())
}

/// Tracked and new files. An entry that is a folder is a repository inside this one (a submodule or not): its files come too.
fn list(git: &Git, below: &Path, files: &mut IndexSet<PathBuf>) -> Result<(), CheckoutError> {
    for file in git.files()? {
        let path = below.join(&file);
        let full = git.top().join(&file);
        if fs::symlink_metadata(&full).is_ok_and(|metadata| metadata.is_dir()) {
            files.insert(path.clone());
            if let Some(inner) = Git::of(&full).filter(|inner| inner.top() != git.top()) {
                list(&inner, &path, files)?;
            }
        } else {
            files.insert(path);
        }
    }
    Ok(())
}

fn commit(
    git: &Git,
    reference: &str,
    target: &Path,
    note: &mut dyn FnMut(&str),
) -> Result<(), CheckoutError> {
    let missing =
        || CheckoutError::NoReference { reference: reference.to_owned(), folder: git.top().to_path_buf() };
    let place = git.resolve(reference).ok_or_else(missing)?;
    git.clone_into(target)?;
    git::check_out(target, &place)?;
    note(&format!("Checked out {reference} ({})", place.commit));
    Ok(())
}

fn plain_folder(folder: &Path, target: &Path, note: &mut dyn FnMut(&str)) -> Result<(), CheckoutError> {
    let mut files = IndexSet::new();
    walk(folder, Path::new(""), &mut files)?;
    // A workspace that lies inside the folder is not copied into itself.
    let inside = target.strip_prefix(folder).map(Path::to_path_buf).ok();
    files.retain(|file| inside.as_ref().is_none_or(|inside| !file.starts_with(inside)));
    let count = copy::files(folder, target, &files)?;
    note(&format!("Copied {} ({count} files); it is no git repository", folder.display()));
    Ok(())
}

fn walk(top: &Path, below: &Path, files: &mut IndexSet<PathBuf>) -> Result<(), CheckoutError> {
    let folder = top.join(below);
    let mut entries: Vec<fs::DirEntry> =
        fs::read_dir(&folder).and_then(Iterator::collect::<io::Result<_>>).map_err(file_error(&folder))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries.iter().filter(|entry| entry.file_name() != ".git") {
        let path = below.join(entry.file_name());
        files.insert(path.clone());
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(top, &path, files)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
