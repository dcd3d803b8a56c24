//! What has to be done so that the tree seen last becomes the recorded one: only what differs.
//!
//! Decides and touches nothing; `apply` does the work.

use std::collections::BTreeMap;

use crate::snapshot::cache::{Cached, TreeCache};
use crate::snapshot::error::SnapshotError;
use crate::snapshot::id::SnapshotId;
use crate::snapshot::manifest::{Entry, Kind, Meta, Snapshot};
use crate::snapshot::roots::{Root, Roots};
use crate::snapshot::stat::{FileType, Stat};
use crate::snapshot::store::Store;
use crate::snapshot::walk::{Note, NoteKind};
use crate::snapshot::{RestoreError, join, to_path};

/// A place in the covered trees: number of the root and path within it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::snapshot) struct At {
    pub(in crate::snapshot) root: usize,
    pub(in crate::snapshot) path: Vec<u8>,
}

impl At {
    pub(in crate::snapshot) fn new(root: usize, path: &[u8]) -> Self {
        Self { root, path: path.to_vec() }
    }

    /// Whether this is `above` or beneath it.
    pub(in crate::snapshot) fn is_within(&self, above: &Self) -> bool {
        let rest = self.path.strip_prefix(&*above.path);
        let beneath = |rest: &[u8]| above.path.is_empty() || rest.is_empty() || rest.first() == Some(&b'/');
        self.root == above.root && rest.is_some_and(beneath)
    }
}

/// A file whose content must come from the store.
#[derive(Debug)]
pub(super) struct FileWork {
    pub(super) at: At,
    pub(super) entry: Entry,
    /// What is there now, when it may be written in place.
    pub(super) current: Option<(Stat, Kind)>,
}

/// The work, in the order it is to be done (timetravel.md 2.6).
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Roots that are not there.
    pub(super) make_roots: Vec<usize>,
    /// What must go or make room, each with all beneath it.
    pub(super) remove: Vec<At>,
    /// Directories to make, from the top down.
    pub(super) make_dirs: Vec<At>,
    pub(super) files: Vec<FileWork>,
    /// Symbolic links and named pipes.
    pub(super) specials: Vec<(At, Entry)>,
    /// Further names (first) of a file (second).
    pub(super) links: Vec<(At, At)>,
    /// What has the right content and may have other metadata; with the extended attributes it has now.
    pub(super) metadata: Vec<(At, Meta, Meta)>,
    /// Directories in which something happens or which have other metadata: set last, deepest first.
    pub(super) dirs: Vec<(At, Meta)>,
    pub(super) notes: Vec<Note>,
}

/// Compares and plans.
pub(super) struct Planner<'s> {
    pub(super) store: &'s Store,
    pub(super) roots: &'s Roots,
    /// Places that are right whatever the target says, with all beneath them.
    pub(super) trusted: &'s [At],
    pub(super) plan: Plan,
    groups: BTreeMap<u64, Vec<(At, Entry)>>,
}

impl<'s> Planner<'s> {
    pub(super) fn new(store: &'s Store, roots: &'s Roots, trusted: &'s [At]) -> Self {
        Self { store, roots, trusted, plan: Plan::default(), groups: BTreeMap::new() }
    }

    pub(super) fn run(
        mut self,
        cache: &TreeCache,
        id: SnapshotId,
        target: &Snapshot,
    ) -> Result<Plan, RestoreError> {
        for (index, root) in self.roots.iter().enumerate() {
            let Some(record) = target.roots.iter().find(|record| record.name == root.name()) else {
                return Err(RestoreError::OtherRoots(root.name().to_owned()));
            };
            let current = cache.tops.get(index).and_then(Option::as_ref);
            let at = At { root: index, path: Vec::new() };
            match (current, &record.top) {
                (Some(current), Some(wanted)) => self.both(at, current, wanted)?,
                (None, Some(wanted)) => {
                    self.plan.make_roots.push(index);
                    self.create(at, wanted)?;
                    self.plan.make_dirs.retain(|made| made.root != index || !made.path.is_empty());
                }
                (Some(current), None) => self.remove_inside(&at, current),
                (None, None) => {}
            }
        }
        self.link_groups(target)?;
        self.check_contents(id)?;
        Ok(self.plan)
    }

    fn root(&self, at: &At) -> Option<&'s Root> {
        self.roots.at(at.root)
    }

    fn note(&mut self, at: &At, kind: NoteKind) {
        if let Some(root) = self.root(at) {
            self.plan.notes.push(Note { root: root.name().to_owned(), path: to_path(&at.path), kind });
        }
    }

    fn both(&mut self, at: At, current: &Cached, wanted: &Entry) -> Result<(), SnapshotError> {
        if current.entry == *wanted || self.trusted.iter().any(|trusted| at.is_within(trusted)) {
            return Ok(());
        }
        match (&current.entry.kind, &wanted.kind) {
            (Kind::Dir { .. }, Kind::Dir { .. }) => self.both_dirs(at, current, wanted),
            (Kind::File { .. }, Kind::File { .. }) => {
                self.both_files(at, current, wanted);
                Ok(())
            }
            (now, Kind::Unreadable { of, .. }) if now.file_type() == *of => {
                self.same_content(at, current, wanted);
                Ok(())
            }
            (now, then) if now.same_content(then) => {
                self.same_content(at, current, wanted);
                Ok(())
            }
            _ => {
                if self.remove(&at, current) {
                    self.create(at, wanted)?;
                }
                Ok(())
            }
        }
    }

    fn same_content(&mut self, at: At, current: &Cached, wanted: &Entry) {
        self.plan.metadata.push((at, wanted.meta.clone(), current.entry.meta.clone()));
    }

    fn both_dirs(&mut self, at: At, current: &Cached, wanted: &Entry) -> Result<(), SnapshotError> {
        self.plan.dirs.push((at.clone(), wanted.meta.clone()));
        if current.entry.kind == wanted.kind {
            return Ok(());
        }
        let Kind::Dir { node, .. } = &wanted.kind else { return Ok(()) };
        let node = self.store.node(node)?;
        let now = current.dir.as_ref().map(|dir| dir.sorted()).unwrap_or_default();
        let (mut now, mut then) = (now.into_iter().peekable(), node.entries.iter().peekable());
        loop {
            let (one, other) = match (now.peek(), then.peek()) {
                (None, None) => return Ok(()),
                (Some(_), None) => (now.next(), None),
                (None, Some(_)) => (None, then.next()),
                (Some(one), Some(other)) => match one.entry.name.cmp(&other.name) {
                    std::cmp::Ordering::Less => (now.next(), None),
                    std::cmp::Ordering::Greater => (None, then.next()),
                    std::cmp::Ordering::Equal => (now.next(), then.next()),
                },
            };
            let Some(name) = one.map(|one| &one.entry.name).or(other.map(|other| &other.name)) else {
                return Ok(());
            };
            let at = At { root: at.root, path: join(&at.path, name) };
            match (one, other) {
                (Some(current), Some(wanted)) => self.both(at, current, wanted)?,
                (Some(current), None) => drop(self.remove(&at, current)),
                (None, Some(wanted)) => self.create(at, wanted)?,
                (None, None) => {}
            }
        }
    }

    fn both_files(&mut self, at: At, current: &Cached, wanted: &Entry) {
        let group = |entry: &Entry| if let Kind::File { group, .. } = entry.kind { group } else { None };
        let single = current.stat.nlink == 1;
        if let Some(group) = group(wanted) {
            self.plan.remove.push(at.clone());
            self.groups.entry(group).or_default().push((at, wanted.clone()));
        } else if single && current.entry.kind.same_content(&wanted.kind) {
            self.same_content(at, current, wanted);
        } else if single {
            let now = Some((current.stat, current.entry.kind.clone()));
            self.plan.files.push(FileWork { at, entry: wanted.clone(), current: now });
        } else {
            self.plan.remove.push(at.clone());
            self.plan.files.push(FileWork { at, entry: wanted.clone(), current: None });
        }
    }

    fn create(&mut self, at: At, wanted: &Entry) -> Result<(), SnapshotError> {
        if self.trusted.iter().any(|trusted| at.is_within(trusted)) {
            return Ok(());
        }
        match &wanted.kind {
            Kind::Dir { node, .. } => {
                self.plan.make_dirs.push(at.clone());
                self.plan.dirs.push((at.clone(), wanted.meta.clone()));
                for child in &self.store.node(node)?.entries {
                    self.create(At { root: at.root, path: join(&at.path, &child.name) }, child)?;
                }
            }
            Kind::File { group: Some(group), .. } => {
                self.groups.entry(*group).or_default().push((at, wanted.clone()));
            }
            Kind::File { .. } => {
                self.plan.files.push(FileWork { at, entry: wanted.clone(), current: None });
            }
            Kind::Symlink { .. } | Kind::Fifo => self.plan.specials.push((at, wanted.clone())),
            Kind::Socket => self.note(&at, NoteKind::Socket),
            Kind::Device { .. } => self.note(&at, NoteKind::Device),
            Kind::Unreadable { .. } => self.note(&at, NoteKind::Unreadable),
        }
        Ok(())
    }

    /// Plans the removal of an entry; false when it must stay because something left out lies in it.
    fn remove(&mut self, at: &At, current: &Cached) -> bool {
        if self.trusted.iter().any(|trusted| at.is_within(trusted) || trusted.is_within(at)) {
            return false;
        }
        let is_dir = current.entry.kind.file_type() == FileType::Dir;
        if is_dir && self.root(at).is_some_and(|root| root.excludes_inside(&at.path)) {
            self.remove_inside(at, current);
            self.note(at, NoteKind::HoldsExcluded);
            return false;
        }
        self.plan.remove.push(at.clone());
        true
    }

    fn remove_inside(&mut self, at: &At, current: &Cached) {
        for child in current.dir.iter().flat_map(|dir| dir.sorted()) {
            self.remove(&At { root: at.root, path: join(&at.path, &child.entry.name) }, child);
        }
    }

    /// Plans the names of inodes with several: one file, the others links to it. A name that is right already
    /// serves as the file.
    fn link_groups(&mut self, target: &Snapshot) -> Result<(), SnapshotError> {
        if self.groups.is_empty() {
            return Ok(());
        }
        let intact = self.intact_members(target)?;
        for (group, members) in std::mem::take(&mut self.groups) {
            let mut first = intact.get(&group).cloned();
            for (at, entry) in members {
                if let Some(first) = &first {
                    self.plan.links.push((at, first.clone()));
                } else {
                    first = Some(at.clone());
                    self.plan.files.push(FileWork { at, entry, current: None });
                }
            }
        }
        Ok(())
    }

    fn intact_members(&self, target: &Snapshot) -> Result<BTreeMap<u64, At>, SnapshotError> {
        let mut intact = BTreeMap::new();
        for (index, root) in self.roots.iter().enumerate() {
            let record = target.roots.iter().find(|record| record.name == root.name());
            let mut rest: Vec<(Vec<u8>, Entry)> = record
                .and_then(|record| record.top.clone())
                .map(|top| (Vec::new(), top))
                .into_iter()
                .collect();
            while let Some((path, entry)) = rest.pop() {
                match &entry.kind {
                    Kind::Dir { node, .. } => {
                        let node = self.store.node(node)?;
                        rest.extend(
                            node.entries.iter().map(|child| (join(&path, &child.name), child.clone())),
                        );
                    }
                    Kind::File { group: Some(group), .. } => {
                        let at = At::new(index, &path);
                        let differs =
                            self.groups.get(group).is_none_or(|all| all.iter().any(|(one, _)| *one == at));
                        if !differs {
                            intact.entry(*group).or_insert(at);
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(intact)
    }

    fn check_contents(&self, id: SnapshotId) -> Result<(), RestoreError> {
        let mut missing = Vec::new();
        for work in &self.plan.files {
            if !self.store.has_content(&work.entry.kind)? {
                missing.push(to_path(&work.at.path));
            }
        }
        let count = missing.len();
        match missing.into_iter().next() {
            Some(example) => Err(RestoreError::WithoutFiles { target: id, count, example }),
            None => Ok(()),
        }
    }
}
