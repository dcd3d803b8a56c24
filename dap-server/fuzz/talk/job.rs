//! Jobs that are debugged: a few workflows on a scripted host, at a pace that leaves time for requests while a step runs.
//! No process is started and no file is touched.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use dap_server::debuggee::{Debuggee, LaunchCall};
use dap_server::feed::Feed;
use engine::effect::{Body, Effect};
use engine::event::Exit;
use engine::job::JobInputs;
use engine::lines::LineTag;
use engine::plan::{JobKey, Plan};
use engine::secrets::Secrets;
use engine::step_path::LaneId;
use expr::{Object, Value};
use host::contract::{CannotFreeze, Epoch, Host, HostEvent, LaneStatus, Survivors};
use host::log::{LogBatch, LogSink as _};
use host::masks::SharedMasks;
use host::scripted::{Ignores, Play, Script, ScriptedFrozen, ScriptedHost};
use session::handle::SessionHandle;
use session::notice::Observer;
use session::request::{Refusal, Request};
use session::session::{Ended, Mode, Session, Setup};
use session::sink::SessionLog;
use syntax::{NoFiles, ReadOptions, Sources};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_local};

use super::choices::Choices;

/// Where the workflow is said to be.
pub(super) const WORKFLOW: &str = "/w/ci.yml";

/// A value that no message may have. Clients do not know it.
pub(super) const SECRET: &str = "correct-horse-battery";

/// Each line of a script is a word of [`Actor`] with its arguments; in steps as in shell commands.
const WORKFLOWS: [&str; 4] = [
    "on: push
jobs:
  build:
    runs-on: ubuntu-latest
    env: { A: one, TOKEN: '${{ secrets.TOKEN }}' }
    outputs: { last: '${{ steps.one.outputs.v }}' }
    steps:
      - id: one
        run: output v 1
      - name: Two ${{ steps.one.outputs.v }}
        if: env.A == 'one'
        run: |
          variable B two
          say $TOKEN
        env: { HERE: '${{ steps.one.outputs.v }}' }
      - id: fails
        continue-on-error: true
        run: exit 3
      - run: takes for-ever
        timeout-minutes: 1
      - id: last
        if: always() && hashFiles('*') != ''
        run: say done
",
    "on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: variable A 1
      - run: exit 1
      - run: git push
      - if: failure()
        run: output v ${{ env.A }}
      - if: always()
        run: takes 100
",
    "on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: say only
",
    "on: push
jobs:
  build:
    runs-on: ubuntu-latest
    env: { LIST: '[1, [2, {\"a\": null}], \"é🚀\"]' }
    steps:
      - run: git push
      - id: wrong
        if: fromJSON(env.LIST)[0].x.y == fromJSON(env.NONE)
        run: say never
      - if: always()
        env: { V: '${{ toJSON(fromJSON(env.LIST)) }}' }
        run: |
          ignore terminate
          takes 10000
      - if: cancelled()
        run: exit 2
",
];

/// A session and what its test knows of it.
pub(super) struct Job {
    handle: Option<SessionHandle>,
    session: JoinHandle<Ended>,
}

impl Job {
    /// Starts one and gives what an adapter wants of it.
    pub(super) fn start(choices: &mut Choices<'_>, launched: bool) -> (Self, Debuggee) {
        let plan = plan(choices.below(WORKFLOWS.len()));
        let pace = [Duration::ZERO, Duration::from_millis(300), Duration::from_secs(3600)][choices.below(3)];
        let secrets = Secrets::new([(Arc::from("TOKEN"), Arc::from(SECRET))].into_iter().collect());
        let masks = SharedMasks::new(secrets.masks().clone());
        let feed = Feed::default();
        let log = SessionLog::new(Arc::new(feed.clone()) as Arc<dyn Observer>);
        let name = plan.name.to_string();
        let (session, handle, calls) = Session::new(Setup {
            plan,
            inputs: inputs(),
            secrets,
            host: Paced { inner: ScriptedHost::new(Actor), log: log.clone(), masks: masks.clone(), pace },
            files: None,
            recorder: None,
            log,
            masks,
            origin: None,
            workspace: PathBuf::from("/w"),
            mode: Mode::Debug,
            source: Arc::from(WORKFLOWS[0]),
            workflow: None,
        });
        let debuggee = Debuggee {
            handle: handle.clone(),
            feed: feed.reader(),
            name,
            workflow: PathBuf::from(WORKFLOW),
            callers: Vec::new(),
            name_columns: 12,
            launched,
        };
        let session = spawn_local(session.run(calls));
        (Self { handle: Some(handle), session }, debuggee)
    }

    /// Nobody can ask it for anything any longer.
    pub(super) fn let_go(&mut self) {
        self.handle = None;
    }

    pub(super) fn quit(&self) {
        if let Some(handle) = &self.handle {
            handle.tell(Request::Quit);
        }
    }

    pub(super) async fn end(self) {
        self.session.await.expect("the session panicked");
    }
}

/// Starts the jobs that clients wish for.
pub(super) async fn launch_all(
    mut calls: mpsc::UnboundedReceiver<LaunchCall>,
    decisions: Vec<u8>,
    jobs: Rc<RefCell<Vec<Job>>>,
) {
    let mut choices = Choices::new(&decisions);
    while let Some(call) = calls.recv().await {
        if choices.one_in(8) {
            let refusal = Refusal::new("there is no such job").hint("there is `build`");
            // Whoever asked may have gone.
            let _ = call.reply.send(Err(refusal));
            continue;
        }
        let (job, debuggee) = Job::start(&mut choices, true);
        if call.reply.send(Ok(debuggee)).is_err() {
            job.quit();
        }
        jobs.borrow_mut().push(job);
    }
}

/// Plans never change, and reading one takes as long as a conversation.
fn plan(number: usize) -> Arc<Plan> {
    static PLANS: [OnceLock<Arc<Plan>>; WORKFLOWS.len()] = [const { OnceLock::new() }; WORKFLOWS.len()];
    Arc::clone(PLANS[number].get_or_init(|| Arc::new(read(WORKFLOWS[number]))))
}

fn read(text: &str) -> Plan {
    let mut sources = Sources::new();
    let id = sources.add("ci.yml", text);
    let (workflow, diagnostics) = syntax::parse_workflow(&mut sources, id, &ReadOptions::default(), &NoFiles);
    assert!(diagnostics.is_empty(), "{}", syntax::render(&diagnostics, &sources, false));
    let workflow = Arc::new(workflow.expect("a workflow"));
    let id = Arc::clone(workflow.jobs.keys().next().expect("a job"));
    Plan::new(workflow, "ci.yml".into(), JobKey::single(Arc::clone(&id)), id).expect("a plan")
}

fn inputs() -> JobInputs {
    let runner = Object::from([("os", Value::string("Linux")), ("temp", Value::string("/t"))]);
    let github =
        Object::from([("workspace", Value::string("/w")), ("ref", Value::string("refs/heads/main"))]);
    JobInputs { runner: runner.into(), github: github.into(), ..JobInputs::default() }
}

/// Does what a script says, without doing it.
struct Actor;

impl Script for Actor {
    fn play(&mut self, _lane: LaneId, body: &Body) -> Play {
        let mut play = Play::default();
        let Body::Process(spec) = body else { return play };
        for line in spec.script.text.lines() {
            act(line, &mut play);
        }
        play
    }
}

fn act(line: &str, play: &mut Play) {
    match line.split(' ').collect::<Vec<_>>().as_slice() {
        ["output", name, value] => play.files.output.push(((*name).to_owned(), (*value).to_owned())),
        ["variable", name, value] => play.files.env.push(((*name).to_owned(), (*value).to_owned())),
        ["exit", code] => play.exit = Exit::Code(code.parse().unwrap_or(1)),
        ["takes", "for-ever"] => play.takes = None,
        ["takes", seconds] => play.takes = seconds.parse().ok().map(Duration::from_secs),
        ["ignore", ..] => play.ignores = Ignores::Terminate,
        _ => {}
    }
}

/// The scripted host, whose events come after a time of the runtime's virtual clock, and whose bodies print.
struct Paced {
    inner: ScriptedHost<Actor>,
    log: SessionLog,
    masks: SharedMasks,
    pace: Duration,
}

impl Paced {
    /// What the body says, masked as the readers of a live host do it.
    fn print(&mut self, lane: LaneId, body: &Body) {
        let Body::Process(spec) = body else { return };
        let mut batch = LogBatch::new(lane, Epoch(0), body.step().clone(), jiff::Timestamp::UNIX_EPOCH);
        for line in spec.script.text.lines().filter_map(|line| line.strip_prefix("say ")) {
            let text = line.replace("$TOKEN", SECRET);
            batch.push(LineTag::Plain, &self.masks.current().mask(text.as_bytes()));
        }
        self.log.write(batch);
    }
}

impl Host for Paced {
    type Frozen = ScriptedFrozen;

    fn perform(&mut self, effect: Effect) {
        if let Effect::Spawn { lane, body } = &effect {
            self.print(*lane, body);
        }
        self.inner.perform(effect);
    }

    async fn next(&mut self) -> HostEvent {
        if !self.pace.is_zero() {
            tokio::time::sleep(self.pace).await;
        }
        self.inner.next().await
    }

    fn set_epoch(&mut self, epoch: Epoch) {
        self.inner.set_epoch(epoch);
    }

    fn hold_time(&mut self, lane: LaneId, held: bool) {
        self.inner.hold_time(lane, held);
    }

    async fn freeze(&mut self) -> Result<ScriptedFrozen, CannotFreeze> {
        self.inner.freeze().await
    }

    async fn thaw(&mut self, frozen: ScriptedFrozen) {
        self.inner.thaw(frozen).await;
    }

    async fn end(&mut self, frozen: ScriptedFrozen) -> Result<(), Survivors> {
        self.inner.end(frozen).await
    }

    fn clean_up(&mut self) -> Vec<String> {
        self.inner.clean_up()
    }

    fn running(&self) -> Vec<LaneStatus> {
        self.inner.running()
    }
}
