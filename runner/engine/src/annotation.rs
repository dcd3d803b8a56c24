//! Annotations: what `::error::` and its kin, problem matchers and failed commands say about a job.
//! Knows the fix-ups and limits of steps.md 5.1 and 5.3; reads no file itself.

mod location;
mod matched_file;

pub use location::Location;
pub use matched_file::{CheckoutFiles, MatchedFiles};

use crate::limits::{ANNOTATION_MESSAGE_CHARS, ANNOTATIONS_PER_TYPE};

/// How bad it is; also the tag of its log line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Level {
    /// `##[error]`
    Error,
    /// `##[warning]`
    Warning,
    /// `##[notice]`
    Notice,
}

/// One annotation. All texts are masked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Annotation {
    /// Error, warning or notice.
    pub level: Level,
    /// At most [`ANNOTATION_MESSAGE_CHARS`] UTF-16 units; may hold newlines.
    pub message: String,
    /// Shown instead of the message's first line.
    pub title: Option<String>,
    /// The file: relative to the workspace with `/` if it lies there, else as the step wrote it. From a
    /// matcher: as matched, and the host asks [`MatchedFiles::resolve`] what becomes of it.
    pub file: Option<String>,
    /// Where in the file.
    pub location: Location,
    /// The code that a matcher captured, such as `E0308`.
    pub code: Option<String>,
    /// `owner/name`, if the file lies in the workspace and the job's repository is known.
    pub repository: Option<String>,
    /// Who made it.
    pub source: Source,
}

/// What an annotation was made from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// A workflow command of the step.
    Command,
    /// The runner, about a command that the step wrote.
    Runner,
    /// A problem matcher.
    Matcher {
        /// The project file that `file` is relative to; empty if the matcher names none.
        from_path: String,
    },
}

/// Annotations already kept for one step, per level. The steps inside a composite action count on from
/// those before them, so the value goes from one [`LineProcessor`](crate::lines::LineProcessor) to the next.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AnnotationCounts {
    errors: u32,
    warnings: u32,
    notices: u32,
}

impl AnnotationCounts {
    /// Counts one more of `level`; `false` if there are [`ANNOTATIONS_PER_TYPE`] already.
    pub fn admit(&mut self, level: Level) -> bool {
        let count = match level {
            Level::Error => &mut self.errors,
            Level::Warning => &mut self.warnings,
            Level::Notice => &mut self.notices,
        };
        let admitted = *count < ANNOTATIONS_PER_TYPE;
        *count += u32::from(admitted);
        admitted
    }
}

/// `message` cut to [`ANNOTATION_MESSAGE_CHARS`] UTF-16 units, never inside a character.
pub fn cut_message(message: &str) -> &str {
    let mut units = 0;
    let cut = message.char_indices().find(|(_, c)| {
        units += c.len_utf16();
        units > ANNOTATION_MESSAGE_CHARS
    });
    cut.and_then(|(at, _)| message.get(..at)).unwrap_or(message)
}

/// `path` without the workspace before it, `None` if it does not lie there (steps.md 5.1).
pub fn relative_to_workspace<'p>(path: &'p str, workspace: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(workspace)?;
    if rest.is_empty() || workspace.ends_with('/') { Some(rest) } else { rest.strip_prefix('/') }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_of_each_level() {
        let mut counts = AnnotationCounts::default();
        assert_eq!((0..12).filter(|_| counts.admit(Level::Error)).count(), 10);
        assert!(counts.admit(Level::Notice));
    }

    #[test]
    fn messages_are_cut_between_characters() {
        let message = "a".repeat(ANNOTATION_MESSAGE_CHARS - 1) + "😀b";
        assert_eq!(cut_message(&message).len(), ANNOTATION_MESSAGE_CHARS - 1);
        assert_eq!(cut_message("short"), "short");
    }

    #[test]
    fn workspace_paths() {
        assert_eq!(relative_to_workspace("/w/a/b.rs", "/w"), Some("a/b.rs"));
        assert_eq!(relative_to_workspace("/w/a", "/w/"), Some("a"));
        assert_eq!(relative_to_workspace("/wide", "/w"), None);
        assert_eq!(relative_to_workspace("a", "/w"), None);
        assert_eq!(relative_to_workspace("/w", "/w"), Some(""));
    }
}
