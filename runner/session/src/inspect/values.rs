//! Values of contexts as a person reads them.

use std::path::Path;
use std::sync::Arc;

use engine::expr::{HashAnswers, Object, Value};
use engine::job::{Job, Question};
use engine::secrets::Secrets;
use engine::step_path::{LaneId, StepPath};
use host::contract::Host;

use crate::moment::Moment;
use crate::request::{Refusal, Reply, Variable, Why};
use crate::session::Session;

/// The value of an expression, as a lane's step would see it. `hashFiles` looks at the files in `workspace`.
pub(crate) fn evaluated(
    job: &Job,
    lane: LaneId,
    text: &str,
    workspace: Option<&Path>,
    secrets: &Secrets,
) -> Result<Value, Refusal> {
    let mut hashes = HashAnswers::new();
    loop {
        match job.ask_expression_in(lane, text, &hashes, secrets) {
            Question::Answer(value) => return Ok(value),
            Question::Wrong(error) => return Err(Refusal::new(error)),
            Question::NeedsHash(request) => {
                let workspace = workspace.ok_or_else(|| {
                    Refusal::new("hashFiles() looks at the files of the present, not at those of then")
                })?;
                let (patterns, follow) = (&request.patterns, request.follow_symbolic_links);
                let answer = host::hash_files::hash_files(workspace, patterns, follow);
                hashes.insert(request, answer);
            }
        }
    }
}

impl<H: Host> Session<H> {
    /// `print EXPR`.
    pub(super) fn print(&self, text: &str) -> Result<Reply, Refusal> {
        let workspace = Some(self.workspace.as_path()).filter(|_| !self.only_looks());
        let value = evaluated(self.looked_at(), LaneId::FOREGROUND, text, workspace, &self.secrets)?;
        Ok(Reply::Value(self.secrets.mask(&shown(&value))))
    }

    /// `env`: the context as the step at the cursor sees it.
    pub(super) fn env(&self) -> Vec<Variable> {
        let job = self.looked_at();
        let before = self.state_before_last_step();
        let env = job.env_at_cursor(&self.secrets);
        env.iter()
            .map(|(name, value)| Variable {
                name: name.to_string(),
                value: self.secrets.mask(&value.to_text()),
                fresh: before.as_ref().is_some_and(|before| before.env().get(name) != job.env().get(name)),
            })
            .collect()
    }

    /// `outputs`: of all steps.
    pub(super) fn outputs(&self) -> Vec<Variable> {
        let before = self.state_before_last_step().map(|job| flat_outputs(job.steps())).unwrap_or_default();
        flat_outputs(self.looked_at().steps())
            .into_iter()
            .map(|pair| Variable {
                fresh: !before.contains(&pair),
                name: format!("steps.{}", pair.0),
                value: self.secrets.mask(&pair.1),
            })
            .collect()
    }

    /// The state before the step that ended last, or that is at the cursor.
    fn state_before_last_step(&self) -> Option<Arc<Job>> {
        let at = self.looked_at_id();
        let last = self.looked_at().results().keys().last()?;
        self.timeline.before_moment(at, last).map(|moment| Arc::clone(&moment.job))
    }

    /// The outputs that a step set, masked.
    pub(crate) fn new_outputs(&self, path: &StepPath) -> Vec<(String, String)> {
        let before = self.before(path).map(|moment| Arc::clone(moment.job.steps())).unwrap_or_default();
        outputs_since(self.job.steps(), &before)
            .into_iter()
            .map(|(name, value)| (name, self.secrets.mask(&value)))
            .collect()
    }

    /// The variables that a step set for later ones, masked.
    pub(crate) fn new_variables(&self, path: &StepPath) -> Vec<(String, String)> {
        let before = self.before(path).map(|moment| Arc::clone(moment.job.env()));
        let known = |name: &str| before.as_ref().and_then(|env| env.get(name));
        self.job
            .env()
            .iter()
            .filter(|(name, value)| known(name) != Some(value))
            .map(|(name, value)| (name.to_string(), self.secrets.mask(&value.to_text())))
            .collect()
    }

    fn before(&self, path: &StepPath) -> Option<&Moment> {
        self.timeline.before_moment(self.here, path)
    }

    /// `why`.
    pub(super) fn why(&self) -> Result<Reply, Refusal> {
        let explanation = self
            .looked_at()
            .explain(&self.secrets)
            .ok_or_else(|| Refusal::new("the job is over; `view mN` looks at a step before it"))?;
        let text = explanation.trace.because(&|text| self.secrets.mask(text));
        Ok(Reply::Why(Why {
            condition: self.secrets.mask(&explanation.condition),
            result: explanation.result,
            parts: text.lines().map(str::to_owned).collect(),
        }))
    }
}

/// `ID.outputs.NAME` and the value of every output, in order.
pub(super) fn flat_outputs(steps: &Object) -> Vec<(String, String)> {
    steps.iter().flat_map(|(id, entry)| outputs_of(id, entry)).collect()
}

/// Those of `now` that are not in `before`. Told at the end of every step, so that the steps that stand as they stood must
/// cost next to nothing.
fn outputs_since(now: &Object, before: &Object) -> Vec<(String, String)> {
    let changed = now.not_shared_with(before).filter_map(|(id, entry)| {
        let old = before.get(id);
        let stood = old.is_some_and(|old| is_same(old, entry));
        (!stood).then_some((id, entry, old))
    });
    changed
        .flat_map(|(id, entry, old)| {
            let old: Vec<_> = old.into_iter().flat_map(|old| outputs_of(id, old)).collect();
            outputs_of(id, entry).filter(move |pair| !old.contains(pair))
        })
        .collect()
}

fn is_same(one: &Value, other: &Value) -> bool {
    matches!((one, other), (Value::Object(one), Value::Object(other)) if Arc::ptr_eq(one, other))
}

fn outputs_of(id: &str, entry: &Value) -> impl Iterator<Item = (String, String)> {
    let outputs = entry.get("outputs").and_then(|outputs| outputs.as_object());
    outputs.into_iter().flat_map(move |outputs| {
        outputs
            .iter()
            .map(move |(name, value)| (format!("{id}.outputs.{name}"), value.to_text().into_owned()))
    })
}

/// A value as a person reads it: texts as they are, collections as JSON.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::String(text) => text.to_string(),
        Value::Array(_) | Value::Object(_) => value.to_json(),
        other => other.to_text().into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(entries: &[(&str, &Value)]) -> Object {
        let mut steps = Object::new();
        entries.iter().for_each(|(id, entry)| drop(steps.insert(*id, (*entry).clone())));
        steps
    }

    fn entry(outputs: &[(&str, &str)]) -> Value {
        let mut all = Object::new();
        outputs.iter().for_each(|(name, value)| drop(all.insert(*name, Value::string(*value))));
        let mut entry = Object::new();
        entry.insert("outputs", Value::Object(Arc::new(all)));
        Value::Object(Arc::new(entry))
    }

    #[track_caller]
    fn check(now: &[(&str, &Value)], before: &[(&str, &Value)], expected: &[&str]) {
        let (now, before) = (steps(now), steps(before));
        let new = outputs_since(&now, &before).into_iter().map(|(name, value)| format!("{name}={value}"));
        assert_eq!(new.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn outputs_are_new_where_they_differ() {
        let (one, again, two) =
            (entry(&[("a", "1")]), entry(&[("a", "1"), ("b", "2")]), entry(&[("a", "3")]));
        check(&[("x", &one)], &[], &["x.outputs.a=1"]);
        check(&[("x", &one)], &[("x", &one)], &[]);
        check(&[("x", &again)], &[("x", &one)], &["x.outputs.b=2"]);
        check(&[("x", &one), ("y", &two)], &[("x", &one)], &["y.outputs.a=3"]);
        check(&[("y", &two), ("x", &one)], &[("x", &one), ("y", &one)], &["y.outputs.a=3"]);
    }
}
