//! The Debug Adapter Protocol: no other crate knows it. This one knows sessions by their requests and notices, and nothing
//! of how a job is started or run.
//!
//! From the wire inwards: [`transport`] lets a peer in, [`codec`] turns its bytes into message bodies, [`envelope`]
//! turns a body into a message whose arguments nobody has looked at yet, and [`protocol`] gives them their types. On
//! the way back everything goes through the [`outbox`] of its connection. In between is the conversation about one job, in
//! `adapter`: the debuggee's [`feed`] says what happened, and each family of requests has a file. [`client`] is the other end
//! of all this.

mod adapter;
pub mod client;
pub mod codec;
pub mod connection;
pub mod debuggee;
pub mod envelope;
pub mod feed;
pub mod limits;
pub mod outbox;
pub mod protocol;
pub mod server;
pub mod transport;
