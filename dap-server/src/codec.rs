//! Frames: `Content-Length: N`, an empty line, N bytes of text. Bytes go in as they come, in pieces of any size, and
//! bodies come out. Does no reading or writing, and does not know what a body says.
//!
//! A browser can be made to post any text to any port of this machine, and its header block has a `Content-Length` as
//! well. So only the two names of the base protocol pass, and the first byte that cannot belong to one of them ends
//! the connection. After an error nothing more comes out.

use crate::limits::{HEADER_BYTES_MAX, HEADERS_MAX, MESSAGE_BYTES_MAX};

/// The name of the header that counts, as it is written. It is read in any case.
const CONTENT_LENGTH: &str = "Content-Length";
/// The other name that is accepted; its value says nothing that is not so anyway.
const CONTENT_TYPE: &str = "Content-Type";

/// Why the bytes are no frames. The texts repeat nothing of what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A header line that begins otherwise than the two names.
    #[error("a header other than Content-Length and Content-Type; is the peer talking HTTP?")]
    UnknownHeader,
    /// A header block above [`HEADER_BYTES_MAX`] or [`HEADERS_MAX`].
    #[error("the header block is too large")]
    HeaderTooLarge,
    /// A header block without a length.
    #[error("no Content-Length")]
    NoLength,
    /// Two lengths in one header block.
    #[error("more than one Content-Length")]
    SecondLength,
    /// A length that is not made of digits alone.
    #[error("the Content-Length is not a number")]
    BadLength,
    /// A length above what is accepted.
    #[error("the message is larger than {max} bytes")]
    TooLarge {
        /// The most that is accepted.
        max: usize,
    },
    /// A header or a body that is not UTF-8.
    #[error("the text is not UTF-8")]
    NotUtf8,
}

/// Appends the frame of a body.
pub fn encode(body: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{CONTENT_LENGTH}: {}\r\n\r\n", body.len()).as_bytes());
    out.extend_from_slice(body.as_bytes());
}

/// Finds the bodies in a stream of bytes. Holds at most one header line or one body, and never more than has come.
#[derive(Debug)]
pub struct Decoder {
    state: State,
}

#[derive(Debug)]
enum State {
    Header(Header),
    Body { length: usize, bytes: Vec<u8> },
    Failed(FrameError),
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// At the beginning of a stream.
    pub fn new() -> Self {
        Self { state: State::Header(Header::default()) }
    }

    /// Takes bytes from the front of `input` until a body is complete or there are none left; `None` means that more
    /// are needed.
    ///
    /// # Errors
    /// The bytes are no frames. The connection has to be closed; the same error comes from now on.
    pub fn decode(&mut self, input: &mut &[u8]) -> Result<Option<String>, FrameError> {
        self.advance(input).inspect_err(|error| self.state = State::Failed(*error))
    }

    /// Nothing of a frame has come yet, so that the stream may end here.
    pub fn is_between_frames(&self) -> bool {
        matches!(&self.state, State::Header(header) if header.is_untouched())
    }

    fn advance(&mut self, input: &mut &[u8]) -> Result<Option<String>, FrameError> {
        loop {
            match &mut self.state {
                State::Failed(error) => return Err(*error),
                State::Header(header) => {
                    let Some(byte) = take_first(input) else { return Ok(None) };
                    if let Some(length) = header.take(byte)? {
                        self.state = State::Body { length, bytes: Vec::new() };
                    }
                }
                State::Body { length, bytes } => {
                    take_body(input, bytes, *length);
                    if bytes.len() < *length {
                        return Ok(None);
                    }
                    let body = String::from_utf8(std::mem::take(bytes));
                    self.state = State::Header(Header::default());
                    return body.map(Some).map_err(|_| FrameError::NotUtf8);
                }
            }
        }
    }
}

fn take_first(input: &mut &[u8]) -> Option<u8> {
    let (first, rest) = input.split_first()?;
    *input = rest;
    Some(*first)
}

/// Moves what is missing of a body, as far as it is there. Memory grows with what has come, not with what was announced.
fn take_body(input: &mut &[u8], bytes: &mut Vec<u8>, length: usize) {
    let missing = length.saturating_sub(bytes.len()).min(input.len());
    let (taken, rest) = input.split_at_checked(missing).unwrap_or((input, &[]));
    bytes.extend_from_slice(taken);
    *input = rest;
}

/// A header block as far as it has come.
#[derive(Debug, Default)]
struct Header {
    line: Vec<u8>,
    named: bool,
    lines: usize,
    bytes: usize,
    length: Option<usize>,
}

impl Header {
    fn is_untouched(&self) -> bool {
        self.line.is_empty() && !self.named && self.length.is_none()
    }

    /// Takes one byte; gives the length of the body when the block is complete.
    fn take(&mut self, byte: u8) -> Result<Option<usize>, FrameError> {
        self.bytes += 1;
        if self.bytes > HEADER_BYTES_MAX {
            return Err(FrameError::HeaderTooLarge);
        }
        if byte == b'\n' {
            return self.end_line();
        }
        self.line.push(byte);
        self.check_name()?;
        Ok(None)
    }

    /// Refuses the line at the first byte that cannot be one of the names any more.
    fn check_name(&self) -> Result<(), FrameError> {
        let name = self.line.split(|byte| *byte == b':').next().unwrap_or_default();
        let complete = name.len() < self.line.len();
        let fits = |wanted: &str| match complete {
            true => wanted.as_bytes().eq_ignore_ascii_case(name),
            false => {
                wanted.as_bytes().get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
            }
        };
        if fits(CONTENT_LENGTH) || fits(CONTENT_TYPE) || self.line == b"\r" {
            return Ok(());
        }
        Err(FrameError::UnknownHeader)
    }

    fn end_line(&mut self) -> Result<Option<usize>, FrameError> {
        self.lines += 1;
        if self.lines > HEADERS_MAX {
            return Err(FrameError::HeaderTooLarge);
        }
        let mut line = std::mem::take(&mut self.line);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        if !line.is_empty() {
            self.named = true;
            return self.end_header(&line).map(|()| None);
        }
        match self.length {
            Some(length) => Ok(Some(length)),
            // Some adapters and clients write an empty line after a body.
            None if !self.named => Ok(None),
            None => Err(FrameError::NoLength),
        }
    }

    fn end_header(&mut self, line: &[u8]) -> Result<(), FrameError> {
        let line = std::str::from_utf8(line).map_err(|_| FrameError::NotUtf8)?;
        let (name, value) = line.split_once(':').ok_or(FrameError::UnknownHeader)?;
        if !name.eq_ignore_ascii_case(CONTENT_LENGTH) {
            return Ok(());
        }
        if self.length.is_some() {
            return Err(FrameError::SecondLength);
        }
        self.length = Some(body_length(value.trim_matches([' ', '\t']))?);
        Ok(())
    }
}

fn body_length(digits: &str) -> Result<usize, FrameError> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(FrameError::BadLength);
    }
    // What does not fit into a number is above the bound as well.
    let length = digits.parse().unwrap_or(usize::MAX);
    if length > MESSAGE_BYTES_MAX {
        return Err(FrameError::TooLarge { max: MESSAGE_BYTES_MAX });
    }
    Ok(length)
}

#[cfg(test)]
mod tests;
