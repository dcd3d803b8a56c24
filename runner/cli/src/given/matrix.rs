//! `--matrix KEY=VALUE`: only some combinations of a job's matrix.
//!
//! Takes values out of the matrix as it is written, before it is expanded; a matrix that an expression gives is not known
//! before the run and cannot be chosen from.

use std::sync::Arc;

use indexmap::IndexMap;
use syntax::{Sources, Spanned, Token, Workflow};

use super::inputs::place;
use crate::exit::Fault;
use crate::workflow_files::each_job;

/// Leaves only combinations whose `KEY` has one of the given values; keys that a matrix does not have are no condition
/// (as in act).
///
/// # Errors
/// A key that no job's matrix has, a value that none of them has, or a matrix that is an expression.
pub(crate) fn choose(
    workflow: &mut Workflow,
    sources: &Sources,
    wanted: &IndexMap<String, Vec<String>>,
) -> Result<(), Fault> {
    for (key, values) in wanted {
        let mut known: Vec<String> = Vec::new();
        let mut left = false;
        each_job(workflow, &mut |job| {
            let Some(strategy) = &mut job.strategy else { return Ok(()) };
            let Some(matrix) = &mut strategy.matrix else { return Ok(()) };
            let Token::Mapping(pairs) = &mut matrix.value else {
                return Err(Fault::new(format!(
                    "{}: the matrix is computed, --matrix cannot choose from it",
                    place(sources, matrix.span)
                )));
            };
            left |= narrow(Arc::make_mut(pairs), key, values, &mut known);
            Ok(())
        })?;
        if known.is_empty() {
            return Err(Fault::new(format!("--matrix {key}: no job has a matrix with this key")));
        }
        if !left {
            known.dedup();
            return Err(Fault::new(format!(
                "--matrix {key}={}: no combination has this value",
                values.join(", ")
            ))
            .hint(format!("there are {}", known.join(", "))));
        }
    }
    Ok(())
}

type Pairs = Vec<(Spanned<Token>, Spanned<Token>)>;

/// True if a combination with one of the values is left.
fn narrow(pairs: &mut Pairs, key: &str, values: &[String], known: &mut Vec<String>) -> bool {
    let mut left = false;
    let mut keep = |token: &Token| {
        let Some(text) = token.literal_text() else { return true };
        known.push(text.to_string());
        let fits = values.iter().any(|value| value.eq_ignore_ascii_case(&text));
        left |= fits;
        fits
    };
    for (name, value) in pairs.iter_mut() {
        let Some(name) = name.as_str() else { continue };
        let Token::Sequence(items) = &mut value.value else { continue };
        if name.eq_ignore_ascii_case("include") {
            items.retain(|entry| entry_value(entry, key).is_none_or(&mut keep));
        } else if name.eq_ignore_ascii_case(key) {
            items.retain(|item| keep(&item.value));
        }
    }
    // A vector from which everything was taken would be an error of the matrix; the combinations of `include` remain.
    let emptied = |name: &Spanned<Token>, value: &Spanned<Token>| {
        name.as_str().is_some_and(|name| name.eq_ignore_ascii_case(key))
            && value.as_sequence().is_some_and(<[_]>::is_empty)
    };
    if pairs.iter().any(|(name, value)| emptied(name, value)) {
        pairs.retain(|(name, _)| name.as_str().is_some_and(|name| name.eq_ignore_ascii_case("include")));
    }
    left
}

fn entry_value<'a>(entry: &'a Spanned<Token>, key: &str) -> Option<&'a Token> {
    let pairs = entry.as_mapping()?;
    let found =
        pairs.iter().find(|(name, _)| name.as_str().is_some_and(|name| name.eq_ignore_ascii_case(key)))?;
    Some(&found.1.value)
}

#[cfg(test)]
mod tests {
    use expr::{Functions, HashAnswers, Object, Phase, StatusFacts};
    use syntax::TokenValue;

    use super::*;
    use crate::workflow_files::parsed_for_test;

    fn chosen(matrix: &str, wanted: &[(&str, &str)]) -> Result<String, String> {
        let text = format!(
            "on: push\njobs:\n  a:\n    strategy: {{matrix: {matrix}}}\n    runs-on: x\n    steps: [{{run: x}}]\n"
        );
        let (sources, mut workflow) = parsed_for_test(&text);
        let mut all: IndexMap<String, Vec<String>> = IndexMap::new();
        for (key, value) in wanted {
            all.entry((*key).to_owned()).or_default().push((*value).to_owned());
        }
        choose(&mut workflow, &sources, &all).map_err(|fault| fault.to_string())?;
        let matrix = workflow.job("a").unwrap().strategy.as_ref().unwrap().matrix.clone().unwrap();
        let functions = Functions::for_dispatch(Phase::Body, StatusFacts::default(), HashAnswers::default());
        let Ok(TokenValue::Value(value)) = matrix.evaluate(&Object::new(), &functions) else {
            panic!("a value")
        };
        Ok(value.to_json().split_whitespace().collect())
    }

    #[test]
    fn vectors_and_includes_are_narrowed() {
        let matrix = "{os: [a, b], node: [18, 20], include: [{os: b, x: 1}, {y: 2}]}";
        assert_eq!(
            chosen(matrix, &[("os", "a"), ("NODE", "20")]).unwrap(),
            r#"{"os":["a"],"node":[20],"include":[{"y":2}]}"#
        );
        assert_eq!(
            chosen("{os: [a], include: [{os: c}]}", &[("os", "c")]).unwrap(),
            r#"{"include":[{"os":"c"}]}"#
        );
    }

    #[test]
    fn what_is_not_there_is_named() {
        assert_eq!(
            chosen("{os: [a, b]}", &[("arch", "x")]).unwrap_err(),
            "--matrix arch: no job has a matrix with this key"
        );
        assert_eq!(
            chosen("{os: [a, b]}", &[("os", "c")]).unwrap_err(),
            "--matrix os=c: no combination has this value\n  hint: there are a, b"
        );
        assert_eq!(
            chosen("'${{ fromJSON(1) }}'", &[("os", "c")]).unwrap_err(),
            "ci.yml:4:24: the matrix is computed, --matrix cannot choose from it"
        );
    }
}
