//! Lines of action files: which steps of an action they mean, and which files are one and the same.
//!
//! Knows actions that were found; not when they are looked for. Reads no file.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use engine::action::ResolvedAction;
use engine::job::Job;
use engine::step_path::{Stage, StepPath};
use engine::syntax::{ActionRuns, Step};

/// What an action's manifest is called.
const NAMES: [&str; 2] = ["action.yml", "action.yaml"];

/// The file of an action as a person names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionFile {
    path: PathBuf,
    real: Option<PathBuf>,
}

impl ActionFile {
    /// A file by its path, absolute or from the root of the repository; and by where its links lead, if that is known. `None` if
    /// no action's file is called so.
    pub fn new(path: &Path, real: Option<PathBuf>) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        NAMES.contains(&name).then(|| Self { path: plain(path), real })
    }

    /// The path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether this is the manifest of an action. What is below one of the places is below each of them: the workspace is a copy of
    /// the repository, and a person may have either before them.
    pub(crate) fn is_of(&self, action: &ResolvedAction, places: &Places) -> bool {
        let is_meant = |path: &Path| path == self.path || self.real.as_deref() == Some(path);
        let manifest = manifest_path(action);
        if is_meant(&manifest) || is_meant(&plain(Path::new(&*action.file))) {
            return true;
        }
        let Some(inside) = places.inside(&manifest) else { return false };
        is_meant(inside) || places.all.iter().any(|place| is_meant(&place.join(inside)))
    }
}

/// The manifest of an action, absolute.
pub(crate) fn manifest_path(action: &ResolvedAction) -> PathBuf {
    let name = action.file.rsplit('/').next().unwrap_or_default();
    plain(&Path::new(&*action.directory).join(name))
}

/// Without the parts that lead nowhere.
fn plain(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != Component::CurDir).collect()
}

/// The folders that hold the same files: the workspace, and the repository of which it is a copy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    all: Arc<[PathBuf]>,
    origin: Option<PathBuf>,
}

impl Places {
    /// The workspace and the repository, with where their links lead.
    pub(crate) fn new(workspace: &Path, origin: Option<&Path>) -> Self {
        let both = [Some(workspace), origin].into_iter().flatten();
        let all = both.flat_map(|folder| [Some(plain(folder)), std::fs::canonicalize(folder).ok()]);
        Self { all: all.flatten().collect(), origin: origin.map(plain) }
    }

    /// The path below whichever of the folders it is in.
    fn inside<'a>(&self, path: &'a Path) -> Option<&'a Path> {
        self.all.iter().find_map(|place| path.strip_prefix(place).ok())
    }

    /// The file of the repository of which this one is a copy.
    pub(crate) fn original(&self, path: &Path) -> Option<PathBuf> {
        Some(self.origin.as_ref()?.join(self.inside(path)?))
    }
}

/// What a line of a manifest means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spot {
    /// A step of a composite action.
    Step(u32),
    /// A program of a JavaScript action.
    Program(Stage),
}

/// The places of a manifest, in their order: what each is, its first line, and its last one (from 1).
fn spots(action: &ResolvedAction) -> Vec<(Spot, u32, u32)> {
    match &action.manifest.runs {
        ActionRuns::Composite { steps } => composite_spots(steps),
        ActionRuns::Node { main, pre, post, .. } => {
            let part = |stage, line: u32| (Spot::Program(stage), line, line);
            let of = |stage, part_of: &Option<engine::syntax::Stage>| {
                part_of.as_ref().map(|found| part(stage, found.program.span.start.line))
            };
            let main = Some(part(Stage::Main, main.span.start.line));
            let mut all: Vec<_> =
                [of(Stage::Pre, pre), main, of(Stage::Post, post)].into_iter().flatten().collect();
            all.sort_by_key(|(_, line, _)| *line);
            all
        }
        _ => Vec::new(),
    }
}

/// A step that ends with a block of text ends, for the reader of the file, only where the next one begins.
fn composite_spots(steps: &[Step]) -> Vec<(Spot, u32, u32)> {
    let nexts = steps.iter().skip(1).map(|next| Some(next.span.start.line)).chain([None]);
    let spot = |((step, next), index): ((&Step, Option<u32>), u32)| {
        let end = step.span.end.line;
        let last = next.map_or(end, |next| end.min(next.saturating_sub(1)));
        (Spot::Step(index), step.span.start.line, last)
    };
    steps.iter().zip(nexts).zip(0u32..).map(spot).collect()
}

fn spot_at(action: &ResolvedAction, line: u32) -> Option<(Spot, u32)> {
    let found = spots(action).into_iter().find(|(_, _, last)| *last >= line);
    found.map(|(spot, first, _)| (spot, first))
}

/// The first lines (from 1) at which a job can stand in a file, if a job has found it.
pub(crate) fn lines(file: &ActionFile, job: &Job, places: &Places) -> Vec<u32> {
    let found = job.actions().values().find(|action| file.is_of(action, places));
    found.map(|action| spots(action).iter().map(|(_, first, _)| *first).collect()).unwrap_or_default()
}

/// Whether a file was found by a job, and the line at which one stops for a line of it.
pub(crate) fn bound(file: &ActionFile, line: u32, job: &Job, places: &Places) -> Option<Option<u32>> {
    // The same file may have been found at several times: what was found last is what is there now.
    let found = job.actions().values().rev().find(|action| file.is_of(action, places))?;
    Some(spot_at(found, line).map(|(_, first)| first))
}

/// Whether a line of a file means the step at a path.
pub(crate) fn means(file: &ActionFile, line: u32, job: &Job, path: &StepPath, places: &Places) -> bool {
    let at = |action: &Arc<ResolvedAction>| {
        file.is_of(action, places).then(|| spot_at(action, line)).flatten().map(|(spot, _)| spot)
    };
    let program = job.action(path).and_then(&at) == Some(Spot::Program(path.stage()));
    program
        || path.stage() == Stage::Main
            && path.parent().is_some_and(|around| {
                let inner = path.inner().last().copied();
                inner.is_some() && job.action(&around).and_then(at) == inner.map(Spot::Step)
            })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_of(given: &str, directory: &str, shown: &str) -> bool {
        let action =
            ResolvedAction::new("./b", directory, shown, "runs: {using: composite, steps: []}", None);
        let places = Places::new(Path::new("/cache/workspace"), Some(Path::new("/home/me/repo")));
        ActionFile::new(Path::new(given), None).unwrap().is_of(&action.unwrap(), &places)
    }

    #[test]
    fn the_file_of_the_repository_is_that_of_its_copy() {
        let local = ("/cache/workspace/b", "./b/action.yml");
        for given in
            ["/home/me/repo/b/action.yml", "/cache/workspace/b/action.yml", "b/action.yml", "./b/action.yml"]
        {
            assert!(is_of(given, local.0, local.1), "{given}");
        }
        for given in ["/home/me/other/b/action.yml", "b/action.yaml", "action.yml", "a/b/action.yml"] {
            assert!(!is_of(given, local.0, local.1), "{given}");
        }
    }

    #[test]
    fn an_action_of_another_repository_is_where_it_is() {
        let stored = ("/cache/_actions/o/r/v1", "/cache/_actions/o/r/v1/action.yml");
        assert!(is_of("/cache/_actions/o/r/v1/action.yml", stored.0, stored.1));
        assert!(!is_of("action.yml", stored.0, stored.1));
    }

    #[test]
    fn other_files_are_no_files_of_actions() {
        for name in ["ci.yml", "action.yml.orig", "", "/"] {
            assert_eq!(ActionFile::new(Path::new(name), None), None, "{name}");
        }
    }
}
