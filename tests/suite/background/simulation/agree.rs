//! The job and the model next to each other: after everything that happened they have asked for the same and are the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use engine::effect::Outcome;
use engine::job::{Cursor, Decision, Job, Lane};
use engine::limits::BACKGROUND_SLOTS;
use engine::step_path::{LaneId, StepPath};
use expr::Value;

use super::model::{Back, Front};
use super::world::{World, lane_of};

impl World<'_> {
    /// The job and the model have done the same, and are in the same state.
    pub(super) fn must_agree(&mut self) {
        let acts = self.acts();
        assert_eq!(acts, std::mem::take(&mut self.model.acts), "what is asked of the outside");
        let in_slots = self.running.values().filter(|body| body.lane != LaneId::FOREGROUND).count();
        let asking = self.model.launched.iter().filter(|launched| launched.back == Back::Asking).count();
        assert!(in_slots + asking <= BACKGROUND_SLOTS.get() as usize, "{in_slots} run at once");
        let queue = self.model.launched.iter().any(|launched| launched.back == Back::Queued);
        self.count.full += usize::from(queue);
        assert_eq!(front_of(&self.job), without_reason(&self.model.front));
        let lanes: Vec<_> = self.job.background().map(|(id, lane)| (id, back_of(lane))).collect();
        let expected: Vec<_> = self
            .model
            .launched
            .iter()
            .map(|launched| (lane_of(launched.step), plain(launched.back)))
            .collect();
        assert_eq!(lanes, expected);
        assert_eq!(self.job.status().as_str(), self.model.status);
        self.state_must_agree();
    }

    fn state_must_agree(&mut self) {
        let path: Vec<&str> = self.job.path().iter().map(AsRef::as_ref).collect();
        assert_eq!(path, self.model.path, "PATH");
        assert_eq!(self.job.env().len(), self.model.env.len(), "variables");
        assert_eq!(self.job.steps().len(), self.model.steps.len(), "steps");
        let (env, steps) = (Arc::clone(self.job.env()), Arc::clone(self.job.steps()));
        // Whatever changes a context while this holds it makes a new one.
        let same = self.known.as_ref().is_some_and(|(known_env, known_steps)| {
            Arc::ptr_eq(known_env, &env) && Arc::ptr_eq(known_steps, &steps)
        });
        if !same {
            for (name, value) in &self.model.env {
                assert_eq!(text(env.get(&format!("K{name}"))), *value);
            }
            for (step, entry) in &self.model.steps {
                let Some(Value::Object(found)) = steps.get(&format!("s{step}")) else { panic!("no s{step}") };
                let (outcome, conclusion) = entry.ended.unwrap_or_default();
                assert_eq!(text(found.get("outcome")), outcome, "s{step}");
                assert_eq!(text(found.get("conclusion")), conclusion, "s{step}");
                let Some(Value::Object(outputs)) = found.get("outputs") else { panic!("no outputs") };
                assert_eq!(text(outputs.get("v")), entry.output.clone().unwrap_or_default(), "s{step}");
            }
            self.known = Some((env, steps));
        }
    }

    pub(super) fn must_be_over(&mut self) {
        assert_eq!(self.job.outcome().map(Outcome::as_str), Some(self.model.status));
        assert_eq!(self.job.background().count(), 0, "lanes are left");
        assert!(self.running.is_empty(), "bodies are left");
        let all: BTreeSet<usize> = (0..self.spec.steps.len()).collect();
        assert_eq!(self.settled, all, "not every step is over");
        let results = self.job.results().iter().map(|(path, result)| {
            (path.index() as usize, (result.outcome.as_str(), result.conclusion.as_str()))
        });
        let results: BTreeMap<_, _> = results.collect();
        assert_eq!(results, self.model.results.clone().into_iter().collect());
        let output = self.model.steps.get(&0).and_then(|entry| entry.output.clone());
        assert_eq!(text(self.job.outputs().get("o")), output.unwrap_or_default());
        let variable = self.model.env.get(&1).cloned();
        assert_eq!(text(self.job.outputs().get("k")), variable.unwrap_or_default());
        self.count.failed += usize::from(self.job.outcome() == Some(Outcome::Failure));
    }
}

fn text(value: Option<&Value>) -> String {
    value.map(|value| value.to_text().to_string()).unwrap_or_default()
}

/// Where the foreground stands, without the reason for which its body is being ended: that shows in how it ends.
fn front_of(job: &Job) -> Front {
    let index = |path: &StepPath| path.index() as usize;
    let wait = job.lanes().get(&LaneId::FOREGROUND).and_then(Lane::waits_for);
    match (job.cursor(), wait) {
        (Cursor::Ready(path), _) => Front::Before(index(path)),
        (Cursor::Decided(path, decision), _) => Front::Decided(index(path), *decision == Decision::Run),
        (Cursor::Running(path), Some(wait)) => {
            Front::Waiting(index(path), wait.steps.iter().map(index).collect())
        }
        (Cursor::Running(path), None) => Front::Running(index(path), None),
        (Cursor::Settled(path), _) => Front::After(index(path)),
        (Cursor::Done(_), _) => Front::Over,
    }
}

fn without_reason(front: &Front) -> Front {
    match front {
        Front::Running(step, _) => Front::Running(*step, None),
        other => other.clone(),
    }
}

fn back_of(lane: &Lane) -> Back {
    match lane.cursor {
        Cursor::Running(_) => Back::Running(None),
        _ if lane.is_over() => Back::Over,
        _ if lane.is_queued() => Back::Queued,
        _ => Back::Asking,
    }
}

fn plain(back: Back) -> Back {
    if matches!(back, Back::Running(_)) { Back::Running(None) } else { back }
}
