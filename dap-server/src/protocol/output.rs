//! Text for the console.

use super::open::open_enum;
use super::sound::OutputEventCategory;
use super::source::Source;
use serde::{Deserialize, Serialize};
use serde_json::Value;

open_enum! {
    /// How output is grouped.
    pub enum OutputGroup {
        /// Begins a group that is open.
        Start = "start",
        /// Begins a group that is folded.
        StartCollapsed = "startCollapsed",
        /// Ends the innermost group.
        End = "end",
    }
}

/// Text to show.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputEvent {
    /// What kind of output; absent means `console`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<OutputEventCategory>,
    /// The text, line ends included.
    pub output: String,
    /// Begins or ends a group that can be folded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<OutputGroup>,
    /// Where children are asked for; 0 for none. Valid until the job moves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variables_reference: Option<i64>,
    /// Where the output came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The line, in the base that the client chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<i64>,
    /// The column in UTF-16 units, in the base that the client chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<i64>,
    /// Opaque to the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// Where it comes from, for a `locations` request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location_reference: Option<i64>,
}
