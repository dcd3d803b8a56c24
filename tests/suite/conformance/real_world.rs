//! Files as people write them: every step is found on its line, broken files are refused with a place, and nothing
//! panics or hangs, whatever is done to them.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::Value as Json;
use syntax::{
    Action, ActionRuns, Diagnostic, NoFiles, ReadOptions, Sources, Step, Workflow, empty_reads, parse_action,
    parse_workflow,
};

use super::{Tally, data, json, text};

fn options() -> ReadOptions {
    ReadOptions { reusable_workflows: false, ..ReadOptions::default() }
}

/// What reading one file gave.
pub(super) struct Outcome {
    sources: Sources,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl Outcome {
    /// GitHub's words for each error.
    pub(super) fn errors(&self) -> Vec<String> {
        let errors = self.diagnostics.iter().filter(|diagnostic| diagnostic.is_error());
        errors.map(|diagnostic| diagnostic.github_text(&self.sources)).collect()
    }
}

/// Reads a workflow, called ones left out.
pub(super) fn workflow(path: &str, bytes: &[u8]) -> (Option<Workflow>, Outcome) {
    let mut sources = Sources::new();
    let (source, fault) = sources.add_bytes(path, bytes);
    let (workflow, diagnostics) = parse_workflow(&mut sources, source, &options(), &NoFiles);
    let advice = workflow.iter().flat_map(|workflow| empty_reads(&sources, workflow)).collect::<Vec<_>>();
    let diagnostics = fault.into_iter().chain(diagnostics).chain(advice).collect();
    (workflow, Outcome { sources, diagnostics })
}

/// Reads an action's file.
pub(super) fn action(path: &str, bytes: &[u8]) -> (Option<Action>, Outcome) {
    let mut sources = Sources::new();
    let (source, fault) = sources.add_bytes(path, bytes);
    let (action, diagnostics) = parse_action(&sources, source, &options());
    (action, Outcome { sources, diagnostics: fault.into_iter().chain(diagnostics).collect() })
}

fn lines(steps: &[Step]) -> Vec<u32> {
    steps.iter().map(|step| step.span.start.line).collect()
}

/// Files below a folder, in order.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries =
            std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for entry in entries {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// YAML files below a folder, in order.
pub(super) fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let is_yaml =
        |path: &PathBuf| path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml");
    files(folder).into_iter().filter(is_yaml).collect()
}

/// The bytes of a file.
pub(super) fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn expected_lines(json: &Json) -> Vec<u32> {
    json.as_array().into_iter().flatten().map(|line| line.as_u64().expect("a line") as u32).collect()
}

/// A workflow's steps are on the lines of `expected`, job by job.
fn same_lines(workflow: Option<&Workflow>, outcome: &Outcome, expected: &Json) -> Result<(), String> {
    let workflow = workflow.ok_or_else(|| format!("no workflow: {:#?}", outcome.errors()))?;
    for (job, expected) in expected.as_object().into_iter().flatten() {
        let found = workflow.jobs.get(job.as_str()).or_else(|| workflow.faulty.get(job.as_str()));
        let found = found.ok_or_else(|| format!("no job {job}: {:#?}", outcome.errors()))?;
        let (found, expected) = (lines(found.steps()), expected_lines(expected));
        if found != expected {
            return Err(format!("job {job}\n    found    {found:?}\n    expected {expected:?}"));
        }
    }
    Ok(())
}

fn refused(outcome: &Outcome) -> Result<(), String> {
    let placed = |diagnostic: &&Diagnostic| diagnostic.is_error() && diagnostic.span.start.column > 0;
    outcome.diagnostics.iter().find(placed).map(|_| ()).ok_or_else(|| "accepted".to_owned())
}

#[test]
fn real_world() {
    let Some(folder) = data() else { return };
    let folder = folder.join("real-world");
    let step_lines = json(&folder.join("step-lines.json"));
    let mut tally = Tally::new("real_world");
    let (mut with_errors, mut empty) = (0, 0);
    for entry in json(&folder.join("manifest.json")).as_array().expect("a list") {
        let file = text(entry, "file");
        let bytes = read(&folder.join(file));
        let expected = &step_lines[file];
        let result = match text(entry, "kind") {
            "action" => {
                let (action, outcome) = action(file, &bytes);
                match action.map(|action| action.runs) {
                    Some(ActionRuns::Composite { steps })
                        if lines(&steps) == expected_lines(&expected["runs"]) =>
                    {
                        Ok(())
                    }
                    Some(ActionRuns::Composite { steps }) => {
                        Err(format!("steps on {:?}, not on {expected}", lines(&steps)))
                    }
                    Some(_) => Ok(()),
                    None => Err(format!("no action: {:#?}", outcome.errors())),
                }
            }
            "invalid-workflow" => refused(&workflow(file, &bytes).1),
            _ => {
                let (workflow, outcome) = workflow(file, &bytes);
                empty +=
                    outcome.diagnostics.iter().filter(|diagnostic| diagnostic.code == "empty-read").count();
                if !outcome.errors().is_empty() {
                    with_errors += 1;
                    println!("{file}: {:#?}", outcome.errors());
                }
                same_lines(workflow.as_ref(), &outcome, expected)
            }
        };
        tally.case(file, result);
    }
    println!("conformance::real_world: {with_errors} workflows with errors, {empty} reads of nothing");
    tally.finish();
}

#[test]
fn actionlint() {
    let Some(folder) = data() else { return };
    let folder = folder.join("actionlint");
    let mut tally = Tally::new("actionlint");
    for path in yaml_files(&folder.join("ok")) {
        let (found, outcome) = workflow("test.yaml", &read(&path));
        let fine = found.is_some() && outcome.errors().is_empty();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        tally.case(&name, if fine { Ok(()) } else { Err(format!("{:#?}", outcome.errors())) });
    }
    let (mut on_line, mut all) = (0, 0);
    for path in yaml_files(&folder.join("err")) {
        let (_, outcome) = workflow("test.yaml", &read(&path));
        let lines: Vec<u32> =
            outcome.diagnostics.iter().map(|diagnostic| diagnostic.span.start.line).collect();
        let expected = String::from_utf8(read(&path.with_extension("out"))).expect("text");
        for line in expected.lines().filter_map(|line| line.split("yaml:").nth(1)) {
            let line: u32 = line.split(':').next().and_then(|line| line.parse().ok()).expect("a line");
            all += 1;
            on_line += u32::from(lines.contains(&line));
        }
    }
    println!(
        "conformance::actionlint: of {all} faults that it finds, many by rules of its own, {on_line} are on lines with a diagnostic of ours"
    );
    tally.finish();
}

#[test]
fn yaml_test_suite() {
    let Some(folder) = data() else { return };
    let mut count = 0;
    for path in yaml_files(&folder.join("yaml-test-suite")) {
        let bytes = read(&path);
        let (_, outcome) = workflow("test.yaml", &bytes);
        assert!(!outcome.diagnostics.is_empty(), "{}: no workflow, yet no fault", path.display());
        // The cases themselves are indented block scalars in these files.
        let text = String::from_utf8_lossy(&bytes).into_owned();
        for case in text.split("yaml: |").skip(1) {
            let body: String = case
                .lines()
                .skip(1)
                .take_while(|line| line.starts_with("    "))
                .map(|line| format!("{}\n", &line[4..]))
                .collect();
            workflow("test.yaml", body.as_bytes());
            action("action.yaml", body.as_bytes());
            count += 1;
        }
    }
    println!("conformance::yaml_test_suite: {count} cases read without panic");
    assert!(count > 0);
}

/// One change of some bytes.
#[derive(Clone, Debug)]
enum Mutation {
    Remove(usize, usize),
    Insert(usize, String),
    Duplicate(usize, usize, usize),
    Byte(usize, u8),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let place = any::<usize>;
    let pieces = prop::sample::select(vec![
        "${{",
        "}}",
        "\n",
        "  ",
        "- ",
        ": ",
        "|",
        ">-\n",
        "&a ",
        "*a",
        "<<: *a\n",
        "!!int ",
        "'",
        "\"",
        "[",
        "{",
        "#",
        "\t",
        "\r",
        "\u{0}",
        "\u{FEFF}",
        "é",
        "---\n",
        "? ",
        "jobs:\n",
        "if: ",
        "${{ insert }}: ",
        "steps:\n",
        "\\",
    ]);
    prop_oneof![
        (place(), 0_usize..40).prop_map(|(at, length)| Mutation::Remove(at, length)),
        (place(), pieces).prop_map(|(at, piece)| Mutation::Insert(at, piece.to_owned())),
        (place(), place(), 0_usize..400).prop_map(|(from, to, length)| Mutation::Duplicate(from, to, length)),
        (place(), any::<u8>()).prop_map(|(at, byte)| Mutation::Byte(at, byte)),
    ]
}

fn apply(bytes: &mut Vec<u8>, mutation: &Mutation) {
    let size = bytes.len();
    let at = |place: usize| if size == 0 { 0 } else { place % size };
    match mutation {
        Mutation::Remove(from, length) => {
            bytes.drain(at(*from)..(at(*from) + length).min(size));
        }
        Mutation::Insert(place, piece) => {
            bytes.splice(at(*place)..at(*place), piece.bytes());
        }
        Mutation::Duplicate(from, to, length) => {
            let copied: Vec<u8> = bytes[at(*from)..(at(*from) + length).min(size)].to_vec();
            bytes.splice(at(*to)..at(*to), copied);
        }
        Mutation::Byte(place, byte) => {
            if let Some(old) = bytes.get_mut(at(*place)) {
                *old = *byte;
            }
        }
    }
}

/// Every position is one of the text, and nothing is lost without a word.
fn sound(found: bool, outcome: &Outcome) {
    for diagnostic in &outcome.diagnostics {
        let (source, start) = (diagnostic.span.source, diagnostic.span.start);
        assert!(start.offset as usize <= outcome.sources.text(source).len(), "{diagnostic:?}");
        assert!(diagnostic.span.end >= start, "{diagnostic:?}");
    }
    assert!(found || !outcome.errors().is_empty(), "nothing, and no error");
    syntax::render(&outcome.diagnostics, &outcome.sources, true);
}

#[test]
fn mutated_files_never_panic() {
    let Some(folder) = data() else { return };
    let folder = folder.join("real-world");
    let manifest = json(&folder.join("manifest.json"));
    let small = |entry: &&Json| entry["bytes"].as_u64().is_some_and(|bytes| bytes < 6000);
    let texts: Vec<Vec<u8>> = manifest
        .as_array()
        .expect("a list")
        .iter()
        .filter(small)
        .map(|entry| read(&folder.join(text(entry, "file"))))
        .collect();
    let runs = (any::<prop::sample::Index>(), prop::collection::vec(mutation(), 1..8));
    let config = ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    runner
        .run(&runs, |(index, mutations)| {
            let mut bytes = index.get(&texts).clone();
            mutations.iter().for_each(|mutation| apply(&mut bytes, mutation));
            let (found, outcome) = workflow("mutated.yml", &bytes);
            sound(found.is_some(), &outcome);
            let (found, outcome) = action("mutated.yml", &bytes);
            sound(found.is_some(), &outcome);
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}
