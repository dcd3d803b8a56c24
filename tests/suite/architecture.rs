//! The shape of the tree, held to its design: who may depend on whom, what is pure, what things may be called,
//! where they lie. It reads manifests and source text; it knows no type and no behaviour.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

/// Which crate of ours depends on which, exactly. A crate that is not there yet is checked once it is.
const LAW: [(&str, &[&str]); 7] = [
    ("expr", &[]),
    ("syntax", &["expr"]),
    ("engine", &["syntax", "expr"]),
    ("host", &["engine"]),
    ("session", &["engine", "host"]),
    ("service", &["engine", "host"]),
    ("dap-server", &["session"]),
];

/// The composition root, and the tests, may know all others.
const KNOW_ALL: [&str; 2] = ["stepback", "integration-tests"];

/// Crates whose answers depend on their arguments alone.
const PURE: [&str; 3] = ["syntax", "expr", "engine"];

/// What gives a crate a clock, a file, a process, a socket, a thread pool or chance.
const IMPURE: [&str; 24] = [
    "tokio",
    "async-std",
    "smol",
    "mio",
    "rayon",
    "rustix",
    "libc",
    "nix",
    "process-wrap",
    "tempfile",
    "walkdir",
    "ignore",
    "memmap2",
    "fastrand",
    "rand",
    "getrandom",
    "uuid",
    "jiff",
    "chrono",
    "time",
    "reqwest",
    "hyper",
    "tracing-subscriber",
    "zstd",
];

/// One kind of dependency that only one crate may have, and why.
const RESERVED: [(&str, &[&str], &str); 2] = [
    ("dap", &["dap-server"], "only dap-server knows DAP"),
    (
        "serde_json",
        &["dap-server", "service", "engine", "host", "stepback"],
        "the session knows no JSON text; the host speaks it with actions",
    ),
];

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 10] =
    ["common", "util", "utils", "type", "types", "helper", "helpers", "manager", "managers", "misc"];

/// Everything that may lie at the top level.
const TOP_LEVEL: [&str; 25] = [
    ".cargo",
    ".ci",
    ".editorconfig",
    ".git",
    ".gitattributes",
    ".github",
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "SECURITY.md",
    "clippy.toml",
    "dap-server",
    "deny.toml",
    "docs",
    "runner",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "target",
    "tests",
    "vscode-extension",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Our crates, and what each names in its manifest: (dependency, whether only for its tests).
fn crates() -> BTreeMap<String, BTreeSet<(String, bool)>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--offline", "--no-deps", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Json = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    packages.iter().map(|package| (text(&package["name"]), dependencies(package))).collect()
}

fn dependencies(package: &Json) -> BTreeSet<(String, bool)> {
    let listed = package["dependencies"].as_array().unwrap();
    listed.iter().map(|one| (text(&one["name"]), one["kind"] == "dev")).collect()
}

fn text(json: &Json) -> String {
    json.as_str().unwrap().to_owned()
}

/// All Rust files below the given folders of the repository, as paths from its root.
fn rust_files(folders: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in folders.iter().map(|folder| root().join(folder)).filter(|folder| folder.is_dir()) {
        collect(&folder, &mut found);
    }
    assert!(!found.is_empty());
    found.sort();
    found.iter().map(|path| path.strip_prefix(root()).unwrap().to_owned()).collect()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") && !path.ends_with("node_modules") {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Fails with all that is wrong, not just the first.
#[track_caller]
fn none(what: &str, wrong: Vec<String>) {
    assert!(wrong.is_empty(), "{what}:\n  {}", wrong.join("\n  "));
}

fn is_test_file(path: &Path) -> bool {
    path.starts_with("tests")
        || path.components().any(|part| part.as_os_str() == "tests")
        || path.ends_with("tests.rs")
}

/// The text of a file that is only compiled for tests: all of a test file, or what follows `#[cfg(test)]`.
fn test_text(path: &Path) -> String {
    let text = read(path);
    if is_test_file(path) {
        return text;
    }
    text.split_once("#[cfg(test)]").map(|(_, tests)| tests.to_owned()).unwrap_or_default()
}

#[test]
fn crates_depend_on_each_other_as_the_law_says() {
    let crates = crates();
    let mut wrong = Vec::new();
    for (name, dependencies) in &crates {
        let ours = |dev: bool| -> BTreeSet<&str> {
            let kind = dependencies.iter().filter(|(_, for_tests)| *for_tests == dev);
            kind.map(|(name, _)| name.as_str()).filter(|name| crates.contains_key(*name)).collect()
        };
        let Some((_, allowed)) = LAW.iter().find(|(known, _)| known == name) else {
            if !KNOW_ALL.contains(&name.as_str()) {
                wrong.push(format!("{name} is not in the law"));
            }
            continue;
        };
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        if ours(false) != allowed {
            wrong.push(format!("{name} depends on {:?}, and should on {allowed:?}", ours(false)));
        }
        wrong.extend(ours(true).difference(&allowed).map(|dev| format!("{name} tests with {dev}")));
    }
    none("the dependency law is broken", wrong);
}

#[test]
fn nobody_depends_on_the_composition_root_or_on_the_tests() {
    let mut wrong = Vec::new();
    for (name, dependencies) in crates() {
        let roots = dependencies.iter().filter(|(dependency, _)| KNOW_ALL.contains(&dependency.as_str()));
        wrong.extend(roots.map(|(dependency, _)| format!("{name} → {dependency}")));
    }
    none("a crate knows what is above it", wrong);
}

#[test]
fn pure_crates_stay_pure() {
    let crates = crates();
    let mut wrong = Vec::new();
    for name in PURE {
        let normal = crates[name].iter().filter(|(_, for_tests)| !for_tests);
        let impure = normal.filter(|(dependency, _)| IMPURE.contains(&dependency.as_str()));
        wrong.extend(impure.map(|(dependency, _)| format!("{name} → {dependency}")));
        let folder = root().join("runner").join(name);
        let rules = std::fs::read_to_string(folder.join("clippy.toml")).unwrap_or_default();
        for forbidden in ["std::collections::HashMap", "std::time::Instant", "std::fs::File", "std::env::var"]
        {
            if !rules.contains(forbidden) {
                wrong.push(format!("{name}/clippy.toml does not forbid {forbidden}"));
            }
        }
    }
    none("a pure crate can reach the world", wrong);
}

#[test]
fn reserved_dependencies_stay_where_they_belong() {
    let mut wrong = Vec::new();
    for (name, dependencies) in crates() {
        for (reserved, holders, reason) in RESERVED {
            if dependencies.contains(&(reserved.to_owned(), false)) && !holders.contains(&name.as_str()) {
                wrong.push(format!("{name} → {reserved}: {reason}"));
            }
        }
    }
    none("a dependency is where it should not be", wrong);
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let mut wrong = Vec::new();
    let runner = std::fs::read_dir(root().join("runner")).unwrap().map(|entry| entry.unwrap().path());
    for folder in runner.chain([root().join("dap-server"), root().join("tests")]) {
        let manifest = folder.join("Cargo.toml");
        let inherits = std::fs::read_to_string(&manifest).unwrap().contains("[lints]\nworkspace = true");
        if !inherits {
            wrong.push(manifest.display().to_string());
        }
    }
    none("without `[lints] workspace = true`", wrong);
}

#[test]
fn nothing_has_an_empty_name() {
    let mut wrong: Vec<String> =
        crates().into_keys().filter(|name| EMPTY_NAMES.contains(&name.as_str())).collect();
    for path in rust_files(&["runner", "dap-server", "tests"]) {
        let parts = path.with_extension("");
        let mut parts = parts.components().map(|part| part.as_os_str().to_string_lossy().into_owned());
        if parts.any(|part| EMPTY_NAMES.contains(&part.as_str())) {
            wrong.push(path.display().to_string());
        }
        for line in read(&path).lines() {
            if declared_module(line).is_some_and(|name| EMPTY_NAMES.contains(&name)) {
                wrong.push(format!("{}: {line}", path.display()));
            }
        }
    }
    none("a name says nothing", wrong);
}

/// The module that a line declares, whether its body follows or is in a file.
fn declared_module(line: &str) -> Option<&str> {
    let declaration = line.trim_start();
    let declaration = match declaration.strip_prefix("pub") {
        Some(visible) => visible.split_once("mod ").map(|(_, rest)| rest)?,
        None => declaration.strip_prefix("mod ")?,
    };
    declaration.split([';', ' ', '{']).next()
}

#[test]
fn module_declarations_are_found() {
    assert_eq!(declared_module("mod plain;"), Some("plain"));
    assert_eq!(declared_module("    pub(in super::super) mod inner {"), Some("inner"));
    assert_eq!(declared_module("pub mod open;"), Some("open"));
    assert_eq!(declared_module("pub struct Model;"), None);
    assert_eq!(declared_module("let module = 1;"), None);
}

#[test]
fn nothing_unexpected_lies_at_the_top_level() {
    // What an editor or a desktop leaves for itself is never committed and no concern here.
    let private = [".idea", ".vscode", ".DS_Store", ".direnv", ".envrc"];
    let names =
        std::fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let wrong = names.filter(|name| !TOP_LEVEL.contains(&name.as_str()) && !private.contains(&name.as_str()));
    none("unexpected at the top level", wrong.collect());
}

#[test]
fn every_source_file_says_what_it_is_for() {
    let files = rust_files(&["runner", "dap-server", "tests/suite"]);
    let silent = files.iter().filter(|path| {
        let text = read(path);
        let opens = text.starts_with("//! ");
        // A file of tests beside the code is named by it; the suite's files stand alone.
        !opens && (path.starts_with("tests") || !is_test_file(path))
    });
    none("does not open with `//!`", silent.map(|path| path.display().to_string()).collect());
}

#[test]
fn every_file_of_the_suite_is_a_module_of_it() {
    let suite = Path::new("tests/suite");
    let mut wrong = Vec::new();
    for path in rust_files(&["tests/suite"]).into_iter().filter(|path| *path != suite.join("main.rs")) {
        let (module, folder) = if path.ends_with("mod.rs") {
            (path.parent().unwrap(), path.parent().unwrap().parent().unwrap())
        } else {
            (path.as_path(), path.parent().unwrap())
        };
        let module = module.file_stem().unwrap().to_str().unwrap();
        if !parent_text(suite, folder).lines().any(|line| declared_module(line) == Some(module)) {
            wrong.push(path.display().to_string());
        }
    }
    none("never compiled, since no `mod` names it", wrong);
}

/// The text of the file that declares the modules in `folder`.
fn parent_text(suite: &Path, folder: &Path) -> String {
    if folder == suite {
        return read(&suite.join("main.rs"));
    }
    let inside = folder.join("mod.rs");
    let beside = folder.with_extension("rs");
    read(if root().join(&inside).is_file() { &inside } else { &beside })
}

#[test]
fn tests_neither_sleep_nor_are_left_out() {
    // Put together here so that this file does not find itself.
    let sleeps = ["thread::sle", "time::sle", " sle"].map(|start| format!("{start}ep("));
    let ignored = format!("#[{}", "ignore");
    let mut wrong = Vec::new();
    for path in rust_files(&["runner", "dap-server", "tests"]) {
        let text = test_text(&path);
        let found = |what: &String| text.contains(what.as_str());
        if sleeps.iter().any(found) {
            wrong.push(format!("{}: sleeps", path.display()));
        }
        if text.lines().any(|line| line.trim_start().starts_with(&ignored)) {
            wrong.push(format!("{}: leaves a test out", path.display()));
        }
    }
    none("a test that waits for the clock, or does not run", wrong);
}

#[test]
fn the_usual_files_are_there() {
    let wanted =
        ["CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE", "deny.toml", ".ci/run", ".github/workflows/ci.yml"];
    let missing = wanted.iter().filter(|name| !root().join(name).is_file());
    none("missing", missing.map(ToString::to_string).collect());
}
