//! Moving: forwards, backwards, elsewhere; and standing still. Where a movement leads is told as an event, after its answer.

use session::engine::step_path::StepPath;
use session::moment::Point;
use session::request::{Reply, Request as Ask, Stop, Target};

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
        self.travel(request).await.map(|_| ResponseBody::Empty)
    }

    async fn travel(&self, request: Ask) -> Result<Reply, Failure> {
        let progress = self.begin_progress("Restoring the files of another moment");
        let moved = self.ask(request).await;
        self.end_progress(progress);
        self.look_away();
        moved.map_err(Failure::shown)
    }

    /// The same at a request that a client does not know for a movement: it is told when the way begins, and where the job
    /// still stands if the way leads nowhere.
    pub(super) async fn depart(&self, request: Ask) -> Result<Reply, Failure> {
        let stands = self.picture().await?.stop.is_some();
        if stands {
            self.continued();
        }
        let reruns = request == Ask::Rerun;
        let moved = self.travel(request).await;
        match moved {
            Ok(_) if reruns => self.pass_a_stop(),
            Ok(_) => {}
            Err(_) => self.stayed.set(stands),
        }
        moved
    }

    pub(super) async fn restart_frame(
        &self,
        arguments: &RestartFrameArguments,
    ) -> Result<ResponseBody, Failure> {
        let frame = self.frame(arguments.frame_id)?;
        let picture = self.still_picture().await?;
        match frame {
            Frame::Job => self.restart().await,
            Frame::Caller(_) => Err(Failure::new(
                ErrorId::InvalidArguments,
                "a call of a workflow cannot be run again by itself",
            )
            .hint("restart the frame of the job")),
            Frame::Background(..) => Err(Failure::new(
                ErrorId::InvalidArguments,
                "a background step cannot be run again by itself",
            )
            .hint("`goto` its line goes back to before it started")),
            Frame::Around(path) => {
                let done = self.go_back(Ask::Goto(Target::Step(path))).await?;
                self.pass_a_stop();
                Ok(done)
            }
            Frame::Step(_) if has_not_begun(&picture.stop) => self.go_on(Ask::Next).await,
            Frame::Step(_) => {
                let done = self.go_back(Ask::Rerun).await?;
                self.pass_a_stop();
                Ok(done)
            }
        }
    }

    /// The session stops on the way to where a request leads; a client that were told would ask for what is gone by then.
    pub(super) fn pass_a_stop(&self) {
        self.passing.set(true);
        self.resumed_by_request.set(true);
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
        let is_past = picture.step_line(&path).is_some_and(|step| step.outcome.is_some());
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

    /// A background step is cancelled, as a `cancel` step does it; the foreground is the job.
    pub(super) async fn terminate_threads(
        &self,
        arguments: &TerminateThreadsArguments,
    ) -> Result<ResponseBody, Failure> {
        let ids = arguments.thread_ids.clone().unwrap_or_default();
        if ids.contains(&super::FOREGROUND) {
            return self.terminate().await;
        }
        for id in ids {
            let lane = super::lane_of(id).ok_or_else(|| super::stack::no_thread(id))?;
            self.ask(Ask::CancelLane(lane)).await?;
        }
        Ok(ResponseBody::Empty)
    }
}

/// The job stands at the beginning of its step: to run it again is to run it.
fn has_not_begun(stop: &Option<Stop>) -> bool {
    matches!(stop.as_ref().map(|stop| &stop.point), Some(Point::Before(_) | Point::Decided(_)))
}
