//! What is written into a client's console: logs, ends of steps, warnings; as it comes out of a session.

use session::command::CommandError;
use session::engine::lines::LineTag;
use session::engine::step_path::LaneId;
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
    matches!(request, Ask::Next | Ask::StepIn | Ask::StepOut | Ask::Continue | Ask::Cancel | Ask::Confirm(_))
}

/// How many stops a command leads to: running a step again goes to its beginning first.
pub(super) fn stops_of(request: &Ask) -> u32 {
    match request {
        Ask::Rerun => 2,
        Ask::Confirm(false) => 0,
        request => u32::from(departs(request) || runs_on(request)),
    }
}

/// The events for a batch of lines. Groups become groups; anything else is text of the step. Lines of a background step stand
/// between those of other steps, so each says whose it is and groups are left open.
pub(super) fn of_log(batch: &LogBatch, ansi: bool) -> Vec<OutputEvent> {
    let mut events: Vec<OutputEvent> = Vec::new();
    let speaker = speaker(batch);
    for line in batch.lines() {
        let text = sanitize::line(line.text, ansi);
        let group = match line.tag {
            _ if speaker.is_some() => None,
            LineTag::Group => Some(OutputGroup::StartCollapsed),
            LineTag::EndGroup => Some(OutputGroup::End),
            _ => None,
        };
        match (events.last_mut(), &group) {
            (Some(last), None) if last.group.is_none() => {
                if line.tag == LineTag::Continued && last.output.ends_with('\n') {
                    last.output.pop();
                }
                let speaker = speaker.as_deref().filter(|_| line.tag != LineTag::Continued);
                last.output.push_str(speaker.unwrap_or_default());
                push(&mut last.output, line.tag, &text);
            }
            _ => {
                let mut output = speaker.clone().unwrap_or_default();
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

/// `3 │ ` before a line of the third step, when it runs in the background.
fn speaker(batch: &LogBatch) -> Option<String> {
    // The debugger's own shell has a lane and a step at the end of all numbers.
    let number = batch.step.index().checked_add(1)?;
    (batch.lane == LaneId::of_background(&batch.step)).then(|| format!("{number} │ "))
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
