//! macOS: the file-system calls that snapshots are made of. `linux.rs` has the same signatures.
//!
//! There is no `openat2` here: directories are opened one component after another, each without following a
//! link. Knows nothing of snapshots, only of files.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{AtFlags, Dir, Mode, OFlags};

use super::beneath;
use super::listing::Listing;
use super::stat::{Stat, Time};

/// Opens an absolute directory; a symbolic link anywhere in it is an error.
pub(super) fn open_root(path: &Path) -> io::Result<OwnedFd> {
    beneath::open_absolute(path.as_os_str().as_bytes())
}

/// Opens the directory `path` (relative, empty for `root` itself) beneath `root`, through no symbolic link.
pub(super) fn open_dir(root: BorrowedFd<'_>, path: &[u8]) -> io::Result<OwnedFd> {
    beneath::open_steps(root, path)
}

/// Reads the names in a directory, in the order the file system has them, without `.` and `..`.
pub(super) fn list(dir: BorrowedFd<'_>, listing: &mut Listing) -> io::Result<()> {
    listing.clear();
    for entry in Dir::read_from(dir)? {
        listing.push(entry?.file_name());
    }
    Ok(())
}

/// The state of `name` in `dir`, of a link itself where it is one.
pub(super) fn stat_at(dir: BorrowedFd<'_>, name: &CStr) -> io::Result<Stat> {
    Ok(from_raw(&rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?))
}

/// The state of an open file.
pub(super) fn stat_fd(fd: BorrowedFd<'_>) -> io::Result<Stat> {
    Ok(from_raw(&rustix::fs::fstat(fd)?))
}

fn from_raw(raw: &rustix::fs::Stat) -> Stat {
    let time = |secs, nanos: i64| Time { secs, nanos: u32::try_from(nanos).unwrap_or(0) };
    Stat {
        dev: raw.st_dev as u64,
        ino: raw.st_ino,
        size: u64::try_from(raw.st_size).unwrap_or(0),
        mtime: time(raw.st_mtime, raw.st_mtime_nsec),
        ctime: time(raw.st_ctime, raw.st_ctime_nsec),
        btime: time(raw.st_birthtime, raw.st_birthtime_nsec),
        mode: u32::from(raw.st_mode),
        nlink: u32::from(raw.st_nlink),
        uid: raw.st_uid,
        gid: raw.st_gid,
        rdev: raw.st_rdev as u64,
    }
}

/// Sets the permission bits of `name` in `dir`, never of what a link points at.
pub(super) fn set_mode(dir: BorrowedFd<'_>, name: &CStr, mode: u32) -> io::Result<()> {
    let bits = Mode::from_bits_truncate((mode & 0o7777) as rustix::fs::RawMode);
    Ok(rustix::fs::chmodat(dir, name, bits, AtFlags::SYMLINK_NOFOLLOW)?)
}

/// Sets or removes (`None`) one extended attribute of `name` in `dir`, never of what a link points at.
pub(super) fn set_xattr(
    dir: BorrowedFd<'_>,
    name: &CStr,
    key: &[u8],
    value: Option<&[u8]>,
) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::openat(dir, name, flags, Mode::empty())?;
    match value {
        Some(value) => rustix::fs::fsetxattr(file.as_fd(), key, value, rustix::fs::XattrFlags::empty())?,
        None => rustix::fs::fremovexattr(file.as_fd(), key)?,
    }
    Ok(())
}

/// Renames without ever replacing something that has the new name.
pub(super) fn rename_new(
    from: BorrowedFd<'_>,
    name: &CStr,
    to: BorrowedFd<'_>,
    new: &CStr,
) -> io::Result<()> {
    beneath::rename_if_free(from, name, to, new)
}

/// Makes a named pipe; the system has no call that does so beneath an open directory.
pub(super) fn make_fifo(_dir: BorrowedFd<'_>, _name: &CStr) -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

/// Whether a snapshot keeps this extended attribute: all but what the system gives by itself.
pub(super) fn keeps_xattr(key: &[u8]) -> bool {
    !key.starts_with(b"com.apple.system.") && key != b"com.apple.provenance" && key != b"com.apple.quarantine"
}

/// How coarse the change times of the file system are: APFS has nanoseconds but promises nothing for two changes
/// within one tick.
pub(super) fn time_grain(_dir: BorrowedFd<'_>) -> Duration {
    Duration::from_millis(20)
}
