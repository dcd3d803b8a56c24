//! Folders of steps that are over, emptied and kept for the steps that come.
//!
//! Making and removing the six files of a step costs a good part of what its shell does, and some file systems get slower
//! with every file that was removed in the last minutes. A folder that is handed on costs two renames. Its files are the
//! very same ones, though: what still has one open would write into those of another step. So only a folder is kept that
//! nobody can know any longer, with nothing in it but what a step gets anyway.
//!
//! Knows folders and files; not what is in them, nor whether a process is left that knows them.

use std::ffi::{OsStr, OsString};
use std::fs::{File, create_dir_all, remove_dir_all, remove_file, rename};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::folder::{Look, StepFolder};

/// Where folders wait for their next step. Clones share them; hosts of one run may do so too. The default keeps none.
#[derive(Clone, Default)]
pub struct SpareFolders {
    place: Option<Arc<Place>>,
}

struct Place {
    path: PathBuf,
    idle: Mutex<Vec<Idle>>,
    kept: AtomicU64,
    /// What a file looks like that was just made.
    untouched: OnceLock<Look>,
}

struct Idle {
    path: PathBuf,
    folder: StepFolder,
    /// Its script. Another shell wants another name.
    script: Option<OsString>,
}

impl SpareFolders {
    /// Keeps them in `folder`, which is made when there is one to keep. It has to be on the file system of the jobs'
    /// `RUNNER_TEMP`, and outside of everything that snapshots cover.
    pub fn kept_in(folder: PathBuf) -> Self {
        let place = Place {
            path: folder,
            idle: Mutex::default(),
            kept: AtomicU64::default(),
            untouched: OnceLock::default(),
        };
        Self { place: Some(Arc::new(place)) }
    }

    /// Puts a folder with empty files at `to`; no script is among them but perhaps one of this name. `None` when there is none, or
    /// something else is there.
    pub(super) fn take(&self, to: &Path, script: Option<&OsStr>) -> Option<StepFolder> {
        let idle = self.place.as_ref()?.idle().pop()?;
        if rename_into(&idle.path, to).is_err() {
            let _ = remove_dir_all(&idle.path);
            return None;
        }
        if let Some(other) = idle.script.filter(|idle| script != Some(idle))
            && idle.folder.remove(&other).is_err()
        {
            let _ = remove_dir_all(to);
            return None;
        }
        Some(idle.folder)
    }

    /// Learns from a new file what one looks like that no step has touched.
    pub(super) fn learn(&self, new: &File) {
        if let Some(place) = &self.place
            && place.untouched.get().is_none()
            && let Some(look) = Look::of_new(new)
        {
            let _ = place.untouched.set(look);
        }
    }

    /// What a file looks like that no step has touched; `None`: nobody needs to know.
    pub(super) fn untouched(&self) -> Option<Look> {
        self.place.as_ref()?.untouched.get().copied()
    }

    /// Takes the folder of a step that is over out of everybody's sight; `None` leaves it where it is.
    pub(super) fn withdraw(&self, path: &Path) -> Option<Withdrawn> {
        let place = self.place.as_ref()?;
        let number = place.kept.fetch_add(1, Ordering::Relaxed);
        let kept = place.path.join(number.to_string());
        rename_into(path, &kept).ok()?;
        Some(Withdrawn { place: Arc::clone(place), path: kept })
    }
}

impl std::fmt::Debug for SpareFolders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SpareFolders").field(&self.place.as_ref().map(|place| &place.path)).finish()
    }
}

/// The folder of a step that is over, where no step finds it.
pub(super) struct Withdrawn {
    place: Arc<Place>,
    path: PathBuf,
}

impl Withdrawn {
    /// Keeps it for another step, if there is nothing in it but `emptied` files and, if the step had one, its script, which is as it was
    /// made but for what is in it. Else it is removed.
    pub(super) fn keep(self, mut folder: StepFolder, emptied: usize, script: Option<&OsStr>) {
        let is_all = folder.count() == Some(emptied + usize::from(script.is_some()));
        let untouched = self.place.untouched.get();
        // A script may hold secrets: its text is not left lying about.
        let is_empty = script
            .is_none_or(|script| untouched.and_then(|untouched| folder.empty(script, *untouched)).is_some());
        if !is_all || !is_empty {
            return self.remove();
        }
        let script = script.map(OsStr::to_owned);
        self.place.idle().push(Idle { path: self.path, folder, script });
    }

    /// Removes it, for good.
    pub(super) fn remove(self) {
        let _ = remove(&self.path);
    }
}

impl Place {
    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
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

        /// A folder and its two files, of which the first is the script.
        fn step(&self, name: &str) -> (PathBuf, Vec<PathBuf>) {
            let folder = self.folder.path().join(name);
            let files = ["script.sh", "set_env"].map(|file| folder.join(file)).to_vec();
            (folder, files)
        }

        /// A step's folder with something in its files.
        fn made(&self, name: &str) -> (PathBuf, Vec<PathBuf>, StepFolder) {
            let (path, files) = self.step(name);
            fs::create_dir(&path).unwrap();
            files.iter().for_each(|file| fs::write(file, "text").unwrap());
            self.spare.learn(&fs::File::open(&files[0]).unwrap());
            let folder = StepFolder::open(&path).unwrap();
            (path, files, folder)
        }

        /// Whether the folder is there for another step. It is not where it was in any case.
        fn keep(&self, (path, files, folder): (PathBuf, Vec<PathBuf>, StepFolder)) -> bool {
            let [script, other] = [0, 1].map(|file: usize| files[file].file_name().unwrap());
            let untouched = self.spare.untouched().filter(|_| folder.is_at(&path));
            let taken = untouched.and_then(|untouched| folder.take(other, untouched, true));
            let withdrawn = self.spare.withdraw(&path).unwrap();
            assert!(path.symlink_metadata().is_err());
            match taken {
                Some(text) => {
                    assert_eq!(text, b"text");
                    withdrawn.keep(folder, 1, Some(script));
                }
                None => withdrawn.remove(),
            }
            let place = self.spare.place.as_ref().unwrap();
            let left = fs::read_dir(&place.path).unwrap().count();
            let idle = place.idle().len();
            assert_eq!(left, idle, "what is not kept is removed");
            idle > 0
        }
    }

    #[test]
    fn a_folder_comes_back_under_another_name_and_empty() {
        let fixture = Fixture::new();
        assert!(fixture.keep(fixture.made("one")));
        let (two, files) = fixture.step("two");
        let again = fixture.spare.take(&two, files[0].file_name()).unwrap();
        assert!(files.iter().all(|file| fs::read(file).unwrap().is_empty()));
        fs::write(&files[0], "text").unwrap();
        fs::write(&files[1], "text").unwrap();
        assert!(fixture.keep((two, files, again)), "as often as one likes");
        let (three, files) = fixture.step("three");
        assert!(fixture.spare.take(&three, files[0].file_name()).is_some());
        let (four, files) = fixture.step("four");
        assert!(fixture.spare.take(&four, files[0].file_name()).is_none(), "there was one only");
    }

    #[test]
    fn another_shell_gets_no_script_of_the_first() {
        let fixture = Fixture::new();
        let one = fixture.made("one");
        assert!(fixture.keep(one));
        let (two, files) = fixture.step("two");
        assert!(fixture.spare.take(&two, Some(OsStr::new("script.py"))).is_some());
        assert!(!files[0].exists() && files[1].exists());
    }

    #[test]
    fn a_folder_that_is_not_as_a_step_gets_it_is_removed() {
        let touches: [fn(&Path, &[PathBuf]); 8] = [
            |folder, _| fs::write(folder.join("more"), "").unwrap(),
            |_, files| fs::remove_file(&files[1]).unwrap(),
            |_, files| fs::remove_file(&files[0]).unwrap(),
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
            assert!(!fixture.keep(one), "{index}");
        }
    }

    #[test]
    fn without_a_place_nothing_is_kept() {
        let fixture = Fixture { spare: SpareFolders::default(), ..Fixture::new() };
        let (one, ..) = fixture.made("one");
        assert!(fixture.spare.withdraw(&one).is_none() && one.exists());
    }
}
