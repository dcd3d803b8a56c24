//! What each workflow command does: rules and texts of steps.md 5.1. Knows the step's side alone; effects
//! on the job leave as [`StepCommand`]s.

use std::ops::ControlFlow;

use super::output::plain_annotation;
use super::sink::{LineSink, LineTag, MaskStore, StepCommand};
use super::{Flow, LineProcessor, Surroundings, same_name};
use crate::annotation::{Level, Location, Source, relative_to_workspace};
use crate::command::{WorkflowCommand, is_registered};
use crate::file_command::BLOCKED_ENV;
use crate::limits::STOP_TOKEN_UNMASKED_CHARS;

const STOP_TOKEN_INVALID: &str = "You cannot use a endToken that is an empty string, the string 'pause-logging', or another workflow command. For more information see: https://docs.github.com/actions/learn-github-actions/workflow-commands-for-github-actions#example-stopping-and-starting-workflow-commands or opt into insecure command execution by setting the `ACTIONS_ALLOW_UNSECURE_STOPCOMMAND_TOKENS` environment variable to `true`.";

/// Commands whose own line is never echoed nor quoted in an error.
const NOT_ECHOED: [&str; 5] = ["add-mask", "debug", "error", "notice", "warning"];

impl LineProcessor {
    /// Processes the line if it is a command; `Continue` means that it is plain output.
    pub(super) fn try_command<M: MaskStore, S: LineSink>(
        &mut self,
        line: &[u8],
        around: &mut Surroundings<'_, M, S>,
    ) -> ControlFlow<Flow> {
        let text = String::from_utf8_lossy(line);
        let Some(command) = self.parse_command(&text) else { return ControlFlow::Continue(()) };
        if command.name == "notice" && !self.options.enhanced_annotations {
            self.debug(
                "Enhanced Annotations not enabled on the server: 'notice' command will not be processed.",
                around,
            );
            return ControlFlow::Continue(());
        }
        if let Some(token) = self.stop.0.clone() {
            return self.while_stopped(&token, &command, &text, around);
        }
        let name = command.name.to_lowercase();
        if name == "stop-commands" {
            self.stop_commands(&command, &text, around);
            return ControlFlow::Break(Flow::On);
        }
        let quiet = NOT_ECHOED.contains(&name.as_str());
        if self.echo && !quiet {
            around.write(LineTag::Plain, &text);
        }
        match self.execute(&name, command, line, around) {
            Ok(flow) => ControlFlow::Break(flow),
            Err(message) => {
                self.fail(if quiet { &name } else { &text }, message, around);
                ControlFlow::Break(Flow::On)
            }
        }
    }

    fn while_stopped<M: MaskStore, S: LineSink>(
        &mut self,
        token: &str,
        command: &WorkflowCommand,
        line: &str,
        around: &mut Surroundings<'_, M, S>,
    ) -> ControlFlow<Flow> {
        if !token.is_empty() && same_name(&command.name, token) {
            around.write(LineTag::Plain, line);
            self.debug("Resume processing commands", around);
            self.stop.0 = None;
            return ControlFlow::Break(Flow::On);
        }
        self.debug(
            &format!("Process commands has been stopped and waiting for '##[{token}]' to resume."),
            around,
        );
        ControlFlow::Continue(())
    }

    // An invalid token fails the step without the "unable to process" line: upstream checks it outside of
    // what that line is written for.
    fn stop_commands<M: MaskStore, S: LineSink>(
        &mut self,
        command: &WorkflowCommand,
        line: &str,
        around: &mut Surroundings<'_, M, S>,
    ) {
        let token = command.data.as_str();
        let invalid = token.is_empty() || same_name(token, "pause-logging") || is_registered(token);
        if invalid && !self.options.allow_unsecure_stop_tokens {
            self.report(Level::Error, STOP_TOKEN_INVALID, around);
            let failed =
                StepCommand::Failed { line: line.to_owned(), message: STOP_TOKEN_INVALID.to_owned() };
            around.sink.command(failed);
            return;
        }
        if token.encode_utf16().count() > STOP_TOKEN_UNMASKED_CHARS {
            around.add_mask(token.as_bytes());
        }
        self.stop.0 = Some(token.to_owned());
        around.write(LineTag::Plain, line);
        self.debug(
            "Paused processing commands until the token you called ::stopCommands:: with is received",
            around,
        );
    }

    fn execute<M: MaskStore, S: LineSink>(
        &mut self,
        name: &str,
        command: WorkflowCommand,
        line: &[u8],
        around: &mut Surroundings<'_, M, S>,
    ) -> Result<Flow, String> {
        match name {
            "set-output" | "save-state" => self.set_value(name, command, around)?,
            "set-env" => self.set_env(command, around)?,
            "add-path" => self.add_path(command, around)?,
            "add-mask" => self.add_mask(&command, line, around),
            "error" => self.annotation_command(Level::Error, &command, around),
            "warning" => self.annotation_command(Level::Warning, &command, around),
            "notice" => self.annotation_command(Level::Notice, &command, around),
            "debug" => self.debug(&command.data, around),
            "group" => around.write(LineTag::Group, &command.data),
            "endgroup" => around.write(LineTag::EndGroup, ""),
            "echo" => self.set_echo(&command, around)?,
            "add-matcher" => return Ok(self.add_matcher(command, around)),
            "remove-matcher" => return Ok(self.remove_matcher(command, around)),
            other => {
                let text = format!("Can't find command extension for ##[{other}.command].");
                self.report(Level::Warning, &text, around);
            }
        }
        Ok(Flow::On)
    }

    fn set_value<M: MaskStore, S: LineSink>(
        &mut self,
        name: &str,
        command: WorkflowCommand,
        around: &mut Surroundings<'_, M, S>,
    ) -> Result<(), String> {
        if self.options.deprecate_output_commands {
            let text = format!(
                "The `{name}` command is deprecated and will be disabled soon. Please upgrade to using Environment Files. For more information see: https://github.blog/changelog/2022-10-11-github-actions-deprecating-save-state-and-set-output-commands/"
            );
            self.report(Level::Warning, &text, around);
        }
        let key = required_name(name, &command)?;
        let value = command.data;
        if name == "set-output" {
            around.sink.command(StepCommand::SetOutput { name: key, value });
        } else {
            self.debug(&format!("Save intra-action state {key} = {value}"), around);
            around.sink.command(StepCommand::SaveState { name: key, value });
        }
        Ok(())
    }

    fn require_unsecure(&self, name: &str) -> Result<(), String> {
        if self.options.allow_unsecure_commands {
            return Ok(());
        }
        Err(format!(
            "The `{name}` command is disabled. Please upgrade to using Environment Files or opt into unsecure command execution by setting the `ACTIONS_ALLOW_UNSECURE_COMMANDS` environment variable to `true`. For more information see: https://github.blog/changelog/2020-10-01-github-actions-deprecating-set-env-and-add-path-commands/"
        ))
    }

    fn set_env<M: MaskStore, S: LineSink>(
        &mut self,
        command: WorkflowCommand,
        around: &mut Surroundings<'_, M, S>,
    ) -> Result<(), String> {
        self.require_unsecure("set-env")?;
        let name = required_name("set-env", &command)?;
        if let Some(blocked) = BLOCKED_ENV.iter().find(|blocked| blocked.eq_ignore_ascii_case(&name)) {
            let text = format!("Can't update {blocked} environment variable using ::set-env:: command.");
            self.report(Level::Error, &text, around);
            return Ok(());
        }
        let value = command.data;
        self.debug(&format!("{name}='{value}'"), around);
        around.sink.command(StepCommand::SetEnv { name, value });
        Ok(())
    }

    fn add_path<M: MaskStore, S: LineSink>(
        &mut self,
        command: WorkflowCommand,
        around: &mut Surroundings<'_, M, S>,
    ) -> Result<(), String> {
        self.require_unsecure("add-path")?;
        if command.data.is_empty() {
            return Err("Value cannot be null. (Parameter 'path')".to_owned());
        }
        around.sink.command(StepCommand::AddPath { path: command.data });
        Ok(())
    }

    fn add_mask<M: MaskStore, S: LineSink>(
        &mut self,
        command: &WorkflowCommand,
        line: &[u8],
        around: &mut Surroundings<'_, M, S>,
    ) {
        if command.data.trim().is_empty() {
            self.report(
                Level::Warning,
                "Can't add secret mask for empty string in ##[add-mask] command.",
                around,
            );
            return;
        }
        if self.echo {
            around.write(LineTag::Plain, "::add-mask::***");
        }
        around.add_mask(command.data.as_bytes());
        // What is no UTF-8 appears in the output as its own bytes, not as the text made from them.
        if let Some(raw) = raw_data(line).filter(|raw| std::str::from_utf8(raw).is_err()) {
            around.add_mask(raw);
        }
    }

    fn annotation_command<M: MaskStore, S: LineSink>(
        &mut self,
        level: Level,
        command: &WorkflowCommand,
        around: &mut Surroundings<'_, M, S>,
    ) {
        let (location, notes) = Location::from_properties(&command.name, &command.properties);
        for note in notes {
            self.debug(&note, around);
        }
        if !self.options.enhanced_annotations {
            self.debug("Enhanced Annotations not enabled on the server. The 'title', 'end_line', and 'end_column' fields are unsupported.", around);
        }
        let mut annotation = plain_annotation(level, &command.data, Source::Command);
        annotation.location = location;
        annotation.title = command.properties.get("title").map(str::to_owned);
        annotation.code = command.properties.get("code").map(str::to_owned);
        annotation.file = command.properties.get("file").map(str::to_owned);
        let workspace = self.options.workspace.as_deref();
        if let (Some(file), Some(workspace)) = (command.properties.get("file"), workspace)
            && let Some(relative) = relative_to_workspace(file, workspace)
        {
            annotation.repository = self.options.repository.clone();
            if !relative.is_empty() {
                annotation.file = Some(relative.to_owned());
            }
        }
        self.annotate(annotation, None, around);
    }

    fn set_echo<M: MaskStore, S: LineSink>(
        &mut self,
        command: &WorkflowCommand,
        around: &mut Surroundings<'_, M, S>,
    ) -> Result<(), String> {
        let value = command.data.as_str();
        let on = match value.trim() {
            _ if value.is_empty() => return Err("Value cannot be null. (Parameter 'value')".to_owned()),
            word if word.eq_ignore_ascii_case("on") => true,
            word if word.eq_ignore_ascii_case("off") => false,
            _ => {
                return Err(format!(
                    "Invalid echo command value. Possible values can be: 'on', 'off'. Current value is: '{value}'."
                ));
            }
        };
        self.echo = on;
        self.debug(&format!("Setting echo command value to '{}'", if on { "on" } else { "off" }), around);
        Ok(())
    }

    fn add_matcher<M: MaskStore, S: LineSink>(
        &mut self,
        command: WorkflowCommand,
        around: &mut Surroundings<'_, M, S>,
    ) -> Flow {
        if command.data.is_empty() {
            self.report(Level::Warning, "File path must be specified.", around);
            return Flow::On;
        }
        around.sink.command(StepCommand::AddMatcher { file: command.data });
        Flow::Pause
    }

    fn remove_matcher<M: MaskStore, S: LineSink>(
        &mut self,
        command: WorkflowCommand,
        around: &mut Surroundings<'_, M, S>,
    ) -> Flow {
        let owner = command.properties.get("owner").map(str::to_owned);
        match (owner, command.data) {
            (Some(_), file) if !file.is_empty() => {
                self.report(Level::Warning, "Either specify an owner name or a file path in ##[remove-matcher] command. Both values cannot be set.", around);
                Flow::On
            }
            (None, file) if file.is_empty() => {
                self.report(
                    Level::Warning,
                    "Either an owner name or a file path must be specified in ##[remove-matcher] command.",
                    around,
                );
                Flow::On
            }
            (Some(owner), _) => {
                around.sink.command(StepCommand::RemoveMatcher { owner });
                Flow::Pause
            }
            (None, file) => {
                around.sink.command(StepCommand::RemoveMatchers { file });
                Flow::Pause
            }
        }
    }
}

fn required_name(command: &str, parsed: &WorkflowCommand) -> Result<String, String> {
    let missing = || format!("Required field 'name' is missing in ##[{command}] command.");
    parsed.properties.get("name").map(str::to_owned).ok_or_else(missing)
}

// The bytes after the second `::`, or after the `]` of the other notation.
fn raw_data(line: &[u8]) -> Option<&[u8]> {
    let v2 = memchr::memmem::find_iter(line, b"::").nth(1).and_then(|at| line.get(at + 2..));
    v2.or_else(|| memchr::memchr(b']', line).and_then(|at| line.get(at + 1..)))
}
