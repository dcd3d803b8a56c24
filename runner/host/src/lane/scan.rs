//! The process table of one moment with the relations that lanes are found by.
//!
//! Knows parents, sessions and tags; not which lane is looked for.

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::io;

use crate::proc::{self, Process, ProcessId, State};

/// One look at all processes. Environments are read when asked for, and once for a process.
#[derive(Debug, Default)]
pub struct Scan {
    processes: Vec<Process>,
    tags: BTreeMap<ProcessId, Option<String>>,
    myself: i32,
    own_session: i32,
}

impl Scan {
    /// Looks now.
    ///
    /// # Errors
    /// The process table cannot be read.
    pub fn now() -> io::Result<Self> {
        let mut scan = Self::default();
        scan.again()?;
        Ok(scan)
    }

    /// Looks again; tags that are known stay known, since the environment of a process only changes by an exec, which
    /// the tag outlives in everything that belongs.
    ///
    /// # Errors
    /// The process table cannot be read.
    pub fn again(&mut self) -> io::Result<()> {
        self.processes = proc::all()?;
        self.myself = rustix::process::getpid().as_raw_nonzero().get();
        self.own_session = self.process(self.myself).map_or(0, |process| process.session);
        Ok(())
    }

    /// The process with this number.
    pub fn process(&self, pid: i32) -> Option<&Process> {
        let index = self.processes.binary_search_by_key(&pid, |process| process.id.pid).ok()?;
        self.processes.get(index)
    }

    /// All processes that could belong to a lane: not us, not the first process, not the kernel's.
    pub(super) fn candidates(&self) -> impl Iterator<Item = Process> + use<> {
        let myself = self.myself;
        let all: Vec<Process> = self.processes.clone();
        all.into_iter()
            .filter(move |process| process.id.pid > 1 && process.id.pid != myself && process.session != 0)
    }

    pub(super) fn own_session(&self) -> i32 {
        self.own_session
    }

    /// The process's `RUNNER_TRACKING_ID`.
    pub fn tag(&mut self, process: Process) -> Option<&str> {
        if process.state == State::Ended {
            return None;
        }
        match self.tags.entry(process.id) {
            Entry::Occupied(known) => known.into_mut().as_deref(),
            Entry::Vacant(unknown) => unknown.insert(proc::tracking_id(process.id.pid).ok()?).as_deref(),
        }
    }

    /// Every process whose tag begins with `prefix`.
    pub fn tagged(&mut self, prefix: &str) -> Vec<Process> {
        self.candidates()
            .filter(|process| self.tag(*process).is_some_and(|tag| tag.starts_with(prefix)))
            .collect()
    }

    /// Children of ours in a session that is not ours: leaders of lanes, and what came to us when its parent ended.
    pub fn foreign_children(&self) -> impl Iterator<Item = &Process> {
        self.processes.iter().filter(|process| self.is_adopted(process))
    }

    pub(super) fn is_adopted(&self, process: &Process) -> bool {
        process.parent == self.myself && process.session != self.own_session
    }

    /// Adds children of members until there are no more. A child of an ended member has another parent already.
    pub(super) fn add_descendants(&self, members: &mut BTreeSet<ProcessId>) {
        let mut children: BTreeMap<i32, Vec<&Process>> = BTreeMap::new();
        for process in &self.processes {
            children.entry(process.parent).or_default().push(process);
        }
        let mut open: Vec<i32> = members.iter().map(|id| id.pid).collect();
        while let Some(parent) = open.pop() {
            for child in children.get(&parent).into_iter().flatten() {
                if child.id.pid != self.myself && members.insert(child.id) {
                    open.push(child.id.pid);
                }
            }
        }
    }

    /// The processes of the set, each one after its parent.
    pub(super) fn parents_first(&self, members: &BTreeSet<ProcessId>) -> Vec<Process> {
        let mut depths: BTreeMap<i32, usize> = BTreeMap::new();
        let mut ordered: Vec<Process> =
            self.processes.iter().filter(|process| members.contains(&process.id)).copied().collect();
        for process in &ordered {
            let mut chain = Vec::new();
            let mut at = process.id.pid;
            let base = loop {
                if let Some(depth) = depths.get(&at) {
                    break *depth;
                }
                chain.push(at);
                match self.process(at).map(|process| process.parent) {
                    Some(parent) if parent > 1 && chain.len() <= self.processes.len() => at = parent,
                    _ => break 0,
                }
            };
            for (above, pid) in chain.iter().rev().enumerate() {
                depths.insert(*pid, base + above + 1);
            }
        }
        ordered.sort_by_key(|process| depths.get(&process.id.pid).copied().unwrap_or(0));
        ordered
    }
}
