//! Expressions, commands and completion: what a person types into a hover, a watch or the debug console.

use session::command::{Command, Known, complete, parse};
use session::engine::expr::Value;
use session::engine::step_path::LaneId;
use session::picture::{CONTEXTS, Picture};
use session::request::{Reply, Request as Ask};
use session::wording::{Painter, answer};

use super::variables::{Asked, Node, preview, sizes};
use super::{Adapter, console, refused};
use crate::protocol::custom::ConsoleBody;
use crate::protocol::evaluate::*;
use crate::protocol::sound::{EvaluateArgumentsContext, InvalidatedAreas};
use crate::protocol::{ErrorId, Failure, ResponseBody};

impl Adapter {
    pub(super) async fn evaluate(&self, arguments: EvaluateArguments) -> Result<ResponseBody, Failure> {
        let lane = match arguments.frame_id {
            Some(frame) => self.frame(frame)?.lane(),
            None => LaneId::FOREGROUND,
        };
        let text = arguments.expression.trim();
        let response = match arguments.context {
            Some(EvaluateArgumentsContext::Repl) => self.command(text, lane).await?,
            Some(EvaluateArgumentsContext::Clipboard) => self.whole(text, lane).await?,
            _ => self.expression(text, lane).await?,
        };
        Ok(ResponseBody::Evaluate(response))
    }

    /// A value that can be opened. Starts no process and changes nothing.
    async fn expression(&self, text: &str, lane: LaneId) -> Result<EvaluateResponse, Failure> {
        let picture = self.still_picture().await?;
        let text = session::command::expression(text).map_err(|error| {
            Failure::new(ErrorId::Expression, "{reason}").with("reason", picture.mask(&error.text))
        })?;
        let value = picture.evaluate_in(lane, &text).map_err(refused)?;
        Ok(self.result(Asked::new(lane, text), &value, &picture))
    }

    fn result(&self, asked: Asked, value: &Value, picture: &Picture) -> EvaluateResponse {
        let (named, indexed) = sizes(value);
        let opens = named.or(indexed).is_some_and(|size| size > 0) && asked.is_public(picture);
        let node = Node::Value(asked);
        EvaluateResponse {
            result: preview(value, picture),
            type_name: Some(value.kind().name().to_lowercase()),
            variables_reference: if opens { self.looks.borrow_mut().nodes.of(node) } else { 0 },
            named_variables: named.filter(|_| opens),
            indexed_variables: indexed.filter(|_| opens),
            ..EvaluateResponse::default()
        }
    }

    /// All of a value as text, still masked.
    async fn whole(&self, text: &str, lane: LaneId) -> Result<EvaluateResponse, Failure> {
        let picture = self.still_picture().await?;
        let value = picture.evaluate_in(lane, text).map_err(refused)?;
        Ok(EvaluateResponse { result: picture.show(&value), ..EvaluateResponse::default() })
    }

    /// A command of the debugger, a shell command, or an expression.
    async fn command(&self, text: &str, lane: LaneId) -> Result<EvaluateResponse, Failure> {
        let known = self.known().await?;
        let request = match parse(text, &known).map_err(console::misunderstood)? {
            Command::Nothing => return Ok(EvaluateResponse::default()),
            Command::Help(text) => return Ok(said(text)),
            Command::Ask(Ask::Print(expression)) => return self.expression(&expression, lane).await,
            Command::Ask(request) => request,
        };
        if request == Ask::Quit {
            self.terminate().await?;
            return Ok(EvaluateResponse::default());
        }
        let reply = if console::departs(&request) {
            self.depart(request.clone()).await?
        } else {
            self.ask(request.clone()).await?
        };
        self.tell_output_so_far();
        self.after_command(&request, &reply);
        let text = answer(&request, &reply, Painter::new(self.client.borrow().ansi));
        let stops = console::stops_of(&request);
        let prompt = if stops == 0 { self.prompt().await } else { None };
        Ok(EvaluateResponse { stepback: Some(ConsoleBody { stops, prompt }), ..said(text) })
    }

    /// What a prompt says of where the job stands.
    async fn prompt(&self) -> Option<String> {
        let name = self.debuggee().ok()?.name.clone();
        match self.ask(Ask::Status).await {
            Ok(Reply::Stop(mut stop)) => {
                stop.edited |= self.edited.get();
                Some(session::wording::prompt(&name, &stop))
            }
            _ => None,
        }
    }

    /// What else a client has to learn of a command that its console gave.
    fn after_command(&self, request: &Ask, reply: &Reply) {
        match request {
            Ask::View(_) => {
                self.look_away();
                self.invalidate(&[InvalidatedAreas::All]);
                self.tell_timeline_changed();
            }
            Ask::Set { .. } | Ask::Sync => self.changed(&[InvalidatedAreas::Variables]),
            Ask::Shell { .. } if matches!(reply, Reply::Shell(shell) if !shell.changed.is_empty()) => {
                self.changed(&[InvalidatedAreas::Variables]);
            }
            request if console::runs_on(request) => self.look_away(),
            _ => {}
        }
    }

    /// What commands and completion need to know: names, no values.
    async fn known(&self) -> Result<Known, Failure> {
        let picture = self.picture().await?;
        let mut known = Known::default();
        known.set_steps(picture.steps());
        if let Reply::Timeline(lines) = self.ask(Ask::Timeline).await? {
            known.set_moments(&lines);
        }
        if let Reply::Breakpoints(all) = self.ask(Ask::Breakpoints).await? {
            known.breakpoints = all.iter().map(|breakpoint| breakpoint.id).collect();
        }
        for name in CONTEXTS {
            if let Ok(value) = picture.evaluate(name) {
                known.set_context(name, &value);
            }
        }
        Ok(known)
    }

    pub(super) async fn completions(
        &self,
        arguments: &CompletionsArguments,
    ) -> Result<ResponseBody, Failure> {
        let known = self.known().await?;
        let lines: Vec<&str> = arguments.text.split('\n').collect();
        let line = arguments.line.and_then(|line| self.client.borrow().line_in(line)).unwrap_or(1);
        let index = usize::try_from(line).unwrap_or(1).saturating_sub(1);
        let text = lines.get(index).copied().unwrap_or_default();
        let cursor = byte_at(text, self.client.borrow().column_in(arguments.column));
        let found = complete(text, cursor, &known);
        let replaced = text.get(found.start..cursor).unwrap_or_default();
        let start = text.get(..found.start).unwrap_or_default().encode_utf16().count();
        let length = i64::try_from(replaced.encode_utf16().count()).unwrap_or(0);
        let targets = found
            .candidates
            .into_iter()
            .map(|candidate| CompletionItem {
                type_name: Some(kind_of(&candidate.text, &candidate.note)),
                detail: Some(candidate.note).filter(|note| !note.is_empty()),
                start: i64::try_from(start).ok(),
                length: Some(length),
                label: candidate.text,
                ..CompletionItem::default()
            })
            .collect();
        Ok(ResponseBody::Completions(CompletionsResponse { targets }))
    }
}

fn said(text: String) -> EvaluateResponse {
    EvaluateResponse { result: text.trim_end_matches('\n').to_owned(), ..EvaluateResponse::default() }
}

fn kind_of(text: &str, note: &str) -> CompletionItemType {
    match note {
        "function" => CompletionItemType::Function,
        "context" => CompletionItemType::Module,
        _ if text.contains('.') => CompletionItemType::Property,
        _ => CompletionItemType::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_utf16_units() {
        let text = "a🚀é.b";
        assert_eq!(byte_at(text, 0), 0);
        assert_eq!(byte_at(text, 3), "a🚀".len());
        assert_eq!(byte_at(text, 4), "a🚀é".len());
        assert_eq!(byte_at(text, 99), text.len());
    }
}
