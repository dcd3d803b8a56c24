//! Stopping on failures: filters, and what is known of the failure that stopped the job.

use super::breakpoint::Breakpoint;
use super::open::open_enum;
use super::sound::{ExceptionDetails, ExceptionPathSegment};
use serde::{Deserialize, Serialize};

open_enum! {
    /// When an exception stops the job.
    pub enum ExceptionBreakMode {
        /// Never.
        Never = "never",
        /// Always.
        Always = "always",
        /// When nobody handles it.
        Unhandled = "unhandled",
        /// When the person's code does not handle it.
        UserUnhandled = "userUnhandled",
    }
}

/// A filter with a condition.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExceptionFilterOptions {
    /// Which filter.
    pub filter_id: String,
    /// Holds only when this expression is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// One of the announced breakpoint modes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
}

/// Exceptions and when they stop the job.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExceptionOptions {
    /// Which exceptions; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<Vec<ExceptionPathSegment>>,
    /// When it stops the job.
    pub break_mode: ExceptionBreakMode,
}

/// The exception filters that are on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetExceptionBreakpointsArguments {
    /// Filters that hold without a condition.
    pub filters: Vec<String>,
    /// Filters with a condition; added to `filters`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter_options: Option<Vec<ExceptionFilterOptions>>,
    /// Superseded by filters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exception_options: Option<Vec<ExceptionOptions>>,
}

/// What became of them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetExceptionBreakpointsResponse {
    /// One for each that was asked for, in the same order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breakpoints: Option<Vec<Breakpoint>>,
}

/// Of which thread.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExceptionInfoArguments {
    /// Which thread.
    pub thread_id: i64,
}

/// The exception that stopped it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExceptionInfoResponse {
    /// Its kind.
    pub exception_id: String,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it stops the job.
    pub break_mode: ExceptionBreakMode,
    /// All that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<ExceptionDetails>,
}
