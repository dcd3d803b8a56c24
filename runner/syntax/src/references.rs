//! Which contexts a job reads, and where: "which secrets does this job need?".
//!
//! Goes by the text alone; a key that only evaluation tells is there without its name.

use expr::{Condition, Reference, Template};

use crate::locate::locate_range;
use crate::model::{CallSecrets, Job, JobBody, RunDefaults, Step, StepBody};
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
    let mut finder = Finder { sources, context, found: Vec::new() };
    finder.job(job);
    finder.found
}

/// Every place where a token reads `context`.
pub fn referenced_in(sources: &Sources, token: &Spanned<Token>, context: &str) -> Vec<Referenced> {
    let mut finder = Finder { sources, context, found: Vec::new() };
    finder.token(token);
    finder.found
}

struct Finder<'a> {
    sources: &'a Sources,
    context: &'a str,
    found: Vec<Referenced>,
}

impl Finder<'_> {
    fn job(&mut self, job: &Job) {
        self.condition(&job.condition);
        self.templates([&job.name]);
        self.defaults(&job.defaults);
        if let Some(strategy) = &job.strategy {
            self.token(&strategy.token);
        }
        let tokens = [
            &job.env,
            &job.timeout_minutes,
            &job.cancel_timeout_minutes,
            &job.continue_on_error,
            &job.concurrency,
            &job.environment,
            &job.snapshot,
        ];
        self.tokens(tokens);
        match &job.body {
            JobBody::Steps { runs_on, container, services, steps } => {
                self.token(runs_on);
                self.tokens([container, services]);
                steps.iter().for_each(|step| self.step(step));
            }
            JobBody::Reusable { with, secrets, .. } => {
                self.tokens([with]);
                if let Some(CallSecrets::Named(secrets)) = secrets {
                    self.token(secrets);
                }
            }
        }
        job.outputs.iter().for_each(|(_, value)| self.template(value));
    }

    fn defaults(&mut self, defaults: &RunDefaults) {
        self.tokens([&defaults.token]);
    }

    fn step(&mut self, step: &Step) {
        self.condition(&step.condition);
        self.templates([&step.name]);
        self.tokens([&step.env, &step.continue_on_error, &step.timeout_minutes]);
        match &step.body {
            StepBody::Run { script, shell, working_directory, .. } => {
                self.template(script);
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
        templates.into_iter().flatten().for_each(|template| self.template(template));
    }

    fn token(&mut self, token: &Spanned<Token>) {
        match &token.value {
            Token::Template(template) => self.template(&token.with(template.clone())),
            Token::Sequence(items) => items.iter().for_each(|item| self.token(item)),
            Token::Mapping(pairs) => pairs.iter().for_each(|(key, value)| {
                self.token(key);
                self.token(value);
            }),
            Token::Null | Token::Bool(_) | Token::Number(_) | Token::String(_) | Token::Insert => {}
        }
    }

    fn template(&mut self, template: &Spanned<Template>) {
        for reference in template.references().filter(|reference| reference.is_to(self.context)) {
            let (start, end) = (reference.span.start, reference.span.end);
            let span = locate_range(self.sources, template.span, template.source(), start, end);
            self.found.push(Referenced { reference, span });
        }
    }

    fn condition(&mut self, condition: &Spanned<Condition>) {
        let references = condition.expression().references();
        for reference in references.filter(|reference| reference.is_to(self.context)) {
            let place = |byte| condition.place_in_source(byte).unwrap_or_default();
            let (start, end) = (place(reference.span.start), place(reference.span.end));
            let span = locate_range(self.sources, condition.span, condition.source(), start, end);
            self.found.push(Referenced { reference, span });
        }
    }
}
