//! Breakpoints on lines, steps and changes: each request replaces those of its kind, and gets one answer for each.

use session::breakpoint::{
    ActionFile, Breakpoint as Known, BreakpointKind, BreakpointSpec, HitCondition, Location,
};
use session::key::Key;
use session::request::{Reply, Request as Ask};

use super::{Adapter, unexpected};
use crate::protocol::breakpoint::*;
use crate::protocol::data_breakpoint::{SetDataBreakpointsArguments, SetDataBreakpointsResponse};
use crate::protocol::sound::{BreakpointEventReason, BreakpointLocation};
use crate::protocol::{Event, Failure, ResponseBody};

/// What a client wants of one breakpoint, or why it cannot be had.
pub(super) type Wanted = Result<BreakpointSpec, String>;

/// What may come with a location.
struct Extras {
    condition: Option<String>,
    hit_condition: Option<String>,
    log_message: Option<String>,
}

impl Adapter {
    pub(super) async fn set_breakpoints(
        &self,
        arguments: SetBreakpointsArguments,
    ) -> Result<ResponseBody, Failure> {
        let ours = self.is_workflow(&arguments.source);
        let action = self.action_file(&arguments.source).filter(|_| !ours);
        let lines = arguments.lines.unwrap_or_default();
        let plain = |line| SourceBreakpoint { line, ..SourceBreakpoint::default() };
        let asked = arguments.breakpoints.unwrap_or_else(|| lines.into_iter().map(plain).collect());
        if let Some(file) = action {
            let wanted = asked.into_iter().map(|breakpoint| self.at_line(breakpoint, Some(&file))).collect();
            let breakpoints = self.replace_in_action(&file, wanted).await?;
            return Ok(ResponseBody::SetBreakpoints(SetBreakpointsResponse { breakpoints }));
        }
        if !ours {
            let reason = "this file is not part of the job";
            let breakpoints =
                asked.iter().map(|breakpoint| self.unverified(reason, Some(breakpoint.line))).collect();
            return Ok(ResponseBody::SetBreakpoints(SetBreakpointsResponse { breakpoints }));
        }
        let wanted = asked.into_iter().map(|breakpoint| self.at_line(breakpoint, None)).collect();
        let breakpoints = self.replace(BreakpointKind::Line, wanted).await?;
        Ok(ResponseBody::SetBreakpoints(SetBreakpointsResponse { breakpoints }))
    }

    fn at_line(&self, asked: SourceBreakpoint, action: Option<&ActionFile>) -> Wanted {
        let line = self.client.borrow().line_in(asked.line).ok_or("there is no such line")?;
        let SourceBreakpoint { condition, hit_condition, log_message, .. } = asked;
        let location = action.map_or(Location::Line(line), |file| Location::ActionLine(file.clone(), line));
        spec(location, Extras { condition, hit_condition, log_message })
    }

    /// The client tells of one file at a time; those of the others stay.
    async fn replace_in_action(
        &self,
        file: &ActionFile,
        wanted: Vec<Wanted>,
    ) -> Result<Vec<Breakpoint>, Failure> {
        let all = {
            let mut files = self.in_actions.borrow_mut();
            files.retain(|(other, _)| other != file);
            files.push((file.clone(), wanted));
            files.iter().flat_map(|(_, wanted)| wanted.clone()).collect::<Vec<_>>()
        };
        let count = self.in_actions.borrow().last().map_or(0, |(_, wanted)| wanted.len());
        let mut answers = self.replace(BreakpointKind::ActionLine, all).await?;
        Ok(answers.split_off(answers.len().saturating_sub(count)))
    }

    /// An action was found, in whose file there is a breakpoint. Also one that was set in the console: who set it there waits to
    /// hear of it, and a client passes over numbers that it was not given.
    pub(super) fn breakpoint_changed(&self, known: &Known) {
        let (reason, breakpoint) = (BreakpointEventReason::Changed, self.verified(known));
        self.out.tell(Event::Breakpoint(BreakpointEvent { reason, breakpoint }));
    }

    pub(super) async fn set_function_breakpoints(
        &self,
        arguments: SetFunctionBreakpointsArguments,
    ) -> Result<ResponseBody, Failure> {
        let wanted = arguments
            .breakpoints
            .into_iter()
            .map(|asked| {
                let extras = Extras {
                    condition: asked.condition,
                    hit_condition: asked.hit_condition,
                    log_message: None,
                };
                spec(Location::Step(asked.name), extras)
            })
            .collect();
        let breakpoints = self.replace(BreakpointKind::Step, wanted).await?;
        Ok(ResponseBody::SetFunctionBreakpoints(SetFunctionBreakpointsResponse { breakpoints }))
    }

    pub(super) async fn set_data_breakpoints(
        &self,
        arguments: SetDataBreakpointsArguments,
    ) -> Result<ResponseBody, Failure> {
        let wanted = arguments
            .breakpoints
            .into_iter()
            .map(|asked| {
                let key = Key::parse(&asked.data_id).map_err(|refusal| refusal.text)?;
                let extras = Extras {
                    condition: asked.condition,
                    hit_condition: asked.hit_condition,
                    log_message: None,
                };
                spec(Location::Change(key), extras)
            })
            .collect();
        let breakpoints = self.replace(BreakpointKind::Change, wanted).await?;
        Ok(ResponseBody::SetDataBreakpoints(SetDataBreakpointsResponse { breakpoints }))
    }

    /// Answers one to one, in the order of the request.
    async fn replace(&self, kind: BreakpointKind, wanted: Vec<Wanted>) -> Result<Vec<Breakpoint>, Failure> {
        let specs = wanted.iter().filter_map(|wanted| wanted.clone().ok()).collect();
        let reply = self.ask(Ask::SetBreakpoints { kind: Some(kind), specs }).await?;
        let Reply::Breakpoints(known) = reply else { return Err(unexpected()) };
        self.remember(kind, &known);
        let mut known = known.into_iter();
        let mut answers = Vec::with_capacity(wanted.len());
        for wanted in wanted {
            answers.push(match wanted.map(|_| known.next()) {
                Ok(Some(known)) => self.verified(&known),
                Ok(None) => self.unverified("it is gone", None),
                Err(reason) => self.unverified(&self.mask(reason).await, None),
            });
        }
        Ok(answers)
    }

    /// Stops name their breakpoint alone; which kind it is of, the client wants to hear too.
    fn remember(&self, kind: BreakpointKind, known: &[Known]) {
        let mut kinds = self.kinds.borrow_mut();
        kinds.retain(|_, other| *other != kind);
        kinds.extend(known.iter().map(|breakpoint| (breakpoint.id, kind)));
    }

    fn verified(&self, known: &Known) -> Breakpoint {
        let client = self.client.borrow();
        let verified = known.is_verified();
        let (message, reason) = match known.pending {
            true => (session::wording::PENDING, UnverifiedReason::Pending),
            false => ("no step of the job is meant by this", UnverifiedReason::Failed),
        };
        let (source, asked) = match &known.spec.location {
            Location::ActionLine(file, line) => (Some(self.file_source(file.path())), Some(*line)),
            _ => (known.line.map(|_| self.workflow_source()), None),
        };
        Breakpoint {
            id: Some(i64::from(known.id.0)),
            verified,
            message: (!verified).then(|| message.to_owned()),
            reason: (!verified).then_some(reason),
            source,
            line: known.line.or(asked).map(|line| client.line_out(line)),
            ..Breakpoint::default()
        }
    }

    /// A line that no file can have is not repeated: the protocol knows no such number.
    fn unverified(&self, reason: &str, line: Option<i64>) -> Breakpoint {
        let line = line.filter(|line| self.client.borrow().line_in(*line).is_some());
        Breakpoint {
            verified: false,
            message: Some(reason.to_owned()),
            reason: Some(UnverifiedReason::Failed),
            line,
            ..Breakpoint::default()
        }
    }

    /// One place for every step that begins in these lines.
    pub(super) async fn breakpoint_locations(
        &self,
        arguments: &BreakpointLocationsArguments,
    ) -> Result<ResponseBody, Failure> {
        let mut breakpoints = Vec::new();
        let is_workflow = self.is_workflow(&arguments.source);
        let action = self.action_file(&arguments.source);
        if is_workflow || action.is_some() {
            let picture = self.picture().await?;
            let client = self.client.borrow();
            let first = client.line_in(arguments.line).unwrap_or(1);
            let last = arguments.end_line.map_or(Some(first), |line| client.line_in(line)).unwrap_or(first);
            let of_workflow = || {
                picture
                    .steps()
                    .iter()
                    // Those of an action stand in another file.
                    .filter(|step| picture.manifest_of(&step.path).is_none())
                    .filter_map(|step| step.place.as_ref())
                    .map(|place| place.line)
                    .collect::<Vec<u32>>()
            };
            let action = action.filter(|_| !is_workflow);
            let mut lines = action.map_or_else(of_workflow, |file| picture.lines_of_action(&file));
            lines.retain(|line| (first..=last).contains(line));
            lines.dedup();
            breakpoints.extend(
                lines
                    .iter()
                    .map(|line| BreakpointLocation { line: client.line_out(*line), ..Default::default() }),
            );
        }
        Ok(ResponseBody::BreakpointLocations(BreakpointLocationsResponse { breakpoints }))
    }
}

fn spec(location: Location, extras: Extras) -> Wanted {
    let text = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let hits = text(extras.hit_condition).map(|text| text.parse::<HitCondition>()).transpose()?;
    let condition = text(extras.condition).map(|text| session::command::expression(&text)).transpose();
    let condition = condition.map_err(|error| error.text)?;
    Ok(BreakpointSpec { location, condition, hits, log_message: text(extras.log_message) })
}
