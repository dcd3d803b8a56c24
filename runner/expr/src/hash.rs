//! `hashFiles()` as a question and its answer: the evaluator reads no file (steps.md 1.4).
//! It does not know the workspace, glob patterns or how a digest is made.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::value::quote;

/// What one call of `hashFiles()` asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HashRequest {
    /// Glob patterns in the order of the arguments.
    pub patterns: Vec<String>,
    /// Whether the first argument was `--follow-symbolic-links`.
    pub follow_symbolic_links: bool,
}

impl HashRequest {
    /// The error text when hashing below `directory` fails (steps.md 1.4).
    pub fn failure_text(&self, directory: &str) -> String {
        format!("{} failed. Fail to hash files under directory '{directory}'", self.call_text())
    }

    /// The error text when hashing takes longer than it may.
    pub fn timeout_text(&self, seconds: u64) -> String {
        format!("{} couldn't finish within {seconds} seconds.", self.call_text())
    }

    fn call_text(&self) -> String {
        format!("hashFiles({})", quote(&self.patterns.join(", ")))
    }
}

/// The answers known so far: a digest in hexadecimal (empty when nothing matched) or an error text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HashAnswers {
    answers: IndexMap<HashRequest, Result<Arc<str>, Arc<str>>>,
}

impl HashAnswers {
    /// No answers.
    pub fn new() -> HashAnswers {
        HashAnswers::default()
    }

    /// Records the answer to `request`, replacing an earlier one.
    pub fn insert(&mut self, request: HashRequest, answer: Result<String, String>) {
        self.answers.insert(request, answer.map(Arc::from).map_err(Arc::from));
    }

    /// The answer to `request`, if there is one.
    pub fn get(&self, request: &HashRequest) -> Option<Result<&Arc<str>, &Arc<str>>> {
        self.answers.get(request).map(Result::as_ref)
    }

    /// Requests and answers in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (&HashRequest, Result<&str, &str>)> {
        self.answers.iter().map(|(request, answer)| (request, answer.as_deref().map_err(|text| &**text)))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.answers.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_texts_are_githubs() {
        let patterns = vec!["a'b".to_owned(), "c".to_owned()];
        let request = HashRequest { patterns, follow_symbolic_links: true };
        assert_eq!(request.timeout_text(120), "hashFiles('a''b, c') couldn't finish within 120 seconds.");
        assert_eq!(
            request.failure_text("/w"),
            "hashFiles('a''b, c') failed. Fail to hash files under directory '/w'"
        );
    }
}
