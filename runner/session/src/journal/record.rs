//! What a journal can hold, as serialisable twins of what runs. Nothing here has behaviour, and nothing here
//! is read by the engine: states, events and edits are bytes that another writer made.
//!
//! Rules of change. The kind number stands in the frame, not in the payload. Within a major version a kind
//! keeps its number and its fields; a minor may add kinds, variants at the end of an enum, and fields at the
//! end of a record: an older reader keeps an unknown kind as [`Unknown`] and does not look at what follows the
//! fields it knows. Text in records is masked by whoever makes it.

use serde::{Deserialize, Serialize};

use super::bytes::Bytes;

/// Number of a moment, unique within a recording, in order of recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MomentId(pub u64);

/// Number of a log: one run of one step on one lane. Unique within a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LogId(pub u32);

/// The first record: who wrote this and about what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begin {
    /// Version of the program, as `stepback --version` prints it.
    pub stepback_version: String,
    /// Version of the engine whose states follow.
    pub engine_version: String,
    /// Path of the workflow file, relative to the repository, or as given.
    pub workflow_path: String,
    /// Id of the job in that file, or of the job message.
    pub job_id: String,
    /// Milliseconds since 1970 UTC.
    pub created_unix_ms: i64,
}

/// Where in a step a moment lies; the names of the engine's `Cursor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Point {
    /// Before the condition.
    Ready,
    /// After the decision, before dispatch.
    Decided,
    /// While the step runs.
    Running,
    /// After the step.
    Settled,
    /// After the last step.
    Done,
}

/// Why a moment was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    /// The job began.
    Start,
    /// A stop point was passed.
    Passed,
    /// Somebody paused in the middle of a step.
    Pause,
    /// Something was edited.
    Edit,
    /// The present, kept before going back (DESIGN 4).
    Present,
    /// A background step came to a stop point of its own: the point and the step are that one's. Since 1.2.
    Lane,
}

/// The snapshot of a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilesRef {
    /// Id of the manifest in the snapshot store.
    pub manifest: [u8; 32],
    /// Taken while a lane could not be frozen: the files may be of slightly different times.
    pub fuzzy: bool,
}

/// How much a log held at a moment. After a crash the log itself may end earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPosition {
    /// Which log.
    pub log: LogId,
    /// Whole lines before this position.
    pub lines: u64,
    /// Bytes before this position.
    pub bytes: u64,
}

/// The state of a moment as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredState {
    /// blake3 of the unpacked state.
    pub hash: [u8; 32],
    /// Length of the unpacked state in bytes.
    pub length: u32,
    /// The bytes.
    pub form: StoredForm,
}

/// How the bytes of a state are packed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum StoredForm {
    /// As they are.
    Full(Bytes),
    /// One zstd frame.
    Zstd(Bytes),
    /// Changes against the state of the parent moment.
    Delta(Bytes),
}

/// A point in the job's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Its number.
    pub id: MomentId,
    /// The moment it followed; none for the first.
    pub parent: Option<MomentId>,
    /// Which branch of the timeline, 1 for the first.
    pub branch: u32,
    /// The epoch it was recorded in.
    pub epoch: u64,
    /// Where in the step.
    pub point: Point,
    /// Which step, as the text of its step path.
    pub step: String,
    /// When, in milliseconds since 1970 UTC; for display only, never for order.
    pub at_unix_ms: i64,
    /// The state of the job.
    pub state: StoredState,
    /// The files, when a snapshot belongs to this moment.
    pub files: Option<FilesRef>,
    /// How far each log had come.
    pub logs: Vec<LogPosition>,
    /// Why it was recorded.
    pub cause: Cause,
}

/// Written before a step is spawned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepIntent {
    /// The lane it runs on; 0 is the foreground.
    pub lane: u32,
    /// Which step, as the text of its step path.
    pub step: String,
    /// The epoch of the dispatch.
    pub epoch: u64,
    /// What is about to run, for a person to read.
    pub description: String,
}

/// How a step or a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// `success`.
    Success,
    /// `failure`.
    Failure,
    /// `cancelled`.
    Cancelled,
    /// `skipped`.
    Skipped,
    /// Ended by us because a branch began that does not contain it.
    Superseded,
    /// Nobody saw how it ended; written when a person decides to go on after a crash.
    Unknown,
}

/// Written after a step ended and before the next dispatch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepResult {
    /// The lane it ran on.
    pub lane: u32,
    /// Which step.
    pub step: String,
    /// The epoch of its intent.
    pub epoch: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// Exit code of the process, when there was one.
    pub exit_code: Option<i32>,
}

/// An engine event, as its twin's bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The epoch it was handled in.
    pub epoch: u64,
    /// The event.
    pub bytes: Bytes,
}

/// Something a person changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// The moment it was made at.
    pub moment: MomentId,
    /// What, for a person to read.
    pub what: String,
    /// The change, as its twin's bytes.
    pub bytes: Bytes,
}

/// A branch became real: the job advanced after going back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchBegan {
    /// Its number.
    pub branch: u32,
    /// The epoch from here on.
    pub epoch: u64,
    /// The moment it grows from.
    pub from: MomentId,
}

/// A moment somebody wants to find again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bookmark {
    /// Which moment.
    pub moment: MomentId,
    /// Its name.
    pub name: String,
}

/// Files are about to be restored; synced before the first is touched. From a moment to itself when a session broke off
/// while they were elsewhere, and the next one puts them back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreBegin {
    /// The present, kept as a moment of its own.
    pub from: MomentId,
    /// Where to.
    pub to: MomentId,
}

/// How a restore ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RestoreResult {
    /// The files are those of the target.
    Done,
    /// It was given up and the files are those of the start.
    Returned,
    /// It stopped, for this reason; the files are in between.
    Failed(String),
}

/// Files have been restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreEnd {
    /// Where to.
    pub to: MomentId,
    /// How it ended.
    pub result: RestoreResult,
}

/// A sentence for whoever reads the recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The sentence, masked.
    pub text: String,
}

/// The job is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finished {
    /// How it ended.
    pub outcome: Outcome,
}

/// The last record of a journal that was closed properly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footer {
    /// Records before this one, earlier footers included.
    pub records: u64,
    /// Moments among them.
    pub moments: u64,
}

/// What a job was given; near the front, and again where another process wrote on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The facts, as their twin's bytes.
    pub packed: StoredState,
}

/// A workflow as it was read: before the first moment, and again when it was edited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// By which states name it, from 0.
    pub number: u32,
    /// Its text and which job of it is meant, as their twin's bytes.
    pub packed: StoredState,
}

/// Values that were masked during the run and have no name, sealed: before the first record that refers to one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// The number of the first of them: placeholders name it `#N`. A later record of a number replaces an earlier one.
    pub first: u32,
    /// Which key they are sealed under.
    pub key: [u8; 8],
    /// Used once.
    pub nonce: [u8; 24],
    /// The values, sealed.
    pub bytes: Bytes,
}

/// A record of a kind that this build does not know: written by a newer minor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Its kind.
    pub kind: u8,
    /// Its payload.
    pub payload: Bytes,
}

/// The kind numbers, in one place. `Unknown` has the number it was found with and is never written.
macro_rules! records {
    ($($kind:literal $name:ident $doc:literal;)*) => {
        /// One record of a journal.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Record {
            $(#[doc = $doc] $name($name),)*
            /// Of a newer minor.
            Unknown(Unknown),
        }

        $(impl From<$name> for Record {
            fn from(record: $name) -> Record {
                Record::$name(record)
            }
        })*

        impl Record {
            /// The kind byte of its frame.
            pub fn kind(&self) -> u8 {
                match self {
                    $(Record::$name(_) => $kind,)*
                    Record::Unknown(unknown) => unknown.kind,
                }
            }

            /// Appends the payload to `out`.
            pub(super) fn encode(&self, out: Vec<u8>) -> Result<Vec<u8>, postcard::Error> {
                match self {
                    $(Record::$name(record) => postcard::to_extend(record, out),)*
                    Record::Unknown(_) => Err(postcard::Error::WontImplement),
                }
            }

            /// The record of that kind in `payload`; bytes behind its last field belong to a newer minor.
            pub(super) fn decode(kind: u8, payload: &[u8]) -> Result<Record, postcard::Error> {
                match kind {
                    $($kind => postcard::from_bytes(payload).map(Record::$name),)*
                    _ => Ok(Record::Unknown(Unknown { kind, payload: Bytes(payload.to_vec()) })),
                }
            }
        }
    };
}

records! {
    1 Begin "The first record.";
    2 Moment "A point in the job's history.";
    3 StepIntent "A step is about to be spawned.";
    4 StepResult "A step ended.";
    5 Event "An engine event.";
    6 Edit "Something a person changed.";
    7 BranchBegan "A branch became real.";
    8 Bookmark "A named moment.";
    9 RestoreBegin "Files are about to be restored.";
    10 RestoreEnd "Files have been restored.";
    11 Note "A sentence.";
    12 Finished "The job is over.";
    13 Footer "Closed properly.";
    14 Facts "What a job was given.";
    15 Plan "A workflow as it was read.";
    16 Sealed "Values without a name, sealed.";
}
