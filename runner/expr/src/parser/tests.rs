//! Trees and errors of the parser, with their positions.

use super::*;
use crate::expression::Expression;
use proptest::prelude::*;

const SCOPE: Scope<'_> = Scope::condition(&["github", "env", "a", "b", "c"]);

fn tree(text: &str) -> String {
    match Expression::parse(text, &SCOPE) {
        Ok(Some(expression)) => expression.to_canonical_text(),
        Ok(None) => "nothing".to_owned(),
        Err(error) => error.text,
    }
}

#[test]
fn precedence_and_grouping() {
    for (text, expected) in [
        ("  ", "nothing"),
        ("a || b && !c == 1 < 2", "(a || (b && (!c == (1 < 2))))"),
        ("a && (b && c) && a", "(a && b && c && a)"),
        ("(a || b) && c", "((a || b) && c)"),
        ("!(a == b).c[1]['x y'].*[ * ]", "!(a == b).c[1]['x y'][*][*]"),
        ("FORMAT ( 'it''s' , a )", "FORMAT('it''s', a)"),
        ("a.null.true.NaN", "a.null.true.NaN"),
        ("success() && always( )", "(success() && always())"),
        ("1 < 2 < 3 == -4", "(((1 < 2) < 3) == -4)"),
        ("a[b[c]]", "a[b[c]]"),
        ("a-b", "Unrecognized named-value: 'a-b'. Located at position 1 within expression: a-b"),
    ] {
        assert_eq!(tree(text), expected, "{text}");
    }
}

#[test]
fn errors_in_githubs_words() {
    for (text, expected) in [
        ("'a", "Unexpected symbol: ''a'. Located at position 1 within expression: 'a"),
        ("\"a\"", "Unexpected symbol: '\"a\"'. Located at position 1 within expression: \"a\""),
        ("'a'[0]", "Unexpected symbol: '['. Located at position 4 within expression: 'a'[0]"),
        ("a,b", "Unexpected symbol: ','. Located at position 2 within expression: a,b"),
        ("(a", "Unexpected end of expression: 'a'. Located at position 2 within expression: (a"),
        ("a &&", "Unexpected end of expression: '&&'. Located at position 3 within expression: a &&"),
        ("a[0)", "Unexpected symbol: ')'. Located at position 4 within expression: a[0)"),
        ("a.b()", "Unexpected symbol: '('. Located at position 4 within expression: a.b()"),
        ("'\u{1F600}' @", "Unexpected symbol: '@'. Located at position 6 within expression: '\u{1F600}' @"),
        (
            "contains(a)",
            "Too few parameters supplied: 'contains'. Located at position 1 within expression: contains(a)",
        ),
        (
            "! always(1)",
            "Too many parameters supplied: 'always'. Located at position 3 within expression: ! always(1)",
        ),
        (
            "hashFiles()",
            "Too few parameters supplied: 'hashFiles'. Located at position 1 within expression: hashFiles()",
        ),
    ] {
        assert_eq!(tree(text), expected, "{text}");
    }
}

#[test]
fn nesting_costs_no_stack() {
    let brackets = format!("{}a{}", "(".repeat(10_000), ")".repeat(10_000));
    assert_eq!(tree(&brackets), "a");
    assert_eq!(
        tree(&"!".repeat(20_999)),
        format!(
            "Unexpected end of expression: '!'. Located at position 20999 within expression: {}",
            "!".repeat(20_999)
        )
    );
    assert_eq!(tree(&format!("{}a", "!".repeat(20_000))), "Exceeded max expression depth 50");
    assert_eq!(
        tree(&format!("a{}", "[a".repeat(10_000))).split(':').next(),
        Some("Unexpected end of expression")
    );
    assert_eq!(
        tree(&format!("{}{}", "a[".repeat(5_000), "]".repeat(5_000))).split(':').next(),
        Some("Unexpected symbol")
    );
    assert_eq!(tree(&" ".repeat(21_001)), "Exceeded max expression length 21000");
    assert_eq!(tree(&format!("a{}", "||a".repeat(6_999))).len(), "(a".len() + 6_999 * " || a".len() + 1);
}

/// Expressions made of the grammar, printed in the canonical form.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("a".to_owned()),
        Just("null".to_owned()),
        Just("NaN".to_owned()),
        Just("-Infinity".to_owned()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        (-99_999_i32..99_999, 0_i32..30)
            .prop_map(|(n, e)| crate::number::to_text(f64::from(n) * 10_f64.powi(e - 15))),
        "[ -~é]{0,6}".prop_map(|text| crate::value::quote(&text)),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let operator = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
        let joint = prop::sample::select(vec!["&&", "||"]);
        let key = prop_oneof![inner.clone(), Just("*".to_owned())];
        prop_oneof![
            (inner.clone(), operator, inner.clone()).prop_map(|(l, o, r)| format!("({l} {o} {r})")),
            (prop::collection::vec(inner.clone(), 2..4), joint)
                .prop_map(|(all, o)| format!("({})", all.join(&format!(" {o} ")))),
            inner.clone().prop_map(|operand| format!("!{operand}")),
            key.prop_map(|key| format!("b[{key}]")),
            "[a-z_][a-z0-9_-]{0,4}".prop_map(|name| format!("c.{name}")),
            prop::collection::vec(inner, 1..4).prop_map(|all| format!("format({})", all.join(", "))),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_parse_or_fail(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes);
        let _ = Expression::parse(&text, &Scope::any());
    }

    #[test]
    fn any_tokens_parse_or_fail(words in prop::collection::vec(prop::sample::select(vec![
        "a", ".", "[", "]", "(", ")", ",", "*", "'x'", "1", "!", "&&", "||", "==", "<", "format", "null", " ", "case",
    ]), 0..40)) {
        if let Err(error) = Expression::parse(&words.concat(), &SCOPE) {
            prop_assert!(error.offset <= words.concat().len());
        }
    }

    #[test]
    fn printing_and_parsing_agree(text in expression()) {
        let first = Expression::parse(&text, &SCOPE).unwrap().unwrap().to_canonical_text();
        let second = Expression::parse(&first, &SCOPE).unwrap().unwrap();
        prop_assert_eq!(second.to_canonical_text(), first);
    }
}
