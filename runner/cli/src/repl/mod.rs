//! The terminal face of the debugger: a client of DAP like any editor, over a pipe within this program or a connection to
//! another one.
//!
//! Commands are parsed in the session; on a terminal lines come from an editor with completion and history, in a pipe from a
//! plain reader that echoes each one, so that a transcript reads well.

mod above;
mod attach;
mod completion;
mod editor;
mod lines;
mod screen;
mod talk;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use dap_server::client::{connect, refuse};
use dap_server::debuggee::{Closing, Debuggee, Desk};
use dap_server::feed::Feed;
use dap_server::server::serve_connection;
use dap_server::transport::Connection;
use host::log::LogBatch;
use session::notice::{Notice, Observer};
use session::request::Request;
use session::wording::Painter;

use crate::launch::StartedJob;
use crate::output::json::JsonFace;
use crate::output::{Face as _, JobHeading, Output, lock};
use crate::prepare::Prepared;
use crate::terminal::Terminal;
pub(crate) use attach::attach;
use completion::Completion;
use lines::Lines;
use screen::{Screen, Voice};
use talk::{Manner, Talk};

/// How a person talks here.
#[derive(Clone)]
pub(crate) struct Seat {
    /// Their terminal.
    pub(crate) terminal: Terminal,
    /// They want every line of the logs.
    pub(crate) verbose: bool,
    /// They are a program.
    pub(crate) json: bool,
    /// Where their lines are remembered.
    pub(crate) history: PathBuf,
}

/// What a session says, on its way to the terminal; to be handed to the session before it says anything.
pub(crate) struct Watch {
    /// To be told.
    pub(crate) observer: Arc<dyn Observer>,
    /// The adapter's end.
    pub(crate) feed: Feed,
    voice: Option<Voice>,
}

impl Watch {
    /// For a job that is talked about from this seat.
    pub(crate) fn new(heading: &JobHeading, seat: &Seat) -> Self {
        let feed = Feed::default();
        if !seat.json {
            return Self { observer: Arc::new(feed.clone()), feed, voice: None };
        }
        let face = Arc::new(JsonFace::new(Output::standard()));
        let json = Arc::clone(&face).job_started(heading.clone());
        let observer = Arc::new(Both { feed: feed.clone(), json });
        Self { observer, feed, voice: Some(Voice { face, job: heading.key.clone() }) }
    }
}

/// A program reads what the session says itself; the adapter hears it too.
struct Both {
    feed: Feed,
    json: Arc<dyn Observer>,
}

impl Observer for Both {
    fn notice(&self, notice: Notice) {
        self.json.notice(notice.clone());
        self.feed.notice(notice);
    }

    fn log(&self, batch: &LogBatch) {
        self.json.log(batch);
        self.feed.log(batch);
    }
}

/// Talks about a job of this program until the person leaves; what is left of the job has run to its end then.
pub(crate) async fn talk(debuggee: Debuggee, voice: Watch, seat: Seat, greeting: &str) {
    let (connection, stream) = Connection::in_memory();
    let desk = Desk::with(debuggee, Arc::new(Closing::default()));
    let serving = tokio::task::spawn_local(serve_connection(desk, connection));
    let (reader, writer) = tokio::io::split(stream);
    let (client, events, driver) = connect(reader, writer, refuse);
    tokio::task::spawn_local(driver);
    let painter = Painter::new(seat.terminal.colour);
    let (lines, output) = Lines::open(seat.terminal, painter, seat.history, Completion::of(client.clone()));
    output.write(greeting.as_bytes());
    let screen = Screen::new(output, painter, seat.verbose, voice.voice);
    let colours = seat.terminal.colour;
    let mut talk = Talk { client, events, lines, screen, colours, last: None, manner: Manner::Owns };
    // Within this program nobody is refused.
    if talk.begin(None).await.is_ok() {
        talk.talk().await;
    }
    drop(talk);
    let _ = serving.await;
}

/// The jobs, by their keys, whose end was told in a conversation, with the artifacts that they left.
pub(crate) type EndsTold = Arc<Mutex<BTreeSet<String>>>;

/// Remembers that the end of a job was told.
struct Remembers {
    to: Arc<dyn Observer>,
    key: String,
    told: EndsTold,
}

impl Observer for Remembers {
    fn notice(&self, notice: Notice) {
        if matches!(notice, Notice::JobEnded { .. }) {
            lock(&self.told).insert(self.key.clone());
        }
        self.to.notice(notice);
    }

    fn log(&self, batch: &LogBatch) {
        self.to.log(batch);
    }
}

/// The debugger for a job that has failed and waits: back at the step that failed.
pub(crate) async fn at_failure(
    job: &StartedJob,
    verbose: bool,
    terminal: Terminal,
    prepared: &Prepared,
    told: &EndsTold,
) {
    let seat = Seat { terminal, verbose, json: prepared.settings.json, history: prepared.paths.history() };
    let watch = Watch::new(&job.heading, &seat);
    let debuggee = crate::dap::debuggee(job, &watch.feed, prepared, false);
    job.relay.hand_over(Arc::new(Remembers {
        to: Arc::clone(&watch.observer),
        key: job.key.to_string(),
        told: Arc::clone(told),
    }));
    // A job without a failure to go back to stands where it does.
    let _ = job.handle.ask(Request::ReverseContinue).await;
    talk(debuggee, watch, seat, "").await;
}
