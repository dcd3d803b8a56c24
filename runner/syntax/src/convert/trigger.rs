//! `on`: events with their filters, inputs, secrets and outputs.

use std::sync::Arc;

use indexmap::IndexMap;

use super::{Converter, values};
use crate::cron;
use crate::diagnostic::Diagnostic;
use crate::model::{CallOutput, CallSecret, Filter, Input, InputKind, Schedule, Trigger, Triggers};
use crate::source::{Span, Spanned};
use crate::token::Token;

impl Converter<'_> {
    pub(super) fn triggers(&mut self, on: Option<&Spanned<Token>>, place: Span) -> Triggers {
        let mut triggers = Triggers { span: on.map_or(place, |on| on.span), events: IndexMap::new() };
        let events: Vec<(&Spanned<Token>, Option<&Spanned<Token>>)> = match on.map(|on| (on, &on.value)) {
            Some((_, Token::Mapping(pairs))) => pairs.iter().map(|(key, value)| (key, Some(value))).collect(),
            Some((_, Token::Sequence(items))) => items.iter().map(|item| (item, None)).collect(),
            Some((on, _)) => vec![(on, None)],
            None => Vec::new(),
        };
        for (name, config) in events {
            if let Some(name) = name.as_str().map(|text| name.with(Arc::clone(text))) {
                let trigger = self.trigger(&name, config);
                triggers.events.insert(Arc::clone(&name.value), trigger);
            }
        }
        triggers
    }

    fn trigger(&mut self, name: &Spanned<Arc<str>>, config: Option<&Spanned<Token>>) -> Trigger {
        let mut trigger = Trigger {
            name: name.clone(),
            filters: Vec::new(),
            schedule: Vec::new(),
            inputs: IndexMap::new(),
            secrets: IndexMap::new(),
            outputs: Vec::new(),
            config: config.filter(|config| config.value != Token::Null).cloned(),
        };
        let Some(config) = config else { return trigger };
        if &*name.value == "schedule" {
            trigger.schedule = config.as_sequence().unwrap_or_default().iter().filter_map(schedule).collect();
            for schedule in &trigger.schedule {
                self.check_cron(&schedule.cron);
            }
        }
        for (key, value) in config.as_mapping().unwrap_or_default() {
            let Some(key) = key.as_str().map(|text| key.with(Arc::clone(text))) else { continue };
            match &*key.value {
                "inputs" => trigger.inputs = named(value, input),
                "secrets" => trigger.secrets = named(value, secret),
                "outputs" => trigger.outputs = named(value, output).into_values().collect(),
                _ => trigger.filters.push(Filter { name: key, values: values::texts(value) }),
            }
        }
        if &*name.value == "workflow_dispatch" {
            trigger.inputs.values().for_each(|input| self.check_dispatch_input(input));
        }
        trigger
    }

    /// In the words of GitHub's editor.
    fn check_dispatch_input(&mut self, input: &Input) {
        if let Some(default) = input.default.as_ref().filter(|_| input.kind == InputKind::Boolean)
            && !matches!(default.value, Token::Bool(_))
        {
            let message = "Unexpected type 'StringToken' encountered while reading 'input default'. \
                           The type 'BooleanToken' was expected.";
            let hint = "write `true` or `false` without quotes";
            self.report(Diagnostic::error("input-default", default.span, message).with_hint(hint));
        }
        match (input.kind, input.options.is_empty()) {
            (InputKind::Choice, true) => {
                let message = "Missing 'options' for choice input";
                self.report(Diagnostic::error("input-options", input.name.span, message));
            }
            (InputKind::Choice, false) | (_, true) => {}
            (_, false) => {
                let message = "Input type is not 'choice', but 'options' is defined";
                self.report(Diagnostic::warning("input-options", input.name.span, message));
            }
        }
    }

    fn check_cron(&mut self, text: &Spanned<Arc<str>>) {
        if !cron::is_valid(text) {
            let message =
                "Invalid cron expression. Expected format: '* * * * *' (minute hour day month weekday)";
            self.report(Diagnostic::warning("cron", text.span, message));
        }
    }
}

fn schedule(token: &Spanned<Token>) -> Option<Schedule> {
    Some(Schedule {
        cron: token.get("cron").and_then(values::text_of)?,
        timezone: token.get("timezone").and_then(values::text_of),
    })
}

fn named<T>(
    token: &Spanned<Token>,
    convert: fn(Spanned<Arc<str>>, &Spanned<Token>) -> Option<T>,
) -> IndexMap<Arc<str>, T> {
    let pairs = token.as_mapping().unwrap_or_default();
    let convert = |(key, value): &(Spanned<Token>, Spanned<Token>)| {
        let name = values::text_of(key)?;
        Some((Arc::clone(&name.value), convert(name, value)?))
    };
    pairs.iter().filter_map(convert).collect()
}

fn input(name: Spanned<Arc<str>>, token: &Spanned<Token>) -> Option<Input> {
    let text = |key: &str| token.get(key).and_then(|value| value.literal_text());
    Some(Input {
        name,
        kind: InputKind::parse(&text("type").unwrap_or_default()),
        description: text("description"),
        required: token.get("required").is_some_and(|required| required.value == Token::Bool(true)),
        default: token.get("default").cloned(),
        options: token.get("options").map(values::texts).unwrap_or_default(),
    })
}

fn secret(name: Spanned<Arc<str>>, token: &Spanned<Token>) -> Option<CallSecret> {
    let required = token.get("required").is_some_and(|required| required.value == Token::Bool(true));
    Some(CallSecret { name, required })
}

fn output(name: Spanned<Arc<str>>, token: &Spanned<Token>) -> Option<CallOutput> {
    let value = token.get("value").and_then(values::template)?;
    Some(CallOutput { name, value })
}
