//! Putting files aside instead of removing them, so that a thawed process finds its open files, directories, sockets
//! and locks to be the very same (DESIGN 4).
//!
//! Parking is a rename on the same mount. A log on disk says beforehand what will be done, so that it can be undone
//! after a crash at any point: it is undone from its end, and shortened after each thing undone. Metadata is not
//! logged: [`super::Store::unpark`] sets it from the newest snapshot. Knows nothing of why anything is parked.

use std::ffi::CStr;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::error::{RestoreError, SnapshotError};
use super::fault::Faults;
use super::manifest::{Input, put_bytes, put_number};
use super::restore::{At, OpenRoots, c_name};
use super::roots::{Root, Roots};
use super::{beneath, os, parent, to_path};

const PARKED: u8 = 1;
const MADE: u8 = 2;
const PARKED_LATER: u8 = 3;
const BEGAN: u8 = 4;

/// What was put aside, and what was made in its place.
#[derive(Debug)]
pub struct ParkingLot {
    log_path: PathBuf,
    log: File,
    end: u64,
    next: u64,
    places: Vec<Place>,
    records: Vec<(u64, Record)>,
    /// Nothing was parked when the restore under way began: what it parks is as it was at the newest moment.
    first: bool,
}

/// Directories on the mount of one root that parked things may go to, the preferred one first.
#[derive(Debug)]
struct Place {
    root: String,
    dirs: Vec<PathBuf>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Record {
    what: What,
    root: String,
    path: Vec<u8>,
    number: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// Put aside by the first restore: exactly what was there at the newest moment.
    Parked,
    /// Put aside by a later one: a person may have edited it since.
    ParkedLater,
    /// Made by us.
    Made,
    /// The first restore began.
    Began,
}

impl ParkingLot {
    /// Opens the parking lot whose log is in `dir` (created, 0700), with whatever an earlier process left parked. `dir`
    /// must not be in a covered tree. Things are parked in `dir` where that is on the same mount as the root, else in
    /// a hidden directory beside the root.
    pub fn open(dir: &Path, roots: &Roots) -> Result<Self, SnapshotError> {
        let io = |action| move |source| SnapshotError::io(action, dir, source);
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(io("create"))?;
        let dir = dir.canonicalize().map_err(io("resolve"))?;
        let log_path = dir.join("log");
        let log = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&log_path)
            .map_err(io("open the parking log in"))?;
        let mut bytes = vec![0; usize::try_from(log.metadata().map_err(io("read"))?.len()).unwrap_or(0)];
        log.read_exact_at(&mut bytes, 0).map_err(io("read the parking log in"))?;
        let (records, end) = decode_log(&bytes);
        log.set_len(end).map_err(io("repair the parking log in"))?;
        let places = roots.iter().map(|root| Place::new(root, &dir, roots)).collect();
        let next = records.iter().map(|(_, record)| record.number + 1).max().unwrap_or(0);
        Ok(Self { log_path, log, end, next, places, records, first: false })
    }

    /// Whether no restore has used it since the last `unpark` or [`ParkingLot::discard`].
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// How many things are parked, a directory with all in it counting once.
    pub fn len(&self) -> usize {
        self.records.iter().filter(|(_, record)| record.is_parked()).count()
    }

    /// Removes everything parked, when the branch has become real. Can be made again after being cut off.
    pub fn discard(&mut self) -> Result<(), SnapshotError> {
        for (_, record) in self.records.iter().filter(|(_, record)| record.is_parked()) {
            for place in self.places.iter().filter(|place| place.root == record.root) {
                for dir in &place.dirs {
                    match os::open_root(dir) {
                        Ok(fd) => {
                            let name = c_name(record.number.to_string().as_bytes());
                            name.and_then(|name| beneath::remove_all(fd.as_fd(), &name)).map_err(
                                |source| SnapshotError::io("remove what was parked in", dir, source),
                            )?;
                        }
                        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                        Err(source) => return Err(SnapshotError::io("open", dir, source)),
                    }
                }
            }
        }
        self.log.set_len(0).map_err(|source| SnapshotError::io("empty", &self.log_path, source))?;
        self.records.clear();
        self.end = 0;
        self.remove_empty_places();
        Ok(())
    }

    /// Says that a restore begins.
    pub(super) fn begin(&mut self, faults: &Faults) -> Result<(), RestoreError> {
        self.first = self.records.is_empty();
        if self.first {
            let record = Record { what: What::Began, root: String::new(), path: Vec::new(), number: 0 };
            self.append(record, faults)?;
        }
        Ok(())
    }

    /// Puts `name` (the last part of `path`) aside; false when it is not there.
    pub(super) fn park(
        &mut self,
        root: &Root,
        path: &[u8],
        dir: BorrowedFd<'_>,
        name: &CStr,
        faults: &Faults,
    ) -> Result<bool, RestoreError> {
        let failed = |source| RestoreError::CannotPark { path: root.dir().join(to_path(path)), source };
        match os::stat_at(dir, name) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(failed(error)),
        }
        let number = self.next;
        let what = if self.first { What::Parked } else { What::ParkedLater };
        self.append(Record { what, root: root.name().to_owned(), path: path.to_vec(), number }, faults)?;
        self.next += 1;
        let new = c_name(number.to_string().as_bytes()).map_err(failed)?;
        let mut last = Errno::XDEV.into();
        let places = self.places.iter().filter(|place| place.root == root.name());
        for lot in places.flat_map(|place| &place.dirs) {
            faults.step().map_err(failed)?;
            let moved = open_or_make(lot).and_then(|to| move_entry(dir, name, to.as_fd(), &new));
            match moved {
                Ok(()) => return Ok(true),
                Err(error) => last = error,
            }
            if last.raw_os_error() != Some(Errno::XDEV.raw_os_error()) {
                break;
            }
        }
        Err(failed(last))
    }

    /// Says that something of ours is about to be at `path`.
    pub(super) fn announce(&mut self, root: &Root, path: &[u8], faults: &Faults) -> Result<(), RestoreError> {
        self.append(
            Record { what: What::Made, root: root.name().to_owned(), path: path.to_vec(), number: 0 },
            faults,
        )
    }

    fn append(&mut self, record: Record, faults: &Faults) -> Result<(), RestoreError> {
        let bytes = record.encode();
        faults
            .step()
            .and_then(|()| self.log.write_all_at(&bytes, self.end))
            .map_err(|source| SnapshotError::io("write to", &self.log_path, source))?;
        self.records.push((self.end, record));
        self.end += bytes.len() as u64;
        Ok(())
    }

    /// Undoes everything logged, last first; returns the places that are again, whatever a manifest says, what they
    /// were at the newest moment.
    pub(super) fn bring_back(&mut self, roots: &Roots, faults: &Faults) -> Result<Vec<At>, RestoreError> {
        let mut back = Vec::new();
        while let Some((start, record)) = self.records.last().cloned() {
            let path = || to_path(&record.path);
            let failed = |source| RestoreError::Io { action: "put back", path: path(), source };
            if let Some(index) = roots.iter().position(|root| root.name() == record.root) {
                let at = At::new(index, &record.path);
                if record.what == What::Made {
                    remove_made(roots, &at, faults).map_err(failed)?;
                } else if self.put_back(roots, &at, &record, faults).map_err(failed)?
                    && record.what == What::Parked
                {
                    back.push(at);
                }
            }
            faults.step().and_then(|()| self.log.set_len(start)).map_err(failed)?;
            self.records.pop();
            self.end = start;
        }
        self.remove_empty_places();
        Ok(back)
    }

    fn put_back(&self, roots: &Roots, at: &At, record: &Record, faults: &Faults) -> io::Result<bool> {
        let number = c_name(record.number.to_string().as_bytes())?;
        let places = self.places.iter().filter(|place| place.root == record.root);
        for lot in places.flat_map(|place| &place.dirs) {
            let from = match os::open_root(lot) {
                Ok(from) => from,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            match os::stat_at(from.as_fd(), &number) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            }
            let (dir, name) = parent(&at.path);
            let to = open_or_make_inside(roots, at.root, dir, faults)?;
            let name = c_name(name)?;
            faults.step()?;
            with_access(to.as_fd(), || beneath::remove_all(to.as_fd(), &name))?;
            faults.step()?;
            with_access(to.as_fd(), || move_entry(from.as_fd(), &number, to.as_fd(), &name))?;
            return Ok(true);
        }
        Ok(false)
    }

    fn remove_empty_places(&self) {
        let own = self.log_path.parent();
        for dir in self.places.iter().flat_map(|place| &place.dirs).filter(|dir| Some(dir.as_path()) != own) {
            let _ = std::fs::remove_dir(dir);
        }
    }
}

impl Place {
    fn new(root: &Root, lot: &Path, roots: &Roots) -> Self {
        use std::os::unix::fs::MetadataExt;
        let device = |path: &Path| path.metadata().map(|meta| meta.dev()).ok();
        let mut dirs = Vec::new();
        if device(lot).is_some() && device(lot) == device(root.dir()) {
            dirs.push(lot.to_owned());
        }
        let beside = root.dir().file_name().map(|name| {
            let mut hidden = std::ffi::OsString::from(".");
            hidden.push(name);
            hidden.push(".stepback-parked");
            root.dir().with_file_name(hidden)
        });
        let covered = |dir: &PathBuf| roots.iter().any(|root| dir.starts_with(root.dir()));
        dirs.extend(beside.filter(|dir| !covered(dir)));
        if !dirs.iter().any(|dir| dir == lot) {
            dirs.push(lot.to_owned());
        }
        Self { root: root.name().to_owned(), dirs }
    }
}

impl Record {
    fn is_parked(&self) -> bool {
        matches!(self.what, What::Parked | What::ParkedLater)
    }

    fn encode(&self) -> Vec<u8> {
        let code = match self.what {
            What::Parked => PARKED,
            What::ParkedLater => PARKED_LATER,
            What::Made => MADE,
            What::Began => BEGAN,
        };
        let mut body = vec![code];
        put_number(&mut body, self.number);
        put_bytes(&mut body, self.root.as_bytes());
        put_bytes(&mut body, &self.path);
        let mut bytes = u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes().to_vec();
        bytes.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
        bytes.extend_from_slice(&body);
        bytes
    }

    fn decode(body: &[u8]) -> Option<Self> {
        let mut input = Input(body);
        let what = match input.byte().ok()? {
            PARKED => What::Parked,
            PARKED_LATER => What::ParkedLater,
            MADE => What::Made,
            BEGAN => What::Began,
            _ => return None,
        };
        let number = input.number().ok()?;
        let root = String::from_utf8(input.bytes().ok()?.to_vec()).ok()?;
        let path = input.bytes().ok()?.to_vec();
        Some(Self { what, root, path, number })
    }
}

/// All whole records with where they start, and where the last one ends.
fn decode_log(bytes: &[u8]) -> (Vec<(u64, Record)>, u64) {
    let mut records = Vec::new();
    let mut input = Input(bytes);
    let mut at = 0_u64;
    while let (Ok(length), Ok(crc)) = (input.array::<4>(), input.array::<4>()) {
        let length = u32::from_le_bytes(length) as usize;
        let Some((body, rest)) = input.0.split_at_checked(length) else { break };
        if crc32fast::hash(body) != u32::from_le_bytes(crc) {
            break;
        }
        let Some(record) = Record::decode(body) else { break };
        records.push((at, record));
        at += 8 + length as u64;
        input.0 = rest;
    }
    (records, at)
}

fn open_or_make(dir: &Path) -> io::Result<std::os::fd::OwnedFd> {
    match os::open_root(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            DirBuilder::new().mode(0o700).create(dir)?;
            os::open_root(dir)
        }
        opened => opened,
    }
}

/// Renames; a directory of ours that forbids it gets its own mode back afterwards.
fn move_entry(from: BorrowedFd<'_>, name: &CStr, to: BorrowedFd<'_>, new: &CStr) -> io::Result<()> {
    match with_access(from, || os::rename_new(from, name, to, new)) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let stat = os::stat_at(from, name)?;
            if !stat.is_dir() || stat.mode & 0o700 == 0o700 {
                return Err(error);
            }
            os::set_mode(from, name, stat.mode | 0o700)?;
            let moved = os::rename_new(from, name, to, new);
            match moved {
                Ok(()) => os::set_mode(to, new, stat.mode),
                Err(error) => {
                    let _ = os::set_mode(from, name, stat.mode);
                    Err(error)
                }
            }
        }
        moved => moved,
    }
}

/// Does `change` in `dir`; where the directory forbids it to us, its owner, allows it and does it again.
fn with_access(dir: BorrowedFd<'_>, change: impl Fn() -> io::Result<()>) -> io::Result<()> {
    match change() {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let stat = os::stat_fd(dir)?;
            if stat.mode & 0o300 == 0o300 {
                return Err(error);
            }
            os::set_mode(dir, c".", stat.mode | 0o700)?;
            change()
        }
        done => done,
    }
}

fn remove_made(roots: &Roots, at: &At, faults: &Faults) -> io::Result<()> {
    let (dir, name) = parent(&at.path);
    let dir = match OpenRoots::open(roots)?.dir(at.root, dir) {
        Ok(dir) => dir,
        Err(error) => {
            return match error.raw_os_error().map(Errno::from_raw_os_error) {
                Some(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(()),
                _ => Err(error),
            };
        }
    };
    let name = c_name(name)?;
    faults.step()?;
    with_access(dir.as_fd(), || beneath::remove_all(dir.as_fd(), &name))
}

/// Opens a directory of a root, making what is missing of it and replacing what is in the way.
fn open_or_make_inside(
    roots: &Roots,
    root: usize,
    path: &[u8],
    faults: &Faults,
) -> io::Result<std::os::fd::OwnedFd> {
    let top = roots.at(root).map(Root::dir).unwrap_or(Path::new("/nonexistent"));
    std::fs::create_dir_all(top)?;
    let open = OpenRoots::open(roots)?;
    match open.dir(root, path) {
        Err(error) if error.raw_os_error().is_some() => {
            let errno = error.raw_os_error().map(Errno::from_raw_os_error);
            if !matches!(errno, Some(Errno::NOENT | Errno::NOTDIR | Errno::LOOP)) {
                return Err(error);
            }
        }
        opened => return opened,
    }
    let mut dir = open.dir(root, b"")?;
    for name in path.split(|byte| *byte == b'/') {
        let name = c_name(name)?;
        let next = match beneath::open_child_dir(dir.as_fd(), &name) {
            Ok(next) => next,
            Err(_) => {
                faults.step()?;
                beneath::remove_all(dir.as_fd(), &name)?;
                rustix::fs::mkdirat(&dir, &name, rustix::fs::Mode::RWXU)?;
                beneath::open_child_dir(dir.as_fd(), &name)?
            }
        };
        dir = next;
    }
    Ok(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_log_keeps_its_whole_records() {
        let record = |path: &str, what| Record { what, root: "w".into(), path: path.into(), number: 3 };
        let records = [record("a/b", What::ParkedLater), record("c", What::Made)];
        let bytes: Vec<u8> = records.iter().flat_map(Record::encode).collect();
        let first = records[0].encode().len();
        for cut in 0..=bytes.len() {
            let (found, end) = decode_log(&bytes[..cut]);
            let whole = usize::from(cut >= first) + usize::from(cut == bytes.len());
            assert_eq!(found.len(), whole, "cut at {cut}");
            assert_eq!(end as usize, [0, first, bytes.len()][whole]);
        }
        assert_eq!(decode_log(&bytes).0[1].1, records[1]);
    }
}
