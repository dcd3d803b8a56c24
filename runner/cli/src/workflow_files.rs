//! Finding workflow files, reading them, and the calls between them.
//!
//! Knows the folders of a repository; what is in a workflow is `syntax`'s to say.

use std::cell::RefCell;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use host::action::ActionStore;
use indexmap::IndexMap;
use session::command::nearest;
use syntax::{
    CallSecrets, Diagnostic, FileProvider, Job, JobBody, ReadOptions, Severity, Sources, Workflow,
    parse_workflow,
};

use crate::exit::Fault;
use crate::given::git::Repository;

/// Where GitHub looks for workflows.
const FOLDER: &str = ".github/workflows";

/// The folder that we were started in, and what is around it.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    /// Where we were started.
    pub(crate) start: PathBuf,
    /// The top of the repository, else the nearest folder with workflows, else `start`.
    pub(crate) root: PathBuf,
    /// The repository, if there is one.
    pub(crate) repository: Option<Repository>,
    /// Where called workflows of other repositories come from; without it they are not looked at.
    pub(crate) elsewhere: Option<ActionStore>,
}

impl Project {
    /// The project that `start` (absolute) lies in.
    pub(crate) fn around(start: &Path) -> Project {
        let repository = Repository::find(start);
        let with_workflows = || start.ancestors().find(|folder| folder.join(FOLDER).is_dir());
        let root = match &repository {
            Some(repository) => repository.root.clone(),
            None => with_workflows().unwrap_or(start).to_path_buf(),
        };
        // An example inside a repository is a project of its own.
        let root =
            with_workflows().filter(|folder| folder.starts_with(&root)).map_or(root, Path::to_path_buf);
        Project { start: start.to_path_buf(), root, repository, elsewhere: None }
    }

    /// The same, with the workflows of other repositories that are called.
    pub(crate) fn reaching(&self, elsewhere: ActionStore) -> Project {
        Project { elsewhere: Some(elsewhere), ..self.clone() }
    }

    /// The project of the workflow file that a person named, if it lies in the `.github/workflows` of some other folder than
    /// this one's; else this one.
    pub(crate) fn of_file(self, named: Option<&Path>) -> Project {
        let path = named.map(|named| self.start.join(named)).filter(|path| path.is_file());
        let folder = path.as_deref().and_then(Path::parent).filter(|folder| folder.ends_with(FOLDER));
        match folder.and_then(|folder| folder.ancestors().nth(2)).and_then(|top| top.canonicalize().ok()) {
            Some(top) if top != self.root => Project { start: self.start, ..Project::around(&top) },
            _ => self,
        }
    }

    /// Every workflow file, in the order of their names.
    pub(crate) fn workflows(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.root.join(FOLDER)) else { return Vec::new() };
        let mut files: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| {
                path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml")
            })
            .filter(|path| path.is_file())
            .collect();
        files.sort();
        files
    }

    /// The same, at least one.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn some_workflows(&self) -> Result<Vec<PathBuf>, Fault> {
        let files = self.workflows();
        if files.is_empty() {
            let folder = self.shown(&self.root.join(FOLDER));
            return Err(Fault::new(format!("{folder}: no workflow files here"))
                .hint("name a file: stepback run FILE"));
        }
        Ok(files)
    }

    /// The files that a person named, else all of the project.
    ///
    /// # Errors
    /// One of them does not exist, or there is none.
    pub(crate) fn named_or_all(&self, given: &[PathBuf]) -> Result<Vec<PathBuf>, Fault> {
        match given {
            [] => self.some_workflows(),
            given => given.iter().map(|file| self.named(file)).collect(),
        }
    }

    /// The file that a person named: a path, or the name of a file in `.github/workflows`, with or without `.yml`.
    ///
    /// # Errors
    /// There is no such file.
    pub(crate) fn named(&self, given: &Path) -> Result<PathBuf, Fault> {
        let folder = self.root.join(FOLDER);
        let written = given.to_string_lossy();
        let in_folder = ["", ".yml", ".yaml"].map(|extension| folder.join(format!("{written}{extension}")));
        let direct = self.start.join(given);
        if let Some(found) = [direct].into_iter().chain(in_folder).find(|path| path.is_file()) {
            return Ok(found);
        }
        let names: Vec<String> =
            self.workflows().iter().filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect();
        let asked = given.file_name().map_or_else(|| written.clone(), |name| name.to_string_lossy());
        let meant = nearest::did_you_mean(&asked, names.iter().map(String::as_str));
        Err(Fault::new(format!("{written}: there is no such file"))
            .optional_hint(meant.map(|name| format!("did you mean `{name}`?"))))
    }

    /// A path as people see it: relative to the project where it lies inside.
    pub(crate) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }

    /// Reads a workflow file, with the local workflows that it calls.
    ///
    /// # Errors
    /// The file cannot be read. What is wrong inside is in the diagnostics.
    pub(crate) fn load(&self, path: &Path) -> Result<Loaded, Fault> {
        let shown = self.shown(path);
        let bytes =
            fs::read(path).map_err(|error| Fault::new(format!("{shown}: cannot be read: {error}")))?;
        let mut sources = Sources::new();
        let (source, bad_text) = sources.add_bytes(shown.as_str(), &bytes);
        let files = CalledFiles { project: self, found: RefCell::default(), commits: RefCell::default() };
        let (workflow, mut diagnostics) =
            parse_workflow(&mut sources, source, &ReadOptions::default(), &files);
        diagnostics.iter_mut().for_each(excuse_other_repositories);
        diagnostics.extend(bad_text);
        diagnostics.sort_by_key(|diagnostic| (diagnostic.span.source, diagnostic.span.start));
        let elsewhere = files.found.into_inner();
        let (path, shown) = (path.to_path_buf(), shown.into());
        Ok(Loaded { path, shown, sources, elsewhere, workflow, diagnostics })
    }
}

/// A workflow file as it was read.
pub(crate) struct Loaded {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// How people see that.
    pub(crate) shown: Arc<str>,
    /// It and the files it calls.
    pub(crate) sources: Sources,
    /// Where the workflows of other repositories are that it calls, by their references.
    pub(crate) elsewhere: IndexMap<Arc<str>, PathBuf>,
    /// What is in it, as far as it could be understood.
    pub(crate) workflow: Option<Workflow>,
    /// What is wrong, in the order of the file.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Loaded {
    /// Calls that lead to workflows which are not on this machine, each with its place.
    pub(crate) fn not_here(&self) -> impl Iterator<Item = String> {
        let missing = self.diagnostics.iter().filter(|one| one.code == NOT_FOUND && !one.is_error());
        missing.map(|one| {
            let (file, start) = (self.sources.path(one.span.source), one.span.start);
            format!("{file}:{}:{}: {}", start.line, start.column, one.message)
        })
    }

    /// Whether GitHub would refuse it.
    pub(crate) fn has_errors(&self) -> bool {
        self.workflow.is_none() || self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// The job that a person named: an id, or the ids that lead to a job of a called workflow, `call/build`. Spelled as in the
    /// files.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn job_id(&self, workflow: &Workflow, name: &str) -> Result<Arc<str>, Fault> {
        let (first, rest) = name.split_once('/').map_or((name, None), |(first, rest)| (first, Some(rest)));
        let Some(job) = workflow.job(first) else {
            let ids = || workflow.jobs.keys().map(|id| &**id);
            let hint = match nearest::did_you_mean(first, ids()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("there are {}", ids().collect::<Vec<_>>().join(", ")),
            };
            return Err(Fault::new(format!("{}: there is no job `{first}`", workflow.file)).hint(hint));
        };
        let id = &job.id.value;
        match (rest, job.called()) {
            (None, _) => Ok(Arc::clone(id)),
            (Some(rest), Some(called)) => Ok(format!("{id}/{}", self.job_id(called, rest)?).into()),
            (Some(_), None) => Err(Fault::new(format!("{}: job `{id}` calls no workflow", workflow.file))
                .hint(format!("--job {id}"))),
        }
    }
}

/// The workflow in which a job is, as it is reached.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CalledIn<'a> {
    /// The workflow.
    pub(crate) workflow: &'a Workflow,
    /// Every secret that the run has can be seen in it.
    pub(crate) sees_all_secrets: bool,
}

/// These jobs of a workflow, and all of the workflows that they call.
pub(crate) fn with_called<'a>(workflow: &'a Workflow, jobs: &[&'a Job]) -> Vec<(CalledIn<'a>, &'a Job)> {
    let top = CalledIn { workflow, sees_all_secrets: true };
    let mut all = Vec::new();
    let mut open: Vec<_> = jobs.iter().rev().map(|job| (top, *job)).collect();
    while let Some((place, job)) = open.pop() {
        all.push((place, job));
        let JobBody::Reusable { secrets, workflow: Some(called), .. } = &job.body else { continue };
        let inherits = matches!(secrets, Some(CallSecrets::Inherit(_)));
        let inner = CalledIn { workflow: called, sees_all_secrets: place.sees_all_secrets && inherits };
        open.extend(called.jobs.values().rev().map(|job| (inner, job)));
    }
    all
}

/// Changes every job of a workflow and of those that it calls.
pub(crate) fn each_job<E>(
    workflow: &mut Workflow,
    change: &mut dyn FnMut(&mut Job) -> Result<(), E>,
) -> Result<(), E> {
    for job in workflow.jobs.values_mut() {
        change(job)?;
        if let JobBody::Reusable { workflow: Some(called), .. } = &mut job.body {
            each_job(Arc::make_mut(called), change)?;
        }
    }
    Ok(())
}

/// Called workflows of the same repository, and of others as far as the project reaches.
struct CalledFiles<'a> {
    project: &'a Project,
    /// Those of others, by their references.
    found: RefCell<IndexMap<Arc<str>, PathBuf>>,
    /// The commits at which they were read, as far as these are known.
    commits: RefCell<IndexMap<Arc<str>, Arc<str>>>,
}

/// The code of a called workflow that could not be had.
const NOT_FOUND: &str = "workflow-not-found";
/// What a reason begins with that is no fault of the file: GitHub may see what we do not.
const NOT_HERE: &str = "it is in another repository, and ";

impl CalledFiles<'_> {
    fn elsewhere(&self, reference: &str) -> Result<Arc<str>, String> {
        let Some(store) = &self.project.elsewhere else { return Err("was not looked at".to_owned()) };
        // Nobody reads it: no reason not to go on.
        let told = |text: &str| drop(writeln!(io::stderr(), "{text}"));
        let (path, commit) = store.file(reference, told)?;
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        self.commits.borrow_mut().extend(commit.map(|commit| (reference.into(), commit.into())));
        self.found.borrow_mut().insert(reference.into(), path);
        Ok(text.into())
    }
}

impl FileProvider for CalledFiles<'_> {
    fn read(&self, path: &str) -> Result<Arc<str>, String> {
        let Some(local) = path.strip_prefix("./") else {
            return self.elsewhere(path).map_err(|reason| format!("{NOT_HERE}{reason}"));
        };
        if local.split('/').any(|part| part == "..") {
            return Err("the path leads out of the repository".to_owned());
        }
        fs::read_to_string(self.project.root.join(local))
            .map(Arc::from)
            .map_err(|_| "workflow was not found.".to_owned())
    }

    fn commit(&self, path: &str) -> Option<Arc<str>> {
        self.commits.borrow().get(path).cloned()
    }
}

/// GitHub can see workflows of other repositories, we cannot: that is no fault of the file.
fn excuse_other_repositories(diagnostic: &mut Diagnostic) {
    if diagnostic.code == NOT_FOUND
        && let Some((_, reason)) = diagnostic.message.split_once(NOT_HERE)
    {
        diagnostic.severity = Severity::Warning;
        diagnostic.message = format!("the called workflow is in another repository, and {reason}");
    }
}

/// A workflow made of `text`, called `ci.yml`.
#[cfg(test)]
pub(crate) fn parsed_for_test(text: &str) -> (Sources, Workflow) {
    let mut sources = Sources::new();
    let source = sources.add("ci.yml", text);
    let (workflow, diagnostics) =
        parse_workflow(&mut sources, source, &ReadOptions::default(), &syntax::NoFiles);
    assert!(!diagnostics.iter().any(Diagnostic::is_error), "{diagnostics:?}");
    (sources, workflow.unwrap())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLER: &str = "on: push\njobs:\n  a: {uses: ./.github/workflows/b.yml}\n  c: {uses: o/r/.github/workflows/x.yml@v1}\n";
    const CALLED: &str = "on: workflow_call\njobs:\n  z: {runs-on: x, steps: [{run: x}]}\n";

    fn project() -> (tempfile::TempDir, Project) {
        let folder = tempfile::tempdir().unwrap();
        let workflows = folder.path().join(FOLDER);
        fs::create_dir_all(&workflows).unwrap();
        fs::create_dir_all(folder.path().join("src")).unwrap();
        for (name, text) in [("b.yml", CALLED), ("a.yaml", CALLER), ("notes.md", "")] {
            fs::write(workflows.join(name), text).unwrap();
        }
        let project = Project::around(&folder.path().join("src"));
        (folder, project)
    }

    #[test]
    fn workflows_are_found_from_below() {
        let (folder, project) = project();
        assert_eq!(project.root, folder.path());
        let shown: Vec<String> = project.workflows().iter().map(|path| project.shown(path)).collect();
        assert_eq!(shown, [".github/workflows/a.yaml", ".github/workflows/b.yml"]);
    }

    #[test]
    fn a_file_of_another_project_brings_its_own() {
        let (folder, project) = project();
        let (other, _) = self::project();
        let path = other.path().join(".github/workflows/b.yml");
        let found = project.clone().of_file(Some(&path));
        assert_eq!((found.root.as_path(), found.start.as_path()), (other.path(), project.start.as_path()));
        assert_eq!(
            project.clone().of_file(Some(Path::new("../.github/workflows/b.yml"))).root,
            folder.path()
        );
        assert_eq!(project.of_file(None).root, folder.path());
    }

    #[test]
    fn files_have_short_names() {
        let (_folder, project) = project();
        let check = |given: &str, expected: Result<&str, &str>| {
            let found = project
                .named(Path::new(given))
                .map(|path| project.shown(&path))
                .map_err(|fault| fault.to_string());
            assert_eq!(found.as_deref().map_err(String::as_str), expected, "{given}");
        };
        check("a", Ok(".github/workflows/a.yaml"));
        check("b.yml", Ok(".github/workflows/b.yml"));
        check("../.github/workflows/b.yml", Ok("src/../.github/workflows/b.yml"));
        check("bb.yml", Err("bb.yml: there is no such file\n  hint: did you mean `b.yml`?"));
        check("x/ab.yml", Err("x/ab.yml: there is no such file\n  hint: did you mean `b.yml`?"));
        check("nothing-like-it", Err("nothing-like-it: there is no such file"));
    }

    #[test]
    fn local_calls_are_followed_and_others_excused() {
        let (_folder, project) = project();
        let loaded = project.load(&project.named(Path::new("a")).unwrap()).unwrap();
        assert!(!loaded.has_errors(), "{:?}", loaded.diagnostics);
        let codes: Vec<&str> = loaded.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
        assert_eq!(codes, ["workflow-not-found"]);
    }

    #[test]
    fn jobs_are_found_in_any_case_or_meant() {
        let (_folder, project) = project();
        let loaded = project.load(&project.named(Path::new("b")).unwrap()).unwrap();
        let workflow = loaded.workflow.as_ref().unwrap();
        assert_eq!(&*loaded.job_id(workflow, "Z").unwrap(), "z");
        let error = loaded.job_id(workflow, "build").unwrap_err().to_string();
        assert_eq!(error, ".github/workflows/b.yml: there is no job `build`\n  hint: there are z");
    }
}
