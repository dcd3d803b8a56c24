//! Bringing a recorded snapshot back: look at what is there, plan what differs, change only that, look again.
//!
//! Running it again after it was cut off at any point gives the target exactly; the session's journal brackets it
//! with `RestoreBegin` and `RestoreEnd` so that it knows to. Does not know why one goes back, nor which processes run.

mod apply;
mod plan;

use super::cache::TreeCache;
use super::error::RestoreError;
use super::id::SnapshotId;
use super::manifest::Kind;
use super::park::ParkingLot;
use super::roots::Roots;
use super::stat::FileType;
use super::store::Store;
use super::walk::{Fresh, Note};
use super::{join, os, parent};

use apply::Apply;
pub(super) use apply::{OpenRoots, c_name};
pub(super) use plan::At;
use plan::Planner;

/// What happens to files the target lacks or has differently.
#[derive(Debug)]
pub enum RestoreMode<'l> {
    /// Removed or overwritten; files are written in place where that is safe. For when nothing runs that may hold
    /// them open.
    Replace,
    /// Put aside, each the same inode as before; nothing is removed or overwritten (DESIGN 4, frozen lanes).
    Park(&'l mut ParkingLot),
}

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreReport {
    /// The tree as it is afterwards.
    pub reached: SnapshotId,
    /// `reached` is the target. Otherwise `notes` or a process that writes meanwhile explain the difference.
    pub exact: bool,
    /// Files whose content was written.
    pub files_written: u64,
    /// How many bytes of content that took.
    pub bytes_written: u64,
    /// Entries removed, a directory with all in it counting once.
    pub removed: u64,
    /// Entries put aside, counted likewise; for `unpark` those put back.
    pub parked: u64,
    /// Directories, links and pipes made.
    pub made: u64,
    /// Entries that only got other metadata; directories are not counted.
    pub metadata: u64,
    /// What could not be brought back as it was, sorted.
    pub notes: Vec<Note>,
}

impl RestoreReport {
    fn new(target: SnapshotId) -> Self {
        Self {
            reached: target,
            exact: true,
            files_written: 0,
            bytes_written: 0,
            removed: 0,
            parked: 0,
            made: 0,
            metadata: 0,
            notes: Vec::new(),
        }
    }
}

impl Store {
    /// Makes the roots what they were in `target`. Nothing is changed unless all contents needed are stored. On
    /// another error the same call made again finishes the work.
    pub fn restore(
        &mut self,
        target: SnapshotId,
        roots: &Roots,
        mode: RestoreMode<'_>,
    ) -> Result<RestoreReport, RestoreError> {
        let lot = match mode {
            RestoreMode::Replace => None,
            RestoreMode::Park(lot) => {
                lot.begin(&self.faults())?;
                Some(lot)
            }
        };
        self.restore_trusting(target, roots, lot, &[])
    }

    /// Brings the newest moment back after [`RestoreMode::Park`]: what was made meanwhile goes, the very same files
    /// and directories come back, and what the person changed in files that were never put aside is undone from
    /// `newest`. Can be made again after being cut off at any point.
    pub fn unpark(
        &mut self,
        lot: &mut ParkingLot,
        newest: SnapshotId,
        roots: &Roots,
    ) -> Result<RestoreReport, RestoreError> {
        let back = lot.bring_back(roots, &self.faults())?;
        let mut report = self.restore_trusting(newest, roots, None, &back)?;
        report.parked += back.len() as u64;
        Ok(report)
    }

    fn restore_trusting(
        &mut self,
        target: SnapshotId,
        roots: &Roots,
        lot: Option<&mut ParkingLot>,
        trusted: &[At],
    ) -> Result<RestoreReport, RestoreError> {
        let wanted = self.snapshot(target)?;
        let (mut cache, mut now, _) = self.look(roots, &Fresh::new())?;
        while open_locked_dirs(&cache, roots, &self.faults()) {
            self.keep_cache(cache, &now);
            (cache, now, _) = self.look(roots, &Fresh::new())?;
        }
        let mut report = RestoreReport::new(target);
        if now.id(self.owner) == target {
            self.keep_cache(cache, &now);
            return Ok(report);
        }
        let planned = Planner::new(self, roots, trusted).run(&cache, target, &wanted);
        let plan = match planned {
            Ok(plan) => plan,
            Err(error) => {
                self.keep_cache(cache, &now);
                return Err(error);
            }
        };
        let mut apply = Apply::new(self, roots, lot, report);
        let applied = apply.run(plan);
        report = apply.report;
        let fresh = apply.fresh;
        self.keep_cache(cache, &now);
        applied?;
        let (cache, reached, found) = self.look(roots, &fresh)?;
        report.reached = reached.id(self.owner);
        report.exact = report.reached == target;
        report.notes.extend(found.notes);
        report.notes.sort();
        report.notes.dedup();
        self.keep_cache(cache, &reached);
        Ok(report)
    }

    /// The id the roots have now, without storing anything.
    pub fn current(&mut self, roots: &Roots) -> Result<SnapshotId, RestoreError> {
        let (cache, now, _) = self.look(roots, &Fresh::new())?;
        let id = now.id(self.owner);
        self.keep_cache(cache, &now);
        Ok(id)
    }
}

/// Gives us access to our own directories that forbid it, so that their content can be compared; true if there were
/// any. Their modes are set again at the end like all others.
fn open_locked_dirs(cache: &TreeCache, roots: &Roots, faults: &super::fault::Faults) -> bool {
    let Ok(open) = OpenRoots::open(roots) else { return false };
    let mut opened = false;
    for (index, top) in cache.tops.iter().enumerate() {
        let mut rest: Vec<(Vec<u8>, &super::cache::Cached)> =
            top.iter().map(|top| (Vec::new(), top)).collect();
        while let Some((path, cached)) = rest.pop() {
            if matches!(cached.entry.kind, Kind::Unreadable { of: FileType::Dir, .. }) && !path.is_empty() {
                let (dir, name) = parent(&path);
                let allowed = open.dir(index, dir).and_then(|dir| {
                    use std::os::fd::AsFd;
                    let name = c_name(name)?;
                    let stat = os::stat_at(dir.as_fd(), &name)?;
                    faults.step()?;
                    if stat.mode & 0o700 == 0o700 {
                        return Err(std::io::ErrorKind::PermissionDenied.into());
                    }
                    os::set_mode(dir.as_fd(), &name, stat.mode | 0o700)
                });
                opened |= allowed.is_ok();
            }
            rest.extend(
                cached
                    .dir
                    .iter()
                    .flat_map(|dir| &dir.entries)
                    .map(|child| (join(&path, &child.entry.name), child)),
            );
        }
    }
    opened
}
