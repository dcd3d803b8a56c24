//! Linux: the file-system calls that snapshots are made of. `macos.rs` has the same signatures.
//!
//! Every name is resolved beneath an open directory and never through a symbolic link. Knows nothing of
//! snapshots, only of files.

use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{AtFlags, Mode, OFlags, RawDir, ResolveFlags, StatxFlags, StatxTimestamp};
use rustix::io::Errno;

use super::beneath;
use super::listing::Listing;
use super::stat::{Stat, Time};

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Paths longer than this are opened in pieces; the kernel's limit is 4096 bytes with the NUL.
const LONGEST_PATH: usize = 3800;

/// Opens an absolute directory; a symbolic link anywhere in it is an error.
pub(super) fn open_root(path: &Path) -> io::Result<OwnedFd> {
    use std::os::unix::ffi::OsStrExt;
    let flags = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match rustix::fs::openat2(rustix::fs::CWD, path, DIRECTORY, Mode::empty(), flags) {
        Err(Errno::NOSYS | Errno::PERM) => beneath::open_absolute(path.as_os_str().as_bytes()),
        opened => Ok(opened?),
    }
}

/// Opens the directory `path` (relative, empty for `root` itself) beneath `root`, through no symbolic link.
pub(super) fn open_dir(root: BorrowedFd<'_>, path: &[u8]) -> io::Result<OwnedFd> {
    if path.is_empty() {
        return Ok(rustix::fs::openat(root, c".", DIRECTORY, Mode::empty())?);
    }
    if path.len() > LONGEST_PATH {
        return beneath::open_steps(root, path);
    }
    let flags = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match rustix::fs::openat2(root, path, DIRECTORY, Mode::empty(), flags) {
        Err(Errno::NOSYS | Errno::PERM) => beneath::open_steps(root, path),
        opened => Ok(opened?),
    }
}

/// Reads the names in a directory, in the order the file system has them, without `.` and `..`.
pub(super) fn list(dir: BorrowedFd<'_>, listing: &mut Listing) -> io::Result<()> {
    listing.clear();
    let mut buffer = [MaybeUninit::<u8>::uninit(); 16 * 1024];
    let mut entries = RawDir::new(dir, &mut buffer);
    while let Some(entry) = entries.next() {
        listing.push(entry?.file_name());
    }
    Ok(())
}

/// The state of `name` in `dir`, of a link itself where it is one.
pub(super) fn stat_at(dir: BorrowedFd<'_>, name: &CStr) -> io::Result<Stat> {
    statx(dir, name, AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT)
}

/// The state of an open file.
pub(super) fn stat_fd(fd: BorrowedFd<'_>) -> io::Result<Stat> {
    statx(fd, c"", AtFlags::EMPTY_PATH)
}

fn statx(dir: BorrowedFd<'_>, name: &CStr, flags: AtFlags) -> io::Result<Stat> {
    let raw = rustix::fs::statx(dir, name, flags, StatxFlags::BASIC_STATS | StatxFlags::BTIME)?;
    let time = |time: StatxTimestamp| Time { secs: time.tv_sec, nanos: time.tv_nsec };
    let has_birth = raw.stx_mask & StatxFlags::BTIME.bits() != 0;
    Ok(Stat {
        dev: rustix::fs::makedev(raw.stx_dev_major, raw.stx_dev_minor),
        ino: raw.stx_ino,
        size: raw.stx_size,
        mtime: time(raw.stx_mtime),
        ctime: time(raw.stx_ctime),
        btime: if has_birth { time(raw.stx_btime) } else { Time::default() },
        mode: u32::from(raw.stx_mode),
        nlink: raw.stx_nlink,
        uid: raw.stx_uid,
        gid: raw.stx_gid,
        rdev: rustix::fs::makedev(raw.stx_rdev_major, raw.stx_rdev_minor),
    })
}

/// Sets the permission bits of `name` in `dir`, never of what a link points at. The file need not be readable.
pub(super) fn set_mode(dir: BorrowedFd<'_>, name: &CStr, mode: u32) -> io::Result<()> {
    let file = open_handle(dir, name)?;
    if stat_fd(file.as_fd())?.is_symlink() {
        return Ok(());
    }
    Ok(rustix::fs::chmod(handle_path(&file), Mode::from_raw_mode(mode & 0o7777))?)
}

/// Sets or removes (`None`) one extended attribute of `name` in `dir`, never of what a link points at.
pub(super) fn set_xattr(
    dir: BorrowedFd<'_>,
    name: &CStr,
    key: &[u8],
    value: Option<&[u8]>,
) -> io::Result<()> {
    let file = open_handle(dir, name)?;
    if stat_fd(file.as_fd())?.is_symlink() {
        return Ok(());
    }
    let path = handle_path(&file);
    match value {
        Some(value) => rustix::fs::setxattr(path, key, value, rustix::fs::XattrFlags::empty())?,
        None => rustix::fs::removexattr(path, key)?,
    }
    Ok(())
}

fn open_handle(dir: BorrowedFd<'_>, name: &CStr) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(dir, name, flags, Mode::empty())?)
}

fn handle_path(file: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

/// Renames without ever replacing something that has the new name.
pub(super) fn rename_new(
    from: BorrowedFd<'_>,
    name: &CStr,
    to: BorrowedFd<'_>,
    new: &CStr,
) -> io::Result<()> {
    match rustix::fs::renameat_with(from, name, to, new, rustix::fs::RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS) => beneath::rename_if_free(from, name, to, new),
        renamed => Ok(renamed?),
    }
}

/// Makes a named pipe.
pub(super) fn make_fifo(dir: BorrowedFd<'_>, name: &CStr) -> io::Result<()> {
    Ok(rustix::fs::mkfifoat(dir, name, Mode::RUSR | Mode::WUSR)?)
}

/// Whether a snapshot keeps this extended attribute: what programs and `setfacl`/`setcap` set, not labels that the
/// system's policy gives by itself.
pub(super) fn keeps_xattr(key: &[u8]) -> bool {
    key.starts_with(b"user.") || key.starts_with(b"system.posix_acl_") || key == b"security.capability"
}

/// How coarse the change times of the file system are: zero where two changes always have different times
/// (timetravel.md 2.5: multigrain timestamps since Linux 6.13 on ext4, xfs, btrfs, tmpfs).
pub(super) fn time_grain(dir: BorrowedFd<'_>) -> Duration {
    const FINE: [u64; 4] = [0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994];
    let magic = rustix::fs::fstatfs(dir).map_or(0, |stat| u64::try_from(stat.f_type).unwrap_or(0));
    match (FINE.contains(&magic), kernel_has_multigrain()) {
        (true, true) => Duration::ZERO,
        (true, false) => Duration::from_millis(20),
        (false, _) => Duration::from_secs(2),
    }
}

fn kernel_has_multigrain() -> bool {
    static KNOWN: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *KNOWN.get_or_init(|| {
        let name = rustix::system::uname();
        let release = name.release().to_string_lossy();
        let mut numbers = release.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (6, 13)
    })
}
