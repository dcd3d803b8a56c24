//! Stored objects in append-only files ("packs") of at most 64 MiB, found by their hash.
//!
//! A record is a header (kind, length, CRC-32, hash) and the object's bytes. File contents and manifests live in
//! packs of their own, so that contents can be dropped and manifests kept. The index is in memory and rebuilt by
//! walking the headers. Nothing here is synced but by [`Syncer`]. Knows nothing of what objects mean.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::error::SnapshotError;
use super::fault::Faults;
use super::id::{Digest, DigestMap};
use super::vault::Vault;

/// A pack is closed before it grows beyond this many bytes.
const PACK_LIMIT: u64 = 64 << 20;
/// Records are gathered to writes of about this many bytes.
const WRITE_SIZE: usize = 1 << 20;
const HEADER: usize = 44;

/// What a record holds; decides in which packs it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Object {
    /// Bytes of a file or of one chunk of it: with `Sealed` all that thinning drops.
    Blob,
    /// The same with a secret in it, as the vault sealed it; its hash is that of the bytes as they were.
    Sealed,
    /// A directory's entries.
    Node,
    /// A list of chunk hashes.
    Chunks,
    /// A snapshot's roots.
    Snapshot,
}

impl Object {
    fn code(self) -> u8 {
        match self {
            Self::Blob => 1,
            Self::Node => 2,
            Self::Chunks => 3,
            Self::Snapshot => 4,
            Self::Sealed => 5,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        let all = [Self::Blob, Self::Sealed, Self::Node, Self::Chunks, Self::Snapshot];
        all.into_iter().find(|kind| kind.code() == code)
    }

    fn series(self) -> SeriesName {
        match self {
            Self::Blob | Self::Sealed => SeriesName::Data,
            Self::Node | Self::Chunks | Self::Snapshot => SeriesName::Manifests,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SeriesName {
    Data,
    Manifests,
}

impl SeriesName {
    fn prefix(self) -> &'static str {
        match self {
            Self::Data => "data-",
            Self::Manifests => "manifests-",
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Location {
    series: SeriesName,
    kind: Object,
    pack: u32,
    offset: u32,
    length: u32,
}

/// One numbered run of packs and the records not yet written to the last of them.
struct Series {
    name: SeriesName,
    files: BTreeMap<u32, Arc<File>>,
    last: Option<u32>,
    written: u64,
    buffer: Vec<u8>,
    pending: Vec<Digest>,
}

/// All packs of one store.
pub(super) struct Packs {
    dir: PathBuf,
    writable: bool,
    index: DigestMap<Location>,
    data: Series,
    manifests: Series,
    unsynced: Arc<Mutex<Unsynced>>,
    pub(super) vault: Option<Arc<dyn Vault>>,
    pub(super) faults: Faults,
}

#[derive(Default)]
struct Unsynced {
    data: Vec<Arc<File>>,
    manifests: Vec<Arc<File>>,
    new_files: bool,
}

impl Unsynced {
    fn add(&mut self, series: SeriesName, file: &Arc<File>) {
        let list = if series == SeriesName::Data { &mut self.data } else { &mut self.manifests };
        if !list.iter().any(|known| Arc::ptr_eq(known, file)) {
            list.push(file.clone());
        }
    }
}

/// Brings what has been written so far to the disk; may be used from another thread than the store's.
#[derive(Clone)]
pub struct Syncer {
    dir: PathBuf,
    unsynced: Arc<Mutex<Unsynced>>,
}

impl std::fmt::Debug for Syncer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Syncer").field("dir", &self.dir).finish_non_exhaustive()
    }
}

impl Syncer {
    /// Waits until everything written before the call is on the disk: contents first, then manifests, so that a
    /// manifest found after a power cut has its contents.
    pub fn sync(&self) -> Result<(), SnapshotError> {
        let work = std::mem::take(&mut *self.unsynced.lock().unwrap_or_else(PoisonError::into_inner));
        let synced = self.sync_all(&work);
        if synced.is_err() {
            let mut unsynced = self.unsynced.lock().unwrap_or_else(PoisonError::into_inner);
            work.data.iter().for_each(|file| unsynced.add(SeriesName::Data, file));
            work.manifests.iter().for_each(|file| unsynced.add(SeriesName::Manifests, file));
            unsynced.new_files |= work.new_files;
        }
        synced.map_err(|source| SnapshotError::io("sync", &self.dir, source))
    }

    fn sync_all(&self, work: &Unsynced) -> io::Result<()> {
        work.data.iter().try_for_each(|file| file.sync_data())?;
        if work.new_files {
            File::open(&self.dir)?.sync_all()?;
        }
        work.manifests.iter().try_for_each(|file| file.sync_data())
    }
}

impl Packs {
    /// Opens the packs in `dir`, which must exist, and rebuilds the index. A torn last record is dropped.
    pub(super) fn open(dir: &Path, writable: bool) -> Result<Self, SnapshotError> {
        let mut packs = Self {
            dir: dir.to_owned(),
            writable,
            index: DigestMap::default(),
            data: Series::new(SeriesName::Data),
            manifests: Series::new(SeriesName::Manifests),
            unsynced: Arc::default(),
            vault: None,
            faults: Faults::default(),
        };
        packs.load().map_err(|source| SnapshotError::io("open the packs in", dir, source))?;
        Ok(packs)
    }

    fn load(&mut self) -> io::Result<()> {
        for name in [SeriesName::Data, SeriesName::Manifests] {
            let mut numbers = Vec::new();
            for entry in std::fs::read_dir(&self.dir)? {
                let file_name = entry?.file_name();
                let number = file_name.to_str().and_then(|text| text.strip_prefix(name.prefix()));
                numbers.extend(number.and_then(|text| text.parse::<u32>().ok()));
            }
            numbers.sort_unstable();
            for number in &numbers {
                self.load_pack(name, *number, numbers.last() == Some(number))?;
            }
        }
        Ok(())
    }

    fn load_pack(&mut self, name: SeriesName, number: u32, last: bool) -> io::Result<()> {
        let path = pack_path(&self.dir, name, number);
        let file = OpenOptions::new().read(true).write(self.writable).open(path)?;
        let (found, end) = scan(&file, name, number, last)?;
        if last && self.writable && end < file.metadata()?.len() {
            file.set_len(end)?;
        }
        self.index.extend(found);
        let series = self.series(name);
        series.files.insert(number, Arc::new(file));
        series.last = Some(number);
        series.written = end;
        Ok(())
    }

    fn series(&mut self, name: SeriesName) -> &mut Series {
        match name {
            SeriesName::Data => &mut self.data,
            SeriesName::Manifests => &mut self.manifests,
        }
    }

    /// Whether an object can be had. One that is sealed by another machine cannot.
    pub(super) fn contains(&self, digest: &Digest) -> bool {
        self.index.contains_key(digest) && !self.is_closed(digest)
    }

    /// Whether an object is sealed, and not for us.
    pub(super) fn is_closed(&self, digest: &Digest) -> bool {
        let sealed = self.index.get(digest).is_some_and(|found| found.kind == Object::Sealed);
        sealed && !matches!(self.get(digest), Ok(Some(_)))
    }

    /// Whether any object is sealed, and not for us. All of a store are sealed by one machine.
    pub(super) fn has_closed(&self) -> bool {
        self.of_kind(Object::Sealed).next().is_some_and(|(digest, _)| self.is_closed(&digest))
    }

    /// Adds an object unless it is there; returns how many bytes that took. It is on its way to the disk only after
    /// [`Packs::flush`].
    pub(super) fn put(&mut self, kind: Object, digest: Digest, bytes: &[u8]) -> Result<u64, SnapshotError> {
        if self.index.contains_key(&digest) {
            return Ok(0);
        }
        if !self.writable {
            return Err(SnapshotError::ReadOnly(self.dir.clone()));
        }
        self.append(kind, digest, bytes).map_err(|source| SnapshotError::io("write to", &self.dir, source))
    }

    /// Adds contents of a file, sealed if they or what stands around them hold a secret; what cannot be sealed is left out.
    /// Looks at nothing that is there already.
    pub(super) fn put_content(
        &mut self,
        digest: Digest,
        bytes: &[u8],
        around: impl FnOnce() -> Vec<Vec<u8>>,
    ) -> Result<u64, SnapshotError> {
        if self.index.contains_key(&digest) {
            return Ok(0);
        }
        let Some(vault) = self.vault.clone() else { return self.put(Object::Blob, digest, bytes) };
        let is_secret = vault.holds_secret(bytes) || around().iter().any(|edge| vault.holds_secret(edge));
        match is_secret {
            false => self.put(Object::Blob, digest, bytes),
            true => match vault.seal(digest.as_bytes(), bytes) {
                Some(sealed) => self.put(Object::Sealed, digest, &sealed),
                None => Ok(0),
            },
        }
    }

    fn append(&mut self, kind: Object, digest: Digest, bytes: &[u8]) -> io::Result<u64> {
        let name = kind.series();
        let size = (HEADER + bytes.len()) as u64;
        let series = self.series(name);
        let full = series.written + series.buffer.len() as u64 + size > PACK_LIMIT;
        if series.last.is_none() || full {
            self.flush_series(name)?;
            self.start_pack(name)?;
        }
        let series = self.series(name);
        let offset = series.written + series.buffer.len() as u64;
        let (Some(pack), Ok(offset), Ok(length)) =
            (series.last, u32::try_from(offset), u32::try_from(bytes.len()))
        else {
            return Err(io::ErrorKind::FileTooLarge.into());
        };
        series.buffer.extend_from_slice(&header(kind, &digest, bytes));
        series.buffer.extend_from_slice(bytes);
        series.pending.push(digest);
        let flush = series.buffer.len() >= WRITE_SIZE;
        self.index.insert(digest, Location { series: name, kind, pack, offset, length });
        if flush {
            self.flush_series(name)?;
        }
        Ok(size)
    }

    fn start_pack(&mut self, name: SeriesName) -> io::Result<()> {
        self.faults.step()?;
        let number = self.series(name).last.map_or(1, |last| last + 1);
        let path = pack_path(&self.dir, name, number);
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
        let series = self.series(name);
        series.files.insert(number, Arc::new(file));
        series.last = Some(number);
        series.written = 0;
        self.unsynced.lock().unwrap_or_else(PoisonError::into_inner).new_files = true;
        Ok(())
    }

    /// Hands everything gathered to the kernel: it then survives a killed process, not a power cut. After a failure
    /// the objects added since the last flush are gone and the store is as it was then.
    pub(super) fn flush(&mut self) -> Result<(), SnapshotError> {
        let data = self.flush_series(SeriesName::Data);
        data.and_then(|()| self.flush_series(SeriesName::Manifests))
            .map_err(|source| SnapshotError::io("write to", &self.dir, source))
    }

    fn flush_series(&mut self, name: SeriesName) -> io::Result<()> {
        let faults = self.faults.clone();
        let series = self.series(name);
        let Some(file) = series.last.and_then(|last| series.files.get(&last)).cloned() else { return Ok(()) };
        if series.buffer.is_empty() {
            return Ok(());
        }
        let buffer = std::mem::take(&mut series.buffer);
        match faults.step().and_then(|()| file.write_all_at(&buffer, series.written)) {
            Ok(()) => {
                series.written += buffer.len() as u64;
                series.pending.clear();
                series.buffer = buffer;
                series.buffer.clear();
                self.unsynced.lock().unwrap_or_else(PoisonError::into_inner).add(name, &file);
                Ok(())
            }
            Err(error) => {
                let (lost, end) = (std::mem::take(&mut series.pending), series.written);
                for digest in &lost {
                    self.index.remove(digest);
                }
                let _ = file.set_len(end);
                Err(error)
            }
        }
    }

    /// Forgets what has been added but not flushed.
    pub(super) fn discard_pending(&mut self) {
        for name in [SeriesName::Data, SeriesName::Manifests] {
            let series = self.series(name);
            series.buffer.clear();
            let lost = std::mem::take(&mut series.pending);
            for digest in &lost {
                self.index.remove(digest);
            }
        }
    }

    /// The bytes of an object; `None` where it is not stored, no longer whole, or sealed by another machine.
    pub(super) fn get(&self, digest: &Digest) -> Result<Option<Vec<u8>>, SnapshotError> {
        let Some(found) = self.index.get(digest) else { return Ok(None) };
        let stored = self.stored(digest, found)?;
        if found.kind != Object::Sealed {
            return Ok(stored);
        }
        let open = |sealed: Vec<u8>| self.vault.as_ref()?.open(digest.as_bytes(), &sealed);
        Ok(stored.and_then(open))
    }

    /// The bytes of a record, as they lie there.
    fn stored(&self, digest: &Digest, found: &Location) -> Result<Option<Vec<u8>>, SnapshotError> {
        let series = if found.series == SeriesName::Data { &self.data } else { &self.manifests };
        if series.last == Some(found.pack) && u64::from(found.offset) >= series.written {
            let start = usize::try_from(u64::from(found.offset) - series.written).unwrap_or(usize::MAX);
            let record = series.buffer.get(start + HEADER..start + HEADER + found.length as usize);
            return Ok(record.map(<[u8]>::to_vec));
        }
        let Some(file) = series.files.get(&found.pack) else { return Ok(None) };
        let mut record = vec![0; HEADER + found.length as usize];
        match file.read_exact_at(&mut record, u64::from(found.offset)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(source) => return Err(SnapshotError::io("read from", &self.dir, source)),
        }
        let bytes = record.split_off(HEADER);
        Ok((record == header(found.kind, digest, &bytes)).then_some(bytes))
    }

    /// Hash and length of all objects of one kind, in no order.
    pub(super) fn of_kind(&self, kind: Object) -> impl Iterator<Item = (Digest, u64)> {
        let all = self.index.iter().filter(move |(_, found)| found.kind == kind);
        all.map(|(digest, found)| (*digest, u64::from(found.length)))
    }

    pub(super) fn syncer(&self) -> Syncer {
        Syncer { dir: self.dir.clone(), unsynced: self.unsynced.clone() }
    }

    /// Bytes of all packs with file contents, as far as they are written.
    pub(super) fn data_size(&self) -> u64 {
        let length = |file: &Arc<File>| file.metadata().map_or(0, |meta| meta.len());
        self.data.files.values().map(length).sum()
    }

    /// Drops every blob for which `keep` says no, by writing the others to new packs before removing the old.
    pub(super) fn drop_blobs(&mut self, keep: impl Fn(&Digest) -> bool) -> Result<(), SnapshotError> {
        if !self.writable {
            return Err(SnapshotError::ReadOnly(self.dir.clone()));
        }
        self.flush()?;
        let mut by_pack: BTreeMap<u32, (Vec<Digest>, u64)> = BTreeMap::new();
        for (digest, found) in self.index.iter().filter(|(_, found)| found.series == SeriesName::Data) {
            let (kept, dropped) = by_pack.entry(found.pack).or_default();
            if keep(digest) {
                kept.push(*digest);
            } else {
                *dropped += 1;
            }
        }
        let failed = |dir: &Path, source| SnapshotError::io("rewrite the packs in", dir, source);
        for (number, (kept, dropped)) in by_pack {
            if dropped > 0 {
                self.rewrite(number, kept)?;
                let path = pack_path(&self.dir, SeriesName::Data, number);
                self.faults
                    .step()
                    .and_then(|()| std::fs::remove_file(path))
                    .map_err(|source| failed(&self.dir, source))?;
            }
        }
        Ok(())
    }

    fn rewrite(&mut self, number: u32, kept: Vec<Digest>) -> Result<(), SnapshotError> {
        let mut moved = Vec::new();
        for digest in kept {
            let Some(found) = self.index.get(&digest) else { continue };
            moved.extend(self.stored(&digest, found)?.map(|bytes| (found.kind, digest, bytes)));
        }
        if self.data.last == Some(number) {
            self.start_pack(SeriesName::Data)
                .map_err(|source| SnapshotError::io("write to", &self.dir, source))?;
        }
        let before: Vec<(Digest, Location)> = self
            .index
            .iter()
            .filter(|(_, found)| found.series == SeriesName::Data && found.pack == number)
            .map(|(digest, found)| (*digest, *found))
            .collect();
        for (digest, _) in &before {
            self.index.remove(digest);
        }
        let written =
            moved.into_iter().try_for_each(|(kind, digest, bytes)| self.put(kind, digest, &bytes).map(drop));
        if let Err(error) = written.and_then(|()| self.flush()).and_then(|()| self.syncer().sync()) {
            self.discard_pending();
            self.index.extend(before);
            return Err(error);
        }
        self.data.files.remove(&number);
        Ok(())
    }
}

impl Series {
    fn new(name: SeriesName) -> Self {
        Self { name, files: BTreeMap::new(), last: None, written: 0, buffer: Vec::new(), pending: Vec::new() }
    }
}

impl std::fmt::Debug for Packs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let packs = [&self.data, &self.manifests].map(|series| (series.name.prefix(), series.files.len()));
        f.debug_struct("Packs").field("dir", &self.dir).field("packs", &packs).finish_non_exhaustive()
    }
}

fn pack_path(dir: &Path, name: SeriesName, number: u32) -> PathBuf {
    dir.join(format!("{}{number:06}", name.prefix()))
}

fn header(kind: Object, digest: &Digest, bytes: &[u8]) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
    let mut crc = crc32fast::Hasher::new();
    crc.update(&[kind.code()]);
    crc.update(&length);
    crc.update(digest.as_bytes());
    crc.update(bytes);
    let parts = [&[kind.code(), 0, 0, 0][..], &length, &crc.finalize().to_le_bytes(), digest.as_bytes()];
    header.iter_mut().zip(parts.concat()).for_each(|(slot, byte)| *slot = byte);
    header
}

/// The records of a pack and where the last whole one ends. `check` reads every byte; otherwise only the headers are
/// looked at, and a damaged object is found out when it is read.
fn scan(file: &File, name: SeriesName, pack: u32, check: bool) -> io::Result<(Vec<(Digest, Location)>, u64)> {
    let size = file.metadata()?.len();
    let mut found = Vec::new();
    let mut at = 0;
    let mut head = [0; HEADER];
    while at + HEADER as u64 <= size {
        file.read_exact_at(&mut head, at)?;
        let Some((kind, length, digest)) = parse(&head) else { break };
        let next = at + HEADER as u64 + u64::from(length);
        if kind.series() != name || next > size {
            break;
        }
        if check {
            let mut bytes = vec![0; length as usize];
            file.read_exact_at(&mut bytes, at + HEADER as u64)?;
            if header(kind, &digest, &bytes) != head {
                break;
            }
        }
        let offset = u32::try_from(at).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        found.push((digest, Location { series: name, kind, pack, offset, length }));
        at = next;
    }
    Ok((found, at))
}

fn parse(head: &[u8; HEADER]) -> Option<(Object, u32, Digest)> {
    let kind = Object::from_code(*head.first()?)?;
    let length = u32::from_le_bytes(*head.get(4..)?.first_chunk()?);
    let digest = Digest::from_bytes(*head.get(12..)?.first_chunk()?);
    Some((kind, length, digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(packs: &mut Packs, text: &str) -> Digest {
        let digest = Digest::of(text.as_bytes());
        packs.put(Object::Blob, digest, text.as_bytes()).unwrap();
        digest
    }

    #[test]
    fn objects_come_back_before_and_after_reopening() {
        let dir = tempfile::tempdir().unwrap();
        let mut packs = Packs::open(dir.path(), true).unwrap();
        let one = put(&mut packs, "one");
        assert_eq!(packs.get(&one).unwrap().unwrap(), b"one");
        packs.flush().unwrap();
        let two = put(&mut packs, "two");
        assert_eq!(packs.get(&two).unwrap().unwrap(), b"two");
        drop(packs);
        let packs = Packs::open(dir.path(), true).unwrap();
        assert_eq!(packs.get(&one).unwrap().unwrap(), b"one");
        assert_eq!(packs.get(&two).unwrap(), None, "never flushed");
    }

    #[test]
    fn a_torn_tail_is_dropped_at_every_cut() {
        let dir = tempfile::tempdir().unwrap();
        let mut packs = Packs::open(dir.path(), true).unwrap();
        let one = put(&mut packs, "first object");
        packs.flush().unwrap();
        let whole = HEADER + "first object".len();
        let two = put(&mut packs, "second object");
        packs.flush().unwrap();
        drop(packs);
        let path = pack_path(dir.path(), SeriesName::Data, 1);
        let bytes = std::fs::read(&path).unwrap();
        for cut in whole..bytes.len() {
            std::fs::write(&path, &bytes[..cut]).unwrap();
            let mut packs = Packs::open(dir.path(), true).unwrap();
            assert!(packs.get(&one).unwrap().is_some() && !packs.contains(&two));
            put(&mut packs, "second object");
            packs.flush().unwrap();
            assert_eq!(Packs::open(dir.path(), false).unwrap().get(&two).unwrap().unwrap(), b"second object");
        }
    }

    #[test]
    fn a_flipped_bit_is_never_returned() {
        let dir = tempfile::tempdir().unwrap();
        let mut packs = Packs::open(dir.path(), true).unwrap();
        let one = put(&mut packs, "first object");
        packs.flush().unwrap();
        drop(packs);
        let path = pack_path(dir.path(), SeriesName::Data, 1);
        let bytes = std::fs::read(&path).unwrap();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 4;
            std::fs::write(&path, &damaged).unwrap();
            let packs = Packs::open(dir.path(), false).unwrap();
            let got = packs.get(&one).unwrap();
            assert!(got.is_none(), "byte {at}: {got:?}");
        }
    }

    #[test]
    fn dropping_keeps_the_rest() {
        let dir = tempfile::tempdir().unwrap();
        let mut packs = Packs::open(dir.path(), true).unwrap();
        let [one, two, three] = ["one", "two", "three"].map(|text| put(&mut packs, text));
        packs.drop_blobs(|digest| *digest != two).unwrap();
        for packs in [packs, Packs::open(dir.path(), true).unwrap()] {
            assert_eq!(packs.get(&one).unwrap().unwrap(), b"one");
            assert_eq!(packs.get(&two).unwrap(), None);
            assert_eq!(packs.get(&three).unwrap().unwrap(), b"three");
        }
    }
}
