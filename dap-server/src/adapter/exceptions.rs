//! Exception filters, and what is known of the exception at which the job stands.

use session::exception::{ExceptionFilter, ExceptionFilters};
use session::request::{Failure as StepFailure, Request as Ask, Stop, StopReason};

use super::Adapter;
use crate::protocol::breakpoint::Breakpoint;
use crate::protocol::exception::*;
use crate::protocol::sound::ExceptionDetails;
use crate::protocol::{ErrorId, Failure, ResponseBody};

impl Adapter {
    /// Names that nobody knows are answered as unverified; the others hold all the same.
    pub(super) async fn set_exception_breakpoints(
        &self,
        arguments: SetExceptionBreakpointsArguments,
    ) -> Result<ResponseBody, Failure> {
        let plain = arguments.filters.into_iter().map(|name| (name, None));
        let options = arguments.filter_options.unwrap_or_default();
        let conditional = options.into_iter().map(|option| (option.filter_id, option.condition));
        let mut on = Vec::new();
        let mut breakpoints = Vec::new();
        for (name, condition) in plain.chain(conditional) {
            let wanted = wanted(&name, condition);
            let verified = wanted.is_ok();
            let message = match wanted {
                Ok(filter) => {
                    on.push(filter);
                    None
                }
                Err(reason) => Some(self.mask(reason).await),
            };
            breakpoints.push(Breakpoint { verified, message, ..Breakpoint::default() });
        }
        self.ask(Ask::SetExceptionFilters(ExceptionFilters::new(on))).await?;
        let breakpoints = Some(breakpoints);
        Ok(ResponseBody::SetExceptionBreakpoints(SetExceptionBreakpointsResponse { breakpoints }))
    }

    pub(super) async fn exception_info(&self) -> Result<ResponseBody, Failure> {
        let picture = self.still_picture().await?;
        match &picture.stop {
            Some(stop @ Stop { reason: StopReason::Failure(failure), .. }) => {
                Ok(ResponseBody::ExceptionInfo(info(stop, failure)))
            }
            _ => Err(Failure::new(ErrorId::NoException, "the job does not stand at a failure")),
        }
    }
}

fn wanted(name: &str, condition: Option<String>) -> Result<(ExceptionFilter, Option<String>), String> {
    let filter = ExceptionFilter::named(name).ok_or_else(|| format!("there is no filter '{name}'"))?;
    let condition = condition.filter(|text| !text.trim().is_empty());
    let condition = condition.map(|text| session::command::expression(&text)).transpose();
    Ok((filter, condition.map_err(|error| error.text)?))
}

fn info(stop: &Stop, failure: &StepFailure) -> ExceptionInfoResponse {
    let told = summary(stop, failure);
    let lines = failure.last_lines.join("\n");
    ExceptionInfoResponse {
        exception_id: exception_id(failure),
        description: Some(if lines.is_empty() { told.clone() } else { format!("{told}\n{lines}") }),
        break_mode: match failure.filter {
            ExceptionFilter::Failed | ExceptionFilter::Expression => ExceptionBreakMode::Unhandled,
            _ => ExceptionBreakMode::Always,
        },
        // Without a stack trace: the last lines are none, and an editor would show them a second time.
        details: Some(ExceptionDetails {
            message: Some(told),
            type_name: Some(exception_id(failure)),
            ..ExceptionDetails::default()
        }),
    }
}

/// `step.exitcode` for a process that failed, else after the filter.
fn exception_id(failure: &StepFailure) -> String {
    match (failure.filter, failure.exit_code) {
        (ExceptionFilter::Failed | ExceptionFilter::ContinueOnError, Some(_)) => "step.exitcode".to_owned(),
        (filter, _) => format!("step.{}", filter.name()),
    }
}

/// `Test failed with exit code 1`
pub(super) fn summary(stop: &Stop, failure: &StepFailure) -> String {
    let name = session::wording::shown(&stop.name);
    match (failure.filter, failure.exit_code, &failure.error) {
        (ExceptionFilter::Expression, _, Some(error)) => format!("{name}: {error}"),
        (ExceptionFilter::Failed, Some(code), _) => format!("{name} failed with exit code {code}"),
        (ExceptionFilter::Failed | ExceptionFilter::Expression, ..) => format!("{name} failed"),
        (ExceptionFilter::ContinueOnError, Some(code), _) => {
            format!("{name} failed with exit code {code}, which is allowed")
        }
        (ExceptionFilter::ContinueOnError, None, _) => format!("{name} failed, which is allowed"),
        (ExceptionFilter::Cancelled, ..) => format!("{name} was cancelled"),
        (ExceptionFilter::Skipped, ..) => format!("{name} was skipped"),
    }
}
