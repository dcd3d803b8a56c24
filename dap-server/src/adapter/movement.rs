//! Moving: forwards, backwards, elsewhere; and standing still. Where a movement leads is told as an event, after its answer.

use session::engine::step_path::{LaneId, StepPath};
use session::request::{Request as Ask, Target};

use super::{Adapter, Frame, asks_to_confirm, stale};
use crate::protocol::execution::*;
use crate::protocol::sound::GotoTarget;
use crate::protocol::stack::TerminateThreadsArguments;
use crate::protocol::{ErrorId, Failure, ResponseBody};

impl Adapter {
    /// Forwards. At the question whether a step that reached outside is to run again, going on is the answer yes.
    pub(super) async fn go_on(&self, request: Ask) -> Result<ResponseBody, Failure> {
        let continues = request == Ask::Continue;
        let picture = self.picture().await?;
        let request = if asks_to_confirm(picture.stop.as_ref()) { Ask::Confirm(true) } else { request };
        self.resumed_by_request.set(true);
        if let Err(failure) = self.ask(request).await {
            self.resumed_by_request.set(false);
            return Err(failure);
        }
        self.look_away();
        Ok(if continues {
            ResponseBody::Continue(ContinueResponse { all_threads_continued: Some(true) })
        } else {
            ResponseBody::Empty
        })
    }

    /// To a moment of the past, or back from there.
    pub(super) async fn go_back(&self, request: Ask) -> Result<ResponseBody, Failure> {
        let progress = self.begin_progress("Restoring the files of another moment");
        let moved = self.ask(request).await;
        self.end_progress(progress);
        self.look_away();
        moved.map(|_| ResponseBody::Empty).map_err(Failure::shown)
    }

    pub(super) async fn restart_frame(
        &self,
        arguments: &RestartFrameArguments,
    ) -> Result<ResponseBody, Failure> {
        let frame = self.frame(arguments.frame_id)?;
        let picture = self.still_picture().await?;
        match frame {
            Frame::Step(_) if stands_before(&picture.stop) => self.go_on(Ask::Next).await,
            Frame::Step(_) => self.run_again().await,
            Frame::Job => self.restart().await,
        }
    }

    /// The stop at the step's beginning is passed by: a client would ask for what is there while the step runs already.
    async fn run_again(&self) -> Result<ResponseBody, Failure> {
        self.passes_by.set(true);
        let moved = self.go_back(Ask::Rerun).await;
        if moved.is_err() {
            self.passes_by.set(false);
        }
        moved
    }

    pub(super) fn frame(&self, id: i64) -> Result<Frame, Failure> {
        self.looks.borrow().frames.get(id).cloned().ok_or_else(|| stale("this frame"))
    }

    pub(super) async fn goto_targets(
        &self,
        arguments: &GotoTargetsArguments,
    ) -> Result<ResponseBody, Failure> {
        let picture = self.still_picture().await?;
        let line = self.client.borrow().line_in(arguments.line);
        let path =
            line.filter(|_| self.is_workflow(&arguments.source)).and_then(|line| picture.step_at_line(line));
        let Some(path) = path else {
            return Ok(ResponseBody::GotoTargets(GotoTargetsResponse { targets: Vec::new() }));
        };
        let is_past = picture.steps.iter().any(|step| step.path == path && step.outcome.is_some());
        let way = if is_past { "back to" } else { "skip to" };
        let line = picture.place(&path).map_or(0, |place| self.client.borrow().line_out(place.line));
        let label = format!("{way} {} {}", path.index().saturating_add(1), picture.step_name(&path));
        let id = self.looks.borrow_mut().targets.of(path);
        let target = GotoTarget { id, label, line, ..GotoTarget::default() };
        Ok(ResponseBody::GotoTargets(GotoTargetsResponse { targets: vec![target] }))
    }

    pub(super) async fn goto(&self, arguments: &GotoArguments) -> Result<ResponseBody, Failure> {
        let target = self.looks.borrow().targets.get(arguments.target_id).cloned();
        let path: StepPath = target.ok_or_else(|| stale("this target"))?;
        self.go_back(Ask::Goto(Target::Step(path))).await
    }

    /// A step has no parts that could be stepped into by themselves, as long as it is no composite action.
    pub(super) async fn step_in_targets(
        &self,
        arguments: &StepInTargetsArguments,
    ) -> Result<ResponseBody, Failure> {
        self.frame(arguments.frame_id)?;
        Ok(ResponseBody::StepInTargets(StepInTargetsResponse { targets: Vec::new() }))
    }

    pub(super) async fn pause(&self) -> Result<ResponseBody, Failure> {
        self.ask(Ask::Pause).await.map(|_| ResponseBody::Empty)
    }

    /// The foreground is the job.
    pub(super) async fn terminate_threads(
        &self,
        arguments: &TerminateThreadsArguments,
    ) -> Result<ResponseBody, Failure> {
        let ids = arguments.thread_ids.clone().unwrap_or_default();
        let foreground = i64::from(LaneId::FOREGROUND.0) + super::FOREGROUND;
        if let Some(unknown) = ids.iter().find(|id| **id != foreground) {
            return Err(
                Failure::new(ErrorId::Stale, "there is no thread {id}").with("id", unknown.to_string())
            );
        }
        if ids.is_empty() { Ok(ResponseBody::Empty) } else { self.terminate().await }
    }
}

/// A step that has ended or runs begins again; of one that has not begun, its own beginning is where the job stands.
fn stands_before(stop: &Option<session::request::Stop>) -> bool {
    use session::moment::Point;
    matches!(stop.as_ref().map(|stop| &stop.point), Some(Point::Before(_) | Point::Decided(_)))
}
