//! Tokens of a workflow turned into values.

use expr::{HashAnswers, Phase, StatusFacts};

use super::*;
use crate::{Job, NoFiles, ReadOptions, Sources, parse_workflow};

fn job(env: &str) -> (Sources, Job) {
    let mut sources = Sources::new();
    let text = format!("on: push\njobs:\n  a:\n    runs-on: x\n    strategy:\n      matrix: {env}\n");
    let id = sources.add("ci.yml", text);
    let (workflow, diagnostics) = parse_workflow(&mut sources, id, &ReadOptions::default(), &NoFiles);
    let mut workflow = workflow.unwrap_or_else(|| panic!("{diagnostics:?}"));
    let job = workflow.jobs.swap_remove("a").unwrap_or_else(|| panic!("{diagnostics:?}"));
    (sources, job)
}

fn evaluated(matrix: &str, shape: Shape) -> Result<TokenValue, TokenError> {
    let (_, job) = job(matrix);
    let token = job.strategy.and_then(|strategy| strategy.matrix).expect("a matrix");
    let inputs = Value::from_json(
        r#"{"list": [1, 2], "nested": [[3], 4], "map": {"B": "b", "c": 3}, "text": "t", "yes": true}"#,
    );
    let contexts: Object = [("inputs", inputs.expect("JSON"))].into_iter().collect();
    let functions = Functions::for_dispatch(Phase::Body, StatusFacts::default(), HashAnswers::new());
    token.evaluate_as(shape, &contexts, &functions)
}

/// The value as JSON on one line, or `line:column message`.
fn check(matrix: &str, shape: Shape, expected: &str) {
    let found = match evaluated(matrix, shape) {
        Ok(TokenValue::Value(value)) => value.to_json().replace('\n', "").replace("  ", ""),
        Ok(TokenValue::NeedsHash(request)) => format!("{request:?}"),
        Err(error) => format!("{}:{} {}", error.span.start.line, error.span.start.column, error.text),
    };
    assert_eq!(found, expected, "{matrix}");
}

#[test]
fn literals_and_expressions_keep_their_types() {
    check(
        "{a: [1, x, '${{ inputs.yes }}', '${{ inputs.text }}!']}",
        Shape::Any,
        r#"{"a": [1,"x",true,"t!"]}"#,
    );
    check("{a: ['${{ inputs.map }}']}", Shape::Any, r#"{"a": [{"B": "b","c": 3}]}"#);
    check("${{ inputs.list }}", Shape::Any, "[1,2]");
}

#[test]
fn a_list_that_an_item_gives_is_spliced_in() {
    check(
        "{a: [0, '${{ inputs.list }}', [3, '${{ inputs.list }}']]}",
        Shape::Any,
        r#"{"a": [0,1,2,[3,1,2]]}"#,
    );
    check("{a: ['${{ inputs.nested }}', 5]}", Shape::Any, r#"{"a": [[3],4,5]}"#);
    check("{a: '${{ inputs.list }}'}", Shape::Any, r#"{"a": [1,2]}"#);
    check("{a: ['${{ inputs.list[9] }}']}", Shape::Any, r#"{"a": [null]}"#);
}

#[test]
fn insert_puts_pairs_in_its_place() {
    check("{'${{ insert }}': '${{ inputs.map }}', a: [1]}", Shape::Any, r#"{"B": "b","c": 3,"a": [1]}"#);
    check("{a: [1], '${{ insert }}': '${{ inputs.text }}'}", Shape::Any, "6:41 Expected a mapping");
    check("{b: [1], '${{ insert }}': '${{ inputs.map }}'}", Shape::Any, "6:24 'B' is already defined");
    check("{'${{ inputs.text }}': [1], t: [2]}", Shape::Any, "6:43 't' is already defined");
}

#[test]
fn shapes_are_asked_for() {
    check("${{ inputs.map }}", Shape::Texts, r#"{"B": "b","c": "3"}"#);
    check("${{ inputs.list }}", Shape::Texts, "6:15 A sequence was not expected");
    check("${{ inputs.text }}", Shape::Texts, "6:15 Unexpected value 't'");
    check("${{ inputs.map }}", Shape::Text, "6:15 A mapping was not expected");
    check("${{ inputs.yes }}", Shape::Text, r#""true""#);
    check("${{ inputs.yes }}", Shape::Boolean, "true");
    check("${{ inputs.text }}", Shape::Number, "6:15 Unexpected value 't'");
    check("{a: [1]}", Shape::Texts, "6:19 A sequence was not expected");
}

#[test]
fn depth_is_limited_also_in_values() {
    let deep = format!("{}1{}", "[".repeat(49), "]".repeat(49));
    let within = evaluated(&format!("{{a: ['${{{{ fromJSON(''{deep}'') }}}}']}}"), Shape::Any);
    assert_eq!(within.expect_err("too deep").text, "Maximum object depth exceeded");
    let deep = format!("{}1{}", "[".repeat(48), "]".repeat(48));
    assert!(evaluated(&format!("{{a: ['${{{{ fromJSON(''{deep}'') }}}}']}}"), Shape::Any).is_ok());
}
