//! What a job may do to a tree, as random values. An operation that the system refuses does nothing.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use proptest::prelude::*;

use super::dump::name;

#[derive(Debug, Clone)]
pub(super) enum Operation {
    Write(Spot, Vec<u8>),
    Append(Spot, u8),
    Truncate(Spot, u64),
    Overwrite(Spot, u64, u8),
    Chmod(Spot, u32),
    Rename(Spot, Spot),
    Unlink(Spot),
    MakeDir(Spot),
    RemoveDir(Spot),
    RemoveTree(Spot),
    Symlink(Spot, Vec<u8>),
    HardLink(Spot, Spot),
    Sparse(Spot, u8),
    Large(Spot, u8),
    SetTime(Spot, u32, u32),
    SameSizeOldTime(Spot, u8),
    FileOverDir(Spot),
    DirOverFile(Spot),
    Fifo(Spot),
    Xattr(Spot, u8),
    RemoveXattr(Spot),
}

/// A path of one to three names out of few, so that operations meet.
#[derive(Debug, Clone)]
pub(super) struct Spot(Vec<u8>);

const NAMES: [&[u8]; 6] = [b"a", b"b", b"c", b"d.rs", b"\xff\xfe", b"with space\n"];

impl Spot {
    fn path(&self, top: &Path) -> PathBuf {
        self.0.iter().fold(top.to_owned(), |path, index| path.join(name(NAMES[usize::from(*index)])))
    }
}

fn spot() -> impl Strategy<Value = Spot> {
    prop::collection::vec(0..NAMES.len() as u8, 1..=3).prop_map(Spot)
}

pub(super) fn operations(most: usize) -> impl Strategy<Value = Vec<Operation>> {
    use Operation as O;
    let content = prop::collection::vec(any::<u8>(), 0..40);
    let one = prop_oneof![
        6 => (spot(), content).prop_map(|(at, bytes)| O::Write(at, bytes)),
        2 => (spot(), any::<u8>()).prop_map(|(at, byte)| O::Append(at, byte)),
        1 => (spot(), 0..30_u64).prop_map(|(at, size)| O::Truncate(at, size)),
        2 => (spot(), 0..20_u64, any::<u8>()).prop_map(|(at, offset, byte)| O::Overwrite(at, offset, byte)),
        2 => (spot(), 0..0o10000_u32).prop_map(|(at, mode)| O::Chmod(at, mode)),
        3 => (spot(), spot()).prop_map(|(from, to)| O::Rename(from, to)),
        2 => spot().prop_map(O::Unlink),
        4 => spot().prop_map(O::MakeDir),
        1 => spot().prop_map(O::RemoveDir),
        1 => spot().prop_map(O::RemoveTree),
        2 => (spot(), prop::collection::vec(1..255_u8, 1..12)).prop_map(|(at, to)| O::Symlink(at, to)),
        3 => (spot(), spot()).prop_map(|(from, to)| O::HardLink(from, to)),
        1 => (spot(), any::<u8>()).prop_map(|(at, byte)| O::Sparse(at, byte)),
        1 => (spot(), any::<u8>()).prop_map(|(at, byte)| O::Large(at, byte)),
        2 => (spot(), any::<u32>(), 0..1_000_000_000_u32).prop_map(|(at, secs, nanos)| O::SetTime(at, secs, nanos)),
        2 => (spot(), any::<u8>()).prop_map(|(at, byte)| O::SameSizeOldTime(at, byte)),
        2 => spot().prop_map(O::FileOverDir),
        2 => spot().prop_map(O::DirOverFile),
        1 => spot().prop_map(O::Fifo),
        1 => (spot(), any::<u8>()).prop_map(|(at, byte)| O::Xattr(at, byte)),
        1 => spot().prop_map(O::RemoveXattr),
    ];
    prop::collection::vec(one, 0..most)
}

pub(super) fn run(top: &Path, operations: &[Operation]) {
    for operation in operations {
        let _ = run_one(top, operation);
    }
}

/// Opens a regular file without ever waiting for the other end of a pipe.
fn open(path: &Path, options: &mut OpenOptions) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    options.custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW).open(path)
}

fn run_one(top: &Path, operation: &Operation) -> std::io::Result<()> {
    use Operation as O;
    match operation {
        O::Write(at, bytes) => {
            let path = at.path(top);
            if let Some(dir) = path.parent() {
                let _ = fs::create_dir_all(dir);
            }
            let mut file = open(&path, OpenOptions::new().write(true).create(true).truncate(true))?;
            file.write_all(bytes)
        }
        O::Append(at, byte) => open(&at.path(top), OpenOptions::new().append(true))?.write_all(&[*byte]),
        O::Truncate(at, size) => open(&at.path(top), OpenOptions::new().write(true))?.set_len(*size),
        O::Overwrite(at, offset, byte) => {
            open(&at.path(top), OpenOptions::new().write(true))?.write_all_at(&[*byte], *offset)
        }
        O::Chmod(at, mode) => {
            let path = at.path(top);
            if path.symlink_metadata()?.is_symlink() {
                return Ok(());
            }
            // Directories stay usable for the operations that follow.
            let keep = if path.is_dir() { 0o700 } else { 0o400 };
            fs::set_permissions(path, Permissions::from_mode(mode | keep))
        }
        O::Rename(from, to) => fs::rename(from.path(top), to.path(top)),
        O::Unlink(at) => fs::remove_file(at.path(top)),
        O::MakeDir(at) => fs::create_dir_all(at.path(top)),
        O::RemoveDir(at) => fs::remove_dir(at.path(top)),
        O::RemoveTree(at) => fs::remove_dir_all(at.path(top)),
        O::Symlink(at, target) => std::os::unix::fs::symlink(name(target), at.path(top)),
        O::HardLink(from, to) => fs::hard_link(from.path(top), to.path(top)),
        O::Sparse(at, byte) => {
            let file = open(&at.path(top), OpenOptions::new().write(true).create(true).truncate(true))?;
            file.set_len(300_000 + u64::from(*byte))?;
            file.write_all_at(&[*byte; 5000], 100_000)
        }
        O::Large(at, byte) => {
            let file = open(&at.path(top), OpenOptions::new().write(true).create(true))?;
            file.set_len((4 << 20) + 1 + u64::from(*byte))?;
            file.write_all_at(&[*byte; 70_000], u64::from(*byte) * 10_000)
        }
        O::SetTime(at, secs, nanos) => set_mtime(&at.path(top), *secs, *nanos),
        O::SameSizeOldTime(at, byte) => {
            let path = at.path(top);
            let file = open(&path, OpenOptions::new().write(true))?;
            let before = file.metadata()?;
            if before.is_file() && before.len() > 0 {
                file.write_all_at(&[*byte], 0)?;
                file.set_modified(before.modified()?)?;
            }
            Ok(())
        }
        O::FileOverDir(at) => {
            fs::remove_dir_all(at.path(top))?;
            fs::write(at.path(top), b"now a file")
        }
        O::DirOverFile(at) => {
            fs::remove_file(at.path(top))?;
            fs::create_dir(at.path(top))?;
            fs::write(at.path(top).join("inside"), b"now a directory")
        }
        O::Fifo(at) => {
            let mode = rustix::fs::Mode::from_raw_mode(0o640);
            Ok(rustix::fs::mkfifoat(rustix::fs::CWD, at.path(top), mode)?)
        }
        O::Xattr(at, byte) => {
            let flags = rustix::fs::XattrFlags::empty();
            Ok(rustix::fs::lsetxattr(at.path(top), "user.test", &[*byte; 3], flags)?)
        }
        O::RemoveXattr(at) => Ok(rustix::fs::lremovexattr(at.path(top), "user.test")?),
    }
}

fn set_mtime(path: &Path, secs: u32, nanos: u32) -> std::io::Result<()> {
    let meta = path.symlink_metadata()?;
    if meta.is_symlink() || !(meta.is_file() || meta.is_dir()) {
        return Ok(());
    }
    let file = if meta.is_dir() { File::open(path)? } else { open(path, OpenOptions::new().read(true))? };
    file.set_modified(UNIX_EPOCH + Duration::new(u64::from(secs), nanos))
}
