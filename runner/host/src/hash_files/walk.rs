//! Finds the files that patterns name, in the order in which `@actions/glob` finds them: search paths as given, then depth
//! first, names of a folder in byte order.
//!
//! Knows files and links; not what is done with them.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::pattern::{Kinds, Pattern};

struct Item {
    path: PathBuf,
    level: usize,
}

/// The walk: give it patterns, take files. Folders are not given out.
pub(super) struct Walk<'a> {
    patterns: &'a [Pattern],
    follow_links: bool,
    stack: Vec<Item>,
    /// Real paths of the folders around the current one, to find circles of links.
    chain: Vec<PathBuf>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(patterns: &'a [Pattern], follow_links: bool) -> io::Result<Self> {
        let mut stack = Vec::new();
        for path in search_paths(patterns).into_iter().rev() {
            match fs::symlink_metadata(&path) {
                Ok(_) => stack.push(Item { path, level: 1 }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self { patterns, follow_links, stack, chain: Vec::new() })
    }

    /// The next matching entry that is no folder.
    pub(super) fn next_file(&mut self) -> io::Result<Option<PathBuf>> {
        while let Some(item) = self.stack.pop() {
            let text = item.path.to_string_lossy();
            let names: Vec<&str> = text.split('/').filter(|name| !name.is_empty()).collect();
            let kinds = matched(self.patterns, &names);
            let below =
                self.patterns.iter().any(|pattern| !pattern.negate && pattern.may_match_below(&names));
            if kinds == Kinds::default() && !below {
                continue;
            }
            match self.is_directory(&item)? {
                Some(true) => self.push_children(&item)?,
                Some(false) if kinds.file => return Ok(Some(item.path)),
                _ => {}
            }
        }
        Ok(None)
    }

    /// `None`: nothing to look at, for it is a broken link or leads back to a folder that we are in.
    fn is_directory(&mut self, item: &Item) -> io::Result<Option<bool>> {
        if !self.follow_links {
            return Ok(Some(fs::symlink_metadata(&item.path)?.is_dir()));
        }
        let metadata = match fs::metadata(&item.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        if metadata.is_dir() {
            let real = fs::canonicalize(&item.path)?;
            self.chain.truncate(item.level - 1);
            if self.chain.contains(&real) {
                return Ok(None);
            }
            self.chain.push(real);
        }
        Ok(Some(metadata.is_dir()))
    }

    fn push_children(&mut self, item: &Item) -> io::Result<()> {
        let mut names: Vec<OsString> =
            fs::read_dir(&item.path)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<_>>()?;
        names.sort_unstable_by(|a, b| b.cmp(a));
        self.stack
            .extend(names.into_iter().map(|name| Item { path: item.path.join(name), level: item.level + 1 }));
        Ok(())
    }
}

fn matched(patterns: &[Pattern], names: &[&str]) -> Kinds {
    patterns.iter().fold(Kinds::default(), |found, pattern| {
        let hit = pattern.matches(names);
        if pattern.negate {
            Kinds { directory: found.directory && !hit.directory, file: found.file && !hit.file }
        } else {
            Kinds { directory: found.directory || hit.directory, file: found.file || hit.file }
        }
    })
}

/// Where to begin: no path twice, and none below another one.
fn search_paths(patterns: &[Pattern]) -> Vec<PathBuf> {
    let all: Vec<Vec<&str>> =
        patterns.iter().filter(|pattern| !pattern.negate).map(Pattern::search_path).collect();
    let known: BTreeSet<&[&str]> = all.iter().map(Vec::as_slice).collect();
    let has_ancestor =
        |names: &[&str]| (0..names.len()).any(|len| names.get(..len).is_some_and(|n| known.contains(n)));
    let mut taken: BTreeSet<&[&str]> = BTreeSet::new();
    let mut paths = Vec::new();
    for names in &all {
        if !has_ancestor(names) && taken.insert(names) {
            paths.push(Path::new("/").join(names.join("/")));
        }
    }
    paths
}
