//! The bounds of the journal, each with the reason for its size. It knows no file and no record.

use std::time::Duration;

/// Longest payload of one frame, in bytes. A state is some 2 to 50 KB; a length above this is damage, not data.
pub const FRAME_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Longest state of one moment, in bytes: what a reader is willing to unpack when a recording says so.
pub const STATE_BYTES_MAX: usize = 48 * 1024 * 1024;

/// Deltas between two full copies of a state. Opening any moment unpacks at most this many: 32 × some 5 µs
/// stays far below the 10 ms that a view may take (timetravel.md 5).
pub const STATE_DELTAS_MAX: u32 = 32;

/// States the encoder keeps in memory to make deltas against: the newest and a few that lanes may still name.
pub(super) const STATES_HELD_MAX: usize = 4;

/// Unpacked states the archive keeps, in bytes, so that walking backwards through moments unpacks each once.
pub(super) const STATES_CACHED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Longest time between an append and the start of its sync to disk (DESIGN 4), and longest time a log line
/// waits in memory (timetravel.md 1.1).
pub const UNSYNCED_MAX: Duration = Duration::from_millis(50);

/// Text of one log block, in bytes: a block is written when it has grown to this (timetravel.md 1.1).
pub const LOG_BLOCK_BYTES: usize = 256 * 1024;

/// Room on disk that recordings may take together, in bytes, before the oldest are removed.
pub const RECORDINGS_BYTES_MAX: u64 = 10 * 1024 * 1024 * 1024;
