//! What the kernel says about one file, and the part of it that proves "unchanged since".
//!
//! Knows nothing of content.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds and nanoseconds since 1970; seconds are negative before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time {
    /// Whole seconds.
    pub secs: i64,
    /// 0 to 999,999,999.
    pub nanos: u32,
}

impl Time {
    pub(super) fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { secs: i64::try_from(since.as_secs()).unwrap_or(i64::MAX), nanos: since.subsec_nanos() }
    }

    fn nanoseconds(self) -> i128 {
        i128::from(self.secs) * 1_000_000_000 + i128::from(self.nanos)
    }
}

/// The state of one inode. Equality of all fields is the stat-cache key (timetravel.md 2.5): the change time betrays
/// a modification time that was set back, the birth time an inode number used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Stat {
    pub(super) dev: u64,
    pub(super) ino: u64,
    pub(super) size: u64,
    pub(super) mtime: Time,
    pub(super) ctime: Time,
    pub(super) btime: Time,
    pub(super) mode: u32,
    pub(super) nlink: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) rdev: u64,
}

/// The file types a directory entry can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileType {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link.
    Symlink,
    /// A named pipe.
    Fifo,
    /// A UNIX socket.
    Socket,
    /// A character device.
    CharDevice,
    /// A block device.
    BlockDevice,
}

impl Stat {
    pub(super) fn file_type(&self) -> FileType {
        match self.mode & 0o170_000 {
            0o040_000 => FileType::Dir,
            0o120_000 => FileType::Symlink,
            0o010_000 => FileType::Fifo,
            0o140_000 => FileType::Socket,
            0o020_000 => FileType::CharDevice,
            0o060_000 => FileType::BlockDevice,
            _ => FileType::File,
        }
    }

    pub(super) fn is_dir(&self) -> bool {
        self.file_type() == FileType::Dir
    }

    pub(super) fn is_symlink(&self) -> bool {
        self.file_type() == FileType::Symlink
    }

    pub(super) fn permissions(&self) -> u32 {
        self.mode & 0o7777
    }

    /// Git's racy rule: the file changed so shortly before it was looked at that a further change might have got the
    /// same times.
    pub(super) fn is_racy(&self, grain: Duration, now: Time) -> bool {
        let grain = i128::try_from(grain.as_nanos()).unwrap_or(i128::MAX);
        let newest = self.ctime.max(self.mtime).nanoseconds();
        grain > 0 && newest.saturating_add(grain) >= now.nanoseconds()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn racy_only_within_the_grain() {
        let at = |secs| Time { secs, nanos: 0 };
        let stat = Stat { ctime: at(100), mtime: at(50), ..Stat::default() };
        assert!(stat.is_racy(Duration::from_secs(2), at(101)));
        assert!(!stat.is_racy(Duration::from_secs(2), at(103)));
        assert!(!stat.is_racy(Duration::ZERO, at(100)));
    }
}
