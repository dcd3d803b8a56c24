//! One glob pattern of `hashFiles`, with the rules of `@actions/glob`: an absolute path of segments, `!`, `~`, `**`, a
//! trailing slash for folders alone, and what may still match further down.
//!
//! Knows texts; touches no file.

use super::segment::{Segment, literal};

/// Which kinds of entries match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kinds {
    pub(super) directory: bool,
    pub(super) file: bool,
}

/// Folders that texts in patterns refer to; both absolute.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bases<'a> {
    /// What a pattern without a root is relative to.
    pub(super) workspace: &'a str,
    /// What `~` stands for.
    pub(super) home: Option<&'a str>,
}

/// One pattern.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub(super) negate: bool,
    /// A trailing slash was given.
    directories_only: bool,
    /// Made from another pattern to match what lies below it, but not the place itself.
    implicit: bool,
    segments: Vec<Segment>,
    /// The names before the first wildcard.
    search_path: Vec<String>,
}

/// Why a pattern is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadPattern {
    #[error("pattern cannot be empty")]
    Empty,
    #[error("Invalid pattern '{0}'. Relative pathing '.' and '..' is not allowed.")]
    Relative(String),
    #[error("Unable to determine HOME directory")]
    NoHome,
}

/// Reads the patterns, one in a line; empty lines and comments are left out. Each one that does not end in `**` is followed by
/// one for what lies below it.
pub(super) fn parse_all(texts: &[String], bases: Bases<'_>) -> Result<Vec<Pattern>, BadPattern> {
    let mut patterns = Vec::new();
    let lines = texts.iter().flat_map(|text| text.split('\n')).map(str::trim);
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let pattern = Pattern::parse(line, bases)?;
        let below = pattern.below();
        patterns.push(pattern);
        patterns.extend(below);
    }
    Ok(patterns)
}

impl Pattern {
    fn parse(text: &str, bases: Bases<'_>) -> Result<Self, BadPattern> {
        let mut negate = false;
        let mut text = text.trim();
        while let Some(rest) = text.strip_prefix('!') {
            negate = !negate;
            text = rest.trim();
        }
        if text.is_empty() {
            return Err(BadPattern::Empty);
        }
        let names: Vec<&str> = text.split('/').filter(|name| !name.is_empty()).collect();
        let rooted = text.starts_with('/');
        let relative = |(index, name): (usize, &&str)| match literal(name).as_deref() {
            Some("..") => true,
            Some(".") => index > 0 || rooted,
            _ => false,
        };
        if names.iter().enumerate().any(relative) {
            return Err(BadPattern::Relative(text.to_owned()));
        }
        let (base, names) = match names.split_first() {
            _ if rooted => ("", names.as_slice()),
            Some((&".", rest)) => (bases.workspace, rest),
            Some((&"~", rest)) => (bases.home.ok_or(BadPattern::NoHome)?, rest),
            _ => (bases.workspace, names.as_slice()),
        };
        let base = base.split('/').filter(|name| !name.is_empty()).map(str::to_owned);
        let literals = names.iter().map_while(|name| literal(name));
        let search_path = base.clone().chain(literals).collect();
        let segments =
            base.map(Segment::Literal).chain(names.iter().map(|name| Segment::parse(name))).collect();
        Ok(Self { negate, directories_only: text.ends_with('/'), implicit: false, segments, search_path })
    }

    /// The pattern for everything below this one; `None` when this one matches that already.
    fn below(&self) -> Option<Self> {
        let covers = self.segments.last() == Some(&Segment::Globstar) && !self.directories_only;
        (!covers).then(|| Self {
            negate: self.negate,
            directories_only: false,
            implicit: true,
            search_path: self.search_path.clone(),
            segments: self.segments.iter().cloned().chain([Segment::Globstar]).collect(),
        })
    }

    /// The names of the folders before the first wildcard: where looking begins.
    pub(super) fn search_path(&self) -> Vec<&str> {
        self.search_path.iter().map(String::as_str).collect()
    }

    /// What kinds of entries at this path match. `names` are the names from the root on.
    pub(super) fn matches(&self, names: &[&str]) -> Kinds {
        let hit = match self.segments.split_last() {
            // `a/**` is also `a` itself, unless it only stands for what lies below.
            Some((Segment::Globstar, before)) if !self.implicit && fit_or_globstar(before, names) => true,
            Some((Segment::Globstar, before)) if self.implicit => fit_strictly_below(before, names),
            _ => fit(&self.segments, names),
        };
        Kinds { directory: hit, file: hit && !self.directories_only }
    }

    /// Whether something below this path could match.
    pub(super) fn may_match_below(&self, names: &[&str]) -> bool {
        may_fit_below(&self.segments, names)
    }
}

fn fit(segments: &[Segment], names: &[&str]) -> bool {
    match (segments.split_first(), names.split_first()) {
        (None, None) => true,
        (Some((Segment::Globstar, rest)), _) => {
            // A `**` takes at least one name when it is the last: `a/**` is not `a`.
            let least = usize::from(rest.is_empty());
            (least..=names.len()).any(|taken| names.get(taken..).is_some_and(|names| fit(rest, names)))
        }
        (Some((segment, rest)), Some((name, names))) => segment.fits(name) && fit(rest, names),
        _ => false,
    }
}

fn fit_strictly_below(before: &[Segment], names: &[&str]) -> bool {
    (0..names.len()).any(|taken| names.get(..taken).is_some_and(|above| fit_or_globstar(before, above)))
}

/// As [`fit`], but a last `**` may take nothing: it has another one behind it.
fn fit_or_globstar(segments: &[Segment], names: &[&str]) -> bool {
    match segments.split_last() {
        Some((Segment::Globstar, before)) => fit_or_globstar(before, names) || fit(segments, names),
        _ => fit(segments, names),
    }
}

fn may_fit_below(segments: &[Segment], names: &[&str]) -> bool {
    match (segments.split_first(), names.split_first()) {
        (_, None) | (Some((Segment::Globstar, _)), _) => true,
        (None, Some(_)) => false,
        (Some((segment, rest)), Some((name, names))) => segment.fits(name) && may_fit_below(rest, names),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASES: Bases<'_> = Bases { workspace: "/w", home: Some("/home/u") };

    /// `!` before a path says that it does not match; a trailing slash asks for a folder.
    #[track_caller]
    fn check(text: &str, paths: &[&str]) {
        let patterns = parse_all(&[text.to_owned()], BASES).unwrap();
        for expected in paths {
            let (path, wanted) = expected.strip_prefix('!').map_or((*expected, true), |path| (path, false));
            let wanted = wanted || !expected.starts_with('!');
            let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
            let mut found = false;
            for pattern in &patterns {
                let kinds = pattern.matches(&names);
                let hit = if path.ends_with('/') { kinds.directory } else { kinds.file };
                found = if pattern.negate { found && !hit } else { found || hit };
            }
            assert_eq!(found, wanted, "{text} and {path}");
        }
    }

    #[test]
    fn a_plain_path_brings_what_lies_below() {
        check("a", &["/w/a", "/w/a/", "/w/a/b", "/w/a/b/c", "!/w/b", "!/w", "!/x/a"]);
        check("./a", &["/w/a"]);
        check("/x/y", &["/x/y", "!/w/x/y"]);
        check("~/y", &["/home/u/y"]);
    }

    #[test]
    fn a_globstar_takes_any_number_of_folders() {
        check("**/x", &["/w/x", "/w/a/x", "/w/a/b/x", "/w/x/y", "!/w/ax"]);
        check("a/**", &["/w/a", "/w/a/", "/w/a/b", "/w/a/.b/c", "!/w/b"]);
        check("a/**/b", &["/w/a/b", "/w/a/c/b", "!/w/a"]);
        check("a/**/**", &["/w/a", "/w/a/b", "!/w/b"]);
        check("**", &["/w/", "/w/a", "!/x"]);
    }

    #[test]
    fn a_trailing_slash_is_for_folders() {
        check("a/", &["/w/a/", "!/w/a", "/w/a/b"]);
        check("a/*/", &["/w/a/b/", "!/w/a/b", "/w/a/b/c"]);
    }

    #[test]
    fn later_patterns_win() {
        check("a\n!a/b", &["/w/a/c", "!/w/a/b", "!/w/a/b/d"]);
        check("a\n!a/b\na/b/d", &["/w/a/b/d", "!/w/a/b/e"]);
        check("!!a", &["/w/a"]);
        check("# a\n\n  b  ", &["/w/b", "!/w/a"]);
    }

    #[test]
    fn relative_parts_are_refused() {
        let error = |text: &str| parse_all(&[text.to_owned()], BASES).unwrap_err().to_string();
        assert_eq!(error("../a"), "Invalid pattern '../a'. Relative pathing '.' and '..' is not allowed.");
        assert_eq!(error("a/./b"), "Invalid pattern 'a/./b'. Relative pathing '.' and '..' is not allowed.");
        assert_eq!(error("!"), "pattern cannot be empty");
    }

    #[test]
    fn only_folders_on_the_way_are_entered() {
        let pattern = Pattern::parse("a/*/c/**/d", BASES).unwrap();
        let below = |path: &str| pattern.may_match_below(&path.split('/').collect::<Vec<_>>());
        assert!(below("w/a/b") && below("w/a/b/c/x/y"));
        assert!(!below("w/b") && !below("w/a/b/x"));
        assert_eq!(pattern.search_path(), ["w", "a"]);
        let search_path = |text: &str| Pattern::parse(text, BASES).unwrap().search_path().join("/");
        assert_eq!(search_path("[x]/[!]/[ab]/c"), "w/x/!");
        assert_eq!(search_path(r"\*/[]x]"), "w/*/[]x]");
    }
}
