//! Turns the cached tree into nodes: numbers hard links, then encodes every directory that changed, deepest first.
//!
//! Knows nothing of the disk the tree came from.

use std::collections::HashMap;

use super::cache::{Cached, TreeCache};
use super::error::SnapshotError;
use super::id::Digest;
use super::manifest::{Kind, Owner, RootRecord, Snapshot, encode_node};
use super::packs::Object;
use super::record::Sink;
use super::{join, manifest};

/// Gives all names of one inode the same group, named after the first of them, so that equal trees get equal groups
/// whatever their inode numbers.
pub(super) fn group_links(cache: &mut TreeCache) {
    let mut inodes: HashMap<(u64, u64), (u32, usize, Vec<u8>)> = HashMap::new();
    for (root, top) in cache.tops.iter().enumerate() {
        let mut rest: Vec<(Vec<u8>, &Cached)> = top.iter().map(|top| (Vec::new(), top)).collect();
        while let Some((path, cached)) = rest.pop() {
            if let Some(dir) = &cached.dir {
                rest.extend(dir.sorted().into_iter().map(|child| (join(&path, &child.entry.name), child)));
            } else if is_linked(cached) {
                let first = inodes
                    .entry((cached.stat.dev, cached.stat.ino))
                    .or_insert_with(|| (0, root, path.clone()));
                first.0 += 1;
                if (root, &path) < (first.1, &first.2) {
                    (first.1, first.2) = (root, path);
                }
            }
        }
    }
    let groups: HashMap<(u64, u64), u64> = inodes
        .into_iter()
        .filter(|(_, (count, ..))| *count > 1)
        .map(|(inode, (_, root, path))| (inode, group_name(root, &path)))
        .collect();
    let mut rest: Vec<&mut Cached> = cache.tops.iter_mut().flatten().collect();
    while let Some(cached) = rest.pop() {
        let inode = (cached.stat.dev, cached.stat.ino);
        if let Kind::File { group, .. } = &mut cached.entry.kind {
            let now = groups.get(&inode).copied().filter(|_| cached.stat.nlink > 1);
            cached.changed |= *group != now;
            *group = now;
        }
        rest.extend(cached.dir.iter_mut().flat_map(|dir| &mut dir.entries));
    }
}

fn is_linked(cached: &Cached) -> bool {
    cached.stat.nlink > 1 && matches!(cached.entry.kind, Kind::File { .. })
}

fn group_name(root: usize, path: &[u8]) -> u64 {
    let mut bytes = Vec::with_capacity(path.len() + 2);
    manifest::put_number(&mut bytes, root as u64);
    bytes.extend_from_slice(path);
    Digest::of(&bytes).prefix()
}

/// Encodes what changed and returns the snapshot. After an error the cache must be thrown away.
pub(super) fn seal(cache: &mut TreeCache, sink: &Sink<'_>, owner: Owner) -> Result<Snapshot, SnapshotError> {
    let mut snapshot = Snapshot::default();
    for (root, top) in cache.roots.iter().zip(&mut cache.tops) {
        if let Some(top) = top {
            seal_tree(top, sink, owner)?;
            top.changed = false;
        }
        let top = top.as_ref().map(|top| top.entry.clone());
        snapshot.roots.push(RootRecord { name: root.name().to_owned(), top });
    }
    Ok(snapshot)
}

fn seal_tree(cached: &mut Cached, sink: &Sink<'_>, owner: Owner) -> Result<(), SnapshotError> {
    let Some(dir) = cached.dir.as_deref_mut() else { return Ok(()) };
    let mut dirty = dir.dirty || (sink.stores() && !dir.stored);
    for child in &mut dir.entries {
        if child.dir.is_some() {
            seal_tree(child, sink, owner)?;
        }
        dirty |= std::mem::take(&mut child.changed);
    }
    if !dirty {
        return Ok(());
    }
    let (bytes, content) = encode_node(dir.sorted().into_iter().map(|child| &child.entry), owner);
    let node = Digest::of(&bytes);
    sink.put(Object::Node, node, &bytes)?;
    dir.dirty = false;
    dir.stored = sink.has(&node);
    let now = Kind::Dir { node, content };
    if cached.entry.kind != now {
        cached.entry.kind = now;
        cached.changed = true;
    }
    Ok(())
}
