//! The beginning of a body: its files, its environment, its process.
//!
//! Knows how a process is started; not how it ends, nor the job.

use std::ffi::OsString;
use std::io::{self, PipeReader};
use std::os::fd::AsFd as _;
use std::path::PathBuf;

use engine::mask::Origin;
use engine::process::{ActionProgram, ProcessSpec};

use super::files::{self, StepFiles};
use super::run::Run;
use super::{Shared, command_line, environment, node};
use crate::lane::Lane;
use crate::services::Access;
use crate::spawn::{EnvironmentBlock, Launch, spawn};

/// How much more willingly the kernel ends a step than anything else (steps.md 3.2).
const OOM_SCORE: i16 = 500;

/// A body that was begun.
pub(crate) struct Begun {
    pub(super) spec: Box<ProcessSpec>,
    pub(super) shell: Option<PathBuf>,
    /// For the step's log.
    pub(super) warnings: Vec<String>,
    /// Or why it has no process.
    pub(super) started: Result<Started, String>,
}

/// The process of a body.
pub(super) struct Started {
    pub(super) leader: i32,
    /// Read without waiting.
    pub(super) output: PipeReader,
    pub(super) files: StepFiles,
}

/// Begins the body. Whoever attends it may come later: waking a thread costs as much as a tenth of a small step, and goes on beside the
/// step when that is on its way already. `before` are the files of a body that is over, if they were not put away. One that takes its time to begin is better begun by whoever attends it ([`is_slow`]).
pub(crate) fn begin(
    shared: &Shared,
    run: &Run,
    tag: &str,
    spec: Box<ProcessSpec>,
    before: Option<Box<StepFiles>>,
) -> Begun {
    let prepared = prepare(shared, tag, &spec, before);
    let mut state = run.lock_moving();
    let discarded = || Err("the lane was ended".to_owned());
    let process = if state.discarded { discarded() } else { start(&prepared, &spec) };
    if let Ok((leader, _)) = &process {
        state.membership = Lane::of_new_leader(tag.to_owned(), *leader);
        drop(state);
        shared.watchers().started(*leader);
    }
    let Prepared { shell, warnings, files, .. } = prepared;
    let started = match (process, files) {
        (Ok((leader, output)), Ok((_, files))) => Ok(Started { leader, output, files }),
        (Err(reason), Ok((_, files))) => {
            Box::new(files).put_away(&shared.settings.spare);
            Err(reason)
        }
        (_, Err(reason)) => Err(reason),
    };
    Begun { spec, shell, warnings, started }
}

/// Whether the session should not wait for the beginning: the services may have to start, and a `node` to tell its version.
pub(crate) fn is_slow(spec: &ProcessSpec) -> bool {
    spec.action.is_some()
}

/// Everything a start needs, as far as it is there.
struct Prepared {
    shell: Option<PathBuf>,
    /// Where it was looked for.
    path: OsString,
    /// The script and where it lies.
    files: Result<(PathBuf, StepFiles), String>,
    environment: EnvironmentBlock,
    directory: PathBuf,
    /// For the step's log.
    warnings: Vec<String>,
}

fn prepare(shared: &Shared, tag: &str, spec: &ProcessSpec, before: Option<Box<StepFiles>>) -> Prepared {
    let settings = &shared.settings;
    let variables = files::variables(&settings.temp, &spec.command_files);
    let mut warnings = Vec::new();
    let access = access(shared, spec, tag).unwrap_or_else(|warning| {
        warnings.push(warning);
        None
    });
    let step = environment::build(&settings.base, spec, tag, &variables, access.as_ref());
    let directory = settings.workspace.join(&*spec.working_directory);
    let shell = match spec.action {
        Some(program) => node(shared, spec, program, &step.path, &mut warnings),
        None => command_line::find(&spec.shell.candidates, &step.path, &directory),
    };
    let tidy = shared.tidy();
    let files = files::prepare(settings, spec, before).map_err(|error| {
        format!("failed to write the step's files below {}: {error}", settings.temp.display())
    });
    drop(tidy);
    Prepared { shell, path: step.path, files, environment: step.block, directory, warnings }
}

/// The program that runs an action: of the version that it wants where there is one, else whichever is on PATH.
fn node(
    shared: &Shared,
    spec: &ProcessSpec,
    program: ActionProgram,
    path: &OsString,
    warnings: &mut Vec<String>,
) -> Option<PathBuf> {
    let settings = &shared.settings;
    let (version, conflict) = node::wanted(program.node, spec, &settings.base);
    warnings.extend(conflict.map(str::to_owned));
    if let Some(own) = node::own(settings.externals.as_deref(), version) {
        return Some(own);
    }
    let found = command_line::find(&spec.shell.candidates, path, &settings.workspace)?;
    warnings.extend(shared.nodes.warning(version, &found, path));
    Some(found)
}

/// What the process of an action is told of the services. Its token is masked before the process can print it.
fn access(shared: &Shared, spec: &ProcessSpec, tag: &str) -> Result<Option<Access>, String> {
    let (Some(services), Some(_)) = (&shared.settings.services, spec.action) else { return Ok(None) };
    let access = services
        .access(&spec.step, tag)
        .map_err(|error| format!("Caches and artifacts cannot be used in this step: {error}"))?;
    shared.masks.extend([(&access.secret, Origin::Unnamed)]);
    Ok(Some(access))
}

/// The leader and its output, which is read without waiting.
fn start(prepared: &Prepared, spec: &ProcessSpec) -> Result<(i32, PipeReader), String> {
    let (script, _) = prepared.files.as_ref().map_err(String::clone)?;
    let shell = prepared.shell.as_ref();
    let shell = shell.ok_or_else(|| match spec.script.content {
        Some(_) => command_line::not_found(&spec.shell.candidates, &prepared.path),
        None => command_line::no_node(&prepared.path),
    })?;
    let arguments = command_line::arguments(&spec.shell.arguments, &script.to_string_lossy());
    let no_pipe = |error: io::Error| format!("failed to make a pipe for the step's output: {error}");
    let (reader, writer) = io::pipe().map_err(no_pipe)?;
    rustix::io::ioctl_fionbio(&reader, true).map_err(|error| no_pipe(error.into()))?;
    let launch = Launch {
        program: shell,
        name: None,
        arguments: &arguments,
        environment: &prepared.environment,
        directory: &prepared.directory,
        input: None,
        output: writer.as_fd(),
        oom_score: OOM_SCORE,
    };
    let leader = spawn(&launch).map_err(|error| error.to_string())?;
    Ok((leader, reader))
}
