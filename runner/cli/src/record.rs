//! Recordings of this machine: where a job is written down while it runs. Finding one again is `seek.rs`.
//!
//! Knows the folder and the key; what is in a recording is the session's.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use engine::job::JobInputs;
use engine::plan::Plan;
use engine::secrets::Secrets;
use host::masks::SharedMasks;
use host::snapshot::{Roots, SnapshotError, Store};
use jiff::Timestamp;
use session::journal::{RECORDINGS_BYTES_MAX, Recording, RecordingId, Recordings};
use session::recording::{Beginning, JobFacts, MaskedContents, PlanText, Recorder, SealKey, Versions};

use crate::paths::Paths;
use crate::prepare::Prepared;
use crate::sweep;

/// Looking at all recordings takes long when there are many.
const TIDY_EVERY: Duration = Duration::from_secs(60 * 60);
/// The folder of a recording's snapshots.
const SNAPSHOTS: &str = "files";

/// The shelf that recordings stand on.
pub(crate) struct Shelf {
    pub(crate) recordings: Recordings,
    pub(crate) seal: Option<SealKey>,
    /// The name that all recordings of this run begin with.
    run: RecordingId,
    begun: Cell<u32>,
}

/// Between the name of a run and the number of a job.
pub(crate) const SEPARATOR: char = '.';

/// What is recorded of a job at its start.
pub(crate) struct Start<'a> {
    /// The plan.
    pub(crate) plan: &'a Arc<Plan>,
    /// What the job is given.
    pub(crate) inputs: &'a JobInputs,
    /// The secrets, and all that is masked.
    pub(crate) secrets: &'a Secrets,
    /// What snapshots cover.
    pub(crate) roots: &'a Roots,
    /// Marks the job's processes.
    pub(crate) tracking: &'a str,
}

impl Shelf {
    /// The shelf of this person.
    ///
    /// # Errors
    /// It cannot be made, as a person reads it.
    pub(crate) fn open(paths: &Paths) -> Result<Shelf, String> {
        let recordings = Recordings::under(&paths.state).map_err(|error| error.to_string())?;
        // Without a key, values masked during a run are left out of the recording.
        let run = RecordingId::at(Timestamp::now().as_millisecond(), fastrand::u16(..));
        Ok(Shelf { recordings, seal: SealKey::under(&paths.state).ok(), run, begun: Cell::new(0) })
    }

    /// Begins a recording.
    ///
    /// # Errors
    /// Nothing can be written, as a person reads it.
    pub(crate) fn begin(&self, prepared: &Prepared, start: &Start<'_>) -> Result<Begun, String> {
        let number = self.begun.get();
        self.begun.set(number.saturating_add(1));
        let id = RecordingId::new(&format!("{}{SEPARATOR}{number:04}", self.run))
            .ok_or("a recording has no name")?;
        let recording = self.recordings.create(id).map_err(|error| error.to_string())?;
        let files = snapshots_of(&recording);
        let mark = sweep::mark(&recording.folder, start.tracking).map_err(|error| error.to_string())?;
        let facts = JobFacts {
            inputs: start.inputs.clone(),
            roots: start
                .roots
                .iter()
                .map(|root| (root.name().to_owned(), root.dir().to_path_buf()))
                .collect(),
            repository: Some(prepared.root.clone()),
            options: Vec::new(),
            secrets_used: prepared.secrets.names().map(ToString::to_string).collect(),
        };
        let beginning = Beginning {
            versions: &versions(),
            facts: &facts,
            plan: start.plan,
            text: &PlanText::new(Arc::clone(&start.plan.file), prepared.text_of(&start.plan.file)),
            secrets: start.secrets,
        };
        let recorder =
            Recorder::begin(recording, self.seal.clone(), &beginning).map_err(|error| error.to_string())?;
        Ok(Begun { recorder, files, seal: self.seal.clone(), mark })
    }

    /// Removes the oldest recordings beyond the budget, if that was not done lately.
    pub(crate) fn tidy(&self) {
        if self.recordings.prune_is_due(TIDY_EVERY)
            && let Err(error) = self.recordings.prune(RECORDINGS_BYTES_MAX)
        {
            tracing::warn!(%error, "old recordings could not be removed");
        }
    }
}

/// A recording that was begun.
pub(crate) struct Begun {
    /// Writes it.
    pub(crate) recorder: Recorder,
    /// For its snapshots.
    pub(crate) files: PathBuf,
    /// What its files are sealed under, if there is a key.
    pub(crate) seal: Option<SealKey>,
    /// Says that its job is under way.
    pub(crate) mark: PathBuf,
}

/// A store that seals contents under `key`.
///
/// # Errors
/// It cannot be opened.
pub(crate) fn open_store(
    folder: &Path,
    masks: SharedMasks,
    key: Option<SealKey>,
) -> Result<Store, SnapshotError> {
    Store::open(folder).map(|store| sealing(store, masks, key))
}

/// The same, for looking only: somebody else may have it open.
pub(crate) fn look_into_store(
    folder: &Path,
    masks: SharedMasks,
    key: Option<SealKey>,
) -> Result<Store, SnapshotError> {
    Store::open_read_only(folder).map(|store| sealing(store, masks, key))
}

fn sealing(mut store: Store, masks: SharedMasks, key: Option<SealKey>) -> Store {
    store.set_vault(Arc::new(MaskedContents::new(masks, key)));
    store
}

/// The folder of a recording's snapshots.
pub(crate) fn snapshots_of(recording: &Recording) -> PathBuf {
    recording.journal().with_file_name(SNAPSHOTS)
}

/// Who writes.
pub(crate) fn versions() -> Versions {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    Versions { stepback: version.clone(), engine: version }
}
