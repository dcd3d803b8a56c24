//! What is wrong with a file: a code, a place, GitHub's words for it, and a hint of ours.
//!
//! Knows no rule itself; every layer of this crate makes diagnostics, none throws.

use crate::source::{Sources, Span};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// GitHub runs the workflow, but something is probably not meant so.
    Warning,
    /// GitHub refuses the file.
    Error,
}

/// A second place that explains a diagnostic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is to be seen there.
    pub text: String,
}

/// How much of its place GitHub puts before a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prefix {
    FileAndPlace,
    File,
    Nothing,
}

/// One fault in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// A stable name of the kind of fault, in kebab case.
    pub code: &'static str,
    /// Whether the file is refused.
    pub severity: Severity,
    /// Where, as GitHub reports it: a whole value, for instance.
    pub span: Span,
    /// The part of it that is at fault, where that can be told: a name in an expression.
    pub focus: Option<Span>,
    /// GitHub's words where it has some.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Other places that matter.
    pub labels: Vec<Label>,
    /// The `uses` of the job that called the file, if the fault is in a called workflow.
    pub called_at: Option<Span>,
    prefix: Prefix,
}

/// Each layer says no more than this about a file; GitHub stops at 10.
pub(crate) const MAX_DIAGNOSTICS: usize = 100;

/// GitHub cuts a message off behind this many UTF-16 units (`ParseOptions.MaxErrorMessageLength`).
const MAX_MESSAGE_LENGTH: usize = 500;

impl Diagnostic {
    /// A diagnostic without hint and labels.
    pub fn new(code: &'static str, severity: Severity, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            span,
            focus: None,
            message: message.into(),
            hint: None,
            labels: Vec::new(),
            called_at: None,
            prefix: Prefix::FileAndPlace,
        }
    }

    /// A fault that makes GitHub refuse the file.
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, span, message)
    }

    /// A fault that GitHub lets pass.
    pub fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, span, message)
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a hint if there is one.
    #[must_use]
    pub fn with_optional_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }

    /// Says which part is at fault.
    #[must_use]
    pub(crate) fn with_focus(mut self, focus: Span) -> Self {
        self.focus = Some(focus);
        self
    }

    /// Adds a second place.
    #[must_use]
    pub fn with_label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// GitHub names only the file for this fault (it comes from the YAML layer or a limit).
    #[must_use]
    pub(crate) fn whole_file(mut self) -> Self {
        self.prefix = Prefix::File;
        self
    }

    /// GitHub names neither file nor place for this fault.
    #[must_use]
    pub(crate) fn whole_run(mut self) -> Self {
        self.prefix = Prefix::Nothing;
        self
    }

    /// Whether GitHub refuses the file for this.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The message as GitHub's server words it: `FILE (Line: L, Col: C): MESSAGE`, for a called
    /// workflow behind `In CALLER (Line: L, Col: C): Error from called workflow`, cut off at 500.
    pub fn github_text(&self, sources: &Sources) -> String {
        let place = |span: Span| format!("(Line: {}, Col: {})", span.start.line, span.start.column);
        let file = sources.path(self.span.source);
        let text = match self.prefix {
            Prefix::FileAndPlace => format!("{file} {}: {}", place(self.span), self.message),
            Prefix::File => format!("{file}: {}", self.message),
            Prefix::Nothing => self.message.clone(),
        };
        let text = cut_off(text);
        match self.called_at {
            Some(call) => {
                let caller = sources.path(call.source);
                format!("In {caller} {}: Error from called workflow {text}", place(call))
            }
            None => text,
        }
    }
}

fn cut_off(text: String) -> String {
    let mut units = 0;
    for (at, character) in text.char_indices() {
        units += character.len_utf16();
        if units > MAX_MESSAGE_LENGTH {
            let kept = text.get(..at).unwrap_or_default();
            return format!("{kept}[...]");
        }
    }
    text
}

/// The candidate that `word` was probably meant to be: equal but for case, or few edits away.
pub(crate) fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let allowed = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (edits(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `did you mean …?` as a hint.
pub(crate) fn suggestion<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    did_you_mean(word, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}

/// Edit distance in which swapping two neighbours counts as one.
fn edits(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    let mut previous: Option<char> = None;
    for (index, character) in left.chars().enumerate() {
        let mut next = Vec::with_capacity(row.len());
        next.push(index + 1);
        for (at, &other) in right.iter().enumerate() {
            let cell = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX / 2);
            let changed = cell(&row, at) + usize::from(character != other);
            let mut best = changed.min(cell(&row, at + 1) + 1).min(cell(&next, at) + 1);
            let swapped = at > 0 && previous == Some(other) && right.get(at - 1) == Some(&character);
            if swapped {
                best = best.min(cell(&before, at - 1) + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
        previous = Some(character);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_misses_are_found_and_far_ones_are_not() {
        let keys = ["run", "uses", "with", "working-directory", "runs-on"];
        assert_eq!(did_you_mean("runn", keys), Some("run"));
        assert_eq!(did_you_mean("wiht", keys), Some("with"));
        assert_eq!(did_you_mean("Runs-On", keys), Some("runs-on"));
        assert_eq!(did_you_mean("working_directory", keys), Some("working-directory"));
        assert_eq!(did_you_mean("script", keys), None);
        assert_eq!(did_you_mean("", keys), None);
    }

    #[test]
    fn long_messages_are_cut_off_as_github_does() {
        let text = cut_off("é".repeat(600));
        assert_eq!(text.chars().count(), 505);
        assert!(text.ends_with("é[...]"));
    }
}
