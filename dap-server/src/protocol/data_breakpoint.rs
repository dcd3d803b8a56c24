//! Breakpoints on data: what can be watched, and what is.

use super::breakpoint::Breakpoint;
use super::open::open_enum;
use serde::{Deserialize, Serialize};

open_enum! {
    /// A kind of access.
    pub enum DataBreakpointAccessType {
        /// Reading.
        Read = "read",
        /// Writing.
        Write = "write",
        /// Either.
        ReadWrite = "readWrite",
    }
}

/// A data breakpoint as the client wants it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataBreakpoint {
    /// From `dataBreakpointInfo`.
    pub data_id: String,
    /// The kind of access.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_type: Option<DataBreakpointAccessType>,
    /// Holds only when this expression is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// Which hits count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hit_condition: Option<String>,
}

/// What might be watched.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataBreakpointInfoArguments {
    /// The container of the name, when it is no expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variables_reference: Option<i64>,
    /// A child of the container, or an expression.
    pub name: String,
    /// Which frame, from an earlier `stackTrace`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame_id: Option<i64>,
    /// How many bytes to watch, if it is an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<i64>,
    /// The name is an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_address: Option<bool>,
    /// One of the announced breakpoint modes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
}

/// Whether and how it can be watched.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataBreakpointInfoResponse {
    /// What a data breakpoint names it by; null when it cannot be watched.
    pub data_id: Option<String>,
    /// What is watched, or why it cannot be.
    pub description: String,
    /// Kinds of access that can be watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_types: Option<Vec<DataBreakpointAccessType>>,
    /// The identifier is good in later sessions too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_persist: Option<bool>,
}

/// All data breakpoints.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetDataBreakpointsArguments {
    /// All data breakpoints.
    pub breakpoints: Vec<DataBreakpoint>,
}

/// What became of them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetDataBreakpointsResponse {
    /// One for each that was asked for, in the same order.
    pub breakpoints: Vec<Breakpoint>,
}
