//! What `.git` says about the repository, read from its files: no git process is started, which would cost more than
//! the whole start of a run.
//!
//! Knows HEAD, refs (loose and packed), remotes and the configuration file; reads no object.

use std::fs;
use std::path::{Path, PathBuf};

/// Symbolic references may point to one another this many times.
const SYMREF_DEPTH: usize = 5;

/// A repository on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Repository {
    /// The top folder of the working tree.
    pub(crate) root: PathBuf,
    /// HEAD is here: of this working tree alone.
    git_dir: PathBuf,
    /// Refs and configuration are here: shared by all working trees.
    common_dir: PathBuf,
}

/// Where HEAD points.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// `refs/heads/main`, `refs/tags/v1`, or the commit itself when nothing has a name for it; empty before the first commit of
    /// a repository whose HEAD cannot be read.
    pub(crate) reference: String,
    /// The commit in hex; `None` before the first commit.
    pub(crate) commit: Option<String>,
}

impl Repository {
    /// The repository that `start` lies in.
    pub(crate) fn find(start: &Path) -> Option<Repository> {
        start.ancestors().find_map(|folder| {
            let git_dir = git_dir(&folder.join(".git"))?;
            let common_dir = match fs::read_to_string(git_dir.join("commondir")) {
                Ok(text) => git_dir.join(text.trim()),
                Err(_) => git_dir.clone(),
            };
            Some(Repository { root: folder.to_path_buf(), git_dir, common_dir })
        })
    }

    /// Where HEAD points. A detached HEAD takes the name of a tag or branch at the same commit, if there is one.
    pub(crate) fn head(&self) -> Head {
        let Ok(text) = fs::read_to_string(self.git_dir.join("HEAD")) else { return Head::default() };
        match text.trim().strip_prefix("ref:") {
            Some(name) => {
                let reference = name.trim().to_owned();
                let commit = self.commit_of(&reference);
                Head { reference, commit }
            }
            None => {
                let commit = text.trim().to_owned();
                let reference = self.name_of(&commit).unwrap_or_else(|| commit.clone());
                Head { reference, commit: Some(commit).filter(|commit| is_hash(commit)) }
            }
        }
    }

    /// The commit that a reference names.
    pub(crate) fn commit_of(&self, reference: &str) -> Option<String> {
        let mut name = reference.to_owned();
        for _ in 0..SYMREF_DEPTH {
            match self.loose(&name) {
                Some(text) => match text.strip_prefix("ref:") {
                    Some(other) => name = other.trim().to_owned(),
                    None => return Some(text).filter(|text| is_hash(text)),
                },
                None => {
                    return self
                        .packed()
                        .into_iter()
                        .find(|(_, known)| *known == name)
                        .map(|(commit, _)| commit);
                }
            }
        }
        None
    }

    fn loose(&self, reference: &str) -> Option<String> {
        // A name with `..` would lead out of the folder.
        if reference.split('/').any(|part| part.is_empty() || part == "..") {
            return None;
        }
        let read = |folder: &Path| fs::read_to_string(folder.join(reference)).ok();
        read(&self.git_dir).or_else(|| read(&self.common_dir)).map(|text| text.trim().to_owned())
    }

    /// Commits and names in `packed-refs`.
    fn packed(&self) -> Vec<(String, String)> {
        let text = fs::read_to_string(self.common_dir.join("packed-refs")).unwrap_or_default();
        text.lines()
            .filter(|line| !line.starts_with(['#', '^']))
            .filter_map(|line| line.split_once(' '))
            .map(|(commit, name)| (commit.to_owned(), name.trim().to_owned()))
            .collect()
    }

    fn name_of(&self, commit: &str) -> Option<String> {
        let packed = self.packed();
        ["refs/tags", "refs/heads"].into_iter().find_map(|folder| {
            let mut names: Vec<String> = loose_names(&self.common_dir, folder);
            names.sort();
            let loose = names.into_iter().find(|name| self.loose(name).as_deref() == Some(commit));
            loose.or_else(|| {
                packed
                    .iter()
                    .find(|(known, name)| known == commit && name.starts_with(folder))
                    .map(|(_, name)| name.clone())
            })
        })
    }

    /// The address of the remote that the current branch follows, else of `origin`, else of the only one.
    pub(crate) fn remote_url(&self) -> Option<String> {
        let config = self.config();
        let head = self.head().reference;
        let branch = head.strip_prefix("refs/heads/").unwrap_or_default();
        let followed = config.get(&format!("branch.{branch}"), "remote").filter(|remote| *remote != ".");
        let url = |remote: &str| config.get(&format!("remote.{remote}"), "url");
        let only = || {
            let mut remotes = config
                .entries
                .iter()
                .filter(|entry| entry.section.starts_with("remote.") && entry.key == "url");
            remotes.next().filter(|_| remotes.next().is_none()).map(|entry| entry.value.as_str())
        };
        followed.and_then(url).or_else(|| url("origin")).or_else(only).map(str::to_owned)
    }

    /// The branch that the remote calls its default, else `main` or `master` if there is one.
    pub(crate) fn default_branch(&self) -> Option<String> {
        let remote = self.loose("refs/remotes/origin/HEAD");
        let named = remote
            .as_deref()
            .and_then(|text| text.strip_prefix("ref: refs/remotes/origin/"))
            .map(str::to_owned);
        named.or_else(|| {
            ["main", "master"]
                .into_iter()
                .find(|name| self.commit_of(&format!("refs/heads/{name}")).is_some())
                .map(str::to_owned)
        })
    }

    /// `github.user` of the repository's configuration or the person's own: the login at GitHub, where somebody set it.
    pub(crate) fn github_user(&self, home: Option<&Path>) -> Option<String> {
        let own = self.config().get("github", "user").map(str::to_owned);
        own.or_else(|| {
            let text = fs::read_to_string(home?.join(".gitconfig")).ok()?;
            Config::parse(&text).get("github", "user").map(str::to_owned)
        })
    }

    fn config(&self) -> Config {
        Config::parse(&fs::read_to_string(self.common_dir.join("config")).unwrap_or_default())
    }
}

/// `.git` itself, or where the file of that name points (submodules, working trees).
fn git_dir(path: &Path) -> Option<PathBuf> {
    if path.is_dir() {
        return path.join("HEAD").is_file().then(|| path.to_path_buf());
    }
    let text = fs::read_to_string(path).ok()?;
    let target = path.parent()?.join(text.trim().strip_prefix("gitdir:")?.trim());
    target.join("HEAD").is_file().then_some(target)
}

fn is_hash(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn loose_names(common_dir: &Path, folder: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(common_dir.join(folder)) else { return Vec::new() };
    let entries = entries.filter_map(Result::ok).filter_map(|entry| {
        let name = format!("{folder}/{}", entry.file_name().into_string().ok()?);
        Some((name, entry.file_type().ok()?.is_dir()))
    });
    entries
        .flat_map(|(name, is_folder)| if is_folder { loose_names(common_dir, &name) } else { vec![name] })
        .collect()
}

/// A git configuration file; includes are not followed.
#[derive(Debug, Default)]
struct Config {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    /// `core`, or `remote.origin`.
    section: String,
    /// In lower case.
    key: String,
    value: String,
}

impl Config {
    fn parse(text: &str) -> Config {
        let mut section = String::new();
        let mut entries = Vec::new();
        for line in text.lines().map(str::trim) {
            if let Some(heading) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
                section = match heading.split_once('"') {
                    Some((name, sub)) => {
                        format!("{}.{}", name.trim().to_ascii_lowercase(), sub.trim_end_matches('"'))
                    }
                    None => heading.trim().to_ascii_lowercase(),
                };
            } else if let Some((key, value)) = line.split_once('=').filter(|_| !line.starts_with(['#', ';']))
            {
                let value = value.trim();
                let value = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
                entries.push(Entry {
                    section: section.clone(),
                    key: key.trim().to_ascii_lowercase(),
                    value: value.to_owned(),
                });
            }
        }
        Config { entries }
    }

    /// The last value counts, as in git.
    fn get(&self, section: &str, key: &str) -> Option<&str> {
        let entry = self.entries.iter().rev().find(|entry| entry.section == section && entry.key == key)?;
        Some(&entry.value)
    }
}

/// A remote's address taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RemoteName {
    /// For instance `github.com`; empty for a folder.
    pub(crate) host: String,
    /// `owner/name`.
    pub(crate) repository: String,
}

impl RemoteName {
    /// From `https://host/o/r.git`, `git@host:o/r`, `ssh://git@host:22/o/r`.
    pub(crate) fn parse(url: &str) -> Option<RemoteName> {
        let (host, path) = match url.split_once("://") {
            Some((scheme, rest)) if scheme != "file" => rest.split_once('/')?,
            Some(_) => return None,
            None => url.split_once(':').filter(|(host, _)| !host.contains('/'))?,
        };
        let host = host.rsplit('@').next().unwrap_or(host).split(':').next().unwrap_or_default();
        let path = path.trim_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        let mut parts = path.rsplitn(3, '/');
        let (name, owner) = (parts.next()?, parts.next()?);
        (!name.is_empty() && !owner.is_empty())
            .then(|| RemoteName { host: host.to_ascii_lowercase(), repository: format!("{owner}/{name}") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    /// A repository made of these files below `.git`.
    fn repository(files: &[(&str, &str)]) -> (tempfile::TempDir, Repository) {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(".git").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let inner = folder.path().join("src/deep");
        fs::create_dir_all(&inner).unwrap();
        let repository = Repository::find(&inner).unwrap();
        assert_eq!(repository.root, folder.path());
        (folder, repository)
    }

    fn head(files: &[(&str, &str)], reference: &str, commit: Option<&str>) {
        let (_folder, repository) = repository(files);
        assert_eq!(
            repository.head(),
            Head { reference: reference.into(), commit: commit.map(Into::into) },
            "{files:?}"
        );
    }

    #[test]
    fn head_is_found_loose_packed_and_detached() {
        head(
            &[("HEAD", "ref: refs/heads/main\n"), ("refs/heads/main", &format!("{A}\n"))],
            "refs/heads/main",
            Some(A),
        );
        let packed = format!("# pack-refs with: peeled\n{B} refs/heads/x/y\n{A} refs/tags/v1\n^{B}\n");
        head(&[("HEAD", "ref: refs/heads/x/y"), ("packed-refs", &packed)], "refs/heads/x/y", Some(B));
        head(&[("HEAD", "ref: refs/heads/new")], "refs/heads/new", None);
        head(&[("HEAD", A), ("packed-refs", &packed)], "refs/tags/v1", Some(A));
        head(&[("HEAD", B), ("refs/heads/f/g", B)], "refs/heads/f/g", Some(B));
        head(&[("HEAD", A)], A, Some(A));
    }

    #[test]
    fn a_linked_working_tree_shares_refs() {
        let (folder, _) = repository(&[
            ("HEAD", "ref: refs/heads/main"),
            ("refs/heads/main", A),
            ("refs/heads/other", B),
            ("worktrees/w/HEAD", "ref: refs/heads/other"),
            ("worktrees/w/commondir", "../.."),
        ]);
        let tree = tempfile::tempdir().unwrap();
        let link = format!("gitdir: {}", folder.path().join(".git/worktrees/w").display());
        fs::write(tree.path().join(".git"), link).unwrap();
        let linked = Repository::find(tree.path()).unwrap();
        assert_eq!(linked.head(), Head { reference: "refs/heads/other".into(), commit: Some(B.into()) });
    }

    #[test]
    fn the_remote_is_the_one_that_is_followed() {
        let config = "[core]\n bare = false\n[remote \"origin\"]\n\turl = https://h/o/r\n[remote \"up\"]\n\turl = \"https://h/u/r\"\n";
        let url =
            |config: &str| repository(&[("HEAD", "ref: refs/heads/main"), ("config", config)]).1.remote_url();
        assert_eq!(url(config).as_deref(), Some("https://h/o/r"));
        assert_eq!(
            url(&format!("{config}[branch \"main\"]\nremote = up\n")).as_deref(),
            Some("https://h/u/r")
        );
        assert_eq!(url("[remote \"x\"]\nurl = git@h:a/b").as_deref(), Some("git@h:a/b"));
        assert_eq!(url(""), None);
    }

    #[test]
    fn the_default_branch_is_the_remotes() {
        let files = [
            ("HEAD", "ref: refs/heads/x"),
            ("refs/heads/master", A),
            ("refs/remotes/origin/HEAD", "ref: refs/remotes/origin/dev\n"),
        ];
        assert_eq!(repository(&files).1.default_branch().as_deref(), Some("dev"));
        assert_eq!(repository(&files[..2]).1.default_branch().as_deref(), Some("master"));
        assert_eq!(repository(&files[..1]).1.default_branch(), None);
    }

    #[test]
    fn addresses_are_taken_apart() {
        let check = |url: &str, expected: Option<(&str, &str)>| {
            let found = RemoteName::parse(url);
            let found = found.as_ref().map(|name| (name.host.as_str(), name.repository.as_str()));
            assert_eq!(found, expected, "{url}");
        };
        check("https://github.com/o/r.git", Some(("github.com", "o/r")));
        check("https://token@GitHub.com/o/r/", Some(("github.com", "o/r")));
        check("git@github.com:o/r.git", Some(("github.com", "o/r")));
        check("ssh://git@ghe.example:2222/o/r", Some(("ghe.example", "o/r")));
        check("https://gitlab.com/group/sub/r", Some(("gitlab.com", "sub/r")));
        check("/srv/git/r.git", None);
        check("file:///srv/o/r", None);
        check("../r", None);
    }
}
