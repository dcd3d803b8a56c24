//! From a decided step to a running one: everything the host needs to run its body.
//!
//! Evaluates what the body is made of; starts nothing itself.

use std::sync::Arc;
use std::time::Duration;

use expr::{HashRequest, Object, Template, Value};
use indexmap::IndexMap;
use syntax::{ActionRuns, Spanned, Step, StepBody, Token};

use super::evaluate::{Evaluator, Fault, Halt};
use super::lane::{Cursor, Decision, Scope};
use super::{Job, step_timer};
use crate::action::ActionReference;
use crate::effect::{Body, Effect, Outcome};
use crate::environment::runner_environment;
use crate::lines::{LineOptions, LineTag};
use crate::plan::Planned;
use crate::process::{CheckoutSpec, CommandFiles, Heading, ProcessSpec, Script};
use crate::secrets::Secrets;
use crate::shell::Shell;
use crate::step_path::{LaneId, Stage, StepPath};

const SECONDS_PER_MINUTE: u64 = 60;

/// A body that is ready to run.
#[allow(clippy::large_enum_variant, reason = "there is one at a time, and it is taken apart at once")]
enum Prepared {
    Body(Body),
    /// A composite action, with its inputs.
    Composite(Object),
}

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
            Decision::Run => {
                match self.definition(&path).map(|step| &step.body).filter(|body| waits(body)).cloned() {
                    Some(body) if path.stage() == Stage::Main => self.begin_wait(path, &body, secrets, out),
                    _ => self.begin_body(lane, path, secrets, out),
                }
            }
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
        self.lane_or_insert(lane).timeout = limit.minutes;
        let fault = limit.fault.map(|fault| (path.clone(), fault));
        if self.in_slot(lane, path, secrets, out)
            && let Some((path, fault)) = fault
        {
            self.log_limit_fault(&path, Some(&fault), secrets, out);
        }
    }

    /// Begins the body of a decided step: fetches its action, enters a composite one, or starts a process. False if it could not
    /// be made, or has to wait.
    pub(super) fn in_slot(
        &mut self,
        lane: LaneId,
        path: StepPath,
        secrets: &Secrets,
        out: &mut Vec<Effect>,
    ) -> bool {
        if let Some(reference) = self.lacks_action(&path) {
            self.fetch(lane, &path, &reference, out);
            return false;
        }
        match self.prepare(lane, &path, secrets) {
            Ok(prepared) => {
                self.warn_before_start(lane, &path, secrets, out);
                match prepared {
                    Prepared::Body(body) => self.start(lane, path, body, out),
                    Prepared::Composite(inputs) => {
                        self.log_heading(lane, &path, &inputs, secrets, out);
                        self.enter(lane, path, inputs, secrets, out);
                    }
                }
                true
            }
            Err(halt) => {
                self.not_prepared(lane, path, halt, secrets, out);
                false
            }
        }
    }

    /// The reference of an action that the step needs and that was not looked for yet.
    fn lacks_action(&self, path: &StepPath) -> Option<Arc<str>> {
        let StepBody::Uses { reference, .. } = &self.definition(path)?.body else { return None };
        let is_looked_for = matches!(
            ActionReference::of(&reference.value),
            ActionReference::Local(_) | ActionReference::SelfRepository(_) | ActionReference::Repository(_)
        );
        let is_main = path.stage() == Stage::Main;
        (is_main && is_looked_for && self.action(path).is_none()).then(|| Arc::clone(&reference.value))
    }

    fn warn_before_start(&self, lane: LaneId, path: &StepPath, secrets: &Secrets, out: &mut Vec<Effect>) {
        if let (Some(step), Some(action), Stage::Main) =
            (self.definition(path), self.action(path), path.stage())
        {
            let evaluator = self.evaluator(lane, path, self.scope(lane).env, secrets);
            self.warn_of_pre(path, action, secrets, out);
            self.warn_of_inputs(path, step, action, &evaluator, secrets, out);
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
                self.log(Some(&path), LineTag::Error, &self.fault_text_in(&path, &fault), secrets, out);
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
            self.log(Some(path), LineTag::Error, &self.fault_text_in(path, fault), secrets, out);
            self.log(Some(path), LineTag::Error, text, secrets, out);
        }
    }

    /// `Decided` → `Running`; the lane's limit begins to run.
    pub(super) fn start(&mut self, lane: LaneId, path: StepPath, body: Body, out: &mut Vec<Effect>) {
        self.register_post(&path);
        out.push(Effect::Spawn { lane, body: Box::new(body) });
        let timeout = self.lane_or_insert(lane).timeout;
        self.set_limit(lane, &path, timeout, out);
        self.lane_or_insert(lane).cursor = Cursor::Running(path);
    }

    /// Starts the clock of a step.
    pub(super) fn set_limit(
        &self,
        lane: LaneId,
        path: &StepPath,
        minutes: Option<u32>,
        out: &mut Vec<Effect>,
    ) {
        if let Some(minutes) = minutes {
            let after = Duration::from_secs(u64::from(minutes).saturating_mul(SECONDS_PER_MINUTE));
            out.push(Effect::SetTimer { id: step_timer(lane, path), after });
        }
    }

    /// A post step is owed from the moment its action starts (steps.md 4.3), once.
    pub(super) fn register_post(&mut self, path: &StepPath) {
        let post = path.in_stage(Stage::Post);
        let has_post = self.planned(&post).is_some();
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
        let token = self.planned(path).and_then(|planned| planned.step().timeout_minutes.as_ref());
        let Some(token) = token else { return Ok(TimeLimit { minutes: None, fault: None }) };
        match self.evaluator(lane, path, self.scope(lane).env, secrets).integer(token) {
            Ok(minutes) => Ok(TimeLimit { minutes: (minutes > 0).then_some(minutes), fault: None }),
            Err(Halt::Hash(request)) => Err(request),
            Err(Halt::Fault(fault)) => Ok(TimeLimit { minutes: None, fault: Some(fault) }),
        }
    }

    /// Everything that the host needs to run the body of the step that the lane is at.
    fn prepare(&self, lane: LaneId, path: &StepPath, secrets: &Secrets) -> Result<Prepared, Halt> {
        let planned = self.planned(path).ok_or_else(|| super::dispatch::missing(path))?;
        let scope = self.scope(lane);
        let evaluator = self.evaluator(lane, path, Arc::clone(&scope.env), secrets);
        match planned {
            Planned::Step(step) => self.step_body(path, step, &scope, &evaluator),
            Planned::Hook(step, hook) => {
                let script = Spanned { value: hook.script.clone(), span: step.span };
                self.script_body(path, &script, None, None, &scope, &evaluator).map(Prepared::Body)
            }
            Planned::Program(step, stage) => {
                let action = self.action(path).ok_or_else(|| super::dispatch::missing(path))?;
                let program = &stage.program.value;
                let spec = self.program_spec(path, step, action, program, &scope, &evaluator)?;
                Ok(Prepared::Body(Body::Process(spec)))
            }
        }
    }

    /// What the step was dispatched with.
    pub(super) fn scope(&self, lane: LaneId) -> Scope {
        self.lanes.get(&lane).and_then(|lane| lane.scope.clone()).unwrap_or_else(|| Scope {
            name: Arc::from(""),
            env: Arc::clone(&self.env),
            own_env: Arc::default(),
        })
    }

    fn step_body(
        &self,
        path: &StepPath,
        step: &Step,
        scope: &Scope,
        evaluator: &Evaluator<'_>,
    ) -> Result<Prepared, Halt> {
        match &step.body {
            StepBody::Run { script, shell, working_directory, .. } => {
                let directory = working_directory.as_ref();
                let body = self.script_body(path, script, shell.as_ref(), directory, scope, evaluator)?;
                Ok(Prepared::Body(body))
            }
            StepBody::Uses { reference, with } => match ActionReference::of(&reference.value) {
                ActionReference::Checkout => {
                    checkout_body(path, &reference.value, with.as_ref(), evaluator).map(Prepared::Body)
                }
                ActionReference::Container(image) => {
                    Err(fault(reference.span, format!("container actions cannot run yet: docker://{image}")))
                }
                ActionReference::Malformed(text) => Err(fault(
                    reference.span,
                    format!("Expected format {{org}}/{{repo}}[/path]@ref. Actual '{text}'"),
                )),
                _ => self.action_body(path, step, reference, scope, evaluator),
            },
            StepBody::Wait { .. }
            | StepBody::WaitAll
            | StepBody::Cancel { .. }
            | StepBody::Parallel { .. } => {
                Err(fault(step.span, "this step waits, and has nothing to run".to_owned()))
            }
        }
    }

    fn action_body(
        &self,
        path: &StepPath,
        step: &Step,
        reference: &Spanned<Arc<str>>,
        scope: &Scope,
        evaluator: &Evaluator<'_>,
    ) -> Result<Prepared, Halt> {
        let action = self.action(path).ok_or_else(|| super::dispatch::missing(path))?;
        let refused = |text: String| Err(fault(reference.span, text));
        match &action.manifest.runs {
            ActionRuns::Composite { .. } => {
                self.action_inputs(step, &action.manifest, evaluator).map(Prepared::Composite)
            }
            ActionRuns::Node { main, .. } => {
                let spec = self.program_spec(path, step, action, &main.value, scope, evaluator)?;
                Ok(Prepared::Body(Body::Process(spec)))
            }
            ActionRuns::Docker { .. } => {
                refused(format!("container actions cannot run yet: {} is one", reference.value))
            }
            ActionRuns::Plugin { name } => refused(format!(
                "{} is the plugin `{}` of GitHub's runner, which cannot run here",
                reference.value, name.value
            )),
        }
    }

    fn script_body(
        &self,
        path: &StepPath,
        script: &Spanned<Template>,
        shell: Option<&Spanned<Template>>,
        working_directory: Option<&Spanned<Template>>,
        scope: &Scope,
        evaluator: &Evaluator<'_>,
    ) -> Result<Body, Halt> {
        let text = evaluator.text(script)?;
        let is_inner = path.depth() > 0;
        let shell_option = self
            .option(is_inner, shell, |defaults| defaults.shell.as_ref())
            .map(|option| evaluator.text(option))
            .transpose()?;
        let directory = self
            .option(is_inner, working_directory, |defaults| defaults.working_directory.as_ref())
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
            heading: Some(Heading {
                title: format!("Run {first_line}"),
                with: Vec::new(),
                env: heading_env(scope),
                folds: true,
            }),
            script: Script {
                file: command_files.script(shell.extension),
                content: Some(shell.script_file(&text)),
                text,
            },
            shell: shell.command,
            working_directory: directory.unwrap_or_else(|| Arc::from("")),
            environment: process_environment(&scope.env),
            runner_environment: self.variables(path, evaluator),
            path_prepends: self.prepends(path),
            command_files,
            lines: self.line_options(&scope.env),
            matchers: self.matchers.clone(),
            action: None,
        }))
    }

    /// `GITHUB_*` and `RUNNER_*` for the script of a step.
    fn variables(&self, path: &StepPath, evaluator: &Evaluator<'_>) -> IndexMap<Arc<str>, Arc<str>> {
        let (github, runner) = (evaluator.github(), &self.given.runner);
        if path.depth() > 0 {
            runner_environment(github, runner)
        } else {
            self.alike.variables(github, runner)
        }
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

    /// What goes in front of PATH, the last added one first. The steps of a background action see what earlier ones of it added.
    pub(super) fn prepends(&self, path: &StepPath) -> Vec<Arc<str>> {
        let lane = self.lanes.get(&LaneId::of_background(path)).filter(|_| path.depth() > 0);
        let deferred = lane.map(|lane| lane.deferred.path.as_slice()).unwrap_or_default();
        let own = self.path.iter().rev().filter(|entry| !deferred.contains(entry));
        deferred.iter().rev().chain(own).cloned().collect()
    }

    /// A step's own option, else the job's default, else the workflow's. Defaults are not for the steps of an action.
    pub(super) fn option<'a>(
        &'a self,
        is_inner: bool,
        own: Option<&'a Spanned<Template>>,
        default: impl Fn(&'a syntax::RunDefaults) -> Option<&'a Spanned<Template>>,
    ) -> Option<&'a Spanned<Template>> {
        own.or_else(|| if is_inner { None } else { self.plan.defaults().find_map(default) })
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
    evaluator: &Evaluator<'_>,
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

pub(super) fn heading_env(scope: &Scope) -> Vec<(Arc<str>, Arc<str>)> {
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
