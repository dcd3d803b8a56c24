//! What is debugged, and how it comes to be: the composition root starts jobs, this crate only asks for them.
//!
//! Knows sessions by their handles; not what a job is given, nor where it runs.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::rc::Rc;

use session::handle::SessionHandle;
use session::request::Refusal;
use tokio::sync::{mpsc, oneshot};

use crate::feed::FeedReader;
use crate::protocol::Extra;

/// A job under control, as the composition root hands it over.
pub struct Debuggee {
    /// Reaches its session.
    pub handle: SessionHandle,
    /// What the session says.
    pub feed: FeedReader,
    /// The job's display name.
    pub name: String,
    /// The workflow file.
    pub workflow: PathBuf,
    /// The width of the column for the names of its steps.
    pub name_columns: usize,
    /// The debugger started it at a client's request: a client that leaves without a word takes it along.
    pub launched: bool,
}

/// What a client wants to debug.
#[derive(Debug)]
pub enum Wish {
    /// A job of a workflow, by the members of `launch`.
    Job(Extra),
    /// A recording, by its name or file.
    Recording(String),
}

/// A wish on its way to the composition root.
#[derive(Debug)]
pub struct LaunchCall {
    /// What is wanted.
    pub wish: Wish,
    /// Where the job is handed over, or what the person has to put right.
    pub reply: oneshot::Sender<Result<Debuggee, Refusal>>,
}

impl std::fmt::Debug for Debuggee {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Debuggee").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Where clients and the job meet: the job stays when a client goes, and the next one finds it as it was.
pub struct Desk {
    debuggee: RefCell<Option<Rc<Debuggee>>>,
    /// Starts jobs; `None` where there is one already.
    launches: Option<mpsc::UnboundedSender<LaunchCall>>,
    occupied: Cell<bool>,
    /// The job has run to its end, and the last client has been told.
    over: Cell<bool>,
}

impl Desk {
    /// For clients that start their job.
    pub fn for_launches(launches: mpsc::UnboundedSender<LaunchCall>) -> Rc<Self> {
        Rc::new(Self {
            debuggee: RefCell::default(),
            launches: Some(launches),
            occupied: Cell::new(false),
            over: Cell::new(false),
        })
    }

    /// For clients that attach to this job.
    pub fn with(debuggee: Debuggee) -> Rc<Self> {
        Rc::new(Self {
            debuggee: RefCell::new(Some(Rc::new(debuggee))),
            launches: None,
            occupied: Cell::new(false),
            over: Cell::new(false),
        })
    }

    /// The job, if there is one.
    pub(crate) fn debuggee(&self) -> Option<Rc<Debuggee>> {
        self.debuggee.borrow().clone()
    }

    /// Asks the composition root for a job.
    ///
    /// # Errors
    /// There is a job already, or the wish cannot be fulfilled.
    pub(crate) async fn start(&self, wish: Wish) -> Result<Rc<Debuggee>, Refusal> {
        let Some(launches) = self.launches.as_ref().filter(|_| self.debuggee.borrow().is_none()) else {
            return Err(Refusal::new("there is a job already").hint("attach to it"));
        };
        let (reply, answer) = oneshot::channel();
        let gone = || Refusal::new("nobody starts jobs any longer");
        launches.send(LaunchCall { wish, reply }).map_err(|_| gone())?;
        let debuggee = Rc::new(answer.await.map_err(|_| gone())??);
        *self.debuggee.borrow_mut() = Some(Rc::clone(&debuggee));
        Ok(debuggee)
    }

    /// One client at a time; false if there is one.
    pub(crate) fn occupy(&self) -> bool {
        !self.occupied.replace(true)
    }

    pub(crate) fn vacate(&self) {
        self.occupied.set(false);
    }

    /// The job is over and its last client has been told: nobody need come any more.
    pub(crate) fn close(&self) {
        self.over.set(true);
    }

    /// Whether nobody need come any more.
    pub fn is_over(&self) -> bool {
        self.over.get()
    }
}
