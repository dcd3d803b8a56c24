//! Where the actions of other repositories are on this machine: folders that a person named, then a cache laid out as GitHub's
//! runner lays out `_actions` (steps.md 4.1).
//!
//! Knows folders; fetches nothing by itself.

use std::fs;
use std::path::{Path, PathBuf};

use engine::action::RepositoryReference;

/// What stands beside a folder of the cache that is complete.
const WATERMARK: &str = "completed";

/// Actions of other repositories.
#[derive(Clone, Debug, Default)]
pub struct ActionStore {
    overrides: Vec<(String, PathBuf)>,
    cache: Option<PathBuf>,
}

/// The files of a repository at one commit.
pub(super) struct Checkout {
    pub(super) folder: PathBuf,
    pub(super) commit: Option<String>,
}

impl ActionStore {
    /// Takes the actions named so from these folders: `owner/repo@ref`, or `owner/repo` for any reference. A folder stands for the
    /// root of the repository.
    #[must_use]
    pub fn with_overrides(mut self, overrides: impl IntoIterator<Item = (String, PathBuf)>) -> Self {
        self.overrides.extend(overrides);
        self
    }

    /// Looks in this folder as well: `<owner>/<repo>/<ref>`, each with a file `<ref>.completed` beside it that may hold the commit.
    #[must_use]
    pub fn with_cache(self, cache: PathBuf) -> Self {
        Self { cache: Some(cache), ..self }
    }

    /// The folder of a repository's files.
    ///
    /// # Errors
    /// It is not here; the text says how to provide it.
    pub(super) fn folder(&self, wanted: &RepositoryReference<'_>) -> Result<Checkout, String> {
        let overridden = self.overrides.iter().find(|(name, _)| names(name, wanted));
        if let Some((name, folder)) = overridden {
            return match folder.is_dir() {
                true => Ok(Checkout { folder: folder.clone(), commit: None }),
                false => {
                    Err(format!("the folder {} that was named for {name} is not there", folder.display()))
                }
            };
        }
        self.cached(wanted).ok_or_else(|| missing(wanted, self.cache.as_deref()))
    }

    fn cached(&self, wanted: &RepositoryReference<'_>) -> Option<Checkout> {
        let folder = place_in(self.cache.as_ref()?, wanted)?;
        let mark = watermark(&folder);
        // Without it the folder was left half-way.
        let commit = fs::read_to_string(mark).ok()?;
        let commit = Some(commit.trim().to_owned()).filter(|commit| !commit.is_empty());
        folder.is_dir().then_some(Checkout { folder, commit })
    }
}

/// Whether an override means this repository; names match in any case, references do not.
fn names(name: &str, wanted: &RepositoryReference<'_>) -> bool {
    let (repository, reference) = name.split_once('@').unwrap_or((name, wanted.reference));
    repository.eq_ignore_ascii_case(wanted.repository) && reference == wanted.reference
}

/// The folder for a reference; `None` for one that would lead elsewhere.
fn place_in(cache: &Path, wanted: &RepositoryReference<'_>) -> Option<PathBuf> {
    let parts = wanted.repository.split('/').chain(wanted.reference.split('/'));
    let mut folder = cache.to_owned();
    for part in parts {
        if part.is_empty() || part == "." || part == ".." || part.contains(['\\', '\0']) {
            return None;
        }
        folder.push(part);
    }
    Some(folder)
}

fn watermark(folder: &Path) -> PathBuf {
    let mut name = folder.as_os_str().to_owned();
    name.push(".");
    name.push(WATERMARK);
    PathBuf::from(name)
}

fn missing(wanted: &RepositoryReference<'_>, cache: Option<&Path>) -> String {
    let RepositoryReference { repository, reference, .. } = wanted;
    let looked = cache.map_or_else(String::new, |cache| format!(" in {}", cache.display()));
    format!(
        "the action {repository}@{reference} is not on this machine{looked}\n\
         hint: clone https://github.com/{repository} somewhere and name the folder: `--action {repository}@{reference}=FOLDER`, or in \
         .stepback.toml under [action]"
    )
}
