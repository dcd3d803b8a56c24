//! Doing what a plan says, in its order, every name resolved beneath its root and through no symbolic link.
//!
//! Does not decide what is to be done.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

use rustix::io::Errno;

use crate::snapshot::error::RestoreError;
use crate::snapshot::fault::Faults;
use crate::snapshot::manifest::{Entry, Kind, Meta};
use crate::snapshot::park::ParkingLot;
use crate::snapshot::read::Piece;
use crate::snapshot::roots::Roots;
use crate::snapshot::stat::Stat;
use crate::snapshot::store::Store;
use crate::snapshot::walk::{Fresh, Note, NoteKind};
use crate::snapshot::{beneath, os, parent, to_path};

use super::RestoreReport;
use super::plan::{At, FileWork, Plan};

/// The roots, open; a root that is not there has none.
pub(in crate::snapshot) struct OpenRoots {
    tops: Vec<Option<OwnedFd>>,
}

impl OpenRoots {
    pub(in crate::snapshot) fn open(roots: &Roots) -> io::Result<Self> {
        let open = |root: &crate::snapshot::Root| match os::open_root(root.dir()) {
            Ok(fd) => Ok(Some(fd)),
            Err(error) => match error.raw_os_error().map(Errno::from_raw_os_error) {
                Some(Errno::NOENT | Errno::LOOP | Errno::NOTDIR) => Ok(None),
                _ => Err(error),
            },
        };
        Ok(Self { tops: roots.iter().map(open).collect::<io::Result<_>>()? })
    }

    pub(in crate::snapshot) fn dir(&self, root: usize, path: &[u8]) -> io::Result<OwnedFd> {
        let top = self.tops.get(root).and_then(Option::as_ref).ok_or(Errno::NOENT)?;
        os::open_dir(top.as_fd(), path)
    }
}

/// A name for the kernel; the root itself is `.` in itself.
pub(in crate::snapshot) fn c_name(name: &[u8]) -> io::Result<CString> {
    let name = if name.is_empty() { b"." } else { name };
    CString::new(name).map_err(|_| Errno::INVAL.into())
}

/// The last directory opened, since work comes directory by directory.
type OpenDir = Option<(usize, Vec<u8>, Rc<OwnedFd>)>;

pub(super) struct Apply<'a> {
    store: &'a Store,
    roots: &'a Roots,
    open: OpenRoots,
    lot: Option<&'a mut ParkingLot>,
    faults: Faults,
    last_dir: OpenDir,
    /// Directories we made while parking, without those inside another one.
    made: std::collections::HashSet<At>,
    pub(super) report: RestoreReport,
    pub(super) fresh: Fresh,
}

impl<'a> Apply<'a> {
    pub(super) fn new(
        store: &'a Store,
        roots: &'a Roots,
        lot: Option<&'a mut ParkingLot>,
        report: RestoreReport,
    ) -> Self {
        Self {
            store,
            roots,
            open: OpenRoots { tops: Vec::new() },
            lot,
            faults: store.faults(),
            last_dir: None,
            made: std::collections::HashSet::new(),
            report,
            fresh: Fresh::new(),
        }
    }

    pub(super) fn run(&mut self, plan: Plan) -> Result<(), RestoreError> {
        self.report.notes.extend(plan.notes);
        for index in plan.make_roots {
            self.make_root(index)?;
        }
        self.open = OpenRoots::open(self.roots).map_err(|source| RestoreError::Io {
            action: "open the covered directories, first of all",
            path: self.roots.iter().next().map(|root| root.dir().to_owned()).unwrap_or_default(),
            source,
        })?;
        for at in &plan.remove {
            self.remove(at)?;
        }
        self.last_dir = None;
        for at in &plan.make_dirs {
            self.make_dir(at)?;
        }
        for work in &plan.files {
            self.file(work)?;
        }
        for (at, entry) in &plan.specials {
            self.special(at, entry)?;
        }
        for (at, first) in &plan.links {
            self.link(at, first)?;
        }
        for (at, wanted, now) in &plan.metadata {
            self.report.metadata += u64::from(self.metadata(at, wanted, now.xattrs.as_deref())?);
        }
        let mut dirs = plan.dirs;
        dirs.sort_by_key(|(at, _)| std::cmp::Reverse((depth(&at.path), at.clone())));
        for (at, wanted) in &dirs {
            self.dir_metadata(at, wanted)?;
        }
        Ok(())
    }

    fn failed(&self, action: &'static str, at: &At) -> impl Fn(io::Error) -> RestoreError + use<> {
        let root = self.roots.at(at.root).map(|root| root.dir().to_owned()).unwrap_or_default();
        let path = root.join(to_path(&at.path));
        move |source| RestoreError::Io { action, path: path.clone(), source }
    }

    fn note(&mut self, at: &At, kind: NoteKind) {
        if let Some(root) = self.roots.at(at.root) {
            self.report.notes.push(Note { root: root.name().to_owned(), path: to_path(&at.path), kind });
        }
    }

    /// The directory `at` is in, and its name there.
    fn place(&mut self, at: &At) -> io::Result<(Rc<OwnedFd>, CString)> {
        let (dir, name) = parent(&at.path);
        let name = c_name(name)?;
        if let Some((root, path, fd)) = &self.last_dir
            && *root == at.root
            && path == dir
        {
            return Ok((fd.clone(), name));
        }
        let fd = Rc::new(self.open.dir(at.root, dir)?);
        self.last_dir = Some((at.root, dir.to_vec(), fd.clone()));
        Ok((fd, name))
    }

    /// Does one change; where the directory forbids it to us, its owner, allows it and does it again. The directory's
    /// mode is set at the end: everything that changes in a directory makes it part of the plan.
    fn change<T>(
        &mut self,
        at: &At,
        action: &'static str,
        mut change: impl FnMut(BorrowedFd<'_>, &std::ffi::CStr) -> io::Result<T>,
    ) -> Result<T, RestoreError> {
        let failed = self.failed(action, at);
        let (dir, name) = self.place(at).map_err(&failed)?;
        self.faults.step().map_err(&failed)?;
        match change(dir.as_fd(), &name) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                let stat = os::stat_fd(dir.as_fd()).map_err(&failed)?;
                if stat.mode & 0o300 == 0o300 {
                    return Err(failed(error));
                }
                os::set_mode(dir.as_fd(), c".", stat.mode | 0o700).map_err(&failed)?;
                change(dir.as_fd(), &name).map_err(&failed)
            }
            other => other.map_err(&failed),
        }
    }

    fn make_root(&mut self, index: usize) -> Result<(), RestoreError> {
        let Some(root) = self.roots.at(index) else { return Ok(()) };
        let at = At::new(index, b"");
        let failed = self.failed("make", &at);
        self.faults.step().map_err(&failed)?;
        if let (Ok(_), Some(above)) = (root.dir().symlink_metadata(), root.dir().parent()) {
            // Not a directory any more: whatever took its place goes, unfollowed.
            let above = os::open_root(above).map_err(&failed)?;
            let name =
                root.dir().file_name().map(|name| crate::snapshot::split(name.as_ref())).unwrap_or_default();
            beneath::remove_all(above.as_fd(), &c_name(name).map_err(&failed)?).map_err(&failed)?;
        }
        std::fs::create_dir_all(root.dir()).map_err(&failed)
    }

    /// Removes or parks.
    fn remove(&mut self, at: &At) -> Result<(), RestoreError> {
        if self.lot.is_none() {
            self.change(at, "remove", beneath::remove_all)?;
            self.report.removed += 1;
            return Ok(());
        }
        let (dir, name) = self.place(at).map_err(self.failed("put aside", at))?;
        let Some(root) = self.roots.at(at.root) else { return Ok(()) };
        if let Some(lot) = &mut self.lot
            && lot.park(root, &at.path, dir.as_fd(), &name, &self.faults)?
        {
            self.report.parked += 1;
        }
        Ok(())
    }

    /// Tells the parking lot that something of ours will be at `at`.
    fn announce(&mut self, at: &At) -> Result<(), RestoreError> {
        let inside_ours = self.lot.is_none() || self.is_inside_made(at);
        match (&mut self.lot, self.roots.at(at.root)) {
            (Some(lot), Some(root)) if !inside_ours => lot.announce(root, &at.path, &self.faults),
            _ => Ok(()),
        }
    }

    fn is_inside_made(&self, at: &At) -> bool {
        let mut path = at.path.as_slice();
        while !path.is_empty() {
            path = parent(path).0;
            if self.made.contains(&At::new(at.root, path)) {
                return true;
            }
        }
        false
    }

    fn make_dir(&mut self, at: &At) -> Result<(), RestoreError> {
        self.announce(at)?;
        let made = self.change(at, "make the directory", |dir, name| {
            match rustix::fs::mkdirat(dir, name, rustix::fs::Mode::RWXU) {
                Err(Errno::EXIST) if os::stat_at(dir, name)?.is_dir() => Ok(false),
                Err(Errno::EXIST) => Err(Errno::EXIST.into()),
                made => Ok(made.map(|()| true)?),
            }
        })?;
        if self.lot.is_some() && made && !self.is_inside_made(at) {
            self.made.insert(at.clone());
        }
        self.report.made += 1;
        Ok(())
    }

    fn file(&mut self, work: &FileWork) -> Result<(), RestoreError> {
        self.report.files_written += 1;
        if self.lot.is_none()
            && let Some((stat, now)) = &work.current
            && self.write_in_place(work, stat, now)?
        {
            return Ok(());
        }
        if work.current.is_some() {
            self.remove(&work.at)?;
        }
        self.announce(&work.at)?;
        let file = match self.change(&work.at, "create", beneath::create_file) {
            Err(RestoreError::Io { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {
                self.remove(&work.at)?;
                self.change(&work.at, "create", beneath::create_file)?
            }
            created => created?,
        };
        self.fill(work, file.as_fd(), None)?;
        self.finish(work, &file)
    }

    /// Overwrites the file that is there, if it is still the one that was looked at and nobody else has a name for it;
    /// 8 to 34 times cheaper than replacing it (timetravel.md 2.4).
    fn write_in_place(&mut self, work: &FileWork, stat: &Stat, now: &Kind) -> Result<bool, RestoreError> {
        let meta = &work.entry.meta;
        if stat.nlink != 1 || (stat.uid, stat.gid) != (meta.uid, meta.gid) {
            return Ok(false);
        }
        let failed = self.failed("open", &work.at);
        let (dir, name) = self.place(&work.at).map_err(&failed)?;
        let Ok(file) = beneath::open_write(dir.as_fd(), &name) else { return Ok(false) };
        let found = os::stat_fd(file.as_fd()).map_err(&failed)?;
        let same = (found.dev, found.ino, found.mode, found.nlink) == (stat.dev, stat.ino, stat.mode, 1);
        if !same {
            return Ok(false);
        }
        self.fill(work, file.as_fd(), Some((&found, now)))?;
        self.finish(work, &file)?;
        Ok(true)
    }

    /// Writes the content; `before` is what the file holds when it is not a new one.
    fn fill(
        &mut self,
        work: &FileWork,
        file: BorrowedFd<'_>,
        before: Option<(&Stat, &Kind)>,
    ) -> Result<(), RestoreError> {
        let Kind::File { size, content, holes, .. } = &work.entry.kind else { return Ok(()) };
        let failed = self.failed("write", &work.at);
        let path = to_path(&work.at.path);
        let pieces = self.store.pieces(*size, *content, &path)?;
        let mut known = Vec::new();
        let mut length = 0;
        if let Some((stat, now)) = before {
            length = stat.size;
            if let (None, Kind::File { size, content, holes: None, .. }) = (holes, now) {
                known = self.store.pieces(*size, *content, &path).unwrap_or_default();
            } else {
                self.faults.step().map_err(&failed)?;
                rustix::fs::ftruncate(file, 0).map_err(|errno| failed(errno.into()))?;
                length = 0;
            }
        }
        let same = |piece: &Piece| {
            known.binary_search_by_key(&piece.offset, |one| one.offset).map(|at| known.get(at) == Some(piece))
        };
        for piece in pieces.iter().filter(|piece| !same(piece).unwrap_or(false)) {
            let bytes = self.store.piece(piece, &path)?;
            for (start, end) in data_runs(holes.as_deref().unwrap_or_default(), piece.offset, piece.length) {
                let from = usize::try_from(start - piece.offset).unwrap_or(usize::MAX);
                let to = usize::try_from(end - piece.offset).unwrap_or(usize::MAX);
                let run = bytes.get(from..to).unwrap_or_default();
                self.faults.step().map_err(&failed)?;
                write_all(file, run, start).map_err(&failed)?;
                self.report.bytes_written += run.len() as u64;
                length = length.max(end);
            }
        }
        if length != *size {
            self.faults.step().map_err(&failed)?;
            rustix::fs::ftruncate(file, *size).map_err(|errno| failed(errno.into()))?;
        }
        Ok(())
    }

    /// Sets a written file's metadata, times last, and remembers its state so that it need not be read again.
    fn finish(&mut self, work: &FileWork, file: &OwnedFd) -> Result<(), RestoreError> {
        let failed = self.failed("set the metadata of", &work.at);
        let xattrs = beneath::xattrs(file.as_fd()).map_err(&failed)?;
        self.metadata(&work.at, &work.entry.meta, Some(&xattrs))?;
        let stat = os::stat_fd(file.as_fd()).map_err(&failed)?;
        self.fresh.insert((work.at.root, work.at.path.clone()), (stat, work.entry.kind.clone()));
        Ok(())
    }

    fn special(&mut self, at: &At, entry: &Entry) -> Result<(), RestoreError> {
        self.announce(at)?;
        match &entry.kind {
            Kind::Symlink { target } => self.change(at, "make the link", |dir, name| {
                rustix::fs::symlinkat(&**target, dir, name).map_err(io::Error::from)
            })?,
            _ => self.change(at, "make the pipe", os::make_fifo)?,
        }
        self.report.made += 1;
        self.metadata(at, &entry.meta, None).map(drop)
    }

    fn link(&mut self, at: &At, first: &At) -> Result<(), RestoreError> {
        self.announce(at)?;
        let failed = self.failed("link", first);
        let (dir, name) = parent(&first.path);
        let from = self.open.dir(first.root, dir).map_err(&failed)?;
        let from_name = c_name(name).map_err(&failed)?;
        self.change(at, "link", |dir, name| {
            let flags = rustix::fs::AtFlags::empty();
            rustix::fs::linkat(&from, &from_name, dir, name, flags).map_err(io::Error::from)
        })?;
        self.report.made += 1;
        Ok(())
    }

    fn dir_metadata(&mut self, at: &At, wanted: &Meta) -> Result<(), RestoreError> {
        let failed = self.failed("open", at);
        let fd = self.open.dir(at.root, &at.path).map_err(&failed)?;
        let xattrs = beneath::xattrs(fd.as_fd()).map_err(&failed)?;
        self.metadata(at, wanted, Some(&xattrs)).map(drop)
    }

    /// Sets what differs, modification time last; `xattrs` are those it has. True if anything did.
    fn metadata(
        &mut self,
        at: &At,
        wanted: &Meta,
        xattrs: Option<&[crate::snapshot::manifest::Xattr]>,
    ) -> Result<bool, RestoreError> {
        let failed = self.failed("set the metadata of", at);
        let (dir, name) = self.place(at).map_err(&failed)?;
        let dir = dir.as_fd();
        let stat = os::stat_at(dir, &name).map_err(&failed)?;
        let mut refused = Vec::new();
        let mut changed = false;
        if (stat.uid, stat.gid) != (wanted.uid, wanted.gid) {
            self.faults.step().map_err(&failed)?;
            refused.push(beneath::set_owner(dir, &name, wanted.uid, wanted.gid));
            changed = true;
        }
        if !stat.is_symlink() && (stat.permissions() != wanted.mode || changed) {
            self.faults.step().map_err(&failed)?;
            refused.push(os::set_mode(dir, &name, wanted.mode));
            changed = true;
        }
        let (have, want) = (xattrs.unwrap_or_default(), wanted.xattrs.as_deref().unwrap_or_default());
        if have != want && !stat.is_symlink() {
            for (key, value) in want.iter().filter(|one| !have.contains(one)) {
                self.faults.step().map_err(&failed)?;
                refused.push(os::set_xattr(dir, &name, key, Some(value)));
            }
            for (key, _) in have.iter().filter(|(key, _)| want.iter().all(|(other, _)| other != key)) {
                self.faults.step().map_err(&failed)?;
                refused.push(os::set_xattr(dir, &name, key, None));
            }
            changed = true;
        }
        if stat.mtime != wanted.mtime || changed {
            self.faults.step().map_err(&failed)?;
            refused.push(beneath::set_mtime(dir, &name, wanted.mtime));
            changed = true;
        }
        for error in refused.into_iter().filter_map(Result::err) {
            match error.raw_os_error().map(Errno::from_raw_os_error) {
                Some(Errno::PERM | Errno::ACCESS | Errno::NOTSUP | Errno::ROFS) => {
                    self.note(at, NoteKind::MetadataRefused);
                }
                _ => return Err(failed(error)),
            }
        }
        Ok(changed)
    }
}

fn depth(path: &[u8]) -> usize {
    if path.is_empty() { 0 } else { 1 + path.iter().filter(|byte| **byte == b'/').count() }
}

fn write_all(file: BorrowedFd<'_>, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::pwrite(file, bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => {
                bytes = bytes.get(count..).unwrap_or_default();
                offset += count as u64;
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// The parts of `offset .. offset + length` that lie in no hole, as (start, end).
fn data_runs(holes: &[(u64, u64)], offset: u64, length: u64) -> Vec<(u64, u64)> {
    let end = offset + length;
    let mut runs = Vec::new();
    let mut at = offset;
    for (start, size) in holes.iter().filter(|(start, size)| start + size > offset && *start < end) {
        if *start > at {
            runs.push((at, *start));
        }
        at = at.max(start + size);
    }
    if at < end {
        runs.push((at, end));
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_between_holes() {
        let check = |holes: &[(u64, u64)], expected: &[(u64, u64)]| {
            assert_eq!(data_runs(holes, 10, 10), expected);
        };
        check(&[], &[(10, 20)]);
        check(&[(0, 30)], &[]);
        check(&[(0, 12), (15, 1), (18, 100)], &[(12, 15), (16, 18)]);
        check(&[(0, 10), (20, 5)], &[(10, 20)]);
    }
}
