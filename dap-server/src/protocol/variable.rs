//! Variables, and changing one.

use super::open::open_enum;
use super::sound::{ValueFormat, VariablePresentationHint};
use serde::{Deserialize, Serialize};

open_enum! {
    /// Which children.
    pub enum VariablesFilter {
        /// Those with a number.
        Indexed = "indexed",
        /// Those with a name.
        Named = "named",
    }
}

/// A name and its value.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Variable {
    /// The name.
    pub name: String,
    /// As text.
    pub value: String,
    /// Its type, for people.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
    /// How to show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presentation_hint: Option<VariablePresentationHint>,
    /// The expression for the same value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluate_name: Option<String>,
    /// Where children are asked for; 0 for none. Valid until the job moves.
    pub variables_reference: i64,
    /// How many named children.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub named_variables: Option<i64>,
    /// How many indexed children.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub indexed_variables: Option<i64>,
    /// An address, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_reference: Option<String>,
    /// Where the name was declared, for a `locations` request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declaration_location_reference: Option<i64>,
    /// Where the value was made, for a `locations` request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_location_reference: Option<i64>,
}

/// Which children.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VariablesArguments {
    /// Whose children, from an earlier answer.
    pub variables_reference: i64,
    /// Only named or only indexed children.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<VariablesFilter>,
    /// The first child, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<i64>,
    /// How many children; all when absent or 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<i64>,
    /// How values are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<ValueFormat>,
}

/// The children.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VariablesResponse {
    /// The children.
    pub variables: Vec<Variable>,
}

/// A child and its new value.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetVariableArguments {
    /// In which container, from an earlier answer.
    pub variables_reference: i64,
    /// Which child of the container.
    pub name: String,
    /// As text.
    pub value: String,
    /// How values are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<ValueFormat>,
}

/// The value as it is now.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetVariableResponse {
    /// As text.
    pub value: String,
    /// Its type, for people.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
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
