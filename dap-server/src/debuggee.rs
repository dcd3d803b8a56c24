//! What is debugged, and how it comes to be: the composition root starts jobs, this crate only asks for them.
//!
//! Knows sessions by their handles; not what a job is given, nor where it runs.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use session::handle::SessionHandle;
use session::request::Refusal;
use tokio::sync::{Notify, mpsc, oneshot};

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
    /// The files in which jobs call that workflow, the innermost first.
    pub callers: Vec<PathBuf>,
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
    /// A recorded job, as the recording left it.
    Recording {
        /// The recording's name or folder, or `last`.
        name: String,
        /// The members of `attach`.
        members: Extra,
    },
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

/// A job that was asked for. It may be handed over in the moment in which nobody waits for it any more, because the client
/// has gone or cancelled: then it ends, for nobody would ever find it.
struct Awaited(oneshot::Receiver<Result<Debuggee, Refusal>>);

impl Awaited {
    async fn get(mut self) -> Option<Result<Debuggee, Refusal>> {
        (&mut self.0).await.ok()
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        self.0.close();
        if let Ok(Ok(debuggee)) = self.0.try_recv() {
            debuggee.handle.tell(session::request::Request::Quit);
        }
    }
}

/// Where clients and the job meet: the job stays when a client goes, and the next one finds it as it was.
pub struct Desk {
    debuggee: RefCell<Option<Rc<Debuggee>>>,
    /// Starts jobs; `None` where there is one already.
    launches: Option<mpsc::UnboundedSender<LaunchCall>>,
    /// A client may come after another one.
    revisited: bool,
    closing: Arc<Closing>,
}

impl Desk {
    /// For clients that start their job.
    pub fn for_launches(launches: mpsc::UnboundedSender<LaunchCall>) -> Rc<Self> {
        Rc::new(Self {
            debuggee: RefCell::default(),
            launches: Some(launches),
            revisited: true,
            closing: Arc::default(),
        })
    }

    /// For the one client that there will ever be, which starts its job.
    pub fn for_one(launches: mpsc::UnboundedSender<LaunchCall>) -> Rc<Self> {
        Rc::new(Self {
            debuggee: RefCell::default(),
            launches: Some(launches),
            revisited: false,
            closing: Arc::default(),
        })
    }

    /// For clients that attach to this job.
    pub fn with(debuggee: Debuggee, closing: Arc<Closing>) -> Rc<Self> {
        let debuggee = RefCell::new(Some(Rc::new(debuggee)));
        Rc::new(Self { debuggee, launches: None, revisited: true, closing })
    }

    /// Whether a job that is left as it stands can be found again.
    pub(crate) fn is_revisited(&self) -> bool {
        self.revisited
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
        let debuggee = Rc::new(Awaited(answer).get().await.ok_or_else(gone)??);
        *self.debuggee.borrow_mut() = Some(Rc::clone(&debuggee));
        Ok(debuggee)
    }

    /// The job is over and its last client has been told: nobody need come any more.
    pub(crate) fn close(&self) {
        self.closing.close();
    }

    /// Whether nobody need come any more.
    pub(crate) fn is_over(&self) -> bool {
        self.closing.over.load(Ordering::SeqCst)
    }

    /// Waits until nobody need come any more.
    pub(crate) async fn closed(&self) {
        let closed = self.closing.told.notified();
        if !self.is_over() {
            closed.await;
        }
    }
}

/// Says, from any thread, that a job is over and no further client need come.
#[derive(Debug, Default)]
pub struct Closing {
    over: AtomicBool,
    told: Notify,
}

impl Closing {
    /// Nobody need come any more; one who is there stays as long as it likes.
    pub fn close(&self) {
        self.over.store(true, Ordering::SeqCst);
        self.told.notify_waiters();
        self.told.notify_one();
    }
}
