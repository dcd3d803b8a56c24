//! Everything that a client can see of a stop, without the numbers that are good for one stop alone.

use serde_json::{Map, Value as Json, json};

use super::wire::Peer;

/// Frames, scopes and all variables below them.
pub(crate) async fn look(peer: &Peer) -> Json {
    let stack = peer.ask("stackTrace", &json!({ "threadId": 1 })).await;
    let mut seen = Vec::new();
    for frame in stack["stackFrames"].as_array().unwrap() {
        let scopes = peer.ask("scopes", &json!({ "frameId": frame["id"] })).await;
        let mut shown = Map::new();
        for scope in scopes["scopes"].as_array().unwrap() {
            // The contexts are the same for all frames.
            let known = seen.first().is_some_and(|first: &Json| first["scopes"].get(name(scope)).is_some());
            if !known {
                shown.insert(name(scope).to_owned(), children(peer, &scope["variablesReference"]).await);
            }
        }
        seen.push(json!({ "name": frame["name"], "line": frame["line"], "scopes": shown }));
    }
    Json::Array(seen)
}

async fn children(peer: &Peer, reference: &Json) -> Json {
    let answer = peer.ask("variables", &json!({ "variablesReference": reference })).await;
    let mut all = Map::new();
    for variable in answer["variables"].as_array().unwrap() {
        let mut shown = json!({ "value": variable["value"], "type": variable["type"] });
        if variable["variablesReference"] != 0 {
            shown["children"] = Box::pin(children(peer, &variable["variablesReference"])).await;
        }
        let twice = all.insert(name(variable).to_owned(), shown);
        assert!(twice.is_none(), "two variables of the name {}", name(variable));
    }
    Json::Object(all)
}

/// The number of the scope of this name in the top frame.
pub(crate) async fn scope(peer: &Peer, title: &str) -> Json {
    let stack = peer.ask("stackTrace", &json!({ "threadId": 1, "levels": 1 })).await;
    let frame = &stack["stackFrames"][0]["id"];
    let scopes = peer.ask("scopes", &json!({ "frameId": frame })).await;
    let all = scopes["scopes"].as_array().unwrap();
    let found = all.iter().find(|scope| scope["name"] == title);
    found.unwrap_or_else(|| panic!("no scope {title}: {scopes}"))["variablesReference"].clone()
}

fn name(named: &Json) -> &str {
    named["name"].as_str().unwrap()
}
