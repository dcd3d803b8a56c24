//! From a decided step to a running one: everything the host needs to run its body.
//!
//! Evaluates what the body is made of; starts nothing itself.

use std::sync::Arc;
use std::time::Duration;

use expr::{HashRequest, Object, Template, Value};
use indexmap::IndexMap;
use syntax::{Spanned, StepBody, Token};

use super::evaluate::{Evaluator, Fault, Halt};
use super::lane::{Cursor, Decision, Scope};
use super::{Job, step_timer};
use crate::effect::{Body, Effect, Outcome};
use crate::environment::runner_environment;
use crate::lines::{LineOptions, LineTag};
use crate::plan::{ActionReference, Planned};
use crate::process::{CheckoutSpec, CommandFiles, Heading, ProcessSpec, Script};
use crate::secrets::Secrets;
use crate::shell::Shell;
use crate::step_path::{LaneId, Stage, StepPath};

const SECONDS_PER_MINUTE: u64 = 60;

/// How long a body may run.
struct TimeLimit {
    minutes: Option<u32>,
    /// Why there is none although one was asked for (steps.md 1.2, step 10).
    fault: Option<Fault>,
}

impl Job {
    /// `Decided` → `Running`, or → `Settled` when there is no body to run.
    pub(super) fn begin(
        &mut self,
        lane: LaneId,
        path: StepPath,
        decision: Decision,
        secrets: &Secrets,
        out: &mut Vec<Effect>,
    ) {
        match decision {
            Decision::Skip => self.settle(lane, path, Outcome::Skipped, Outcome::Skipped, out),
            Decision::Fail(text) => self.fail_undispatched(lane, path, &text, secrets, out),
            Decision::Run => match self.plan.step(&path).map(|step| Arc::clone(&step.definition)) {
                Some(step) if path.stage() == Stage::Main && waits(&step.body) => {
                    self.begin_wait(path, &step.body, secrets, out);
                }
                _ => self.begin_body(lane, path, secrets, out),
            },
        }
    }

    fn begin_body(&mut self, lane: LaneId, path: StepPath, secrets: &Secrets, out: &mut Vec<Effect>) {
        let limit = match self.time_limit_of(lane, &path, secrets) {
            Ok(limit) => limit,
            Err(request) => return self.ask(lane, request, out),
        };
        if self.is_background(&path) {
            self.log_limit_fault(&path, limit.fault.as_ref(), secrets, out);
            return self.launch(path, limit.minutes, secrets, out);
        }
        match self.prepare(lane, &path, secrets) {
            Ok(body) => {
                self.log_limit_fault(&path, limit.fault.as_ref(), secrets, out);
                self.lane_or_insert(lane).timeout = limit.minutes;
                self.start(lane, path, body, out);
            }
            Err(halt) => self.not_prepared(lane, path, halt, secrets, out),
        }
    }

    /// What the body is made of could not be evaluated: the step has failed.
    pub(super) fn not_prepared(
        &mut self,
        lane: LaneId,
        path: StepPath,
        halt: Halt,
        secrets: &Secrets,
        out: &mut Vec<Effect>,
    ) {
        match halt {
            Halt::Hash(request) => self.ask(lane, request, out),
            Halt::Fault(fault) => {
                self.register_post(&path);
                self.log(Some(&path), LineTag::Error, &self.fault_text(&fault), secrets, out);
                self.settle_with_forgiveness(lane, path, Outcome::Failure, secrets, out);
            }
        }
    }

    fn log_limit_fault(
        &self,
        path: &StepPath,
        fault: Option<&Fault>,
        secrets: &Secrets,
        out: &mut Vec<Effect>,
    ) {
        if let Some(fault) = fault {
            let text = "The step's timeout-minutes could not be evaluated; it runs without a limit.";
            self.log(Some(path), LineTag::Error, &self.fault_text(fault), secrets, out);
            self.log(Some(path), LineTag::Error, text, secrets, out);
        }
    }

    /// `Decided` → `Running`; the lane's limit begins to run.
    pub(super) fn start(&mut self, lane: LaneId, path: StepPath, body: Body, out: &mut Vec<Effect>) {
        self.register_post(&path);
        out.push(Effect::Spawn { lane, body: Box::new(body) });
        let state = self.lane_or_insert(lane);
        if let Some(minutes) = state.timeout {
            let after = Duration::from_secs(u64::from(minutes).saturating_mul(SECONDS_PER_MINUTE));
            out.push(Effect::SetTimer { id: step_timer(lane, &path), after });
        }
        state.cursor = Cursor::Running(path);
    }

    /// A post step is owed from the moment its action starts (steps.md 4.3), once.
    pub(super) fn register_post(&mut self, path: &StepPath) {
        let post = StepPath::new(Stage::Post, path.index());
        let has_post = self.plan.step(path).is_some_and(|step| step.post.is_some());
        if has_post && path.stage() != Stage::Post && !self.post.contains(&post) {
            self.post.push(post);
        }
    }

    fn time_limit_of(
        &self,
        lane: LaneId,
        path: &StepPath,
        secrets: &Secrets,
    ) -> Result<TimeLimit, HashRequest> {
        let token = self.plan.at(path).and_then(|planned| {
            let (Planned::Step(step) | Planned::Hook(step, _)) = planned;
            step.timeout_minutes.as_ref()
        });
        let Some(token) = token else { return Ok(TimeLimit { minutes: None, fault: None }) };
        match self.evaluator(lane, path, self.scope(lane).env, secrets).integer(token) {
            Ok(minutes) => Ok(TimeLimit { minutes: (minutes > 0).then_some(minutes), fault: None }),
            Err(Halt::Hash(request)) => Err(request),
            Err(Halt::Fault(fault)) => Ok(TimeLimit { minutes: None, fault: Some(fault) }),
        }
    }

    /// Everything that the host needs to run the body of the step that the lane is at.
    pub(super) fn prepare(&self, lane: LaneId, path: &StepPath, secrets: &Secrets) -> Result<Body, Halt> {
        let planned = self.plan.at(path).ok_or_else(|| super::dispatch::missing(path))?;
        let scope = self.scope(lane);
        let evaluator = self.evaluator(lane, path, Arc::clone(&scope.env), secrets);
        match planned {
            Planned::Step(step) => self.step_body(path, &step.body, &scope, &evaluator),
            Planned::Hook(step, hook) => {
                let script = Spanned { value: hook.script.clone(), span: step.span };
                self.script_body(path, &script, None, None, &scope, &evaluator)
            }
        }
    }

    /// What the step was dispatched with.
    pub(super) fn scope(&self, lane: LaneId) -> Scope {
        self.lanes.get(&lane).and_then(|lane| lane.scope.clone()).unwrap_or_else(|| Scope {
            name: Arc::from(""),
            env: Arc::clone(&self.env),
            own_env: Vec::new(),
        })
    }

    fn step_body(
        &self,
        path: &StepPath,
        body: &StepBody,
        scope: &Scope,
        evaluator: &Evaluator,
    ) -> Result<Body, Halt> {
        match body {
            StepBody::Run { script, shell, working_directory, .. } => {
                self.script_body(path, script, shell.as_ref(), working_directory.as_ref(), scope, evaluator)
            }
            StepBody::Uses { reference, with } => match ActionReference::of(&reference.value) {
                ActionReference::Checkout => checkout_body(path, &reference.value, with.as_ref(), evaluator),
                ActionReference::Other(action) => Err(fault(
                    reference.span,
                    format!("`uses: {action}` cannot run yet: only actions/checkout is built in"),
                )),
            },
            StepBody::Wait { .. }
            | StepBody::WaitAll
            | StepBody::Cancel { .. }
            | StepBody::Parallel { .. } => {
                let span = self.plan.step(path).map(|step| step.definition.span);
                let text = "this step waits, and has nothing to run".to_owned();
                Err(Halt::Fault(Fault { span, text }))
            }
        }
    }

    fn script_body(
        &self,
        path: &StepPath,
        script: &Spanned<Template>,
        shell: Option<&Spanned<Template>>,
        working_directory: Option<&Spanned<Template>>,
        scope: &Scope,
        evaluator: &Evaluator,
    ) -> Result<Body, Halt> {
        let text = evaluator.text(script)?;
        let shell_option = self
            .option(shell, |defaults| defaults.shell.as_ref())
            .map(|option| evaluator.text(option))
            .transpose()?;
        let directory = self
            .option(working_directory, |defaults| defaults.working_directory.as_ref())
            .map(|option| evaluator.text(option))
            .transpose()?;
        let shell = match &shell_option {
            None => Shell::unnamed(),
            Some(option) => Shell::named(option)
                .map_err(|error| Halt::Fault(Fault { span: None, text: error.to_string() }))?,
        };
        let command_files = CommandFiles::of(path);
        let first_line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim_start();
        Ok(Body::Process(ProcessSpec {
            step: path.clone(),
            heading: Heading { title: format!("Run {first_line}"), env: heading_env(scope) },
            script: Script {
                file: command_files.script(shell.extension),
                content: shell.script_file(&text),
                text,
            },
            shell: shell.command,
            working_directory: directory.unwrap_or_else(|| Arc::from("")),
            environment: process_environment(&scope.env),
            runner_environment: runner_environment(evaluator.github(), &self.given.runner),
            path_prepends: self.path.iter().rev().map(Arc::clone).collect(),
            command_files,
            lines: self.line_options(&scope.env),
            matchers: self.matchers.clone(),
        }))
    }

    /// What the reader of a step's output has to know (steps.md 5.1).
    pub(super) fn line_options(&self, env: &Object) -> LineOptions {
        let is_true =
            |name: &str| env.get(name).is_some_and(|value| value.to_text().eq_ignore_ascii_case("true"));
        let of_github = |key: &str| Some(self.given.github.get(key)?.as_str()?.to_owned());
        LineOptions {
            step_debug: self.given.runner.get("debug").is_some_and(|debug| debug.to_text() == "1"),
            allow_unsecure_commands: is_true("ACTIONS_ALLOW_UNSECURE_COMMANDS"),
            allow_unsecure_stop_tokens: is_true("ACTIONS_ALLOW_UNSECURE_STOPCOMMAND_TOKENS"),
            workspace: of_github("workspace"),
            repository: of_github("repository"),
            ..LineOptions::default()
        }
    }

    /// A step's own option, else the job's default, else the workflow's.
    pub(super) fn option<'a>(
        &'a self,
        own: Option<&'a Spanned<Template>>,
        default: impl Fn(&'a syntax::RunDefaults) -> Option<&'a Spanned<Template>>,
    ) -> Option<&'a Spanned<Template>> {
        own.or_else(|| self.plan.defaults().find_map(default))
    }
}

/// A step that waits for background steps, or cancels them; it has no body.
fn waits(body: &StepBody) -> bool {
    matches!(body, StepBody::Wait { .. } | StepBody::WaitAll | StepBody::Cancel { .. })
}

fn checkout_body(
    path: &StepPath,
    reference: &str,
    with: Option<&Spanned<Token>>,
    evaluator: &Evaluator,
) -> Result<Body, Halt> {
    let with: IndexMap<Arc<str>, Arc<str>> = match with {
        None => IndexMap::new(),
        Some(token) => evaluator.texts(token)?.into_iter().collect(),
    };
    let input = |name: &str| {
        with.iter()
            .find(|(key, value)| key.eq_ignore_ascii_case(name) && !value.trim().is_empty())
            .map(|(_, value)| value.trim().to_owned())
    };
    Ok(Body::Checkout(CheckoutSpec {
        step: path.clone(),
        title: format!("Run {reference}"),
        reference: input("ref"),
        path: input("path"),
        repository: input("repository"),
    }))
}

fn heading_env(scope: &Scope) -> Vec<(Arc<str>, Arc<str>)> {
    texts(&scope.env).collect()
}

pub(super) fn process_environment(env: &Object) -> IndexMap<Arc<str>, Arc<str>> {
    texts(env).collect()
}

fn texts(env: &Object) -> impl Iterator<Item = (Arc<str>, Arc<str>)> {
    env.iter().map(|(name, value)| {
        let text = match value {
            Value::String(text) => Arc::clone(text),
            other => Arc::from(other.to_text().as_ref()),
        };
        (Arc::clone(name), text)
    })
}

fn fault(span: syntax::Span, text: String) -> Halt {
    Halt::Fault(Fault { span: Some(span), text })
}
