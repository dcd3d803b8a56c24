//! Secrets and variables that a job uses and nobody gave: they are empty, which is worth saying before step 1.
//!
//! Goes by the text of the workflow; a name that is computed cannot be known before.

use std::sync::Arc;

use expr::Object;
use indexmap::{IndexMap, IndexSet};
use syntax::{Job, Sources, referenced, referenced_in};

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

/// Everything that `jobs` and the workflow's own `env` read of `secrets` and `vars`, and that is not there.
pub(crate) fn find<'a>(
    sources: &Sources,
    workflow: &syntax::Workflow,
    jobs: impl IntoIterator<Item = &'a Job>,
    secrets: &IndexMap<Arc<str>, Arc<str>>,
    vars: &Object,
) -> Vec<Missing> {
    let jobs: Vec<&Job> = jobs.into_iter().collect();
    let has_secret = |name: &str| secrets.keys().any(|known| known.eq_ignore_ascii_case(name));
    let mut found = Vec::new();
    let mut seen = IndexSet::new();
    for context in ["secrets", "vars"] {
        let of_workflow = workflow.env.iter().flat_map(|env| referenced_in(sources, env, context));
        let of_jobs = jobs.iter().flat_map(|job| referenced(sources, job, context));
        for place in of_workflow.chain(of_jobs) {
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
    use crate::workflow_files::parsed_for_test;

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
        let missing = find(&sources, &workflow, workflow.job("a"), &secrets, &vars);
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
