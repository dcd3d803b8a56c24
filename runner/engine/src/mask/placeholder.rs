//! Text with secrets taken out by name and put back later: `{secret NAME encoding}` (DESIGN 4). Knows the
//! notation; who keeps the text, and who supplies the values, is the journal's affair.
//!
//! `NAME` is percent-encoded (`#N` for unnamed values stays as it is), options follow the encoding:
//! `trimmed` or `line=N` for the part of the value, `from=A to=B` where only some bytes of the encoded
//! value are in the text. `{secret }` stands for the text `{secret `.

use std::fmt::Write as _;

use super::{Encoder, Found, Masks, Part, parts};

const OPEN: &str = "{secret ";
const ESCAPED: &str = "{secret }";

/// Why a text could not be filled in.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FillError {
    /// This secret was not supplied.
    #[error("secret '{0}' is needed to fill in this text; supply it with the same name")]
    Missing(String),
    /// The supplied value is not the one of the recording.
    #[error("secret '{0}' has another value than when this was recorded; supply the value of that time")]
    Different(String),
    /// Text that only a mask regex matched was recorded without a value behind it.
    #[error("this text was masked by a pattern and cannot be filled in")]
    Unrecoverable,
    /// A `{secret ` that [`Masks::placeholders`] never writes.
    #[error("malformed placeholder at byte {0}")]
    Malformed(usize),
}

impl Masks {
    /// `text` with a placeholder for each secret, to be kept where secrets must not be. The inverse is
    /// [`Masks::fill`]. What only a mask regex matched becomes `{secret ? plain}`, which cannot be filled in.
    pub fn placeholders(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut end = 0;
        for found in self.find(text.as_bytes()) {
            out.push_str(&escape(&bytes_to_text(text, end, found.range.start)));
            end = found.range.end;
            Self::write_placeholder(&mut out, &found);
        }
        out.push_str(&escape(&bytes_to_text(text, end, text.len())));
        out
    }

    /// Undoes [`Masks::placeholders`]: `value_of` is asked for the values of secrets by name, and for
    /// unnamed values by `#N`.
    pub fn fill<'v>(text: &str, value_of: impl Fn(&str) -> Option<&'v [u8]>) -> Result<String, FillError> {
        let mut out = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some((plain, after)) = rest.split_once(OPEN) {
            let malformed = || FillError::Malformed(text.len() - after.len() - OPEN.len());
            out.extend_from_slice(plain.as_bytes());
            let (body, after) = after.split_once('}').ok_or_else(malformed)?;
            if body.is_empty() {
                out.extend_from_slice(OPEN.as_bytes());
            } else {
                out.extend_from_slice(&Reference::parse(body).ok_or_else(malformed)?.resolve(&value_of)?);
            }
            rest = after;
        }
        out.extend_from_slice(rest.as_bytes());
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    fn write_placeholder(out: &mut String, found: &Found) {
        let Some(name) = &found.name else {
            out.push_str("{secret ? plain}");
            return;
        };
        let name = match name.starts_with('#') {
            true => name.to_string(),
            false => String::from_utf8_lossy(&Encoder::UriData.encode(name.as_bytes())).into_owned(),
        };
        // Writing to a String cannot fail.
        let _ = write!(out, "{OPEN}{name} {}", found.encoder.name());
        let _ = match found.part {
            Part::Whole => Ok(()),
            Part::Trimmed => write!(out, " trimmed"),
            Part::Line(number) => write!(out, " line={number}"),
        };
        if !found.whole {
            let _ = write!(out, " from={} to={}", found.within.start, found.within.end);
        }
        out.push('}');
    }
}

// A range that a non-UTF-8 value cut in the middle of a character has no text of its own.
fn bytes_to_text(text: &str, from: usize, to: usize) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(text.as_bytes().get(from..to).unwrap_or_default())
}

fn escape(text: &str) -> String {
    text.replace(OPEN, ESCAPED)
}

struct Reference {
    name: String,
    encoder: Encoder,
    part: Part,
    from: usize,
    to: usize,
}

impl Reference {
    fn parse(body: &str) -> Option<Self> {
        let mut words = body.split(' ');
        let name = unescape_name(words.next()?)?;
        let mut reference = Self {
            name,
            encoder: Encoder::from_name(words.next()?)?,
            part: Part::Whole,
            from: 0,
            to: usize::MAX,
        };
        for word in words {
            match word.split_once('=') {
                None if word == "trimmed" => reference.part = Part::Trimmed,
                Some(("line", number)) => reference.part = Part::Line(number.parse().ok()?),
                Some(("from", at)) => reference.from = at.parse().ok()?,
                Some(("to", at)) => reference.to = at.parse().ok()?,
                _ => return None,
            }
        }
        Some(reference)
    }

    fn resolve<'v>(self, value_of: &impl Fn(&str) -> Option<&'v [u8]>) -> Result<Vec<u8>, FillError> {
        if self.name == "?" {
            return Err(FillError::Unrecoverable);
        }
        let Some(value) = value_of(&self.name) else { return Err(FillError::Missing(self.name)) };
        let part =
            parts(value).find(|(_, part)| *part == self.part).map(|(bytes, _)| self.encoder.encode(bytes));
        let bytes = part.as_deref().and_then(|encoded| encoded.get(self.from..self.to.min(encoded.len())));
        match bytes {
            Some(bytes) if self.to == usize::MAX || bytes.len() == self.to - self.from => Ok(bytes.to_vec()),
            _ => Err(FillError::Different(self.name)),
        }
    }
}

fn unescape_name(name: &str) -> Option<String> {
    let mut out = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((plain, after)) = rest.split_once('%') {
        out.extend_from_slice(plain.as_bytes());
        out.push(u8::from_str_radix(after.get(..2)?, 16).ok()?);
        rest = after.get(2..)?;
    }
    out.extend_from_slice(rest.as_bytes());
    String::from_utf8(out).ok()
}
