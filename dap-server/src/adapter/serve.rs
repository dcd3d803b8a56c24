//! The conversation's loop: requests in, answers and news out.
//!
//! Each request is served by a task of its own, in the order in which they came as far as the session is concerned; what a
//! movement leads to is told after the answer to it. Knows which function serves which request, and nothing of what they do.

use std::collections::BTreeMap;
use std::pin::pin;
use std::rc::Rc;

use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Adapter, Phase};
use crate::connection::{Asked, Incoming};
use crate::debuggee::Desk;
use crate::feed::Item;
use crate::limits::LAST_ANSWERS_TIME_MAX;
use crate::outbox::Outbox;
use crate::protocol::progress::CancelArguments;
use crate::protocol::{ErrorId, Failure, Request, ResponseBody};

/// Serves one client until it leaves or has nothing more to say.
pub(crate) async fn converse(desk: Rc<Desk>, out: Outbox, mut incoming: Incoming) {
    let adapter = Rc::new(Adapter::new(Rc::clone(&desk), out));
    let mut requests = Requests::default();
    loop {
        tokio::select! {
            biased;
            asked = incoming.next() => match asked {
                Some(asked) => requests.serve(&adapter, asked),
                None => break,
            },
            Some(done) = requests.tasks.join_next() => requests.finished(&adapter, done.ok()).await,
            item = next_item(&adapter) => adapter.tell(item).await,
        }
        if adapter.phase.get() == Phase::Left && requests.tasks.is_empty() {
            break;
        }
    }
    requests.answer_last(&adapter).await;
    adapter.left().await;
}

/// What the client may be told next: nothing before it has set its breakpoints, and output alone while an answer is due
/// that news must come after.
async fn next_item(adapter: &Adapter) -> Item {
    let debuggee = adapter.debuggee.borrow().clone().filter(|_| adapter.phase.get() == Phase::Running);
    match debuggee {
        Some(debuggee) if adapter.moving.get() == 0 => debuggee.feed.next().await,
        Some(debuggee) => debuggee.feed.next_output().await,
        None => std::future::pending().await,
    }
}

/// The requests that are being served.
#[derive(Default)]
struct Requests {
    tasks: JoinSet<(i64, bool)>,
    cancels: BTreeMap<i64, oneshot::Sender<()>>,
    /// The one that asks for a job.
    starts: Option<i64>,
}

impl Requests {
    fn serve(&mut self, adapter: &Rc<Adapter>, asked: Asked) {
        let Asked { seq, command, request } = asked;
        let request = match adapter.expected(&command).and(request) {
            Ok(request) => request,
            Err(failure) => return adapter.out.respond(failure.into_response(seq, command)),
        };
        match &request {
            Request::Cancel(arguments) => {
                self.cancel(arguments);
                return adapter.out.respond(ResponseBody::Empty.into_response(seq, command));
            }
            // At once: what comes behind it is judged by whether it was answered.
            Request::Initialize(arguments) => {
                return adapter.out.respond(adapter.initialize(arguments).into_response(seq, command));
            }
            _ => {}
        }
        if matches!(request, Request::Launch(_) | Request::Attach(_)) {
            self.starts = Some(seq);
        }
        let moves = is_movement(&request);
        if moves {
            adapter.moving.set(adapter.moving.get() + 1);
        }
        let (cancel, cancelled) = oneshot::channel();
        self.cancels.insert(seq, cancel);
        let adapter = Rc::clone(adapter);
        self.tasks.spawn_local(async move {
            let response = match adapter.unless(cancelled, request).await {
                Ok(body) => body.into_response(seq, command),
                Err(failure) => adapter.masked(failure).await.into_response(seq, command),
            };
            adapter.out.respond(response);
            (seq, moves)
        });
    }

    fn cancel(&mut self, arguments: &CancelArguments) {
        let named = arguments.request_id.and_then(|seq| self.cancels.remove(&seq));
        // It may have ended in this moment.
        let _ = named.map(|cancel| cancel.send(()));
    }

    /// The client sends nothing more. One at a pipe may still read, so what it has asked for is answered; but nobody is left who
    /// would have a job that is being started, and what takes longer is given up.
    async fn answer_last(&mut self, adapter: &Adapter) {
        let start = self.starts.take().and_then(|seq| self.cancels.remove(&seq));
        // It may be there in this moment.
        let _ = start.map(|cancel| cancel.send(()));
        if !adapter.out.is_closed() {
            let _ = timeout(LAST_ANSWERS_TIME_MAX, self.answer_all(adapter)).await;
        }
        self.tasks.shutdown().await;
    }

    async fn answer_all(&mut self, adapter: &Adapter) {
        while let Some(done) = self.tasks.join_next().await {
            self.finished(adapter, done.ok()).await;
        }
    }

    async fn finished(&mut self, adapter: &Adapter, done: Option<(i64, bool)>) {
        if let Some((seq, moves)) = done {
            self.cancels.remove(&seq);
            if moves {
                adapter.moving.set(adapter.moving.get().saturating_sub(1));
                adapter.tell_stayed().await;
            }
        }
    }
}

/// Whether something stops or goes on because of it.
fn is_movement(request: &Request) -> bool {
    matches!(
        request,
        Request::Next(_)
            | Request::StepIn(_)
            | Request::StepOut(_)
            | Request::StepBack(_)
            | Request::Continue(_)
            | Request::ReverseContinue(_)
            | Request::RestartFrame(_)
            | Request::Restart(_)
            | Request::Goto(_)
            | Request::Pause(_)
            | Request::Terminate(_)
            | Request::TerminateThreads(_)
            | Request::ConfigurationDone(_)
            | Request::Evaluate(_)
            | Request::Custom(_)
    )
}

impl Adapter {
    /// What may come now: `initialize` first and once, nothing but leaving before there is a job.
    fn expected(&self, command: &str) -> Result<(), Failure> {
        match (self.phase.get(), command) {
            (Phase::New, "initialize") | (_, "disconnect") => Ok(()),
            (Phase::New, _) => Err(Failure::new(ErrorId::Order, "send initialize first")),
            (_, "initialize") => Err(Failure::new(ErrorId::Order, "initialize was answered already")),
            (Phase::Over | Phase::Left, _) => Err(Failure::new(ErrorId::Order, "the session is over")),
            _ => Ok(()),
        }
    }

    /// Serves a request, or ends it when it is cancelled. A shell command is at its end before that is said: nothing else
    /// could be done meanwhile.
    async fn unless(
        &self,
        cancelled: oneshot::Receiver<()>,
        request: Request,
    ) -> Result<ResponseBody, Failure> {
        let is_evaluation = matches!(request, Request::Evaluate(_));
        let mut result = pin!(self.handle(request));
        tokio::select! {
            biased;
            Ok(()) = cancelled => {}
            result = &mut result => return result,
        }
        if is_evaluation && let Ok(debuggee) = self.debuggee() {
            debuggee.handle.tell(session::request::Request::EndShell);
            // What it came to is not wanted any more.
            let _ = result.await;
        }
        Err(Failure::cancelled(ErrorId::Cancelled))
    }

    async fn handle(&self, request: Request) -> Result<ResponseBody, Failure> {
        match request {
            Request::Launch(arguments) => self.launch(arguments).await,
            Request::Attach(arguments) => self.attach(arguments).await,
            Request::ConfigurationDone(_) => self.configuration_done().await,
            Request::Restart(_) => self.restart().await,
            Request::Terminate(_) => self.terminate().await,
            Request::Disconnect(arguments) => self.disconnect(&arguments).await,

            Request::SetBreakpoints(arguments) => self.set_breakpoints(arguments).await,
            Request::SetFunctionBreakpoints(arguments) => self.set_function_breakpoints(arguments).await,
            Request::SetDataBreakpoints(arguments) => self.set_data_breakpoints(arguments).await,
            Request::DataBreakpointInfo(arguments) => self.data_breakpoint_info(&arguments).await,
            Request::BreakpointLocations(arguments) => self.breakpoint_locations(&arguments).await,
            Request::SetExceptionBreakpoints(arguments) => self.set_exception_breakpoints(arguments).await,
            Request::ExceptionInfo(_) => self.exception_info().await,

            Request::Continue(_) => self.go_on(session::request::Request::Continue).await,
            Request::Next(_) => self.go_on(session::request::Request::Next).await,
            Request::StepIn(_) => self.go_on(session::request::Request::StepIn).await,
            Request::StepOut(_) => self.go_on(session::request::Request::StepOut).await,
            Request::StepBack(_) => self.go_back(session::request::Request::Back { steps: 1 }).await,
            Request::ReverseContinue(_) => self.go_back(session::request::Request::ReverseContinue).await,
            Request::RestartFrame(arguments) => self.restart_frame(&arguments).await,
            Request::GotoTargets(arguments) => self.goto_targets(&arguments).await,
            Request::Goto(arguments) => self.goto(&arguments).await,
            Request::StepInTargets(arguments) => self.step_in_targets(&arguments).await,
            Request::Pause(_) => self.pause().await,
            Request::TerminateThreads(arguments) => self.terminate_threads(&arguments).await,

            Request::Threads(_) => self.threads().await,
            Request::StackTrace(arguments) => self.stack_trace(&arguments).await,
            Request::Scopes(arguments) => self.scopes(&arguments).await,
            Request::Variables(arguments) => self.variables(&arguments).await,
            Request::SetVariable(arguments) => self.set_variable(arguments).await,
            Request::SetExpression(arguments) => self.set_expression(arguments).await,
            Request::Evaluate(arguments) => self.evaluate(arguments).await,
            Request::Completions(arguments) => self.completions(&arguments).await,
            Request::Source(arguments) => self.source(&arguments).await,
            Request::LoadedSources(_) => self.loaded_sources().await,

            Request::Custom(request) => self.custom(request).await,

            // Answered before.
            Request::Cancel(_) | Request::Initialize(_) => Ok(ResponseBody::Empty),
            other @ (Request::SetInstructionBreakpoints(_)
            | Request::Modules(_)
            | Request::ReadMemory(_)
            | Request::WriteMemory(_)
            | Request::Disassemble(_)
            | Request::Locations(_)) => {
                Err(Failure::new(ErrorId::NotServed, "a job has no such thing: '{command}'")
                    .with("command", other.command()))
            }
        }
    }
}
