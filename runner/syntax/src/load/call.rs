//! Jobs that call workflows: finding the file, and whether the call fits it.
//!
//! Follows GitHub's `ReusableWorkflowsLoader` and `PermissionsHelper`.

use std::sync::Arc;

use indexmap::IndexMap;

use super::{Session, called, inherit_permissions};
use crate::diagnostic::{Diagnostic, suggestion};
use crate::model::{
    CallSecrets, InputKind, Job, JobBody, Level, Permissions, Permitted, Trigger, Workflow, WorkflowOrigin,
};
use crate::options::PermissionsPolicy;
use crate::source::{SourceId, Span, Spanned};
use crate::token::Token;

const WORKFLOW_CALL: &str = "workflow_call";

impl Session<'_> {
    /// Follows every call of `workflow`, which was itself reached as `reference` (`None`: it is the first).
    pub(super) fn calls(&mut self, workflow: &mut Workflow, reference: Option<&str>, depth: u32) {
        for job in workflow.jobs.values_mut() {
            if self.stopped {
                return;
            }
            let JobBody::Reusable { uses, .. } = &job.body else { continue };
            if depth > self.options.max_reusable_depth {
                self.stopped = true;
                let message =
                    format!("Nested reusable workflow depth exceeded {}.", self.options.max_reusable_depth);
                self.diagnostics.push(Diagnostic::error("call-depth", uses.span, message).whole_run());
                return;
            }
            let loaded = self.call(job, reference, depth);
            if let Some(place) = called(&mut job.body) {
                *place = loaded.map(Arc::new);
            }
        }
    }

    fn call(&mut self, job: &Job, caller: Option<&str>, depth: u32) -> Option<Workflow> {
        let JobBody::Reusable { uses, .. } = &job.body else { return None };
        let reference = qualified(uses, caller);
        let source = self.open(&reference, uses)?;
        let before = self.diagnostics.len();
        let workflow = self.file(source);
        self.called_from(before, uses.span, source);
        let mut workflow = workflow.filter(|_| !self.failed_since(before))?;
        workflow.origin = self.origin(&reference);
        self.check_trigger(job, uses, &workflow);
        self.check_permissions(job, uses, &workflow);
        self.called_from(before, uses.span, source);
        if self.failed_since(before) {
            return None;
        }
        inherit_permissions(&mut workflow, job.permissions.as_ref());
        self.calls(&mut workflow, Some(&reference), depth + 1);
        (!self.failed_since(before)).then_some(workflow)
    }

    /// The repository of a called workflow; `None`: the run's own.
    fn origin(&self, reference: &str) -> Option<WorkflowOrigin> {
        let (place, version) = reference.rsplit_once('@').filter(|_| !reference.starts_with("./"))?;
        Some(WorkflowOrigin {
            repository: repository(place).into(),
            reference: version.into(),
            commit: self.files.commit(reference),
        })
    }

    fn failed_since(&self, before: usize) -> bool {
        self.diagnostics.get(before..).unwrap_or_default().iter().any(Diagnostic::is_error)
    }

    /// Marks what is wrong in the called file with the place of the call.
    fn called_from(&mut self, before: usize, call: Span, source: SourceId) {
        for diagnostic in self.diagnostics.get_mut(before..).unwrap_or_default() {
            if diagnostic.span.source == source && diagnostic.code != "job-limit" {
                diagnostic.called_at.get_or_insert(call);
            }
        }
    }

    fn open(&mut self, reference: &Arc<str>, uses: &Spanned<Arc<str>>) -> Option<SourceId> {
        if let Some(&source) = self.read.get(reference) {
            return Some(source);
        }
        if self.read.len() + 1 >= self.options.max_files as usize {
            self.stopped = true;
            let message = format!("The maximum file count of {} has been exceeded", self.options.max_files);
            self.diagnostics.push(Diagnostic::error("file-limit", uses.span, message).whole_run());
            return None;
        }
        match self.files.read(reference) {
            Ok(text) => {
                let path = reference.strip_prefix("./").unwrap_or(reference);
                let source = self.sources.add(path, text);
                self.read.insert(Arc::clone(reference), source);
                Some(source)
            }
            Err(reason) => {
                let message = format!("error parsing called workflow '{}': {reason}", uses.value);
                self.diagnostics.push(Diagnostic::error("workflow-not-found", uses.span, message));
                None
            }
        }
    }

    fn check_trigger(&mut self, job: &Job, uses: &Spanned<Arc<str>>, workflow: &Workflow) {
        let Some(trigger) = workflow.on.events.get(WORKFLOW_CALL) else {
            let message = format!("{WORKFLOW_CALL} key is not defined in the referenced workflow.");
            self.diagnostics.push(
                Diagnostic::error("not-callable", workflow.on.span, message)
                    .with_hint("add `workflow_call:` under `on:` of the called workflow"),
            );
            return;
        };
        let JobBody::Reusable { with, secrets, .. } = &job.body else { return };
        self.check_inputs(trigger, with.as_ref(), uses);
        match secrets {
            Some(CallSecrets::Inherit(_)) => {}
            Some(CallSecrets::Named(named)) => self.check_secrets(trigger, Some(named), uses),
            None => self.check_secrets(trigger, None, uses),
        }
    }

    fn check_inputs(&mut self, trigger: &Trigger, with: Option<&Spanned<Token>>, uses: &Spanned<Arc<str>>) {
        let given = given(with);
        for (name, input) in &trigger.inputs {
            if let Some(default) = &input.default {
                self.check_type(input.kind, default);
            }
            match given.get(&name.to_uppercase()) {
                Some((_, value)) => self.check_type(input.kind, value),
                None if input.required => {
                    let message = format!("Input {name} is required, but not provided while calling.");
                    let diagnostic = Diagnostic::error("input-missing", uses.span, message);
                    self.diagnostics.push(diagnostic.with_label(input.name.span, "declared here"));
                }
                None => {}
            }
        }
        let names: Vec<&str> = trigger.inputs.keys().map(|name| &**name).collect();
        self.check_undefined(&given, &names, "input");
    }

    fn check_secrets(&mut self, trigger: &Trigger, named: Option<&Spanned<Token>>, uses: &Spanned<Arc<str>>) {
        let given = given(named);
        for (name, secret) in &trigger.secrets {
            if secret.required && !given.contains_key(&name.to_uppercase()) {
                let message = format!("Secret {name} is required, but not provided while calling.");
                let diagnostic = Diagnostic::error("secret-missing", uses.span, message);
                self.diagnostics.push(diagnostic.with_label(secret.name.span, "declared here"));
            }
        }
        let names: Vec<&str> = trigger.secrets.keys().map(|name| &**name).collect();
        self.check_undefined(&given, &names, "secret");
    }

    fn check_undefined(&mut self, given: &Given<'_>, names: &[&str], what: &str) {
        for (folded, (name, value)) in given {
            if !names.iter().any(|known| known.to_uppercase() == *folded) {
                let message = format!("Invalid {what}, {name} is not defined in the referenced workflow.");
                let hint = suggestion(name, names.iter().copied());
                self.diagnostics
                    .push(Diagnostic::error("call-undefined", value.span, message).with_optional_hint(hint));
            }
        }
    }

    fn check_type(&mut self, kind: InputKind, value: &Spanned<Token>) {
        let fits = match (kind, &value.value) {
            (_, Token::Template(_))
            | (InputKind::Boolean, Token::Bool(_))
            | (InputKind::Number, Token::Number(_)) => true,
            (InputKind::Boolean | InputKind::Number, _) => false,
            _ => true,
        };
        if !fits {
            let text = value.literal_text().unwrap_or_default();
            let message = format!("Unexpected value '{text}'");
            let hint = format!("the input is a {}", kind.as_str());
            self.diagnostics.push(Diagnostic::error("input-type", value.span, message).with_hint(hint));
        }
    }

    fn check_permissions(&mut self, job: &Job, uses: &Spanned<Arc<str>>, workflow: &Workflow) {
        let policy = self.options.permissions_policy;
        let whole = workflow.permissions.iter().map(|requested| (None, requested));
        let single =
            workflow.jobs.values().filter_map(|nested| Some((Some(nested), nested.permissions.as_ref()?)));
        let mut found = Vec::new();
        for (nested, requested) in whole.chain(single) {
            let Some((requested, allowed)) = violation(requested, job.permissions.as_ref(), policy) else {
                continue;
            };
            let who = match nested {
                Some(nested) => format!("The nested job '{}'", shown_name(nested)),
                None => format!("The workflow '{}'", uses.value),
            };
            let message = format!(
                "Error calling workflow '{}'. {who} is requesting '{requested}', but is only allowed '{allowed}'.",
                uses.value
            );
            found.push(Diagnostic::error("call-permissions", job.id.span, message));
        }
        self.diagnostics.extend(found);
    }
}

/// Values of a call by upper-cased name, with the name as written.
type Given<'a> = IndexMap<String, (Arc<str>, &'a Spanned<Token>)>;

fn given(token: Option<&Spanned<Token>>) -> Given<'_> {
    let pairs = token.and_then(|token| token.as_mapping()).unwrap_or_default();
    let entry = |(key, value)| {
        let key: &Spanned<Token> = key;
        let name = key.literal_text()?;
        Some((name.to_uppercase(), (name, value)))
    };
    pairs.iter().map(|(key, value)| (key, value)).filter_map(entry).collect()
}

/// A path in the caller's repository (`./…`, or `$/…` for the repository of the workflow) as a path in that of
/// `caller` at its version.
fn qualified(uses: &Arc<str>, caller: Option<&str>) -> Arc<str> {
    let Some(path) = uses.strip_prefix("./").or_else(|| uses.strip_prefix("$/")) else {
        return Arc::clone(uses);
    };
    match caller.and_then(|caller| caller.rsplit_once('@')) {
        Some((place, version)) => Arc::from(format!("{}/{path}@{version}", repository(place))),
        None => Arc::from(format!("./{path}")),
    }
}

/// `owner/repo` of `owner/repo/path`.
fn repository(place: &str) -> String {
    let parts: Vec<&str> = place.splitn(3, '/').take(2).collect();
    parts.join("/")
}

fn shown_name(job: &Job) -> Arc<str> {
    let literal = job.name.as_ref().and_then(|name| name.as_literal()).filter(|name| !name.is_empty());
    literal.map_or_else(|| Arc::clone(&job.id.value), Arc::from)
}

/// What is requested beyond what is allowed, both as GitHub lists them.
fn violation(
    requested: &Permissions,
    caller: Option<&Permissions>,
    policy: Option<PermissionsPolicy>,
) -> Option<(String, String)> {
    let allowed = |scope: &str| match (caller, policy) {
        (Some(caller), _) => Some(caller.level(scope)),
        (None, Some(PermissionsPolicy::Write)) => Some(Level::Write),
        (None, Some(PermissionsPolicy::LimitedRead)) => {
            Some(if matches!(scope, "contents" | "packages") { Level::Read } else { Level::None })
        }
        (None, None) => None,
    };
    let mut scopes = requested.scopes();
    if matches!(requested.permitted, Permitted::Scopes(_)) {
        let order =
            |scope: &str| crate::model::SCOPES.iter().position(|known| *known == scope).unwrap_or(usize::MAX);
        scopes.sort_by_key(|(scope, _)| order(scope));
    }
    let beyond: Vec<_> = scopes
        .into_iter()
        .filter_map(|(scope, level)| {
            let allowed = allowed(&scope)?;
            (level > allowed).then_some((scope, level, allowed))
        })
        .collect();
    let list = |show: fn(&(Arc<str>, Level, Level)) -> Level| {
        let entry = |entry: &(Arc<str>, Level, Level)| format!("{}: {}", entry.0, show(entry).as_str());
        beyond.iter().map(entry).collect::<Vec<_>>().join(", ")
    };
    (!beyond.is_empty()).then(|| (list(|entry| entry.1), list(|entry| entry.2)))
}
