//! Runs the jobs of a row: a session on this machine for each, with folders of its own.
//!
//! Knows the two ways of running; not what is to come of it.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
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
use session::request::{Reply, Request, Stop, StopReason};
use session::session::Mode;
use syntax::StepBody;
use tokio::sync::mpsc;

use super::super::real_world::files;
use super::row::{Row, Verdict};
use crate::debugger::{Debugger, Place, Said};

/// Jobs at once.
const SLOTS: NonZeroUsize = NonZeroUsize::new(2).unwrap();

/// How a row is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Without a debugger.
    Straight,
    /// Each step is executed, stepped back once, and executed again.
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
        if !plan.steps.iter().any(|step| checks_out(&step.definition.body)) {
            self.row.needed.iter().for_each(|folder| copy(folder, &self.row.root, &place.workspace()));
        }
        let inputs = with_folders(Arc::unwrap_or_clone(inputs), &place, &self.row.event.to_string());
        let settings = settings(self.row, &place);
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
                    let ended = straight(&mut debugger).await;
                    seen.borrow_mut().executed += ended;
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

/// Copies `folder` to where it lies below `root`.
fn copy(folder: &Path, root: &Path, to: &Path) {
    for file in files(folder) {
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

fn settings(row: &Row, place: &Place) -> Settings {
    let scratch = place.dir.path().join("scratch");
    fs::create_dir(&scratch).unwrap();
    Settings {
        workspace: place.workspace(),
        temp: place.temp(),
        spare: SpareFolders::default(),
        base: environment(&scratch),
        tracking: format!("acttest_{:016x}", fastrand::u64(..)),
        origin: Origin { folder: row.root.clone(), name: Some("nektos/act".to_owned()), in_place: false },
        actions: Default::default(),
        times: Times::default(),
        guardian: false,
        server_url: "https://github.com".to_owned(),
        repository: "nektos/act".to_owned(),
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

/// Executes each step, steps back once and executes it again; how many steps were executed.
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
        let (first, ends) = go(debugger, Request::Next).await?;
        if ends.len() != 1 || ends[0].0 != path {
            return Err(format!("`next` from before {path} executed {ends:?}"));
        }
        let (back, nothing) = go(debugger, Request::Back { steps: 1 }).await?;
        if back.point != Point::Before(path.clone()) || !nothing.is_empty() {
            return Err(format!(
                "`back` from {:?} led to {:?}, executing {nothing:?}",
                first.point, back.point
            ));
        }
        let (second, again) = go(debugger, Request::Next).await?;
        if (&second.point, &again) != (&first.point, &ends) {
            return Err(format!(
                "{path} led to {:?} with {ends:?}, and the second time to {:?} with {again:?}",
                first.point, second.point
            ));
        }
        executed += ends.iter().chain(&again).filter(|(_, outcome)| *outcome != Outcome::Skipped).count();
        stop = second;
    }
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
