//! Folder trees of jobs that are over and left nothing in them, kept for the jobs of the run that come.
//!
//! Making and removing the folders of a job costs more than a small step: each takes a block of the disk and gives it back.
//! A tree that is handed on costs one rename. Knows folders and their stamps; not what they are for.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is changed by whatever happens to a file or a folder, but not when it is moved with the folder around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    mode: u32,
    links: u64,
    changed: (i64, i64),
}

impl Stamp {
    fn of(found: &Metadata) -> Self {
        Self {
            inode: found.ino(),
            mode: found.mode(),
            links: found.nlink(),
            changed: (found.ctime(), found.ctime_nsec()),
        }
    }
}

/// The tree of one job as it was made.
#[derive(Debug)]
pub(crate) struct JobTree {
    top: PathBuf,
    stamps: Vec<(PathBuf, Stamp)>,
    /// Where something comes and goes in good order.
    emptied: Vec<PathBuf>,
}

impl JobTree {
    /// A tree that was just made. `inner` are its files and folders below `top`, which a job may only have looked at;
    /// `emptied` are those that have to be empty at the end.
    ///
    /// # Errors
    /// One of them is not there.
    pub(crate) fn new(top: &Path, inner: &[&Path], emptied: &[&Path]) -> io::Result<Self> {
        let below = |path: &Path| path.strip_prefix(top).map(Path::to_path_buf).map_err(io::Error::other);
        let stamp = |path: &&Path| Ok((below(path)?, Stamp::of(&fs::symlink_metadata(path)?)));
        Ok(Self {
            top: top.to_path_buf(),
            stamps: inner.iter().map(stamp).collect::<io::Result<_>>()?,
            emptied: emptied.iter().map(|path| below(path)).collect::<io::Result<_>>()?,
        })
    }

    /// Stamps alone do not do: where the clock of a file system is coarse, a change shows in the listing only.
    fn is_untouched(&self) -> bool {
        let same = |(path, stamp): &(PathBuf, Stamp)| {
            fs::symlink_metadata(self.top.join(path)).is_ok_and(|found| Stamp::of(&found) == *stamp)
        };
        let is_empty = |path: &PathBuf| {
            let folder = self.top.join(path);
            fs::symlink_metadata(&folder).is_ok_and(|found| found.is_dir())
                && fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_none())
        };
        self.stamps.iter().all(same) && self.emptied.iter().all(is_empty)
    }
}

/// Trees that wait for their next job; all of one run, and so of one shape.
#[derive(Debug, Default)]
pub(crate) struct IdleTrees {
    idle: Mutex<Vec<JobTree>>,
}

impl IdleTrees {
    /// Puts a tree at `top`, where nothing is; `None` when there is none.
    pub(crate) fn take(&self, top: &Path) -> Option<JobTree> {
        let tree = self.lock().pop()?;
        // One that cannot be moved stays where it is, and goes with the folder of the run.
        fs::rename(&tree.top, top).ok()?;
        Some(JobTree { top: top.to_path_buf(), ..tree })
    }

    /// Takes the tree of a job that is over, if the job left nothing in it. No process of the job may be left.
    pub(crate) fn keep(&self, tree: JobTree) {
        if tree.is_untouched() {
            self.lock().push(tree);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<JobTree>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(folder: &Path, name: &str) -> (PathBuf, JobTree) {
        let top = folder.join(name);
        let (work, commands, event) = (top.join("work"), top.join("commands"), top.join("event.json"));
        fs::create_dir_all(&work).unwrap();
        fs::create_dir_all(&commands).unwrap();
        fs::write(&event, "{}").unwrap();
        let tree = JobTree::new(&top, &[&work, &event], &[&work, &commands]).unwrap();
        (top, tree)
    }

    #[test]
    fn a_tree_without_a_trace_becomes_that_of_another_job_and_another() {
        let folder = tempfile::tempdir().unwrap();
        let (one, tree) = tree(folder.path(), "one");
        // What comes and goes in good order.
        fs::create_dir(one.join("commands/main-0")).unwrap();
        fs::remove_dir(one.join("commands/main-0")).unwrap();
        let idle = IdleTrees::default();
        idle.keep(tree);
        let two = idle.take(&folder.path().join("two")).unwrap();
        assert!(!one.exists() && folder.path().join("two/event.json").exists());
        assert!(idle.take(&folder.path().join("other")).is_none());
        idle.keep(two);
        assert!(idle.take(&folder.path().join("three")).is_some());
    }

    #[test]
    fn a_tree_with_a_trace_stays_as_it_is() {
        let touches: [fn(&Path); 5] = [
            |top| fs::write(top.join("work/file"), "").unwrap(),
            |top| fs::write(top.join("event.json"), "{\"a\":1}").unwrap(),
            |top| fs::hard_link(top.join("event.json"), top.join("link")).unwrap(),
            |top| fs::create_dir(top.join("commands/left")).unwrap(),
            |top| {
                fs::rename(top.join("work"), top.join("moved")).unwrap();
                fs::create_dir(top.join("work")).unwrap();
            },
        ];
        for (index, touch) in touches.into_iter().enumerate() {
            let folder = tempfile::tempdir().unwrap();
            let (top, tree) = tree(folder.path(), "one");
            touch(&top);
            let idle = IdleTrees::default();
            idle.keep(tree);
            assert!(idle.take(&folder.path().join("two")).is_none() && top.exists(), "{index}");
        }
    }
}
