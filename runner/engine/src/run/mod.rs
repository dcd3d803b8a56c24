//! All jobs of one workflow as one pure value above [`Job`](crate::job::Job): `needs`, conditions, matrix,
//! `fail-fast`, `max-parallel`, outputs between jobs. A job that calls a workflow is a run within the run.
//!
//! Decides which job may start and with what; does not know how a job runs, nor how many can run at once on
//! this machine.

mod call;
mod matrix;
mod only;
mod start;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use expr::{Object, Value};
use indexmap::IndexMap;
use syntax::Workflow;

use crate::effect::Outcome;
use crate::event::CancelReason;
use crate::job::JobInputs;
use crate::plan::{JobKey, Plan};
use crate::secrets::Secrets;
use crate::slots::BackgroundSlots;
use call::Call;

pub use matrix::{Combination, MatrixError, expand};
pub use only::Choices;

/// What every job of a run is given.
#[derive(Clone, Default, PartialEq)]
pub struct RunInputs {
    /// The workflow file as shown to people.
    pub file: Arc<str>,
    /// `github`.
    pub github: Object,
    /// `vars`.
    pub vars: Object,
    /// `inputs`.
    pub inputs: Object,
    /// `runner`, but for the folders, which belong to each job.
    pub runner: Object,
    /// How many background steps of a job run at once.
    pub background_slots: BackgroundSlots,
}

/// The jobs of one workflow and how far they are.
#[derive(Clone, PartialEq)]
pub struct Run {
    workflow: Arc<Workflow>,
    given: Arc<RunInputs>,
    /// The call that it answers; `None` for the workflow that was started.
    call: Option<Call>,
    wanted: Option<Vec<Arc<str>>>,
    only: Option<JobKey>,
    groups: IndexMap<Arc<str>, Group>,
    cancelled: bool,
    finished: bool,
}

/// One entry below `jobs:`, with all combinations of its matrix.
#[derive(Clone, PartialEq)]
pub struct Group {
    /// How far it is.
    pub state: GroupState,
    fail_fast: bool,
    max_parallel: Option<u32>,
    instances: Vec<Instance>,
}

/// How far a group of jobs is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupState {
    /// A job that it needs is not over.
    Waiting,
    /// Its jobs are started as they may.
    Started,
    /// All are over; the value is what `needs.ID.result` says.
    Over(Outcome),
}

#[derive(Clone, PartialEq)]
struct Instance {
    key: JobKey,
    name: Arc<str>,
    work: Work,
    /// Its failure counts for nobody: the job's `continue-on-error`, which may depend on the matrix.
    forgiven: bool,
    state: InstanceState,
    outputs: Arc<Object>,
}

/// What a job does.
#[derive(Clone, PartialEq)]
enum Work {
    Steps { plan: Arc<Plan>, inputs: Arc<JobInputs> },
    Call(Box<Run>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InstanceState {
    Queued,
    Running,
    Over(Outcome),
}

/// What a run is told.
#[derive(Clone, PartialEq)]
pub enum RunEvent {
    /// Start.
    Begin,
    /// A job that was started is over.
    JobFinished {
        /// Which.
        key: JobKey,
        /// How.
        outcome: Outcome,
        /// Its outputs.
        outputs: Arc<Object>,
    },
    /// Stop everything; jobs whose condition holds for a cancelled run still start.
    Cancel,
}

/// What a run asks for.
#[derive(Clone, PartialEq)]
pub enum RunEffect {
    /// This job may run now.
    StartJob {
        /// Which.
        key: JobKey,
        /// What it does.
        plan: Arc<Plan>,
        /// What it is given.
        inputs: Arc<JobInputs>,
    },
    /// This running job is to be cancelled.
    CancelJob {
        /// Which.
        key: JobKey,
        /// Why.
        reason: CancelReason,
    },
    /// A job will not run, or one that called a workflow has failed after it: its outputs could not be evaluated.
    JobEnded {
        /// Its id, or the combination that never started.
        key: JobKey,
        /// Its name.
        name: Arc<str>,
        /// Skipped, cancelled or failed.
        outcome: Outcome,
        /// What went wrong, masked.
        error: Option<String>,
    },
    /// Everything is over.
    Finished {
        /// The worst of all jobs.
        outcome: Outcome,
    },
}

impl Run {
    /// A run of the whole workflow, or of the jobs in `wanted` and all that they need. A job of a called workflow is wanted by
    /// the ids that lead to it: `call/build`.
    pub fn new(workflow: Arc<Workflow>, given: RunInputs, wanted: Option<Vec<Arc<str>>>) -> Self {
        let names = match &wanted {
            None => workflow.jobs.keys().cloned().collect(),
            Some(wanted) => {
                let first =
                    |path: &Arc<str>| path.split_once('/').map_or(Arc::clone(path), |(id, _)| id.into());
                with_needs(&workflow, wanted.iter().map(first).collect())
            }
        };
        let groups = workflow
            .jobs
            .keys()
            .filter(|id| names.contains(*id))
            .map(|id| (Arc::clone(id), Group::waiting()))
            .collect();
        Self {
            workflow,
            given: Arc::new(given),
            call: None,
            wanted,
            only: None,
            groups,
            cancelled: false,
            finished: false,
        }
    }

    /// Takes one event; effects are appended in order. An event about a job that does not run changes nothing.
    pub fn handle(&mut self, event: RunEvent, secrets: &Secrets, out: &mut Vec<RunEffect>) {
        match event {
            RunEvent::Begin => {}
            RunEvent::JobFinished { key, outcome, outputs } => {
                self.job_finished(key, outcome, outputs, secrets, out);
            }
            RunEvent::Cancel => self.cancel(secrets, out),
        }
        self.proceed(secrets, out);
    }

    /// The groups in the workflow's order.
    pub fn groups(&self) -> &IndexMap<Arc<str>, Group> {
        &self.groups
    }

    fn job_finished(
        &mut self,
        key: JobKey,
        outcome: Outcome,
        outputs: Arc<Object>,
        secrets: &Secrets,
        out: &mut Vec<RunEffect>,
    ) {
        let Some(own) = key.chain().get(self.depth()).map(|own| (*own).clone()) else { return };
        let Some(group) = self.groups.get_mut(&own.id) else { return };
        let Some(instance) = group.instances.iter_mut().find(|instance| instance.key == own) else { return };
        match instance.work {
            Work::Steps { .. } => {
                instance.state = InstanceState::Over(outcome);
                instance.outputs = outputs;
            }
            Work::Call(_) => instance.tell(RunEvent::JobFinished { key, outcome, outputs }, secrets, out),
        }
        if instance.state == InstanceState::Over(Outcome::Failure) && group.fail_fast && !instance.forgiven {
            group.stop_others(CancelReason::FailFast, secrets, out);
        }
        group.conclude();
    }

    fn cancel(&mut self, secrets: &Secrets, out: &mut Vec<RunEffect>) {
        self.cancelled = true;
        for group in self.groups.values_mut() {
            group.stop_others(CancelReason::Run, secrets, out);
            group.conclude();
        }
    }

    /// Starts what can start until nothing changes any more.
    fn proceed(&mut self, secrets: &Secrets, out: &mut Vec<RunEffect>) {
        loop {
            while let Some(id) = self.next_unblocked() {
                self.open(&id, secrets, out);
            }
            // A call may be over at once, and then others may start.
            if !self.groups.values_mut().any(|group| group.start_queued(secrets, out)) {
                break;
            }
        }
        if !self.finished && self.groups.values().all(|group| matches!(group.state, GroupState::Over(_))) {
            self.finished = true;
            out.push(RunEffect::Finished { outcome: self.outcome() });
        }
    }

    fn next_unblocked(&self) -> Option<Arc<str>> {
        let over =
            |id: &Arc<str>| self.find(id).is_none_or(|group| matches!(group.state, GroupState::Over(_)));
        self.groups
            .iter()
            .filter(|(_, group)| group.state == GroupState::Waiting)
            .find(|(id, _)| {
                self.workflow.jobs.get(*id).is_some_and(|job| job.needs.iter().all(|need| over(&need.value)))
            })
            .map(|(id, _)| Arc::clone(id))
    }

    fn find(&self, id: &str) -> Option<&Group> {
        self.groups.get(id).or_else(|| {
            self.groups.iter().find(|(known, _)| known.eq_ignore_ascii_case(id)).map(|(_, group)| group)
        })
    }

    /// Failure beats cancellation here, unlike inside a job: a run that was not cancelled by a person and has a
    /// failed job is red.
    fn outcome(&self) -> Outcome {
        let all = || self.groups.values().map(Group::outcome);
        if self.cancelled || !all().any(|o| o == Outcome::Failure) && all().any(|o| o == Outcome::Cancelled) {
            Outcome::Cancelled
        } else if all().any(|outcome| outcome == Outcome::Failure) {
            Outcome::Failure
        } else if self.call.is_some() && all().all(|outcome| outcome == Outcome::Skipped) {
            Outcome::Skipped
        } else {
            Outcome::Success
        }
    }
}

impl Group {
    fn waiting() -> Self {
        Self { state: GroupState::Waiting, fail_fast: true, max_parallel: None, instances: Vec::new() }
    }

    fn outcome(&self) -> Outcome {
        match self.state {
            GroupState::Over(outcome) => outcome,
            GroupState::Waiting | GroupState::Started => Outcome::Success,
        }
    }

    fn stop_others(&mut self, reason: CancelReason, secrets: &Secrets, out: &mut Vec<RunEffect>) {
        for instance in &mut self.instances {
            let key = instance.key.clone();
            match (instance.state, &instance.work) {
                (InstanceState::Queued, _) => {
                    instance.state = InstanceState::Over(Outcome::Cancelled);
                    let name = Arc::clone(&instance.name);
                    out.push(RunEffect::JobEnded { key, name, outcome: Outcome::Cancelled, error: None });
                }
                (InstanceState::Running, Work::Steps { .. }) => {
                    out.push(RunEffect::CancelJob { key, reason })
                }
                (InstanceState::Running, Work::Call(_)) => instance.tell(RunEvent::Cancel, secrets, out),
                (InstanceState::Over(_), _) => {}
            }
        }
    }

    /// True when a call was over as soon as it was started.
    fn start_queued(&mut self, secrets: &Secrets, out: &mut Vec<RunEffect>) -> bool {
        let running = self.instances.iter().filter(|one| one.state == InstanceState::Running).count();
        let free = self
            .max_parallel
            .map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
            .saturating_sub(running);
        let mut over = false;
        for instance in self.instances.iter_mut().filter(|one| one.state == InstanceState::Queued).take(free)
        {
            instance.state = InstanceState::Running;
            match &instance.work {
                Work::Steps { plan, inputs } => out.push(RunEffect::StartJob {
                    key: instance.key.clone(),
                    plan: Arc::clone(plan),
                    inputs: Arc::clone(inputs),
                }),
                Work::Call(_) => instance.tell(RunEvent::Begin, secrets, out),
            }
            over |= matches!(instance.state, InstanceState::Over(_));
        }
        if over {
            self.conclude();
        }
        over
    }

    /// All its jobs are over: the worst result that counts is the group's.
    fn conclude(&mut self) {
        let over = |instance: &Instance| match instance.state {
            InstanceState::Over(Outcome::Failure) if instance.forgiven => Some(Outcome::Success),
            InstanceState::Over(outcome) => Some(outcome),
            InstanceState::Queued | InstanceState::Running => None,
        };
        if self.state != GroupState::Started {
            return;
        }
        if let Some(outcomes) = self.instances.iter().map(over).collect::<Option<Vec<_>>>() {
            let has = |outcome| outcomes.contains(&outcome);
            let worst = [Outcome::Failure, Outcome::Cancelled].into_iter().find(|outcome| has(*outcome));
            let skipped = || !outcomes.is_empty() && outcomes.iter().all(|one| *one == Outcome::Skipped);
            let best = || if skipped() { Outcome::Skipped } else { Outcome::Success };
            self.state = GroupState::Over(worst.unwrap_or_else(best));
        }
    }

    /// Outputs of all its jobs; where several set one, the last one in the order of the matrix counts.
    fn outputs(&self) -> Object {
        let mut all = Object::new();
        for (name, value) in self.instances.iter().flat_map(|instance| instance.outputs.iter()) {
            all.insert(Arc::clone(name), value.clone());
        }
        all
    }

    fn needs_entry(&self) -> Value {
        let mut entry = Object::new();
        entry.insert("result", Value::string(self.outcome().as_str()));
        entry.insert("outputs", Value::Object(Arc::new(self.outputs())));
        Value::Object(Arc::new(entry))
    }
}

/// The jobs and, before them, all that they need, directly or not.
fn with_needs(workflow: &Workflow, wanted: Vec<Arc<str>>) -> Vec<Arc<str>> {
    let mut all: Vec<Arc<str>> = Vec::new();
    let mut open = wanted;
    while let Some(id) = open.pop() {
        if all.contains(&id) {
            continue;
        }
        if let Some(job) = workflow.jobs.get(&id) {
            open.extend(job.needs.iter().filter_map(|need| spelled_as_defined(workflow, &need.value)));
        }
        all.push(id);
    }
    all
}

/// `needs` may name a job in another case than it is defined in.
fn spelled_as_defined(workflow: &Workflow, id: &str) -> Option<Arc<str>> {
    workflow.jobs.keys().find(|known| known.eq_ignore_ascii_case(id)).cloned()
}
