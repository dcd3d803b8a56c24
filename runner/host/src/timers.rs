//! The timers that jobs set, each counting its lane's own time.
//!
//! Knows countdowns and lanes; sleeps for nobody.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use engine::effect::TimerId;
use engine::step_path::LaneId;

use crate::contract::Epoch;
use crate::countdown::Countdown;

/// Timers that have not rung.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    entries: Vec<Entry>,
    /// Lanes whose time stands still.
    held: BTreeSet<LaneId>,
}

#[derive(Debug)]
struct Entry {
    id: TimerId,
    epoch: Epoch,
    countdown: Countdown,
}

impl Timers {
    /// Sets a timer, in place of one with the same name.
    pub(crate) fn set(&mut self, id: TimerId, epoch: Epoch, after: Duration, now: Instant) {
        self.cancel(&id);
        let held = self.held.contains(&id.lane());
        let countdown = if held { Countdown::stopped(after) } else { Countdown::started(after, now) };
        self.entries.push(Entry { id, epoch, countdown });
    }

    pub(crate) fn cancel(&mut self, id: &TimerId) {
        self.entries.retain(|entry| entry.id != *id);
    }

    pub(crate) fn hold(&mut self, lane: LaneId, held: bool, now: Instant) {
        if held {
            self.held.insert(lane)
        } else {
            self.held.remove(&lane)
        };
        for entry in self.entries.iter_mut().filter(|entry| entry.id.lane() == lane) {
            if held { entry.countdown.stop(now) } else { entry.countdown.go_on(now) }
        }
    }

    /// When the next one rings.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.entries.iter().filter_map(|entry| entry.countdown.deadline()).min()
    }

    /// Takes the timer that has been due for longest.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<(Epoch, TimerId)> {
        let due = |entry: &Entry| entry.countdown.deadline().filter(|deadline| *deadline <= now);
        let first = self.entries.iter().filter_map(due).min()?;
        let index = self.entries.iter().position(|entry| entry.countdown.deadline() == Some(first))?;
        let entry = self.entries.remove(index);
        Some((entry.epoch, entry.id))
    }

    /// Takes all timers away; they stand still until they are put back.
    pub(crate) fn freeze(&mut self, now: Instant) -> Self {
        let mut frozen = std::mem::take(self);
        frozen.entries.iter_mut().for_each(|entry| entry.countdown.stop(now));
        frozen
    }

    /// Puts frozen timers back. One that was set again meanwhile stays as it is now.
    pub(crate) fn thaw(&mut self, frozen: Self, now: Instant) {
        for mut entry in frozen.entries {
            if self.entries.iter().all(|known| known.id != entry.id) {
                if !self.held.contains(&entry.id.lane()) {
                    entry.countdown.go_on(now);
                }
                self.entries.push(entry);
            }
        }
    }

    /// Takes out the timers of one lane.
    pub(crate) fn split_off(&mut self, lanes: &[LaneId]) -> Self {
        let (taken, kept) =
            std::mem::take(&mut self.entries).into_iter().partition(|entry| lanes.contains(&entry.id.lane()));
        self.entries = kept;
        Self { entries: taken, held: BTreeSet::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_stand_still_while_held_or_frozen() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut timers = Timers::default();
        timers.set(TimerId::Job, Epoch(1), Duration::from_secs(10), start);
        timers.hold(LaneId::FOREGROUND, true, at(3));
        assert_eq!(timers.next_deadline(), None);
        timers.hold(LaneId::FOREGROUND, false, at(50));
        assert_eq!(timers.next_deadline(), Some(at(57)));
        let frozen = timers.freeze(at(51));
        assert!(timers.take_due(at(99)).is_none());
        timers.thaw(frozen, at(100));
        assert!(timers.take_due(at(105)).is_none());
        assert_eq!(timers.take_due(at(106)), Some((Epoch(1), TimerId::Job)));
        assert!(timers.take_due(at(200)).is_none());
    }

    #[test]
    fn the_earliest_rings_first() {
        let start = Instant::now();
        let mut timers = Timers::default();
        let step = |lane| TimerId::Step(LaneId(lane), engine::step_path::StepPath::main(lane));
        timers.set(step(1), Epoch(0), Duration::from_secs(2), start);
        timers.set(step(2), Epoch(0), Duration::from_secs(1), start);
        let late = start + Duration::from_secs(9);
        assert_eq!(timers.take_due(late).unwrap().1, step(2));
        assert_eq!(timers.take_due(late).unwrap().1, step(1));
    }
}
