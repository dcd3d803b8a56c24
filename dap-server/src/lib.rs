//! The Debug Adapter Protocol, and nothing else: no other crate knows it, and this one knows no job.
//!
//! From the wire inwards: [`transport`] lets a peer in, [`codec`] turns its bytes into message bodies, [`envelope`]
//! turns a body into a message whose arguments nobody has looked at yet, and [`protocol`] gives them their types. On
//! the way back everything goes through the [`outbox`] of its connection. [`client`] is the other end of all this.

pub mod client;
pub mod codec;
pub mod envelope;
pub mod limits;
pub mod outbox;
pub mod protocol;
pub mod transport;
