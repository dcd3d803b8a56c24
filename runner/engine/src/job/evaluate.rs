//! Evaluating the expressions of a job in its contexts.
//!
//! Builds the function table anew for each dispatch, and the contexts when an expression reads one; keeps nothing.

use std::cell::OnceCell;
use std::sync::Arc;

use expr::{
    EvalError, Evaluated, Expression, Functions, HashAnswers, HashRequest, JobStatus, Object, Phase, Scope,
    StatusFacts, Template, Value,
};
use syntax::{Span, Spanned, Token, TokenValue};

use super::Job;
use super::contexts::NOTHING;
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
pub(crate) struct Evaluator<'a> {
    job: &'a Job,
    path: Option<StepPath>,
    secrets: &'a Secrets,
    env: Arc<Object>,
    status: StatusFacts,
    hashes: HashAnswers,
    github: OnceCell<Arc<Object>>,
    contexts: OnceCell<Object>,
}

impl<'a> Evaluator<'a> {
    /// What an expression of the job sees at its start: no step, no `env`.
    pub(crate) fn for_job(job: &'a Job, secrets: &'a Secrets) -> Self {
        Self::new(job, None, Arc::new(Object::case_sensitive()), HashAnswers::default(), secrets)
    }

    /// What an expression of the job sees when its steps are over.
    pub(crate) fn after_steps(job: &'a Job, hashes: HashAnswers, secrets: &'a Secrets) -> Self {
        Self::new(job, None, Arc::clone(&job.env), hashes, secrets)
    }

    /// What an expression of the step at `path` sees, with this `env` and these answers of `hashFiles`.
    pub(crate) fn for_step(
        job: &'a Job,
        path: &StepPath,
        env: Arc<Object>,
        hashes: HashAnswers,
        secrets: &'a Secrets,
    ) -> Self {
        Self::new(job, Some(path), env, hashes, secrets)
    }

    fn new(
        job: &'a Job,
        path: Option<&StepPath>,
        env: Arc<Object>,
        hashes: HashAnswers,
        secrets: &'a Secrets,
    ) -> Self {
        let status = status_facts(job, path);
        let (github, contexts) = (OnceCell::new(), OnceCell::new());
        Self { job, path: path.cloned(), secrets, env, status, hashes, github, contexts }
    }

    /// The same with another `env`: what a step sees once its own `env:` is evaluated.
    pub(crate) fn with_env(mut self, env: Arc<Object>) -> Self {
        if let Some(contexts) = self.contexts.get_mut() {
            contexts.insert("env", Value::Object(Arc::clone(&env)));
        }
        self.env = env;
        self
    }

    /// The `github` context.
    pub(crate) fn github(&self) -> &Arc<Object> {
        self.github.get_or_init(|| Arc::new(self.job.github(self.path.as_ref())))
    }

    fn contexts(&self) -> &Object {
        self.contexts.get_or_init(|| {
            let (github, env) = (Arc::clone(self.github()), Arc::clone(&self.env));
            self.job.contexts(self.path.as_ref(), self.secrets, github, env)
        })
    }

    /// The contexts that an expression needs: many a condition and nearly every literal need none.
    fn contexts_for(&self, expression: Option<&Expression>) -> &Object {
        if expression.is_some_and(Expression::reads_contexts) { self.contexts() } else { &NOTHING }
    }

    fn functions(&self, phase: Phase) -> Functions {
        Functions::for_dispatch(phase, self.status, self.hashes.clone())
    }

    /// The step's condition.
    pub(crate) fn condition(&self, condition: &Expression) -> Result<bool, Halt> {
        let contexts = self.contexts_for(Some(condition));
        match condition.evaluate_as_condition(contexts, &self.functions(Phase::Condition)) {
            Ok(Evaluated::Value(value)) => Ok(value.is_truthy()),
            Ok(Evaluated::NeedsHash(request)) => Err(Halt::Hash(request)),
            Err(error) => Err(Halt::Fault(Fault { span: None, text: error.to_string() })),
        }
    }

    /// The condition's value with all its parts, for "why was this false?".
    pub(crate) fn explain(&self, condition: &Expression) -> (Result<Evaluated, EvalError>, expr::Trace) {
        condition.evaluate_as_condition_traced(self.contexts(), &self.functions(Phase::Condition))
    }

    /// Any expression, with the functions of a condition: for a person who asks.
    pub(crate) fn ask(&self, text: &str) -> Result<Value, Halt> {
        let fault = |text: String| Halt::Fault(Fault { span: None, text });
        let names: Vec<&str> = self.contexts().keys().map(AsRef::as_ref).collect();
        let scope = Scope::condition(&names);
        let Some(expression) = Expression::parse(text, &scope).map_err(|error| fault(error.to_string()))?
        else {
            return Ok(Value::Null);
        };
        match expression.evaluate(self.contexts(), &self.functions(Phase::Condition)) {
            Ok(Evaluated::Value(value)) => Ok(value),
            Ok(Evaluated::NeedsHash(request)) => Err(Halt::Hash(request)),
            Err(error) => Err(fault(error.to_string())),
        }
    }

    /// A template's value.
    pub(crate) fn template(&self, template: &Spanned<Template>) -> Result<Value, Halt> {
        let contexts = self.contexts_for(template.value.expression());
        match template.value.evaluate(contexts, &self.functions(Phase::Body)) {
            Ok(Evaluated::Value(value)) => Ok(value),
            Ok(Evaluated::NeedsHash(request)) => Err(Halt::Hash(request)),
            Err(error) => Err(Halt::at(template.span, error.to_string())),
        }
    }

    /// A template's value as text; arrays and objects are refused.
    pub(crate) fn text(&self, template: &Spanned<Template>) -> Result<Arc<str>, Halt> {
        let value = self.template(template)?;
        if value.kind().is_primitive() {
            Ok(value.to_shared_text())
        } else {
            Err(Halt::at(template.span, not_a_string(&value)))
        }
    }

    /// A token's value.
    pub(crate) fn token(&self, token: &Spanned<Token>) -> Result<Value, Halt> {
        match token.evaluate(self.contexts(), &self.functions(Phase::Body)) {
            Ok(TokenValue::Value(value)) => Ok(value),
            Ok(TokenValue::NeedsHash(request)) => Err(Halt::Hash(request)),
            Err(error) => Err(Halt::Fault(Fault { span: Some(error.span), text: error.text })),
        }
    }

    /// A mapping of names to texts, such as `env`. Null is the empty mapping.
    pub(crate) fn texts(&self, token: &Spanned<Token>) -> Result<Texts, Halt> {
        let object = self.mapping(token)?;
        Ok(object.iter().map(|(name, value)| (Arc::clone(name), value.to_shared_text())).collect())
    }

    /// The same with values that have a text but need not be one.
    pub(crate) fn mapping(&self, token: &Spanned<Token>) -> Result<Arc<Object>, Halt> {
        match self.token(token)? {
            Value::Null => Ok(Arc::clone(&NOTHING)),
            Value::Object(object) => {
                if let Some(value) = object.values().find(|value| !value.kind().is_primitive()) {
                    return Err(Halt::at(token.span, not_a_string(value)));
                }
                Ok(object)
            }
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
