//! Recordings that an editor opens: where they stand, that nothing runs for having been opened, and what is refused.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;

use serde_json::{Value as Json, json};
use session::journal::{RecordingId, Recordings};

use super::listening::{Blocking, Listening};
use crate::cli::program::{Sandbox, copy};

/// `RAN` counts what has run.
const WORKFLOW: &str = "on: push
jobs:
  build:
    runs-on: x
    steps:
      - {name: One, id: one, run: 'echo v=1 >> $GITHUB_OUTPUT; echo 1 > file; echo one >> RAN'}
      - {name: Two, run: 'echo two >> RAN; grep -q 2 file'}
      - {name: Three, if: always(), run: 'echo three >> RAN'}
";

/// An adapter on its own input and output, killed at the end of the test.
struct Adapter {
    client: Blocking,
    child: Child,
}

impl Adapter {
    fn start(sandbox: &Sandbox) -> Self {
        let (mut client, child) = Blocking::of_program(sandbox);
        client.ask("initialize", &json!({ "adapterID": "stepback" }));
        Self { client, child }
    }

    /// Opens a recording; where it stands.
    fn open(&mut self, arguments: &Json) -> Json {
        self.client.ask("attach", arguments);
        self.client.event("initialized");
        self.client.ask("configurationDone", &json!({}));
        self.client.event("stopped")
    }

    fn ask(&mut self, command: &str, arguments: &Json) -> Json {
        self.client.ask(command, arguments)
    }

    /// Moves, and waits for the stop.
    fn go(&mut self, command: &str) -> Json {
        self.ask(command, &json!({ "threadId": 1 }));
        self.client.event("stopped")
    }

    fn value(&mut self, expression: &str) -> String {
        let body = self.ask("evaluate", &json!({ "expression": expression, "context": "clipboard" }));
        body["result"].as_str().unwrap().to_owned()
    }

    fn console(&mut self, line: &str) -> String {
        let body = self.ask("evaluate", &json!({ "expression": line, "context": "repl" }));
        body["result"].as_str().unwrap().to_owned()
    }

    /// The name of the frame that is looked at, and its line.
    fn top(&mut self) -> (String, i64) {
        let frames = self.ask("stackTrace", &json!({ "threadId": 1 }));
        let top = &frames["stackFrames"][0];
        (top["name"].as_str().unwrap().to_owned(), top["line"].as_i64().unwrap())
    }

    /// What is said when it cannot be opened.
    fn refused(&mut self, arguments: &Json) -> String {
        let answer = self.client.tried("attach", arguments);
        assert_eq!(answer["success"], false, "{answer}");
        assert_eq!(answer["body"]["error"]["showUser"], true, "{answer}");
        answer["message"].as_str().unwrap().to_owned()
    }

    /// Why it does not move.
    fn not_done(&mut self, command: &str) -> String {
        self.not_answered(command, &json!({ "threadId": 1 }))
    }

    fn not_answered(&mut self, command: &str, arguments: &Json) -> String {
        let answer = self.client.tried(command, arguments);
        assert_eq!(answer["success"], false, "{answer}");
        answer["message"].as_str().unwrap().to_owned()
    }

    /// Leaves by this request; the exit code of the program.
    fn leave(mut self, command: &str, arguments: &Json) -> Option<i32> {
        self.ask(command, arguments);
        if command != "disconnect" {
            self.client.event("terminated");
            self.ask("disconnect", &json!({}));
        }
        self.child.wait().unwrap().code()
    }
}

impl Drop for Adapter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ran_file(sandbox: &Sandbox) -> PathBuf {
    sandbox.beside().join("ran")
}

fn ran(sandbox: &Sandbox) -> String {
    fs::read_to_string(ran_file(sandbox)).unwrap_or_default()
}

/// A repository with this workflow, whose job has run and failed.
fn recorded_with(workflow: &str, arguments: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new("");
    let workflow = workflow.replace("RAN", &ran_file(&sandbox).to_string_lossy());
    sandbox.write(".github/workflows/ci.yml", &workflow);
    let run = sandbox.run(&[&["run"], arguments].concat(), "");
    assert_eq!(run.code, Some(1), "{}{}", run.out, run.errors);
    sandbox
}

fn recorded() -> Sandbox {
    recorded_with(WORKFLOW, &[])
}

fn state(sandbox: &Sandbox) -> PathBuf {
    sandbox.beside().join("state/stepback")
}

/// The names of all recordings, the oldest first.
fn names(sandbox: &Sandbox) -> Vec<String> {
    let listed = Recordings::under(&state(sandbox)).unwrap().list().unwrap();
    listed.into_iter().map(|listed| listed.id.to_string()).collect()
}

fn folder(sandbox: &Sandbox, name: &str) -> PathBuf {
    state(sandbox).join("recordings").join(name)
}

const AFTER_THE_RUN: &str = "one\ntwo\nthree\n";

#[test]
fn the_last_one_stands_at_its_failure_and_is_walked_like_any_job() {
    let sandbox = recorded();
    let mut adapter = Adapter::start(&sandbox);
    let stop = adapter.open(&json!({ "recording": "last" }));
    assert_eq!(stop["reason"], "exception", "{stop}");
    assert_eq!(adapter.top(), ("2 Two".to_owned(), 7));
    let info = adapter.ask("exceptionInfo", &json!({ "threadId": 1 }));
    assert!(info["description"].as_str().unwrap().contains("Two failed with exit code 1"), "{info}");
    assert_eq!(adapter.value("steps.one.outputs.v"), "1");

    let timeline = adapter.ask("stepback/timeline", &json!({}));
    let first = timeline["moments"][0]["id"].clone();
    adapter.ask("stepback/view", &json!({ "moment": first }));
    assert_eq!(adapter.value("steps.one.outputs.v"), "null");
    adapter.ask("stepback/view", &json!({ "moment": null }));
    assert_eq!(adapter.value("steps.one.outputs.v"), "1");

    adapter.go("stepBack");
    adapter.go("stepBack");
    assert_eq!(adapter.top(), ("1 One".to_owned(), 6));
    assert_eq!(adapter.value("steps.one.outputs.v"), "null");
    assert_eq!(adapter.value("hashFiles('file')"), "");
    let start = adapter.go("reverseContinue");
    assert!(start["description"].as_str().unwrap().contains("Start"), "{start}");
    assert_eq!(ran(&sandbox), AFTER_THE_RUN, "it was only looked at");
    assert_eq!(adapter.leave("disconnect", &json!({})), Some(1));
    assert_eq!(ran(&sandbox), AFTER_THE_RUN);
}

#[test]
fn it_runs_on_from_where_it_was_mended() {
    let sandbox = recorded();
    let mut adapter = Adapter::start(&sandbox);
    let [name] = names(&sandbox).try_into().unwrap();
    adapter.open(&json!({ "recording": name }));
    adapter.go("stepBack");
    assert!(adapter.console("! echo 2 > file").contains("changed file"));
    let end = adapter.go("continue");
    assert_eq!(end["description"], "The job succeeded", "it stays at its end, to be gone back from");
    assert_eq!(ran(&sandbox), "one\ntwo\nthree\ntwo\nthree\n");
    assert_eq!(adapter.leave("disconnect", &json!({})), Some(0));
    // What was done is in the recording.
    let mut again = Adapter::start(&sandbox);
    let stop = again.open(&json!({ "recording": name }));
    assert_eq!(stop["description"], "The job succeeded");
    assert_eq!(again.ask("stepback/timeline", &json!({}))["branch"], 2);
    assert_eq!(again.leave("terminate", &json!({})), Some(0));
}

#[test]
fn no_way_of_leaving_runs_anything() {
    let workflow = WORKFLOW
        .replace("grep -q 2 file", "kill -9 $PPID; sleep 600")
        .replace("echo v=1", "echo v=${{ secrets.TOKEN }}");
    let sandbox = Sandbox::new("");
    let secrets = sandbox.beside().join("secrets");
    fs::write(&secrets, "TOKEN=hunter2\n").unwrap();
    let workflow = workflow.replace("RAN", &ran_file(&sandbox).to_string_lossy());
    sandbox.write(".github/workflows/ci.yml", &workflow);
    // Killed in the middle of its second step: what always runs is still to come.
    assert_eq!(sandbox.run(&["run", "--secret", "TOKEN=hunter2"], "").code, None);
    let ways = [
        ("disconnect", json!({})),
        ("disconnect", json!({ "terminateDebuggee": true })),
        ("disconnect", json!({ "terminateDebuggee": false })),
        ("terminate", json!({})),
    ];
    // Without its secrets it can only be looked at.
    let members = [json!({ "secretFile": secrets }), json!({})];
    for ((command, arguments), members) in
        ways.iter().flat_map(|way| members.iter().map(move |members| (way, members)))
    {
        let mut adapter = Adapter::start(&sandbox);
        // No member of the configuration begins it either.
        let mut opening = json!({ "recording": "last", "stopOnEntry": false, "noDebug": true });
        opening.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let stop = adapter.open(&opening);
        assert_eq!(stop["reason"], "pause", "{stop}");
        assert_eq!(adapter.top(), ("2 Two".to_owned(), 7));
        assert_eq!(adapter.leave(command, arguments), Some(130), "{command} {arguments}");
        assert_eq!(ran(&sandbox), "one\ntwo\n", "{command} {arguments}");
    }
    // A client that goes without a word.
    let mut adapter = Adapter::start(&sandbox);
    adapter.open(&json!({ "recording": "last" }));
    let (client, child) =
        (std::mem::replace(&mut adapter.client, Blocking::of_program(&sandbox).0), &mut adapter.child);
    drop(client);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(ran(&sandbox), "one\ntwo\n");
}

#[test]
fn what_cannot_be_opened_is_said_and_another_one_may_be_tried() {
    let sandbox = recorded();
    let [name] = names(&sandbox).try_into().unwrap();
    let mut adapter = Adapter::start(&sandbox);
    let mut refused = |recording: Json, parts: &[&str]| {
        let text = adapter.refused(&json!({ "recording": recording }));
        parts.iter().for_each(|part| assert!(text.contains(part), "{part}: {text}"));
    };
    let typo = format!("{}x", &name[..name.len() - 1]);
    let meant = format!("did you mean `{name}`?");
    refused(json!(typo), &["there is no recording", &meant, "the newest are"]);
    refused(json!("yesterday"), &["there is no recording `yesterday`", &name, "`last`"]);
    refused(json!("./gone"), &["gone: it is not the folder of a recording", "by its name"]);
    sandbox.write("job.stepback", "");
    refused(json!("job.stepback"), &["a file is no recording", "by its folder"]);
    refused(json!(7), &["'recording' is no text"]);
    refused(json!(""), &["'recording' is no text"]);
    // One that broke off before there was anything to see.
    let empty = RecordingId::new("20000101-000000-0000.0000").unwrap();
    drop(Recordings::under(&state(&sandbox)).unwrap().create(empty.clone()).unwrap());
    fs::write(folder(&sandbox, empty.as_str()).join("journal"), "").unwrap();
    refused(json!(empty.as_str()), &["`20000101-000000-0000.0000`", "ended before it began"]);
    let stop = adapter.open(&json!({ "recording": name }));
    assert_eq!(stop["reason"], "exception");
    assert_eq!(adapter.leave("disconnect", &json!({})), Some(1));
}

#[test]
fn one_that_is_in_use_can_be_looked_at_and_is_free_again_afterwards() {
    let sandbox = recorded();
    let mut first = Adapter::start(&sandbox);
    first.open(&json!({ "recording": "last" }));
    let [name] = names(&sandbox).try_into().unwrap();
    let mut second = Adapter::start(&sandbox);
    let text = second.refused(&json!({ "recording": "last" }));
    assert!(text.contains("the only recording is of a run that still goes on"), "{text}");
    second.open(&json!({ "recording": name }));
    second.go("stepBack");
    assert_eq!(second.value("steps.one.outputs.v"), "1");
    let text = second.not_done("next");
    assert!(text.contains("another debugger has it open"), "{text}");
    assert_eq!(second.leave("disconnect", &json!({})), Some(1));
    // What the other one did is none of the first's business.
    first.go("stepBack");
    assert_eq!(first.leave("disconnect", &json!({})), Some(1));
    let mut third = Adapter::start(&sandbox);
    third.open(&json!({ "recording": "last" }));
    assert_eq!(third.leave("disconnect", &json!({})), Some(1));
}

#[test]
fn one_from_elsewhere_is_opened_by_its_folder_with_its_secrets_and_looked_at_without_them() {
    let workflow = WORKFLOW.replace("echo v=1", "echo v=${{ secrets.TOKEN }}");
    let sandbox = recorded_with(&workflow, &["--secret", "TOKEN=hunter2"]);
    let [name] = names(&sandbox).try_into().unwrap();
    // As it was handed over: under another name, with no recording of one's own.
    let moved = sandbox.beside().join("from-a-friend");
    copy(&folder(&sandbox, &name), &moved);
    fs::remove_dir_all(state(&sandbox)).unwrap();
    let secrets = sandbox.beside().join("secrets");
    fs::write(&secrets, "TOKEN=hunter2\n").unwrap();

    // Its writer may have been killed: what is cut off when somebody goes on is left alone by who only looks.
    let mut journal = fs::read(moved.join("journal")).unwrap();
    journal.extend(b"torn");
    fs::write(moved.join("journal"), &journal).unwrap();
    let has_run = ran(&sandbox);
    let mut adapter = Adapter::start(&sandbox);
    let text = adapter.refused(&json!({ "recording": moved, "secrets": { "TOKEN": "hunter2" } }));
    assert!(text.contains("holds no secrets") && !text.contains("hunter2"), "{text}");
    let stop = adapter.open(&json!({ "recording": moved }));
    assert_eq!(stop["reason"], "exception", "{stop}");
    assert_eq!(adapter.value("steps.one.outputs.v"), "{secret TOKEN plain}");
    assert_eq!(adapter.go("stepBack")["reason"], "step");
    assert_eq!(adapter.go("reverseContinue")["reason"], "step");
    assert_eq!(adapter.top().0, "1 One");
    for movement in ["next", "continue", "stepIn", "stepOut"] {
        let text = adapter.not_done(movement);
        assert!(text.contains("only be looked at: missing: TOKEN"), "{text}");
    }
    for line in ["! echo more >> file", "try true", "set env.A=1", "rerun", "sync", "keep"] {
        let text = adapter.not_answered("evaluate", &json!({ "expression": line, "context": "repl" }));
        assert!(text.contains("only be looked at: missing: TOKEN"), "{line}: {text}");
    }
    let text = adapter.not_answered("evaluate", &json!({ "expression": "hashFiles('file')" }));
    assert!(text.contains("files of the present"), "{text}");
    let text = adapter.console("diff m0 m3");
    assert!(text.starts_with("created   file\n"), "its snapshots came with it: {text}");
    // Ahead is what was recorded.
    adapter.console("goto 3");
    adapter.client.event("stopped");
    assert_eq!(
        (adapter.top().0.as_str(), adapter.value("steps.one.outputs.v").as_str()),
        ("3 Three", "{secret TOKEN plain}")
    );
    assert_eq!(adapter.console("return").lines().count(), 0);
    assert_eq!(adapter.leave("disconnect", &json!({})), Some(1));
    assert_eq!((fs::read(moved.join("journal")).unwrap(), ran(&sandbox)), (journal, has_run));

    let mut adapter = Adapter::start(&sandbox);
    let beside = Path::new("..").join("from-a-friend");
    let stop = adapter.open(&json!({ "recording": beside, "secretFile": secrets, "cwd": sandbox.root() }));
    assert_eq!(stop["reason"], "exception", "{stop}");
    assert_eq!(adapter.value("steps.one.outputs.v"), "***");
    assert_eq!(adapter.leave("disconnect", &json!({})), Some(1));
}

#[test]
fn what_was_sealed_on_another_machine_is_said() {
    let workflow = WORKFLOW.replace("echo v=1", "echo ::add-mask::hunter2; echo v=hunter2");
    let sandbox = recorded_with(&workflow, &[]);
    let key = state(&sandbox).join("seal.key");
    assert!(key.is_file());
    fs::remove_file(key).unwrap();
    let mut adapter = Adapter::start(&sandbox);
    adapter.open(&json!({ "recording": "last" }));
    let text = adapter.not_done("continue");
    assert!(text.contains("sealed under another key") && text.contains("another machine"), "{text}");
    assert_eq!(adapter.leave("disconnect", &json!({})), Some(1));
}

#[test]
fn a_listening_adapter_opens_one_too() {
    let sandbox = recorded();
    let debugger = Listening::for_launches(&sandbox);
    let mut client = debugger.client();
    client.ask("initialize", &json!({ "adapterID": "stepback" }));
    client.ask("attach", &json!({ "recording": "last" }));
    client.ask("configurationDone", &json!({}));
    assert_eq!(client.event("stopped")["reason"], "exception");
    client.ask("disconnect", &json!({}));
    assert_eq!(debugger.ended(), Some(1));
    assert_eq!(ran(&sandbox), AFTER_THE_RUN);
}
