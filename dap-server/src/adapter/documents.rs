//! Texts that are no files: the script of a step, its log. Their numbers hold for the whole session.

use session::engine::step_path::StepPath;

/// A text that is no file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Document {
    /// The script of a `run` step.
    Script(StepPath),
    /// What a step has printed.
    Log(StepPath),
}

/// Documents by number.
#[derive(Debug, Default)]
pub(super) struct Documents {
    all: Vec<Document>,
}

impl Documents {
    /// The number of a document, from 1.
    pub(super) fn of(&mut self, document: Document) -> i64 {
        let index = self.all.iter().position(|known| *known == document).unwrap_or_else(|| {
            self.all.push(document);
            self.all.len().saturating_sub(1)
        });
        i64::try_from(index).unwrap_or(i64::MAX).saturating_add(1)
    }

    /// The document with this number.
    pub(super) fn get(&self, reference: i64) -> Option<&Document> {
        self.all.get(usize::try_from(reference.checked_sub(1)?).ok()?)
    }
}
