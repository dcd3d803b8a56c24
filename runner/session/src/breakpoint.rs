//! Breakpoints. They are not history: going back never brings one back to life, nor forgets one.
//!
//! Knows which step a breakpoint means and whether its condition holds; decides nothing about stopping.

use std::fmt;

use engine::plan::Plan;
use engine::step_path::StepPath;

/// Names a breakpoint, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BreakpointId(pub u32);

impl fmt::Display for BreakpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What a person asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakpointSpec {
    /// Where.
    pub location: Location,
    /// An expression that has to be true, evaluated as the step's own `if` would be.
    pub condition: Option<String>,
}

/// Where a breakpoint is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A line (from 1) of the workflow file; it means the step that the line belongs to, else the next one.
    Line(u32),
    /// A step's id or display name, in any case; or its number from 1.
    Step(String),
}

/// A breakpoint in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breakpoint {
    /// Its name.
    pub id: BreakpointId,
    /// What was asked for.
    pub spec: BreakpointSpec,
    /// The step it means; `None` if there is none.
    pub step: Option<StepPath>,
    /// That step's line.
    pub line: Option<u32>,
}

/// All breakpoints.
#[derive(Clone, Debug, Default)]
pub struct Breakpoints {
    all: Vec<Breakpoint>,
    last: u32,
}

impl Breakpoints {
    /// Adds one; it may mean no step.
    pub fn add(&mut self, spec: BreakpointSpec, plan: &Plan) -> Breakpoint {
        self.last = self.last.saturating_add(1);
        let step = find(&spec.location, plan);
        let line = step.as_ref().and_then(|path| line_of(plan, path));
        let breakpoint = Breakpoint { id: BreakpointId(self.last), spec, step, line };
        self.all.push(breakpoint.clone());
        breakpoint
    }

    /// Deletes one; false if there is none.
    pub fn delete(&mut self, id: BreakpointId) -> bool {
        let before = self.all.len();
        self.all.retain(|breakpoint| breakpoint.id != id);
        self.all.len() < before
    }

    /// Replaces all of them.
    pub fn replace(&mut self, specs: Vec<BreakpointSpec>, plan: &Plan) -> Vec<Breakpoint> {
        self.all.clear();
        specs.into_iter().map(|spec| self.add(spec, plan)).collect()
    }

    /// Looks up again which steps they mean: the workflow was edited.
    pub(crate) fn find_again(&mut self, plan: &Plan) {
        for breakpoint in &mut self.all {
            breakpoint.step = find(&breakpoint.spec.location, plan);
            breakpoint.line = breakpoint.step.as_ref().and_then(|path| line_of(plan, path));
        }
    }

    /// All of them, oldest first.
    pub fn all(&self) -> &[Breakpoint] {
        &self.all
    }

    /// Those at a step.
    pub fn at<'a>(&'a self, path: &'a StepPath) -> impl Iterator<Item = &'a Breakpoint> {
        self.all.iter().filter(move |breakpoint| breakpoint.step.as_ref() == Some(path))
    }
}

/// The line (from 1) of a step's first key.
pub fn line_of(plan: &Plan, path: &StepPath) -> Option<u32> {
    plan.step(path).map(|step| step.definition.span.start.line)
}

/// The last line (from 1) of a main step. A step that ends with a block of text ends, for the reader of the file, only
/// where the next step begins.
fn last_line_of(plan: &Plan, path: &StepPath) -> Option<u32> {
    let end = plan.step(path)?.definition.span.end.line;
    let next = StepPath::main(path.index().saturating_add(1));
    Some(line_of(plan, &next).map_or(end, |next| end.min(next.saturating_sub(1))))
}

/// The main step that a location means.
pub fn find(location: &Location, plan: &Plan) -> Option<StepPath> {
    let paths = || (0u32..).take(plan.steps.len()).map(StepPath::main);
    match location {
        Location::Line(line) => paths().find(|path| last_line_of(plan, path) >= Some(*line)),
        Location::Step(name) => plan
            .step_with_id(name)
            .or_else(|| {
                paths().find(|path| {
                    plan.step(path)
                        .and_then(|step| step.definition.name.as_ref())
                        .is_some_and(|known| known.value.source().eq_ignore_ascii_case(name))
                })
            })
            .or_else(|| {
                let number: u32 = name.parse().ok()?;
                paths().nth(usize::try_from(number.checked_sub(1)?).ok()?)
            }),
    }
}
