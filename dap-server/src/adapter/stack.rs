//! Threads, frames and scopes of a stop.

use std::rc::Rc;

use session::engine::step_path::{LaneId, StepPath};
use session::picture::{CONTEXTS, Picture};
use session::request::{BackgroundLine, BackgroundState, Place};

use super::variables::{Asked, Node};
use super::{Adapter, FOREGROUND, Frame, lane_of, thread_of};
use crate::protocol::sound::Thread;
use crate::protocol::stack::*;
use crate::protocol::{ErrorId, Failure, ResponseBody};

impl Adapter {
    /// The foreground, and every background step that is not over, or for whose end the job stands.
    pub(super) async fn threads(&self) -> Result<ResponseBody, Failure> {
        let name = self.debuggee()?.name.clone();
        let picture = self.picture().await?;
        let is_over = |line: &BackgroundLine| matches!(line.state, BackgroundState::Over(_));
        let live = picture.background.iter().filter(|line| !is_over(line) || stands_for(&picture, line.lane));
        let lanes = live.map(|line| Thread { id: thread_of(line.lane), name: thread_name(line) });
        let threads = [Thread { id: FOREGROUND, name }].into_iter().chain(lanes).collect();
        Ok(ResponseBody::Threads(ThreadsResponse { threads }))
    }

    pub(super) async fn stack_trace(&self, arguments: &StackTraceArguments) -> Result<ResponseBody, Failure> {
        let picture = self.still_picture().await?;
        let frames = frames_of(arguments.thread_id, &picture)?;
        let total = i64::try_from(frames.len()).ok();
        let start = usize::try_from(arguments.start_frame.unwrap_or(0)).unwrap_or(0);
        let levels =
            arguments.levels.filter(|levels| *levels > 0).and_then(|levels| usize::try_from(levels).ok());
        let stack_frames = frames
            .into_iter()
            .skip(start)
            .take(levels.unwrap_or(usize::MAX))
            .map(|frame| self.stack_frame(frame, &picture))
            .collect();
        Ok(ResponseBody::StackTrace(StackTraceResponse { stack_frames, total_frames: total }))
    }

    fn stack_frame(&self, frame: Frame, picture: &Rc<Picture>) -> StackFrame {
        let client = self.client.borrow();
        let background = matches!(frame, Frame::Background(..));
        let manifest = frame.step().and_then(|path| picture.manifest_of(path));
        let source = match (&frame, manifest) {
            (Frame::Caller(call), _) => self.caller_source(*call),
            (_, Some(file)) => Some(self.file_source(&file)),
            (_, None) => Some(self.workflow_source()),
        };
        let (name, line, hint) = match &frame {
            Frame::Step(path) | Frame::Around(path) | Frame::Background(_, path) => {
                let name = format!("{} {}", path.number(), picture.step_name(path));
                (name, picture.place(path).map(|place| place.line), None)
            }
            Frame::Job => (job_frame_name(picture), picture.job_line(), Some(FrameHint::Subtle)),
            Frame::Caller(call) => {
                let caller = picture.plan().callers.get(*call);
                let name = caller.map(|caller| session::wording::shown(&caller.name));
                (name.unwrap_or_default(), caller.map(|caller| caller.line), Some(FrameHint::Subtle))
            }
        };
        let is_caller = matches!(frame, Frame::Caller(_));
        StackFrame {
            id: self.looks.borrow_mut().frames.of(frame),
            name,
            source,
            line: client.line_out(line.unwrap_or(1)),
            column: client.column_out(1),
            can_restart: Some(!picture.viewed && !background && !is_caller),
            presentation_hint: hint,
            ..StackFrame::default()
        }
    }

    pub(super) async fn scopes(&self, arguments: &ScopesArguments) -> Result<ResponseBody, Failure> {
        let frame = self.frame(arguments.frame_id)?;
        let picture = self.still_picture().await?;
        let mut scopes = Vec::new();
        if matches!(frame, Frame::Caller(_)) {
            // What a call sees is not what the job that it called sees, and is gone when that one starts.
            return Ok(ResponseBody::Scopes(ScopesResponse { scopes }));
        }
        let lane = frame.lane();
        if let Some(path) = frame.step() {
            let place = picture.place(path).filter(|_| picture.manifest_of(path).is_none());
            scopes.push(self.scope("Step", Node::Step(path.clone()), place, &picture));
        }
        for name in CONTEXTS {
            let node = if name == "secrets" { Node::Secrets } else { Node::Value(Asked::new(lane, name)) };
            scopes.push(self.scope(&title(name), node, None, &picture));
        }
        if !picture.background.is_empty() {
            scopes.push(self.scope("Background", Node::Background, None, &picture));
        }
        scopes.push(self.scope("Changes", Node::Changes, None, &picture));
        scopes.push(self.scope("Functions", Node::Functions, None, &picture));
        Ok(ResponseBody::Scopes(ScopesResponse { scopes }))
    }

    fn scope(&self, name: &str, node: Node, place: Option<Place>, picture: &Picture) -> Scope {
        let hint = match &node {
            Node::Step(_) => Some(ScopeHint::Locals),
            Node::Secrets => Some(ScopeHint::Registers),
            _ => None,
        };
        let named = node.size(picture);
        Scope {
            name: name.to_owned(),
            presentation_hint: hint,
            // Comparing files and showing a whole event take longer than a person's look at the rest.
            expensive: matches!(node, Node::Changes) || name == "GitHub",
            named_variables: named,
            variables_reference: self.looks.borrow_mut().nodes.of(node),
            source: place.as_ref().map(|_| self.workflow_source()),
            line: place.map(|place| self.client.borrow().line_out(place.line)),
            ..Scope::default()
        }
    }
}

/// What a thread is in the middle of, the innermost first.
fn frames_of(thread: i64, picture: &Picture) -> Result<Vec<Frame>, Failure> {
    let job = [Frame::Job].into_iter().chain((0..picture.plan().callers.len()).map(Frame::Caller));
    if thread == FOREGROUND {
        let step = picture.step().filter(|_| picture.outcome().is_none());
        let around = step.map(StepPath::ancestors).unwrap_or_default().into_iter().map(Frame::Around);
        return Ok(step.cloned().map(Frame::Step).into_iter().chain(around).chain(job).collect());
    }
    let line = picture.background.iter().find(|line| Some(line.lane) == lane_of(thread));
    let line = line.filter(|line| !line.joined || stands_for(picture, line.lane));
    let line = line.ok_or_else(|| no_thread(thread))?;
    let inside = [line.at_step.clone()].into_iter().chain(line.at_step.ancestors());
    Ok(inside.map(|path| Frame::Background(line.lane, path)).chain(job).collect())
}

/// The job stands for something that this background step has come to.
fn stands_for(picture: &Picture, lane: LaneId) -> bool {
    let stop = picture.stop.as_ref().filter(|_| !picture.viewed);
    stop.and_then(|stop| stop.background.as_ref()).is_some_and(|path| LaneId::of_background(path) == lane)
}

/// A thread that is not there, or no more.
pub(super) fn no_thread(thread: i64) -> Failure {
    Failure::new(ErrorId::Stale, "there is no thread {id}").with("id", thread.to_string())
}

/// `3 Server`, and what is to know of it: while the job stands background steps run on.
fn thread_name(line: &BackgroundLine) -> String {
    let number = line.step.index().saturating_add(1);
    format!("{number} {} ({})", session::wording::shown(&line.name), line.state.as_str())
}

impl Frame {
    /// The lane whose contexts it shows.
    pub(super) fn lane(&self) -> LaneId {
        match self {
            Frame::Background(lane, _) => *lane,
            Frame::Step(_) | Frame::Around(_) | Frame::Job | Frame::Caller(_) => LaneId::FOREGROUND,
        }
    }

    /// The step that it is about.
    fn step(&self) -> Option<&StepPath> {
        match self {
            Frame::Step(path) | Frame::Around(path) | Frame::Background(_, path) => Some(path),
            Frame::Job | Frame::Caller(_) => None,
        }
    }
}

fn job_frame_name(picture: &Picture) -> String {
    let name = session::wording::shown(&picture.plan().name);
    match picture.outcome() {
        Some(outcome) => format!("{name} [{}]", outcome.as_str()),
        None => name,
    }
}

/// A context's name as a heading.
fn title(context: &str) -> String {
    match context {
        "github" => "GitHub".to_owned(),
        "vars" => "Vars".to_owned(),
        other => {
            let mut letters = other.chars();
            letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
        }
    }
}
