//! Secret masking: which parts of a text are secret, and the text with `***` in their place (steps.md 8).
//! Knows values, their encodings and where they came from; not what a line, a log or a job is.

mod encoders;
mod placeholder;
mod screen;
mod stream;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use indexmap::IndexMap;
use indexmap::map::Entry;

use crate::limits::MASK_REGEX_WINDOW_BYTES;
use crate::matcher::{Dialect, Pattern, PatternError};
use screen::Screen;

pub use encoders::Encoder;
pub use placeholder::FillError;
pub use stream::MaskStream;

/// What stands in the place of a secret.
pub const MASK: &str = "***";

/// Patterns shorter than this are searched on their own, since they cannot be screened.
const SHORT_BYTES: usize = 4;

/// Where a masked value came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// A secret with a name, which can be supplied again when a recording is opened.
    Secret {
        /// As in `secrets.NAME`.
        name: Arc<str>,
    },
    /// Learnt during the run (`::add-mask::`, a stop token): nobody can supply it again.
    Unnamed,
}

/// Which part of an added value a mask stands for: upstream masks the lines of a value too, because
/// logs are masked line by line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Part {
    /// The value as it was added.
    Whole,
    /// The value without white space around it.
    Trimmed,
    /// The trimmed non-empty line of this number, from 0.
    Line(usize),
}

/// One stretch of masked text and the mask that explains it. Stretches never overlap; where masks
/// overlap in the text, a later stretch starts in the middle of its mask.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// Bytes of the searched text.
    pub range: Range<usize>,
    /// The name of the secret, or `#N` for an unnamed value; `None` if only a mask regex matched.
    pub name: Option<Arc<str>>,
    /// Which part of the value.
    pub part: Part,
    /// How that part was encoded.
    pub encoder: Encoder,
    /// Which bytes of the encoded part stand at `range`.
    pub within: Range<usize>,
    /// Whether that is all of it.
    pub whole: bool,
}

/// The set of everything that must not be shown. It only grows. A clone costs one reference count and
/// does not see what is added later, so a lane can work on a snapshot without a lock.
#[derive(Clone, Default)]
pub struct Masks {
    inner: Arc<Inner>,
}

#[derive(Clone, Default)]
struct Inner {
    values: IndexMap<Arc<[u8]>, Value>,
    unnamed: Vec<(Arc<str>, Arc<[u8]>)>,
    patterns: IndexMap<Arc<[u8]>, Source>,
    regexes: Vec<(String, Pattern)>,
    generation: u64,
    longest_in_line: usize,
    screen: Option<Screen>,
    short: Option<AhoCorasick>,
    // Built when the screen first says "maybe": adding stays cheap. Inner `None`: the crate refused.
    automaton: OnceLock<Option<AhoCorasick>>,
}

#[derive(Clone)]
struct Value {
    name: Arc<str>,
    named: bool,
    part: Part,
}

#[derive(Clone, Copy)]
struct Source {
    value: usize,
    encoder: Encoder,
}

struct Hit {
    start: usize,
    end: usize,
    pattern: Option<usize>,
}

// Never shows a value.
impl std::fmt::Debug for Masks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Masks")
            .field("values", &self.inner.values.len())
            .field("patterns", &self.inner.patterns.len())
            .field("regexes", &self.inner.regexes.len())
            .field("generation", &self.inner.generation)
            .finish()
    }
}

impl Masks {
    /// Adds one value and all its encodings. Empty values are ignored; there is no minimum length.
    pub fn add(&mut self, value: impl AsRef<[u8]>, origin: Origin) {
        self.extend([(value, origin)]);
    }

    /// Adds many values and prepares the search once.
    pub fn extend<V: AsRef<[u8]>>(&mut self, values: impl IntoIterator<Item = (V, Origin)>) {
        let inner = Arc::make_mut(&mut self.inner);
        let mut changed = false;
        for (value, origin) in values {
            changed |= inner.insert_parts(value.as_ref(), &origin);
        }
        if changed {
            inner.prepare();
        }
    }

    /// Adds a .NET regex whose matches are masked (a job message's mask hint). An empty one is ignored.
    pub fn add_regex(&mut self, pattern: &str) -> Result<(), PatternError> {
        if pattern.is_empty() || self.inner.regexes.iter().any(|(known, _)| known == pattern) {
            return Ok(());
        }
        let compiled = Pattern::new(pattern, Dialect::DotNet)?;
        let inner = Arc::make_mut(&mut self.inner);
        inner.regexes.push((pattern.to_owned(), compiled));
        inner.generation += 1;
        Ok(())
    }

    /// Raised by every addition that changed something.
    pub fn generation(&self) -> u64 {
        self.inner.generation
    }

    /// Whether nothing is masked.
    pub fn is_empty(&self) -> bool {
        self.inner.patterns.is_empty() && self.inner.regexes.is_empty()
    }

    /// `bytes` with `***` for each secret; secrets that overlap or touch share one. Nothing is
    /// allocated when there is none. Secrets are found anywhere, across line ends too.
    pub fn mask<'b>(&self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        let ranges = self.ranges(bytes);
        if ranges.is_empty() {
            return Cow::Borrowed(bytes);
        }
        let mut out = Vec::with_capacity(bytes.len());
        let mut end = 0;
        for range in ranges {
            out.extend_from_slice(bytes.get(end..range.start).unwrap_or_default());
            out.extend_from_slice(MASK.as_bytes());
            end = range.end;
        }
        out.extend_from_slice(bytes.get(end..).unwrap_or_default());
        Cow::Owned(out)
    }

    /// [`Masks::mask`] for text.
    pub fn mask_text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.mask(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            // A value that is no UTF-8 may cut a character; what is left of it becomes U+FFFD.
            Cow::Owned(bytes) => Cow::Owned(match String::from_utf8(bytes) {
                Ok(text) => text,
                Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
            }),
        }
    }

    /// Whether [`Masks::mask`] would change `bytes`.
    pub fn contains_secret(&self, bytes: &[u8]) -> bool {
        !self.ranges(bytes).is_empty()
    }

    /// Every masked stretch in order, with the mask behind it. Where several masks fit, the one that
    /// reaches furthest wins, then a named one.
    pub fn find(&self, bytes: &[u8]) -> Vec<Found> {
        let mut hits = self.hits(bytes);
        let named =
            |hit: &Hit| hit.pattern.and_then(|id| self.inner.value_of(id)).map(|(value, _)| value.named);
        // `true` sorts after `false`, a value after a mere regex.
        hits.sort_by_key(|hit| (hit.start, hit.end, named(hit)));
        let mut found = Vec::new();
        let mut hits = hits.into_iter().peekable();
        let mut covered = 0;
        while let Some(next) = hits.peek() {
            covered = covered.max(next.start);
            let mut best: Option<Hit> = None;
            while let Some(hit) = hits.next_if(|hit| hit.start <= covered) {
                let better = |best: &Hit| (hit.end, named(&hit)) >= (best.end, named(best));
                if best.as_ref().is_none_or(better) {
                    best = Some(hit);
                }
            }
            if let Some(hit) = best.filter(|hit| hit.end > covered) {
                let end = hit.end;
                found.push(self.explain(hit, covered));
                covered = end;
            }
        }
        found
    }

    /// Values without a name, as `(#N, value)` in order of arrival: a journal seals them under its own key, and
    /// [`Masks::fill`] asks for them by the same name.
    pub fn unnamed(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.inner.unnamed.iter().map(|(name, value)| (&**name, &**value))
    }

    fn explain(&self, hit: Hit, from: usize) -> Found {
        let source = hit.pattern.and_then(|id| self.inner.value_of(id));
        Found {
            range: from..hit.end,
            name: source.map(|(value, _)| Arc::clone(&value.name)),
            part: source.map_or(Part::Whole, |(value, _)| value.part),
            encoder: source.map_or(Encoder::Plain, |(_, encoder)| encoder),
            within: from - hit.start..hit.end - hit.start,
            whole: from == hit.start,
        }
    }

    /// The first place from `from` on near which a line may hold a secret: no line that ends before it
    /// does. `None`: nothing further on.
    pub(crate) fn suspect(&self, block: &[u8], from: usize) -> Option<usize> {
        let inner = &*self.inner;
        if !inner.regexes.is_empty() {
            return (from < block.len()).then_some(from);
        }
        let long = inner.screen.as_ref().and_then(|screen| screen.find(block, from));
        let short = inner.short.as_ref().and_then(|short| {
            short.find(aho_corasick::Input::new(block).range(from.min(block.len())..)).map(|hit| hit.start())
        });
        long.into_iter().chain(short).min()
    }

    /// Bytes before a cut that may belong to a secret which ends after it.
    pub(crate) fn hold_bytes(&self) -> usize {
        let regexes = if self.inner.regexes.is_empty() { 0 } else { MASK_REGEX_WINDOW_BYTES };
        self.inner.longest_in_line.saturating_sub(1).max(regexes)
    }

    /// Merged, ordered ranges of everything secret.
    pub(crate) fn ranges(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut hits = self.hits(bytes);
        hits.sort_unstable_by_key(|hit| hit.start);
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for hit in hits {
            match ranges.last_mut() {
                Some(last) if hit.start <= last.end => last.end = last.end.max(hit.end),
                _ => ranges.push(hit.start..hit.end),
            }
        }
        ranges
    }

    fn hits(&self, bytes: &[u8]) -> Vec<Hit> {
        let inner = &*self.inner;
        let mut hits = Vec::new();
        if self.suspect(bytes, 0).is_some() && !inner.patterns.is_empty() {
            inner.search(bytes, &mut hits);
        }
        if !inner.regexes.is_empty() {
            inner.search_regexes(bytes, &mut hits);
        }
        hits
    }
}

/// The value and what of it is masked besides: its trimmed form and its trimmed lines.
fn parts(value: &[u8]) -> impl Iterator<Item = (&[u8], Part)> {
    let lines = value.split(|byte| matches!(byte, b'\n' | b'\r')).map(trim).filter(|line| !line.is_empty());
    [(value, Part::Whole), (trim(value), Part::Trimmed)]
        .into_iter()
        .chain(lines.enumerate().map(|(number, line)| (line, Part::Line(number))))
}

fn trim(bytes: &[u8]) -> &[u8] {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.trim().as_bytes(),
        Err(_) => bytes.trim_ascii(),
    }
}

impl Inner {
    fn insert_parts(&mut self, value: &[u8], origin: &Origin) -> bool {
        let (name, named) = match origin {
            Origin::Secret { name } => (Arc::clone(name), true),
            Origin::Unnamed if value.is_empty() || self.values.contains_key(value) => return false,
            Origin::Unnamed => {
                let name: Arc<str> = Arc::from(format!("#{}", self.unnamed.len()));
                self.unnamed.push((Arc::clone(&name), Arc::from(value)));
                (name, false)
            }
        };
        parts(value).fold(false, |changed, (bytes, part)| {
            self.insert(bytes, Value { name: Arc::clone(&name), named, part }) || changed
        })
    }

    // A name replaces its absence, since only a named value can be supplied again.
    fn insert(&mut self, bytes: &[u8], value: Value) -> bool {
        let known = self.values.get(bytes);
        if bytes.is_empty() || known.is_some_and(|known| known.named || !value.named) {
            return false;
        }
        let named = value.named;
        let (index, _) = self.values.insert_full(Arc::from(bytes), value);
        for encoder in Encoder::ALL {
            let pattern = encoder.encode(bytes);
            if !pattern.is_empty() {
                self.insert_pattern(pattern, Source { value: index, encoder }, named);
            }
        }
        true
    }

    fn insert_pattern(&mut self, pattern: Vec<u8>, source: Source, named: bool) {
        if memchr::memchr2(b'\n', b'\r', &pattern).is_none() {
            self.longest_in_line = self.longest_in_line.max(pattern.len());
        }
        match self.patterns.entry(Arc::from(pattern)) {
            Entry::Vacant(entry) => {
                entry.insert(source);
            }
            Entry::Occupied(mut entry) => {
                let known = self.values.get_index(entry.get().value);
                if named && known.is_some_and(|(_, value)| !value.named) {
                    entry.insert(source);
                }
            }
        }
    }

    fn prepare(&mut self) {
        let patterns = self.patterns.keys().map(|pattern| &**pattern);
        self.screen = Screen::new(patterns.clone().filter(|pattern| pattern.len() >= SHORT_BYTES));
        let short: Vec<_> = patterns.filter(|pattern| pattern.len() < SHORT_BYTES).collect();
        self.short = if short.is_empty() { None } else { AhoCorasick::new(short).ok() };
        self.automaton = OnceLock::new();
        self.generation += 1;
    }

    fn value_of(&self, pattern: usize) -> Option<(&Value, Encoder)> {
        let (_, source) = self.patterns.get_index(pattern)?;
        let (_, value) = self.values.get_index(source.value)?;
        Some((value, source.encoder))
    }

    fn search(&self, bytes: &[u8], hits: &mut Vec<Hit>) {
        let automaton = self.automaton.get_or_init(|| {
            // A full DFA would be faster and take ten times as long to build; the screen makes up for it.
            let mut builder = AhoCorasick::builder();
            builder.match_kind(MatchKind::Standard).kind(Some(AhoCorasickKind::ContiguousNFA));
            builder.build(self.patterns.keys()).ok()
        });
        match automaton {
            Some(automaton) => hits.extend(automaton.find_overlapping_iter(bytes).map(|hit| Hit {
                start: hit.start(),
                end: hit.end(),
                pattern: Some(hit.pattern().as_usize()),
            })),
            None => self.search_one_by_one(bytes, hits),
        }
    }

    // Slow but needs no automaton: the crate refuses sets beyond its id space, and a secret must not show.
    fn search_one_by_one(&self, bytes: &[u8], hits: &mut Vec<Hit>) {
        for (id, pattern) in self.patterns.keys().enumerate() {
            let mut from = 0;
            while let Some(at) = bytes.get(from..).and_then(|rest| memchr::memmem::find(rest, pattern)) {
                let start = from + at;
                hits.push(Hit { start, end: start + pattern.len(), pattern: Some(id) });
                from = start + 1;
            }
        }
    }

    // Upstream goes on one character after each match's start, so that overlapping matches are found.
    fn search_regexes(&self, bytes: &[u8], hits: &mut Vec<Hit>) {
        let mut offset = 0;
        for chunk in bytes.utf8_chunks() {
            for (_, regex) in &self.regexes {
                let text = chunk.valid();
                let mut from = 0;
                while let Some(found) = regex.find_from(text, from) {
                    if !found.is_empty() {
                        hits.push(Hit {
                            start: offset + found.start,
                            end: offset + found.end,
                            pattern: None,
                        });
                    }
                    let width = text
                        .get(found.start..)
                        .and_then(|rest| rest.chars().next())
                        .map_or(1, char::len_utf8);
                    from = found.start + width;
                }
            }
            offset += chunk.valid().len() + chunk.invalid().len();
        }
    }
}
