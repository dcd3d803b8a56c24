//! What is written into a client's console: logs, ends of steps, warnings; as it comes out of a session.

use session::command::CommandError;
use session::engine::lines::LineTag;
use session::host::log::LogBatch;
use session::request::Request as Ask;
use session::wording::sanitize;

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

/// Whether the job goes to another moment because of this.
pub(super) fn departs(request: &Ask) -> bool {
    matches!(request, Ask::Back { .. } | Ask::ReverseContinue | Ask::Goto(_) | Ask::Rerun | Ask::Return)
}

/// Whether the job runs after this.
pub(super) fn runs_on(request: &Ask) -> bool {
    matches!(request, Ask::Next | Ask::Continue | Ask::Cancel | Ask::Confirm(_))
}

/// How many stops a command leads to: running a step again goes to its beginning first.
pub(super) fn stops_of(request: &Ask) -> u32 {
    match request {
        Ask::Rerun => 2,
        Ask::Confirm(false) => 0,
        request => u32::from(departs(request) || runs_on(request)),
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

fn push(output: &mut String, tag: LineTag, text: &str) {
    output.push_str(tag.prefix());
    output.push_str(text);
    output.push('\n');
}

/// A line of the debugger's own.
pub(super) fn line(category: OutputEventCategory, text: &str) -> OutputEvent {
    OutputEvent { category: Some(category), output: format!("{text}\n"), ..OutputEvent::default() }
}
