//! Names for places in a job: lanes, stages and step paths.
//!
//! Knows nothing of what a step does; a path is a position, not a definition.

use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;

/// Enough for the name of nearly every step's folder.
const STEM_BYTES: usize = 16;

/// One line of execution. Lane 0 is the foreground, every background step has its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneId(pub u32);

impl LaneId {
    /// The lane that walks through the job's steps in order.
    pub const FOREGROUND: LaneId = LaneId(0);

    /// The lane of the background step at `path`: the same one each time the step runs.
    pub fn of_background(path: &StepPath) -> Self {
        LaneId(path.index().saturating_add(1))
    }
}

impl fmt::Display for LaneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The three parts of a job, in the order in which they run (steps.md 1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// `pre` of actions, in the order of the workflow.
    Pre,
    /// The steps of the workflow.
    Main,
    /// `post` of actions, last registered first.
    Post,
}

impl Stage {
    /// The word used in paths and file names.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Pre => "pre",
            Stage::Main => "main",
            Stage::Post => "post",
        }
    }
}

/// Where a step stands: its stage, its position in the job's steps, and the positions inside composite actions.
///
/// Positions count from 0 and always name the workflow's step, also in the pre and post stages: `post 2` is the
/// post part of the third step. Printed as `main.2`, or `main.2.0` for the first step of a composite action.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepPath {
    stage: Stage,
    indices: Arc<[u32]>,
}

impl StepPath {
    /// The job step at `index` (from 0) in `stage`.
    pub fn new(stage: Stage, index: u32) -> Self {
        Self { stage, indices: Arc::from([index]) }
    }

    /// The job step at `index` (from 0) of the main stage.
    pub fn main(index: u32) -> Self {
        Self::new(Stage::Main, index)
    }

    /// The step at `index` inside this composite step.
    pub fn child(&self, index: u32) -> Self {
        Self { stage: self.stage, indices: self.indices.iter().copied().chain([index]).collect() }
    }

    /// The stage in which this step runs.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// The positions inside composite actions, from the outermost in.
    pub fn inner(&self) -> &[u32] {
        self.indices.get(1..).unwrap_or_default()
    }

    /// The step of the job that this one belongs to: itself, or the outermost composite step around it.
    pub fn outermost(&self) -> Self {
        if self.level() == 0 { self.clone() } else { Self::new(self.stage, self.index()) }
    }

    /// The composite step right around this one; `None` for a job step.
    pub fn parent(&self) -> Option<Self> {
        let (_, around) = self.indices.split_last()?;
        (!around.is_empty()).then(|| Self { stage: self.stage, indices: Arc::from(around) })
    }

    /// The composite steps around this one, from the innermost out.
    pub fn ancestors(&self) -> Vec<Self> {
        std::iter::successors(self.parent(), Self::parent).collect()
    }

    /// The step after this one in the same action.
    pub fn next_sibling(&self) -> Self {
        let depth = self.depth();
        let next = |(at, index): (usize, &u32)| index.saturating_add(u32::from(at == depth));
        Self { stage: self.stage, indices: self.indices.iter().enumerate().map(next).collect() }
    }

    /// The same step in another stage.
    pub fn in_stage(&self, stage: Stage) -> Self {
        Self { stage, indices: Arc::clone(&self.indices) }
    }

    /// The number that people read: `3` for the third step of the job, `3.1` for the first one of its action.
    pub fn number(&self) -> String {
        let mut text = String::new();
        for index in self.indices.iter() {
            let point = if text.is_empty() { "" } else { "." };
            // Writing to a String cannot fail.
            let _ = write!(text, "{point}{}", index.saturating_add(1));
        }
        text
    }

    /// The position (from 0) of the job step that this path starts with.
    pub fn index(&self) -> u32 {
        self.indices.first().copied().unwrap_or(0)
    }

    /// How many composite actions are around this step; 0 for a job step.
    pub fn depth(&self) -> usize {
        self.indices.len().saturating_sub(1)
    }

    /// How deep inside of actions the step runs. Pre and post parts run one after the other at the two ends of the job, whichever
    /// action their step belongs to.
    pub fn level(&self) -> usize {
        if self.stage == Stage::Main { self.depth() } else { 0 }
    }

    /// A name for files that belong to this step: letters, digits and `-` only, and the same in every run.
    pub fn file_stem(&self) -> String {
        let mut text = String::with_capacity(STEM_BYTES);
        text.push_str(self.stage.as_str());
        for index in self.indices.iter() {
            // Writing to a String cannot fail.
            let _ = write!(text, "-{index}");
        }
        text
    }
}

impl fmt::Display for StepPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.stage.as_str())?;
        self.indices.iter().try_for_each(|index| write!(f, ".{index}"))
    }
}

/// A text that is not a step path, as [`StepPath`]'s `FromStr` found it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a step path; expected something like main.2")]
pub struct NotAStepPath(String);

impl std::str::FromStr for StepPath {
    type Err = NotAStepPath;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || NotAStepPath(text.to_owned());
        let mut parts = text.split('.');
        let stage = match parts.next() {
            Some("pre") => Stage::Pre,
            Some("main") => Stage::Main,
            Some("post") => Stage::Post,
            _ => return Err(error()),
        };
        let indices: Arc<[u32]> =
            parts.map(|part| part.parse::<u32>()).collect::<Result<_, _>>().map_err(|_| error())?;
        if indices.is_empty() { Err(error()) } else { Ok(Self { stage, indices }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_back_from_its_text() {
        for text in ["main.0", "post.12", "pre.3", "main.2.0.7"] {
            assert_eq!(text.parse::<StepPath>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn the_pre_and_post_parts_of_an_inner_step_belong_to_the_job_alone() {
        let inner = StepPath::main(2).child(7);
        assert_eq!((inner.level(), inner.outermost()), (1, StepPath::main(2)));
        for stage in [Stage::Pre, Stage::Post] {
            let part = inner.in_stage(stage);
            assert_eq!((part.level(), part.outermost()), (0, part.clone()));
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "main", "main.", "main.x", "later.1", "main.1.-2"] {
            assert!(text.parse::<StepPath>().is_err(), "{text}");
        }
    }
}
