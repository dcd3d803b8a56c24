//! All jobs of a run at once: starts what the run says may start, as many at a time as there are slots.
//!
//! Knows sessions and their ends; which job may run when is the engine's, how a session is made is the caller's.

use std::collections::VecDeque;
use std::future::Future;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;

use engine::effect::Outcome;
use engine::job::JobInputs;
use engine::plan::{JobKey, Plan};
use engine::run::{Run, RunEffect, RunEvent};
use engine::secrets::Secrets;
use indexmap::IndexMap;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::handle::SessionHandle;
use crate::request::Request;
use crate::session::Ended;

/// A job that was started.
pub struct RunningJob {
    /// Reaches its session.
    pub handle: SessionHandle,
    /// Runs it to its end.
    pub work: Pin<Box<dyn Future<Output = Ended>>>,
}

/// Makes the sessions of a run and hears what becomes of its jobs.
pub trait Launcher {
    /// Makes the session of a job.
    ///
    /// # Errors
    /// Why the job cannot run on this machine (masked); it counts as failed.
    fn launch(&mut self, key: &JobKey, plan: Arc<Plan>, inputs: Arc<JobInputs>)
    -> Result<RunningJob, String>;

    /// A job is over, or will never run. `error` says why it could not begin.
    fn ended(&mut self, key: &JobKey, name: &str, outcome: Outcome, error: Option<&str>);
}

/// The jobs of one run on their way.
pub struct Fleet<'a, L> {
    run: Run,
    secrets: &'a Secrets,
    launcher: &'a mut L,
    slots: usize,
    queue: VecDeque<(JobKey, Arc<Plan>, Arc<JobInputs>)>,
    under_way: IndexMap<JobKey, (Arc<str>, SessionHandle)>,
    work: JoinSet<(JobKey, Ended)>,
    outcome: Option<Outcome>,
}

impl<'a, L: Launcher> Fleet<'a, L> {
    /// At most `slots` jobs of `run` at once.
    pub fn new(run: Run, secrets: &'a Secrets, slots: NonZeroUsize, launcher: &'a mut L) -> Self {
        Self {
            run,
            secrets,
            launcher,
            slots: slots.get(),
            queue: VecDeque::new(),
            under_way: IndexMap::new(),
            work: JoinSet::new(),
            outcome: None,
        }
    }

    /// Runs all jobs to their end; every message on `cancels` cancels once more. Has to be called within a
    /// `tokio::task::LocalSet`.
    pub async fn drive(mut self, mut cancels: mpsc::UnboundedReceiver<()>) -> Outcome {
        self.tell_run(RunEvent::Begin);
        loop {
            self.fill_slots();
            if let (Some(outcome), true) = (self.outcome, self.work.is_empty()) {
                return outcome;
            }
            tokio::select! {
                Some(()) = cancels.recv() => self.cancel(),
                ended = self.work.join_next() => match ended {
                    Some(Ok((key, ended))) => self.job_ended(&key, ended.outcome, Arc::clone(ended.job.outputs())),
                    Some(Err(error)) => tracing::error!(%error, "a job's session broke"),
                    // Nothing runs and nothing may start, yet the run is not over: it can only be a cycle of
                    // `needs`, which the parser refuses.
                    None if self.queue.is_empty() => return Outcome::Failure,
                    None => {}
                },
            }
        }
    }

    fn fill_slots(&mut self) {
        while self.under_way.len() < self.slots
            && let Some((key, plan, inputs)) = self.queue.pop_front()
        {
            let name = Arc::clone(&plan.name);
            match self.launcher.launch(&key, plan, inputs) {
                Ok(job) => {
                    self.under_way.insert(key.clone(), (name, job.handle));
                    self.work.spawn_local(async move { (key, job.work.await) });
                }
                Err(text) => {
                    self.launcher.ended(&key, &name, Outcome::Failure, Some(&text));
                    let outputs = Arc::default();
                    self.tell_run(RunEvent::JobFinished { key, outcome: Outcome::Failure, outputs });
                }
            }
        }
    }

    fn job_ended(&mut self, key: &JobKey, outcome: Outcome, outputs: Arc<engine::expr::Object>) {
        let name = self.under_way.shift_remove(key).map(|(name, _)| name).unwrap_or_default();
        self.launcher.ended(key, &name, outcome, None);
        self.tell_run(RunEvent::JobFinished { key: key.clone(), outcome, outputs });
    }

    fn cancel(&mut self) {
        self.tell_run(RunEvent::Cancel);
    }

    fn tell_run(&mut self, event: RunEvent) {
        let mut effects = Vec::new();
        self.run.handle(event, self.secrets, &mut effects);
        for effect in effects {
            match effect {
                RunEffect::StartJob { key, plan, inputs } => self.queue.push_back((key, plan, inputs)),
                RunEffect::CancelJob { key, .. } => self.cancel_job(&key),
                RunEffect::JobEnded { key, name, outcome, error } => {
                    self.launcher.ended(&key, &name, outcome, error.as_deref());
                }
                RunEffect::Finished { outcome } => self.outcome = Some(outcome),
            }
        }
    }

    /// A job that waits for a slot never runs; one that runs is asked to end.
    fn cancel_job(&mut self, key: &JobKey) {
        if let Some(index) = self.queue.iter().position(|(queued, ..)| queued == key) {
            if let Some((key, plan, _)) = self.queue.remove(index) {
                self.launcher.ended(&key, &plan.name, Outcome::Cancelled, None);
                let outputs = Arc::default();
                self.tell_run(RunEvent::JobFinished { key, outcome: Outcome::Cancelled, outputs });
            }
        } else if let Some((_, handle)) = self.under_way.get(key) {
            handle.tell(Request::Cancel);
        }
    }
}
