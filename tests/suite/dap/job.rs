//! Jobs that clients come to: a session in the little language, where the adapter finds it.

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use dap_server::debuggee::{Closing, Debuggee, Desk};
use dap_server::feed::Feed;
use engine::plan::Plan;
use engine::secrets::Secrets;
use host::checkout::Origin;
use host::contract::Host;
use host::masks::SharedMasks;
use host::scripted::ScriptedHost;
use session::handle::SessionHandle;
use session::notice::Observer;
use session::request::Request;
use session::session::{Ended, Mode, Session, Setup};
use session::sink::SessionLog;
use tokio::task::JoinHandle;

use crate::debugger::little::Little;
use crate::debugger::{Place, inputs};

/// Where the workflow is said to be.
pub(crate) const WORKFLOW: &str = "/w/ci.yml";

/// A job under the debugger.
pub(crate) struct Job {
    pub place: Place,
    pub desk: Rc<Desk>,
    handle: SessionHandle,
    session: JoinHandle<Ended>,
}

impl Job {
    /// One of the little language.
    pub(crate) fn little(plan: Plan, place: Place) -> Self {
        let host = ScriptedHost::new(Little::new(place.workspace()));
        Self::on(plan, place, Secrets::default(), |_, _| host)
    }

    /// One on any host.
    pub(crate) fn on<H: Host + 'static>(
        plan: Plan,
        place: Place,
        secrets: Secrets,
        host: impl FnOnce(SharedMasks, SessionLog) -> H,
    ) -> Self {
        Self::from(plan, place, secrets, None, host)
    }

    /// The same, its workspace being a copy of this repository.
    pub(crate) fn from<H: Host + 'static>(
        plan: Plan,
        place: Place,
        secrets: Secrets,
        origin: Option<Origin>,
        host: impl FnOnce(SharedMasks, SessionLog) -> H,
    ) -> Self {
        let (debuggee, handle, session) = start(plan, &place, secrets, origin, host);
        let desk = Desk::with(debuggee, Arc::new(Closing::default()));
        Self { place, desk, handle, session }
    }

    /// Ends the session where it stands.
    pub(crate) async fn quit(self) -> (Ended, Place) {
        self.handle.tell(Request::Quit);
        (self.session.await.unwrap(), self.place)
    }
}

/// A job of the little language as it is handed over to a client that launches it, and its end.
pub(crate) fn launched(plan: Plan, place: &Place) -> (Debuggee, SessionHandle, JoinHandle<Ended>) {
    let host = ScriptedHost::new(Little::new(place.workspace()));
    let (debuggee, handle, session) = start(plan, place, Secrets::default(), None, |_, _| host);
    (Debuggee { launched: true, ..debuggee }, handle, session)
}

fn start<H: Host + 'static>(
    plan: Plan,
    place: &Place,
    secrets: Secrets,
    origin: Option<Origin>,
    host: impl FnOnce(SharedMasks, SessionLog) -> H,
) -> (Debuggee, SessionHandle, JoinHandle<Ended>) {
    let feed = Feed::default();
    let log = SessionLog::new(Arc::new(feed.clone()) as Arc<dyn Observer>);
    let masks = SharedMasks::new(secrets.masks().clone());
    let name = plan.name.to_string();
    let callers = plan.callers.iter().map(|caller| PathBuf::from("/w").join(&*caller.file)).collect();
    let (session, handle, calls) = Session::new(Setup {
        plan: Arc::new(plan),
        inputs: inputs("/t", "/w"),
        secrets,
        host: host(masks.clone(), log.clone()),
        files: Some(place.files()),
        recorder: None,
        log,
        masks,
        origin,
        workspace: place.workspace(),
        mode: Mode::Debug,
        source: Arc::from(""),
        workflow: None,
    });
    let debuggee = Debuggee {
        handle: handle.clone(),
        feed: feed.reader(),
        name,
        workflow: PathBuf::from(WORKFLOW),
        callers,
        name_columns: 20,
        launched: false,
    };
    (debuggee, handle, tokio::task::spawn_local(session.run(calls)))
}
