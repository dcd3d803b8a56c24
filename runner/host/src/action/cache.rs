//! The folder in which actions of other repositories are kept, laid out as GitHub's runner lays out `_actions` (steps.md 4.1):
//! `<owner>/<repo>/<ref>`, with a file `<ref>.completed` beside it.
//!
//! What is downloaded lies under its commit, and the file of a branch or tag says which commit that is: a tag that moves takes
//! nothing from a recording that was made with what it meant before. Knows folders and files, not where they come from.

use std::ffi::CString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use engine::action::RepositoryReference;
use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::snapshot::{remove_all, rename_new};

/// What stands beside a folder that is complete.
const WATERMARK: &str = "completed";
/// Begins the names of folders that are being filled; no owner on GitHub is called so.
const STAGING: &str = "_temp_";
/// How often a name for such a folder may be lost to another process that cleans up.
const STAGING_TRIES: usize = 16;

/// The files of a repository at one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checkout {
    pub(super) folder: PathBuf,
    pub(super) commit: Option<String>,
}

/// The folder of all actions. Any number of processes may use it at once.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    folder: PathBuf,
}

impl Cache {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What is here for a reference.
    pub(super) fn find(&self, wanted: &RepositoryReference<'_>) -> Option<Checkout> {
        let folder = self.place(wanted)?;
        // Without its mark the folder was left half-way.
        let commit = marked(&folder)?;
        let downloaded = commit.as_ref().and_then(|commit| self.at(wanted, commit));
        downloaded.or_else(|| folder.is_dir().then_some(Checkout { folder, commit }))
    }

    /// What is here of a repository at a commit, whatever it was asked for by.
    pub(super) fn at(&self, wanted: &RepositoryReference<'_>, commit: &str) -> Option<Checkout> {
        let folder = self.place(&RepositoryReference { reference: commit, ..*wanted })?;
        marked(&folder)?;
        folder.is_dir().then(|| Checkout { folder, commit: Some(commit.to_owned()) })
    }

    /// The folder for a reference; `None` for one that would lead elsewhere.
    pub(super) fn place(&self, wanted: &RepositoryReference<'_>) -> Option<PathBuf> {
        let leads_elsewhere =
            |part: &str| part.is_empty() || part == "." || part == ".." || part.contains(['\\', '\0']);
        let parts = wanted.repository.split('/').chain(wanted.reference.split('/'));
        if parts.clone().any(leads_elsewhere) || wanted.repository.starts_with(STAGING) {
            return None;
        }
        // A branch below a name that is a commit would be a folder among that commit's files.
        let below_commit = wanted.reference.split_once('/').is_some_and(|(first, _)| is_commit(first));
        (!below_commit).then(|| parts.fold(self.folder.clone(), |folder, part| folder.join(part)))
    }

    /// An empty folder that nobody else uses, to be filled. What killed processes left of theirs is removed.
    pub(super) fn stage(&self) -> io::Result<Staging> {
        fs::create_dir_all(&self.folder)?;
        let above = OwnedFd::from(File::open(&self.folder)?);
        self.sweep(&above);
        for _ in 0..STAGING_TRIES {
            let name = CString::new(format!("{STAGING}{:016x}", fastrand::u64(..)))?;
            rustix::fs::mkdirat(
                &above,
                &name,
                Mode::RWXU | Mode::RGRP | Mode::XGRP | Mode::ROTH | Mode::XOTH,
            )?;
            if let Some(folder) = held(&above, &name) {
                return Ok(Staging { above, name, folder, placed: false });
            }
        }
        Err(Errno::AGAIN.into())
    }

    /// Removes what nobody holds any more.
    fn sweep(&self, above: &OwnedFd) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        let names = entries.filter_map(|entry| Some(entry.ok()?.file_name()));
        for name in names.filter(|name| name.as_bytes().starts_with(STAGING.as_bytes())) {
            let Ok(name) = CString::new(name.as_bytes()) else { continue };
            if let Some(_held) = held(above, &name) {
                // Whatever cannot be removed now is tried again by the next download.
                let _ = remove_all(above.as_fd(), &name);
            }
        }
    }

    /// Puts a folder that was filled to where it is looked for from now on. If somebody else was faster, theirs stays.
    pub(super) fn keep(
        &self,
        wanted: &RepositoryReference<'_>,
        commit: &str,
        checksum: &str,
        mut staging: Staging,
    ) -> io::Result<Checkout> {
        let here = RepositoryReference { reference: commit, ..*wanted };
        let folder = self.place(&here).ok_or(Errno::INVAL)?;
        let above = OwnedFd::from(File::open(made_parent(&folder)?)?);
        let name = CString::new(commit)?;
        // Between moving and marking nobody may take the folder for one that was left half-way. Not every file system has locks.
        let _ = rustix::fs::flock(&above, FlockOperation::LockExclusive);
        let mut moved = rename_new(staging.above.as_fd(), &staging.name, above.as_fd(), &name);
        if moved.is_err() && folder.is_dir() && marked(&folder).is_none() {
            let aside = self.stage()?;
            rustix::fs::renameat(&above, &name, &aside.folder, c"unmarked")?;
            moved = rename_new(staging.above.as_fd(), &staging.name, above.as_fd(), &name);
        }
        match moved {
            Ok(()) => staging.placed = true,
            Err(_) if marked(&folder).is_some() => {}
            Err(error) => return Err(error),
        }
        self.mark(&folder, &format!("{commit}\nsha256:{checksum}\n"))?;
        Ok(Checkout { folder, commit: Some(commit.to_owned()) })
    }

    /// From now on the reference means this commit.
    pub(super) fn point(&self, wanted: &RepositoryReference<'_>, commit: &str) -> io::Result<()> {
        match self.place(wanted) {
            Some(folder) if wanted.reference != commit => self.mark(&folder, &format!("{commit}\n")),
            _ => Ok(()),
        }
    }

    /// Writes the file beside `folder`: it is there whole, or not at all.
    fn mark(&self, folder: &Path, text: &str) -> io::Result<()> {
        let staging = self.stage()?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::ROTH;
        let file = rustix::fs::openat(&staging.folder, c"mark", flags, mode)?;
        File::from(file).write_all(text.as_bytes())?;
        made_parent(folder)?;
        Ok(rustix::fs::renameat(&staging.folder, c"mark", rustix::fs::CWD, watermark(folder))?)
    }
}

/// A folder that is being filled; removed with all in it unless it was kept.
pub(super) struct Staging {
    above: OwnedFd,
    name: CString,
    folder: OwnedFd,
    placed: bool,
}

impl Staging {
    /// The folder, opened once more.
    pub(super) fn open(&self) -> io::Result<OwnedFd> {
        Ok(rustix::io::fcntl_dupfd_cloexec(&self.folder, 0)?)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.placed {
            // The next download tries again.
            let _ = remove_all(self.above.as_fd(), &self.name);
        }
    }
}

/// Opens `name` and locks it, unless somebody else has it or it has just been removed. The lock goes with the descriptor.
fn held(above: &OwnedFd, name: &CString) -> Option<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::openat(above, name, flags, Mode::empty()).ok()?;
    rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive).ok()?;
    let (own, named) =
        (rustix::fs::fstat(&folder), rustix::fs::statat(above, name, AtFlags::SYMLINK_NOFOLLOW));
    let same = matches!((own, named), (Ok(own), Ok(named)) if own.st_ino == named.st_ino);
    same.then_some(folder)
}

/// Whether `text` is a whole commit id, by SHA-1 or SHA-256.
pub(super) fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// `None`: there is no mark. The commit is its first line, where that is one; GitHub's runner writes the time.
fn marked(folder: &Path) -> Option<Option<String>> {
    let text = fs::read_to_string(watermark(folder)).ok()?;
    let first = text.lines().next().unwrap_or_default().trim();
    let is_commit = first.len() >= 7 && first.bytes().all(|byte| byte.is_ascii_hexdigit());
    Some(is_commit.then(|| first.to_owned()))
}

fn watermark(folder: &Path) -> PathBuf {
    let mut name = folder.as_os_str().to_owned();
    name.push(".");
    name.push(WATERMARK);
    PathBuf::from(name)
}

fn made_parent(path: &Path) -> io::Result<&Path> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent)?;
    Ok(parent)
}
