//! One client's conversation about one job: each request of DAP served, each notice of the session told.
//!
//! Requests are served side by side, each by the function of its family; whatever a client asks about a stop is answered
//! from one immutable picture of it. Knows the protocol's types and the session's requests, and nothing of bytes,
//! connections or how a job is started.

mod breakpoints;
mod capabilities;
mod client_facts;
mod console;
mod custom;
mod documents;
mod evaluate;
mod exceptions;
mod handles;
mod lifecycle;
mod movement;
mod serve;
mod sources;
mod stack;
mod telling;
mod variables;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use session::breakpoint::{ActionFile, BreakpointId, BreakpointKind};
use session::engine::effect::Outcome;
use session::engine::step_path::{LaneId, StepPath};
use session::picture::Picture;
use session::request::{Refusal, Reply, Request as Ask, Stop, StopReason};

use crate::debuggee::{Debuggee, Desk};
use crate::outbox::Outbox;
use crate::protocol::output::OutputEvent;
use crate::protocol::progress::{InvalidatedEvent, ProgressEndEvent, ProgressStartEvent};
use crate::protocol::sound::InvalidatedAreas;
use crate::protocol::{ErrorId, Event, Failure};
use client_facts::ClientFacts;
use documents::Documents;
use handles::Handles;
pub(crate) use serve::converse;
use variables::Node;

/// The thread of the foreground.
const FOREGROUND: i64 = 1;

/// The thread of a lane.
fn thread_of(lane: LaneId) -> i64 {
    i64::from(lane.0) + FOREGROUND
}

/// The lane of a thread.
fn lane_of(thread: i64) -> Option<LaneId> {
    u32::try_from(thread.checked_sub(FOREGROUND)?).ok().map(LaneId)
}

/// How far the conversation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// Nothing was said.
    New,
    /// `initialize` was answered.
    Initialized,
    /// A job was asked for and is not there yet.
    Starting,
    /// There is a job; breakpoints may come.
    Configuring,
    /// `configurationDone` is being served.
    Beginning,
    /// `configurationDone`: stops are told.
    Running,
    /// `terminated` was sent: nothing but leaving is left.
    Over,
    /// The client has said that it leaves.
    Left,
}

/// How the client came to its job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Manner {
    /// It started the job, and ends it by leaving.
    launched: bool,
    /// The job stands before its first step, and not only where a breakpoint is.
    stop_on_entry: bool,
    /// Nothing stops the job.
    no_debug: bool,
    /// The job stands at its end also if it succeeded.
    stop_at_end: bool,
}

/// The state of one conversation.
pub(crate) struct Adapter {
    desk: Rc<Desk>,
    out: Outbox,
    client: RefCell<ClientFacts>,
    phase: Cell<Phase>,
    manner: Cell<Manner>,
    debuggee: RefCell<Option<Rc<Debuggee>>>,
    looks: RefCell<Looks>,
    documents: RefCell<Documents>,
    kinds: RefCell<BTreeMap<BreakpointId, BreakpointKind>>,
    /// What the client wants in each action's file.
    in_actions: RefCell<Vec<(ActionFile, Vec<breakpoints::Wanted>)>>,
    /// Movements whose answer is not sent yet: what they lead to is told after it.
    moving: Cell<u32>,
    /// The next `Continued` is the answer to a request, and need not be told.
    resumed_by_request: Cell<bool>,
    /// The next stop is only passed on the way to where a request leads, and is not told.
    passing: Cell<bool>,
    /// The client was told that the job goes, which then stayed: where it stands is told again.
    stayed: Cell<bool>,
    /// The client asked for the end of the job.
    ending: Cell<bool>,
    /// The titles of steps that have begun since then: most steps are skipped, and are not told of.
    held_titles: RefCell<Vec<OutputEvent>>,
    outcome: Cell<Option<Outcome>>,
    /// Something was changed since the last stop was told.
    edited: Cell<bool>,
    /// How many progresses were told.
    progresses: Cell<u32>,
}

/// What a client has been given numbers for, as long as the job stands where it does.
#[derive(Default)]
struct Looks {
    picture: Option<Rc<Picture>>,
    frames: Handles<Frame>,
    nodes: Handles<Node>,
    targets: Handles<StepPath>,
}

/// A frame of the stack.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Frame {
    /// The step at the cursor.
    Step(StepPath),
    /// An action that the step at the cursor is inside of.
    Around(StepPath),
    /// A background step, or an action in it.
    Background(LaneId, StepPath),
    /// The job around it.
    Job,
    /// A job that calls the workflow which the job is in: the number of calls between them.
    Caller(usize),
}

/// A phase that ends with the work on one request. If that comes to nothing, because it failed or was cancelled, the
/// conversation is where it was before.
struct Passage<'p> {
    phase: &'p Cell<Phase>,
    before: Phase,
    during: Phase,
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        if self.phase.get() == self.during {
            self.phase.set(self.before);
        }
    }
}

impl Adapter {
    pub(crate) fn new(desk: Rc<Desk>, out: Outbox) -> Self {
        Self {
            desk,
            out,
            client: RefCell::new(ClientFacts::of(&Default::default())),
            phase: Cell::new(Phase::New),
            manner: Cell::new(Manner {
                launched: false,
                stop_on_entry: false,
                no_debug: false,
                stop_at_end: false,
            }),
            debuggee: RefCell::default(),
            looks: RefCell::default(),
            documents: RefCell::default(),
            kinds: RefCell::default(),
            in_actions: RefCell::default(),
            moving: Cell::new(0),
            resumed_by_request: Cell::new(false),
            passing: Cell::new(false),
            stayed: Cell::new(false),
            ending: Cell::new(false),
            held_titles: RefCell::new(Vec::new()),
            outcome: Cell::new(None),
            edited: Cell::new(false),
            progresses: Cell::new(0),
        }
    }

    /// The conversation has come this far. A client may have left meanwhile, and that is further.
    fn reach(&self, phase: Phase) {
        self.phase.set(self.phase.get().max(phase));
    }

    fn pass_through(&self, during: Phase) -> Passage<'_> {
        let before = self.phase.replace(during);
        Passage { phase: &self.phase, before, during }
    }

    /// The job.
    fn debuggee(&self) -> Result<Rc<Debuggee>, Failure> {
        self.debuggee.borrow().clone().ok_or_else(|| {
            Failure::new(ErrorId::NoJob, "nothing is debugged").hint("send launch or attach first")
        })
    }

    /// Asks the session; a refusal becomes a failure.
    async fn ask(&self, request: Ask) -> Result<Reply, Failure> {
        match self.debuggee()?.handle.ask(request).await {
            Reply::Refused(refusal) => Err(refused(refusal)),
            reply => Ok(reply),
        }
    }

    /// What can be seen now, the same for all requests until the job moves or is changed.
    async fn picture(&self) -> Result<Rc<Picture>, Failure> {
        if let Some(picture) = &self.looks.borrow().picture {
            return Ok(Rc::clone(picture));
        }
        let Reply::Picture(picture) = self.ask(Ask::Picture).await? else { return Err(unexpected()) };
        let picture = Rc::new(*picture);
        self.looks.borrow_mut().picture = Some(Rc::clone(&picture));
        Ok(picture)
    }

    /// The picture of a job that stands, or of a moment that is viewed.
    async fn still_picture(&self) -> Result<Rc<Picture>, Failure> {
        let picture = self.picture().await?;
        if picture.stop.is_none() && !picture.viewed {
            return Err(Failure::not_stopped(ErrorId::NotStopped));
        }
        Ok(picture)
    }

    /// The job moves, or something else is looked at: all numbers are stale.
    fn look_away(&self) {
        let mut looks = self.looks.borrow_mut();
        looks.picture = None;
        looks.frames.clear();
        looks.nodes.clear();
        looks.targets.clear();
    }

    /// Something was changed where the job stands: numbers stay, and lead to what is there now.
    fn look_again(&self) {
        self.looks.borrow_mut().picture = None;
    }

    /// Tells a client that understands it to ask again.
    fn invalidate(&self, areas: &[InvalidatedAreas]) {
        if self.client.borrow().invalidated {
            let areas = Some(areas.to_vec());
            self.out.tell(Event::Invalidated(InvalidatedEvent { areas, ..InvalidatedEvent::default() }));
        }
    }

    /// A person may have typed a secret, and an error repeats what was typed.
    async fn masked(&self, mut failure: Failure) -> Failure {
        if self.debuggee.borrow().is_some()
            && let Ok(picture) = self.picture().await
        {
            failure.error.variables.values_mut().for_each(|text| *text = picture.mask(text));
        }
        failure
    }

    /// The same for a text that is part of an answer.
    async fn mask(&self, text: String) -> String {
        match self.picture().await {
            Ok(picture) => picture.mask(&text),
            Err(_) => text,
        }
    }

    /// Tells a client that shows such things that something may take long; the client waits a moment before it does.
    fn begin_progress(&self, title: &str) -> Option<String> {
        if !self.client.borrow().progress {
            return None;
        }
        let number = self.progresses.get().saturating_add(1);
        self.progresses.set(number);
        let id = format!("progress {number}");
        self.out.tell(Event::ProgressStart(ProgressStartEvent {
            progress_id: id.clone(),
            title: title.to_owned(),
            cancellable: Some(false),
            ..ProgressStartEvent::default()
        }));
        Some(id)
    }

    fn end_progress(&self, id: Option<String>) {
        if let Some(progress_id) = id {
            self.out.tell(Event::ProgressEnd(ProgressEndEvent { progress_id, message: None }));
        }
    }

    fn output(&self, event: OutputEvent) {
        self.out.tell(Event::Output(event));
    }

    fn kind_of(&self, id: BreakpointId) -> Option<BreakpointKind> {
        self.kinds.borrow().get(&id).copied()
    }
}

/// What a session refuses, in its words.
fn refused(refusal: Refusal) -> Failure {
    let failure = Failure::new(ErrorId::Refused, "{reason}").with("reason", refusal.text);
    match refusal.hint {
        Some(hint) => failure.hint("{hint}").with("hint", hint),
        None => failure,
    }
}

/// A reply of another kind than the request's; only a fault of ours leads here.
fn unexpected() -> Failure {
    Failure::new(ErrorId::Internal, "the session gave an unexpected answer")
}

fn stale(what: &str) -> Failure {
    Failure::new(ErrorId::Stale, "{what} belongs to an earlier stop")
        .with("what", what)
        .hint("ask for the stack again")
}

/// The question at which the job stands, if it does.
fn asks_to_confirm(stop: Option<&Stop>) -> bool {
    matches!(stop.map(|stop| &stop.reason), Some(StopReason::Confirm(_)))
}
