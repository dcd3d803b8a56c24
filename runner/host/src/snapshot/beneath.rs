//! Name resolution without `openat2`, one component at a time, for macOS, old kernels, sandboxes that forbid the
//! call, and paths longer than the kernel takes at once; and the calls that are alike on all systems.
//!
//! Knows nothing of snapshots.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Mode, OFlags, SeekFrom, Timespec, Timestamps};
use rustix::io::Errno;

use super::listing::Listing;
use super::manifest::Xattr;
use super::os;
use super::stat::Time;

const STEP: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Opens an absolute directory, no component of which may be a symbolic link.
pub(super) fn open_absolute(path: &[u8]) -> io::Result<OwnedFd> {
    let top = rustix::fs::openat(rustix::fs::CWD, c"/", STEP, Mode::empty())?;
    open_steps(top.as_fd(), path)
}

/// Opens `path` beneath `root`; `..` is refused.
pub(super) fn open_steps(root: BorrowedFd<'_>, path: &[u8]) -> io::Result<OwnedFd> {
    let mut dir = rustix::fs::openat(root, c".", STEP, Mode::empty())?;
    for name in path.split(|byte| *byte == b'/').filter(|name| !name.is_empty() && *name != b".") {
        if name == b".." {
            return Err(Errno::XDEV.into());
        }
        dir = rustix::fs::openat(dir, name, STEP, Mode::empty())?;
    }
    Ok(dir)
}

/// Renames after looking whether the new name is free: for systems without the atomic call.
pub(super) fn rename_if_free(
    from: BorrowedFd<'_>,
    name: &CStr,
    to: BorrowedFd<'_>,
    new: &CStr,
) -> io::Result<()> {
    match os::stat_at(to, new) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Ok(rustix::fs::renameat(from, name, to, new)?)
        }
        Ok(_) => Err(Errno::EXIST.into()),
        Err(error) => Err(error),
    }
}

/// Opens a regular file for reading; never blocks on a pipe, never follows a link.
pub(super) fn open_read(dir: BorrowedFd<'_>, name: &CStr) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(dir, name, flags, Mode::empty())?)
}

/// Opens an existing file for writing in place.
pub(super) fn open_write(dir: BorrowedFd<'_>, name: &CStr) -> io::Result<OwnedFd> {
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(dir, name, flags, Mode::empty())?)
}

/// Creates a file that was not there, readable and writable by the owner only.
pub(super) fn create_file(dir: BorrowedFd<'_>, name: &CStr) -> io::Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(dir, name, flags, Mode::RUSR | Mode::WUSR)?)
}

/// Opens the directory `name` in `dir`.
pub(super) fn open_child_dir(dir: BorrowedFd<'_>, name: &CStr) -> io::Result<OwnedFd> {
    Ok(rustix::fs::openat(dir, name, STEP, Mode::empty())?)
}

/// Sets the modification time of `name` and leaves the access time.
pub(super) fn set_mtime(dir: BorrowedFd<'_>, name: &CStr, mtime: Time) -> io::Result<()> {
    Ok(rustix::fs::utimensat(dir, name, &timestamps(mtime), AtFlags::SYMLINK_NOFOLLOW)?)
}

fn timestamps(mtime: Time) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_OMIT },
        last_modification: Timespec { tv_sec: mtime.secs, tv_nsec: i64::from(mtime.nanos) },
    }
}

/// Gives `name` to a user and group, a link itself where it is one.
pub(super) fn set_owner(dir: BorrowedFd<'_>, name: &CStr, uid: u32, gid: u32) -> io::Result<()> {
    let (uid, gid) = (rustix::fs::Uid::from_raw(uid), rustix::fs::Gid::from_raw(gid));
    Ok(rustix::fs::chownat(dir, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?)
}

/// The extended attributes a snapshot keeps, sorted by name. A file system without them has none.
pub(super) fn xattrs(file: BorrowedFd<'_>) -> io::Result<Vec<Xattr>> {
    let mut names: Vec<u8> = Vec::with_capacity(256);
    loop {
        match rustix::fs::flistxattr(file, rustix::buffer::spare_capacity(&mut names)) {
            Ok(_) => break,
            Err(Errno::RANGE) => names.reserve(names.capacity() * 4),
            Err(Errno::NOTSUP | Errno::PERM | Errno::ACCESS) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        }
    }
    let mut found = Vec::new();
    for name in names.split(|byte| *byte == 0).filter(|name| !name.is_empty() && os::keeps_xattr(name)) {
        if let Some(value) = xattr(file, name)? {
            found.push((name.into(), value.into()));
        }
    }
    found.sort();
    Ok(found)
}

fn xattr(file: BorrowedFd<'_>, name: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut value: Vec<u8> = Vec::with_capacity(1024);
    loop {
        match rustix::fs::fgetxattr(file, name, rustix::buffer::spare_capacity(&mut value)) {
            Ok(_) => return Ok(Some(value)),
            Err(Errno::RANGE) if value.capacity() < 1 << 20 => value.reserve(value.capacity() * 8),
            Err(Errno::NODATA | Errno::NOTSUP | Errno::PERM | Errno::ACCESS) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
}

/// The parts of an open file that hold no data, as (offset, length); `None` when there are none.
pub(super) fn holes(file: BorrowedFd<'_>, size: u64) -> io::Result<Option<Vec<(u64, u64)>>> {
    let mut holes = Vec::new();
    let mut at = 0;
    while at < size {
        let hole = match rustix::fs::seek(file, SeekFrom::Hole(at)) {
            Ok(hole) => hole,
            Err(Errno::INVAL | Errno::NXIO | Errno::NOTSUP) => break,
            Err(error) => return Err(error.into()),
        };
        if hole >= size {
            break;
        }
        at = match rustix::fs::seek(file, SeekFrom::Data(hole)) {
            Ok(data) => data.min(size),
            Err(Errno::NXIO) => size,
            Err(error) => return Err(error.into()),
        };
        holes.push((hole, at.saturating_sub(hole)));
    }
    Ok((!holes.is_empty()).then_some(holes))
}

/// Removes `name` with all it holds, through no symbolic link. Being absent already is no error.
pub(super) fn remove_all(dir: BorrowedFd<'_>, name: &CStr) -> io::Result<()> {
    match rustix::fs::unlinkat(dir, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(error) => return Err(error.into()),
    }
    let mut trail: Vec<(OwnedFd, CString)> = Vec::new();
    let mut listing = Listing::default();
    trail.push((open_for_removal(dir, name)?, name.to_owned()));
    while let Some((inside, _)) = trail.last() {
        rustix::fs::seek(inside, SeekFrom::Start(0))?;
        os::list(inside.as_fd(), &mut listing)?;
        let mut deeper = None;
        for child in listing.names() {
            match rustix::fs::unlinkat(inside, child, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(Errno::ISDIR | Errno::PERM) => {
                    match rustix::fs::unlinkat(inside, child, AtFlags::REMOVEDIR) {
                        Ok(()) | Err(Errno::NOENT) => {}
                        Err(Errno::NOTEMPTY | Errno::EXIST | Errno::ACCESS) => {
                            deeper = Some((open_for_removal(inside.as_fd(), child)?, child.to_owned()));
                            break;
                        }
                        Err(error) => return Err(error.into()),
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        if let Some(next) = deeper {
            trail.push(next);
        } else if let Some((_, done)) = trail.pop() {
            let above = trail.last().map_or(dir, |(above, _)| above.as_fd());
            match rustix::fs::unlinkat(above, &done, AtFlags::REMOVEDIR) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

fn open_for_removal(dir: BorrowedFd<'_>, name: &CStr) -> io::Result<OwnedFd> {
    let stat = os::stat_at(dir, name)?;
    if stat.is_dir() && stat.mode & 0o700 != 0o700 {
        os::set_mode(dir, name, stat.mode | 0o700)?;
    }
    let inside = open_child_dir(dir, name)?;
    Ok(inside)
}
