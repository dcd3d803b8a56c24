//! Finding actions: local folders, folders that a person names for them, a cache, and downloads into it (steps.md 4.1).
//!
//! Knows references, folders and manifests; not what an action does, nor when it is needed.

mod cache;
mod errand;
mod remote;
mod store;
mod unpack;

pub(crate) use errand::{CallOff, Errand};
pub use remote::{Pace, Remote};
pub use store::ActionStore;

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use engine::action::{ActionReference, ResolvedAction};

/// Manifests, in the order in which they are looked for.
const MANIFESTS: [&str; 2] = ["action.yml", "action.yaml"];
const DOCKERFILES: [&str; 2] = ["Dockerfile", "dockerfile"];

/// The places at which a job's actions are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places<'a> {
    /// `github.workspace`.
    pub(crate) workspace: &'a Path,
    /// The repository that the run is for, and `$/` that is not written out.
    pub(crate) origin: &'a Path,
    /// Actions of other repositories.
    pub(crate) store: &'a ActionStore,
}

/// A folder that is to hold an action.
struct Found {
    folder: PathBuf,
    /// The folder as shown to people.
    shown: String,
    commit: Option<String>,
}

/// Finds the action behind `reference` and reads its manifest; `commit` is the one that its version stands for, where that is
/// settled. Blocks for as long as a download takes, unless the errand is called off.
///
/// # Errors
/// What is missing or wrong, and what a person can do about it.
pub(crate) fn find(
    places: Places<'_>,
    reference: &str,
    commit: Option<&str>,
    errand: &Errand,
) -> Result<ResolvedAction, String> {
    let found = match ActionReference::of(reference) {
        ActionReference::Local(path) => local(places.workspace, path, reference)?,
        ActionReference::SelfRepository(path) => local(places.origin, path, reference)?,
        ActionReference::Repository(wanted) => {
            let checkout = places.store.folder(&wanted, commit, errand)?;
            let folder = below(&checkout.folder, wanted.path, reference)?;
            Found { shown: folder.display().to_string(), folder, commit: checkout.commit }
        }
        ActionReference::Checkout | ActionReference::Container(_) | ActionReference::Malformed(_) => {
            return Err(format!("{reference} has no files to look for"));
        }
    };
    read(reference, &found)
}

fn local(root: &Path, path: &str, reference: &str) -> Result<Found, String> {
    let shown = if path.is_empty() { ".".to_owned() } else { format!("./{path}") };
    Ok(Found { folder: below(root, path, reference)?, shown, commit: None })
}

/// A path that stays below its root, whatever it says.
fn below(root: &Path, path: &str, reference: &str) -> Result<PathBuf, String> {
    let path = path.replace('\\', "/");
    let climbs = |part: Component<'_>| !matches!(part, Component::Normal(_) | Component::CurDir);
    if Path::new(&path).components().any(climbs) {
        return Err(format!("{reference} leads out of {}", root.display()));
    }
    Ok(if path.is_empty() { root.to_owned() } else { root.join(path) })
}

fn read(reference: &str, found: &Found) -> Result<ResolvedAction, String> {
    let directory = found.folder.to_string_lossy();
    let commit = found.commit.as_deref();
    for name in MANIFESTS {
        let file = format!("{}/{name}", found.shown);
        match fs::read_to_string(found.folder.join(name)) {
            Ok(text) => return ResolvedAction::new(reference, &directory, &file, &text, commit),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {}
            Err(error) => return Err(format!("failed to read {file}: {error}")),
        }
    }
    if let Some(name) = DOCKERFILES.into_iter().find(|name| found.folder.join(name).is_file()) {
        let file = format!("{}/{name}", found.shown);
        return ResolvedAction::of_dockerfile(reference, &directory, &file, commit);
    }
    Err(format!(
        "Can't find 'action.yml', 'action.yaml' or 'Dockerfile' under '{directory}'. Did you forget to run actions/checkout before running your local action?"
    ))
}

#[cfg(test)]
mod tests;
