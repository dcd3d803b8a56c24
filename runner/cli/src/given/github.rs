//! The `github` context: from git, the event and the options.
//!
//! Everything that is the same for all jobs of a run; folders and file commands belong to a job and a step.

use std::path::Path;

use expr::{Object, Value};
use syntax::Workflow;

use super::event::{self, Event, Facts};
use super::git::{RemoteName, Repository};

/// Where the facts come from.
pub(crate) struct Sources<'a> {
    /// The repository, if there is one.
    pub(crate) repository: Option<&'a Repository>,
    /// The folder that is worked in: its name stands in when there is no remote.
    pub(crate) root: &'a Path,
    /// `--repository`.
    pub(crate) repository_name: Option<&'a str>,
    /// `--actor`.
    pub(crate) actor: Option<&'a str>,
    /// `--github-api-url`.
    pub(crate) api: Option<&'a str>,
    /// A variable of our environment.
    pub(crate) variable: &'a dyn Fn(&str) -> Option<String>,
}

/// What is known without asking anybody. Without a remote the repository is called `local/FOLDER`; without a login the
/// actor is the user of this machine.
pub(crate) fn facts(from: &Sources<'_>) -> Facts {
    let remote = from.repository.and_then(Repository::remote_url).and_then(|url| RemoteName::parse(&url));
    let folder = || from.root.file_name().map_or_else(|| "repository".into(), |name| name.to_string_lossy());
    let repository = match (from.repository_name, &remote) {
        (Some(name), _) => name.to_owned(),
        (None, Some(remote)) => remote.repository.clone(),
        (None, None) => format!("local/{}", folder()),
    };
    let host = remote.map(|remote| remote.host).filter(|host| !host.is_empty());
    let head = from.repository.map(Repository::head).unwrap_or_default();
    let reference = if head.reference.is_empty() { "refs/heads/main".to_owned() } else { head.reference };
    let default_branch = from
        .repository
        .and_then(Repository::default_branch)
        .unwrap_or_else(|| reference.strip_prefix("refs/heads/").unwrap_or("main").to_owned());
    Facts {
        actor: actor(from),
        reference,
        commit: head.commit.unwrap_or_default(),
        default_branch,
        server: format!("https://{}", host.as_deref().unwrap_or("github.com")),
        api: from.api.map(|url| url.trim_end_matches('/').to_owned()),
        repository,
    }
}

/// The addresses of the API and of the one for GraphQL.
fn api(facts: &Facts) -> (String, String) {
    let rest = match &facts.api {
        Some(chosen) => chosen.clone(),
        None if facts.server == "https://github.com" => "https://api.github.com".to_owned(),
        None => format!("{}/api/v3", facts.server),
    };
    let graphql = format!("{}/graphql", rest.strip_suffix("/v3").unwrap_or(&rest));
    (rest, graphql)
}

fn actor(from: &Sources<'_>) -> String {
    let home = (from.variable)("HOME");
    let login =
        || from.repository.and_then(|repository| repository.github_user(home.as_deref().map(Path::new)));
    let user = || (from.variable)("USER").filter(|user| !user.is_empty());
    from.actor.map(str::to_owned).or_else(login).or_else(user).unwrap_or_else(|| "local".to_owned())
}

/// The context. A payload that somebody gave overrides what git says.
pub(crate) fn context(
    facts: &Facts,
    event: &Event,
    workflow: &Workflow,
    file: &str,
    token: Option<&str>,
) -> Object {
    let payload = &event.payload;
    let reference =
        at(payload, &["ref"]).filter(|_| event.name == "push").unwrap_or_else(|| facts.reference.clone());
    let number =
        payload.get("number").or_else(|| payload.get("pull_request").and_then(|pull| pull.get("number")));
    let reference = match number {
        Some(number) if event.name.starts_with("pull_request") => {
            format!("refs/pull/{}/merge", number.to_text())
        }
        _ => reference,
    };
    let sha =
        at(payload, &["after"]).filter(|_| event.name == "push").unwrap_or_else(|| facts.commit.clone());
    let repository = at(payload, &["repository", "full_name"]).unwrap_or_else(|| facts.repository.clone());
    let owner = repository.split('/').next().unwrap_or_default().to_owned();
    let actor = at(payload, &["sender", "login"]).unwrap_or_else(|| facts.actor.clone());
    let api = api(facts);
    let kind = if reference.starts_with("refs/tags/") { "tag" } else { "branch" };
    let workflow_ref = format!("{repository}/{file}@{reference}");
    let mut github = Object::new();
    github.insert("token", Value::string(token.unwrap_or_default()));
    let texts = [
        ("ref", reference.clone()),
        ("sha", sha.clone()),
        ("repository", repository.clone()),
        ("repository_owner", owner),
        ("repositoryUrl", format!("{}/{repository}.git", facts.server.replacen("https", "git", 1))),
        ("run_id", "1".to_owned()),
        ("run_number", "1".to_owned()),
        ("retention_days", "90".to_owned()),
        ("run_attempt", "1".to_owned()),
        ("actor", actor.clone()),
        ("triggering_actor", actor),
        ("workflow", workflow_name(workflow, file)),
        ("head_ref", at(payload, &["pull_request", "head", "ref"]).unwrap_or_default()),
        ("base_ref", at(payload, &["pull_request", "base", "ref"]).unwrap_or_default()),
        ("event_name", event.name.clone()),
        ("server_url", facts.server.clone()),
        ("api_url", api.0),
        ("graphql_url", api.1),
        ("ref_name", event::short(&reference).to_owned()),
        ("ref_type", kind.to_owned()),
        ("secret_source", "Actions".to_owned()),
        ("workflow_ref", workflow_ref),
        ("workflow_sha", sha),
    ];
    for (key, text) in texts {
        github.insert(key, Value::string(text));
    }
    github.insert("ref_protected", Value::Bool(false));
    github.insert("event", Value::from(payload.clone()));
    github
}

/// The workflow's name, else its file.
fn workflow_name(workflow: &Workflow, file: &str) -> String {
    workflow.name.as_ref().map_or_else(|| file.to_owned(), |name| name.value.source().to_owned())
}

fn at(payload: &Object, path: &[&str]) -> Option<String> {
    let (first, rest) = path.split_first()?;
    let value = rest.iter().try_fold(payload.get(first)?, |value, key| value.get(key))?;
    value.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow_files::parsed_for_test;

    const WORKFLOW: &str = "name: CI\non: push\njobs:\n  a:\n    runs-on: x\n    steps: [{run: x}]\n";

    fn facts_in(root: &Path, variables: &[(&str, &str)]) -> Facts {
        let repository = Repository::find(root);
        facts(&Sources {
            repository: repository.as_ref(),
            root,
            repository_name: None,
            actor: None,
            api: None,
            variable: &|name| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            },
        })
    }

    #[test]
    fn without_git_there_are_still_true_names() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("project");
        std::fs::create_dir(&root).unwrap();
        let facts = facts_in(&root, &[("USER", "ann")]);
        assert_eq!(
            (facts.repository.as_str(), facts.actor.as_str(), facts.commit.as_str()),
            ("local/project", "ann", "")
        );
        assert_eq!((facts.owner(), facts.name(), facts.short_reference()), ("local", "project", "main"));
    }

    #[test]
    fn git_names_server_repository_and_login() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        std::fs::write(folder.path().join(".git/HEAD"), "ref: refs/heads/topic").unwrap();
        let config = "[remote \"origin\"]\nurl = git@ghe.example:o/r.git\n[github]\nuser = mona\n";
        std::fs::write(folder.path().join(".git/config"), config).unwrap();
        let facts = facts_in(folder.path(), &[("USER", "ann")]);
        assert_eq!((facts.repository.as_str(), facts.actor.as_str()), ("o/r", "mona"));
        assert_eq!((facts.server.as_str(), facts.default_branch.as_str()), ("https://ghe.example", "topic"));
    }

    #[test]
    fn the_api_is_the_one_that_was_chosen_or_that_of_the_server() {
        let check = |server: &str, chosen: Option<&str>, rest: &str, graphql: &str| {
            let chosen = chosen.map(str::to_owned);
            let facts = Facts { server: server.into(), api: chosen, ..Facts::default() };
            assert_eq!(api(&facts), (rest.to_owned(), graphql.to_owned()));
        };
        let (ours, theirs) = ("https://github.com", "https://ghe.example");
        check(ours, None, "https://api.github.com", "https://api.github.com/graphql");
        check(theirs, None, "https://ghe.example/api/v3", "https://ghe.example/api/graphql");
        let chosen = Some("https://ghe.example/api/v3");
        check(ours, chosen, "https://ghe.example/api/v3", "https://ghe.example/api/graphql");
        check(theirs, Some("http://127.0.0.1:80"), "http://127.0.0.1:80", "http://127.0.0.1:80/graphql");
    }

    #[test]
    fn the_context_follows_the_payload() {
        let workflow = parsed_for_test(WORKFLOW).1;
        let facts = Facts {
            repository: "o/r".into(),
            reference: "refs/heads/topic".into(),
            commit: "abc".into(),
            server: "https://github.com".into(),
            ..Facts::default()
        };
        let payload = Value::from_json(
            "{number: 7, sender: {login: 'eve'}, pull_request: {head: {ref: 'h'}, base: {ref: 'b'}}}",
        );
        let Ok(Value::Object(payload)) = payload else { panic!("an object") };
        let event = Event { name: "pull_request".into(), payload: payload.as_ref().clone() };
        let github = Value::from(context(&facts, &event, &workflow, ".github/workflows/ci.yml", Some("t")));
        let check = |key: &str, expected: &str| {
            assert_eq!(
                github.get(key).map(|value| value.to_text().to_string()).as_deref(),
                Some(expected),
                "{key}"
            );
        };
        check("ref", "refs/pull/7/merge");
        check("ref_name", "7/merge");
        check("head_ref", "h");
        check("base_ref", "b");
        check("actor", "eve");
        check("workflow", "CI");
        check("workflow_ref", "o/r/.github/workflows/ci.yml@refs/pull/7/merge");
        check("sha", "abc");
        check("token", "t");
        check("repositoryUrl", "git://github.com/o/r.git");
    }
}
