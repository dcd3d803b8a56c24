//! A matcher's JSON, its rules and upstream's error texts (steps.md 5.3). Knows nothing of lines.

use std::sync::Arc;

use serde_json::Value;

use super::dialect::{Dialect, Pattern, PatternError};

/// Why a matcher file is refused; the texts are upstream's where it has one.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MatcherError {
    /// No JSON, or JSON of another shape.
    #[error("Invalid problem matcher file: {0}")]
    Json(String),
    /// A matcher without `owner`.
    #[error("Owner must not be empty")]
    OwnerEmpty,
    /// Two matchers of one file share an owner, letter case aside.
    #[error("Duplicate owner name '{0}'")]
    OwnerTwice(String),
    /// `severity` is none of error, warning, notice.
    #[error("Matcher '{owner}' contains unexpected default severity '{severity}'")]
    Severity {
        /// The matcher.
        owner: String,
        /// As written.
        severity: String,
    },
    /// `pattern` is empty or missing.
    #[error("Matcher '{0}' does not contain any patterns")]
    NoPattern(String),
    /// `loop` on another pattern than the last of several.
    #[error("Only the last pattern in a multiline matcher may set 'loop'")]
    LoopNotLast,
    /// `loop` without `message`.
    #[error("The loop pattern must set 'message'")]
    LoopWithoutMessage,
    /// One of the group numbers appears in two patterns.
    #[error("The property '{0}' is set twice")]
    SetTwice(&'static str),
    /// A group number that the pattern does not have.
    #[error("The property '{property}' is set to {group} which is out of range")]
    OutOfRange {
        /// The property.
        property: &'static str,
        /// As written.
        group: i64,
    },
    /// No pattern sets `message`.
    #[error("At least one pattern must set 'message'")]
    NoMessage,
    /// The `regexp` does not compile.
    #[error(transparent)]
    Pattern(#[from] PatternError),
}

/// One validated, compiled matcher. A clone is one reference count; two are equal if written alike.
#[derive(Clone)]
pub struct Matcher {
    inner: Arc<Inner>,
}

struct Inner {
    owner: String,
    severity: String,
    from_path: String,
    patterns: Vec<LinePattern>,
    source: Value,
}

/// One line of a matcher: a regex and which of its groups mean what.
#[derive(Clone)]
pub struct LinePattern {
    pub(super) regex: Pattern,
    pub(super) groups: [Option<usize>; PROPERTIES.len()],
    pub(super) repeats: bool,
}

/// The properties that a pattern can set, in upstream's order of validation.
pub(super) const PROPERTIES: [&str; 7] =
    ["file", "line", "column", "severity", "code", "message", "fromPath"];
const MESSAGE: usize = 5;

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner) || self.inner.source == other.inner.source
    }
}

impl std::fmt::Debug for Matcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Matcher({})", self.inner.owner)
    }
}

impl Matcher {
    /// Reads a matcher file: `{"problemMatcher": [...]}`, UTF-8 with or without byte order mark. A file
    /// without matchers gives an empty list.
    pub fn parse(json: &[u8]) -> Result<Vec<Self>, MatcherError> {
        let json = json.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(json);
        let value: Value =
            serde_json::from_slice(json).map_err(|error| MatcherError::Json(error.to_string()))?;
        Self::from_json(&value)
    }

    /// [`Matcher::parse`] for JSON that is parsed already.
    pub fn from_json(file: &Value) -> Result<Vec<Self>, MatcherError> {
        let mut matchers: Vec<Self> = Vec::new();
        for config in list(file, "problemMatcher")? {
            let matcher = Self::from_config(config)?;
            if matchers.iter().any(|known| known.has_owner(matcher.owner())) {
                return Err(MatcherError::OwnerTwice(matcher.owner().to_owned()));
            }
            matchers.push(matcher);
        }
        Ok(matchers)
    }

    /// The names in a matcher file, without validation: what `::remove-matcher::FILE` takes out.
    pub fn owners(json: &[u8]) -> Result<Vec<String>, MatcherError> {
        let json = json.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(json);
        let value: Value =
            serde_json::from_slice(json).map_err(|error| MatcherError::Json(error.to_string()))?;
        list(&value, "problemMatcher")?.iter().map(|config| text(config, "owner")).collect()
    }

    /// The name of the matcher.
    pub fn owner(&self) -> &str {
        &self.inner.owner
    }

    /// The matcher's own JSON, from which [`Matcher::from_json`] makes it again (inside `problemMatcher`).
    pub fn to_json(&self) -> &Value {
        &self.inner.source
    }

    pub(super) fn has_owner(&self, owner: &str) -> bool {
        // Upstream folds case ordinally.
        self.inner.owner.to_uppercase() == owner.to_uppercase()
    }

    pub(super) fn default_severity(&self) -> &str {
        &self.inner.severity
    }

    pub(super) fn default_from_path(&self) -> &str {
        &self.inner.from_path
    }

    pub(super) fn patterns(&self) -> &[LinePattern] {
        &self.inner.patterns
    }

    fn from_config(config: &Value) -> Result<Self, MatcherError> {
        let owner = text(config, "owner")?;
        if owner.is_empty() {
            return Err(MatcherError::OwnerEmpty);
        }
        let severity = text(config, "severity")?;
        if !matches!(severity.to_uppercase().as_str(), "" | "ERROR" | "WARNING" | "NOTICE") {
            return Err(MatcherError::Severity { owner, severity });
        }
        let configs = list(config, "pattern")?;
        if configs.is_empty() {
            return Err(MatcherError::NoPattern(owner));
        }
        let mut set = [false; PROPERTIES.len()];
        let last = configs.len() - 1;
        let patterns = configs
            .iter()
            .enumerate()
            .map(|(index, config)| LinePattern::from_config(config, index > 0 && index == last, &mut set))
            .collect::<Result<_, _>>()?;
        match set.get(MESSAGE) {
            Some(true) => {}
            _ => return Err(MatcherError::NoMessage),
        }
        let from_path = text(config, "fromPath")?;
        Ok(Self { inner: Arc::new(Inner { owner, severity, from_path, patterns, source: config.clone() }) })
    }
}

impl LinePattern {
    fn from_config(config: &Value, may_repeat: bool, set: &mut [bool; 7]) -> Result<Self, MatcherError> {
        let repeats = flag(config, "loop")?;
        if repeats && !may_repeat {
            return Err(MatcherError::LoopNotLast);
        }
        if repeats && number(config, "message")?.is_none() {
            return Err(MatcherError::LoopWithoutMessage);
        }
        let regex = Pattern::new(&text(config, "regexp")?, Dialect::EcmaScript)?;
        let mut groups = [None; PROPERTIES.len()];
        for ((property, group), set) in PROPERTIES.into_iter().zip(&mut groups).zip(set) {
            let Some(wanted) = number(config, property)? else { continue };
            if std::mem::replace(set, true) {
                return Err(MatcherError::SetTwice(property));
            }
            let in_range = usize::try_from(wanted).ok().filter(|wanted| *wanted < regex.group_count());
            *group = Some(in_range.ok_or(MatcherError::OutOfRange { property, group: wanted })?);
        }
        Ok(Self { regex, groups, repeats })
    }
}

// Names match without letter case if not exactly, and texts may stand for numbers and booleans, as with
// upstream's JSON reader.
fn property<'v>(config: &'v Value, name: &str) -> Result<&'v Value, MatcherError> {
    let Value::Object(object) = config else {
        return Err(MatcherError::Json(format!("expected an object with '{name}'")));
    };
    let folded = || object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    Ok(object.get(name).or_else(folded).unwrap_or(&Value::Null))
}

fn list<'v>(config: &'v Value, name: &str) -> Result<&'v [Value], MatcherError> {
    match property(config, name)? {
        Value::Null => Ok(&[]),
        Value::Array(list) => Ok(list),
        _ => Err(MatcherError::Json(format!("'{name}' must be a list"))),
    }
}

fn text(config: &Value, name: &str) -> Result<String, MatcherError> {
    match property(config, name)? {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(MatcherError::Json(format!("'{name}' must be a text"))),
    }
}

fn number(config: &Value, name: &str) -> Result<Option<i64>, MatcherError> {
    let number = match property(config, name)? {
        Value::Null => return Ok(None),
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.map(Some).ok_or_else(|| MatcherError::Json(format!("'{name}' must be a whole number")))
}

fn flag(config: &Value, name: &str) -> Result<bool, MatcherError> {
    match property(config, name)? {
        Value::Null => Ok(false),
        Value::Bool(flag) => Ok(*flag),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        Value::Number(number) => Ok(number.as_i64() != Some(0)),
        _ => Err(MatcherError::Json(format!("'{name}' must be true or false"))),
    }
}
