//! How long the host waits for processes before it goes on without them.
//!
//! Knows durations; not what is waited for in any particular case.

use std::time::Duration;

/// Waiting times; tests make them short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// From SIGINT to SIGTERM (steps.md 3.4), in the lane's own time.
    pub interrupt: Duration,
    /// From SIGTERM to SIGKILL (steps.md 3.4), in the lane's own time.
    pub terminate: Duration,
    /// How long a SIGKILL may take before its survivors are named (DESIGN 4).
    pub kill: Duration,
    /// How long a freeze may take before it is given up (DESIGN 4).
    pub freeze: Duration,
    /// How long the output of a body is still read when somebody holds the pipe open after the exit (steps.md 3.3).
    pub held_pipe: Duration,
    /// How long the session attends a body itself before a thread of its lane takes it over (docs/design/spawn.md).
    pub own_thread_after: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            interrupt: Duration::from_millis(7500),
            terminate: Duration::from_millis(2500),
            kill: Duration::from_secs(2),
            freeze: Duration::from_secs(2),
            held_pipe: Duration::from_secs(5),
            own_thread_after: Duration::from_millis(4),
        }
    }
}
