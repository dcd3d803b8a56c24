//! `act-expressions`: the tables of nektos/act for values, interpolation and `if` rewriting, and the status
//! functions of the runner's own tests. Where act and GitHub disagree, GitHub is right.

use expr::{
    Condition, Evaluated, Expression, Functions, HashAnswers, HashRequest, JobStatus, Object, Phase, Scope,
    StatusFacts, Template, Value,
};
use serde_json::Value as Json;
use syntax::filter::Filter;

use super::{Tally, data, json, object, text, value};

/// act hashes the files' contents one after the other; GitHub hashes their digests (steps.md 1.4), so these rows of the table
/// are not GitHub's. The digests here come from `hashFiles` of `@actions/glob` 0.4.0, run over the same folder.
const GITHUB_DIGESTS: [(&str, &str); 3] = [
    ("hashFiles('./for-hashing-1.txt')", "31ff3fcb19566e855efbe0c4eb393d1a7807e08c4f1cf4f1a89e29d9d55968c5"),
    ("hashFiles('./for-hashing-*.txt')", "56c352d06ebcf622658fb248292304a432b204d29e11ba76c96dbb647d3b73ad"),
    ("hashFiles('./for-hashing-3/**')", "971c07fd4bb8d8afd1ba0a410a3326c1afc51185e262a5b7416308464874eb9c"),
];

/// The row with GitHub's digest in place of act's.
fn with_github_digest(case: &Json) -> Json {
    let mut case = case.clone();
    if let Some((_, digest)) = GITHUB_DIGESTS.iter().find(|(source, _)| *source == text(&case, "expr")) {
        case["expected"] = Json::from(*digest);
    }
    case
}

/// Hashes files below a folder, as the host does for a job.
fn hash_files(root: &std::path::Path, request: &HashRequest) -> Result<String, String> {
    host::hash_files::hash_files(root, &request.patterns, request.follow_symbolic_links)
}

const CONTEXTS: &[&str] = &[
    "github", "env", "job", "steps", "runner", "secrets", "vars", "strategy", "matrix", "needs", "inputs",
    "jobs",
];

fn contexts(table: &Json, case: &Json) -> Object {
    object(&table["contexts"][text(case, "contexts_ref")])
}

/// Evaluates with answers to `hashFiles` as they are asked for.
fn answer(
    root: &std::path::Path,
    evaluate: impl Fn(&Functions) -> Result<Evaluated, expr::EvalError>,
) -> Result<Value, String> {
    let mut hashes = HashAnswers::new();
    loop {
        let functions = Functions::for_dispatch(Phase::Condition, StatusFacts::default(), hashes.clone());
        match evaluate(&functions).map_err(|error| error.text)? {
            Evaluated::Value(value) => return Ok(value),
            Evaluated::NeedsHash(request) => {
                let digest = hash_files(root, &request);
                hashes.insert(request, digest);
            }
        }
    }
}

#[test]
fn act_expressions() {
    let Some(data) = data() else { return };
    let folder = data.join("act-expressions");
    let table = json(&folder.join("expressions.json"));
    let mut tally = Tally::new("act_tables::expressions");
    for case in table["cases"].as_array().expect("cases") {
        let source = text(case, "expr");
        let needs_fs = text(case, "needs_fs");
        let contexts = contexts(&table, case);
        let found = Expression::parse(source, &Scope::condition(CONTEXTS))
            .map_err(|error| error.text)
            .and_then(|parsed| {
                let expression = parsed.ok_or("nothing to evaluate")?;
                answer(&folder.join(needs_fs), |functions| expression.evaluate(&contexts, functions))
            });
        tally.case(source, check_value(&with_github_digest(case), &found));
    }
    tally.finish();
}

/// GitHub's value where the case notes that act's is not it; where the table gives none, act's is at least
/// not to be had (`expr` pins what both of GitHub's engines give there). An error text only says that there
/// is an error.
fn check_value(case: &Json, found: &Result<Value, String>) -> Result<(), String> {
    let official = text(case, "note").starts_with("official");
    let of_act = value(&case["expected"]);
    let right = match (found, &case["typescript_engine_value"]) {
        (Ok(found), Json::Null) if official => *found != of_act,
        (Ok(found), given) if official => *found == value(given),
        (Ok(found), _) => case.get("error").is_none() && *found == of_act,
        (Err(_), _) => !official && case.get("error").is_some(),
    };
    if right { Ok(()) } else { Err(format!("found {found:?} for {case}")) }
}

#[test]
fn act_interpolate() {
    let Some(data) = data() else { return };
    let folder = data.join("act-expressions");
    let table = json(&folder.join("interpolate.json"));
    let mut tally = Tally::new("act_tables::interpolate");
    for case in table["cases"].as_array().expect("cases") {
        let contexts = contexts(&table, case);
        let found = Template::parse(text(case, "expr"), &Scope::body(CONTEXTS))
            .map_err(|error| error.text)
            .and_then(|template| answer(&folder, |functions| template.evaluate(&contexts, functions)))
            // act's interpolation always ends in text.
            .map(|value| value.to_text().into_owned());
        tally.equal(text(case, "expr"), &found, &Ok(text(case, "expected").to_owned()));
    }
    tally.finish();
}

#[test]
fn act_rewrite() {
    let Some(data) = data() else { return };
    let table = json(&data.join("act-expressions/rewrite.json"));
    let mut tally = Tally::new("act_tables::rewrite");
    for case in table["cases"].as_array().expect("cases") {
        let source = text(case, "expr");
        let found =
            Template::parse(source, &Scope::body(CONTEXTS)).map_err(|error| error.text).map(|template| {
                let forced = text(case, "test").ends_with("ForceFormat");
                match template.parts() {
                    // act leaves a sole expression as it stands.
                    [_] if !forced => template.source().to_owned(),
                    _ => template.to_format_call(),
                }
            });
        tally.equal(source, &found, &Ok(text(case, "expected").to_owned()));
    }
    tally.finish();
}

fn status(json: &Json) -> Option<JobStatus> {
    match json.as_str()? {
        "Success" => Some(JobStatus::Success),
        "Failure" => Some(JobStatus::Failure),
        "Cancelled" => Some(JobStatus::Cancelled),
        other => panic!("no status: {other}"),
    }
}

#[test]
fn runner_status_functions() {
    let Some(data) = data() else { return };
    let table = json(&data.join("runner-l0/status-functions.json"));
    let mut tally = Tally::new("act_tables::status_functions");
    for case in table.as_array().expect("cases") {
        let (job, action) = (status(&case["job_status"]), status(&case["action_status"]));
        let composite = case["composite"].as_bool().expect("a flag");
        let facts =
            if composite { StatusFacts::for_composite(job, action) } else { StatusFacts::for_job(job) };
        let functions = Functions::for_dispatch(Phase::Condition, facts, HashAnswers::new());
        let condition =
            Condition::parse(Some(text(case, "function")), &functions.scope(CONTEXTS)).expect("a condition");
        let found = condition.evaluate(&Object::new(), &functions).map(Evaluated::value);
        tally.equal(&case.to_string(), &found, &Ok(Some(value(&case["expected"]))));
    }
    tally.finish();
}

#[test]
fn act_path_filter() {
    let Some(data) = data() else { return };
    let table = json(&data.join("act-expressions/path-filter.json"));
    let mut tally = Tally::new("act_tables::path_filter");
    for case in table["cases"].as_array().expect("cases") {
        let texts = |field: &str| -> Vec<&str> {
            case[field].as_array().expect("texts").iter().map(|json| json.as_str().expect("text")).collect()
        };
        let filter = Filter::parse(texts("patterns")).expect("patterns");
        let names = texts("inputs");
        // `skipResult` reads the patterns as those of `paths`, `filterResult` as those of `paths-ignore`.
        let found = (!filter.lets_in(&names), filter.ignores_all(&names));
        let expected = ["skipResult", "filterResult"].map(|field| case[field].as_bool().expect("a flag"));
        tally.equal(&case.to_string(), &found, &expected.into());
    }
    tally.finish();
}
