//! Looking: state, files, logs and history of the present or of a moment that is viewed. Changes nothing.
//!
//! Everything a person sees is masked here.

mod changes;
mod listing;
mod values;

pub(crate) use listing::StepLines;
pub(crate) use values::{evaluated, shown};

use engine::expr::Object;
use engine::job::Job;
use engine::step_path::StepPath;
use host::contract::Host;

use crate::breakpoint::Breakpoint;
use crate::moment::{Moment, MomentId};
use crate::request::{Refusal, Reply, Request};
use crate::session::Session;

impl<H: Host> Session<H> {
    /// Requests that only look, and those that keep breakpoints.
    pub(crate) fn look(&mut self, request: Request) -> Result<Reply, Refusal> {
        match request {
            Request::Break(spec) => {
                self.breakpoints.add(spec, &self.job);
                Ok(Reply::Breakpoints(self.bound().last().cloned().into_iter().collect()))
            }
            Request::SetBreakpoints { kind, specs } => {
                let known = self.breakpoints.replace(kind, specs, &self.job);
                let bound = self.bound().iter();
                let is_known = |one: &&Breakpoint| known.iter().any(|other| other.id == one.id);
                let bound: Vec<Breakpoint> = bound.filter(is_known).cloned().collect();
                let of =
                    |one: Breakpoint| bound.iter().find(|other| other.id == one.id).cloned().unwrap_or(one);
                Ok(Reply::Breakpoints(known.iter().cloned().map(of).collect()))
            }
            Request::Breakpoints => Ok(Reply::Breakpoints(self.breakpoints.all().to_vec())),
            Request::Print(text) => self.print(&text),
            Request::Env => Ok(Reply::Variables(self.env())),
            Request::Outputs => Ok(Reply::Variables(self.outputs())),
            Request::Steps => Ok(Reply::Steps(self.step_list())),
            Request::Source(step) => self.source_around(step),
            Request::Log(step) => self.log_of(step),
            Request::Why => self.why(),
            Request::Diff { between, all } => self.diff(between, all),
            Request::When(key) => self.when(&key),
            Request::Picture => Ok(Reply::Picture(Box::new(self.picture()))),
            Request::Timeline => Ok(Reply::Timeline(self.timeline_lines())),
            Request::Status => {
                self.stop.clone().map(|stop| Reply::Stop(Box::new(stop))).ok_or_else(|| {
                    Refusal::new("the job is running").hint("`pause` stops it after this step")
                })
            }
            _ => Err(Refusal::new("this request is not served here")),
        }
    }

    /// All breakpoints, looked for in the newest moment too: who is in the past knows actions that are found later.
    fn bound(&mut self) -> &[Breakpoint] {
        if let Some(newest) = self.timeline.moments().last() {
            self.breakpoints.bind(&newest.job);
        }
        self.breakpoints.all()
    }

    /// The job that a person looks at: the viewed moment's, else the present one.
    pub(crate) fn looked_at(&self) -> &Job {
        self.viewed().map_or(&self.job, |moment| &moment.job)
    }

    fn viewed(&self) -> Option<&Moment> {
        self.viewing.and_then(|id| self.timeline.get(id))
    }

    /// The moment that a person looks at.
    pub(crate) fn looked_at_id(&self) -> MomentId {
        self.viewing.unwrap_or(self.here)
    }

    /// The step that a person looks at; the last one when the job is over.
    pub(crate) fn step_looked_at(&self) -> Option<StepPath> {
        let job = self.looked_at();
        job.cursor().step().or_else(|| job.results().keys().last()).cloned()
    }
}

/// How many outputs and variables differ between two states.
pub(crate) fn differences(from: &Job, to: &Job) -> (usize, usize) {
    let outputs = |job: &Job| values::flat_outputs(job.steps());
    let (before, after) = (outputs(from), outputs(to));
    let in_one = |a: &Vec<(String, String)>, b: &Vec<(String, String)>| {
        a.iter().filter(|pair| !b.contains(pair)).map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    let mut names = in_one(&before, &after);
    names.extend(in_one(&after, &before));
    names.sort();
    names.dedup();
    (names.len(), differing_keys(from.env(), to.env()))
}

fn differing_keys(from: &Object, to: &Object) -> usize {
    let gone_or_changed = from.iter().filter(|(name, value)| to.get(name) != Some(value)).count();
    let new = to.keys().filter(|name| from.get(name).is_none()).count();
    gone_or_changed + new
}
