//! `.env` files as act reads them (godotenv): `KEY=VALUE` lines with quotes, comments and earlier keys as `${KEY}`.
//!
//! Knows the text alone; neither the file system nor our own environment. Values may be secrets: no error shows one.

use indexmap::IndexMap;

/// A line that is no `KEY=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}: {text}")]
pub(crate) struct DotenvError {
    /// From 1.
    pub(crate) line: usize,
    /// What is wrong; never the value.
    pub(crate) text: &'static str,
}

/// All entries of `text` in order; of two with one key the later counts.
///
/// - `export` before a key is left out; `KEY: VALUE` is as good as `KEY=VALUE`.
/// - Without quotes a value ends at ` #` or the end of the line, and is trimmed.
/// - In `'…'` everything stands for itself; in `"…"` there are `\n`, `\r`, `\t`, `\"`, `\\`, `\$`. Both may span lines.
/// - `$KEY` and `${KEY}` of earlier entries are replaced, but not in single quotes; unknown ones are empty.
///
/// # Errors
/// A line without a key or a separator, or a quote that is not closed.
pub(crate) fn parse(text: &str) -> Result<IndexMap<String, String>, DotenvError> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let mut entries = IndexMap::new();
    let mut rest = text;
    let mut line = 1;
    while !rest.is_empty() {
        let end = rest.find('\n').unwrap_or(rest.len());
        let this = rest.get(..end).unwrap_or_default().trim();
        let mut taken = (end + 1).min(rest.len());
        if !this.is_empty() && !this.starts_with('#') {
            let (key, value_at) = key(rest, line)?;
            let (value, length) = value(rest.get(value_at..).unwrap_or_default(), &entries, line)?;
            let used = value_at + length;
            let tail = rest.get(used..).unwrap_or_default();
            taken = used + tail.find('\n').map_or(tail.len(), |at| at + 1);
            entries.insert(key.to_owned(), value);
        }
        line += rest.get(..taken).unwrap_or_default().matches('\n').count();
        rest = rest.get(taken..).unwrap_or_default();
    }
    Ok(entries)
}

/// The key, and where its value begins.
fn key(text: &str, line: usize) -> Result<(&str, usize), DotenvError> {
    let error = |text| DotenvError { line, text };
    let row = text.split('\n').next().unwrap_or_default();
    let at = row.find(['=', ':']).ok_or_else(|| error("expected KEY=VALUE"))?;
    let written = row.get(..at).unwrap_or_default().trim();
    let key =
        written.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t'])).unwrap_or(written).trim();
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
    if key.is_empty() || !key.chars().all(fits) {
        return Err(error("the key may have letters, digits, `_`, `.` and `-` only"));
    }
    Ok((key, at + 1))
}

/// The value at the start of `text`, and how many bytes it takes.
fn value(
    text: &str,
    earlier: &IndexMap<String, String>,
    line: usize,
) -> Result<(String, usize), DotenvError> {
    let blanks = text.len() - text.trim_start_matches([' ', '\t']).len();
    let body = text.get(blanks..).unwrap_or_default();
    match body.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            let inner = body.get(1..).unwrap_or_default();
            let end = closing(inner, quote).ok_or(DotenvError { line, text: "a quote is not closed" })?;
            let raw = inner.get(..end).unwrap_or_default();
            let value = if quote == '"' { expanded(raw, earlier, true) } else { raw.to_owned() };
            Ok((value, blanks + end + 2))
        }
        _ => {
            let row = body.split('\n').next().unwrap_or_default();
            let commented =
                |at: &usize| *at == 0 || row.get(..*at).is_some_and(|before| before.ends_with([' ', '\t']));
            let end = row.match_indices('#').map(|(at, _)| at).find(commented).unwrap_or(row.len());
            let raw = row.get(..end).unwrap_or_default().trim();
            Ok((expanded(raw, earlier, false), blanks + row.len()))
        }
    }
}

fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if c == quote && !escaped {
            return Some(at);
        }
        escaped = c == '\\' && !escaped;
    }
    None
}

fn expanded(raw: &str, earlier: &IndexMap<String, String>, escapes: bool) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        let next = after.chars().next();
        rest = match (c, next) {
            ('\\', Some(next)) if escapes || next == '$' => {
                match next {
                    'n' => out.push('\n'),
                    'r' => out.push('\r'),
                    't' => out.push('\t'),
                    other => out.push(other),
                }
                after.get(next.len_utf8()..).unwrap_or_default()
            }
            ('$', _) => match variable(after) {
                Some((name, length)) => {
                    out.push_str(earlier.get(name).map_or("", String::as_str));
                    after.get(length..).unwrap_or_default()
                }
                None => {
                    out.push('$');
                    after
                }
            },
            (c, _) => {
                out.push(c);
                after
            }
        };
    }
    out
}

/// The name of `NAME` or `{NAME}` behind a dollar, and how many bytes it takes.
fn variable(text: &str) -> Option<(&str, usize)> {
    let length =
        |text: &str| text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    if let Some(inner) = text.strip_prefix('{') {
        let count = length(inner);
        return (count > 0 && inner.as_bytes().get(count) == Some(&b'}'))
            .then(|| (inner.get(..count).unwrap_or_default(), count + 2));
    }
    let count = length(text);
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    (count > 0 && starts_well).then(|| (text.get(..count).unwrap_or_default(), count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, &str)]) {
        let found = parse(text).unwrap();
        let found: Vec<(&str, &str)> =
            found.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn plain_lines_comments_and_exports() {
        check(
            "A=1\n\n# no\n  B = two words  \nexport C=3\r\nD: 4\n",
            &[("A", "1"), ("B", "two words"), ("C", "3"), ("D", "4")],
        );
        check("A=x # note\nB=x#y\nC=#z\nD=", &[("A", "x"), ("B", "x#y"), ("C", ""), ("D", "")]);
        check("A=1\nA=2", &[("A", "2")]);
        check("URL=https://h/?a=b", &[("URL", "https://h/?a=b")]);
    }

    #[test]
    fn quotes_keep_blanks_lines_and_hashes() {
        check("A=' x # y '\nB=\"a\\nb\\t\\\"q\\\"\" # c\n", &[("A", " x # y "), ("B", "a\nb\t\"q\"")]);
        check("KEY=\"-----BEGIN\nabc\n-----END\"\nB=1", &[("KEY", "-----BEGIN\nabc\n-----END"), ("B", "1")]);
        check(r"A='a\nb'", &[("A", r"a\nb")]);
    }

    #[test]
    fn earlier_keys_are_put_in() {
        check(
            "A=1\nB=$A-${A}x$NO.\nC='$A'\nD=\"\\$A\"\nE=$5\nF=\\$A",
            &[("A", "1"), ("B", "1-1x."), ("C", "$A"), ("D", "$A"), ("E", "$5"), ("F", "$A")],
        );
    }

    #[test]
    fn faults_name_the_line_and_nothing_of_the_value() {
        let error = |text: &str| parse(text).unwrap_err().to_string();
        assert_eq!(error("A=1\nhunter2\n"), "2: expected KEY=VALUE");
        assert_eq!(error("A=\"x\ny\"\nB='hunter2"), "3: a quote is not closed");
        assert_eq!(error("my key=hunter2"), "1: the key may have letters, digits, `_`, `.` and `-` only");
    }
}
