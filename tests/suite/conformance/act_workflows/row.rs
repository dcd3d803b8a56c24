//! One row of the table: its workflow, what it is given, and what is to come of it.
//!
//! Reads the data's files; runs nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::action::ActionReference;
use engine::run::RunInputs;
use engine::secrets::Secrets;
use expr::{Object, Value};
use indexmap::IndexMap;
use serde_json::Value as Json;
use syntax::{
    FileProvider, InputKind, JobBody, ReadOptions, Sources, Spanned, StepBody, Token, Workflow,
    parse_workflow,
};

use super::super::real_world::read;
use super::super::{json, object, text, value};

/// What comes of a row.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Pass,
    Fail,
    /// It cannot start: the places of its errors.
    Refused(Vec<String>),
}

/// A row of the table.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) expected: Verdict,
    /// The places of the errors in its workflow, if there are some.
    pub(super) refused: Option<Vec<String>>,
    /// The folder that every workspace stands for.
    pub(super) root: PathBuf,
    /// What of it the row can need: its own folder, and those of its actions. All of it would be the folders of all other rows,
    /// thousands of files over all jobs.
    pub(super) needed: Vec<PathBuf>,
    pub(super) workflow: Arc<Workflow>,
    pub(super) given: RunInputs,
    pub(super) secrets: Secrets,
    /// `github.event`.
    pub(super) event: Json,
}

impl Row {
    /// Every row of `act-workflows`.
    pub(super) fn all(folder: &Path) -> Vec<Row> {
        let table = json(&folder.join("manifest.json"));
        table.as_array().expect("a list").iter().map(|row| Row::of(&folder.join("tree"), row)).collect()
    }

    fn of(tree: &Path, row: &Json) -> Row {
        let [file] = row["workflows"].as_array().expect("a list").as_slice() else {
            panic!("{row}: more than one workflow")
        };
        let file = file.as_str().expect("a file");
        let root = tree.join(text(row, "workdir"));
        let mut sources = Sources::new();
        let (source, _) = sources.add_bytes(file, &read(&tree.join(file)));
        let (mut workflow, diagnostics) =
            parse_workflow(&mut sources, source, &ReadOptions::default(), &Below(&root));
        let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error());
        let places: Vec<String> =
            errors.map(|error| format!("{}:{}", error.span.start.line, error.span.start.column)).collect();
        let workflow = workflow.as_mut().unwrap_or_else(|| panic!("{file}: {diagnostics:?}"));

        let beside = tree.join(file).parent().expect("a folder").to_path_buf();
        add_environment(workflow, dotenv(&beside.join(".env")));
        let (name, trigger) = (text(row, "path"), text(row, "event"));
        let event = event(&beside.join("event.json"));
        let given = RunInputs {
            file: file.into(),
            github: github(trigger, workflow, &event),
            inputs: inputs(workflow, trigger, &event),
            runner: Object::from([("os", Value::string("Linux")), ("arch", Value::string("X64"))]),
            ..RunInputs::default()
        };
        let expected = match (name, text(row, "expect")) {
            // GitHub's parser wants the type of such an input, act's does not.
            ("workflow_call_inputs", _) => Verdict::Refused(vec!["7:9".to_owned(), "10:9".to_owned()]),
            (_, "pass") => Verdict::Pass,
            (_, "fail") => Verdict::Fail,
            (_, other) => panic!("{name}: expected to {other}"),
        };
        Row {
            name: name.to_owned(),
            expected,
            refused: (!places.is_empty()).then_some(places),
            root,
            needed: local_folders(row).map(|folder| tree.join(folder)).chain([beside.clone()]).collect(),
            workflow: Arc::new(workflow.clone()),
            given,
            secrets: Secrets::new(dotenv(&beside.join(".secrets"))),
            event,
        }
    }

    /// Why it is left out here: it needs more than this machine and its own files.
    pub(super) fn cannot_run(&self) -> Option<&'static str> {
        if self.name == "networking" {
            return Some("needs a network");
        }
        self.workflow.jobs.values().find_map(|job| match &job.body {
            JobBody::Reusable { workflow: None, .. } => Some("calls a workflow of another repository"),
            JobBody::Reusable { .. } => None,
            JobBody::Steps { container: Some(_), .. } => Some("runs in a container"),
            JobBody::Steps { services: Some(_), .. } => Some("needs services"),
            JobBody::Steps { steps, .. } => steps.iter().find_map(|step| match &step.body {
                StepBody::Uses { reference, .. } => foreign_action(&reference.value),
                _ => None,
            }),
        })
    }
}

/// Called workflows of the row's repository.
struct Below<'a>(&'a Path);

impl FileProvider for Below<'_> {
    fn read(&self, path: &str) -> Result<Arc<str>, String> {
        let local = path.strip_prefix("./").ok_or("it is in another repository")?;
        std::fs::read_to_string(self.0.join(local)).map(Arc::from).map_err(|error| error.to_string())
    }
}

fn local_folders(row: &Json) -> impl Iterator<Item = &str> {
    row["local_dirs"].as_array().into_iter().flatten().filter_map(Json::as_str)
}

fn foreign_action(reference: &str) -> Option<&'static str> {
    match ActionReference::of(reference) {
        ActionReference::Checkout | ActionReference::Local(_) | ActionReference::SelfRepository(_) => None,
        ActionReference::Container(_) => Some("uses a container"),
        ActionReference::Repository(_) => Some("uses an action of another repository"),
        // To be refused, which a row may be about.
        ActionReference::Malformed(_) => None,
    }
}

fn event(path: &Path) -> Json {
    if path.is_file() { json(path) } else { serde_json::json!({ "ref": "refs/heads/master" }) }
}

fn github(trigger: &str, workflow: &Workflow, event: &Json) -> Object {
    let name = workflow.name.as_ref().map_or("", |name| name.value.source());
    let mut github: Object = [
        ("event_name", trigger),
        ("actor", "nektos/act"),
        ("repository", "nektos/act"),
        ("repository_owner", "nektos"),
        ("ref", "refs/heads/master"),
        ("ref_name", "master"),
        ("ref_type", "branch"),
        ("sha", "bd86152100000000000000000000000000000000"),
        ("workflow", name),
        ("run_id", "1"),
        ("run_number", "1"),
        ("run_attempt", "1"),
        ("server_url", "https://github.com"),
        ("api_url", "https://api.github.com"),
    ]
    .into_iter()
    .map(|(key, text)| (key, Value::string(text)))
    .collect();
    github.insert("event", value(event));
    github
}

/// The `inputs` of a manual start: what the event says, else the defaults, with the declared types.
fn inputs(workflow: &Workflow, trigger: &str, event: &Json) -> Object {
    let Some(trigger) = workflow.on.events.get(trigger) else { return Object::new() };
    let given = object(&event["inputs"]);
    let declared = trigger.inputs.iter().map(|(name, input)| {
        let default = input.default.as_ref().and_then(|token| token.value.literal_text());
        let text = given.get(name).map(|value| value.to_text().into_owned());
        let text = text.or_else(|| default.map(|text| text.to_string())).unwrap_or_default();
        let value = match input.kind {
            InputKind::Boolean => Value::Bool(text == "true"),
            InputKind::Number => Value::Number(text.parse().unwrap_or_default()),
            InputKind::String | InputKind::Choice | InputKind::Environment => Value::string(text),
        };
        (Arc::clone(name), value)
    });
    declared.collect()
}

/// `KEY=VALUE` lines; only a value in double quotes has escapes. No file, no entries.
fn dotenv(path: &Path) -> IndexMap<Arc<str>, Arc<str>> {
    let text = if path.is_file() { std::fs::read_to_string(path).expect("text") } else { String::new() };
    let entry = |line: &str| {
        let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("{}: {line}", path.display()));
        let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        let value = quoted.map_or_else(|| value.to_owned(), |value| value.replace("\\n", "\n"));
        (Arc::from(key), Arc::from(value))
    };
    text.lines().map(entry).collect()
}

/// act puts `.env` below what the workflow itself says.
fn add_environment(workflow: &mut Workflow, variables: IndexMap<Arc<str>, Arc<str>>) {
    if variables.is_empty() {
        return;
    }
    let place = workflow.on.span;
    let own = match workflow.env.take().map(|env| env.value) {
        None => Vec::new(),
        Some(Token::Mapping(pairs)) => Arc::unwrap_or_clone(pairs),
        Some(_) => panic!("the workflow's env is no mapping"),
    };
    let token = |text: Arc<str>| Spanned::new(Token::String(text), place);
    let given = variables
        .into_iter()
        .filter(|(name, _)| !own.iter().any(|(key, _)| key.as_str().is_some_and(|key| key == name)));
    let mut pairs: Vec<_> = given.map(|(name, value)| (token(name), token(value))).collect();
    pairs.extend(own);
    workflow.env = Some(Spanned::new(Token::Mapping(Arc::new(pairs)), place));
}
