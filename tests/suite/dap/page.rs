//! docs/dap.md tells the truth: the capabilities, attributes, requests, events and errors in it are those that there are.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use dap_server::protocol::custom::{CUSTOM_REQUESTS, CUSTOM_VERSION, STOP, TIMELINE_CHANGED};
use serde_json::Value as Json;

use crate::cli::program::Sandbox;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn page() -> String {
    fs::read_to_string(root().join("docs/dap.md")).unwrap()
}

/// What stands under a heading.
fn section<'p>(page: &'p str, heading: &str) -> &'p str {
    let (_, from) = page.split_once(&format!("\n## {heading}\n")).unwrap();
    from.split_once("\n## ").map_or(from, |(section, _)| section)
}

/// What stands in code in the first column of the tables.
fn firsts(section: &str) -> BTreeSet<String> {
    let cells = section.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

fn words<'w>(all: impl IntoIterator<Item = &'w str>) -> BTreeSet<String> {
    all.into_iter().map(str::to_owned).collect()
}

/// What the program announces to a client that can show everything.
fn announced() -> Json {
    let request = r#"{"seq":1,"type":"request","command":"initialize","arguments":{"adapterID":"stepback","supportsANSIStyling":true}}"#;
    let sandbox = Sandbox::copy(&root().join("docs/examples/greeting"));
    let ran = sandbox.run(&["dap"], &format!("Content-Length: {}\r\n\r\n{request}", request.len()));
    let (_, body) = ran.out.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{}{}", ran.out, ran.errors));
    let answer: Json = serde_json::from_str(body).unwrap();
    answer["body"].clone()
}

#[test]
fn capabilities_are_those_announced() {
    let page = page();
    let announced = announced();
    let names = announced.as_object().unwrap().keys().map(String::as_str);
    // Over standard input nobody can come back to a job that was left standing.
    let names = names.chain(["supportSuspendDebuggee"]);
    assert_eq!(firsts(section(&page, "Capabilities")), words(names));
    assert_eq!(announced["stepback"]["version"], CUSTOM_VERSION);
}

#[test]
fn our_own_requests_and_events_are_those_there_are() {
    let page = page();
    let told = section(&page, "Our own requests and events");
    assert!(told.contains(&format!("Their version is {CUSTOM_VERSION}.")));
    assert_eq!(firsts(told), words(CUSTOM_REQUESTS.into_iter().chain([TIMELINE_CHANGED, STOP])));
}

#[test]
fn errors_are_those_there_are() {
    let source = fs::read_to_string(root().join("dap-server/src/protocol/error.rs")).unwrap();
    let (_, list) = source.split_once("pub enum ErrorId {").unwrap();
    let (list, _) = list.split_once("\n}").unwrap();
    let numbers = list.lines().filter_map(|line| line.split_once(" = ")?.1.strip_suffix(','));
    let page = page();
    let told = section(&page, "Errors").lines().filter_map(|line| line.strip_prefix("| ")?.split(' ').next());
    let told = told.filter(|cell| cell.parse::<u32>().is_ok());
    assert_eq!(words(told), words(numbers));
}

/// The extension's manifest says the same; `address` and `noDebug` are between an editor and itself.
#[test]
fn launch_attributes_are_those_that_the_extension_offers() {
    let manifest = fs::read_to_string(root().join("vscode-extension/package.json")).unwrap();
    let manifest: Json = serde_json::from_str(&manifest).unwrap();
    let offered = &manifest["contributes"]["debuggers"][0]["configurationAttributes"]["launch"]["properties"];
    let page = page();
    let told = firsts(section(&page, "Launch and attach"));
    let missing: Vec<&String> = offered
        .as_object()
        .unwrap()
        .keys()
        .filter(|name| !told.contains(*name) && *name != "secrets")
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn configurations_in_the_guide_are_json() {
    let mut count = 0;
    let readme = root().join("vscode-extension/README.md");
    let guide = fs::read_dir(root().join("docs/guide")).unwrap().map(|entry| entry.unwrap().path());
    for path in guide.chain([readme]) {
        let text = fs::read_to_string(&path).unwrap();
        for block in text.split("```json\n").skip(1) {
            let (block, _) = block.split_once("```").unwrap();
            let read = serde_json::from_str::<Json>(block);
            assert!(read.is_ok(), "{}: {read:?}\n{block}", path.display());
            count += 1;
        }
    }
    assert!(count > 0);
}
