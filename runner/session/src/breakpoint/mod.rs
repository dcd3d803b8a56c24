//! Breakpoints. They are not history: going back never brings one back to life, nor forgets one.
//!
//! Knows which steps a breakpoint means; whether it stops the job is found in `stopping`.

mod hits;
mod place;

use std::fmt;

use engine::plan::Plan;
use engine::step_path::StepPath;

pub use hits::HitCondition;
pub(crate) use place::place_in;
pub use place::{find, line_of, step_at_line};

use crate::key::Key;

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
    /// Of the times at which it could stop, counted along the current branch, those at which it does.
    pub hits: Option<HitCondition>,
    /// Instead of stopping, say this; `{EXPR}` in it is evaluated.
    pub log_message: Option<String>,
}

impl BreakpointSpec {
    /// One that always stops.
    pub fn at(location: Location) -> Self {
        Self { location, condition: None, hits: None, log_message: None }
    }
}

/// Where a breakpoint is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A line (from 1) of the workflow file; it means the step that the line belongs to, else the next one.
    Line(u32),
    /// A step's id or display name, in any case; its number from 1; or the action of several steps, for instance
    /// `actions/checkout` or `actions/*@v4`.
    Step(String),
    /// Whatever changes this.
    Change(Key),
}

/// Breakpoints that are set together, as editors do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakpointKind {
    /// On lines.
    Line,
    /// On steps by their names.
    Step,
    /// On changes.
    Change,
}

impl Location {
    /// Which kind of breakpoint it makes.
    pub fn kind(&self) -> BreakpointKind {
        match self {
            Location::Line(_) => BreakpointKind::Line,
            Location::Step(_) => BreakpointKind::Step,
            Location::Change(_) => BreakpointKind::Change,
        }
    }
}

/// A breakpoint in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breakpoint {
    /// Its name.
    pub id: BreakpointId,
    /// What was asked for.
    pub spec: BreakpointSpec,
    /// The steps it means; empty if there are none, and for a change.
    pub steps: Vec<StepPath>,
    /// The first of these steps' line.
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
        let mut breakpoint = Breakpoint { id: BreakpointId(self.last), spec, steps: Vec::new(), line: None };
        breakpoint.look_up(plan);
        self.all.push(breakpoint.clone());
        breakpoint
    }

    /// Deletes one; false if there is none.
    pub fn delete(&mut self, id: BreakpointId) -> bool {
        let before = self.all.len();
        self.all.retain(|breakpoint| breakpoint.id != id);
        self.all.len() < before
    }

    /// Replaces those of a kind, or all of them; one that was there already keeps its name. Returns the new ones in
    /// the order in which they were asked for.
    pub fn replace(
        &mut self,
        kind: Option<BreakpointKind>,
        specs: Vec<BreakpointSpec>,
        plan: &Plan,
    ) -> Vec<Breakpoint> {
        let concerns =
            |breakpoint: &Breakpoint| kind.is_none_or(|kind| breakpoint.spec.location.kind() == kind);
        let (mut old, kept) = std::mem::take(&mut self.all).into_iter().partition(concerns);
        self.all = kept;
        specs.into_iter().map(|spec| self.keep_or_add(spec, &mut old, plan)).collect()
    }

    fn keep_or_add(&mut self, spec: BreakpointSpec, old: &mut Vec<Breakpoint>, plan: &Plan) -> Breakpoint {
        match old.iter().position(|breakpoint| breakpoint.spec == spec) {
            Some(index) => {
                let breakpoint = old.swap_remove(index);
                self.all.push(breakpoint.clone());
                breakpoint
            }
            None => self.add(spec, plan),
        }
    }

    /// Looks up again which steps they mean: the workflow was edited.
    pub(crate) fn find_again(&mut self, plan: &Plan) {
        self.all.iter_mut().for_each(|breakpoint| breakpoint.look_up(plan));
    }

    /// All of them.
    pub fn all(&self) -> &[Breakpoint] {
        &self.all
    }

    /// The one with this name.
    pub fn get(&self, id: BreakpointId) -> Option<&Breakpoint> {
        self.all.iter().find(|breakpoint| breakpoint.id == id)
    }

    /// Those at a step.
    pub fn at<'a>(&'a self, path: &'a StepPath) -> impl Iterator<Item = &'a Breakpoint> {
        self.all.iter().filter(move |breakpoint| breakpoint.steps.contains(path))
    }

    /// Those on changes, with what they watch.
    pub fn on_changes(&self) -> impl Iterator<Item = (&Breakpoint, &Key)> {
        self.all.iter().filter_map(|breakpoint| match &breakpoint.spec.location {
            Location::Change(key) => Some((breakpoint, key)),
            Location::Line(_) | Location::Step(_) => None,
        })
    }
}

impl Breakpoint {
    fn look_up(&mut self, plan: &Plan) {
        self.steps = find(&self.spec.location, plan);
        self.line = self.steps.first().and_then(|path| line_of(plan, path));
    }

    /// Whether it can ever stop the job.
    pub fn is_verified(&self) -> bool {
        !self.steps.is_empty() || self.spec.location.kind() == BreakpointKind::Change
    }
}
