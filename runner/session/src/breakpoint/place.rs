//! Which steps a breakpoint means.
//!
//! Knows the plan; not where the job stands.

use std::sync::Arc;

use engine::job::Job;
use engine::plan::{Plan, PlannedStep};
use engine::step_path::StepPath;
use engine::syntax::StepBody;
use engine::syntax::filter::FilterPattern;

use super::Location;
use crate::request::Place;

/// The line (from 1) of a step's first key.
pub fn line_of(plan: &Plan, path: &StepPath) -> Option<u32> {
    plan.step(path).map(|step| step.definition.span.start.line)
}

/// Where a step stands in its file.
pub(crate) fn place_in(job: &Job, path: &StepPath) -> Option<Place> {
    job.place(path).map(|(file, span)| Place { file: Arc::clone(file), line: span.start.line })
}

/// The last line (from 1) of a main step. A step that ends with a block of text ends, for the reader of the file, only
/// where the next step begins.
fn last_line_of(plan: &Plan, path: &StepPath) -> Option<u32> {
    let end = plan.step(path)?.definition.span.end.line;
    let next = StepPath::main(path.index().saturating_add(1));
    Some(line_of(plan, &next).map_or(end, |next| end.min(next.saturating_sub(1))))
}

fn main_steps(plan: &Plan) -> impl Iterator<Item = StepPath> + '_ {
    (0u32..).take(plan.steps.len()).map(StepPath::main)
}

/// The main step that the line (from 1) belongs to, else the next one.
pub fn step_at_line(plan: &Plan, line: u32) -> Option<StepPath> {
    main_steps(plan).find(|path| last_line_of(plan, path) >= Some(line))
}

/// The main steps that a location means.
pub fn find(location: &Location, plan: &Plan) -> Vec<StepPath> {
    match location {
        Location::Line(line) => step_at_line(plan, *line).into_iter().collect(),
        Location::Step(name) => {
            let one = plan
                .step_with_id(name)
                .or_else(|| {
                    main_steps(plan).find(|path| plan.step(path).is_some_and(|step| is_named(step, name)))
                })
                .or_else(|| numbered(name, plan));
            one.map_or_else(|| with_action(name, plan), |one| vec![one])
        }
        Location::ActionLine(..) | Location::Change(_) => Vec::new(),
    }
}

fn is_named(step: &PlannedStep, name: &str) -> bool {
    step.definition.name.as_ref().is_some_and(|known| known.value.source().eq_ignore_ascii_case(name))
}

/// A number from 1.
fn numbered(text: &str, plan: &Plan) -> Option<StepPath> {
    let number: u32 = text.parse().ok()?;
    main_steps(plan).nth(usize::try_from(number.checked_sub(1)?).ok()?)
}

/// The steps whose action fits `owner/name`, with or without `@ref`; `*` and `**` stand for anything as in a path filter.
fn with_action(pattern: &str, plan: &Plan) -> Vec<StepPath> {
    let Ok(glob) = FilterPattern::parse(&pattern.to_ascii_lowercase()) else { return Vec::new() };
    let fits = |path: &StepPath| {
        let Some(StepBody::Uses { reference, .. }) = plan.step(path).map(|step| &step.definition.body) else {
            return false;
        };
        let whole = reference.value.to_ascii_lowercase();
        let name = whole.split_once('@').map_or(whole.as_str(), |(name, _)| name);
        glob.fits(&whole) || glob.fits(name)
    };
    main_steps(plan).filter(fits).collect()
}
