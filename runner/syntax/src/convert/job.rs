//! A job, and the checks of its parts that GitHub makes before anything runs.

use std::sync::Arc;

use super::{Converter, child, ids, permissions, run_defaults, values};
use crate::diagnostic::Diagnostic;
use crate::model::{CallSecrets, Job, JobBody, Strategy};
use crate::schema::workflow::{JOB_IF, SNAPSHOT_IF};
use crate::source::Spanned;
use crate::token::Token;
use crate::yaml::Item;

const DOCKER: &str = "docker://";
/// GitHub's limit for the name of a concurrency group.
const MAX_GROUP_LENGTH: usize = 400;

impl Converter<'_> {
    pub(super) fn job(
        &mut self,
        id: &Spanned<Arc<str>>,
        token: &Spanned<Token>,
        place: Option<&Item>,
    ) -> Option<Job> {
        if let Err(message) = ids::check(id) {
            self.report(Diagnostic::error("id", id.span, message));
        }
        let get = |key: &str| token.get(key);
        let owned = |key: &str| token.get(key).cloned();
        self.check_parts(token);
        let condition = self.condition(get("if"), token.span, &JOB_IF);
        let body = match get("uses") {
            Some(uses) => self.call(uses, token),
            None => JobBody::Steps {
                runs_on: owned("runs-on")?,
                container: owned("container"),
                services: owned("services"),
                steps: get("steps").map(|steps| self.steps(steps, child(place, "steps"))).unwrap_or_default(),
            },
        };
        let outputs = get("outputs").and_then(|outputs| outputs.as_mapping()).unwrap_or_default();
        Some(Job {
            id: id.clone(),
            span: token.span,
            name: get("name").and_then(values::template),
            needs: get("needs").map(values::texts).unwrap_or_default(),
            condition: condition?,
            strategy: get("strategy").map(strategy),
            env: owned("env"),
            defaults: run_defaults(get("defaults")),
            timeout_minutes: owned("timeout-minutes"),
            cancel_timeout_minutes: owned("cancel-timeout-minutes"),
            continue_on_error: owned("continue-on-error"),
            outputs: outputs
                .iter()
                .filter_map(|(key, value)| Some((values::text_of(key)?, values::template(value)?)))
                .collect(),
            permissions: get("permissions").map(permissions),
            concurrency: owned("concurrency"),
            environment: owned("environment"),
            snapshot: owned("snapshot"),
            body,
        })
    }

    fn call(&mut self, uses: &Spanned<Token>, token: &Spanned<Token>) -> JobBody {
        let reference = uses.with(uses.literal_text().unwrap_or_default());
        match check_call(&reference) {
            Ok(()) => {}
            Err(Call::Never(message)) => {
                self.report(Diagnostic::error("uses-format", reference.span, message))
            }
            Err(Call::NotFound(message)) => {
                self.report(Diagnostic::warning("uses-format", reference.span, message))
            }
        }
        JobBody::Reusable {
            uses: reference,
            with: token.get("with").cloned(),
            secrets: token.get("secrets").map(|secrets| match &secrets.value {
                Token::String(_) => CallSecrets::Inherit(secrets.span),
                _ => CallSecrets::Named(secrets.clone()),
            }),
            workflow: None,
        }
    }

    fn check_parts(&mut self, token: &Spanned<Token>) {
        for (key, value) in token.as_mapping().unwrap_or_default() {
            match key.as_str().map(|key| &**key) {
                Some("runs-on") => self.check_group(value),
                Some("strategy") => self.check_strategy(value),
                Some("container") => self.check_container(value, false),
                Some("services") => self.check_services(value),
                Some("concurrency") => self.check_concurrency(value),
                Some("snapshot") => self.check_snapshot(value),
                _ => {}
            }
        }
    }

    fn check_group(&mut self, runs_on: &Spanned<Token>) {
        let Some((group, name)) = runs_on.get("group").and_then(|group| Some((group, group.as_str()?)))
        else {
            return;
        };
        let parts: Vec<&str> = name.split('/').collect();
        let message = match parts.as_slice() {
            [_] => return,
            [_, ""] => format!("Invalid runs-on group name '{name}'."),
            ["org" | "organization" | "ent" | "enterprise", _] => return,
            _ => format!(
                "Invalid runs-on group name '{name}'. Please use 'organization/' or 'enterprise/' prefix to target \
                 a single runner group."
            ),
        };
        self.report(Diagnostic::error("runner-group", group.span, message));
    }

    fn check_strategy(&mut self, strategy: &Spanned<Token>) {
        let Some(matrix) = strategy.get("matrix") else { return };
        let Some(pairs) = matrix.as_mapping() else { return };
        let mut vectors = false;
        for (key, value) in pairs {
            let Some(name) = key.as_str() else {
                vectors = true;
                continue;
            };
            let empty = value.as_sequence().is_some_and(<[_]>::is_empty);
            match &**name {
                "include" => vectors |= !empty,
                "exclude" => {}
                _ => {
                    vectors = true;
                    if empty {
                        let message = format!("Matrix vector '{name}' does not contain any values");
                        self.report(Diagnostic::error("matrix-empty", value.span, message));
                    }
                }
            }
        }
        if !vectors {
            let message = "Matrix must define at least one vector";
            self.report(Diagnostic::error("matrix-empty", matrix.span, message));
        }
    }

    fn check_services(&mut self, services: &Spanned<Token>) {
        if services.has_expressions() {
            return;
        }
        for (_, service) in services.as_mapping().unwrap_or_default() {
            self.check_container(service, true);
        }
    }

    fn check_container(&mut self, container: &Spanned<Token>, service: bool) {
        if container.has_expressions() {
            return;
        }
        let image = match &container.value {
            Token::Mapping(_) => {
                container.get("image").and_then(|image| image.literal_text()).unwrap_or_default()
            }
            other => other.literal_text().unwrap_or_default(),
        };
        let without_prefix = image.strip_prefix(DOCKER);
        let empty = without_prefix.unwrap_or(&image).is_empty();
        if empty && (service || without_prefix.is_some()) {
            let message = "Container image cannot be empty";
            self.report(Diagnostic::error("container-image", container.span, message));
        }
    }

    pub(super) fn check_concurrency(&mut self, concurrency: &Spanned<Token>) {
        let group = concurrency.get("group").map_or(&concurrency.value, |group| &group.value);
        if group.as_str().is_some_and(|name| name.encode_utf16().count() > MAX_GROUP_LENGTH) {
            let message = "Concurrency group name must be less than 400 characters";
            self.report(Diagnostic::error("concurrency-group", concurrency.span, message));
        }
    }

    fn check_snapshot(&mut self, snapshot: &Spanned<Token>) {
        if let Some(condition) = snapshot.get("if") {
            self.condition(Some(condition), condition.span, &SNAPSHOT_IF);
        }
        let Some(version) = snapshot.get("version").and_then(|version| version.as_str()) else { return };
        let major = version.strip_suffix(".*").is_some_and(|major| {
            !major.is_empty()
                && major.bytes().all(|byte| byte.is_ascii_digit())
                && major.parse::<i32>().is_ok()
        });
        if !major {
            let message = format!("Expected format '{{major-version}}.*' Actual '{version}'");
            self.report(Diagnostic::error("snapshot-version", snapshot.span, message));
        }
    }
}

fn strategy(token: &Spanned<Token>) -> Strategy {
    let owned = |key: &str| token.get(key).cloned();
    Strategy {
        span: token.span,
        matrix: owned("matrix"),
        fail_fast: owned("fail-fast"),
        max_parallel: owned("max-parallel"),
        token: token.clone(),
    }
}

/// Why a call is none.
enum Call {
    /// It names no workflow file.
    Never(&'static str),
    /// GitHub's reader lets it pass, and then finds no workflow there.
    NotFound(&'static str),
}

/// Whether `uses` of a job can name a workflow, with GitHub's words if not.
fn check_call(reference: &str) -> Result<(), Call> {
    let local = reference.strip_prefix("./").or_else(|| reference.strip_prefix("$/"));
    let path = match (local, reference.rsplit_once('@')) {
        (Some(path), _) if path.contains('@') => {
            return Err(Call::Never(
                "invalid value workflow reference: cannot specify version when calling local workflows",
            ));
        }
        (Some(path), _) => path,
        (None, None | Some((_, ""))) => {
            return Err(Call::NotFound("invalid value workflow reference: no version specified"));
        }
        (None, Some((path, _))) => {
            let mut parts = path.splitn(3, '/');
            match (parts.next(), parts.next(), parts.next()) {
                (Some(owner), Some(repository), Some(path))
                    if !owner.is_empty() && !repository.is_empty() =>
                {
                    path
                }
                _ => {
                    return Err(Call::Never(
                        "invalid value workflow reference: references to workflows must be prefixed with format \
                         'owner/repository/' or './' for local workflows",
                    ));
                }
            }
        }
    };
    if !path.ends_with(".yml") && !path.ends_with(".yaml") {
        return Err(Call::Never(
            "invalid value workflow reference: workflow file should have either a '.yml' or '.yaml' file extension",
        ));
    }
    match path.strip_prefix(".github/workflows/") {
        Some(name) if !name.contains('/') => Ok(()),
        _ => Err(Call::NotFound(
            "invalid value workflow reference: workflows must be defined at the top level of the .github/workflows/ \
             directory",
        )),
    }
}
