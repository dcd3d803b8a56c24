//! The `inputs` of `workflow_dispatch`: what was given, else the defaults, with the types that the workflow declares.
//!
//! Knows one trigger and the texts given on the command line; where they came from is not its business.

use std::sync::Arc;

use expr::{Object, Value};
use indexmap::IndexMap;
use session::command::nearest;
use syntax::{Input, InputKind, Sources, Span, Triggers};

use crate::exit::Fault;

/// The same inputs in GitHub's two forms.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Inputs {
    /// The `inputs` context: booleans and numbers keep their type.
    pub(crate) typed: Object,
    /// `github.event.inputs`: all text.
    pub(crate) texts: Object,
}

/// The inputs of a run.
///
/// # Errors
/// An input that the workflow does not declare, one without a value that is required, a value that does not fit.
pub(crate) fn resolve(
    sources: &Sources,
    on: &Triggers,
    event: &str,
    given: &IndexMap<String, String>,
) -> Result<Inputs, Fault> {
    let none = IndexMap::new();
    let declared = match on.events.get(event) {
        Some(trigger) if event == "workflow_dispatch" => &trigger.inputs,
        _ => &none,
    };
    refuse_unknown(declared, event, given)?;
    let mut inputs = Inputs::default();
    for (name, input) in declared {
        let written = given
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| Arc::from(value.as_str()));
        let default = || input.default.as_ref().and_then(|token| token.value.literal_text());
        // Who starts a workflow by hand finds the first option chosen.
        let first =
            || input.options.first().filter(|_| !input.required).map(|option| Arc::clone(&option.value));
        let Some(text) = written.or_else(default).or_else(first) else {
            if input.required {
                let place = place(sources, input.name.span);
                return Err(Fault::new(format!("{place}: the input `{name}` is required"))
                    .hint(format!("--input {name}=VALUE")));
            }
            inputs.typed.insert(Arc::clone(name), empty(input.kind));
            inputs.texts.insert(
                Arc::clone(name),
                Value::string(if input.kind == InputKind::Boolean { "false" } else { "" }),
            );
            continue;
        };
        inputs.typed.insert(Arc::clone(name), typed(sources, name, input, &text)?);
        inputs.texts.insert(Arc::clone(name), Value::String(text));
    }
    Ok(inputs)
}

fn refuse_unknown(
    declared: &IndexMap<Arc<str>, Input>,
    event: &str,
    given: &IndexMap<String, String>,
) -> Result<(), Fault> {
    let known = |key: &&String| declared.keys().any(|name| name.eq_ignore_ascii_case(key));
    let Some(unknown) = given.keys().find(|key| !known(key)) else { return Ok(()) };
    if event != "workflow_dispatch" {
        return Err(Fault::new(format!("--input {unknown}: the event `{event}` has no inputs"))
            .hint("inputs belong to workflow_dispatch: --event workflow_dispatch"));
    }
    let fault = Fault::new(format!("--input {unknown}: the workflow has no such input"));
    let names = declared.keys().map(|name| &**name);
    Err(fault
        .optional_hint(nearest::did_you_mean(unknown, names).map(|name| format!("did you mean `{name}`?"))))
}

fn empty(kind: InputKind) -> Value {
    match kind {
        InputKind::Boolean => Value::Bool(false),
        InputKind::Number => Value::Number(0.0),
        InputKind::String | InputKind::Choice | InputKind::Environment => Value::string(""),
    }
}

fn typed(sources: &Sources, name: &str, input: &Input, text: &Arc<str>) -> Result<Value, Fault> {
    let wrong = |expected: &str| {
        let place = place(sources, input.name.span);
        Err(Fault::new(format!("{place}: the input `{name}` cannot be `{text}`"))
            .hint(format!("expected {expected}")))
    };
    match input.kind {
        InputKind::Boolean => match &**text {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => wrong("true or false"),
        },
        InputKind::Number => match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::Number(number)),
            _ => wrong("a number"),
        },
        InputKind::Choice if !input.options.iter().any(|option| option.value == *text) => {
            let options: Vec<&str> = input.options.iter().map(|option| &*option.value).collect();
            wrong(&format!("one of {}", options.join(", ")))
        }
        InputKind::Choice | InputKind::String | InputKind::Environment => Ok(Value::String(Arc::clone(text))),
    }
}

/// `FILE:LINE:COLUMN`.
pub(crate) fn place(sources: &Sources, span: Span) -> String {
    format!("{}:{}:{}", sources.path(span.source), span.start.line, span.start.column)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow_files::parsed_for_test;

    const INPUTS: &str = "on:
  push:
  workflow_dispatch:
    inputs:
      level: {type: choice, options: [low, high], default: low}
      dry: {type: boolean}
      count: {type: number, default: 3}
      who: {required: true}
jobs:
  a: {runs-on: x, steps: [{run: x}]}
";

    fn resolved(event: &str, given: &[(&str, &str)]) -> Result<String, String> {
        resolved_in(INPUTS, event, given)
    }

    fn resolved_in(text: &str, event: &str, given: &[(&str, &str)]) -> Result<String, String> {
        let (sources, workflow) = parsed_for_test(text);
        let given = given.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let inputs = resolve(&sources, &workflow.on, event, &given).map_err(|fault| fault.to_string())?;
        let line = |object: Object| Value::from(object).to_json().split_whitespace().collect::<String>();
        Ok(format!("{} {}", line(inputs.typed), line(inputs.texts)))
    }

    #[test]
    fn types_and_defaults_are_those_of_the_workflow() {
        assert_eq!(
            resolved("workflow_dispatch", &[("who", "me"), ("DRY", "true")]).unwrap(),
            r#"{"level":"low","dry":true,"count":3,"who":"me"} {"level":"low","dry":"true","count":"3","who":"me"}"#
        );
        assert_eq!(resolved("push", &[]).unwrap(), "{} {}");
    }

    #[test]
    fn a_choice_that_nobody_makes_is_the_first_option_unless_it_has_to_be_made() {
        let with = |more: &str| {
            format!(
                "on: {{workflow_dispatch: {{inputs: {{level: {{type: choice, options: [low, high]{more}}}}}}}}}\n\
                 jobs: {{a: {{runs-on: x, steps: [{{run: x}}]}}}}\n"
            )
        };
        let resolved = |more: &str| resolved_in(&with(more), "workflow_dispatch", &[]);
        assert_eq!(resolved("").unwrap(), r#"{"level":"low"} {"level":"low"}"#);
        assert!(resolved(", required: true").unwrap_err().contains("the input `level` is required"));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let check = |event: &str, given: &[(&str, &str)], expected: &str| {
            assert_eq!(resolved(event, given).unwrap_err(), expected);
        };
        check("workflow_dispatch", &[], "ci.yml:8:7: the input `who` is required\n  hint: --input who=VALUE");
        check(
            "workflow_dispatch",
            &[("who", "x"), ("level", "mid")],
            "ci.yml:5:7: the input `level` cannot be `mid`\n  hint: expected one of low, high",
        );
        check(
            "workflow_dispatch",
            &[("who", "x"), ("dry", "yes")],
            "ci.yml:6:7: the input `dry` cannot be `yes`\n  hint: expected true or false",
        );
        check(
            "workflow_dispatch",
            &[("leve", "x")],
            "--input leve: the workflow has no such input\n  hint: did you mean `level`?",
        );
        check(
            "push",
            &[("level", "x")],
            "--input level: the event `push` has no inputs\n  hint: inputs belong to workflow_dispatch: --event workflow_dispatch",
        );
    }
}
