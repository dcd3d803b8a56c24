//! Whole recordings: a job is driven by hand as a session drives it, written down, and read back.

// Unoptimised code says nothing about cost: `cargo test --release -p session recording -- --nocapture`.
mod background;
#[cfg(not(debug_assertions))]
mod cost;
mod crash;
mod killed;
mod logs;
mod resume;
mod secrecy;
mod story;
mod travel;

use std::path::Path;
use std::sync::Arc;

use engine::effect::{Effect, Outcome};
use engine::event::{BodyEnd, Event, Exit};
use engine::expr::{Object, Value};
use engine::file_command::FileCommandResults;
use engine::job::{Cursor, Job, JobInputs};
use engine::lines::StepCommand;
use engine::mask::Origin;
use engine::plan::{JobKey, Plan};
use engine::secrets::Secrets;
use engine::step_path::{LaneId, StepPath};
use engine::syntax::{NoFiles, ReadOptions, Sources, parse_workflow};
use host::contract::Epoch;
use host::snapshot::SnapshotId;

use super::*;
use crate::journal::{RecordingId, Recordings};
use crate::moment::{BranchId, Cause, Moment, MomentId, Point};

const TOKEN: &str = "ghs_canary\"0123&456789";
const LEARNT: &str = "learnt-canary-4711";

const WORKFLOW: &str = "\
on: push
env:
  TOKEN: ${{ secrets.TOKEN }}
jobs:
  build:
    runs-on: ubuntu-latest
    outputs:
      v: ${{ steps.one.outputs.version }}
    steps:
      - id: one
        run: echo one
      - id: two
        env:
          ENCODED: ${{ toJSON(secrets.TOKEN) }}
        run: echo two
      - if: failure()
        run: echo three
      - run: echo four
";

fn secrets() -> Secrets {
    Secrets::new([("TOKEN".into(), TOKEN.into())].into_iter().collect())
}

fn versions() -> Versions {
    Versions { stepback: "0.1.0".into(), engine: "1".into() }
}

fn plan_of(text: &str) -> Arc<Plan> {
    let mut sources = Sources::new();
    let source = sources.add("ci.yml", text);
    let (workflow, diagnostics) = parse_workflow(&mut sources, source, &ReadOptions::default(), &NoFiles);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let key = JobKey::single("build");
    Arc::new(Plan::new(Arc::new(workflow.unwrap()), "ci.yml".into(), key, "build".into()).unwrap())
}

fn facts() -> JobFacts {
    let mut event = Object::new();
    event.insert("head_commit", Object::from([("message", format!("contains {TOKEN} by mistake"))]));
    let mut github = Object::new();
    github.insert("event", event);
    github.insert("run_number", 7);
    let runner = Object::from([("temp", "/t"), ("os", "Linux")]);
    JobFacts {
        inputs: JobInputs { github: Arc::new(github), runner: Arc::new(runner), ..JobInputs::default() },
        roots: vec![("workspace".into(), "/w".into()), ("temp".into(), "/t".into())],
        repository: Some("/home/me/project".into()),
        options: vec!["--job".into(), "build".into()],
        secrets_used: vec!["TOKEN".into()],
    }
}

/// A folder for recordings, the key, and the number of the next recording.
struct Shelf {
    root: tempfile::TempDir,
    key: SealKey,
}

impl Shelf {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let key = SealKey::under(root.path()).unwrap();
        Self { root, key }
    }

    fn create(&self, id: &str) -> crate::journal::Recording {
        Recordings::under(self.root.path()).unwrap().create(RecordingId::new(id).unwrap()).unwrap()
    }

    fn find(&self, id: &str) -> crate::journal::Recording {
        Recordings::under(self.root.path()).unwrap().open(RecordingId::new(id).unwrap()).unwrap()
    }

    fn open(&self, id: &str) -> Result<Reopened, ReopenError> {
        open(&self.find(id), Some(&self.key), Some(&secrets()))
    }
}

/// A job that is driven and recorded as a session does it.
struct Story {
    job: Job,
    secrets: Secrets,
    recorder: Recorder,
    moments: Vec<Moment>,
    events: Vec<(Epoch, Event)>,
    here: Option<MomentId>,
    branch: BranchId,
    epoch: Epoch,
}

impl Story {
    fn begin(recording: crate::journal::Recording, key: Option<SealKey>) -> Self {
        Self::begin_by(|beginning| Recorder::begin(recording, key, beginning))
    }

    fn begin_by(begin: impl FnOnce(&Beginning<'_>) -> Result<Recorder, RecordError>) -> Self {
        let secrets = secrets();
        let plan = plan_of(WORKFLOW);
        let (facts, text) = (facts(), PlanText::new("ci.yml", WORKFLOW));
        let beginning =
            Beginning { versions: &versions(), facts: &facts, plan: &plan, text: &text, secrets: &secrets };
        let recorder = begin(&beginning).unwrap();
        let mut effects = Vec::new();
        let job = Job::new(plan, facts.inputs, &secrets, &mut effects);
        let mut story = Self::around(recorder, job, secrets);
        story.record(Cause::Advanced);
        story
    }

    fn around(recorder: Recorder, job: Job, secrets: Secrets) -> Self {
        let (moments, events) = (Vec::new(), Vec::new());
        Self { job, secrets, recorder, moments, events, here: None, branch: BranchId(1), epoch: Epoch(0) }
    }

    fn record(&mut self, cause: Cause) -> MomentId {
        self.record_at(Point::of(&self.job), cause)
    }

    fn record_at(&mut self, point: Point, cause: Cause) -> MomentId {
        let id = MomentId(u32::try_from(self.moments.len()).unwrap());
        let job = Arc::new(self.job.clone());
        let files = Some(SnapshotId::from_bytes([id.0 as u8; 32]));
        let (parent, branch) = (self.here, self.branch);
        let moment = Moment { id, parent, branch, point, cause, job, files };
        self.recorder.moment(&moment, self.epoch, &self.secrets);
        self.moments.push(moment);
        self.here = Some(id);
        id
    }

    fn tell(&mut self, event: Event) {
        self.recorder.event(self.epoch, &event, &self.secrets);
        self.events.push((self.epoch, event.clone()));
        let before = self.job.cursor().clone();
        let mut effects = Vec::new();
        self.job.handle(event, &self.secrets, &mut effects).unwrap();
        for effect in effects {
            if let Effect::Spawn { lane, body } = effect {
                let name = self.job.step_name(body.step(), &self.secrets);
                self.recorder.intent(lane, body.step(), self.epoch, &name);
            }
        }
        if *self.job.cursor() != before && !matches!(self.job.cursor(), Cursor::Running(_)) {
            self.record(Cause::Advanced);
        }
    }

    /// On to the body of the next step that runs, or to the end.
    fn start(&mut self) -> Option<StepPath> {
        loop {
            match self.job.cursor().clone() {
                Cursor::Running(path) => return Some(path),
                Cursor::Done(outcome) => {
                    self.recorder.finished(outcome);
                    return None;
                }
                _ => self.tell(Event::Advance),
            }
        }
    }

    /// The body that runs ends, having said what every body of this story says.
    fn end(&mut self, path: &StepPath, code: i32) {
        let lane = LaneId::FOREGROUND;
        let value = format!("1.{}.{LEARNT} {TOKEN}", path.index());
        self.tell(Event::Command { lane, command: StepCommand::SetOutput { name: "version".into(), value } });
        let files = FileCommandResults {
            env: vec![(format!("FROM_{}", path.index()), format!("={TOKEN}{LEARNT}="))],
            path: vec![format!("/opt/{}", path.index())],
            ..FileCommandResults::default()
        };
        let outcome = if code == 0 { Outcome::Success } else { Outcome::Failure };
        self.recorder.result(lane, path, self.epoch, outcome, Some(code));
        let end = BodyEnd { exit: Exit::Code(code), files, command_failed: false };
        self.tell(Event::BodyEnded { lane, end });
    }

    /// `::add-mask::`
    fn learn(&mut self, value: &str) {
        let mut masks = self.secrets.masks().clone();
        masks.add(value, Origin::Unnamed);
        self.secrets = self.secrets.with_masks(masks);
    }

    /// To the end; the second step fails.
    fn run(&mut self) {
        self.learn(LEARNT);
        while let Some(path) = self.start() {
            self.end(&path, i32::from(path.index() == 1));
        }
    }
}

/// All that is in the files below `folder`.
fn bytes_below(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            bytes.extend(bytes_below(&path));
        } else {
            bytes.extend(std::fs::read(path).unwrap());
        }
    }
    bytes
}

fn assert_same(found: &[Moment], expected: &[Moment]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let id = expected.id;
        assert_eq!((found.id, found.parent, found.branch), (id, expected.parent, expected.branch));
        assert_eq!(
            (&found.point, &found.cause, found.files),
            (&expected.point, &expected.cause, expected.files)
        );
        assert!(found.job.state() == expected.job.state(), "state of {id}");
        assert!(found.job == expected.job, "plan or inputs of {id}");
    }
}

fn text_of(value: Option<&Value>) -> String {
    value.map_or_else(String::new, |value| value.to_text().into_owned())
}
