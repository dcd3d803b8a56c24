//! The manifests of GitHub's own tests (actions/runner, `ActionManifestManagerL0`): each loads as those tests expect, or is
//! refused.
//!
//! Knows what a name promises; what a manifest means is for others.

use syntax::{Action, ActionRuns, Spanned, Stage, Token};

use super::real_world::{action, read, yaml_files};
use super::{Tally, data};

/// Samples of something else that lie in the same folder.
const NO_MANIFEST: &str = "timelinerecord_json_samples.yml";

#[test]
fn action_manifests() {
    let Some(folder) = data() else { return };
    let mut tally = Tally::new("action_manifests");
    for path in yaml_files(&folder.join("runner-l0/action-manifests")) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name == NO_MANIFEST {
            tally.not_run(&name, "no action manifest");
            continue;
        }
        let (action, outcome) = action(&name, &read(&path));
        let found = action.as_ref().map_or_else(|| outcome.errors().join("\n"), told);
        tally.equal(&name, &found, &expected(&name));
    }
    tally.finish();
}

/// What GitHub's test of this manifest finds. All but one say the same about everything outside of `runs`.
fn expected(name: &str) -> String {
    let runs = match name {
        "dockerfileaction_env_invalid_context.yml" => {
            return format!(
                "{name} (Line: 13, Col: 14): Unrecognized named-value: 'github'. Located at position 1 within expression: \
                 github.event.repository.private"
            );
        }
        "dockerfileaction.yml" => "docker Dockerfile main.sh [bzz] {Token: foo, Url: bar}",
        "dockerfileaction_arg_env_expression.yml" => {
            "docker Dockerfile main.sh [${{ inputs.greeting }}] {Token: foo, Url: ${{ inputs.entryPoint }}}"
        }
        "dockerfileaction_cleanup_default.yml" => {
            "docker Dockerfile main.sh [bzz] {Token: foo, Url: bar}, post cleanup.sh if always()"
        }
        "dockerfilerelativeaction.yml" => {
            "docker images/Dockerfile main.sh [${{ inputs.greeting }}] {Token: foo, Url: bar}"
        }
        "dockerhubaction.yml" => "docker docker://ubuntu:18.04 main.sh [bzz] {Token: foo, Url: bar}",
        "node24action.yml" => "node24 main.js",
        "nodeaction.yml" => "node12 main.js",
        "nodeaction_cleanup.yml" => "node12 main.js, post cleanup.js if cancelled()",
        "nodeaction_cleanup_default.yml" => "node12 main.js, post cleanup.js if always()",
        "nodeaction_init_default.yml" => "node12 main.js, pre init.js if always()",
        "noderelativeaction.yml" => "node12 scripts/main.js",
        "pluginaction.yml" => "plugin someplugin",
        other => panic!("a manifest without an expectation: {other}"),
    };
    // Those that are about containers and paths have no deprecated input.
    let is_deprecated = name.starts_with("node") && name != "noderelativeaction.yml";
    let deprecated = if is_deprecated { " (This property has been deprecated)" } else { "" };
    format!(
        "Hello World: Greet the world and record the time\n\
         inputs greeting=Hello{deprecated}, entryPoint=\noutputs time\n{runs}"
    )
}

fn told(action: &Action) -> String {
    let text = |text: &Option<Spanned<std::sync::Arc<str>>>| {
        text.as_ref().map_or_else(String::new, |text| text.value.to_string())
    };
    let inputs = action.inputs.values().map(|input| {
        let default = input.default.as_ref().map_or("", |default| default.value.source());
        let deprecated =
            input.deprecation_message.as_ref().map(|text| format!(" ({text})")).unwrap_or_default();
        format!("{}={default}{deprecated}", input.name.value)
    });
    let outputs = action.outputs.iter().map(|output| output.name.value.to_string());
    format!(
        "{}: {}\ninputs {}\noutputs {}\n{}",
        text(&action.name),
        text(&action.description),
        inputs.collect::<Vec<_>>().join(", "),
        outputs.collect::<Vec<_>>().join(", "),
        runs(&action.runs)
    )
}

fn runs(runs: &ActionRuns) -> String {
    match runs {
        ActionRuns::Node { using, main, pre, post } => {
            format!("{} {}{}{}", using.value, main.value, stage("pre", pre), stage("post", post))
        }
        ActionRuns::Docker { image, entrypoint, args, env, pre, post } => format!(
            "docker {} {} {} {}{}{}",
            image.value,
            entrypoint.as_ref().map_or("", |entrypoint| &entrypoint.value),
            args.as_ref().map_or_else(String::new, |args| plain(args)),
            env.as_ref().map_or_else(String::new, |env| plain(env)),
            stage("pre", pre),
            stage("post", post)
        ),
        ActionRuns::Plugin { name } => format!("plugin {}", name.value),
        ActionRuns::Composite { steps } => format!("composite with {} steps", steps.len()),
    }
}

fn stage(name: &str, stage: &Option<Stage>) -> String {
    let told =
        |stage: &Stage| format!(", {name} {} if {}", stage.program.value, stage.condition.value.source());
    stage.as_ref().map(told).unwrap_or_default()
}

/// Lists, mappings and texts as written.
fn plain(token: &Token) -> String {
    match token {
        Token::Sequence(items) => {
            format!("[{}]", items.iter().map(|item| plain(item)).collect::<Vec<_>>().join(", "))
        }
        Token::Mapping(pairs) => {
            let pair =
                |(key, value): &(Spanned<Token>, Spanned<Token>)| format!("{}: {}", plain(key), plain(value));
            format!("{{{}}}", pairs.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
        Token::Template(template) => template.source().to_owned(),
        other => other.literal_text().unwrap_or_default().to_string(),
    }
}
