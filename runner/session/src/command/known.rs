//! What commands need to know of a job: its steps, the names in its contexts, its moments and breakpoints.
//!
//! A snapshot that a face fills from replies. Holds names, never values.

use std::sync::Arc;

use engine::expr::Value;
use engine::step_path::StepPath;
use indexmap::IndexMap;

use super::error::CommandError;
use super::nearest::did_you_mean;
use crate::breakpoint::BreakpointId;
use crate::moment::MomentId;
use crate::request::{StepLine, TimelineLine};

/// Contexts deeper than this are not completed.
const DEPTH_MAX: usize = 4;

/// What is known of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The main steps in order.
    pub steps: Vec<KnownStep>,
    /// Moments, in the order of recording.
    pub moments: Vec<MomentId>,
    /// Breakpoints, oldest first.
    pub breakpoints: Vec<BreakpointId>,
    /// For every object in the contexts, by its dotted path (`steps.test.outputs`), the names in it.
    keys: IndexMap<String, Vec<String>>,
}

/// A step that can be named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownStep {
    /// Where it is.
    pub path: StepPath,
    /// From 1.
    pub number: u32,
    /// Its id, if it has one.
    pub id: Option<Arc<str>>,
    /// Its display name.
    pub name: Arc<str>,
    /// The cursor is here.
    pub current: bool,
}

impl Known {
    /// Knows these steps from here on.
    pub fn set_steps(&mut self, steps: &[StepLine]) {
        self.steps = steps
            .iter()
            .map(|step| KnownStep {
                path: step.path.clone(),
                number: step.number,
                id: step.id.clone(),
                name: Arc::clone(&step.name),
                current: step.current,
            })
            .collect();
    }

    /// Knows these moments from here on.
    pub fn set_moments(&mut self, timeline: &[TimelineLine]) {
        self.moments = timeline.iter().map(|line| line.moment).collect();
    }

    /// Knows the names in this context from here on, and those in the objects inside.
    pub fn set_context(&mut self, name: &str, value: &Value) {
        let inside = format!("{name}.");
        self.keys.retain(|path, _| path != name && !path.starts_with(&inside));
        self.add(name.to_owned(), value, 0);
    }

    fn add(&mut self, path: String, value: &Value, depth: usize) {
        let Some(object) = value.as_object().filter(|_| depth < DEPTH_MAX) else { return };
        self.keys.insert(path.clone(), object.keys().map(|key| key.to_string()).collect());
        for (key, inner) in object.iter() {
            self.add(format!("{path}.{key}"), inner, depth + 1);
        }
    }

    /// The contexts that are known.
    pub fn contexts(&self) -> impl Iterator<Item = &str> {
        self.keys.keys().map(String::as_str).filter(|path| !path.contains('.'))
    }

    /// The names in the object at this dotted path, in any case.
    pub fn keys(&self, path: &str) -> &[String] {
        let found = self.keys.iter().find(|(known, _)| known.eq_ignore_ascii_case(path));
        found.map(|(_, keys)| keys.as_slice()).unwrap_or_default()
    }

    /// The step that a word means: its number, id, path (`post.2`), name, or what only one name begins with.
    ///
    /// # Errors
    /// There is none, or more than one.
    pub fn step(&self, word: &str) -> Result<&KnownStep, CommandError> {
        let by = |test: &dyn Fn(&KnownStep) -> bool| self.steps.iter().find(|step| test(step));
        let same = |text: &str| text.eq_ignore_ascii_case(word);
        let number: Option<u32> = word.parse().ok();
        let path: Option<StepPath> = word.parse().ok();
        let exact = by(&|step| Some(step.number) == number)
            .or_else(|| by(&|step| step.id.as_deref().is_some_and(same)))
            .or_else(|| by(&|step| Some(&step.path) == path.as_ref()))
            .or_else(|| by(&|step| same(&step.name)));
        if let Some(step) = exact {
            return Ok(step);
        }
        let folded = word.to_lowercase();
        let begins = |step: &&KnownStep| !folded.is_empty() && step.name.to_lowercase().starts_with(&folded);
        let mut begun = self.steps.iter().filter(begins);
        match (begun.next(), begun.next()) {
            (Some(step), None) => Ok(step),
            (Some(one), Some(two)) => Err(CommandError::new(format!("`{word}` could be more than one step"))
                .hint(format!("{} or {}, for instance: use the number", one.label(), two.label()))),
            (None, _) => Err(self.no_step(word, number)),
        }
    }

    fn no_step(&self, word: &str, number: Option<u32>) -> CommandError {
        let error = CommandError::new(format!("there is no step `{word}`"));
        if number.is_some() {
            return error.hint(format!("the job has {} steps: `steps` lists them", self.steps.len()));
        }
        let ids = self.steps.iter().filter_map(|step| step.id.as_deref());
        let names = ids.chain(self.steps.iter().map(|step| &*step.name));
        match did_you_mean(word, names) {
            Some(name) => error.hint(format!("did you mean `{name}`?")),
            None => error.hint("`steps` lists them"),
        }
    }
}

impl KnownStep {
    /// Number and name.
    pub fn label(&self) -> String {
        format!("{} {}", self.number, self.name)
    }
}
