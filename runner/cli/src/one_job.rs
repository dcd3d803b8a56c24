//! One job that somebody wants to debug, ready to start: from a terminal or from an editor, chosen and prepared in the same way.
//!
//! Knows in which order things are found out; who watches the job, and how, is decided by whoever starts it.

use std::path::Path;
use std::sync::Arc;

use engine::run::Run;

use crate::args::Options;
use crate::check::refuse_faulty;
use crate::choose;
use crate::config;
use crate::exit::Fault;
use crate::given::actions;
use crate::job_place::RunFolder;
use crate::prepare::{Prepared, Warnings, prepare};
use crate::run::make_folder;
use crate::sweep;
use crate::terminal::Terminal;
use crate::workflow_files::Project;

/// A job that can start, with those that it needs.
pub(crate) struct OneJob {
    /// What it is given.
    pub(crate) prepared: Arc<Prepared>,
    /// It, and the jobs before it.
    pub(crate) run: Run,
    /// The folder of the run.
    pub(crate) folder: Arc<RunFolder>,
    /// The ids that lead to it.
    pub(crate) id: Arc<str>,
}

impl OneJob {
    /// The job that `file` and `job` name; where they leave a choice, the one at the `terminal` is asked, if there is one.
    ///
    /// # Errors
    /// Everything that a person can put right before the first step.
    pub(crate) fn of(
        project: &Project,
        options: Options,
        (file, job): (Option<&Path>, Option<&str>),
        terminal: Terminal,
        warnings: &mut Warnings<'_>,
    ) -> anyhow::Result<Self> {
        let settings = config::settings(&project.start, &project.root, options)?;
        let (store, secrets) = actions::store_and_secrets(&settings)?;
        let project = &project.reaching(store);
        let loaded = choose::workflow(project, file, job, terminal)?;
        refuse_faulty(&loaded, warnings.painter, warnings.out)?;
        let workflow = loaded
            .workflow
            .as_ref()
            .ok_or_else(|| Fault::new(format!("{}: there are no jobs in it", loaded.shown)))?;
        let id = choose::job(&loaded, workflow, job, terminal)?;
        let wanted = Some(vec![Arc::clone(&id)]);
        let prepared = Arc::new(prepare(project, loaded, wanted.clone(), (settings, secrets), warnings)?);
        let run = Run::new(Arc::clone(&prepared.workflow), prepared.given.clone(), wanted);
        let run = choose::combination(run, &id, terminal, warnings)?;
        sweep::sweep(&prepared.paths, warnings);
        let folder = Arc::new(make_folder(&prepared)?);
        Ok(Self { prepared, run, folder, id })
    }
}
