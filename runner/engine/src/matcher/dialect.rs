//! .NET regular expressions on the regex crate: rewrites what the two write differently, falls back to a
//! backtracking engine for look-around and back-references. Knows nothing of matchers or masks.

use std::ops::Range;

use crate::limits::MATCHER_BACKTRACK_STEPS;

/// Which .NET options a pattern is compiled with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// `RegexOptions.ECMAScript`, as problem matchers are: `\d`, `\w`, `\s`, `\b` mean ASCII.
    EcmaScript,
    /// No options, as mask hints are: those classes mean Unicode.
    DotNet,
}

/// A pattern that neither engine takes.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("invalid pattern '{pattern}': {reason}")]
pub struct PatternError {
    /// As given.
    pub pattern: String,
    /// The engine's words.
    pub reason: String,
}

/// A search took more than [`MATCHER_BACKTRACK_STEPS`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the pattern takes too long on this line")]
pub struct TooSlow;

/// A compiled pattern; a clone is cheap.
#[derive(Clone)]
pub struct Pattern {
    engine: Engine,
    // .NET numbers unnamed groups first; entry n is the engine's number of .NET's group n.
    groups: Vec<usize>,
}

#[derive(Clone)]
enum Engine {
    Linear(regex::Regex),
    Backtracking(fancy_regex::Regex),
}

impl Pattern {
    /// Compiles `pattern`; with the linear engine if that can.
    pub fn new(pattern: &str, dialect: Dialect) -> Result<Self, PatternError> {
        let linear = regex::Regex::new(&translate(pattern, dialect, true));
        let engine = match linear {
            Ok(regex) => Engine::Linear(regex),
            Err(_) => fancy_regex::RegexBuilder::new(&translate(pattern, dialect, false))
                .backtrack_limit(MATCHER_BACKTRACK_STEPS)
                .build()
                .map(Engine::Backtracking)
                .map_err(|error| PatternError { pattern: pattern.to_owned(), reason: error.to_string() })?,
        };
        let groups = match &engine {
            Engine::Linear(regex) => number_groups(regex.capture_names()),
            Engine::Backtracking(regex) => number_groups(regex.capture_names()),
        };
        Ok(Self { engine, groups })
    }

    /// Number of groups, group 0 (the whole match) included.
    pub fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// The leftmost match that starts at or after byte `from`. A search that takes too long finds nothing.
    pub fn find_from(&self, text: &str, from: usize) -> Option<Range<usize>> {
        if from > text.len() {
            return None;
        }
        match &self.engine {
            Engine::Linear(regex) => regex.find_at(text, from).map(|found| found.range()),
            Engine::Backtracking(regex) => {
                regex.find_from_pos(text, from).ok().flatten().map(|found| found.range())
            }
        }
    }

    /// The texts of all groups of the first match, in .NET's numbering; a group that took no part is empty.
    pub fn captures<'t>(&self, text: &'t str) -> Result<Option<Vec<&'t str>>, TooSlow> {
        let order = self.groups.iter();
        Ok(match &self.engine {
            // Nearly all lines match nothing, and capturing allocates before it searches.
            Engine::Linear(regex) if !regex.is_match(text) => None,
            Engine::Linear(regex) => regex.captures(text).map(|found| {
                order.map(|&group| found.get(group).map_or("", |group| group.as_str())).collect()
            }),
            Engine::Backtracking(regex) => regex.captures(text).map_err(|_| TooSlow)?.map(|found| {
                order.map(|&group| found.get(group).map_or("", |group| group.as_str())).collect()
            }),
        })
    }
}

fn number_groups<'n>(names: impl Iterator<Item = Option<&'n str>>) -> Vec<usize> {
    let (named, unnamed): (Vec<_>, Vec<_>) = names.enumerate().partition(|(_, name)| name.is_some());
    unnamed.into_iter().chain(named).map(|(number, _)| number).collect()
}

fn translate(pattern: &str, dialect: Dialect, linear: bool) -> String {
    let mut translation =
        Translation { rest: pattern, out: String::with_capacity(pattern.len() + 16), dialect, linear };
    while let Some(next) = translation.next() {
        translation.outside(next);
    }
    translation.out
}

struct Translation<'p> {
    rest: &'p str,
    out: String,
    dialect: Dialect,
    linear: bool,
}

// One member of a character class.
enum Atom {
    Char(u32),
    Set(&'static str),
    Raw(String),
}

impl Translation<'_> {
    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next();
        self.rest = chars.as_str();
        next
    }

    fn skip(&mut self, prefix: &str) -> bool {
        let rest = self.rest.strip_prefix(prefix);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn outside(&mut self, next: char) {
        match next {
            '\\' => match self.escape(false) {
                Atom::Char(code) => self.literal(code),
                Atom::Set(set) => {
                    self.out.push('[');
                    self.out.push_str(set);
                    self.out.push(']');
                }
                Atom::Raw(raw) => self.out.push_str(&raw),
            },
            '[' => self.class(),
            '{' => self.brace(),
            '}' | ']' => self.literal(u32::from(next)),
            '(' if self.skip("?#") => {
                self.rest = self.rest.split_once(')').map_or("", |(_, after)| after);
            }
            '(' if self.skip("?'") => self.quoted_name(),
            other => self.out.push(other),
        }
    }

    // One that opens no quantifier stands for itself.
    fn brace(&mut self) {
        let Some(length) = quantifier_len(self.rest) else { return self.out.push_str("\\{") };
        let (quantifier, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.out.push('{');
        self.out.push_str(quantifier);
        self.rest = rest;
    }

    fn quoted_name(&mut self) {
        let (name, rest) = self.rest.split_once('\'').unwrap_or((self.rest, ""));
        self.out.push_str(&format!("(?<{name}>"));
        self.rest = rest;
    }

    fn escape(&mut self, in_class: bool) -> Atom {
        let ascii = self.dialect == Dialect::EcmaScript;
        let Some(next) = self.next() else { return Atom::Raw("\\".to_owned()) };
        match next {
            'd' if ascii => Atom::Set("0-9"),
            'D' if ascii => Atom::Set("[^0-9]"),
            'w' if ascii => Atom::Set("0-9A-Za-z_"),
            'W' if ascii => Atom::Set("[^0-9A-Za-z_]"),
            's' if ascii => Atom::Set("\\t-\\r\\x20"),
            'S' if ascii => Atom::Set("[^\\t-\\r\\x20]"),
            'b' if in_class => Atom::Char(8),
            'b' if ascii && self.linear => Atom::Raw("(?-u:\\b)".to_owned()),
            'Z' => Atom::Raw("\\z".to_owned()),
            'u' => self.hex(4, next),
            'x' => self.hex(2, next),
            'c' => Atom::Char(self.next().map_or(0, |letter| u32::from(letter.to_ascii_uppercase()) & 0x1F)),
            'e' => Atom::Char(0x1B),
            'a' => Atom::Char(7),
            'f' => Atom::Char(12),
            'n' => Atom::Char(10),
            'r' => Atom::Char(13),
            't' => Atom::Char(9),
            'v' => Atom::Char(11),
            '0' => self.octal(),
            other if other.is_ascii_alphanumeric() => Atom::Raw(format!("\\{other}")),
            other => Atom::Char(u32::from(other)),
        }
    }

    fn hex(&mut self, digits: usize, letter: char) -> Atom {
        let code = self.rest.split_at_checked(digits).and_then(|(text, rest)| {
            let code = u32::from_str_radix(text, 16).ok()?;
            self.rest = rest;
            Some(code)
        });
        match code {
            Some(high @ 0xD800..=0xDBFF) => match self.low_surrogate() {
                Some(low) => Atom::Char(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)),
                None => Atom::Char(high),
            },
            Some(code) => Atom::Char(code),
            None => Atom::Raw(format!("\\{letter}")),
        }
    }

    fn low_surrogate(&mut self) -> Option<u32> {
        let (digits, rest) = self.rest.strip_prefix("\\u")?.split_at_checked(4)?;
        let low = u32::from_str_radix(digits, 16).ok().filter(|low| (0xDC00..0xE000).contains(low))?;
        self.rest = rest;
        Some(low)
    }

    fn octal(&mut self) -> Atom {
        let mut code = 0;
        for _ in 0..2 {
            let Some(digit) = self.rest.chars().next().and_then(|digit| digit.to_digit(8)) else { break };
            code = code * 8 + digit;
            self.next();
        }
        Atom::Char(code)
    }

    fn literal(&mut self, code: u32) {
        match char::from_u32(code) {
            Some(c) if c.is_alphanumeric() => self.out.push(c),
            // A lone surrogate cannot be in the text; in lossy text it is U+FFFD.
            code => self
                .out
                .push_str(&format!("\\x{{{:X}}}", u32::from(code.unwrap_or(char::REPLACEMENT_CHARACTER)))),
        }
    }

    fn class(&mut self) {
        self.out.push('[');
        if self.skip("^") {
            self.out.push('^');
        }
        let mut first = true;
        while let Some(atom) = self.class_atom(first) {
            first = false;
            match atom {
                Atom::Char(start) => self.class_range(start),
                Atom::Set(set) => self.out.push_str(set),
                Atom::Raw(raw) => self.out.push_str(&raw),
            }
        }
        self.out.push(']');
    }

    // A `]` that comes first is a member.
    fn class_atom(&mut self, first: bool) -> Option<Atom> {
        match self.next()? {
            ']' if !first => None,
            '\\' => Some(self.escape(true)),
            other => Some(Atom::Char(u32::from(other))),
        }
    }

    fn class_range(&mut self, start: u32) {
        let before = self.rest;
        let end =
            if self.skip("-") && !self.rest.starts_with([']', '[']) { self.class_atom(true) } else { None };
        match end {
            Some(Atom::Char(end)) => {
                // Surrogates are no characters here; a range that touches them shrinks to what is.
                let start = if (0xD800..0xE000).contains(&start) { 0xE000 } else { start };
                let end = if (0xD800..0xE000).contains(&end) { 0xD7FF } else { end };
                if start <= end {
                    self.literal(start);
                    self.out.push('-');
                    self.literal(end);
                }
            }
            _ => {
                self.rest = before;
                self.literal(start);
            }
        }
    }
}

// Length of `n}`, `n,}` or `n,m}`.
fn quantifier_len(rest: &str) -> Option<usize> {
    let (body, _) = rest.split_once('}')?;
    let (least, most) = body.split_once(',').unwrap_or((body, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (!least.is_empty() && digits(least) && digits(most)).then_some(body.len() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, text: &str, expected: &[&str]) {
        let compiled = Pattern::new(pattern, Dialect::EcmaScript).expect("compiles");
        let found = compiled.captures(text).expect("fast").unwrap_or_default();
        assert_eq!(found, expected, "{pattern:?} on {text:?}");
    }

    #[test]
    fn classes_are_ascii() {
        check(r"^\d+$", "12", &["12"]);
        check(r"^\d+$", "١٢", &[]);
        check(r"^[\w\-.]+", "a-b.cé", &["a-b.c"]);
        check(r"^[\W]", "é", &["é"]);
        check(r"\bé", "xé", &["é"]);
        check(r"[^\S]x", " x", &[" x"]);
    }

    #[test]
    fn literal_brackets_braces_and_set_operators() {
        check(r"a{b}", "a{b}", &["a{b}"]);
        check(r"a{2,}", "aaa", &["aaa"]);
        check(r"[[&&~~x-]+", "[&~-x", &["[&~-x"]);
        check(r"[]a]+", "]a", &["]a"]);
        check(r"[a-]+", "-a", &["-a"]);
        check(r"[\d-x]+", "1-x", &["1-x"]);
        check(r"\<\_\ \/", "<_ /", &["<_ /"]);
        check(r"(?#note)a", "a", &["a"]);
    }

    #[test]
    fn code_points() {
        check(r"[\u00A0-\uD7FF]", "é", &["é"]);
        check(r"\uD83D\uDE00", "😀", &["😀"]);
        check(r"\x41\cJ?\0?\011?", "A", &["A"]);
    }

    #[test]
    fn named_groups_come_last() {
        check(r"(?<n>a)(b)", "ab", &["ab", "b", "a"]);
        check(r"(?'n'a)(b)?", "a", &["a", "", "a"]);
    }

    #[test]
    fn look_around_and_back_references_fall_back() {
        check(r"(?<=x)(a)\1(?!b)", "xaa", &["aa", "a"]);
        assert!(Pattern::new("(", Dialect::EcmaScript).is_err());
        let slow = Pattern::new(r"^(?=(a+)+$)b", Dialect::EcmaScript).expect("compiles");
        assert!(slow.captures(&"a".repeat(40).replace("$", "")).is_ok_and(|found| found.is_none()));
        let endless = Pattern::new(r"^(a|a|aa)+\1b(?!c)$", Dialect::EcmaScript).expect("compiles");
        assert_eq!(endless.captures(&"a".repeat(60)), Err(TooSlow));
    }
}
