//! Data that nobody here wrote, run against our crates: where it lies, and how results are counted and told.
//! It does not know any of the tables; each has a file of its own.

mod act_tables;
mod act_workflows;
mod action_manifests;
mod dap;
mod expressions;
mod real_world;
mod runner_l0;
mod runner_server;
mod workflow_reader;

use std::path::{Path, PathBuf};

use expr::{Object, Value};
use serde_json::Value as Json;

/// The folder of conformance data, unless it is absent.
pub(crate) fn data() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/conformance");
    let folder =
        std::env::var_os("STEPBACK_CONFORMANCE").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no conformance data at {}", folder.display());
    None
}

/// A JSON file of the data.
pub(crate) fn json(path: &Path) -> Json {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Counts cases, and fails the test at the end with all that went wrong.
pub(crate) struct Tally {
    name: &'static str,
    passed: usize,
    not_run: usize,
    failures: Vec<String>,
}

impl Tally {
    pub(crate) fn new(name: &'static str) -> Tally {
        Tally { name, passed: 0, not_run: 0, failures: Vec::new() }
    }

    /// One case: `Err` says what is wrong.
    pub(crate) fn case(&mut self, case: &str, result: Result<(), String>) {
        match result {
            Ok(()) => self.passed += 1,
            Err(reason) => self.failures.push(format!("{case}\n    {reason}")),
        }
    }

    /// One case that compares two things.
    pub(crate) fn equal<T: PartialEq + std::fmt::Debug>(&mut self, case: &str, found: &T, expected: &T) {
        let result = if found == expected {
            Ok(())
        } else {
            Err(format!("found    {found:?}\n    expected {expected:?}"))
        };
        self.case(case, result);
    }

    /// One case that cannot be run here, and why.
    pub(crate) fn not_run(&mut self, case: &str, reason: &str) {
        self.not_run += 1;
        println!("not run: {case}: {reason}");
    }

    /// Prints the count and fails when a case has failed, or when there was none.
    pub(crate) fn finish(self) {
        let run = self.passed + self.failures.len();
        let not_run = if self.not_run == 0 { String::new() } else { format!(", {} not run", self.not_run) };
        println!("conformance::{}: {} of {run} passed{not_run}", self.name, self.passed);
        assert!(run > 0, "{}: there are no cases", self.name);
        assert!(self.failures.is_empty(), "{} failed:\n{}", self.failures.len(), self.failures.join("\n"));
    }
}

/// JSON as a value; `{"$num": "NaN"}` is a number that JSON cannot say.
pub(crate) fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => Value::Number(number.as_f64().expect("a double")),
        Json::String(text) => Value::string(text.as_str()),
        Json::Array(items) => Value::array(items.iter().map(value)),
        Json::Object(entries) => match entries.get("$num") {
            Some(Json::String(number)) if entries.len() == 1 => {
                Value::Number(number.parse().expect("a number"))
            }
            _ => object(json).into(),
        },
    }
}

/// A JSON object as an object; anything else is empty.
pub(crate) fn object(json: &Json) -> Object {
    json.as_object().into_iter().flatten().map(|(key, json)| (key.as_str(), value(json))).collect()
}

/// A text field of a case, or nothing.
pub(crate) fn text<'j>(case: &'j Json, field: &str) -> &'j str {
    case[field].as_str().unwrap_or_default()
}
