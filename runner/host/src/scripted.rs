//! A host for tests: bodies are answered by a script, and time passes only when nothing else can happen.
//!
//! Knows effects and events; starts no process and reads no clock. A grace of 7.5 s takes no time here.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use engine::action::ResolvedAction;
use engine::effect::{Body, Effect, Signal, TimerId};
use engine::event::{BodyEnd, Event, Exit};
use engine::file_command::FileCommandResults;
use engine::lines::StepCommand;
use engine::step_path::{LaneId, StepPath};

use crate::contract::{CannotFreeze, Epoch, FrozenLanes, Host, HostEvent, LaneStatus, Survivors};
use crate::services::KeptArtifact;
use crate::times::Times;

/// How a body goes.
#[derive(Clone)]
pub struct Play {
    /// Workflow commands that it prints, at its start.
    pub commands: Vec<StepCommand>,
    /// How long it takes; `None`: until it is ended.
    pub takes: Option<Duration>,
    /// How it ends by itself.
    pub exit: Exit,
    /// What its command files say, however it ends.
    pub files: FileCommandResults,
    /// The signals it does not end by: none, SIGINT, or SIGINT and SIGTERM.
    pub ignores: Ignores,
}

/// What a scripted body ignores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignores {
    /// It ends by SIGINT.
    Nothing,
    /// It ends by SIGTERM.
    Interrupt,
    /// It ends by SIGKILL.
    Terminate,
}

impl Default for Play {
    /// Ends at once, well.
    fn default() -> Self {
        Self {
            commands: Vec::new(),
            takes: Some(Duration::ZERO),
            exit: Exit::Code(0),
            files: FileCommandResults::default(),
            ignores: Ignores::Nothing,
        }
    }
}

/// Says how each body goes; may write real files meanwhile.
pub trait Script {
    /// The body in this lane starts.
    fn play(&mut self, lane: LaneId, body: &Body) -> Play;

    /// The action behind a reference.
    ///
    /// # Errors
    /// There is none.
    fn action(&mut self, reference: &str) -> Result<ResolvedAction, String> {
        Err(format!("there is no action {reference}"))
    }

    /// The artifacts that the bodies have left so far.
    fn artifacts(&self) -> Vec<KeptArtifact> {
        Vec::new()
    }

    /// The answer to `hashFiles(…)`.
    fn hash(&mut self, patterns: &[String]) -> Result<String, String> {
        Ok(format!("hash of {}", patterns.join(" ")))
    }
}

impl<F: FnMut(LaneId, &Body) -> Play> Script for F {
    fn play(&mut self, lane: LaneId, body: &Body) -> Play {
        self(lane, body)
    }
}

/// The host.
pub struct ScriptedHost<S> {
    script: S,
    times: Times,
    now: Duration,
    epoch: Epoch,
    next_number: u64,
    waiting: Vec<Entry>,
    held: BTreeSet<LaneId>,
}

struct Entry {
    /// Its lane's time is up then; later ones come later, equal ones in the order in which they were asked for.
    at: Duration,
    number: u64,
    lane: LaneId,
    epoch: Epoch,
    what: What,
}

enum What {
    Event(Event),
    /// A running body; `at` is its end.
    Body(StepPath, Box<Play>),
    Timer(TimerId),
}

/// A body that runs until it is ended ends never.
const NEVER: Duration = Duration::MAX;

impl<S: Script> ScriptedHost<S> {
    /// A host at time 0.
    pub fn new(script: S) -> Self {
        let (times, held) = (Times::default(), BTreeSet::new());
        Self {
            script,
            times,
            now: Duration::ZERO,
            epoch: Epoch(0),
            next_number: 0,
            waiting: Vec::new(),
            held,
        }
    }

    /// The virtual time since the start.
    pub fn now(&self) -> Duration {
        self.now
    }

    /// The script.
    pub fn script(&mut self) -> &mut S {
        &mut self.script
    }

    fn push(&mut self, at: Duration, lane: LaneId, what: What) {
        self.next_number += 1;
        self.waiting.push(Entry { at, number: self.next_number, lane, epoch: self.epoch, what });
    }

    fn spawn(&mut self, lane: LaneId, body: &Body) {
        let mut play = self.script.play(lane, body);
        for command in std::mem::take(&mut play.commands) {
            self.push(self.now, lane, What::Event(Event::Command { lane, command }));
        }
        let at = play.takes.map_or(NEVER, |takes| self.now.saturating_add(takes));
        self.push(at, lane, What::Body(body.step().clone(), Box::new(play)));
    }

    fn signal(&mut self, lane: LaneId, signal: Signal) {
        let (now, times) = (self.now, self.times);
        let body = self.waiting.iter_mut().rev().find_map(|entry| match &mut entry.what {
            What::Body(_, play) if entry.lane == lane => Some((&mut entry.at, play)),
            _ => None,
        });
        let Some((at, play)) = body else { return };
        let (after, number) = match (signal, play.ignores) {
            (Signal::Kill, _) => (Duration::ZERO, 9),
            (Signal::Ladder, Ignores::Nothing) => (Duration::ZERO, 2),
            (Signal::Ladder, Ignores::Interrupt) => (times.interrupt, 15),
            (Signal::Ladder, Ignores::Terminate) => (times.interrupt + times.terminate, 9),
        };
        // It may come to its own end before that.
        if now + after < *at {
            *at = now + after;
            play.exit = Exit::Signal(number);
        }
    }

    fn take_next(&mut self) -> Option<HostEvent> {
        let held = &self.held;
        let stands = |entry: &Entry| matches!(entry.what, What::Timer(_)) && held.contains(&entry.lane);
        let due = |entry: &Entry| (entry.at < NEVER && !stands(entry)).then_some((entry.at, entry.number));
        let first = self.waiting.iter().filter_map(due).min()?;
        let index = self.waiting.iter().position(|entry| (entry.at, entry.number) == first)?;
        let entry = self.waiting.remove(index);
        self.advance(entry.at);
        let lane = entry.lane;
        let event = match entry.what {
            What::Event(event) => event,
            What::Timer(id) => Event::Timer(id),
            What::Body(_, play) => {
                let end = BodyEnd { exit: play.exit, files: play.files, command_failed: false };
                Event::BodyEnded { lane, end }
            }
        };
        Some(HostEvent { epoch: entry.epoch, event })
    }

    /// Time passes; held timers move away with it.
    fn advance(&mut self, to: Duration) {
        let passed = to.saturating_sub(self.now);
        self.now = self.now.max(to);
        for entry in &mut self.waiting {
            if matches!(entry.what, What::Timer(_)) && self.held.contains(&entry.lane) {
                entry.at = entry.at.saturating_add(passed);
            }
        }
    }
}

impl<S: Script> Host for ScriptedHost<S> {
    type Frozen = ScriptedFrozen;

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Spawn { lane, body } => self.spawn(lane, &body),
            Effect::Signal { lane, signal } => self.signal(lane, signal),
            Effect::SetTimer { id, after } => {
                self.perform(Effect::CancelTimer { id: id.clone() });
                self.push(self.now.saturating_add(after), id.lane(), What::Timer(id));
            }
            Effect::CancelTimer { id } => {
                self.waiting.retain(|entry| !matches!(&entry.what, What::Timer(known) if *known == id));
            }
            Effect::HashFiles { lane, request } => {
                let answer = self.script.hash(&request.patterns);
                self.push(self.now, lane, What::Event(Event::HashReady { lane, request, answer }));
            }
            Effect::FetchAction { lane, step, reference, .. } => {
                let answer = self.script.action(&reference).map(Arc::new);
                self.push(self.now, lane, What::Event(Event::ActionReady { lane, step, answer }));
            }
            Effect::Report(_) => {}
        }
    }

    /// Never ready when nothing can happen any more.
    fn next(&mut self) -> impl Future<Output = HostEvent> {
        std::future::poll_fn(|_| self.take_next().map_or(std::task::Poll::Pending, std::task::Poll::Ready))
    }

    fn set_epoch(&mut self, epoch: Epoch) {
        self.epoch = epoch;
    }

    fn hold_time(&mut self, lane: LaneId, held: bool) {
        if held {
            self.held.insert(lane)
        } else {
            self.held.remove(&lane)
        };
    }

    async fn freeze(&mut self) -> Result<ScriptedFrozen, CannotFreeze> {
        // Events that happened already stay in the queue, as they do with the live host.
        let (kept, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|entry| matches!(entry.what, What::Event(_)));
        self.waiting = kept;
        Ok(ScriptedFrozen { since: self.now, waiting })
    }

    async fn thaw(&mut self, frozen: ScriptedFrozen) {
        let stood = self.now.saturating_sub(frozen.since);
        self.waiting.extend(frozen.waiting.into_iter().map(|mut entry| {
            entry.at = entry.at.saturating_add(stood);
            entry
        }));
    }

    async fn end(&mut self, _frozen: ScriptedFrozen) -> Result<(), Survivors> {
        Ok(())
    }

    fn clean_up(&mut self) -> Vec<String> {
        Vec::new()
    }

    fn artifacts(&self) -> Vec<KeptArtifact> {
        self.script.artifacts()
    }

    fn running(&self) -> Vec<LaneStatus> {
        statuses(&self.waiting, 0)
    }
}

/// Scripted lanes that stand.
pub struct ScriptedFrozen {
    since: Duration,
    waiting: Vec<Entry>,
}

impl FrozenLanes for ScriptedFrozen {
    fn lanes(&self) -> Vec<LaneStatus> {
        statuses(&self.waiting, 1)
    }

    /// No time passes while nothing but this is looked at.
    fn stood(&self) -> Duration {
        Duration::ZERO
    }

    fn split_off(&mut self, mut which: impl FnMut(&LaneStatus) -> bool) -> Self {
        let taken: Vec<LaneId> =
            self.lanes().iter().filter(|lane| which(lane)).map(|lane| lane.lane).collect();
        let (waiting, kept) =
            std::mem::take(&mut self.waiting).into_iter().partition(|entry| taken.contains(&entry.lane));
        self.waiting = kept;
        Self { since: self.since, waiting }
    }
}

fn statuses(entries: &[Entry], processes: usize) -> Vec<LaneStatus> {
    let status = |entry: &Entry| match &entry.what {
        What::Body(step, _) => Some(LaneStatus {
            lane: entry.lane,
            epoch: entry.epoch,
            step: step.clone(),
            running: true,
            processes,
        }),
        _ => None,
    };
    let mut bodies: Vec<&Entry> = entries.iter().collect();
    bodies.sort_by_key(|entry| entry.number);
    bodies.into_iter().filter_map(status).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::process::CheckoutSpec;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    fn ready<T>(future: impl Future<Output = T>) -> Option<T> {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        }
    }

    fn body(step: u32) -> Effect {
        let spec = CheckoutSpec {
            step: StepPath::main(step),
            title: String::new(),
            reference: None,
            path: None,
            repository: None,
        };
        Effect::Spawn { lane: LaneId(step), body: Box::new(Body::Checkout(spec)) }
    }

    /// What comes next, in words: `time epoch what`.
    fn next<S: Script>(host: &mut ScriptedHost<S>) -> String {
        let Some(HostEvent { epoch, event }) = ready(host.next()) else { return "nothing".to_owned() };
        let what = match event {
            Event::BodyEnded { lane, end } => format!("lane {lane} {:?}", end.exit),
            Event::Timer(id) => format!("timer of lane {}", id.lane()),
            _ => "another event".to_owned(),
        };
        format!("{} ms, epoch {}: {what}", host.now().as_millis(), epoch.0)
    }

    fn lasting(seconds: u64) -> Play {
        Play { takes: Some(Duration::from_secs(seconds)), ..Play::default() }
    }

    #[test]
    fn time_passes_only_as_far_as_needed() {
        let mut host = ScriptedHost::new(|lane: LaneId, _: &Body| lasting(u64::from(lane.0)));
        let timer = TimerId::Step(LaneId(2), StepPath::main(2));
        host.perform(body(3));
        host.perform(body(1));
        host.perform(Effect::SetTimer { id: timer, after: Duration::from_secs(2) });
        assert_eq!(next(&mut host), "1000 ms, epoch 0: lane 1 Code(0)");
        assert_eq!(next(&mut host), "2000 ms, epoch 0: timer of lane 2");
        assert_eq!(next(&mut host), "3000 ms, epoch 0: lane 3 Code(0)");
        assert_eq!(next(&mut host), "nothing");
    }

    #[test]
    fn a_grace_takes_no_time() {
        let ignoring = |ignores| Play { takes: None, ignores, ..Play::default() };
        let plays = [Ignores::Nothing, Ignores::Interrupt, Ignores::Terminate].map(ignoring);
        let mut host = ScriptedHost::new(move |lane: LaneId, _: &Body| plays[lane.0 as usize].clone());
        (0..3).for_each(|lane| host.perform(body(lane)));
        assert_eq!(next(&mut host), "nothing");
        (0..3).for_each(|lane| host.perform(Effect::Signal { lane: LaneId(lane), signal: Signal::Ladder }));
        assert_eq!(next(&mut host), "0 ms, epoch 0: lane 0 Signal(2)");
        assert_eq!(next(&mut host), "7500 ms, epoch 0: lane 1 Signal(15)");
        assert_eq!(next(&mut host), "10000 ms, epoch 0: lane 2 Signal(9)");
    }

    #[test]
    fn frozen_lanes_keep_their_epoch_and_their_rest() {
        let mut host = ScriptedHost::new(|_: LaneId, _: &Body| lasting(4));
        let job = TimerId::Job;
        host.perform(body(1));
        host.perform(Effect::SetTimer { id: job, after: Duration::from_secs(3) });
        let frozen = ready(host.freeze()).unwrap().unwrap();
        assert_eq!((frozen.lanes().len(), host.running().len()), (1, 0));
        host.set_epoch(Epoch(1));
        host.perform(body(1));
        assert_eq!(next(&mut host), "4000 ms, epoch 1: lane 1 Code(0)");
        ready(host.thaw(frozen)).unwrap();
        assert_eq!(next(&mut host), "7000 ms, epoch 0: timer of lane 0");
        assert_eq!(next(&mut host), "8000 ms, epoch 0: lane 1 Code(0)");
    }

    #[test]
    fn a_held_timer_waits_while_others_go_on() {
        let mut host = ScriptedHost::new(|_: LaneId, _: &Body| lasting(5));
        host.perform(Effect::SetTimer { id: TimerId::Job, after: Duration::from_secs(3) });
        host.hold_time(LaneId::FOREGROUND, true);
        host.perform(body(1));
        assert_eq!(next(&mut host), "5000 ms, epoch 0: lane 1 Code(0)");
        assert_eq!(next(&mut host), "nothing");
        host.hold_time(LaneId::FOREGROUND, false);
        assert_eq!(next(&mut host), "8000 ms, epoch 0: timer of lane 0");
    }
}
