//! What is announced, computed from what is served: the table in `serve` is the only list of requests.

use session::exception::ExceptionFilter;

use super::client_facts::ClientFacts;
use crate::protocol::capability::{Capabilities, ExceptionBreakpointsFilter};
use crate::protocol::custom::{Announcement, CUSTOM_REQUESTS, CUSTOM_VERSION};

/// What we can do for this client. A job can only be left suspended where somebody may come back to it.
pub(super) fn announced(client: &ClientFacts, is_revisited: bool) -> Capabilities {
    let yes = Some(true);
    Capabilities {
        supports_configuration_done_request: yes,
        supports_function_breakpoints: yes,
        supports_conditional_breakpoints: yes,
        supports_hit_conditional_breakpoints: yes,
        supports_log_points: yes,
        supports_evaluate_for_hovers: yes,
        supports_clipboard_context: yes,
        exception_breakpoint_filters: Some(ExceptionFilter::ALL.map(filter).to_vec()),
        supports_exception_filter_options: yes,
        supports_exception_info_request: yes,
        supports_step_back: yes,
        supports_set_variable: yes,
        supports_set_expression: yes,
        supports_restart_frame: yes,
        supports_restart_request: yes,
        supports_goto_targets_request: yes,
        supports_step_in_targets_request: yes,
        supports_completions_request: yes,
        completion_trigger_characters: Some([".", "[", "$"].map(str::to_owned).to_vec()),
        supports_terminate_request: yes,
        support_terminate_debuggee: yes,
        support_suspend_debuggee: is_revisited.then_some(true),
        supports_terminate_threads_request: yes,
        supports_delayed_stack_trace_loading: yes,
        supports_loaded_sources_request: yes,
        supports_data_breakpoints: yes,
        supports_cancel_request: yes,
        supports_breakpoint_locations_request: yes,
        supports_stepping_granularity: yes,
        supports_ansi_styling: client.ansi.then_some(true),
        stepback: Some(Announcement {
            version: CUSTOM_VERSION,
            requests: CUSTOM_REQUESTS.iter().map(|name| (*name).to_owned()).collect(),
        }),
        ..Capabilities::default()
    }
}

fn filter(filter: ExceptionFilter) -> ExceptionBreakpointsFilter {
    let (label, description) = match filter {
        ExceptionFilter::Failed => ("Failed steps", "A step failed, and that fails the job"),
        ExceptionFilter::ContinueOnError => {
            ("Failed steps that may fail", "A step failed, and `continue-on-error` forgives it")
        }
        ExceptionFilter::Expression => {
            ("Expression errors", "The `env`, `if` or another expression of a step cannot be evaluated")
        }
        ExceptionFilter::Cancelled => ("Cancelled steps", "A step was cancelled"),
        ExceptionFilter::Skipped => ("Skipped steps", "The condition of a step is false"),
    };
    ExceptionBreakpointsFilter {
        filter: filter.name().to_owned(),
        label: label.to_owned(),
        description: Some(description.to_owned()),
        default: Some(filter == ExceptionFilter::Failed),
        supports_condition: Some(true),
        condition_description: Some(
            "an expression on the step, for instance job.status == 'failure'".to_owned(),
        ),
    }
}
