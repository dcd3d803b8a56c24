//! `stepback list`: workflows, what starts them, their jobs and what those need.
//!
//! Prints what the files say; nothing is evaluated.

use std::io::{self, Write};
use std::path::PathBuf;

use serde_json::json;
use syntax::{Job, JobBody, Spanned, Token, Workflow};

use crate::exit::Exit;
use crate::output::SCHEMA_VERSION;
use crate::workflow_files::{Loaded, Project};
use session::wording::{Meaning, Painter, columns, padded};

/// Lists the files, or all of the project, on `out`. A file with faults is listed as far as it is understood.
///
/// # Errors
/// A file cannot be found or read, or `out` cannot be written.
pub(crate) fn list(
    project: &Project,
    files: &[PathBuf],
    as_json: bool,
    painter: Painter,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let paths = project.named_or_all(files)?;
    for (index, path) in paths.iter().enumerate() {
        let loaded = project.load(path)?;
        if as_json {
            print_json(&loaded, out)?;
            continue;
        }
        if index > 0 {
            writeln!(out)?;
        }
        print_text(&loaded, painter, out)?;
    }
    out.flush()?;
    Ok(Exit::Success)
}

/// One row of the table.
struct Row {
    id: String,
    steps: String,
    runs_on: String,
    notes: Vec<String>,
}

fn print_text(loaded: &Loaded, painter: Painter, out: &mut dyn Write) -> io::Result<()> {
    let Some(workflow) = &loaded.workflow else {
        return writeln!(
            out,
            "{} · cannot be read: `stepback check` says why",
            painter.paint(Meaning::Strong, &loaded.shown)
        );
    };
    let mut heading = painter.paint(Meaning::Strong, &loaded.shown);
    if let Some(name) = &workflow.name {
        heading.push_str(&format!(" · {}", name.value.source()));
    }
    let events: Vec<&str> = workflow.on.events.keys().map(|name| &**name).collect();
    heading.push_str(&painter.paint(Meaning::Quiet, &format!(" · on {}", events.join(", "))));
    writeln!(out, "{heading}")?;
    let mut rows = Vec::new();
    add_rows("", workflow, &mut rows);
    let width = |cell: fn(&Row) -> &str| rows.iter().map(|row| columns(cell(row))).max().unwrap_or(0);
    let (ids, steps, runs_on) = (width(|row| &row.id), width(|row| &row.steps), width(|row| &row.runs_on));
    for row in &rows {
        let line = format!(
            "  {}  {}  {}  {}",
            padded(&row.id, ids),
            padded(&row.steps, steps),
            padded(&row.runs_on, runs_on),
            painter.paint(Meaning::Quiet, &row.notes.join(" · "))
        );
        writeln!(out, "{}", line.trim_end())?;
    }
    if loaded.has_errors() {
        writeln!(
            out,
            "  {}",
            painter.paint(Meaning::Warning, "some of it is at fault: `stepback check` says what")
        )?;
    }
    Ok(())
}

/// Jobs of called workflows stand under the job that calls them, by the names under which they can be debugged.
fn add_rows(prefix: &str, workflow: &Workflow, rows: &mut Vec<Row>) {
    for job in workflow.jobs.values() {
        let id = format!("{prefix}{}", job.id.value);
        let inside = format!("{id}/");
        rows.push(row(id, job));
        if let Some(called) = job.called() {
            add_rows(&inside, called, rows);
        }
    }
}

fn row(id: String, job: &Job) -> Row {
    let mut notes = Vec::new();
    if !job.needs.is_empty() {
        notes.push(format!("needs {}", needs(job).join(", ")));
    }
    if job.strategy.as_ref().is_some_and(|strategy| strategy.matrix.is_some()) {
        notes.push("matrix".to_owned());
    }
    let count = job.steps().len();
    let (steps, runs_on) = match &job.body {
        JobBody::Steps { runs_on, container, services, .. } => {
            let wishes = [("container", container), ("services", services)];
            notes
                .extend(wishes.iter().filter(|(_, token)| token.is_some()).map(|(key, _)| (*key).to_owned()));
            (format!("{count} step{}", if count == 1 { "" } else { "s" }), labels(runs_on))
        }
        JobBody::Reusable { uses, .. } => ("calls".to_owned(), uses.value.to_string()),
    };
    Row { id, steps, runs_on, notes }
}

fn needs(job: &Job) -> Vec<&str> {
    job.needs.iter().map(|need| &*need.value).collect()
}

fn labels(token: &Spanned<Token>) -> String {
    match &token.value {
        Token::Sequence(items) => items.iter().map(labels).collect::<Vec<_>>().join(", "),
        Token::Mapping(pairs) => pairs.iter().map(|(_, value)| labels(value)).collect::<Vec<_>>().join(", "),
        Token::Template(template) => template.source().to_owned(),
        other => other.literal_text().map(|text| text.to_string()).unwrap_or_default(),
    }
}

fn print_json(loaded: &Loaded, out: &mut dyn Write) -> io::Result<()> {
    let jobs =
        |workflow: &Workflow| -> Vec<serde_json::Value> { workflow.jobs.values().map(job_json).collect() };
    let workflow = loaded.workflow.as_ref();
    let value = json!({
        "schema": SCHEMA_VERSION,
        "event": "workflow",
        "file": &*loaded.shown,
        "name": workflow.and_then(|workflow| workflow.name.as_ref()).map(|name| name.value.source()),
        "on": workflow.map(|workflow| workflow.on.events.keys().map(|name| &**name).collect::<Vec<_>>()),
        "ok": !loaded.has_errors(),
        "jobs": workflow.map(jobs),
    });
    writeln!(out, "{value}")
}

fn job_json(job: &Job) -> serde_json::Value {
    let (runs_on, uses) = match &job.body {
        JobBody::Steps { runs_on, .. } => (Some(labels(runs_on)), None),
        JobBody::Reusable { uses, .. } => (None, Some(uses.value.to_string())),
    };
    json!({
        "id": &*job.id.value,
        "name": job.name.as_ref().map(|name| name.value.source()),
        "needs": needs(job),
        "steps": job.steps().len(),
        "runs_on": runs_on,
        "uses": uses,
        "matrix": job.strategy.as_ref().is_some_and(|strategy| strategy.matrix.is_some()),
        "line": job.span.start.line,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const WORKFLOW: &str = "name: CI
on: [push, pull_request]
jobs:
  build:
    runs-on: [self-hosted, big]
    container: node:20
    steps: [{run: a}, {run: b}]
  t:
    needs: build
    strategy: {matrix: {a: [1]}}
    runs-on: ${{ matrix.a }}
    steps: [{run: a}]
  deploy: {needs: [build, t], uses: ./.github/workflows/d.yml}
";

    fn listed(as_json: bool) -> String {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ci.yml"), WORKFLOW).unwrap();
        let mut out = Vec::new();
        list(&Project::around(folder.path()), &["ci.yml".into()], as_json, Painter::new(false), &mut out)
            .unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn jobs_stand_in_columns() {
        let expected = "ci.yml · CI · on push, pull_request
  build   2 steps  self-hosted, big          container
  t       1 step   ${{ matrix.a }}           needs build · matrix
  deploy  calls    ./.github/workflows/d.yml  needs build, t
";
        let squeeze = |text: &str| {
            text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
        };
        let text = listed(false);
        assert_eq!(squeeze(text.split("  some of it").next().unwrap()), squeeze(expected), "{text}");
    }

    #[test]
    fn programs_get_one_object_to_a_file() {
        let value: serde_json::Value = serde_json::from_str(&listed(true)).unwrap();
        assert_eq!(value["jobs"][1]["needs"][0], "build");
        assert_eq!(value["jobs"][2]["uses"], "./.github/workflows/d.yml");
        assert_eq!(value["jobs"][0]["runs_on"], "self-hosted, big");
    }
}
