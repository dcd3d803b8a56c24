//! The eleven forms in which GitHub expects a secret to turn up in a log, besides its plain text
//! (steps.md 8). Works on bytes, so that a secret that is no UTF-8 is covered too. Knows no automaton.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// How a pattern was made from a value. The order is upstream's order of registration.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Encoder {
    /// The value itself.
    Plain,
    /// Base64 with padding.
    Base64,
    /// Base64 of the value without its first byte; a one-byte value is encoded whole.
    Base64Shift1,
    /// Base64 of the value without its first two bytes; a value that short is encoded whole.
    Base64Shift2,
    /// `"` as `\"`.
    CommandLineArgument,
    /// `'` as `''`.
    ExpressionString,
    /// The inside of a JSON string as Newtonsoft writes it.
    JsonString,
    /// RFC 3986 percent encoding of all but unreserved characters.
    UriData,
    /// `< > " ' &` as XML entities.
    XmlData,
    /// A quoted value without its quotes, if longer than 8 characters.
    TrimDoubleQuotes,
    /// Up to and with the first `&+`, or else the last `&`, if at least 6 characters.
    PowerShellPreAmpersand,
    /// What follows that `&`, or follows `&+` and one character, if at least 6 characters.
    PowerShellPostAmpersand,
}

impl Encoder {
    /// Plain and the eleven, in upstream's order.
    pub const ALL: [Self; 12] = [
        Self::Plain,
        Self::Base64,
        Self::Base64Shift1,
        Self::Base64Shift2,
        Self::CommandLineArgument,
        Self::ExpressionString,
        Self::JsonString,
        Self::UriData,
        Self::XmlData,
        Self::TrimDoubleQuotes,
        Self::PowerShellPreAmpersand,
        Self::PowerShellPostAmpersand,
    ];

    /// The word for this encoder in a placeholder.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Base64 => "base64",
            Self::Base64Shift1 => "base64-shift1",
            Self::Base64Shift2 => "base64-shift2",
            Self::CommandLineArgument => "argument",
            Self::ExpressionString => "expression",
            Self::JsonString => "json",
            Self::UriData => "uri",
            Self::XmlData => "xml",
            Self::TrimDoubleQuotes => "unquoted",
            Self::PowerShellPreAmpersand => "pre-ampersand",
            Self::PowerShellPostAmpersand => "post-ampersand",
        }
    }

    /// The inverse of [`Encoder::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|encoder| encoder.name() == name)
    }

    /// The encoded value; empty where the encoder has nothing to say about this value.
    pub fn encode(self, value: &[u8]) -> Vec<u8> {
        match self {
            Self::Plain => value.to_vec(),
            Self::Base64 => base64(value, 0),
            Self::Base64Shift1 => base64(value, 1),
            Self::Base64Shift2 => base64(value, 2),
            Self::CommandLineArgument => replace(value, |byte| (byte == b'"').then_some("\\\"")),
            Self::ExpressionString => replace(value, |byte| (byte == b'\'').then_some("''")),
            Self::JsonString => json(value),
            Self::UriData => uri(value),
            Self::XmlData => replace(value, xml_entity),
            Self::TrimDoubleQuotes => trim_double_quotes(value),
            Self::PowerShellPreAmpersand => long_enough(pre_ampersand(value)),
            Self::PowerShellPostAmpersand => long_enough(post_ampersand(value)),
        }
    }
}

// Lengths upstream are UTF-16 units.
fn chars(value: &[u8]) -> usize {
    String::from_utf8_lossy(value).encode_utf16().count()
}

fn base64(value: &[u8], shift: usize) -> Vec<u8> {
    let tail = value.get(shift..).filter(|tail| !tail.is_empty()).unwrap_or(value);
    STANDARD.encode(tail).into_bytes()
}

fn replace(value: &[u8], with: impl Fn(u8) -> Option<&'static str>) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    for &byte in value {
        match with(byte) {
            Some(text) => out.extend_from_slice(text.as_bytes()),
            None => out.push(byte),
        }
    }
    out
}

fn xml_entity(byte: u8) -> Option<&'static str> {
    match byte {
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'"' => Some("&quot;"),
        b'\'' => Some("&apos;"),
        b'&' => Some("&amp;"),
        _ => None,
    }
}

const HEX_LOWER: &[u8; 16] = b"0123456789abcdef";
const HEX_UPPER: &[u8; 16] = b"0123456789ABCDEF";

fn hex(digits: &[u8; 16], byte: u8) -> impl Iterator<Item = u8> {
    let digit = |nibble: u8| digits.get(usize::from(nibble)).copied();
    [digit(byte >> 4), digit(byte & 15)].into_iter().flatten()
}

// Newtonsoft leaves everything above the control characters alone but NEL, LS and PS.
fn json(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let [byte, after @ ..] = rest {
        let (text, after): (&str, &[u8]) = match rest {
            [b'"', ..] => ("\\\"", after),
            [b'\\', ..] => ("\\\\", after),
            [b'\n', ..] => ("\\n", after),
            [b'\r', ..] => ("\\r", after),
            [b'\t', ..] => ("\\t", after),
            [8, ..] => ("\\b", after),
            [12, ..] => ("\\f", after),
            [0xC2, 0x85, after @ ..] => ("\\u0085", after),
            [0xE2, 0x80, 0xA8, after @ ..] => ("\\u2028", after),
            [0xE2, 0x80, 0xA9, after @ ..] => ("\\u2029", after),
            _ => ("", after),
        };
        match (text, *byte) {
            ("", byte) if byte < 0x20 => {
                out.extend_from_slice(b"\\u00");
                out.extend(hex(HEX_LOWER, byte));
            }
            ("", byte) => out.push(byte),
            (text, _) => out.extend_from_slice(text.as_bytes()),
        }
        rest = after;
    }
    out
}

fn uri(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    for &byte in value {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(byte);
        } else {
            out.push(b'%');
            out.extend(hex(HEX_UPPER, byte));
        }
    }
    out
}

fn trim_double_quotes(value: &[u8]) -> Vec<u8> {
    match value {
        [b'"', inner @ .., b'"'] if chars(value) > 8 => inner.to_vec(),
        _ => Vec::new(),
    }
}

fn long_enough(section: &[u8]) -> Vec<u8> {
    if chars(section) >= 6 { section.to_vec() } else { Vec::new() }
}

fn pre_ampersand(value: &[u8]) -> &[u8] {
    let end = memchr::memmem::find(value, b"&+").map(|at| at + 2);
    let end = end.or_else(|| memchr::memrchr(b'&', value).map(|at| at + 1));
    end.and_then(|end| value.get(..end)).unwrap_or_default()
}

fn post_ampersand(value: &[u8]) -> &[u8] {
    let section = match memchr::memmem::find(value, b"&+") {
        // PowerShell colours the character after `&+`, which parts it from the rest.
        Some(at) => value.get(at + 2..).map(skip_char),
        None => memchr::memrchr(b'&', value).and_then(|at| value.get(at + 1..)),
    };
    section.unwrap_or_default()
}

fn skip_char(text: &[u8]) -> &[u8] {
    let width = match text.first() {
        Some(0xC2..=0xDF) => 2,
        Some(0xE0..=0xEF) => 3,
        Some(0xF0..=0xF4) => 4,
        _ => 1,
    };
    text.get(width..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(encoder: Encoder, value: &str, expected: &str) {
        assert_eq!(
            String::from_utf8_lossy(&encoder.encode(value.as_bytes())),
            expected,
            "{encoder:?} {value:?}"
        );
    }

    #[test]
    fn base64_in_three_alignments() {
        check(Encoder::Base64, "abc", "YWJj");
        check(Encoder::Base64Shift1, "abc", "YmM=");
        check(Encoder::Base64Shift2, "abc", "Yw==");
        check(Encoder::Base64Shift1, "a", "YQ==");
        check(Encoder::Base64Shift2, "ab", "YWI=");
    }

    #[test]
    fn escapes() {
        check(Encoder::CommandLineArgument, r#"a"\"#, r#"a\"\"#);
        check(Encoder::ExpressionString, "it's", "it''s");
        check(
            Encoder::JsonString,
            "\u{1}\u{1f}\u{7f}\"\\/\u{8}\u{c}\n\r\té'\u{85}\u{2028}\u{2029}",
            "\\u0001\\u001f\u{7f}\\\"\\\\/\\b\\f\\n\\r\\té'\\u0085\\u2028\\u2029",
        );
        check(Encoder::UriData, "aZ09-_.~!*'() é+/", "aZ09-_.~%21%2A%27%28%29%20%C3%A9%2B%2F");
        check(Encoder::XmlData, "<a b=\"c\">'&'", "&lt;a b=&quot;c&quot;&gt;&apos;&amp;&apos;");
    }

    #[test]
    fn quotes_go_from_nine_characters() {
        check(Encoder::TrimDoubleQuotes, "\"1234567\"", "1234567");
        check(Encoder::TrimDoubleQuotes, "\"123456\"", "");
        check(Encoder::TrimDoubleQuotes, "\"1234567890", "");
    }

    #[test]
    fn powershell_sections() {
        check(Encoder::PowerShellPreAmpersand, "part1&part2&tail", "part1&part2&");
        check(Encoder::PowerShellPostAmpersand, "part1&part2&longtail", "longtail");
        check(Encoder::PowerShellPostAmpersand, "part1&part2&tail", "");
        check(Encoder::PowerShellPreAmpersand, "part1&+part2&x", "part1&+");
        check(Encoder::PowerShellPostAmpersand, "part1&+part2&x", "art2&x");
        check(Encoder::PowerShellPostAmpersand, "part1&+", "");
        check(Encoder::PowerShellPreAmpersand, "abc&d", "");
    }

    #[test]
    fn names_are_distinct() {
        for encoder in Encoder::ALL {
            assert_eq!(Encoder::from_name(encoder.name()), Some(encoder));
        }
    }
}
