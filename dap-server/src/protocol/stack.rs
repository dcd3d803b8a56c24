//! Threads, their frames, and the scopes of a frame.

use super::open::open_enum;
use super::sound::{Thread, ThreadEventReason};
use super::source::{ModuleId, Source};
use serde::{Deserialize, Serialize};

open_enum! {
    /// How a frame is shown.
    pub enum FrameHint {
        /// As others.
        Normal = "normal",
        /// As a separator.
        Label = "label",
        /// Dimmed.
        Subtle = "subtle",
    }
}

open_enum! {
    /// What a scope holds.
    pub enum ScopeHint {
        /// Arguments.
        Arguments = "arguments",
        /// Local variables.
        Locals = "locals",
        /// Registers.
        Registers = "registers",
        /// What was given back last.
        ReturnValue = "returnValue",
    }
}

/// How the name of a frame is made.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StackFrameFormat {
    /// Numbers as hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hex: Option<bool>,
    /// With parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<bool>,
    /// With their types.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter_types: Option<bool>,
    /// With their names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter_names: Option<bool>,
    /// With their values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter_values: Option<bool>,
    /// With the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<bool>,
    /// With the module.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<bool>,
    /// Also frames that are usually hidden.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_all: Option<bool>,
}

/// A frame of a thread.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StackFrame {
    /// Its number.
    pub id: i64,
    /// As people know it.
    pub name: String,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The line, in the base that the client chose.
    pub line: i64,
    /// The column in UTF-16 units, in the base that the client chose.
    pub column: i64,
    /// The last line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_line: Option<i64>,
    /// The column after the last character.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_column: Option<i64>,
    /// `restartFrame` can run it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_restart: Option<bool>,
    /// The address of its instruction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instruction_pointer_reference: Option<String>,
    /// The module it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module_id: Option<ModuleId>,
    /// How to show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presentation_hint: Option<FrameHint>,
}

/// A named container of variables.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scope {
    /// As people know it.
    pub name: String,
    /// How to show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presentation_hint: Option<ScopeHint>,
    /// Where children are asked for; 0 for none. Valid until the job moves.
    pub variables_reference: i64,
    /// How many named children.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub named_variables: Option<i64>,
    /// How many indexed children.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub indexed_variables: Option<i64>,
    /// Clients should not fetch it unasked.
    pub expensive: bool,
    /// Where the scope lies.
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
}

/// Nothing.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadsArguments {}

/// The threads.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadsResponse {
    /// All of them.
    pub threads: Vec<Thread>,
}

/// Which threads to end.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TerminateThreadsArguments {
    /// Which threads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_ids: Option<Vec<i64>>,
}

/// Which frames of which thread.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StackTraceArguments {
    /// Which thread.
    pub thread_id: i64,
    /// The first frame, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_frame: Option<i64>,
    /// How many frames; all when absent or 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub levels: Option<i64>,
    /// How names of frames are made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<StackFrameFormat>,
}

/// The frames.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StackTraceResponse {
    /// The frames, topmost first.
    pub stack_frames: Vec<StackFrame>,
    /// How many there are in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_frames: Option<i64>,
}

/// Of which frame.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScopesArguments {
    /// Which frame, from an earlier `stackTrace`.
    pub frame_id: i64,
}

/// Its scopes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScopesResponse {
    /// The scopes, in the order to be shown.
    pub scopes: Vec<Scope>,
}

/// A thread began or ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadEvent {
    /// Why.
    pub reason: ThreadEventReason,
    /// Which thread.
    pub thread_id: i64,
}
