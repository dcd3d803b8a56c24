//! Which directories a snapshot covers, and what inside them it leaves alone.
//!
//! Knows nothing of files: only of names and paths.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// One covered directory, for instance the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    name: String,
    dir: PathBuf,
    excluded: Vec<Vec<u8>>,
}

impl Root {
    /// Covers the absolute directory `dir` under the short name `name` (`workspace`, `temp`, `home`).
    pub fn new(name: impl Into<String>, dir: impl Into<PathBuf>) -> Self {
        Self { name: name.into(), dir: dir.into(), excluded: Vec::new() }
    }

    /// Leaves `path`, relative to the root, out: it is neither recorded nor restored nor removed.
    #[must_use]
    pub fn without(mut self, path: impl AsRef<Path>) -> Self {
        let path = path.as_ref().components().as_path().as_os_str().as_bytes().to_vec();
        if !path.is_empty() && !self.excluded.contains(&path) {
            self.excluded.push(path);
            self.excluded.sort();
        }
        self
    }

    /// Leaves `.git` alone, for a workspace that is the person's own tree (DESIGN 4, in-place workspaces).
    #[must_use]
    pub fn keep_git(self) -> Self {
        self.without(".git")
    }

    /// The short name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The absolute directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn excludes(&self, dir: &[u8], name: &[u8]) -> bool {
        self.excluded.iter().any(|path| match path.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => path.get(..slash) == Some(dir) && path.get(slash + 1..) == Some(name),
            None => dir.is_empty() && path == name,
        })
    }

    /// Whether something left out lies strictly inside `dir`.
    pub(super) fn excludes_inside(&self, dir: &[u8]) -> bool {
        self.excluded.iter().any(|path| match path.strip_prefix(dir) {
            Some(rest) => dir.is_empty() || rest.first() == Some(&b'/'),
            None => false,
        })
    }

    /// Whether `dir` or something directly in it may be left out: the quick test of the walk.
    pub(super) fn has_exclusions(&self) -> bool {
        !self.excluded.is_empty()
    }
}

/// Why a list of roots cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RootsError {
    /// A directory was not given absolutely.
    #[error("{0} is not an absolute path; a covered directory must be one")]
    NotAbsolute(PathBuf),
    /// Two roots have one name, or are one directory.
    #[error("two covered directories are called or are `{0}`; each needs a name and a place of its own")]
    Twice(String),
    /// The directory (or, where it is missing, its parent) could not be resolved.
    #[error("cannot resolve {path}: {source}")]
    Resolve {
        /// The directory as given.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A small ordered list of roots; one snapshot covers all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roots {
    list: Vec<Root>,
}

impl Roots {
    /// Resolves symbolic links in the roots' own paths once and for all (later a link in them is an attack, not a
    /// wish), and leaves a root that lies inside another one out of the outer one.
    pub fn new(list: impl IntoIterator<Item = Root>) -> Result<Self, RootsError> {
        let mut roots = Self { list: Vec::new() };
        for mut root in list {
            if !root.dir.is_absolute() {
                return Err(RootsError::NotAbsolute(root.dir));
            }
            root.dir = resolve(&root.dir)?;
            if roots.list.iter().any(|other| other.name == root.name || other.dir == root.dir) {
                return Err(RootsError::Twice(root.name));
            }
            roots.list.push(root);
        }
        let places: Vec<PathBuf> = roots.list.iter().map(|root| root.dir.clone()).collect();
        Ok(places.iter().fold(roots, |roots, place| roots.without(place)))
    }

    /// Leaves the absolute directory `place` (the session's own store, for instance) out of every root around it.
    #[must_use]
    pub fn without(mut self, place: &Path) -> Self {
        for root in &mut self.list {
            if let Ok(inside) = place.strip_prefix(&root.dir) {
                *root = root.clone().without(inside);
            }
        }
        self
    }

    /// The roots in order.
    pub fn iter(&self) -> impl Iterator<Item = &Root> {
        self.list.iter()
    }

    /// The root called `name`.
    pub fn get(&self, name: &str) -> Option<&Root> {
        self.list.iter().find(|root| root.name == name)
    }

    pub(super) fn at(&self, index: usize) -> Option<&Root> {
        self.list.get(index)
    }
}

fn resolve(dir: &Path) -> Result<PathBuf, RootsError> {
    let failed = |source| RootsError::Resolve { path: dir.to_owned(), source };
    match (dir.canonicalize(), dir.parent(), dir.file_name()) {
        (Ok(found), ..) => Ok(found),
        (Err(error), Some(parent), Some(name)) if error.kind() == std::io::ErrorKind::NotFound => {
            Ok(parent.canonicalize().map_err(failed)?.join(name))
        }
        (Err(error), ..) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exclusions() {
        let root = Root::new("w", "/w").without("a/b/").without("top");
        assert!(root.excludes(b"a", b"b") && root.excludes(b"", b"top"));
        assert!(!root.excludes(b"a", b"bb") && !root.excludes(b"", b"a") && !root.excludes(b"x", b"top"));
        assert!(root.excludes_inside(b"") && root.excludes_inside(b"a") && !root.excludes_inside(b"a/b"));
        assert!(!root.excludes_inside(b"to"));
    }

    #[test]
    fn nested_roots_are_covered_once() {
        let dir = tempfile::tempdir().unwrap();
        let outer = dir.path().canonicalize().unwrap();
        let roots = Roots::new([Root::new("w", &outer), Root::new("t", outer.join("_temp"))]).unwrap();
        assert!(roots.get("w").unwrap().excludes(b"", b"_temp"));
        assert!(!roots.get("t").unwrap().has_exclusions());
        assert!(Roots::new([Root::new("w", "relative")]).is_err());
        assert!(Roots::new([Root::new("w", &outer), Root::new("w", outer.join("x"))]).is_err());
    }
}
