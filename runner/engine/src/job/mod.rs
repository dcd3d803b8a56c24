//! The mutable state of one execution of a plan, as one plain value.
//!
//! [`Job::handle`] is the step loop: one event in, a changed job and effects out. A job can be cloned into any
//! number of checkpoints, compared and put back. It holds no process, file, clock or callback, and nothing that
//! differs between two equal runs. It does not know whether somebody debugs it: a paused job is one that nobody
//! has told to advance.

mod alike;
mod background;
mod body;
mod cancel;
mod composite;
mod contexts;
mod definition;
mod dispatch;
mod edit;
mod evaluate;
mod finish;
mod inputs;
mod join;
mod lane;
mod program;
mod set_up;
mod settle;
mod shell;
mod state;
mod wanted;
mod workflow_identity;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use expr::{Object, OrderedMap};
use indexmap::IndexMap;

use alike::Alike;
pub use composite::Composite;
pub use contexts::JobInputs;
pub use dispatch::Explanation;
pub use evaluate::Question;
pub use lane::{Cursor, Decision, Deferred, Lane, Stop, Wait, WaitKind};
pub use state::{CompositeState, JobState, LaneState, ScopeState};

use crate::action::ResolvedAction;
use crate::effect::{Effect, Outcome, Report, TimerId};
use crate::event::{CancelReason, Event};
use crate::lines::LineTag;
use crate::matcher::Matchers;
use crate::plan::Plan;
use crate::secrets::Secrets;
use crate::step_path::{LaneId, StepPath};

/// One execution of a plan.
#[derive(Clone, PartialEq)]
pub struct Job {
    plan: Arc<Plan>,
    given: Arc<JobInputs>,
    /// What follows from these two for all steps.
    alike: Alike,
    lanes: IndexMap<LaneId, Lane>,
    status: Outcome,
    cancelled: Option<CancelReason>,
    inputs: Arc<Object>,
    steps: Arc<Object>,
    env: Arc<Object>,
    path: Arc<Vec<Arc<str>>>,
    saved_state: Arc<IndexMap<StepPath, Arc<Object>>>,
    actions: Arc<IndexMap<StepPath, Arc<ResolvedAction>>>,
    composites: Arc<IndexMap<StepPath, Arc<Composite>>>,
    /// Actions that are looked for before the first step, and who uses each. Empty at every stop point.
    awaited: IndexMap<Arc<str>, Vec<StepPath>>,
    results: Arc<OrderedMap<StepPath, StepResult>>,
    post: Vec<StepPath>,
    matchers: Matchers,
    outputs: Arc<Object>,
}

/// How one step ended.
#[derive(Clone, PartialEq, Eq)]
pub struct StepResult {
    /// The display name, masked.
    pub name: Arc<str>,
    /// What happened.
    pub outcome: Outcome,
    /// What counts for the job.
    pub conclusion: Outcome,
    /// It was cancelled for itself, by a `cancel` step or by a person, and not with the job: whoever waits for it does not mind
    /// (steps.md 2.7, rows 11 and 12).
    pub called_off: bool,
}

/// An event that does not fit the state. The job is unchanged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misuse {
    /// There is no such lane.
    #[error("the job has no lane {0}")]
    NoLane(LaneId),
    /// The lane cannot advance: its body runs, or it waits for an answer.
    #[error("lane {0} cannot advance now")]
    Busy(LaneId),
    /// The lane has nothing that could end.
    #[error("lane {0} runs nothing")]
    NotRunning(LaneId),
    /// The job is over.
    #[error("the job is over")]
    Over,
    /// The edit names something that is not there.
    #[error("{0}")]
    Edit(String),
}

impl Job {
    /// A job that stands before its first step, with its environment evaluated. A fault in the environment leaves
    /// a job that is over and has failed, as GitHub does in "Set up job" (steps.md 1.1).
    pub fn new(plan: Arc<Plan>, given: JobInputs, secrets: &Secrets, out: &mut Vec<Effect>) -> Self {
        let cursor = plan.main(0).map_or(Cursor::Done(Outcome::Success), Cursor::Ready);
        let mut job = Self {
            plan,
            inputs: Arc::clone(&given.inputs),
            given: Arc::new(given),
            alike: Alike::default(),
            lanes: IndexMap::from([(LaneId::FOREGROUND, Lane::at(cursor))]),
            status: Outcome::Success,
            cancelled: None,
            steps: Arc::default(),
            env: Arc::new(Object::case_sensitive()),
            path: Arc::default(),
            saved_state: Arc::default(),
            actions: Arc::default(),
            composites: Arc::default(),
            awaited: IndexMap::new(),
            results: Arc::default(),
            post: Vec::new(),
            matchers: Matchers::default(),
            outputs: Arc::default(),
        };
        job.set_up(secrets, out);
        job
    }

    /// Takes one event, and all that follows from it. Effects are appended to `out` in the order in which they are to be carried
    /// out.
    ///
    /// # Errors
    /// The event does not fit; nothing has changed.
    pub fn handle(&mut self, event: Event, secrets: &Secrets, out: &mut Vec<Effect>) -> Result<(), Misuse> {
        self.happen(event, secrets, out)?;
        while self.move_on(secrets, out) {}
        Ok(())
    }

    /// The first half of [`Job::handle`], for whoever looks at each state on the way: the event alone. [`Job::move_on`] is to be
    /// called until nothing moves any more.
    ///
    /// # Errors
    /// As for [`Job::handle`].
    pub fn happen(&mut self, event: Event, secrets: &Secrets, out: &mut Vec<Effect>) -> Result<(), Misuse> {
        match event {
            Event::Advance => self.advance(LaneId::FOREGROUND, secrets, out),
            Event::Command { lane, command } => self.command(lane, command),
            Event::Matchers { lane, change } => self.change_matchers(lane, change),
            Event::BodyEnded { lane, end } => self.body_ended(lane, end, secrets, out),
            Event::HashReady { lane, request, answer } => {
                self.hash_ready(lane, request, answer, secrets, out)
            }
            Event::ActionReady { lane, step, answer } => self.action_ready(lane, &step, answer, secrets, out),
            Event::Timer(id) => self.timer(&id, secrets, out),
            Event::Cancel(reason) => self.cancel(reason, secrets, out),
            Event::CancelLane(lane) => self.cancel_lane(lane, secrets, out),
            Event::Edited(edit) => self.edit(edit),
            Event::Resumed { lanes } => self.resumed(lanes, secrets, out),
        }
    }

    /// One thing that follows of itself from what happened: a lane that has a slot now begins, a lane goes on inside of its action,
    /// or a wait ends. False if there is none.
    pub fn move_on(&mut self, secrets: &Secrets, out: &mut Vec<Effect>) -> bool {
        self.fill_slot(secrets, out) || self.advance_inside(secrets, out) || self.end_wait(secrets, out)
    }

    fn advance(&mut self, lane: LaneId, secrets: &Secrets, out: &mut Vec<Effect>) -> Result<(), Misuse> {
        let state = self.lanes.get(&lane).ok_or(Misuse::NoLane(lane))?;
        if !state.is_idle() || self.is_setting_up() {
            return Err(Misuse::Busy(lane));
        }
        match state.cursor.clone() {
            Cursor::Ready(path) => self.decide(lane, path, secrets, out),
            Cursor::Decided(path, decision) => self.begin(lane, path, decision, secrets, out),
            Cursor::Running(_) => return Err(Misuse::Busy(lane)),
            Cursor::Settled(path) => self.leave(lane, &path, secrets, out),
            Cursor::Done(_) => return Err(Misuse::Over),
        }
        Ok(())
    }

    /// The plan that is executed.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// What the job was started with.
    pub fn given(&self) -> &Arc<JobInputs> {
        &self.given
    }

    /// All lanes; the foreground is always there.
    pub fn lanes(&self) -> &IndexMap<LaneId, Lane> {
        &self.lanes
    }

    /// True where `Event::Advance` moves the foreground: it neither runs a step, nor waits for anything, nor is done.
    pub fn can_advance(&self) -> bool {
        let waits = |lane: &Lane| !lane.is_idle();
        !matches!(self.cursor(), Cursor::Running(_) | Cursor::Done(_))
            && !self.is_setting_up()
            && !self.lanes.get(&LaneId::FOREGROUND).is_some_and(waits)
    }

    /// Where the foreground stands.
    pub fn cursor(&self) -> &Cursor {
        const DONE: &Cursor = &Cursor::Done(Outcome::Success);
        self.lanes.get(&LaneId::FOREGROUND).map_or(DONE, |lane| &lane.cursor)
    }

    /// What `job.status` is: success, failure or cancelled.
    pub fn status(&self) -> Outcome {
        self.status
    }

    /// Why the job was cancelled, if it was.
    pub fn cancelled(&self) -> Option<CancelReason> {
        self.cancelled
    }

    /// How the steps ended that are over, in the order in which they ended.
    pub fn results(&self) -> &OrderedMap<StepPath, StepResult> {
        &self.results
    }

    /// The job's variables: job `env` and everything written to `GITHUB_ENV`. Values may hold secrets.
    pub fn env(&self) -> &Arc<Object> {
        &self.env
    }

    /// The `steps` context. Values may hold secrets.
    pub fn steps(&self) -> &Arc<Object> {
        &self.steps
    }

    /// What was put in front of PATH, in the order in which it was added.
    pub fn path(&self) -> &[Arc<str>] {
        &self.path
    }

    /// The `inputs` context.
    pub fn inputs(&self) -> &Arc<Object> {
        &self.inputs
    }

    /// Problem matchers that are in force.
    pub fn matchers(&self) -> &Matchers {
        &self.matchers
    }

    /// Post steps still to run, the next one last.
    pub fn registered_posts(&self) -> &[StepPath] {
        &self.post
    }

    /// What `save-state` kept, by the step of the main stage.
    pub fn saved_state(&self) -> &IndexMap<StepPath, Arc<Object>> {
        &self.saved_state
    }

    /// The job's outputs; empty until the job is over.
    pub fn outputs(&self) -> &Arc<Object> {
        &self.outputs
    }

    /// How the job ended, if it has.
    pub fn outcome(&self) -> Option<Outcome> {
        match self.cursor() {
            Cursor::Done(outcome) => Some(*outcome),
            _ => None,
        }
    }

    fn foreground(&mut self) -> &mut Lane {
        self.lane_or_insert(LaneId::FOREGROUND)
    }

    fn lane_or_insert(&mut self, lane: LaneId) -> &mut Lane {
        self.lanes.entry(lane).or_insert_with(|| Lane::at(Cursor::Done(Outcome::Success)))
    }

    /// A line of the log, masked here.
    fn log(
        &self,
        step: Option<&StepPath>,
        tag: LineTag,
        text: &str,
        secrets: &Secrets,
        out: &mut Vec<Effect>,
    ) {
        let lane = step.map_or(LaneId::FOREGROUND, |step| self.lane_of(step));
        let line = Report::Line { lane, step: step.cloned(), tag, text: secrets.mask(text) };
        out.push(Effect::Report(line));
    }

    /// A fault as GitHub words it, with the place in the workflow file.
    fn fault_text(&self, fault: &evaluate::Fault) -> String {
        located(&self.plan.file, fault)
    }
}

fn located(file: &str, fault: &evaluate::Fault) -> String {
    match fault.span {
        None => fault.text.clone(),
        Some(span) => format!(
            "The template is not valid. {file} (Line: {}, Col: {}): {}",
            span.start.line, span.start.column, fault.text
        ),
    }
}

impl fmt::Debug for Job {
    /// Names and positions only: any value may come from a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("plan", &self.plan)
            .field("lanes", &self.lanes.iter().map(|(id, lane)| (id.0, &lane.cursor)).collect::<Vec<_>>())
            .field("status", &self.status)
            .field("env", &self.env.keys().collect::<Vec<_>>())
            .field("steps", &self.steps.keys().collect::<Vec<_>>())
            .field("path", &self.path.len())
            .field("post", &self.post)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for StepResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} / {})", self.name, self.outcome, self.conclusion)
    }
}

/// The timer of the step that runs in a lane.
fn step_timer(lane: LaneId, path: &StepPath) -> TimerId {
    TimerId::Step(lane, path.clone())
}
