//! Whose a stray is, when several jobs run in this process.
//!
//! What left its session and emptied its environment comes to this process as a child, and nothing the kernel keeps says which
//! body it once was started by. Every job's host is a *keeper* in one table of the process, and each stray has exactly one:
//! who has found it before; else who made its session; else in whose folders it works; else whose body was the newest one
//! when it started.
//!
//! Knows processes, their folders and starts; not hosts or steps.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::proc::{self, Process, ProcessId};

static TABLE: Mutex<Table> =
    Mutex::new(Table { entries: Vec::new(), sessions: BTreeMap::new(), found: BTreeMap::new() });

/// One of those in this process who start bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeper {
    place: usize,
}

/// Keepers are never taken out: what a job left without a trace must not fall to another one when its own is over.
struct Table {
    entries: Vec<Entry>,
    /// Who made a session last, from when its leader is about to be collected. A number may come back as another body's
    /// session: as long as that runs its leader is awaited.
    sessions: BTreeMap<i32, usize>,
    /// Who has found a process before.
    found: BTreeMap<ProcessId, usize>,
}

struct Entry {
    folders: Vec<PathBuf>,
    /// When bodies started, oldest first.
    starts: Vec<u64>,
}

fn table() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Keeper {
    /// A keeper whose bodies work in these folders.
    pub fn new(folders: impl IntoIterator<Item = PathBuf>) -> Self {
        let as_the_kernel_says = |folder: PathBuf| folder.canonicalize().unwrap_or(folder);
        let folders = folders.into_iter().map(as_the_kernel_says).collect();
        let mut table = table();
        table.entries.push(Entry { folders, starts: Vec::new() });
        Self { place: table.entries.len() - 1 }
    }

    /// A body of this keeper is about to start.
    pub fn starts_a_body(self) {
        let now = proc::start_of_now();
        if let Some(entry) = table().entries.get_mut(self.place) {
            entry.starts.push(now);
        }
    }

    /// This session was made by a body of this keeper.
    pub(crate) fn made_session(self, session: i32) {
        table().sessions.insert(session, self.place);
    }

    /// Nothing of its leader's group is left in this session.
    pub(crate) fn forget_session(self, session: i32) {
        let mut table = table();
        if table.sessions.get(&session) == Some(&self.place) {
            table.sessions.remove(&session);
        }
    }

    /// These were found to be this keeper's. They stay so, whatever traces they lose.
    pub(crate) fn found(self, processes: impl Iterator<Item = ProcessId>) {
        let mut table = table();
        table.found.retain(|id, _| proc::read(id.pid).is_some_and(|process| process.id == *id));
        table.found.extend(processes.map(|id| (id, self.place)));
    }

    /// Whether a stray is this keeper's.
    pub(super) fn has(self, stray: &Process) -> bool {
        // The leader of a session is still waited for: it belongs to a body that runs, and to the lane of that body.
        if crate::spawn::is_awaited(stray.session) {
            return false;
        }
        let working = proc::working_directory(stray.id.pid);
        // What is just ending has lost its environment and its folder already, whosoever it is.
        if working.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
            return false;
        }
        table().keeper_of(stray, working.ok().as_deref()) == Some(self.place)
    }
}

impl Table {
    fn keeper_of(&self, stray: &Process, working: Option<&Path>) -> Option<usize> {
        let known = self.found.get(&stray.id).or_else(|| self.sessions.get(&stray.session));
        known.copied().or_else(|| self.newest_before(stray.id.start, &self.those_around(working)))
    }

    /// The keepers whose folder holds the one the process works in, the innermost folder first of all; else everybody.
    fn those_around(&self, working: Option<&Path>) -> Vec<usize> {
        let depth = |entry: &Entry| working.and_then(|working| entry.depth_around(working));
        let depths: Vec<Option<usize>> = self.entries.iter().map(depth).collect();
        let deepest = depths.iter().max().copied().flatten();
        depths.iter().enumerate().filter(|(_, depth)| **depth == deepest).map(|(place, _)| place).collect()
    }

    /// Of these, the one whose body was the newest when a process started; a job that started nothing before left nothing.
    fn newest_before(&self, start: u64, places: &[usize]) -> Option<usize> {
        let newest = |place: &usize| {
            let starts = &self.entries.get(*place)?.starts;
            let before = starts.partition_point(|body| *body <= start);
            starts.get(before.checked_sub(1)?).map(|body| (*body, *place))
        };
        places.iter().filter_map(newest).max().map(|(_, place)| place)
    }
}

impl Entry {
    fn depth_around(&self, working: &Path) -> Option<usize> {
        let around = self.folders.iter().filter(|folder| working.starts_with(folder));
        around.map(|folder| folder.components().count()).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proc::State;

    fn table(starts: &[&[u64]]) -> Table {
        let entry = |starts: &&[u64]| Entry { folders: Vec::new(), starts: starts.to_vec() };
        Table {
            entries: starts.iter().map(entry).collect(),
            sessions: BTreeMap::new(),
            found: BTreeMap::new(),
        }
    }

    const NOBODY: i32 = i32::MAX;

    fn stray(start: u64) -> Process {
        Process { id: ProcessId { pid: NOBODY, start }, parent: 1, session: NOBODY, state: State::Active }
    }

    #[test]
    fn without_a_trace_the_newest_body_before_it_counts() {
        let table = table(&[&[10, 40], &[20], &[], &[60]]);
        let keepers = [5, 10, 19, 20, 39, 40, 59, 60].map(|start| table.keeper_of(&stray(start), None));
        let expected = [None, Some(0), Some(0), Some(1), Some(1), Some(0), Some(0), Some(3)];
        assert_eq!(keepers, expected);
    }

    #[test]
    fn a_session_and_an_earlier_find_count_for_more() {
        let mut table = table(&[&[10], &[20], &[15]]);
        table.sessions.insert(NOBODY, 0);
        assert_eq!(table.keeper_of(&stray(30), None), Some(0));
        table.found.insert(stray(30).id, 2);
        assert_eq!(table.keeper_of(&stray(30), None), Some(2));
        assert_eq!(table.keeper_of(&stray(31), None), Some(0));
    }

    #[test]
    fn the_innermost_folder_decides_before_time_does() {
        let here = PathBuf::from("/a/b");
        let mut table = table(&[&[10], &[20], &[30]]);
        table.entries[0].folders = vec!["/nowhere".into(), here.clone()];
        table.entries[1].folders = vec![here.parent().unwrap().to_owned()];
        assert_eq!(table.those_around(Some(Path::new("/a/b/c"))), [0]);
        assert_eq!(table.those_around(Some(Path::new("/c"))), [0, 1, 2]);
        assert_eq!(table.those_around(None), [0, 1, 2]);
        table.entries[2].folders = vec![here];
        assert_eq!(table.those_around(Some(Path::new("/a/b"))), [0, 2]);
    }
}
