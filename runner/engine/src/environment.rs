//! Which parts of the `github` and `runner` contexts a step's process sees as variables (steps.md 3.2).
//!
//! Knows the two contexts; not the process, and not the variables that people set.

use std::sync::{Arc, LazyLock};

use expr::{Object, Value};
use indexmap::IndexMap;
use syntax::github_variables;

/// `GITHUB_*` and `RUNNER_*` for a step. Only strings and booleans are passed on.
pub(crate) fn runner_environment(github: &Object, runner: &Object) -> IndexMap<Arc<str>, Arc<str>> {
    let from_github =
        GITHUB.iter().filter_map(|(key, name)| Some((Arc::clone(name), text(github.get(key)?)?)));
    let from_runner = runner.iter().filter_map(|(key, value)| Some((runner_variable(key), text(value)?)));
    let mut all = IndexMap::with_capacity(GITHUB.len() + runner.len());
    all.extend(from_github.chain(from_runner));
    all
}

/// The keys of `github` that differ from step to step, those aside that only the steps of actions have.
const OF_A_STEP: [&str; 6] = ["action", "env", "output", "path", "state", "step_summary"];

/// [`runner_environment`] for one step after another of the same job.
pub(crate) struct StepVariables {
    of_one_step: IndexMap<Arc<str>, Arc<str>>,
    /// Where among them those stand that differ, and the keys of `github` which they have their values from.
    differing: Vec<(usize, &'static str)>,
}

impl StepVariables {
    /// `github` is that of any of the steps, none of which is in an action.
    pub(crate) fn of(github: &Object, runner: &Object) -> Self {
        let of_one_step = runner_environment(github, runner);
        let place = |key| Some((of_one_step.get_index_of(&*variable("GITHUB", key))?, key));
        let differing = OF_A_STEP.into_iter().filter_map(place).collect();
        Self { of_one_step, differing }
    }

    /// Those of the step that sees this `github`.
    pub(crate) fn for_step(&self, github: &Object) -> IndexMap<Arc<str>, Arc<str>> {
        let mut all = self.of_one_step.clone();
        for (place, key) in &self.differing {
            if let (Some((_, known)), Some(value)) =
                (all.get_index_mut(*place), github.get(key).and_then(text))
            {
                *known = value;
            }
        }
        all
    }
}

/// The keys of `github` that become variables, and what these are called: the same for every step.
static GITHUB: LazyLock<Vec<(&str, Arc<str>)>> =
    LazyLock::new(|| github_variables().map(|key| (key, variable("GITHUB", key))).collect());

/// What the usual keys of `runner` are called as variables (steps.md 1.5): the same for every step.
static RUNNER: LazyLock<Vec<(&str, Arc<str>)>> = LazyLock::new(|| {
    let keys = ["os", "arch", "name", "environment", "tool_cache", "temp", "workspace", "debug"];
    keys.into_iter().map(|key| (key, variable("RUNNER", key))).collect()
});

fn runner_variable(key: &str) -> Arc<str> {
    let known = RUNNER.iter().find(|(known, _)| *known == key);
    known.map_or_else(|| variable("RUNNER", key), |(_, name)| Arc::clone(name))
}

fn variable(prefix: &str, key: &str) -> Arc<str> {
    format!("{prefix}_{}", key.to_ascii_uppercase()).into()
}

fn text(value: &Value) -> Option<Arc<str>> {
    match value {
        Value::String(text) => Some(Arc::clone(text)),
        Value::Bool(flag) => Some(Arc::from(if *flag { "true" } else { "false" })),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_keys_and_plain_values_are_passed_on() {
        let mut github = Object::new();
        github.insert("sha", Value::string("abc"));
        github.insert("token", Value::string("secret"));
        github.insert("event", Value::Object(Arc::new(Object::new())));
        github.insert("ref_protected", Value::Bool(true));
        let mut runner = Object::new();
        runner.insert("os", Value::string("Linux"));
        let all: Vec<String> = runner_environment(&github, &runner)
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(all, ["GITHUB_REF_PROTECTED=true", "GITHUB_SHA=abc", "RUNNER_OS=Linux"]);
    }
}
