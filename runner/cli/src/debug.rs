//! `stepback debug`: one job step by step, the jobs that it needs first and without stops.
//!
//! Chooses the job, starts it, and leaves the conversation to the REPL.

use std::cell::RefCell;
use std::io;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::Arc;

use dap_server::feed::Feed;
use dap_server::server::Offer;
use dap_server::transport::Address;
use engine::effect::Outcome;
use engine::plan::JobKey;
use engine::run::Run;
use host::services::KeptArtifact;
use session::fleet::Fleet;
use session::handle::SessionHandle;
use session::request::Request;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinHandle;

use crate::args::DebugArguments;
use crate::dap::listen::{self, Server};
use crate::dap::{debuggee, decides};
use crate::exit::{Exit, Fault};
use crate::interrupts::Interrupts;
use crate::job_place::RunFolder;
use crate::launch::{JobLauncher, JobNews, StartedJob};
use crate::one_job::OneJob;
use crate::output::json::JsonFace;
use crate::output::quiet::{Others, QuietFace};
use crate::output::tree::TreeFace;
use crate::output::{Face, Output, text};
use crate::prepare::{Prepared, Warnings};
use crate::reopen;
use crate::repl::{self, Seat, Watch};
use crate::run::{exit_of, in_runtime};
use crate::seek::Wanted;
use crate::services;
use crate::terminal::Terminal;
use crate::workflow_files::Project;
use session::wording::Painter;

/// Debugs a job.
///
/// # Errors
/// Everything that a person can put right before the first step.
pub(crate) fn debug(
    project: &Project,
    arguments: DebugArguments,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
    let recording = arguments.recording.as_deref().map(|text| Wanted::of(text, &project.start));
    if let Some(wanted) = arguments.last.then_some(Wanted::Last).or(recording) {
        return reopen::debug_recording(project, arguments, &wanted, terminal);
    }
    let mut errors = io::stderr();
    let mut warnings = Warnings { out: &mut errors, painter: Painter::new(terminal.error_colour) };
    let named = (arguments.file.as_deref(), arguments.job.as_deref());
    let OneJob { prepared, run, folder, id: job } =
        OneJob::of(project, arguments.options, named, terminal, &mut warnings)?;
    let shared = (Arc::clone(&prepared), Arc::clone(&folder));
    let face = match arguments.listen {
        Some(address) => Talk::WithClients(listen::address(&address, &prepared.paths)?),
        None => Talk::OnTerminal { verbose: arguments.verbose },
    };
    let json = prepared.settings.json;
    let (outcome, artifacts) = in_runtime(drive(shared, run, job, face, terminal))??;
    if !json {
        services::tell(&artifacts, &mut io::stderr(), Painter::new(terminal.error_colour));
    }
    if let Some(folder) = Arc::into_inner(folder) {
        folder.remove();
    }
    Ok(exit_of(outcome))
}

async fn drive(
    (prepared, folder): (Arc<Prepared>, Arc<RunFolder>),
    run: Run,
    job: Arc<str>,
    face: Talk,
    terminal: Terminal,
) -> Result<(Outcome, Vec<KeptArtifact>), Fault> {
    let (news, heard) = mpsc::unbounded_channel();
    let painter = Painter::new(terminal.colour);
    let output = Output::standard();
    let others = if prepared.settings.json {
        Others::Fully(Arc::new(JsonFace::new(output)))
    } else {
        Others::Briefly(Arc::new(TreeFace::still(output, painter)))
    };
    let quiet = Arc::new(QuietFace::new(others, job.to_string()));
    let mut launcher =
        JobLauncher::new(Arc::clone(&prepared), Arc::clone(&quiet) as Arc<dyn Face>, folder, news);
    launcher.debugged = Some(Arc::clone(&job));
    let (services, masks) = (launcher.services.clone(), launcher.masks.clone());
    let (cancel, cancels) = mpsc::unbounded_channel();
    // On a terminal Ctrl-C belongs to the conversation.
    let (interrupt, interrupts) = mpsc::unbounded_channel();
    let _listening = matches!(face, Talk::WithClients(_)).then(|| Interrupts::listen(interrupt));
    let listening: Listening = Rc::default();
    let talked_of: TalkedOf = Rc::default();
    // One at a time: where nothing was chosen, the other combinations wait behind the one that is debugged.
    let fleet = Fleet::new(run, &prepared.secrets, NonZeroUsize::MIN, &mut launcher);
    tokio::task::spawn_local(end_on_interrupt(interrupts, cancel, Rc::clone(&listening)));
    let talk =
        converse(heard, job, face, terminal, (Arc::clone(&prepared), listening, Rc::clone(&talked_of)));
    let outcome = tokio::select! {
        biased;
        outcome = talk => outcome?,
        outcome = fleet.drive(cancels) => outcome,
    };
    // The job is over, and the last that is said of it may still be on its way to the terminal.
    let talk = talked_of.borrow_mut().as_mut().and_then(|talked_of| talked_of.talk.take());
    if let Some(talk) = talk {
        talk.await.map_err(|error| Fault::new(error.to_string()))?;
    }
    let mut artifacts = services::kept(&services, &masks);
    quiet.artifacts(&artifacts);
    // Its end was told in the conversation, with what it left.
    artifacts
        .retain(|artifact| talked_of.borrow().as_ref().is_none_or(|talked_of| talked_of.key != artifact.job));
    Ok((outcome, artifacts))
}

/// The job that clients come to, once it is there.
type Listening = Rc<RefCell<Option<SessionHandle>>>;

/// The job that a person talks about here.
struct Conversation {
    key: String,
    talk: Option<JoinHandle<()>>,
}

type TalkedOf = Rc<RefCell<Option<Conversation>>>;

/// Where clients come, a signal ends the job that they come to, and once more the run.
async fn end_on_interrupt(
    mut interrupts: UnboundedReceiver<()>,
    cancel: UnboundedSender<()>,
    listening: Listening,
) {
    while interrupts.recv().await.is_some() {
        let job = listening.borrow_mut().take();
        match job {
            Some(job) => job.tell(Request::Quit),
            // The run is over: nobody is left to be told.
            None => drop(cancel.send(())),
        }
    }
    // On a terminal nobody interrupts, and the run must not take that for an end.
    std::future::pending::<()>().await;
}

/// Who talks about the job.
enum Talk {
    /// A person, here.
    OnTerminal {
        /// With every log line.
        verbose: bool,
    },
    /// Whoever comes to this address.
    WithClients(Address),
}

/// Talks about the first session of the job, and tells how it ended.
async fn converse(
    mut heard: UnboundedReceiver<JobNews>,
    job: Arc<str>,
    face: Talk,
    terminal: Terminal,
    (prepared, listening, talked_of): (Arc<Prepared>, Listening, TalkedOf),
) -> Result<Outcome, Fault> {
    let mut debugged: Option<JobKey> = None;
    let mut server: Option<Server> = None;
    while let Some(news) = heard.recv().await {
        match news {
            JobNews::Started(started) if started.key.id_path() == *job && debugged.is_none() => {
                debugged = Some(started.key.clone());
                match &face {
                    Talk::OnTerminal { verbose } => {
                        let key = started.key.to_string();
                        let talk = talk(started, *verbose, terminal, Arc::clone(&prepared));
                        let talk = Some(tokio::task::spawn_local(talk));
                        *talked_of.borrow_mut() = Some(Conversation { key, talk });
                    }
                    Talk::WithClients(address) => {
                        *listening.borrow_mut() = Some(started.handle.clone());
                        server = Some(serve(&started, address.clone(), &prepared, terminal).await?);
                    }
                }
            }
            JobNews::Over { key, outcome } if decides(&key, &job) => {
                if let Some(server) = server {
                    server.close();
                }
                // A job that never started because one before it failed is a failure to the person who wanted it.
                return Ok(if debugged.is_none() && outcome == Outcome::Skipped {
                    Outcome::Failure
                } else {
                    outcome
                });
            }
            _ => {}
        }
    }
    Ok(Outcome::Failure)
}

/// Lets clients come to the job, and says where.
async fn serve(
    job: &StartedJob,
    address: Address,
    prepared: &Prepared,
    terminal: Terminal,
) -> Result<Server, Fault> {
    let feed = Feed::default();
    let debuggee = debuggee(job, &feed, prepared, false);
    job.relay.hand_over(Arc::new(feed));
    job.relay.repeat_stop();
    let (server, listening) = Server::start(address, |closing| Offer::Job(debuggee, closing)).await?;
    let heading = text::heading(&job.heading, Painter::new(terminal.colour));
    Output::standard().write(format!("{heading}\n{}", listen::how_to_attach(&listening)).as_bytes());
    Ok(server)
}

async fn talk(job: StartedJob, verbose: bool, terminal: Terminal, prepared: Arc<Prepared>) {
    let json = prepared.settings.json;
    let seat = Seat { terminal, verbose, json, history: prepared.paths.history() };
    let watch = Watch::new(&job.heading, &seat);
    let debuggee = debuggee(&job, &watch.feed, &prepared, false);
    job.relay.hand_over(Arc::clone(&watch.observer));
    job.relay.repeat_stop();
    let greeting = format!("{}\n", text::heading(&job.heading, Painter::new(terminal.colour)));
    repl::talk(debuggee, watch, seat, if json { "" } else { &greeting }).await;
}
