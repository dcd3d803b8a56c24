//! One path segment of a glob pattern: `*`, `?`, `[…]` and backslash, as minimatch reads them without braces and
//! extended globs.
//!
//! Knows one name; not paths, `**` or files.

/// What a segment of a pattern asks of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// `**`: any number of segments, also none.
    Globstar,
    /// Exactly this name.
    Literal(String),
    /// Something with wildcards.
    Glob(Vec<Token>),
}

/// One place of a wildcard segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// This character.
    Char(char),
    /// `?`
    One,
    /// `*`
    Many,
    /// `[…]`
    Class(Class),
}

/// A set of characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Class {
    negated: bool,
    ranges: Vec<(char, char)>,
}

impl Segment {
    pub(super) fn parse(text: &str) -> Self {
        if text == "**" {
            return Self::Globstar;
        }
        let tokens = tokens(&text.chars().collect::<Vec<_>>());
        let literal = |token: &Token| if let Token::Char(c) = token { Some(*c) } else { None };
        match tokens.iter().map(literal).collect::<Option<String>>() {
            Some(text) => Self::Literal(text),
            None => Self::Glob(tokens),
        }
    }

    /// Whether a name fits; `**` fits every name here.
    pub(super) fn fits(&self, name: &str) -> bool {
        match self {
            Self::Globstar => true,
            Self::Literal(text) => text == name,
            // Wildcards never stand for these two, nor for nothing at all.
            Self::Glob(_) if matches!(name, "" | "." | "..") => false,
            Self::Glob(tokens) => tokens_fit(tokens, &name.chars().collect::<Vec<_>>()),
        }
    }
}

/// The one name that a segment stands for as far as `@actions/glob` looks: it takes a set of one character for that character,
/// whichever it is, and does not know that `]` may stand first. `None`: it has a wildcard.
pub(super) fn literal(text: &str) -> Option<String> {
    let text: Vec<char> = text.chars().collect();
    let mut literal = String::new();
    let mut rest = text.as_slice();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            ('\\', [escaped, after @ ..]) => {
                literal.push(*escaped);
                rest = after;
            }
            ('*' | '?', _) => return None,
            ('[', _) => match simple_set(after) {
                Some((set, _)) if set.len() > 1 => return None,
                Some((set, after)) if !set.is_empty() => {
                    literal.extend(set);
                    rest = after;
                }
                _ => literal.push('['),
            },
            (other, _) => literal.push(*other),
        }
    }
    Some(literal).filter(|literal| !literal.is_empty())
}

/// What stands up to the first `]`, and what follows it.
fn simple_set(text: &[char]) -> Option<(Vec<char>, &[char])> {
    let mut set = Vec::new();
    let mut rest = text;
    loop {
        match rest {
            [']', after @ ..] => return Some((set, after)),
            ['\\', escaped, after @ ..] => {
                set.push(*escaped);
                rest = after;
            }
            [c, after @ ..] => {
                set.push(*c);
                rest = after;
            }
            [] => return None,
        }
    }
}

fn tokens(text: &[char]) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            '*' => tokens.push(Token::Many),
            '?' => tokens.push(Token::One),
            '\\' => match after.split_first() {
                Some((escaped, after)) => {
                    tokens.push(Token::Char(*escaped));
                    rest = after;
                }
                None => tokens.push(Token::Char('\\')),
            },
            '[' => match class(after) {
                Some((class, after)) => {
                    tokens.push(Token::Class(class));
                    rest = after;
                }
                None => tokens.push(Token::Char('[')),
            },
            other => tokens.push(Token::Char(*other)),
        }
    }
    tokens
}

/// The set after a `[` and what follows its `]`; `None` when it is not closed or a range in it runs backwards, which both
/// make the bracket an ordinary character.
fn class(text: &[char]) -> Option<(Class, &[char])> {
    let negated = matches!(text.first(), Some('!' | '^'));
    let mut rest = if negated { text.get(1..)? } else { text };
    let mut characters: Vec<(char, bool)> = Vec::new();
    loop {
        let (first, after) = rest.split_first()?;
        rest = after;
        match first {
            // Right behind the bracket it stands for itself; behind a `!` it closes.
            ']' if !characters.is_empty() || negated => break,
            '\\' => {
                let (escaped, after) = rest.split_first()?;
                characters.push((*escaped, true));
                rest = after;
            }
            other => characters.push((*other, false)),
        }
    }
    Some((Class { negated, ranges: ranges(&characters)? }, rest))
}

fn ranges(characters: &[(char, bool)]) -> Option<Vec<(char, char)>> {
    let mut ranges = Vec::new();
    let mut rest = characters;
    while let Some(((from, _), after)) = rest.split_first() {
        if let [('-', false), (to, _), after @ ..] = after {
            if from > to {
                return None;
            }
            ranges.push((*from, *to));
            rest = after;
        } else {
            ranges.push((*from, *from));
            rest = after;
        }
    }
    Some(ranges)
}

impl Class {
    fn contains(&self, c: char) -> bool {
        self.ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != self.negated
    }
}

/// Goes back only to the last `*`, so that no pattern takes more than the product of both lengths.
fn tokens_fit(tokens: &[Token], name: &[char]) -> bool {
    let (mut at_token, mut at_name) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let fits = match (tokens.get(at_token), name.get(at_name)) {
            (None, None) => return true,
            (Some(Token::Many), _) => {
                at_token += 1;
                retry = Some((at_token, at_name));
                continue;
            }
            (Some(Token::Char(wanted)), Some(c)) => wanted == c,
            (Some(Token::One), Some(_)) => true,
            (Some(Token::Class(class)), Some(c)) => class.contains(*c),
            _ => false,
        };
        if fits {
            at_token += 1;
            at_name += 1;
            continue;
        }
        match retry {
            Some((token, start)) if start < name.len() => {
                retry = Some((token, start + 1));
                (at_token, at_name) = (token, start + 1);
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, fitting: &[&str], others: &[&str]) {
        let segment = Segment::parse(pattern);
        for name in fitting {
            assert!(segment.fits(name), "{pattern} should fit {name}");
        }
        for name in others {
            assert!(!segment.fits(name), "{pattern} should not fit {name}");
        }
    }

    #[test]
    fn wildcards() {
        check("*", &["a", ".a", "a.b"], &["", ".", ".."]);
        check("*.lock", &["Cargo.lock", ".lock"], &["Cargo.lock.bak", "lock"]);
        check("a*b*c", &["abc", "axbybzc"], &["ab", "acb"]);
        check("?.js", &["a.js", "é.js"], &["ab.js", ".js"]);
        check("***", &["a"], &[""]);
    }

    #[test]
    fn sets() {
        check("[a-c]x", &["ax", "cx"], &["dx", "x"]);
        check("[!a-c]x", &["dx"], &["ax"]);
        check("[^a]x", &["bx"], &["ax"]);
        check("[]a]x", &["]x", "ax"], &["bx"]);
        check("[a-]x", &["-x", "ax"], &["bx"]);
        check("[!]", &["a"], &[""]);
        check("[z-a]", &["[z-a]"], &["z"]);
        check("[abc", &["[abc"], &["a"]);
    }

    #[test]
    fn braces_and_extended_globs_are_plain() {
        check("{a,b}", &["{a,b}"], &["a"]);
        check("+(a)", &["+(a)"], &["a"]);
        check(r"\*", &["*"], &["a"]);
        check(r"a\[b\]", &["a[b]"], &["ab"]);
    }
}
