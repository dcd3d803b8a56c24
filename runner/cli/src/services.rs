//! Where the caches and artifacts of a run are, and what is said of them at its end.
//!
//! Knows the folders and the contexts; how actions reach what is in them is the host's affair.

use std::io::Write;

use expr::{Object, Value};
use host::masks::SharedMasks;
use host::services::{KeptArtifact, ServiceSettings, Services};
use session::wording::{Meaning, Painter, artifact_line};

use crate::paths::Paths;

/// The services of the run with this name, whose jobs have this `github` context.
pub(crate) fn of_run(paths: &Paths, run: &str, github: &Object) -> Services {
    let text = |key: &str| github.get(key).map_or_else(String::new, |value| value.to_text().into_owned());
    Services::new(ServiceSettings {
        run: run.to_owned(),
        repository: text("repository"),
        scopes: scopes(github),
        caches: paths.caches(),
        artifacts: paths.artifacts().join(run),
    })
}

/// The refs whose caches a run sees, as on GitHub: its own, the one that it is to be merged into, the default branch.
fn scopes(github: &Object) -> Vec<String> {
    let text = |value: Option<&Value>| value.map_or_else(String::new, |value| value.to_text().into_owned());
    let branch = |name: String| if name.is_empty() { name } else { format!("refs/heads/{name}") };
    let member = |value: Option<&Value>, key: &str| match value {
        Some(Value::Object(object)) => object.get(key).cloned(),
        _ => None,
    };
    let repository = member(github.get("event"), "repository");
    let default_branch = member(repository.as_ref(), "default_branch");
    let mut scopes = vec![text(github.get("ref"))];
    for scope in [branch(text(github.get("base_ref"))), branch(text(default_branch.as_ref()))] {
        if !scope.is_empty() && !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    scopes
}

/// The artifacts of a run, without what is masked.
pub(crate) fn kept(services: &Services, masks: &SharedMasks) -> Vec<KeptArtifact> {
    let masks = masks.current();
    let mut artifacts = services.artifacts();
    for artifact in &mut artifacts {
        artifact.name = masks.mask_text(&artifact.name).into_owned();
        artifact.path = masks.mask_text(&artifact.path.to_string_lossy()).into_owned().into();
    }
    artifacts
}

/// Says which artifacts there are and where: one line each.
pub(crate) fn tell(artifacts: &[KeptArtifact], out: &mut dyn Write, painter: Painter) {
    for artifact in artifacts {
        let text = artifact_line(artifact);
        // Whoever has closed standard error does not want to know.
        let _ = writeln!(out, "{}", painter.paint(Meaning::Quiet, &text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_scopes(github: &str, expected: &[&str]) {
        let Value::Object(github) = Value::from_json(github).unwrap() else { panic!("an object") };
        assert_eq!(scopes(&github), expected);
    }

    #[test]
    fn a_run_sees_caches_of_its_own_branch_its_base_and_the_default_branch() {
        check_scopes(
            "{ref: 'refs/pull/1/merge', base_ref: 'dev', event: {repository: {default_branch: 'main'}}}",
            &["refs/pull/1/merge", "refs/heads/dev", "refs/heads/main"],
        );
        check_scopes(
            "{ref: 'refs/heads/main', base_ref: '', event: {repository: {default_branch: 'main'}}}",
            &["refs/heads/main"],
        );
        check_scopes("{ref: 'refs/tags/v1'}", &["refs/tags/v1"]);
    }
}
