//! The state of a job. What never changes (the plan, what the job was given) is named or left to others, so that a
//! moment costs microseconds.

use std::sync::Arc;

use engine::job::{JobState, StepResult};
use engine::step_path::LaneId;
use serde::{Deserialize, Serialize};

use super::action::{ActionPool, ActionTwin, CompositeTwin};
use super::lane::LaneTwin;
use super::matcher::{MatcherPool, MatcherTexts};
use super::place::{CancelTwin, OutcomeTwin, StepTwin};
use super::text::{Filling, Hiding, Text};
use super::value::Tree;
use super::{Twin, TwinError};

/// [`JobState`], and which of the recording's plans it belongs to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct JobTwin<'a> {
    plan: u32,
    #[serde(borrow)]
    lanes: Vec<LaneTwin<'a>>,
    status: OutcomeTwin,
    cancelled: Option<CancelTwin>,
    inputs: Tree<'a>,
    steps: Tree<'a>,
    env: Tree<'a>,
    path: Vec<Text<'a>>,
    saved_state: Vec<(StepTwin, Tree<'a>)>,
    actions: Vec<(StepTwin, ActionTwin<'a>)>,
    composites: Vec<(StepTwin, CompositeTwin<'a>)>,
    results: Vec<ResultTwin<'a>>,
    post: Vec<StepTwin>,
    matchers: Vec<Text<'a>>,
    outputs: Tree<'a>,
}

impl Twin for JobTwin<'_> {
    const KIND: &'static str = "states";
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct ResultTwin<'a> {
    step: StepTwin,
    #[serde(borrow)]
    name: Text<'a>,
    outcome: OutcomeTwin,
    conclusion: OutcomeTwin,
}

/// Writes states. Keeps what is slow to make between one state and the next.
#[derive(Debug, Default)]
pub(in crate::recording) struct StateWriter {
    matchers: MatcherTexts,
    buffer: Vec<u8>,
}

impl StateWriter {
    /// The bytes of a state, without the secrets that `hide` knows. They stand until the next call.
    ///
    /// # Errors
    /// A state of more than 4 GiB.
    pub(in crate::recording) fn write(
        &mut self,
        state: &JobState,
        plan: u32,
        hide: &Hiding<'_>,
    ) -> Result<&[u8], TwinError> {
        let buffer = std::mem::take(&mut self.buffer);
        let twin = JobTwin {
            plan,
            lanes: state.lanes.iter().map(|(id, lane)| LaneTwin::of(*id, lane, hide)).collect(),
            status: state.status.into(),
            cancelled: state.cancelled.map(CancelTwin::from),
            inputs: Tree::of_object(&state.inputs, hide),
            steps: Tree::of_object(&state.steps, hide),
            env: Tree::of_object(&state.env, hide),
            path: state.path.iter().map(|entry| hide.text(entry)).collect(),
            saved_state: state
                .saved_state
                .iter()
                .map(|(path, values)| (StepTwin::of(path), Tree::of_object(values, hide)))
                .collect(),
            actions: state
                .actions
                .iter()
                .map(|(path, action)| (StepTwin::of(path), ActionTwin::of(action, hide)))
                .collect(),
            composites: state
                .composites
                .iter()
                .map(|(path, composite)| (StepTwin::of(path), CompositeTwin::of(composite, hide)))
                .collect(),
            results: state
                .results
                .iter()
                .map(|(path, result)| ResultTwin {
                    step: StepTwin::of(path),
                    name: hide.text(&result.name),
                    outcome: match result.called_off {
                        true => OutcomeTwin::CalledOff,
                        false => result.outcome.into(),
                    },
                    conclusion: result.conclusion.into(),
                })
                .collect(),
            post: state.post.iter().map(StepTwin::of).collect(),
            matchers: self.matchers.of(&state.matchers, hide),
            outputs: Tree::of_object(&state.outputs, hide),
        };
        self.buffer = super::write(&twin, buffer)?;
        Ok(&self.buffer)
    }
}

/// Reads states. Keeps compiled matchers between one state and the next.
#[derive(Debug, Default)]
pub(in crate::recording) struct StateReader {
    matchers: MatcherPool,
    actions: ActionPool,
}

impl StateReader {
    /// The state in `bytes`, and the number of its plan. What is missing for it, `fill` remembers.
    ///
    /// # Errors
    /// The bytes are no state, or one of another format.
    pub(in crate::recording) fn read(
        &mut self,
        bytes: &[u8],
        fill: &Filling<'_>,
    ) -> Result<(u32, JobState), TwinError> {
        let twin: JobTwin<'_> = super::read(bytes)?;
        let lanes = twin.lanes.into_iter().map(|lane| Ok((LaneId(lane.lane), lane.state(fill)?)));
        let saved =
            twin.saved_state.into_iter().map(|(path, values)| Ok((path.path()?, values.object(fill)?)));
        let actions = twin
            .actions
            .into_iter()
            .map(|(path, action)| Ok((path.path()?, self.actions.action(action, fill)?)));
        let actions = actions.collect::<Result<_, TwinError>>()?;
        let composites = twin.composites.into_iter();
        let composites = composites.map(|(path, composite)| Ok((path.path()?, composite.composite(fill)?)));
        let results = twin.results.into_iter().map(|result| {
            let name = fill.text(&result.name);
            let called_off = result.outcome == OutcomeTwin::CalledOff;
            let (outcome, conclusion) = (result.outcome.into(), result.conclusion.into());
            Ok((result.step.path()?, StepResult { name, outcome, conclusion, called_off }))
        });
        let state = JobState {
            lanes: lanes.collect::<Result<_, TwinError>>()?,
            status: twin.status.into(),
            cancelled: twin.cancelled.map(Into::into),
            inputs: twin.inputs.object(fill)?,
            steps: twin.steps.object(fill)?,
            env: twin.env.object(fill)?,
            path: Arc::new(twin.path.iter().map(|entry| fill.text(entry)).collect()),
            saved_state: Arc::new(saved.collect::<Result<_, TwinError>>()?),
            actions: Arc::new(actions),
            composites: composites.collect::<Result<_, TwinError>>()?,
            results: Arc::new(results.collect::<Result<_, TwinError>>()?),
            post: twin.post.into_iter().map(StepTwin::path).collect::<Result<_, _>>()?,
            matchers: self.matchers.matchers(twin.matchers, fill)?,
            outputs: twin.outputs.object(fill)?,
        };
        Ok((twin.plan, state))
    }
}
