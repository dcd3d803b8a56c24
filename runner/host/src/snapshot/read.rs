//! Looking into recorded snapshots: one path, one directory, one file's bytes, one path through many snapshots.
//!
//! Knows nothing of the disk the snapshots came from; nothing here changes anything.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::SnapshotError;
use super::id::{ContentId, Digest, SnapshotId};
use super::manifest::{Content, Entry, Kind, Malformed, Node, Snapshot, decode_node};
use super::record::{CHUNK, zero_chunk};
use super::stat::{FileType, Time};
use super::store::Store;
use super::{split, to_path};

/// What a snapshot says about one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryInfo {
    /// The last part of the path; empty for a root.
    pub name: Vec<u8>,
    /// What it is.
    pub file_type: FileType,
    /// Permission bits, 0 to 0o7777.
    pub mode: u32,
    /// Modification time.
    pub mtime: Time,
    /// Bytes of a file or link; 0 for others.
    pub size: u64,
    /// Equal for files with equal bytes; for a directory equal where everything beneath is, times aside.
    pub content: Option<ContentId>,
    /// What a symbolic link points at.
    pub target: Option<Vec<u8>>,
    /// The content was changing while it was recorded.
    pub unstable: bool,
    /// It was there, but could not be read.
    pub unreadable: bool,
}

impl EntryInfo {
    fn of(entry: &Entry) -> Self {
        let content = match &entry.kind {
            Kind::File { content, .. } => Some(content.digest()),
            Kind::Dir { content, .. } => Some(content),
            _ => None,
        };
        Self {
            name: entry.name.to_vec(),
            file_type: entry.kind.file_type(),
            mode: entry.meta.mode,
            mtime: entry.meta.mtime,
            size: entry.kind.size(),
            content: content.map(|digest| ContentId::from_bytes(*digest.as_bytes())),
            target: if let Kind::Symlink { target } = &entry.kind { Some(target.to_vec()) } else { None },
            unstable: matches!(entry.kind, Kind::File { unstable: true, .. }),
            unreadable: matches!(entry.kind, Kind::Unreadable { .. }),
        }
    }
}

/// How much of a snapshot is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It can be restored.
    Complete,
    /// It can be viewed; so many of its files have no content any more.
    WithoutFiles {
        /// Files whose content was dropped or lost.
        missing: u64,
    },
    /// The store does not know it, or not all of its directories.
    Unknown,
}

impl Store {
    /// Whether a snapshot can be restored, viewed, or neither.
    pub fn presence(&self, id: SnapshotId) -> Result<Presence, SnapshotError> {
        let snapshot = match self.snapshot(id) {
            Ok(snapshot) => snapshot,
            Err(SnapshotError::Unknown(_)) => return Ok(Presence::Unknown),
            Err(error) => return Err(error),
        };
        let mut missing = 0;
        let mut seen = super::id::DigestMap::<()>::default();
        let mut rest: Vec<Digest> = Vec::new();
        let enter = |entry: &Entry, rest: &mut Vec<Digest>| {
            if let Kind::Dir { node, .. } = &entry.kind {
                rest.push(*node);
            }
        };
        snapshot.roots.iter().flat_map(|root| &root.top).for_each(|top| enter(top, &mut rest));
        while let Some(digest) = rest.pop() {
            if seen.insert(digest, ()).is_some() {
                continue;
            }
            let node = match self.node(&digest) {
                Ok(node) => node,
                Err(SnapshotError::Damaged(_)) => return Ok(Presence::Unknown),
                Err(error) => return Err(error),
            };
            for entry in &node.entries {
                enter(entry, &mut rest);
                missing += u64::from(!self.has_content(&entry.kind)?);
            }
        }
        Ok(if missing == 0 { Presence::Complete } else { Presence::WithoutFiles { missing } })
    }

    /// Files of a snapshot that hold a secret and were sealed on another machine, with the names of their roots. They can be
    /// listed, not read.
    pub fn left_out(&self, id: SnapshotId) -> Result<Vec<(String, PathBuf)>, SnapshotError> {
        let mut left_out = Vec::new();
        if !self.packs.has_closed() {
            return Ok(left_out);
        }
        for root in self.snapshot(id)?.roots {
            let mut rest: Vec<(PathBuf, Entry)> =
                root.top.into_iter().map(|top| (PathBuf::new(), top)).collect();
            while let Some((path, entry)) = rest.pop() {
                if let Kind::Dir { node, .. } = &entry.kind {
                    let entries = self.node(node)?.entries.clone();
                    rest.extend(entries.into_iter().map(|entry| (path.join(to_path(&entry.name)), entry)));
                } else if self.is_left_out(&entry.kind)? {
                    left_out.push((root.name.clone(), path));
                }
            }
        }
        left_out.sort();
        Ok(left_out)
    }

    fn is_left_out(&self, kind: &Kind) -> Result<bool, SnapshotError> {
        let Kind::File { content, .. } = kind else { return Ok(false) };
        Ok(match content {
            Content::Blob(digest) => self.packs.is_closed(digest),
            Content::Chunks(list) => {
                let list = self.packs.get(list)?.unwrap_or_default();
                chunk_digests(&list).any(|digest| self.packs.is_closed(&digest))
            }
        })
    }

    /// The content id of a recorded snapshot.
    pub fn content_id(&self, id: SnapshotId) -> Result<ContentId, SnapshotError> {
        Ok(self.snapshot(id)?.content_id())
    }

    /// The recorded names of a snapshot's roots, in order.
    pub fn roots_of(&self, id: SnapshotId) -> Result<Vec<String>, SnapshotError> {
        Ok(self.snapshot(id)?.roots.into_iter().map(|root| root.name).collect())
    }

    /// What a snapshot says about `path` (empty for the root itself) in the root called `root`; `None` where there
    /// was nothing.
    pub fn entry(&self, id: SnapshotId, root: &str, path: &Path) -> Result<Option<EntryInfo>, SnapshotError> {
        Ok(self.find(id, root, path)?.as_ref().map(EntryInfo::of))
    }

    /// The entries of a directory, sorted by name.
    pub fn list(&self, id: SnapshotId, root: &str, dir: &Path) -> Result<Vec<EntryInfo>, SnapshotError> {
        match self.find(id, root, dir)? {
            Some(Entry { kind: Kind::Dir { node, .. }, .. }) => {
                Ok(self.node(&node)?.entries.iter().map(EntryInfo::of).collect())
            }
            Some(_) => Ok(Vec::new()),
            None => Err(not_found(root, dir)),
        }
    }

    /// All bytes of a recorded file.
    pub fn read(&self, id: SnapshotId, root: &str, path: &Path) -> Result<Vec<u8>, SnapshotError> {
        let mut bytes = Vec::new();
        self.read_to(id, root, path, &mut bytes)?;
        Ok(bytes)
    }

    /// Writes the bytes of a recorded file to `out`, holding one chunk at a time; returns how many there were.
    pub fn read_to(
        &self,
        id: SnapshotId,
        root: &str,
        path: &Path,
        out: &mut dyn Write,
    ) -> Result<u64, SnapshotError> {
        let entry = self.find(id, root, path)?.ok_or_else(|| not_found(root, path))?;
        let Kind::File { size, content, .. } = entry.kind else {
            return Err(SnapshotError::NotAFile(path.to_owned()));
        };
        for piece in self.pieces(size, content, path)? {
            let bytes = self.piece(&piece, path)?;
            out.write_all(&bytes).map_err(|source| SnapshotError::io("copy", path, source))?;
        }
        Ok(size)
    }

    /// Where along `ids` the path changed: the positions at which its entry differs from the one before (position 0
    /// counts as a change where something is there), with what is there from then on. Answers "when did this file
    /// change" (DESIGN 4) without reading any file's bytes.
    pub fn history(
        &self,
        ids: &[SnapshotId],
        root: &str,
        path: &Path,
    ) -> Result<Vec<(usize, Option<EntryInfo>)>, SnapshotError> {
        let mut changes = Vec::new();
        let mut before: (Option<SnapshotId>, Option<Entry>) = (None, None);
        for (position, id) in ids.iter().enumerate() {
            if before.0 == Some(*id) {
                continue;
            }
            let now = self.find(*id, root, path)?;
            if now != before.1 {
                changes.push((position, now.as_ref().map(EntryInfo::of)));
            }
            before = (Some(*id), now);
        }
        Ok(changes)
    }

    pub(super) fn snapshot(&self, id: SnapshotId) -> Result<Snapshot, SnapshotError> {
        let stored = self.packs.get(&Digest::from_bytes(*id.as_bytes()))?;
        let bytes = stored.ok_or(SnapshotError::Unknown(id))?;
        Snapshot::decode(&bytes, self.owner)
            .map_err(|Malformed| SnapshotError::Damaged(format!("snapshot {id}")))
    }

    pub(super) fn node(&self, digest: &Digest) -> Result<Arc<Node>, SnapshotError> {
        if let Some(node) = self.nodes.get(digest) {
            return Ok(node);
        }
        let damaged = || SnapshotError::Damaged(format!("directory {digest}"));
        let bytes = self.packs.get(digest)?.ok_or_else(damaged)?;
        let node = decode_node(&bytes, self.owner).map_err(|Malformed| damaged())?;
        Ok(self.nodes.put(*digest, node))
    }

    pub(super) fn find(
        &self,
        id: SnapshotId,
        root: &str,
        path: &Path,
    ) -> Result<Option<Entry>, SnapshotError> {
        let snapshot = self.snapshot(id)?;
        let Some(record) = snapshot.roots.into_iter().find(|record| record.name == root) else {
            return Err(not_found(root, Path::new("")));
        };
        let Some(mut entry) = record.top else { return Ok(None) };
        for name in split(path).split(|byte| *byte == b'/').filter(|name| !name.is_empty() && *name != b".") {
            let Kind::Dir { node, .. } = entry.kind else { return Ok(None) };
            match self.node(&node)?.get(name) {
                Some(found) => entry = found.clone(),
                None => return Ok(None),
            }
        }
        Ok(Some(entry))
    }

    /// Whether the bytes of a file are all stored; true for everything else.
    pub(super) fn has_content(&self, kind: &Kind) -> Result<bool, SnapshotError> {
        let Kind::File { size, content, .. } = kind else { return Ok(true) };
        Ok(match content {
            Content::Blob(digest) => *size == 0 || self.packs.contains(digest),
            Content::Chunks(list) => match self.packs.get(list)? {
                Some(list) => {
                    chunk_digests(&list).all(|digest| digest == *zero_chunk() || self.packs.contains(&digest))
                }
                None => false,
            },
        })
    }

    /// The stored pieces of a file in order.
    pub(super) fn pieces(
        &self,
        size: u64,
        content: Content,
        path: &Path,
    ) -> Result<Vec<Piece>, SnapshotError> {
        let gone = || SnapshotError::ContentGone(path.to_owned());
        match content {
            Content::Blob(_) if size == 0 => Ok(Vec::new()),
            Content::Blob(digest) => Ok(vec![Piece { offset: 0, length: size, digest }]),
            Content::Chunks(list) => {
                let list = self.packs.get(&list)?.ok_or_else(gone)?;
                let mut offset = 0;
                let mut pieces = Vec::new();
                for digest in chunk_digests(&list) {
                    let length = (size.saturating_sub(offset)).min(CHUNK as u64);
                    pieces.push(Piece { offset, length, digest });
                    offset += length;
                }
                Ok(pieces)
            }
        }
    }

    pub(super) fn piece(&self, piece: &Piece, path: &Path) -> Result<Vec<u8>, SnapshotError> {
        if piece.is_zero() {
            return Ok(vec![0; CHUNK]);
        }
        let bytes = self.packs.get(&piece.digest)?;
        bytes.filter(|bytes| bytes.len() as u64 == piece.length).ok_or_else(|| {
            match self.packs.is_closed(&piece.digest) {
                true => SnapshotError::Sealed(path.to_owned()),
                false => SnapshotError::ContentGone(path.to_owned()),
            }
        })
    }
}

/// One stored run of a file's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) offset: u64,
    pub(super) length: u64,
    pub(super) digest: Digest,
}

impl Piece {
    pub(super) fn is_zero(&self) -> bool {
        self.digest == *zero_chunk()
    }
}

pub(super) fn chunk_digests(list: &[u8]) -> impl Iterator<Item = Digest> {
    list.chunks_exact(32).filter_map(|chunk| chunk.first_chunk().copied().map(Digest::from_bytes))
}

fn not_found(root: &str, path: &Path) -> SnapshotError {
    SnapshotError::NotFound { root: root.to_owned(), path: to_path(split(path)) }
}
