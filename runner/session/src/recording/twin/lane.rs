//! One line of execution: where it stands, and what it keeps back or waits for.

use std::sync::Arc;

use engine::expr::HashAnswers;
use engine::job::{Deferred, LaneState, ScopeState, Wait, WaitKind};
use engine::step_path::{LaneId, StepPath};
use serde::{Deserialize, Serialize};

use super::TwinError;
use super::place::{CursorTwin, HashTwin, StepTwin, StopTwin};
use super::text::{Filling, Hiding, Text};
use super::value::Tree;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct LaneTwin<'a> {
    pub(super) lane: u32,
    #[serde(borrow)]
    cursor: CursorTwin<'a>,
    scope: Option<ScopeTwin<'a>>,
    hashes: Vec<(HashTwin<'a>, Result<Text<'a>, Text<'a>>)>,
    asked: Option<HashTwin<'a>>,
    fetching: bool,
    stop: Option<StopTwin>,
    timeout: Option<u32>,
    deferred: DeferredTwin<'a>,
    wait: Option<WaitTwin>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ScopeTwin<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    env: Tree<'a>,
    own_env: Vec<Text<'a>>,
}

impl<'a> LaneTwin<'a> {
    pub(super) fn of(id: LaneId, lane: &'a LaneState, hide: &Hiding<'_>) -> Self {
        let answer = |answer: Result<&'a str, &'a str>| match answer {
            Ok(digest) => Ok(hide.text(digest)),
            Err(why) => Err(hide.text(why)),
        };
        Self {
            lane: id.0,
            cursor: CursorTwin::of(&lane.cursor, hide),
            scope: lane.scope.as_ref().map(|scope| ScopeTwin::of(scope, hide)),
            hashes: lane
                .hashes
                .iter()
                .map(|(request, digest)| (HashTwin::of(request, hide), answer(digest)))
                .collect(),
            asked: lane.asked.as_ref().map(|request| HashTwin::of(request, hide)),
            fetching: lane.fetching,
            stop: lane.stop.map(StopTwin::from),
            timeout: lane.timeout,
            deferred: DeferredTwin::of(&lane.deferred, hide),
            wait: lane.wait.as_ref().map(WaitTwin::of),
        }
    }

    pub(super) fn state(self, fill: &Filling<'_>) -> Result<LaneState, TwinError> {
        let mut hashes = HashAnswers::new();
        for (request, answer) in self.hashes {
            let answer = answer.map(|digest| fill.string(digest)).map_err(|why| fill.string(why));
            hashes.insert(request.request(fill), answer);
        }
        Ok(LaneState {
            cursor: self.cursor.cursor(fill)?,
            scope: self.scope.map(|scope| scope.scope(fill)).transpose()?,
            hashes,
            asked: self.asked.map(|request| request.request(fill)),
            fetching: self.fetching,
            stop: self.stop.map(Into::into),
            timeout: self.timeout,
            deferred: self.deferred.deferred(fill),
            wait: self.wait.map(WaitTwin::wait).transpose()?,
        })
    }
}

impl<'a> ScopeTwin<'a> {
    pub(super) fn of(scope: &'a ScopeState, hide: &Hiding<'_>) -> Self {
        Self {
            name: hide.text(&scope.name),
            env: Tree::of_object(&scope.env, hide),
            own_env: scope.own_env.iter().map(|name| hide.text(name)).collect(),
        }
    }

    pub(super) fn scope(self, fill: &Filling<'_>) -> Result<ScopeState, TwinError> {
        Ok(ScopeState {
            name: fill.text(&self.name),
            env: self.env.object(fill)?,
            own_env: self.own_env.iter().map(|name| fill.text(name)).collect(),
        })
    }
}

type Pairs<'a> = Vec<(Text<'a>, Text<'a>)>;

/// [`Deferred`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct DeferredTwin<'a> {
    #[serde(borrow)]
    outputs: Pairs<'a>,
    env: Pairs<'a>,
    path: Vec<Text<'a>>,
}

impl<'a> DeferredTwin<'a> {
    fn of(deferred: &'a Deferred, hide: &Hiding<'_>) -> Self {
        let pairs = |pairs: &'a [(Arc<str>, Arc<str>)]| {
            pairs.iter().map(|(name, value)| (hide.text(name), hide.text(value))).collect()
        };
        Self {
            outputs: pairs(&deferred.outputs),
            env: pairs(&deferred.env),
            path: deferred.path.iter().map(|entry| hide.text(entry)).collect(),
        }
    }

    fn deferred(self, fill: &Filling<'_>) -> Deferred {
        let pairs = |pairs: Pairs<'_>| {
            pairs.iter().map(|(name, value)| (fill.text(name), fill.text(value))).collect()
        };
        Deferred {
            outputs: pairs(self.outputs),
            env: pairs(self.env),
            path: self.path.iter().map(|entry| fill.text(entry)).collect(),
        }
    }
}

/// [`Wait`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct WaitTwin {
    kind: WaitKindTwin,
    steps: Vec<StepTwin>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum WaitKindTwin {
    Ids,
    All,
    Cancel,
    StageEnd,
}

impl WaitTwin {
    fn of(wait: &Wait) -> Self {
        let kind = match wait.kind {
            WaitKind::Ids => WaitKindTwin::Ids,
            WaitKind::All => WaitKindTwin::All,
            WaitKind::Cancel => WaitKindTwin::Cancel,
            WaitKind::StageEnd => WaitKindTwin::StageEnd,
        };
        Self { kind, steps: wait.steps.iter().map(StepTwin::of).collect() }
    }

    fn wait(self) -> Result<Wait, TwinError> {
        let kind = match self.kind {
            WaitKindTwin::Ids => WaitKind::Ids,
            WaitKindTwin::All => WaitKind::All,
            WaitKindTwin::Cancel => WaitKind::Cancel,
            WaitKindTwin::StageEnd => WaitKind::StageEnd,
        };
        let steps = self.steps.into_iter().map(StepTwin::path).collect::<Result<Vec<StepPath>, _>>()?;
        Ok(Wait { kind, steps })
    }
}
