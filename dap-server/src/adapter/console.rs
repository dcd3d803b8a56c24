//! What is written into a client's console: logs, ends of steps, warnings; as it comes out of a session.

use session::command::CommandError;
use session::engine::lines::LineTag;
use session::host::log::LogBatch;
use session::request::Request as Ask;
use session::wording::{exit_of, sanitize};

use crate::protocol::output::{OutputEvent, OutputGroup};
use crate::protocol::sound::OutputEventCategory;
use crate::protocol::{ErrorId, Failure};

/// A command that cannot be understood.
pub(super) fn misunderstood(error: CommandError) -> Failure {
    let failure = Failure::new(ErrorId::Command, "{reason}").with("reason", error.text);
    match error.hint {
        Some(hint) => failure.hint("{hint}").with("hint", hint),
        None => failure,
    }
}

/// Whether the job stands elsewhere or runs after this.
pub(super) fn moves(request: &Ask) -> bool {
    matches!(
        request,
        Ask::Next
            | Ask::Continue
            | Ask::Back { .. }
            | Ask::ReverseContinue
            | Ask::Goto(_)
            | Ask::Rerun
            | Ask::Return
            | Ask::Cancel
            | Ask::Confirm(_)
    )
}

/// How many stops a command leads to: running a step again goes to its beginning first.
pub(super) fn stops_of(request: &Ask) -> u32 {
    match request {
        Ask::Rerun => 2,
        Ask::Confirm(false) => 0,
        request => u32::from(moves(request)),
    }
}

/// The events for a batch of lines. Groups become groups; anything else is text of the step.
pub(super) fn of_log(batch: &LogBatch, ansi: bool) -> Vec<OutputEvent> {
    let mut events: Vec<OutputEvent> = Vec::new();
    for line in batch.lines() {
        let text = sanitize::line(line.text, ansi);
        let group = match line.tag {
            LineTag::Group => Some(OutputGroup::StartCollapsed),
            LineTag::EndGroup => Some(OutputGroup::End),
            _ => None,
        };
        match (events.last_mut(), &group) {
            (Some(last), None) if last.group.is_none() => {
                if line.tag == LineTag::Continued && last.output.ends_with('\n') {
                    last.output.pop();
                }
                push(&mut last.output, line.tag, &text);
            }
            _ => {
                let mut output = String::new();
                if group != Some(OutputGroup::End) {
                    push(&mut output, if group.is_some() { LineTag::Plain } else { line.tag }, &text);
                }
                events.push(OutputEvent {
                    category: Some(OutputEventCategory::Stdout),
                    output,
                    group,
                    ..Default::default()
                });
            }
        }
    }
    events
}

/// What a shell command writes, without the heading and the last line that a step's log has: who typed it knows them, and its
/// answer has the exit code.
#[derive(Default)]
pub(super) struct ShellOutput {
    in_heading: bool,
}

impl ShellOutput {
    /// The event for a batch of lines, if there is anything to show of it.
    pub(super) fn of(&mut self, batch: &LogBatch, ansi: bool) -> Option<OutputEvent> {
        let mut output = String::new();
        for line in batch.lines() {
            match line.tag {
                LineTag::Group => self.in_heading = true,
                LineTag::EndGroup => self.in_heading = false,
                _ if self.in_heading => {}
                LineTag::Error if exit_of(&String::from_utf8_lossy(line.text)).is_some() => {}
                tag => push(&mut output, tag, &sanitize::line(line.text, ansi)),
            }
        }
        let category = Some(OutputEventCategory::Stdout);
        (!output.is_empty()).then(|| OutputEvent { category, output, ..OutputEvent::default() })
    }
}

fn push(output: &mut String, tag: LineTag, text: &str) {
    output.push_str(tag.prefix());
    output.push_str(text);
    output.push('\n');
}

/// A line of the debugger's own.
pub(super) fn line(category: OutputEventCategory, text: &str) -> OutputEvent {
    OutputEvent { category: Some(category), output: format!("{text}\n"), ..OutputEvent::default() }
}

#[cfg(test)]
mod tests {
    use session::engine::step_path::{LaneId, StepPath};
    use session::host::contract::Epoch;

    use super::*;

    #[test]
    fn a_shell_shows_what_it_writes_and_no_heading() {
        let mut shell = ShellOutput::default();
        let mut shown = |lines: &[(LineTag, &str)]| {
            let time = jiff::Timestamp::UNIX_EPOCH;
            let mut batch = LogBatch::new(LaneId::FOREGROUND, Epoch(0), StepPath::main(0), time);
            lines.iter().for_each(|(tag, text)| batch.push(*tag, text.as_bytes()));
            shell.of(&batch, false).map(|event| event.output)
        };
        assert_eq!(shown(&[(LineTag::Group, ""), (LineTag::Plain, "ls")]), None);
        let rest = [(LineTag::Plain, "shell: sh"), (LineTag::EndGroup, ""), (LineTag::Plain, "a")];
        assert_eq!(shown(&rest).as_deref(), Some("a\n"));
        assert_eq!(shown(&[(LineTag::Error, "Process completed with exit code 1.")]), None);
    }
}
