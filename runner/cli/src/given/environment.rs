//! `--env` and `--env-file`: variables laid over the workflow's own, as act does it.
//!
//! Changes the workflow before it runs, so that every expression and every recorded state sees the same thing; steps may
//! still override.

use std::convert::Infallible;
use std::sync::Arc;

use indexmap::IndexMap;
use syntax::{Spanned, Token, Workflow};

use crate::workflow_files::each_job;

/// Puts `env` over the `env` of every job. Where a job's `env` is one expression, names that it gives as well are
/// reported by the evaluation as defined twice.
pub(crate) fn overlay(workflow: &mut Workflow, env: &IndexMap<String, String>) {
    if env.is_empty() {
        return;
    }
    let overlaid = each_job::<Infallible>(workflow, &mut |job| {
        let place = job.env.as_ref().map_or(job.span, |own| own.span);
        let pair = |name: &str, value: &str| {
            let text = |text: &str| Spanned::new(Token::String(Arc::from(text)), place);
            (text(name), text(value))
        };
        let mut pairs = match job.env.take() {
            None => Vec::new(),
            Some(own) => match own.value {
                Token::Mapping(pairs) => Arc::unwrap_or_clone(pairs),
                Token::Null => Vec::new(),
                expression => vec![(Spanned::new(Token::Insert, place), Spanned::new(expression, place))],
            },
        };
        pairs.retain(|(name, _)| name.as_str().is_none_or(|name| !env.contains_key(&**name)));
        pairs.extend(env.iter().map(|(name, value)| pair(name, value)));
        job.env = Some(Spanned::new(Token::Mapping(Arc::new(pairs)), place));
        Ok(())
    });
    let Ok(()) = overlaid;
}

#[cfg(test)]
mod tests {
    use expr::{Functions, HashAnswers, Object, Phase, StatusFacts, Value};
    use syntax::TokenValue;

    use super::*;
    use crate::workflow_files::parsed_for_test;

    fn check(own: &str, expected: &str) {
        let text = format!("on: push\njobs:\n  a:\n    runs-on: x\n{own}    steps: [{{run: x}}]\n");
        let mut workflow = parsed_for_test(&text).1;
        overlay(
            &mut workflow,
            &IndexMap::from([("A".to_owned(), "new".to_owned()), ("B".to_owned(), "b".to_owned())]),
        );
        let mut contexts = Object::new();
        contexts.insert("vars", Value::from_json("{all: '{\"X\": \"1\"}'}").unwrap());
        let functions = Functions::for_dispatch(Phase::Body, StatusFacts::default(), HashAnswers::default());
        let env = workflow.job("a").unwrap().env.as_ref().unwrap().evaluate(&contexts, &functions).unwrap();
        let TokenValue::Value(env) = env else { panic!("a value") };
        assert_eq!(env.to_json().split_whitespace().collect::<String>(), expected, "{own}");
    }

    #[test]
    fn given_variables_win_over_the_jobs() {
        check("", r#"{"A":"new","B":"b"}"#);
        check("    env: {A: old, C: c}\n", r#"{"C":"c","A":"new","B":"b"}"#);
        check("    env: ${{ fromJSON(vars.all) }}\n", r#"{"X":"1","A":"new","B":"b"}"#);
    }
}
