//! Expressions and commands that a person types, and what may come next while typing.

use super::custom::ConsoleBody;
use super::open::open_enum;
use super::sound::{EvaluateArgumentsContext, ValueFormat, VariablePresentationHint};
use super::source::Source;
use serde::{Deserialize, Serialize};

open_enum! {
    /// What a proposal is, for its icon.
    pub enum CompletionItemType {
        /// As its name says.
        Method = "method",
        /// As its name says.
        Function = "function",
        /// As its name says.
        Constructor = "constructor",
        /// As its name says.
        Field = "field",
        /// As its name says.
        Variable = "variable",
        /// As its name says.
        Class = "class",
        /// As its name says.
        Interface = "interface",
        /// As its name says.
        Module = "module",
        /// As its name says.
        Property = "property",
        /// As its name says.
        Unit = "unit",
        /// As its name says.
        Value = "value",
        /// As its name says.
        Enum = "enum",
        /// As its name says.
        Keyword = "keyword",
        /// As its name says.
        Snippet = "snippet",
        /// As its name says.
        Text = "text",
        /// As its name says.
        Color = "color",
        /// As its name says.
        File = "file",
        /// As its name says.
        Reference = "reference",
        /// As its name says.
        Customcolor = "customcolor",
    }
}

/// Something that may come next.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CompletionItem {
    /// Shown to people.
    pub label: String,
    /// What is inserted; the label when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What to sort by; the label when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort_text: Option<String>,
    /// More about it, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What it is, for its icon.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_name: Option<CompletionItemType>,
    /// Where in the text to insert, in UTF-16 units; at the caret when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<i64>,
    /// How many UTF-16 units to overwrite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<i64>,
    /// What to select after inserting, from the start of the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selection_start: Option<i64>,
    /// How much to select.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selection_length: Option<i64>,
}

/// An expression, or a command when the context is `repl`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EvaluateArguments {
    /// What to evaluate.
    pub expression: String,
    /// Which frame, from an earlier `stackTrace`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame_id: Option<i64>,
    /// The line, in the base that the client chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<i64>,
    /// The column in UTF-16 units, in the base that the client chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<i64>,
    /// Which source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Where it was asked; decides what is allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<EvaluateArgumentsContext>,
    /// How values are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<ValueFormat>,
}

/// Its value.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EvaluateResponse {
    /// For terminals; not of the protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stepback: Option<ConsoleBody>,
    /// The value as text.
    pub result: String,
    /// Its type, for people.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
    /// How to show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presentation_hint: Option<VariablePresentationHint>,
    /// Where children are asked for; 0 for none. Valid until the job moves.
    pub variables_reference: i64,
    /// How many named children.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub named_variables: Option<i64>,
    /// How many indexed children.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub indexed_variables: Option<i64>,
    /// An address that belongs to the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_reference: Option<String>,
    /// Where the value was made, for a `locations` request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_location_reference: Option<i64>,
}

/// An expression that can be assigned to, and its new value.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetExpressionArguments {
    /// What to assign to.
    pub expression: String,
    /// As text.
    pub value: String,
    /// Which frame, from an earlier `stackTrace`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame_id: Option<i64>,
    /// How values are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<ValueFormat>,
}

/// The value as it is now.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetExpressionResponse {
    /// As text.
    pub value: String,
    /// Its type, for people.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
    /// How to show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presentation_hint: Option<VariablePresentationHint>,
    /// Where children are asked for; 0 for none. Valid until the job moves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variables_reference: Option<i64>,
    /// How many named children.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub named_variables: Option<i64>,
    /// How many indexed children.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub indexed_variables: Option<i64>,
    /// An address, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_reference: Option<String>,
    /// Where the value was made, for a `locations` request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_location_reference: Option<i64>,
}

/// What was typed, and where the caret is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CompletionsArguments {
    /// Which frame, from an earlier `stackTrace`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame_id: Option<i64>,
    /// What was typed so far, usually one line.
    pub text: String,
    /// The column in UTF-16 units, in the base that the client chose.
    pub column: i64,
    /// The line of `text` that the column is in; the first when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<i64>,
}

/// What may come next.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CompletionsResponse {
    /// The proposals.
    pub targets: Vec<CompletionItem>,
}

/// The byte of the text that this many UTF-16 units lead to: how this protocol counts columns.
pub fn byte_at(text: &str, units: usize) -> usize {
    let mut passed = 0;
    for (at, letter) in text.char_indices() {
        if passed >= units {
            return at;
        }
        passed += letter.len_utf16();
    }
    text.len()
}
