//! The few things the journal asks of a file, so that a test can make each of them fail. It knows no format.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// A file that is written by position.
pub trait Storage: Send {
    /// One `write(2)` at `offset`; may write less than asked.
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<usize>;
    /// Cuts the file to `length` bytes.
    fn set_len(&mut self, length: u64) -> io::Result<()>;
    /// A second handle, for the thread that syncs.
    fn sync_handle(&self) -> io::Result<Box<dyn SyncHandle>>;
}

/// What can bring a file's content to the disk.
pub trait SyncHandle: Send + Sync {
    /// `fdatasync(2)`.
    fn sync_data(&self) -> io::Result<()>;
}

/// The real thing. Files are created with mode 0600.
#[derive(Debug)]
pub struct FileStorage(File);

impl FileStorage {
    /// A new file at `path`; fails when there is one.
    pub fn create(path: &Path) -> io::Result<Self> {
        OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path).map(FileStorage)
    }

    /// The file at `path`, for writing.
    pub fn open(path: &Path) -> io::Result<Self> {
        OpenOptions::new().read(true).write(true).open(path).map(FileStorage)
    }
}

impl Storage for FileStorage {
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.0.write_at(bytes, offset)
    }

    fn set_len(&mut self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }

    fn sync_handle(&self) -> io::Result<Box<dyn SyncHandle>> {
        Ok(Box::new(self.0.try_clone()?))
    }
}

impl SyncHandle for File {
    fn sync_data(&self) -> io::Result<()> {
        File::sync_data(self)
    }
}

/// Writes all of `bytes` at `offset`, going on after interruptions and short writes.
pub(super) fn write_all_at(storage: &mut dyn Storage, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match storage.write_at(bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                bytes = bytes.get(written..).unwrap_or_default();
                offset += written as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
