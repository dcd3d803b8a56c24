//! Breakpoints. They are not history: going back never brings one back to life, nor forgets one.
//!
//! Knows which steps a breakpoint means; whether it stops the job is found in `stopping`.

mod hits;
mod manifest;
mod place;

use std::fmt;

use engine::action::ResolvedAction;
use engine::job::Job;
use engine::plan::Plan;
use engine::step_path::StepPath;

pub use hits::HitCondition;
pub use manifest::ActionFile;
pub(crate) use manifest::{Places, lines as lines_of_action, manifest_path};
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
    /// A line (from 1) of an action's file; it means the step of the action that the line belongs to, else the next one, wherever
    /// the action is used. Until the action is found it means nothing yet.
    ActionLine(ActionFile, u32),
    /// A step's id or display name, in any case; its number from 1; or the action of several steps, for instance
    /// `actions/checkout` or `actions/*@v4`.
    Step(String),
    /// Whatever changes this.
    Change(Key),
}

/// Breakpoints that are set together, as editors do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakpointKind {
    /// On lines of the workflow file.
    Line,
    /// On lines of action files.
    ActionLine,
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
            Location::ActionLine(..) => BreakpointKind::ActionLine,
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
    /// The steps it means; empty if there are none, for a change, and for a line of an action, which may be used anywhere.
    pub steps: Vec<StepPath>,
    /// The first of these steps' line.
    pub line: Option<u32>,
    /// It lies in the file of an action that was not found yet.
    pub pending: bool,
}

/// All breakpoints.
#[derive(Clone, Debug, Default)]
pub struct Breakpoints {
    all: Vec<Breakpoint>,
    last: u32,
    places: Places,
}

impl Breakpoints {
    /// None yet; `places` says which action files are the same.
    pub(crate) fn among(places: Places) -> Self {
        Self { places, ..Self::default() }
    }

    /// Adds one; it may mean no step.
    pub fn add(&mut self, spec: BreakpointSpec, job: &Job) -> Breakpoint {
        self.last = self.last.saturating_add(1);
        let (id, pending) = (BreakpointId(self.last), spec.location.kind() == BreakpointKind::ActionLine);
        let mut breakpoint = Breakpoint { id, spec, steps: Vec::new(), line: None, pending };
        breakpoint.look_up(job.plan());
        breakpoint.bind(job, &self.places);
        self.all.push(breakpoint.clone());
        breakpoint
    }

    /// Deletes all.
    pub(crate) fn clear(&mut self) {
        self.all.clear();
    }

    /// Actions were found: those that lie in their files know their lines from now on. Returns the ones that changed.
    pub(crate) fn bind(&mut self, job: &Job) -> Vec<Breakpoint> {
        let Self { all, places, .. } = self;
        let changed =
            all.iter_mut().filter_map(|breakpoint| breakpoint.bind(job, places).then(|| breakpoint.clone()));
        changed.collect()
    }

    /// Which action files are the same.
    pub(crate) fn places(&self) -> &Places {
        &self.places
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
        job: &Job,
    ) -> Vec<Breakpoint> {
        let concerns =
            |breakpoint: &Breakpoint| kind.is_none_or(|kind| breakpoint.spec.location.kind() == kind);
        let (mut old, kept) = std::mem::take(&mut self.all).into_iter().partition(concerns);
        self.all = kept;
        specs.into_iter().map(|spec| self.keep_or_add(spec, &mut old, job)).collect()
    }

    fn keep_or_add(&mut self, spec: BreakpointSpec, old: &mut Vec<Breakpoint>, job: &Job) -> Breakpoint {
        match old.iter().position(|breakpoint| breakpoint.spec == spec) {
            Some(index) => {
                let breakpoint = old.swap_remove(index);
                self.all.push(breakpoint.clone());
                breakpoint
            }
            None => self.add(spec, job),
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

    /// Those at a step of this job.
    pub(crate) fn at<'a>(&'a self, job: &'a Job, path: &'a StepPath) -> impl Iterator<Item = &'a Breakpoint> {
        self.all.iter().filter(move |breakpoint| self.means(breakpoint, job, path))
    }

    /// Whether a breakpoint means a step of this job.
    pub(crate) fn means(&self, breakpoint: &Breakpoint, job: &Job, path: &StepPath) -> bool {
        match &breakpoint.spec.location {
            Location::ActionLine(file, line) => manifest::means(file, *line, job, path, &self.places),
            _ => breakpoint.steps.contains(path),
        }
    }

    /// The lines of the workflow file that have one.
    pub(crate) fn lines_in_workflow(&self) -> Vec<u32> {
        let here = |one: &&Breakpoint| one.spec.location.kind() != BreakpointKind::ActionLine;
        self.all.iter().filter(here).filter_map(|breakpoint| breakpoint.line).collect()
    }

    /// The lines of an action's file that have one.
    pub(crate) fn lines_in(&self, action: &ResolvedAction) -> Vec<u32> {
        let here = |one: &&Breakpoint| matches!(&one.spec.location, Location::ActionLine(file, _) if file.is_of(action, &self.places));
        self.all.iter().filter(here).filter_map(|breakpoint| breakpoint.line).collect()
    }

    /// Those on changes, with what they watch.
    pub fn on_changes(&self) -> impl Iterator<Item = (&Breakpoint, &Key)> {
        self.all.iter().filter_map(|breakpoint| match &breakpoint.spec.location {
            Location::Change(key) => Some((breakpoint, key)),
            Location::Line(_) | Location::ActionLine(..) | Location::Step(_) => None,
        })
    }
}

impl Breakpoint {
    fn look_up(&mut self, plan: &Plan) {
        if self.spec.location.kind() == BreakpointKind::ActionLine {
            return;
        }
        self.steps = find(&self.spec.location, plan);
        self.line = self.steps.first().and_then(|path| line_of(plan, path));
    }

    /// Looks for the file of an action among those that were found. True if that changed something.
    fn bind(&mut self, job: &Job, places: &Places) -> bool {
        let Location::ActionLine(file, line) = &self.spec.location else { return false };
        let Some(found) = manifest::bound(file, *line, job, places) else { return false };
        let before = (self.pending, self.line);
        (self.pending, self.line) = (false, found);
        before != (self.pending, self.line)
    }

    /// Whether it can ever stop the job.
    pub fn is_verified(&self) -> bool {
        match self.spec.location.kind() {
            BreakpointKind::Change => true,
            BreakpointKind::ActionLine => self.line.is_some(),
            BreakpointKind::Line | BreakpointKind::Step => !self.steps.is_empty(),
        }
    }
}
