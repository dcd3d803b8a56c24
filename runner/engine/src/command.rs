//! One workflow command: `::name k=v::data` (V2) or `##[name k=v;]data` (V1), and its escapes.
//! Knows the two notations, not what any command does nor which ones may run (steps.md 5.1).

/// Names that every step may use; `stop-commands` adds its token while it is in force.
pub const REGISTERED: [&str; 15] = [
    "add-mask",
    "add-matcher",
    "add-path",
    "debug",
    "echo",
    "endgroup",
    "error",
    "group",
    "notice",
    "remove-matcher",
    "save-state",
    "set-env",
    "set-output",
    "stop-commands",
    "warning",
];

/// Whether `name` is one of [`REGISTERED`], in any letter case.
pub fn is_registered(name: &str) -> bool {
    REGISTERED.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// A parsed command. Escapes are resolved; nothing is validated and nothing is masked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorkflowCommand {
    /// As written by the step; compare without letter case.
    pub name: String,
    /// The `k=v` pairs between name and data. Pairs with an empty key or value are not there.
    pub properties: Properties,
    /// Everything after the second `::` (V2) or the `]` (V1); may hold newlines.
    pub data: String,
}

impl WorkflowCommand {
    /// Parses one line, V2 first. `registered` says which names count: a line with another name is
    /// plain output and gives `None`. V2 must start the line (white space aside); V1 may stand
    /// anywhere, and only its first `##[` is looked at.
    pub fn parse(line: &str, registered: impl Fn(&str) -> bool) -> Option<Self> {
        parse_v2(line, &registered).or_else(|| parse_v1(line, &registered))
    }
}

/// A command's properties: written order, keys without letter case, the last value of a key wins.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Properties(Vec<(String, String)>);

impl Properties {
    /// The value of `key`; never an empty text.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(key)).map(|(_, value)| value.as_str())
    }

    /// All pairs in the order in which their keys first appeared.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Number of distinct keys.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the command had no usable property.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn set(&mut self, key: &str, value: String) {
        match self.0.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(key)) {
            Some((_, old)) => *old = value,
            None => self.0.push((key.to_owned(), value)),
        }
    }

    fn parse(text: &str, separator: char, escapes: &[(&str, &str)]) -> Self {
        let mut properties = Self::default();
        for part in text.split(separator) {
            let part = part.trim_start_matches('=');
            let Some((key, value)) = part.split_once('=') else { continue };
            let value = value.trim_start_matches('=');
            if !value.is_empty() {
                properties.set(key, unescape(value, escapes));
            }
        }
        properties
    }
}

const V2_DATA: [(&str, &str); 3] = [("%0D", "\r"), ("%0A", "\n"), ("%25", "%")];
const V2_PROPERTY: [(&str, &str); 5] =
    [("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")];
const V1: [(&str, &str); 5] = [("%3B", ";"), ("%0D", "\r"), ("%0A", "\n"), ("%5D", "]"), ("%25", "%")];

// One escape after the other over the whole text, `%25` last, as upstream does: `%253B` must give `%3B`.
fn unescape(text: &str, escapes: &[(&str, &str)]) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    escapes.iter().fold(
        text.to_owned(),
        |text, (from, to)| {
            if text.contains(from) { text.replace(from, to) } else { text }
        },
    )
}

fn split_name(info: &str) -> (&str, &str) {
    info.split_once(' ').unwrap_or((info, ""))
}

fn parse_v2(line: &str, registered: &impl Fn(&str) -> bool) -> Option<WorkflowCommand> {
    let (info, data) = line.trim_start().strip_prefix("::")?.split_once("::")?;
    let (name, properties) = split_name(info);
    registered(name).then(|| WorkflowCommand {
        name: name.to_owned(),
        properties: Properties::parse(properties.trim(), ',', &V2_PROPERTY),
        data: unescape(data, &V2_DATA),
    })
}

fn parse_v1(line: &str, registered: &impl Fn(&str) -> bool) -> Option<WorkflowCommand> {
    let (_, rest) = line.split_once("##[")?;
    let (info, data) = rest.split_once(']')?;
    let (name, properties) = split_name(info);
    registered(name).then(|| WorkflowCommand {
        name: name.to_owned(),
        properties: Properties::parse(properties, ';', &V1),
        data: unescape(data, &V1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(line: &str) -> String {
        match WorkflowCommand::parse(line, is_registered) {
            None => "plain".to_owned(),
            Some(command) => {
                let properties: Vec<_> = command.properties.iter().map(|(k, v)| format!("{k}={v}")).collect();
                format!("{} [{}] {:?}", command.name, properties.join("|"), command.data)
            }
        }
    }

    fn check(line: &str, expected: &str) {
        assert_eq!(show(line), expected, "{line:?}");
    }

    #[test]
    fn v2() {
        check("::error file=a.rs,line=3::no%0Agood", r#"error [file=a.rs|line=3] "no\ngood""#);
        check("\u{a0} \t::ERROR::x", r#"ERROR [] "x""#);
        check("x ::error::x", "plain");
        check("::error::", r#"error [] """#);
        check("::error:", "plain");
        check("::::x", "plain");
        check(":: error::x", "plain");
        check("::nonsense::x", "plain");
        check("::error title=a,TITLE=b::a::b", r#"error [title=b] "a::b""#);
        check("::error title==b=,=line=3::", r#"error [title=b=|line=3] """#);
    }

    #[test]
    fn escapes_are_resolved_once() {
        check("::error title=%252C%2C%3A::%250A%0D%3A", r#"error [title=%2C,:] "%0A\r%3A""#);
        check("##[error a=%255D;b=%5D]%253B%3B", r#"error [a=%5D|b=]] "%3B;""#);
    }

    #[test]
    fn v1_anywhere_but_first_only() {
        check("x ##[error]y", r#"error [] "y""#);
        check("x ##[no]##[error]y", "plain");
        check("::no::##[error]y", r#"error [] "y""#);
        check("##[error", "plain");
    }
}
