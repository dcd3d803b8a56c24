//! Which events there are, with what they tell: a table. When one is sent is not known here.

use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};

use super::breakpoint::BreakpointEvent;
use super::error::DecodeError;
use super::execution::{ContinuedEvent, StoppedEvent};
use super::lifecycle::{CapabilitiesEvent, ExitedEvent, ProcessEvent, TerminatedEvent};
use super::memory::MemoryEvent;
use super::output::OutputEvent;
use super::progress::{InvalidatedEvent, ProgressEndEvent, ProgressStartEvent, ProgressUpdateEvent};
use super::source::{LoadedSourceEvent, ModuleEvent};
use super::stack::ThreadEvent;
use crate::envelope::RawEvent;

/// Declares events by what they carry: nothing, or a body.
macro_rules! events {
    (
        $(#[$about:meta])* pub enum $event:ident;
        empty { $($empty:ident = $empty_name:literal,)* }
        body { $($full:ident($body:ty) = $full_name:literal,)* }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug)]
        pub enum $event {
            $(#[doc = concat!("`", $empty_name, "`")] $empty,)*
            $(#[doc = concat!("`", $full_name, "`")] $full($body),)*
            /// Any other: one of our own, or of another adapter.
            Custom(RawEvent),
        }

        impl $event {
            /// Gives an event its type.
            ///
            /// # Errors
            /// The body is not what the event carries.
            pub fn decode(event: RawEvent) -> Result<Self, DecodeError> {
                match event.event.as_str() {
                    $($empty_name => Ok(Self::$empty),)*
                    $($full_name => decode_body($full_name, event.body.as_deref()).map(Self::$full),)*
                    _ => Ok(Self::Custom(event)),
                }
            }

            /// Its name.
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$empty => $empty_name,)*
                    $(Self::$full(_) => $full_name,)*
                    Self::Custom(event) => &event.event,
                }
            }

            /// The event as it is sent.
            ///
            /// # Errors
            /// The body cannot be written as JSON.
            pub fn encode(&self) -> serde_json::Result<RawEvent> {
                let body = match self {
                    $(Self::$empty => None,)*
                    $(Self::$full(body) => Some(to_raw_value(body)?),)*
                    Self::Custom(event) => return Ok(event.clone()),
                };
                // An absent body is none.
                let body = body.filter(|body| body.get() != "null");
                Ok(RawEvent { event: self.name().to_owned(), body })
            }

            /// All events of the protocol.
            pub const NAMES: &'static [&'static str] = &[$($empty_name,)* $($full_name,)*];
        }
    };
}

fn decode_body<T: DeserializeOwned>(event: &str, body: Option<&RawValue>) -> Result<T, DecodeError> {
    serde_json::from_str(body.map_or("null", RawValue::get)).map_err(|error| DecodeError::body(event, &error))
}

events! {
    /// Something that a client is told.
    pub enum Event;
    empty {
        Initialized = "initialized",
    }
    body {
        Stopped(StoppedEvent) = "stopped",
        Continued(ContinuedEvent) = "continued",
        Exited(ExitedEvent) = "exited",
        Terminated(Option<TerminatedEvent>) = "terminated",
        Thread(ThreadEvent) = "thread",
        Output(OutputEvent) = "output",
        Breakpoint(BreakpointEvent) = "breakpoint",
        Module(ModuleEvent) = "module",
        LoadedSource(LoadedSourceEvent) = "loadedSource",
        Process(ProcessEvent) = "process",
        Capabilities(CapabilitiesEvent) = "capabilities",
        ProgressStart(ProgressStartEvent) = "progressStart",
        ProgressUpdate(ProgressUpdateEvent) = "progressUpdate",
        ProgressEnd(ProgressEndEvent) = "progressEnd",
        Invalidated(InvalidatedEvent) = "invalidated",
        Memory(MemoryEvent) = "memory",
    }
}
