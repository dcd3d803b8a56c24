//! Words that stand in many lines: durations, signs, verbs, and text that is safe to show.
//!
//! Knows nothing of where they stand.

use std::borrow::Cow;
use std::time::Duration;

use engine::effect::Outcome;

use super::paint::Meaning;
use super::sanitize;

/// `0.1s`, `12s`, `2m05s`, `1h02m`.
pub fn duration(took: Duration) -> String {
    let seconds = took.as_secs();
    match seconds {
        0..=9 => {
            let tenths = (took.as_millis() + 50) / 100;
            format!("{}.{}s", tenths / 10, tenths % 10)
        }
        10..=59 => format!("{seconds}s"),
        60..=3599 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// The sign in front of a step or job.
pub fn mark(outcome: Outcome, forgiven: bool) -> (&'static str, Meaning) {
    match outcome {
        Outcome::Success => ("✓", Meaning::Good),
        Outcome::Failure if forgiven => ("✗", Meaning::Warning),
        Outcome::Failure => ("✗", Meaning::Bad),
        Outcome::Cancelled => ("⊘", Meaning::Warning),
        Outcome::Skipped => ("-", Meaning::Quiet),
    }
}

/// `succeeded`, `failed` …
pub fn verb(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => "succeeded",
        Outcome::Failure => "failed",
        Outcome::Cancelled => "was cancelled",
        Outcome::Skipped => "was skipped",
    }
}

/// Text of the job as a person may see it: one line, nothing that a terminal would obey.
pub fn shown(text: &str) -> String {
    clean(text).into_owned()
}

/// [`shown`], without a copy where there is nothing to be changed.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    sanitize::line(text.lines().next().unwrap_or_default().as_bytes(), false)
}

/// `exit 1` out of the runner's own last words for a step that failed.
pub fn exit_of(error_line: &str) -> Option<String> {
    let code = error_line.strip_prefix("Process completed with exit code ")?.strip_suffix('.')?;
    code.parse::<i32>().ok().map(|code| format!("exit {code}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_stay_short() {
        let check =
            |millis: u64, expected: &str| assert_eq!(duration(Duration::from_millis(millis)), expected);
        check(40, "0.0s");
        check(9_949, "9.9s");
        check(59_999, "59s");
        check(125_000, "2m05s");
        check(3_725_000, "1h02m");
    }

    #[test]
    fn exit_codes_are_read_from_the_last_words() {
        assert_eq!(exit_of("Process completed with exit code 137.").as_deref(), Some("exit 137"));
        assert_eq!(exit_of("something else"), None);
    }
}
