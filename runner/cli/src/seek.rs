//! The recording that somebody means: the last one, one of theirs by its name, or one that lies in a folder elsewhere.
//!
//! Knows names, folders and why one cannot be opened; nothing of it is executed here.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use engine::secrets::Secrets;
use session::command::nearest;
use session::journal::{Access, Listed, Outcome, Recording, RecordingId, Recordings};
use session::look::OnlyLook;
use session::recording::{Recorder, ReopenError, SealKey};

use crate::exit::Fault;
use crate::record::{SEPARATOR, Shelf, snapshots_of, versions};
use crate::sweep;

/// A recording that a killed program held is free after the time in which a process is made, however busy the machine.
const RELEASE_WITHIN: Duration = Duration::from_secs(1);
/// How often it is looked at meanwhile.
const RELEASE_EVERY: Duration = Duration::from_millis(10);
/// How many names an error lists.
const NAMES_MAX: usize = 5;
/// What people call the newest recording.
const LAST: &str = "last";

/// What somebody wants to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Of the last run's jobs one that failed or broke off, else the last one.
    Last,
    /// A recording of this person, or all those of a run, of which one is chosen in the same way.
    Named(String),
    /// A recording by its folder.
    In(PathBuf),
}

/// A recording that was read.
pub(crate) struct Found {
    /// Its name.
    pub(crate) name: String,
    /// Writes on; `None`: the recording can only be looked at.
    pub(crate) recorder: Option<Recorder>,
    /// Why it can only be looked at, besides secrets that are missing.
    pub(crate) only_look: Option<OnlyLook>,
    /// Nobody else removes it or writes to it meanwhile.
    pub(crate) held: Option<Recording>,
    /// The folder of its logs.
    pub(crate) logs: PathBuf,
    /// What it says.
    pub(crate) reopened: session::recording::Reopened,
    /// Its snapshots.
    pub(crate) files: PathBuf,
    /// What its files are sealed under, if that is of this machine.
    pub(crate) seal: Option<SealKey>,
    /// Tracking ids of what the job may have left running when its debugger was killed.
    pub(crate) survivors: Vec<String>,
}

impl Wanted {
    /// What `text` means; a path begins at `start`. A name has no slash in it.
    pub(crate) fn of(text: &str, start: &Path) -> Wanted {
        match text {
            LAST => Wanted::Last,
            _ if text.contains('/') || start.join(text).exists() => Wanted::In(start.join(text)),
            _ => Wanted::Named(text.to_owned()),
        }
    }
}

impl Shelf {
    /// Opens what is wanted, to write on in it; or to look at it, if it is in use or needs other secrets.
    ///
    /// # Errors
    /// There is no such recording, or it cannot be read.
    pub(crate) fn find(&self, wanted: &Wanted, secrets: &Secrets) -> Result<Found, Fault> {
        match wanted {
            Wanted::Last => self.last(secrets),
            Wanted::Named(name) => self.named(name, secrets),
            Wanted::In(folder) => {
                let recording =
                    free(|| Recordings::open_in(folder).map_err(|error| nothing_in(folder, &error)))?;
                self.resume(recording, secrets)
            }
        }
    }

    fn last(&self, secrets: &Secrets) -> Result<Found, Fault> {
        let recordings = self.closed_recordings()?;
        let nothing = || Fault::new("nothing has been recorded yet").hint("`stepback run` records a run");
        let last = recordings.last().map(|last| run_of(&last.id).to_owned()).ok_or_else(nothing)?;
        let ids = recordings.into_iter().map(|listed| listed.id).filter(|id| run_of(id) == last);
        self.worst_of(ids.collect(), secrets)
    }

    fn named(&self, name: &str, secrets: &Secrets) -> Result<Found, Fault> {
        let mut ids = self.recordings.ids().map_err(fault)?;
        ids.sort();
        if let Some(id) = ids.iter().find(|id| id.as_str() == name) {
            let recording = free(|| self.recordings.open(id.clone()).map_err(fault))?;
            return self.resume(recording, secrets);
        }
        let of_the_run: Vec<RecordingId> = ids.iter().filter(|id| run_of(id) == name).cloned().collect();
        if of_the_run.is_empty() { Err(unknown(name, &ids)) } else { self.worst_of(of_the_run, secrets) }
    }

    /// Of the jobs of one run the newest that failed or broke off, else the newest.
    fn worst_of(&self, ids: Vec<RecordingId>, secrets: &Secrets) -> Result<Found, Fault> {
        let mut found = None;
        let mut in_use = None;
        for id in ids.into_iter().rev() {
            let Ok(recording) = self.recordings.open(id) else { continue };
            if !matches!(recording.access, Access::Write(_)) {
                in_use.get_or_insert(recording);
                continue;
            }
            let red = session::recording::open(&recording, self.seal.as_ref(), None)
                .is_ok_and(|seen| seen.finished != Some(Outcome::Success));
            if red {
                return self.resume(recording, secrets);
            }
            found.get_or_insert(recording);
        }
        let recording = found.or(in_use).ok_or_else(|| Fault::new("the recording cannot be opened"))?;
        self.resume(recording, secrets)
    }

    /// Those that nobody writes. A program that was killed while it started a step may hold its recording for the moment in
    /// which that step's process is made: a newest one that is in use is looked at again before it is passed over.
    fn closed_recordings(&self) -> Result<Vec<Listed>, Fault> {
        let until = Instant::now() + RELEASE_WITHIN;
        loop {
            let mut listed = self.recordings.list().map_err(fault)?;
            if listed.last().is_some_and(|newest| newest.in_use) && Instant::now() < until {
                thread::sleep(RELEASE_EVERY);
                continue;
            }
            let in_use = !listed.is_empty();
            listed.retain(|recording| !recording.in_use);
            if in_use && listed.is_empty() {
                return Err(Fault::new("the only recording is of a run that still goes on")
                    .hint("`stepback debug --recording NAME` looks at it meanwhile"));
            }
            return Ok(listed);
        }
    }

    fn resume(&self, recording: Recording, secrets: &Secrets) -> Result<Found, Fault> {
        match recording.access {
            Access::Write(_) => {}
            Access::InUse => return self.look(recording, secrets, Some(OnlyLook::InUse)),
            Access::NotWritable => return self.look(recording, secrets, Some(OnlyLook::NotWritable)),
        }
        let (name, folder, logs) = (recording.id.to_string(), recording.folder.clone(), recording.logs());
        let files = snapshots_of(&recording);
        let survivors = sweep::marks_in(&folder);
        let seal = self.seal.clone();
        match Recorder::resume(recording, seal.clone(), &versions(), secrets) {
            Ok((recorder, reopened)) => {
                let (recorder, only_look, held) = (Some(recorder), None, None);
                Ok(Found { name, recorder, only_look, held, logs, reopened, files, seal, survivors })
            }
            Err(ReopenError::Secrets(_)) => {
                self.look(Recordings::open_in(&folder).map_err(fault)?, secrets, None)
            }
            Err(error) => Err(unreadable(&name, &error)),
        }
    }

    fn look(
        &self,
        recording: Recording,
        secrets: &Secrets,
        only_look: Option<OnlyLook>,
    ) -> Result<Found, Fault> {
        let name = recording.id.to_string();
        let reopened = session::recording::look(&recording, self.seal.as_ref(), secrets)
            .map_err(|error| unreadable(&name, &error))?;
        let (files, logs) = (snapshots_of(&recording), recording.logs());
        let (seal, survivors, held) = (self.seal.clone(), Vec::new(), Some(recording));
        Ok(Found { name, recorder: None, only_look, held, logs, reopened, files, seal, survivors })
    }
}

/// Opens a recording, and waits a moment for one that is in use: see [`Shelf::closed_recordings`].
fn free(open: impl Fn() -> Result<Recording, Fault>) -> Result<Recording, Fault> {
    let until = Instant::now() + RELEASE_WITHIN;
    loop {
        let recording = open()?;
        if !matches!(recording.access, Access::InUse) || Instant::now() >= until {
            return Ok(recording);
        }
        thread::sleep(RELEASE_EVERY);
    }
}

/// The name of the run that a recording's name begins with.
fn run_of(id: &RecordingId) -> &str {
    id.as_str().split(SEPARATOR).next().unwrap_or_default()
}

fn unknown(name: &str, ids: &[RecordingId]) -> Fault {
    let fault = Fault::new(format!("there is no recording `{name}`"));
    let names = || ids.iter().map(RecordingId::as_str);
    let newest: Vec<String> = names().rev().take(NAMES_MAX).map(|name| format!("`{name}`")).collect();
    if newest.is_empty() {
        return fault.hint("nothing has been recorded yet: `stepback run` records a run");
    }
    let meant = nearest::did_you_mean(name, names()).map(|name| format!("did you mean `{name}`? "));
    fault.hint(format!(
        "{}`last` is the last one; the newest are {}",
        meant.unwrap_or_default(),
        newest.join(", ")
    ))
}

fn nothing_in(folder: &Path, error: &session::journal::ShelfError) -> Fault {
    let accepted = "a recording is opened by its name, by its folder, or as `last`";
    match error {
        session::journal::ShelfError::NoRecording(_) if folder.is_file() => {
            Fault::new(format!("{}: a file is no recording", folder.display())).hint(accepted)
        }
        error => Fault::new(error.to_string()).hint(accepted),
    }
}

fn unreadable(name: &str, error: &ReopenError) -> Fault {
    match error {
        ReopenError::Empty => broke_off(name),
        error => fault(format!("the recording `{name}` cannot be read: {error}")),
    }
}

/// Its writer was killed before there was anything to see.
pub(crate) fn broke_off(name: &str) -> Fault {
    Fault::new(format!("the recording `{name}` broke off before its first step"))
}

fn fault(error: impl std::fmt::Display) -> Fault {
    let text = error.to_string();
    match text.split_once("\nhint: ") {
        Some((text, hint)) => Fault::new(text).hint(hint),
        None => Fault::new(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_path_unless_something_lies_there() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        assert_eq!(Wanted::of("last", here), Wanted::Last);
        assert_eq!(
            Wanted::of("20260131-142507-0c1f", here),
            Wanted::Named("20260131-142507-0c1f".to_owned())
        );
        assert_eq!(Wanted::of("./gone", here), Wanted::In(here.join("./gone")));
        assert_eq!(Wanted::of("/state/x", here), Wanted::In("/state/x".into()));
        std::fs::write(here.join("job.stepback"), "").unwrap();
        assert_eq!(Wanted::of("job.stepback", here), Wanted::In(here.join("job.stepback")));
    }

    #[test]
    fn an_unknown_name_lists_the_newest_and_what_was_meant() {
        let ids: Vec<RecordingId> =
            (1..8).map(|day| RecordingId::new(&format!("2026010{day}-000000-abcd.0000")).unwrap()).collect();
        let text = unknown("20260107-000000-abce.0000", &ids).to_string();
        assert!(text.contains("did you mean `20260107-000000-abcd.0000`?"), "{text}");
        assert!(text.contains("`20260103-") && !text.contains("`20260102-"), "{text}");
        assert!(unknown("x", &[]).to_string().contains("nothing has been recorded yet"));
    }
}
