//! What a snapshot says about a tree: one node per directory, sorted by name, addressed by its hash, so that
//! directories that did not change are shared between snapshots.
//!
//! Knows the form of the stored bytes; knows nothing of files on disk or packs.

use std::cmp::Ordering;
use std::sync::Arc;

use super::id::{ContentId, Digest, SnapshotId};
use super::stat::{FileType, Time};

/// Name and value of one extended attribute.
pub(super) type Xattr = (Box<[u8]>, Box<[u8]>);

/// What can be set on any kind of entry without touching its content.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Meta {
    /// Permission bits, 0 to 0o7777.
    pub(super) mode: u32,
    pub(super) mtime: Time,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) xattrs: Option<Arc<[Xattr]>>,
}

/// Where a file's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// One blob; an empty file has the hash of nothing, which is never stored.
    Blob(Digest),
    /// A list of hashes of 1 MiB chunks, itself stored.
    Chunks(Digest),
}

impl Content {
    pub(super) fn digest(&self) -> &Digest {
        match self {
            Self::Blob(digest) | Self::Chunks(digest) => digest,
        }
    }
}

/// (offset, length) pairs.
pub(super) type Holes = Option<Box<[(u64, u64)]>>;

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    File {
        size: u64,
        content: Content,
        holes: Holes,
        /// Equal for all names of one inode within the covered roots; absent where there is one name.
        group: Option<u64>,
        /// The file changed while it was read, four times in a row: the content may be a mix.
        unstable: bool,
    },
    Dir {
        node: Digest,
        content: Digest,
    },
    Symlink {
        target: Box<[u8]>,
    },
    Fifo,
    Socket,
    Device {
        block: bool,
        rdev: u64,
    },
    /// There, but its content could not be read.
    Unreadable {
        of: FileType,
        size: u64,
    },
}

impl Kind {
    pub(super) fn file_type(&self) -> FileType {
        match self {
            Self::File { .. } => FileType::File,
            Self::Dir { .. } => FileType::Dir,
            Self::Symlink { .. } => FileType::Symlink,
            Self::Fifo => FileType::Fifo,
            Self::Socket => FileType::Socket,
            Self::Device { block: true, .. } => FileType::BlockDevice,
            Self::Device { block: false, .. } => FileType::CharDevice,
            Self::Unreadable { of, .. } => *of,
        }
    }

    /// The size in bytes of what the entry holds; 0 for all but files and links.
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::File { size, .. } | Self::Unreadable { size, .. } => *size,
            Self::Symlink { target } => target.len() as u64,
            _ => 0,
        }
    }

    /// Whether both hold the same, whatever their metadata, hard links and directory entries.
    pub(super) fn same_content(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::File { size, content, holes, .. },
                Self::File { size: other_size, content: other_content, holes: other_holes, .. },
            ) => size == other_size && content == other_content && holes == other_holes,
            (Self::Dir { .. }, Self::Dir { .. }) => true,
            (one, other) => one == other,
        }
    }
}

/// One name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: Box<[u8]>,
    pub(super) meta: Meta,
    pub(super) kind: Kind,
}

/// A directory's entries, sorted by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Node {
    pub(super) entries: Vec<Entry>,
}

impl Node {
    pub(super) fn get(&self, name: &[u8]) -> Option<&Entry> {
        let at = self.entries.binary_search_by(|entry| (*entry.name).cmp(name)).ok()?;
        self.entries.get(at)
    }
}

/// One root of a snapshot. `top` is absent where the directory was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RootRecord {
    pub(super) name: String,
    /// The root directory itself, with an empty name; its kind is `Dir`.
    pub(super) top: Option<Entry>,
}

/// The stored form of a snapshot: its roots in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Snapshot {
    pub(super) roots: Vec<RootRecord>,
}

/// The bytes were not what an encoder writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

const NODE: u8 = b'N';
const SNAPSHOT: u8 = b'S';
const HAS_OWNER: u8 = 1;
const HAS_XATTRS: u8 = 2;
const HAS_HOLES: u8 = 4;
const HAS_GROUP: u8 = 8;
const UNSTABLE: u8 = 16;
const CHUNKED: u8 = 32;

/// Whose files carry no owner of their own in a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Owner {
    pub(super) fn of_this_process() -> Self {
        Self { uid: rustix::process::geteuid().as_raw(), gid: rustix::process::getegid().as_raw() }
    }
}

/// Writes entries, which must come sorted by name, as a node's stored bytes; also gives the content hash.
pub(super) fn encode_node<'e>(entries: impl Iterator<Item = &'e Entry>, owner: Owner) -> (Vec<u8>, Digest) {
    let mut bytes = vec![NODE];
    let mut content = blake3::Hasher::new();
    for entry in entries {
        put_entry(&mut bytes, entry, owner);
        hash_content(&mut content, entry);
    }
    (bytes, Digest::from_bytes(*content.finalize().as_bytes()))
}

/// Reads what [`encode_node`] wrote.
pub(super) fn decode_node(bytes: &[u8], owner: Owner) -> Result<Node, Malformed> {
    let mut input = Input(bytes);
    if input.byte()? != NODE {
        return Err(Malformed);
    }
    let mut entries: Vec<Entry> = Vec::new();
    while !input.0.is_empty() {
        let entry = take_entry(&mut input, owner)?;
        let sorted = entries.last().is_none_or(|last| last.name.cmp(&entry.name) == Ordering::Less);
        if !sorted
            || entry.name.is_empty()
            || entry.name.contains(&b'/')
            || matches!(&*entry.name, b"." | b"..")
        {
            return Err(Malformed);
        }
        entries.push(entry);
    }
    Ok(Node { entries })
}

impl Snapshot {
    pub(super) fn encode(&self, owner: Owner) -> Vec<u8> {
        let mut bytes = vec![SNAPSHOT];
        for root in &self.roots {
            put_bytes(&mut bytes, root.name.as_bytes());
            bytes.push(u8::from(root.top.is_some()));
            if let Some(top) = &root.top {
                put_entry(&mut bytes, top, owner);
            }
        }
        bytes
    }

    pub(super) fn decode(bytes: &[u8], owner: Owner) -> Result<Self, Malformed> {
        let mut input = Input(bytes);
        if input.byte()? != SNAPSHOT {
            return Err(Malformed);
        }
        let mut roots = Vec::new();
        while !input.0.is_empty() {
            let name = String::from_utf8(input.bytes()?.to_vec()).map_err(|_| Malformed)?;
            let top = (input.byte()? == 1).then(|| take_entry(&mut input, owner)).transpose()?;
            roots.push(RootRecord { name, top });
        }
        Ok(Self { roots })
    }

    pub(super) fn id(&self, owner: Owner) -> SnapshotId {
        SnapshotId::from_bytes(*Digest::of(&self.encode(owner)).as_bytes())
    }

    pub(super) fn content_id(&self) -> ContentId {
        let mut hasher = blake3::Hasher::new();
        for root in &self.roots {
            hasher.update(&(root.name.len() as u64).to_le_bytes());
            hasher.update(root.name.as_bytes());
            if let Some(top) = &root.top {
                hash_content(&mut hasher, top);
            }
        }
        ContentId::from_bytes(*hasher.finalize().as_bytes())
    }
}

fn hash_content(hasher: &mut blake3::Hasher, entry: &Entry) {
    let mut head = Vec::with_capacity(entry.name.len() + 48);
    put_bytes(&mut head, &entry.name);
    head.push(type_code(entry.kind.file_type()));
    put_number(&mut head, u64::from(entry.meta.mode));
    match &entry.kind {
        Kind::File { content, .. } => head.extend_from_slice(content.digest().as_bytes()),
        Kind::Dir { content, .. } => head.extend_from_slice(content.as_bytes()),
        Kind::Symlink { target } => put_bytes(&mut head, target),
        Kind::Device { rdev, .. } => put_number(&mut head, *rdev),
        Kind::Fifo | Kind::Socket | Kind::Unreadable { .. } => {}
    }
    hasher.update(&head);
}

fn type_code(of: FileType) -> u8 {
    match of {
        FileType::File => 0,
        FileType::Dir => 1,
        FileType::Symlink => 2,
        FileType::Fifo => 3,
        FileType::Socket => 4,
        FileType::CharDevice => 5,
        FileType::BlockDevice => 6,
    }
}

const UNREADABLE: u8 = 16;

fn put_entry(out: &mut Vec<u8>, entry: &Entry, owner: Owner) {
    let own = entry.meta.uid == owner.uid && entry.meta.gid == owner.gid;
    let mut flags = if own { 0 } else { HAS_OWNER };
    flags |= if entry.meta.xattrs.is_some() { HAS_XATTRS } else { 0 };
    let unreadable = if matches!(entry.kind, Kind::Unreadable { .. }) { UNREADABLE } else { 0 };
    if let Kind::File { content, holes, group, unstable, .. } = &entry.kind {
        flags |= if holes.is_some() { HAS_HOLES } else { 0 };
        flags |= if group.is_some() { HAS_GROUP } else { 0 };
        flags |= if *unstable { UNSTABLE } else { 0 };
        flags |= if matches!(content, Content::Chunks(_)) { CHUNKED } else { 0 };
    }
    out.push(type_code(entry.kind.file_type()) | unreadable);
    out.push(flags);
    put_bytes(out, &entry.name);
    put_number(out, u64::from(entry.meta.mode));
    out.extend_from_slice(&entry.meta.mtime.secs.to_le_bytes());
    out.extend_from_slice(&entry.meta.mtime.nanos.to_le_bytes());
    if !own {
        put_number(out, u64::from(entry.meta.uid));
        put_number(out, u64::from(entry.meta.gid));
    }
    if let Some(xattrs) = &entry.meta.xattrs {
        put_number(out, xattrs.len() as u64);
        for (name, value) in xattrs.iter() {
            put_bytes(out, name);
            put_bytes(out, value);
        }
    }
    put_kind(out, &entry.kind);
}

fn put_kind(out: &mut Vec<u8>, kind: &Kind) {
    match kind {
        Kind::File { size, content, holes, group, .. } => {
            put_number(out, *size);
            out.extend_from_slice(content.digest().as_bytes());
            if let Some(holes) = holes {
                put_number(out, holes.len() as u64);
                for (offset, length) in holes.iter() {
                    put_number(out, *offset);
                    put_number(out, *length);
                }
            }
            if let Some(group) = group {
                out.extend_from_slice(&group.to_le_bytes());
            }
        }
        Kind::Dir { node, content } => {
            out.extend_from_slice(node.as_bytes());
            out.extend_from_slice(content.as_bytes());
        }
        Kind::Symlink { target } => put_bytes(out, target),
        Kind::Device { rdev, .. } => put_number(out, *rdev),
        Kind::Unreadable { size, .. } => put_number(out, *size),
        Kind::Fifo | Kind::Socket => {}
    }
}

fn take_entry(input: &mut Input<'_>, owner: Owner) -> Result<Entry, Malformed> {
    let code = input.byte()?;
    let flags = input.byte()?;
    let name: Box<[u8]> = input.bytes()?.into();
    let mode = input.small()?;
    let mtime = Time { secs: i64::from_le_bytes(input.array()?), nanos: u32::from_le_bytes(input.array()?) };
    let (uid, gid) =
        if flags & HAS_OWNER != 0 { (input.small()?, input.small()?) } else { (owner.uid, owner.gid) };
    let xattrs = (flags & HAS_XATTRS != 0).then(|| take_xattrs(input)).transpose()?;
    let kind = take_kind(input, code, flags)?;
    Ok(Entry { name, meta: Meta { mode, mtime, uid, gid, xattrs }, kind })
}

fn take_xattrs(input: &mut Input<'_>) -> Result<Arc<[Xattr]>, Malformed> {
    let count = input.number()?;
    let mut xattrs = Vec::new();
    for _ in 0..count {
        xattrs.push((input.bytes()?.into(), input.bytes()?.into()));
    }
    Ok(xattrs.into())
}

fn take_kind(input: &mut Input<'_>, code: u8, flags: u8) -> Result<Kind, Malformed> {
    if code & UNREADABLE != 0 {
        return Ok(Kind::Unreadable { of: type_of(code & !UNREADABLE)?, size: input.number()? });
    }
    Ok(match type_of(code)? {
        FileType::File => {
            let size = input.number()?;
            let digest = Digest::from_bytes(input.array()?);
            let content = if flags & CHUNKED != 0 { Content::Chunks(digest) } else { Content::Blob(digest) };
            let holes = (flags & HAS_HOLES != 0).then(|| take_holes(input)).transpose()?;
            let group =
                (flags & HAS_GROUP != 0).then(|| input.array().map(u64::from_le_bytes)).transpose()?;
            Kind::File { size, content, holes, group, unstable: flags & UNSTABLE != 0 }
        }
        FileType::Dir => Kind::Dir {
            node: Digest::from_bytes(input.array()?),
            content: Digest::from_bytes(input.array()?),
        },
        FileType::Symlink => Kind::Symlink { target: input.bytes()?.into() },
        FileType::Fifo => Kind::Fifo,
        FileType::Socket => Kind::Socket,
        FileType::CharDevice => Kind::Device { block: false, rdev: input.number()? },
        FileType::BlockDevice => Kind::Device { block: true, rdev: input.number()? },
    })
}

fn take_holes(input: &mut Input<'_>) -> Result<Box<[(u64, u64)]>, Malformed> {
    let count = input.number()?;
    let mut holes = Vec::new();
    for _ in 0..count {
        holes.push((input.number()?, input.number()?));
    }
    Ok(holes.into())
}

fn type_of(code: u8) -> Result<FileType, Malformed> {
    Ok(match code {
        0 => FileType::File,
        1 => FileType::Dir,
        2 => FileType::Symlink,
        3 => FileType::Fifo,
        4 => FileType::Socket,
        5 => FileType::CharDevice,
        6 => FileType::BlockDevice,
        _ => return Err(Malformed),
    })
}

pub(super) fn put_number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8 & 0x7f) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// A reader over stored bytes that checks every length.
pub(super) struct Input<'b>(pub(super) &'b [u8]);

impl<'b> Input<'b> {
    pub(super) fn byte(&mut self) -> Result<u8, Malformed> {
        let (first, rest) = self.0.split_first().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*first)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (first, rest) = self.0.split_first_chunk::<N>().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*first)
    }

    pub(super) fn number(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    fn small(&mut self) -> Result<u32, Malformed> {
        u32::try_from(self.number()?).map_err(|_| Malformed)
    }

    pub(super) fn bytes(&mut self) -> Result<&'b [u8], Malformed> {
        let length = usize::try_from(self.number()?).map_err(|_| Malformed)?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: Owner = Owner { uid: 7, gid: 8 };

    fn entry(name: &str, kind: Kind) -> Entry {
        let xattrs: Arc<[Xattr]> = [(b"user.a"[..].into(), b"\0\xff"[..].into())].into();
        let meta = Meta {
            mode: 0o4755,
            mtime: Time { secs: -3, nanos: 999_999_999 },
            uid: 7,
            gid: 9,
            xattrs: Some(xattrs),
        };
        Entry { name: name.as_bytes().into(), meta, kind }
    }

    fn samples() -> Vec<Entry> {
        let digest = Digest::of(b"d");
        let holes: Holes = Some([(0, 4096), (1 << 40, 1)].into());
        vec![
            entry(
                "a",
                Kind::File {
                    size: 1 << 50,
                    content: Content::Chunks(digest),
                    holes,
                    group: Some(5),
                    unstable: true,
                },
            ),
            entry("b", Kind::Dir { node: digest, content: Digest::of(b"c") }),
            entry("c", Kind::Symlink { target: b"../x"[..].into() }),
            entry("d", Kind::Fifo),
            entry("e", Kind::Socket),
            entry("f", Kind::Device { block: true, rdev: 259 }),
            entry("g", Kind::Unreadable { of: FileType::Dir, size: 4096 }),
            entry(
                "h",
                Kind::File {
                    size: 0,
                    content: Content::Blob(digest),
                    holes: None,
                    group: None,
                    unstable: false,
                },
            ),
        ]
    }

    #[test]
    fn nodes_come_back() {
        let entries = samples();
        let (bytes, _) = encode_node(entries.iter(), OWNER);
        assert_eq!(decode_node(&bytes, OWNER), Ok(Node { entries }));
    }

    #[test]
    fn damaged_nodes_are_refused_not_fatal() {
        let (bytes, _) = encode_node(samples().iter(), OWNER);
        for cut in 0..bytes.len() {
            let _ = decode_node(&bytes[..cut], OWNER);
            let mut flipped = bytes.clone();
            flipped[cut] ^= 0x55;
            let _ = decode_node(&flipped, OWNER);
        }
        for name in ["", ".", "..", "a/b"] {
            let (bytes, _) = encode_node([entry(name, Kind::Fifo)].iter(), OWNER);
            assert_eq!(decode_node(&bytes, OWNER), Err(Malformed), "{name:?}");
        }
    }

    #[test]
    fn content_leaves_times_out_and_keeps_modes() {
        let plain = |change: fn(&mut Meta)| {
            let mut one = samples();
            change(&mut one[0].meta);
            encode_node(one.iter(), OWNER)
        };
        let (bytes, content) = plain(|_| {});
        let (touched, same) = plain(|meta| meta.mtime.secs += 1);
        assert!(bytes != touched && content == same);
        assert_ne!(content, plain(|meta| meta.mode = 0o644).1);
    }
}
