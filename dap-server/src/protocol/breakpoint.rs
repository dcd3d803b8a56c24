//! Breakpoints in sources, on functions and on instructions, as asked for and as they became. When one holds is not known
//! here.

use super::open::open_enum;
use super::sound::{BreakpointEventReason, BreakpointLocation, FunctionBreakpoint};
use super::source::Source;
use serde::{Deserialize, Serialize};

open_enum! {
    /// Why a breakpoint is not verified.
    pub enum UnverifiedReason {
        /// It may become so.
        Pending = "pending",
        /// It never will.
        Failed = "failed",
    }
}

/// A breakpoint as the client wants it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceBreakpoint {
    /// The line, in the base that the client chose.
    pub line: i64,
    /// The column in UTF-16 units, in the base that the client chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<i64>,
    /// Holds only when this expression is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// Which hits count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hit_condition: Option<String>,
    /// Log this instead of stopping; expressions in braces are filled in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_message: Option<String>,
    /// One of the announced breakpoint modes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
}

/// An instruction breakpoint as the client wants it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstructionBreakpoint {
    /// The address of an instruction.
    pub instruction_reference: String,
    /// In bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<i64>,
    /// Holds only when this expression is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// Which hits count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hit_condition: Option<String>,
    /// One of the announced breakpoint modes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
}

/// A breakpoint as it became.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Breakpoint {
    /// Its number, by which events name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<i64>,
    /// It can hold.
    pub verified: bool,
    /// Why it is not verified, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Where it lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The line, in the base that the client chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<i64>,
    /// The column in UTF-16 units, in the base that the client chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<i64>,
    /// The last line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_line: Option<i64>,
    /// The column after the last character.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_column: Option<i64>,
    /// The address of an instruction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instruction_reference: Option<String>,
    /// In bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<i64>,
    /// Why it is not verified, for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<UnverifiedReason>,
}

/// A range of lines.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BreakpointLocationsArguments {
    /// Which source.
    pub source: Source,
    /// The line, in the base that the client chose.
    pub line: i64,
    /// The column in UTF-16 units, in the base that the client chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<i64>,
    /// The last line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_line: Option<i64>,
    /// The column after the last character.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_column: Option<i64>,
}

/// Where breakpoints can lie.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BreakpointLocationsResponse {
    /// Places where a breakpoint can lie.
    pub breakpoints: Vec<BreakpointLocation>,
}

/// All breakpoints of one source.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetBreakpointsArguments {
    /// Which source.
    pub source: Source,
    /// All breakpoints of the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breakpoints: Option<Vec<SourceBreakpoint>>,
    /// Superseded by `breakpoints`; some clients send both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<i64>>,
    /// The text has changed since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_modified: Option<bool>,
}

/// What became of them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetBreakpointsResponse {
    /// One for each that was asked for, in the same order.
    pub breakpoints: Vec<Breakpoint>,
}

/// All function breakpoints.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetFunctionBreakpointsArguments {
    /// All function breakpoints.
    pub breakpoints: Vec<FunctionBreakpoint>,
}

/// What became of them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetFunctionBreakpointsResponse {
    /// One for each that was asked for, in the same order.
    pub breakpoints: Vec<Breakpoint>,
}

/// All instruction breakpoints.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetInstructionBreakpointsArguments {
    /// All instruction breakpoints.
    pub breakpoints: Vec<InstructionBreakpoint>,
}

/// What became of them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetInstructionBreakpointsResponse {
    /// One for each that was asked for, in the same order.
    pub breakpoints: Vec<Breakpoint>,
}

/// Something about a breakpoint has changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BreakpointEvent {
    /// Why.
    pub reason: BreakpointEventReason,
    /// The breakpoint as it is now; found by its `id`.
    pub breakpoint: Breakpoint,
}
