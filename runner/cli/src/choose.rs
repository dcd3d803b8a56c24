//! Which workflow, which job, which combination of its matrix: what was named, else the only one, else the person is asked.
//!
//! Without a terminal to ask on, the choices are listed and nothing runs.

use std::io::{self, BufRead as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use engine::plan::JobKey;
use engine::run::{Choices, Run};
use expr::{Object, Value};
use syntax::{Job, Workflow};

use crate::exit::Fault;
use crate::prepare::Warnings;
use crate::terminal::Terminal;
use crate::workflow_files::{Loaded, Project};

/// The workflow that was named, else the only one (that has the job).
///
/// # Errors
/// There is none, or more than one and nobody to ask.
pub(crate) fn workflow(
    project: &Project,
    named: Option<&Path>,
    job: Option<&str>,
    terminal: Terminal,
) -> Result<Loaded, Fault> {
    if let Some(named) = named {
        return project.load(&project.named(named)?);
    }
    let mut all =
        project.some_workflows()?.iter().map(|path| project.load(path)).collect::<Result<Vec<_>, _>>()?;
    if all.len() > 1 {
        all.retain(|loaded| loaded.workflow.as_ref().is_none_or(|workflow| fits(workflow, job)));
    }
    match (all.len(), job) {
        (0, Some(job)) => {
            Err(Fault::new(format!("no workflow has a job `{job}`")).hint("`stepback list` shows them all"))
        }
        (0, None) => {
            Err(Fault::new("every workflow here is only called by others")
                .hint("name one: stepback run FILE"))
        }
        (1, _) => all.pop().ok_or_else(|| Fault::new("no workflow")),
        _ => {
            let names: Vec<String> = all.iter().map(|loaded| loaded.shown.to_string()).collect();
            let hint = "name one, for instance: stepback run ";
            let index = pick("several workflows", &names, &format!("{hint}{}", first_stem(&all)), terminal)?;
            Ok(all.swap_remove(index))
        }
    }
}

/// It has the job, and is not only there to be called.
fn fits(workflow: &Workflow, job: Option<&str>) -> bool {
    let only_called = workflow.on.events.len() == 1 && workflow.on.events.contains_key("workflow_call");
    match job {
        Some(job) => workflow.job(job.split('/').next().unwrap_or_default()).is_some(),
        None => !only_called,
    }
}

fn first_stem(all: &[Loaded]) -> String {
    let stem = all.first().and_then(|loaded| loaded.path.file_stem());
    stem.map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The job to debug.
///
/// # Errors
/// There is no such job, or more than one and nobody to ask.
pub(crate) fn job(
    loaded: &Loaded,
    workflow: &Workflow,
    named: Option<&str>,
    terminal: Terminal,
) -> Result<Arc<str>, Fault> {
    let named = named.map(|named| loaded.job_id(workflow, named)).transpose()?;
    let mut path: Vec<Arc<str>> = named.iter().flat_map(|named| named.split('/')).map(Arc::from).collect();
    let mut inside = workflow;
    for id in &path {
        match inside.job(id).and_then(Job::called) {
            Some(called) => inside = called,
            None => return Ok(path.join("/").into()),
        }
    }
    // A job that calls has no steps of its own: one of those that it calls is debugged.
    loop {
        let id = one_of(inside, &path, terminal)?;
        let called = inside.job(&id).and_then(Job::called);
        path.push(id);
        match called {
            Some(called) => inside = called,
            None => return Ok(path.join("/").into()),
        }
    }
}

fn one_of(workflow: &Workflow, path: &[Arc<str>], terminal: Terminal) -> Result<Arc<str>, Fault> {
    let full = |id: &Arc<str>| [path, &[Arc::clone(id)]].concat().join("/");
    let ids: Vec<String> = workflow.jobs.keys().map(full).collect();
    let index = match ids.len() {
        0 => return Err(Fault::new(format!("{}: there are no jobs in it", workflow.file))),
        1 => 0,
        _ => pick(&format!("{} has several jobs", workflow.file), &ids, "name one: --job JOB", terminal)?,
    };
    workflow.jobs.keys().nth(index).map(Arc::clone).ok_or_else(|| Fault::new("no job"))
}

/// The run with one combination of the job's matrix.
///
/// # Errors
/// There are several and nobody to ask.
pub(crate) fn combination(
    mut run: Run,
    job: &str,
    terminal: Terminal,
    warnings: &mut Warnings<'_>,
) -> Result<Run, Fault> {
    while let Some(choices) = run.choices(job) {
        let key = one_combination(choices, job, terminal, warnings)?;
        run.only(key);
    }
    Ok(run)
}

fn one_combination(
    choices: Choices,
    job: &str,
    terminal: Terminal,
    warnings: &mut Warnings<'_>,
) -> Result<JobKey, Fault> {
    let texts: Vec<String> = choices.all.iter().map(|(_, matrix)| values(matrix)).collect();
    let index = if texts.len() < 2 {
        0
    } else if choices.computed && !terminal.can_ask() {
        // `--matrix` cannot choose from it, so that without a terminal nothing could.
        let first = texts.first().map_or("", String::as_str);
        warnings.warn(&format!("`{job}` has {} combinations, this is the first: {first}", texts.len()));
        0
    } else {
        let hint = "name values until one is left: --matrix KEY=VALUE";
        pick(&format!("`{job}` has several combinations"), &texts, hint, terminal)?
    };
    choices.all.into_iter().nth(index).map(|(key, _)| key).ok_or_else(|| Fault::new("no combination"))
}

/// `os=ubuntu, node=20`
fn values(matrix: &Object) -> String {
    let text = |value: &Value| match value {
        Value::Object(_) | Value::Array(_) => value.to_json().split_whitespace().collect(),
        plain => plain.to_text().into_owned(),
    };
    let pairs = matrix.iter().map(|(key, value)| format!("{key}={}", text(value)));
    session::wording::shown(&pairs.collect::<Vec<_>>().join(", "))
}

/// One of several; asked for on a terminal.
///
/// # Errors
/// Nobody can be asked, or nothing was chosen: the text lists the choices.
pub(crate) fn pick(what: &str, choices: &[String], hint: &str, terminal: Terminal) -> Result<usize, Fault> {
    let list: String =
        choices.iter().enumerate().map(|(index, choice)| format!("\n  {} {choice}", index + 1)).collect();
    let fault = || Fault::new(format!("{what}:{list}")).hint(hint.to_owned());
    if !terminal.can_ask() {
        return Err(fault());
    }
    let mut out = io::stdout().lock();
    let asked = write!(out, "{what}:{list}\nwhich one? [1] ").and_then(|()| out.flush());
    let mut answer = String::new();
    if asked.is_err() || io::stdin().lock().read_line(&mut answer).unwrap_or(0) == 0 {
        return Err(fault());
    }
    chosen(&answer, choices).ok_or_else(fault)
}

/// A number from 1, or a name; nothing is the first.
fn chosen(answer: &str, choices: &[String]) -> Option<usize> {
    let answer = answer.trim();
    if answer.is_empty() {
        return Some(0);
    }
    let number = answer
        .parse::<usize>()
        .ok()
        .and_then(|number| number.checked_sub(1))
        .filter(|index| *index < choices.len());
    number.or_else(|| choices.iter().position(|choice| choice.eq_ignore_ascii_case(answer)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::terminal::ColourChoice;

    const PIPE: fn() -> Terminal =
        || Terminal { input: false, output: false, ..Terminal::probe(ColourChoice::Never) };

    fn project(files: &[(&str, &str)]) -> (tempfile::TempDir, Project) {
        let folder = tempfile::tempdir().unwrap();
        let workflows = folder.path().join(".github/workflows");
        fs::create_dir_all(&workflows).unwrap();
        for (name, text) in files {
            fs::write(workflows.join(name), text).unwrap();
        }
        let project = Project::around(folder.path());
        (folder, project)
    }

    const A: &str = "on: push\njobs:\n  build: {runs-on: x, steps: [{run: x}]}\n";
    const B: &str =
        "on: push\njobs:\n  test: {runs-on: x, steps: [{run: x}]}\n  lint: {runs-on: x, steps: [{run: x}]}\n";
    const CALLED: &str = "on: workflow_call\njobs:\n  test: {runs-on: x, steps: [{run: x}]}\n";

    fn check(files: &[(&str, &str)], job: Option<&str>, expected: Result<&str, &str>) {
        let (_folder, project) = project(files);
        let found = workflow(&project, None, job, PIPE())
            .map(|loaded| loaded.shown.to_string())
            .map_err(|fault| fault.to_string());
        assert_eq!(found.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn the_only_workflow_that_fits_is_taken() {
        check(&[("a.yml", A)], None, Ok(".github/workflows/a.yml"));
        check(&[("a.yml", A), ("c.yml", CALLED)], None, Ok(".github/workflows/a.yml"));
        check(&[("a.yml", A), ("b.yml", B)], Some("LINT"), Ok(".github/workflows/b.yml"));
        check(
            &[("a.yml", A), ("b.yml", B)],
            Some("x"),
            Err("no workflow has a job `x`\n  hint: `stepback list` shows them all"),
        );
        check(
            &[],
            None,
            Err(".github/workflows: no workflow files here\n  hint: name a file: stepback run FILE"),
        );
        check(
            &[("a.yml", A), ("b.yml", B)],
            None,
            Err(
                "several workflows:\n  1 .github/workflows/a.yml\n  2 .github/workflows/b.yml\n  hint: name one, for instance: stepback run a",
            ),
        );
    }

    #[test]
    fn without_a_terminal_jobs_are_listed() {
        let (_folder, project) = project(&[("b.yml", B)]);
        let loaded = workflow(&project, None, None, PIPE()).unwrap();
        let found = |named: Option<&str>| {
            job(&loaded, loaded.workflow.as_ref().unwrap(), named, PIPE())
                .map(|id| id.to_string())
                .map_err(|fault| fault.to_string())
        };
        assert_eq!(found(Some("Lint")).as_deref(), Ok("lint"));
        assert_eq!(
            found(None).unwrap_err(),
            ".github/workflows/b.yml has several jobs:\n  1 test\n  2 lint\n  hint: name one: --job JOB"
        );
        assert!(found(Some("tets")).unwrap_err().contains("did you mean `test`?"));
    }

    #[test]
    fn answers_are_numbers_or_names() {
        let choices = ["a".to_owned(), "b".to_owned()];
        let check = |answer: &str, expected: Option<usize>| {
            assert_eq!(chosen(answer, &choices), expected, "{answer}")
        };
        check("\n", Some(0));
        check("2\n", Some(1));
        check("B", Some(1));
        check("3", None);
        check("0", None);
        check("x", None);
    }
}
