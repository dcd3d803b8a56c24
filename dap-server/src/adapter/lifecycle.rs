//! Beginning and end: how a client comes to a job, and how it leaves.

use session::moment::MomentId;
use session::request::{Reply, Request as Ask, Target};

use super::client_facts::ClientFacts;
use super::refused;
use super::{Adapter, Phase, capabilities};
use crate::debuggee::Wish;
use crate::feed::Item;
use crate::protocol::lifecycle::*;
use crate::protocol::{ErrorId, Event, Extra, Failure, ResponseBody};

impl Adapter {
    pub(super) fn initialize(&self, arguments: &InitializeArguments) -> ResponseBody {
        let facts = ClientFacts::of(arguments);
        let capabilities = capabilities::announced(&facts, self.desk.is_revisited());
        *self.client.borrow_mut() = facts;
        self.reach(Phase::Initialized);
        ResponseBody::Initialize(capabilities)
    }

    pub(super) async fn launch(&self, arguments: LaunchArguments) -> Result<ResponseBody, Failure> {
        self.must_be_free()?;
        let _passage = self.pass_through(Phase::Starting);
        let mut manner = self.manner.get();
        manner.launched = true;
        manner.no_debug = arguments.no_debug.unwrap_or(false);
        self.come_to(Wish::Job(arguments.extra.clone())).await?;
        self.configure(manner.as_asked(&arguments.extra))
    }

    pub(super) async fn attach(&self, arguments: AttachArguments) -> Result<ResponseBody, Failure> {
        self.must_be_free()?;
        let _passage = self.pass_through(Phase::Starting);
        let mut manner = self.manner.get();
        manner.stop_on_entry = true;
        if let Some(recording) = arguments.extra.get("recording") {
            return self.open_recording(recording.as_str(), manner, &arguments.extra).await;
        }
        let debuggee = self.desk.debuggee().ok_or_else(|| {
            Failure::new(ErrorId::NoJob, "there is no job to attach to here")
                .hint("`stepback debug --listen` waits for a client; its address goes into `address`")
                .shown()
        })?;
        *self.debuggee.borrow_mut() = Some(debuggee);
        self.configure(manner.as_asked(&arguments.extra))
    }

    /// A recorded job stands where the recording left it, and nothing of it runs until the client asks for that: it is not
    /// begun, and stays at its end too.
    async fn open_recording(
        &self,
        name: Option<&str>,
        mut manner: super::Manner,
        members: &Extra,
    ) -> Result<ResponseBody, Failure> {
        let name = name.filter(|name| !name.is_empty()).ok_or_else(|| {
            Failure::new(ErrorId::InvalidArguments, "'recording' is no text")
                .hint("a recording's name or folder, or \"last\"")
                .shown()
        })?;
        manner.launched = true;
        manner.stop_at_end = true;
        self.come_to(Wish::Recording { name: name.to_owned(), members: members.clone() }).await?;
        self.configure(manner)
    }

    fn must_be_free(&self) -> Result<(), Failure> {
        match self.phase.get() {
            Phase::Initialized if self.debuggee.borrow().is_none() => Ok(()),
            _ => Err(Failure::new(ErrorId::Order, "there is a job already")),
        }
    }

    async fn come_to(&self, wish: Wish) -> Result<(), Failure> {
        let debuggee = self.desk.start(wish).await.map_err(|refusal| refused(refusal).shown())?;
        *self.debuggee.borrow_mut() = Some(debuggee);
        Ok(())
    }

    /// There is a job: breakpoints may come from now on.
    fn configure(&self, manner: super::Manner) -> Result<ResponseBody, Failure> {
        self.manner.set(manner);
        self.reach(Phase::Configuring);
        self.out.tell(Event::Initialized);
        Ok(ResponseBody::Empty)
    }

    pub(super) async fn configuration_done(&self) -> Result<ResponseBody, Failure> {
        if self.phase.get() != Phase::Configuring {
            return Err(Failure::new(ErrorId::Order, "launch or attach first"));
        }
        let _passage = self.pass_through(Phase::Beginning);
        let debuggee = self.debuggee()?;
        let manner = self.manner.get();
        self.out.tell(Event::Process(ProcessEvent {
            name: debuggee.name.clone(),
            system_process_id: Some(i64::from(std::process::id())),
            is_local_process: Some(true),
            start_method: Some(if manner.launched { StartMethod::Launch } else { StartMethod::Attach }),
            ..ProcessEvent::default()
        }));
        self.skip_old_stops().await;
        if manner.no_debug {
            self.ask(Ask::Detach).await?;
        } else if !manner.stop_on_entry {
            self.resumed_by_request.set(true);
            self.ask(Ask::Begin).await?;
        }
        self.reach(Phase::Running);
        Ok(ResponseBody::Empty)
    }

    /// What was said before this client came is told, but of the stops only the one at which the job stands: a client that
    /// begins the job is not told where it stood before.
    async fn skip_old_stops(&self) {
        let Ok(debuggee) = self.debuggee() else { return };
        let mut said = Vec::new();
        let stop = loop {
            let stop = match self.ask(Ask::Status).await {
                Ok(Reply::Stop(stop)) => Some(*stop),
                _ => None,
            };
            let before = said.len();
            said.extend(std::iter::from_fn(|| debuggee.feed.take()));
            // The job may have moved since it was asked, and what it said of that is taken: it has to be asked again.
            if !said.iter().skip(before).any(Item::tells_of_a_movement) {
                break stop;
            }
        };
        for item in said {
            self.tell_old(item);
        }
        let stands = self.manner.get().stop_on_entry && !self.manner.get().no_debug;
        if let Some(stop) = stop.filter(|_| stands) {
            self.tell_stop_found(&stop);
        }
    }

    /// The whole job from its first moment, breakpoints kept.
    pub(super) async fn restart(&self) -> Result<ResponseBody, Failure> {
        let done = self.go_back(Ask::Goto(Target::Moment(MomentId(0)))).await?;
        if !self.manner.get().stop_on_entry {
            self.pass_a_stop();
            self.ask(Ask::Begin).await?;
        }
        Ok(done)
    }

    /// A graceful cancel: post steps run. A job that is over ends the session.
    pub(super) async fn terminate(&self) -> Result<ResponseBody, Failure> {
        self.ending.set(true);
        let picture = self.picture().await?;
        if picture.rewound {
            self.ask(Ask::Return).await?;
            self.passing.set(true);
        }
        if picture.only_looked_at {
            // What would run at the end of a cancelled job does not run for having been looked at.
            self.look_away();
            self.end_session().await;
            return Ok(ResponseBody::Empty);
        }
        // Steps that run in the end are not what the person wants to stop at now.
        self.ask(Ask::SetBreakpoints { kind: None, specs: Vec::new() }).await?;
        self.look_away();
        self.resumed_by_request.set(true);
        match self.ask(Ask::Cancel).await {
            Ok(_) => {}
            // It is over already.
            Err(_) => self.end_session().await,
        }
        Ok(ResponseBody::Empty)
    }

    /// Leaves: the job is ended, left running, or left as it stands. Its end is told before the answer.
    pub(super) async fn disconnect(&self, arguments: &DisconnectArguments) -> Result<ResponseBody, Failure> {
        let suspend = arguments.suspend_debuggee.unwrap_or(false);
        let terminate = arguments.terminate_debuggee.unwrap_or(self.manner.get().launched);
        if suspend && !self.desk.is_revisited() {
            return Err(Failure::new(
                ErrorId::NotServed,
                "nobody could come back to a job that is left suspended here",
            )
            .hint("`stepback dap --listen` and `stepback debug --listen` let clients come and go"));
        }
        let was_over = self.phase.get() >= Phase::Over;
        let debuggee = self.debuggee.borrow().clone().filter(|_| !suspend && !was_over);
        let left = match debuggee {
            Some(debuggee) if terminate => {
                self.ending.set(true);
                debuggee.handle.tell(Ask::Quit);
                debuggee.handle.closed().await;
                self.tell_rest().await;
                self.desk.close();
                Ok(())
            }
            Some(debuggee) => match debuggee.handle.ask(Ask::Detach).await {
                Reply::Refused(refusal) => Err(refused(refusal)),
                _ => Ok(()),
            },
            None => Ok(()),
        };
        self.reach(Phase::Left);
        left.map(|()| ResponseBody::Empty)
    }

    /// The session is over: what it said last is told now.
    async fn tell_rest(&self) {
        let Ok(debuggee) = self.debuggee() else { return };
        while self.phase.get() == Phase::Running
            && let Some(item) = debuggee.feed.take()
        {
            self.tell(item).await;
        }
    }

    /// The client has gone, with or without a word. A job that it started goes with it; any other one stays as it stands.
    pub(super) async fn left(&self) {
        let silently = self.phase.get() < Phase::Over;
        let Some(debuggee) = self.debuggee.borrow_mut().take() else { return };
        // The next client finds the job, not what this one looked at.
        debuggee.handle.tell(Ask::View(None));
        if silently && debuggee.launched {
            debuggee.handle.tell(Ask::Quit);
            self.desk.close();
        }
    }

    /// Tells the client that it is all over, and the session that nobody looks any longer.
    pub(super) async fn end_session(&self) {
        let outcome = match self.outcome.get() {
            Some(outcome) => Some(outcome),
            // It was over before this client came.
            None => self.picture().await.ok().and_then(|picture| picture.outcome()),
        };
        let outcome = outcome.unwrap_or(session::engine::effect::Outcome::Cancelled);
        // Another request may have led here meanwhile.
        if self.phase.get() >= Phase::Over {
            return;
        }
        self.out.tell(Event::Exited(ExitedEvent { exit_code: exit_code(outcome) }));
        self.out.tell(Event::Terminated(None));
        self.reach(Phase::Over);
        self.desk.close();
        if let Ok(debuggee) = self.debuggee() {
            debuggee.handle.tell(Ask::Quit);
        }
    }
}

impl super::Manner {
    /// What a configuration says of stops.
    fn as_asked(mut self, members: &Extra) -> Self {
        let flag = |name: &str| members.get(name).and_then(serde_json::Value::as_bool);
        self.stop_on_entry = flag("stopOnEntry").unwrap_or(self.stop_on_entry);
        self.stop_at_end = flag("stopAtEnd").unwrap_or(self.stop_at_end);
        self
    }
}

/// The same everywhere: 0 success, 1 failure, 130 cancelled.
fn exit_code(outcome: session::engine::effect::Outcome) -> i64 {
    use session::engine::effect::Outcome;
    match outcome {
        Outcome::Success | Outcome::Skipped => 0,
        Outcome::Failure => 1,
        Outcome::Cancelled => 130,
    }
}
