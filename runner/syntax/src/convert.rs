//! Tokens to typed values, and the checks that no table can express: ids, references, conditions.
//!
//! Follows GitHub's `WorkflowTemplateConverter`. Keys and kinds are already checked.

mod action;
mod ids;
mod job;
mod needs;
mod steps;
mod trigger;
mod values;

use std::ptr;
use std::sync::Arc;

use expr::{Condition, Template};
use foldhash::fast::RandomState;
use indexmap::IndexMap;

pub(crate) use ids::StepIds;

use crate::diagnostic::{Diagnostic, MAX_DIAGNOSTICS};
use crate::model::{Job, Level, Permissions, Permitted, RunDefaults, Workflow};
use crate::read::{Allowed, ExpressionFault};
use crate::schema::definition::Definition;
use crate::source::{SourceId, Sources, Span, Spanned};
use crate::token::Token;
use crate::yaml::{Alias, Item, NodeKind, Pair};

/// One conversion.
pub(crate) struct Converter<'a> {
    pub(crate) sources: &'a Sources,
    pub(crate) source: SourceId,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Faults so far, those included that are too many to be told.
    errors: usize,
    /// Conditions that stood elsewhere already, by their texts and what they may use: many steps have the same.
    conditions: IndexMap<(Arc<str>, *const Definition), Condition, RandomState>,
}

/// What [`Converter::workflow`] converts.
pub(crate) struct Input<'a> {
    pub(crate) token: &'a Spanned<Token>,
    pub(crate) root: &'a Item,
    pub(crate) aliases: Vec<Alias>,
    /// Jobs with faults.
    pub(crate) faulty: &'a [Arc<str>],
}

impl<'a> Converter<'a> {
    pub(crate) fn new(sources: &'a Sources, source: SourceId) -> Self {
        Self { sources, source, diagnostics: Vec::new(), errors: 0, conditions: IndexMap::default() }
    }

    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        self.errors += usize::from(diagnostic.is_error());
        if self.diagnostics.len() < MAX_DIAGNOSTICS {
            self.diagnostics.push(diagnostic);
        }
    }

    /// The workflow; `None` when there is no mapping of jobs at all.
    pub(crate) fn workflow(&mut self, input: Input<'_>) -> Option<Workflow> {
        let root = input.token;
        let jobs = root.get("jobs")?;
        let template = |key: &str| root.get(key).and_then(values::template);
        let permissions = root.get("permissions").map(permissions);
        if let Some(concurrency) = root.get("concurrency") {
            self.check_concurrency(concurrency);
        }
        let mut workflow = Workflow {
            source: self.source,
            file: self.sources.path(self.source).into(),
            origin: None,
            name: template("name"),
            run_name: template("run-name"),
            on: self.triggers(root.get("on"), root.span),
            env: root.get("env").cloned(),
            defaults: run_defaults(root.get("defaults")),
            permissions,
            concurrency: root.get("concurrency").cloned(),
            jobs: IndexMap::new(),
            faulty: IndexMap::new(),
            aliases: input.aliases,
        };
        let places = places(child(Some(input.root), "jobs"));
        for (key, value) in jobs.as_mapping().unwrap_or_default() {
            let Some(id) = key.as_str() else { continue };
            let before = self.diagnostics.len();
            let errors = self.errors;
            let job = self.job(&key.with(Arc::clone(id)), value, places.get(&**id).copied());
            let known = input.faulty.contains(id);
            let sound = !known && self.errors == errors;
            if known {
                // What follows from the faults already reported would only confuse.
                self.diagnostics.truncate(before);
            }
            let Some(job) = job else { continue };
            let jobs = if sound { &mut workflow.jobs } else { &mut workflow.faulty };
            jobs.insert(Arc::clone(id), job);
        }
        self.check_needs(jobs, input.faulty, &workflow.jobs);
        Some(workflow)
    }

    /// Jobs that name one another, across all that are sound.
    fn check_needs(&mut self, jobs: &Spanned<Token>, faulty: &[Arc<str>], sound: &IndexMap<Arc<str>, Job>) {
        let ids: Vec<&Arc<str>> =
            jobs.as_mapping().unwrap_or_default().iter().filter_map(|(key, _)| key.as_str()).collect();
        if ids.is_empty() {
            return;
        }
        let whole = faulty.is_empty() && ids.len() == sound.len();
        for diagnostic in needs::check(jobs.span, &ids, sound, whole) {
            self.report(diagnostic);
        }
    }

    /// A condition, or `success()` at `place`. Faults are reported.
    pub(crate) fn condition(
        &mut self,
        token: Option<&Spanned<Token>>,
        place: Span,
        definition: &'static Definition,
    ) -> Option<Spanned<Condition>> {
        let text = token.and_then(|token| match &token.value {
            Token::Template(template) => Some(template.shared_source()),
            other => other.literal_text(),
        });
        let span = token.map_or(place, |token| token.span);
        // GitHub takes blanks for no condition.
        let written = text.filter(|text| !text.trim().is_empty()).unwrap_or_default();
        let condition = self.parsed_condition(written, span, definition)?;
        if let Some(Token::Template(template)) = token.map(|token| &token.value) {
            self.check_always_true(template, span);
        }
        Some(Spanned::new(condition, span))
    }

    fn parsed_condition(
        &mut self,
        text: Arc<str>,
        span: Span,
        definition: &'static Definition,
    ) -> Option<Condition> {
        let key = (text, ptr::from_ref(definition));
        if let Some(condition) = self.conditions.get(&key) {
            return Some(condition.clone());
        }
        let allowed = Allowed::by(definition);
        let text = &*key.0;
        match Condition::parse(Some(text), &allowed.scope()) {
            Ok(condition) => {
                self.conditions.insert(key, condition.clone());
                Some(condition)
            }
            Err(error) => {
                let fault = ExpressionFault { message: &error.text, span, text, offset: error.offset };
                self.report(fault.diagnostic(self.sources, &allowed));
                None
            }
        }
    }

    /// Text around `${{ }}` makes a condition a string that is never empty.
    fn check_always_true(&mut self, template: &Template, span: Span) {
        if template.parts().len() > 1 {
            let diagnostic =
                Diagnostic::warning("condition-always-true", span, "This condition is always true");
            self.report(diagnostic.with_hint(
                "text outside `${{ }}` makes it a string that is not empty: put the whole condition inside, \
                 or leave `${{ }}` out",
            ));
        }
    }
}

/// The place in the file of what stands under a key, with the alias that brought it.
pub(crate) fn child<'a>(item: Option<&'a Item>, key: &str) -> Option<&'a Item> {
    pairs(item).iter().find(|[name, _]| text(name) == Some(key)).map(|[_, value]| value)
}

/// The places of a mapping's values.
fn places(item: Option<&Item>) -> IndexMap<&str, &Item> {
    pairs(item).iter().filter_map(|[key, value]| Some((text(key)?, value))).collect()
}

fn pairs(item: Option<&Item>) -> &[Pair] {
    match item.map(|item| &item.node.kind) {
        Some(NodeKind::Mapping(pairs)) => pairs,
        _ => &[],
    }
}

fn text(item: &Item) -> Option<&str> {
    match &item.node.kind {
        NodeKind::Scalar(scalar) => Some(&scalar.text),
        _ => None,
    }
}

/// The places of a sequence's items.
pub(crate) fn children(item: Option<&Item>) -> &[Item] {
    match item.map(|item| &item.node.kind) {
        Some(NodeKind::Sequence(items)) => items,
        _ => &[],
    }
}

pub(crate) fn run_defaults(token: Option<&Spanned<Token>>) -> RunDefaults {
    let run = token.and_then(|token| token.get("run"));
    let template = |key: &str| run.and_then(|run| run.get(key)).and_then(values::template);
    RunDefaults {
        shell: template("shell"),
        working_directory: template("working-directory"),
        token: token.cloned(),
    }
}

pub(crate) fn permissions(token: &Spanned<Token>) -> Permissions {
    let permitted = match &token.value {
        Token::Mapping(pairs) => Permitted::Scopes(
            pairs
                .iter()
                .filter_map(|(key, value)| {
                    let level = Level::parse(&value.literal_text()?);
                    Some((key.with(Arc::clone(key.as_str()?)), level))
                })
                .collect(),
        ),
        other => Permitted::All(match other.as_str().map(|text| &**text) {
            Some("read-all") => Level::Read,
            Some("write-all") => Level::Write,
            _ => Level::None,
        }),
    };
    Permissions { span: token.span, permitted }
}
