//! Copies files with their modes, times and links, sharing storage where the file system can.
//!
//! Knows files; not repositories.

use std::collections::BTreeSet;
use std::fs::{self, File, FileTimes, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use indexmap::IndexSet;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps};

use super::{CheckoutError, file_error};

/// Copying is mostly waiting for the system; more threads than this only wait for each other.
const THREADS_MAX: usize = 8;

/// Below this many files for each thread another thread costs more than it brings.
const FILES_PER_THREAD: usize = 64;

/// Copies the files named relative to `from` to the same places below `to`, and makes the folders around them; returns how many
/// files came. One that is gone by now is left out.
pub(super) fn files(from: &Path, to: &Path, files: &IndexSet<PathBuf>) -> Result<usize, CheckoutError> {
    let folders: BTreeSet<&Path> = files
        .iter()
        .flat_map(|file| file.ancestors().skip(1).take_while(|folder| !folder.as_os_str().is_empty()))
        .collect();
    for folder in &folders {
        make_folder(&from.join(folder), &to.join(folder))?;
    }
    let files: Vec<&PathBuf> = files.iter().collect();
    let count = copy_in_parallel(&files, from, to)?;
    // A folder's time changes with each file in it, so the times come last.
    for folder in folders.iter().rev() {
        set_folder_time(&from.join(folder), &to.join(folder))?;
    }
    Ok(count)
}

fn copy_in_parallel(files: &[&PathBuf], from: &Path, to: &Path) -> Result<usize, CheckoutError> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
    let threads = processors.min(files.len() / FILES_PER_THREAD).max(1);
    let copy_all = |files: &[&PathBuf]| -> Result<usize, CheckoutError> {
        let mut count = 0;
        for file in files {
            let source = from.join(file);
            count += usize::from(copy(&source, &to.join(file)).map_err(file_error(&source))?);
        }
        Ok(count)
    };
    if threads == 1 {
        return copy_all(files);
    }
    std::thread::scope(|scope| {
        let workers: Vec<_> = files
            .chunks(files.len().div_ceil(threads))
            .map(|chunk| scope.spawn(move || copy_all(chunk)))
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or(Ok(0))).sum()
    })
}

fn make_folder(from: &Path, to: &Path) -> Result<(), CheckoutError> {
    match fs::create_dir(to) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        other => other.map_err(file_error(to))?,
    }
    // Files still have to go into it, whatever the original allows.
    let mode = fs::metadata(from).map_or(0o755, |metadata| metadata.mode()) & 0o7777 | 0o700;
    fs::set_permissions(to, fs::Permissions::from_mode(mode)).map_err(file_error(to))
}

fn set_folder_time(from: &Path, to: &Path) -> Result<(), CheckoutError> {
    let Ok(metadata) = fs::metadata(from) else { return Ok(()) };
    let folder = File::open(to).map_err(file_error(to))?;
    folder.set_times(times(&metadata)).map_err(file_error(to))
}

fn times(metadata: &Metadata) -> FileTimes {
    metadata.modified().map_or_else(|_| FileTimes::new(), |modified| FileTimes::new().set_modified(modified))
}

/// `false`: it is gone, or a kind of file that no repository holds.
fn copy(from: &Path, to: &Path) -> io::Result<bool> {
    let metadata = match fs::symlink_metadata(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        other => other?,
    };
    let kind = metadata.file_type();
    if kind.is_symlink() {
        std::os::unix::fs::symlink(fs::read_link(from)?, to)?;
        set_link_time(to, &metadata)?;
        return Ok(true);
    }
    if kind.is_dir() && !to.is_dir() {
        fs::create_dir(to)?;
    }
    if !kind.is_file() {
        return Ok(false);
    }
    let mut source = File::open(from)?;
    let mode = metadata.mode() & 0o7777;
    let mut copy = OpenOptions::new().write(true).create_new(true).mode(mode).open(to)?;
    if !share_storage(&source, &copy) {
        io::copy(&mut source, &mut copy)?;
    }
    copy.set_permissions(fs::Permissions::from_mode(mode))?;
    copy.set_times(times(&metadata))?;
    Ok(true)
}

#[cfg(target_os = "linux")]
fn share_storage(from: &File, to: &File) -> bool {
    rustix::fs::ioctl_ficlone(to, from).is_ok()
}

/// `clonefile` makes a file of its own and cannot fill an open one; `io::copy` is used.
#[cfg(not(target_os = "linux"))]
fn share_storage(_from: &File, _to: &File) -> bool {
    false
}

fn set_link_time(link: &Path, metadata: &Metadata) -> io::Result<()> {
    let time = Timespec { tv_sec: metadata.mtime(), tv_nsec: metadata.mtime_nsec() as _ };
    let times = Timestamps { last_access: time, last_modification: time };
    Ok(rustix::fs::utimensat(CWD, link, &times, AtFlags::SYMLINK_NOFOLLOW)?)
}
