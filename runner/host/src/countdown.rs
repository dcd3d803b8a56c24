//! A span of time that can be stopped and continued: the time of a lane.
//!
//! Knows one remaining span; not what happens at its end.

use std::time::{Duration, Instant};

/// What is left of a span, and whether it is running down.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Countdown {
    remaining: Duration,
    since: Option<Instant>,
}

impl Countdown {
    /// Begins to run down at `now`.
    pub(crate) fn started(span: Duration, now: Instant) -> Self {
        Self { remaining: span, since: Some(now) }
    }

    /// Stands still until it is continued.
    pub(crate) fn stopped(span: Duration) -> Self {
        Self { remaining: span, since: None }
    }

    pub(crate) fn remaining(&self, now: Instant) -> Duration {
        let run = self.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        self.remaining.saturating_sub(run)
    }

    pub(crate) fn stop(&mut self, now: Instant) {
        *self = Self::stopped(self.remaining(now));
    }

    pub(crate) fn go_on(&mut self, now: Instant) {
        self.since.get_or_insert(now);
    }

    /// When it will be over; `None` while it stands, or when no clock reaches that far.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.since.and_then(|since| since.checked_add(self.remaining))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_countdown_keeps_what_is_left() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut countdown = Countdown::started(Duration::from_secs(10), start);
        countdown.stop(at(4));
        assert_eq!(countdown.remaining(at(100)), Duration::from_secs(6));
        assert_eq!(countdown.deadline(), None);
        countdown.go_on(at(100));
        countdown.go_on(at(105));
        assert_eq!(countdown.remaining(at(103)), Duration::from_secs(3));
        assert_eq!(countdown.deadline(), Some(at(106)));
        assert_eq!(countdown.remaining(at(200)), Duration::ZERO);
    }
}
