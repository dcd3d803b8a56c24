//! Recordings: a job written down while it runs, and opened again later.
//!
//! It knows how a job, its events and its timeline become records of the journal, and how secrets are kept out of them.
//! It does not know frames and files (the journal's), when a moment is due (the session's), nor what a person is shown.
//!
//! No secret is in what is written, and no encoding of one, as far as it was known at that time: named ones are
//! placeholders that are filled in again when the secret is supplied, values masked during the run are sealed under a
//! key that stays on this machine (DESIGN 3 and 4). So are contents of the job's files.
//!
//! - [`Recorder`] writes, [`LogRecorder`] is its side for the threads that read output.
//! - [`open`] reads, for looking or exactly; [`Recorder::resume`] reads and writes on.
//! - [`SealKey`] is the key of this machine, [`MaskedContents`] seals files under it.

mod facts;
mod logs;
mod recorder;
mod records;
mod reopen;
mod seal;
mod settle;
mod share;
mod twin;
mod vault;

#[cfg(test)]
mod tests;

pub use facts::{JobFacts, PlanText, RebuildError, Rebuilt};
pub use logs::LogRecorder;
pub use recorder::{Beginning, RecordError, Recorder, Versions};
pub use reopen::{Branch, MomentDetails, ReopenError, Reopened, Restore, look, open};
pub use seal::{SealError, SealKey};
pub use settle::settle;
pub use twin::{Format, SecretsNeeded, TwinError};
pub use vault::MaskedContents;
