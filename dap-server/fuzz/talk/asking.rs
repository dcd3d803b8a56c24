//! What a client may ask: for every command arguments that make sense, and ways to spoil them.

use serde_json::{Map, Value as Json, json};

use super::choices::Choices;
use super::heard::Heard;
use super::job::WORKFLOW;

/// Commands, those that lead somewhere more than once.
const COMMANDS: [&str; 64] = [
    "next",
    "continue",
    "stepIn",
    "stepOut",
    "stepBack",
    "reverseContinue",
    "restartFrame",
    "goto",
    "pause",
    "next",
    "continue",
    "stepBack",
    "reverseContinue",
    "restartFrame",
    "gotoTargets",
    "goto",
    "evaluate",
    "evaluate",
    "evaluate",
    "evaluate",
    "evaluate",
    "evaluate",
    "evaluate",
    "evaluate",
    "setVariable",
    "setVariable",
    "setExpression",
    "completions",
    "stackTrace",
    "scopes",
    "variables",
    "variables",
    "threads",
    "source",
    "loadedSources",
    "exceptionInfo",
    "stepInTargets",
    "cancel",
    "cancel",
    "restart",
    "setBreakpoints",
    "setBreakpoints",
    "setFunctionBreakpoints",
    "setDataBreakpoints",
    "dataBreakpointInfo",
    "setExceptionBreakpoints",
    "breakpointLocations",
    "terminate",
    "terminateThreads",
    "disconnect",
    "initialize",
    "launch",
    "attach",
    "configurationDone",
    "stepback/timeline",
    "stepback/view",
    "stepback/goto",
    "stepback/return",
    "stepback/diff",
    "stepback/sync",
    "stepback/keep",
    "readMemory",
    "modules",
    "no/such",
];

/// What a person may type.
const TEXTS: [&str; 80] = [
    "env.A",
    "env",
    "steps",
    "steps.one.outputs.v",
    "github",
    "secrets",
    "secrets.TOKEN",
    "runner.os",
    "fromJSON(env.LIST)",
    "toJSON(github)",
    "hashFiles('*')",
    "success()",
    "'a' == 'b'",
    "'open",
    "1 +",
    "",
    "${{ env.A }}",
    "env.A == 'one'",
    "matrix.x.*.y",
    "format('{0}', env)",
    "#",
    "🚀é",
    "{reason}",
    "a.b.c.d",
    "next",
    "continue",
    "back",
    "back 2",
    "back 0",
    "reverse-continue",
    "return",
    "rerun",
    "goto 1",
    "goto 3",
    "goto m0",
    "goto m2",
    "goto fails",
    "goto end",
    "view 1",
    "view m1",
    "view",
    "timeline",
    "when env.B",
    "when job.status",
    "when file:x",
    "steps",
    "list",
    "log",
    "log 1",
    "print env",
    "env",
    "outputs",
    "why",
    "diff",
    "diff m0 m1",
    "status",
    "set env.A=x",
    "set env.B=",
    "set steps.one.outputs.v=2",
    "set steps.fails.outcome=success",
    "set job.status=failure",
    "unset env.A",
    "! say hello",
    "! variable C 1",
    "! exit 3",
    "! takes for-ever",
    "! takes 5",
    "try say x",
    "sync",
    "keep",
    "break 8",
    "break 10 if env.A == 'one'",
    "watch env.B",
    "delete 1",
    "breakpoints",
    "catch skipped",
    "pause",
    "cancel",
    "confirm yes",
    "quit",
];

/// What may be set.
const VALUES: [&str; 8] = ["", "1", "two", "success", "failure", "${{ env.A }}", "[1, 2]", "a\nb"];

/// Numbers that are somewhere at an edge.
const EDGES: [i64; 8] = [0, 1, -1, 2, 1000, i64::MAX, i64::MIN, 1 << 53];

/// Members and arguments of another kind than is wanted.
const WRONG: [&str; 10] = [
    "null",
    "\"\"",
    "\"x\"",
    "-1",
    "[]",
    "{}",
    "true",
    "1e300",
    "9007199254740993",
    "[[[[{\"a\":[null]}]]]]",
];

/// A command, and arguments that may be spoilt.
pub(super) fn request(choices: &mut Choices<'_>, heard: &Heard) -> (&'static str, Option<Json>) {
    let command = choices.of(&COMMANDS);
    let arguments = arguments(command, choices, heard);
    (command, spoilt(arguments, choices))
}

fn spoilt(mut arguments: Json, choices: &mut Choices<'_>) -> Option<Json> {
    if !choices.one_in(4) {
        return Some(arguments);
    }
    let wrong = |choices: &mut Choices<'_>| serde_json::from_str(choices.of(&WRONG)).expect("JSON");
    let members: Vec<String> = arguments.as_object().into_iter().flat_map(Map::keys).cloned().collect();
    let member = if members.is_empty() { "x" } else { &members[choices.below(members.len())] };
    match choices.below(5) {
        0 => return None,
        1 => arguments = wrong(choices),
        2 => arguments[member] = wrong(choices),
        3 => drop(arguments.as_object_mut().map(|all| all.shift_remove(member))),
        _ => arguments["unknown"] = wrong(choices),
    }
    Some(arguments)
}

fn arguments(command: &str, choices: &mut Choices<'_>, heard: &Heard) -> Json {
    match command {
        "initialize" => json!({ "adapterID": "stepback", "linesStartAt1": !choices.one_in(3),
            "columnsStartAt1": !choices.one_in(3), "pathFormat": choices.of(&["path", "uri", "no"]),
            "supportsInvalidatedEvent": choices.one_in(2), "supportsProgressReporting": choices.one_in(2),
            "supportsANSIStyling": choices.one_in(2), "supportsVariableType": true }),
        "launch" => json!({ "job": "build", "noDebug": choices.one_in(4), "stopOnEntry": choices.one_in(2),
            "stopAtEnd": choices.one_in(2) }),
        "attach" if choices.one_in(8) => json!({ "recording": "last" }),
        "attach" => json!({ "stopOnEntry": !choices.one_in(3), "stopAtEnd": choices.one_in(2) }),
        "disconnect" => leaving(choices),
        "evaluate" => json!({ "expression": text(choices), "frameId": frame(choices, heard),
            "context": choices.of(&["repl", "repl", "repl", "hover", "watch", "clipboard", "variables"]) }),
        "setVariable" => {
            json!({ "variablesReference": variable(choices, heard), "value": choices.of(&VALUES),
            "name": choices.of(&["A", "B", "v", "outcome", "status", "TOKEN", "outputs", ""]) })
        }
        "setExpression" => json!({ "expression": text(choices), "value": choices.of(&VALUES) }),
        "completions" => json!({ "text": text(choices), "column": number(choices), "line": 1 }),
        "variables" => json!({ "variablesReference": variable(choices, heard), "start": number(choices),
            "count": number(choices), "filter": choices.of(&["named", "indexed"]) }),
        "scopes" | "restartFrame" | "stepInTargets" => json!({ "frameId": frame(choices, heard) }),
        "stackTrace" => json!({ "threadId": 1, "startFrame": number(choices), "levels": number(choices) }),
        "gotoTargets" | "breakpointLocations" => {
            json!({ "source": source(choices), "line": line(choices), "endLine": line(choices) })
        }
        "goto" => json!({ "threadId": 1, "targetId": target(choices, heard) }),
        "source" => json!({ "source": source(choices), "sourceReference": number(choices) }),
        "terminateThreads" => json!({ "threadIds": [number(choices)] }),
        "cancel" => json!({ "requestId": heard.some_request(choices), "progressId": "progress 1" }),
        "stepback/view" | "stepback/goto" => json!({ "moment": choices.below(12) }),
        "stepback/diff" => json!({ "from": choices.below(12), "to": choices.below(12) }),
        "next" | "stepIn" | "stepBack" => json!({ "threadId": 1, "granularity": "line" }),
        command => breakpoints(command, choices).unwrap_or_else(|| json!({ "threadId": 1 })),
    }
}

fn leaving(choices: &mut Choices<'_>) -> Json {
    let mut arguments = json!({});
    for name in ["restart", "terminateDebuggee", "suspendDebuggee"] {
        match choices.below(4) {
            0 => arguments[name] = json!(true),
            1 => arguments[name] = json!(false),
            _ => {}
        }
    }
    arguments
}

fn breakpoints(command: &str, choices: &mut Choices<'_>) -> Option<Json> {
    let conditions = ["", "env.A == 'one'", "'open", "always()", "job.status == 'failure'"];
    let mut many = |make: &mut dyn FnMut(&mut Choices<'_>) -> Json| -> Vec<Json> {
        let count = choices.below(4);
        (0..count)
            .map(|_| {
                let mut one = make(choices);
                one["condition"] = json!(choices.of(&conditions));
                one["hitCondition"] = json!(choices.of(&["", "2", ">= 1", "% 2", "x"]));
                one
            })
            .collect()
    };
    Some(match command {
        "setBreakpoints" => {
            let all = many(&mut |choices| {
                let log = choices.of(&["", "", "A is {env.A}", "{", "}{"]);
                json!({ "line": line(choices), "column": 1, "logMessage": log })
            });
            json!({ "source": source(choices), "breakpoints": all, "lines": [9] })
        }
        "setFunctionBreakpoints" => json!({ "breakpoints": many(&mut |choices| {
            json!({ "name": choices.of(&["one", "fails", "2", "Two", "99", "", "actions/checkout"]) })
        }) }),
        "setDataBreakpoints" => json!({ "breakpoints": many(&mut |choices| {
            json!({ "dataId": choices.of(&["env.B", "job.status", "steps.one.outputs.v", "file:x", "", "x.y"]),
                "accessType": choices.of(&["write", "read", "readWrite"]) })
        }) }),
        "setExceptionBreakpoints" => {
            let filter =
                choices.of(&["failed", "skipped", "cancelled", "continueOnError", "expression", "no"]);
            let condition = choices.of(&conditions);
            json!({ "filters": [filter], "filterOptions": [{ "filterId": filter, "condition": condition }] })
        }
        "dataBreakpointInfo" => json!({ "name": text(choices), "variablesReference": choices.below(20) }),
        _ => return None,
    })
}

/// A text, mostly a whole one.
pub(super) fn text(choices: &mut Choices<'_>) -> String {
    let text = choices.of(&TEXTS);
    if choices.one_in(8) {
        let other = choices.of(&TEXTS);
        let cut = text.chars().take(choices.below(8));
        return cut.chain(other.chars()).collect();
    }
    text.to_owned()
}

fn number(choices: &mut Choices<'_>) -> i64 {
    EDGES[choices.below(EDGES.len())]
}

fn line(choices: &mut Choices<'_>) -> i64 {
    if choices.one_in(8) { number(choices) } else { i64::try_from(choices.below(30)).unwrap_or(0) }
}

fn source(choices: &mut Choices<'_>) -> Json {
    match choices.below(8) {
        0 => json!({ "path": "/w/other.yml" }),
        1 => json!({ "sourceReference": number(choices) }),
        2 => json!({ "name": "ci.yml" }),
        3 => json!({ "path": format!("file://{WORKFLOW}") }),
        _ => json!({ "path": WORKFLOW }),
    }
}

fn reference(choices: &mut Choices<'_>, known: &[i64]) -> i64 {
    match choices.below(8) {
        0 => number(choices),
        1 => i64::try_from(choices.below(40)).unwrap_or(0),
        _ if known.is_empty() => 1,
        // The newest ones are the likeliest to be of this stop.
        _ => known[known.len() - 1 - choices.below(known.len().min(12))],
    }
}

fn frame(choices: &mut Choices<'_>, heard: &Heard) -> Option<i64> {
    (!choices.one_in(4)).then(|| reference(choices, &heard.numbers.frames))
}

fn variable(choices: &mut Choices<'_>, heard: &Heard) -> i64 {
    reference(choices, &heard.numbers.variables)
}

fn target(choices: &mut Choices<'_>, heard: &Heard) -> i64 {
    reference(choices, &heard.numbers.targets)
}
