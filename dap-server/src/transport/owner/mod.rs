//! Who is at the other end of a connection over the loopback address: best effort, since the system does not say it of
//! itself. What follows from it is decided elsewhere.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(target_os = "macos")]
use macos as system;

pub(super) use system::of;
