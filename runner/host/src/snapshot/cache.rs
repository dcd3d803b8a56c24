//! The tree as it was at the last look, in memory: what makes a checkpoint without changes cost a stat walk.
//!
//! Knows nothing of stored bytes; `walk` brings it up to date, `seal` turns it into nodes.

use super::manifest::{Entry, Kind, Meta};
use super::roots::Roots;
use super::stat::Stat;

/// One entry as last seen.
#[derive(Debug)]
pub(super) struct Cached {
    pub(super) stat: Stat,
    pub(super) entry: Entry,
    /// A further change might not have shown in `stat`: look at the content again next time.
    pub(super) racy: bool,
    /// The content is in the store, not just hashed.
    pub(super) stored: bool,
    /// The entry differs from what its directory's node says.
    pub(super) changed: bool,
    /// The directory's own state differs from last time: its extended attributes must be read again.
    pub(super) recheck: bool,
    pub(super) dir: Option<Box<DirCache>>,
}

/// A directory's entries in the order the file system lists them.
#[derive(Debug, Default)]
pub(super) struct DirCache {
    pub(super) entries: Vec<Cached>,
    /// An entry has gone, or none was ever sealed.
    pub(super) dirty: bool,
    /// The node is in the store.
    pub(super) stored: bool,
}

/// All roots as last seen; `tops` has one element per root, `None` where the directory is absent.
#[derive(Debug, Default)]
pub(super) struct TreeCache {
    pub(super) roots: Roots,
    pub(super) tops: Vec<Option<Cached>>,
}

impl Cached {
    /// An entry about which only the name is known yet.
    pub(super) fn unknown(name: &[u8]) -> Self {
        Self {
            stat: Stat::default(),
            entry: Entry { name: name.into(), meta: Meta::default(), kind: Kind::Fifo },
            racy: true,
            stored: false,
            changed: true,
            recheck: true,
            dir: None,
        }
    }

    /// Whether nothing but the name is known.
    pub(super) fn is_unknown(&self) -> bool {
        self.stat.ino == 0 && self.stat.mode == 0
    }

    /// Numbers of non-directories and directories beneath, itself included.
    pub(super) fn count(&self) -> (u64, u64) {
        let mut counts = (0, 0);
        let mut rest = vec![self];
        while let Some(next) = rest.pop() {
            match &next.dir {
                Some(dir) => {
                    counts.1 += 1;
                    rest.extend(dir.entries.iter());
                }
                None => counts.0 += 1,
            }
        }
        counts
    }
}

impl DirCache {
    /// The entries in the order of a node; a name the file system listed twice comes once.
    pub(super) fn sorted(&self) -> Vec<&Cached> {
        let mut sorted: Vec<&Cached> = self.entries.iter().collect();
        sorted.sort_unstable_by(|one, other| one.entry.name.cmp(&other.entry.name));
        sorted.dedup_by(|one, other| one.entry.name == other.entry.name);
        sorted
    }

    pub(super) fn get_mut(&mut self, name: &[u8]) -> Option<&mut Cached> {
        self.entries.iter_mut().find(|cached| *cached.entry.name == *name)
    }
}

impl TreeCache {
    pub(super) fn new(roots: &Roots) -> Self {
        Self { roots: roots.clone(), tops: roots.iter().map(|_| None).collect() }
    }

    /// The entry of `path` (empty for the root itself).
    pub(super) fn get_mut(&mut self, root: usize, path: &[u8]) -> Option<&mut Cached> {
        let mut found = self.tops.get_mut(root)?.as_mut()?;
        for name in path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
            found = found.dir.as_deref_mut()?.get_mut(name)?;
        }
        Some(found)
    }
}
