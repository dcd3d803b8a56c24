//! The line that is not finished yet, across reads, and lines too long to hold. Knows bytes only; whether
//! a long line may be a command is asked of the processor.

use super::sink::{LineSink, LineTag, MaskStore, Stream};
use super::{Flow, LineProcessor, Surroundings};
use crate::limits::{LINE_COMMAND_BYTES, LINE_DISPLAY_BYTES};
use crate::mask::MaskStream;

/// What a stream holds of an unfinished line.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct Partial {
    held: Vec<u8>,
    long: Long,
    // A `\r` ended the read: with a `\n` next it is one line end, else it is one by itself.
    carriage_return: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
enum Long {
    // Short enough so far.
    #[default]
    No,
    // Above the display limit, and starts like a command: held up to the command limit.
    Command,
    // Given out in pieces; `true` once a piece is out.
    Pieces(MaskStream, bool),
}

// What is held is not masked yet.
impl std::fmt::Debug for Partial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Partial").field("held_bytes", &self.held.len()).field("long", &self.long).finish()
    }
}

impl Partial {
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty() && self.long == Long::No && !self.carriage_return
    }
}

impl LineProcessor {
    /// Takes bytes up to the end of the unfinished line, or all.
    pub(super) fn feed_partial<M: MaskStore, S: LineSink>(
        &mut self,
        stream: Stream,
        bytes: &[u8],
        around: &mut Surroundings<'_, M, S>,
    ) -> (usize, Flow) {
        if std::mem::take(&mut self.partial(stream).carriage_return) {
            let newline = usize::from(bytes.first() == Some(&b'\n'));
            return (newline, self.end_line(stream, around));
        }
        match memchr::memchr2(b'\n', b'\r', bytes) {
            None => {
                self.hold(stream, bytes, around);
                (bytes.len(), Flow::On)
            }
            Some(end) => {
                self.hold(stream, bytes.get(..end).unwrap_or_default(), around);
                match bytes.get(end..) {
                    Some([b'\r']) => {
                        self.partial(stream).carriage_return = true;
                        (end + 1, Flow::On)
                    }
                    Some([b'\r', b'\n', ..]) => (end + 2, self.end_line(stream, around)),
                    _ => (end + 1, self.end_line(stream, around)),
                }
            }
        }
    }

    /// Processes what is left at the end of a stream.
    pub(super) fn end_partial<M: MaskStore, S: LineSink>(
        &mut self,
        stream: Stream,
        around: &mut Surroundings<'_, M, S>,
    ) {
        if !self.partial(stream).is_empty() {
            self.partial(stream).carriage_return = false;
            let _ = self.end_line(stream, around);
        }
    }

    /// Whether a line above the display limit is held back because it may be a command.
    pub(super) fn may_be_long_command(&self, line: &[u8]) -> bool {
        let head = line.get(..LINE_DISPLAY_BYTES).unwrap_or(line);
        super::block::looks_like_command(head) && self.parse_command(&String::from_utf8_lossy(head)).is_some()
    }

    /// A whole line above the display limit that is no command, in the same pieces as if it had come in
    /// many reads.
    pub(super) fn line_in_pieces<M, S: LineSink>(
        &mut self,
        line: &[u8],
        around: &mut Surroundings<'_, M, S>,
    ) {
        let mut started = false;
        let mut pieces = MaskStream::default();
        pieces.push(line, &around.masks, LINE_DISPLAY_BYTES, |piece| {
            emit_piece(around.sink, &mut started, piece)
        });
        pieces
            .finish(&around.masks, LINE_DISPLAY_BYTES, |piece| emit_piece(around.sink, &mut started, piece));
    }

    fn hold<M: MaskStore, S: LineSink>(
        &mut self,
        stream: Stream,
        bytes: &[u8],
        around: &mut Surroundings<'_, M, S>,
    ) {
        let partial = self.partial(stream);
        if let Long::Pieces(pieces, started) = &mut partial.long {
            pieces.push(bytes, &around.masks, LINE_DISPLAY_BYTES, |piece| {
                emit_piece(around.sink, started, piece)
            });
            return;
        }
        // Never holds more than one byte above a limit, however much comes at once.
        let limit = if partial.long == Long::Command { LINE_COMMAND_BYTES } else { LINE_DISPLAY_BYTES };
        let room = (limit + 1).saturating_sub(partial.held.len());
        let (head, rest) = bytes.split_at(room.min(bytes.len()));
        partial.held.extend_from_slice(head);
        if partial.held.len() <= limit {
            return;
        }
        let held = std::mem::take(&mut partial.held);
        if limit == LINE_DISPLAY_BYTES && self.may_be_long_command(&held) {
            let partial = self.partial(stream);
            partial.held = held;
            partial.long = Long::Command;
        } else {
            self.partial(stream).long = Long::Pieces(MaskStream::default(), false);
            self.hold(stream, &held, around);
        }
        self.hold(stream, rest, around);
    }

    fn end_line<M: MaskStore, S: LineSink>(
        &mut self,
        stream: Stream,
        around: &mut Surroundings<'_, M, S>,
    ) -> Flow {
        let partial = std::mem::take(self.partial(stream));
        match partial.long {
            Long::Pieces(mut pieces, mut started) => {
                pieces.finish(&around.masks, LINE_DISPLAY_BYTES, |piece| {
                    emit_piece(around.sink, &mut started, piece)
                });
                Flow::On
            }
            Long::No | Long::Command => {
                let flow = self.whole_line(&partial.held, around);
                // The next unfinished line needs no new allocation.
                let mut held = partial.held;
                if held.capacity() <= LINE_DISPLAY_BYTES {
                    held.clear();
                    self.partial(stream).held = held;
                }
                flow
            }
        }
    }
}

fn emit_piece(sink: &mut impl LineSink, started: &mut bool, piece: &[u8]) {
    let tag = if std::mem::replace(started, true) { LineTag::Continued } else { LineTag::Plain };
    sink.line(tag, piece);
}
