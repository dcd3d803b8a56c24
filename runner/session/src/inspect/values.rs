//! Values of contexts as a person reads them.

use std::sync::Arc;

use engine::expr::{HashAnswers, Object, Value};
use engine::job::{Job, Question};
use engine::step_path::StepPath;
use host::contract::Host;

use crate::moment::Moment;
use crate::request::{Refusal, Reply, Variable, Why};
use crate::session::Session;

impl<H: Host> Session<H> {
    /// `print EXPR`.
    pub(super) fn print(&self, text: &str) -> Result<Reply, Refusal> {
        let mut hashes = HashAnswers::new();
        loop {
            match self.looked_at().ask_expression(text, &hashes, &self.secrets) {
                Question::Answer(value) => return Ok(Reply::Value(self.secrets.mask(&shown(&value)))),
                Question::Wrong(error) => return Err(Refusal::new(error)),
                Question::NeedsHash(request) => {
                    let answer = host::hash_files::hash_files(
                        &self.workspace,
                        &request.patterns,
                        request.follow_symbolic_links,
                    );
                    hashes.insert(request, answer);
                }
            }
        }
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
        let before = self.before(path).map(|moment| flat_outputs(moment.job.steps())).unwrap_or_default();
        flat_outputs(self.job.steps())
            .into_iter()
            .filter(|pair| !before.contains(pair))
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
    steps
        .iter()
        .filter_map(|(id, entry)| Some((id, entry.get("outputs")?.as_object()?)))
        .flat_map(|(id, outputs)| {
            outputs
                .iter()
                .map(move |(name, value)| (format!("{id}.outputs.{name}"), value.to_text().into_owned()))
        })
        .collect()
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
