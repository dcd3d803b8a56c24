//! Opening a recording: moments with their jobs, the plan, what a crash left open. Nothing of it is executed.
//!
//! It knows how records become what the session works with. It does not decide what to do about loose ends, restores no
//! file, and shows nothing to anybody.

use std::path::Path;
use std::sync::Arc;

use engine::event::Event;
use engine::job::{Job, JobInputs, JobState};
use engine::mask::Origin;
use engine::plan::Plan;
use engine::secrets::Secrets;
use engine::step_path::StepPath;
use host::contract::Epoch;
use host::snapshot::SnapshotId;
use indexmap::IndexMap;

use super::facts::{JobFacts, RebuildError, Rebuilt};
use super::seal::SealKey;
use super::share::share;
use super::twin::{EventReader, FactsTwin, Filling, PlanTwin, SecretsNeeded, StateReader, TwinError};
use crate::journal::{
    self, Begin, LogArchive, LogError, LogPosition, OpenError, Opened, Outcome, Record, Recording, Recovered,
    Sealed, StateArchive, StateError, StepIntent, StoredState, TornTail,
};
use crate::moment::{BranchId, Cause, Moment, MomentId, Point};

/// Why a recording cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ReopenError {
    /// The journal cannot be read, or not be written to.
    #[error(transparent)]
    Journal(#[from] OpenError),
    /// The logs cannot be read.
    #[error(transparent)]
    Logs(#[from] LogError),
    /// A state cannot be unpacked.
    #[error(transparent)]
    State(#[from] StateError),
    /// A record is not what this release reads.
    #[error("failed to open the recording: {0}")]
    Twin(#[from] TwinError),
    /// The workflow gives no plan.
    #[error(transparent)]
    Plan(#[from] RebuildError),
    /// Its writer died before it had said what it records.
    #[error("failed to open the recording: it ends before the job began")]
    Empty,
    /// Records do not fit each other.
    #[error("failed to open the recording: {0}")]
    Inconsistent(&'static str),
    /// It was to be read exactly, and secrets for that are not there.
    #[error(
        "failed to read the recording exactly: {0}\nhint: supply these secrets with the values of that time, or open it for \
         viewing only"
    )]
    Secrets(Box<SecretsNeeded>),
    /// It was to be written to, and another process does that.
    #[error("failed to write on in the recording: another process does\nhint: it can be viewed meanwhile")]
    InUse,
}

/// What is known of a moment besides what the session needs of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MomentDetails {
    /// The epoch in which it was recorded.
    pub epoch: Epoch,
    /// When, in milliseconds since 1970 UTC; for display only.
    pub at_unix_ms: i64,
    /// Its files may be of slightly different times.
    pub fuzzy: bool,
    /// How far each log had come.
    pub logs: Vec<LogPosition>,
}

/// A branch that became real.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Its name.
    pub branch: BranchId,
    /// The epoch from there on.
    pub epoch: Epoch,
    /// The moment it grows from.
    pub from: MomentId,
}

/// Going from one moment to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restore {
    /// The present, kept as a moment.
    pub from: MomentId,
    /// Where to.
    pub to: MomentId,
}

/// A recording that was read.
pub struct Reopened {
    /// Who recorded, what and when.
    pub begun: Begin,
    /// What the job was given.
    pub facts: JobFacts,
    /// The plans of the moments, in the order in which the workflow was read; the last one is the newest. Never empty.
    pub plans: Vec<Rebuilt>,
    /// All moments; each one's number is its place.
    pub moments: Vec<Moment>,
    /// What else is known of them, in the same order.
    pub details: Vec<MomentDetails>,
    /// The present: the last moment of the current branch. None if the job never came to its first.
    pub newest: Option<MomentId>,
    /// The branch of the present.
    pub branch: BranchId,
    /// The branches that became real, in order, without the first one.
    pub branches: Vec<Branch>,
    /// Moments that have names, in order of naming.
    pub bookmarks: Vec<(MomentId, String)>,
    /// Sentences that were noted.
    pub notes: Vec<String>,
    /// What the job was told, and in which epoch.
    pub events: Vec<(Epoch, Event)>,
    /// Steps that were about to be spawned and of which no result is recorded.
    pub unknown: Vec<StepIntent>,
    /// The exit codes of the steps that had a process, each as it was last.
    pub exit_codes: IndexMap<StepPath, i32>,
    /// A restore that has no end: the files are in between.
    pub unfinished_restore: Option<Restore>,
    /// The writer ended while a person was in the past: the files are those of `to`, home is `from`.
    pub rewound: Option<Restore>,
    /// The highest epoch.
    pub epoch: Epoch,
    /// How the job ended, if it did.
    pub finished: Option<Outcome>,
    /// Closed properly.
    pub complete: bool,
    /// The disk was full while it was written: what came after the last record is missing.
    pub truncated: bool,
    /// Bytes at the end that are no record.
    pub torn: Option<TornTail>,
    /// What would be needed to read it exactly. Empty if it was: only then may it be run on.
    pub needed: SecretsNeeded,
    /// The secrets that were supplied, and what was masked during the run with them.
    pub secrets: Secrets,
    /// The output of the steps.
    pub logs: LogArchive,
}

// Values may hold secrets.
impl std::fmt::Debug for Reopened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reopened")
            .field("begun", &self.begun)
            .field("moments", &self.moments.len())
            .field("newest", &self.newest)
            .field("unknown", &self.unknown)
            .field("complete", &self.complete)
            .finish_non_exhaustive()
    }
}

impl Reopened {
    /// The newest plan.
    pub fn plan(&self) -> Option<&Rebuilt> {
        self.plans.last()
    }

    /// Whether placeholders stand in the place of secrets: such a job can be looked at, not run on.
    pub fn is_for_viewing_only(&self) -> bool {
        !self.needed.is_empty()
    }
}

/// Opens a recording, also one that is being written. With `secrets` it is read exactly or not at all; without, it is read
/// with placeholders where secrets stand, for viewing only.
///
/// # Errors
/// It is of a newer format, damaged beyond its end, or needs other secrets.
pub fn open(
    recording: &Recording,
    seal: Option<&SealKey>,
    secrets: Option<&Secrets>,
) -> Result<Reopened, ReopenError> {
    let opened = journal::read(&recording.journal())?;
    match secrets {
        Some(secrets) => reopened(opened, &recording.logs(), seal, secrets),
        None => read(opened, &recording.logs(), seal, None),
    }
}

/// Opens a recording to look at it, also one that is being written: where one of these secrets is missing or another one, a
/// placeholder stands.
///
/// # Errors
/// It is of a newer format, or damaged beyond its end.
pub fn look(
    recording: &Recording,
    seal: Option<&SealKey>,
    secrets: &Secrets,
) -> Result<Reopened, ReopenError> {
    read(journal::read(&recording.journal())?, &recording.logs(), seal, Some(secrets))
}

/// What is in a journal that was read, exactly or not at all.
pub(super) fn reopened(
    opened: Opened,
    logs: &Path,
    seal: Option<&SealKey>,
    secrets: &Secrets,
) -> Result<Reopened, ReopenError> {
    let reopened = read(opened, logs, seal, Some(secrets))?;
    match reopened.needed.is_empty() {
        true => Ok(reopened),
        false => Err(ReopenError::Secrets(Box::new(reopened.needed))),
    }
}

fn read(
    opened: Opened,
    logs: &Path,
    seal: Option<&SealKey>,
    secrets: Option<&Secrets>,
) -> Result<Reopened, ReopenError> {
    let mut reading = Reading {
        salt: opened.header.salt,
        seal: seal.filter(|_| secrets.is_some()),
        fill: secrets.map_or_else(Filling::nothing, Filling::new),
        archive: StateArchive::of(&opened.records),
        ..Reading::default()
    };
    for entry in &opened.records {
        reading.record(&entry.record)?;
    }
    let needed = reading.fill.needed();
    let recovered = Recovered::of(&opened.records);
    let restore = |restore: journal::RestoreBegin| {
        Some(Restore { from: reading.known(restore.from)?, to: reading.known(restore.to)? })
    };
    let (unfinished_restore, rewound) =
        (recovered.unfinished_restore.and_then(restore), recovered.rewound.and_then(restore));
    let newest = reading.newest();
    let secrets = reading.secrets(secrets);
    let (Some(begun), Some(facts)) = (reading.begun, reading.facts) else { return Err(ReopenError::Empty) };
    if reading.plans.is_empty() {
        return Err(ReopenError::Empty);
    }
    Ok(Reopened {
        begun,
        facts: Arc::unwrap_or_clone(facts),
        plans: reading.plans,
        moments: reading.moments,
        details: reading.details,
        newest,
        branch: reading.branch,
        branches: reading.branches,
        bookmarks: reading.bookmarks,
        notes: reading.notes,
        events: reading.events,
        unknown: recovered.unknown,
        exit_codes: reading.exit_codes,
        unfinished_restore,
        rewound,
        epoch: Epoch(recovered.epoch),
        finished: recovered.finished,
        complete: opened.complete,
        truncated: opened.truncated,
        torn: opened.dropped_tail,
        needed,
        secrets,
        logs: LogArchive::open(logs)?,
    })
}

/// What was read so far. Records are taken in their order: sealed values hold for what follows them.
struct Reading<'s> {
    salt: [u8; 16],
    seal: Option<&'s SealKey>,
    fill: Filling<'s>,
    archive: StateArchive,
    states: StateReader,
    event_reader: EventReader,
    begun: Option<Begin>,
    facts: Option<Arc<JobFacts>>,
    given: Arc<JobInputs>,
    plans: Vec<Rebuilt>,
    unnamed: Vec<Vec<u8>>,
    moments: Vec<Moment>,
    details: Vec<MomentDetails>,
    branch: BranchId,
    branches: Vec<Branch>,
    bookmarks: Vec<(MomentId, String)>,
    notes: Vec<String>,
    events: Vec<(Epoch, Event)>,
    exit_codes: IndexMap<StepPath, i32>,
    /// The states of the moments, to share what is equal.
    shared: IndexMap<MomentId, JobState>,
}

impl Default for Reading<'_> {
    fn default() -> Self {
        Self {
            salt: [0; 16],
            seal: None,
            fill: Filling::nothing(),
            archive: StateArchive::default(),
            states: StateReader::default(),
            event_reader: EventReader::default(),
            begun: None,
            facts: None,
            given: Arc::default(),
            plans: Vec::new(),
            unnamed: Vec::new(),
            moments: Vec::new(),
            details: Vec::new(),
            branch: BranchId(1),
            branches: Vec::new(),
            bookmarks: Vec::new(),
            notes: Vec::new(),
            events: Vec::new(),
            exit_codes: IndexMap::new(),
            shared: IndexMap::new(),
        }
    }
}

impl<'s> Reading<'s> {
    fn record(&mut self, record: &Record) -> Result<(), ReopenError> {
        match record {
            Record::Begin(begin) => self.begun = Some(begin.clone()),
            Record::Facts(facts) => self.take_facts(&facts.packed)?,
            Record::Plan(plan) => self.take_plan(plan)?,
            Record::Sealed(sealed) => self.take_sealed(sealed),
            Record::Moment(moment) => self.take_moment(moment)?,
            Record::Edit(edit) => self.take_edit(edit),
            Record::Event(event) => self.take_event(event)?,
            Record::BranchBegan(began) => self.take_branch(began)?,
            Record::Bookmark(bookmark) => {
                let moment = self.known(bookmark.moment).ok_or(NO_SUCH_MOMENT)?;
                self.bookmarks.push((moment, bookmark.name.clone()));
            }
            Record::Note(note) => self.notes.push(note.text.clone()),
            Record::StepResult(result) => self.take_result(result),
            // Read off by `Recovered`, or of a newer minor.
            Record::StepIntent(_)
            | Record::RestoreBegin(_)
            | Record::RestoreEnd(_)
            | Record::Finished(_)
            | Record::Footer(_)
            | Record::Unknown(_) => {}
        }
        Ok(())
    }

    fn take_facts(&mut self, packed: &StoredState) -> Result<(), ReopenError> {
        let facts = FactsTwin::read(&unpacked(packed)?, &mut self.fill)?;
        // Written again by a later process, it is the same; one value for all moments takes less room.
        if self.facts.as_deref() != Some(&facts) {
            self.given = Arc::new(facts.inputs.clone());
            self.facts = Some(Arc::new(facts));
        }
        Ok(())
    }

    fn take_plan(&mut self, plan: &journal::Plan) -> Result<(), ReopenError> {
        if usize::try_from(plan.number).ok() != Some(self.plans.len()) {
            return Err(ReopenError::Inconsistent("its workflows are not in order"));
        }
        self.plans.push(PlanTwin::read(&unpacked(&plan.packed)?, &self.fill)?.rebuild()?);
        Ok(())
    }

    /// Without the key the values stay unknown, and what refers to them keeps its placeholders.
    fn take_sealed(&mut self, sealed: &Sealed) {
        let Some(values) = self.seal.and_then(|seal| seal.open(&self.salt, sealed)) else { return };
        let first = usize::try_from(sealed.first).unwrap_or(usize::MAX);
        for (value, place) in values.into_iter().zip(0..) {
            self.unnamed.push(value.clone());
            self.fill.unnamed(first.saturating_add(place), value);
        }
    }

    fn take_moment(&mut self, moment: &journal::Moment) -> Result<(), ReopenError> {
        let id = self.next(moment)?;
        let parent = match moment.parent {
            Some(parent) => Some(self.known(parent).ok_or(NO_SUCH_MOMENT)?),
            None => None,
        };
        let bytes = self.archive.get(moment.id)?;
        let (plan, mut state) = self.states.read(&bytes, &self.fill)?;
        if let Some(before) = parent.and_then(|parent| self.shared.get(&parent)) {
            share(&mut state, before);
        }
        self.shared.insert(id, state.clone());
        let plan = self.plan(plan).ok_or(ReopenError::Inconsistent("a moment has no workflow"))?;
        let job = Arc::new(Job::with_state(plan, Arc::clone(&self.given), state));
        self.moments.push(Moment {
            id,
            parent,
            branch: BranchId(moment.branch),
            point: point(moment, &job)?,
            cause: match moment.cause {
                journal::Cause::Edit => Cause::Edited(String::new()),
                journal::Cause::Present => Cause::Left,
                journal::Cause::Start
                | journal::Cause::Passed
                | journal::Cause::Pause
                | journal::Cause::Lane => Cause::Advanced,
            },
            job,
            files: moment.files.map(|files| SnapshotId::from_bytes(files.manifest)),
        });
        self.details.push(MomentDetails {
            epoch: Epoch(moment.epoch),
            at_unix_ms: moment.at_unix_ms,
            fuzzy: moment.files.is_some_and(|files| files.fuzzy),
            logs: moment.logs.clone(),
        });
        Ok(())
    }

    /// The number of the next moment, which is that of the record.
    fn next(&self, moment: &journal::Moment) -> Result<MomentId, ReopenError> {
        let next = u32::try_from(self.moments.len()).ok().filter(|next| moment.id.0 == u64::from(*next));
        next.map(MomentId).ok_or(ReopenError::Inconsistent("its moments are not in order"))
    }

    fn known(&self, id: journal::MomentId) -> Option<MomentId> {
        let index = usize::try_from(id.0).ok()?;
        self.moments.get(index).map(|moment| moment.id)
    }

    fn take_edit(&mut self, edit: &journal::Edit) {
        let at = usize::try_from(edit.moment.0).ok().and_then(|index| self.moments.get_mut(index));
        if let Some(Moment { cause: Cause::Edited(what), .. }) = at {
            what.clone_from(&edit.what);
        }
    }

    /// How it ended, the states say, and `Recovered` whether its end is known.
    fn take_result(&mut self, result: &journal::StepResult) {
        if let (Ok(step), Some(code)) = (result.step.parse(), result.exit_code) {
            self.exit_codes.insert(step, code);
        }
    }

    fn take_event(&mut self, event: &journal::Event) -> Result<(), ReopenError> {
        let plans = &self.plans;
        let read = self.event_reader.read(&event.bytes.0, &self.fill, |number| plan_of(plans, number))?;
        self.events.push((Epoch(event.epoch), read));
        Ok(())
    }

    fn take_branch(&mut self, began: &journal::BranchBegan) -> Result<(), ReopenError> {
        let from = self.known(began.from).ok_or(NO_SUCH_MOMENT)?;
        let branch = BranchId(began.branch);
        self.branch = branch;
        self.branches.push(Branch { branch, epoch: Epoch(began.epoch), from });
        Ok(())
    }

    fn plan(&self, number: u32) -> Option<Arc<Plan>> {
        plan_of(&self.plans, number)
    }

    /// Edits made in the past and left again lie on a branch that never became real: the present is elsewhere.
    fn newest(&self) -> Option<MomentId> {
        let on_branch = self.moments.iter().rev().find(|moment| moment.branch == self.branch);
        on_branch.map(|moment| moment.id).or_else(|| self.branches.last().map(|branch| branch.from))
    }

    fn secrets(&mut self, supplied: Option<&Secrets>) -> Secrets {
        let secrets = supplied.cloned().unwrap_or_default();
        let mut masks = secrets.masks().clone();
        masks.extend(std::mem::take(&mut self.unnamed).into_iter().map(|value| (value, Origin::Unnamed)));
        secrets.with_masks(masks)
    }
}

/// Where a moment lies: of the foreground its state says so, of a background step the record.
fn point(moment: &journal::Moment, job: &Job) -> Result<Point, ReopenError> {
    if moment.cause != journal::Cause::Lane {
        return Ok(Point::of(job));
    }
    let step: StepPath =
        moment.step.parse().map_err(|_| ReopenError::Inconsistent("a background moment names no step"))?;
    match moment.point {
        journal::Point::Settled => {
            let result = job.results().get(&step);
            let outcome = result.ok_or(ReopenError::Inconsistent("a background step has no result"))?.outcome;
            Ok(Point::LaneAfter(step, outcome))
        }
        journal::Point::Decided => Ok(Point::LaneBefore(step)),
        _ => Err(ReopenError::Inconsistent("a background moment is at no stop point")),
    }
}

const NO_SUCH_MOMENT: ReopenError =
    ReopenError::Inconsistent("a record names a moment that it does not contain");

fn plan_of(plans: &[Rebuilt], number: u32) -> Option<Arc<Plan>> {
    plans.get(usize::try_from(number).ok()?).map(|rebuilt| Arc::clone(&rebuilt.plan))
}

/// The bytes that stand on their own in a record.
fn unpacked(packed: &StoredState) -> Result<Arc<[u8]>, StateError> {
    let mut archive = StateArchive::default();
    let only = journal::MomentId(0);
    archive.add(only, None, packed.clone());
    archive.get(only)
}
