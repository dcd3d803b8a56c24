//! The journal: the append-only file from which a timeline can be rebuilt, and the folder it lives in.
//!
//! It knows frames, files, folders and how they break: torn tails, flipped bits, full disks, `kill -9`,
//! a second process. It does not know what a job, an event or a snapshot is: states and events are bytes
//! made elsewhere, files are a manifest id, log lines arrive masked. It reads no environment and chooses
//! no place: the root folder and every time stamp are arguments.
//!
//! - [`Record`] is what can be written, [`JournalWriter`] writes it, [`read`] reads it back.
//! - [`Recovered`] says what a crash left open: intents without result, a restore without end.
//! - [`StateEncoder`] and [`StateArchive`] turn moments' states into deltas and back.
//! - [`LogStore`] and [`LogArchive`] hold the output of the steps, beside the frames.
//! - [`Recordings`] is the shelf: create, list, latest, lock, prune.

mod bytes;
mod chain;
mod delta;
mod frame;
mod header;
mod limits;
mod logs;
mod pulse;
mod reader;
mod record;
mod recovery;
mod shelf;
mod states;
mod storage;
mod sync;
mod writer;

pub use bytes::Bytes;
pub use header::{Header, Version};
pub use limits::{
    FRAME_BYTES_MAX, LOG_BLOCK_BYTES, RECORDINGS_BYTES_MAX, STATE_BYTES_MAX, STATE_DELTAS_MAX, UNSYNCED_MAX,
};
pub use logs::{LogArchive, LogEnd, LogError, LogHead, LogLine, LogStore};
pub use reader::{Entry, OpenError, Opened, TailReason, TornTail, read};
pub use record::{
    Begin, Bookmark, BranchBegan, Cause, Edit, Event, Facts, FilesRef, Finished, Footer, LogId, LogPosition,
    Moment, MomentId, Note, Outcome, Plan, Point, Record, RestoreBegin, RestoreEnd, RestoreResult, Sealed,
    StepIntent, StepResult, StoredForm, StoredState, Unknown,
};
pub use recovery::Recovered;
pub use shelf::{Access, Listed, Lock, Pruned, Recording, RecordingId, Recordings, ShelfError};
pub use states::{StateArchive, StateEncoder, StateError};
pub use storage::{FileStorage, Storage, SyncHandle};
pub use writer::{JournalWriter, Position, WriteError, Written};

#[cfg(test)]
mod tests;
