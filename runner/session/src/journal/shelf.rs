//! The folder of recordings: making one, finding one, one writer at a time, removing the oldest. It knows
//! names and sizes, not what is recorded.
//!
//! ```text
//! ROOT/recordings/            0700, ROOT is $XDG_STATE_HOME/stepback
//!   latest                    the id of the newest recording, its first line
//!   .pruned                   changed when old recordings were last looked for
//!   ID/                       0700
//!     lock                    held by the writer
//!     journal                 frames
//!     logs/                   packs
//!     ...                     the snapshot store's own folder
//! ```

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::reader;

/// Name of the journal inside of a recording.
const JOURNAL: &str = "journal";
const LOGS: &str = "logs";
const LOCK: &str = "lock";
const LATEST: &str = "latest";
/// Bears the time at which old recordings were last removed.
const PRUNED: &str = ".pruned";
/// Longest id; file systems take 255 bytes, people fewer.
const ID_BYTES_MAX: usize = 64;

/// The name of a recording: letters, digits, `.`, `_`, `-`, not beginning with a dot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordingId(String);

impl RecordingId {
    /// The id `text`; none when it cannot be one. What is accepted stays inside of the folder.
    pub fn new(text: &str) -> Option<RecordingId> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let fits = (1..=ID_BYTES_MAX).contains(&text.len()) && !text.starts_with('.') && text != LATEST;
        (fits && text.bytes().all(plain)).then(|| RecordingId(text.to_owned()))
    }

    /// An id for a recording that begins at this time (milliseconds since 1970 UTC), with `random` to tell apart
    /// two of the same second: `20260131-142507-0c1f`. Ids sort by time.
    pub fn at(unix_ms: i64, random: u16) -> RecordingId {
        let time = jiff::Timestamp::from_millisecond(unix_ms).unwrap_or_default();
        RecordingId(format!("{}-{random:04x}", time.strftime("%Y%m%d-%H%M%S")))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for RecordingId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why the folder of recordings could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// The system refused.
    #[error("failed to use the recordings in {path}: {source}")]
    Storage {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is a recording of that name.
    #[error("failed to begin recording {0}: there is one of that name")]
    Exists(RecordingId),
    /// There is none.
    #[error("failed to open recording {0}: there is none of that name")]
    Missing(RecordingId),
    /// What lies there is something else, or nothing.
    #[error("failed to open {0}: it is not the folder of a recording")]
    NoRecording(PathBuf),
}

/// What this process may do with a recording.
#[derive(Debug)]
pub enum Access {
    /// Write: the lock is ours until this is dropped.
    Write(Lock),
    /// Read: another process holds the lock.
    InUse,
    /// Read: nothing can be written there.
    NotWritable,
}

/// The lock of a recording, released when dropped and when the process dies.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// An open recording.
#[derive(Debug)]
pub struct Recording {
    /// Its name.
    pub id: RecordingId,
    /// Its folder.
    pub folder: PathBuf,
    /// Whether it may be written.
    pub access: Access,
}

impl Recording {
    /// The file for [`JournalWriter`](super::JournalWriter) and [`read`](super::read).
    pub fn journal(&self) -> PathBuf {
        self.folder.join(JOURNAL)
    }

    /// The folder for [`LogStore`](super::LogStore) and [`LogArchive`](super::LogArchive).
    pub fn logs(&self) -> PathBuf {
        self.folder.join(LOGS)
    }
}

/// A recording in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub id: RecordingId,
    /// When it began, in milliseconds since 1970 UTC; none when its journal has no good header.
    pub created_unix_ms: Option<i64>,
    /// Room it takes on disk, in bytes.
    pub bytes: u64,
    /// A process is writing it.
    pub in_use: bool,
}

/// What [`Recordings::prune`] did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pruned {
    /// What was removed, oldest first.
    pub removed: Vec<RecordingId>,
    /// Room that the remaining ones take, in bytes.
    pub bytes: u64,
}

/// All recordings under one root.
#[derive(Debug, Clone)]
pub struct Recordings {
    folder: PathBuf,
}

impl Recordings {
    /// The recordings under `root`, which is `$XDG_STATE_HOME/stepback` in ordinary use. Makes the folder, and makes
    /// it private when it was not.
    pub fn under(root: &Path) -> Result<Recordings, ShelfError> {
        let folder = root.join("recordings");
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.and_then(|()| fs::set_permissions(&folder, Permissions::from_mode(0o700)))
            .map_err(at(&folder))?;
        Ok(Recordings { folder })
    }

    /// Makes the folder of a new recording, locks it, and points `latest` at it.
    pub fn create(&self, id: RecordingId) -> Result<Recording, ShelfError> {
        let folder = self.folder_of(&id);
        let make = |path: &Path| DirBuilder::new().mode(0o700).create(path);
        make(&folder).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => ShelfError::Exists(id.clone()),
            _ => ShelfError::Storage { path: folder.clone(), source },
        })?;
        make(&folder.join(LOGS)).map_err(at(&folder))?;
        let access = lock(&folder)?;
        self.point_latest(&id)?;
        Ok(Recording { id, folder, access })
    }

    /// Opens a recording: for writing when nobody else does, else read-only.
    pub fn open(&self, id: RecordingId) -> Result<Recording, ShelfError> {
        let folder = self.folder_of(&id);
        if !folder.is_dir() {
            return Err(ShelfError::Missing(id));
        }
        let access = lock(&folder)?;
        Ok(Recording { id, folder, access })
    }

    /// Opens the recording in `folder`, wherever that is, in the same way.
    pub fn open_in(folder: &Path) -> Result<Recording, ShelfError> {
        let name = folder
            .canonicalize()
            .ok()
            .and_then(|folder| folder.file_name()?.to_str().and_then(RecordingId::new));
        let id = name.filter(|_| folder.join(JOURNAL).is_file());
        let id = id.ok_or_else(|| ShelfError::NoRecording(folder.to_owned()))?;
        let access = lock(folder)?;
        Ok(Recording { id, folder: folder.to_owned(), access })
    }

    /// The newest recording: the one `latest` names, or the last by name and time when that is gone.
    pub fn latest(&self) -> Result<Option<RecordingId>, ShelfError> {
        let named = fs::read_to_string(self.folder.join(LATEST)).ok();
        let named = named.and_then(|text| RecordingId::new(text.lines().next().unwrap_or_default()));
        match named.filter(|id| self.folder_of(id).is_dir()) {
            Some(id) => Ok(Some(id)),
            None => Ok(self.list()?.pop().map(|listed| listed.id)),
        }
    }

    /// The folder of a recording, whether it is there or not.
    pub fn folder_of(&self, id: &RecordingId) -> PathBuf {
        self.folder.join(id.as_str())
    }

    /// The names of all recordings, in no order.
    pub fn ids(&self) -> Result<Vec<RecordingId>, ShelfError> {
        let mut ids = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(at(&self.folder))? {
            let entry = entry.map_err(at(&self.folder))?;
            let id = entry.file_name().to_str().and_then(RecordingId::new);
            ids.extend(id.filter(|_| entry.path().is_dir()));
        }
        Ok(ids)
    }

    /// All recordings, oldest first.
    pub fn list(&self) -> Result<Vec<Listed>, ShelfError> {
        let mut listed = Vec::new();
        for id in self.ids()? {
            let folder = self.folder_of(&id);
            listed.push(look(id, &folder)?);
        }
        listed.sort_by(|a, b| (a.created_unix_ms, &a.id).cmp(&(b.created_unix_ms, &b.id)));
        Ok(listed)
    }

    /// Removes the oldest recordings until the rest takes at most `bytes_max`, in ordinary use
    /// [`RECORDINGS_BYTES_MAX`](super::RECORDINGS_BYTES_MAX). Those in use and the latest stay.
    pub fn prune(&self, bytes_max: u64) -> Result<Pruned, ShelfError> {
        let latest = self.latest()?;
        let listed = self.list()?;
        let bytes = listed.iter().map(|one| one.bytes).sum();
        let mut pruned = Pruned { removed: Vec::new(), bytes };
        for one in listed {
            if pruned.bytes <= bytes_max {
                break;
            }
            if Some(&one.id) != latest.as_ref() && self.remove(&one.id)? {
                pruned.bytes -= one.bytes;
                pruned.removed.push(one.id);
            }
        }
        Ok(pruned)
    }

    /// Removes a recording; false when a process is writing it.
    pub fn remove(&self, id: &RecordingId) -> Result<bool, ShelfError> {
        let folder = self.folder_of(id);
        let Access::Write(_lock) = lock(&folder)? else { return Ok(false) };
        // Renamed first: a removal that is interrupted leaves no recording that looks whole.
        let doomed = self.folder.join(format!(".removing-{id}"));
        fs::rename(&folder, &doomed).and_then(|()| fs::remove_dir_all(&doomed)).map_err(at(&folder))?;
        Ok(true)
    }

    /// Written over in place: a new file for each would cost the short jobs of a large matrix more than all the rest of
    /// their recordings. A shorter name leaves the end of a longer one behind its line; a torn one names no recording,
    /// and the newest is found by its name.
    fn point_latest(&self, id: &RecordingId) -> Result<(), ShelfError> {
        let path = self.folder.join(LATEST);
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).mode(0o600).open(&path);
        file.and_then(|mut file| file.write_all(format!("{id}\n").as_bytes())).map_err(at(&path))
    }

    /// Whether [`Recordings::prune`] is due, because nobody said so for this long; whoever asks does it then.
    pub fn prune_is_due(&self, every: Duration) -> bool {
        let path = self.folder.join(PRUNED);
        let last = fs::metadata(&path).and_then(|found| found.modified());
        if last.is_ok_and(|last| last.elapsed().is_ok_and(|since| since < every)) {
            return false;
        }
        let mut options = OpenOptions::new();
        let touched = options.write(true).create(true).truncate(false).mode(0o600).open(&path);
        // Without the mark it is done once more the next time.
        let _ = touched.and_then(|file| file.set_modified(SystemTime::now()));
        true
    }
}

/// In so many words: a process that another thread is starting has our descriptors until its exec, and merely closing ours
/// would leave the recording locked for as long.
impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

/// Takes the lock of the recording in `folder`, or says that it may only be read. A folder that cannot be
/// written to, such as one on a read-only disk, may only be read too.
fn lock(folder: &Path) -> Result<Access, ShelfError> {
    let path = folder.join(LOCK);
    let opened =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if read_only(&error) => return Ok(Access::NotWritable),
        Err(error) => return Err(at(&path)(error)),
    };
    match file.try_lock() {
        Ok(()) => Ok(Access::Write(Lock { file })),
        Err(TryLockError::WouldBlock) => Ok(Access::InUse),
        Err(TryLockError::Error(error)) => Err(at(&path)(error)),
    }
}

fn read_only(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

fn look(id: RecordingId, folder: &Path) -> Result<Listed, ShelfError> {
    let created_unix_ms = reader::read_header(&folder.join(JOURNAL)).map(|header| header.created_unix_ms);
    let bytes = size(folder).map_err(at(folder))?;
    let in_use = match OpenOptions::new().read(true).open(folder.join(LOCK)) {
        Ok(file) => matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)),
        Err(_) => false,
    };
    Ok(Listed { id, created_unix_ms, bytes, in_use })
}

/// Bytes of all files in `folder`. What disappears meanwhile counts nothing.
fn size(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes += size(&entry.path())?,
            Ok(metadata) => bytes += metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> ShelfError {
    let path = path.to_owned();
    |source| ShelfError::Storage { path, source }
}
