//! What the services keep on disk: files with names of ours, and one index that says what they are.
//!
//! A name that somebody gave stands in the index and nowhere in a path, so no name leads out of the folder. The index is
//! replaced as a whole by a rename; whoever changes it holds a lock that other processes see too. Knows files and entries;
//! not what an entry is for.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Holds what is not content: the index, the lock, what is on its way.
const OWN_FOLDER: &str = ".store";

/// Something that is kept.
pub(super) trait Entry: Clone + Serialize + DeserializeOwned {
    /// The file's name in the store, made by us.
    fn file(&self) -> &str;

    /// Its bytes.
    fn size(&self) -> u64;
}

/// All that is kept.
#[derive(Serialize, Deserialize)]
pub(super) struct Index<E> {
    next_id: u64,
    /// In the order in which they came.
    pub(super) entries: Vec<E>,
}

impl<E> Default for Index<E> {
    fn default() -> Self {
        Self { next_id: 1, entries: Vec::new() }
    }
}

impl<E> Index<E> {
    /// A number that no entry had before.
    pub(super) fn take_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }
}

/// A folder with entries. Several processes may have the same one open.
pub(super) struct Store {
    folder: PathBuf,
    /// What is on its way in this process. Locked, so that others can tell it from what was left by one that was killed.
    uploads: PathBuf,
    next_upload: AtomicU64,
    /// Shared by all that have the store open.
    _open: File,
    _uploading: File,
}

impl Store {
    /// Opens the store in `folder`, which is made if it is not there. What processes left that are gone is swept away.
    ///
    /// # Errors
    /// The folder cannot be made or locked.
    pub(super) fn open(folder: &Path) -> io::Result<Store> {
        let all_uploads = folder.join(OWN_FOLDER).join("uploads");
        make(&all_uploads)?;
        let open = File::open(folder)?;
        open.lock_shared()?;
        // Otherwise our own folder could be swept by somebody else before it is locked.
        let _nobody_else = lock(folder)?;
        let uploads = all_uploads.join(format!("{}-{:08x}", std::process::id(), fastrand::u32(..)));
        make(&uploads)?;
        let uploading = File::open(&uploads)?;
        uploading.lock()?;
        let store = Store {
            folder: folder.to_owned(),
            uploads,
            next_upload: AtomicU64::new(1),
            _open: open,
            _uploading: uploading,
        };
        store.sweep_uploads(&all_uploads);
        Ok(store)
    }

    /// A new, empty folder for one upload, and its number.
    ///
    /// # Errors
    /// It cannot be made.
    pub(super) fn begin_upload(&self) -> io::Result<(u64, PathBuf)> {
        let id = self.next_upload.fetch_add(1, Ordering::Relaxed);
        let folder = self.uploads.join(id.to_string());
        make(&folder)?;
        Ok((id, folder))
    }

    /// The entries as they are now.
    ///
    /// # Errors
    /// The index cannot be read.
    pub(super) fn entries<E: Entry>(&self) -> io::Result<Vec<E>> {
        Ok(self.read::<E>()?.entries)
    }

    /// Changes the entries while nobody else does. The files of entries that are gone afterwards go as well, if `change`
    /// succeeds.
    ///
    /// # Errors
    /// Those of `change`, and the index cannot be read or written.
    pub(super) fn change<E: Entry, T, F: From<io::Error>>(
        &self,
        change: impl FnOnce(&mut Index<E>) -> Result<T, F>,
    ) -> Result<T, F> {
        let _nobody_else = lock(&self.folder)?;
        let mut index = self.read::<E>()?;
        let before: Vec<String> = index.entries.iter().map(|entry| entry.file().to_owned()).collect();
        let result = change(&mut index)?;
        self.write(&index)?;
        for file in before.iter().filter(|file| !index.entries.iter().any(|entry| entry.file() == **file)) {
            // One that is still there costs its bytes, and nobody finds it.
            let _ = fs::remove_file(self.path(file));
        }
        Ok(result)
    }

    /// Puts the finished file of an upload in its place. Inside of [`change`](Self::change) only.
    ///
    /// # Errors
    /// It cannot be moved.
    pub(super) fn take_in(&self, content: &Path, file: &str) -> io::Result<()> {
        fs::rename(content, self.path(file))
    }

    /// Where the content of an entry is.
    pub(super) fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    /// Whether the content of an entry is there in its full length.
    pub(super) fn is_whole<E: Entry>(&self, entry: &E) -> bool {
        fs::metadata(self.path(entry.file())).is_ok_and(|found| found.len() == entry.size())
    }

    /// Removes files with this ending that no entry has: their process was killed before it wrote the index.
    ///
    /// # Errors
    /// The index cannot be read, or not be locked.
    pub(super) fn sweep<E: Entry>(&self, ending: &str) -> io::Result<()> {
        let _nobody_else = lock(&self.folder)?;
        let index = self.read::<E>()?;
        for found in fs::read_dir(&self.folder)?.filter_map(Result::ok) {
            let name = found.file_name().to_string_lossy().into_owned();
            if name.ends_with(ending) && !index.entries.iter().any(|entry| entry.file() == name) {
                let _ = fs::remove_file(found.path());
            }
        }
        Ok(())
    }

    fn own(&self, name: &str) -> PathBuf {
        self.folder.join(OWN_FOLDER).join(name)
    }

    fn read<E: Entry>(&self) -> io::Result<Index<E>> {
        let path = self.own("index.json");
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Index::default()),
            Err(error) => return Err(error),
        };
        Ok(serde_json::from_slice(&bytes).unwrap_or_else(|error| {
            tracing::warn!("{}: {error}: what it listed is not found any more", path.display());
            // For a person to look at; nothing reads it.
            let _ = fs::rename(&path, self.own("index.broken"));
            Index::default()
        }))
    }

    fn write<E: Entry>(&self, index: &Index<E>) -> io::Result<()> {
        let new = self.own("index.new");
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec(index)?)?;
        file.sync_data()?;
        fs::rename(new, self.own("index.json"))
    }

    /// An upload folder that can be locked is nobody's any more.
    fn sweep_uploads(&self, all: &Path) {
        for folder in fs::read_dir(all).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path())
        {
            if folder != self.uploads && File::open(&folder).is_ok_and(|opened| opened.try_lock().is_ok()) {
                let _ = fs::remove_dir_all(&folder);
            }
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.uploads);
    }
}

/// Removes all but the `most` newest of the stores beside `own`, by name. One that somebody has open stays.
pub(super) fn prune_siblings(own: &Path, most: usize) {
    let Some(all) = own.parent() else { return };
    let entries = fs::read_dir(all).into_iter().flatten().filter_map(Result::ok);
    let mut others: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path != own).collect();
    others.sort();
    let surplus = (others.len() + 1).saturating_sub(most);
    for folder in others.iter().take(surplus) {
        remove_unless_open(folder);
    }
}

/// Removes the oldest of the stores beside `own`, by name, until all of them and `own` have at most so many bytes. One that
/// somebody has open stays.
pub(super) fn thin_siblings(own: &Path, bytes_max: u64) {
    let Some(all) = own.parent() else { return };
    let entries = fs::read_dir(all).into_iter().flatten().filter_map(Result::ok);
    let others = entries.map(|entry| entry.path()).filter(|path| path != own);
    let mut others: Vec<(PathBuf, u64)> = others.map(|path| (path.clone(), bytes_in(&path))).collect();
    others.sort();
    let mut bytes = others.iter().fold(bytes_in(own), |all, (_, bytes)| all.saturating_add(*bytes));
    for (folder, of_this) in others {
        if bytes <= bytes_max {
            return;
        }
        if remove_unless_open(&folder) {
            bytes = bytes.saturating_sub(of_this);
        }
    }
}

/// Removes a store; whether it is gone. Nobody opens it meanwhile.
fn remove_unless_open(folder: &Path) -> bool {
    let Ok(opened) = File::open(folder) else { return false };
    opened.try_lock().is_ok() && fs::remove_dir_all(folder).is_ok()
}

/// The content that a store has; what it needs for itself does not count.
fn bytes_in(store: &Path) -> u64 {
    let files = fs::read_dir(store).into_iter().flatten().filter_map(|entry| entry.ok()?.metadata().ok());
    files.filter(fs::Metadata::is_file).fold(0, |all, file| all.saturating_add(file.len()))
}

/// Nobody else changes the store in `folder` as long as the answer lives.
fn lock(folder: &Path) -> io::Result<File> {
    let lock = File::create(folder.join(OWN_FOLDER).join("lock"))?;
    lock.lock()?;
    Ok(lock)
}

fn make(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Serialize, Deserialize)]
    struct Text {
        file: String,
        size: u64,
    }

    impl Entry for Text {
        fn file(&self) -> &str {
            &self.file
        }

        fn size(&self) -> u64 {
            self.size
        }
    }

    fn put(store: &Store, text: &str) -> io::Result<String> {
        let (_, upload) = store.begin_upload()?;
        fs::write(upload.join("content"), text)?;
        store.change(|index: &mut Index<Text>| {
            let file = format!("{}.text", index.take_id());
            store.take_in(&upload.join("content"), &file)?;
            index.entries.push(Text { file: file.clone(), size: text.len() as u64 });
            Ok::<_, io::Error>(file)
        })
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut all: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        all.sort();
        all
    }

    #[test]
    fn two_that_write_at_once_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let stores = [Store::open(folder.path()).unwrap(), Store::open(folder.path()).unwrap()];
        std::thread::scope(|scope| {
            for store in &stores {
                scope
                    .spawn(move || (0..20).for_each(|number| drop(put(store, &number.to_string()).unwrap())));
            }
        });
        let entries: Vec<Text> = stores[0].entries().unwrap();
        assert_eq!(entries.len(), 40);
        let mut files: Vec<&str> = entries.iter().map(Entry::file).collect();
        files.sort_unstable();
        files.dedup();
        assert_eq!(files.len(), 40, "no two have one name");
        assert!(entries.iter().all(|entry| stores[1].is_whole(entry)));
    }

    #[test]
    fn an_entry_goes_with_its_file_and_a_failed_change_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let (first, second) = (put(&store, "one").unwrap(), put(&store, "two").unwrap());
        let refused = store.change(|index: &mut Index<Text>| {
            index.entries.clear();
            Err::<(), _>(io::Error::other("no"))
        });
        assert!(refused.is_err() && store.entries::<Text>().unwrap().len() == 2);
        store
            .change(|index: &mut Index<Text>| {
                index.entries.retain(|entry| entry.file != first);
                Ok::<_, io::Error>(())
            })
            .unwrap();
        assert_eq!(names(folder.path()), [OWN_FOLDER, &second]);
    }

    #[test]
    fn what_a_killed_process_left_is_swept_and_what_a_living_one_has_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let living = Store::open(folder.path()).unwrap();
        let (_, upload) = living.begin_upload().unwrap();
        let left = folder.path().join(OWN_FOLDER).join("uploads/1-dead/1");
        fs::create_dir_all(&left).unwrap();
        fs::write(left.join("content"), "half").unwrap();
        fs::write(folder.path().join("9.text"), "nobody's").unwrap();
        let kept = put(&living, "kept").unwrap();
        let other = Store::open(folder.path()).unwrap();
        other.sweep::<Text>(".text").unwrap();
        assert!(upload.exists() && !left.exists());
        assert_eq!(names(folder.path()), [OWN_FOLDER, &kept]);
        drop(living);
        assert!(!upload.exists(), "nothing is left behind");
    }

    #[test]
    fn an_index_that_cannot_be_read_stops_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        put(&store, "one").unwrap();
        fs::write(folder.path().join(OWN_FOLDER).join("index.json"), "{").unwrap();
        assert_eq!(store.entries::<Text>().unwrap().len(), 0);
        put(&store, "two").unwrap();
        assert_eq!(store.entries::<Text>().unwrap().len(), 1);
    }

    #[test]
    fn a_short_file_is_not_whole() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let file = put(&store, "four").unwrap();
        fs::write(folder.path().join(file), "fo").unwrap();
        assert!(!store.is_whole(&store.entries::<Text>().unwrap()[0]));
    }

    #[test]
    fn old_stores_go_and_open_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        let oldest = Store::open(&folder.path().join("1")).unwrap();
        for name in ["2", "3", "4"] {
            drop(Store::open(&folder.path().join(name)).unwrap());
        }
        prune_siblings(&folder.path().join("4"), 2);
        assert_eq!(names(folder.path()), ["1", "3", "4"]);
        drop(oldest);
    }
}
