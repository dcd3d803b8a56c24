//! What an adapter has said, held against what may be said: each message is one, answers come once to what was asked, events
//! come when they may, and numbers are what they were.

use std::collections::{BTreeMap, BTreeSet};

use dap_server::envelope::{Content, Envelope, RawEvent, RawResponse};
use dap_server::protocol::{Event, ResponseBody};
use serde_json::Value as Json;
use serde_json::value::RawValue;

use super::choices::Choices;
use super::job::SECRET;

/// Every error that docs/dap.md lists.
const ERRORS: [std::ops::RangeInclusive<i64>; 2] = [1001..=1008, 2001..=2008];
const MALFORMED: i64 = 1001;
const UNKNOWN_COMMAND: i64 = 1002;
const INTERNAL: i64 = 1005;
const NOT_SERVED: i64 = 1006;

/// Capabilities and the request that each of them announces.
const ANNOUNCED: [(&str, &str); 14] = [
    ("supportsConfigurationDoneRequest", "configurationDone"),
    ("supportsFunctionBreakpoints", "setFunctionBreakpoints"),
    ("supportsDataBreakpoints", "setDataBreakpoints"),
    ("supportsExceptionInfoRequest", "exceptionInfo"),
    ("supportsStepBack", "stepBack"),
    ("supportsSetVariable", "setVariable"),
    ("supportsSetExpression", "setExpression"),
    ("supportsRestartFrame", "restartFrame"),
    ("supportsRestartRequest", "restart"),
    ("supportsGotoTargetsRequest", "gotoTargets"),
    ("supportsCompletionsRequest", "completions"),
    ("supportsTerminateRequest", "terminate"),
    ("supportsTerminateThreadsRequest", "terminateThreads"),
    ("supportsModulesRequest", "modules"),
];

/// A request that waits for its answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asked {
    pub(super) command: String,
    /// It cannot be read, so its answer says that.
    malformed: bool,
    pub(super) text: String,
}

/// Numbers that were given to the client, oldest first.
#[derive(Default)]
pub(super) struct Numbers {
    pub(super) frames: Vec<i64>,
    pub(super) variables: Vec<i64>,
    pub(super) targets: Vec<i64>,
}

/// One connection, as its client sees it.
#[derive(Default)]
pub(super) struct Heard {
    /// Numbers of messages that came.
    seq: i64,
    waiting: BTreeMap<i64, Vec<Asked>>,
    asked: Vec<i64>,
    pub(super) numbers: Numbers,
    /// `initialized`, `terminated` and `exited` that came.
    once: BTreeSet<String>,
    progresses: BTreeSet<String>,
    announced: Json,
    configured: bool,
    /// Times that the job was told to go or to stand: numbers of before mean nothing since.
    pub(super) movements: u32,
    /// It asked to leave.
    pub(super) leaves: bool,
    /// That was granted.
    pub(super) left: bool,
}

impl Heard {
    /// A message is on its way to the adapter.
    pub(super) fn asked(&mut self, text: &str) {
        let (seq, command, malformed) = match Envelope::parse(text) {
            Ok(Envelope { seq, content: Content::Request(request) }) => (seq, request.command, false),
            Ok(_) => return,
            Err(malformed) => match malformed.answer() {
                Some(answer) => (answer.request_seq, answer.command, true),
                None => return,
            },
        };
        self.configured |= command == "configurationDone";
        self.leaves |= command == "disconnect";
        self.asked.push(seq);
        self.waiting.entry(seq).or_default().push(Asked { command, malformed, text: text.to_owned() });
    }

    /// The number of some request, most likely of a new one.
    pub(super) fn some_request(&self, choices: &mut Choices<'_>) -> i64 {
        let back = choices.below(4);
        self.asked.iter().rev().nth(back).copied().unwrap_or(i64::from(choices.byte()))
    }

    /// Whether every request has its answer.
    pub(super) fn all_answered(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Requests that can no longer be answered by right. One that shares its number with another cannot be cancelled.
    pub(super) fn forgotten(&self) -> Vec<&Asked> {
        let shared = |seq: &i64| self.asked.iter().filter(|asked| *asked == seq).count() > 1;
        let all = self.waiting.iter().filter(|(seq, _)| !shared(seq));
        all.flat_map(|(_, asked)| asked).collect()
    }

    /// The numbers of requests without an answer.
    pub(super) fn waiting_numbers(&self) -> Vec<i64> {
        self.waiting.keys().copied().collect()
    }

    /// Nothing more will come: whatever was begun has to be ended.
    pub(super) fn nothing_is_open(&self) {
        assert!(self.progresses.is_empty(), "without an end: {:?}", self.progresses);
    }

    /// Takes a message; gives the body of an answer that was a success, with the number of its request.
    pub(super) fn message(&mut self, text: &str) -> Option<(i64, Json)> {
        assert!(!text.contains(SECRET), "a secret is told: {text}");
        let envelope = Envelope::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(envelope.seq, self.seq + 1, "numbers count: {text}");
        self.seq += 1;
        match envelope.content {
            Content::Response(response) => self.response(&response, text),
            Content::Event(event) => {
                self.event(&event, text);
                None
            }
            Content::Request(request) => panic!("nothing is asked of this client: {request:?}"),
        }
    }

    fn response(&mut self, response: &RawResponse, text: &str) -> Option<(i64, Json)> {
        let asked = self.take(response, text);
        if !response.success {
            self.refusal(response, &asked, text);
            return None;
        }
        ResponseBody::decode(&response.command, response.body.as_deref())
            .unwrap_or_else(|error| panic!("{error}: {text}"));
        let body = json(response.body.as_deref());
        self.learn(&response.command, &body);
        Some((response.request_seq, body))
    }

    /// The request that this answers: what cannot be read is told so. Two requests with one number may be answered in any order.
    fn take(&mut self, response: &RawResponse, text: &str) -> Asked {
        let waiting = self.waiting.get_mut(&response.request_seq);
        let waiting = waiting.unwrap_or_else(|| panic!("nobody waits for {text}"));
        let malformed = json(response.body.as_deref())["error"]["id"] == MALFORMED;
        let is_it = |asked: &Asked| asked.command == response.command && asked.malformed == malformed;
        let index = waiting.iter().position(is_it);
        let asked = waiting.remove(index.unwrap_or_else(|| panic!("not asked: {text}, but {waiting:?}")));
        if waiting.is_empty() {
            self.waiting.remove(&response.request_seq);
        }
        asked
    }

    fn refusal(&self, response: &RawResponse, asked: &Asked, text: &str) {
        assert!(response.message.as_deref().is_some_and(|said| !said.is_empty()), "no reason: {text}");
        let error = &json(response.body.as_deref())["error"];
        let id = error["id"].as_i64().unwrap_or_default();
        assert!(ERRORS.iter().any(|known| known.contains(&id)), "an unknown error: {text}");
        assert!(error["format"].as_str().is_some_and(|format| !format.is_empty()), "no text: {text}");
        assert_ne!(id, INTERNAL, "{} led to {text}", asked.text);
        if !asked.malformed && (id == NOT_SERVED || id == UNKNOWN_COMMAND) {
            let command = response.command.as_str();
            let flag = ANNOUNCED.iter().find(|(_, request)| *request == command).map(|(flag, _)| *flag);
            let announced = flag.is_some_and(|flag| self.announced[flag] == true);
            let own = self.announced["stepback"]["requests"].as_array().into_iter().flatten();
            assert!(!announced && !own.into_iter().any(|own| own == command), "announced, but {text}");
        }
    }

    fn learn(&mut self, command: &str, body: &Json) {
        let each = |list: &str, number: &str| -> Vec<i64> {
            let all = body[list].as_array().into_iter().flatten();
            all.filter_map(|one| one[number].as_i64()).filter(|number| *number != 0).collect()
        };
        match command {
            "initialize" => {
                let again = !self.announced.is_null();
                assert!(!again, "`initialize` was answered twice");
                self.announced = body.clone();
            }
            "disconnect" => self.left = true,
            "stackTrace" => self.numbers.frames.extend(each("stackFrames", "id")),
            "scopes" => self.numbers.variables.extend(each("scopes", "variablesReference")),
            "variables" => self.numbers.variables.extend(each("variables", "variablesReference")),
            "evaluate" => self.numbers.variables.extend(body["variablesReference"].as_i64()),
            "gotoTargets" => self.numbers.targets.extend(each("targets", "id")),
            _ => {}
        }
    }

    fn event(&mut self, event: &RawEvent, text: &str) {
        let typed = Event::decode(event.clone()).unwrap_or_else(|error| panic!("{error}: {text}"));
        let name = event.event.as_str();
        let body = json(event.body.as_deref());
        if matches!(name, "initialized" | "terminated" | "exited") {
            assert!(self.once.insert(name.to_owned()), "once more: {text}");
        }
        assert!(!self.announced.is_null(), "told before `initialize` was answered: {text}");
        let is_stop = matches!(name, "stopped" | "continued" | "process" | "stepback/stop");
        assert!(!is_stop || self.configured, "told before `configurationDone`: {text}");
        assert!(!is_stop || !self.once.contains("terminated"), "told after the end: {text}");
        let progress = || body["progressId"].as_str().unwrap_or_default().to_owned();
        match typed {
            Event::ProgressStart(_) => assert!(self.progresses.insert(progress()), "begun twice: {text}"),
            Event::ProgressEnd(_) => assert!(self.progresses.remove(&progress()), "not begun: {text}"),
            Event::Stopped(_) | Event::Continued(_) => self.movements += 1,
            _ => {}
        }
    }
}

fn json(raw: Option<&RawValue>) -> Json {
    raw.map_or(Json::Null, |raw| serde_json::from_str(raw.get()).expect("JSON"))
}
