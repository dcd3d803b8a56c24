//! The files of a recorded job whose writer was killed in the past: put back to the newest moment.
//!
//! Runs nothing and needs no secret: where files belong stands in the journal in plain text.

use crate::files::Files;
use crate::journal::{JournalWriter, Recording, RestoreBegin, RestoreEnd, RestoreResult};
use crate::timeline::Timeline;

use super::Reopened;
use super::records::number;

/// Puts the files where `reopened` says that they belong, and writes that down, so that no later start touches them
/// again. False if they are there.
///
/// # Errors
/// They cannot be put back, as a person reads it.
pub fn settle(recording: &Recording, reopened: &Reopened, files: &mut Files) -> Result<bool, String> {
    if reopened.unfinished_restore.is_none() && reopened.rewound.is_none() {
        return Ok(false);
    }
    let mut timeline = Timeline::default();
    reopened.moments.iter().cloned().for_each(|moment| timeline.restore(moment));
    let newest = reopened.newest.ok_or("the recording has no moment")?;
    let home = timeline.ancestry(newest).find(|moment| moment.can_be_taken_up());
    let (id, target) = home
        .and_then(|moment| Some((number(moment.id), moment.files?)))
        .ok_or("the files of its newest moment are not kept")?;
    let failed = |error: &dyn std::fmt::Display| error.to_string();
    let (mut writer, _) = JournalWriter::reopen(&recording.journal()).map_err(|error| failed(&error))?;
    let written = writer.append(&RestoreBegin { from: id, to: id }.into());
    written.and_then(|_| writer.sync_now()).map_err(|error| failed(&error))?;
    files.bring_back(target).map_err(|error| failed(&error))?;
    let end = RestoreEnd { to: id, result: RestoreResult::Done };
    writer.append(&end.into()).map_err(|error| failed(&error))?;
    Ok(true)
}
