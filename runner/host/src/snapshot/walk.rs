//! Brings the cached tree up to date with the disk: lists every directory, looks at every entry's state, and reads
//! only what is new or changed. Uses further threads once a tree turns out to be large.
//!
//! Knows nothing of nodes and snapshots; `seal` makes those from what is found here.

use std::collections::HashMap;
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::cache::{Cached, DirCache, TreeCache};
use super::error::SnapshotError;
use super::id::Digest;
use super::listing::Listing;
use super::manifest::{Kind, Meta, Xattr};
use super::record::{self, Sink, Unread};
use super::roots::{Root, Roots};
use super::stat::{FileType, Stat, Time};
use super::{beneath, join, os, to_path};

/// Entries seen before further threads are worth their start.
const THREADS_FROM: usize = 4000;
/// More do not pay: the kernel's directory cache is the limit (timetravel.md 2.2).
const MOST_THREADS: usize = 4;

/// Something about a covered tree that a person should know of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// Name of the root.
    pub root: String,
    /// Path within it.
    pub path: PathBuf,
    /// What about it.
    pub kind: NoteKind,
}

/// What a [`Note`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoteKind {
    /// The system did not let us read it: recorded as there, without content.
    Unreadable,
    /// It changed each time it was read; the content may be a mix.
    Unstable,
    /// A socket: recorded, cannot be recreated.
    Socket,
    /// A device: recorded, not recreated.
    Device,
    /// It went away or changed its type during the look.
    Vanished,
    /// The root is not a directory, or is reached through a symbolic link.
    NotADirectory,
    /// The owner, mode or an extended attribute could not be set.
    MetadataRefused,
    /// A directory stayed because something left out of the snapshot is in it.
    HoldsExcluded,
}

/// How the tree differs from the look before; directories that only got another modification time do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChangeSummary {
    /// Files, links and the like that were not there.
    pub created: u64,
    /// Files whose content, or entries whose type or link target, is another.
    pub modified: u64,
    /// Files, links and the like that are gone.
    pub deleted: u64,
    /// Entries of which only mode, owner, times or extended attributes are others.
    pub metadata: u64,
    /// Directories that were not there.
    pub dirs_created: u64,
    /// Directories that are gone.
    pub dirs_deleted: u64,
    /// Bytes added to the store.
    pub stored_bytes: u64,
}

impl ChangeSummary {
    /// Whether nothing a person would call a change happened.
    pub fn is_empty(&self) -> bool {
        Self { stored_bytes: 0, ..*self } == Self::default()
    }

    fn add(&mut self, other: &Self) {
        self.created += other.created;
        self.modified += other.modified;
        self.deleted += other.deleted;
        self.metadata += other.metadata;
        self.dirs_created += other.dirs_created;
        self.dirs_deleted += other.dirs_deleted;
        self.stored_bytes += other.stored_bytes;
    }
}

/// What we wrote ourselves a moment ago, so that it need not be read again: state and kind by root and path.
pub(super) type Fresh = HashMap<(usize, Vec<u8>), (Stat, Kind)>;

/// What a walk found, besides the cache it brought up to date.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) changes: ChangeSummary,
    pub(super) notes: Vec<Note>,
    /// Any entry differs from its directory's node.
    pub(super) changed: bool,
    /// Files with more than one link were seen.
    pub(super) links: bool,
}

struct OpenRoot<'r> {
    root: &'r Root,
    fd: OwnedFd,
    dev: u64,
    grain: Duration,
}

struct Task<'t> {
    root: usize,
    path: Vec<u8>,
    cached: &'t mut Cached,
}

#[derive(Default)]
struct Scratch {
    listing: Listing,
    buffer: Vec<u8>,
    found: Found,
    seen: usize,
}

struct Walk<'w, 'p> {
    roots: Vec<Option<OpenRoot<'w>>>,
    sink: &'w Sink<'p>,
    fresh: &'w Fresh,
    started: Time,
    grain: Option<Duration>,
}

/// Walks all roots. After an error the cache must be thrown away.
pub(super) fn walk(
    cache: &mut TreeCache,
    roots: &Roots,
    sink: &Sink<'_>,
    fresh: &Fresh,
    grain: Option<Duration>,
) -> Result<Found, SnapshotError> {
    let mut walk = Walk { roots: Vec::new(), sink, fresh, started: Time::now(), grain };
    let mut scratch = Scratch::default();
    let mut tasks = Vec::new();
    for (index, (root, top)) in roots.iter().zip(&mut cache.tops).enumerate() {
        let opened = walk.open_root(root, top, &mut scratch)?;
        walk.roots.push(opened);
        if let Some(cached) = top {
            tasks.push(Task { root: index, path: Vec::new(), cached });
        }
    }
    walk.run(tasks, scratch)
}

impl<'w> Walk<'w, '_> {
    fn open_root(
        &self,
        root: &'w Root,
        top: &mut Option<Cached>,
        scratch: &mut Scratch,
    ) -> Result<Option<OpenRoot<'w>>, SnapshotError> {
        let opened = os::open_root(root.dir()).and_then(|fd| os::stat_fd(fd.as_fd()).map(|stat| (fd, stat)));
        match opened {
            Ok((fd, stat)) => {
                let cached = top.get_or_insert_with(|| Cached::unknown(b""));
                note_dir_state(cached, &stat);
                let grain = self.grain.unwrap_or_else(|| os::time_grain(fd.as_fd()));
                Ok(Some(OpenRoot { root, fd, dev: stat.dev, grain }))
            }
            Err(error) => {
                let raw = error.raw_os_error().map(rustix::io::Errno::from_raw_os_error);
                match raw {
                    Some(rustix::io::Errno::NOENT) => {}
                    Some(rustix::io::Errno::LOOP | rustix::io::Errno::NOTDIR) => {
                        scratch.found.note(root, b"", NoteKind::NotADirectory);
                    }
                    _ => return Err(SnapshotError::io("open", root.dir(), error)),
                }
                if let Some(gone) = top.take() {
                    scratch.found.deleted(&gone);
                }
                Ok(None)
            }
        }
    }

    fn run(&self, mut tasks: Vec<Task<'_>>, mut scratch: Scratch) -> Result<Found, SnapshotError> {
        let mut threads = None;
        while let Some(task) = tasks.pop() {
            self.visit(task, &mut scratch, &mut tasks)?;
            if scratch.seen > THREADS_FROM {
                let threads = *threads.get_or_insert_with(worthwhile_threads);
                if threads > 1 && tasks.len() > threads {
                    return self.run_threads(threads, tasks, scratch);
                }
            }
        }
        Ok(scratch.found.finish())
    }

    fn run_threads(
        &self,
        threads: usize,
        tasks: Vec<Task<'_>>,
        scratch: Scratch,
    ) -> Result<Found, SnapshotError> {
        let queue =
            Queue { tasks: Mutex::new((tasks, 0)), wake: Condvar::new(), failed: AtomicBool::new(false) };
        let results = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads)
                .filter_map(|_| {
                    let job = || self.work(&queue, Scratch::default());
                    std::thread::Builder::new().name("snapshot".into()).spawn_scoped(scope, job).ok()
                })
                .collect();
            let own = self.work(&queue, scratch);
            let mut results = vec![own];
            for other in others {
                results.push(other.join().unwrap_or_else(|_| {
                    Err(SnapshotError::Damaged("a thread of the walk ended early".to_owned()))
                }));
            }
            results
        });
        let mut all = Found::default();
        for found in results {
            all.merge(found?);
        }
        Ok(all.finish())
    }

    fn work<'t>(&self, queue: &Queue<'t>, mut scratch: Scratch) -> Result<Found, SnapshotError> {
        let mut more = Vec::new();
        while let Some(task) = queue.next() {
            let visited = self.visit(task, &mut scratch, &mut more);
            queue.done(&mut more, visited.is_err());
            visited?;
        }
        Ok(scratch.found)
    }

    /// Looks at one directory and everything directly in it; pushes its subdirectories.
    fn visit<'t>(
        &self,
        task: Task<'t>,
        scratch: &mut Scratch,
        more: &mut Vec<Task<'t>>,
    ) -> Result<(), SnapshotError> {
        let Task { root: index, path, cached } = task;
        let Some(Some(root)) = self.roots.get(index) else { return Ok(()) };
        let opened = os::open_dir(root.fd.as_fd(), &path);
        let listed = opened.and_then(|fd| os::list(fd.as_fd(), &mut scratch.listing).map(|()| fd));
        let fd = match listed {
            Ok(fd) => fd,
            Err(error) => return self.cannot_list(root, &path, cached, error, scratch),
        };
        if std::mem::take(&mut cached.recheck) {
            recheck_xattrs(cached, fd.as_fd());
        }
        if !matches!(cached.entry.kind, Kind::Dir { .. }) {
            let nothing = Digest::from_bytes([0; 32]);
            cached.entry.kind = Kind::Dir { node: nothing, content: nothing };
            cached.changed = true;
        }
        let dir = cached.dir.get_or_insert_with(|| Box::new(DirCache { dirty: true, ..DirCache::default() }));
        if root.root.has_exclusions() {
            scratch.listing.retain(|name| !root.root.excludes(&path, name));
        }
        align(dir, &scratch.listing, &mut scratch.found);
        self.look_at_entries(root, index, &path, dir, fd.as_fd(), scratch)?;
        scratch.found.changed |= dir.dirty || cached.changed;
        for child in &mut dir.entries {
            if child.dir.is_some() || (child.stat.is_dir() && child.recheck) {
                more.push(Task { root: index, path: join(&path, &child.entry.name), cached: child });
            }
        }
        Ok(())
    }

    fn cannot_list(
        &self,
        root: &OpenRoot<'_>,
        path: &[u8],
        cached: &mut Cached,
        error: io::Error,
        scratch: &mut Scratch,
    ) -> Result<(), SnapshotError> {
        let kind = match Unread::from_io(error) {
            Unread::Fatal(error) => return Err(error),
            Unread::Raced => NoteKind::Vanished,
            Unread::Refused => NoteKind::Unreadable,
        };
        scratch.found.note(root.root, path, kind);
        cached.dir = None;
        cached.recheck = true;
        let now = Kind::Unreadable { of: FileType::Dir, size: 0 };
        if cached.entry.kind != now {
            cached.entry.kind = now;
            cached.changed = true;
        }
        scratch.found.changed |= cached.changed;
        Ok(())
    }

    fn look_at_entries(
        &self,
        root: &OpenRoot<'_>,
        index: usize,
        path: &[u8],
        dir: &mut DirCache,
        fd: BorrowedFd<'_>,
        scratch: &mut Scratch,
    ) -> Result<(), SnapshotError> {
        let Scratch { listing, buffer, found, seen } = scratch;
        *seen += listing.len();
        let mut place = Place { walk: self, root, index, path, fd, buffer, found };
        let mut vanished = false;
        for (name, cached) in listing.names().zip(&mut dir.entries) {
            let stat = match os::stat_at(fd, name) {
                Ok(stat) => stat,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    place.found.deleted(cached);
                    cached.stat = Stat::default();
                    vanished = true;
                    continue;
                }
                Err(source) => {
                    return Err(SnapshotError::io("look at", &to_path(&join(path, name.to_bytes())), source));
                }
            };
            let known = stat == cached.stat && !cached.racy && (cached.stored || !self.sink.stores());
            if stat.is_dir() {
                place.dir(cached, &stat);
            } else if known {
                place.unchanged(cached);
            } else {
                vanished |= !place.record(name, cached, stat)?;
            }
        }
        if vanished {
            dir.entries.retain(|cached| !cached.is_unknown());
            dir.dirty = true;
        }
        found.changed |= dir.entries.iter().any(|cached| cached.changed);
        Ok(())
    }
}

/// Asking the system takes as long as looking at a small tree.
fn worthwhile_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS)
}

/// Where an entry is being looked at.
struct Place<'p, 'w, 's> {
    walk: &'p Walk<'w, 's>,
    root: &'p OpenRoot<'p>,
    index: usize,
    path: &'p [u8],
    fd: BorrowedFd<'p>,
    buffer: &'p mut Vec<u8>,
    found: &'p mut Found,
}

impl Place<'_, '_, '_> {
    fn note(&mut self, name: &[u8], kind: NoteKind) {
        self.found.note(self.root.root, &join(self.path, name), kind);
    }

    fn unchanged(&mut self, cached: &Cached) {
        self.found.links |= cached.stat.nlink > 1;
        match cached.entry.kind {
            Kind::Socket => self.note(&cached.entry.name, NoteKind::Socket),
            Kind::Device { .. } => self.note(&cached.entry.name, NoteKind::Device),
            _ => {}
        }
    }

    fn dir(&mut self, cached: &mut Cached, stat: &Stat) {
        if !cached.stat.is_dir() {
            if !cached.is_unknown() {
                self.found.changes.deleted += 1;
            }
            self.found.changes.dirs_created += 1;
        }
        note_dir_state(cached, stat);
    }

    /// Reads an entry that is not a directory; false when it is no longer there.
    fn record(&mut self, name: &CStr, cached: &mut Cached, mut stat: Stat) -> Result<bool, SnapshotError> {
        for _ in 0..4 {
            match self.read(name, cached, &stat) {
                Ok((after, kind, xattrs)) => {
                    self.keep(cached, &after, kind, xattrs);
                    return Ok(true);
                }
                Err(Unread::Fatal(error)) => return Err(error),
                Err(Unread::Refused) => {
                    let kind = Kind::Unreadable { of: stat.file_type(), size: stat.size };
                    self.keep(cached, &stat, kind, Vec::new());
                    return Ok(true);
                }
                Err(Unread::Raced) => match os::stat_at(self.fd, name) {
                    Ok(again) if !again.is_dir() => stat = again,
                    _ => break,
                },
            }
        }
        self.note(name.to_bytes(), NoteKind::Vanished);
        if !cached.is_unknown() {
            self.found.deleted(cached);
        }
        *cached = Cached::unknown(name.to_bytes());
        Ok(false)
    }

    fn read(
        &mut self,
        name: &CStr,
        cached: &mut Cached,
        stat: &Stat,
    ) -> Result<(Stat, Kind, Vec<Xattr>), Unread> {
        let kind = match stat.file_type() {
            FileType::File => return self.read_file(name, cached, stat),
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(self.fd, name, Vec::new()).map_err(|errno| {
                    if errno == rustix::io::Errno::INVAL {
                        Unread::Raced
                    } else {
                        Unread::from_io(errno.into())
                    }
                })?;
                Kind::Symlink { target: target.into_bytes().into() }
            }
            FileType::Fifo => Kind::Fifo,
            FileType::Socket => Kind::Socket,
            FileType::CharDevice => Kind::Device { block: false, rdev: stat.rdev },
            FileType::BlockDevice => Kind::Device { block: true, rdev: stat.rdev },
            FileType::Dir => return Err(Unread::Raced),
        };
        Ok((*stat, kind, Vec::new()))
    }

    fn read_file(
        &mut self,
        name: &CStr,
        cached: &mut Cached,
        stat: &Stat,
    ) -> Result<(Stat, Kind, Vec<Xattr>), Unread> {
        if !self.walk.fresh.is_empty() {
            let key = (self.index, join(self.path, name.to_bytes()));
            if let Some((_, kind)) = self.walk.fresh.get(&key).filter(|(known, _)| known == stat) {
                let file = beneath::open_read(self.fd, name).map_err(Unread::from_io)?;
                let xattrs = beneath::xattrs(file.as_fd()).map_err(Unread::from_io)?;
                return Ok((*stat, kind.clone(), xattrs));
            }
        }
        let read = record::read_file(self.fd, name, stat, self.walk.sink, self.buffer)?;
        self.found.changes.stored_bytes += read.stored_bytes;
        let mut kind = read.kind;
        if let (Kind::File { group, .. }, Kind::File { group: before, .. }) = (&mut kind, &cached.entry.kind)
        {
            *group = before.filter(|_| read.stat.nlink > 1);
        }
        Ok((read.stat, kind, read.xattrs))
    }

    fn keep(&mut self, cached: &mut Cached, stat: &Stat, kind: Kind, xattrs: Vec<Xattr>) {
        let name = cached.entry.name.clone();
        match &kind {
            Kind::Unreadable { .. } => self.note(&name, NoteKind::Unreadable),
            Kind::File { unstable: true, .. } => self.note(&name, NoteKind::Unstable),
            Kind::Socket => self.note(&name, NoteKind::Socket),
            Kind::Device { .. } => self.note(&name, NoteKind::Device),
            _ => {}
        }
        self.found.links |= stat.nlink > 1;
        let meta = meta_of(stat, xattrs);
        if cached.is_unknown() {
            self.found.changes.created += 1;
        } else if cached.stat.is_dir() {
            self.found.deleted(cached);
            self.found.changes.created += 1;
        } else if cached.entry.kind != kind {
            self.found.changes.modified += 1;
        } else if cached.entry.meta != meta {
            self.found.changes.metadata += 1;
        }
        let doubtful = matches!(kind, Kind::Unreadable { .. } | Kind::File { unstable: true, .. });
        let grain = if stat.dev == self.root.dev { self.root.grain } else { Duration::from_secs(2) };
        cached.racy = doubtful || stat.is_racy(grain, self.walk.started);
        cached.changed |= cached.is_unknown() || cached.entry.kind != kind || cached.entry.meta != meta;
        cached.stored = self.walk.sink.has_content(&kind);
        cached.stat = *stat;
        cached.dir = None;
        cached.recheck = false;
        cached.entry.kind = kind;
        cached.entry.meta = meta;
    }
}

fn meta_of(stat: &Stat, xattrs: Vec<Xattr>) -> Meta {
    let xattrs = (!xattrs.is_empty()).then(|| xattrs.into());
    Meta { mode: stat.permissions(), mtime: stat.mtime, uid: stat.uid, gid: stat.gid, xattrs }
}

/// Takes over a directory's own state; its extended attributes are read when it is opened.
fn note_dir_state(cached: &mut Cached, stat: &Stat) {
    if cached.stat == *stat {
        return;
    }
    let fresh = Meta { xattrs: cached.entry.meta.xattrs.clone(), ..meta_of(stat, Vec::new()) };
    cached.changed |= !cached.stat.is_dir() || cached.entry.meta != fresh;
    cached.entry.meta = fresh;
    cached.stat = *stat;
    cached.racy = false;
    cached.stored = true;
    cached.recheck = true;
}

fn recheck_xattrs(cached: &mut Cached, fd: BorrowedFd<'_>) {
    let xattrs = beneath::xattrs(fd).unwrap_or_default();
    let xattrs = (!xattrs.is_empty()).then(|| xattrs.into());
    if cached.entry.meta.xattrs != xattrs {
        cached.entry.meta.xattrs = xattrs;
        cached.changed = true;
    }
}

/// Makes the cached entries those of the listing, in its order.
fn align(dir: &mut DirCache, listing: &Listing, found: &mut Found) {
    let same = listing.len() == dir.entries.len()
        && listing.names().zip(&dir.entries).all(|(name, cached)| name.to_bytes() == &*cached.entry.name);
    if same {
        return;
    }
    let mut known: HashMap<Box<[u8]>, Cached> =
        dir.entries.drain(..).map(|cached| (cached.entry.name.clone(), cached)).collect();
    dir.entries.reserve_exact(listing.len());
    for name in listing.names() {
        let name = name.to_bytes();
        let entry = known.remove(name);
        dir.dirty |= entry.is_none();
        dir.entries.push(entry.unwrap_or_else(|| Cached::unknown(name)));
    }
    dir.dirty |= !known.is_empty();
    known.values().for_each(|gone| found.deleted(gone));
}

impl Found {
    pub(super) fn note(&mut self, root: &Root, path: &[u8], kind: NoteKind) {
        self.notes.push(Note { root: root.name().to_owned(), path: to_path(path), kind });
    }

    fn deleted(&mut self, gone: &Cached) {
        if gone.is_unknown() {
            return;
        }
        let (files, dirs) = gone.count();
        self.changes.deleted += files;
        self.changes.dirs_deleted += dirs;
        self.changed = true;
    }

    fn merge(&mut self, other: Self) {
        self.changes.add(&other.changes);
        self.notes.extend(other.notes);
        self.changed |= other.changed;
        self.links |= other.links;
    }

    fn finish(mut self) -> Self {
        self.notes.sort();
        self
    }
}

/// Directories still to be visited, and how many are being visited.
struct Queue<'t> {
    tasks: Mutex<(Vec<Task<'t>>, usize)>,
    wake: Condvar,
    failed: AtomicBool,
}

impl<'t> Queue<'t> {
    fn next(&self) -> Option<Task<'t>> {
        let mut state = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if self.failed.load(Ordering::Relaxed) {
                return None;
            }
            if let Some(task) = state.0.pop() {
                state.1 += 1;
                return Some(task);
            }
            if state.1 == 0 {
                return None;
            }
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn done(&self, more: &mut Vec<Task<'t>>, failed: bool) {
        let mut state = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        state.0.append(more);
        state.1 -= 1;
        if failed {
            self.failed.store(true, Ordering::Relaxed);
        }
        if failed || !state.0.is_empty() || state.1 == 0 {
            self.wake.notify_all();
        }
    }
}
