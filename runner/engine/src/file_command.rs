//! What a step wrote to `GITHUB_ENV`, `GITHUB_OUTPUT`, `GITHUB_STATE`, `GITHUB_PATH` and
//! `GITHUB_STEP_SUMMARY`: bytes in, pairs, paths and problems out (steps.md 5.2). Knows neither where
//! the files lie nor what is done with the pairs.

use std::borrow::Cow;

use crate::limits::SUMMARY_BYTES;
use crate::mask::Masks;

/// The raw bytes of one step's command files; `None` for a file that is not there, which is no error.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct FileCommands {
    /// `GITHUB_ENV`
    pub env: Option<Vec<u8>>,
    /// `GITHUB_OUTPUT`
    pub output: Option<Vec<u8>>,
    /// `GITHUB_STATE`
    pub state: Option<Vec<u8>>,
    /// `GITHUB_PATH`
    pub path: Option<Vec<u8>>,
    /// `GITHUB_STEP_SUMMARY`
    pub summary: Option<Vec<u8>>,
}

// Contents may hold secrets: only sizes are shown.
impl std::fmt::Debug for FileCommands {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let size = |file: &Option<Vec<u8>>| file.as_ref().map(Vec::len);
        f.debug_struct("FileCommands")
            .field("env_bytes", &size(&self.env))
            .field("output_bytes", &size(&self.output))
            .field("state_bytes", &size(&self.state))
            .field("path_bytes", &size(&self.path))
            .field("summary_bytes", &size(&self.summary))
            .finish()
    }
}

/// What [`FileCommands::read`] found. Values are raw: they may hold secrets and are masked by whoever
/// shows them. Later pairs of a name replace earlier ones when applied in order.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct FileCommandResults {
    /// Environment variables to set, in file order, `NODE_OPTIONS` taken out.
    pub env: Vec<(String, String)>,
    /// Step outputs, in file order.
    pub output: Vec<(String, String)>,
    /// Intra-action state, in file order.
    pub state: Vec<(String, String)>,
    /// Folders to put before `PATH`, in file order (the last one ends up first).
    pub path: Vec<String>,
    /// The step summary, masked line by line, each line ended by `\n`; `None` if empty or too large.
    pub summary: Option<String>,
    /// Errors that are reported but leave the step's result alone.
    pub issues: Vec<String>,
    /// Files that broke off with an error: the step fails; what stood before the error is applied.
    pub failures: Vec<FileCommandFailure>,
}

impl std::fmt::Debug for FileCommandResults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names =
            |pairs: &[(String, String)]| pairs.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        f.debug_struct("FileCommandResults")
            .field("env", &names(&self.env))
            .field("output", &names(&self.output))
            .field("state", &names(&self.state))
            .field("paths", &self.path.len())
            .field("summary_bytes", &self.summary.as_ref().map(String::len))
            .field("issues", &self.issues.len())
            .field("failures", &self.failures.len())
            .finish()
    }
}

/// A command file that could not be read to its end.
#[derive(Clone, PartialEq, Eq)]
pub struct FileCommandFailure {
    /// Which file: `env`, `output` or `state` (the last part of its `github.*` name).
    pub context: &'static str,
    /// Why.
    pub error: FileCommandError,
}

impl std::fmt::Debug for FileCommandFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FileCommandFailure({})", self.context)
    }
}

impl FileCommandFailure {
    /// The two error lines that upstream logs, in order. They quote the file: mask them.
    pub fn messages(&self) -> [String; 2] {
        [format!("Unable to process file command '{}' successfully.", self.context), self.error.to_string()]
    }
}

/// Faults of the `NAME=VALUE` / `NAME<<DELIMITER` grammar, with upstream's texts. They quote what the
/// step wrote, so the text has to be masked before it is shown.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileCommandError {
    /// A line with neither `=` nor `<<`.
    #[error("Invalid format '{0}'")]
    Format(String),
    /// `<<` without a name before it or a delimiter after it.
    #[error("Invalid format '{0}'. Name must not be empty and delimiter must not be empty")]
    EmptyNameOrDelimiter(String),
    /// The file ended before the delimiter came.
    #[error("Invalid value. Matching delimiter not found '{0}'")]
    DelimiterNotFound(String),
    /// The last line of the file, inside a value, has no newline.
    #[error("Invalid value. EOF marker missing new line.")]
    MissingNewline,
}

impl std::fmt::Debug for FileCommandError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Format(_) => "Format",
            Self::EmptyNameOrDelimiter(_) => "EmptyNameOrDelimiter",
            Self::DelimiterNotFound(_) => "DelimiterNotFound",
            Self::MissingNewline => "MissingNewline",
        })
    }
}

/// Variables that no step may set for later ones, neither by file nor by `::set-env` (steps.md 5.2).
pub const BLOCKED_ENV: [&str; 1] = ["NODE_OPTIONS"];

impl FileCommands {
    /// Reads all files, in the order env, output, state, path, summary. One broken file does not keep
    /// the others from being read. `masks` serves the summary alone.
    pub fn read(&self, masks: &Masks) -> FileCommandResults {
        let mut results = FileCommandResults::default();
        let failures = &mut results.failures;
        let mut pairs = |context: &'static str, file: &Option<Vec<u8>>| {
            let (pairs, error) = parse_pairs(file.as_deref().unwrap_or_default());
            failures.extend(error.map(|error| FileCommandFailure { context, error }));
            pairs
        };
        results.env = pairs("env", &self.env);
        results.output = pairs("output", &self.output);
        results.state = pairs("state", &self.state);
        results.env.retain(|(name, _)| {
            let blocked = BLOCKED_ENV.iter().find(|blocked| blocked.eq_ignore_ascii_case(name));
            let issue =
                |blocked| format!("Can't store {blocked} output parameter using '$GITHUB_ENV' command.");
            results.issues.extend(blocked.map(issue));
            blocked.is_none()
        });
        results.path = parse_paths(self.path.as_deref().unwrap_or_default());
        match read_summary(self.summary.as_deref().unwrap_or_default(), masks) {
            Ok(summary) => results.summary = summary,
            Err(issue) => results.issues.push(issue),
        }
        results
    }
}

/// Parses the pairs of one file, up to the first error. Only `\n` ends a line (on Unix a `\r` stays in
/// the value); an empty name before `=` is kept, as upstream keeps it.
pub fn parse_pairs(bytes: &[u8]) -> (Vec<(String, String)>, Option<FileCommandError>) {
    let text = decode(bytes);
    let mut rest = &*text;
    let mut pairs = Vec::new();
    while let Some((line, _)) = take_line(&mut rest) {
        if line.is_empty() {
            continue;
        }
        match parse_pair(line, &mut rest) {
            Ok(pair) => pairs.push(pair),
            Err(error) => return (pairs, Some(error)),
        }
    }
    (pairs, None)
}

fn parse_pair(line: &str, rest: &mut &str) -> Result<(String, String), FileCommandError> {
    let (equals, heredoc) = (line.split_once('='), line.split_once("<<"));
    match (equals, heredoc) {
        (Some((name, value)), heredoc) if heredoc.is_none_or(|(before, _)| name.len() < before.len()) => {
            Ok((name.to_owned(), value.to_owned()))
        }
        (_, Some((name, delimiter))) if !name.is_empty() && !delimiter.is_empty() => {
            Ok((name.to_owned(), take_heredoc(rest, delimiter)?))
        }
        (_, Some(_)) => Err(FileCommandError::EmptyNameOrDelimiter(line.to_owned())),
        _ => Err(FileCommandError::Format(line.to_owned())),
    }
}

fn take_heredoc(rest: &mut &str, delimiter: &str) -> Result<String, FileCommandError> {
    let mut value: Option<String> = None;
    loop {
        match take_line(rest) {
            Some((line, _)) if line == delimiter => return Ok(value.unwrap_or_default()),
            None => return Err(FileCommandError::DelimiterNotFound(delimiter.to_owned())),
            Some((_, false)) => return Err(FileCommandError::MissingNewline),
            Some((line, true)) => match &mut value {
                None => value = Some(line.to_owned()),
                Some(value) => {
                    value.push('\n');
                    value.push_str(line);
                }
            },
        }
    }
}

// The next line without its `\n`, and whether it had one.
fn take_line<'t>(rest: &mut &'t str) -> Option<(&'t str, bool)> {
    if rest.is_empty() {
        return None;
    }
    match rest.split_once('\n') {
        Some((line, after)) => {
            *rest = after;
            Some((line, true))
        }
        None => Some((std::mem::take(rest), false)),
    }
}

fn parse_paths(bytes: &[u8]) -> Vec<String> {
    split_lines(&decode(bytes)).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

// `\n`, `\r\n` and a lone `\r` all end a line here; a final line end adds no empty line.
fn split_lines(text: &str) -> impl Iterator<Item = &str> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}

/// The masked summary, `None` when the file is empty, or the error text when it is too large.
fn read_summary(bytes: &[u8], masks: &Masks) -> Result<Option<String>, String> {
    if bytes.is_empty() {
        return Ok(None);
    }
    if bytes.len() > SUMMARY_BYTES {
        return Err(format!(
            "$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of {}k, got {}k. For more information see: \
             https://docs.github.com/actions/using-workflows/workflow-commands-for-github-actions#adding-a-markdown-summary",
            SUMMARY_BYTES / 1024,
            bytes.len() / 1024
        ));
    }
    let mut summary = String::with_capacity(bytes.len());
    for line in split_lines(&decode(bytes)) {
        summary.push_str(&masks.mask_text(line));
        summary.push('\n');
    }
    Ok(Some(summary))
}

/// Text of a file as .NET reads it: a byte order mark picks UTF-8 or UTF-16 and is dropped, no mark
/// means UTF-8, broken sequences become U+FFFD.
fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, _) = bytes.as_chunks::<2>();
        char::decode_utf16(pairs.iter().map(|pair| unit(*pair)))
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect::<String>()
            .into()
    };
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest),
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &str, expected: &str) {
        let (pairs, error) = parse_pairs(file.as_bytes());
        let mut shown: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        shown.extend(error.map(|error| error.to_string()));
        assert_eq!(shown.join(" | "), expected, "{file:?}");
    }

    #[test]
    fn grammar() {
        check("", "");
        check("a=b\n\nc=<<d=", r#"a="b" | c="<<d=""#);
        check("=x\n", r#"="x""#);
        check("a<<E\n1\n\n2\n\nE\nb=2", r#"a="1\n\n2\n" | b="2""#);
        check("a<<E\nE", r#"a="""#);
        check("a<<E\n\nE\n", r#"a="""#);
        check("a<<E=F\nx\nE=F\n", r#"a="x""#);
        check("a <<E \nx\nE \n", r#"a ="x""#);
        check("a<<E\r\nx\r\nE\r\n", "a=\"x\\r\"");
    }

    #[test]
    fn errors_keep_what_came_before() {
        check("a=1\nfoo\nb=2", "a=\"1\" | Invalid format 'foo'");
        check("<<E\nE", "Invalid format '<<E'. Name must not be empty and delimiter must not be empty");
        check("a<<\n", "Invalid format 'a<<'. Name must not be empty and delimiter must not be empty");
        check("a<<E\nx\n", "Invalid value. Matching delimiter not found 'E'");
        check("a<<E\nx", "Invalid value. EOF marker missing new line.");
        check("a<<E", "Invalid value. Matching delimiter not found 'E'");
    }

    #[test]
    fn byte_order_marks() {
        assert_eq!(decode(b"\xEF\xBB\xBFa=1"), "a=1");
        assert_eq!(decode(b"\xFF\xFEa\0=\x001\0"), "a=1");
        assert_eq!(decode(b"\xFE\xFF\0a\0=\x001"), "a=1");
        assert_eq!(decode(b"\xFFa"), "\u{fffd}a");
    }

    #[test]
    fn all_files_are_read_and_node_options_is_blocked() {
        let files = FileCommands {
            env: Some(b"a=1\nnode_options=--x\nb=2\nbroken".to_vec()),
            output: Some(b"o=1".to_vec()),
            state: None,
            path: Some(b"/a\r\n\n/b\r/c".to_vec()),
            summary: Some(b"# hi\r\nsecret".to_vec()),
        };
        let mut masks = Masks::default();
        masks.add("secret", crate::mask::Origin::Unnamed);
        let results = files.read(&masks);
        assert_eq!(results.env, [("a".into(), "1".into()), ("b".into(), "2".into())]);
        assert_eq!(results.output, [("o".into(), "1".into())]);
        assert_eq!(results.path, ["/a", "/b", "/c"]);
        assert_eq!(results.summary.as_deref(), Some("# hi\n***\n"));
        assert_eq!(
            results.issues,
            ["Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command."]
        );
        let messages: Vec<_> = results.failures.iter().flat_map(FileCommandFailure::messages).collect();
        assert_eq!(
            messages,
            ["Unable to process file command 'env' successfully.", "Invalid format 'broken'"]
        );
    }

    #[test]
    fn summary_limit_is_inclusive() {
        let masks = Masks::default();
        assert!(read_summary(&vec![b'a'; SUMMARY_BYTES], &masks).is_ok_and(|summary| summary.is_some()));
        let error = read_summary(&vec![b'a'; SUMMARY_BYTES + 1024], &masks).expect_err("too large");
        assert!(error.starts_with(
            "$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k, got 1025k."
        ));
    }
}
