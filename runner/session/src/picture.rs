//! The job at one moment, for looking: an immutable value that answers a burst of questions without the session.
//!
//! Holds the state of a stop, or of a moment that is viewed, and the secrets to mask it with. Values leave it masked or
//! through [`Picture::mask`]. Knows no protocol; asks nothing of the host but the digests that `hashFiles` wants.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use engine::expr::Value;
use engine::job::Job;
use engine::plan::Plan;
use engine::secrets::Secrets;
use engine::step_path::{LaneId, StepPath};
use engine::syntax::{Step, StepBody};
use host::contract::Host;
use indexmap::IndexMap;

use crate::breakpoint::{ActionFile, Places, lines_of_action, manifest_path, place_in, step_at_line};
use crate::inspect::{StepLines, evaluated, shown};
use crate::moment::MomentId;
use crate::request::{BackgroundLine, Place, Refusal, StepLine, Stop};
use crate::session::Session;

/// The contexts of a step, in the order in which they are shown.
pub const CONTEXTS: [&str; 11] =
    ["github", "env", "job", "steps", "runner", "inputs", "vars", "matrix", "strategy", "needs", "secrets"];

/// The job at one moment.
#[derive(Clone)]
pub struct Picture {
    /// Why the job stands; `None` while it runs.
    pub stop: Option<Stop>,
    /// The moment that is looked at; while the job runs, the latest one.
    pub moment: MomentId,
    /// The moment is viewed: the job itself stands elsewhere.
    pub viewed: bool,
    /// A person is in the past and may return.
    pub rewound: bool,
    /// It is the job of a recording, and nothing of it has run since that was opened.
    pub only_looked_at: bool,
    /// The background steps that have begun, in the order in which they did.
    pub background: Vec<BackgroundLine>,
    /// `github.workspace`.
    pub workspace: PathBuf,
    /// The workspace is as it was at this moment.
    has_its_files: bool,
    /// The text of the workflow file.
    pub source: Arc<str>,
    job: Arc<Job>,
    places: Places,
    secrets: Secrets,
    took: Arc<IndexMap<StepPath, Duration>>,
    /// Made for whoever asks first: where the job stands can be told without them.
    steps: OnceLock<Vec<StepLine>>,
}

impl Picture {
    /// What the job does.
    pub fn plan(&self) -> &Arc<Plan> {
        self.job.plan()
    }

    /// All steps.
    pub fn steps(&self) -> &[StepLine] {
        self.steps.get_or_init(|| self.step_lines().all())
    }

    /// What is known of one step; `None` if the workflow has none there.
    pub fn step_line(&self, path: &StepPath) -> Option<StepLine> {
        self.definition(path).map(|_| self.step_lines().of(path))
    }

    fn step_lines(&self) -> StepLines<'_> {
        StepLines { job: &self.job, secrets: &self.secrets, took: &self.took }
    }

    /// The step that is looked at; the last one when the job is over.
    pub fn step(&self) -> Option<&StepPath> {
        self.job.cursor().step().or_else(|| self.job.results().keys().last())
    }

    /// How the job ended, if it has.
    pub fn outcome(&self) -> Option<engine::effect::Outcome> {
        self.job.outcome()
    }

    /// The value of an expression as the step at the cursor would see it. It may hold secrets.
    ///
    /// # Errors
    /// It cannot be evaluated; the text is masked.
    pub fn evaluate(&self, text: &str) -> Result<Value, Refusal> {
        self.evaluate_in(LaneId::FOREGROUND, text)
    }

    /// The same, as the step of a lane would see it.
    ///
    /// # Errors
    /// It cannot be evaluated; the text is masked.
    pub fn evaluate_in(&self, lane: LaneId, text: &str) -> Result<Value, Refusal> {
        let workspace = Some(self.workspace.as_path()).filter(|_| self.has_its_files);
        evaluated(&self.job, lane, text, workspace, &self.secrets)
    }

    /// A value as a person reads it, masked.
    pub fn show(&self, value: &Value) -> String {
        self.mask(&shown(value))
    }

    /// The text without secrets.
    pub fn mask(&self, text: &str) -> String {
        self.secrets.mask(text)
    }

    /// True if the text shows nothing of a secret.
    pub fn is_public(&self, text: &str) -> bool {
        self.mask(text) == text
    }

    /// The step as the workflow file has it.
    pub fn definition(&self, path: &StepPath) -> Option<&Step> {
        self.job.definition(path)
    }

    /// The script of a `run` step as it is written, masked.
    pub fn script(&self, path: &StepPath) -> Option<String> {
        match &self.definition(path)?.body {
            StepBody::Run { script, .. } => Some(self.mask(script.value.source())),
            _ => None,
        }
    }

    /// Where a step stands in its file.
    pub fn place(&self, path: &StepPath) -> Option<Place> {
        place_in(&self.job, path)
    }

    /// The main step that a line (from 1) of the workflow file belongs to, else the next one.
    pub fn step_at_line(&self, line: u32) -> Option<StepPath> {
        step_at_line(self.job.plan(), line)
    }

    /// The manifest file, absolute, of the action in which a step is written; `None` for a step of the workflow. Of an action in the
    /// workspace it is the file of the repository, which a person has before them, as long as that says the same.
    pub fn manifest_of(&self, path: &StepPath) -> Option<PathBuf> {
        let action = self.job.action(&path.parent()?)?;
        let manifest = manifest_path(action);
        let original = self.places.original(&manifest);
        let says_the_same =
            |file: &PathBuf| std::fs::read_to_string(file).is_ok_and(|text| *text == *action.text);
        Some(original.filter(says_the_same).unwrap_or(manifest))
    }

    /// The lines (from 1) of an action's file at which the job can stand; none until the action is found.
    pub fn lines_of_action(&self, file: &ActionFile) -> Vec<u32> {
        lines_of_action(file, &self.job, &self.places)
    }

    /// The line (from 1) of the job's key in its file.
    pub fn job_line(&self) -> Option<u32> {
        self.job.plan().job().map(|job| job.id.span.start.line)
    }

    /// The name of a step, masked.
    pub fn step_name(&self, path: &StepPath) -> Arc<str> {
        self.job.step_name(path, &self.secrets)
    }
}

impl std::fmt::Debug for Picture {
    /// Values may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Picture")
            .field("moment", &self.moment)
            .field("viewed", &self.viewed)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Picture {
    /// Of the same state, looked at in the same way.
    fn eq(&self, other: &Self) -> bool {
        (self.moment, self.viewed, self.rewound) == (other.moment, other.viewed, other.rewound)
            && self.stop == other.stop
            && self.background == other.background
            && self.job == other.job
            && self.took == other.took
    }
}

impl<H: Host> Session<H> {
    /// The present moment, or the one that is viewed.
    pub(crate) fn picture(&self) -> Picture {
        let id = self.looked_at_id();
        Picture {
            stop: self.stop.clone(),
            moment: id,
            viewed: self.viewing.is_some(),
            rewound: self.rewound.is_some(),
            only_looked_at: self.taken_up.is_some(),
            background: self.background_list(),
            workspace: self.workspace.clone(),
            has_its_files: !self.only_looks(),
            source: Arc::clone(&self.source),
            job: Arc::new(self.looked_at().clone()),
            places: self.breakpoints.places().clone(),
            secrets: self.secrets.clone(),
            took: Arc::clone(&self.clock.took),
            steps: OnceLock::new(),
        }
    }
}
