//! Waits for the output of a child, for its end, or to be woken, whatever comes first.
//!
//! Knows descriptors and pids; not what is read.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;

#[cfg(target_os = "linux")]
pub use linux::Watch;
#[cfg(target_os = "macos")]
pub use macos::Watch;

/// What has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// The output can be read without waiting, or is at its end.
    pub output: bool,
    /// The process has ended.
    pub ended: bool,
    /// Somebody wrote to the wake-up pipe.
    pub woken: bool,
}
