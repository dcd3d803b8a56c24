//! Between the workspace and the repository: `sync` takes what was changed there since checkout, `keep` gives back what
//! was changed here.
//!
//! Knows the snapshot after checkout, the workspace and the repository's files. Never overwrites work: a file that was
//! changed on both sides is named and left, and the repository gets a patch, not files.

use std::path::Path;

use engine::action::ActionReference;
use engine::syntax::StepBody;
use host::checkout;
use host::contract::Host;
use host::snapshot::SnapshotId;
use indexmap::IndexSet;

use crate::files::{WORKSPACE, is_of_git};
use crate::moment::Point;
use crate::request::{Refusal, Reply};
use crate::session::Session;

/// What a file of the repository asks for.
enum Difference {
    None,
    Take,
    Conflict,
}

impl<H: Host> Session<H> {
    /// `sync`.
    pub(crate) fn sync(&mut self) -> Result<Reply, Refusal> {
        self.must_stand()?;
        let origin = self.origin()?;
        let baseline = self.after_checkout()?;
        let (folder, listed) = checkout::listed(&origin).map_err(|error| Refusal::new(error.to_string()))?;
        let mut take = IndexSet::new();
        let mut conflicts = Vec::new();
        for path in
            listed.iter().filter(|path| folder.join(path).symlink_metadata().is_ok_and(|m| !m.is_dir()))
        {
            match self.difference(baseline, &folder, path) {
                Difference::None => {}
                Difference::Take => drop(take.insert(path.clone())),
                Difference::Conflict => conflicts.push(path.display().to_string()),
            }
        }
        let taken = checkout::bring(&folder, &self.workspace, &take)
            .map_err(|error| Refusal::new(error.to_string()))?;
        if taken > 0 {
            let files = self.snapshot().map(|(id, _)| id);
            self.record_file_edit(format!("sync: {taken} files from the repository"), files);
        }
        let mut lines = vec![format!("{taken} files taken from the repository")];
        lines.extend(take.iter().map(|path| format!("  {}", path.display())));
        lines.extend(
            conflicts.iter().map(|path| format!("  {path}: changed on both sides, left as it is here")),
        );
        Ok(Reply::Text(lines.join("\n")))
    }

    fn difference(&self, baseline: SnapshotId, folder: &Path, path: &Path) -> Difference {
        let Some(files) = &self.files else { return Difference::None };
        let there = std::fs::read(folder.join(path)).ok();
        let here = std::fs::read(self.workspace.join(path)).ok();
        let then = files.read(baseline, WORKSPACE, path).ok();
        if there == then || there == here {
            Difference::None
        } else if here == then {
            Difference::Take
        } else {
            Difference::Conflict
        }
    }

    /// `keep`: a patch in the repository's folder.
    pub(crate) fn keep_patch(&mut self) -> Result<Reply, Refusal> {
        self.must_stand()?;
        let origin = self.origin()?;
        let baseline = self.after_checkout()?;
        let now =
            self.snapshot().map(|(id, _)| id).ok_or_else(|| Refusal::new("no snapshot could be taken"))?;
        let failed = |error: checkout::CheckoutError| Refusal::new(error.to_string());
        let (folder, mut listed) = checkout::listed(&origin).map_err(failed)?;
        // New files count too, unless the repository ignores them.
        let here = checkout::Origin { folder: self.workspace.clone(), ..origin };
        listed.extend(checkout::listed(&here).map_err(failed)?.1);
        let files =
            self.files.as_ref().ok_or_else(|| Refusal::new("no snapshots are taken in this session"))?;
        let changes = files.diff(baseline, now).map_err(|error| Refusal::new(error.to_string()))?;
        let mut patch = String::new();
        let mut left_out = Vec::new();
        let ours = changes.into_iter().filter(|change| change.root == WORKSPACE && !is_of_git(&change.path));
        for change in ours.filter(|change| listed.contains(&change.path)) {
            match self.file_patch(baseline, now, &change.path) {
                Some(text) => patch.push_str(&text),
                None => left_out.push(change.path.display().to_string()),
            }
        }
        if patch.is_empty() {
            return Ok(Reply::Text("no file of the repository was changed here".to_owned()));
        }
        let target = folder.join(format!("stepback-{}.patch", self.here));
        std::fs::write(&target, patch)
            .map_err(|error| Refusal::new(format!("failed to write {}: {error}", target.display())))?;
        let mut lines = vec![
            format!("wrote {}", target.display()),
            format!("apply it with: git apply {}", target.display()),
        ];
        lines.extend(left_out.iter().map(|path| format!("  {path}: not text, left out")));
        Ok(Reply::Text(lines.join("\n")))
    }

    /// One file as git writes it; `None` if either side is no text.
    fn file_patch(&self, from: SnapshotId, to: SnapshotId, path: &Path) -> Option<String> {
        let files = self.files.as_ref()?;
        let text = |id| String::from_utf8(files.read(id, WORKSPACE, path).unwrap_or_default()).ok();
        let (old, new) = (text(from)?, text(to)?);
        if old == new {
            return Some(String::new());
        }
        let shown = path.display();
        let (before, after) = (side(&old, &format!("a/{shown}")), side(&new, &format!("b/{shown}")));
        let diff = similar::TextDiff::from_lines(&old, &new);
        let head = format!("diff --git a/{shown} b/{shown}\n{}", mode_line(&old, &new));
        Some(format!("{head}{}", diff.unified_diff().context_radius(3).header(&before, &after)))
    }

    fn origin(&self) -> Result<checkout::Origin, Refusal> {
        let origin =
            self.origin.clone().ok_or_else(|| Refusal::new("the repository of this job is not known"))?;
        if origin.in_place {
            return Err(Refusal::new("the workspace is the repository itself"));
        }
        Ok(origin)
    }

    /// The workspace as the last checkout of the working tree left it.
    fn after_checkout(&self) -> Result<SnapshotId, Refusal> {
        let is_checkout = |point: &Point| match point {
            Point::After(path, _) => {
                self.job.plan().step(path).is_some_and(|step| match &step.definition.body {
                    StepBody::Uses { reference, .. } => {
                        ActionReference::of(&reference.value) == ActionReference::Checkout
                    }
                    _ => false,
                })
            }
            _ => false,
        };
        self.timeline
            .ancestry(self.here)
            .find(|moment| is_checkout(&moment.point))
            .and_then(|moment| moment.files)
            .ok_or_else(|| Refusal::new("nothing was checked out yet, or its files are not kept"))
    }
}

/// git's name for a side of a diff on which there is no file.
fn side(text: &str, name: &str) -> String {
    if text.is_empty() { "/dev/null".to_owned() } else { name.to_owned() }
}

fn mode_line(old: &str, new: &str) -> &'static str {
    match (old.is_empty(), new.is_empty()) {
        (true, false) => "new file mode 100644\n",
        (false, true) => "deleted file mode 100644\n",
        _ => "",
    }
}
