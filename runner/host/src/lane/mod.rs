//! A lane's processes: a session of its own plus everything that can be found from it (DESIGN 4).
//!
//! `timeout`, `setsid` and `set -m` leave a process group, a daemon leaves its session, and `env -i` drops a variable. A
//! process belongs to a lane when any of these holds: its session is one that the lane's processes made, one of its ancestors
//! belongs, it belonged before, or it carries the lane's tag in `RUNNER_TRACKING_ID`.
//!
//! Knows processes; not steps, output or what is run.

mod end;
mod freeze;
mod keeper;
mod scan;

pub(crate) use end::kill_while;
pub use end::{Survivors, kill, signal_all};
pub use freeze::{CannotFreeze, Frozen, freeze, thaw};
pub use keeper::Keeper;
pub use scan::Scan;

use std::collections::{BTreeMap, BTreeSet};

use crate::proc::{self, Process, ProcessId};

/// Everything needed to find the processes of one lane again, at any time.
#[derive(Clone, Debug)]
pub struct Lane {
    mark: Mark,
    /// Sessions that processes of this lane made, with the start of the process that made them as far as it is known: a
    /// session number is free again when all its processes are gone, and may come back as somebody else's.
    sessions: BTreeMap<i32, Option<u64>>,
    /// Members seen alive by the last scan.
    known: BTreeSet<ProcessId>,
}

/// Processes that are left out although a lane finds them: they stand already, for somebody else.
pub type Except = BTreeSet<ProcessId>;

/// No process starts at this time.
const LEADER_GONE: u64 = u64::MAX;

/// What marks a process as a member, apart from its relatives.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Mark {
    /// Its `RUNNER_TRACKING_ID` is exactly this.
    Tag(String),
    /// Its `RUNNER_TRACKING_ID` begins with this.
    Prefix(String),
    /// It came to us, the child subreaper, has neither our session nor any tracking id, and is this keeper's.
    Adopted(Keeper),
    /// Nothing.
    None,
}

impl Lane {
    /// The lane whose first process was just started with this tag, as the leader of its own session.
    pub fn of_leader(tag: String, leader: i32) -> Self {
        let id = proc::read(leader).map(|process| process.id);
        let sessions = BTreeMap::from([(leader, id.map(|id| id.start))]);
        Self { mark: Mark::Tag(tag), sessions, known: id.into_iter().collect() }
    }

    /// As [`of_leader`](Self::of_leader), for a leader that is certain to be alive or uncollected when it is first looked for:
    /// costs nothing.
    pub(crate) fn of_new_leader(tag: String, leader: i32) -> Self {
        Self { mark: Mark::Tag(tag), sessions: BTreeMap::from([(leader, None)]), known: BTreeSet::new() }
    }

    /// A lane without processes yet.
    pub(crate) fn of_tag(tag: String) -> Self {
        Self { mark: Mark::Tag(tag), sessions: BTreeMap::new(), known: BTreeSet::new() }
    }

    /// Everything whose tag begins with this: what bodies that are over left running.
    pub(crate) fn of_prefix(prefix: String) -> Self {
        Self { mark: Mark::Prefix(prefix), sessions: BTreeMap::new(), known: BTreeSet::new() }
    }

    /// Takes over what a lane is known by whose leader was collected.
    pub(crate) fn inherit(&mut self, over: Self, leader: i32) {
        self.known.extend(over.known);
        for (session, start) in over.sessions {
            // The number is free once the session is empty: from now on a process that has it is another one.
            let start = if session == leader { Some(LEADER_GONE) } else { start };
            self.sessions.insert(session, start);
        }
    }

    /// The session of this leader, of which no tag is known.
    pub fn of_session(leader: i32) -> Self {
        Self { mark: Mark::None, ..Self::of_leader(String::new(), leader) }
    }

    /// What lost its lane: orphans of ours in a foreign session without any tracking id, as far as this keeper has them. A
    /// helper of ours that makes a session must carry some `RUNNER_TRACKING_ID`, or it is taken for one.
    pub fn of_strays(keeper: Keeper) -> Self {
        Self { mark: Mark::Adopted(keeper), sessions: BTreeMap::new(), known: BTreeSet::new() }
    }

    /// The lane's processes in this scan, parents before their children; ended ones are left out. What is found is
    /// remembered: a process that later leaves all traces behind is still a member.
    pub fn members(&mut self, scan: &mut Scan) -> Vec<Process> {
        self.forget_reused_sessions(scan);
        let mut members: BTreeSet<ProcessId> = BTreeSet::new();
        for process in scan.candidates() {
            let belongs = self.known.contains(&process.id)
                || self.sessions.contains_key(&process.session)
                || self.mark.is_on(process, scan);
            if belongs {
                members.insert(process.id);
            }
        }
        scan.add_descendants(&mut members);
        let ordered = scan.parents_first(&members);
        let own_session = scan.own_session();
        for process in ordered.iter().filter(|process| process.session != own_session) {
            let maker =
                ordered.iter().find(|other| other.id.pid == process.session).map(|other| other.id.start);
            let entry = self.sessions.entry(process.session).or_insert(maker);
            *entry = entry.or(maker);
        }
        self.known = members;
        ordered.into_iter().filter(|process| process.state != proc::State::Ended).collect()
    }

    /// Whether a scan has found anything of it.
    pub(crate) fn was_seen(&self) -> bool {
        !self.known.is_empty()
    }

    /// The numbers of the sessions that the lane's processes made, as far as they are known.
    pub fn sessions(&self) -> impl Iterator<Item = i32> {
        self.sessions.keys().copied()
    }

    fn forget_reused_sessions(&mut self, scan: &Scan) {
        self.sessions.retain(|session, start| {
            let maker = scan.process(*session).filter(|process| process.session == *session);
            match (maker, *start) {
                (Some(maker), Some(start)) => maker.id.start == start,
                _ => true,
            }
        });
    }
}

/// Who looks for strays must not take a child for one that is just being started.
fn hold_spawns_for(lanes: &[Lane]) -> Option<std::sync::RwLockWriteGuard<'static, ()>> {
    lanes.iter().any(|lane| matches!(lane.mark, Mark::Adopted(_))).then(crate::spawn::hold_spawns)
}

impl Mark {
    fn is_on(&self, process: Process, scan: &mut Scan) -> bool {
        match self {
            Mark::Tag(tag) => scan.tag(process) == Some(tag),
            Mark::Prefix(prefix) => scan.tag(process).is_some_and(|tag| tag.starts_with(prefix.as_str())),
            Mark::Adopted(keeper) => {
                scan.is_adopted(&process)
                    && scan.tag(process).is_none_or(str::is_empty)
                    && keeper.has(&process)
            }
            Mark::None => false,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
