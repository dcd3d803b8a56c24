//! `stepback run`: all jobs of a workflow by their needs, as many at once as there are cores.
//!
//! Chooses the face, drives the run, passes on Ctrl-C, and at a red end offers the debugger. What a step does is not its
//! business.

use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use engine::effect::Outcome;
use engine::run::Run;
use host::services::KeptArtifact;
use session::fleet::Fleet;
use session::request::Request;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::task::LocalSet;

use crate::args::RunArguments;
use crate::choose;
use crate::config;
use crate::exit::{Exit, Fault};
use crate::given::actions;
use crate::interrupts::{self, Interrupts};
use crate::job_place::RunFolder;
use crate::launch::{JobLauncher, JobNews, StartedJob};
use crate::output::json::JsonFace;
use crate::output::plain::PlainFace;
use crate::output::tree::TreeFace;
use crate::output::{Face, Output, lock};
use crate::prepare::{Prepared, Warnings, jobs_to_run, prepare};
use crate::record::Shelf;
use crate::repl::{self, EndsTold};
use crate::services;
use crate::sweep;
use crate::terminal::{self, Terminal};
use crate::workflow_files::Project;
use session::wording::Painter;

/// A run that took this long tidies up after itself.
const TIDY_AFTER: Duration = Duration::from_secs(2);

/// The one at the terminal is asked about a failure.
struct Asks {
    /// They want to see every line of the log.
    verbose: bool,
    terminal: Terminal,
}

/// Runs a workflow.
///
/// # Errors
/// Everything that a person can put right before the first step.
pub(crate) fn run(project: &Project, arguments: RunArguments, terminal: Terminal) -> anyhow::Result<Exit> {
    let settings = config::settings(&project.start, &project.root, arguments.options)?;
    let (store, secrets) = actions::store_and_secrets(&settings)?;
    let project = &project.reaching(store);
    let loaded = choose::workflow(project, arguments.file.as_deref(), arguments.job.as_deref(), terminal)?;
    let wanted = match (&loaded.workflow, &arguments.job) {
        (Some(workflow), Some(job)) => Some(vec![loaded.job_id(workflow, job)?]),
        _ => None,
    };
    let mut errors = io::stderr();
    let mut warnings = Warnings { out: &mut errors, painter: Painter::new(terminal.error_colour) };
    let prepared = Arc::new(prepare(project, loaded, wanted, (settings, secrets), &mut warnings)?);
    sweep::sweep(&prepared.paths, &mut warnings);
    let folder = Arc::new(make_folder(&prepared)?);
    let face = face(&prepared, terminal, arguments.verbose);
    // A person who reads JSON or a whole log is not asked in the middle of it.
    let asks = terminal.can_ask() && !prepared.settings.json;
    let began = Instant::now();
    let asks = asks.then_some(Asks { verbose: arguments.verbose, terminal });
    let (outcome, artifacts) = in_runtime(drive(&prepared, Arc::clone(&face), Arc::clone(&folder), asks))?;
    // Looking at all recordings would cost a short run more than its steps.
    if began.elapsed() > TIDY_AFTER
        && let Ok(shelf) = Shelf::open(&prepared.paths)
    {
        shelf.tidy();
    }
    if !prepared.settings.json {
        services::tell(&artifacts, &mut io::stderr(), Painter::new(terminal.error_colour));
    }
    leave(folder, outcome, &prepared, terminal);
    // The program ends here, and the system takes everything at once: piece by piece, a long workflow takes longer than a step.
    std::mem::forget(prepared);
    Ok(exit_of(outcome))
}

/// The run's folder.
///
/// # Errors
/// It cannot be made.
pub(crate) fn make_folder(prepared: &Prepared) -> Result<RunFolder, Fault> {
    RunFolder::create(&prepared.paths).map_err(|error| {
        Fault::new(format!("{}: cannot be written: {error}", prepared.paths.cache.display()))
            .hint("set XDG_CACHE_HOME")
    })
}

/// Runs `work` on this thread.
///
/// # Errors
/// The system gives us no event loop.
pub(crate) fn in_runtime<T>(work: impl Future<Output = T>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = LocalSet::new().block_on(&runtime, work);
    // A thread that waits for a person's input must not keep us.
    runtime.shutdown_background();
    Ok(result)
}

/// The exit code of a run.
pub(crate) fn exit_of(outcome: Outcome) -> Exit {
    match outcome {
        Outcome::Success | Outcome::Skipped => Exit::Success,
        Outcome::Failure => Exit::JobFailed,
        Outcome::Cancelled => Exit::Cancelled,
    }
}

/// True when more than one job writes at a time.
pub(crate) fn has_many_jobs(prepared: &Prepared) -> bool {
    let jobs = jobs_to_run(&prepared.workflow, prepared.wanted.as_deref());
    jobs.len() > 1 || jobs.iter().any(|job| job.strategy.is_some())
}

fn face(prepared: &Prepared, terminal: Terminal, verbose: bool) -> Arc<dyn Face> {
    let (output, painter) = (Output::standard(), Painter::new(terminal.colour));
    let many = has_many_jobs(prepared);
    if prepared.settings.json {
        Arc::new(JsonFace::new(output))
    } else if terminal.output && !verbose {
        Arc::new(TreeFace::new(output, painter, many, terminal::width))
    } else {
        Arc::new(PlainFace::new(output, painter, many))
    }
}

async fn drive(
    prepared: &Arc<Prepared>,
    face: Arc<dyn Face>,
    folder: Arc<RunFolder>,
    asks: Option<Asks>,
) -> (Outcome, Vec<KeptArtifact>) {
    let began = Instant::now();
    let (news, heard) = mpsc::unbounded_channel();
    let (cancel, cancels) = mpsc::unbounded_channel();
    let interrupts = Interrupts::listen(cancel);
    let mut launcher = JobLauncher::new(Arc::clone(prepared), Arc::clone(&face), folder, news);
    launcher.linger = asks.is_some();
    let told = EndsTold::default();
    if let Some(asks) = asks {
        let (face, prepared, told) = (Arc::clone(&face), Arc::clone(prepared), Arc::clone(&told));
        tokio::task::spawn_local(look_after(heard, face, asks, (prepared, told), interrupts));
    }
    let run = Run::new(Arc::clone(&prepared.workflow), prepared.given.clone(), prepared.wanted.clone());
    let slots = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let outcome = Fleet::new(run, &prepared.secrets, slots, &mut launcher).drive(cancels).await;
    let mut artifacts = services::kept(&launcher.services, &launcher.masks);
    face.artifacts(&artifacts);
    face.run_ended(outcome, began.elapsed());
    artifacts.retain(|artifact| !lock(&told).contains(&artifact.job));
    (outcome, artifacts)
}

/// Offers the debugger for failed jobs that wait, once nothing else runs.
async fn look_after(
    mut heard: UnboundedReceiver<JobNews>,
    face: Arc<dyn Face>,
    asks: Asks,
    (prepared, told): (Arc<Prepared>, EndsTold),
    mut interrupts: Interrupts,
) {
    let mut running: Vec<StartedJob> = Vec::new();
    let mut waiting: Vec<StartedJob> = Vec::new();
    while let Some(news) = heard.recv().await {
        match news {
            JobNews::Started(job) => running.push(job),
            JobNews::RanOut { key, outcome } => {
                let ended = running.extract_if(.., |job| job.key == key);
                waiting.extend(ended.filter(|_| outcome == Outcome::Failure));
            }
            JobNews::Over { key, .. } => {
                running.retain(|job| job.key != key);
                waiting.retain(|job| job.key != key);
            }
        }
        if running.is_empty() {
            for job in waiting.drain(..) {
                face.suspend();
                interrupts.leave_keyboard();
                if offer(&job).await {
                    repl::at_failure(&job, asks.verbose, asks.terminal, &prepared, &told).await;
                }
                interrupts.take_keyboard();
                face.resume();
                job.handle.tell(Request::Quit);
            }
        }
    }
}

/// Asks whether to open the debugger. Yes is the answer that costs nothing.
async fn offer(job: &StartedJob) -> bool {
    let question =
        format!("open the debugger at the failure of {}? [y/N] ", session::wording::shown(&job.heading.name));
    // Before anybody can know that there is a question, so that no answer to it is missed.
    let mut interrupt = signal(SignalKind::interrupt()).ok();
    let (answered, answer) = tokio::sync::oneshot::channel();
    let ask = move || {
        let mut out = io::stdout().lock();
        let asked = out.write_all(question.as_bytes()).and_then(|()| out.flush());
        drop(out);
        let mut line = String::new();
        let read = asked.and_then(|()| io::stdin().read_line(&mut line));
        let yes =
            read.is_ok_and(|bytes| bytes > 0) && matches!(line.trim().to_lowercase().as_str(), "y" | "yes");
        let _ = answered.send(yes);
    };
    if thread::Builder::new().name("question".into()).spawn(ask).is_err() {
        return false;
    }
    tokio::select! {
        yes = answer => yes.unwrap_or(false),
        Some(_) = interrupts::next(&mut interrupt) => false,
    }
}

/// Tidies up. The workspace of a run that failed is kept, for a look.
pub(crate) fn leave(folder: Arc<RunFolder>, outcome: Outcome, prepared: &Prepared, terminal: Terminal) {
    let Some(folder) = Arc::into_inner(folder) else { return };
    if outcome != Outcome::Failure {
        folder.remove();
        return;
    }
    if !prepared.settings.json {
        let painter = Painter::new(terminal.error_colour);
        let command = if prepared.settings.record { "debug --last" } else { "debug" };
        let text = format!(
            "hint: `stepback {command}` stops at the failure · the job's files: {}",
            folder.path().display()
        );
        let _ = writeln!(io::stderr(), "{}", painter.paint(session::wording::Meaning::Quiet, &text));
    }
}
