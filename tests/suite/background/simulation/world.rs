//! Everything around a simulated job: bodies that run, timers, and somebody who cancels. What happens next is a matter of
//! chance; it happens to the job and to the model, which have to agree.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use engine::effect::{Body, Effect, Outcome, Report, Signal, TimerId};
use engine::event::{BodyEnd, CancelReason, Event, Exit};
use engine::file_command::FileCommandResults;
use engine::job::Job;
use engine::lines::StepCommand;
use engine::secrets::Secrets;
use engine::step_path::{LaneId, StepPath};
use expr::{HashRequest, Object};
use fastrand::Rng;

use super::model::{Act, Back, Front, Model};
use super::spec::{Spec, Write};
use crate::debugger::inputs;

/// What happened in simulated jobs, to see that they are no easy ones.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
    pub(super) events: usize,
    pub(super) full: usize,
    pub(super) queued_cancels: usize,
    pub(super) job_cancels: usize,
    pub(super) time_outs: usize,
    pub(super) lanes: usize,
    pub(super) failed: usize,
    pub(super) late: usize,
}

impl Count {
    pub fn add(&mut self, other: &Count) {
        self.events += other.events;
        self.full += other.full;
        self.queued_cancels += other.queued_cancels;
        self.job_cancels += other.job_cancels;
        self.time_outs += other.time_outs;
        self.lanes += other.lanes;
        self.failed += other.failed;
        self.late += other.late;
    }

    /// Each of them happened often.
    pub fn is_varied(&self) -> bool {
        let Count { events, full, queued_cancels, job_cancels, time_outs, lanes, failed, late } = *self;
        [events, full, queued_cancels, job_cancels, time_outs, lanes, failed, late]
            .iter()
            .all(|count| *count >= 50)
    }
}

/// A body that runs.
pub(super) struct Running {
    pub(super) lane: LaneId,
    /// What it has not written yet.
    writes: Vec<Write>,
    signalled: bool,
}

pub struct World<'a> {
    pub(super) job: Job,
    pub(super) model: Model<'a>,
    pub(super) spec: &'a Spec,
    pub(super) rng: Rng,
    pub(super) secrets: Secrets,
    pub(super) effects: Vec<Effect>,
    pub(super) running: BTreeMap<usize, Running>,
    pub(super) asked: BTreeMap<usize, HashRequest>,
    pub(super) timers: BTreeSet<usize>,
    pub(super) started: BTreeSet<usize>,
    pub(super) settled: BTreeSet<usize>,
    /// How eagerly the foreground goes on.
    pub(super) haste: u8,
    pub(super) cancels: u8,
    pub(super) count: Count,
    /// The state that was found equal last.
    pub(super) known: Option<(Arc<Object>, Arc<Object>)>,
}

impl<'a> World<'a> {
    pub fn new(spec: &'a Spec, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0x51);
        let secrets = Secrets::default();
        let mut effects = Vec::new();
        let job = Job::new(Arc::new(spec.plan()), inputs("/t", "/w"), &secrets, &mut effects);
        let (haste, cancels) = ([2, 5, 8, 9, 9][rng.usize(0..5)], [0, 0, 1, 2][rng.usize(0..4)]);
        Self {
            job,
            model: Model::new(spec),
            spec,
            rng,
            secrets,
            effects: Vec::new(),
            running: BTreeMap::new(),
            asked: BTreeMap::new(),
            timers: BTreeSet::new(),
            started: BTreeSet::new(),
            settled: BTreeSet::new(),
            haste,
            cancels,
            count: Count::default(),
            known: None,
        }
    }

    pub fn run(mut self) -> Count {
        while self.job.outcome().is_none() {
            self.count.events += 1;
            assert!(self.count.events < 2000, "the job comes to no end");
            self.something();
            self.must_agree();
        }
        self.must_be_over();
        self.count
    }

    fn something(&mut self) {
        match self.rng.u8(0..40) {
            0 if self.cancels > 0 => self.cancel(),
            1 => self.cancel_by_hand(),
            2 => self.time_passes(),
            3 => self.something_late(),
            4..=8 if !self.asked.is_empty() => self.answer(),
            9..=14 => self.body_writes(),
            roll if self.job.can_advance() && (roll % 9 < self.haste || self.running.is_empty()) => {
                self.model.advance();
                self.handle(Event::Advance);
            }
            _ if !self.running.is_empty() => self.body_ends(),
            _ if !self.asked.is_empty() => self.answer(),
            _ => {}
        }
    }

    fn handle(&mut self, event: Event) {
        self.job.handle(event, &self.secrets, &mut self.effects).unwrap();
    }

    fn cancel(&mut self) {
        self.cancels -= 1;
        self.count.job_cancels += 1;
        self.model.cancel();
        if self.rng.u8(0..4) == 0 {
            self.handle(Event::Timer(TimerId::Job));
        } else {
            self.handle(Event::Cancel(CancelReason::User));
        }
    }

    fn cancel_by_hand(&mut self) {
        let all: Vec<usize> = self.model.launched.iter().map(|launched| launched.step).collect();
        let Some(step) = self.rng.choice(all) else { return };
        self.model.cancel_step_by_hand(step);
        self.handle(Event::CancelLane(lane_of(step)));
    }

    fn time_passes(&mut self) {
        let Some(step) = self.rng.choice(self.timers.iter().copied().collect::<Vec<_>>()) else { return };
        self.timers.remove(&step);
        let Running { lane, .. } = self.running[&step];
        let is_being_ended = match self.model.launched.iter().find(|launched| launched.step == step) {
            Some(launched) => launched.back != Back::Running(None),
            None => self.model.front != Front::Running(step, None),
        };
        if !is_being_ended {
            self.count.time_outs += 1;
            self.model.timed_out(step);
        }
        self.handle(Event::Timer(TimerId::Step(lane, StepPath::main(as_index(step)))));
    }

    /// What was on its way when its step was over changes nothing.
    fn something_late(&mut self) {
        let over: Vec<usize> = self.settled.iter().copied().collect();
        let Some(step) = self.rng.choice(over) else { return };
        let lane = if self.spec.steps[step].background { lane_of(step) } else { LaneId::FOREGROUND };
        let event = match self.rng.u8(0..3) {
            0 => Event::Timer(TimerId::Step(lane, StepPath::main(as_index(step)))),
            1 if lane != LaneId::FOREGROUND => Event::Command {
                lane,
                command: StepCommand::SetEnv { name: "LATE".into(), value: "1".into() },
            },
            _ if lane != LaneId::FOREGROUND => Event::BodyEnded { lane, end: end(true, &[]) },
            _ => return,
        };
        self.count.late += 1;
        let before = self.job.clone();
        let _ = self.job.handle(event, &self.secrets, &mut self.effects);
        assert!(self.job == before && self.effects.is_empty(), "something late changed the job");
    }

    fn answer(&mut self) {
        let Some(step) = self.rng.choice(self.asked.keys().copied().collect::<Vec<_>>()) else { return };
        let request = self.asked.remove(&step).unwrap();
        let event = Event::HashReady { lane: lane_of(step), request, answer: Ok("digest".to_owned()) };
        if self.model.launched.iter().any(|launched| launched.step == step && launched.back == Back::Asking) {
            self.model.hashed(step);
            self.handle(event);
        } else {
            // It was cancelled meanwhile.
            assert!(self.job.handle(event, &self.secrets, &mut self.effects).is_err());
        }
    }

    fn any_running(&mut self) -> Option<usize> {
        self.rng.choice(self.running.keys().copied().collect::<Vec<_>>())
    }

    fn body_writes(&mut self) {
        let Some(step) = self.any_running() else { return };
        let body = self.running.get_mut(&step).unwrap();
        if body.writes.is_empty() {
            return;
        }
        let (write, lane) = (body.writes.remove(0), body.lane);
        self.model.wrote(step, std::slice::from_ref(&write));
        let command = match write {
            Write::Output(value) => StepCommand::SetOutput { name: "v".into(), value },
            Write::Variable(name, value) => StepCommand::SetEnv { name: format!("K{name}"), value },
            Write::Entry(path) => StepCommand::AddPath { path },
        };
        self.handle(Event::Command { lane, command });
    }

    fn body_ends(&mut self) {
        let Some(step) = self.any_running() else { return };
        let Running { lane, writes, signalled } = self.running.remove(&step).unwrap();
        let well = !signalled && self.rng.u8(0..5) > 0;
        self.model.ended(step, well, &writes);
        self.timers.remove(&step);
        self.handle(Event::BodyEnded { lane, end: end(well, &writes) });
    }

    /// Takes note of what the job asked for, in the model's words.
    pub(super) fn acts(&mut self) -> Vec<Act> {
        let effects = std::mem::take(&mut self.effects);
        effects.into_iter().filter_map(|effect| self.act(effect)).collect()
    }

    fn act(&mut self, effect: Effect) -> Option<Act> {
        match effect {
            Effect::Spawn { lane, body } => {
                let Body::Process(spec) = *body else { panic!("a script") };
                let step = spec.step.index() as usize;
                let writes = self.spec.steps[step].writes.clone();
                assert!(self.started.insert(step), "s{step} starts twice");
                self.running.insert(step, Running { lane, writes, signalled: false });
                let variables = spec
                    .environment
                    .iter()
                    .map(|(name, value)| (name.trim_start_matches('K').parse().unwrap(), value.to_string()));
                let path = spec.path_prepends.iter().map(|entry| entry.to_string());
                Some(Act::Start(step, spec.script.text.to_string(), variables.collect(), path.collect()))
            }
            Effect::Signal { lane, signal } => {
                let (step, body) = self.running.iter_mut().find(|(_, body)| body.lane == lane).unwrap();
                body.signalled = true;
                Some(Act::Signal(*step, signal == Signal::Kill))
            }
            Effect::HashFiles { lane, request } => {
                let step = lane.0 as usize - 1;
                self.asked.insert(step, request);
                Some(Act::Ask(step))
            }
            Effect::SetTimer { id: TimerId::Step(_, path), .. } => {
                self.timers.insert(path.index() as usize);
                None
            }
            Effect::CancelTimer { id: TimerId::Step(_, path) } => {
                self.timers.remove(&(path.index() as usize));
                None
            }
            Effect::Report(Report::StepSettled { lane, step, outcome, .. }) => {
                let step = step.index() as usize;
                assert!(self.settled.insert(step), "the end of s{step} is told twice");
                if lane != LaneId::FOREGROUND {
                    let began = self.started.contains(&step);
                    assert!(began || outcome == Outcome::Cancelled, "s{step} ends without a beginning");
                    self.count.lanes += 1;
                    self.count.queued_cancels += usize::from(!began);
                }
                None
            }
            _ => None,
        }
    }
}

fn end(well: bool, writes: &[Write]) -> BodyEnd {
    let mut files = FileCommandResults::default();
    for write in writes {
        match write {
            Write::Output(value) => files.output.push(("v".to_owned(), value.clone())),
            Write::Variable(name, value) => files.env.push((format!("K{name}"), value.clone())),
            Write::Entry(entry) => files.path.push(entry.clone()),
        }
    }
    BodyEnd { exit: Exit::Code(if well { 0 } else { 3 }), files, command_failed: false }
}

pub(super) fn lane_of(step: usize) -> LaneId {
    LaneId::of_background(&StepPath::main(as_index(step)))
}

fn as_index(step: usize) -> u32 {
    u32::try_from(step).unwrap()
}
