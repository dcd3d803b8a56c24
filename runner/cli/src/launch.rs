//! Makes the session of each job: its folders, its host, its snapshots, and who watches it.
//!
//! Knows how the parts fit together on this machine; which job may start is the run's to say.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use engine::effect::Outcome;
use engine::job::JobInputs;
use engine::mask::Origin as MaskOrigin;
use engine::plan::{JobKey, Plan};
use engine::secrets::Secrets;
use expr::{Object, Value};
use host::checkout::Origin;
use host::live::{LiveHost, Settings as HostSettings};
use host::log::LogBatch;
use host::masks::SharedMasks;
use host::services::Services;
use host::snapshot::Store;
use host::times::Times;
use indexmap::{IndexMap, IndexSet};
use session::files::Files;
use session::fleet::{Launcher, RunningJob};
use session::handle::SessionHandle;
use session::notice::{Notice, Observer};
use session::recording::Recorder;
use session::reload::WorkflowSource;
use session::session::{Mode, Session, Setup};
use session::sink::SessionLog;
use syntax::StepBody;
use tokio::sync::mpsc::UnboundedSender;

use crate::args::WorkspaceChoice;
use crate::given::runner;
use crate::job_place::{JobPlace, RunFolder};
use crate::output::{Face, JobHeading, lock};
use crate::prepare::Prepared;
use crate::record::{Begun, Shelf, Start, open_store};
use crate::services;
use crate::sweep;
use crate::workflow_source::WorkflowFile;

/// What becomes of the jobs, for whoever looks after the run.
pub(crate) enum JobNews {
    /// A session is there.
    Started(StartedJob),
    /// A job has run to its end; its session may still wait for a person.
    RanOut {
        /// Which.
        key: JobKey,
        /// How.
        outcome: Outcome,
    },
    /// A job is over for good, or will never run.
    Over {
        /// Which.
        key: JobKey,
        /// How.
        outcome: Outcome,
    },
}

/// A job whose session is there.
#[derive(Clone)]
pub(crate) struct StartedJob {
    /// Which.
    pub(crate) key: JobKey,
    /// Reaches it.
    pub(crate) handle: SessionHandle,
    /// Who watches it; can be exchanged.
    pub(crate) relay: Arc<Relay>,
    /// For its texts.
    pub(crate) heading: JobHeading,
}

/// Passes on what a job says to whoever watches it at the time.
pub(crate) struct Relay {
    to: Mutex<Arc<dyn Observer>>,
    /// Where the job stands, for whoever comes later.
    stop: Mutex<Option<Notice>>,
    key: JobKey,
    news: UnboundedSender<JobNews>,
}

impl Relay {
    /// From now on somebody else watches.
    pub(crate) fn hand_over(&self, to: Arc<dyn Observer>) {
        *lock(&self.to) = to;
    }

    /// Tells the one who watches where the job stands, if it does: that may have been said before they came.
    pub(crate) fn repeat_stop(&self) {
        let stop = lock(&self.stop).clone();
        if let Some(stop) = stop {
            self.observer().notice(stop);
        }
    }

    fn observer(&self) -> Arc<dyn Observer> {
        Arc::clone(&lock(&self.to))
    }
}

impl Observer for Relay {
    fn notice(&self, notice: Notice) {
        let outcome = match &notice {
            Notice::JobEnded { outcome, .. } => Some(*outcome),
            _ => None,
        };
        match &notice {
            Notice::Stopped(_) => *lock(&self.stop) = Some(notice.clone()),
            Notice::Continued => *lock(&self.stop) = None,
            _ => {}
        }
        self.observer().notice(notice);
        if let Some(outcome) = outcome {
            // Nobody looks after the run any longer: it is being left.
            let _ = self.news.send(JobNews::RanOut { key: self.key.clone(), outcome });
        }
    }

    fn log(&self, batch: &LogBatch) {
        self.observer().log(batch);
    }
}

/// Makes sessions.
pub(crate) struct JobLauncher {
    /// The run.
    pub(crate) prepared: Arc<Prepared>,
    /// Shows the jobs that nobody debugs.
    pub(crate) face: Arc<dyn Face>,
    /// The masks of all jobs.
    pub(crate) masks: SharedMasks,
    /// Where jobs are recorded, or why they are not; `None` when nobody wants it.
    pub(crate) shelf: Option<Result<Shelf, String>>,
    /// The folder of the run.
    pub(crate) folder: Arc<RunFolder>,
    /// Caches and artifacts, for all jobs.
    pub(crate) services: Services,
    /// The job that is debugged, if one is, by the ids that lead to it.
    pub(crate) debugged: Option<Arc<str>>,
    /// Failed jobs wait for a person.
    pub(crate) linger: bool,
    /// Told of everything.
    pub(crate) news: UnboundedSender<JobNews>,
    /// Jobs that have a session or had one, with the mark that says that they are under way.
    pub(crate) started: IndexMap<JobKey, Option<PathBuf>>,
    /// The folders of the jobs that go on.
    pub(crate) places: IndexMap<JobKey, JobPlace>,
    /// Labels of other systems that were warned of.
    pub(crate) warned: IndexSet<String>,
}

impl JobLauncher {
    /// For this run.
    pub(crate) fn new(
        prepared: Arc<Prepared>,
        face: Arc<dyn Face>,
        folder: Arc<RunFolder>,
        news: UnboundedSender<JobNews>,
    ) -> JobLauncher {
        let masks = SharedMasks::new(prepared.secrets.masks().clone());
        let services = services::of_run(&prepared.paths, &folder.name(), &prepared.given.github);
        let shelf = prepared.settings.record.then(|| Shelf::open(&prepared.paths));
        JobLauncher {
            prepared,
            face,
            masks,
            shelf,
            folder,
            services,
            debugged: None,
            linger: false,
            news,
            started: IndexMap::new(),
            places: IndexMap::new(),
            warned: IndexSet::new(),
        }
    }

    fn mode(&self, key: &JobKey) -> Mode {
        match &self.debugged {
            Some(path) if **path == key.id_path() => Mode::Debug,
            None if self.linger => Mode::Linger,
            _ => Mode::Headless,
        }
    }

    /// What a call passes on is a secret of the jobs that are called, even where it is none of the run's.
    fn secrets_of(&self, inputs: &JobInputs) -> Secrets {
        let secrets = &self.prepared.secrets;
        let Some(passed_on) = &inputs.secrets else { return secrets.clone() };
        let texts = passed_on.iter().map(|(_, value)| value.to_text().into_owned());
        self.masks.extend(texts.map(|text| (text, MaskOrigin::Unnamed)));
        secrets.with_masks(self.masks.current())
    }

    /// Where checkout takes files from.
    fn origin(&self) -> Origin {
        let name = self.prepared.given.github.get("repository").map(|name| name.to_text().into_owned());
        Origin {
            folder: self.prepared.root.clone(),
            name: name.filter(|name| !name.is_empty()),
            in_place: self.prepared.settings.workspace == WorkspaceChoice::InPlace,
        }
    }

    fn host_settings(
        &self,
        key: &JobKey,
        place: &JobPlace,
        tracking: String,
        guardian: bool,
    ) -> HostSettings {
        let prepared = &self.prepared;
        let text = |key: &str| {
            prepared.given.github.get(key).map_or_else(String::new, |value| value.to_text().into_owned())
        };
        let repository = text("repository");
        HostSettings {
            workspace: place.workspace.clone(),
            temp: place.temp.clone(),
            spare: self.folder.spare(),
            base: place.base_environment(&prepared.secrets.names().map(|name| &**name).collect::<Vec<_>>()),
            tracking,
            origin: self.origin(),
            actions: prepared.actions.clone(),
            times: Times::default(),
            guardian,
            server_url: text("server_url"),
            repository,
            services: Some(self.services.for_job(key.to_string())),
            externals: Some(prepared.paths.externals()),
        }
    }

    /// A recording with snapshots; without one, snapshots for as long as somebody debugs the job. A recording that cannot
    /// be begun is told, and the job runs all the same.
    fn keep(
        &self,
        plan: &Arc<Plan>,
        (inputs, secrets): (&JobInputs, &Secrets),
        (place, tracking): (&JobPlace, &str),
        mode: Mode,
        observer: &dyn Observer,
    ) -> Result<Kept, String> {
        let roots = place.roots().map_err(failed)?;
        let begun = self.shelf.as_ref().map(|shelf| {
            shelf.as_ref().map_err(Clone::clone).and_then(|shelf| {
                shelf.begin(&self.prepared, &Start { plan, inputs, secrets, roots: &roots, tracking })
            })
        });
        match begun {
            Some(Ok(Begun { recorder, files, seal, mark })) => {
                let store = open_store(&files, self.masks.clone(), seal).map_err(failed)?;
                let files = Files::new(store, roots).map_err(failed)?;
                return Ok(Kept { recorder: Some(recorder), files: Some(files), mark: Some(mark) });
            }
            Some(Err(error)) => observer.notice(Notice::Warning(format!("nothing is recorded: {error}"))),
            None => {}
        }
        let files = match mode {
            Mode::Headless => None,
            Mode::Linger | Mode::Debug => {
                let store = Store::temporary(place.make_store().map_err(failed)?).map_err(failed)?;
                Some(Files::new(store, roots).map_err(failed)?)
            }
        };
        // All jobs share it: it goes with the folder, or with the next run's look. A folder that cannot be written to fails
        // the job elsewhere.
        let _ = sweep::mark(self.folder.path(), tracking);
        Ok(Kept { recorder: None, files, mark: None })
    }

    /// Another system in `runs-on` is worth one warning for each label.
    fn warn_of_other_system(&mut self, plan: &Plan, inputs: &JobInputs, observer: &dyn Observer) {
        let mut contexts = Object::new();
        contexts.insert("github", Value::Object(Arc::clone(&inputs.github)));
        contexts.insert("needs", Value::Object(Arc::clone(&inputs.needs)));
        contexts.insert("matrix", inputs.matrix.clone());
        contexts.insert("vars", Value::Object(Arc::clone(&inputs.vars)));
        contexts.insert("inputs", Value::Object(Arc::clone(&inputs.inputs)));
        if let Some(label) = plan.job().and_then(|job| runner::other_system(job, &contexts))
            && self.warned.insert(label.clone())
        {
            observer.notice(Notice::Warning(format!(
                "`runs-on: {label}` wants another system; this is {}",
                runner::system()
            )));
        }
    }
}

/// The names of a plan's steps as they are written, for the width of their column.
pub(crate) fn step_names(plan: &Plan) -> Vec<String> {
    let name = |step: &syntax::Step| match (&step.name, &step.body) {
        (Some(name), _) => name.value.source().to_owned(),
        (None, StepBody::Run { script, .. }) => {
            format!("Run {}", script.value.source().trim_start().lines().next().unwrap_or_default())
        }
        (None, StepBody::Uses { reference, .. }) => format!("Run {}", reference.value),
        (None, _) => String::new(),
    };
    plan.steps.iter().map(|step| name(&step.definition)).collect()
}

impl Launcher for JobLauncher {
    fn launch(
        &mut self,
        key: &JobKey,
        plan: Arc<Plan>,
        inputs: Arc<JobInputs>,
    ) -> Result<RunningJob, String> {
        let mode = self.mode(key);
        let prepared = Arc::clone(&self.prepared);
        let place = JobPlace::create(
            &self.folder,
            &key.to_string(),
            &prepared.root,
            &prepared.settings,
            &prepared.event_json,
        )
        .map_err(|error| format!("the job's folders cannot be made: {error}"))?;
        let mut inputs = Arc::unwrap_or_clone(inputs);
        place.tell(&mut inputs);

        let heading = JobHeading::new(
            &plan,
            &step_names(&plan),
            prepared.settings.workspace == WorkspaceChoice::InPlace,
        );
        let observer = Arc::clone(&self.face).job_started(heading.clone());
        let relay = Arc::new(Relay {
            to: Mutex::new(observer),
            stop: Mutex::default(),
            key: key.clone(),
            news: self.news.clone(),
        });
        self.warn_of_other_system(&plan, &inputs, &*relay);

        let tracking = format!("github_{:016x}", fastrand::u64(..));
        let secrets = self.secrets_of(&inputs);
        let kept = self.keep(&plan, (&inputs, &secrets), (&place, &tracking), mode, &*relay)?;
        let mut log = SessionLog::new(Arc::clone(&relay) as Arc<dyn Observer>);
        if let Some(recorder) = &kept.recorder {
            log = log.recorded(recorder.logs().clone());
        }
        let host = LiveHost::new(
            self.host_settings(key, &place, tracking, mode != Mode::Headless),
            self.masks.clone(),
            Box::new(log.clone()),
        );
        let workflow = (mode != Mode::Headless)
            .then(|| WorkflowFile::of(Arc::clone(&prepared), Arc::clone(&plan)))
            .map(|file| Box::new(file) as Box<dyn WorkflowSource>);
        let source_file = Arc::clone(&plan.file);
        let setup = Setup {
            plan,
            inputs,
            secrets,
            host,
            files: kept.files,
            recorder: kept.recorder,
            log,
            masks: self.masks.clone(),
            origin: Some(self.origin()),
            workspace: place.workspace.clone(),
            mode,
            source: prepared.text_of(&source_file),
            workflow,
        };
        let (session, handle, calls) = Session::new(setup);
        self.started.insert(key.clone(), kept.mark);
        self.places.insert(key.clone(), place);
        let _ = self.news.send(JobNews::Started(StartedJob {
            key: key.clone(),
            handle: handle.clone(),
            relay,
            heading,
        }));
        Ok(RunningJob { handle, work: Box::pin(session.run(calls)) })
    }

    fn ended(&mut self, key: &JobKey, name: &str, outcome: Outcome, error: Option<&str>) {
        match self.started.get_mut(key) {
            Some(mark) => mark.take().iter().for_each(|mark| sweep::unmark(mark)),
            None => self.face.job_not_run(&key.to_string(), name, outcome, error),
        }
        if let Some(place) = self.places.shift_remove(key) {
            self.folder.give_back(place);
        }
        let _ = self.news.send(JobNews::Over { key: key.clone(), outcome });
    }
}

/// What is kept of a job while it runs.
struct Kept {
    recorder: Option<Recorder>,
    files: Option<Files>,
    mark: Option<PathBuf>,
}

fn failed(error: impl std::fmt::Display) -> String {
    format!("snapshots cannot be kept: {error}")
}
