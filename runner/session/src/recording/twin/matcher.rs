//! Problem matchers, each as the text of its own JSON. Making that text and compiling a pattern are slow beside all
//! else, so both directions remember what they did last.

use std::borrow::Cow;

use engine::matcher::{Matcher, Matchers};
use indexmap::IndexMap;

use super::TwinError;
use super::text::{Filling, Hiding, Text};

/// The texts of the matchers that were written last.
#[derive(Debug, Default)]
pub(super) struct MatcherTexts {
    of: Matchers,
    generation: u64,
    texts: Vec<String>,
}

impl MatcherTexts {
    /// The texts of `matchers`, in their order.
    pub(super) fn of(&mut self, matchers: &Matchers, hide: &Hiding<'_>) -> Vec<Text<'_>> {
        if self.of != *matchers || self.generation != hide.generation() {
            self.of = matchers.clone();
            self.generation = hide.generation();
            self.texts = matchers.iter().map(|matcher| text(matcher, hide)).collect();
        }
        self.texts.iter().map(|text| Text(Cow::Borrowed(text.as_str()))).collect()
    }
}

/// A matcher's JSON without secrets.
pub(super) fn text(matcher: &Matcher, hide: &Hiding<'_>) -> String {
    hide.text(&matcher.to_json().to_string()).0.into_owned()
}

/// Matchers that were read, by their text.
#[derive(Debug, Default)]
pub(super) struct MatcherPool {
    known: IndexMap<String, Matcher>,
}

impl MatcherPool {
    /// The set with these texts.
    pub(super) fn matchers(
        &mut self,
        texts: Vec<Text<'_>>,
        fill: &Filling<'_>,
    ) -> Result<Matchers, TwinError> {
        let mut matchers = Matchers::default();
        if !texts.is_empty() {
            matchers.add(self.list(texts, fill)?);
        }
        Ok(matchers)
    }

    /// The matchers with these texts. One that a missing secret makes unreadable is left out: nothing is run with it.
    pub(super) fn list(
        &mut self,
        texts: Vec<Text<'_>>,
        fill: &Filling<'_>,
    ) -> Result<Vec<Matcher>, TwinError> {
        let mut list = Vec::with_capacity(texts.len());
        for text in texts {
            let (known, complete) = match fill.filled(&text.0) {
                Some(filled) => (self.get(&filled), true),
                None => (self.get(&text.0), !text.0.contains("{secret ")),
            };
            match known {
                Some(matcher) => list.push(matcher),
                None if complete => return Err(TwinError::Malformed("problem matchers")),
                None => {}
            }
        }
        Ok(list)
    }

    fn get(&mut self, json: &str) -> Option<Matcher> {
        if let Some(known) = self.known.get(json) {
            return Some(known.clone());
        }
        let matcher = Matcher::parse(format!("{{\"problemMatcher\":[{json}]}}").as_bytes()).ok()?.pop()?;
        self.known.insert(json.to_owned(), matcher.clone());
        Some(matcher)
    }
}
