//! Every upper bound of the wire, with the reason for its size. The unit stands last in each name. Knows nothing of the
//! code that keeps the bounds.

use std::time::Duration;

/// A larger body ends the connection: the same bound as the official runner's bridge (dap.md 2.4).
pub const MESSAGE_BYTES_MAX: usize = 10 * 1024 * 1024;

/// All header lines of a message together, line ends included: the official runner's bound for a single line.
pub const HEADER_BYTES_MAX: usize = 8 * 1024;

/// Header lines of a message, empty ones before it included: the official runner's bound.
pub const HEADERS_MAX: usize = 64;

/// A command is a word; a longer one is refused before it is repeated in an answer.
pub const COMMAND_BYTES_MAX: usize = 256;

/// What a peer may send in all before it has shown its token: `initialize` and `attach` of all known clients together
/// take less than half of it.
pub const UNADMITTED_BYTES_MAX: usize = 4 * 1024;

/// How long a peer may take to show its token. Clients send `attach` right after the answer to `initialize`.
pub const UNADMITTED_TIME_MAX: Duration = Duration::from_secs(2);

/// One read from a connection; small enough that a connection costs little, large enough for a whole burst of requests.
pub const READ_BYTES: usize = 16 * 1024;

/// What may wait for a client that reads slowly: a few minutes of an ordinary job's output.
pub const OUTBOX_BYTES_MAX: usize = 8 * 1024 * 1024;

/// One `output` event: clients show a larger one late, and smaller ones cost more than their text.
pub const OUTPUT_BYTES_MAX: usize = 64 * 1024;

/// How long output waits for more of it: less than a person notices.
pub const OUTPUT_TIME_MAX: Duration = Duration::from_millis(50);

/// How long a client that sends nothing more is still answered: what does not run anything is answered in far less.
pub const LAST_ANSWERS_TIME_MAX: Duration = Duration::from_secs(2);

/// How long what steps do and print waits on its way to a client for more of it, before [`OUTPUT_TIME_MAX`]: to wake the thread
/// that serves the client takes a processor from the job.
pub const FEED_TIME_MAX: Duration = Duration::from_millis(20);

/// Log lines that wait for a client to come, or to read: they are in the recording anyway.
pub const FEED_BYTES_MAX: usize = 1024 * 1024;
