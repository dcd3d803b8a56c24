//! What waits for a client, and the rules by which it is sent or left out. Reads no clock and writes nothing: it is
//! told what time it is, and says what to do next.

use std::collections::{BTreeMap, VecDeque};

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::batch::{Batch, pieces};
use crate::codec;
use crate::envelope::{Content, Envelope, RawEvent, RawRequest, RawResponse};
use crate::limits::{OUTBOX_BYTES_MAX, OUTPUT_BYTES_MAX, OUTPUT_TIME_MAX};
use crate::protocol::Event;
use crate::protocol::output::OutputEvent;

/// What a message costs besides its texts: members, numbers, its place in the queue.
const MESSAGE_OVERHEAD_BYTES: usize = 256;

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Write these bytes.
    Send(Vec<u8>),
    /// Nothing is due before this instant, unless something is put in.
    WaitUntil(Instant),
    /// Nothing is due until something is put in.
    Wait,
    /// Everything is sent, and nothing more comes.
    Finished,
    /// The client is too far behind.
    Overflowed,
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Entry>,
    pub(super) bytes: usize,
    /// How many of them wait for nothing.
    urgent: usize,
    sent: i64,
    questions: BTreeMap<i64, oneshot::Sender<RawResponse>>,
    end: End,
}

/// Whether more may come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum End {
    #[default]
    Open,
    Finishing,
    Overflowed,
    Closed,
}

#[derive(Debug)]
enum Entry {
    Message(Content),
    /// An event that may wait for others since then.
    Hint(RawEvent, Instant),
    Question(RawRequest, oneshot::Sender<RawResponse>),
    Output(Box<Batch>),
    /// So many lines of output were here.
    Dropped(u64),
}

impl Queue {
    pub(super) fn push(&mut self, content: Content) {
        self.add(Entry::Message(content));
    }

    /// An event that says only that something is to be asked for again: one that waits says it for those that follow.
    pub(super) fn push_hint(&mut self, event: RawEvent, now: Instant) {
        let waits = |entry: &Entry| matches!(entry, Entry::Hint(earlier, _) if earlier.event == event.event);
        if !self.waiting.iter().any(waits) {
            self.add(Entry::Hint(event, now));
        }
    }

    pub(super) fn push_question(&mut self, request: RawRequest, reply: oneshot::Sender<RawResponse>) {
        self.add(Entry::Question(request, reply));
    }

    pub(super) fn push_output(&mut self, event: OutputEvent, now: Instant) {
        for piece in pieces(event) {
            let bytes = piece.output.len();
            let left = match self.waiting.back_mut() {
                Some(Entry::Output(batch)) if self.end == End::Open => batch.absorb(piece),
                _ => Some(piece),
            };
            match left {
                Some(piece) => self.add(Entry::Output(Box::new(Batch::new(piece, now)))),
                None => self.grow(bytes),
            }
        }
    }

    pub(super) fn take_question(&mut self, seq: i64) -> Option<oneshot::Sender<RawResponse>> {
        self.questions.remove(&seq)
    }

    pub(super) fn finish(&mut self) {
        if self.end == End::Open {
            self.end = End::Finishing;
        }
    }

    /// Forgets everything; whoever waits for an answer learns that none will come.
    pub(super) fn close(&mut self) {
        *self = Self { end: End::Closed, sent: self.sent, ..Self::default() };
    }

    pub(super) fn is_closed(&self) -> bool {
        self.end != End::Open
    }

    pub(super) fn has_overflowed(&self) -> bool {
        self.end == End::Overflowed
    }

    /// Takes out what is to be sent at this instant, up to the size of one large output event.
    pub(super) fn step(&mut self, now: Instant) -> Step {
        if self.end == End::Overflowed {
            return Step::Overflowed;
        }
        let mut frames = Vec::new();
        while frames.len() < OUTPUT_BYTES_MAX && self.due().is_none_or(|due| due <= now) {
            let Some(entry) = self.waiting.pop_front() else { break };
            self.bytes = self.bytes.saturating_sub(entry.bytes());
            self.urgent -= usize::from(entry.since().is_none());
            self.write(entry, &mut frames);
        }
        match self.due() {
            _ if !frames.is_empty() => Step::Send(frames),
            Some(due) => Step::WaitUntil(due),
            None if self.end == End::Open => Step::Wait,
            None => Step::Finished,
        }
    }

    /// Until when the front waits for more, if it does: whatever is urgent takes along what came before it, and so does an
    /// event's worth of output.
    fn due(&self) -> Option<Instant> {
        let waits = self.urgent == 0 && self.end == End::Open && self.bytes < OUTPUT_BYTES_MAX;
        let since = self.waiting.front()?.since().filter(|_| waits)?;
        Some(since + OUTPUT_TIME_MAX)
    }

    fn write(&mut self, entry: Entry, frames: &mut Vec<u8>) {
        let seq = self.sent + 1;
        let content = match entry {
            Entry::Message(content) => Some(content),
            Entry::Hint(event, _) => Some(Content::Event(event)),
            Entry::Question(request, reply) => {
                self.questions.insert(seq, reply);
                Some(Content::Request(request))
            }
            Entry::Output(batch) => output(batch.event),
            Entry::Dropped(lines) => output(notice(lines)),
        };
        if let Some(content) = content {
            self.sent = seq;
            codec::encode(&Envelope { seq, content }.to_json(), frames);
        }
    }

    fn add(&mut self, entry: Entry) {
        if self.end != End::Open {
            return;
        }
        let bytes = entry.bytes();
        self.urgent += usize::from(entry.since().is_none());
        self.waiting.push_back(entry);
        self.grow(bytes);
    }

    fn grow(&mut self, bytes: usize) {
        self.bytes += bytes;
        if self.bytes > OUTBOX_BYTES_MAX {
            self.drop_output();
        }
        if self.bytes > OUTBOX_BYTES_MAX {
            self.close();
            self.end = End::Overflowed;
        }
    }

    /// Leaves out all output that may be; a note stays where it was.
    fn drop_output(&mut self) {
        let kept_groups = self.unpaired_groups();
        let mut lines = 0;
        for (index, entry) in std::mem::take(&mut self.waiting).into_iter().enumerate() {
            match entry {
                Entry::Output(batch) if batch.may_be_dropped() && !kept_groups.contains(&index) => {
                    lines += batch.lines();
                }
                Entry::Dropped(more) => lines += more,
                kept => {
                    self.note(std::mem::take(&mut lines));
                    self.waiting.push_back(kept);
                }
            }
        }
        self.note(lines);
        self.bytes = self.waiting.iter().map(Entry::bytes).sum();
        self.urgent = self.waiting.iter().filter(|entry| entry.since().is_none()).count();
    }

    fn note(&mut self, lines: u64) {
        if lines > 0 {
            self.waiting.push_back(Entry::Dropped(lines));
        }
    }

    /// Beginnings without their end and the other way round: without them the client would nest what follows wrongly.
    fn unpaired_groups(&self) -> Vec<usize> {
        let (mut begun, mut ended) = (Vec::new(), Vec::new());
        for (index, entry) in self.waiting.iter().enumerate() {
            let Entry::Output(batch) = entry else { continue };
            match batch.group() {
                1 => begun.push(index),
                -1 if begun.pop().is_none() => ended.push(index),
                _ => {}
            }
        }
        begun.extend(ended);
        begun
    }
}

impl Entry {
    /// Since when it has waited for more to be sent with; `None` if it is urgent.
    fn since(&self) -> Option<Instant> {
        match self {
            Self::Hint(_, since) => Some(*since),
            Self::Output(batch) => Some(batch.since),
            Self::Message(_) | Self::Question(..) | Self::Dropped(_) => None,
        }
    }

    fn bytes(&self) -> usize {
        let texts = match self {
            Self::Message(Content::Response(response)) => {
                length(response.body.as_deref()) + response.message.as_ref().map_or(0, String::len)
            }
            Self::Message(Content::Event(event)) | Self::Hint(event, _) => length(event.body.as_deref()),
            Self::Message(Content::Request(request)) | Self::Question(request, _) => {
                length(request.arguments.as_deref())
            }
            Self::Output(batch) => batch.event.output.len(),
            Self::Dropped(_) => 0,
        };
        texts + MESSAGE_OVERHEAD_BYTES
    }
}

fn length(raw: Option<&serde_json::value::RawValue>) -> usize {
    raw.map_or(0, |raw| raw.get().len())
}

fn notice(lines: u64) -> OutputEvent {
    let plural = if lines == 1 { "" } else { "s" };
    let output =
        format!("… {lines} line{plural} dropped: the client reads more slowly than the job writes\n");
    OutputEvent { output, ..OutputEvent::default() }
}

fn output(event: OutputEvent) -> Option<Content> {
    let encoded = Event::Output(event).encode();
    encoded.inspect_err(|error| tracing::error!(%error, "output cannot be written")).ok().map(Content::Event)
}
