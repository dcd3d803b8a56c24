//! Our workflow types in the JSON that GitHub's parsers write: token types by number, expressions as text.

use std::sync::Arc;

use expr::{Condition, Template};
use serde_json::{Map, Value as Json, json};
use syntax::{
    CallSecrets, Input, Job, JobBody, Level, Permissions, SourceId, Sources, Span, Spanned, Step, StepBody,
    Token, Trigger, Workflow,
};

/// What the JSON of a case holds.
pub(super) struct Dialect {
    /// File, line and column of every token.
    pub(super) places: bool,
    /// The events, as the TypeScript parser gives them; the C# parser gives input types instead.
    pub(super) events: bool,
}

type Object = Map<String, Json>;

impl Dialect {
    pub(super) fn workflow(&self, workflow: &Workflow, sources: &Sources) -> Json {
        let mut json = Object::new();
        if self.events {
            let events =
                workflow.on.events.iter().map(|(name, trigger)| (name.to_string(), event(trigger))).collect();
            json.insert("events".into(), Json::Object(events));
        } else {
            let inputs = workflow.on.events.get("workflow_dispatch").map(|trigger| &trigger.inputs);
            let types: Object = inputs
                .into_iter()
                .flatten()
                .map(|(name, input)| (name.to_string(), input.kind.as_str().into()))
                .collect();
            if !types.is_empty() {
                json.insert("input-types".into(), Json::Object(types));
            }
        }
        self.add(&mut json, "env", workflow.env.as_ref());
        self.add(&mut json, "defaults", workflow.defaults.token.as_ref());
        self.add(&mut json, "concurrency", workflow.concurrency.as_ref());
        add_permissions(&mut json, workflow.permissions.as_ref());
        json.insert("jobs".into(), workflow.jobs.values().map(|job| self.job(job)).collect());
        if self.places {
            json.insert("file-table".into(), file_table(workflow, sources).into());
        }
        Json::Object(json)
    }

    fn job(&self, job: &Job) -> Json {
        let mut json = Object::new();
        let id = job.id.with(Token::String(job.id.value.clone()));
        let reusable = matches!(job.body, JobBody::Reusable { .. });
        json.insert("type".into(), if reusable { "reusableWorkflowJob" } else { "job" }.into());
        json.insert("id".into(), self.token(&id));
        let named = job.name.as_ref().filter(|name| name.as_literal() != Some(""));
        json.insert("name".into(), named.map_or_else(|| self.token(&id), |name| self.template(name)));
        let text = |need: &Spanned<Arc<str>>| self.token(&need.with(Token::String(Arc::clone(&need.value))));
        if reusable || !job.needs.is_empty() {
            json.insert("needs".into(), job.needs.iter().map(text).collect());
        }
        json.insert("if".into(), condition(&job.condition));
        self.add(&mut json, "strategy", job.strategy.as_ref().map(|strategy| &strategy.token));
        self.add(&mut json, "concurrency", job.concurrency.as_ref());
        match &job.body {
            JobBody::Steps { runs_on, container, services, steps } => {
                add_permissions(&mut json, job.permissions.as_ref());
                self.add(&mut json, "continue-on-error", job.continue_on_error.as_ref());
                self.add(&mut json, "timeout-minutes", job.timeout_minutes.as_ref());
                self.add(&mut json, "cancel-timeout-minutes", job.cancel_timeout_minutes.as_ref());
                self.add(&mut json, "env", job.env.as_ref());
                self.add(&mut json, "environment", job.environment.as_ref());
                self.add(&mut json, "defaults", job.defaults.token.as_ref());
                self.add(&mut json, "runs-on", Some(runs_on));
                self.add(&mut json, "container", container.as_ref());
                self.add(&mut json, "services", services.as_ref());
                self.add(&mut json, "snapshot", job.snapshot.as_ref());
                if !job.outputs.is_empty() {
                    let pair = |(key, value): &(Spanned<Arc<str>>, Spanned<Template>)| json!({"Key": text(key), "Value": self.template(value)});
                    let pairs: Json = job.outputs.iter().map(pair).collect();
                    json.insert("outputs".into(), json!({"type": 2, "map": pairs}));
                }
                if !steps.is_empty() {
                    json.insert("steps".into(), steps.iter().map(|step| self.step(step)).collect());
                }
            }
            JobBody::Reusable { uses, with, secrets, workflow } => {
                json.insert("ref".into(), text(uses));
                self.add(&mut json, "input-values", with.as_ref());
                match secrets {
                    Some(CallSecrets::Inherit(_)) => {
                        json.insert("inherit-secrets".into(), true.into());
                    }
                    Some(CallSecrets::Named(secrets)) => self.add(&mut json, "secret-values", Some(secrets)),
                    None => {}
                }
                let called = workflow.as_deref();
                let permissions =
                    called.and_then(|called| called.permissions.as_ref()).or(job.permissions.as_ref());
                add_permissions(&mut json, permissions);
                let jobs = called.into_iter().flat_map(|called| called.jobs.values());
                json.insert("jobs".into(), jobs.map(|job| self.job(job)).collect());
                if let Some(called) = called {
                    self.called(&mut json, called);
                }
            }
        }
        Json::Object(json)
    }

    fn called(&self, json: &mut Object, called: &Workflow) {
        let config = called.on.events.get("workflow_call").and_then(|trigger| trigger.config.as_ref());
        for (name, key) in
            [("input-definitions", "inputs"), ("secret-definitions", "secrets"), ("outputs", "outputs")]
        {
            self.add(json, name, config.and_then(|config| config.get(key)));
        }
        self.add(json, "env", called.env.as_ref());
        self.add(json, "defaults", called.defaults.token.as_ref());
    }

    fn step(&self, step: &Step) -> Json {
        let mut json = Object::new();
        json.insert("id".into(), (*step.context_name).into());
        let default_name = match &step.body {
            StepBody::Wait { .. } => Some("Wait"),
            StepBody::WaitAll => Some("Wait for all"),
            StepBody::Cancel { .. } => Some("Cancel"),
            _ => None,
        };
        if let Some(name) =
            step.name.as_ref().map(|name| self.template(name)).or(default_name.map(Json::from))
        {
            json.insert("name".into(), name);
        }
        if default_name.is_none() {
            json.insert("if".into(), condition(&step.condition));
        }
        self.add(&mut json, "continue-on-error", step.continue_on_error.as_ref());
        self.add(&mut json, "timeout-minutes", step.timeout_minutes.as_ref());
        self.add(&mut json, "env", step.env.as_ref());
        if step.background.value {
            json.insert("background".into(), true.into());
        }
        let name = |id: &Spanned<Arc<str>>| Json::from(&*id.value);
        match &step.body {
            StepBody::Run { script, .. } => json.insert("run".into(), self.template(script)),
            StepBody::Uses { reference, with } => {
                self.add(&mut json, "with", with.as_ref());
                json.insert("uses".into(), name(reference))
            }
            StepBody::Wait { ids } => json.insert("wait".into(), ids.iter().map(name).collect()),
            StepBody::WaitAll => json.insert("wait-all".into(), true.into()),
            StepBody::Cancel { id } => json.insert("cancel".into(), name(id)),
            StepBody::Parallel { steps } => {
                json.insert("parallel".into(), steps.iter().map(|step| self.step(step)).collect())
            }
        };
        Json::Object(json)
    }

    fn add(&self, json: &mut Object, key: &str, token: Option<&Spanned<Token>>) {
        if let Some(token) = token {
            json.insert(key.into(), self.token(token));
        }
    }

    fn template(&self, template: &Spanned<Template>) -> Json {
        let token = match template.as_literal() {
            Some(literal) => Token::String(literal.into()),
            None => Token::Template(template.value.clone()),
        };
        self.token(&template.with(token))
    }

    fn token(&self, token: &Spanned<Token>) -> Json {
        let (kind, key, value) = match &token.value {
            Token::Null => (7, "", Json::Null),
            Token::Bool(value) => (5, "bool", Json::from(*value)),
            Token::Number(value) => (6, "num", number(*value)),
            Token::String(text) => (0, "lit", Json::from(&**text)),
            Token::Template(template) => {
                (3, "expr", template.expression().map_or("", |expression| expression.source()).into())
            }
            Token::Insert => (4, "directive", "insert".into()),
            Token::Sequence(items) => (1, "seq", items.iter().map(|item| self.token(item)).collect()),
            Token::Mapping(pairs) => {
                let pair = |(key, value): &(Spanned<Token>, Spanned<Token>)| json!({"Key": self.token(key), "Value": self.token(value)});
                (2, "map", pairs.iter().map(pair).collect())
            }
        };
        if !self.places && matches!(kind, 0 | 5..=7) {
            return value;
        }
        let mut json = Object::new();
        json.insert("type".into(), kind.into());
        if self.places {
            place(&mut json, token.span);
        }
        if !key.is_empty() {
            json.insert(key.into(), value);
        }
        Json::Object(json)
    }
}

/// Files are added in the order in which they are read, so that the id tells the number GitHub gives.
fn place(json: &mut Object, span: Span) {
    json.insert("file".into(), (file_number(span.source)).into());
    json.insert("line".into(), span.start.line.into());
    json.insert("col".into(), span.start.column.into());
}

fn file_number(source: SourceId) -> usize {
    let digits: String = format!("{source:?}").chars().filter(char::is_ascii_digit).collect();
    digits.parse::<usize>().expect("a number") + 1
}

fn file_table(workflow: &Workflow, sources: &Sources) -> Vec<String> {
    let mut files = vec![sources.path(workflow.source).to_owned()];
    for job in workflow.jobs.values() {
        if let JobBody::Reusable { workflow: Some(called), .. } = &job.body {
            files.extend(file_table(called, sources));
        }
    }
    files
}

fn condition(condition: &Condition) -> Json {
    json!({"type": 3, "expr": condition.expression().source()})
}

/// JSON has no infinities; GitHub's data writes them as text.
fn number(value: f64) -> Json {
    if value.is_nan() {
        "NaN".into()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity".into() } else { "-Infinity".into() }
    } else {
        value.into()
    }
}

fn add_permissions(json: &mut Object, permissions: Option<&Permissions>) {
    if let Some(permissions) = permissions {
        let granted = permissions.scopes().into_iter().filter(|(_, level)| *level != Level::None);
        let scopes = granted.map(|(scope, level)| (scope.to_string(), level.as_str().into())).collect();
        json.insert("permissions".into(), Json::Object(scopes));
    }
}

fn event(trigger: &Trigger) -> Json {
    if !trigger.schedule.is_empty() {
        return trigger.schedule.iter().map(|schedule| json!({"cron": &*schedule.cron.value})).collect();
    }
    let mut json = Object::new();
    for filter in &trigger.filters {
        let values = filter.values.iter().map(|value| Json::from(&*value.value)).collect();
        json.insert(filter.name.to_string(), values);
    }
    if !trigger.inputs.is_empty() {
        let inputs = trigger.inputs.iter().map(|(name, value)| (name.to_string(), input(value))).collect();
        json.insert("inputs".into(), Json::Object(inputs));
    }
    if !trigger.secrets.is_empty() {
        let definitions = trigger.config.as_ref().and_then(|config| config.get("secrets"));
        let secret =
            |(key, value): &(Spanned<Token>, Spanned<Token>)| Some((key.as_str()?.to_string(), plain(value)));
        let secrets = definitions
            .and_then(|token| token.as_mapping())
            .unwrap_or_default()
            .iter()
            .filter_map(secret)
            .collect();
        json.insert("secrets".into(), Json::Object(secrets));
    }
    Json::Object(json)
}

fn input(input: &Input) -> Json {
    let mut json = Object::new();
    json.insert("type".into(), input.kind.as_str().into());
    if let Some(description) = &input.description {
        json.insert("description".into(), (**description).into());
    }
    if input.required {
        json.insert("required".into(), true.into());
    }
    if let Some(default) = &input.default {
        json.insert("default".into(), plain(default));
    }
    if !input.options.is_empty() {
        json.insert(
            "options".into(),
            input.options.iter().map(|option| Json::from(&*option.value)).collect(),
        );
    }
    Json::Object(json)
}

/// A token as the JSON a person would write.
fn plain(token: &Spanned<Token>) -> Json {
    match &token.value {
        Token::Bool(value) => (*value).into(),
        Token::Number(value) => number(*value),
        Token::Mapping(pairs) => {
            let pair = |(key, value): &(Spanned<Token>, Spanned<Token>)| {
                Some((key.as_str()?.to_string(), plain(value)))
            };
            Json::Object(pairs.iter().filter_map(pair).collect())
        }
        Token::Sequence(items) => items.iter().map(plain).collect(),
        other => other.literal_text().map_or(Json::Null, |text| (*text).into()),
    }
}
