//! A command of the debugger's own, in the environment of the step at the cursor.
//!
//! Makes the process; what it changes comes back as an edit.

use std::sync::Arc;

use super::Job;
use super::body::process_environment;
use crate::environment::runner_environment;
use crate::matcher::Matchers;
use crate::process::{CommandFiles, ProcessSpec, Script};
use crate::secrets::Secrets;
use crate::shell::Shell;
use crate::step_path::{Stage, StepPath};

impl Job {
    /// `command` as a process with the variables, PATH and directory that the step at the cursor has.
    pub fn shell_command(&self, command: &str, secrets: &Secrets) -> ProcessSpec {
        // A position that no step has, so that no step's files are touched.
        let path = StepPath::new(Stage::Main, u32::MAX);
        let env = self.env_at_cursor(secrets);
        let at = self.cursor().step();
        let evaluator = at.map(|step| {
            self.evaluator(crate::step_path::LaneId::FOREGROUND, step, Arc::clone(&env), secrets)
        });
        let own = at.and_then(|step| self.definition(step)).and_then(|step| match &step.body {
            syntax::StepBody::Run { working_directory, .. } => working_directory.as_ref(),
            _ => None,
        });
        let directory = self
            .option(at.is_some_and(|at| at.depth() > 0), own, |defaults| defaults.working_directory.as_ref())
            .zip(evaluator)
            .and_then(|(template, evaluator)| evaluator.text(template).ok());
        let mut github = self.github(at);
        for (name, value) in self.github(Some(&path)).iter() {
            // The command has command files of its own; everything else is as the step has it.
            if ["env", "output", "path", "state", "step_summary"].contains(&name.as_ref()) {
                github.insert(Arc::clone(name), value.clone());
            }
        }
        let command_files = CommandFiles::of(&path);
        ProcessSpec {
            heading: None,
            script: Script {
                file: command_files.script(".sh"),
                text: Arc::from(command),
                content: Some(command.to_owned()),
            },
            shell: Shell::unnamed().command,
            working_directory: directory.unwrap_or_else(|| Arc::from("")),
            environment: process_environment(&env),
            runner_environment: runner_environment(&github, &self.given.runner),
            path_prepends: self.prepends(&path),
            command_files,
            lines: self.line_options(&env),
            matchers: Matchers::default(),
            action: None,
            step: path,
        }
    }
}

impl ProcessSpec {
    /// The same in another copy of the workspace.
    pub fn run_in(&mut self, workspace: &str) {
        let old = self.runner_environment.insert(Arc::from("GITHUB_WORKSPACE"), Arc::from(workspace));
        // An absolute directory below the old workspace moves along; a relative one does so by itself.
        let inside = old.as_deref().and_then(|old| self.working_directory.strip_prefix(old));
        self.working_directory = match inside {
            Some(inside) => Arc::from(format!("{workspace}{inside}")),
            None if self.working_directory.starts_with('/') => Arc::clone(&self.working_directory),
            None => Arc::from(format!("{workspace}/{}", self.working_directory)),
        };
    }
}
