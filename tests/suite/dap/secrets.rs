//! Secrets never reach a client: not as output, variables, names of files, errors, nor in whatever it asks for.

use serde_json::{Value as Json, json};

use super::listening::{Blocking, Listening};
use crate::cli::program::Sandbox;

const SECRET: &str = "hunter2-and-more";
const ENCODED: &str = "aHVudGVyMi1hbmQtbW9yZQ==";

/// A step that puts its secret everywhere, and one that fails over it.
const WORKFLOW: &str = "on: push
jobs:
  build:
    runs-on: x
    steps:
      - id: leak
        name: 'Log in as ${{ secrets.TOKEN }}'
        env: {TOKEN: '${{ secrets.TOKEN }}'}
        run: |
          echo \"printed $TOKEN\"; echo \"$TOKEN\" >&2
          printf %s \"$TOKEN\" | base64
          echo \"::group::of $TOKEN\"; echo \"::error file=$TOKEN::bad $TOKEN\"; echo ::endgroup::
          echo \"T=$TOKEN\" >> $GITHUB_ENV
          echo \"t=x${TOKEN}x\" >> $GITHUB_OUTPUT
          mkdir \"folder-$TOKEN\"; echo one > \"folder-$TOKEN/file-$TOKEN\"; echo \"in $TOKEN\" > kept
      - id: last
        name: 'Use ${{ env.T }}'
        run: 'echo \"with ${{ steps.leak.outputs.t }}\"; echo \"more $T\" >> kept; false'
";

/// What a person may type.
const TYPED: [&str; 17] = [
    "secrets",
    "secrets.TOKEN",
    "env.T",
    "steps.leak.outputs.t",
    "toJSON(steps)",
    "toJSON(secrets)",
    "fromJSON(env.T)",
    "format('{0}{1}', env.T)",
    "hashFiles(env.T)",
    "env[env.T]",
    "contains(env.T, 'h') && env.T || env.T",
    "github.event",
    "nonsense(env.T",
    "hunter2-and-more",
    "'hunter2-and-more'",
    "env.hunter2-and-more",
    "toJSON(env)",
];

/// And in the console, besides.
const COMMANDS: [&str; 13] = [
    "log",
    "diff",
    "timeline",
    "env",
    "outputs",
    "steps",
    "list",
    "why",
    "when env.T",
    "when file:kept",
    "! cat kept; ls -R; env; echo hunter2-and-more",
    "goto hunter2-and-more",
    "hunter2-and-more",
];

#[test]
fn no_byte_that_a_client_is_sent_tells_a_secret() {
    let sandbox = Sandbox::new(WORKFLOW);
    let debugger = Listening::start(&sandbox, &["--listen", "--secret", &format!("TOKEN={SECRET}")]);
    let mut client = debugger.client();
    client.attach(&json!({ "stopAtEnd": true }));
    ask_everything(&mut client);
    let watched = ["env.T", "steps.leak.outputs.t", "file:**"].map(|key| json!({ "dataId": key }));
    client.ask("setDataBreakpoints", &json!({ "breakpoints": watched }));
    client.ask("continue", &json!({ "threadId": 1 }));
    let stop = client.event("stopped");
    assert_eq!(stop["reason"], "data breakpoint", "{stop}");
    ask_everything(&mut client);
    client.ask("setDataBreakpoints", &json!({ "breakpoints": [] }));
    let path = client.ask("stackTrace", &json!({ "threadId": 1 }))["stackFrames"][0]["source"].clone();
    let logs =
        json!({ "line": 19, "logMessage": "{env.T} and {steps.leak.outputs.t} and {fromJSON(env.T)}" });
    client.tried("setBreakpoints", &json!({ "source": path, "breakpoints": [logs] }));
    client.ask("setExceptionBreakpoints", &json!({ "filters": ["failed"] }));
    client.ask("continue", &json!({ "threadId": 1 }));
    let stop = client.event("stopped");
    assert_eq!(stop["reason"], "exception", "{stop}");
    client.ask("exceptionInfo", &json!({ "threadId": 1 }));
    ask_everything(&mut client);
    client.ask("stepBack", &json!({ "threadId": 1 }));
    client.event("stopped");
    ask_everything(&mut client);
    client.ask("terminate", &json!({}));
    client.event("terminated");
    drop(debugger);

    let heard = String::from_utf8_lossy(&client.heard).into_owned();
    for hidden in [SECRET, ENCODED] {
        if let Some(at) = heard.find(hidden) {
            let start = heard[..at].rfind("Content-Length").unwrap_or(0);
            panic!("{hidden} was told: {}", &heard[start..at + hidden.len()]);
        }
    }
    for shown in ["printed ***", "Log in as ***", "kept", "folder-***"] {
        assert!(heard.contains(shown), "{shown} was not told, so this test has not looked at it");
    }
}

/// All that can be asked for without moving. What is refused is told too.
fn ask_everything(client: &mut Blocking) {
    let stack = client.ask("stackTrace", &json!({ "threadId": 1 }));
    for frame in stack["stackFrames"].as_array().unwrap() {
        let scopes = client.ask("scopes", &json!({ "frameId": frame["id"] }));
        for scope in scopes["scopes"].as_array().unwrap() {
            open(client, &scope["variablesReference"]);
        }
    }
    for expression in TYPED {
        for context in ["hover", "watch", "clipboard", "repl", "variables"] {
            let arguments = json!({ "expression": expression, "context": context });
            let answer = client.tried("evaluate", &arguments);
            if answer["body"]["variablesReference"].as_i64().is_some_and(|reference| reference > 0) {
                open(client, &answer["body"]["variablesReference"]);
            }
        }
        let column = expression.len() + 1;
        client.tried("completions", &json!({ "text": expression, "column": column }));
        client.tried("dataBreakpointInfo", &json!({ "name": expression }));
        let watched = [json!({ "dataId": expression, "condition": expression, "hitCondition": expression })];
        client.tried("setDataBreakpoints", &json!({ "breakpoints": watched }));
        client.tried("setFunctionBreakpoints", &json!({ "breakpoints": [{ "name": expression }] }));
    }
    for command in COMMANDS {
        client.tried("evaluate", &json!({ "expression": command, "context": "repl" }));
    }
    for text in ["", "env.", "steps.leak.outputs.", "goto ", "when ", "break ", "! cat "] {
        client.tried("completions", &json!({ "text": text, "column": text.len() + 1 }));
    }
    for name in ["env.PLAIN", "steps.leak.outputs.t"] {
        client.tried("setExpression", &json!({ "expression": name, "value": SECRET }));
    }
    client.ask("setDataBreakpoints", &json!({ "breakpoints": [] }));
    client.ask("setFunctionBreakpoints", &json!({ "breakpoints": [] }));
    let sources = client.ask("loadedSources", &json!({}));
    for source in sources["sources"].as_array().unwrap() {
        client.tried("source", &json!({ "source": source, "sourceReference": source["sourceReference"] }));
    }
    for line in 1..24 {
        let source = &sources["sources"][0];
        client.tried("gotoTargets", &json!({ "source": source, "line": line }));
    }
    for request in ["threads", "stepback/timeline", "stepback/diff"] {
        client.tried(request, &Json::Null);
    }
}

fn open(client: &mut Blocking, reference: &Json) {
    let answer = client.ask("variables", &json!({ "variablesReference": reference }));
    for variable in answer["variables"].as_array().unwrap() {
        if variable["variablesReference"] != 0 {
            open(client, &variable["variablesReference"]);
        }
    }
}
