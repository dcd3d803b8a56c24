//! What GitHub puts into the contexts whose members do not depend on a workflow, and what of it a step sees as a variable
//! (steps.md 3.2).
//!
//! Knows names; no values, and not who asks.

use Reach::{ContextOnly, Variable};

/// How far a member reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Into the step's process too, as `GITHUB_NAME`.
    Variable,
    /// Expressions alone.
    ContextOnly,
}

const GITHUB: &[(&str, Reach)] = &[
    ("action", Variable),
    ("action_path", Variable),
    ("action_ref", Variable),
    ("action_repository", Variable),
    ("action_status", ContextOnly),
    ("actor", Variable),
    ("actor_id", Variable),
    ("api_url", Variable),
    ("artifact_cache_size_limit", ContextOnly),
    ("artifacts", Variable),
    ("artifacts_list", Variable),
    ("base_ref", Variable),
    ("env", Variable),
    ("event", ContextOnly),
    ("event_name", Variable),
    ("event_path", Variable),
    ("graphql_url", Variable),
    ("head_ref", Variable),
    ("job", Variable),
    ("job_workflow_ref", ContextOnly),
    ("job_workflow_sha", ContextOnly),
    ("output", Variable),
    ("path", Variable),
    ("ref", Variable),
    ("ref_name", Variable),
    ("ref_protected", Variable),
    ("ref_type", Variable),
    ("repository", Variable),
    ("repository_id", Variable),
    ("repository_owner", Variable),
    ("repository_owner_id", Variable),
    ("repository_visibility", ContextOnly),
    ("repositoryUrl", ContextOnly),
    ("retention_days", Variable),
    ("run_attempt", Variable),
    ("run_id", Variable),
    ("run_number", Variable),
    ("secret_source", ContextOnly),
    ("server_url", Variable),
    ("sha", Variable),
    ("state", Variable),
    ("step_summary", Variable),
    ("token", ContextOnly),
    ("triggering_actor", Variable),
    ("workflow", Variable),
    ("workflow_ref", Variable),
    ("workflow_sha", Variable),
    ("workspace", Variable),
];
const RUNNER: &[&str] = &["arch", "debug", "environment", "name", "os", "temp", "tool_cache", "workspace"];
const STRATEGY: &[&str] = &["fail-fast", "job-index", "job-total", "max-parallel"];

/// The members of `github` that a step sees as `GITHUB_NAME`, in the order of their names.
pub fn github_variables() -> impl Iterator<Item = &'static str> {
    GITHUB.iter().filter(|(_, reach)| *reach == Variable).map(|(name, _)| *name)
}

/// The members of a context, if they do not depend on the workflow. New ones may come.
pub(crate) fn members(context: &str) -> Option<Vec<&'static str>> {
    match context.to_ascii_lowercase().as_str() {
        "github" => Some(GITHUB.iter().map(|(name, _)| *name).collect()),
        "runner" => Some(RUNNER.to_vec()),
        "strategy" => Some(STRATEGY.to_vec()),
        _ => None,
    }
}

#[test]
fn variables_are_members_without_what_is_secret_or_no_text() {
    let all = members("GitHub").expect("it is known");
    let variables: Vec<&str> = github_variables().collect();
    assert!(variables.iter().all(|name| all.contains(name)) && variables.is_sorted());
    assert!(["token", "event"].iter().all(|name| all.contains(name) && !variables.contains(name)));
    assert_eq!(variables.last(), Some(&"workspace"));
    assert_eq!(members("env"), None);
}
