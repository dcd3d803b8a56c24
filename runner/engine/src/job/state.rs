//! A job's whole state laid open, to be stored and put back.
//!
//! Plain data with public fields; how it is written down is somebody else's. `Job` → `JobState` → `Job` with the
//! same plan and inputs gives an equal job.

use std::sync::Arc;

use expr::{HashAnswers, HashRequest, Object, OrderedMap};
use indexmap::IndexMap;

use super::alike::Alike;
use super::composite::Composite;
use super::lane::Scope;
use super::{Cursor, Deferred, Job, JobInputs, Lane, StepResult, Stop, Wait};
use crate::action::ResolvedAction;
use crate::effect::Outcome;
use crate::event::CancelReason;
use crate::matcher::Matchers;
use crate::plan::Plan;
use crate::step_path::{LaneId, StepPath};

/// Everything in a job but its plan and what it was given. Values may hold secrets.
#[derive(Clone, PartialEq)]
pub struct JobState {
    /// The lanes, the foreground first.
    pub lanes: IndexMap<LaneId, LaneState>,
    /// `job.status`.
    pub status: Outcome,
    /// Why the job was cancelled.
    pub cancelled: Option<CancelReason>,
    /// `inputs`.
    pub inputs: Arc<Object>,
    /// `steps`.
    pub steps: Arc<Object>,
    /// Job `env` and `GITHUB_ENV`.
    pub env: Arc<Object>,
    /// Entries for PATH, in the order in which they were added.
    pub path: Arc<Vec<Arc<str>>>,
    /// `save-state`, by the step of the main stage.
    pub saved_state: Arc<IndexMap<StepPath, Arc<Object>>>,
    /// Actions that were found, by the step that uses them.
    pub actions: Arc<IndexMap<StepPath, Arc<ResolvedAction>>>,
    /// Composite actions that were entered, by the step that uses them.
    pub composites: IndexMap<StepPath, CompositeState>,
    /// Steps that are over.
    pub results: Arc<OrderedMap<StepPath, StepResult>>,
    /// Post steps to come, the next one last.
    pub post: Vec<StepPath>,
    /// Problem matchers.
    pub matchers: Matchers,
    /// The job's outputs.
    pub outputs: Arc<Object>,
}

/// A lane laid open.
#[derive(Clone, PartialEq)]
pub struct LaneState {
    /// Where it stands.
    pub cursor: Cursor,
    /// What the step at the cursor was dispatched with.
    pub scope: Option<ScopeState>,
    /// Answers of `hashFiles`.
    pub hashes: HashAnswers,
    /// The `hashFiles` that is waited for.
    pub asked: Option<HashRequest>,
    /// The step's action is waited for.
    pub fetching: bool,
    /// Why the body was told to stop.
    pub stop: Option<Stop>,
    /// The body's limit in minutes.
    pub timeout: Option<u32>,
    /// What a background step has written for later steps.
    pub deferred: Deferred,
    /// The background steps that are waited for.
    pub wait: Option<Wait>,
}

/// What a step was dispatched with.
#[derive(Clone, PartialEq)]
pub struct ScopeState {
    /// The display name.
    pub name: Arc<str>,
    /// The `env` context.
    pub env: Arc<Object>,
    /// The names that the step's own `env:` sets.
    pub own_env: Vec<Arc<str>>,
}

/// A composite action laid open.
#[derive(Clone, PartialEq)]
pub struct CompositeState {
    /// What its step was dispatched with.
    pub scope: ScopeState,
    /// `inputs`.
    pub inputs: Arc<Object>,
    /// `steps`.
    pub steps: Arc<Object>,
    /// `github.action_status`.
    pub status: Outcome,
    /// Its limit in minutes.
    pub timeout: Option<u32>,
    /// No further step of it runs.
    pub broken: bool,
}

impl CompositeState {
    fn of(composite: &Composite) -> Self {
        Self {
            scope: ScopeState::of(&composite.scope),
            inputs: Arc::clone(&composite.inputs),
            steps: Arc::clone(&composite.steps),
            status: composite.status,
            timeout: composite.timeout,
            broken: composite.broken,
        }
    }

    fn into_composite(self) -> Composite {
        let Self { scope, inputs, steps, status, timeout, broken } = self;
        Composite { scope: scope.into_scope(), inputs, steps, status, timeout, broken }
    }
}

impl ScopeState {
    fn of(scope: &Scope) -> Self {
        let Scope { name, env, own_env } = scope.clone();
        Self { name, env, own_env: own_env.to_vec() }
    }

    fn into_scope(self) -> Scope {
        let Self { name, env, own_env } = self;
        Scope { name, env, own_env: own_env.into() }
    }
}

impl Job {
    /// The state of this job.
    pub fn state(&self) -> JobState {
        JobState {
            lanes: self.lanes.iter().map(|(id, lane)| (*id, LaneState::of(lane))).collect(),
            status: self.status,
            cancelled: self.cancelled,
            inputs: Arc::clone(&self.inputs),
            steps: Arc::clone(&self.steps),
            env: Arc::clone(&self.env),
            path: Arc::clone(&self.path),
            saved_state: Arc::clone(&self.saved_state),
            actions: Arc::clone(&self.actions),
            composites: self
                .composites
                .iter()
                .map(|(path, composite)| (path.clone(), CompositeState::of(composite)))
                .collect(),
            results: Arc::clone(&self.results),
            post: self.post.clone(),
            matchers: self.matchers.clone(),
            outputs: Arc::clone(&self.outputs),
        }
    }

    /// The job that has this state.
    pub fn with_state(plan: Arc<Plan>, given: Arc<JobInputs>, state: JobState) -> Self {
        Self {
            plan,
            given,
            alike: Alike::default(),
            lanes: state.lanes.into_iter().map(|(id, lane)| (id, lane.into_lane())).collect(),
            status: state.status,
            cancelled: state.cancelled,
            inputs: state.inputs,
            steps: state.steps,
            env: state.env,
            path: state.path,
            saved_state: state.saved_state,
            actions: state.actions,
            awaited: IndexMap::new(),
            composites: Arc::new(
                state
                    .composites
                    .into_iter()
                    .map(|(path, composite)| (path, Arc::new(composite.into_composite())))
                    .collect(),
            ),
            results: state.results,
            post: state.post,
            matchers: state.matchers,
            outputs: state.outputs,
        }
    }
}

impl LaneState {
    fn of(lane: &Lane) -> Self {
        Self {
            cursor: lane.cursor.clone(),
            scope: lane.scope.as_ref().map(ScopeState::of),
            hashes: lane.hashes.clone(),
            asked: lane.asked.clone(),
            fetching: lane.fetching,
            stop: lane.stop,
            timeout: lane.timeout,
            deferred: lane.deferred.clone(),
            wait: lane.wait.clone(),
        }
    }

    fn into_lane(self) -> Lane {
        Lane {
            cursor: self.cursor,
            scope: self.scope.map(ScopeState::into_scope),
            hashes: self.hashes,
            asked: self.asked,
            fetching: self.fetching,
            stop: self.stop,
            timeout: self.timeout,
            deferred: self.deferred,
            wait: self.wait,
        }
    }
}
