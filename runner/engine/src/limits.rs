//! Every upper bound of the engine, with the reason for its size. The unit stands last in each name.
//! Knows nothing of the code that keeps the bounds.

use std::num::NonZeroU32;

/// A line longer than this is shown in pieces of this size; upstream never cuts, but a person (and a
/// DAP client) cannot use more at once (timetravel.md 3.1).
pub const LINE_DISPLAY_BYTES: usize = 64 * 1024;

/// A workflow command may be this long; a longer line is plain output even if it starts like one.
/// GitHub's own ceiling for a job's outputs is 1 MiB, so nothing that could be used is lost.
pub const LINE_COMMAND_BYTES: usize = 1024 * 1024;

/// How much of a cut line a mask regex may look back over, since a regex has no longest match.
pub const MASK_REGEX_WINDOW_BYTES: usize = 4 * 1024;

/// Annotations kept per type (error, warning, notice) and step; later ones stay in the log alone
/// (steps.md 5.1, upstream's issue count per timeline record).
pub const ANNOTATIONS_PER_TYPE: u32 = 10;

/// An annotation's message is cut to this many UTF-16 units after masking (steps.md 5.1).
pub const ANNOTATION_MESSAGE_CHARS: usize = 4096;

/// Stop tokens longer than this become masks, so that a log reader cannot learn one (steps.md 5.1).
pub const STOP_TOKEN_UNMASKED_CHARS: usize = 6;

/// Largest step summary that is taken (steps.md 5.2).
pub const SUMMARY_BYTES: usize = 1024 * 1024;

/// How often a problem matcher may fail on one line before upstream removes it (steps.md 5.3). A
/// backtracking limit is no clock: the same line fails each time, so ours goes at the first failure.
pub const MATCHER_ATTEMPTS: u32 = 3;

/// Steps that a backtracking regex may take on one line. Stands for upstream's one second, but gives
/// the same answer on every machine.
pub const MATCHER_BACKTRACK_STEPS: usize = 1_000_000;

/// Parent folders searched for the checkout that a matched file belongs to (steps.md 5.3).
pub const MATCHER_FILE_PARENTS: usize = 50;

/// A job that names no `timeout-minutes` is stopped after six hours, as on GitHub.
pub const JOB_TIMEOUT_DEFAULT_MINUTES: u32 = 360;

/// A matrix may have this many combinations, as on GitHub.
pub const MATRIX_COMBINATIONS_MAX: usize = 256;

/// Composite actions may be nested so deep; the check is GitHub's (steps.md 4.4).
pub const COMPOSITE_DEPTH: usize = 9;

/// Background steps that run at once where nobody says another number; further ones wait for their turn (steps.md 2.3).
pub const BACKGROUND_SLOTS: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);
