//! A client that checks nothing, so that only the debugger is measured, and the jobs that it comes to.

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dap_server::client::{Client, Events, connect, refuse};
use dap_server::debuggee::{Closing, Debuggee, Desk};
use dap_server::envelope::RawRequest;
use dap_server::feed::Feed;
use dap_server::server::{Offer, serve_clients, serve_connection};
use dap_server::transport::{Address, Connection, ReadError};
use engine::plan::Plan;
use engine::secrets::Secrets;
use host::contract::Host;
use host::live::{BaseEnvironment, LiveHost, Settings, SpareFolders};
use host::masks::SharedMasks;
use host::scripted::ScriptedHost;
use host::times::Times;
use serde_json::value::to_raw_value;
use serde_json::{Value as Json, json};
use session::handle::SessionHandle;
use session::notice::Observer;
use session::request::Request;
use session::session::{Ended, Mode, Session, Setup};
use session::sink::SessionLog;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_local};

use crate::debugger::little::Little;
use crate::debugger::live::tracking;
use crate::debugger::{Place, block_on, inputs};

/// A job under the debugger, served by this thread as a terminal is.
pub struct Job {
    pub desk: Rc<Desk>,
    running: Running,
}

impl Job {
    /// One of the little language.
    pub fn little(plan: Plan, place: Place) -> Self {
        let host = ScriptedHost::new(Little::new(place.workspace()));
        Self::of(Running::on(plan, place, |_, _, _| host))
    }

    /// One in real shells.
    pub fn live(plan: Plan, place: Place) -> Self {
        Self::of(Running::live(plan, place))
    }

    fn of((running, debuggee): (Running, Debuggee)) -> Self {
        Self { desk: Desk::with(debuggee, Arc::new(Closing::default())), running }
    }

    /// Ends the session where it stands.
    pub async fn quit(self) {
        self.running.quit().await;
    }
}

/// A session.
struct Running {
    place: Place,
    handle: SessionHandle,
    session: JoinHandle<Ended>,
}

impl Running {
    fn live(plan: Plan, place: Place) -> (Self, Debuggee) {
        Self::on(plan, place, |place, masks, log| {
            let settings = Settings {
                workspace: place.workspace(),
                temp: place.temp(),
                spare: SpareFolders::kept_in(place.spare()),
                base: BaseEnvironment::of_this_process(),
                tracking: tracking(),
                origin: host::checkout::Origin { folder: place.workspace(), name: None, in_place: true },
                actions: Default::default(),
                times: Times::default(),
                guardian: false,
                server_url: String::new(),
                repository: String::new(),
                services: None,
                externals: None,
            };
            LiveHost::new(settings, masks, Box::new(log))
        })
    }

    fn on<H: Host + 'static>(
        plan: Plan,
        place: Place,
        host: impl FnOnce(&Place, SharedMasks, SessionLog) -> H,
    ) -> (Self, Debuggee) {
        let feed = Feed::default();
        let log = SessionLog::new(Arc::new(feed.clone()) as Arc<dyn Observer>);
        let masks = SharedMasks::default();
        let (session, handle, calls) = Session::new(Setup {
            plan: Arc::new(plan),
            inputs: inputs(&place.temp().to_string_lossy(), &place.workspace().to_string_lossy()),
            secrets: Secrets::default(),
            host: host(&place, masks.clone(), log.clone()),
            files: Some(place.files()),
            recorder: None,
            log,
            masks,
            origin: None,
            workspace: place.workspace(),
            mode: Mode::Debug,
            source: Arc::from(""),
            workflow: None,
        });
        let debuggee = Debuggee {
            handle: handle.clone(),
            feed: feed.reader(),
            name: "j".to_owned(),
            workflow: PathBuf::from("/w/ci.yml"),
            callers: Vec::new(),
            name_columns: 20,
            launched: false,
        };
        (Self { place, handle, session: spawn_local(session.run(calls)) }, debuggee)
    }

    async fn quit(self) {
        self.handle.tell(Request::Quit);
        self.session.await.unwrap();
        drop(self.place);
    }
}

/// A client.
pub struct Peer {
    client: Client,
    events: Events,
    driver: JoinHandle<Result<(), ReadError>>,
    /// If it is served by this thread.
    server: Option<JoinHandle<()>>,
}

/// How long a free run takes for a client as editors are: a process of its own, at the other end of a socket that a thread of the
/// debugger serves.
pub async fn free_run_for_an_editor(plan: Plan, place: Place) -> Duration {
    let sockets = place.spare().with_file_name("sockets");
    let address = Address::Unix(sockets.join("dap.sock"));
    let (running, debuggee) = Running::live(plan, place);
    let closing = Arc::new(Closing::default());
    let offer = Offer::Job(debuggee, Arc::clone(&closing));
    let (told, listening) = oneshot::channel();
    let there = address.clone();
    let server = std::thread::spawn(move || serve_clients(&there, Arc::new(|_: &_| true), offer, told));
    listening.await.unwrap();
    let (told, took) = oneshot::channel();
    let client = std::thread::spawn(move || {
        block_on(async {
            let (reader, writer) = address.connect().await.unwrap();
            let mut peer = Peer::over(reader, writer, None).await;
            peer.stopped().await;
            let begin = Instant::now();
            peer.to("continue").await;
            told.send(begin.elapsed()).unwrap();
            peer.hang_up().await;
        });
    });
    let took = took.await.unwrap();
    closing.close();
    running.quit().await;
    client.join().unwrap();
    server.join().unwrap().unwrap();
    took
}

impl Peer {
    /// One that has attached.
    pub async fn attached(desk: &Rc<Desk>) -> Self {
        let (ours, theirs) = Connection::in_memory();
        let server = spawn_local(serve_connection(Rc::clone(desk), ours));
        let (reader, writer) = tokio::io::split(theirs);
        Self::over(reader, writer, Some(server)).await
    }

    async fn over(
        reader: impl AsyncRead + Send + Unpin + 'static,
        writer: impl AsyncWrite + Send + Unpin + 'static,
        server: Option<JoinHandle<()>>,
    ) -> Self {
        let (client, events, driver) = connect(reader, writer, refuse);
        let peer = Self { client, events, driver: spawn_local(driver), server };
        peer.ask("initialize", json!({ "adapterID": "stepback" })).await;
        peer.ask("attach", json!({ "stopAtEnd": true })).await;
        peer.ask("setExceptionBreakpoints", json!({ "filters": [] })).await;
        peer.ask("configurationDone", Json::Null).await;
        peer
    }

    pub async fn ask(&self, command: &str, arguments: Json) -> Json {
        let arguments = (!arguments.is_null()).then(|| to_raw_value(&arguments).unwrap());
        let pending = self.client.send(RawRequest { command: command.to_owned(), arguments });
        let body = pending.result().await.unwrap().body;
        body.map_or(Json::Null, |body| serde_json::from_str(body.get()).unwrap())
    }

    pub async fn stopped(&mut self) {
        while self.events.next_raw().await.unwrap().event != "stopped" {}
    }

    pub async fn to(&mut self, command: &str) {
        self.ask(command, json!({ "threadId": 1 })).await;
        self.stopped().await;
    }

    pub async fn hang_up(self) {
        drop((self.client, self.events));
        self.driver.abort();
        let _ = self.driver.await;
        if let Some(server) = self.server {
            server.await.unwrap();
        }
    }
}
