//! Secrets and variables that a job uses and nobody gave: they are empty, which is worth saying before step 1.
//!
//! Goes by the text of the workflow; a name that is computed cannot be known before.

use std::sync::Arc;

use expr::Object;
use indexmap::{IndexMap, IndexSet};
use syntax::{Job, Sources, referenced, referenced_in};

use crate::workflow_files::CalledIn;

/// One name that has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    /// `secrets` or `vars`.
    pub(crate) context: &'static str,
    /// Its name as first written.
    pub(crate) name: String,
    /// `FILE:LINE` of the first place that reads it.
    pub(crate) place: String,
}

/// Everything that `jobs`, each with its workflow, and the `env` of their workflows read of `secrets` and `vars`, and that is not
/// there. What a called workflow finds in `secrets` is up to the call, unless it inherits all.
pub(crate) fn find(
    sources: &Sources,
    jobs: &[(CalledIn<'_>, &Job)],
    secrets: &IndexMap<Arc<str>, Arc<str>>,
    vars: &Object,
) -> Vec<Missing> {
    let workflows: IndexMap<_, _> =
        jobs.iter().map(|(place, _)| (std::ptr::from_ref(place.workflow), place)).collect();
    let has_secret = |name: &str| secrets.keys().any(|known| known.eq_ignore_ascii_case(name));
    let mut found = Vec::new();
    let mut seen = IndexSet::new();
    for context in ["secrets", "vars"] {
        // Many workflows name neither, and a look into every expression takes as long as the rest of the preparation.
        let text = |place: &CalledIn<'_>| sources.text(place.workflow.source).to_ascii_lowercase();
        if !workflows.values().any(|place| text(place).contains(context)) {
            continue;
        }
        let sees = |place: &CalledIn<'_>| context != "secrets" || place.sees_all_secrets;
        let of_workflows = workflows
            .values()
            .filter(|place| sees(place))
            .filter_map(|place| place.workflow.env.as_ref())
            .flat_map(|env| referenced_in(sources, env, context));
        let of_jobs = jobs
            .iter()
            .filter(|(place, _)| sees(place))
            .flat_map(|(_, job)| referenced(sources, job, context));
        for place in of_workflows.chain(of_jobs) {
            let Some(name) = place.reference.key(0) else { continue };
            let given = if context == "secrets" { has_secret(name) } else { vars.contains_key(name) };
            if !given && seen.insert((context, name.to_ascii_uppercase())) {
                let line = place.span.start.line;
                let place = format!("{}:{line}", sources.path(place.span.source));
                found.push(Missing { context, name: name.to_owned(), place });
            }
        }
    }
    found
}

/// The warning for a person: what is missing and how to give it. `None` when nothing is.
pub(crate) fn warning(missing: &[Missing]) -> Option<String> {
    let names: Vec<String> =
        missing.iter().map(|one| format!("{}.{} ({})", one.context, one.name, one.place)).collect();
    let option = |one: &Missing| match one.context {
        "secrets" => format!("--secret {} (from the environment)", one.name),
        _ => format!("--var {}=…", one.name),
    };
    let mut hints: Vec<String> = Vec::new();
    for context in ["secrets", "vars"] {
        hints.extend(missing.iter().find(|one| one.context == context).map(option));
    }
    (!names.is_empty())
        .then(|| format!("nobody gave, so empty: {}\n  hint: {}", names.join(", "), hints.join(", ")))
}

#[cfg(test)]
mod tests {
    use expr::Value;

    use super::*;
    use crate::workflow_files::{parsed_for_test, with_called};

    const WORKFLOW: &str = "on: push
env: {REGION: '${{ vars.REGION }}'}
jobs:
  a:
    runs-on: x
    steps:
      - run: echo ${{ secrets.NPM }} ${{ secrets.npm }} ${{ secrets.GIVEN }} ${{ secrets[env.X] }}
      - run: echo
        env: {A: '${{ vars.known }}', B: '${{ secrets.OTHER }}'}
  b:
    runs-on: x
    steps: [{run: 'echo ${{ secrets.ONLY_B }}'}]
";

    #[test]
    fn only_what_the_chosen_jobs_use_is_named() {
        let (sources, workflow) = parsed_for_test(WORKFLOW);
        let secrets = IndexMap::from([(Arc::from("given"), Arc::from("x"))]);
        let mut vars = Object::new();
        vars.insert("KNOWN", Value::string("x"));
        let jobs = [workflow.job("a").unwrap()];
        let missing = find(&sources, &with_called(&workflow, &jobs), &secrets, &vars);
        let names: Vec<String> =
            missing.iter().map(|one| format!("{}.{} {}", one.context, one.name, one.place)).collect();
        assert_eq!(names, ["secrets.NPM ci.yml:7", "secrets.OTHER ci.yml:9", "vars.REGION ci.yml:2"]);
        assert_eq!(
            warning(&missing).unwrap(),
            "nobody gave, so empty: secrets.NPM (ci.yml:7), secrets.OTHER (ci.yml:9), vars.REGION (ci.yml:2)\n  \
             hint: --secret NPM (from the environment), --var REGION=…"
        );
        assert_eq!(warning(&[]), None);
    }
}
