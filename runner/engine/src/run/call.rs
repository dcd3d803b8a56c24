//! Jobs that call workflows: what the called workflow is given, and what comes back.
//!
//! The workflow files were read, and the call was compared with what it calls, when the workflow was parsed; here its values
//! are evaluated.

use std::sync::Arc;

use expr::{Evaluated, Functions, HashAnswers, Object, Phase, StatusFacts, Value};
use syntax::{
    CallSecrets, Input, InputKind, Job as JobDefinition, JobBody, Spanned, Token, Trigger, Workflow,
};

use super::start::{located_in, token_value};
use super::{Instance, InstanceState, Run, RunEffect, RunEvent, RunInputs, Work};
use crate::effect::Outcome;
use crate::plan::{Caller, JobKey};
use crate::secrets::Secrets;

/// The trigger of workflows that can be called.
const WORKFLOW_CALL: &str = "workflow_call";
/// Passed on to every called workflow, whatever the call says.
const GITHUB_TOKEN: &str = "GITHUB_TOKEN";

/// The call that a run within a run answers.
#[derive(Clone, PartialEq)]
pub(super) struct Call {
    /// The job that calls.
    key: Arc<JobKey>,
    /// Its name, with those of the jobs around it.
    name: Arc<str>,
    /// It and the jobs around it, the innermost first.
    callers: Arc<[Caller]>,
    /// The `secrets` context of all that is called.
    pub(super) secrets: Arc<Object>,
}

impl Run {
    /// How many calls lead here.
    pub(super) fn depth(&self) -> usize {
        self.call.as_ref().map_or(0, |call| call.callers.len())
    }

    pub(super) fn key(&self, id: &Arc<str>, combination: Option<u32>) -> JobKey {
        let caller = self.call.as_ref().map(|call| Arc::clone(&call.key));
        JobKey { caller, id: Arc::clone(id), combination }
    }

    /// As GitHub shows the jobs of a called workflow: `call / build`.
    pub(super) fn name_within(&self, name: &str) -> Arc<str> {
        match &self.call {
            None => name.into(),
            Some(call) => format!("{} / {name}", call.name).into(),
        }
    }

    pub(super) fn callers(&self) -> Arc<[Caller]> {
        self.call.as_ref().map(|call| Arc::clone(&call.callers)).unwrap_or_default()
    }

    pub(super) fn secrets_context<'a>(&'a self, secrets: &'a Secrets) -> &'a Arc<Object> {
        self.call.as_ref().map_or(secrets.context(), |call| &call.secrets)
    }

    /// The run of the workflow that `job` calls, with everything that the call gives it.
    pub(super) fn called(
        &self,
        key: &JobKey,
        job: &JobDefinition,
        name: Arc<str>,
        contexts: &Object,
    ) -> Result<Run, String> {
        let JobBody::Reusable { uses, with, secrets, workflow } = &job.body else {
            return Err(format!("job `{}` calls no workflow", job.id.value));
        };
        let Some(workflow) = workflow else {
            return Err(located_in(&self.given.file, uses.span, &not_here(&uses.value)));
        };
        let given = RunInputs {
            file: Arc::clone(&workflow.file),
            github: self.given.github.clone(),
            vars: self.given.vars.clone(),
            inputs: self.call_inputs(workflow, uses, with.as_ref(), contexts)?,
            runner: self.given.runner.clone(),
            background_slots: self.given.background_slots,
        };
        let own = Caller {
            name: Arc::clone(&name),
            file: Arc::clone(&self.given.file),
            line: uses.span.start.line,
        };
        let callers = std::iter::once(own).chain(self.callers().iter().cloned()).collect();
        let secrets = Arc::new(self.call_secrets(secrets.as_ref(), contexts)?);
        let mut run = Run::new(Arc::clone(workflow), given, self.wanted_of(&key.id));
        run.call = Some(Call { key: Arc::new(key.clone()), name: self.name_within(&name), callers, secrets });
        run.only = self.only.clone();
        Ok(run)
    }

    /// What of a called workflow is wanted: all of it, unless every wish that leads there names a job in it.
    fn wanted_of(&self, id: &str) -> Option<Vec<Arc<str>>> {
        let inner = |path: &Arc<str>| match path.split_once('/') {
            Some((first, rest)) if first.eq_ignore_ascii_case(id) => Some(Arc::from(rest)),
            _ => None,
        };
        let wanted = self.wanted.as_ref()?;
        let whole = wanted.iter().any(|path| path.eq_ignore_ascii_case(id));
        let inner: Vec<Arc<str>> = wanted.iter().filter_map(inner).collect();
        // Another job needs it.
        (!whole && !inner.is_empty()).then_some(inner)
    }

    fn call_inputs(
        &self,
        workflow: &Workflow,
        uses: &Spanned<Arc<str>>,
        with: Option<&Spanned<Token>>,
        contexts: &Object,
    ) -> Result<Object, String> {
        let given = with.map(|with| self.token(with, contexts)).transpose()?;
        let declared = call_trigger(workflow).map(|trigger| &trigger.inputs);
        let mut inputs = Object::new();
        for (name, input) in declared.into_iter().flatten() {
            let value = match given.as_ref().and_then(|given| given.get(name)) {
                Some(value) => Some(value.clone()),
                None => self.default_of(workflow, input)?,
            };
            let value = typed(input.kind, value).map_err(|text| {
                located_in(&self.given.file, uses.span, &format!("the input `{name}` {text}"))
            })?;
            inputs.insert(Arc::clone(name), value);
        }
        Ok(inputs)
    }

    /// A default is evaluated where it is written, and sees `github`, `inputs` and `vars` of the caller (steps.md 1.5).
    fn default_of(&self, workflow: &Workflow, input: &Input) -> Result<Option<Value>, String> {
        let Some(default) = &input.default else { return Ok(None) };
        let mut contexts = Object::new();
        contexts.insert("github", Value::Object(Arc::new(self.given.github.clone())));
        contexts.insert("inputs", Value::Object(Arc::new(self.given.inputs.clone())));
        contexts.insert("vars", Value::Object(Arc::new(self.given.vars.clone())));
        let value = token_value(default, &contexts);
        value.map(Some).map_err(|text| located_in(&workflow.file, default.span, &text))
    }

    fn call_secrets(&self, secrets: Option<&CallSecrets>, contexts: &Object) -> Result<Object, String> {
        let all = contexts.get("secrets");
        let mut passed_on = Object::new();
        match secrets {
            Some(CallSecrets::Inherit(_)) => {
                if let Some(Value::Object(all)) = all {
                    return Ok(all.as_ref().clone());
                }
            }
            Some(CallSecrets::Named(named)) => {
                if let Value::Object(named) = self.token(named, contexts)? {
                    passed_on.extend(
                        named.iter().map(|(name, value)| (Arc::clone(name), Value::string(value.to_text()))),
                    );
                }
            }
            None => {}
        }
        if let Some(token) = all.and_then(|all| all.get(GITHUB_TOKEN)) {
            passed_on.insert(GITHUB_TOKEN, token.clone());
        }
        Ok(passed_on)
    }

    /// The outputs that the called workflow gives to its caller.
    fn call_outputs(&self) -> Result<Object, String> {
        let mut contexts = Object::new();
        let jobs = self.groups.iter().map(|(id, group)| (Arc::clone(id), group.needs_entry()));
        contexts.insert("jobs", Value::Object(Arc::new(jobs.collect())));
        contexts.insert("github", Value::Object(Arc::new(self.given.github.clone())));
        contexts.insert("vars", Value::Object(Arc::new(self.given.vars.clone())));
        contexts.insert("inputs", Value::Object(Arc::new(self.given.inputs.clone())));
        let functions = Functions::for_dispatch(Phase::Body, StatusFacts::default(), HashAnswers::default());
        let mut outputs = Object::new();
        for output in call_trigger(&self.workflow).into_iter().flat_map(|trigger| &trigger.outputs) {
            let fault = |text: &str| located_in(&self.given.file, output.value.span, text);
            let value = match output.value.value.evaluate(&contexts, &functions) {
                Ok(Evaluated::Value(value)) => value.to_text().into_owned(),
                Ok(Evaluated::NeedsHash(_)) => return Err(fault("hashFiles() cannot be used here")),
                Err(error) => return Err(fault(&error.to_string())),
            };
            outputs.insert(Arc::clone(&output.name.value), Value::string(value));
        }
        Ok(outputs)
    }
}

impl Instance {
    /// Passes an event on to the run of a called workflow, and takes its end as that of the job.
    pub(super) fn tell(&mut self, event: RunEvent, secrets: &Secrets, out: &mut Vec<RunEffect>) {
        let Work::Call(run) = &mut self.work else { return };
        let mut effects = Vec::new();
        run.handle(event, secrets, &mut effects);
        for effect in effects {
            match effect {
                RunEffect::Finished { outcome } => match run.call_outputs() {
                    Ok(outputs) => {
                        self.state = InstanceState::Over(outcome);
                        self.outputs = Arc::new(outputs);
                    }
                    Err(text) => {
                        self.state = InstanceState::Over(Outcome::Failure);
                        out.push(RunEffect::JobEnded {
                            key: self.key.clone(),
                            name: Arc::clone(&self.name),
                            outcome: Outcome::Failure,
                            error: Some(secrets.mask(&text)),
                        });
                    }
                },
                other => out.push(other),
            }
        }
    }
}

fn call_trigger(workflow: &Workflow) -> Option<&Trigger> {
    workflow.on.events.get(WORKFLOW_CALL)
}

fn not_here(reference: &str) -> String {
    format!("the called workflow {reference} is not on this machine")
}

/// The value with the type that the input declares; what nobody gave is empty.
fn typed(kind: InputKind, value: Option<Value>) -> Result<Value, String> {
    let value = value.unwrap_or(Value::Null);
    let text = value.to_text();
    let wrong = |wanted: &str| Err(format!("cannot be `{text}`: it is {wanted}"));
    match (kind, &value) {
        (InputKind::Boolean, Value::Null) => Ok(Value::Bool(false)),
        (InputKind::Boolean, Value::Bool(_)) | (InputKind::Number, Value::Number(_)) => Ok(value),
        (InputKind::Boolean, _) => match &*text {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => wrong("a boolean"),
        },
        (InputKind::Number, Value::Null) => Ok(Value::Number(0.0)),
        (InputKind::Number, _) => match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::Number(number)),
            _ => wrong("a number"),
        },
        _ => Ok(Value::string(text.into_owned())),
    }
}
