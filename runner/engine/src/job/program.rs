//! JavaScript actions: their pre, main and post programs as processes (steps.md 4.2, 4.3).
//!
//! Makes what the host needs; finds no node and runs nothing.

use std::sync::Arc;

use expr::{Object, Value};
use indexmap::IndexMap;
use syntax::{ActionRuns, Step};

use super::Job;
use super::body::{heading_env, process_environment};
use super::composite::repository_context;
use super::evaluate::{Evaluator, Halt};
use super::lane::Scope;
use crate::action::ResolvedAction;
use crate::effect::Effect;
use crate::environment::runner_environment;
use crate::lines::LineTag;
use crate::process::{ActionProgram, CommandFiles, Heading, ProcessSpec, Script, ShellCommand};
use crate::secrets::Secrets;
use crate::step_path::{LaneId, Stage, StepPath};

/// The program that runs JavaScript actions. Which one it is, the host finds out by the version.
const NODE: &str = "node";
/// What no manifest leaves out: a manifest without a version is refused when it is read.
const NODE_VERSION: u32 = 20;
/// All that the log says of a post part before it runs.
const POST_TITLE: &str = "Post job cleanup.";

impl Job {
    /// `program` of a JavaScript action, which is one of its files.
    pub(super) fn program_spec(
        &self,
        path: &StepPath,
        step: &Step,
        action: &ResolvedAction,
        program: &str,
        scope: &Scope,
        evaluator: &Evaluator<'_>,
    ) -> Result<ProcessSpec, Halt> {
        let inputs = self.action_inputs(step, &action.manifest, evaluator)?;
        let mut github = evaluator.github().as_ref().clone();
        github.insert("action_path", Value::String(Arc::clone(&action.directory)));
        repository_context(action, &mut github);
        let mut environment = process_environment(&scope.env);
        environment.extend(self.state_variables(path));
        environment.extend(input_variables(&inputs));
        Ok(ProcessSpec {
            step: path.clone(),
            heading: Some(heading(path, action, &inputs, scope)),
            script: Script {
                file: format!("{}/{program}", action.directory),
                text: Arc::from(""),
                content: None,
            },
            shell: ShellCommand { candidates: vec![NODE.to_owned()], arguments: "{0}".to_owned() },
            working_directory: Arc::from(""),
            environment,
            runner_environment: runner_environment(&github, &self.given.runner),
            path_prepends: self.prepends(path),
            command_files: CommandFiles::of(path),
            lines: self.line_options(&scope.env),
            matchers: self.matchers.clone(),
            action: Some(ActionProgram { node: node_version(&action.manifest.runs) }),
        })
    }

    /// The log of a composite action begins like that of any action. No process of its own writes it.
    pub(super) fn log_heading(
        &self,
        lane: LaneId,
        path: &StepPath,
        inputs: &Object,
        secrets: &Secrets,
        out: &mut Vec<Effect>,
    ) {
        let Some(action) = self.action(path) else { return };
        let Heading { title, with, env, .. } = heading(path, action, inputs, &self.scope(lane));
        self.log(Some(path), LineTag::Group, &title, secrets, out);
        for (title, pairs) in [("with:", with), ("env:", env)] {
            if !pairs.is_empty() {
                self.log(Some(path), LineTag::Plain, title, secrets, out);
            }
            for (name, value) in pairs {
                self.log(Some(path), LineTag::Plain, &format!("  {name}: {value}"), secrets, out);
            }
        }
        self.log(Some(path), LineTag::EndGroup, "", secrets, out);
    }

    /// `STATE_*`: what the other parts of the same action kept.
    fn state_variables(&self, path: &StepPath) -> IndexMap<Arc<str>, Arc<str>> {
        let state = self.saved_state.get(&path.in_stage(Stage::Main));
        let variable = |(name, value): (&Arc<str>, &Value)| {
            (Arc::from(format!("STATE_{name}")), Arc::from(value.to_text().as_ref()))
        };
        state.map(|state| state.iter().map(variable).collect()).unwrap_or_default()
    }
}

/// `INPUT_*`: names in upper case, blanks as `_`, nothing else changed (steps.md 3.2).
fn input_variables(inputs: &Object) -> impl Iterator<Item = (Arc<str>, Arc<str>)> {
    inputs.iter().map(|(name, value)| {
        let name = name.replace(' ', "_").to_uppercase();
        (Arc::from(format!("INPUT_{name}")), Arc::from(value.to_text().as_ref()))
    })
}

fn heading(path: &StepPath, action: &ResolvedAction, inputs: &Object, scope: &Scope) -> Heading {
    if path.stage() == Stage::Post {
        let title = POST_TITLE.to_owned();
        return Heading { title, with: Vec::new(), env: Vec::new(), folds: false };
    }
    let title = format!("Run {}", action.reference.strip_prefix('/').unwrap_or(&action.reference));
    Heading { title, with: shown(inputs), env: heading_env(scope), folds: true }
}

/// The version that `using: node20` names.
fn node_version(runs: &ActionRuns) -> u32 {
    let ActionRuns::Node { using, .. } = runs else { return NODE_VERSION };
    let digits = using.value.trim_start_matches(|c: char| !c.is_ascii_digit());
    digits.parse().unwrap_or(NODE_VERSION)
}

fn shown(inputs: &Object) -> Vec<(Arc<str>, Arc<str>)> {
    let given = inputs.iter().map(|(name, value)| (Arc::clone(name), Arc::from(value.to_text().as_ref())));
    given.filter(|(_, value): &(Arc<str>, Arc<str>)| !value.is_empty()).collect()
}
