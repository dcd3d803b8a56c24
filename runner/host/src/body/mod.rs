//! Runs the body of one step from its script to its [`BodyEnd`].
//!
//! Knows how a body is prepared, read and ended; not what the job makes of it, nor which body is next.

mod attendance;
mod command_line;
mod ending;
mod environment;
mod files;
mod folder;
mod heading;
mod ladder;
mod node;
mod output;
mod process;
mod run;
mod spare;

pub(crate) use attendance::Attendance;
pub use environment::BaseEnvironment;
pub(crate) use files::{StepFiles, discard as discard_files};
pub(crate) use output::Journalist;
pub(crate) use process::{begin, is_slow};
pub(crate) use run::{Run, Wake};
pub use spare::SpareFolders;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::event::{BodyEnd, Event};
use engine::matcher::Matchers;
use tokio::sync::mpsc::UnboundedSender;

use crate::action::ActionStore;
use crate::checkout::Origin;
use crate::contract::{Epoch, HostEvent};
use crate::guardian::Guardian;
use crate::lane::{Keeper, Lane};
use crate::log::{LogBatch, LogSink};
use crate::masks::SharedMasks;
use crate::proc::ProcessId;
use crate::services::JobServices;
use crate::times::Times;

/// What all bodies of a host need; fixed when the host is made.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `github.workspace`; exists.
    pub workspace: PathBuf,
    /// `runner.temp`; exists. Scripts and command files go there.
    pub temp: PathBuf,
    /// Where the folders of steps are kept between two steps.
    pub spare: SpareFolders,
    /// The environment that steps start from.
    pub base: BaseEnvironment,
    /// What every process of the job carries in `RUNNER_TRACKING_ID`, followed by `.` and the number of its body. Must be
    /// different from that of any other job (steps.md 1.7: `github_` and a random id).
    pub tracking: String,
    /// Where checkout takes files from.
    pub origin: Origin,
    /// Actions of other repositories.
    pub actions: ActionStore,
    /// Waiting times.
    pub times: Times,
    /// Whether a guardian watches over us: for everything that may freeze lanes.
    pub guardian: bool,
    /// `github.server_url` and `github.repository`, by which a matched file's checkout is known.
    pub server_url: String,
    /// `owner/name`, or empty.
    pub repository: String,
    /// What actions are given to reach caches and artifacts; `None`: they get none.
    pub services: Option<JobServices>,
    /// A folder with several versions of Node.js, as in `node20/bin/node`; `None` or one that is not there: PATH's is taken.
    pub externals: Option<PathBuf>,
}

/// What the threads of a host share.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) masks: SharedMasks,
    pub(crate) sink: Mutex<Box<dyn LogSink>>,
    pub(crate) events: UnboundedSender<HostEvent>,
    pub(crate) matchers: LiveMatchers,
    pub(crate) guardian: Mutex<Watchers>,
    /// What bodies that are over left running.
    pub(crate) leftovers: Mutex<Lane>,
    /// Held by whoever tells the end of a body, and is not the thread that begins the next one, until its files are out of sight.
    tidying: Mutex<()>,
    /// Held while they are put away. Whoever takes both takes this one last.
    emptying: Mutex<()>,
    nodes: node::Nodes,
    /// By which strays of this host are told from those of others.
    pub(crate) keeper: Keeper,
}

impl Shared {
    /// What all bodies share at first.
    pub(crate) fn new(
        settings: Settings,
        masks: SharedMasks,
        sink: Box<dyn LogSink>,
        events: UnboundedSender<HostEvent>,
    ) -> Self {
        Self {
            leftovers: Mutex::new(Lane::of_prefix(format!("{}.", settings.tracking))),
            keeper: Keeper::new([settings.workspace.clone(), settings.temp.clone()]),
            settings,
            masks,
            sink: Mutex::new(sink),
            events,
            matchers: LiveMatchers::default(),
            guardian: Mutex::default(),
            tidying: Mutex::default(),
            emptying: Mutex::default(),
            nodes: node::Nodes::default(),
        }
    }

    /// Waits until the files of bodies whose end another thread told are out of sight.
    pub(crate) fn tidy(&self) -> MutexGuard<'_, ()> {
        self.tidying.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn empty(&self) -> MutexGuard<'_, ()> {
        self.emptying.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nothing is left of them: a script may hold secrets.
    pub(crate) fn tidy_wholly(&self) {
        drop(self.tidy());
        drop(self.empty());
    }

    pub(crate) fn send(&self, epoch: Epoch, event: Event) {
        // Nobody listens any longer: the host is being dropped.
        let _ = self.events.send(HostEvent { epoch, event });
    }

    /// Tells the end of a body.
    pub(crate) fn ended(&self, run: &Run, end: BodyEnd) {
        self.send(run.epoch, Event::BodyEnded { lane: run.lane, end });
    }

    pub(crate) fn write(&self, batch: LogBatch) {
        if !batch.is_empty() {
            self.sink.lock().unwrap_or_else(PoisonError::into_inner).write(batch);
        }
    }

    /// A line for the job's own log.
    pub(crate) fn note(&self, text: &str) {
        let text = self.masks.current().mask_text(text).into_owned();
        self.sink.lock().unwrap_or_else(PoisonError::into_inner).job_line(&text);
    }

    pub(crate) fn watchers(&self) -> MutexGuard<'_, Watchers> {
        self.guardian.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The matchers of the newest body, with what running bodies changed since. A body's own set is in its spec; this one tells
/// the other running bodies of a change.
#[derive(Default)]
pub(crate) struct LiveMatchers {
    current: Mutex<Matchers>,
    generation: AtomicU64,
}

impl LiveMatchers {
    /// A body starts with these; returns the generation that it has seen.
    pub(crate) fn start(&self, matchers: &Matchers) -> u64 {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = matchers.clone();
        self.generation.load(Ordering::Acquire)
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Matchers)) {
        change(&mut self.current.lock().unwrap_or_else(PoisonError::into_inner));
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// The set, if it changed after the generation that was seen.
    pub(crate) fn newer(&self, seen: &mut u64) -> Option<Matchers> {
        let now = self.generation.load(Ordering::Acquire);
        if std::mem::replace(seen, now) == now {
            return None;
        }
        Some(self.current.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// Who is told of the lanes' leaders: the guardian, once it runs.
#[derive(Debug, Default)]
pub(crate) struct Watchers {
    pub(crate) guardian: Option<Guardian>,
    leaders: BTreeSet<i32>,
    frozen: BTreeSet<ProcessId>,
}

impl Watchers {
    pub(crate) fn started(&mut self, leader: i32) {
        self.leaders.insert(leader);
        if let Some(guardian) = &mut self.guardian {
            guardian.started(leader);
        }
    }

    /// Whether no body of this host has a process, not even one that stands.
    pub(super) fn none_runs(&self) -> bool {
        self.leaders.is_empty()
    }

    pub(crate) fn ended(&mut self, leader: i32) {
        self.leaders.remove(&leader);
        if let Some(guardian) = &mut self.guardian {
            guardian.ended(leader);
        }
    }

    /// Exactly these stand still now.
    pub(crate) fn standing(&mut self, processes: &BTreeSet<ProcessId>) {
        self.frozen.clone_from(processes);
        if let Some(guardian) = &mut self.guardian {
            guardian.released();
            guardian.frozen(processes.iter().copied());
        }
    }

    /// The guardian runs now; it hears of what was there before.
    pub(crate) fn set(&mut self, mut guardian: Guardian) {
        self.leaders.iter().for_each(|leader| guardian.started(*leader));
        guardian.frozen(self.frozen.iter().copied());
        self.guardian = Some(guardian);
    }
}

/// Starts a guardian beside the work: the first step does not wait for it.
pub(crate) fn start_guardian(shared: &Arc<Shared>) {
    let shared = Arc::clone(shared);
    let start = move || match Guardian::start(&shared.settings.tracking) {
        Ok(guardian) => shared.watchers().set(guardian),
        Err(error) => tracing::warn!("no guardian watches over this job: {error}"),
    };
    if let Err(error) = std::thread::Builder::new().name("guardian".to_owned()).spawn(start) {
        tracing::warn!("no guardian watches over this job: {error}");
    }
}
