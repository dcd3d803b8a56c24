//! A client under a test's control: sends requests, waits for answers and stops, and holds every message of the server
//! against the schema of the protocol.
//!
//! Knows the wire; not what is debugged at its other end.

use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dap_server::client::{Client, ClientError, Events, Pending, connect, refuse};
use dap_server::debuggee::Desk;
use dap_server::envelope::{RawEvent, RawRequest};
use dap_server::server::serve_connection;
use dap_server::transport::{Connection, ReadError};
use serde_json::value::to_raw_value;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::task::{JoinHandle, spawn_local};

use super::halves::{Breaking, Heard, Overheard};

/// A server that has said nothing for so long will say nothing any more, on any machine.
const STUCK_AFTER: Duration = Duration::from_secs(60);

/// Where the job has come to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stopped {
    /// The body of `stepback/stop`.
    pub moment: u64,
    pub rewound: bool,
    pub ended: bool,
    /// The body of `stopped`.
    pub reason: String,
    pub text: String,
    pub thread: i64,
    pub hit: Option<Json>,
}

/// A client and its connection.
pub(crate) struct Peer {
    client: Client,
    events: Events,
    heard: Arc<Mutex<Heard>>,
    driver: JoinHandle<Result<(), ReadError>>,
    left: Arc<Mutex<Option<usize>>>,
    /// The other end, if it is within this process.
    server: Option<JoinHandle<()>>,
}

/// The server of a connection within this process, and its other end.
pub(crate) fn serve(desk: &Rc<Desk>) -> (DuplexStream, JoinHandle<()>) {
    let (ours, theirs) = Connection::in_memory();
    (theirs, spawn_local(serve_connection(Rc::clone(desk), ours)))
}

impl Peer {
    /// A client that has not said anything.
    pub(crate) fn new(desk: &Rc<Desk>) -> Self {
        let (stream, server) = serve(desk);
        let (reader, writer) = tokio::io::split(stream);
        Self { server: Some(server), ..Self::over(reader, writer) }
    }

    /// A client of any server.
    pub(crate) fn over(
        reader: impl AsyncRead + Send + Unpin + 'static,
        writer: impl AsyncWrite + Send + Unpin + 'static,
    ) -> Self {
        let heard = Arc::<Mutex<Heard>>::default();
        let reader = Overheard { from: reader, decoder: Default::default(), heard: Arc::clone(&heard) };
        let left = Arc::<Mutex<Option<usize>>>::default();
        let writer = Breaking { to: writer, left: Arc::clone(&left) };
        let (client, events, driver) = connect(reader, writer, refuse);
        Self { client, events, heard, driver: spawn_local(driver), left, server: None }
    }

    /// A client that has attached; it stops at the end and, unless `filters` has some, at no failure.
    pub(crate) async fn attached(desk: &Rc<Desk>, filters: &[&str]) -> Self {
        let peer = Self::new(desk);
        peer.attach(filters, &json!({ "stopAtEnd": true })).await;
        peer
    }

    pub(crate) async fn attach(&self, filters: &[&str], arguments: &Json) {
        let facts = json!({ "adapterID": "stepback", "supportsInvalidatedEvent": true,
            "supportsProgressReporting": true, "supportsVariableType": true });
        self.ask("initialize", &facts).await;
        self.ask("attach", arguments).await;
        self.ask("setExceptionBreakpoints", &json!({ "filters": filters })).await;
        self.ask("configurationDone", &Json::Null).await;
    }

    /// Sends a request; its answer is awaited elsewhere, or never.
    pub(crate) fn send(&self, command: &str, arguments: &Json) -> Pending {
        let arguments = (!arguments.is_null()).then(|| to_raw_value(arguments).unwrap());
        self.client.send(RawRequest { command: command.to_owned(), arguments })
    }

    /// The body of the answer; a refusal fails the test.
    #[track_caller]
    pub(crate) fn ask(&self, command: &str, arguments: &Json) -> impl Future<Output = Json> {
        let (asked, answer) = (format!("{command} {arguments}"), self.tried(command, arguments));
        async move { answer.await.unwrap_or_else(|refusal| panic!("{asked}: {refusal}")) }
    }

    /// The body of the answer, or the text of a refusal.
    pub(crate) fn tried(
        &self,
        command: &str,
        arguments: &Json,
    ) -> impl Future<Output = Result<Json, String>> {
        let (pending, asked) = (self.send(command, arguments), command.to_owned());
        let heard = Arc::clone(&self.heard);
        async move {
            let response = tokio::time::timeout(STUCK_AFTER, pending.result()).await;
            all_well(&heard);
            match response.unwrap_or_else(|_| panic!("no answer to {asked}")) {
                Ok(response) => Ok(response.body.map_or(Json::Null, |body| parsed(body.get()))),
                Err(ClientError::Refused { text, .. }) => Err(text),
                Err(error) => panic!("{asked}: {error}"),
            }
        }
    }

    /// The next event; the end of the connection fails the test, and so does a server that is stuck.
    pub(crate) async fn event(&mut self) -> (String, Json) {
        let next = tokio::time::timeout(STUCK_AFTER, self.events.next_raw()).await;
        all_well(&self.heard);
        let RawEvent { event, body } = next.expect("the server is stuck").expect("the connection was closed");
        (event, body.map_or(Json::Null, |body| parsed(body.get())))
    }

    /// The next event of this name.
    pub(crate) async fn event_named(&mut self, name: &str) -> Json {
        loop {
            let (event, body) = self.event().await;
            if event == name {
                return body;
            }
            assert_ne!(event, "terminated", "it was all over before `{name}`");
        }
    }

    /// The next stop. One on the way to where a request leads is told to terminals alone.
    pub(crate) async fn stopped(&mut self) -> Stopped {
        let (stop, body) = loop {
            let stop = self.event_named("stepback/stop").await;
            let (event, body) = self.event().await;
            if event == "stopped" {
                break (stop, body);
            }
        };
        let text = |member: &Json| member.as_str().unwrap_or_default().to_owned();
        Stopped {
            moment: stop["moment"].as_u64().unwrap(),
            rewound: stop["rewound"].as_bool().unwrap(),
            ended: stop["ended"].as_bool().unwrap(),
            reason: text(&body["reason"]),
            text: text(&body["text"]),
            thread: body["threadId"].as_i64().unwrap(),
            hit: body.get("hitBreakpointIds").cloned(),
        }
    }

    /// Asks for a movement and gives the stop that it leads to.
    pub(crate) async fn to(&mut self, command: &str) -> Stopped {
        self.ask(command, &json!({ "threadId": 1 })).await;
        self.stopped().await
    }

    /// How many messages the server has sent.
    pub(crate) fn messages(&self) -> usize {
        self.heard.lock().unwrap().messages
    }

    /// Leaves with a word.
    pub(crate) async fn disconnect(self, arguments: &Json) {
        self.ask("disconnect", arguments).await;
        self.hang_up().await;
    }

    /// Leaves with a word; the names of all events that were not looked at yet.
    pub(crate) async fn told_to_the_end(mut self) -> Vec<String> {
        self.ask("disconnect", &json!({ "suspendDebuggee": true })).await;
        let mut names = Vec::new();
        while let Some(event) = self.events.next_raw().await {
            names.push(event.event);
        }
        self.hang_up().await;
        names
    }

    /// Breaks off within a request, after so many bytes of it.
    pub(crate) async fn break_off(self, bytes: usize) {
        *self.left.lock().unwrap() = Some(bytes);
        let answer = self.send("threads", &Json::Null).response();
        let answer = tokio::time::timeout(STUCK_AFTER, answer).await.expect("the connection stays open");
        assert!(answer.is_err(), "half a request was answered");
        self.hang_up().await;
    }

    /// Leaves without a word. The server ends too.
    pub(crate) async fn hang_up(self) {
        let Self { client, events, heard, driver, server, .. } = self;
        drop((client, events));
        driver.abort();
        let _ = driver.await;
        if let Some(server) = server {
            ended(server).await;
        }
        all_well(&heard);
    }
}

/// Waits for a server whose client has gone.
pub(crate) async fn ended(server: JoinHandle<()>) {
    tokio::time::timeout(STUCK_AFTER, server).await.expect("the server goes on without a client").unwrap();
}

#[track_caller]
fn all_well(heard: &Mutex<Heard>) {
    let wrong = std::mem::take(&mut heard.lock().unwrap().wrong);
    assert!(wrong.is_empty(), "the server sent what the schema does not allow: {}", wrong.join("\n"));
}

fn parsed(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}
