//! One `output` event that may still grow. Knows when two pieces of output are the same to a client, and which must not
//! get lost; does not know what waits around it.

use tokio::time::Instant;

use crate::limits::OUTPUT_BYTES_MAX;
use crate::protocol::output::{OutputEvent, OutputGroup};
use crate::protocol::sound::OutputEventCategory;
use crate::protocol::source::Source;

/// Output that waits to be sent.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) event: OutputEvent,
    /// When its first piece came.
    pub(super) since: Instant,
}

impl Batch {
    pub(super) fn new(event: OutputEvent, now: Instant) -> Self {
        Self { event, since: now }
    }

    /// Takes the text of `next` in, if a client would show both alike; else gives it back.
    pub(super) fn absorb(&mut self, next: OutputEvent) -> Option<OutputEvent> {
        let fits = self.event.output.len() + next.output.len() <= OUTPUT_BYTES_MAX;
        if !fits || !is_plain(&self.event) || !is_plain(&next) || !look_alike(&self.event, &next) {
            return Some(next);
        }
        self.event.output.push_str(&next.output);
        None
    }

    /// Left out when the client is too slow. What the debugger has to say is not.
    pub(super) fn may_be_dropped(&self) -> bool {
        !matches!(self.event.category, Some(OutputEventCategory::Important))
    }

    /// Begins (1) or ends (-1) a group.
    pub(super) fn group(&self) -> i8 {
        match &self.event.group {
            Some(OutputGroup::Start | OutputGroup::StartCollapsed) => 1,
            Some(OutputGroup::End) => -1,
            Some(OutputGroup::Other(_)) | None => 0,
        }
    }

    pub(super) fn lines(&self) -> u64 {
        self.event.output.lines().count() as u64
    }
}

/// Text and nothing else, so that it may be joined with other text.
fn is_plain(event: &OutputEvent) -> bool {
    event.group.is_none()
        && event.variables_reference.is_none()
        && event.location_reference.is_none()
        && event.data.is_none()
}

fn look_alike(one: &OutputEvent, other: &OutputEvent) -> bool {
    category(one) == category(other)
        && (one.line, one.column) == (other.line, other.column)
        && one.source.as_ref().map(place) == other.source.as_ref().map(place)
}

fn category(event: &OutputEvent) -> &str {
    match &event.category {
        None | Some(OutputEventCategory::Console) => "console",
        Some(OutputEventCategory::Important) => "important",
        Some(OutputEventCategory::Stdout) => "stdout",
        Some(OutputEventCategory::Stderr) => "stderr",
        Some(OutputEventCategory::Telemetry) => "telemetry",
        Some(OutputEventCategory::String(other)) => other,
    }
}

fn place(source: &Source) -> (Option<&str>, Option<i64>) {
    (source.path.as_deref(), source.source_reference)
}

/// Cuts output that is larger than one event, after a line where there is one.
pub(super) fn pieces(mut event: OutputEvent) -> Vec<OutputEvent> {
    let mut pieces = Vec::new();
    while event.output.len() > OUTPUT_BYTES_MAX {
        let rest = event.output.split_off(cut(&event.output));
        let next = OutputEvent { output: rest, group: None, ..event.clone() };
        pieces.push(std::mem::replace(&mut event, next));
    }
    pieces.push(event);
    pieces
}

fn cut(text: &str) -> usize {
    let most = (0..=OUTPUT_BYTES_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let head = text.get(..most).unwrap_or_default();
    head.rfind('\n').map_or(most, |line_end| line_end + 1)
}
