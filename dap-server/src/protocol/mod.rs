//! The types of DAP 1.71, one file to a family, and the tables that tie them to the names on the wire. Knows what
//! messages look like, not what they mean for a job nor when which may come.
//!
//! - [`Request`] is what a client sends, decoded; [`ResponseBody`] what it gets; [`Failure`] what it gets instead.
//! - [`Event`] is what it is told. [`ReverseRequest`] is what it is asked.
//! - [`Command`] is implemented by the arguments of each request, so that a client that sends them knows the answer.
//!
//! Absent members are never written, not even as null. Enumerations keep values that they do not know. Unknown members
//! are passed over, except in arguments that the protocol leaves to adapters: there they are kept.

pub mod breakpoint;
pub mod capability;
mod command;
pub mod data_breakpoint;
pub mod error;
pub mod evaluate;
mod event;
pub mod exception;
pub mod execution;
mod extra;
pub mod lifecycle;
pub mod memory;
mod open;
pub mod output;
pub mod progress;
pub mod reverse;
pub mod sound;
pub mod source;
pub mod stack;
mod token;
pub mod variable;

pub use command::{CUSTOM_PREFIX, Command, Request, ResponseBody, ReverseRequest, ReverseResponseBody};
pub use error::{DecodeError, ErrorBody, ErrorId, Failure};
pub use event::Event;
pub use extra::Extra;
pub use token::Token;
