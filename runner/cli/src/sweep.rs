//! What killed programs left behind on this machine: ended and put right before a new run begins (DESIGN 4).
//!
//! A run marks with its tracking id whatever it starts, and takes the mark away at its end; a mark that nobody holds is
//! of one that was killed. What still runs belongs to somebody and is left alone.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use host::masks::SharedMasks;
use host::orphans;
use host::times::Times;
use session::files::Files;
use session::journal::{Access, Recording, RecordingId, Recordings};
use session::recording::SealKey;

use crate::exit::Fault;
use crate::job_place::{JobPlace, RunFolder};
use crate::paths::Paths;
use crate::prepare::Warnings;
use crate::record::{open_store, snapshots_of};

/// The file with the tracking ids of a job's processes, one to a line, in its recording or else in the folder of its run.
/// It is of this machine, and no part of what is handed over.
const MARK: &str = "tracking";
/// The folder with an empty file for every recording whose job is under way.
const UNDER_WAY: &str = "under-way";
/// The folder of all recordings, beside it.
const SHELF: &str = "recordings";

/// Says in `folder` how the processes of its job are marked.
///
/// # Errors
/// It cannot be written.
pub(crate) fn mark(folder: &Path, tracking: &str) -> io::Result<PathBuf> {
    if let Some(listed) = listed_as(folder) {
        listed.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(listed, "")?;
    }
    let path = folder.join(MARK);
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
    writeln!(file, "{tracking}")?;
    Ok(path)
}

/// The job has come to its end: nothing of it is left.
pub(crate) fn unmark(mark: &Path) {
    // A mark that stays costs the next run a look, no more.
    let _ = fs::remove_file(mark);
    let _ = mark.parent().and_then(listed_as).map(fs::remove_file);
}

/// Where it is written that the job of this recording is under way: there may be many thousand recordings, and a start that
/// looked into each of them would be felt. Nothing for a folder that is no recording.
fn listed_as(folder: &Path) -> Option<PathBuf> {
    let shelf = folder.parent().filter(|shelf| shelf.ends_with(SHELF))?;
    Some(shelf.parent()?.join(UNDER_WAY).join(folder.file_name()?))
}

/// The tracking ids in `folder`. A recording from another machine has none.
pub(crate) fn marks_in(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join(MARK)).unwrap_or_default();
    text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Ends what jobs left running when the process that drove them was killed; how many processes that were.
///
/// # Errors
/// Some cannot be ended.
pub(crate) fn end_survivors(tracking: &[String]) -> Result<usize, Fault> {
    let end = |count: usize, tracking: &String| {
        orphans::sweep(&format!("{tracking}."), Times::default().kill).map(|ended| count + ended.len())
    };
    tracking.iter().try_fold(0, end).map_err(|survivors| {
        Fault::new(format!("what the last run left running cannot be ended: {survivors}"))
            .hint("end these processes and try again")
    })
}

/// Clears away what killed runs left. Whatever cannot be cleared away is said, and is no reason not to run.
pub(crate) fn sweep(paths: &Paths, warnings: &mut Warnings<'_>) {
    let recordings = Recordings::under(&paths.state).ok();
    for recording in recordings.iter().flat_map(|recordings| abandoned(paths, recordings)) {
        let text = clear(&recording.folder).and_then(|ended| {
            let restored = settle(&recording, SealKey::under(&paths.state).ok()).map_err(|text| {
                Fault::new(format!("the files of an earlier run cannot be put back: {text}"))
                    .hint("`stepback debug --last` may tell more")
            });
            Ok(said(ended, restored?.as_deref()))
        });
        tell(&recording.folder, text, warnings);
    }
    for (folder, _lock) in RunFolder::abandoned(paths, |folder| folder.join(MARK).is_file()) {
        let text = clear(&folder).map(|ended| said(ended, None));
        tell(&folder, text, warnings);
    }
}

fn clear(folder: &Path) -> Result<usize, Fault> {
    end_survivors(&marks_in(folder))
}

fn tell(folder: &Path, text: Result<Option<String>, Fault>, warnings: &mut Warnings<'_>) {
    match text {
        Ok(text) => {
            unmark(&folder.join(MARK));
            text.iter().for_each(|text| warnings.warn(text));
        }
        Err(fault) => warnings.warn(&fault.to_string()),
    }
}

fn said(ended: usize, restored: Option<&Path>) -> Option<String> {
    let processes = match ended {
        0 => None,
        1 => Some("ended a process that it left running".to_owned()),
        count => Some(format!("ended {count} processes that it left running")),
    };
    let files = restored.map(|folder| format!("put {} back to its newest moment", folder.display()));
    let done: Vec<String> = processes.into_iter().chain(files).collect();
    (!done.is_empty()).then(|| format!("an earlier run was killed: {}", done.join(", ")))
}

/// Recordings with a mark that nobody writes.
fn abandoned(paths: &Paths, recordings: &Recordings) -> Vec<Recording> {
    let listed = fs::read_dir(paths.state.join(UNDER_WAY)).into_iter().flatten().flatten();
    let ids = listed.filter_map(|entry| RecordingId::new(entry.file_name().to_str()?));
    ids.filter(|id| recordings.folder_of(id).join(MARK).is_file())
        .filter_map(|id| recordings.open(id).ok())
        .filter(|recording| matches!(recording.access, Access::Write(_)))
        .collect()
}

/// The workspace whose files were put back, if they were elsewhere and are still there.
fn settle(recording: &Recording, key: Option<SealKey>) -> Result<Option<PathBuf>, String> {
    let Ok(reopened) = session::recording::open(recording, None, None) else { return Ok(None) };
    let roots = &reopened.facts.roots;
    if roots.iter().any(|(_, folder)| !folder.exists()) {
        return Ok(None);
    }
    let in_place = roots.iter().any(|(_, folder)| Some(folder) == reopened.facts.repository.as_ref());
    let place =
        JobPlace::recorded(roots, snapshots_of(recording), in_place).map_err(|error| error.to_string())?;
    let Some(place) = place else { return Ok(None) };
    // Nothing new is stored, so nothing has to be hidden.
    let store = open_store(&place.store, SharedMasks::default(), key).map_err(|error| error.to_string())?;
    let roots = place.roots().map_err(|error| error.to_string())?;
    let mut files = Files::new(store, roots).map_err(|error| error.to_string())?;
    let restored = session::recording::settle(recording, &reopened, &mut files)?;
    Ok(restored.then_some(place.workspace))
}
