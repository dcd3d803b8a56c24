//! The store of one session: takes snapshots of the roots and gives access to what they hold.
//!
//! Knows nothing of jobs, moments or which snapshot belongs to what: the session keeps the ids.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::cache::TreeCache;
use super::error::SnapshotError;
use super::fault::Faults;
use super::id::{ContentId, Digest, SnapshotId};
use super::manifest::{Owner, Snapshot};
use super::packs::{Object, Packs, Syncer};
use super::record::Sink;
use super::roots::Roots;
use super::vault::Vault;
use super::walk::{ChangeSummary, Found, Fresh, Note, walk};
use super::{node_cache::NodeCache, seal, split};

/// A snapshot that has just been taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Names it from now on.
    pub id: SnapshotId,
    /// Equal for trees that the law of DESIGN 3 calls equal.
    pub content_id: ContentId,
    /// What changed since this store last looked at the same roots; everything, the first time.
    pub changed: ChangeSummary,
    /// What about the covered trees a person should know of, sorted.
    pub notes: Vec<Note>,
}

/// Snapshots on disk, and the last look at the roots in memory.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    pub(super) packs: Packs,
    pub(super) nodes: NodeCache,
    pub(super) owner: Owner,
    cache: Option<TreeCache>,
    last: Option<(SnapshotId, ContentId)>,
    grain: Option<Duration>,
    remove_on_drop: bool,
    _lock: Option<Lock>,
}

/// The lock of a store. It is let go in so many words: a process that another thread is starting has our descriptors until its
/// exec, and merely closing ours would leave the store locked for as long.
#[derive(Debug)]
struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

impl Store {
    /// Opens or creates the store in `dir` (0700) and holds it: a second one gets [`SnapshotError::Locked`].
    pub fn open(dir: &Path) -> Result<Self, SnapshotError> {
        let io = |action| move |source| SnapshotError::io(action, dir, source);
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(io("create"))?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(dir.join("lock"))
            .map_err(io("open the lock in"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SnapshotError::Locked(dir.to_owned())),
            Err(TryLockError::Error(source)) => return Err(SnapshotError::io("lock", dir, source)),
        }
        Self::new(dir, true, Some(Lock(lock)))
    }

    /// Opens an existing store for looking only, whether or not another process holds it. It shows what was there
    /// at this moment.
    pub fn open_read_only(dir: &Path) -> Result<Self, SnapshotError> {
        Self::new(dir, false, None)
    }

    /// A new store in a directory of its own beneath `parent`, removed when dropped (DESIGN 4, `--no-record`).
    pub fn temporary(parent: &Path) -> Result<Self, SnapshotError> {
        for _ in 0..64 {
            let name: String = std::iter::repeat_with(fastrand::alphanumeric).take(12).collect();
            let dir = parent.join(format!("stepback-{name}"));
            match DirBuilder::new().mode(0o700).create(&dir) {
                Ok(()) => {
                    let mut store = Self::open(&dir)?;
                    store.remove_on_drop = true;
                    return Ok(store);
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(source) => return Err(SnapshotError::io("create a temporary store in", parent, source)),
            }
        }
        Err(SnapshotError::io(
            "create a temporary store in",
            parent,
            std::io::ErrorKind::AlreadyExists.into(),
        ))
    }

    fn new(dir: &Path, writable: bool, lock: Option<Lock>) -> Result<Self, SnapshotError> {
        Ok(Self {
            dir: dir.to_owned(),
            packs: Packs::open(dir, writable)?,
            nodes: NodeCache::default(),
            owner: Owner::of_this_process(),
            cache: None,
            last: None,
            grain: None,
            remove_on_drop: false,
            _lock: lock,
        })
    }

    #[cfg(test)]
    pub(super) fn lock_as_inherited(&self) -> Option<File> {
        self._lock.as_ref().and_then(|lock| lock.0.try_clone().ok())
    }

    /// From now on contents with a secret are sealed, and what was sealed by the same vault is opened.
    pub fn set_vault(&mut self, vault: Arc<dyn Vault>) {
        self.packs.vault = Some(vault);
    }

    /// Where the store is; leave it out of every root that lies around it ([`Roots::without`]).
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Overrides how coarse change times are taken to be, instead of asking the file system (timetravel.md 2.5).
    pub fn set_time_grain(&mut self, grain: Duration) {
        self.grain = Some(grain);
    }

    /// Records the roots as they are now. Costs about one look at the state of each file when little has changed.
    /// Nothing is synced: see [`Store::syncer`]. On an error the store is as before.
    pub fn take(&mut self, roots: &Roots) -> Result<Taken, SnapshotError> {
        let before = self.last.map(|(id, _)| id);
        let mut cache = self.take_cache(roots);
        let warm = cache.is_some();
        let cache_now = cache.get_or_insert_with(|| TreeCache::new(roots));
        let taken =
            Self::take_into(&mut self.packs, self.owner, cache_now, self.grain, self.last.filter(|_| warm));
        match taken {
            Ok((mut taken, snapshot)) => {
                self.cache = cache;
                self.last = Some((taken.id, taken.content_id));
                if let (false, Some(before), Some(_)) = (warm, before, snapshot) {
                    taken.changed = self.summary(before, &taken)?;
                }
                Ok(taken)
            }
            Err(error) => {
                self.packs.discard_pending();
                Err(error)
            }
        }
    }

    fn take_into(
        packs: &mut Packs,
        owner: Owner,
        cache: &mut TreeCache,
        grain: Option<Duration>,
        last: Option<(SnapshotId, ContentId)>,
    ) -> Result<(Taken, Option<Snapshot>), SnapshotError> {
        let roots = cache.roots.clone();
        let sink = Sink::store(packs);
        let found = walk(cache, &roots, &sink, &Fresh::new(), grain)?;
        if let (false, Some((id, content_id))) = (found.changed, last) {
            return Ok((Taken { id, content_id, changed: found.changes, notes: found.notes }, None));
        }
        if found.links {
            seal::group_links(cache);
        }
        let snapshot = seal::seal(cache, &sink, owner)?;
        let bytes = snapshot.encode(owner);
        let id = snapshot.id(owner);
        let content_id = snapshot.content_id();
        sink.put(Object::Snapshot, Digest::from_bytes(*id.as_bytes()), &bytes)?;
        packs.flush()?;
        Ok((Taken { id, content_id, changed: found.changes, notes: found.notes }, Some(snapshot)))
    }

    /// Looks at the roots without storing anything, so that it works on a full disk too. The cache afterwards says
    /// what is there; `fresh` is what need not be read.
    pub(super) fn look(
        &mut self,
        roots: &Roots,
        fresh: &Fresh,
    ) -> Result<(TreeCache, Snapshot, Found), SnapshotError> {
        let mut cache = self.take_cache(roots).unwrap_or_else(|| TreeCache::new(roots));
        let sink = Sink::Look(&self.packs);
        let found = walk(&mut cache, roots, &sink, fresh, self.grain)?;
        if found.links && found.changed {
            seal::group_links(&mut cache);
        }
        let snapshot = seal::seal(&mut cache, &sink, self.owner)?;
        Ok((cache, snapshot, found))
    }

    fn take_cache(&mut self, roots: &Roots) -> Option<TreeCache> {
        self.cache.take().filter(|cache| cache.roots == *roots)
    }

    /// Hands a cache back; the next `take` seals whatever of it is not stored yet.
    pub(super) fn keep_cache(&mut self, cache: TreeCache, snapshot: &Snapshot) {
        let id = snapshot.id(self.owner);
        self.cache = Some(cache);
        let known = self.packs.contains(&Digest::from_bytes(*id.as_bytes()));
        self.last = known.then(|| (id, snapshot.content_id()));
    }

    /// Makes the next look read `path` in the root called `root` again although its state has not changed: for files
    /// a process has mapped shared and writable, whose stores need not show (timetravel.md 2.5).
    pub fn distrust(&mut self, root: &str, path: &Path) {
        let Some(cache) = &mut self.cache else { return };
        let index = cache.roots.iter().position(|known| known.name() == root);
        if let Some(cached) = index.and_then(|index| cache.get_mut(index, split(path))) {
            cached.racy = true;
        }
    }

    /// Brings everything taken so far to the disk, contents before manifests, and waits for it.
    pub fn sync(&self) -> Result<(), SnapshotError> {
        self.packs.syncer().sync()
    }

    /// The same for use on another thread while the store goes on.
    pub fn syncer(&self) -> Syncer {
        self.packs.syncer()
    }

    #[cfg(test)]
    pub(super) fn set_faults(&mut self, faults: Faults) {
        self.packs.faults = faults;
    }

    pub(super) fn faults(&self) -> Faults {
        self.packs.faults.clone()
    }

    pub(super) fn drop_cache(&mut self) -> Option<TreeCache> {
        self.cache.take()
    }

    pub(super) fn set_cache(&mut self, cache: TreeCache) {
        self.cache = Some(cache);
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if self.remove_on_drop {
            let _ = std::fs::remove_dir_all(&self.dir);
        }
    }
}
