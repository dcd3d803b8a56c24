//! What has to hold for any sequence of requests to a debugged job, from clients that come and go. Driven by `cargo fuzz`,
//! and by a test with random bytes that needs no special compiler. Panics when something does not hold.
//!
//! The adapter and the session are the real ones; the job's steps are played, and time is virtual: it passes as soon as
//! nothing else can happen, so that what would hang is known at once.

mod asking;
mod choices;
mod client;
mod heard;
mod job;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use dap_server::debuggee::{Closing, Desk};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, LocalSet, spawn_local};

use choices::Choices;
use client::Client;
use job::{Job, launch_all};

/// Nothing that ends at all takes as long: in virtual time.
const NEVER: Duration = Duration::from_secs(30 * 24 * 3600);

/// More is cut off: what breaks after more, breaks after less.
const DEEDS_MAX: usize = 200;

/// Decides by the bytes what clients do, and does it. `check` sees every message of the adapter.
pub(crate) fn conversation(bytes: &[u8], check: &mut dyn FnMut(&str)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime");
    LocalSet::new().block_on(&runtime, Visits::all(bytes, check));
}

/// Clients of one desk, one after the other.
struct Visits {
    desk: Rc<Desk>,
    jobs: Rc<RefCell<Vec<Job>>>,
    launcher: Option<JoinHandle<()>>,
    /// One client is all there will ever be.
    only_one: bool,
    /// A job that is left at the end is told so; else it finds that nobody can reach it any longer.
    told_to_end: bool,
    /// The last client waits for answers before it goes.
    patient: bool,
}

impl Visits {
    async fn all(bytes: &[u8], check: &mut dyn FnMut(&str)) {
        let mut choices = Choices::new(bytes);
        let visits = Self::new(&mut choices);
        for visit in 0.. {
            let client = Client::new(&visits.desk, &mut *check);
            let silently = visits.one(client, &mut choices).await;
            // A client that left without a word takes along what it launched.
            if silently && visit == 0 && visits.launcher.is_some() {
                within("a job whose client has gone", visits.end_jobs()).await;
            }
            if visits.only_one || choices.is_empty() || visit == 3 {
                break;
            }
        }
        visits.end().await;
    }

    fn new(choices: &mut Choices<'_>) -> Self {
        let jobs = Rc::<RefCell<Vec<Job>>>::default();
        let first = choices.byte();
        let (kind, told_to_end, patient) = (first % 4, first & 4 == 0, first & 8 == 0);
        if kind < 2 {
            let (job, debuggee) = Job::start(choices, false);
            jobs.borrow_mut().push(job);
            let desk = Desk::with(debuggee, std::sync::Arc::new(Closing::default()));
            return Self { desk, jobs, launcher: None, only_one: false, told_to_end, patient };
        }
        let (launches, calls) = mpsc::unbounded_channel();
        let decisions = vec![choices.byte(), choices.byte(), choices.byte()];
        let launcher = Some(spawn_local(launch_all(calls, decisions, Rc::clone(&jobs))));
        let only_one = kind == 2;
        let desk = if only_one { Desk::for_one(launches) } else { Desk::for_launches(launches) };
        Self { desk, jobs, launcher, only_one, told_to_end, patient }
    }

    /// True if the client went without a word.
    async fn one(&self, mut client: Client<'_>, choices: &mut Choices<'_>) -> bool {
        for _ in 0..DEEDS_MAX {
            if choices.is_empty() || client.is_gone() || !client.deed(choices).await {
                break;
            }
        }
        let patient = if choices.is_empty() { self.patient } else { !choices.one_in(4) };
        client.leave(choices, patient).await
    }

    async fn end_jobs(&self) {
        let jobs = std::mem::take(&mut *self.jobs.borrow_mut());
        for job in jobs {
            job.end().await;
        }
    }

    /// Nobody comes any more. A job ends when it is told to; one that nobody can reach any longer ends by itself.
    async fn end(self) {
        let Self { desk, jobs, launcher, told_to_end, .. } = self;
        for job in jobs.borrow_mut().iter_mut() {
            if told_to_end {
                job.quit();
            }
            job.let_go();
        }
        drop(desk);
        if let Some(launcher) = launcher {
            within("who launches jobs", launcher).await.expect("the launcher panicked");
        }
        let jobs = std::mem::take(&mut *jobs.borrow_mut());
        for mut job in jobs {
            job.let_go();
            within("a job that was let go", job.end()).await;
        }
    }
}

/// Fails where nothing can happen any more.
async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let within = tokio::time::timeout(NEVER, future).await;
    within.unwrap_or_else(|_| panic!("{what} does not come to an end"))
}
