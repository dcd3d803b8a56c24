//! The event that started the workflow: which one, and its payload.
//!
//! A payload that nobody gave holds only what is true on this machine; what only GitHub knows (numbers, ids, people) is
//! left out rather than made up.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use expr::{Object, Value};
use syntax::Triggers;

use crate::exit::Fault;

/// Events that a person most likely means, the first one that a workflow listens to wins.
const PREFERRED: [&str; 4] = ["push", "pull_request", "workflow_dispatch", "schedule"];

/// The event.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    /// For instance `push`.
    pub(crate) name: String,
    /// `github.event`.
    pub(crate) payload: Object,
}

/// What is known of the repository and the person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// `owner/name`.
    pub(crate) repository: String,
    /// The login.
    pub(crate) actor: String,
    /// `refs/heads/…`, `refs/tags/…` or a commit.
    pub(crate) reference: String,
    /// The commit; empty before the first one.
    pub(crate) commit: String,
    /// The repository's default branch.
    pub(crate) default_branch: String,
    /// For instance `https://github.com`.
    pub(crate) server: String,
    /// The API, if somebody chose one; else it is that of the server.
    pub(crate) api: Option<String>,
}

impl Facts {
    /// The part of the repository's name before the slash.
    pub(crate) fn owner(&self) -> &str {
        self.repository.split('/').next().unwrap_or_default()
    }

    /// The part behind it.
    pub(crate) fn name(&self) -> &str {
        self.repository.rsplit('/').next().unwrap_or_default()
    }

    /// The branch or tag without `refs/heads/` and the like.
    pub(crate) fn short_reference(&self) -> &str {
        short(&self.reference)
    }
}

/// A reference without its `refs/…/`.
pub(crate) fn short(reference: &str) -> &str {
    let prefixes = ["refs/heads/", "refs/tags/", "refs/pull/"];
    prefixes.iter().find_map(|prefix| reference.strip_prefix(prefix)).unwrap_or(reference)
}

/// The event's name: the one asked for, `workflow_dispatch` when inputs are given, else the most likely of those that the
/// workflow listens to.
pub(crate) fn choose(on: &Triggers, asked: Option<&str>, has_inputs: bool) -> String {
    let listens = |name: &str| on.events.contains_key(name);
    let chosen = match asked {
        Some(name) => Some(name),
        None if has_inputs && listens("workflow_dispatch") => Some("workflow_dispatch"),
        None => PREFERRED.into_iter().find(|name| listens(name)),
    };
    chosen.or_else(|| on.events.keys().next().map(|name| &**name)).unwrap_or("push").to_owned()
}

/// The payload in a file.
///
/// # Errors
/// The file cannot be read or holds no JSON object; the place is in the text.
pub(crate) fn read_payload(path: &Path) -> Result<Object, Fault> {
    let shown = path.display();
    let text =
        fs::read_to_string(path).map_err(|error| Fault::new(format!("{shown}: cannot be read: {error}")))?;
    let json: serde_json::Value = serde_json::from_str(&text)
        .map_err(|error| Fault::new(format!("{shown}:{}:{}: {error}", error.line(), error.column())))?;
    match value(&json) {
        Value::Object(object) => Ok(Arc::unwrap_or_clone(object)),
        _ => Err(Fault::new(format!("{shown}:1:1: the payload of an event is a JSON object"))),
    }
}

fn value(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(flag) => Value::Bool(*flag),
        serde_json::Value::Number(number) => Value::Number(number.as_f64().unwrap_or(f64::NAN)),
        serde_json::Value::String(text) => Value::string(text.as_str()),
        serde_json::Value::Array(items) => Value::array(items.iter().map(value)),
        serde_json::Value::Object(pairs) => {
            let mut object = Object::new();
            for (key, item) in pairs {
                object.insert(key.as_str(), value(item));
            }
            Value::from(object)
        }
    }
}

/// The payload that can be truthfully made here.
pub(crate) fn minimal_payload(name: &str, facts: &Facts, on: &Triggers, workflow_path: &str) -> Object {
    let mut payload = Object::new();
    match name {
        "push" => {
            payload.insert("ref", text(&facts.reference));
            payload.insert("after", text(&facts.commit));
            payload.insert("head_commit", object([("id", text(&facts.commit))]));
        }
        "pull_request" | "pull_request_target" => {
            payload.insert("action", text("opened"));
            payload.insert("pull_request", pull_request(facts));
        }
        "workflow_dispatch" => {
            payload.insert("ref", text(&facts.reference));
            payload.insert("workflow", text(workflow_path));
        }
        "schedule" => {
            let schedules =
                on.events.get("schedule").map(|trigger| trigger.schedule.as_slice()).unwrap_or_default();
            let cron = schedules.first().map(|schedule| Value::string(Arc::clone(&schedule.cron.value)));
            payload.insert("schedule", cron.unwrap_or_default());
        }
        _ => {}
    }
    payload.insert("repository", repository(facts));
    payload.insert("sender", object([("login", text(&facts.actor))]));
    payload
}

fn pull_request(facts: &Facts) -> Value {
    let side = |reference: &str, commit: Option<&str>| {
        let mut side = Object::new();
        side.insert("ref", text(reference));
        if let Some(commit) = commit {
            side.insert("sha", text(commit));
        }
        side.insert("repo", object([("full_name", text(&facts.repository))]));
        Value::from(side)
    };
    object([
        ("state", text("open")),
        ("head", side(facts.short_reference(), Some(&facts.commit))),
        ("base", side(&facts.default_branch, None)),
        ("user", object([("login", text(&facts.actor))])),
    ])
}

fn repository(facts: &Facts) -> Value {
    object([
        ("name", text(facts.name())),
        ("full_name", text(&facts.repository)),
        ("owner", object([("login", text(facts.owner()))])),
        ("html_url", Value::string(format!("{}/{}", facts.server, facts.repository))),
        ("default_branch", text(&facts.default_branch)),
    ])
}

fn text(text: &str) -> Value {
    Value::string(text)
}

fn object<const N: usize>(pairs: [(&str, Value); N]) -> Value {
    let mut object = Object::new();
    for (key, value) in pairs {
        object.insert(key, value);
    }
    Value::from(object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow_files::parsed_for_test;

    fn facts() -> Facts {
        Facts {
            repository: "o/r".into(),
            actor: "mona".into(),
            reference: "refs/heads/topic".into(),
            commit: "abc".into(),
            default_branch: "main".into(),
            server: "https://github.com".into(),
            api: None,
        }
    }

    fn on(text: &str) -> Triggers {
        parsed_for_test(&format!("on: {text}\njobs:\n  a:\n    runs-on: x\n    steps: [{{run: x}}]\n"))
            .1
            .on
            .clone()
    }

    #[test]
    fn the_most_likely_event_is_chosen() {
        let check = |text: &str, asked: Option<&str>, inputs: bool, expected: &str| {
            assert_eq!(choose(&on(text), asked, inputs), expected, "{text}");
        };
        check("[pull_request, push]", None, false, "push");
        check("[release, pull_request]", None, false, "pull_request");
        check("[release, fork]", None, false, "release");
        check("[push, workflow_dispatch]", None, true, "workflow_dispatch");
        check("push", None, true, "push");
        check("push", Some("fork"), false, "fork");
    }

    #[test]
    fn payloads_hold_what_is_true() {
        let payload = |name: &str| {
            Value::from(minimal_payload(name, &facts(), &on("{schedule: [{cron: '5 4 * * *'}]}"), "w.yml"))
        };
        let at = |name: &str, path: &[&str]| {
            path.iter()
                .try_fold(payload(name), |value, key| value.get(key).cloned())
                .map(|value| value.to_text().to_string())
        };
        assert_eq!(at("push", &["ref"]).as_deref(), Some("refs/heads/topic"));
        assert_eq!(at("push", &["before"]), None);
        assert_eq!(at("pull_request", &["pull_request", "head", "ref"]).as_deref(), Some("topic"));
        assert_eq!(at("pull_request", &["pull_request", "base", "ref"]).as_deref(), Some("main"));
        assert_eq!(at("schedule", &["schedule"]).as_deref(), Some("5 4 * * *"));
        assert_eq!(at("fork", &["repository", "owner", "login"]).as_deref(), Some("o"));
    }

    #[test]
    fn a_payload_file_is_strict_json() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("event.json");
        let read = |text: &str| {
            fs::write(&path, text).unwrap();
            read_payload(&path).map_err(|fault| fault.text.replace(&path.display().to_string(), "event.json"))
        };
        assert_eq!(read("{\"a\": {\"b\": [1, null]}}").unwrap().len(), 1);
        assert!(read("{\"a\":\n  x}").unwrap_err().starts_with("event.json:2:3: expected value"));
        assert_eq!(read("[]").unwrap_err(), "event.json:1:1: the payload of an event is a JSON object");
        let absent = read_payload(&folder.path().join("none.json")).unwrap_err();
        assert!(absent.text.contains("none.json: cannot be read"), "{absent}");
    }
}
