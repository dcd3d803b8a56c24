//! Moving: forwards, backwards, elsewhere; and standing still.

use super::open::open_enum;
use super::sound::GotoTarget;
use super::source::Source;
use serde::{Deserialize, Serialize};

open_enum! {
    /// Why the job stands.
    pub enum StoppedReason {
        /// A step came to its end.
        Step = "step",
        /// A breakpoint in a source.
        Breakpoint = "breakpoint",
        /// Something failed.
        Exception = "exception",
        /// Somebody asked.
        Pause = "pause",
        /// Nothing has run yet.
        Entry = "entry",
        /// Somebody went here.
        Goto = "goto",
        /// A function breakpoint.
        FunctionBreakpoint = "function breakpoint",
        /// A data breakpoint.
        DataBreakpoint = "data breakpoint",
        /// An instruction breakpoint.
        InstructionBreakpoint = "instruction breakpoint",
    }
}

open_enum! {
    /// How far a step goes.
    pub enum SteppingGranularity {
        /// A statement.
        Statement = "statement",
        /// A line.
        Line = "line",
        /// An instruction.
        Instruction = "instruction",
    }
}

/// Which thread runs on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContinueArguments {
    /// Which thread.
    pub thread_id: i64,
    /// Move only the named thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub single_thread: Option<bool>,
}

/// Whether all threads run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContinueResponse {
    /// All threads run; absent in a `continue` response means they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all_threads_continued: Option<bool>,
}

/// Which thread steps.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NextArguments {
    /// Which thread.
    pub thread_id: i64,
    /// Move only the named thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub single_thread: Option<bool>,
    /// How far a step goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub granularity: Option<SteppingGranularity>,
}

/// Which thread steps, and into what.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepInArguments {
    /// Which thread.
    pub thread_id: i64,
    /// Move only the named thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub single_thread: Option<bool>,
    /// From an earlier answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_id: Option<i64>,
    /// How far a step goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub granularity: Option<SteppingGranularity>,
}

/// Which thread steps out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepOutArguments {
    /// Which thread.
    pub thread_id: i64,
    /// Move only the named thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub single_thread: Option<bool>,
    /// How far a step goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub granularity: Option<SteppingGranularity>,
}

/// Which thread steps back.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepBackArguments {
    /// Which thread.
    pub thread_id: i64,
    /// Move only the named thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub single_thread: Option<bool>,
    /// How far a step goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub granularity: Option<SteppingGranularity>,
}

/// Which thread runs backwards.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReverseContinueArguments {
    /// Which thread.
    pub thread_id: i64,
    /// Move only the named thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub single_thread: Option<bool>,
}

/// Which frame runs again.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RestartFrameArguments {
    /// Which frame, from an earlier `stackTrace`.
    pub frame_id: i64,
}

/// Which thread goes where.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GotoArguments {
    /// Which thread.
    pub thread_id: i64,
    /// From an earlier answer.
    pub target_id: i64,
}

/// Which thread is to stand.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PauseArguments {
    /// Which thread.
    pub thread_id: i64,
}

/// Something that can be stepped into.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepInTarget {
    /// Its number.
    pub id: i64,
    /// Shown to people.
    pub label: String,
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

/// Of which frame.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepInTargetsArguments {
    /// Which frame, from an earlier `stackTrace`.
    pub frame_id: i64,
}

/// What can be stepped into.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepInTargetsResponse {
    /// The targets.
    pub targets: Vec<StepInTarget>,
}

/// For which line.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GotoTargetsArguments {
    /// Which source.
    pub source: Source,
    /// The line, in the base that the client chose.
    pub line: i64,
    /// The column in UTF-16 units, in the base that the client chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<i64>,
}

/// Where one can go from there.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GotoTargetsResponse {
    /// The targets.
    pub targets: Vec<GotoTarget>,
}

/// The job stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoppedEvent {
    /// Why; shown unless there is a description.
    pub reason: StoppedReason,
    /// The whole reason, shown in the user interface as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The thread that stopped; absent when the stop is of no thread in particular.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<i64>,
    /// The client should not take the focus to this thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preserve_focus_hint: Option<bool>,
    /// More about the reason, such as the message of an exception.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// All threads stand; else only the named one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all_threads_stopped: Option<bool>,
    /// Breakpoints of all kinds that held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hit_breakpoint_ids: Option<Vec<i64>>,
}

/// The job runs on, and no request of the client said so.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContinuedEvent {
    /// Which thread.
    pub thread_id: i64,
    /// All threads run; absent in a `continue` response means they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all_threads_continued: Option<bool>,
}
