//! One client: what it does at a byte's bidding, and what it waits for.

use std::rc::Rc;
use std::time::Duration;

use dap_server::codec::{self, Decoder};
use dap_server::debuggee::Desk;
use dap_server::server::serve_connection;
use dap_server::transport::Connection;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::timeout;

use super::asking;
use super::choices::Choices;
use super::heard::Heard;
use super::{NEVER, within};

/// What a slip of the pen may put into a message.
const SLIPS: [char; 16] =
    ['{', '}', '[', ']', '"', ':', ',', '\\', '0', '9', '-', 'e', 'n', ' ', '\u{0}', 'é'];

/// Messages that are no requests.
const OTHERS: [&str; 6] = [
    r#"{"seq":1,"type":"response","request_seq":1,"success":true,"command":"runInTerminal"}"#,
    r#"{"seq":1,"type":"event","event":"stopped","body":{"reason":"step"}}"#,
    r#"{"seq":1,"type":"response"}"#,
    "[]",
    "",
    r#"{"type":"request","command":"threads"}"#,
];

/// A client and its connection.
pub(super) struct Client<'c> {
    /// `None` once it has hung up.
    stream: Option<DuplexStream>,
    server: JoinHandle<()>,
    decoder: Decoder,
    heard: Heard,
    check: &'c mut dyn FnMut(&str),
    sent: i64,
    /// The text of the last request.
    last: String,
    /// Numbers of variables that belong to a stop that is over.
    stale: Vec<i64>,
}

impl<'c> Client<'c> {
    pub(super) fn new(desk: &Rc<Desk>, check: &'c mut dyn FnMut(&str)) -> Self {
        let (ours, theirs) = Connection::in_memory();
        Self {
            stream: Some(theirs),
            server: spawn_local(serve_connection(Rc::clone(desk), ours)),
            decoder: Decoder::new(),
            heard: Heard::default(),
            check,
            sent: 0,
            last: String::new(),
            stale: Vec::new(),
        }
    }

    /// The server has ended the connection.
    pub(super) fn is_gone(&self) -> bool {
        self.server.is_finished()
    }

    /// Does one thing; false when it has hung up.
    pub(super) async fn deed(&mut self, choices: &mut Choices<'_>) -> bool {
        match choices.byte() % 32 {
            0..=1 => self.shake_hands(choices).await,
            2..=15 => {
                let (command, arguments) = asking::request(choices, &self.heard);
                self.ask(command, arguments, choices).await;
            }
            16..=18 => {
                let expression = asking::text(choices);
                let arguments = json!({ "expression": expression, "context": "repl" });
                self.ask("evaluate", Some(arguments), choices).await;
            }
            19..=22 => drop(self.settle().await),
            23..=24 => self.listen(Duration::from_millis(100)).await,
            25..=26 => self.look().await,
            27 => self.look_back(choices).await,
            28..=29 => self.slip(choices).await,
            30 => self.send(choices.of(&OTHERS)).await,
            _ => return !choices.one_in(2),
        }
        true
    }

    /// What every client begins with.
    async fn shake_hands(&mut self, choices: &mut Choices<'_>) {
        let extras = choices.byte();
        let flag = |bit: u8| extras & (1 << bit) != 0;
        let facts = json!({ "adapterID": "stepback", "supportsInvalidatedEvent": flag(0),
            "supportsProgressReporting": flag(1), "linesStartAt1": !flag(2), "columnsStartAt1": !flag(2) });
        self.ask_plainly("initialize", facts).await;
        let arguments =
            json!({ "stopOnEntry": !flag(3), "stopAtEnd": flag(4), "noDebug": flag(5) && flag(6) });
        self.ask_plainly(if flag(7) { "launch" } else { "attach" }, arguments.clone()).await;
        self.ask_plainly(if flag(7) { "attach" } else { "launch" }, arguments).await;
        self.ask_plainly("configurationDone", json!({})).await;
    }

    async fn ask_plainly(&mut self, command: &str, arguments: Json) {
        self.ask(command, Some(arguments), &mut Choices::new(&[])).await;
    }

    /// Sends a request, sometimes with a number that is not the next one.
    async fn ask(&mut self, command: &str, arguments: Option<Json>, choices: &mut Choices<'_>) {
        self.sent += 1;
        let seq = if choices.one_in(16) { -self.sent } else { self.sent };
        let mut message = json!({ "seq": seq, "type": "request", "command": command });
        if let Some(arguments) = arguments {
            message["arguments"] = arguments;
        }
        self.last = message.to_string();
        self.send(&message.to_string()).await;
    }

    async fn send(&mut self, text: &str) {
        let Some(stream) = &mut self.stream else { return };
        // A granted leave may come in between: nobody reads on then.
        if !self.server.is_finished() {
            self.heard.asked(text);
            let mut frame = Vec::new();
            codec::encode(text, &mut frame);
            // An error is the end of the connection, which the next look at it finds.
            let _ = within("a write", stream.write_all(&frame)).await;
        }
    }

    /// Sends the last request again with characters changed.
    async fn slip(&mut self, choices: &mut Choices<'_>) {
        let mut text: Vec<char> = self.last.chars().collect();
        for _ in 0..=choices.below(3) {
            let at = (usize::from(choices.byte()) * 256 + usize::from(choices.byte())) % (text.len() + 1);
            let slip = SLIPS[choices.below(SLIPS.len())];
            match choices.below(4) {
                0 => text.insert(at, slip),
                1 => drop(text.get(at).is_some().then(|| text.remove(at))),
                2 => text.truncate(at),
                _ => text.iter_mut().skip(at).take(1).for_each(|old| *old = slip),
            }
        }
        self.send(&text.into_iter().collect::<String>()).await;
    }

    /// Reads what comes until nothing has come for so long. Gives the answers that were successes.
    async fn listen_for(&mut self, quiet: Duration, enough: impl Fn(&Heard) -> bool) -> Vec<(i64, Json)> {
        let mut answers = Vec::new();
        let mut buffer = [0; 4096];
        while !enough(&self.heard) {
            let Some(stream) = &mut self.stream else { break };
            let Ok(read) = timeout(quiet, stream.read(&mut buffer)).await else { break };
            let mut bytes = &buffer[..read.unwrap_or(0)];
            if bytes.is_empty() {
                break;
            }
            while let Some(text) = self.decoder.decode(&mut bytes).expect("a frame") {
                (self.check)(&text);
                answers.extend(self.heard.message(&text));
            }
        }
        answers
    }

    async fn listen(&mut self, quiet: Duration) {
        self.listen_for(quiet, |_| false).await;
    }

    /// Until everything is answered and nothing more is said. A shell command may run for ever: it is cancelled then.
    async fn settle(&mut self) -> Vec<(i64, Json)> {
        let mut answers = self.listen_for(NEVER, Heard::all_answered).await;
        for seq in self.heard.waiting_numbers() {
            self.ask_plainly("cancel", json!({ "requestId": seq })).await;
        }
        if !self.heard.all_answered() {
            answers.extend(self.listen_for(NEVER, Heard::all_answered).await);
        }
        answers.extend(self.listen_for(NEVER, |_| false).await);
        if !self.heard.left {
            let forgotten = self.heard.forgotten();
            assert!(forgotten.is_empty(), "no answer to {forgotten:?}");
        }
        self.heard.nothing_is_open();
        answers
    }

    /// Opens everything down to a depth, as an editor does at a stop; what is opened twice is the same.
    async fn look(&mut self) {
        self.settle().await;
        let movements = self.heard.movements;
        let stack = self.answer("stackTrace", json!({ "threadId": 1 })).await;
        let Some(frame) = stack["stackFrames"][0]["id"].as_i64() else { return };
        let scopes = self.answer("scopes", json!({ "frameId": frame })).await;
        let references = |body: &Json, list: &str| -> Vec<i64> {
            let all = body[list].as_array().into_iter().flatten();
            all.filter_map(|one| one["variablesReference"].as_i64()).filter(|number| *number > 0).collect()
        };
        let mut open = references(&scopes, "scopes");
        for reference in std::mem::take(&mut open).into_iter().take(4) {
            let arguments = json!({ "variablesReference": reference });
            let shown = self.answer("variables", arguments.clone()).await;
            let again = self.answer("variables", arguments).await;
            assert!(self.heard.movements != movements || shown == again, "{shown} became {again}");
            self.stale.push(reference);
            self.stale.extend(references(&shown, "variables"));
        }
        let now = self.stale.clone();
        self.move_on().await;
        if self.heard.movements == movements {
            self.stale.retain(|reference| !now.contains(reference));
        }
    }

    /// The job is sent to wherever it is after this.
    async fn move_on(&mut self) {
        self.ask_plainly("next", json!({ "threadId": 1 })).await;
        self.settle().await;
    }

    /// Asks for what belongs to an earlier stop.
    async fn look_back(&mut self, choices: &mut Choices<'_>) {
        self.settle().await;
        if self.stale.is_empty() {
            return;
        }
        let reference = self.stale[choices.below(self.stale.len())];
        let shown = self.answer("variables", json!({ "variablesReference": reference })).await;
        assert_eq!(shown, Json::Null, "{reference} is of an earlier stop");
    }

    /// The body of the answer, null unless it was a success.
    async fn answer(&mut self, command: &str, arguments: Json) -> Json {
        self.ask_plainly(command, arguments).await;
        let seq = self.sent;
        let answers = self.settle().await;
        answers.into_iter().find(|(request, _)| *request == seq).map_or(Json::Null, |(_, body)| body)
    }

    /// Goes, with or without a word; true if without. The server has ended then.
    pub(super) async fn leave(mut self, choices: &mut Choices<'_>, patient: bool) -> bool {
        if choices.one_in(2) && !self.is_gone() {
            self.ask_plainly("disconnect", json!({ "terminateDebuggee": choices.one_in(2) })).await;
        }
        if patient {
            self.settle().await;
        }
        let ended_before = self.heard.leaves || self.is_gone();
        self.stream = None;
        within("a server whose client has gone", &mut self.server).await.expect("the server panicked");
        !ended_before
    }
}
