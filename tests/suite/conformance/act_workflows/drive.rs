//! Runs the jobs of a row: a session on this machine for each, with folders of its own.
//!
//! Knows the two ways of running; not what is to come of it.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use engine::action::ActionReference;
use engine::effect::Outcome;
use engine::job::JobInputs;
use engine::plan::{JobKey, Plan};
use engine::run::Run;
use engine::step_path::StepPath;
use expr::Value;
use host::checkout::Origin;
use host::live::{BaseEnvironment, LiveHost, Settings, SpareFolders};
use host::times::Times;
use session::fleet::{Fleet, Launcher, RunningJob};
use session::moment::Point;
use session::notice::Notice;
use session::request::{Reply, Request, Stop, StopReason, Target};
use session::session::Mode;
use syntax::StepBody;
use tokio::sync::mpsc;

use super::super::real_world::files;
use super::own::PROGRAMS;
use super::row::{Row, Verdict};
use crate::debugger::{Debugger, Place, Said};

/// Jobs at once.
const SLOTS: NonZeroUsize = NonZeroUsize::new(2).unwrap();

/// How a row is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Without a debugger.
    Straight,
    /// Each step is executed, stepped back once, and executed again; an action first as a whole, then step by step.
    EveryStepTwice,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Way::Straight => "straight through",
            Way::EveryStepTwice => "every step executed, stepped back once, executed again",
        })
    }
}

/// What came of a row's jobs.
pub(super) struct Driven {
    pub(super) verdict: Verdict,
    /// What went wrong with going back, or with the sessions themselves.
    pub(super) faults: Result<(), String>,
    /// How often a step's body was executed.
    pub(super) executed: usize,
    /// All logs.
    pub(super) log: String,
}

/// Runs all jobs of a row. Has to be called within a `LocalSet`.
pub(super) async fn drive(row: &Row, way: Way) -> Driven {
    let mut launcher = Jobs { row, way, seen: Rc::default(), said: Vec::new(), log: String::new() };
    let run = Run::new(Arc::clone(&row.workflow), row.given.clone(), None);
    let (_never, cancels) = mpsc::unbounded_channel();
    let outcome = Fleet::new(run, &row.secrets, SLOTS, &mut launcher).drive(cancels).await;
    let verdict = match outcome {
        Outcome::Success => Verdict::Pass,
        _ => Verdict::Fail,
    };
    let seen = launcher.seen.take();
    let broken = launcher.said.len() - seen.ended;
    let mut faults = seen.faults;
    if broken > 0 {
        faults.push(format!("{broken} sessions broke off"));
    }
    let mut log = launcher.log;
    for (key, said) in &launcher.said {
        log.push_str(&format!("--- {key}\n{}", said.log.lock().unwrap()));
    }
    let faults = if faults.is_empty() { Ok(()) } else { Err(format!("{}\n{log}", faults.join("\n"))) };
    Driven { verdict, faults, executed: seen.executed, log }
}

/// What was seen while the jobs ran.
#[derive(Default)]
struct Seen {
    ended: usize,
    executed: usize,
    faults: Vec<String>,
}

struct Jobs<'a> {
    row: &'a Row,
    way: Way,
    seen: Rc<RefCell<Seen>>,
    said: Vec<(JobKey, Arc<Said>)>,
    log: String,
}

impl Launcher for Jobs<'_> {
    fn launch(
        &mut self,
        key: &JobKey,
        plan: Arc<Plan>,
        inputs: Arc<JobInputs>,
    ) -> Result<RunningJob, String> {
        let place = Place::new();
        let plan = Arc::unwrap_or_clone(plan);
        let origin = place.dir.path().join("origin");
        furnish(self.row, &origin);
        if !plan.steps.iter().any(|step| checks_out(&step.definition.body)) {
            copy(&origin, &origin, &place.workspace());
        }
        let inputs = with_folders(Arc::unwrap_or_clone(inputs), &place, &self.row.event.to_string());
        let settings = settings(&place, origin);
        let (mode, snapshots) = match self.way {
            Way::Straight => (Mode::Headless, None),
            Way::EveryStepTwice => (Mode::Debug, Some(place.files())),
        };
        let workspace = place.workspace();
        let secrets = self.row.secrets.clone();
        let mut debugger =
            Debugger::start(plan, inputs, secrets, snapshots, &workspace, mode, |masks, log| {
                LiveHost::new(settings, masks, Box::new(log))
            });
        self.said.push((key.clone(), Arc::clone(&debugger.said)));
        let (handle, way, seen, key) =
            (debugger.handle.clone(), self.way, Rc::clone(&self.seen), key.to_string());
        let work = async move {
            let ended = match way {
                Way::Straight => {
                    let executed = straight(&mut debugger).await;
                    seen.borrow_mut().executed += executed;
                    debugger.ended().await
                }
                Way::EveryStepTwice => {
                    match every_step_twice(&mut debugger).await {
                        Ok(executed) => seen.borrow_mut().executed += executed,
                        Err(fault) => seen.borrow_mut().faults.push(format!("{key}: {fault}")),
                    }
                    debugger.quit().await
                }
            };
            seen.borrow_mut().ended += 1;
            drop(place);
            ended
        };
        Ok(RunningJob { handle, work: Box::pin(work) })
    }

    fn ended(&mut self, key: &JobKey, _name: &str, outcome: Outcome, error: Option<&str>) {
        self.log.push_str(&format!("{key}: {outcome} {}\n", error.unwrap_or_default()));
    }
}

fn checks_out(body: &StepBody) -> bool {
    matches!(body, StepBody::Uses { reference, .. }
        if ActionReference::of(&reference.value) == ActionReference::Checkout)
}

/// The repository of a row: what it needs of the data, and the programs of its actions.
fn furnish(row: &Row, origin: &Path) {
    fs::create_dir(origin).unwrap();
    row.needed.iter().for_each(|needed| copy(needed, &row.root, origin));
    for program in PROGRAMS {
        let target = origin.join(program.path);
        if target.parent().is_some_and(Path::is_dir) {
            fs::write(target, program.text).unwrap();
        }
    }
}

/// Copies a folder or a file to where it lies below `root`.
fn copy(from: &Path, root: &Path, to: &Path) {
    let all = if from.is_file() { vec![from.to_owned()] } else { files(from) };
    for file in all {
        let target = to.join(file.strip_prefix(root).expect("below"));
        fs::create_dir_all(target.parent().expect("a folder")).unwrap();
        fs::copy(&file, &target).unwrap();
    }
}

fn with_folders(mut inputs: JobInputs, place: &Place, event: &str) -> JobInputs {
    let event_path = place.dir.path().join("event.json");
    fs::write(&event_path, event).unwrap();
    let text = |path: &Path| Value::string(path.to_str().expect("text"));
    let (github, runner) = (Arc::make_mut(&mut inputs.github), Arc::make_mut(&mut inputs.runner));
    github.insert("workspace", text(&place.workspace()));
    github.insert("event_path", text(&event_path));
    runner.insert("temp", text(&place.temp()));
    runner.insert("tool_cache", text(&place.dir.path().join("tools")));
    inputs
}

fn settings(place: &Place, origin: PathBuf) -> Settings {
    let scratch = place.dir.path().join("scratch");
    fs::create_dir(&scratch).unwrap();
    Settings {
        workspace: place.workspace(),
        temp: place.temp(),
        spare: SpareFolders::default(),
        base: environment(&scratch),
        tracking: format!("acttest_{:016x}", fastrand::u64(..)),
        origin: Origin { folder: origin, name: Some("nektos/act".to_owned()), in_place: false },
        actions: Default::default(),
        times: Times::default(),
        guardian: false,
        server_url: "https://github.com".to_owned(),
        repository: "nektos/act".to_owned(),
        services: None,
        externals: None,
    }
}

/// Ours, without what belongs to whoever runs the tests. `defaults-run` looks at the `SHELL` that bash sets when nobody
/// else has; what scripts make by `mktemp` goes with the test.
fn environment(scratch: &Path) -> BaseEnvironment {
    let foreign = |name: &OsString| {
        let name = name.to_string_lossy();
        name == "SHELL"
            || ["GITHUB_", "RUNNER_", "ACTIONS_", "INPUT_"].iter().any(|prefix| name.starts_with(prefix))
    };
    let inherited = std::env::vars_os().filter(|(name, _)| !foreign(name));
    BaseEnvironment::new(inherited.chain([("TMPDIR".into(), scratch.as_os_str().to_owned())]))
}

/// Waits for the end of the job; how many steps were executed.
async fn straight(debugger: &mut Debugger) -> usize {
    let mut executed = 0;
    loop {
        match debugger.notice().await {
            Notice::StepEnded(end) if end.outcome != Outcome::Skipped => executed += 1,
            Notice::JobEnded { .. } => return executed,
            _ => {}
        }
    }
}

/// The steps that ended since the last stop, and how.
type Ends = Vec<(StepPath, Outcome)>;

/// Executes each step, steps back once and executes it again; how many steps were executed. Of an action that has steps that is
/// done with the whole of it first, and then, from before it once more, with each of its steps.
async fn every_step_twice(debugger: &mut Debugger) -> Result<usize, String> {
    let mut executed = 0;
    let mut stop = debugger.stopped().await;
    loop {
        let Point::Before(path) = stop.point.clone() else {
            match stop.reason {
                StopReason::End(_) => return Ok(executed),
                // After a failed step, which stands at its end: it has been executed twice.
                _ => stop = go(debugger, Request::Next).await?.0,
            }
            continue;
        };
        let (reached, ends) = twice(debugger, &path).await?;
        executed += 2 * ends.iter().filter(|(_, outcome)| *outcome != Outcome::Skipped).count();
        stop = reached;
        if ends.iter().any(|(other, _)| other.ancestors().contains(&path)) {
            back(debugger, &stop, &path, &ends).await?;
            stop = go(debugger, Request::StepIn).await?.0;
            if stop.point != Point::Before(path.child(0)) {
                return Err(format!("`step` into {path} led to {:?}", stop.point));
            }
        }
    }
}

/// Executes the step, steps back over it and executes it again.
async fn twice(debugger: &mut Debugger, path: &StepPath) -> Result<(Stop, Ends), String> {
    let (first, ends) = over(debugger, path).await?;
    back(debugger, &first, path, &ends).await?;
    let (second, again) = over(debugger, path).await?;
    if (&second.point, &again) != (&first.point, &ends) {
        return Err(format!(
            "{path} led to {:?} with {ends:?}, and the second time to {:?} with {again:?}",
            first.point, second.point
        ));
    }
    Ok((second, ends))
}

/// Executes the step. An action may stop at each of its steps that fails, before its own end.
async fn over(debugger: &mut Debugger, path: &StepPath) -> Result<(Stop, Ends), String> {
    let (mut stop, mut ends) = go(debugger, Request::Next).await?;
    while !ends.iter().any(|(ended, _)| ended == path) {
        let inside = stop.point.step().is_some_and(|at| at.ancestors().contains(path));
        if !inside {
            return Err(format!("`next` from before {path} led to {:?}, executing {ends:?}", stop.point));
        }
        let (next, more) = go(debugger, Request::StepOut).await?;
        stop = next;
        ends.extend(more);
    }
    match are_of_one_step(&ends, path) {
        true => Ok((stop, ends)),
        false => Err(format!("`next` from before {path} executed {ends:?}")),
    }
}

/// Steps back to before `path`, which ended last. From behind an action a step back leads to before the whole of it: its last
/// step is then found among the moments.
async fn back(debugger: &mut Debugger, from: &Stop, path: &StepPath, ends: &Ends) -> Result<(), String> {
    let left_action = ends.iter().any(|(ended, _)| path.ancestors().contains(ended));
    let before = Point::Before(path.clone());
    let moments = if left_action { debugger.timeline().await } else { Vec::new() };
    let request = match moments.iter().rev().find(|line| line.point == before) {
        Some(line) => Request::Goto(Target::Moment(line.moment)),
        None => Request::Back { steps: 1 },
    };
    let (back, nothing) = go(debugger, request.clone()).await?;
    if back.point == before && nothing.is_empty() {
        return Ok(());
    }
    Err(format!("{request:?} from {:?} led to {:?}, executing {nothing:?}", from.point, back.point))
}

/// The end of the step, those of its own steps before it, and those of actions that it was the last step of after it.
fn are_of_one_step(ends: &Ends, path: &StepPath) -> bool {
    let Some(own) = ends.iter().position(|(ended, _)| ended == path) else { return false };
    let (inside, outside) = (ends.iter().take(own), ends.iter().skip(own + 1));
    inside.into_iter().all(|(ended, _)| ended.ancestors().contains(path))
        && outside.into_iter().all(|(ended, _)| path.ancestors().contains(ended))
}

/// Moves, and says yes where a step that reached outside is about to run again.
async fn go(debugger: &mut Debugger, request: Request) -> Result<(Stop, Ends), String> {
    let mut ends = Ends::new();
    let mut request = request;
    loop {
        if let Reply::Refused(refusal) = debugger.handle.ask(request.clone()).await {
            return Err(format!("{request:?}: {refusal}"));
        }
        let stop = loop {
            match debugger.notice().await {
                Notice::StepEnded(end) => ends.push((end.step, end.outcome)),
                Notice::Stopped(stop) => break *stop,
                _ => {}
            }
        };
        match stop.reason {
            StopReason::Confirm(_) => request = Request::Confirm(true),
            _ => return Ok((stop, ends)),
        }
    }
}
