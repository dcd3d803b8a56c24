//! The loop: requests from a face and events from the host, one at a time, and the job advanced as far as the gate
//! lets it.
//!
//! Knows who has a say; what each request and each transition does stands in the modules beside it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::effect::{Effect, Outcome, Report};
use engine::event::{CancelReason, Event, Exit, LaneChoice};
use engine::job::{Job, JobInputs};
use engine::lines::LineTag;
use engine::plan::Plan;
use engine::secrets::Secrets;
use engine::step_path::{LaneId, StepPath};
use host::checkout::Origin;
use host::contract::{Epoch, Host, HostEvent};
use host::masks::SharedMasks;
use indexmap::IndexMap;
use tokio::sync::mpsc;

use crate::breakpoint::{Breakpoints, Places};
use crate::exception::ExceptionFilters;
use crate::files::Files;
use crate::gate::Gate;
use crate::handle::{Call, SessionHandle};
use crate::journal::StepIntent;
use crate::lane_points::LaneStop;
use crate::look::OnlyLook;
use crate::moment::{BranchId, MomentId};
use crate::notice::Notice;
use crate::recording::Recorder;
use crate::reload::WorkflowSource;
use crate::request::{Reply, Request, Stop};
use crate::resume::Past;
use crate::sink::SessionLog;
use crate::timeline::Timeline;
use crate::withheld::Withheld;

/// How a session is to behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Runs to the end by itself.
    Headless,
    /// Runs to the end by itself; a job that has failed waits there for requests, so that a person can look.
    Linger,
    /// Stands before the first step and waits for requests; when the job is over it waits on, so that a person can
    /// still go back.
    Debug,
}

/// Everything a session needs.
pub struct Setup<H> {
    /// What the job does.
    pub plan: Arc<Plan>,
    /// What the job is given.
    pub inputs: JobInputs,
    /// Its secrets.
    pub secrets: Secrets,
    /// Who carries out its effects.
    pub host: H,
    /// Snapshots of its files; `None` takes none, and going back restores the state alone.
    pub files: Option<Files>,
    /// Writes the job down while it runs; `None`: nothing survives the session.
    pub recorder: Option<Recorder>,
    /// Who is told, and where log lines go; the host's log sink is a clone of it.
    pub log: SessionLog,
    /// The masks that the host's readers add to.
    pub masks: SharedMasks,
    /// Where checkout takes files from, for `sync` and `keep`.
    pub origin: Option<Origin>,
    /// `GITHUB_WORKSPACE`.
    pub workspace: PathBuf,
    /// How it behaves.
    pub mode: Mode,
    /// The text of the workflow file, for `list`.
    pub source: Arc<str>,
    /// Reads it again when the job goes on; `None`: edits of it are not looked for.
    pub workflow: Option<Box<dyn WorkflowSource>>,
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// Its outcome.
    pub outcome: Outcome,
    /// The job as it was at its end. Values may hold secrets.
    pub job: Job,
}

/// A job under control.
pub struct Session<H: Host> {
    pub(crate) host: H,
    pub(crate) job: Job,
    pub(crate) secrets: Secrets,
    pub(crate) epoch: Epoch,
    pub(crate) gate: Gate,
    pub(crate) breakpoints: Breakpoints,
    pub(crate) filters: ExceptionFilters,
    pub(crate) timeline: Timeline,
    pub(crate) here: MomentId,
    pub(crate) branch: BranchId,
    pub(crate) rewound: Option<Rewound<H::Frozen>>,
    /// Lanes that a second `pause` froze in the middle of a step, at the newest moment.
    pub(crate) held: Option<H::Frozen>,
    /// Events that were on their way when those lanes were frozen; the job takes them when it goes on.
    pub(crate) waiting: Vec<Event>,
    pub(crate) viewing: Option<MomentId>,
    pub(crate) files: Option<Files>,
    pub(crate) recorder: Option<Recorder>,
    pub(crate) log: SessionLog,
    pub(crate) masks: SharedMasks,
    pub(crate) origin: Option<Origin>,
    pub(crate) workspace: PathBuf,
    /// Exit codes of the bodies that ran, for stops on failure.
    pub(crate) exit_codes: IndexMap<StepPath, i32>,
    pub(crate) mode: Mode,
    /// It began without a debugger. Whoever detached could look back before, and those moments stay.
    pub(crate) only_runs: bool,
    /// The moment before the step that is next, until what lies before it is forgotten.
    pub(crate) before_the_step: Option<MomentId>,
    pub(crate) source: Arc<str>,
    pub(crate) workflow: Option<Box<dyn WorkflowSource>>,
    pub(crate) stop: Option<Stop>,
    /// The job can only be looked at, and why.
    pub(crate) only_look: Option<OnlyLook>,
    pub(crate) clock: StepClock,
    /// Steps that reached outside and may run again without being asked about, until they have.
    pub(crate) confirmed: BTreeSet<StepPath>,
    pub(crate) shell: Option<crate::shell::ShellRun>,
    pub(crate) started: Instant,
    pub(crate) resumed: Option<Past>,
    /// A recording was taken up and the job has not gone on since: the steps of which nobody saw the end.
    pub(crate) taken_up: Option<Vec<StepIntent>>,
    /// Why the job could not begin, masked; empty when it could.
    pub(crate) setup_errors: Vec<String>,
    /// A background step has come to something for which the job is to stand.
    pub(crate) lane_stop: Option<LaneStop>,
    /// What becomes of background steps that ran at the moment from which the job goes on.
    pub(crate) lane_choice: LaneChoice,
    /// The job goes on from a moment whose processes are gone.
    pub(crate) lanes_are_gone: bool,
    /// A background step has ended since the last look at the files: what it wrote is in no snapshot.
    pub(crate) lanes_wrote: bool,
    /// Steps in the background that a breakpoint stops, and what they want of the host.
    pub(crate) withheld: Vec<Withheld>,
    pub(crate) quit: bool,
}

/// A person is in the past.
pub(crate) struct Rewound<F> {
    /// Where `return` leads.
    pub(crate) newest: MomentId,
    /// The branch of the newest moment.
    pub(crate) branch: BranchId,
    /// Lanes that run on there.
    pub(crate) frozen: Option<F>,
    /// Events that belong to the newest moment: they were on their way when the lanes were frozen.
    pub(crate) waiting: Vec<Event>,
    /// The branch of edits made in the past, once there are some.
    pub(crate) pending: Option<BranchId>,
}

/// How long bodies ran. Outside the checkpoints: two equal runs take different times.
#[derive(Default)]
pub(crate) struct StepClock {
    pub(crate) began: IndexMap<StepPath, Instant>,
    /// Shared with the pictures of stops.
    pub(crate) took: Arc<IndexMap<StepPath, Duration>>,
    /// When the bodies of background steps began, from the session's begin on.
    pub(crate) lanes: IndexMap<StepPath, Duration>,
    /// When each moment was reached, and how long the body ran that ended there.
    pub(crate) reached: IndexMap<MomentId, (Duration, Option<Duration>)>,
}

/// An error that belongs to no step.
fn error_of_the_job(effect: &Effect) -> Option<String> {
    match effect {
        Effect::Report(Report::Line { step: None, tag: LineTag::Error, text, .. }) => Some(text.clone()),
        _ => None,
    }
}

/// Whoever asks for this does not want to wait for what comes before the first step.
fn ends_all(request: &Request) -> bool {
    matches!(request, Request::Cancel | Request::Quit)
}

impl<H: Host> Session<H> {
    /// A session that stands before the first step of its job, and the handle that reaches it.
    pub fn new(setup: Setup<H>) -> (Self, SessionHandle, mpsc::UnboundedReceiver<Call>) {
        let (mut session, effects) = Self::begun(setup);
        session.carry_out(effects);
        let (sender, calls) = mpsc::unbounded_channel();
        (session, SessionHandle::new(sender), calls)
    }

    /// A session, and what its job asks for before its first step.
    pub(crate) fn begun(setup: Setup<H>) -> (Self, Vec<Effect>) {
        let mut effects = Vec::new();
        let job = Job::new(setup.plan, setup.inputs, &setup.secrets, &mut effects);
        let gate = match setup.mode {
            Mode::Headless | Mode::Linger => Gate::open(),
            Mode::Debug => Gate::closed(),
        };
        let session = Self {
            host: setup.host,
            job,
            secrets: setup.secrets,
            epoch: Epoch::default(),
            gate,
            breakpoints: Breakpoints::among(Places::new(
                &setup.workspace,
                setup.origin.as_ref().map(|origin| origin.folder.as_path()),
            )),
            filters: match setup.mode {
                Mode::Headless | Mode::Linger => ExceptionFilters::default(),
                Mode::Debug => ExceptionFilters::of_a_debugger(),
            },
            timeline: Timeline::default(),
            here: MomentId(0),
            branch: BranchId(1),
            rewound: None,
            held: None,
            waiting: Vec::new(),
            viewing: None,
            files: setup.files,
            recorder: setup.recorder,
            log: setup.log,
            masks: setup.masks,
            origin: setup.origin,
            workspace: setup.workspace,
            exit_codes: IndexMap::new(),
            mode: setup.mode,
            only_runs: setup.mode == Mode::Headless,
            before_the_step: None,
            source: setup.source,
            workflow: setup.workflow,
            stop: None,
            only_look: None,
            clock: StepClock::default(),
            confirmed: BTreeSet::new(),
            shell: None,
            started: Instant::now(),
            resumed: None,
            taken_up: None,
            setup_errors: effects.iter().filter_map(error_of_the_job).collect(),
            lane_stop: None,
            lane_choice: LaneChoice::default(),
            lanes_are_gone: false,
            lanes_wrote: false,
            withheld: Vec::new(),
            quit: false,
        };
        (session, effects)
    }

    /// Runs the job: to its end when headless, else until a person quits.
    pub async fn run(mut self, mut calls: mpsc::UnboundedReceiver<Call>) -> Ended {
        match self.resumed.take() {
            Some(past) => self.reenter(past).await,
            None => self.set_up(&mut calls).await,
        }
        while !self.is_over() {
            if self.may_advance() {
                self.advance().await;
                // A free-running job must not make a waiting request starve.
                if let Ok(call) = calls.try_recv() {
                    self.answer(call).await;
                }
                continue;
            }
            tokio::select! {
                biased;
                call = calls.recv() => match call {
                    Some(call) => self.answer(call).await,
                    None => self.left_alone().await,
                },
                event = self.host.next() => self.host_event(event).await,
            }
        }
        self.leave().await
    }

    /// Waits until the job's actions are found. There is nothing to look at before: of what is asked meanwhile, the end of it all
    /// is answered at once, since a download may take long, and everything else afterwards, in its order.
    async fn set_up(&mut self, calls: &mut mpsc::UnboundedReceiver<Call>) {
        let mut later = Vec::new();
        let mut asked = true;
        while self.job.is_setting_up() {
            tokio::select! {
                biased;
                call = calls.recv(), if asked => match call {
                    Some(call) if ends_all(&call.request) => self.call_off_set_up(call).await,
                    Some(call) => later.push(call),
                    None => asked = false,
                },
                event = self.host.next() => self.host_event(event).await,
            }
        }
        self.enter();
        for call in later {
            self.answer(call).await;
        }
    }

    async fn call_off_set_up(&mut self, call: Call) {
        self.quit |= call.request == Request::Quit;
        self.take(Event::Cancel(CancelReason::User)).await;
        // The asker may have gone; its request was carried out all the same.
        let _ = call.reply.send(Reply::Done);
    }

    fn is_over(&self) -> bool {
        let stays = match self.mode {
            Mode::Headless => false,
            Mode::Linger => self.job.outcome() == Some(Outcome::Failure),
            Mode::Debug => true,
        };
        self.quit || (self.job.outcome().is_some() && !stays)
    }

    /// Nobody can ask for anything any more: a debugged job that stands would stand for ever.
    async fn left_alone(&mut self) {
        if self.stop.is_some() {
            self.quit = true;
            return;
        }
        let event = self.host.next().await;
        self.host_event(event).await;
    }

    async fn answer(&mut self, call: Call) {
        if let Err(refusal) = self.may_answer(&call.request) {
            let _ = call.reply.send(Reply::Refused(refusal));
            return;
        }
        let reply = match call.request {
            Request::Shell { command } => return self.start_shell(command, false, call.reply),
            Request::Try { command } => return self.start_shell(command, true, call.reply),
            request => self.request(request).await.unwrap_or_else(Reply::Refused),
        };
        // The asker may have gone; its request was carried out all the same.
        let _ = call.reply.send(reply);
    }

    /// An event of the current epoch goes to the job; one of an earlier epoch belongs to a branch that was left for
    /// good. While the person is in the past, events belong to the newest moment and wait for it; a step that is frozen
    /// there does not end under the person's eyes.
    pub(crate) async fn host_event(&mut self, event: HostEvent) {
        if self.shell_event(&event) {
            return;
        }
        if event.epoch != self.epoch {
            return;
        }
        match &mut self.rewound {
            Some(rewound) => rewound.waiting.push(event.event),
            None if self.held.is_some() || !self.waiting.is_empty() => self.waiting.push(event.event),
            None => self.take(event.event).await,
        }
    }

    /// What was frozen at the newest moment runs on, and what had happened by then is told to the job.
    pub(crate) async fn release(&mut self) {
        if let Some(held) = self.held.take() {
            self.host.thaw(held).await;
        }
        // What lanes wait for at the newest moment is none of the past's business.
        if self.rewound.is_none() && self.begin_withheld() {
            self.stop_at_withheld().await;
        }
        let mut events = std::mem::take(&mut self.waiting).into_iter();
        while self.held.is_none() {
            let Some(event) = events.next() else { return };
            // It may be followed by another stop, at which everything is frozen again.
            Box::pin(self.take(event)).await;
        }
        self.waiting.splice(0..0, events);
    }

    /// Gives an event to the job, carries out its effects, and looks at where it stands now.
    pub(crate) async fn take(&mut self, event: Event) {
        self.refresh_masks();
        self.record_event(&event);
        if let Event::BodyEnded { lane, end } = &event {
            self.note_body_end(*lane, &end.exit);
        }
        let before = self.job.cursor().clone();
        let finds_action = matches!(&event, Event::ActionReady { .. });
        let mut effects = Vec::new();
        match self.job.happen(event, &self.secrets, &mut effects) {
            Ok(()) => {
                if finds_action {
                    self.bind_breakpoints();
                }
                self.follow(effects).await;
                self.move_lanes_on().await;
                self.forget_what_nobody_asks_for();
                if self.arrived(&before) {
                    self.arrive().await;
                }
                self.stop_at_lane_point().await;
                self.stop_at_withheld().await;
            }
            // A late event of a step that is over; the job has not changed.
            Err(misuse) => tracing::debug!(%misuse, "the job did not take an event"),
        }
    }

    /// What follows by itself, one state after the other: background steps come to stop points of their own on the way.
    async fn move_lanes_on(&mut self) {
        let mut effects = Vec::new();
        while self.job.move_on(&self.secrets, &mut effects) {
            self.follow(std::mem::take(&mut effects)).await;
        }
    }

    /// An action was found, in whose file there may be breakpoints.
    fn bind_breakpoints(&mut self) {
        for breakpoint in self.breakpoints.bind(&self.job) {
            self.tell(Notice::BreakpointChanged(Box::new(breakpoint)));
        }
    }

    /// Masks only grow; what was masked by a running step is masked in everything the engine says from here on.
    pub(crate) fn refresh_masks(&mut self) {
        let masks = self.masks.current();
        if masks.generation() != self.secrets.masks().generation() {
            self.secrets = self.secrets.with_masks(masks);
            let masks = self.secrets.masks().clone();
            self.record(|recorder| recorder.masks_grew(&masks));
        }
    }

    pub(crate) fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Report(report) => self.report(report),
                Effect::Spawn { lane, ref body } => {
                    let name = self.job.step_name(body.step(), &self.secrets);
                    let (step, epoch) = (body.step().clone(), self.epoch);
                    self.record(|recorder| recorder.intent(lane, &step, epoch, &name));
                    // It may be over without anybody seeing its end.
                    self.confirmed.remove(&step);
                    self.clock.began.insert(body.step().clone(), Instant::now());
                    if lane != LaneId::FOREGROUND {
                        self.clock.lanes.insert(body.step().clone(), self.started.elapsed());
                    }
                    self.host.perform(effect);
                }
                other => self.host.perform(other),
            }
        }
    }

    fn note_body_end(&mut self, lane: LaneId, exit: &Exit) {
        let cursor = self.job.lanes().get(&lane).map(|lane| &lane.cursor);
        let Some(path) = cursor.and_then(|cursor| cursor.step()).cloned() else { return };
        if let Exit::Code(code) = exit {
            self.exit_codes.insert(path.clone(), *code);
        }
        if let Some(began) = self.clock.began.shift_remove(&path) {
            Arc::make_mut(&mut self.clock.took).insert(path, began.elapsed());
        }
    }

    /// An action with steps of its own has no body: it ran as long as they did, without what a person took in between.
    pub(crate) fn note_action_time(&mut self, path: &StepPath) {
        let inside = std::iter::successors(Some(path.child(0)), |inner| Some(inner.next_sibling()));
        let took: Vec<Duration> = inside
            .map_while(|inner| Some((self.job.results().get(&inner)?.outcome, inner)))
            .filter(|(outcome, _)| *outcome != Outcome::Skipped)
            .filter_map(|(_, inner)| self.clock.took.get(&inner).copied())
            .collect();
        if !took.is_empty() {
            Arc::make_mut(&mut self.clock.took).insert(path.clone(), took.iter().sum());
        }
    }

    pub(crate) fn tell(&self, notice: Notice) {
        self.log.notice(notice);
    }

    async fn leave(mut self) -> Ended {
        self.end_shell().await;
        if self.rewound.is_some() {
            // Leaving while in the past puts the workspace back to the newest moment (DESIGN 4).
            if let Err(refusal) = self.return_to_newest().await {
                self.tell(Notice::Warning(refusal.text));
            }
        }
        self.release().await;
        self.begin_all_withheld();
        // Who only looked at a recording that broke off has run nothing, and leaves it as it was.
        if self.job.outcome().is_none() && self.taken_up.is_none() {
            self.cancel_to_the_end().await;
        }
        for text in self.host.clean_up() {
            self.tell(Notice::JobLog { tag: LineTag::Plain, text: self.secrets.mask(&text) });
        }
        self.close_recording(self.job.outcome());
        let outcome = self.job.outcome().unwrap_or(Outcome::Cancelled);
        Ended { outcome, job: self.job }
    }

    /// Runs what is left of a job that a person left: nothing but what runs when a job is cancelled.
    async fn cancel_to_the_end(&mut self) {
        self.mode = Mode::Headless;
        self.gate = Gate::open();
        // Nobody is there who could let the job go on from a stop.
        self.breakpoints.clear();
        self.filters = ExceptionFilters::default();
        self.take(Event::Cancel(CancelReason::User)).await;
        while self.job.outcome().is_none() {
            if self.may_advance() {
                self.advance().await;
            } else {
                let event = self.host.next().await;
                self.host_event(event).await;
            }
        }
    }
}
