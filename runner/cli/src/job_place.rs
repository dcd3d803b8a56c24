//! The folders of a run and of each of its jobs, and the environment that steps start from.
//!
//! Makes and removes folders under the cache; the files in a workspace are checkout's and the steps' affair.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::job::JobInputs;
use engine::process::CommandFiles;
use expr::Value;
use host::live::{BaseEnvironment, SpareFolders};
use host::snapshot::{Root, Roots, RootsError};

use crate::args::{HomeChoice, WorkspaceChoice};
use crate::config::Settings;
use crate::job_tree::{IdleTrees, JobTree};
use crate::paths::Paths;

/// No job is called so.
const SPARE: &str = ".spare";
/// How many folders of failed runs are kept.
const KEPT_RUNS: usize = 3;
/// Prefixes of variables that belong to whoever runs us, not to the job.
const FOREIGN: [&str; 4] = ["GITHUB_", "RUNNER_", "ACTIONS_", "INPUT_"];

/// The folder of one run.
pub(crate) struct RunFolder {
    path: PathBuf,
    spare: SpareFolders,
    idle: IdleTrees,
    /// As long as we have it, nobody tidies the folder away.
    _lock: Option<File>,
}

impl RunFolder {
    /// A new folder; those of old failed runs go, all but the newest few.
    ///
    /// # Errors
    /// It cannot be made.
    pub(crate) fn create(paths: &Paths) -> io::Result<RunFolder> {
        let runs = paths.cache.join("runs");
        make(&runs)?;
        prune(&runs);
        // In the order of their names they are in the order of their making.
        let name = format!("{}-{:08x}", jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S"), fastrand::u32(..));
        let path = runs.join(name);
        make(&path)?;
        let spare = SpareFolders::kept_in(path.join(SPARE));
        Ok(RunFolder { _lock: lock(&path), spare, idle: IdleTrees::default(), path })
    }

    /// The name of the run whose folder this is. No other run has it.
    pub(crate) fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The name of the run whose folder `inside` lies in.
    pub(crate) fn name_around(paths: &Paths, inside: &Path) -> Option<String> {
        let run = inside.strip_prefix(paths.cache.join("runs")).ok()?.components().next()?;
        Some(run.as_os_str().to_string_lossy().into_owned())
    }

    /// Keeps the run's folder that `inside` lies in from being tidied away, as long as the answer lives.
    pub(crate) fn hold(paths: &Paths, inside: &Path) -> Option<File> {
        let runs = paths.cache.join("runs");
        let run = inside.strip_prefix(&runs).ok()?.components().next()?;
        lock(&runs.join(run))
    }

    /// Folders of runs that nobody has any more and that are `wanted`, locked as long as the answers live.
    pub(crate) fn abandoned(paths: &Paths, wanted: impl Fn(&Path) -> bool) -> Vec<(PathBuf, File)> {
        let entries = fs::read_dir(paths.cache.join("runs")).into_iter().flatten().filter_map(Result::ok);
        let folders = entries.map(|entry| entry.path()).filter(|path| wanted(path));
        folders.filter_map(|path| lock(&path).map(|lock| (path, lock))).collect()
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the jobs of the run keep the folders of their steps between two steps.
    pub(crate) fn spare(&self) -> SpareFolders {
        self.spare.clone()
    }

    /// Takes back the folders of a job that is over: the next job gets them if nothing is in them and nobody is left who
    /// might still put something there.
    pub(crate) fn give_back(&self, place: JobPlace) {
        if let Some(tree) = place.tree
            && !place.store.exists()
            && host::orphans::none_possible()
        {
            self.idle.keep(tree);
        }
    }

    /// Removes it with everything in it, as far as that is possible.
    pub(crate) fn remove(self) {
        remove_all(&self.path);
    }
}

/// A lock on a folder; `None` while somebody else has it.
fn lock(folder: &Path) -> Option<File> {
    File::open(folder).ok().filter(|folder| folder.try_lock().is_ok())
}

fn make(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Folders without write permission (a module cache, for instance) are made writable first.
fn remove_all(path: &Path) {
    if fs::remove_dir_all(path).is_ok() {
        return;
    }
    let mut open = vec![path.to_path_buf()];
    while let Some(folder) = open.pop() {
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        let _ = fs::set_permissions(&folder, permissions);
        let entries = fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok);
        open.extend(
            entries
                .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
                .map(|entry| entry.path()),
        );
    }
    // What still cannot be removed belongs to somebody else; the next start tries again.
    let _ = fs::remove_dir_all(path);
}

fn prune(runs: &Path) {
    let Ok(entries) = fs::read_dir(runs) else { return };
    let mut old: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    old.sort();
    let surplus = old.len().saturating_sub(KEPT_RUNS);
    for path in old.iter().take(surplus) {
        // A run that still goes on has its folder locked.
        if let Some(_lock) = lock(path) {
            remove_all(path);
        }
    }
}

/// The folders of one job.
pub(crate) struct JobPlace {
    /// `github.workspace`.
    pub(crate) workspace: PathBuf,
    /// `runner.temp`.
    pub(crate) temp: PathBuf,
    /// The job's own home, if it has one.
    pub(crate) home: Option<PathBuf>,
    /// Where snapshots are kept while the session lasts; made when there are some.
    pub(crate) store: PathBuf,
    /// The folders as they were made, if another job may get them.
    tree: Option<JobTree>,
    /// The workspace is the person's own tree.
    pub(crate) in_place: bool,
}

impl JobPlace {
    /// Makes the folders of the job `key`, and the file that `GITHUB_EVENT_PATH` names.
    ///
    /// # Errors
    /// They cannot be made.
    pub(crate) fn create(
        run: &RunFolder,
        key: &str,
        root: &Path,
        settings: &Settings,
        event_json: &str,
    ) -> io::Result<JobPlace> {
        let folder = run.path.join(key.replace(['/', '[', ']'], "_"));
        let in_place = settings.workspace == WorkspaceChoice::InPlace;
        // GitHub's own layout has the repository's name twice; scripts that look for it in the path find it.
        let name = root.file_name().unwrap_or_default();
        let workspace = if in_place { root.to_path_buf() } else { folder.join("work").join(name) };
        let temp = folder.join("temp");
        let home = (settings.home == HomeChoice::Fresh).then(|| folder.join("home"));
        let store = folder.join("snapshots");
        let mut place = JobPlace { workspace, temp, home, store, tree: run.idle.take(&folder), in_place };
        if place.tree.is_none() {
            place.make(event_json)?;
            place.tree = Some(place.as_made(&folder)?);
        }
        Ok(place)
    }

    /// The folders of a recorded job, made again where they are gone. `None` if the recording does not name them.
    ///
    /// # Errors
    /// They cannot be made.
    pub(crate) fn recorded(
        roots: &[(String, PathBuf)],
        store: PathBuf,
        in_place: bool,
    ) -> io::Result<Option<JobPlace>> {
        roots.iter().try_for_each(|(_, folder)| make(folder))?;
        Ok(Self::named(roots, store, in_place))
    }

    /// The same, whether or not they are there.
    pub(crate) fn named(roots: &[(String, PathBuf)], store: PathBuf, in_place: bool) -> Option<JobPlace> {
        let folder =
            |wanted: &str| roots.iter().find(|(name, _)| name == wanted).map(|(_, folder)| folder.clone());
        let (workspace, temp) = (folder(session::files::WORKSPACE)?, folder("temp")?);
        Some(JobPlace { workspace, temp, home: folder("home"), store, tree: None, in_place })
    }

    fn make(&self, event_json: &str) -> io::Result<()> {
        make(&self.workspace)?;
        make(&self.temp.join("_github_workflow"))?;
        make(&self.temp.join(CommandFiles::FOLDER))?;
        self.home.iter().try_for_each(|home| make(home))?;
        fs::write(self.event_path(), event_json)
    }

    fn as_made(&self, folder: &Path) -> io::Result<JobTree> {
        let (event, commands) = (self.event_path(), self.temp.join(CommandFiles::FOLDER));
        let event_folder = event.parent().unwrap_or(&event);
        let mut inner = vec![self.temp.as_path(), event_folder, &event];
        let mut emptied = vec![commands.as_path()];
        if !self.in_place {
            inner.extend([&self.workspace, self.workspace.parent().unwrap_or(&self.workspace)]);
            emptied.push(&self.workspace);
        }
        if let Some(home) = &self.home {
            inner.push(home);
            emptied.push(home);
        }
        JobTree::new(folder, &inner, &emptied)
    }

    /// The folder for snapshots that last as long as the session.
    ///
    /// # Errors
    /// It cannot be made.
    pub(crate) fn make_store(&self) -> io::Result<&Path> {
        make(&self.store)?;
        Ok(&self.store)
    }

    fn event_path(&self) -> PathBuf {
        self.temp.join("_github_workflow/event.json")
    }

    /// Puts the folders into the job's contexts.
    pub(crate) fn tell(&self, inputs: &mut JobInputs) {
        let text = |path: &Path| Value::string(path.to_string_lossy().as_ref());
        let (github, runner) = (Arc::make_mut(&mut inputs.github), Arc::make_mut(&mut inputs.runner));
        github.insert("workspace", text(&self.workspace));
        github.insert("event_path", text(&self.event_path()));
        runner.insert("temp", text(&self.temp));
        runner.insert("workspace", text(self.workspace.parent().unwrap_or(&self.workspace)));
    }

    /// What snapshots cover.
    ///
    /// # Errors
    /// The folders lie inside one another.
    pub(crate) fn roots(&self) -> Result<Roots, RootsError> {
        let workspace = Root::new(session::files::WORKSPACE, &self.workspace);
        let workspace = if self.in_place { workspace.keep_git() } else { workspace };
        // What the files of a step say is in the job's state, and a step that stands goes on with the very same ones.
        let temp = Root::new("temp", &self.temp).without(CommandFiles::FOLDER);
        let home = self.home.as_ref().map(|home| Root::new("home", home));
        Roots::new([workspace, temp].into_iter().chain(home))
    }

    /// Our own environment, without what belongs to whoever runs us and without the secrets: a step has those only where the
    /// workflow gives them.
    pub(crate) fn base_environment(&self, secrets: &[&str]) -> BaseEnvironment {
        let of_the_job = |name: &OsString| {
            let name = name.to_string_lossy();
            !FOREIGN.iter().any(|prefix| name.starts_with(prefix))
                && !secrets.iter().any(|secret| secret.eq_ignore_ascii_case(&name))
        };
        let with_own_home = |name: &OsString| {
            let name = name.to_string_lossy();
            self.home.is_none() || !(name == "HOME" || name.starts_with("XDG_"))
        };
        let inherited = std::env::vars_os().filter(|(name, _)| of_the_job(name) && with_own_home(name));
        let home = self.home.iter().map(|home| (OsString::from("HOME"), home.clone().into_os_string()));
        BaseEnvironment::new(inherited.chain(home))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Options;
    use crate::config;

    fn place(options: Options) -> (tempfile::TempDir, RunFolder, JobPlace) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("repo");
        fs::create_dir(&root).unwrap();
        let paths = Paths { state: folder.path().join("state"), cache: folder.path().join("cache") };
        let run = RunFolder::create(&paths).unwrap();
        let settings = config::settings(&root, &root, options).unwrap();
        let place = JobPlace::create(&run, "test[1]", &root, &settings, "{}").unwrap();
        (folder, run, place)
    }

    #[test]
    fn a_fresh_job_has_folders_of_its_own() {
        let (_folder, run, place) = place(Options { home: Some(HomeChoice::Fresh), ..Options::default() });
        let mut inputs = JobInputs::default();
        place.tell(&mut inputs);
        assert!(place.workspace.ends_with("test_1_/work/repo") && place.workspace.is_dir());
        let event = inputs.github.get("event_path").unwrap().to_text().into_owned();
        assert_eq!(fs::read_to_string(event).unwrap(), "{}");
        assert_eq!(inputs.runner.get("temp").unwrap().to_text(), place.temp.to_string_lossy());
        assert_eq!(place.roots().unwrap().iter().count(), 3);
        let base = place.base_environment(&["PATH"]);
        assert_eq!(base.get("PATH"), None, "a secret is not inherited");
        assert_eq!(base.get("HOME"), place.home.as_ref().map(|home| home.as_os_str()));
        let path = run.path().to_path_buf();
        run.remove();
        assert!(!path.exists());
    }

    #[test]
    fn in_place_is_the_persons_own_tree() {
        let (folder, _run, place) =
            place(Options { workspace: Some(WorkspaceChoice::InPlace), ..Options::default() });
        assert_eq!(place.workspace, folder.path().join("repo"));
    }

    #[test]
    fn the_folder_of_a_run_that_goes_on_stays() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths { state: folder.path().join("state"), cache: folder.path().to_path_buf() };
        fs::create_dir_all(folder.path().join("runs/0")).unwrap();
        let held = RunFolder::hold(&paths, &folder.path().join("runs/0/job/work")).unwrap();
        let going_on = RunFolder::create(&paths).unwrap();
        for _ in 0..KEPT_RUNS + 2 {
            drop(RunFolder::create(&paths).unwrap());
        }
        assert!(going_on.path().exists() && folder.path().join("runs/0").exists());
        drop(held);
        drop(RunFolder::create(&paths).unwrap());
        assert!(going_on.path().exists() && !folder.path().join("runs/0").exists());
    }

    #[test]
    fn folders_of_old_runs_go() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths { state: folder.path().join("state"), cache: folder.path().to_path_buf() };
        let locked = folder.path().join("runs/1/locked/inner");
        fs::create_dir_all(&locked).unwrap();
        fs::set_permissions(locked.parent().unwrap(), std::os::unix::fs::PermissionsExt::from_mode(0o500))
            .unwrap();
        for name in ["2", "3", "4", "5"] {
            fs::create_dir(folder.path().join("runs").join(name)).unwrap();
        }
        RunFolder::create(&paths).unwrap();
        let mut names: Vec<String> = fs::read_dir(folder.path().join("runs"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names.len(), KEPT_RUNS + 1);
        assert!(names.contains(&"5".to_owned()) && !names.contains(&"1".to_owned()), "{names:?}");
    }
}
