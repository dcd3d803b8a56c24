//! Text with expressions in it.

use super::*;
use crate::{HashAnswers, Phase, StatusFacts};
use proptest::prelude::*;

const SCOPE: Scope<'_> = Scope::body(&["github", "env"]);

fn contexts() -> Object {
    let env = Object::from([("A", Value::from("a")), ("LIST", Value::array([1, 2]))]);
    Object::from([("env", env)])
}

fn functions() -> Functions {
    Functions::for_dispatch(Phase::Body, StatusFacts::default(), HashAnswers::new())
}

fn check(text: &str, expected: &str) {
    let shown = match Template::parse(text, &SCOPE) {
        Err(error) => format!("{} @{}", error.text, error.offset),
        Ok(template) => match template.evaluate(&contexts(), &functions()) {
            Ok(Evaluated::Value(value)) => format!("{value:?}"),
            Ok(Evaluated::NeedsHash(request)) => format!("{request:?}"),
            Err(error) => error.text,
        },
    };
    assert_eq!(shown, expected, "{text}");
}

#[test]
fn one_expression_keeps_its_type() {
    check("${{ env.LIST }}", "[1, 2]");
    check("${{env.LIST}} ", "\"Array \"");
    check("${{ 1 }}", "1");
    check("${{ 'a''b}}' }}", "\"a'b}}\"");
    check("plain '{0}' }}", "\"plain '{0}' }}\"");
    check("", "\"\"");
}

#[test]
fn mixed_text_is_formatted() {
    check("a{${{ env.A }}}b'${{ env.a }}'{0}", "\"a{a}b'a'{0}\"");
    check("${{ env.A }}${{ null }}", "\"a\"");
    let template = Template::parse("it's {${{ env.A }}", &SCOPE).unwrap();
    assert_eq!(template.expression().unwrap().source(), "format('it''s {{{0}', env.A)");
    assert_eq!(template.to_format_call(), "format('it''s {{{0}', env.A)");
}

#[test]
fn faults_and_where() {
    check("ab ${{ env.A", &format!("{NOT_CLOSED} @3"));
    check("${{ 'a }} ", &format!("{NOT_CLOSED} @0"));
    check("${{}}", "An expression was expected @0");
    check(
        "x ${{ no.a }}",
        "Unrecognized named-value: 'no'. Located at position 1 within expression: no.a @6",
    );
    check("x ${{ 1 + }}", "Unexpected symbol: '+'. Located at position 3 within expression: 1 + @8");
    check("${{ insert }}", "The expression directive 'insert' is not supported in this context");
    check(
        "${{ insert a (b c) }}",
        "Exactly 0 parameter(s) were expected following the directive 'insert'. Actual parameter count: 2 @4",
    );
    check(
        "${{ inserted }}",
        "Unrecognized named-value: 'inserted'. Located at position 1 within expression: inserted @4",
    );
    check(&format!("${{{{ 1 }}}}{}", "x".repeat(21_000)), "Exceeded max expression length 21000 @0");
}

#[test]
fn a_directive_stands_alone() {
    assert!(Template::parse("${{ insert }}", &SCOPE).unwrap().is_insert());
    let error = Template::parse("a ${{ insert }}", &SCOPE).unwrap_err();
    assert!(error.text.starts_with("The directive 'insert' is not allowed in this context."));
}

#[test]
fn literals_and_places() {
    let literal = |text: &str| Template::parse(text, &SCOPE).unwrap().as_literal().map(str::to_owned);
    assert_eq!(literal("abc").as_deref(), Some("abc"));
    assert_eq!(literal("${{ '${{ x }}' }}").as_deref(), Some("${{ x }}"));
    assert_eq!(literal("${{ 1 }}"), None);
    let template = Template::parse("é ${{  env.A }} ${{ env['B'] }}", &SCOPE).unwrap();
    for reference in template.references() {
        assert!(template.source().get(reference.span.clone()).unwrap().starts_with("env"), "{reference:?}");
    }
    assert_eq!(
        template.references().filter_map(|reference| reference.key(0).map(str::to_owned)).collect::<Vec<_>>(),
        ["A", "B"]
    );
}

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused(text in r"[${}' a.é]{0,40}") {
        let _ = Template::parse(text.as_str(), &Scope::any());
    }

    #[test]
    fn text_around_an_expression_stays(before in "[^$]{0,20}", after in "[^$]{0,20}") {
        let template = Template::parse(format!("{before}${{{{ env.A }}}}{after}"), &SCOPE).unwrap();
        let value = template.evaluate(&contexts(), &functions()).unwrap();
        prop_assert_eq!(value, Evaluated::Value(Value::from(format!("{before}a{after}"))));
    }
}
