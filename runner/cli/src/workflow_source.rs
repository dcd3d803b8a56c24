//! The workflow file of a job that runs, read again when the job goes on: edit and continue.
//!
//! Applies to the new text what was applied to the old one; whether it still fits the job is the session's to say.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use engine::plan::Plan;
use session::recording::PlanText;
use session::reload::{Reloaded, WorkflowSource};
use syntax::render;

use crate::given::{environment, matrix};
use crate::prepare::{Prepared, environment_of};

/// The file of one job.
pub(crate) struct WorkflowFile {
    prepared: Arc<Prepared>,
    /// The file that has the job: the run's own, or one that it calls.
    path: PathBuf,
    known: Reloaded,
}

impl WorkflowFile {
    /// The file that `plan` was made from.
    pub(crate) fn of(prepared: Arc<Prepared>, plan: Arc<Plan>) -> Self {
        let text = PlanText::new(Arc::clone(&plan.file), prepared.text_of(&plan.file));
        let path = prepared.path_of(&plan.file);
        Self { prepared, path, known: Reloaded { plan, text } }
    }

    fn read(&self, text: &str) -> anyhow::Result<Reloaded> {
        let loaded = self.prepared.project.load(&self.prepared.path)?;
        if loaded.has_errors() {
            anyhow::bail!("{}", render(&loaded.diagnostics, &loaded.sources, false).trim_end().to_owned());
        }
        let Some(mut workflow) = loaded.workflow else {
            anyhow::bail!("{}: there are no jobs in it", loaded.shown)
        };
        matrix::choose(&mut workflow, &loaded.sources, &self.prepared.settings.matrix)?;
        environment::overlay(&mut workflow, &environment_of(&self.prepared.settings)?);
        let known = &self.known.plan;
        let top = Arc::new(workflow);
        let Some(workflow) = known.key.workflow(&top) else {
            anyhow::bail!("{}: nothing calls {} any longer", loaded.shown, known.file)
        };
        let (key, name) = (known.key.clone(), Arc::clone(&known.name));
        let plan = Plan::new(Arc::clone(workflow), Arc::clone(&known.file), key, name)?
            .called_by(Arc::clone(&known.callers));
        Ok(Reloaded { text: PlanText::new(Arc::clone(&plan.file), text), plan: Arc::new(plan) })
    }
}

impl WorkflowSource for WorkflowFile {
    fn reload(&mut self) -> Result<Reloaded, String> {
        let path = &self.path;
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        if text != *self.known.text.text {
            self.known = self.read(&text).map_err(|error| format!("{error:#}"))?;
        }
        Ok(self.known.clone())
    }
}
