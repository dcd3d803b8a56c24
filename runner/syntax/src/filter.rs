//! Filter patterns of `on.<event>.branches`, `tags` and `paths`, and of their `-ignore` forms.
//! It does not know events, refs or changed files: it is given patterns and names.
//!
//! `*` is any text without `/`, `**` any text, `**/` any folders or none; `?` and `+` make the character
//! before them optional or repeated; `[a-c1]` is one of them; `\` takes the next character as it is; `!` in
//! front takes back what earlier patterns selected.

use std::ops::RangeInclusive;

/// A pattern that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct FilterError {
    /// What is wrong.
    pub text: String,
    /// Where in the pattern, 0-based in bytes.
    pub offset: usize,
}

/// One pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterPattern {
    steps: Vec<Step>,
    negative: bool,
}

/// The patterns of one key, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    patterns: Vec<FilterPattern>,
}

/// One character's worth of pattern. Places in a pattern are counted in steps, so that matching keeps a set of
/// places and never goes back.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    class: Class,
    /// Whether further characters of the class stay here.
    repeats: bool,
    /// How many steps may be left out from here; 0 when this one must match.
    skips: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Class {
    Any,
    NotSlash,
    OneOf(Vec<RangeInclusive<char>>),
}

impl Class {
    fn just(c: char) -> Class {
        Class::OneOf(vec![c..=c])
    }

    fn has(&self, c: char) -> bool {
        match self {
            Class::Any => true,
            Class::NotSlash => c != '/',
            Class::OneOf(ranges) => ranges.iter().any(|range| range.contains(&c)),
        }
    }
}

impl FilterPattern {
    /// Parses one pattern.
    ///
    /// # Errors
    /// Brackets that are empty, open or hold something else than letters, digits and ranges of them; a `\` at
    /// the end.
    pub fn parse(text: &str) -> Result<FilterPattern, FilterError> {
        let (negative, body) = match text.strip_prefix('!') {
            Some(body) => (true, body),
            None => (false, text),
        };
        let mut parser = Parser { text, at: text.len() - body.len(), steps: Vec::new() };
        parser.run()?;
        Ok(FilterPattern { steps: parser.steps, negative })
    }

    /// Whether it starts with `!`.
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// Whether the whole of `name` fits, whatever a `!` in front means for it. Letters mind their case.
    pub fn fits(&self, name: &str) -> bool {
        let mut places = vec![false; self.steps.len() + 1];
        if let Some(start) = places.first_mut() {
            *start = true;
        }
        self.spread(&mut places);
        for c in name.chars() {
            let mut next = vec![false; places.len()];
            for (place, step) in self.steps.iter().enumerate() {
                if places.get(place) == Some(&true) && step.class.has(c) {
                    mark(&mut next, if step.repeats { place } else { place + 1 });
                }
            }
            self.spread(&mut next);
            places = next;
        }
        places.last() == Some(&true)
    }

    /// Marks what can be reached without a character; that is always further on.
    fn spread(&self, places: &mut [bool]) {
        for (place, step) in self.steps.iter().enumerate() {
            if places.get(place) == Some(&true) {
                if step.skips > 0 {
                    mark(places, place + step.skips);
                }
                if step.repeats {
                    mark(places, place + 1);
                }
            }
        }
    }
}

fn mark(places: &mut [bool], place: usize) {
    if let Some(reached) = places.get_mut(place) {
        *reached = true;
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    steps: Vec<Step>,
}

impl Parser<'_> {
    fn run(&mut self) -> Result<(), FilterError> {
        while let Some(c) = self.next() {
            match c {
                '*' if self.eat("*/") => self.folders(),
                '*' if self.eat("*") => self.any_number(Class::Any),
                '*' => self.any_number(Class::NotSlash),
                '?' if !self.steps.is_empty() => self.make_optional(),
                '+' if !self.steps.is_empty() => self.make_repeated(),
                '[' => self.brackets()?,
                '\\' => match self.next() {
                    Some(c) => self.one(Class::just(c)),
                    None => return Err(self.error("Missing symbol after \\")),
                },
                c => self.one(Class::just(c)),
            }
        }
        Ok(())
    }

    fn next(&mut self) -> Option<char> {
        let c = self.text.get(self.at..)?.chars().next()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn eat(&mut self, wanted: &str) -> bool {
        let found = self.text.get(self.at..).is_some_and(|rest| rest.starts_with(wanted));
        self.at += if found { wanted.len() } else { 0 };
        found
    }

    fn error(&self, text: &str) -> FilterError {
        FilterError { text: text.to_owned(), offset: self.at }
    }

    fn one(&mut self, class: Class) {
        self.steps.push(Step { class, repeats: false, skips: 0 });
    }

    /// A step that repeats may also be left out; see `spread`.
    fn any_number(&mut self, class: Class) {
        self.steps.push(Step { class, repeats: true, skips: 0 });
    }

    /// At least one character and a slash, all of which may be left out.
    fn folders(&mut self) {
        self.steps.push(Step { class: Class::Any, repeats: false, skips: 3 });
        self.any_number(Class::Any);
        self.one(Class::just('/'));
    }

    fn make_optional(&mut self) {
        if let Some(last) = self.steps.last_mut() {
            last.skips = 1;
        }
    }

    fn make_repeated(&mut self) {
        if let Some(last) = self.steps.last().filter(|last| !last.repeats) {
            let class = last.class.clone();
            self.any_number(class);
        }
    }

    fn brackets(&mut self) -> Result<(), FilterError> {
        let mut ranges: Vec<RangeInclusive<char>> = Vec::new();
        loop {
            match self.next() {
                Some(']') if ranges.is_empty() => return Err(self.error("Unexpected empty brackets '[]'")),
                Some(']') => break,
                Some('-') => {
                    let range = self.range(ranges.pop())?;
                    ranges.push(range);
                }
                Some(c) if c.is_ascii_alphanumeric() => ranges.push(c..=c),
                Some(_) => return Err(self.error("Brackets can only hold a-z, A-Z and 0-9")),
                None => return Err(self.error("Missing closing bracket ']' after '['")),
            }
        }
        self.one(Class::OneOf(ranges));
        Ok(())
    }

    /// The range from a single character to the next one.
    fn range(&mut self, from: Option<RangeInclusive<char>>) -> Result<RangeInclusive<char>, FilterError> {
        let (Some(from), Some(end)) = (from, self.next()) else { return Err(self.error("Invalid range")) };
        let start = *from.start();
        let digits = start.is_ascii_digit() && end.is_ascii_digit();
        let letters = start.is_ascii_alphabetic() && end.is_ascii_alphabetic();
        if start != *from.end() || start > end || !(digits || letters) {
            return Err(self.error("Ranges can only include a-z, A-Z, A-z, and 0-9"));
        }
        Ok(start..=end)
    }
}

impl Filter {
    /// Parses the patterns of one key.
    ///
    /// # Errors
    /// The first pattern that is none, with its number counted from 0.
    pub fn parse<'p>(patterns: impl IntoIterator<Item = &'p str>) -> Result<Filter, (usize, FilterError)> {
        let parse = |(number, text)| FilterPattern::parse(text).map_err(|error| (number, error));
        let patterns = patterns.into_iter().enumerate().map(parse).collect::<Result<_, _>>()?;
        Ok(Filter { patterns })
    }

    /// Whether the last pattern that `name` fits selects it.
    pub fn selects(&self, name: &str) -> bool {
        self.patterns.iter().rev().find(|pattern| pattern.fits(name)).is_some_and(|pattern| !pattern.negative)
    }

    /// `branches`, `tags`, `paths`: whether at least one of `names` is selected; without patterns always.
    pub fn lets_in(&self, names: &[&str]) -> bool {
        self.patterns.is_empty() || names.iter().any(|name| self.selects(name))
    }

    /// `branches-ignore`, `tags-ignore`, `paths-ignore`: whether every one of `names` is ignored; without
    /// patterns never. Here a pattern with `!` ignores what it does not fit.
    pub fn ignores_all(&self, names: &[&str]) -> bool {
        let ignores =
            |name: &&str| self.patterns.iter().any(|pattern| pattern.fits(name) != pattern.negative);
        !self.patterns.is_empty() && names.iter().all(ignores)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, name: &str, fits: bool) {
        assert_eq!(FilterPattern::parse(pattern).unwrap().fits(name), fits, "{pattern} {name}");
    }

    #[test]
    fn stars_and_folders() {
        check("*", "a/b", false);
        check("**", "a/b", true);
        check("**/a.md", "a.md", true);
        check("**/a.md", "x/y/a.md", true);
        check("**/a.md", "xa.md", false);
        check("**/a.md", "/a.md", false);
        check("docs/**/*.md", "docs/a.md", true);
        check("", "", true);
    }

    #[test]
    fn characters_and_their_number() {
        check("a?b", "b", true);
        check("a?b", "aab", false);
        check("v[12].[0-9]+", "v1.10", true);
        check("v[12].[0-9]+", "v1.", false);
        check("v[12].[0-9]+", "v3.1", false);
        check("\\*\\!", "*!", true);
        check("?a", "?a", true);
        check("Main", "main", false);
    }

    #[test]
    fn no_pattern() {
        for (pattern, text) in [
            ("[]", "Unexpected empty brackets '[]'"),
            ("[a", "Missing closing bracket ']' after '['"),
            ("[a-", "Invalid range"),
            ("[z-a]", "Ranges can only include a-z, A-Z, A-z, and 0-9"),
            ("[/]", "Brackets can only hold a-z, A-Z and 0-9"),
            ("a\\", "Missing symbol after \\"),
        ] {
            assert_eq!(FilterPattern::parse(pattern).unwrap_err().text, text, "{pattern}");
        }
        assert_eq!(Filter::parse(["a", "[]"]).unwrap_err().0, 1);
    }

    #[test]
    fn the_last_fitting_pattern_decides() {
        let filter = Filter::parse(["src/**", "!src/doc/**", "src/doc/keep"]).unwrap();
        assert!(filter.lets_in(&["x", "src/a"]));
        assert!(!filter.lets_in(&["src/doc/a"]));
        assert!(filter.lets_in(&["src/doc/keep"]));
        assert!(Filter::default().lets_in(&[]) && !Filter::default().ignores_all(&["a"]));
    }

    #[test]
    fn hostile_patterns_take_no_time() {
        let pattern = FilterPattern::parse(&"*a".repeat(200)).unwrap();
        assert!(!pattern.fits(&"b".repeat(2_000)));
        assert!(FilterPattern::parse(&"*".repeat(20_000)).unwrap().fits("a/b"));
    }
}
