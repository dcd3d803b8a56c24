//! Which keys exist where, what their values may be and which contexts they may use.
//!
//! Data only: the reader that walks it is [`crate::read`].

pub(crate) mod action;
pub(crate) mod definition;
mod events;
pub(crate) mod workflow;
