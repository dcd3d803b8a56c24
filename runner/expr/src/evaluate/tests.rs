//! Values of whole expressions, and a law of comparison.

use crate::{
    Evaluated, Expression, Functions, HashAnswers, HashRequest, JobStatus, Object, Phase, Scope, StatusFacts,
    Value,
};
use proptest::prelude::*;

fn contexts() -> Object {
    let event = Value::from_json(
        r#"{labels: [{name: 'Bug', n: [1, 2]}, {name: 'Docs', n: []}, {other: 1}], zero: 0, text: 'Hello'}"#,
    );
    let github = Object::from([("event", event.unwrap()), ("REF", "refs/heads/main".into())]);
    let mut env = Object::case_sensitive();
    env.insert("path", "low");
    env.insert("PATH", "up");
    Object::from([("github", Value::from(github)), ("env", env.into())])
}

fn functions(hashes: HashAnswers) -> Functions {
    Functions::for_dispatch(Phase::Condition, StatusFacts::for_job(Some(JobStatus::Failure)), hashes)
}

fn evaluate(text: &str) -> Result<Evaluated, String> {
    let scope = Scope::condition(&["github", "env", "missing"]);
    let parsed = Expression::parse(text, &scope).map_err(|error| error.text)?.ok_or("nothing")?;
    parsed.evaluate(&contexts(), &functions(HashAnswers::new())).map_err(|error| error.text)
}

fn check(text: &str, expected: &str) {
    let shown = match evaluate(text) {
        Ok(Evaluated::Value(value)) => format!("{value:?}"),
        Ok(Evaluated::NeedsHash(request)) => {
            format!("hash {:?} {}", request.patterns, request.follow_symbolic_links)
        }
        Err(text) => text,
    };
    assert_eq!(shown, expected, "{text}");
}

#[test]
fn filters_shrink_and_flatten() {
    check("github.event.labels.*.name", r#"["Bug", "Docs"]"#);
    check("github.event.labels.*.n.*", "[1, 2]");
    check("github.event.labels.*.n[0]", "[1]");
    check("(github.event.labels.*)[0]", "[]");
    check("(github.event.labels.* && github.event.labels.*)[0]", "[]");
    // What the C# source says and `@actions/expressions` 0.3.61 gives when run: text has no members.
    check("(github.event.labels.*.name)[0]", "[]");
    check("(github.event.labels)[0].name", "\"Bug\"");
    check("github.event.text.*", "[]");
    check("missing.*.a", "[]");
    check("github.event.labels[1.9].name", "\"Docs\"");
    check("github.event.*[0].name", "[\"Bug\"]");
}

#[test]
fn keys_and_case() {
    check("GITHUB.Ref", "\"refs/heads/main\"");
    check("env.Path", "null");
    check("env.PATH", "\"up\"");
    check("missing.a.b", "null");
    check("github.event.zero.x", "null");
}

#[test]
fn operands_come_back() {
    check("'' || 0 || 'x' || format('{9}')", "\"x\"");
    check("1 && '' && format('{9}')", "\"\"");
    check("!github", "false");
    check("failure() && !success() && !cancelled() && always()", "true");
    check("github == github && github.event != env", "true");
}

#[test]
fn functions_by_name() {
    check("contains(github.event.labels.*.name, 'docs')", "true");
    check("contains('Hello', 'ELL') && contains('x', '') && !contains(github, 'event')", "true");
    check("STARTSWITH('Hello', 'he') && endsWith(12.50, 5)", "true");
    check("startsWith(github, format('{9}'))", "false");
    check("join(github.event.labels.*.name)", "\"Bug,Docs\"");
    check("join(github.event.labels, github)", "\"Object,Object,Object\"");
    check("join(github)", "\"\"");
    check("format('{1}{0}{1}', 1, 'a')", "\"a1a\"");
    check("format('{0}', 1, format('{9}'))", "\"1\"");
    check("format('{0:x}', 'a')", "The format specifiers 'x' are not valid for objects of type 'String'");
    check("toJSON(fromJSON('[1e21, 0.1, \"x\"]'))", "\"[\\n  1E+21,\\n  0.1,\\n  \\\"x\\\"\\n]\"");
    check("fromJSON('{A: 1}').a", "1");
    check("fromJSON('')", "Error reading JToken from JsonReader. Path '', line 0, position 0.");
    check("case(false, format('{9}'), true, 'b', format('{9}'))", "\"b\"");
    check("case(1, 'a', 'b')", "case predicate must evaluate to a boolean value");
}

#[test]
fn hash_files_asks_and_is_answered() {
    check("hashFiles('--FOLLOW-symbolic-links', '**/*.lock', 1)", r#"hash ["**/*.lock", "1"] true"#);
    check("false && hashFiles('a')", "false");
    check(
        "hashFiles('--x')",
        "Specified argument was out of the range of valid values. (Parameter 'Invalid glob option --x, avaliable option: '--follow-symbolic-links'.')",
    );
    let mut hashes = HashAnswers::new();
    let request =
        |pattern: &str| HashRequest { patterns: vec![pattern.to_owned()], follow_symbolic_links: false };
    hashes.insert(request("a"), Ok("d1".to_owned()));
    hashes.insert(request("b"), Err("no".to_owned()));
    let parsed = |text: &str| Expression::parse(text, &Scope::condition(&[])).unwrap().unwrap();
    let functions = functions(hashes);
    assert_eq!(
        parsed("hashFiles('a')").evaluate(&Object::new(), &functions),
        Ok(Evaluated::Value("d1".into()))
    );
    assert_eq!(parsed("hashFiles('b')").evaluate(&Object::new(), &functions).unwrap_err().text, "no");
    assert_eq!(
        parsed("hashFiles('c')").evaluate(&Object::new(), &functions),
        Ok(Evaluated::NeedsHash(request("c")))
    );
}

#[test]
fn a_function_that_this_phase_lacks_gives_null() {
    let expression = Expression::parse("success()", &Scope::condition(&[])).unwrap().unwrap();
    let body = Functions::for_dispatch(Phase::Body, StatusFacts::default(), HashAnswers::new());
    assert_eq!(expression.evaluate(&Object::new(), &body), Ok(Evaluated::Value(Value::Null)));
}

#[test]
fn memory_is_limited() {
    let doubling =
        (0..16).fold("'0123456789abcdef'".to_owned(), |inner, _| format!("format('{{0}}{{0}}', {inner})"));
    let error = evaluate(&doubling).unwrap_err();
    let expected =
        "The maximum allowed memory size was exceeded while evaluating the following expression: format(";
    assert!(error.starts_with(expected), "{error}");
    let contexts = Object::from([("env", Object::from([("BIG", "x".repeat(600_000))]))]);
    let expression = Expression::parse("env.BIG", &Scope::condition(&["env"])).unwrap().unwrap();
    assert!(expression.evaluate(&contexts, &functions(HashAnswers::new())).is_err());
    assert!(
        expression
            .evaluate_within(&contexts, &functions(HashAnswers::new()), crate::limit::TEMPLATE_MEMORY)
            .is_ok()
    );
}

proptest! {
    #[test]
    fn whatever_parses_evaluates_alike_with_and_without_a_trace(words in prop::collection::vec(prop::sample::select(vec![
        "github", ".event", ".labels", ".*", ".n", "[0]", "['name']", "[", "]", "(", ")", ",", "'x{0}'", "1", "!", "&&",
        "||", "==", "<", "format(", "join(", "toJSON(", "fromJSON(", "contains(", "null", "env", "case(", "hashFiles(",
    ]), 1..14)) {
        let source = words.concat();
        let parsed = Expression::parse(&source, &Scope::condition(&["github", "env"]));
        if let Ok(Some(expression)) = parsed {
            let functions = functions(HashAnswers::new());
            let plain = expression.evaluate(&contexts(), &functions);
            let (traced, trace) = expression.evaluate_traced(&contexts(), &functions);
            // Contexts are made anew, but nothing that is compared by identity shows in the result.
            prop_assert_eq!(&plain, &traced);
            let same = |text: &str| text.to_owned();
            prop_assert!(trace.render(&same).lines().count() > 0 && !trace.because(&same).is_empty());
            prop_assert_eq!(trace.debug_lines(&same).last().unwrap().starts_with("Result: "), matches!(plain, Ok(Evaluated::Value(_))));
        }
    }
}

#[test]
fn keys_of_any_length_are_found_in_any_case() {
    let all = "aBcDeFgHiJkLmNoPqRsTuVwXyZ_0[]{}@`";
    let mut object = Object::new();
    let start = |length: usize| all.get(..length).unwrap();
    for length in 0..=all.len() {
        object.insert(start(length), f64::from(u8::try_from(length).unwrap()));
    }
    assert_eq!(object.len(), all.len() + 1);
    for length in 0..=all.len() {
        let key = start(length);
        for spelling in [key.to_owned(), key.to_ascii_uppercase(), key.to_ascii_lowercase()] {
            assert_eq!(object.get(&spelling), object.values().nth(length), "{spelling}");
        }
    }
    // They have the same hash, and are not the same key.
    let braces = Object::from([("a[", 1), ("a{", 2), ("a@", 3), ("a`", 4)]);
    assert_eq!((braces.len(), braces.get("A{")), (4, Some(&2.into())));
}

#[test]
fn whether_an_expression_reads_a_context() {
    for (text, reads) in [
        ("success() && !cancelled()", false),
        ("format('{0}', 1 == 2 || 'github.ref')", false),
        ("github", true),
        ("true && (false || contains(fromJSON(env.path), 'x'))", true),
        ("always() && hashFiles(env['a'])", true),
    ] {
        let scope = Scope::condition(&["github", "env"]);
        let parsed = Expression::parse(text, &scope).unwrap().unwrap();
        assert_eq!(parsed.reads_contexts(), reads, "{text}");
    }
}
