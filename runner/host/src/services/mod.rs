//! What GitHub keeps for actions, kept on this machine: caches and artifacts, reached over HTTP on the loopback interface by the
//! clients that actions bring along (service-protocol.md 5.4).
//!
//! Nothing is started, opened or made before the first process of an action asks for [`JobServices::access`]: a job of `run`
//! steps pays nothing. Knows runs, jobs and steps by their names alone.
//!
//! - `server` lets requests in and finds whom they are for; `token` says who asks.
//! - `cache` and `artifact` know entries, `twirp` messages; `cache_v1` is the older protocol of caches.
//! - `blob` moves bytes over HTTP, `upload` and `uploads` have what is on its way, `store` what has arrived.

mod artifact;
mod blob;
mod cache;
mod cache_v1;
mod server;
mod store;
mod token;
mod twirp;
mod upload;
mod uploads;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use engine::step_path::StepPath;

use server::Server;
use token::Maker;

/// What the services of a run need to know.
#[derive(Clone, Debug)]
pub struct ServiceSettings {
    /// A name that no other run has; jobs of one run share their artifacts.
    pub run: String,
    /// `github.repository`: caches belong to it.
    pub repository: String,
    /// Refs whose caches may be used, the first one is written to: `github.ref`, the branch to be merged into, the default
    /// branch.
    pub scopes: Vec<String>,
    /// Where the caches of this machine are.
    pub caches: PathBuf,
    /// Where the artifacts of this run go.
    pub artifacts: PathBuf,
}

/// The services of one run. Clones are the same services; they end with the last one.
#[derive(Clone)]
pub struct Services {
    inner: Arc<Inner>,
}

struct Inner {
    settings: ServiceSettings,
    server: OnceLock<Result<Server, String>>,
}

/// An artifact of the run, where a person finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptArtifact {
    /// As the step named it.
    pub name: String,
    /// The job that left it, by its key.
    pub job: String,
    /// Bytes of the file.
    pub size: u64,
    /// The file: a zip archive unless the step wanted it otherwise.
    pub path: PathBuf,
}

impl Services {
    /// Services that nobody has asked for yet.
    pub fn new(settings: ServiceSettings) -> Services {
        Services { inner: Arc::new(Inner { settings, server: OnceLock::new() }) }
    }

    /// The same, for one job.
    pub fn for_job(&self, job: impl Into<String>) -> JobServices {
        JobServices { services: self.clone(), job: job.into() }
    }

    /// The artifacts of the run, in the order in which they came. None if no action's process ran here.
    pub fn artifacts(&self) -> Vec<KeptArtifact> {
        match self.inner.server.get() {
            Some(Ok(server)) => server.state.artifacts.kept(),
            _ => Vec::new(),
        }
    }

    fn server(&self) -> Result<&Server, String> {
        let start = || {
            let settings = &self.inner.settings;
            Server::start(settings).map_err(|error| format!("{}: {error}", settings.caches.display()))
        };
        self.inner.server.get_or_init(start).as_ref().map_err(Clone::clone)
    }
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Services").field(&self.inner.settings.run).finish()
    }
}

/// The services as one job has them.
#[derive(Clone, Debug)]
pub struct JobServices {
    services: Services,
    job: String,
}

/// What the process of an action is told.
pub struct Access {
    /// `http://127.0.0.1:PORT/`
    pub url: String,
    /// For this process. Never to be shown.
    pub token: String,
    /// What makes the token good, the same for all processes of the job: the part to be masked.
    pub secret: String,
}

impl JobServices {
    /// The artifacts that the job has left, in the order in which they came.
    pub fn artifacts(&self) -> Vec<KeptArtifact> {
        let all = self.services.artifacts().into_iter();
        all.filter(|artifact| artifact.job == self.job).collect()
    }

    /// Access for a process of `step`. `execution` tells this process from those of other executions of the step. The first
    /// call starts the server.
    ///
    /// # Errors
    /// It cannot be started; says why.
    pub fn access(&self, step: &StepPath, execution: &str) -> Result<Access, String> {
        let state = &self.services.server()?.state;
        let run = &self.services.inner.settings.run;
        let maker = Maker {
            run: run.clone(),
            job: self.job.clone(),
            step: step.to_string(),
            execution: execution.to_owned(),
        };
        Ok(Access {
            url: format!("{}/", state.address),
            token: state.key.token(&maker),
            secret: state.key.secret(run, &self.job),
        })
    }
}

#[cfg(test)]
mod tests;
