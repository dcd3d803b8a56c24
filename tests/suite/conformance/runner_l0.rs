//! `runner-l0`: the official runner's own tests for the text side of a step, as data: file commands, command
//! lines, masking, problem matchers. Its status functions are run by `act_tables`.

use engine::annotation::{Annotation, CheckoutFiles, Level, MatchedFiles, Source};
use engine::command::WorkflowCommand;
use engine::file_command::{FileCommandFailure, FileCommands};
use engine::lines::{LineOptions, LineProcessor, LineSink, LineTag, StepCommand, Stream};
use engine::mask::{Masks, Origin};
use engine::matcher::{Match, Matcher, Matchers, Scanner, Verdict};
use serde_json::{Value as Json, json};

use super::{Tally, data, json as read_json, text};

fn cases(file: &str) -> Option<Vec<Json>> {
    let table = read_json(&data()?.join("runner-l0").join(file));
    Some(table.as_array().expect("a list of cases").clone())
}

fn require(holds: bool, reason: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(reason()) }
}

#[test]
fn command_parse() {
    let Some(cases) = cases("command-parse.json") else { return };
    let mut tally = Tally::new("runner_l0::command_parse");
    for case in cases {
        let registered = case["registered"].as_array().expect("names");
        let parsed =
            WorkflowCommand::parse(text(&case, "input"), |name| registered.iter().any(|known| known == name));
        let found = parsed.map(|command| {
            let properties: serde_json::Map<_, _> =
                command.properties.iter().map(|(key, value)| (key.to_owned(), json!(value))).collect();
            (command.name, Json::Object(properties), command.data)
        });
        let expected = case["parsed"]
            .as_bool()
            .expect("a flag")
            .then(|| (text(&case, "command").into(), case["properties"].clone(), text(&case, "data").into()));
        tally.equal(text(&case, "input"), &found, &expected);
    }
    tally.finish();
}

#[test]
fn masker() {
    let Some(cases) = cases("masker.json") else { return };
    let mut tally = Tally::new("runner_l0::masker");
    for case in cases {
        let mut masks = Masks::default();
        let secrets = case["secrets"].as_array().expect("secrets");
        masks.extend(secrets.iter().map(|secret| (secret.as_str().expect("a text"), Origin::Unnamed)));
        let input = text(&case, "input");
        tally.equal(input, &masks.mask_text(input).as_ref(), &text(&case, "expected"));
    }
    tally.finish();
}

#[test]
fn file_commands() {
    let Some(cases) = cases("file-commands.json") else { return };
    let mut tally = Tally::new("runner_l0::file_commands");
    for case in cases {
        tally.case(text(&case, "test"), file_command(&case));
    }
    tally.finish();
}

fn file_command(case: &Json) -> Result<(), String> {
    let lines = case["lines"].as_array();
    let content = lines.map(|lines| {
        let lines: Vec<_> = lines.iter().map(|line| line.as_str().expect("a line")).collect();
        lines.join(text(case, "newline")).into_bytes()
    });
    let mut files = FileCommands::default();
    match text(case, "file") {
        "GITHUB_ENV" => files.env = content,
        "GITHUB_OUTPUT" => files.output = content,
        "GITHUB_STATE" => files.state = content,
        other => return Err(format!("unknown file {other}")),
    }
    let found = files.read(&Masks::default());
    let errors: Vec<_> = found.failures.iter().flat_map(FileCommandFailure::messages).collect();
    for wanted in case["error_contains"].as_array().into_iter().flatten() {
        let wanted = wanted.as_str().expect("a text");
        require(errors.iter().any(|error| error.contains(wanted)), || {
            format!("no '{wanted}' in {errors:?}")
        })?;
    }
    let fails = case["expect_error"].as_bool().unwrap_or_default();
    require(fails != errors.is_empty(), || format!("errors: {errors:?}"))?;
    if let Some(issues) = case["issues"].as_u64() {
        require(found.issues.len() as u64 == issues, || format!("issues: {:?}", found.issues))?;
    }
    let pairs: serde_json::Map<_, _> =
        [found.env, found.output, found.state].concat().into_iter().map(|(k, v)| (k, json!(v))).collect();
    if let Some(count) = case["count"].as_u64() {
        require(pairs.len() as u64 == count, || format!("{} pairs instead of {count}", pairs.len()))?;
    }
    // The tables of saved state were not extracted.
    let expected = case["expected"].as_object().expect("a map");
    require(expected.is_empty() || *expected == pairs, || format!("{pairs:?} instead of {expected:?}"))
}

#[test]
fn issue_matcher() {
    let Some(cases) = cases("issue-matcher.json") else { return };
    let mut tally = Tally::new("runner_l0::issue_matcher");
    for case in cases {
        tally.case(text(&case, "test"), issue_matcher_case(&case));
    }
    tally.finish();
}

fn issue_matcher_case(case: &Json) -> Result<(), String> {
    let mut config = Json::Null;
    let mut owner = String::new();
    let mut scanner = Scanner::default();
    let mut found: Option<Match> = None;
    for op in case["ops"].as_array().expect("operations") {
        if let Some(new) = op.get("config") {
            config = new.clone();
        } else if let Some(change) = op["mutate"].as_str() {
            mutate(&mut config, change)?;
        } else if let Some(line) = op["line"].as_str() {
            found = None;
            scanner.scan(line, |verdict| {
                if let Verdict::Matched(matched) = verdict {
                    found = Some(matched);
                }
                true
            });
        } else if op.get("assert_null").is_some() {
            require(found.is_none(), || "a match where none was expected".to_owned())?;
        } else if let Some(asserted) = op["assert"].as_str() {
            let value = match (asserted.split_once('.'), &found) {
                (Some(("matcher", "Owner")), _) => owner.clone(),
                (Some(("match", property)), Some(found)) => {
                    let (first, rest) = property.split_at(1);
                    found.get(&(first.to_lowercase() + rest)).to_owned()
                }
                _ => return Err(format!("{asserted}: no match")),
            };
            require(op["equals"] == value.as_str(), || {
                format!("{asserted} is {value}, not {}", op["equals"])
            })?;
        } else {
            let parsed = Matcher::from_json(&config);
            let expected = text(op, "validate");
            require(parsed.is_ok() == (expected == "ok"), || format!("not {expected}: {parsed:?}"))?;
            if let Ok(list) = parsed {
                owner = list.first().map(|matcher| matcher.owner().to_owned()).unwrap_or_default();
                let mut matchers = Matchers::default();
                matchers.add(list);
                scanner = Scanner::default();
                scanner.update(&matchers);
            }
        }
    }
    Ok(())
}

/// The six changes that upstream's tests make to a configuration, in C#.
fn mutate(config: &mut Json, change: &str) -> Result<(), String> {
    let matcher = &mut config["problemMatcher"][0];
    match change.split_whitespace().collect::<Vec<_>>().join(" ").as_str() {
        "config.Matchers[0].Owner = \"asdf\";" => matcher["owner"] = json!("asdf"),
        "config.Matchers[0].Patterns[1].Loop = false;" => matcher["pattern"][1]["loop"] = json!(false),
        "config.Matchers[0].Patterns[2].Loop = true;" => matcher["pattern"][2]["loop"] = json!(true),
        "config.Matchers[0].Patterns[0].File = null;" => matcher["pattern"][0]["file"] = Json::Null,
        "config.Matchers[0].Patterns[0].Message = 1;" => matcher["pattern"][0]["message"] = json!(1),
        "config.Matchers[0].Patterns = new[] { new IssuePatternConfig { Pattern = \"^error: (.+)$\", Message = 1, } };" =>
        {
            matcher["pattern"] = json!([{"regexp": "^error: (.+)$", "message": 1}]);
        }
        other => return Err(format!("unknown change: {other}")),
    }
    Ok(())
}

#[test]
fn output_manager() {
    let Some(cases) = cases("output-manager.json") else { return };
    let mut tally = Tally::new("runner_l0::output_manager");
    for case in cases {
        tally.case(text(&case, "test"), output_manager_case(&case));
    }
    tally.finish();
}

/// Plays the part of upstream's mocks: output and debug lines are messages, an annotation with its log
/// line is an issue.
#[derive(Default)]
struct Recorder {
    messages: Vec<String>,
    issues: Vec<(Annotation, String)>,
    commands: usize,
    log_line: String,
}

impl LineSink for Recorder {
    fn line(&mut self, tag: LineTag, text: &[u8]) {
        let text = String::from_utf8_lossy(text).into_owned();
        match tag {
            LineTag::Error | LineTag::Warning | LineTag::Notice => self.log_line = text,
            tag => self.messages.push(format!("{}{text}", tag.prefix())),
        }
    }

    fn command(&mut self, _: StepCommand) {
        self.commands += 1;
    }

    fn annotation(&mut self, annotation: Annotation) {
        self.issues.push((annotation, std::mem::take(&mut self.log_line)));
    }
}

struct Checkout;

impl CheckoutFiles for Checkout {
    fn is_file(&self, path: &str) -> bool {
        self.read_text(path).is_some()
    }

    fn read_text(&self, path: &str) -> Option<String> {
        match path {
            "/workspace/.git/config" => Some("url = https://github.com/my-org/workflow-repo".to_owned()),
            "/workspace/some-file.txt" => Some(String::new()),
            _ => None,
        }
    }
}

fn output_manager_case(case: &Json) -> Result<(), String> {
    let parse =
        |list: &Json| Matcher::from_json(&json!({"problemMatcher": list})).map_err(|error| error.to_string());
    let mut matchers = Matchers::default();
    matchers.add(parse(&case["matchers"])?);
    let options = LineOptions { step_debug: true, ..LineOptions::default() };
    let mut processor = LineProcessor::new(options, &matchers);
    let (mut masks, mut recorder) = (Masks::default(), Recorder::default());
    // The mocks let debug lines through but do not echo commands.
    let _ = processor.feed(Stream::Stdout, b"::echo::off\n", &mut masks, &mut Recorder::default());
    for op in case["ops"].as_array().expect("operations") {
        if let Some(line) = op["line"].as_str() {
            let line = format!("{line}\n");
            let taken = processor.feed(Stream::Stdout, line.as_bytes(), &mut masks, &mut recorder);
            assert_eq!(taken, line.len());
        } else if let Some(new) = op.get("add_matcher") {
            matchers.add(parse(&json!([new]))?);
            processor.set_matchers(&matchers);
        } else if let Some(owner) = op["remove_matcher"].as_str() {
            matchers.remove([owner]);
            processor.set_matchers(&matchers);
        } else {
            assert_recorded(&recorder, text(case, "test"), text(op, "assert"), &op["equals"])?;
        }
    }
    let forged = |line: &&String| line.contains("##[start-action") || line.contains("##[end-action");
    match recorder.messages.iter().find(forged) {
        Some(line) => Err(format!("a marker came through: {line}")),
        None if text(case, "test").starts_with("StripComposite") && recorder.messages.len() != 1 => {
            Err(format!("one message expected: {:?}", recorder.messages))
        }
        None => Ok(()),
    }
}

fn assert_recorded(recorder: &Recorder, test: &str, asserted: &str, expected: &Json) -> Result<(), String> {
    let found = recorded(recorder, asserted)?;
    // An engine without backtracking has no time-out: the second address matches where upstream has
    // removed the matcher (README of the data).
    let expected = match asserted {
        _ if test != "MatcherTimeout" => expected.clone(),
        asserted if asserted.contains("##[debug]Timeout") || asserted.contains("jane.doe") => json!(0),
        _ => expected.clone(),
    };
    require(found == expected, || format!("{asserted} is {found}, not {expected}"))
}

fn recorded(recorder: &Recorder, asserted: &str) -> Result<Json, String> {
    let index = || asserted.split(['[', ']']).nth(1).and_then(|index| index.parse::<usize>().ok());
    let quoted =
        || asserted.split_once("(\"").and_then(|(_, rest)| rest.rsplit_once("\")")).map(|(text, _)| text);
    let issue = || index().and_then(|index| recorder.issues.get(index)).ok_or(format!("{asserted}: none"));
    let count =
        |test: &dyn Fn(&String) -> bool| json!(recorder.messages.iter().filter(|line| test(line)).count());
    Ok(match asserted.split('[').next() {
        _ if asserted == "_issues.Count" => json!(recorder.issues.len()),
        _ if asserted == "_messages.Count" => json!(recorder.messages.len()),
        _ if asserted == "_commands.Count" => json!(recorder.commands),
        _ if asserted.contains("x.Equals(") => count(&|line| Some(line.as_str()) == quoted()),
        _ if asserted.contains("x.StartsWith(") => {
            count(&|line| quoted().is_some_and(|text| line.starts_with(text)))
        }
        Some("_messages") => json!(index().and_then(|index| recorder.messages.get(index))),
        Some("_issues") if asserted.ends_with(".Item2") => json!(issue()?.1),
        Some("_issues") if asserted.ends_with(".Message") => json!(issue()?.0.message),
        Some("_issues") if asserted.ends_with(".Type") => json!(match issue()?.0.level {
            Level::Error => "DTWebApi.IssueType.Error",
            Level::Warning => "DTWebApi.IssueType.Warning",
            Level::Notice => "DTWebApi.IssueType.Notice",
        }),
        Some("_issues") => json!(issue_data(&issue()?.0, asserted)?),
        _ => return Err(format!("unknown assertion {asserted}")),
    })
}

fn issue_data(annotation: &Annotation, asserted: &str) -> Result<Option<String>, String> {
    let location = annotation.location;
    match asserted.split('"').nth(1) {
        Some("line") => Ok(location.line.map(|line| line.to_string())),
        Some("col") => Ok(location.column.map(|column| column.to_string())),
        Some("file") => {
            let files = MatchedFiles {
                workspace: "/workspace".into(),
                server_url: String::new(),
                repository: "my-org/workflow-repo".into(),
                mounts: vec![("/container/path/to/workspace".into(), "/workspace".into())],
            };
            let Source::Matcher { from_path } = &annotation.source else { return Err("not matched".into()) };
            files.resolve(annotation.file.as_deref().unwrap_or_default(), from_path, &Checkout).map(Some)
        }
        _ => Err(format!("unknown data in {asserted}")),
    }
}
