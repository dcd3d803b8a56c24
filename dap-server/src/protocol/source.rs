//! Documents, modules and places in them.

use super::extra::Extra;
use super::open::open_enum;
use serde::{Deserialize, Serialize};
use serde_json::Value;

open_enum! {
    /// How a source is shown.
    pub enum SourceHint {
        /// As others.
        Normal = "normal",
        /// With emphasis.
        Emphasize = "emphasize",
        /// Dimmed.
        Deemphasize = "deemphasize",
    }
}

open_enum! {
    /// How a checksum is computed.
    pub enum ChecksumAlgorithm {
        /// MD5.
        MD5 = "MD5",
        /// SHA-1.
        SHA1 = "SHA1",
        /// SHA-256.
        SHA256 = "SHA256",
        /// The time of the last change.
        Timestamp = "timestamp",
    }
}

open_enum! {
    /// What happened to a module or a source.
    pub enum ChangeReason {
        /// It is there now.
        New = "new",
        /// It is another now.
        Changed = "changed",
        /// It is gone.
        Removed = "removed",
    }
}

/// A checksum of a document.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Checksum {
    /// How it was computed.
    pub algorithm: ChecksumAlgorithm,
    /// Its value.
    pub checksum: String,
}

/// A document, by path or by a number of this session.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// As people know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The path or URI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Its number in this session; 0 or absent means by path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_reference: Option<i64>,
    /// How to show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presentation_hint: Option<SourceHint>,
    /// Where it comes from, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Sources that this one is made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sources: Option<Vec<Source>>,
    /// Opaque; the client hands it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adapter_data: Option<Value>,
    /// Of its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksums: Option<Vec<Checksum>>,
}

/// A module.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Module {
    /// Unique among modules.
    pub id: ModuleId,
    /// As people know it.
    pub name: String,
    /// The path or URI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// It is optimised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_optimized: Option<bool>,
    /// It is the person's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_user_code: Option<bool>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whether symbols were found, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbol_status: Option<String>,
    /// Where its symbols are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbol_file_path: Option<String>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_time_stamp: Option<String>,
    /// Where it was loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_range: Option<String>,
}

/// Which document.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceArguments {
    /// Which source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Its number in this session; 0 or absent means by path.
    pub source_reference: i64,
}

/// Its text.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceResponse {
    /// The whole text.
    pub content: String,
    /// What the text is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
}

/// Nothing that the protocol knows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadedSourcesArguments {
    /// Everything else that came with it.
    #[serde(flatten)]
    pub extra: Extra,
}

/// The sources.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadedSourcesResponse {
    /// The sources.
    pub sources: Vec<Source>,
}

/// Which location.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LocationsArguments {
    /// From an earlier answer.
    pub location_reference: i64,
}

/// Where it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LocationsResponse {
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

/// Which modules.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModulesArguments {
    /// The first module, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_module: Option<i64>,
    /// How many modules; all when absent or 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module_count: Option<i64>,
}

/// The modules.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModulesResponse {
    /// The modules.
    pub modules: Vec<Module>,
    /// How many there are in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_modules: Option<i64>,
}

/// Something about a source has changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadedSourceEvent {
    /// Why.
    pub reason: ChangeReason,
    /// Which source.
    pub source: Source,
}

/// Something about a module has changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModuleEvent {
    /// Why.
    pub reason: ChangeReason,
    /// The module.
    pub module: Module,
}

/// The number or name of a module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ModuleId {
    /// A number.
    Number(i64),
    /// A name.
    Name(String),
}
