//! Where the actions of other repositories come from: folders that a person named, then the cache, then the network.
//!
//! Decides which of them answers; how each does is its own affair.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::action::{ActionReference, RepositoryReference, ResolvedAction};

use super::cache::{Cache, Checkout, is_commit};
use super::errand::Errand;
use super::remote::Remote;

/// Actions of other repositories. Clones share connections, and what is under way.
#[derive(Clone, Debug, Default)]
pub struct ActionStore {
    overrides: Vec<(String, PathBuf)>,
    recorded: Vec<(String, String)>,
    cache: Option<Cache>,
    remote: Option<Arc<Remote>>,
    refresh: bool,
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
        Self { cache: Some(Cache::new(cache)), ..self }
    }

    /// Downloads into the cache what is not in it. Without this the store is offline.
    #[must_use]
    pub fn with_remote(self, remote: Remote) -> Self {
        Self { remote: Some(Arc::new(remote)), ..self }
    }

    /// Asks what branches and tags mean now, even if the cache has an answer; once for each, whatever number of jobs asks.
    #[must_use]
    pub fn refreshing(self, refresh: bool) -> Self {
        Self { refresh, ..self }
    }

    /// References mean the commits that they meant when these actions were found.
    #[must_use]
    pub fn as_recorded<'a>(mut self, actions: impl IntoIterator<Item = &'a ResolvedAction>) -> Self {
        for action in actions {
            if let (Some(wanted), Some(commit)) = (action.repository(), &action.commit) {
                self.recorded
                    .push((format!("{}@{}", wanted.repository, wanted.reference), commit.to_string()));
            }
        }
        self
    }

    /// Has the files of an action that was found before brought back, if they are gone and it was of another repository. `told` hears
    /// of a download, for which this blocks.
    ///
    /// # Errors
    /// They cannot be had.
    pub fn bring_back(
        &self,
        action: &ResolvedAction,
        told: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<(), String> {
        let is_there = || Path::new(&*action.directory).is_dir();
        let Some(wanted) = action.repository().filter(|_| !is_there()) else { return Ok(()) };
        let (errand, _call_off) = Errand::new(told);
        let found = self.folder(&wanted, action.commit.as_deref(), &errand)?;
        match is_there() {
            true => Ok(()),
            false => Err(format!(
                "{} is in {} now, no longer in {}",
                action.reference,
                found.folder.display(),
                action.directory
            )),
        }
    }

    /// The file that `owner/repo/path@ref` means, for instance a workflow that is called, and the commit where that is known.
    /// `told` hears of a download, for which this blocks.
    ///
    /// # Errors
    /// It cannot be had; the text says how to provide it.
    pub fn file(
        &self,
        reference: &str,
        told: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<(PathBuf, Option<String>), String> {
        let ActionReference::Repository(wanted) = ActionReference::of(reference) else {
            return Err(format!("{reference} names no file of a repository"));
        };
        let (errand, _call_off) = Errand::new(told);
        let found = self.folder(&wanted, None, &errand)?;
        Ok((super::below(&found.folder, wanted.path, reference)?, found.commit))
    }

    /// The folder of a repository's files, at `commit` if that is settled.
    ///
    /// # Errors
    /// It cannot be had; the text says how to provide it.
    pub(super) fn folder(
        &self,
        wanted: &RepositoryReference<'_>,
        commit: Option<&str>,
        errand: &Errand,
    ) -> Result<Checkout, String> {
        let overridden = self.overrides.iter().find(|(name, _)| names(name, wanted));
        if let Some((name, folder)) = overridden {
            return match folder.is_dir() {
                true => Ok(Checkout { folder: folder.clone(), commit: None }),
                false => {
                    Err(format!("the folder {} that was named for {name} is not there", folder.display()))
                }
            };
        }
        let commit = commit.or_else(|| self.commit(wanted));
        let Some(cache) = &self.cache else { return Err(self.missing(wanted, commit)) };
        if let Some(found) = self.cached(cache, wanted, commit) {
            return Ok(found);
        }
        let remote = self.remote.as_ref().filter(|_| cache.place(wanted).is_some());
        let Some(remote) = remote else { return Err(self.missing(wanted, commit)) };
        let fetched = remote.fetch(wanted, commit, self.refresh, cache, errand);
        fetched.map_err(|text| not_downloaded(wanted, &text))
    }

    /// The commit to take, where that is known beforehand.
    fn commit<'a>(&'a self, wanted: &RepositoryReference<'a>) -> Option<&'a str> {
        let recorded = self.recorded.iter().find(|(name, _)| names(name, wanted));
        recorded
            .map(|(_, commit)| commit.as_str())
            .or_else(|| Some(wanted.reference).filter(|reference| is_commit(reference)))
    }

    fn cached(
        &self,
        cache: &Cache,
        wanted: &RepositoryReference<'_>,
        commit: Option<&str>,
    ) -> Option<Checkout> {
        match commit {
            Some(commit) => cache.at(wanted, commit).or_else(|| {
                let found = cache.find(wanted)?;
                found
                    .commit
                    .as_deref()
                    .is_some_and(|known| known.eq_ignore_ascii_case(commit))
                    .then_some(found)
            }),
            None if self.refresh && self.remote.is_some() => None,
            None => cache.find(wanted),
        }
    }

    fn missing(&self, wanted: &RepositoryReference<'_>, commit: Option<&str>) -> String {
        let RepositoryReference { repository, reference, .. } = wanted;
        let looked = self.cache.as_ref();
        let looked = looked.map_or_else(String::new, |cache| format!(" in {}", cache.folder().display()));
        let commit = commit.filter(|commit| commit != reference);
        let commit = commit.map_or_else(String::new, |commit| format!(" at the recorded commit {commit}"));
        format!(
            "the action {repository}@{reference} is not on this machine{looked}{commit}\nhint: run once without `--offline`; or {}",
            by_hand(wanted)
        )
    }
}

/// Whether a name with or without a reference means this repository; names match in any case, references do not.
fn names(name: &str, wanted: &RepositoryReference<'_>) -> bool {
    let (repository, reference) = name.split_once('@').unwrap_or((name, wanted.reference));
    repository.eq_ignore_ascii_case(wanted.repository) && reference == wanted.reference
}

fn not_downloaded(wanted: &RepositoryReference<'_>, text: &str) -> String {
    let RepositoryReference { repository, reference, .. } = wanted;
    format!("the action {repository}@{reference} cannot be downloaded: {text}\nhint: {}", by_hand(wanted))
}

fn by_hand(wanted: &RepositoryReference<'_>) -> String {
    let RepositoryReference { repository, reference, .. } = wanted;
    format!(
        "clone https://github.com/{repository} somewhere and name the folder: `--action {repository}@{reference}=FOLDER`, or in \
         .stepback.toml under [action]"
    )
}
