//! `job.workflow_ref` and its like: which workflow file a job is written in, which in a called workflow is not the one of
//! the run (steps.md 1.5).
//!
//! Knows what the plan and the `github` context say. A branch or tag of another repository is told as the call has it, since
//! nobody here knows which of the two it is.

use expr::{Object, Value};

use crate::plan::Plan;

/// Puts the four members into the `job` context.
pub(super) fn put_into(job: &mut Object, plan: &Plan, github: &Object) {
    let text = |key: &str| github.get(key).map_or_else(String::new, |value| value.to_text().into_owned());
    let (repository, path, reference, commit) = match &plan.workflow.origin {
        Some(origin) => (
            origin.repository.to_string(),
            path_within(&plan.file, &origin.repository, &origin.reference).to_owned(),
            origin.reference.to_string(),
            origin.commit.as_deref().unwrap_or_default().to_owned(),
        ),
        None => (text("repository"), plan.file.to_string(), text("ref"), text("workflow_sha")),
    };
    job.insert("workflow_ref", Value::string(format!("{repository}/{path}@{reference}")));
    job.insert("workflow_sha", Value::string(commit));
    job.insert("workflow_repository", Value::string(repository));
    job.insert("workflow_file_path", Value::string(path));
}

/// `.github/workflows/x.yml` of `owner/repo/.github/workflows/x.yml@ref`.
fn path_within<'f>(file: &'f str, repository: &str, reference: &str) -> &'f str {
    let path = file.strip_prefix(repository).and_then(|rest| rest.strip_prefix('/')).unwrap_or(file);
    path.strip_suffix(reference).and_then(|path| path.strip_suffix('@')).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_file_elsewhere_is_that_within_its_repository() {
        let path = |file: &str| path_within(file, "o/shared", "v1@2").to_owned();
        assert_eq!(path("o/shared/.github/workflows/x.yml@v1@2"), ".github/workflows/x.yml");
        assert_eq!(path(".github/workflows/x.yml"), ".github/workflows/x.yml");
    }
}
