//! The folder of one step, held open: its files are reached from it, not by their whole paths.
//!
//! Knows names and bytes; not what is in them, nor whose folder it will be next.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::BorrowedFd;
use std::path::Path;

use rustix::fs::{self, AtFlags, Dir, Mode, OFlags, Stat};

/// A step's folder.
pub(super) struct StepFolder {
    entries: Dir,
    identity: (u64, u64),
}

/// What is the same for all files that no step has touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    mode: u32,
    owner: (u32, u32),
    links: u64,
}

impl Look {
    // The widths of these numbers differ from system to system.
    #[allow(clippy::useless_conversion, clippy::unnecessary_fallible_conversions)]
    fn of(file: &Stat) -> Option<Self> {
        let (mode, links) = (file.st_mode.try_into().ok()?, file.st_nlink.try_into().ok()?);
        Some(Self { mode, owner: (file.st_uid, file.st_gid), links })
    }

    /// Of a file that was just made.
    pub(super) fn of_new(file: &File) -> Option<Self> {
        fs::fstat(file).ok().and_then(|found| Self::of(&found))
    }
}

#[allow(clippy::useless_conversion, clippy::unnecessary_cast, reason = "they differ from system to system")]
fn identity(file: &Stat) -> (u64, u64) {
    (file.st_dev as u64, file.st_ino as u64)
}

impl StepFolder {
    /// Opens the folder that lies there.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = fs::open(path, flags, Mode::empty())?;
        let identity = identity(&fs::fstat(&folder)?);
        Ok(Self { entries: Dir::new(folder)?, identity })
    }

    fn fd(&self) -> rustix::io::Result<BorrowedFd<'_>> {
        self.entries.fd()
    }

    /// Whether it is what lies there.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        let found = fs::statat(fs::CWD, path, AtFlags::SYMLINK_NOFOLLOW);
        found.is_ok_and(|found| identity(&found) == self.identity)
    }

    /// Opens a file that is no link for writing, and makes it if it is not there. It is not emptied: ext4 writes a file to the
    /// disk when it is closed after that.
    pub(super) fn make(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(fs::openat(self.fd()?, name, flags, Mode::from_raw_mode(0o666))?.into())
    }

    /// What is in a file that looks as if no step had touched it; `None` if it does not. `is_last`: it is emptied as well.
    pub(super) fn take(&self, name: &OsStr, untouched: Look, is_last: bool) -> Option<Vec<u8>> {
        let length = self.length(name, untouched)?;
        if length == 0 {
            return Some(Vec::new());
        }
        let access = if is_last { OFlags::RDWR } else { OFlags::RDONLY };
        let flags = access | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(fs::openat(self.fd().ok()?, name, flags, Mode::empty()).ok()?);
        let mut content = Vec::new();
        // It may say that it has more than there is memory.
        content.try_reserve_exact(length).ok()?;
        if is_last {
            // No process is left that could write to it, so this is all.
            content.resize(length, 0);
            file.read_exact(&mut content).ok()?;
            fs::ftruncate(&file, 0).ok()?;
        } else {
            file.read_to_end(&mut content).ok()?;
        }
        Some(content)
    }

    /// Empties a file without a look at what is in it; `None` unless it looks as if no step had touched it.
    pub(super) fn empty(&self, name: &OsStr, untouched: Look) -> Option<()> {
        if self.length(name, untouched)? == 0 {
            return Some(());
        }
        let flags = OFlags::WRONLY | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        fs::openat(self.fd().ok()?, name, flags, Mode::empty()).ok().map(drop)
    }

    /// Writes over a file of this length. What is written over needs no new place, as it would after the file was emptied.
    pub(super) fn overwrite(&self, name: &OsStr, length: usize, content: &[u8]) -> io::Result<()> {
        let mut file = self.make(name)?;
        file.write_all(content)?;
        if length > content.len() {
            fs::ftruncate(&file, content.len() as u64)?;
        }
        Ok(())
    }

    /// How long a file is; `None` unless it looks as if no step had touched it.
    pub(super) fn length(&self, name: &OsStr, untouched: Look) -> Option<usize> {
        let found = fs::statat(self.fd().ok()?, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        if Look::of(&found)? != untouched {
            return None;
        }
        found.st_size.try_into().ok()
    }

    /// How many entries there are.
    pub(super) fn count(&mut self) -> Option<usize> {
        self.entries.rewind();
        let mut count = 0;
        for entry in self.entries.by_ref() {
            count += usize::from(!matches!(entry.ok()?.file_name().to_bytes(), b"." | b".."));
        }
        Some(count)
    }

    /// Removes a file.
    pub(super) fn remove(&self, name: &OsStr) -> io::Result<()> {
        Ok(fs::unlinkat(self.fd()?, name, AtFlags::empty())?)
    }
}
