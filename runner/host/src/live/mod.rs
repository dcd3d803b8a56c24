//! The live host: effects become processes and files of this machine.
//!
//! Knows bodies, their threads, timers and the guardian; not the job, and nothing of going back but freezing and thawing.

mod attended;
mod bodies;
mod checkout;
mod frozen;
mod workers;

pub use crate::body::{BaseEnvironment, Settings, SpareFolders};
pub use frozen::LiveFrozen;

use std::sync::Arc;
use std::time::Instant;

use engine::effect::{Effect, Signal};
use engine::event::Event;
use engine::step_path::LaneId;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::action::{self, CallOff, Errand};
use crate::body::{Run, Shared, StepFiles, discard_files, start_guardian};
use crate::contract::{CannotFreeze, Epoch, Host, HostEvent, LaneStatus, Survivors};
use crate::hash_files::hash_files;
use crate::lane::{self, Except, Lane};
use crate::log::LogSink;
use crate::masks::SharedMasks;
use crate::orphans;
use crate::proc::{self, ProcessId, State};
use crate::services::{JobServices, KeptArtifact};
use crate::timers::Timers;
use attended::Attended;
use frozen::{Places, Standing, freeze_all};
use workers::Workers;

/// Runs steps on this machine. Dropped, it ends what still runs.
pub struct LiveHost {
    shared: Arc<Shared>,
    events: UnboundedReceiver<HostEvent>,
    workers: Workers,
    attended: Option<Attended>,
    /// Of a body that ended while it was attended here; still where its step found them.
    remains: Option<Box<StepFiles>>,
    epoch: Epoch,
    timers: Timers,
    runs: Vec<Arc<Run>>,
    places: Places,
    next_number: u64,
    /// Processes of lanes that stand, set aside.
    aside: Except,
    /// Lanes that were to be ended and had a survivor.
    unended: Vec<Standing>,
    /// Actions are looked for on its behalf.
    errand: Errand,
    _call_off: CallOff,
}

impl LiveHost {
    /// A host for one job. `masks` may be shared with other jobs of the run; `sink` takes the log.
    pub fn new(settings: Settings, masks: SharedMasks, sink: Box<dyn LogSink>) -> Self {
        if let Err(error) = proc::become_subreaper() {
            tracing::warn!("orphans of steps may be lost: {error}");
        }
        let (sender, events) = unbounded_channel();
        let guardian = settings.guardian;
        let shared = Arc::new(Shared::new(settings, masks, sink, sender));
        if guardian {
            start_guardian(&shared);
        }
        let noting = Arc::downgrade(&shared);
        let (errand, call_off) = Errand::new(move |text| {
            if let Some(shared) = noting.upgrade() {
                shared.note(text);
            }
        });
        Self {
            shared,
            events,
            workers: Workers::default(),
            attended: None,
            remains: None,
            epoch: Epoch::default(),
            timers: Timers::default(),
            runs: Vec::new(),
            places: Places::new(),
            next_number: 0,
            aside: Except::new(),
            unended: Vec::new(),
            errand,
            _call_off: call_off,
        }
    }

    /// At the end of the job: ends every process that carries the job's tracking id and returns the lines for the log
    /// (steps.md 1.7). Blocks until they are gone.
    ///
    /// # Errors
    /// Some are still there.
    pub fn terminate_orphans(&mut self) -> Result<Vec<String>, Survivors> {
        // Looking at every process of the machine would cost a short job more than its steps.
        if orphans::none_possible() {
            return Ok(Vec::new());
        }
        let settings = &self.shared.settings;
        let ended = orphans::sweep(&format!("{}.", settings.tracking), settings.times.kill)?;
        Ok(ended.iter().map(orphans::line).collect())
    }

    /// Without a thread it is done here and now: slow, but right.
    fn in_background(&self, task: impl FnOnce() + Send + 'static) {
        match self.workers.take() {
            Ok(worker) => worker.run(Box::new(task)),
            Err(_) => task(),
        }
    }

    fn signal(&mut self, lane: LaneId, signal: Signal) {
        self.hand_over();
        let newest = self.runs.iter().rev().find(|run| run.lane == lane && !run.lock().over);
        if let Some(run) = newest {
            run.signal(signal);
        }
    }

    fn set_aside(&mut self, standing: &[Standing]) {
        self.aside.extend(standing.iter().flat_map(|lane| lane.frozen.processes()));
        self.shared.watchers().standing(&self.aside);
        let is_standing = |run: &Arc<Run>| {
            standing.iter().any(|lane| lane.run.as_ref().is_some_and(|other| Arc::ptr_eq(other, run)))
        };
        self.runs.retain(|run| !is_standing(run));
    }

    fn dismiss_guardian(&self) {
        if let Some(mut guardian) = self.shared.watchers().guardian.take() {
            guardian.dismiss();
        }
    }

    /// These stand no longer; the guardian keeps those in mind that still do.
    fn no_longer_aside(&mut self, processes: impl Iterator<Item = ProcessId>) {
        for id in processes {
            self.aside.remove(&id);
        }
        self.shared.watchers().standing(&self.aside);
    }
}

impl Host for LiveHost {
    type Frozen = LiveFrozen;

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Spawn { lane, body } => self.spawn(lane, *body),
            Effect::Signal { lane, signal } => self.signal(lane, signal),
            Effect::SetTimer { id, after } => self.timers.set(id, self.epoch, after, Instant::now()),
            Effect::CancelTimer { id } => self.timers.cancel(&id),
            Effect::HashFiles { lane, request } => {
                let (shared, epoch) = (Arc::clone(&self.shared), self.epoch);
                self.in_background(move || {
                    let workspace = &shared.settings.workspace;
                    let answer = hash_files(workspace, &request.patterns, request.follow_symbolic_links);
                    shared.send(epoch, Event::HashReady { lane, request, answer });
                });
            }
            Effect::FetchAction { lane, step, reference, commit } => {
                let (shared, epoch, errand) = (Arc::clone(&self.shared), self.epoch, self.errand.clone());
                self.in_background(move || {
                    let settings = &shared.settings;
                    let (workspace, origin) = (&settings.workspace, &settings.origin.folder);
                    let places = action::Places { workspace, origin, store: &settings.actions };
                    let answer = action::find(places, &reference, commit.as_deref(), &errand);
                    let masks = shared.masks.current();
                    let answer = answer.map(Arc::new).map_err(|text| masks.mask_text(&text).into_owned());
                    shared.send(epoch, Event::ActionReady { lane, step, answer });
                });
            }
            Effect::Report(_) => {}
        }
    }

    async fn next(&mut self) -> HostEvent {
        // If the job has a next step, that one runs by now, and has what it can use of them.
        self.put_remains_away();
        loop {
            let handing_over = self.attended.as_ref().map(|attended| attended.until);
            let due = self.timers.next_deadline().into_iter().chain(handing_over).min();
            let ring = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due.into()).await,
                    None => std::future::pending().await,
                }
            };
            let attended = self.attended.as_ref();
            let need = async {
                match attended {
                    Some(attended) => attended.need().await,
                    None => std::future::pending().await,
                }
            };
            let need = tokio::select! {
                biased;
                Some(event) = self.events.recv() => return event,
                need = need => Some(need),
                () = ring => None,
            };
            let now = Instant::now();
            if let Some(need) = need {
                self.attend_to(need);
            } else if let Some((epoch, id)) = self.timers.take_due(now) {
                return HostEvent { epoch, event: Event::Timer(id) };
            } else if handing_over.is_some_and(|until| until <= now) {
                self.hand_over();
            }
        }
    }

    fn set_epoch(&mut self, epoch: Epoch) {
        self.epoch = epoch;
    }

    fn hold_time(&mut self, lane: LaneId, held: bool) {
        self.timers.hold(lane, held, Instant::now());
    }

    async fn freeze(&mut self) -> Result<LiveFrozen, CannotFreeze> {
        self.hand_over();
        let since = Instant::now();
        let shared = Arc::clone(&self.shared);
        let runs: Vec<Arc<Run>> = self.runs.iter().filter(|run| !run.lock().over).cloned().collect();
        let (places, except) = (self.places.clone(), self.aside.clone());
        let freezing = move || freeze_all(&shared, &runs, &places, &except).map(Unclaimed);
        let standing = match tokio::task::spawn_blocking(freezing).await {
            Ok(result) => result?.claim(),
            Err(error) => return Err(CannotFreeze::NoTable(std::io::Error::other(error))),
        };
        self.set_aside(&standing);
        Ok(LiveFrozen::new(standing, self.timers.freeze(since), since))
    }

    async fn thaw(&mut self, frozen: LiveFrozen) {
        self.no_longer_aside(frozen.processes());
        self.timers.thaw(frozen.timers, Instant::now());
        self.runs.extend(frozen.lanes.iter().filter_map(|lane| lane.run.clone()));
        thaw_all(&frozen.lanes);
    }

    async fn end(&mut self, frozen: LiveFrozen) -> Result<(), Survivors> {
        let mut standing = std::mem::take(&mut self.unended);
        standing.extend(frozen.lanes);
        let processes: Vec<ProcessId> = standing.iter().flat_map(|lane| lane.frozen.processes()).collect();
        let within = self.shared.settings.times.kill;
        let targets = processes.clone();
        let result = tokio::task::spawn_blocking(move || {
            lane::kill_while(|scan| targets.iter().filter_map(|id| alive(scan, *id)).collect(), within)
        });
        match result.await {
            Ok(Ok(_)) => {
                for run in standing.iter().filter_map(|lane| lane.run.as_ref()) {
                    discard_files(&self.shared.settings, &run.step);
                    run.discard();
                }
                self.no_longer_aside(processes.into_iter());
                Ok(())
            }
            Ok(Err(survivors)) => {
                self.unended = standing;
                Err(survivors)
            }
            Err(_) => {
                self.unended = standing;
                Err(Survivors { processes: Vec::new(), after: within })
            }
        }
    }

    fn clean_up(&mut self) -> Vec<String> {
        self.put_remains_away();
        self.shared.tidy_wholly();
        self.terminate_orphans().unwrap_or_else(|survivors| vec![survivors.to_string()])
    }

    fn artifacts(&self) -> Vec<KeptArtifact> {
        self.shared.settings.services.as_ref().map(JobServices::artifacts).unwrap_or_default()
    }

    fn running(&self) -> Vec<LaneStatus> {
        self.runs.iter().filter(|run| !run.lock().over).map(|run| run.status(0)).collect()
    }
}

fn alive(scan: &lane::Scan, id: ProcessId) -> Option<proc::Process> {
    scan.process(id.pid).filter(|process| process.id == id && process.state != State::Ended).copied()
}

fn thaw_all(standing: &[Standing]) {
    for lane in standing {
        if let Some(run) = &lane.run {
            run.release();
        }
        lane::thaw(&lane.frozen);
    }
}

/// What a freeze stopped, on its way to its owner. If nobody takes it, because the future was dropped, it runs on.
struct Unclaimed(Vec<Standing>);

impl Unclaimed {
    fn claim(mut self) -> Vec<Standing> {
        std::mem::take(&mut self.0)
    }
}

impl Drop for Unclaimed {
    fn drop(&mut self) {
        thaw_all(&self.0);
    }
}

impl Drop for LiveHost {
    /// What still runs or stands is ended with its whole lane; what bodies left running is the business of
    /// [`terminate_orphans`](LiveHost::terminate_orphans).
    fn drop(&mut self) {
        self.hand_over();
        self.put_remains_away();
        self.shared.tidy_wholly();
        let running: Vec<&Arc<Run>> = self.runs.iter().filter(|run| !run.lock().over).collect();
        if !running.is_empty() {
            let mut lanes: Vec<Lane> = running.iter().map(|run| run.lock().membership.clone()).collect();
            running.iter().for_each(|run| run.discard());
            if let Err(survivors) = lane::kill(&mut lanes, self.shared.settings.times.kill) {
                tracing::warn!("{survivors}");
            }
        }
        let aside = std::mem::take(&mut self.aside);
        if aside.is_empty() {
            return self.dismiss_guardian();
        }
        let find = |scan: &mut lane::Scan| aside.iter().filter_map(|id| alive(scan, *id)).collect();
        if let Err(survivors) = lane::kill_while(find, self.shared.settings.times.kill) {
            tracing::warn!("{survivors}");
        }
        self.dismiss_guardian();
    }
}

#[cfg(test)]
mod tests;
