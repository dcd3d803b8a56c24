//! GitHub's own tests of its workflow reader (languageservices-workflow-parser): what a file becomes, and the
//! exact texts of faults. The shapes are in the data's README; `as_json` turns our types into them.

mod as_json;

use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value as Json;
use syntax::{Diagnostic, FileProvider, PermissionsPolicy, ReadOptions, Sources, parse_workflow};

use super::{Tally, data, json};

/// GitHub reports no more faults than this.
const MAX_ERRORS: usize = 10;

/// One file of the data.
struct Case {
    path: String,
    settings: IndexMap<String, String>,
    /// Parsers that do not run it.
    skipped_by: Vec<String>,
    workflow: String,
    called: Called,
    expected: Json,
}

struct Called(IndexMap<String, Arc<str>>);

impl FileProvider for Called {
    fn read(&self, path: &str) -> Result<Arc<str>, String> {
        self.0.get(path).cloned().ok_or_else(|| "workflow was not found.".to_owned())
    }
}

impl Case {
    fn read(file: &Path) -> Case {
        let text = std::fs::read_to_string(file).expect("a readable case");
        let mut documents: Vec<String> = vec![String::new()];
        for line in text.split_inclusive('\n') {
            if line.trim_end() == "---" {
                documents.push(String::new());
            } else {
                documents.last_mut().expect("a document").push_str(line);
            }
        }
        let expected = serde_json::from_str(&documents.pop().expect("a result")).expect("JSON");
        let mut documents = documents.into_iter();
        let (settings, skipped_by) = settings(&documents.next().expect("settings"));
        let workflow = documents.next().expect("a workflow");
        let mut called = IndexMap::new();
        while let (Some(name), Some(text)) = (documents.next(), documents.next()) {
            called.insert(name.trim().to_owned(), Arc::from(text));
        }
        let name = file.file_name().expect("a name").to_string_lossy();
        let path = format!(".github/workflows/{name}");
        Case { path, settings, skipped_by, workflow, called: Called(called), expected }
    }

    fn flag(&self, name: &str) -> bool {
        self.settings.get(name).is_some_and(|value| value == "true")
    }

    fn options(&self) -> ReadOptions {
        let number = |name: &str| self.settings.get(name).map(|value| value.parse().expect("a number"));
        let defaults = ReadOptions::default();
        let policy = match self.settings.get("permissions-policy").map(String::as_str) {
            Some("LimitedRead") => PermissionsPolicy::LimitedRead,
            _ => PermissionsPolicy::Write,
        };
        ReadOptions {
            anchors: false,
            background_steps: self.flag("allowBackgroundSteps"),
            reusable_workflows: !self.flag("skip-reusable-workflows"),
            permissions_policy: Some(policy),
            max_reusable_depth: number("max-nested-reusable-workflows-depth")
                .unwrap_or(defaults.max_reusable_depth),
            max_jobs: number("max-job-limit"),
            max_result_size: number("max-result-size")
                .map_or(defaults.max_result_size, |bytes| bytes as usize),
            ..defaults
        }
    }

    fn run(&self) -> Result<(), String> {
        let mut sources = Sources::new();
        let source = sources.add(self.path.as_str(), self.workflow.as_str());
        let (workflow, diagnostics) = parse_workflow(&mut sources, source, &self.options(), &self.called);
        let errors: Vec<String> = diagnostics
            .iter()
            .filter(|diagnostic| Diagnostic::is_error(diagnostic))
            .map(|diagnostic| diagnostic.github_text(&sources))
            .take(MAX_ERRORS)
            .collect();
        if let Some(expected) = self.expected["errors"].as_array() {
            let expected: Vec<&str> =
                expected.iter().map(|error| error["Message"].as_str().expect("text")).collect();
            return if errors == expected {
                Ok(())
            } else {
                Err(format!("found    {errors:#?}\n    expected {expected:#?}"))
            };
        }
        if !errors.is_empty() {
            return Err(format!("refused: {errors:#?}"));
        }
        let dialect = as_json::Dialect {
            places: self.flag("include-source"),
            events: self.skipped_by.iter().any(|parser| parser == "C#"),
        };
        let found = dialect.workflow(&workflow.ok_or("no workflow")?, &sources);
        differences(&found, &self.expected, "").map_or(Ok(()), Err)
    }
}

/// The first document: a flat mapping, one list, one mapping in it.
fn settings(text: &str) -> (IndexMap<String, String>, Vec<String>) {
    let mut settings = IndexMap::new();
    let mut skipped_by = Vec::new();
    for line in text.lines() {
        let line = line.split(" #").next().unwrap_or_default().trim();
        if let Some(item) = line.strip_prefix("- ") {
            skipped_by.push(item.trim().to_owned());
        } else if let Some((key, value)) = line.split_once(':') {
            settings.insert(key.trim().to_owned(), value.trim().to_owned());
        }
    }
    (settings, skipped_by)
}

/// The first place where two JSON values differ; numbers are compared as doubles.
fn differences(found: &Json, expected: &Json, at: &str) -> Option<String> {
    let here = || Some(format!("at {at}:\n    found    {found}\n    expected {expected}"));
    match (found, expected) {
        (Json::Number(left), Json::Number(right)) => (left.as_f64() != right.as_f64()).then(here).flatten(),
        (Json::Array(left), Json::Array(right)) if left.len() == right.len() => {
            let pairs = left.iter().zip(right).enumerate();
            pairs
                .map(|(index, (left, right))| differences(left, right, &format!("{at}/{index}")))
                .find_map(|found| found)
        }
        (Json::Object(left), Json::Object(right)) => {
            let keys = |json: &serde_json::Map<String, Json>| {
                let mut keys: Vec<String> = json.keys().cloned().collect();
                keys.sort();
                keys
            };
            if keys(left) != keys(right) {
                return here();
            }
            left.iter()
                .map(|(key, value)| differences(value, &right[key], &format!("{at}/{key}")))
                .find_map(|found| found)
        }
        _ => (found != expected).then(here).flatten(),
    }
}

#[test]
fn workflow_reader() {
    let Some(folder) = data() else { return };
    let folder = folder.join("languageservices-workflow-parser");
    let manifest = json(&folder.join("manifest.json"));
    let mut tally = Tally::new("workflow_reader");
    let (mut others, mut others_right, mut wrong) = (0, 0, Vec::new());
    for entry in manifest.as_array().expect("a list") {
        let file = entry["file"].as_str().expect("a file");
        let result = Case::read(&folder.join(file)).run();
        if entry["skipped_by_typescript_parser"] == Json::Bool(true) {
            others += 1;
            match result {
                Ok(()) => others_right += 1,
                Err(reason) => wrong.push(format!("{file}\n    {reason}")),
            }
        } else {
            tally.case(file, result);
        }
    }
    println!(
        "conformance::workflow_reader: {others_right} of {others} that GitHub's TypeScript parser skips"
    );
    assert!(wrong.is_empty(), "wrong among those:\n{}", wrong.join("\n"));
    tally.finish();
}
