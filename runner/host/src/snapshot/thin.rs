//! Giving disk space back: file contents of chosen snapshots go, manifests stay, so that every moment can still be
//! viewed (DESIGN 4).
//!
//! Which snapshots may lose their files (never the start, bookmarks, branch points, …) is the session's decision.

use super::cache::Cached;
use super::error::SnapshotError;
use super::id::{Digest, DigestMap, SnapshotId};
use super::manifest::{Content, Kind};
use super::packs::Object;
use super::read::chunk_digests;
use super::store::Store;

/// What thinning did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Thinned {
    /// The given snapshots whose contents, as far as no other snapshot needs them, were dropped.
    pub dropped: Vec<SnapshotId>,
    /// Bytes of stored content before and after.
    pub before: u64,
    /// See `before`.
    pub after: u64,
}

impl Store {
    /// Drops contents until at most `budget` bytes of them are left or nothing more may go. `expendable` are the
    /// snapshots that may lose theirs, the first one first; what any other snapshot of the store needs stays.
    pub fn thin(&mut self, expendable: &[SnapshotId], budget: u64) -> Result<Thinned, SnapshotError> {
        let before = self.packs.data_size();
        let mut thinned = Thinned { dropped: Vec::new(), before, after: before };
        if before <= budget {
            return Ok(thinned);
        }
        let needed = self.needed(expendable)?;
        let mut freed = vec![0; expendable.len()];
        let mut rest = 0;
        for (digest, length) in self.packs.blobs() {
            match needed.get(&digest) {
                Some(Some(index)) => freed.get_mut(*index).into_iter().for_each(|sum| *sum += length),
                Some(None) => rest += length,
                None => {}
            }
        }
        let mut left: u64 = rest + freed.iter().sum::<u64>();
        let mut cut = 0;
        for (sum, id) in freed.iter().zip(expendable) {
            if left <= budget {
                break;
            }
            left -= sum;
            cut += 1;
            thinned.dropped.push(*id);
        }
        self.packs.drop_blobs(|digest| match needed.get(digest) {
            Some(Some(index)) => *index >= cut,
            Some(None) => true,
            None => false,
        })?;
        self.recheck_stored();
        thinned.after = self.packs.data_size();
        Ok(thinned)
    }

    /// For every blob a snapshot needs, the last expendable one that does; `None` where one that stays does.
    fn needed(&self, expendable: &[SnapshotId]) -> Result<DigestMap<Option<usize>>, SnapshotError> {
        let mut needed = DigestMap::default();
        let mut visited = DigestMap::<()>::default();
        let all = self.packs.snapshots().map(|digest| SnapshotId::from_bytes(*digest.as_bytes()));
        for id in all.filter(|id| !expendable.contains(id)) {
            self.mark(id, None, &mut needed, &mut visited)?;
        }
        for (index, id) in expendable.iter().enumerate().rev() {
            match self.mark(*id, Some(index), &mut needed, &mut visited) {
                Ok(()) | Err(SnapshotError::Unknown(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(needed)
    }

    fn mark(
        &self,
        id: SnapshotId,
        owner: Option<usize>,
        needed: &mut DigestMap<Option<usize>>,
        visited: &mut DigestMap<()>,
    ) -> Result<(), SnapshotError> {
        let mut rest: Vec<Digest> = Vec::new();
        for top in self.snapshot(id)?.roots.iter().flat_map(|root| &root.top) {
            if let Kind::Dir { node, .. } = &top.kind {
                rest.push(*node);
            }
        }
        while let Some(digest) = rest.pop() {
            if visited.insert(digest, ()).is_some() {
                continue;
            }
            let node = match self.node(&digest) {
                Ok(node) => node,
                // Lost in a crash: there is nothing beneath it that could be needed.
                Err(SnapshotError::Damaged(_)) => continue,
                Err(error) => return Err(error),
            };
            for entry in &node.entries {
                match &entry.kind {
                    Kind::Dir { node, .. } => rest.push(*node),
                    Kind::File { content: Content::Blob(blob), .. } => {
                        needed.entry(*blob).or_insert(owner);
                    }
                    Kind::File { content: Content::Chunks(list), .. } => {
                        for chunk in chunk_digests(&self.packs.get(list)?.unwrap_or_default()) {
                            needed.entry(chunk).or_insert(owner);
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// What was dropped is no longer stored for the tree seen last either.
    fn recheck_stored(&mut self) {
        let Some(mut cache) = self.drop_cache() else { return };
        let mut rest: Vec<&mut Cached> = cache.tops.iter_mut().flatten().collect();
        while let Some(cached) = rest.pop() {
            cached.stored &= self.has_content(&cached.entry.kind).unwrap_or(false);
            rest.extend(cached.dir.iter_mut().flat_map(|dir| &mut dir.entries));
        }
        self.set_cache(cache);
    }
}

impl super::packs::Packs {
    fn snapshots(&self) -> impl Iterator<Item = Digest> {
        self.of_kind(Object::Snapshot).map(|(digest, _)| digest)
    }

    fn blobs(&self) -> impl Iterator<Item = (Digest, u64)> {
        self.of_kind(Object::Blob).chain(self.of_kind(Object::Sealed))
    }
}
