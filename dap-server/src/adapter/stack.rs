//! Threads, frames and scopes of a stop.

use std::rc::Rc;

use session::picture::{CONTEXTS, Picture};
use session::request::Place;

use super::variables::Node;
use super::{Adapter, FOREGROUND, Frame};
use crate::protocol::sound::Thread;
use crate::protocol::stack::*;
use crate::protocol::{Failure, ResponseBody};

impl Adapter {
    pub(super) fn threads(&self) -> Result<ResponseBody, Failure> {
        let name = self.debuggee()?.name.clone();
        Ok(ResponseBody::Threads(ThreadsResponse { threads: vec![Thread { id: FOREGROUND, name }] }))
    }

    pub(super) async fn stack_trace(&self, arguments: &StackTraceArguments) -> Result<ResponseBody, Failure> {
        let picture = self.still_picture().await?;
        let mut frames: Vec<Frame> = picture.step().cloned().map(Frame::Step).into_iter().collect();
        if picture.outcome().is_some() {
            frames.clear();
        }
        frames.push(Frame::Job);
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
        let (name, line, hint) = match &frame {
            Frame::Step(path) => {
                let name = format!("{} {}", path.index().saturating_add(1), picture.step_name(path));
                (name, picture.place(path).map(|place| place.line), None)
            }
            Frame::Job => (job_frame_name(picture), picture.job_line(), Some(FrameHint::Subtle)),
        };
        StackFrame {
            id: self.looks.borrow_mut().frames.of(frame),
            name,
            source: Some(self.workflow_source()),
            line: client.line_out(line.unwrap_or(1)),
            column: client.column_out(1),
            can_restart: Some(!picture.viewed),
            presentation_hint: hint,
            ..StackFrame::default()
        }
    }

    pub(super) async fn scopes(&self, arguments: &ScopesArguments) -> Result<ResponseBody, Failure> {
        let frame = self.frame(arguments.frame_id)?;
        let picture = self.still_picture().await?;
        let mut scopes = Vec::new();
        if let Frame::Step(path) = &frame {
            let place = picture.place(path);
            scopes.push(self.scope("Step", Node::Step(path.clone()), place, &picture));
        }
        for name in CONTEXTS {
            let node = if name == "secrets" { Node::Secrets } else { Node::Value(name.to_owned()) };
            scopes.push(self.scope(&title(name), node, None, &picture));
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
