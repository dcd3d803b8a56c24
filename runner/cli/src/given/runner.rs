//! The `runner` context, and what of a job this machine cannot give: other systems, containers, services.
//!
//! Knows this machine's system and the job's wishes; starts nothing.

use std::env::consts;
use std::path::Path;

use expr::{Functions, HashAnswers, Object, Phase, StatusFacts, Value};
use syntax::{Job, JobBody, Sources, TokenValue};

use super::inputs::place;
use crate::exit::Fault;

/// `Linux` or `macOS`, as GitHub names systems.
pub(crate) fn system() -> &'static str {
    match consts::OS {
        "macos" => "macOS",
        "windows" => "Windows",
        _ => "Linux",
    }
}

fn architecture() -> &'static str {
    match consts::ARCH {
        "x86" => "X86",
        "arm" => "ARM",
        "aarch64" => "ARM64",
        _ => "X64",
    }
}

/// The context without the folders, which belong to a job.
pub(crate) fn context(tool_cache: &Path) -> Object {
    let mut runner = Object::new();
    runner.insert("os", Value::string(system()));
    runner.insert("arch", Value::string(architecture()));
    let host = rustix::system::uname();
    runner.insert("name", Value::string(host.nodename().to_string_lossy().as_ref()));
    runner.insert("environment", Value::string("self-hosted"));
    runner.insert("tool_cache", Value::string(tool_cache.to_string_lossy().as_ref()));
    runner
}

/// A job that wants a container or services cannot run here unless the person says so.
///
/// # Errors
/// What it wants, and where.
pub(crate) fn refuse_containers(sources: &Sources, job: &Job, on_host: bool) -> Result<(), Fault> {
    let JobBody::Steps { container, services, .. } = &job.body else { return Ok(()) };
    let wanted = [("container", container), ("services", services)];
    match wanted.into_iter().find_map(|(key, token)| token.as_ref().map(|token| (key, token.span))) {
        Some((key, span)) if !on_host => Err(Fault::new(format!(
            "{}: job `{}` wants `{key}:`, and containers cannot be started yet",
            place(sources, span),
            job.id.value
        ))
        .hint("--host runs the job on this machine, without them")),
        _ => Ok(()),
    }
}

/// The label of `runs-on` that names another system than this one. `contexts` serve labels that are expressions; what
/// cannot be evaluated is nobody's other system.
pub(crate) fn other_system(job: &Job, contexts: &Object) -> Option<String> {
    let JobBody::Steps { runs_on, .. } = &job.body else { return None };
    let functions = Functions::for_dispatch(Phase::Body, StatusFacts::default(), HashAnswers::default());
    let Ok(TokenValue::Value(value)) = runs_on.evaluate(contexts, &functions) else { return None };
    let labels: Vec<String> = match (&value, value.get("labels")) {
        (Value::Array(labels), _) | (_, Some(Value::Array(labels))) => labels.iter().map(text).collect(),
        (_, Some(label)) => vec![text(label)],
        _ => vec![text(&value)],
    };
    labels.into_iter().find(|label| system_of(label).is_some_and(|wanted| wanted != system()))
}

fn text(value: &Value) -> String {
    value.to_text().into_owned()
}

/// The system that one of GitHub's labels stands for; `None` for labels that people made.
fn system_of(label: &str) -> Option<&'static str> {
    let label = label.to_ascii_lowercase();
    let is = |name: &str| label == name || label.strip_prefix(name).is_some_and(|rest| rest.starts_with('-'));
    if is("ubuntu") || is("linux") {
        Some("Linux")
    } else if is("macos") {
        Some("macOS")
    } else if is("windows") {
        Some("Windows")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow_files::parsed_for_test;

    fn job(keys: &str) -> (Sources, syntax::Workflow) {
        parsed_for_test(&format!("on: push\njobs:\n  a:\n{keys}    steps: [{{run: x}}]\n"))
    }

    #[test]
    fn another_system_is_noticed_through_expressions_too() {
        let check = |runs_on: &str, expected: Option<&str>| {
            let (_, workflow) = job(&format!("    runs-on: {runs_on}\n"));
            let mut contexts = Object::new();
            contexts.insert("matrix", Value::from_json("{os: 'windows-2022'}").unwrap());
            assert_eq!(other_system(workflow.job("a").unwrap(), &contexts).as_deref(), expected, "{runs_on}");
        };
        check("windows-latest", Some("windows-latest"));
        check("[self-hosted, Windows]", Some("Windows"));
        check("{group: g, labels: [windows-11-arm]}", Some("windows-11-arm"));
        check("${{ matrix.os }}", Some("windows-2022"));
        check("my-windows-like-box", None);
        check("self-hosted", None);
        check(if system() == "Linux" { "ubuntu-24.04" } else { "macos-15" }, None);
    }

    #[test]
    fn containers_are_refused_before_anything_runs() {
        let check = |keys: &str, on_host: bool, expected: Option<&str>| {
            let (sources, workflow) = job(&format!("    runs-on: x\n{keys}"));
            let refused = refuse_containers(&sources, workflow.job("a").unwrap(), on_host);
            assert_eq!(refused.err().map(|fault| fault.text).as_deref(), expected, "{keys}");
        };
        check(
            "    container: node:20\n",
            false,
            Some("ci.yml:5:16: job `a` wants `container:`, and containers cannot be started yet"),
        );
        check(
            "    services: {db: {image: x}}\n",
            false,
            Some("ci.yml:5:15: job `a` wants `services:`, and containers cannot be started yet"),
        );
        check("    container: node:20\n", true, None);
        check("", false, None);
    }
}
