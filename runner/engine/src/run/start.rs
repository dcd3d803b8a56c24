//! From a group of jobs that waits to one that runs, or never will: condition, matrix, names.
//!
//! Looks at results of jobs before it; starts nothing itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use expr::{Evaluated, Functions, HashAnswers, Object, Phase, StatusFacts, Value};
use syntax::{Job as JobDefinition, JobBody, Span, Spanned, Token, TokenValue};

use super::matrix::{Combination, MatrixError, expand};
use super::{Group, GroupState, Instance, InstanceState, Run, RunEffect, Work, spelled_as_defined};
use crate::effect::Outcome;
use crate::job::JobInputs;
use crate::plan::{self, JobKey, Plan};
use crate::secrets::Secrets;

impl Run {
    /// Decides what becomes of a group whose needs are over.
    pub(super) fn open(&mut self, id: &Arc<str>, secrets: &Secrets, out: &mut Vec<RunEffect>) {
        let outcome = match self.prepare(id, secrets) {
            Ok(Some(group)) => {
                self.groups.insert(Arc::clone(id), group);
                return;
            }
            Ok(None) if self.cancelled => (Outcome::Cancelled, None),
            Ok(None) => (Outcome::Skipped, None),
            Err(text) => (Outcome::Failure, Some(secrets.mask(&text))),
        };
        if let Some(group) = self.groups.get_mut(id) {
            group.state = GroupState::Over(outcome.0);
        }
        let (key, name) = (self.key(id, None), self.name_within(id));
        out.push(RunEffect::JobEnded { key, name, outcome: outcome.0, error: outcome.1 });
    }

    /// The group with its jobs; `None` when its condition is false.
    fn prepare(&self, id: &Arc<str>, secrets: &Secrets) -> Result<Option<Group>, String> {
        let Some(job) = self.workflow.jobs.get(id) else { return Ok(None) };
        let mut contexts = self.contexts(job);
        if !self.condition(job, &contexts)? {
            return Ok(None);
        }
        contexts.insert("secrets", Value::Object(Arc::clone(self.secrets_context(secrets))));
        self.group(id, job, &contexts).map(Some)
    }

    /// The group with every job that its matrix gives, or the one that was chosen.
    pub(super) fn group(
        &self,
        id: &Arc<str>,
        job: &JobDefinition,
        contexts: &Object,
    ) -> Result<Group, String> {
        let evaluate = |token: &Spanned<Token>| self.token(token, contexts);
        let strategy = job.strategy.as_ref();
        let fail_fast = match strategy.and_then(|strategy| strategy.fail_fast.as_ref()) {
            Some(token) => evaluate(token)?.is_truthy(),
            None => true,
        };
        let max_parallel = match strategy.and_then(|strategy| strategy.max_parallel.as_ref()) {
            Some(token) => Some(evaluate(token)?.to_number() as u32).filter(|limit| *limit > 0),
            None => None,
        };
        let combinations = match strategy.and_then(|strategy| strategy.matrix.as_ref()) {
            Some(token) => Some(expand(&evaluate(token)?).map_err(|error| self.matrix_fault(token, &error))?),
            None => None,
        };
        let instances =
            self.chosen(self.instances(id, job, combinations, fail_fast, max_parallel, contexts)?);
        Ok(Group { state: GroupState::Started, fail_fast, max_parallel, instances })
    }

    fn instances(
        &self,
        id: &Arc<str>,
        job: &JobDefinition,
        combinations: Option<Vec<Combination>>,
        fail_fast: bool,
        max_parallel: Option<u32>,
        contexts: &Object,
    ) -> Result<Vec<Instance>, String> {
        let Some(combinations) = combinations else {
            let strategy = strategy_context(fail_fast, 0, 1, max_parallel);
            return Ok(vec![self.instance(self.key(id, None), job, None, strategy, contexts)?]);
        };
        let total = combinations.len();
        combinations
            .into_iter()
            .zip(0u32..)
            .map(|(combination, index)| {
                let key = self.key(id, Some(index));
                let strategy = strategy_context(fail_fast, index, total, max_parallel);
                self.instance(key, job, Some(combination), strategy, contexts)
            })
            .collect()
    }

    fn instance(
        &self,
        key: JobKey,
        job: &JobDefinition,
        combination: Option<Combination>,
        strategy: Object,
        contexts: &Object,
    ) -> Result<Instance, String> {
        let matrix = combination
            .as_ref()
            .map_or(Value::Null, |combination| Value::Object(Arc::new(combination.values.clone())));
        let mut own = contexts.clone();
        own.insert("matrix", matrix.clone());
        let strategy = Arc::new(strategy);
        own.insert("strategy", Value::Object(Arc::clone(&strategy)));
        let name = self.job_name(job, combination.as_ref(), &own);
        let forgiven = match &job.continue_on_error {
            Some(token) => self.token(token, &own)?.is_truthy(),
            None => false,
        };
        let full_name = self.name_within(&name);
        let work = match &job.body {
            JobBody::Reusable { .. } => Work::Call(Box::new(self.called(&key, job, name.into(), &own)?)),
            JobBody::Steps { .. } => {
                let plan = self.plan(key.clone(), Arc::clone(&full_name))?;
                let needs = object_of(contexts.get("needs"));
                Work::Steps { plan, inputs: Arc::new(self.job_inputs(needs, strategy, matrix)) }
            }
        };
        let (state, outputs) = (InstanceState::Queued, Arc::default());
        Ok(Instance { key, name: full_name, work, forgiven, state, outputs })
    }

    fn plan(&self, key: JobKey, name: Arc<str>) -> Result<Arc<Plan>, String> {
        let plan = Plan::new(Arc::clone(&self.workflow), Arc::clone(&self.given.file), key, name);
        Ok(Arc::new(plan.map_err(|error| error.to_string())?.called_by(self.callers())))
    }

    fn job_inputs(&self, needs: Arc<Object>, strategy: Arc<Object>, matrix: Value) -> JobInputs {
        JobInputs {
            github: Arc::new(self.given.github.clone()),
            needs,
            strategy,
            matrix,
            vars: Arc::new(self.given.vars.clone()),
            inputs: Arc::new(self.given.inputs.clone()),
            secrets: self.call.as_ref().map(|call| Arc::clone(&call.secrets)),
            runner: Arc::new(self.given.runner.clone()),
            background_slots: self.given.background_slots,
        }
    }

    /// The name shown for a job: its `name:`, else its id; with the matrix values behind it unless the name itself
    /// has expressions.
    fn job_name(&self, job: &JobDefinition, combination: Option<&Combination>, contexts: &Object) -> String {
        let written = match &job.name {
            None => job.id.value.to_string(),
            Some(name) => match name.value.as_literal() {
                Some(literal) => literal.to_owned(),
                None => {
                    return template_text(&name.value, contexts)
                        .unwrap_or_else(|| name.value.source().to_owned());
                }
            },
        };
        match combination {
            None => written,
            Some(combination) => {
                let parts: Vec<String> = combination.shown.iter().map(plan::name_part).collect();
                format!("{written} ({})", parts.join(", "))
            }
        }
    }

    pub(super) fn contexts(&self, job: &JobDefinition) -> Object {
        let needs = job.needs.iter().filter_map(|need| spelled_as_defined(&self.workflow, &need.value));
        let needs = self.needs_entries(needs);
        let mut all = Object::new();
        all.insert("github", Value::Object(Arc::new(self.given.github.clone())));
        all.insert("needs", Value::Object(Arc::new(needs)));
        all.insert("vars", Value::Object(Arc::new(self.given.vars.clone())));
        all.insert("inputs", Value::Object(Arc::new(self.given.inputs.clone())));
        all
    }

    fn needs_entries(&self, ids: impl IntoIterator<Item = Arc<str>>) -> Object {
        let entry = |id: Arc<str>| Some((Arc::clone(&id), self.groups.get(&id)?.needs_entry()));
        ids.into_iter().filter_map(entry).collect()
    }

    /// A job's `if`. `success()`, `failure()` and, in GitHub's conditions alone, `needs` look at every job before it, not only at
    /// those that it names (actions/runner issue 2356).
    fn condition(&self, job: &JobDefinition, contexts: &Object) -> Result<bool, String> {
        let ancestors = self.ancestors(job);
        let mut contexts = contexts.clone();
        contexts
            .insert("needs", Value::Object(Arc::new(self.needs_entries(ancestors.iter().map(Arc::clone)))));
        let results: Vec<Outcome> =
            ancestors.iter().filter_map(|id| self.groups.get(id)).map(Group::outcome).collect();
        let status = StatusFacts {
            success: !self.cancelled && results.iter().all(|result| *result == Outcome::Success),
            failure: !self.cancelled && results.contains(&Outcome::Failure),
            cancelled: self.cancelled || results.contains(&Outcome::Cancelled),
        };
        let functions = Functions::for_dispatch(Phase::Condition, status, HashAnswers::default());
        match job.condition.value.expression().evaluate(&contexts, &functions) {
            Ok(Evaluated::Value(value)) => Ok(value.is_truthy()),
            Ok(Evaluated::NeedsHash(_)) => {
                Err(located_in(&self.given.file, job.condition.span, "hashFiles() cannot be used here"))
            }
            Err(error) => Err(located_in(&self.given.file, job.condition.span, &error.to_string())),
        }
    }

    fn ancestors(&self, job: &JobDefinition) -> BTreeSet<Arc<str>> {
        let mut all = BTreeSet::new();
        let mut open: Vec<&JobDefinition> = vec![job];
        while let Some(job) = open.pop() {
            for id in job.needs.iter().filter_map(|need| spelled_as_defined(&self.workflow, &need.value)) {
                if let Some(before) = self.workflow.jobs.get(&id).filter(|_| all.insert(Arc::clone(&id))) {
                    open.push(before);
                }
            }
        }
        all
    }

    pub(super) fn token(&self, token: &Spanned<Token>, contexts: &Object) -> Result<Value, String> {
        token_value(token, contexts).map_err(|text| self.located(token, &text))
    }

    /// A fault of a matrix at the key that is wrong, where that is written as such.
    fn matrix_fault(&self, token: &Spanned<Token>, error: &MatrixError) -> String {
        let key = match error {
            MatrixError::UnknownExclude(key) => excluding_key(token, key),
            _ => None,
        };
        self.located(key.unwrap_or(token), &error.to_string())
    }

    fn located(&self, token: &Spanned<Token>, text: &str) -> String {
        located_in(&self.given.file, token.span, text)
    }
}

/// The value of a token outside of any step.
pub(super) fn token_value(token: &Spanned<Token>, contexts: &Object) -> Result<Value, String> {
    let functions = Functions::for_dispatch(Phase::Body, StatusFacts::default(), HashAnswers::default());
    match token.evaluate(contexts, &functions) {
        Ok(TokenValue::Value(value)) => Ok(value),
        Ok(TokenValue::NeedsHash(_)) => Err("hashFiles() cannot be used here".to_owned()),
        Err(error) => Err(error.text),
    }
}

/// A fault as GitHub places it.
pub(super) fn located_in(file: &str, span: Span, text: &str) -> String {
    format!("{file} (Line: {}, Col: {}): {text}", span.start.line, span.start.column)
}

/// Where an entry of a matrix's `exclude` names this key.
fn excluding_key<'t>(matrix: &'t Spanned<Token>, name: &str) -> Option<&'t Spanned<Token>> {
    let entries = matrix.get("exclude")?.as_sequence()?;
    let keys = entries.iter().filter_map(|entry| entry.as_mapping()).flatten().map(|(key, _)| key);
    keys.into_iter().find(|key| key.as_str().is_some_and(|text| text.eq_ignore_ascii_case(name)))
}

fn template_text(template: &expr::Template, contexts: &Object) -> Option<String> {
    let functions = Functions::for_dispatch(Phase::Body, StatusFacts::default(), HashAnswers::default());
    match template.evaluate(contexts, &functions) {
        Ok(Evaluated::Value(value)) => Some(value.to_text().to_string()),
        _ => None,
    }
}

fn strategy_context(fail_fast: bool, index: u32, total: usize, max_parallel: Option<u32>) -> Object {
    let total = u32::try_from(total).unwrap_or(u32::MAX);
    let mut strategy = Object::new();
    strategy.insert("fail-fast", Value::Bool(fail_fast));
    strategy.insert("job-index", Value::Number(f64::from(index)));
    strategy.insert("job-total", Value::Number(f64::from(total)));
    strategy.insert("max-parallel", Value::Number(f64::from(max_parallel.unwrap_or(total))));
    strategy
}

fn object_of(value: Option<&Value>) -> Arc<Object> {
    match value {
        Some(Value::Object(object)) => Arc::clone(object),
        _ => Arc::default(),
    }
}
