//! `stepback debug --last`: the last run again, at its failure, with its files and everything that led there.
//!
//! Puts a session together from a recording; the conversation is the REPL's.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use dap_server::debuggee::Debuggee;
use engine::secrets::Secrets;
use host::action::ActionStore;
use host::checkout::Origin;
use host::live::{LiveHost, Settings as HostSettings, SpareFolders};
use host::masks::SharedMasks;
use host::times::Times;
use session::files::Files;
use session::recording::Reopened;
use session::resume::Past;
use session::session::{Ended, Mode, Session, Setup};
use session::sink::SessionLog;

use crate::args::DebugArguments;
use crate::config;
use crate::exit::{Exit, Fault};
use crate::given::{actions, secrets};
use crate::job_place::{JobPlace, RunFolder};
use crate::launch::step_names;
use crate::output::{JobHeading, text};
use crate::paths::Paths;
use crate::prepare::Warnings;
use crate::record::{Found, Shelf, open_store};
use crate::repl::{self, Seat, Watch};
use crate::run::{exit_of, in_runtime};
use crate::services;
use crate::sweep;
use crate::terminal::Terminal;
use crate::workflow_files::Project;
use session::wording::Painter;

/// Reopens the last run.
///
/// # Errors
/// There is none, or it needs secrets that were not given.
pub(crate) fn debug_last(
    project: &Project,
    arguments: DebugArguments,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
    let settings = config::settings(&project.start, &project.root, arguments.options)?;
    let paths = Paths::from_environment()?;
    let values =
        secrets::gather(&settings.secret_files, &settings.secrets, &|name| std::env::var(name).ok())?;
    let hinted = |text: String| {
        Fault::new(text).hint("`stepback run` records a run; `--secret NAME=…` supplies a secret")
    };
    let store = actions::store(&settings, paths.actions(), &values, &|name| std::env::var(name).ok())?;
    let found = Shelf::open(&paths).and_then(|shelf| shelf.last(&Secrets::new(values))).map_err(hinted)?;
    let nothing = || Fault::new("the last recording broke off before its first step");
    let past = Past::of(&found.reopened).ok_or_else(nothing)?;
    let store = store.as_recorded(past.actions());
    bring_actions_back(&store, &past, terminal);
    let ended = in_runtime(drive((found, past), paths, store, arguments.verbose, settings.json, terminal))??;
    Ok(exit_of(ended.outcome))
}

async fn drive(
    (found, mut past): (Found, Past),
    paths: Paths,
    actions: ActionStore,
    verbose: bool,
    json: bool,
    terminal: Terminal,
) -> Result<Ended, Fault> {
    let Found { recorder, reopened, files, seal, survivors } = found;
    if reopened.facts.roots.iter().any(|(_, folder)| !folder.exists()) {
        past.files_are_gone();
    }
    let plan = reopened.plan().map(|rebuilt| Arc::clone(&rebuilt.plan));
    let plan = plan.ok_or_else(|| Fault::new("the last recording has no workflow"))?;
    // Nothing may write to files that are put back, nor run beside a step that is run again (DESIGN 4).
    sweep::end_survivors(&survivors)?;
    let tracking = format!("github_{:016x}", fastrand::u64(..));
    let mark = sweep::mark(&recorder.recording().folder, &tracking).map_err(fault)?;
    let place = place_of(&reopened, files)?;
    let _held = RunFolder::hold(&paths, &place.workspace);
    let roots = place.roots().map_err(fault)?;
    let folder = reopened.facts.repository.clone().unwrap_or_else(|| place.workspace.clone());
    let origin = Origin { in_place: folder == place.workspace, folder, name: None };
    let heading = JobHeading::new(&plan, &step_names(&plan), origin.in_place);
    let seat = Seat { terminal, verbose, json, history: paths.history() };
    let watch = Watch::new(&heading, &seat);
    let log = SessionLog::new(Arc::clone(&watch.observer)).recorded(recorder.logs().clone());
    let masks = SharedMasks::new(reopened.secrets.masks().clone());
    let store = open_store(&place.store, masks.clone(), seal).map_err(fault)?;
    let source =
        reopened.plan().map(|rebuilt| rebuilt.sources.shared_text(rebuilt.source)).unwrap_or_default();
    let setup = Setup {
        host: LiveHost::new(
            HostSettings {
                // The artifacts of its run are there as they were, if they still are.
                services: RunFolder::name_around(&paths, &place.temp).map(|run| {
                    let github = &reopened.facts.inputs.github;
                    services::of_run(&paths, &run, github).for_job(plan.key.to_string())
                }),
                externals: Some(paths.externals()),
                ..host_settings(&place, &reopened.secrets, origin.clone(), tracking, actions)
            },
            masks.clone(),
            Box::new(log.clone()),
        ),
        plan,
        inputs: reopened.facts.inputs.clone(),
        secrets: reopened.secrets.clone(),
        files: Some(Files::new(store, roots).map_err(fault)?),
        recorder: Some(recorder),
        log,
        masks,
        origin: Some(origin),
        workspace: place.workspace,
        mode: Mode::Debug,
        source,
        workflow: None,
    };
    let repository = reopened.facts.repository.clone().unwrap_or_default();
    let (session, handle, calls) = Session::resume(setup, past);
    let work = tokio::task::spawn_local(session.run(calls));
    let debuggee = Debuggee {
        handle,
        feed: watch.feed.reader(),
        name: heading.name.to_string(),
        workflow: repository.join(&*heading.file),
        callers: heading.callers.iter().map(|file| repository.join(&**file)).collect(),
        name_columns: heading.name_columns,
        launched: false,
    };
    let greeting = format!("{}\n", text::heading(&heading, Painter::new(terminal.colour)));
    repl::talk(debuggee, watch, seat, if json { "" } else { &greeting }).await;
    let ended = work.await.map_err(fault)?;
    sweep::unmark(&mark);
    Ok(ended)
}

/// Someone may have emptied the cache: the same commits are put back. What cannot be had is named; looking around needs none of it.
fn bring_actions_back(store: &ActionStore, past: &Past, terminal: Terminal) {
    let mut errors = std::io::stderr();
    let mut warnings = Warnings { out: &mut errors, painter: Painter::new(terminal.colour) };
    let mut looked: BTreeSet<&str> = BTreeSet::new();
    for action in past.actions().filter(|action| looked.insert(&action.directory)) {
        // Nobody reads it: no reason not to go on.
        let told = |text: &str| drop(writeln!(std::io::stderr(), "{text}"));
        if let Err(text) = store.bring_back(action, told) {
            warnings.warn(&text);
        }
    }
}

/// The folders of the recorded job, made again where they are gone.
fn place_of(reopened: &Reopened, store: PathBuf) -> Result<JobPlace, Fault> {
    let roots = &reopened.facts.roots;
    let in_place = roots.iter().any(|(_, folder)| Some(folder) == reopened.facts.repository.as_ref());
    JobPlace::recorded(roots, store, in_place)
        .map_err(|error| Fault::new(format!("the job's folders cannot be made again: {error}")))?
        .ok_or_else(|| Fault::new("the recording does not say where the job's folders were"))
}

fn fault(error: impl std::fmt::Display) -> Fault {
    Fault::new(error.to_string())
}

fn host_settings(
    place: &JobPlace,
    secrets: &Secrets,
    origin: Origin,
    tracking: String,
    actions: ActionStore,
) -> HostSettings {
    let names: Vec<&str> = secrets.names().map(|name| &**name).collect();
    HostSettings {
        workspace: place.workspace.clone(),
        temp: place.temp.clone(),
        spare: SpareFolders::default(),
        base: place.base_environment(&names),
        tracking,
        origin,
        actions,
        times: Times::default(),
        guardian: true,
        server_url: String::new(),
        repository: String::new(),
        services: None,
        externals: None,
    }
}
