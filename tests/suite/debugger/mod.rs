//! A debugged job in a test: any host, real snapshots, requests in and stops out.

pub mod little;
pub mod live;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use engine::job::JobInputs;
use engine::plan::{JobKey, Plan};
use engine::process::CommandFiles;
use engine::secrets::Secrets;
use expr::{Object, Value};
use host::contract::Host;
use host::log::LogBatch;
use host::masks::SharedMasks;
use host::snapshot::{Root, Roots, Store};
use session::files::Files;
use session::handle::SessionHandle;
use session::notice::{Notice, Observer};
use session::request::{Reply, Request, Stop, TimelineLine};
use session::session::{Ended, Mode, Session, Setup};
use session::sink::SessionLog;
use syntax::{NoFiles, ReadOptions, Sources};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, LocalSet};

/// A session that has said nothing for so long will say nothing any more, on any machine.
const STUCK_AFTER: Duration = Duration::from_secs(60);

/// Runs a test that drives sessions.
pub fn block_on<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, test)
}

/// The only job of a workflow text; any diagnostic fails the test.
pub fn plan(text: &str) -> Plan {
    let mut sources = Sources::new();
    let id = sources.add("ci.yml", text);
    let (workflow, diagnostics) = syntax::parse_workflow(&mut sources, id, &ReadOptions::default(), &NoFiles);
    assert!(diagnostics.is_empty(), "{}", syntax::render(&diagnostics, &sources, false));
    let workflow = Arc::new(workflow.unwrap());
    let id = Arc::clone(workflow.jobs.keys().next().unwrap());
    Plan::new(Arc::clone(&workflow), "ci.yml".into(), JobKey::single(Arc::clone(&id)), id).unwrap()
}

/// Directories of one job, gone when the test is over.
pub struct Place {
    pub dir: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self::at(tempfile::tempdir().unwrap())
    }

    /// In memory where the machine offers that: for tests that make thousands of them.
    pub fn in_memory() -> Self {
        let memory = Path::new("/dev/shm");
        Self::at(tempfile::tempdir_in(memory).unwrap_or_else(|_| tempfile::tempdir().unwrap()))
    }

    /// The same place as it was at first: the states of two jobs can be compared only if they ran in one.
    pub fn clear(&self) {
        for entry in std::fs::read_dir(self.dir.path()).unwrap().map(Result::unwrap) {
            std::fs::remove_dir_all(entry.path()).unwrap();
        }
        self.furnish();
    }

    fn at(dir: tempfile::TempDir) -> Self {
        let place = Self { dir };
        place.furnish();
        place
    }

    fn furnish(&self) {
        for name in ["workspace", "temp"] {
            std::fs::create_dir(self.dir.path().join(name)).unwrap();
        }
        std::fs::create_dir(self.temp().join(CommandFiles::FOLDER)).unwrap();
    }

    pub fn workspace(&self) -> std::path::PathBuf {
        self.dir.path().join("workspace")
    }

    pub fn temp(&self) -> std::path::PathBuf {
        self.dir.path().join("temp")
    }

    /// Where folders of steps are kept between two steps.
    pub fn spare(&self) -> std::path::PathBuf {
        self.dir.path().join("spare")
    }

    pub fn roots(&self) -> Roots {
        let temp = Root::new("temp", self.temp()).without(CommandFiles::FOLDER);
        Roots::new([Root::new("workspace", self.workspace()), temp]).unwrap()
    }

    pub fn files(&self) -> Files {
        Files::new(Store::open(&self.dir.path().join("store")).unwrap(), self.roots()).unwrap()
    }
}

/// Keeps what a session said.
#[derive(Default)]
pub struct Said {
    pub log: Mutex<String>,
    notices: Mutex<Option<mpsc::UnboundedSender<Notice>>>,
}

impl Observer for Said {
    fn notice(&self, notice: Notice) {
        if let Some(sender) = self.notices.lock().unwrap().as_ref() {
            let _ = sender.send(notice);
        }
    }

    fn log(&self, batch: &LogBatch) {
        let mut log = self.log.lock().unwrap();
        for line in batch.lines() {
            log.push_str(line.tag.prefix());
            log.push_str(&String::from_utf8_lossy(line.text));
            log.push('\n');
        }
    }
}

/// What a job is given: `runner.temp` and `github.workspace` as texts that do not depend on the test's folders.
pub fn inputs(temp: &str, workspace: &str) -> JobInputs {
    let runner = Object::from([("os", Value::string("Linux")), ("temp", Value::string(temp))]);
    let github =
        Object::from([("workspace", Value::string(workspace)), ("ref", Value::string("refs/heads/main"))]);
    JobInputs { runner: Arc::new(runner), github: Arc::new(github), ..JobInputs::default() }
}

/// A session under a test's control.
pub struct Debugger {
    pub handle: SessionHandle,
    pub said: Arc<Said>,
    notices: mpsc::UnboundedReceiver<Notice>,
    session: JoinHandle<Ended>,
}

impl Debugger {
    /// Starts a session; `host` is made with the log that it has to write to.
    pub fn start<H: Host + 'static>(
        plan: Plan,
        inputs: JobInputs,
        secrets: Secrets,
        files: Option<Files>,
        workspace: &Path,
        mode: Mode,
        host: impl FnOnce(SharedMasks, SessionLog) -> H,
    ) -> Self {
        let (sender, notices) = mpsc::unbounded_channel();
        let said = Arc::new(Said { log: Mutex::default(), notices: Mutex::new(Some(sender)) });
        let log = SessionLog::new(Arc::clone(&said) as Arc<dyn Observer>);
        let masks = SharedMasks::new(secrets.masks().clone());
        let host = host(masks.clone(), log.clone());
        let (session, handle, calls) = Session::new(Setup {
            plan: Arc::new(plan),
            inputs,
            secrets,
            host,
            files,
            recorder: None,
            log,
            masks,
            origin: None,
            workspace: workspace.to_owned(),
            mode,
            source: Arc::from(""),
            workflow: None,
        });
        Self { handle, said, notices, session: tokio::task::spawn_local(session.run(calls)) }
    }

    /// Asks; a refusal fails the test.
    pub async fn ask(&mut self, request: Request) -> Reply {
        let shown = format!("{request:?}");
        match self.handle.ask(request).await {
            Reply::Refused(refusal) => panic!("{shown}: {refusal} ({:?})", refusal.hint),
            reply => reply,
        }
    }

    /// The next notice; the end of the session fails the test, and so does a session that is stuck.
    pub async fn notice(&mut self) -> Notice {
        let next = tokio::time::timeout(STUCK_AFTER, self.notices.recv()).await;
        next.expect("the session is stuck").expect("the session said nothing more")
    }

    /// Asks for something that has to be refused, and gives the refusal's text.
    pub async fn refused(&mut self, request: Request) -> String {
        let shown = format!("{request:?}");
        match self.handle.ask(request).await {
            Reply::Refused(refusal) => refusal.text,
            reply => panic!("{shown} was not refused: {reply:?}"),
        }
    }

    /// All moments.
    pub async fn timeline(&mut self) -> Vec<TimelineLine> {
        match self.ask(Request::Timeline).await {
            Reply::Timeline(lines) => lines,
            other => panic!("a timeline was expected: {other:?}"),
        }
    }

    /// The value of an expression, as a person reads it.
    pub async fn print(&mut self, expression: &str) -> String {
        match self.ask(Request::Print(expression.to_owned())).await {
            Reply::Value(text) => text,
            other => panic!("a value was expected: {other:?}"),
        }
    }

    /// Sets or unsets something.
    pub async fn set(&mut self, name: &str, value: Option<&str>) {
        self.ask(Request::Set { name: name.to_owned(), value: value.map(str::to_owned) }).await;
    }

    /// What has been said and not been looked at yet.
    pub fn said_so_far(&mut self) -> Vec<Notice> {
        std::iter::from_fn(|| self.notices.try_recv().ok()).collect()
    }

    /// The next stop.
    pub async fn stopped(&mut self) -> Stop {
        loop {
            if let Notice::Stopped(stop) = self.notice().await {
                return *stop;
            }
        }
    }

    /// Asks for a movement and gives the stop that it leads to.
    pub async fn to(&mut self, request: Request) -> Stop {
        self.ask(request).await;
        self.stopped().await
    }

    /// Leaves, and waits for the end.
    pub async fn quit(self) -> Ended {
        self.handle.tell(Request::Quit);
        self.session.await.unwrap()
    }

    /// Waits for the end of a session that ends by itself.
    pub async fn ended(self) -> Ended {
        self.session.await.unwrap()
    }
}
