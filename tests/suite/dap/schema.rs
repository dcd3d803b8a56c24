//! Messages held against the JSON schema of the protocol, which nobody here wrote: whatever we send has to be valid.
//! Knows which definition a message belongs to; does not know who sent it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use jsonschema::Validator;
use serde_json::{Value as Json, json};

/// The schema; definitions are compiled when they are first needed.
pub(crate) struct Schema {
    document: Json,
    validators: RefCell<BTreeMap<String, Rc<Validator>>>,
}

impl Schema {
    /// The schema of the conformance data, unless that is absent.
    pub(crate) fn load() -> Option<Schema> {
        let folder = crate::conformance::data()?;
        Some(Schema::read(&folder.join("dap/debugAdapterProtocol.json")))
    }

    fn read(path: &Path) -> Schema {
        Schema { document: crate::conformance::json(path), validators: RefCell::default() }
    }

    /// Fails with the message and all that is wrong with it.
    #[track_caller]
    pub(crate) fn assert_valid(&self, message: &Json) {
        if let Err(wrong) = self.check(message) {
            panic!("{wrong}\nin {message:#}");
        }
    }

    /// Whether a message is valid, by its definition; one of our own by that of all messages of its type.
    pub(crate) fn check(&self, message: &Json) -> Result<(), String> {
        let name = self.definition(message)?;
        let validator = self.validator(&name);
        let wrong: Vec<String> = validator
            .iter_errors(message)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        if wrong.is_empty() { Ok(()) } else { Err(format!("no {name}: {}", wrong.join("; "))) }
    }

    fn definition(&self, message: &Json) -> Result<String, String> {
        let kind = message["type"].as_str().ok_or("no type")?;
        let (general, name) = match kind {
            "request" => ("Request", message["command"].as_str()),
            "response" if message["success"] == false => return Ok("ErrorResponse".to_owned()),
            "response" => ("Response", message["command"].as_str()),
            "event" => ("Event", message["event"].as_str()),
            other => return Err(format!("no type of a message: {other}")),
        };
        let name = name.ok_or("no name")?;
        let own = format!("{}{}{general}", name[..1].to_uppercase(), &name[1..]);
        let known = self.document["definitions"].get(&own).is_some();
        Ok(if known { own } else { general.to_owned() })
    }

    fn validator(&self, name: &str) -> Rc<Validator> {
        let mut validators = self.validators.borrow_mut();
        let validator = validators.entry(name.to_owned()).or_insert_with(|| {
            let root = json!({
                "$schema": self.document["$schema"],
                "definitions": self.document["definitions"],
                "allOf": [{ "$ref": format!("#/definitions/{name}") }],
            });
            Rc::new(jsonschema::validator_for(&root).unwrap())
        });
        Rc::clone(validator)
    }
}

#[test]
fn the_schema_tells_valid_messages_from_others() {
    let Some(schema) = Schema::load() else { return };
    let stopped = |body: Json| json!({"seq": 1, "type": "event", "event": "stopped", "body": body});
    schema.assert_valid(&stopped(json!({"reason": "step", "threadId": 1})));
    for wrong in [json!({}), json!({"reason": 1}), json!({"reason": "step", "text": null}), Json::Null] {
        assert!(schema.check(&stopped(wrong.clone())).is_err(), "{wrong}");
    }
    let response =
        json!({"seq": 1, "type": "response", "request_seq": 1, "success": true, "command": "threads"});
    assert!(schema.check(&response).is_err(), "a body is required");
    let error = json!({"seq": 1, "type": "response", "request_seq": 1, "success": false, "command": "threads",
        "message": "x", "body": {"error": {"id": 1, "format": "x"}}});
    schema.assert_valid(&error);
    let custom = json!({"seq": 1, "type": "event", "event": "stepback/timeline", "body": {"moments": []}});
    schema.assert_valid(&custom);
}
