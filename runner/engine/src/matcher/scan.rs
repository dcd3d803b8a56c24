//! Running matchers over the lines of one lane: which pattern comes next, what was captured so far, and
//! how a match becomes an annotation. Gets lines without colours, knows nothing of commands.

use super::config::{Matcher, PROPERTIES};
use super::{Matchers, TooSlow};

/// The matchers of a job with one step's progress in each. A [`LineProcessor`](crate::lines::LineProcessor) has its own.
#[derive(Clone, PartialEq, Default)]
pub struct Scanner {
    running: Vec<Running>,
}

#[derive(Clone, PartialEq)]
struct Running {
    matcher: Matcher,
    // What the patterns so far captured; entry n stands for a line that matched pattern n.
    partial: Vec<Option<Match>>,
    // Took too long on a line of this lane: out until it is added again.
    failed: bool,
}

// Captured text is not masked yet.
impl std::fmt::Debug for Scanner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.running.iter().map(|running| running.matcher.owner())).finish()
    }
}

/// What the patterns of one matcher captured. Texts are raw.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Match {
    // In the order of PROPERTIES; `None`: no pattern asked for it.
    values: [Option<String>; PROPERTIES.len()],
}

impl Match {
    /// The captured text of a property by its name in the matcher's file (`file`, `line`, `column`,
    /// `severity`, `code`, `message`, `fromPath`), defaults applied; empty if nothing was captured.
    pub fn get(&self, property: &str) -> &str {
        let mut pairs = PROPERTIES.iter().zip(&self.values);
        pairs.find(|(name, _)| **name == property).and_then(|(_, value)| value.as_deref()).unwrap_or_default()
    }

    fn set_default(&mut self, property: &str, default: &str) {
        let mut pairs = PROPERTIES.iter().zip(&mut self.values);
        if let Some((_, value)) = pairs.find(|(name, _)| **name == property)
            && !default.is_empty()
            && value.as_deref().unwrap_or_default().is_empty()
        {
            *value = Some(default.to_owned());
        }
    }
}

/// What one matcher said to a line.
pub enum Verdict {
    /// All of its patterns are through. The others have been reset.
    Matched(Match),
    /// It took too long and is out.
    Failed {
        /// Its name.
        owner: String,
        /// Why.
        error: TooSlow,
    },
}

impl Scanner {
    /// Takes over a new set; a matcher that was there before keeps its progress.
    pub fn update(&mut self, matchers: &Matchers) {
        let mut old = std::mem::take(&mut self.running);
        for matcher in matchers.iter() {
            let known = old.iter().position(|running| running.matcher == *matcher);
            self.running.push(match known {
                Some(at) => old.swap_remove(at),
                None => Running::new(matcher.clone()),
            });
        }
    }

    /// Whether no line can match.
    pub fn is_idle(&self) -> bool {
        self.running.iter().all(|running| running.failed)
    }

    /// Shows the line to the matchers in order, until `verdict` says that the line is used up; returns
    /// whether it did. The line should have no colours.
    pub fn scan(&mut self, line: &str, mut verdict: impl FnMut(Verdict) -> bool) -> bool {
        for index in 0..self.running.len() {
            let Some(running) = self.running.get_mut(index).filter(|running| !running.failed) else {
                continue;
            };
            let answer = match running.step(line) {
                Ok(None) => continue,
                Ok(Some(found)) => {
                    self.reset_all_but(index);
                    Verdict::Matched(found)
                }
                Err(error) => {
                    running.failed = true;
                    Verdict::Failed { owner: running.matcher.owner().to_owned(), error }
                }
            };
            if verdict(answer) {
                return true;
            }
        }
        false
    }

    fn reset_all_but(&mut self, kept: usize) {
        for (_, running) in self.running.iter_mut().enumerate().filter(|(index, _)| *index != kept) {
            running.reset();
        }
    }
}

impl Running {
    fn new(matcher: Matcher) -> Self {
        let partial = vec![None; matcher.patterns().len().saturating_sub(1)];
        Self { matcher, partial, failed: false }
    }

    fn reset(&mut self) {
        self.partial.fill(None);
    }

    // From the last pattern to the first, so that a line serves one pattern of a running match at most.
    fn step(&mut self, line: &str) -> Result<Option<Match>, TooSlow> {
        let matcher = self.matcher.clone();
        for (index, pattern) in matcher.patterns().iter().enumerate().rev() {
            let before = index.checked_sub(1).map(|before| self.partial.get(before).cloned().flatten());
            if matches!(before, Some(None)) {
                continue;
            }
            let before = before.flatten();
            let found = pattern.regex.captures(line)?.map(|groups| {
                let mut found = before.clone().unwrap_or_default();
                for (value, group) in found.values.iter_mut().zip(pattern.groups) {
                    if value.is_none() {
                        *value = group.and_then(|group| groups.get(group)).map(|&text| text.to_owned());
                    }
                }
                found
            });
            match (found, self.partial.get_mut(index)) {
                (found, Some(slot)) => *slot = found,
                (Some(mut found), None) => {
                    self.reset();
                    if let Some(slot) = self.partial.last_mut().filter(|_| pattern.repeats) {
                        *slot = before;
                    }
                    found.set_default("severity", matcher.default_severity());
                    found.set_default("fromPath", matcher.default_from_path());
                    return Ok(Some(found));
                }
                (None, None) => {
                    if let Some(slot) = self.partial.last_mut() {
                        *slot = None;
                    }
                }
            }
        }
        Ok(None)
    }
}
