//! Actions: what a `uses:` refers to, and an action as it was found (steps.md 4.1, 4.2).
//!
//! Knows references and manifests; not where an action is looked for, nor how it runs.

use std::fmt;
use std::sync::Arc;

use syntax::{Action, ActionRuns, Diagnostic, ReadOptions, Sources, parse_action};

/// The manifest that stands for one that cannot be read.
const UNREAD_MANIFEST: &str = "runs:\n  using: composite\n  steps: []\n";
/// The manifest that stands for an action which is nothing but a Dockerfile.
const DOCKERFILE_MANIFEST: &str = "runs:\n  using: docker\n  image: Dockerfile\n";

/// What a `uses:` step refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionReference<'a> {
    /// `actions/checkout`, any version: built in.
    Checkout,
    /// `./path`: a folder of the workspace, read when the step runs.
    Local(&'a str),
    /// `$/path`: a folder of the repository that the workflow, or the action around the step, is from.
    SelfRepository(&'a str),
    /// `docker://image`.
    Container(&'a str),
    /// `owner/repo[/path]@ref`.
    Repository(RepositoryReference<'a>),
    /// Nothing that can be understood.
    Malformed(&'a str),
}

/// `owner/repo[/path]@ref`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RepositoryReference<'a> {
    /// `owner/repo`
    pub repository: &'a str,
    /// The folder in it, without slashes at its ends; empty for its root.
    pub path: &'a str,
    /// A branch, tag or commit.
    pub reference: &'a str,
}

impl<'a> ActionReference<'a> {
    /// Reads the text behind `uses:`.
    pub fn of(text: &'a str) -> Self {
        let folder = |path: &'a str| path.trim_matches(['/', '\\']);
        if let Some(path) = text.strip_prefix("./").or_else(|| text.strip_prefix(".\\")) {
            return Self::Local(folder(path));
        }
        if let Some(path) = text.strip_prefix("$/") {
            return Self::SelfRepository(folder(path));
        }
        if let Some(image) = text.strip_prefix("docker://") {
            return Self::Container(image);
        }
        match RepositoryReference::of(text) {
            Some(found) if found.is_checkout() => Self::Checkout,
            Some(found) => Self::Repository(found),
            None => Self::Malformed(text),
        }
    }
}

impl<'a> RepositoryReference<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let (whole, reference) = text.split_once('@')?;
        let (owner, rest) = whole.split_once('/')?;
        let repository_end = owner.len() + 1 + rest.find('/').unwrap_or(rest.len());
        let (repository, path) = whole.split_at_checked(repository_end)?;
        let known = !owner.is_empty() && repository.len() > owner.len() + 1 && !reference.is_empty();
        known.then_some(Self { repository, path: path.trim_matches('/'), reference })
    }

    fn is_checkout(&self) -> bool {
        self.path.is_empty() && self.repository.eq_ignore_ascii_case("actions/checkout")
    }
}

/// An action as it was found. A value like any other in a job: from its text it can be read again.
#[derive(Clone, PartialEq)]
pub struct ResolvedAction {
    /// The reference, whole: `$/path` of another repository is written out.
    pub reference: Arc<str>,
    /// Its folder, absolute.
    pub directory: Arc<str>,
    /// Its manifest's file as shown to people, for instance `./build/action.yml`.
    pub file: Arc<str>,
    /// The manifest's text; of an action that is nothing but a Dockerfile, what stands for it.
    pub text: Arc<str>,
    /// The commit that the reference stood for, where that is known.
    pub commit: Option<Arc<str>>,
    /// The manifest.
    pub manifest: Arc<Action>,
}

impl ResolvedAction {
    /// An action with a manifest.
    ///
    /// # Errors
    /// What is wrong with the manifest, in GitHub's words (steps.md 4.2), one fault to a line.
    pub fn new(
        reference: &str,
        directory: &str,
        file: &str,
        text: &str,
        commit: Option<&str>,
    ) -> Result<Self, String> {
        let mut sources = Sources::new();
        let source = sources.add(file, text);
        let (manifest, diagnostics) = parse_action(&sources, source, &ReadOptions::default());
        let manifest = manifest.ok_or_else(|| faults(file, &diagnostics))?;
        Ok(Self {
            reference: reference.into(),
            directory: directory.into(),
            file: file.into(),
            text: text.into(),
            commit: commit.map(Into::into),
            manifest: Arc::new(manifest),
        })
    }

    /// An action that is nothing but a Dockerfile.
    ///
    /// # Errors
    /// None that can happen: the text that stands for its manifest is sound.
    pub fn of_dockerfile(
        reference: &str,
        directory: &str,
        file: &str,
        commit: Option<&str>,
    ) -> Result<Self, String> {
        Self::new(reference, directory, file, DOCKERFILE_MANIFEST, commit)
    }

    /// An action whose manifest cannot be read as it is kept: a secret in it is not known here. It has no steps to look at.
    pub fn unread(
        reference: &str,
        directory: &str,
        file: &str,
        text: &str,
        commit: Option<&str>,
    ) -> Option<Self> {
        let stand_in = Self::new(reference, directory, file, UNREAD_MANIFEST, commit).ok()?;
        Some(Self { text: text.into(), ..stand_in })
    }

    /// The repository that the action was looked for in, if it is of another one.
    pub fn repository(&self) -> Option<RepositoryReference<'_>> {
        match ActionReference::of(&self.reference) {
            ActionReference::Repository(wanted) => Some(wanted),
            _ => None,
        }
    }

    /// Whether the action has a part that is to run before the job's first step.
    pub fn has_pre(&self) -> bool {
        matches!(
            &self.manifest.runs,
            ActionRuns::Node { pre: Some(_), .. } | ActionRuns::Docker { pre: Some(_), .. }
        )
    }

    /// The steps of a composite action.
    pub fn composite_steps(&self) -> Option<&[syntax::Step]> {
        match &self.manifest.runs {
            ActionRuns::Composite { steps } => Some(steps),
            _ => None,
        }
    }
}

fn faults(file: &str, diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error());
    let line = |error: &Diagnostic| {
        let start = error.span.start;
        let hint = error.hint.as_ref().map_or_else(String::new, |hint| format!("\nhint: {hint}"));
        format!("{file} (Line: {}, Col: {}): {}{hint}", start.line, start.column, error.message)
    };
    errors.map(line).chain([format!("Failed to load {file}")]).collect::<Vec<_>>().join("\n")
}

impl fmt::Debug for ResolvedAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResolvedAction({} in {})", self.reference, self.directory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_told_apart() {
        let repository = |repository, path, reference| {
            ActionReference::Repository(RepositoryReference { repository, path, reference })
        };
        let check = |text, expected| assert_eq!(ActionReference::of(text), expected, "{text}");
        check("./build", ActionReference::Local("build"));
        check("./", ActionReference::Local(""));
        check("$/a/b/", ActionReference::SelfRepository("a/b"));
        check("docker://alpine:3", ActionReference::Container("alpine:3"));
        check("actions/Checkout@v4", ActionReference::Checkout);
        check("a/b@v1", repository("a/b", "", "v1"));
        check("a/b/c/d@refs/heads/x", repository("a/b", "c/d", "refs/heads/x"));
        check("a/b", ActionReference::Malformed("a/b"));
        check("a@v1", ActionReference::Malformed("a@v1"));
        check("a/@v1", ActionReference::Malformed("a/@v1"));
    }

    #[test]
    fn a_manifest_with_faults_is_refused_in_githubs_words() {
        let error =
            ResolvedAction::new("./a", "/w/a", "./a/action.yml", "runs:\n  using: node18\n  main: x\n", None);
        assert_eq!(
            error.unwrap_err(),
            "./a/action.yml (Line: 2, Col: 10): 'using: node18' is not supported, use 'docker', 'node12', 'node16', 'node20' or 'node24' instead.\n\
             hint: did you mean `node12`?\nFailed to load ./a/action.yml"
        );
    }

    #[test]
    fn a_dockerfile_is_an_action() {
        let action = ResolvedAction::of_dockerfile("./a", "/w/a", "./a/Dockerfile", None).unwrap();
        assert!(matches!(&action.manifest.runs, ActionRuns::Docker { .. }));
    }
}
