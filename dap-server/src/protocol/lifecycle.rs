//! Beginning and end of a session: the handshake, launch and attach, restart, and how it is left. Which of them may come
//! when is decided by the server, not here.

use super::capability::Capabilities;
use super::extra::Extra;
use super::open::open_enum;
use super::token::Token;
use serde::{Deserialize, Serialize};
use serde_json::Value;

open_enum! {
    /// How paths are written.
    pub enum PathFormat {
        /// As the system writes them.
        Path = "path",
        /// As URIs.
        Uri = "uri",
    }
}

open_enum! {
    /// How a session comes to what it debugs.
    pub enum StartMethod {
        /// It started it.
        Launch = "launch",
        /// It was running already.
        Attach = "attach",
        /// Another started it suspended.
        AttachForSuspendedLaunch = "attachForSuspendedLaunch",
    }
}

/// Who the client is and what it understands.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InitializeArguments {
    /// The identifier of the client.
    #[serde(rename = "clientID", skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The name of the client, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// The identifier of the adapter, as the client knows it.
    #[serde(rename = "adapterID")]
    pub adapter_id: String,
    /// Language of the client, such as `en-US`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// Lines are counted from 1; true when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines_start_at1: Option<bool>,
    /// Columns are counted from 1; true when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns_start_at1: Option<bool>,
    /// How paths are written; `path` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_format: Option<PathFormat>,
    /// Understands the type of a variable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supports_variable_type: Option<bool>,
    /// Asks for variables by pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supports_variable_paging: Option<bool>,
    /// Answers `runInTerminal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supports_run_in_terminal_request: Option<bool>,
    /// Understands memory references.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supports_memory_references: Option<bool>,
    /// Shows progress events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supports_progress_reporting: Option<bool>,
    /// Understands `invalidated`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supports_invalidated_event: Option<bool>,
    /// Understands `memory`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supports_memory_event: Option<bool>,
    /// Understands `argsCanBeInterpretedByShell`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supports_args_can_be_interpreted_by_shell: Option<bool>,
    /// Answers `startDebugging`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supports_start_debugging_request: Option<bool>,
    /// Shows ANSI colours in output and values.
    #[serde(rename = "supportsANSIStyling", skip_serializing_if = "Option::is_none")]
    pub supports_ansi_styling: Option<bool>,
}

/// Nothing that the protocol knows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigurationDoneArguments {
    /// Everything else that came with it.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What to start. The protocol leaves all but two members to the adapter: they are in `extra`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LaunchArguments {
    /// Run without debugging.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_debug: Option<bool>,
    /// What an earlier `terminated` event gave in `restart`.
    #[serde(rename = "__restart", skip_serializing_if = "Option::is_none")]
    pub restart: Option<Value>,
    /// Everything else that came with it.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What to attach to. The protocol leaves all but one member to the adapter: they are in `extra`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttachArguments {
    /// What an earlier `terminated` event gave in `restart`.
    #[serde(rename = "__restart", skip_serializing_if = "Option::is_none")]
    pub restart: Option<Value>,
    /// Lets a peer in that came over a port; kept out of `extra` and of every log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
    /// Everything else that came with it.
    #[serde(flatten)]
    pub extra: Extra,
}

/// The configuration to restart with.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RestartArguments {
    /// The configuration as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<LaunchArguments>,
}

/// What becomes of what is debugged.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DisconnectArguments {
    /// Part of a restart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart: Option<bool>,
    /// End what is debugged; the adapter chooses when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terminate_debuggee: Option<bool>,
    /// Leave what is debugged as it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspend_debuggee: Option<bool>,
}

/// Whether this is part of a restart.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TerminateArguments {
    /// Part of a restart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart: Option<bool>,
}

/// What was debugged has ended.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExitedEvent {
    /// The code.
    pub exit_code: i64,
}

/// The debug session is over.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TerminatedEvent {
    /// Opaque; comes back as `__restart` when the client starts again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart: Option<Value>,
}

/// What is debugged, and how it was reached.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessEvent {
    /// As people know it.
    pub name: String,
    /// The process number, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_process_id: Option<i64>,
    /// It runs on the machine of the adapter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_local_process: Option<bool>,
    /// How the debugger came to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_method: Option<StartMethod>,
    /// Of an address, in bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer_size: Option<i64>,
}

/// Capabilities have changed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CapabilitiesEvent {
    /// Those that have changed.
    pub capabilities: Capabilities,
}
