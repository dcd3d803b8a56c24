//! Steps: their bodies, ids and the steps they wait for.

use std::sync::Arc;

use indexmap::IndexMap;

use super::{Converter, StepIds, children, pairs, values};
use crate::diagnostic::{Diagnostic, suggestion};
use crate::locate::first_line;
use crate::model::{Step, StepBody};
use crate::schema::definition::Definition;
use crate::schema::workflow::STEP_IF;
use crate::source::{Span, Spanned};
use crate::token::Token;
use crate::yaml::Item;

/// The steps of one list, while they are converted.
pub(crate) struct Scope {
    ids: StepIds,
    /// Ids of the steps so far, and whether they run in the background.
    known: IndexMap<Arc<str>, bool>,
    /// The members of a `parallel` group are read, which all run in the background.
    in_group: bool,
    condition: &'static Definition,
}

impl Converter<'_> {
    /// The steps of a job. One with a fault is left out.
    pub(super) fn steps(&mut self, token: &Spanned<Token>, place: Option<&Item>) -> Vec<Step> {
        self.steps_with(token, place, &STEP_IF)
    }

    /// The steps of a job or composite action, whose `if` is as `condition` says.
    pub(crate) fn steps_with(
        &mut self,
        token: &Spanned<Token>,
        place: Option<&Item>,
        condition: &'static Definition,
    ) -> Vec<Step> {
        let mut scope = Scope { ids: StepIds::default(), known: IndexMap::new(), in_group: false, condition };
        let mut steps = self.step_list(token, place, &mut scope);
        name_steps(&mut steps, &mut scope.ids);
        steps
    }

    fn step_list(&mut self, token: &Spanned<Token>, place: Option<&Item>, scope: &mut Scope) -> Vec<Step> {
        let places = children(place);
        let items = token.as_sequence().unwrap_or_default();
        let step = |(index, item)| self.step(item, places.get(index), scope);
        let mut steps = Vec::with_capacity(items.len());
        steps.extend(items.iter().enumerate().filter_map(step));
        steps
    }

    fn step(&mut self, token: &Spanned<Token>, place: Option<&Item>, scope: &mut Scope) -> Option<Step> {
        let owned = |key: &str| token.get(key).cloned();
        let id = token.get("id").and_then(values::text_of);
        let background = match token.get("background") {
            Some(background) => background.with(background.value == Token::Bool(true)),
            None => token.with(false),
        };
        if let Some(id) = &id {
            match scope.ids.claim(id) {
                Ok(()) => {
                    scope.known.insert(Arc::clone(&id.value), background.value || scope.in_group);
                }
                Err(message) => self.report(Diagnostic::error("id", id.span, message)),
            }
        }
        let body = self.step_body(token, place, id.as_ref(), scope)?;
        let condition = if matches!(body, StepBody::Run { .. } | StepBody::Uses { .. }) {
            self.condition(token.get("if"), token.span, scope.condition)?
        } else {
            let always = Spanned::new(Token::String(Arc::from("always()")), token.span);
            self.condition(Some(&always), token.span, scope.condition)?
        };
        Some(Step {
            span: from_first_key(token, place),
            used_at: place.and_then(|place| place.used_at.as_deref().copied()),
            id,
            context_name: Arc::from(""),
            name: token.get("name").and_then(values::template),
            condition,
            env: owned("env"),
            continue_on_error: owned("continue-on-error"),
            timeout_minutes: owned("timeout-minutes"),
            background,
            body,
            fingerprint: token.fingerprint(),
        })
    }

    fn step_body(
        &mut self,
        token: &Spanned<Token>,
        place: Option<&Item>,
        id: Option<&Spanned<Arc<str>>>,
        scope: &mut Scope,
    ) -> Option<StepBody> {
        if let Some(run) = token.get("run") {
            return Some(StepBody::Run {
                first_line: first_line(self.sources, run.span),
                script: values::template(run)?,
                shell: token.get("shell").and_then(values::template),
                working_directory: token.get("working-directory").and_then(values::template),
            });
        }
        if let Some(uses) = token.get("uses") {
            let reference = values::text_of(uses)?;
            self.check_reference(&reference);
            return Some(StepBody::Uses { reference, with: token.get("with").cloned() });
        }
        if let Some(wait) = token.get("wait") {
            let ids = values::texts(wait);
            for target in &ids {
                self.check_target(target, id, scope);
            }
            return Some(StepBody::Wait { ids });
        }
        if let Some(wait_all) = token.get("wait-all") {
            if wait_all.value == Token::Bool(false) {
                let message = "The value of 'wait-all' must be true or omitted";
                self.report(Diagnostic::error("wait-all", wait_all.span, message));
            }
            return Some(StepBody::WaitAll);
        }
        if let Some(cancel) = token.get("cancel") {
            let target = values::text_of(cancel)?;
            self.check_target(&target, id, scope);
            return Some(StepBody::Cancel { id: target });
        }
        let parallel = token.get("parallel")?;
        let around = std::mem::replace(&mut scope.in_group, true);
        let steps = self.step_list(parallel, super::child(place, "parallel"), scope);
        scope.in_group = around;
        for step in &steps {
            if !matches!(step.body, StepBody::Run { .. } | StepBody::Uses { .. }) {
                let message = "Steps of a 'parallel' group must be 'run' or 'uses' steps";
                self.report(Diagnostic::error("parallel", step.span, message));
            }
        }
        Some(StepBody::Parallel { steps })
    }

    fn check_target(&mut self, target: &Spanned<Arc<str>>, own: Option<&Spanned<Arc<str>>>, scope: &Scope) {
        let named = scope.known.iter().find(|(id, _)| id.eq_ignore_ascii_case(target));
        let message = if target.starts_with("__") {
            format!("The identifier '{}' is invalid. IDs starting with '__' are reserved.", target.value)
        } else if own.is_some_and(|own| own.to_lowercase() == target.to_lowercase()) {
            format!("Step '{}' cannot reference itself", target.value)
        } else {
            match named {
                Some((_, true)) => return,
                Some((id, false)) => {
                    let message = format!("Step '{id}' does not run in the background");
                    let hint = Some("add `background: true` to it".to_owned());
                    return self.refuse_target(target, message, hint);
                }
                None => format!("Step references unknown step ID '{}'", target.value),
            }
        };
        let hint = suggestion(target, scope.known.keys().map(|id| &**id));
        self.refuse_target(target, message, hint);
    }

    fn refuse_target(&mut self, target: &Spanned<Arc<str>>, message: String, hint: Option<String>) {
        self.report(Diagnostic::error("step-reference", target.span, message).with_optional_hint(hint));
    }

    fn check_reference(&mut self, reference: &Spanned<Arc<str>>) {
        let text = &*reference.value;
        let elsewhere = ["docker://", "./", ".\\", "$/"].iter().any(|prefix| text.starts_with(prefix));
        if text.starts_with("$/") && text.contains('@') {
            let message = format!("Expected format $/path. Actual '{text}'");
            self.report(
                Diagnostic::error("uses-format", reference.span, message)
                    .with_hint("leave `@…` out: `$/` means the version that this file is from"),
            );
        }
        if !elsewhere && repository(text).is_none() {
            let message = format!("Expected format {{org}}/{{repo}}[/path]@ref. Actual '{text}'");
            let hint = match text.split_once('@') {
                None if text.contains('/') => Some("add a version, for instance `@v4`".to_owned()),
                _ => None,
            };
            self.report(Diagnostic::error("uses-format", reference.span, message).with_optional_hint(hint));
        }
    }
}

/// A step's place from its first key on: an anchor, a tag or a brace before it may be lines above.
fn from_first_key(token: &Spanned<Token>, place: Option<&Item>) -> Span {
    let first = pairs(place).first().map(|[key, _]| key.node.span);
    Span { start: first.unwrap_or(token.span).start, ..token.span }
}

/// `owner/repo` of a reference with exactly one `@` and a version behind it.
fn repository(reference: &str) -> Option<String> {
    let (path, version) = reference.split_once('@')?;
    if version.is_empty() || version.contains('@') {
        return None;
    }
    let mut parts = path.split(['/', '\\']).filter(|part| !part.is_empty());
    Some(format!("{}/{}", parts.next()?, parts.next()?))
}

/// Gives every step its name in the `steps` context, after all written ids are known.
fn name_steps(steps: &mut [Step], ids: &mut StepIds) {
    for step in steps {
        step.context_name = match &step.id {
            Some(id) if !id.is_empty() => Arc::clone(&id.value),
            _ => ids.make_up(&kind(&step.body)),
        };
        if let StepBody::Parallel { steps } = &mut step.body {
            name_steps(steps, ids);
        }
    }
}

/// What a made-up id says about its step.
fn kind(body: &StepBody) -> String {
    match body {
        StepBody::Run { .. } => "run".to_owned(),
        StepBody::Uses { reference, .. } => match reference.strip_prefix("docker://") {
            Some(image) if !image.is_empty() => image.to_owned(),
            _ if ["./", ".\\", "$/"].iter().any(|prefix| reference.starts_with(prefix)) => "self".to_owned(),
            _ => repository(reference).unwrap_or_else(|| "run".to_owned()),
        },
        StepBody::Wait { .. } => "wait".to_owned(),
        StepBody::WaitAll => "wait-all".to_owned(),
        StepBody::Cancel { .. } => "cancel".to_owned(),
        StepBody::Parallel { .. } => "parallel".to_owned(),
    }
}
