//! `languageservices-expressions`: values, error texts and positions of GitHub's own expression tests.
//! Cases that its TypeScript engine skips follow the C# runner, as ours does.

use expr::{
    Evaluated, Expression, Functions, HashAnswers, Object, ParseErrorKind, Phase, Scope, StatusFacts, Value,
};
use serde_json::Value as Json;

use super::{Tally, data, json, object, text, value};

#[test]
fn languageservices_expressions() {
    let Some(data) = data() else { return };
    let folder = data.join("languageservices-expressions");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let mut tally = Tally::new("expressions");
    for path in files {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        for (group, cases) in json(&path).as_object().expect("groups") {
            for case in cases.as_array().expect("cases") {
                tally.case(&format!("{name}/{group}: {}", text(case, "expr")), check(case));
            }
        }
    }
    tally.finish();
}

/// What evaluating a case gave: a value, or the kind of an error and its text.
fn run(case: &Json) -> Result<Value, (&'static str, String)> {
    let contexts = object(&case["contexts"]);
    let names: Vec<&str> = contexts.keys().map(|key| &**key).collect();
    let parsed = Expression::parse(text(case, "expr"), &Scope::new(&names, &[])).map_err(|error| {
        check_position(text(case, "expr"), error.position, error.offset);
        let kind = match error.kind {
            ParseErrorKind::Lexing => "lexing",
            ParseErrorKind::Parsing => "parsing",
        };
        (kind, error.text)
    })?;
    let Some(expression) = parsed else { return Ok(Value::Null) };
    evaluate(&expression, &contexts).map_err(|text| ("evaluation", text))
}

/// The two ways to say where an error is must agree.
fn check_position(expression: &str, position: usize, offset: usize) {
    let before = expression.get(..offset).expect("a boundary");
    assert_eq!(before.encode_utf16().count() + 1, position, "{expression}");
}

fn evaluate(expression: &Expression, contexts: &Object) -> Result<Value, String> {
    let functions = Functions::for_dispatch(Phase::Condition, StatusFacts::default(), HashAnswers::new());
    let plain = expression.evaluate(contexts, &functions);
    let (traced, trace) = expression.evaluate_traced(contexts, &functions);
    // Arrays and objects are compared by identity inside, so equal runs give equal, not identical, values.
    assert_eq!(plain, traced, "{}", expression.source());
    let recorded = trace.root().and_then(|root| root.outcome().value().cloned());
    match plain {
        Ok(Evaluated::Value(value)) => {
            assert_eq!(recorded.as_ref(), Some(&value), "{}", expression.source());
            Ok(value)
        }
        Ok(Evaluated::NeedsHash(request)) => Err(format!("{request:?}")),
        Err(error) => Err(error.text),
    }
}

fn check(case: &Json) -> Result<(), String> {
    let found = run(case);
    let wrong = |expected: String| Err(format!("found    {found:?}\n    expected {expected}"));
    if let Some(error) = case["err"].as_object() {
        let (kind, expected) =
            (error["kind"].as_str().unwrap_or_default(), error["value"].as_str().unwrap_or_default());
        return match &found {
            Err((found_kind, found_text)) if *found_kind == kind && same_text(found_text, expected) => Ok(()),
            _ => wrong(format!("{kind}: {expected}")),
        };
    }
    let kind = text(&case["result"], "kind");
    let mut expected = value(&case["result"]["value"]);
    if let ("Number", Some(number)) = (kind, expected.as_str()) {
        expected = Value::Number(number.parse().map_err(|error| format!("{error}"))?);
    }
    match &found {
        Ok(value) if value.kind().name() == kind && *value == expected => Ok(()),
        _ => wrong(format!("{kind} {expected:?}")),
    }
}

/// Some cases give only the beginning of a text that ends with the place; evaluation errors are whole.
fn same_text(found: &str, expected: &str) -> bool {
    let cut = !expected.contains(" within expression: ") && found.contains(" within expression: ");
    if cut { found.starts_with(expected) } else { found == expected }
}
