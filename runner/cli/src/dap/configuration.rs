//! The members of a `launch` configuration, and those of `attach` for a recording, as the options that the command line has.
//!
//! Knows names and shapes; what a value means is decided where it is used. Values of secrets are never taken from here: a
//! configuration lies in a file that is shared.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use dap_server::protocol::Extra;
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

use crate::args::{ApiChoice, Options, WorkspaceChoice};
use crate::exit::Fault;

/// What a client wants to launch.
pub(super) struct Launch {
    /// The workflow file; `None` for the only one.
    pub(super) workflow: Option<PathBuf>,
    /// The job; `None` for the only one.
    pub(super) job: Option<String>,
    /// Where relative paths begin.
    pub(super) start: PathBuf,
    /// What the job is given.
    pub(super) options: Options,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Members {
    workflow: Option<PathBuf>,
    job: Option<String>,
    cwd: Option<PathBuf>,
    event: Option<String>,
    event_path: Option<PathBuf>,
    inputs: IndexMap<String, Value>,
    vars: IndexMap<String, Value>,
    env: IndexMap<String, Value>,
    secret_file: Option<PathBuf>,
    secrets: Option<Value>,
    matrix: IndexMap<String, Value>,
    workspace: Option<WorkspaceChoice>,
    record: Option<bool>,
    offline: Option<bool>,
    github_api_url: Option<String>,
    background_slots: Option<NonZeroU32>,
}

impl Launch {
    /// Reads the members; those that nobody knows belong to the client.
    ///
    /// # Errors
    /// A member has the wrong shape, or holds what must not be in a configuration.
    pub(super) fn of(members: &Extra, here: &Path) -> Result<Self, Fault> {
        let members: Members = members.decode().map_err(|error| {
            // What the parser found may be a secret that somebody put there.
            let text = error.to_string();
            let field = text.split_once("invalid").map_or("", |_| "a member has the wrong type");
            Fault::new(format!("the configuration cannot be read: {field}"))
                .hint("see the attributes of `launch` and `attach` in docs/dap.md")
        })?;
        if members.secrets.is_some() {
            return Err(Fault::new("a configuration holds no secrets")
                .hint("put them into a file outside the repository, and its path into `secretFile`"));
        }
        let start = members.cwd.map_or_else(|| here.to_owned(), |cwd| here.join(cwd));
        let options = Options {
            event: members.event,
            event_path: members.event_path.map(|path| start.join(path)),
            input: pairs(members.inputs),
            var: pairs(members.vars),
            env: pairs(members.env),
            secret_file: members.secret_file.map(|path| start.join(path)),
            matrix: pairs(members.matrix),
            workspace: members.workspace,
            offline: members.offline,
            // The configuration may lie in the repository.
            github_api_url: members.github_api_url.map(ApiChoice::Repository),
            background_slots: members.background_slots,
            no_record: members.record.map(|record| !record),
            ..Options::default()
        };
        Ok(Self { workflow: members.workflow.map(|path| start.join(path)), job: members.job, start, options })
    }
}

/// `NAME=VALUE`, as on the command line.
fn pairs(members: IndexMap<String, Value>) -> Vec<String> {
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    members.into_iter().map(|(name, value)| format!("{name}={}", text(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch(json: serde_json::Value) -> Result<Launch, Fault> {
        let extra: Extra = serde_json::from_value(json).unwrap();
        Launch::of(&extra, Path::new("/repo"))
    }

    #[test]
    fn members_become_options() {
        let json = serde_json::json!({"type": "stepback", "name": "x", "workflow": "ci.yml", "job": "test", "cwd": "sub",
            "inputs": {"who": "me", "count": 3}, "record": false, "secretFile": ".secrets", "workspace": "in-place",
            "offline": true, "githubApiUrl": "https://ghes.example/api/v3", "backgroundSlots": 2});
        let launch = launch(json).unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!(launch.workflow.as_deref(), Some(Path::new("/repo/sub/ci.yml")));
        assert_eq!(launch.options.input, ["who=me", "count=3"]);
        assert_eq!(launch.options.secret_file.as_deref(), Some(Path::new("/repo/sub/.secrets")));
        assert_eq!((launch.options.no_record, launch.job.as_deref()), (Some(true), Some("test")));
        assert_eq!(launch.options.offline, Some(true));
        assert_eq!(launch.options.background_slots, NonZeroU32::new(2));
        let api = ApiChoice::Repository("https://ghes.example/api/v3".into());
        assert_eq!(launch.options.github_api_url, Some(api));
        assert_eq!(launch.options.workspace, Some(WorkspaceChoice::InPlace));
    }

    #[test]
    fn secrets_and_wrong_shapes_are_refused_without_being_repeated() {
        for json in [
            serde_json::json!({"secrets": {"A": "hunter2"}}),
            serde_json::json!({"job": {"A": "hunter2"}}),
            serde_json::json!({"backgroundSlots": 0}),
        ] {
            let text = launch(json).err().unwrap().to_string();
            assert!(!text.contains("hunter2") && text.contains("hint"), "{text}");
        }
    }
}
