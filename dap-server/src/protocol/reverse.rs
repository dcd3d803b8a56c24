//! What an adapter asks of a client.

use std::collections::BTreeMap;

use super::extra::Extra;
use super::lifecycle::StartMethod;
use super::open::open_enum;
use serde::{Deserialize, Serialize};

open_enum! {
    /// Which terminal.
    pub enum TerminalKind {
        /// The client's own.
        Integrated = "integrated",
        /// One of the system.
        External = "external",
    }
}

open_enum! {
    /// Where output is shown.
    pub enum OutputPresentation {
        /// In a console of its own.
        Separate = "separate",
        /// With that of the parent.
        MergeWithParent = "mergeWithParent",
    }
}

/// What to run in the client's terminal.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunInTerminalArguments {
    /// Which kind of terminal; `integrated` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<TerminalKind>,
    /// A short heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The working directory.
    pub cwd: String,
    /// The program and its arguments.
    pub args: Vec<String>,
    /// Variables to set; null removes one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<BTreeMap<String, Option<String>>>,
    /// The arguments may be given to a shell unquoted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub args_can_be_interpreted_by_shell: Option<bool>,
}

/// What was started.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunInTerminalResponse {
    /// The process number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process_id: Option<i64>,
    /// The process number of the shell around it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell_process_id: Option<i64>,
}

/// A session to start beside this one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StartDebuggingArguments {
    /// The arguments of the `launch` or `attach` of the new session.
    pub configuration: Extra,
    /// Where the output of the new session is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_presentation: Option<OutputPresentation>,
    /// How it starts.
    pub request: StartMethod,
}
