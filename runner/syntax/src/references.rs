//! Which contexts a job reads, and where: "which secrets does this job need?".
//!
//! Goes by the text alone; a key that only evaluation tells is there without its name.

use expr::{Condition, Reference, Template};

use crate::locate::locate_range;
use crate::model::{CallSecrets, Job, JobBody, Step, StepBody};
use crate::source::{Sources, Span, Spanned};
use crate::token::Token;

/// A place where a job reads a context, for instance `secrets.NPM_TOKEN`.
#[derive(Clone, Debug, PartialEq)]
pub struct Referenced {
    /// What is read; its own span counts in the expression's text.
    pub reference: Reference,
    /// Where it is written in the file.
    pub span: Span,
}

/// Every place where the job reads `context` (in any case), in the order of its keys.
pub fn referenced(sources: &Sources, job: &Job, context: &str) -> Vec<Referenced> {
    collect(sources, context, |visitor| {
        visitor.head(job);
        job.steps().iter().for_each(|step| visitor.step(step));
        visitor.tail(job);
    })
}

/// Every place where a token reads `context`.
pub fn referenced_in(sources: &Sources, token: &Spanned<Token>, context: &str) -> Vec<Referenced> {
    collect(sources, context, |visitor| visitor.token(token))
}

fn collect(sources: &Sources, context: &str, walk: impl FnOnce(&mut Visitor<'_>)) -> Vec<Referenced> {
    let mut found = Vec::new();
    walk(&mut Visitor::new(&mut |reference, writing| {
        if reference.is_to(context) {
            let span = writing.locate(sources, &reference);
            found.push(Referenced { reference, span });
        }
    }));
    found
}

/// What a reference is written in.
#[derive(Clone, Copy)]
pub(crate) enum Writing<'a> {
    /// Text with expressions, and its place.
    Template(&'a Template, Span),
    /// An `if`.
    Condition(&'a Spanned<Condition>),
}

impl Writing<'_> {
    /// Where in the file a reference of this writing stands.
    pub(crate) fn locate(&self, sources: &Sources, reference: &Reference) -> Span {
        let (start, end) = (reference.span.start, reference.span.end);
        match self {
            Writing::Template(template, span) => locate_range(sources, *span, template.source(), start, end),
            Writing::Condition(condition) => {
                let place = |byte| condition.place_in_source(byte).unwrap_or_default();
                locate_range(sources, condition.span, condition.source(), place(start), place(end))
            }
        }
    }
}

type Visit<'a> = dyn FnMut(Reference, Writing<'_>) + 'a;

/// Goes through what can read contexts.
pub(crate) struct Visitor<'a> {
    visit: &'a mut Visit<'a>,
}

impl<'a> Visitor<'a> {
    pub(crate) fn new(visit: &'a mut Visit<'a>) -> Self {
        Self { visit }
    }

    /// What is evaluated before the steps.
    pub(crate) fn head(&mut self, job: &Job) {
        self.condition(&job.condition);
        self.templates([&job.name]);
        self.tokens([&job.defaults.token]);
        if let Some(strategy) = &job.strategy {
            self.token(&strategy.token);
        }
        self.tokens([&job.env, &job.timeout_minutes, &job.cancel_timeout_minutes, &job.continue_on_error]);
        self.tokens([&job.concurrency, &job.snapshot]);
        match &job.body {
            JobBody::Steps { runs_on, container, services, .. } => {
                self.token(runs_on);
                self.tokens([container, services]);
            }
            JobBody::Reusable { with, secrets, .. } => {
                self.tokens([with]);
                if let Some(CallSecrets::Named(secrets)) = secrets {
                    self.token(secrets);
                }
            }
        }
    }

    /// What may read all steps.
    pub(crate) fn tail(&mut self, job: &Job) {
        self.tokens([&job.environment]);
        job.outputs.iter().for_each(|(_, value)| self.template(value, value.span));
    }

    /// A step, members of a group included.
    pub(crate) fn step(&mut self, step: &Step) {
        self.condition(&step.condition);
        self.templates([&step.name]);
        self.tokens([&step.env, &step.continue_on_error, &step.timeout_minutes]);
        match &step.body {
            StepBody::Run { script, shell, working_directory, .. } => {
                self.template(script, script.span);
                self.templates([shell, working_directory]);
            }
            StepBody::Uses { with, .. } => self.tokens([with]),
            StepBody::Parallel { steps } => steps.iter().for_each(|step| self.step(step)),
            StepBody::Wait { .. } | StepBody::WaitAll | StepBody::Cancel { .. } => {}
        }
    }

    fn tokens<const N: usize>(&mut self, tokens: [&Option<Spanned<Token>>; N]) {
        tokens.into_iter().flatten().for_each(|token| self.token(token));
    }

    fn templates<const N: usize>(&mut self, templates: [&Option<Spanned<Template>>; N]) {
        templates.into_iter().flatten().for_each(|template| self.template(template, template.span));
    }

    /// A token, whatever is inside it.
    pub(crate) fn token(&mut self, token: &Spanned<Token>) {
        match &token.value {
            Token::Template(template) => self.template(template, token.span),
            Token::Sequence(items) => items.iter().for_each(|item| self.token(item)),
            Token::Mapping(pairs) => pairs.iter().for_each(|(key, value)| {
                self.token(key);
                self.token(value);
            }),
            Token::Null | Token::Bool(_) | Token::Number(_) | Token::String(_) | Token::Insert => {}
        }
    }

    fn template(&mut self, template: &Template, span: Span) {
        for reference in template.references() {
            (self.visit)(reference, Writing::Template(template, span));
        }
    }

    fn condition(&mut self, condition: &Spanned<Condition>) {
        for reference in condition.expression().references() {
            (self.visit)(reference, Writing::Condition(condition));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NoFiles, ReadOptions, parse_workflow};

    const TEXT: &str = "\
on: push
jobs:
  a:
    runs-on: ${{ vars.RUNNER }}
    env: {TOKEN: '${{ secrets.NPM_TOKEN }}'}
    steps:
      - if: ${{ vars.GO == 'it''s' && success() }}
        run: |
          echo é ${{ secrets.one }}
            ${{ format('{0}', SECRETS['two']) }} ${{ secrets[vars.NAME] }}
      - if: vars.GO
        uses: a/b@v1
        with:
          token: >-
            x
            ${{ toJSON(secrets) }}
    outputs:
      o: \"${{ vars.OUT }}\"
";

    /// `line:column text` of every reference.
    fn check(context: &str, expected: &[&str]) {
        let mut sources = Sources::new();
        let id = sources.add("ci.yml", TEXT);
        let (workflow, diagnostics) = parse_workflow(&mut sources, id, &ReadOptions::default(), &NoFiles);
        assert_eq!(diagnostics, []);
        let workflow = workflow.expect("a workflow");
        let found: Vec<String> = referenced(&sources, &workflow.jobs["a"], context)
            .iter()
            .map(|found| {
                let start = found.span.start;
                format!("{}:{} {}", start.line, start.column, sources.slice(found.span))
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn every_place_is_found_in_the_file() {
        check(
            "secrets",
            &[
                "5:23 secrets.NPM_TOKEN",
                "9:22 secrets.one",
                "10:31 SECRETS['two']",
                "10:54 secrets[vars.NAME]",
                "16:24 secrets",
            ],
        );
        check(
            "vars",
            &["4:18 vars.RUNNER", "7:17 vars.GO", "10:62 vars.NAME", "11:13 vars.GO", "18:15 vars.OUT"],
        );
    }
}
