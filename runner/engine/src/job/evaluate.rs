//! Evaluating the expressions of a job in its contexts.
//!
//! Builds the contexts and the function table anew for each dispatch; keeps nothing.

use std::sync::{Arc, LazyLock};

use expr::{
    EvalError, Evaluated, Expression, Functions, HashAnswers, HashRequest, JobStatus, Object, Phase, Scope,
    StatusFacts, Template, Value,
};
use syntax::{Span, Spanned, Token, TokenValue};

use super::Job;
use super::contexts::name;
use crate::effect::Outcome;
use crate::secrets::Secrets;
use crate::step_path::{LaneId, Stage, StepPath};

/// Why an evaluation gave no value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Halt {
    /// `hashFiles` has to be answered first.
    Hash(HashRequest),
    /// The expression is wrong.
    Fault(Fault),
}

/// An expression that could not be evaluated, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    pub(crate) span: Option<Span>,
    pub(crate) text: String,
}

impl Halt {
    fn at(span: Span, text: impl Into<String>) -> Self {
        Halt::Fault(Fault { span: Some(span), text: text.into() })
    }
}

/// Names and texts in order, for instance an `env:`.
pub(crate) type Texts = Vec<(Arc<str>, Arc<str>)>;

/// Contexts and functions of one dispatch.
pub(crate) struct Evaluator {
    contexts: Object,
    status: StatusFacts,
    hashes: HashAnswers,
}

impl Evaluator {
    /// What an expression of the job sees at its start: no step, no `env`.
    pub(crate) fn for_job(job: &Job, secrets: &Secrets) -> Self {
        Self::new(job, None, Arc::new(Object::case_sensitive()), HashAnswers::default(), secrets)
    }

    /// What an expression of the job sees when its steps are over.
    pub(crate) fn after_steps(job: &Job, hashes: HashAnswers, secrets: &Secrets) -> Self {
        Self::new(job, None, Arc::clone(&job.env), hashes, secrets)
    }

    /// What an expression of the step at `path` sees, with this `env` and these answers of `hashFiles`.
    pub(crate) fn for_step(
        job: &Job,
        path: &StepPath,
        env: Arc<Object>,
        hashes: HashAnswers,
        secrets: &Secrets,
    ) -> Self {
        Self::new(job, Some(path), env, hashes, secrets)
    }

    fn new(
        job: &Job,
        path: Option<&StepPath>,
        env: Arc<Object>,
        hashes: HashAnswers,
        secrets: &Secrets,
    ) -> Self {
        let mut contexts = job.contexts(path, secrets);
        contexts.insert(name("env"), Value::Object(env));
        Self { contexts, status: status_facts(job, path), hashes }
    }

    /// The same with another `env`: what a step sees once its own `env:` is evaluated.
    pub(crate) fn with_env(mut self, env: Arc<Object>) -> Self {
        self.contexts.insert(name("env"), Value::Object(env));
        self
    }

    /// The `github` context.
    pub(crate) fn github(&self) -> &Object {
        static NONE: LazyLock<Object> = LazyLock::new(Object::new);
        self.contexts.get("github").and_then(Value::as_object).unwrap_or(&NONE)
    }

    fn functions(&self, phase: Phase) -> Functions {
        Functions::for_dispatch(phase, self.status, self.hashes.clone())
    }

    /// The step's condition.
    pub(crate) fn condition(&self, condition: &Expression) -> Result<bool, Halt> {
        match condition.evaluate_as_condition(&self.contexts, &self.functions(Phase::Condition)) {
            Ok(Evaluated::Value(value)) => Ok(value.is_truthy()),
            Ok(Evaluated::NeedsHash(request)) => Err(Halt::Hash(request)),
            Err(error) => Err(Halt::Fault(Fault { span: None, text: error.to_string() })),
        }
    }

    /// The condition's value with all its parts, for "why was this false?".
    pub(crate) fn explain(&self, condition: &Expression) -> (Result<Evaluated, EvalError>, expr::Trace) {
        condition.evaluate_as_condition_traced(&self.contexts, &self.functions(Phase::Condition))
    }

    /// Any expression, with the functions of a condition: for a person who asks.
    pub(crate) fn ask(&self, text: &str) -> Result<Value, Halt> {
        let fault = |text: String| Halt::Fault(Fault { span: None, text });
        let names: Vec<&str> = self.contexts.keys().map(AsRef::as_ref).collect();
        let scope = Scope::condition(&names);
        let Some(expression) = Expression::parse(text, &scope).map_err(|error| fault(error.to_string()))?
        else {
            return Ok(Value::Null);
        };
        match expression.evaluate(&self.contexts, &self.functions(Phase::Condition)) {
            Ok(Evaluated::Value(value)) => Ok(value),
            Ok(Evaluated::NeedsHash(request)) => Err(Halt::Hash(request)),
            Err(error) => Err(fault(error.to_string())),
        }
    }

    /// A template's value.
    pub(crate) fn template(&self, template: &Spanned<Template>) -> Result<Value, Halt> {
        if let Some(literal) = template.value.as_literal() {
            return Ok(Value::string(literal));
        }
        match template.value.evaluate(&self.contexts, &self.functions(Phase::Body)) {
            Ok(Evaluated::Value(value)) => Ok(value),
            Ok(Evaluated::NeedsHash(request)) => Err(Halt::Hash(request)),
            Err(error) => Err(Halt::at(template.span, error.to_string())),
        }
    }

    /// A template's value as text; arrays and objects are refused.
    pub(crate) fn text(&self, template: &Spanned<Template>) -> Result<Arc<str>, Halt> {
        let value = self.template(template)?;
        plain_text(&value).ok_or_else(|| Halt::at(template.span, not_a_string(&value)))
    }

    /// A token's value.
    pub(crate) fn token(&self, token: &Spanned<Token>) -> Result<Value, Halt> {
        match token.evaluate(&self.contexts, &self.functions(Phase::Body)) {
            Ok(TokenValue::Value(value)) => Ok(value),
            Ok(TokenValue::NeedsHash(request)) => Err(Halt::Hash(request)),
            Err(error) => Err(Halt::Fault(Fault { span: Some(error.span), text: error.text })),
        }
    }

    /// A mapping of names to texts, such as `env`. Null is the empty mapping.
    pub(crate) fn texts(&self, token: &Spanned<Token>) -> Result<Texts, Halt> {
        match self.token(token)? {
            Value::Null => Ok(Vec::new()),
            Value::Object(object) => object
                .iter()
                .map(|(name, value)| {
                    let text = plain_text(value).ok_or_else(|| Halt::at(token.span, not_a_string(value)))?;
                    Ok((Arc::clone(name), text))
                })
                .collect(),
            other => Err(Halt::at(token.span, format!("Unexpected value '{}'", other.to_text()))),
        }
    }

    /// A boolean; nothing else will do.
    pub(crate) fn boolean(&self, token: &Spanned<Token>) -> Result<bool, Halt> {
        match self.token(token)? {
            Value::Bool(flag) => Ok(flag),
            other => Err(Halt::at(token.span, format!("Unexpected value '{}'", other.to_text()))),
        }
    }

    /// A whole number; a fraction is cut off (steps.md 6.4).
    pub(crate) fn integer(&self, token: &Spanned<Token>) -> Result<u32, Halt> {
        match self.token(token)? {
            // A float cast saturates, and both ends are far from any limit in minutes.
            Value::Number(number) => Ok(number as u32),
            other => Err(Halt::at(token.span, format!("Unexpected value '{}'", other.to_text()))),
        }
    }
}

/// What the status functions answer: about the job, and in the main stage of a composite action about the action.
fn status_facts(job: &Job, path: Option<&StepPath>) -> StatusFacts {
    let status = Some(job_status(job.status));
    let around = path.filter(|path| path.stage() == Stage::Main).and_then(|path| job.around(path));
    match around {
        Some(composite) => StatusFacts::for_composite(status, Some(job_status(composite.status))),
        None => StatusFacts::for_job(status),
    }
}

fn job_status(outcome: Outcome) -> JobStatus {
    match outcome {
        Outcome::Success | Outcome::Skipped => JobStatus::Success,
        Outcome::Failure => JobStatus::Failure,
        Outcome::Cancelled => JobStatus::Cancelled,
    }
}

fn plain_text(value: &Value) -> Option<Arc<str>> {
    match value {
        Value::String(text) => Some(Arc::clone(text)),
        Value::Array(_) | Value::Object(_) => None,
        other => Some(Arc::from(other.to_text().as_ref())),
    }
}

fn not_a_string(value: &Value) -> &'static str {
    match value {
        Value::Array(_) => "A sequence was not expected",
        _ => "A mapping was not expected",
    }
}

/// The answer to an expression that a person asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// Its value. It may hold secrets.
    Answer(Value),
    /// It needs a `hashFiles` first.
    NeedsHash(HashRequest),
    /// It is wrong; the text says why, masked.
    Wrong(String),
}

impl Job {
    /// Evaluates `text` as the step at the foreground's cursor would see it, status functions included.
    pub fn ask_expression(&self, text: &str, hashes: &HashAnswers, secrets: &Secrets) -> Question {
        self.ask_expression_in(LaneId::FOREGROUND, text, hashes, secrets)
    }

    /// The same, as the step of a lane would see it. A lane that is no more sees what the foreground sees.
    pub fn ask_expression_in(
        &self,
        lane: LaneId,
        text: &str,
        hashes: &HashAnswers,
        secrets: &Secrets,
    ) -> Question {
        let background = self.lanes.get(&lane).filter(|_| lane != LaneId::FOREGROUND);
        let (path, env) = match background.and_then(|lane| Some((lane.cursor.step()?, lane.scope.as_ref()?)))
        {
            Some((path, scope)) => (Some(path), Arc::clone(&scope.env)),
            None => (self.cursor().step(), self.env_at_cursor(secrets)),
        };
        match Evaluator::new(self, path, env, hashes.clone(), secrets).ask(text) {
            Ok(value) => Question::Answer(value),
            Err(Halt::Hash(request)) => Question::NeedsHash(request),
            Err(Halt::Fault(fault)) => Question::Wrong(secrets.mask(&fault.text)),
        }
    }
}
