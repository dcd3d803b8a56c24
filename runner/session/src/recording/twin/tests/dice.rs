//! Random states, events and facts from a seed. It knows which texts are worth trying, not what is tested.

use std::path::PathBuf;
use std::sync::Arc;

use engine::action::ResolvedAction;
use engine::effect::{Outcome, TimerId};
use engine::event::{BodyEnd, CancelReason, Edit, Event, Exit, LaneChoice, MatcherChange};
use engine::expr::{HashAnswers, HashRequest, KeyCase, Object, Value};
use engine::file_command::{FileCommandError, FileCommandFailure, FileCommandResults};
use engine::job::{
    CompositeState, Cursor, Decision, Deferred, JobInputs, JobState, LaneState, ScopeState, StepResult, Stop,
    Wait, WaitKind,
};
use engine::lines::StepCommand;
use engine::matcher::{Matcher, Matchers};
use engine::slots::BackgroundSlots;
use engine::step_path::{LaneId, Stage, StepPath};

use super::{NAMED, UNNAMED, forms};
use crate::recording::facts::JobFacts;

/// Random values from a seed, which a failing test prints.
pub(super) struct Dice(fastrand::Rng);

impl Dice {
    fn text(&mut self) -> String {
        let pieces = self.0.usize(0..4);
        (0..pieces).map(|_| self.piece()).collect()
    }

    fn piece(&mut self) -> String {
        let plain =
            ["", "a", "PATH=/usr/bin", "é☃", "{secret ", "{secret TOKEN plain}", "{", "}", "\n", "***"];
        match self.0.u8(0..10) {
            0..6 => plain[self.0.usize(0..plain.len())].to_owned(),
            6 => UNNAMED[self.0.usize(0..UNNAMED.len())].to_owned(),
            7 => self.secret().to_owned(),
            8 => {
                let forms = forms(self.secret());
                String::from_utf8(forms[self.0.usize(0..forms.len())].clone()).unwrap()
            }
            _ => {
                let secret = self.secret();
                let cut = secret.char_indices().nth(self.0.usize(0..8)).unwrap().0;
                let (head, tail) = secret.split_at(cut);
                // Inside of itself: what is left outside is no secret, and must come back all the same.
                format!("{head}{secret}{tail}")
            }
        }
    }

    fn secret(&mut self) -> &'static str {
        NAMED[self.0.usize(0..NAMED.len())].1
    }

    fn arc(&mut self) -> Arc<str> {
        self.text().into()
    }

    fn number(&mut self) -> f64 {
        let few = [0.0, -0.0, f64::NAN, -f64::NAN, f64::INFINITY, 1.5, 987_654_321.0, 0.1 + 0.2, 1e300];
        if self.0.bool() { few[self.0.usize(0..few.len())] } else { f64::from_bits(self.0.u64(..)) }
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.0.u8(0..if depth > 3 { 5 } else { 7 }) {
            0 => Value::Null,
            1 => Value::Bool(self.0.bool()),
            2 => Value::Number(self.number()),
            3 | 4 => Value::String(self.arc()),
            5 => {
                let items = self.0.usize(0..4);
                Value::Array(Arc::new((0..items).map(|_| self.value(depth + 1)).collect()))
            }
            _ => Value::Object(Arc::new(self.object(depth + 1))),
        }
    }

    fn object(&mut self, depth: usize) -> Object {
        let case = if self.0.bool() { KeyCase::Sensitive } else { KeyCase::Insensitive };
        let mut object = Object::with_case(case);
        for _ in 0..self.0.usize(0..5) {
            object.insert(self.arc(), self.value(depth));
        }
        object
    }

    fn path(&mut self) -> StepPath {
        let stage = [Stage::Pre, Stage::Main, Stage::Post][self.0.usize(0..3)];
        let path = StepPath::new(stage, self.0.u32(0..300));
        if self.0.u8(0..4) == 0 { path.child(self.0.u32(0..9)).child(2) } else { path }
    }

    fn outcome(&mut self) -> Outcome {
        [Outcome::Success, Outcome::Failure, Outcome::Cancelled, Outcome::Skipped][self.0.usize(0..4)]
    }

    fn cursor(&mut self) -> Cursor {
        match self.0.u8(0..7) {
            0 => Cursor::Ready(self.path()),
            1 => Cursor::Decided(self.path(), Decision::Run),
            2 => Cursor::Decided(self.path(), Decision::Skip),
            3 => Cursor::Decided(self.path(), Decision::Fail(self.text())),
            4 => Cursor::Running(self.path()),
            5 => Cursor::Settled(self.path()),
            _ => Cursor::Done(self.outcome()),
        }
    }

    fn hash(&mut self) -> HashRequest {
        let patterns = (0..self.0.usize(0..3)).map(|_| self.text()).collect();
        HashRequest { patterns, follow_symbolic_links: self.0.bool() }
    }

    fn answer(&mut self) -> Result<String, String> {
        if self.0.bool() { Ok(self.text()) } else { Err(self.text()) }
    }

    fn lane(&mut self) -> LaneState {
        let mut hashes = HashAnswers::new();
        for _ in 0..self.0.usize(0..3) {
            hashes.insert(self.hash(), self.answer());
        }
        let scope = self.0.bool().then(|| ScopeState {
            name: self.arc(),
            env: Arc::new(self.object(2)),
            own_env: (0..self.0.usize(0..3)).map(|_| self.arc()).collect(),
        });
        let stops = [None, Some(Stop::Cancelled), Some(Stop::TimedOut { minutes: 7 }), Some(Stop::CalledOff)];
        LaneState {
            cursor: self.cursor(),
            scope,
            hashes,
            asked: self.0.bool().then(|| self.hash()),
            fetching: self.0.bool(),
            stop: stops[self.0.usize(0..4)],
            timeout: self.0.bool().then(|| self.0.u32(..)),
            deferred: self.deferred(),
            wait: self.0.bool().then(|| self.wait()),
        }
    }

    fn action(&mut self) -> Arc<ResolvedAction> {
        let manifest = "name: ghs_canary0123456789abcdef\nruns:\n  using: composite\n  steps: []\n";
        let (reference, directory, file) = (self.text(), self.text(), self.text());
        let commit = self.0.bool().then(|| self.text());
        let action = ResolvedAction::new(&reference, &directory, &file, manifest, commit.as_deref());
        Arc::new(action.unwrap())
    }

    fn composite(&mut self) -> CompositeState {
        CompositeState {
            scope: ScopeState { name: self.arc(), env: Arc::new(self.object(2)), own_env: vec![self.arc()] },
            inputs: Arc::new(self.object(2)),
            steps: Arc::new(self.object(2)),
            status: self.outcome(),
            timeout: self.0.bool().then(|| self.0.u32(..)),
            broken: self.0.bool(),
        }
    }

    fn deferred(&mut self) -> Deferred {
        let mut pairs = || (0..self.0.usize(0..3)).map(|_| (self.arc(), self.arc())).collect();
        let (outputs, env) = (pairs(), pairs());
        Deferred { outputs, env, path: (0..self.0.usize(0..3)).map(|_| self.arc()).collect() }
    }

    fn wait(&mut self) -> Wait {
        let kinds = [WaitKind::Ids, WaitKind::All, WaitKind::Cancel, WaitKind::StageEnd];
        let kind = kinds[self.0.usize(0..4)];
        Wait { kind, steps: (0..self.0.usize(0..3)).map(|_| self.path()).collect() }
    }

    fn matchers(&mut self) -> Vec<Matcher> {
        let all = [
            r#"{"owner":"a","pattern":[{"regexp":"^(.+): \"ghs_canary0123456789abcdef\" (\\d+)$","file":1,"message":2}]}"#,
            r#"{"owner":"b","severity":"warning","pattern":[{"regexp":"x(.*)","message":1}]}"#,
        ];
        let some = &all[..self.0.usize(0..3)];
        Matcher::parse(format!(r#"{{"problemMatcher":[{}]}}"#, some.join(",")).as_bytes()).unwrap()
    }

    pub(super) fn state(&mut self) -> JobState {
        let mut matchers = Matchers::default();
        matchers.add(self.matchers());
        let reasons =
            [None, Some(CancelReason::User), Some(CancelReason::FailFast), Some(CancelReason::JobTimeout)];
        JobState {
            lanes: (0..self.0.u32(1..4)).map(|id| (LaneId(id), self.lane())).collect(),
            status: self.outcome(),
            cancelled: reasons[self.0.usize(0..4)],
            inputs: Arc::new(self.object(0)),
            steps: Arc::new(self.object(0)),
            env: Arc::new(self.object(0)),
            path: Arc::new((0..self.0.usize(0..4)).map(|_| self.arc()).collect()),
            saved_state: Arc::new(
                (0..self.0.u32(0..3)).map(|_| (self.path(), Arc::new(self.object(2)))).collect(),
            ),
            actions: Arc::new((0..self.0.u32(0..3)).map(|_| (self.path(), self.action())).collect()),
            composites: (0..self.0.u32(0..3)).map(|_| (self.path(), self.composite())).collect(),
            results: Arc::new((0..self.0.usize(0..4)).map(|_| (self.path(), self.result())).collect()),
            post: (0..self.0.usize(0..3)).map(|_| self.path()).collect(),
            matchers,
            outputs: Arc::new(self.object(1)),
        }
    }

    fn result(&mut self) -> StepResult {
        let (name, outcome, conclusion) = (self.arc(), self.outcome(), self.outcome());
        let called_off = outcome == Outcome::Cancelled && self.0.bool();
        StepResult { name, outcome, conclusion, called_off }
    }

    fn pairs(&mut self) -> Vec<(String, String)> {
        (0..self.0.usize(0..3)).map(|_| (self.text(), self.text())).collect()
    }

    fn files(&mut self) -> FileCommandResults {
        let errors = [
            FileCommandError::Format(self.text()),
            FileCommandError::EmptyNameOrDelimiter(self.text()),
            FileCommandError::DelimiterNotFound(self.text()),
            FileCommandError::MissingNewline,
        ];
        let contexts = ["env", "output", "state"];
        let failures = errors
            .into_iter()
            .map(|error| FileCommandFailure { context: contexts[self.0.usize(0..3)], error });
        let failures: Vec<_> = failures.collect();
        FileCommandResults {
            env: self.pairs(),
            output: self.pairs(),
            state: self.pairs(),
            path: (0..self.0.usize(0..3)).map(|_| self.text()).collect(),
            summary: self.0.bool().then(|| self.text()),
            issues: vec![self.text()],
            failures,
        }
    }

    fn command(&mut self) -> StepCommand {
        let (name, value) = (self.text(), self.text());
        match self.0.u8(0..8) {
            0 => StepCommand::SetOutput { name, value },
            1 => StepCommand::SaveState { name, value },
            2 => StepCommand::SetEnv { name, value },
            3 => StepCommand::AddPath { path: value },
            4 => StepCommand::AddMatcher { file: value },
            5 => StepCommand::RemoveMatcher { owner: name },
            6 => StepCommand::RemoveMatchers { file: value },
            _ => StepCommand::Failed { line: name, message: value },
        }
    }

    fn edit(&mut self) -> Edit {
        match self.0.u8(0..7) {
            0 => Edit::Env { name: self.arc(), value: self.0.bool().then(|| self.arc()) },
            1 => Edit::Output { step: self.arc(), name: self.arc(), value: self.arc() },
            2 => Edit::Outcome { step: self.arc(), outcome: self.outcome() },
            3 => Edit::Input { name: self.arc(), value: self.arc() },
            4 => Edit::Status(self.outcome()),
            5 => Edit::Files(Box::new(self.files())),
            _ => Edit::Jump(self.path()),
        }
    }

    pub(super) fn event(&mut self) -> Event {
        let lane = LaneId(self.0.u32(0..3));
        match self.0.u8(0..13) {
            0 => Event::Advance,
            1 => Event::Command { lane, command: self.command() },
            2 => Event::Matchers { lane, change: MatcherChange::Add(self.matchers()) },
            3 => Event::Matchers { lane, change: MatcherChange::Remove(vec![self.text(), self.text()]) },
            4 => {
                let exits = [
                    Exit::Code(self.0.i32(..)),
                    Exit::Signal(9),
                    Exit::NotStarted(self.text()),
                    Exit::Failed(self.text()),
                ];
                let exit = exits[self.0.usize(0..4)].clone();
                Event::BodyEnded {
                    lane,
                    end: BodyEnd { exit, files: self.files(), command_failed: self.0.bool() },
                }
            }
            5 => Event::HashReady { lane, request: self.hash(), answer: self.answer() },
            6 if self.0.bool() => Event::Timer(TimerId::Job),
            6 => Event::Timer(TimerId::Step(lane, self.path())),
            7 => Event::Cancel(CancelReason::Run),
            8 => Event::CancelLane(lane),
            11 if self.0.bool() => Event::ActionReady { lane, step: self.path(), answer: Ok(self.action()) },
            11 => Event::ActionReady { lane, step: self.path(), answer: Err(self.text()) },
            9 => Event::Resumed { lanes: LaneChoice::LeaveOut },
            10 => Event::Resumed { lanes: LaneChoice::Restart },
            _ => Event::Edited(self.edit()),
        }
    }

    pub(super) fn facts(&mut self) -> JobFacts {
        use std::os::unix::ffi::OsStringExt;
        let odd = std::ffi::OsString::from_vec(b"/odd/\xff".to_vec());
        JobFacts {
            inputs: JobInputs {
                github: Arc::new(self.object(0)),
                needs: Arc::new(self.object(0)),
                strategy: Arc::new(self.object(0)),
                matrix: self.value(0),
                vars: Arc::new(self.object(0)),
                inputs: Arc::new(self.object(0)),
                secrets: self.0.bool().then(|| Arc::new(self.object(0))),
                runner: Arc::new(self.object(0)),
                background_slots: BackgroundSlots::new(self.0.u32(1..).try_into().unwrap()),
            },
            roots: vec![("workspace".into(), PathBuf::from(self.text())), ("temp".into(), odd.into())],
            repository: self.0.bool().then(|| PathBuf::from(self.text())),
            options: vec![self.text(), "--watch".into()],
            secrets_used: vec!["TOKEN".into()],
        }
    }
}

/// The dice of a seed.
pub(super) fn dice(seed: u64) -> Dice {
    Dice(fastrand::Rng::with_seed(seed))
}
