//! Folders of steps that are over, emptied and kept for the steps that come.
//!
//! Making and removing the six files of a step costs a good part of what its shell does, and some file systems get slower
//! with every file that was removed in the last minutes. A folder that is handed on costs two renames. Its files are the
//! very same ones, though: what still has one open would write into those of another step. So only a folder is kept that
//! nobody can know any longer, with nothing in it but what a step gets anyway.
//!
//! Knows folders and files; not what is in them, nor whether a process is left that knows them.

use std::ffi::OsStr;
use std::fs::{File, create_dir_all, remove_dir_all, remove_file, rename};
use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rustix::fs::{self, AtFlags, Dir, Mode, OFlags, Stat};

/// Where folders wait for their next step. Clones share them; hosts of one run may do so too. The default keeps none.
#[derive(Clone, Debug, Default)]
pub struct SpareFolders {
    place: Option<Arc<Place>>,
}

#[derive(Debug)]
struct Place {
    folder: PathBuf,
    idle: Mutex<Vec<Idle>>,
    kept: AtomicU64,
    /// What a file looks like that was just made.
    untouched: OnceLock<Look>,
}

#[derive(Debug)]
struct Idle {
    folder: PathBuf,
    /// Another shell wants another name.
    script: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
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
}

impl SpareFolders {
    /// Keeps them in `folder`, which is made when there is one to keep. It has to be on the file system of the jobs'
    /// `RUNNER_TEMP`, and outside of everything that snapshots cover.
    pub fn kept_in(folder: PathBuf) -> Self {
        let place = Place {
            folder,
            idle: Mutex::default(),
            kept: AtomicU64::default(),
            untouched: OnceLock::default(),
        };
        Self { place: Some(Arc::new(place)) }
    }

    /// Puts a folder with empty files at `to`; `script` is wanted among them. `false` when there is none, or something else is
    /// there.
    pub(super) fn take(&self, to: &Path, script: &Path) -> bool {
        let Some(idle) = self.place.as_ref().and_then(|place| place.idle().pop()) else { return false };
        if rename_into(&idle.folder, to).is_err() {
            let _ = remove_dir_all(&idle.folder);
            return false;
        }
        if idle.script.file_name() != script.file_name() {
            let _ = remove_file(to.join(&idle.script));
        }
        true
    }

    /// Learns from a new file what one looks like that no step has touched.
    pub(super) fn learn(&self, new: &File) {
        if let Some(place) = &self.place
            && place.untouched.get().is_none()
            && let Some(look) = fs::fstat(new).ok().and_then(|found| Look::of(&found))
        {
            let _ = place.untouched.set(look);
        }
    }

    /// Takes the folder of a step that is over out of everybody's sight; `None` leaves it where it is.
    pub(super) fn withdraw(&self, folder: &Path) -> Option<Withdrawn> {
        let place = self.place.as_ref()?;
        let number = place.kept.fetch_add(1, Ordering::Relaxed);
        let kept = place.folder.join(number.to_string());
        rename_into(folder, &kept).ok()?;
        Some(Withdrawn { place: Arc::clone(place), folder: kept })
    }
}

/// The folder of a step that is over, where no step finds it.
pub(super) struct Withdrawn {
    place: Arc<Place>,
    folder: PathBuf,
}

impl Withdrawn {
    /// Empties it for another step, if it is as a step gets it but for what is in its `files`, of which `script` is one. Else
    /// it is removed.
    pub(super) fn keep(self, files: &[&OsStr], script: &OsStr) {
        if self.empty(files).is_none() {
            return self.remove();
        }
        let idle = Idle { folder: self.folder, script: script.into() };
        self.place.idle().push(idle);
    }

    /// Removes it, for good.
    pub(super) fn remove(self) {
        let _ = remove(&self.folder);
    }

    fn empty(&self, files: &[&OsStr]) -> Option<()> {
        let no_link = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = fs::open(&self.folder, OFlags::RDONLY | no_link, Mode::empty()).ok()?;
        let mut entries = Dir::new(folder).ok()?;
        let mut count = 0;
        for entry in entries.by_ref() {
            count += usize::from(!matches!(entry.ok()?.file_name().to_bytes(), b"." | b".."));
        }
        if count != files.len() {
            return None;
        }
        let folder = entries.fd().ok()?;
        let written = self.place.written(folder, files)?;
        written.into_iter().try_for_each(|file| empty(folder, file)).ok()
    }
}

impl Place {
    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which of the files have something in them; `None` unless all are there as they were made, and reachable by no other name.
    fn written<'f>(&self, folder: BorrowedFd<'_>, files: &[&'f OsStr]) -> Option<Vec<&'f OsStr>> {
        let untouched = self.untouched.get()?;
        let mut written = Vec::with_capacity(files.len());
        for &file in files {
            let found = fs::statat(folder, file, AtFlags::SYMLINK_NOFOLLOW).ok()?;
            if Look::of(&found).as_ref() != Some(untouched) {
                return None;
            }
            if found.st_size > 0 {
                written.push(file);
            }
        }
        Some(written)
    }
}

/// Renames a folder; what the new one lies in is there nearly always.
fn rename_into(folder: &Path, to: &Path) -> io::Result<()> {
    match rename(folder, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create_dir_all(to.parent().unwrap_or(to))?;
            rename(folder, to)
        }
        other => other,
    }
}

/// Removes what lies where a step's folder was.
pub(super) fn remove(folder: &Path) -> io::Result<()> {
    match remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => remove_file(folder),
        other => other,
    }
}

/// A script may hold secrets: its text is not left lying about.
fn empty(folder: BorrowedFd<'_>, file: &OsStr) -> rustix::io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    fs::openat(folder, file, flags, Mode::empty()).map(drop)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    struct Fixture {
        folder: tempfile::TempDir,
        spare: SpareFolders,
    }

    impl Fixture {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let spare = SpareFolders::kept_in(folder.path().join("spare"));
            Self { folder, spare }
        }

        fn step(&self, name: &str) -> (PathBuf, Vec<PathBuf>) {
            let folder = self.folder.path().join(name);
            let files = ["script.sh", "set_env"].map(|file| folder.join(file)).to_vec();
            (folder, files)
        }

        /// A step's folder with something in its files.
        fn made(&self, name: &str) -> (PathBuf, Vec<PathBuf>) {
            let (folder, files) = self.step(name);
            fs::create_dir(&folder).unwrap();
            files.iter().for_each(|file| fs::write(file, "text").unwrap());
            self.spare.learn(&fs::File::open(&files[0]).unwrap());
            (folder, files)
        }

        /// Whether the folder is there for another step. It is not where it was in any case.
        fn keep(&self, (folder, files): &(PathBuf, Vec<PathBuf>)) -> bool {
            let names: Vec<&OsStr> = files.iter().map(|file| file.file_name().unwrap()).collect();
            self.spare.withdraw(folder).unwrap().keep(&names, names[0]);
            assert!(folder.symlink_metadata().is_err());
            let place = self.spare.place.as_ref().unwrap();
            let left = fs::read_dir(&place.folder).unwrap().count();
            let idle = place.idle().len();
            assert_eq!(left, idle, "what is not kept is removed");
            idle > 0
        }
    }

    #[test]
    fn a_folder_comes_back_under_another_name_and_empty() {
        let fixture = Fixture::new();
        let one = fixture.made("one");
        assert!(fixture.keep(&one));
        let (two, files) = fixture.step("two");
        assert!(fixture.spare.take(&two, &files[0]));
        assert!(files.iter().all(|file| fs::read(file).unwrap().is_empty()));
        let (three, files) = fixture.step("three");
        assert!(!fixture.spare.take(&three, &files[0]), "there was one only");
    }

    #[test]
    fn another_shell_gets_no_script_of_the_first() {
        let fixture = Fixture::new();
        assert!(fixture.keep(&fixture.made("one")));
        let (two, files) = fixture.step("two");
        assert!(fixture.spare.take(&two, &two.join("script.py")));
        assert!(!files[0].exists() && files[1].exists());
    }

    #[test]
    fn a_folder_that_is_not_as_a_step_gets_it_is_removed() {
        let touches: [fn(&Path, &[PathBuf]); 7] = [
            |folder, _| fs::write(folder.join("more"), "").unwrap(),
            |_, files| fs::remove_file(&files[1]).unwrap(),
            |folder, files| fs::hard_link(&files[1], folder.with_extension("link")).unwrap(),
            |_, files| {
                let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
                fs::set_permissions(&files[1], mode).unwrap();
            },
            |folder, files| {
                fs::rename(&files[1], folder.with_extension("moved")).unwrap();
                std::os::unix::fs::symlink(folder.with_extension("moved"), &files[1]).unwrap();
            },
            |folder, _| {
                fs::rename(folder, folder.with_extension("moved")).unwrap();
                std::os::unix::fs::symlink(folder.with_extension("moved"), folder).unwrap();
            },
            |folder, _| {
                fs::remove_dir_all(folder).unwrap();
                fs::write(folder, "no folder").unwrap();
            },
        ];
        for (index, touch) in touches.into_iter().enumerate() {
            let fixture = Fixture::new();
            let one = fixture.made("one");
            touch(&one.0, &one.1);
            assert!(!fixture.keep(&one), "{index}");
        }
    }

    #[test]
    fn without_a_place_nothing_is_kept() {
        let fixture = Fixture { spare: SpareFolders::default(), ..Fixture::new() };
        let (one, _) = fixture.made("one");
        assert!(fixture.spare.withdraw(&one).is_none() && one.exists());
    }
}
