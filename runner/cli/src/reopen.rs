//! A recorded job again, at its failure, with its files and everything that led there: `stepback debug --last` and
//! `--recording`, and the recordings that an editor opens.
//!
//! Puts a session together from a recording. Opening one runs nothing: the job goes on when somebody asks for it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use dap_server::debuggee::Debuggee;
use dap_server::feed::Feed;
use engine::plan::Plan;
use engine::secrets::Secrets;
use host::action::ActionStore;
use host::checkout::Origin;
use host::live::{LiveHost, Settings as HostSettings, SpareFolders};
use host::masks::SharedMasks;
use host::services::Services;
use host::times::Times;
use session::files::Files;
use session::handle::SessionHandle;
use session::journal::Recording;
use session::look::OnlyLook;
use session::notice::Observer;
use session::recording::{Recorder, Reopened};
use session::resume::Past;
use session::session::{Ended, Mode, Session, Setup};
use session::sink::SessionLog;
use session::wording::Painter;
use tokio::task::JoinHandle;

use crate::args::{DebugArguments, Options};
use crate::config;
use crate::exit::{Exit, Fault};
use crate::given::{actions, secrets};
use crate::job_place::{JobPlace, RunFolder};
use crate::launch::step_names;
use crate::output::json::JsonFace;
use crate::output::{Face as _, JobHeading, Output, text};
use crate::paths::Paths;
use crate::prepare::Warnings;
use crate::record::{Shelf, look_into_store, open_store};
use crate::repl::{self, Seat, Watch};
use crate::run::{exit_of, in_runtime};
use crate::seek::{Found, Wanted, broke_off};
use crate::services;
use crate::sweep;
use crate::terminal::Terminal;
use crate::workflow_files::Project;

/// Reopens a recording in the terminal.
///
/// # Errors
/// There is none, or it cannot be read.
pub(crate) fn debug_recording(
    project: &Project,
    arguments: DebugArguments,
    wanted: &Wanted,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
    let mut errors = std::io::stderr();
    let mut warnings = Warnings { out: &mut errors, painter: Painter::new(terminal.colour) };
    let opening = Opening::of(project, arguments.options, wanted, &mut warnings)?;
    let seat =
        Seat { terminal, verbose: arguments.verbose, json: opening.json, history: opening.paths.history() };
    let ended = in_runtime(on_terminal(opening, seat))??;
    Ok(exit_of(ended.outcome))
}

async fn on_terminal(opening: Opening, seat: Seat) -> Result<Ended, Fault> {
    let watch = Watch::new(&opening.heading, &seat);
    let greeting = format!("{}\n", text::heading(&opening.heading, Painter::new(seat.terminal.colour)));
    let greeting = if seat.json { "" } else { &greeting };
    let reopened = opening.begin(Arc::clone(&watch.observer))?;
    let (services, masks) = (reopened.services.clone(), reopened.masks.clone());
    let json = seat.json;
    repl::talk(reopened.debuggee(&watch.feed, false), watch, seat, greeting).await;
    let ended = reopened.ended().await?;
    if json && let Some(services) = services {
        JsonFace::new(Output::standard()).artifacts(&services::kept(&services, &masks));
    }
    Ok(ended)
}

/// A recording that was found and read, whose job nobody has taken up yet.
pub(crate) struct Opening {
    found: Found,
    past: Past,
    plan: Arc<Plan>,
    actions: ActionStore,
    paths: Paths,
    json: bool,
    /// Its texts.
    pub(crate) heading: JobHeading,
}

/// A recorded job under the debugger.
pub(crate) struct TakenUp {
    /// Reaches it.
    pub(crate) handle: SessionHandle,
    heading: JobHeading,
    repository: PathBuf,
    /// The artifacts of its run, where that is known.
    services: Option<Services>,
    masks: SharedMasks,
    work: JoinHandle<Ended>,
    /// Says that it is under way; `None`: nothing is, it is only looked at.
    mark: Option<PathBuf>,
    /// The folder of its run, and a recording that is only looked at.
    _held: (Option<File>, Option<Recording>),
}

impl Opening {
    /// Finds and reads what is wanted.
    ///
    /// # Errors
    /// There is no such recording, or it cannot be read.
    pub(crate) fn of(
        project: &Project,
        options: Options,
        wanted: &Wanted,
        warnings: &mut Warnings<'_>,
    ) -> Result<Self, Fault> {
        let settings = config::settings(&project.start, &project.root, options)?;
        let paths = Paths::from_environment()?;
        let variable = |name: &str| std::env::var(name).ok();
        let values = secrets::gather(&settings.secret_files, &settings.secrets, &variable)?;
        let store = actions::store(&settings, paths.actions(), &values, &variable)?;
        let found = Shelf::open(&paths).map_err(Fault::new)?.find(wanted, &Secrets::new(values))?;
        let name = &found.name;
        let mut past = Past::of(&found.reopened).ok_or_else(|| match found.only_look {
            Some(OnlyLook::InUse) => {
                Fault::new(format!("the job of the recording `{name}` has not begun yet"))
                    .hint("it is finding its actions; try again in a moment")
            }
            _ => broke_off(name),
        })?;
        if let Some(why) = &found.only_look {
            past.only_to_look_at(why.clone());
        }
        let plan = found.reopened.plan().map(|rebuilt| Arc::clone(&rebuilt.plan));
        let plan = plan.ok_or_else(|| Fault::new(format!("the recording `{name}` has no workflow")))?;
        let actions = store.as_recorded(past.actions());
        if found.recorder.is_some() {
            bring_actions_back(&actions, &past, warnings);
        }
        let heading = JobHeading::new(&plan, &step_names(&plan), is_in_place(&found.reopened));
        Ok(Self { found, past, plan, actions, paths, json: settings.json, heading })
    }

    /// Takes the job up where the recording left it, if only to look at it. Has to be called within a `tokio::task::LocalSet`.
    ///
    /// # Errors
    /// The job's folders cannot be made again, or something that its killed run left cannot be ended.
    pub(crate) fn begin(mut self, observer: Arc<dyn Observer>) -> Result<TakenUp, Fault> {
        let masks = SharedMasks::new(self.found.reopened.secrets.masks().clone());
        let log = SessionLog::new(observer);
        let ground = match self.found.recorder.take() {
            Some(recorder) => self.ground_to_run_on(recorder, log, &masks)?,
            None => self.ground_to_look_from(log, &masks)?,
        };
        Ok(self.on(ground, masks))
    }

    fn ground_to_run_on(
        &mut self,
        recorder: Recorder,
        log: SessionLog,
        masks: &SharedMasks,
    ) -> Result<Ground, Fault> {
        let Found { reopened, files, seal, survivors, .. } = &self.found;
        if reopened.facts.roots.iter().any(|(_, folder)| !folder.exists()) {
            self.past.files_are_gone();
        }
        // Nothing may write to files that are put back, nor run beside a step that is run again (DESIGN 4).
        sweep::end_survivors(survivors)?;
        let tracking = new_tracking();
        let mark = sweep::mark(&recorder.recording().folder, &tracking).map_err(fault)?;
        let place = place_of(reopened, files.clone())?;
        let held = RunFolder::hold(&self.paths, &place.workspace);
        let roots = place.roots().map_err(fault)?;
        let store = open_store(&place.store, masks.clone(), seal.clone()).map_err(fault)?;
        // The artifacts of its run are there as they were, if they still are.
        let services = RunFolder::name_around(&self.paths, &place.temp)
            .map(|run| services::of_run(&self.paths, &run, &reopened.facts.inputs.github));
        Ok(Ground {
            place,
            files: Some(Files::new(store, roots).map_err(fault)?),
            log: log.recorded(recorder.logs().clone()),
            recorder: Some(recorder),
            tracking,
            services,
            mark: Some(mark),
            held,
        })
    }

    /// Nothing runs, and nothing outside of our memory changes.
    fn ground_to_look_from(&self, log: SessionLog, masks: &SharedMasks) -> Result<Ground, Fault> {
        let Found { reopened, files, seal, logs, .. } = &self.found;
        let place = JobPlace::named(&reopened.facts.roots, files.clone(), is_in_place(reopened));
        let place = place.ok_or_else(no_folders)?;
        // A recording that was copied without its snapshots shows all but the files.
        let store = look_into_store(&place.store, masks.clone(), seal.clone()).ok();
        Ok(Ground {
            place,
            files: store.map(Files::to_look_at),
            log: log.reading(logs.clone()),
            recorder: None,
            tracking: new_tracking(),
            services: None,
            mark: None,
            held: None,
        })
    }

    fn on(self, ground: Ground, masks: SharedMasks) -> TakenUp {
        let Self { found, past, plan, actions, paths, heading, .. } = self;
        let Found { reopened, held: looked_at, .. } = found;
        let Ground { place, files, log, recorder, tracking, services, mark, held } = ground;
        let folder = reopened.facts.repository.clone().unwrap_or_else(|| place.workspace.clone());
        let origin = Origin { in_place: folder == place.workspace, folder, name: None };
        let names: Vec<&str> = reopened.secrets.names().map(|name| &**name).collect();
        let settings = HostSettings {
            workspace: place.workspace.clone(),
            temp: place.temp.clone(),
            spare: SpareFolders::default(),
            base: place.base_environment(&names),
            tracking,
            origin: origin.clone(),
            actions,
            times: Times::default(),
            guardian: recorder.is_some(),
            server_url: String::new(),
            repository: String::new(),
            services: services.as_ref().map(|services| services.for_job(plan.key.to_string())),
            externals: Some(paths.externals()),
        };
        let source =
            reopened.plan().map(|rebuilt| rebuilt.sources.shared_text(rebuilt.source)).unwrap_or_default();
        let setup = Setup {
            host: LiveHost::new(settings, masks.clone(), Box::new(log.clone())),
            plan,
            inputs: reopened.facts.inputs.clone(),
            secrets: reopened.secrets.clone(),
            files,
            recorder,
            log,
            masks: masks.clone(),
            origin: Some(origin),
            workspace: place.workspace,
            mode: Mode::Debug,
            source,
            workflow: None,
        };
        let repository = reopened.facts.repository.unwrap_or_default();
        let (session, handle, calls) = Session::resume(setup, past);
        let work = tokio::task::spawn_local(session.run(calls));
        TakenUp { handle, heading, repository, services, masks, work, mark, _held: (held, looked_at) }
    }
}

/// What a recorded job stands on.
struct Ground {
    place: JobPlace,
    files: Option<Files>,
    log: SessionLog,
    /// `None`: it is only looked at.
    recorder: Option<Recorder>,
    tracking: String,
    services: Option<Services>,
    mark: Option<PathBuf>,
    held: Option<File>,
}

fn new_tracking() -> String {
    format!("github_{:016x}", fastrand::u64(..))
}

impl TakenUp {
    /// The job as the adapter wants it.
    pub(crate) fn debuggee(&self, feed: &Feed, launched: bool) -> Debuggee {
        let path_of = |file: &Arc<str>| self.repository.join(&**file);
        Debuggee {
            handle: self.handle.clone(),
            feed: feed.reader(),
            name: self.heading.name.to_string(),
            workflow: path_of(&self.heading.file),
            callers: self.heading.callers.iter().map(path_of).collect(),
            name_columns: self.heading.name_columns,
            launched,
        }
    }

    /// Waits for the end of its session.
    ///
    /// # Errors
    /// The session has failed.
    pub(crate) async fn ended(self) -> Result<Ended, Fault> {
        let ended = self.work.await.map_err(fault)?;
        self.mark.iter().for_each(|mark| sweep::unmark(mark));
        Ok(ended)
    }
}

/// Someone may have emptied the cache: the same commits are put back. What cannot be had is named; looking around needs none of it.
fn bring_actions_back(store: &ActionStore, past: &Past, warnings: &mut Warnings<'_>) {
    let mut looked: BTreeSet<&str> = BTreeSet::new();
    for action in past.actions().filter(|action| looked.insert(&action.directory)) {
        // Nobody reads it: no reason not to go on.
        let told = |text: &str| drop(writeln!(std::io::stderr(), "{text}"));
        if let Err(text) = store.bring_back(action, told) {
            warnings.warn(&text);
        }
    }
}

fn is_in_place(reopened: &Reopened) -> bool {
    reopened.facts.roots.iter().any(|(_, folder)| Some(folder) == reopened.facts.repository.as_ref())
}

/// The folders of the recorded job, made again where they are gone.
fn place_of(reopened: &Reopened, store: PathBuf) -> Result<JobPlace, Fault> {
    JobPlace::recorded(&reopened.facts.roots, store, is_in_place(reopened))
        .map_err(|error| {
            Fault::new(format!("the job's folders cannot be made again: {error}"))
                .hint("the files of a recording lie where they lay when it was recorded")
        })?
        .ok_or_else(no_folders)
}

fn no_folders() -> Fault {
    Fault::new("the recording does not say where the job's folders were")
}

fn fault(error: impl std::fmt::Display) -> Fault {
    Fault::new(error.to_string())
}
