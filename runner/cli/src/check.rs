//! `stepback check`: what is wrong with workflow files, in GitHub's words and with the lines.
//!
//! Knows how to print diagnostics; finds none itself.

use std::io::{self, Write};
use std::path::PathBuf;

use serde_json::json;
use syntax::{Diagnostic, Severity};

use crate::exit::{Exit, Fault};
use crate::output::SCHEMA_VERSION;
use crate::workflow_files::{Loaded, Project};
use session::wording::{Meaning, Painter};

/// Checks the files, or all of the project, and prints to `out`.
///
/// # Errors
/// A file cannot be found or read, or `out` cannot be written.
pub(crate) fn check(
    project: &Project,
    files: &[PathBuf],
    as_json: bool,
    painter: Painter,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let paths = project.named_or_all(files)?;
    let mut counts = Counts::default();
    for path in &paths {
        let loaded = project.load(path)?;
        counts.add(&loaded);
        if as_json {
            print_json(&loaded, out)?;
        } else {
            print_text(&loaded, painter, out)?;
        }
    }
    if !as_json && (paths.len() > 1 || counts.errors + counts.warnings > 0) {
        writeln!(out, "{}", counts.text(paths.len()))?;
    }
    out.flush()?;
    Ok(if counts.errors == 0 { Exit::Success } else { Exit::BadUsage })
}

#[derive(Default)]
struct Counts {
    errors: usize,
    warnings: usize,
}

impl Counts {
    fn add(&mut self, loaded: &Loaded) {
        let errors = loaded.diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
        self.warnings += loaded.diagnostics.len() - errors;
        // A file without a single job and without a reason would be a fault of ours; it is refused all the same.
        self.errors += errors.max(usize::from(loaded.has_errors()));
    }

    fn text(&self, files: usize) -> String {
        let number =
            |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
        format!(
            "{}: {}, {}",
            number(files, "file"),
            number(self.errors, "error"),
            number(self.warnings, "warning")
        )
    }
}

fn print_text(loaded: &Loaded, painter: Painter, out: &mut dyn Write) -> io::Result<()> {
    let jobs = loaded.workflow.as_ref().map_or(0, |workflow| workflow.jobs.len());
    let plural = if jobs == 1 { "" } else { "s" };
    if !loaded.diagnostics.is_empty() {
        out.write_all(syntax::render(&loaded.diagnostics, &loaded.sources, painter.colours()).as_bytes())?;
    }
    if loaded.has_errors() {
        writeln!(out, "{} {}", painter.paint(Meaning::Bad, "✗"), loaded.shown)
    } else {
        writeln!(out, "{} {} · {jobs} job{plural}", painter.paint(Meaning::Good, "✓"), loaded.shown)
    }
}

fn print_json(loaded: &Loaded, out: &mut dyn Write) -> io::Result<()> {
    for diagnostic in &loaded.diagnostics {
        writeln!(out, "{}", diagnostic_json(loaded, diagnostic))?;
    }
    let ok = !loaded.has_errors();
    writeln!(
        out,
        "{}",
        json!({"schema": SCHEMA_VERSION, "event": "checked", "file": &*loaded.shown, "ok": ok})
    )
}

fn diagnostic_json(loaded: &Loaded, diagnostic: &Diagnostic) -> serde_json::Value {
    let (start, end) = (diagnostic.span.start, diagnostic.span.end);
    json!({
        "schema": SCHEMA_VERSION,
        "event": "diagnostic",
        "file": loaded.sources.path(diagnostic.span.source),
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
        "severity": match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "code": diagnostic.code,
        "message": diagnostic.message,
        "hint": diagnostic.hint,
    })
}

/// Refuses a workflow that GitHub would refuse, with everything that is wrong; warnings are shown on the way.
///
/// # Errors
/// There is an error in it.
pub(crate) fn refuse_faulty(loaded: &Loaded, painter: Painter, errors: &mut dyn Write) -> anyhow::Result<()> {
    if !loaded.has_errors() {
        return Ok(());
    }
    let faults: Vec<Diagnostic> =
        loaded.diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).cloned().collect();
    errors.write_all(syntax::render(&faults, &loaded.sources, painter.colours()).as_bytes())?;
    Err(Fault::new(format!("{}: GitHub would refuse this workflow", loaded.shown)).into())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Checks a file with this text; the exit and what was printed.
    fn checked(text: &str, as_json: bool) -> (Exit, String) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ci.yml"), text).unwrap();
        let project = Project::around(folder.path());
        let mut out = Vec::new();
        let exit = check(&project, &["ci.yml".into()], as_json, Painter::new(false), &mut out).unwrap();
        (exit, String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_sound_file_is_one_line() {
        let (exit, text) = checked("on: push\njobs:\n  a: {runs-on: x, steps: [{run: x}]}\n", false);
        assert_eq!((exit, text.as_str()), (Exit::Success, "✓ ci.yml · 1 job\n"));
    }

    #[test]
    fn a_fault_is_shown_with_its_place() {
        let (exit, text) = checked("on: push\njobs:\n  a:\n    runs-on: x\n    stepz: []\n", false);
        assert_eq!(exit, Exit::BadUsage);
        assert!(
            text.contains("ci.yml:5:5")
                && text.contains("did you mean `steps`?")
                && text.contains("✗ ci.yml"),
            "{text}"
        );
        assert!(text.lines().last().unwrap().starts_with("1 file: "), "{text}");
    }

    #[test]
    fn programs_get_one_object_to_a_line() {
        let (exit, text) = checked("on: push\njobs:\n  a:\n    runs-on: x\n    stepz: []\n", true);
        assert_eq!(exit, Exit::BadUsage);
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let first = lines.first().unwrap();
        assert_eq!(
            (first["line"].as_u64(), first["column"].as_u64(), first["severity"].as_str()),
            (Some(5), Some(5), Some("error"))
        );
        let last = lines.last().unwrap();
        assert_eq!(
            (last["event"].as_str(), last["ok"].as_bool(), last["schema"].as_u64()),
            (Some("checked"), Some(false), Some(1))
        );
    }

    #[test]
    fn unreadable_yaml_is_a_fault_like_any_other() {
        let (exit, text) = checked("on: [push\njobs: }", false);
        assert!(exit == Exit::BadUsage && text.contains("ci.yml:"), "{text}");
    }
}
