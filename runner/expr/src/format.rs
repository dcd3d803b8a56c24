//! Format strings of `format()`: `{0}`, `{{`, `}}` (steps.md 6.3).
//! It does not evaluate arguments; it only says which are wanted where.

use smallvec::SmallVec;

use crate::error::EvalError;

/// A stretch of a format string.
#[derive(Debug, PartialEq)]
pub(crate) enum Segment<'f> {
    /// Plain text, a doubled brace at its end already single.
    Text(&'f str),
    /// An argument, by number. Specifiers after a colon are never valid but fail only when reached.
    Argument { index: usize, specifiers: String },
}

/// A format string rarely has more, and each argument makes two.
pub(crate) type Segments<'f> = SmallVec<[Segment<'f>; 5]>;

/// The segments of `format`, of which only `supplied` arguments may be named.
pub(crate) fn segments(format: &str, supplied: usize) -> Result<Segments<'_>, EvalError> {
    let invalid = || EvalError::new(format!("The following format string is invalid: {format}"));
    let mut segments = Segments::new();
    let mut rest = format;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let doubled = from.starts_with("{{") || from.starts_with("}}");
        if doubled {
            segments.push(Segment::Text(rest.get(..=at).unwrap_or_default()));
            rest = rest.get(at + 2..).unwrap_or_default();
            continue;
        }
        let (index, specifiers, length) = from.strip_prefix('{').and_then(placeholder).ok_or_else(invalid)?;
        if index >= supplied {
            let text = "The following format string references more arguments than were supplied";
            return Err(EvalError::new(format!("{text}: {format}")));
        }
        segments.push(Segment::Text(before));
        segments.push(Segment::Argument { index, specifiers });
        rest = from.get(1 + length..).unwrap_or_default();
    }
    segments.push(Segment::Text(rest));
    Ok(segments)
}

/// `0}` or `0:specifiers}` at the start of `text`: the number, the specifiers and the length in bytes.
fn placeholder(text: &str) -> Option<(usize, String, usize)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let index: u8 = text.get(..digits)?.parse().ok()?;
    let mut rest = text.get(digits..)?.char_indices().peekable();
    let mut specifiers = String::new();
    match rest.next()? {
        (_, '}') => return Some((usize::from(index), specifiers, digits + 1)),
        (_, ':') => {}
        _ => return None,
    }
    while let Some((at, c)) = rest.next() {
        if c == '}' && rest.next_if(|&(_, next)| next == '}').is_none() {
            return Some((usize::from(index), specifiers, digits + at + 1));
        }
        specifiers.push(c);
    }
    None
}

/// The error of an argument with specifiers.
pub(crate) fn specifiers_error(specifiers: &str, kind: &str) -> EvalError {
    EvalError::new(format!("The format specifiers '{specifiers}' are not valid for objects of type '{kind}'"))
}

/// Appends text to a format string that is written as a literal: with its braces and quotes doubled, so that both show it.
pub(crate) fn push_escaped(literal: &mut String, text: &str) {
    for part in text.split_inclusive(['{', '}', '\'']) {
        literal.push_str(part);
        literal.extend(part.chars().next_back().filter(|last| matches!(last, '{' | '}' | '\'')));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: &str, expected: &str) {
        let shown = match segments(format, 2) {
            Ok(segments) => segments
                .iter()
                .map(|segment| match segment {
                    Segment::Text(text) => (*text).to_owned(),
                    Segment::Argument { index, specifiers } => format!("<{index}{specifiers}>"),
                })
                .collect(),
            Err(error) => error.text,
        };
        assert_eq!(shown, expected, "{format}");
    }

    #[test]
    fn placeholders_and_braces() {
        check("a{0}b{1}{{c}}", "a<0>b<1>{c}");
        check("{{{0}}}", "{<0>}");
        check("{0:a}}b}", "<0a}b>");
        check("{000}", "<0>");
    }

    #[test]
    fn faults() {
        for format in ["{", "}", "{0", "{}", "{a}", "{ 0}", "{0 }", "{256}", "{-1}", "{0:x", "{{0}", "{0}}"] {
            check(format, &format!("The following format string is invalid: {format}"));
        }
        check("{2}", "The following format string references more arguments than were supplied: {2}");
    }
}
