//! What changed: files between two moments, and the history of one value.

use host::contract::Host;
use host::snapshot::{Change, ChangeKind, SnapshotId};

use super::listing::moment_name;
use crate::files::is_of_git;
use crate::key::Key;
use crate::moment::{Cause, Moment, MomentId};
use crate::request::{ChangeLine, FileChange, Refusal, Reply};
use crate::session::Session;

/// Larger files are listed, but their text is not compared.
const DIFF_FILE_BYTES_MAX: usize = 256 * 1024;

impl<H: Host> Session<H> {
    /// `diff`: files changed by the last step, or between two moments; git's own only when all are asked for.
    pub(super) fn diff(&self, between: Option<(MomentId, MomentId)>, all: bool) -> Result<Reply, Refusal> {
        let (from, to) = match between {
            Some((from, to)) => (self.files_of(from)?, self.files_of(to)?),
            None => self.files_around_last_step()?,
        };
        let files = self.files.as_ref().ok_or_else(no_snapshots)?;
        let changes = files.diff(from, to).map_err(|error| Refusal::new(error.to_string()))?;
        let shown = changes.into_iter().filter(|change| all || !is_of_git(&change.path));
        let lines = shown.map(|change| self.file_change(from, to, change)).collect();
        Ok(Reply::Files(lines))
    }

    fn files_of(&self, id: MomentId) -> Result<SnapshotId, Refusal> {
        let moment = self
            .timeline
            .get(id)
            .ok_or_else(|| Refusal::new(format!("there is no moment {id}")).hint("`timeline` lists them"))?;
        moment.files.ok_or_else(|| Refusal::new(format!("the files of {id} are not kept")))
    }

    /// Before the step that ended last, and at the moment that is looked at.
    fn files_around_last_step(&self) -> Result<(SnapshotId, SnapshotId), Refusal> {
        let at = self.looked_at_id();
        let last = self.looked_at().results().keys().last();
        let last = last.ok_or_else(|| Refusal::new("no step has run yet"))?;
        let before = self.timeline.before_moment(at, last).map(|moment| moment.id);
        let before = before.ok_or_else(|| Refusal::new("the moment before the last step is not recorded"))?;
        Ok((self.files_of(before)?, self.files_of(at)?))
    }

    fn file_change(&self, from: SnapshotId, to: SnapshotId, change: Change) -> FileChange {
        let diff = self.text_diff(from, to, &change);
        FileChange {
            path: self.secrets.mask(&change.path.to_string_lossy()),
            kind: kind_name(change.kind).to_owned(),
            root: change.root,
            diff: diff.map(|diff| self.secrets.mask(&diff)),
        }
    }

    fn text_diff(&self, from: SnapshotId, to: SnapshotId, change: &Change) -> Option<String> {
        let files = self.files.as_ref()?;
        let text = |id| -> Option<String> {
            let bytes = files.read(id, &change.root, &change.path).unwrap_or_default();
            (bytes.len() <= DIFF_FILE_BYTES_MAX).then(|| String::from_utf8(bytes).ok()).flatten()
        };
        let (old, new) = (text(from)?, text(to)?);
        (old != new)
            .then(|| similar::TextDiff::from_lines(&old, &new).unified_diff().context_radius(3).to_string())
    }

    /// `when KEY`: every change of one value on the current branch.
    pub(super) fn when(&self, key: &str) -> Result<Reply, Refusal> {
        // What a background step's moment shows of a step under way is that step's change, and its own comes when it is waited for.
        let of_foreground = |moment: &&Moment| !moment.point.is_of_lane();
        let mut ids: Vec<MomentId> = self
            .timeline
            .ancestry(self.looked_at_id())
            .filter(of_foreground)
            .map(|moment| moment.id)
            .collect();
        ids.reverse();
        let changes = match key.strip_prefix("file:") {
            Some(path) => self.file_changes(&ids, path)?,
            None => self.value_changes(&ids, &Key::parse(key)?),
        };
        Ok(Reply::Changes(changes))
    }

    fn value_changes(&self, ids: &[MomentId], key: &Key) -> Vec<ChangeLine> {
        let mut lines = Vec::new();
        let mut last: Option<String> = None;
        for (position, moment) in ids.iter().filter_map(|id| self.timeline.get(*id)).enumerate() {
            let now = key.value_in(&moment.job);
            if now != last {
                let shown = now.as_deref().map(|text| self.secrets.mask(text));
                lines.push(self.change_line(
                    moment,
                    position == 0,
                    kind_of(last.is_some(), now.is_some()),
                    shown,
                ));
                last = now;
            }
        }
        lines
    }

    fn file_changes(&self, ids: &[MomentId], path: &str) -> Result<Vec<ChangeLine>, Refusal> {
        let files = self.files.as_ref().ok_or_else(no_snapshots)?;
        let moments: Vec<(&Moment, SnapshotId)> = ids
            .iter()
            .filter_map(|id| self.timeline.get(*id))
            .filter_map(|moment| Some((moment, moment.files?)))
            .collect();
        let snapshots: Vec<SnapshotId> = moments.iter().map(|(_, files)| *files).collect();
        let history = files
            .history(&snapshots, std::path::Path::new(path))
            .map_err(|error| Refusal::new(error.to_string()))?;
        let mut existed = false;
        let mut lines = Vec::new();
        for (position, entry) in history {
            let Some((moment, _)) = moments.get(position) else { continue };
            let size = entry.as_ref().map(|entry| format!("{} bytes", entry.size));
            lines.push(self.change_line(moment, position == 0, kind_of(existed, entry.is_some()), size));
            existed = entry.is_some();
        }
        Ok(lines)
    }

    fn change_line(
        &self,
        moment: &Moment,
        at_start: bool,
        kind: &'static str,
        value: Option<String>,
    ) -> ChangeLine {
        let by = match &moment.cause {
            _ if at_start => "at the start".to_owned(),
            Cause::Edited(what) => what.clone(),
            Cause::Advanced | Cause::Left => moment.point.titled(&moment_name(moment, &self.secrets)),
        };
        let place = moment.point.step().filter(|_| !at_start).and_then(|path| self.place(path));
        ChangeLine { moment: moment.id, by, kind, value, place }
    }
}

fn kind_of(before: bool, now: bool) -> &'static str {
    match (before, now) {
        (false, _) => "created",
        (true, true) => "changed",
        (true, false) => "deleted",
    }
}

fn kind_name(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Created => "created",
        ChangeKind::Deleted => "deleted",
        ChangeKind::TypeChanged => "replaced",
        ChangeKind::Modified => "modified",
        ChangeKind::ModeChanged => "mode",
        ChangeKind::MetadataChanged => "metadata",
        ChangeKind::Touched => "touched",
    }
}

fn no_snapshots() -> Refusal {
    Refusal::new("no snapshots are taken in this session")
}
