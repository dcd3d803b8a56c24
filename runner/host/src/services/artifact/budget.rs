//! How much room artifacts take: those of one run have a most, and those of older runs give way to newer ones.
//!
//! Knows sizes; which of several runs is the oldest is told by the names of their folders.

use std::path::Path;

use super::super::store::thin_siblings;
use super::super::twirp::Refusal;
use super::entry::ArtifactEntry;

/// The most bytes of all artifacts on this machine; a run that is alone may have as many. The same as for caches.
const ARTIFACT_BYTES_MAX: u64 = 10 * 1024 * 1024 * 1024;

/// The bound, for one machine.
pub(super) struct Budget {
    bytes_max: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { bytes_max: ARTIFACT_BYTES_MAX }
    }
}

impl Budget {
    /// Whether an artifact of this size may come to those of the run, instead of one of its name.
    ///
    /// # Errors
    /// It does not fit.
    pub(super) fn check(&self, entries: &[ArtifactEntry], name: &str, size: u64) -> Result<(), Refusal> {
        let others = entries.iter().filter(|entry| entry.name != name);
        let kept: u64 = others.map(|entry| entry.size).sum();
        if kept.saturating_add(size) <= self.bytes_max {
            return Ok(());
        }
        Err(Refusal::too_large(format!(
            "the artifacts of this run may take {} bytes in all, and {kept} are taken: {name} does not fit",
            self.bytes_max
        )))
    }

    /// Removes the artifacts of the oldest runs until all that is kept beside `own`, and `own` itself, fit.
    pub(super) fn thin_others(&self, own: &Path) {
        thin_siblings(own, self.bytes_max);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::super::{Artifacts, UPLOADS};
    use super::*;
    use crate::services::token::Maker;

    fn artifacts(folder: &Path, bytes_max: u64) -> Artifacts {
        Artifacts { budget: Budget { bytes_max }, ..Artifacts::in_folder(folder) }
    }

    fn maker(step: &str, execution: &str) -> Maker {
        let text = str::to_owned;
        Maker { run: text("run"), job: text("build"), step: text(step), execution: text(execution) }
    }

    /// Uploads so many bytes; what a client is told if that is refused.
    fn upload(artifacts: &Artifacts, maker: &Maker, name: &str, bytes: usize) -> Result<(), Refusal> {
        let address = |kind: &str, id: u64| format!("{kind}/{id}");
        let message =
            json!({"workflow_run_backend_id": maker.run_id(), "name": name, "size": bytes.to_string()});
        let message = message.to_string();
        let created = artifacts.call(maker, "CreateArtifact", message.as_bytes(), address)?;
        let created: serde_json::Value = serde_json::from_slice(&created).unwrap();
        let id = created["signed_upload_url"].as_str().unwrap().strip_prefix(UPLOADS).unwrap();
        let coming = artifacts.upload(id.trim_start_matches('/').parse().unwrap()).unwrap();
        let mut piece = coming.piece().unwrap();
        piece.write(&vec![b'x'; bytes]).unwrap();
        coming.keep_whole(piece).unwrap();
        drop(coming);
        artifacts.call(maker, "FinalizeArtifact", message.as_bytes(), address).map(drop)
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_name_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("run");
        let artifacts = artifacts(&own, 100);
        let [one, two] = ["main.0", "main.1"].map(|step| maker(step, "1"));
        upload(&artifacts, &one, "first", 60).unwrap();
        let refusal = upload(&artifacts, &two, "second", 41).unwrap_err();
        assert_eq!((refusal.status.as_u16(), refusal.code), (413, "resource_exhausted"));
        assert_eq!(
            refusal.text,
            "the artifacts of this run may take 100 bytes in all, and 60 are taken: second does not fit"
        );
        let files = fs::read_dir(&own).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_file());
        assert_eq!(files.count(), 1);
        assert_eq!(artifacts.kept().len(), 1);
        upload(&artifacts, &two, "second", 40).unwrap();
        // It is full: that is said before anything comes. A step that runs again replaces its own.
        let refusal = upload(&artifacts, &maker("main.2", "1"), "third", 0).unwrap_err();
        assert!(refusal.text.contains("100 are taken: third"), "{}", refusal.text);
        upload(&artifacts, &maker("main.0", "2"), "first", 60).unwrap();
    }

    #[test]
    fn the_oldest_runs_give_way() {
        let folder = tempfile::tempdir().unwrap();
        for run in ["1", "2", "3"] {
            upload(&artifacts(&folder.path().join(run), 100), &maker("main.0", "1"), "a", 40).unwrap();
        }
        let left = |run: &str| folder.path().join(run).exists();
        assert!(!left("1") && left("2") && left("3"));
    }
}
