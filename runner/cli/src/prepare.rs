//! From the command line to a run that can start: the workflow, its jobs, and everything they are given.
//!
//! Refuses whatever a person can put right before the first step; runs nothing.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use engine::run::RunInputs;
use engine::secrets::Secrets;
use expr::{Object, Value};
use host::action::ActionStore;
use indexmap::IndexMap;
use syntax::{Job, Sources, Workflow};

use crate::args::ApiChoice;
use crate::check::refuse_faulty;
use crate::config::Settings;
use crate::exit::Fault;
use crate::given::event::{self, Event, Facts};
use crate::given::secrets::SecretValues;
use crate::given::{actions, environment, github, inputs, matrix, missing, runner, secrets};
use crate::paths::Paths;
use crate::workflow_files::{self, Loaded, Project};
use session::wording::{Meaning, Painter};

/// A run that can start.
pub(crate) struct Prepared {
    /// The workflow file, and those that it calls.
    pub(crate) sources: Sources,
    /// Where the workflow file is.
    pub(crate) path: PathBuf,
    /// Where the workflows of other repositories are that it calls, by their references.
    pub(crate) elsewhere: IndexMap<Arc<str>, PathBuf>,
    /// The repository that it belongs to.
    pub(crate) project: Project,
    /// The workflow, with `--env` and `--matrix` applied.
    pub(crate) workflow: Arc<Workflow>,
    /// What every job is given.
    pub(crate) given: RunInputs,
    /// The secrets.
    pub(crate) secrets: Secrets,
    /// The jobs that were asked for; `None` for all.
    pub(crate) wanted: Option<Vec<Arc<str>>>,
    /// `github.event` as JSON, for `GITHUB_EVENT_PATH`.
    pub(crate) event_json: String,
    /// Where the actions of other repositories are; all jobs share it.
    pub(crate) actions: ActionStore,
    /// How it is to be run.
    pub(crate) settings: Settings,
    /// Where things are kept.
    pub(crate) paths: Paths,
    /// The repository's top, or the folder with the workflow.
    pub(crate) root: PathBuf,
}

/// Where the warnings go.
pub(crate) struct Warnings<'a> {
    /// Usually standard error.
    pub(crate) out: &'a mut dyn Write,
    /// How.
    pub(crate) painter: Painter,
}

impl Warnings<'_> {
    /// One warning, with further lines indented.
    pub(crate) fn warn(&mut self, text: &str) {
        let word = self.painter.paint(Meaning::Warning, "warning:");
        // A person who has closed standard error does not want warnings.
        let _ = writeln!(self.out, "{word} {text}");
    }
}

/// Prepares the jobs of `loaded` that are in `wanted`, or all.
///
/// # Errors
/// Everything that the person has to put right: an error in the workflow, inputs, secrets, files, containers.
pub(crate) fn prepare(
    project: &Project,
    loaded: Loaded,
    wanted: Option<Vec<Arc<str>>>,
    (settings, values): (Settings, SecretValues),
    warnings: &mut Warnings<'_>,
) -> anyhow::Result<Prepared> {
    refuse_faulty(&loaded, warnings.painter, warnings.out)?;
    loaded.not_here().for_each(|text| warnings.warn(&text));
    let Loaded { path, shown, sources, elsewhere, workflow, .. } = loaded;
    let mut workflow = workflow.ok_or_else(|| Fault::new(format!("{shown}: there are no jobs in it")))?;
    let paths = Paths::from_environment()?;
    let variable = |name: &str| std::env::var(name).ok();
    matrix::choose(&mut workflow, &sources, &settings.matrix)?;
    environment::overlay(&mut workflow, &environment_of(&settings)?);

    let facts = github::facts(&github::Sources {
        repository: project.repository.as_ref(),
        root: &project.root,
        repository_name: settings.repository.as_deref(),
        actor: settings.actor.as_deref(),
        api: settings.api.as_ref().map(ApiChoice::url),
        variable: &variable,
    });
    let event_name = event::choose(&workflow.on, settings.event.as_deref(), !settings.inputs.is_empty());
    let resolved = inputs::resolve(&sources, &workflow.on, &event_name, &settings.inputs)?;
    let event = event(&settings, &facts, &workflow, &shown, event_name, &resolved)?;
    if settings.event.is_some() && !workflow.on.events.contains_key(event.name.as_str()) {
        warnings
            .warn(&format!("{shown} does not listen to the event `{}`; it is run all the same", event.name));
    }
    let actions = match &project.elsewhere {
        Some(store) => store.clone(),
        None => actions::store(&settings, paths.actions(), &values, &variable)?,
    };
    let vars: Object = settings
        .vars
        .iter()
        .map(|(name, value)| (Arc::from(name.as_str()), Value::string(value.as_str())))
        .collect();

    let jobs = jobs_to_run(&workflow, wanted.as_deref());
    let with_called = workflow_files::with_called(&workflow, &jobs);
    for (_, job) in &with_called {
        runner::refuse_containers(&sources, job, settings.host)?;
    }
    let unknown = missing::find(&sources, &with_called, &values, &vars);
    if let Some(text) = missing::warning(&unknown) {
        warnings.warn(&text);
    }
    let token =
        values.iter().find(|(name, _)| name.eq_ignore_ascii_case("GITHUB_TOKEN")).map(|(_, value)| &**value);
    let given = RunInputs {
        file: Arc::clone(&shown),
        github: github::context(&facts, &event, &workflow, &shown, token),
        vars,
        inputs: resolved.typed,
        runner: runner::context(&paths.cache.join("tools")),
        background_slots: settings.background_slots,
    };
    Ok(Prepared {
        sources,
        elsewhere,
        path,
        project: project.clone(),
        event_json: Value::from(event.payload).to_json(),
        secrets: Secrets::new(values),
        workflow: Arc::new(workflow),
        root: project.root.clone(),
        given,
        wanted,
        actions,
        settings,
        paths,
    })
}

impl Prepared {
    /// The text of a workflow file of the run, by the name under which people see it.
    pub(crate) fn text_of(&self, file: &str) -> Arc<str> {
        self.sources.find(file).map_or_else(Arc::default, |source| self.sources.shared_text(source))
    }

    /// Where a workflow file of the run is.
    pub(crate) fn path_of(&self, file: &str) -> PathBuf {
        match self.elsewhere.get(file) {
            Some(found) => found.clone(),
            None if *file == *self.given.file => self.path.clone(),
            None => self.root.join(file),
        }
    }
}

/// `--env-file`, then `--env` over it.
pub(crate) fn environment_of(settings: &Settings) -> Result<IndexMap<String, String>, Fault> {
    let mut env = IndexMap::new();
    for path in &settings.env_files {
        env.extend(secrets::read_file(path)?);
    }
    env.extend(settings.env.clone());
    Ok(env)
}

fn event(
    settings: &Settings,
    facts: &Facts,
    workflow: &Workflow,
    file: &str,
    name: String,
    inputs: &inputs::Inputs,
) -> Result<Event, Fault> {
    let mut payload = match &settings.event_path {
        Some(path) => event::read_payload(path)?,
        None => event::minimal_payload(&name, facts, &workflow.on, file),
    };
    if name == "workflow_dispatch" {
        payload.insert("inputs", Value::from(inputs.texts.clone()));
    }
    Ok(Event { name, payload })
}

/// The jobs in `wanted` and all that they need, in the order of the file. A job of a called workflow stands for the one that
/// calls.
pub(crate) fn jobs_to_run<'a>(workflow: &'a Workflow, wanted: Option<&[Arc<str>]>) -> Vec<&'a Job> {
    let Some(wanted) = wanted else { return workflow.jobs.values().collect() };
    let mut found: Vec<&Job> = Vec::new();
    let first = |path: &'_ Arc<str>| workflow.job(path.split('/').next().unwrap_or_default());
    let mut open: Vec<&Job> = wanted.iter().filter_map(first).collect();
    while let Some(job) = open.pop() {
        if !found.iter().any(|known| std::ptr::eq(*known, job)) {
            open.extend(job.needs.iter().filter_map(|need| workflow.job(&need.value)));
            found.push(job);
        }
    }
    workflow.jobs.values().filter(|job| found.iter().any(|known| std::ptr::eq(*known, *job))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Options;
    use crate::config;

    /// Prepares `text` with these options; the result and the warnings.
    fn prepared(text: &str, job: Option<&str>, options: Options) -> (Result<Prepared, String>, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ci.yml");
        std::fs::write(&path, text).unwrap();
        let project = Project::around(folder.path());
        let loaded = project.load(&path).unwrap();
        let settings = config::settings(folder.path(), folder.path(), options).unwrap();
        let mut out = Vec::new();
        let mut warnings = Warnings { out: &mut out, painter: Painter::new(false) };
        let wanted = job.map(|job| vec![Arc::from(job)]);
        let values = secrets::gather(&settings.secret_files, &settings.secrets, &|_| None).unwrap();
        let result = prepare(&project, loaded, wanted, (settings, values), &mut warnings)
            .map_err(|error| error.to_string());
        (result, String::from_utf8(out).unwrap())
    }

    const JOBS: &str = "on: {push: , workflow_dispatch: {inputs: {who: {default: me}}}}
jobs:
  a: {runs-on: x, steps: [{run: 'echo ${{ secrets.A }}'}]}
  b: {needs: A, runs-on: x, steps: [{run: 'echo ${{ secrets.B }}'}]}
  c: {runs-on: x, container: y, steps: [{run: x}]}
";

    #[test]
    fn only_the_wanted_jobs_and_their_needs_count() {
        let (result, warnings) = prepared(JOBS, Some("b"), Options::default());
        assert!(result.is_ok());
        assert!(
            warnings
                .starts_with("warning: nobody gave, so empty: secrets.A (ci.yml:3), secrets.B (ci.yml:4)\n"),
            "{warnings}"
        );
        let (result, _) = prepared(JOBS, None, Options::default());
        assert!(result.err().unwrap().starts_with("ci.yml:5:30: job `c` wants `container:`"));
        assert!(prepared(JOBS, None, Options { host: Some(true), ..Options::default() }).0.is_ok());
    }

    #[test]
    fn given_things_reach_their_contexts() {
        let options = Options {
            input: vec!["who=you".into()],
            secret: vec!["A=hunter2".into()],
            var: vec!["V=1".into()],
            env: vec!["E=2".into()],
            ..Options::default()
        };
        let (result, warnings) = prepared(JOBS, Some("a"), options);
        let Ok(prepared) = result else { panic!("prepared") };
        assert_eq!(warnings, "");
        assert_eq!(prepared.given.inputs.get("who"), Some(&Value::string("you")));
        assert_eq!(prepared.given.vars.get("v"), Some(&Value::string("1")));
        assert_eq!(prepared.given.github.get("event_name"), Some(&Value::string("workflow_dispatch")));
        assert!(prepared.event_json.contains("\"who\": \"you\""), "{}", prepared.event_json);
        assert_eq!(prepared.secrets.mask("it is hunter2"), "it is ***");
        assert!(prepared.workflow.job("a").unwrap().env.as_ref().unwrap().get("E").is_some());
        assert_eq!(prepared.text_of("ci.yml").lines().count(), 5);
    }

    #[test]
    fn an_event_nobody_listens_to_is_mentioned() {
        let options = Options { event: Some("release".into()), ..Options::default() };
        let (result, warnings) = prepared(JOBS, Some("a"), options);
        assert!(result.is_ok() && warnings.contains("does not listen to the event `release`"), "{warnings}");
    }
}
