//! Background steps as threads of the protocol: they come and go, have frames and variables, and can be ended.

use engine::effect::Outcome;
use engine::secrets::Secrets;
use host::live::LiveHost;
use serde_json::{Value as Json, json};

use crate::dap::job::Job;
use crate::dap::wire::Peer;
use crate::debugger::little::workflow;
use crate::debugger::live::{Live, alone};
use crate::debugger::{Place, block_on, plan};

const STEPS: &str = r#"- id: server
  name: Server
  background: true
  env:
    OF: the server
  run: sleep 1000
- id: brief
  name: Brief
  background: true
  run: exit 0
- wait: brief
- run: echo after
- wait: server
"#;

/// A thread that begins with its step, shows it, and is ended by a client.
pub fn check() {
    let _turn = alone();
    block_on(async {
        let place = Place::new();
        let settings = Live::debug(&place).settings();
        let job = Job::on(plan(&workflow(STEPS)), place, Secrets::default(), |masks, log| {
            LiveHost::new(settings, masks, Box::new(log))
        });
        let mut peer = Peer::attached(&job.desk, &[]).await;
        peer.stopped().await;
        assert_eq!(threads(&peer).await, ["1 j"]);

        peer.ask("next", &json!({ "threadId": 1 })).await;
        assert_eq!(peer.event_named("thread").await, json!({ "reason": "started", "threadId": 2 }));
        peer.stopped().await;
        assert_eq!(threads(&peer).await, ["1 j", "2 1 Server (running)"]);
        shows_the_server(&peer).await;
        assert_eq!(bars(&peer).await, ["1 Server in 1"]);

        peer.ask("next", &json!({ "threadId": 1 })).await;
        assert_eq!(peer.event_named("thread").await, json!({ "reason": "started", "threadId": 3 }));
        peer.ask("continue", &json!({ "threadId": 1 })).await;
        assert_eq!(peer.event_named("thread").await, json!({ "reason": "exited", "threadId": 3 }));
        peer.ask("terminateThreads", &json!({ "threadIds": [2] })).await;
        assert_eq!(peer.event_named("thread").await, json!({ "reason": "exited", "threadId": 2 }));
        assert!(peer.stopped().await.ended);
        assert_eq!(threads(&peer).await, ["1 j"]);
        assert_eq!(bars(&peer).await[..2], ["1 Server in 1: cancelled", "2 Brief in 2: success"]);
        let gone = peer.tried("stackTrace", &json!({ "threadId": 2 })).await;
        assert_eq!(gone, Err("there is no thread 2".to_owned()));
        peer.hang_up().await;
        let (ended, _) = job.quit().await;
        assert_eq!(ended.outcome, Outcome::Success);
    });
}

/// The frames of the step that runs in the background, and the variables of its own.
async fn shows_the_server(peer: &Peer) {
    let stack = peer.ask("stackTrace", &json!({ "threadId": 2 })).await;
    let frames = stack["stackFrames"].as_array().unwrap();
    assert_eq!((frames.len(), &frames[0]["name"], &frames[0]["line"]), (2, &json!("1 Server"), &json!(6)));
    let scopes = peer.ask("scopes", &json!({ "frameId": frames[0]["id"] })).await;
    assert_eq!(variable(peer, &scopes, "Env", "OF").await, "the server");
    assert!(variable(peer, &scopes, "Background", "1 Server").await.starts_with("running"));
    // The foreground has another environment, and the same list.
    let stack = peer.ask("stackTrace", &json!({ "threadId": 1 })).await;
    let scopes = peer.ask("scopes", &json!({ "frameId": stack["stackFrames"][0]["id"] })).await;
    assert_eq!(variable(peer, &scopes, "Env", "OF").await, "none");
    assert!(variable(peer, &scopes, "Background", "1 Server").await.starts_with("running"));
}

/// What a scope shows of a name.
async fn variable(peer: &Peer, scopes: &Json, scope: &str, name: &str) -> String {
    let scopes = scopes["scopes"].as_array().unwrap();
    let reference = &scopes.iter().find(|known| known["name"] == scope).unwrap()["variablesReference"];
    let all = peer.ask("variables", &json!({ "variablesReference": reference })).await;
    let found = all["variables"].as_array().unwrap().iter().find(|variable| variable["name"] == name);
    found.map_or_else(|| "none".to_owned(), |variable| variable["value"].as_str().unwrap().to_owned())
}

/// The bars of background steps in the timeline: their lanes, and how they ended.
async fn bars(peer: &Peer) -> Vec<String> {
    let answer = peer.ask("stepback/timeline", &Json::Null).await;
    let runs = answer["runs"].as_array().unwrap().iter().filter(|run| run["lane"] != 0);
    let bar = |run: &Json| {
        let outcome = run["outcome"].as_str().map_or_else(String::new, |outcome| format!(": {outcome}"));
        assert_eq!(run["tookMs"].is_null(), outcome.is_empty(), "a bar without an end has no length: {run}");
        format!("{} {} in {}{outcome}", run["number"], run["name"].as_str().unwrap(), run["lane"])
    };
    runs.map(bar).collect()
}

/// `number name` of each thread.
async fn threads(peer: &Peer) -> Vec<String> {
    let answer = peer.ask("threads", &Json::Null).await;
    let all = answer["threads"].as_array().unwrap().iter();
    all.map(|thread| format!("{} {}", thread["id"], thread["name"].as_str().unwrap())).collect()
}
