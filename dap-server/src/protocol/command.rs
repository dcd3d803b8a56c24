//! Which commands there are, with their arguments and what answers them: two tables. Who serves a command is not known
//! here.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};

use super::breakpoint::*;
use super::capability::Capabilities;
use super::data_breakpoint::*;
use super::error::{DecodeError, ErrorId, Failure};
use super::evaluate::*;
use super::exception::*;
use super::execution::*;
use super::lifecycle::*;
use super::memory::*;
use super::progress::CancelArguments;
use super::reverse::*;
use super::source::*;
use super::stack::*;
use super::variable::*;
use crate::envelope::{RawRequest, RawResponse};

/// Commands of our own, which any client may use, begin with this.
pub const CUSTOM_PREFIX: &str = "stepback/";

/// The arguments of a request: the type says which.
pub trait Command: Serialize + DeserializeOwned {
    /// The command.
    const NAME: &'static str;

    /// What answers it.
    type Body;

    /// Reads the body of an answer.
    ///
    /// # Errors
    /// It is not that of an answer to this command.
    fn body(raw: Option<&RawValue>) -> Result<Self::Body, DecodeError>;
}

/// The arguments as a type. Absent, null and an empty object are one.
fn decode_arguments<T: DeserializeOwned>(command: &str, raw: Option<&RawValue>) -> Result<T, DecodeError> {
    let text = raw.map(RawValue::get).filter(|text| *text != "null").unwrap_or("{}");
    if !text.starts_with('{') {
        let reason = "expected an object".to_owned();
        return Err(DecodeError::InvalidArguments { command: command.to_owned(), reason });
    }
    serde_json::from_str(text).map_err(|error| DecodeError::arguments(command, &error))
}

fn decode_body<T: DeserializeOwned>(command: &str, raw: Option<&RawValue>) -> Result<T, DecodeError> {
    let text = raw.map_or("null", RawValue::get);
    serde_json::from_str(text).map_err(|error| DecodeError::body(command, &error))
}

/// Declares requests by what answers them: nothing, a body, or a body that may be absent.
macro_rules! commands {
    (
        $(#[$about_request:meta])* pub enum $request:ident;
        $(#[$about_response:meta])* pub enum $response:ident;
        empty { $($empty:ident($empty_arguments:ty) = $empty_name:literal,)* }
        body { $($full:ident($full_arguments:ty) = $full_name:literal => $full_body:ty,)* }
        maybe { $($maybe:ident($maybe_arguments:ty) = $maybe_name:literal => $maybe_body:ty,)* }
    ) => {
        $(#[$about_request])*
        #[derive(Clone, Debug)]
        pub enum $request {
            $(#[doc = concat!("`", $empty_name, "`")] $empty($empty_arguments),)*
            $(#[doc = concat!("`", $full_name, "`")] $full($full_arguments),)*
            $(#[doc = concat!("`", $maybe_name, "`")] $maybe($maybe_arguments),)*
            /// A command that begins with [`CUSTOM_PREFIX`].
            Custom(RawRequest),
        }

        impl $request {
            /// Gives a request its types. Absent, null and empty arguments are one.
            ///
            /// # Errors
            /// Nobody knows the command, or the arguments are not its own.
            pub fn decode(request: RawRequest) -> Result<Self, DecodeError> {
                let RawRequest { command, arguments } = &request;
                let (command, arguments) = (command.as_str(), arguments.as_deref());
                match command {
                    $($empty_name => decode_arguments(command, arguments).map(Self::$empty),)*
                    $($full_name => decode_arguments(command, arguments).map(Self::$full),)*
                    $($maybe_name => decode_arguments(command, arguments).map(Self::$maybe),)*
                    custom if custom.starts_with(CUSTOM_PREFIX) => Ok(Self::Custom(request)),
                    unknown => Err(DecodeError::UnknownCommand(unknown.to_owned())),
                }
            }

            /// Its command.
            pub fn command(&self) -> &str {
                match self {
                    $(Self::$empty(_) => $empty_name,)*
                    $(Self::$full(_) => $full_name,)*
                    $(Self::$maybe(_) => $maybe_name,)*
                    Self::Custom(request) => &request.command,
                }
            }

            /// The request as it is sent.
            ///
            /// # Errors
            /// The arguments cannot be written as JSON.
            pub fn encode(&self) -> serde_json::Result<RawRequest> {
                let arguments = match self {
                    $(Self::$empty(arguments) => to_raw_value(arguments)?,)*
                    $(Self::$full(arguments) => to_raw_value(arguments)?,)*
                    $(Self::$maybe(arguments) => to_raw_value(arguments)?,)*
                    Self::Custom(request) => return Ok(request.clone()),
                };
                Ok(RawRequest { command: self.command().to_owned(), arguments: Some(arguments) })
            }

            /// All commands of the protocol.
            pub const COMMANDS: &'static [&'static str] =
                &[$($empty_name,)* $($full_name,)* $($maybe_name,)*];
        }

        $(#[$about_response])*
        #[derive(Clone, Debug)]
        pub enum $response {
            /// It was done, and there is no more to say.
            Empty,
            $(#[doc = concat!("Answers `", $full_name, "`.")] $full($full_body),)*
            $(#[doc = concat!("Answers `", $maybe_name, "`.")] $maybe($maybe_body),)*
            /// Answers a command that begins with [`CUSTOM_PREFIX`].
            Custom(Box<RawValue>),
        }

        impl $response {
            /// Gives the body of an answer its type.
            ///
            /// # Errors
            /// Nobody knows the command, or the body is not of an answer to it.
            pub fn decode(command: &str, body: Option<&RawValue>) -> Result<Self, DecodeError> {
                match command {
                    $($empty_name => Ok(Self::Empty),)*
                    $($full_name => decode_body(command, body).map(Self::$full),)*
                    $($maybe_name => decode_body::<Option<_>>(command, body)
                        .map(|body| body.map_or(Self::Empty, Self::$maybe)),)*
                    custom if custom.starts_with(CUSTOM_PREFIX) => {
                        Ok(body.map_or(Self::Empty, |body| Self::Custom(body.to_owned())))
                    }
                    unknown => Err(DecodeError::UnknownCommand(unknown.to_owned())),
                }
            }

            fn encode(&self) -> serde_json::Result<Option<Box<RawValue>>> {
                Ok(Some(match self {
                    Self::Empty => return Ok(None),
                    $(Self::$full(body) => to_raw_value(body)?,)*
                    $(Self::$maybe(body) => to_raw_value(body)?,)*
                    Self::Custom(body) => body.clone(),
                }))
            }

            /// The answer as it is sent.
            pub fn into_response(self, request_seq: i64, command: impl Into<String>) -> RawResponse {
                match self.encode() {
                    Ok(body) => {
                        let command = command.into();
                        RawResponse { request_seq, command, success: true, message: None, body }
                    }
                    Err(error) => unwritable(&error).into_response(request_seq, command),
                }
            }
        }

        $(impl Command for $empty_arguments {
            const NAME: &'static str = $empty_name;
            type Body = ();

            fn body(_: Option<&RawValue>) -> Result<(), DecodeError> {
                Ok(())
            }
        })*
        $(impl Command for $full_arguments {
            const NAME: &'static str = $full_name;
            type Body = $full_body;

            fn body(raw: Option<&RawValue>) -> Result<Self::Body, DecodeError> {
                decode_body($full_name, raw)
            }
        })*
        $(impl Command for $maybe_arguments {
            const NAME: &'static str = $maybe_name;
            type Body = Option<$maybe_body>;

            fn body(raw: Option<&RawValue>) -> Result<Self::Body, DecodeError> {
                decode_body($maybe_name, raw)
            }
        })*
    };
}

fn unwritable(error: &serde_json::Error) -> Failure {
    Failure::new(ErrorId::Internal, "the answer cannot be written: {error}").with("error", error.to_string())
}

commands! {
    /// A request of a client.
    pub enum Request;
    /// What answers a request of a client.
    pub enum ResponseBody;
    empty {
        Cancel(CancelArguments) = "cancel",
        ConfigurationDone(ConfigurationDoneArguments) = "configurationDone",
        Launch(LaunchArguments) = "launch",
        Attach(AttachArguments) = "attach",
        Restart(RestartArguments) = "restart",
        Disconnect(DisconnectArguments) = "disconnect",
        Terminate(TerminateArguments) = "terminate",
        Next(NextArguments) = "next",
        StepIn(StepInArguments) = "stepIn",
        StepOut(StepOutArguments) = "stepOut",
        StepBack(StepBackArguments) = "stepBack",
        ReverseContinue(ReverseContinueArguments) = "reverseContinue",
        RestartFrame(RestartFrameArguments) = "restartFrame",
        Goto(GotoArguments) = "goto",
        Pause(PauseArguments) = "pause",
        TerminateThreads(TerminateThreadsArguments) = "terminateThreads",
    }
    body {
        BreakpointLocations(BreakpointLocationsArguments) = "breakpointLocations" => BreakpointLocationsResponse,
        SetBreakpoints(SetBreakpointsArguments) = "setBreakpoints" => SetBreakpointsResponse,
        SetFunctionBreakpoints(SetFunctionBreakpointsArguments) = "setFunctionBreakpoints"
            => SetFunctionBreakpointsResponse,
        DataBreakpointInfo(DataBreakpointInfoArguments) = "dataBreakpointInfo" => DataBreakpointInfoResponse,
        SetDataBreakpoints(SetDataBreakpointsArguments) = "setDataBreakpoints" => SetDataBreakpointsResponse,
        SetInstructionBreakpoints(SetInstructionBreakpointsArguments) = "setInstructionBreakpoints"
            => SetInstructionBreakpointsResponse,
        Continue(ContinueArguments) = "continue" => ContinueResponse,
        StackTrace(StackTraceArguments) = "stackTrace" => StackTraceResponse,
        Scopes(ScopesArguments) = "scopes" => ScopesResponse,
        Variables(VariablesArguments) = "variables" => VariablesResponse,
        SetVariable(SetVariableArguments) = "setVariable" => SetVariableResponse,
        Source(SourceArguments) = "source" => SourceResponse,
        Threads(ThreadsArguments) = "threads" => ThreadsResponse,
        Modules(ModulesArguments) = "modules" => ModulesResponse,
        LoadedSources(LoadedSourcesArguments) = "loadedSources" => LoadedSourcesResponse,
        Evaluate(EvaluateArguments) = "evaluate" => EvaluateResponse,
        SetExpression(SetExpressionArguments) = "setExpression" => SetExpressionResponse,
        StepInTargets(StepInTargetsArguments) = "stepInTargets" => StepInTargetsResponse,
        GotoTargets(GotoTargetsArguments) = "gotoTargets" => GotoTargetsResponse,
        Completions(CompletionsArguments) = "completions" => CompletionsResponse,
        ExceptionInfo(ExceptionInfoArguments) = "exceptionInfo" => ExceptionInfoResponse,
    }
    maybe {
        Initialize(InitializeArguments) = "initialize" => Capabilities,
        SetExceptionBreakpoints(SetExceptionBreakpointsArguments) = "setExceptionBreakpoints"
            => SetExceptionBreakpointsResponse,
        ReadMemory(ReadMemoryArguments) = "readMemory" => ReadMemoryResponse,
        WriteMemory(WriteMemoryArguments) = "writeMemory" => WriteMemoryResponse,
        Disassemble(DisassembleArguments) = "disassemble" => DisassembleResponse,
        Locations(LocationsArguments) = "locations" => LocationsResponse,
    }
}

commands! {
    /// A request of the adapter, which goes the other way.
    pub enum ReverseRequest;
    /// What answers a request of the adapter.
    pub enum ReverseResponseBody;
    empty {
        StartDebugging(StartDebuggingArguments) = "startDebugging",
    }
    body {
        RunInTerminal(RunInTerminalArguments) = "runInTerminal" => RunInTerminalResponse,
    }
    maybe {}
}

impl RawRequest {
    /// The arguments of a custom command as a type. Absent, null and an empty object are one.
    ///
    /// # Errors
    /// They are not what `T` wants.
    pub fn arguments_as<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        decode_arguments(&self.command, self.arguments.as_deref())
    }
}

#[cfg(test)]
mod tests;
