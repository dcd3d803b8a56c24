//! Writing a job down while it runs: every moment, intent, result and event, in the order in which they happen.
//!
//! It knows what belongs into the recording and in which order, and that nothing it cannot write may stop a job. It
//! does not know when something happens: the session tells it, from one thread.

use std::sync::Arc;

use engine::effect::Outcome;
use engine::event::Event;
use engine::mask::Masks;
use engine::plan::Plan;
use engine::secrets::Secrets;
use engine::step_path::{LaneId, StepPath};
use host::contract::Epoch;
use indexmap::IndexSet;
use jiff::Timestamp;

use super::facts::{JobFacts, PlanFacts, PlanText};
use super::logs::LogRecorder;
use super::records::{cause, number, outcome_record, packed, point, result};
use super::reopen::{ReopenError, Reopened, reopened};
use super::seal::SealKey;
use super::twin::{FactsTwin, Hiding, PlanTwin, StateWriter, TwinError, write_event};
use crate::journal::{
    self, Begin, Bookmark, Bytes, Facts, FilesRef, Finished, Header, JournalWriter, LogError, Note, Record,
    Recording, RestoreBegin, RestoreEnd, RestoreResult, StateEncoder, StateError, StepIntent, StepResult,
    StoredState, WriteError, Written,
};
use crate::moment::{BranchId, Cause, Moment, MomentId, Point};

/// Who records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versions {
    /// As `stepback --version` prints it.
    pub stepback: String,
    /// Of the engine, whose states are recorded.
    pub engine: String,
}

/// What is recorded before the first moment.
#[derive(Clone, Copy, Debug)]
pub struct Beginning<'a> {
    /// Who records.
    pub versions: &'a Versions,
    /// What the job is given.
    pub facts: &'a JobFacts,
    /// What it does.
    pub plan: &'a Arc<Plan>,
    /// What the plan was made from.
    pub text: &'a PlanText,
    /// What must not be written.
    pub secrets: &'a Secrets,
}

/// Why nothing is recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The journal cannot be made.
    #[error(transparent)]
    Journal(#[from] WriteError),
    /// The logs cannot be made.
    #[error(transparent)]
    Logs(#[from] LogError),
    /// What the job was given is too large.
    #[error("failed to record what the job was given: {0}")]
    Facts(#[from] StateError),
    /// What the job was given cannot be written.
    #[error("failed to begin the recording: {0}")]
    Twin(#[from] TwinError),
}

/// The one writer of a recording.
///
/// No method fails: what could not be written is told once, by [`Recorder::take_warnings`], the recording ends there and
/// is marked as truncated, and the job goes on.
#[derive(Debug)]
pub struct Recorder {
    /// Holds the lock for as long as something may be written.
    recording: Recording,
    writer: JournalWriter,
    states: StateEncoder,
    twins: StateWriter,
    seal: Option<SealKey>,
    salt: [u8; 16],
    masks: Masks,
    /// How many values without a name are sealed in the journal.
    sealed: usize,
    plans: Vec<Arc<Plan>>,
    /// Steps that run, as far as this knows.
    running: IndexSet<(LaneId, StepPath, Epoch)>,
    logs: LogRecorder,
    buffer: Vec<u8>,
    warnings: Vec<String>,
    ended: bool,
}

impl Recorder {
    /// Begins a recording in a new folder. Without a key, values that are masked during the run are lost to it.
    ///
    /// # Errors
    /// Nothing can be written there; the job can run all the same.
    pub fn begin(
        recording: Recording,
        seal: Option<SealKey>,
        beginning: &Beginning<'_>,
    ) -> Result<Recorder, RecordError> {
        let mut salt = [0; 16];
        fastrand::fill(&mut salt);
        let header = Header::new(Timestamp::now().as_millisecond(), salt);
        let writer = JournalWriter::create(&recording.journal(), &header)?;
        Self::begin_in(recording, writer, &header, seal, beginning)
    }

    /// [`Recorder::begin`] in a journal that has this header and nothing else.
    pub(super) fn begin_in(
        recording: Recording,
        writer: JournalWriter,
        header: &Header,
        seal: Option<SealKey>,
        beginning: &Beginning<'_>,
    ) -> Result<Recorder, RecordError> {
        let mut recorder = Self::over(recording, writer, seal, header.salt)?;
        let hide = Hiding::new(beginning.secrets.masks());
        let plan = PlanFacts::of(0, beginning.plan, beginning.text);
        let records = [
            Record::from(Begin {
                stepback_version: beginning.versions.stepback.clone(),
                engine_version: beginning.versions.engine.clone(),
                workflow_path: beginning.secrets.mask(&beginning.text.file),
                job_id: beginning.secrets.mask(&beginning.plan.key.to_string()),
                created_unix_ms: header.created_unix_ms,
            }),
            Facts { packed: packed(&FactsTwin::write(beginning.facts, beginning.secrets)?)? }.into(),
            journal::Plan { number: 0, packed: packed(&PlanTwin::write(&plan, &hide)?)? }.into(),
        ];
        let sealed = recorder.newly_sealed(beginning.secrets.masks());
        recorder.writer.append_all(&[sealed.as_slice(), &records].concat())?;
        recorder.plans.push(Arc::clone(beginning.plan));
        Ok(recorder)
    }

    /// Opens a recording to write on in it. Its secrets must be supplied; what was masked during the run is in the secrets
    /// of the answer.
    ///
    /// # Errors
    /// It cannot be read exactly, or not be written to: another process writes it, its disk was full, a newer release
    /// wrote it.
    pub fn resume(
        recording: Recording,
        seal: Option<SealKey>,
        versions: &Versions,
        secrets: &Secrets,
    ) -> Result<(Recorder, Reopened), ReopenError> {
        if !matches!(recording.access, journal::Access::Write(_)) {
            return Err(ReopenError::InUse);
        }
        let (continuation, opened) = JournalWriter::look(&recording.journal())?;
        let salt = opened.header.salt;
        // Without its secrets it stays as it is.
        let found = reopened(opened, &recording.logs(), seal.as_ref(), secrets)?;
        let mut recorder = Self::over(recording, continuation.write_on()?, seal, salt)?;
        recorder.plans = found.plans.iter().map(|rebuilt| Arc::clone(&rebuilt.plan)).collect();
        let facts = FactsTwin::write(&found.facts, &found.secrets).map_err(ReopenError::Twin)?;
        // Numbers of unnamed values begin anew with each process.
        let mut records = recorder.newly_sealed(found.secrets.masks());
        records.push(Facts { packed: packed(&facts).map_err(ReopenError::State)? }.into());
        let text = format!("written on by stepback {} (engine {})", versions.stepback, versions.engine);
        records.push(Note { text }.into());
        recorder.put(&records);
        Ok((recorder, found))
    }

    fn over(
        recording: Recording,
        writer: JournalWriter,
        seal: Option<SealKey>,
        salt: [u8; 16],
    ) -> Result<Recorder, LogError> {
        let logs = LogRecorder::open(&recording.logs())?;
        Ok(Recorder {
            recording,
            writer,
            states: StateEncoder::new(),
            twins: StateWriter::default(),
            seal,
            salt,
            masks: Masks::default(),
            sealed: 0,
            plans: Vec::new(),
            running: IndexSet::new(),
            logs,
            buffer: Vec::new(),
            warnings: Vec::new(),
            ended: false,
        })
    }

    /// Where it is written.
    pub fn recording(&self) -> &Recording {
        &self.recording
    }

    /// Where the lines of the steps go; a clone of it may be given to any thread.
    pub fn logs(&self) -> &LogRecorder {
        &self.logs
    }

    /// What could not be recorded since the last call, for a person to read; each failure is told once.
    pub fn take_warnings(&mut self) -> Vec<String> {
        self.warnings.extend(self.logs.take_warning());
        std::mem::take(&mut self.warnings)
    }

    /// Whether the recording ended early because of a failure.
    pub fn is_truncated(&self) -> bool {
        self.ended || self.writer.is_truncated()
    }

    /// A plan from which later moments come: the workflow was read again. Known ones are not written twice.
    pub fn plan(&mut self, plan: &Arc<Plan>, text: &PlanText) {
        if self.number_of(plan).is_some() {
            return;
        }
        let number = u32::try_from(self.plans.len()).unwrap_or(u32::MAX);
        let bytes = PlanTwin::write(&PlanFacts::of(number, plan, text), &Hiding::new(&self.masks));
        match bytes
            .map_err(|error| error.to_string())
            .and_then(|bytes| packed(&bytes).map_err(|e| e.to_string()))
        {
            Ok(packed) => {
                self.plans.push(Arc::clone(plan));
                self.put(&[journal::Plan { number, packed }.into()]);
            }
            Err(error) => self.end(error),
        }
    }

    /// A moment. The text of an edit goes with it; the log of a step that has settled ends with it.
    pub fn moment(&mut self, moment: &Moment, epoch: Epoch, secrets: &Secrets) {
        if self.ended {
            return;
        }
        let mut records = self.newly_sealed(secrets.masks());
        match self.state_of(moment) {
            Ok(state) => records.push(self.moment_record(moment, epoch, state).into()),
            Err(error) => return self.end(format!("failed to record moment {}: {error}", moment.id)),
        }
        if let Cause::Edited(what) = &moment.cause {
            let what = self.masks.mask_text(what).into_owned();
            records.push(journal::Edit { moment: number(moment.id), what, bytes: Bytes::default() }.into());
        }
        if !self.put(&records) {
            // A moment that is missing in the middle would be worse than an end.
            self.ended = true;
        }
    }

    fn state_of(&mut self, moment: &Moment) -> Result<StoredState, String> {
        let plan = self.number_of(moment.job.plan()).ok_or("its workflow was not recorded")?;
        let hide = Hiding::new(&self.masks);
        let bytes = self.twins.write(&moment.job.state(), plan, &hide).map_err(|error| error.to_string())?;
        self.states
            .encode(number(moment.id), moment.parent.map(number), bytes)
            .map_err(|error| error.to_string())
    }

    fn moment_record(&self, moment: &Moment, epoch: Epoch, state: StoredState) -> journal::Moment {
        let settled = match &moment.point {
            Point::After(path, _) | Point::LaneAfter(path, _) => Some(path),
            _ => None,
        };
        journal::Moment {
            id: number(moment.id),
            parent: moment.parent.map(number),
            branch: moment.branch.0,
            epoch: epoch.0,
            point: point(&moment.point),
            step: moment.point.step().map(StepPath::to_string).unwrap_or_default(),
            at_unix_ms: Timestamp::now().as_millisecond(),
            state,
            files: moment.files.map(|id| FilesRef { manifest: *id.as_bytes(), fuzzy: false }),
            logs: self.logs.positions(settled),
            cause: cause(moment),
        }
    }

    /// A step is about to be spawned. `name` is what a person calls it.
    pub fn intent(&mut self, lane: LaneId, step: &StepPath, epoch: Epoch, name: &str) {
        self.running.insert((lane, step.clone(), epoch));
        let description = self.masks.mask_text(name).into_owned();
        let intent = StepIntent { lane: lane.0, step: step.to_string(), epoch: epoch.0, description };
        self.put(&[intent.into()]);
    }

    /// A step ended that was spawned in `epoch`.
    pub fn result(
        &mut self,
        lane: LaneId,
        step: &StepPath,
        epoch: Epoch,
        outcome: Outcome,
        exit_code: Option<i32>,
    ) {
        self.running.shift_remove(&(lane, step.clone(), epoch));
        self.put(&[result(lane, step, epoch, outcome_record(outcome), exit_code)]);
    }

    /// A person goes on although nobody saw how this step ended.
    pub fn accept_unknown(&mut self, intent: &StepIntent) {
        self.put(&[StepResult {
            lane: intent.lane,
            step: intent.step.clone(),
            epoch: intent.epoch,
            outcome: journal::Outcome::Unknown,
            exit_code: None,
        }
        .into()]);
    }

    /// What the job was told.
    pub fn event(&mut self, epoch: Epoch, event: &Event, secrets: &Secrets) {
        let mut records = self.newly_sealed(secrets.masks());
        let buffer = std::mem::take(&mut self.buffer);
        match write_event(event, &Hiding::new(&self.masks), |plan| self.number_of(plan), buffer) {
            Ok(bytes) => {
                records.push(journal::Event { epoch: epoch.0, bytes: Bytes(bytes) }.into());
                self.put(&records);
            }
            Err(error) => self.warnings.push(format!("failed to record an event: {error}")),
        }
    }

    /// A branch became real: the job advances after going back. What ran in an earlier epoch has been ended, and its
    /// results are written first.
    pub fn branch_began(&mut self, branch: BranchId, epoch: Epoch, from: MomentId) {
        let (over, running) = self.running.drain(..).partition(|(_, _, began)| *began < epoch);
        self.running = running;
        let over: IndexSet<(LaneId, StepPath, Epoch)> = over;
        let mut records: Vec<Record> = over
            .iter()
            .map(|(lane, step, began)| result(*lane, step, *began, journal::Outcome::Superseded, None))
            .collect();
        records.push(journal::BranchBegan { branch: branch.0, epoch: epoch.0, from: number(from) }.into());
        self.put(&records);
        self.logs.end_before(epoch);
    }

    /// Files are about to be restored. Returns when that is on the disk: the one record that is waited for.
    pub fn restore_begin(&mut self, from: MomentId, to: MomentId) {
        self.put(&[RestoreBegin { from: number(from), to: number(to) }.into()]);
        if let Err(error) = self.writer.sync_now() {
            self.warnings.push(error.to_string());
        }
    }

    /// Files have been restored, or not.
    pub fn restore_end(&mut self, to: MomentId, result: RestoreResult) {
        let result = match result {
            RestoreResult::Failed(why) => RestoreResult::Failed(self.masks.mask_text(&why).into_owned()),
            other => other,
        };
        self.put(&[RestoreEnd { to: number(to), result }.into()]);
    }

    /// Something more must not be shown. Moments and events see to this by themselves.
    pub fn masks_grew(&mut self, masks: &Masks) {
        let records = self.newly_sealed(masks);
        self.put(&records);
    }

    /// The job stands: what was written is brought to the disk in the background.
    pub fn stop_reached(&self) {
        self.writer.start_sync();
    }

    /// A sentence for whoever opens the recording.
    pub fn note(&mut self, text: &str) {
        let text = self.masks.mask_text(text).into_owned();
        self.put(&[Note { text }.into()]);
    }

    /// A person gave a moment a name.
    pub fn bookmark(&mut self, moment: MomentId, name: &str) {
        let name = self.masks.mask_text(name).into_owned();
        self.put(&[Bookmark { moment: number(moment), name }.into()]);
    }

    /// The job is over, on the branch where it stands.
    pub fn finished(&mut self, outcome: Outcome) {
        self.put(&[Finished { outcome: outcome_record(outcome) }.into()]);
    }

    /// Ends the recording properly and gives the last warnings.
    pub fn close(mut self) -> Vec<String> {
        self.logs.end_all();
        let mut warnings = self.take_warnings();
        // A recording that broke off must not look complete.
        if !self.ended
            && let Err(error) = self.writer.finish()
        {
            warnings.push(error.to_string());
        }
        warnings
    }

    /// Takes over the masks and gives the record that seals what is new among them. It stands before whatever refers to it.
    fn newly_sealed(&mut self, masks: &Masks) -> Vec<Record> {
        if masks.generation() == self.masks.generation() {
            return Vec::new();
        }
        self.masks = masks.clone();
        let values: Vec<&[u8]> = masks.unnamed().skip(self.sealed).map(|(_, value)| value).collect();
        if values.is_empty() {
            return Vec::new();
        }
        let first = u32::try_from(self.sealed).unwrap_or(u32::MAX);
        self.sealed += values.len();
        let Some(seal) = &self.seal else { return Vec::new() };
        match seal.seal(&self.salt, first, &values) {
            Some(sealed) => vec![sealed.into()],
            None => {
                self.warnings.push(
                    "values masked by this step are not kept: the system gives no random bytes\nhint: the recording can be \
                     viewed, but not run on"
                        .to_owned(),
                );
                Vec::new()
            }
        }
    }

    fn number_of(&self, plan: &Arc<Plan>) -> Option<u32> {
        let same = |known: &Arc<Plan>| Arc::ptr_eq(known, plan);
        let found =
            self.plans.iter().position(same).or_else(|| self.plans.iter().position(|known| known == plan));
        u32::try_from(found?).ok()
    }

    /// True if the records are in the file.
    fn put(&mut self, records: &[Record]) -> bool {
        if self.ended || records.is_empty() {
            return !self.ended;
        }
        match self.writer.append_all(records) {
            Ok(written) => written != Written::Lost,
            Err(error) => {
                self.warnings.push(error.to_string());
                false
            }
        }
    }

    /// Nothing more is recorded.
    fn end(&mut self, why: String) {
        self.put(&[Note { text: format!("the recording ends here: {why}") }.into()]);
        self.ended = true;
        self.warnings
            .push(format!("{why}\nhint: the job goes on; what happens from here on is not recorded"));
    }
}
