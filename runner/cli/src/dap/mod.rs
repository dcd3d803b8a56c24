//! `stepback dap`: the debug adapter for editors, on standard input and output.
//!
//! Starts the job that a client asks for, or takes a recorded one up, and hands its session to the adapter, which runs on a thread of its own. Nothing but
//! the adapter writes to standard output. Knows how jobs are started; what the client says is the adapter's affair.

mod configuration;
pub(crate) mod listen;
mod recording;

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use dap_server::debuggee::{Debuggee, LaunchCall, Wish};
use dap_server::feed::Feed;
use dap_server::server::Offer;
use dap_server::transport::Address;
use engine::effect::Outcome;
use engine::lines::LineTag;
use engine::plan::JobKey;
use session::fleet::Fleet;
use session::notice::{Notice, Observer};
use session::request::{Refusal, Request};
use session::wording::Painter;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::sync::oneshot;

use crate::args::DapArguments;
use crate::exit::{Exit, Fault};
use crate::launch::{JobLauncher, JobNews, StartedJob};
use crate::one_job::OneJob;
use crate::output::Output;
use crate::output::quiet::{Others, QuietFace};
use crate::output::tree::TreeFace;
use crate::paths::Paths;
use crate::prepare::{Prepared, Warnings};
use crate::run::{exit_of, in_runtime};
use crate::terminal::Terminal;
use crate::workflow_files::Project;
use configuration::Launch;
use listen::Server;
use recording::Recorded;

/// Serves one client.
///
/// # Errors
/// The system gives us no thread or no event loop.
pub(crate) fn dap(arguments: DapArguments) -> anyhow::Result<Exit> {
    let (launches, wishes) = mpsc::unbounded_channel();
    if let Some(address) = arguments.listen {
        let address = listen::address(&address, &Paths::from_environment()?)?;
        return in_runtime(launch_for_others(address, launches, wishes))?;
    }
    let server = thread::Builder::new()
        .name("dap".to_owned())
        .spawn(move || dap_server::server::serve_stdio(launches))?;
    let outcome = in_runtime(fulfil(wishes))?;
    // The client may still be looking, or has left the job running behind it.
    match server.join() {
        Ok(served) => served?,
        Err(_) => anyhow::bail!("the debug adapter has failed"),
    }
    Ok(outcome.map_or(Exit::Success, exit_of))
}

/// Serves the clients that come to an address.
async fn launch_for_others(
    address: Address,
    launches: mpsc::UnboundedSender<LaunchCall>,
    wishes: UnboundedReceiver<LaunchCall>,
) -> anyhow::Result<Exit> {
    let (server, listening) = Server::start(address, |_| Offer::Launches(launches)).await?;
    // Nobody reads it: no reason not to serve.
    let _ = writeln!(io::stderr(), "{}", listen::how_to_attach(&listening).trim_end());
    let outcome = fulfil(wishes).await;
    server.close();
    Ok(outcome.map_or(Exit::Success, exit_of))
}

/// Starts what is wished for, one job in all, and stays with it to its end.
async fn fulfil(mut wishes: UnboundedReceiver<LaunchCall>) -> Option<Outcome> {
    loop {
        let LaunchCall { wish, reply } = wishes.recv().await?;
        match Wanted::prepare(wish) {
            Ok(Wanted::Job(job)) => return Some(job.run(reply).await),
            Ok(Wanted::Recording(recording)) => return Some(recording.run(reply).await),
            Err(fault) => {
                let refusal = Refusal { text: fault.text, hint: fault.hint };
                // The client may have gone meanwhile.
                let _ = reply.send(Err(refusal));
            }
        }
    }
}

/// What was wished for, and can start.
enum Wanted {
    Job(Box<Job>),
    Recording(Box<Recorded>),
}

impl Wanted {
    fn prepare(wish: Wish) -> Result<Self, Fault> {
        let here = std::env::current_dir()
            .map_err(|error| Fault::new(format!("the current folder is gone: {error}")))?;
        match wish {
            Wish::Job(members) => {
                Launch::of(&members, &here).and_then(Job::prepare).map(Box::new).map(Self::Job)
            }
            Wish::Recording { name, members } => {
                Recorded::open(&name, &members, &here).map(Box::new).map(Self::Recording)
            }
        }
    }
}

/// What was said while a job was prepared: for a person to see before its first step.
fn tell_warnings(feed: &Feed, warnings: &str) {
    for text in warnings.lines().filter(|line| !line.is_empty()) {
        let text = text.strip_prefix("warning: ").unwrap_or(text);
        feed.notice(Notice::Warning(text.to_owned()));
    }
}

/// A job that can start.
struct Job {
    job: OneJob,
    warnings: String,
}

impl Job {
    fn prepare(launch: Launch) -> Result<Self, Fault> {
        let Launch { workflow, job, start, options } = launch;
        let project = Project::around(&start).of_file(workflow.as_deref());
        let mut said = Vec::new();
        let mut warnings = Warnings { out: &mut said, painter: Painter::new(false) };
        let named = (workflow.as_deref(), job.as_deref());
        let job = OneJob::of(&project, options, named, Terminal::nobody(), &mut warnings);
        let said = String::from_utf8_lossy(&said).into_owned();
        match job {
            Ok(job) => Ok(Self { job, warnings: said }),
            // What is wrong with a workflow is told there at length.
            Err(error) => {
                let fault = fault(error);
                let text = format!("{}\n{said}", fault.text).trim_end().to_owned();
                Err(Fault { text, ..fault })
            }
        }
    }

    /// Runs the jobs that it needs, then the job itself, whose session goes to `reply`.
    async fn run(self, reply: oneshot::Sender<Result<Debuggee, Refusal>>) -> Outcome {
        let Self { job: OneJob { prepared, run, folder, id }, warnings } = self;
        let feed = Feed::default();
        tell_warnings(&feed, &warnings);
        let (news, heard) = mpsc::unbounded_channel();
        let others = TreeFace::still(Output::new(Box::new(IntoFeed::new(feed.clone()))), Painter::new(false));
        let face = Arc::new(QuietFace::new(Others::Briefly(Arc::new(others)), id.to_string()));
        let mut launcher = JobLauncher::new(Arc::clone(&prepared), face, Arc::clone(&folder), news);
        launcher.debugged = Some(Arc::clone(&id));
        let (_cancel, cancels) = mpsc::unbounded_channel();
        let fleet = Fleet::new(run, &prepared.secrets, NonZeroUsize::MIN, &mut launcher);
        let hand_over = hand_over(heard, id, feed, &prepared, reply);
        let outcome = tokio::select! {
            biased;
            outcome = hand_over => outcome,
            outcome = fleet.drive(cancels) => outcome,
        };
        drop(launcher);
        if let Some(folder) = Arc::into_inner(folder) {
            folder.remove();
        }
        outcome
    }
}

fn fault(error: anyhow::Error) -> Fault {
    error.downcast::<Fault>().unwrap_or_else(|error| Fault::new(error.to_string()))
}

/// Gives the first session of the job away, and tells how the job ended.
async fn hand_over(
    mut heard: UnboundedReceiver<JobNews>,
    id: Arc<str>,
    feed: Feed,
    prepared: &Prepared,
    reply: oneshot::Sender<Result<Debuggee, Refusal>>,
) -> Outcome {
    let mut reply = Some(reply);
    while let Some(news) = heard.recv().await {
        match news {
            JobNews::Started(job) if job.key.id_path() == *id => {
                let Some(reply) = reply.take() else { continue };
                let debuggee = debuggee(&job, &feed, prepared, true);
                job.relay.hand_over(Arc::new(feed.clone()) as Arc<dyn Observer>);
                job.relay.repeat_stop();
                let handle = debuggee.handle.clone();
                // The client has gone before its job came.
                if reply.send(Ok(debuggee)).is_err() {
                    handle.tell(Request::Quit);
                }
            }
            JobNews::Over { key, outcome } if decides(&key, &id) => {
                if let Some(reply) = reply.take() {
                    let text = format!("job `{id}` did not run: a job that it needs has not succeeded");
                    let _ = reply.send(Err(Refusal::new(text)));
                    return Outcome::Failure;
                }
                return outcome;
            }
            _ => {}
        }
    }
    Outcome::Failure
}

/// Whether the end of the job `key` is the end of the one that `path` leads to: it is that one, or it would have called it.
pub(crate) fn decides(key: &JobKey, path: &str) -> bool {
    path.strip_prefix(&*key.id_path()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A job as the adapter wants it; whoever has it sees to it that the session talks to the feed.
pub(crate) fn debuggee(job: &StartedJob, feed: &Feed, prepared: &Prepared, launched: bool) -> Debuggee {
    Debuggee {
        handle: job.handle.clone(),
        feed: feed.reader(),
        name: job.heading.name.to_string(),
        workflow: prepared.path_of(&job.heading.file),
        callers: job.heading.callers.iter().map(|file| prepared.path_of(file)).collect(),
        name_columns: job.heading.name_columns,
        launched,
    }
}

/// What is said of the jobs around the one that is debugged, line by line.
struct IntoFeed {
    feed: Feed,
    line: Vec<u8>,
}

impl IntoFeed {
    fn new(feed: Feed) -> Self {
        Self { feed, line: Vec::new() }
    }
}

impl Write for IntoFeed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for byte in bytes {
            if *byte == b'\n' {
                let text = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
                self.feed.notice(Notice::JobLog { tag: LineTag::Plain, text });
            } else {
                self.line.push(*byte);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
