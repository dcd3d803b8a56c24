//! What a person changes at a stop point, and on which branch it lies.
//!
//! An edit at the newest moment makes no branch; one made in the past belongs to a branch that becomes real only
//! when the job advances from there (DESIGN 4).

use std::sync::Arc;

use engine::effect::Outcome;
use engine::event::{Edit, Event};
use engine::job::{Cursor, Misuse};
use engine::step_path::{Stage, StepPath};
use host::contract::Host;
use host::snapshot::SnapshotId;

use crate::gate::Reach;
use crate::moment::{BranchId, Cause, Point};
use crate::notice::Notice;
use crate::request::{Refusal, StopReason, Target};
use crate::session::Session;

impl<H: Host> Session<H> {
    /// `set NAME=VALUE`.
    pub(crate) async fn set(&mut self, name: &str, value: Option<String>) -> Result<(), Refusal> {
        self.must_stand()?;
        let edit = parse_edit(name, value.as_deref())?;
        let shown = match &value {
            Some(value) => format!("set {name}={value}"),
            None => format!("unset {name}"),
        };
        self.apply(edit)?;
        let files = self.files_between_steps().await;
        self.record_edit(shown, files);
        Ok(())
    }

    /// Applies an edit to the job without recording it.
    pub(crate) fn apply(&mut self, edit: Edit) -> Result<(), Refusal> {
        let mut effects = Vec::new();
        let done = self.job.handle(Event::Edited(edit), &self.secrets, &mut effects);
        self.carry_out(effects);
        done.map_err(|misuse| match misuse {
            Misuse::Edit(text) => Refusal::new(text).hint("`steps` lists the steps with their ids"),
            other => Refusal::new(other.to_string()),
        })
    }

    /// Records that the state or the files of this moment were changed by a person.
    pub(crate) fn record_edit(&mut self, what: String, files: Option<SnapshotId>) {
        let branch = self.branch_for_edit();
        let what = self.secrets.mask(&what);
        self.keep(branch, Cause::Edited(what), files);
        let edited = self.has_pending_branch();
        if let Some(stop) = &mut self.stop {
            (stop.moment, stop.edited) = (self.here, edited);
        }
    }

    /// Records that files of this moment were changed: a decision that was made from them has to be made again.
    pub(crate) fn record_file_edit(&mut self, what: String, files: Option<SnapshotId>) {
        if matches!(self.job.cursor(), Cursor::Decided(..))
            && let Err(refusal) = self.apply(Edit::Files(Box::default()))
        {
            self.tell(Notice::Warning(refusal.text));
        }
        self.record_edit(what, files);
    }

    /// The branch that an edit lies on: a pending one in the past, else the current one.
    pub(crate) fn branch_for_edit(&mut self) -> BranchId {
        let next = self.timeline.new_branch();
        match &mut self.rewound {
            Some(rewound) => *rewound.pending.get_or_insert(next),
            None => self.branch,
        }
    }

    /// `goto`: forwards skips, backwards rewinds.
    pub(crate) async fn goto(&mut self, target: Target) -> Result<(), Refusal> {
        match target {
            Target::Moment(id) => self.go_back_to(id, StopReason::Goto).await,
            Target::Step(path) => self.goto_step(path).await,
        }
    }

    async fn goto_step(&mut self, path: StepPath) -> Result<(), Refusal> {
        let at = Point::of(&self.job);
        let position = at.step().map(|step| (step.stage(), step.index()));
        let is_ahead = position.is_some_and(|(stage, index)| stage == Stage::Main && path.index() > index);
        if is_ahead && !self.only_looks() {
            return self.skip_to(path).await;
        }
        if at.is_before(&path) {
            return Err(Refusal::new("the job stands there already"));
        }
        // Where nothing runs, what lies ahead is what was recorded.
        let from = self.rewound.as_ref().filter(|_| is_ahead).map_or(self.here, |rewound| rewound.newest);
        match self.timeline.before_moment(from, &path).map(|moment| moment.id) {
            Some(id) => self.go_back_to(id, StopReason::Goto).await,
            None => Err(Refusal::new("this step has not been reached on this branch")
                .hint("`timeline` shows the moments of all branches; `goto mN` goes to one")),
        }
    }

    async fn skip_to(&mut self, path: StepPath) -> Result<(), Refusal> {
        self.must_stand()?;
        let files = self.files_between_steps().await;
        let number = path.index().saturating_add(1);
        self.apply(Edit::Jump(path))?;
        self.record_edit(format!("went on to step {number}, skipping what lies between"), files);
        self.stand(StopReason::Goto);
        Ok(())
    }

    /// Runs the step again from its own before-moment.
    pub(crate) async fn rerun(&mut self) -> Result<(), Refusal> {
        let point = Point::of(&self.job);
        let path = match &point {
            Point::Before(_) | Point::Decided(_) => self
                .timeline
                .back_from(self.here, &point)
                .and_then(|moment| moment.point.step().cloned())
                .ok_or_else(|| Refusal::new("no step has run yet"))?,
            Point::During(path)
            | Point::After(path, _)
            | Point::LaneBefore(path)
            | Point::LaneAfter(path, _) => path.clone(),
            Point::End(_) => self
                .timeline
                .back_from(self.here, &point)
                .and_then(|moment| moment.point.step().cloned())
                .ok_or_else(|| Refusal::new("no step has run"))?,
        };
        let target = self.timeline.before_moment(self.here, &path).map(|moment| moment.id);
        let target = target.ok_or_else(|| Refusal::new("the moment before this step is not recorded"))?;
        self.go_back_to(target, StopReason::Goto).await?;
        self.go_on(|gate, point| gate.step(Reach::Over, point)).await
    }

    /// Refuses while a shell command runs: it belongs to the moment at which it was started.
    pub(crate) fn must_have_no_shell(&self) -> Result<(), Refusal> {
        match self.shell {
            Some(_) => {
                Err(Refusal::new("a shell command is running").hint("wait for it, or press Ctrl-C to end it"))
            }
            None => Ok(()),
        }
    }

    /// Refuses while the job runs, and in a view.
    pub(crate) fn must_stand(&self) -> Result<(), Refusal> {
        if self.is_running() && self.rewound.is_some() {
            return Err(Refusal::new(
                "a step was under way here, and nothing of it can be changed in its middle",
            )
            .hint("`back` goes to before it"));
        }
        if self.is_running() {
            return Err(
                Refusal::new("a step is running").hint("`pause` stops after it; a second `pause` freezes it")
            );
        }
        if self.gate.is_open() {
            return Err(Refusal::new("the job is running").hint("`pause` stops it"));
        }
        if self.viewing.is_some() {
            return Err(Refusal::new("this is a view of the past, which cannot be changed")
                .hint("`view off` ends the view; `goto` goes to the moment itself"));
        }
        Ok(())
    }
}

/// `env.X`, `steps.ID.outputs.NAME`, `steps.ID.outcome`, `inputs.X`, `job.status`.
fn parse_edit(name: &str, value: Option<&str>) -> Result<Edit, Refusal> {
    let parts: Vec<&str> = name.split('.').collect();
    let needed = || value.map(Arc::from).ok_or_else(|| Refusal::new(format!("`{name}` needs a value")));
    match parts.as_slice() {
        ["env", variable] if !variable.is_empty() => {
            Ok(Edit::Env { name: Arc::from(*variable), value: value.map(Arc::from) })
        }
        ["inputs", input] if !input.is_empty() => {
            Ok(Edit::Input { name: Arc::from(*input), value: needed()? })
        }
        ["job", "status"] => Ok(Edit::Status(parse_outcome(&needed()?)?)),
        ["steps", id, "outcome"] => {
            Ok(Edit::Outcome { step: Arc::from(*id), outcome: parse_outcome(&needed()?)? })
        }
        ["steps", id, "outputs", output] if !output.is_empty() => {
            Ok(Edit::Output { step: Arc::from(*id), name: Arc::from(*output), value: needed()? })
        }
        _ => Err(Refusal::new(format!("`{name}` cannot be set"))
            .hint("these can: env.NAME, steps.ID.outputs.NAME, steps.ID.outcome, inputs.NAME, job.status")),
    }
}

fn parse_outcome(text: &str) -> Result<Outcome, Refusal> {
    [Outcome::Success, Outcome::Failure, Outcome::Cancelled, Outcome::Skipped]
        .into_iter()
        .find(|outcome| outcome.as_str().eq_ignore_ascii_case(text))
        .ok_or_else(|| {
            Refusal::new(format!("`{text}` is no outcome"))
                .hint("one of success, failure, cancelled, skipped")
        })
}
