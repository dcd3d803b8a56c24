//! What a crash left open, read off the records. It states facts; what to do about them is decided by whoever
//! asks, and usually by a person.

use indexmap::IndexMap;

use super::reader::Entry;
use super::record::{MomentId, Outcome, Record, RestoreBegin, RestoreResult, StepIntent};

/// The loose ends of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovered {
    /// Steps that were about to be spawned and of which no result is recorded, in order: *unknown outcome*. A lane
    /// that a branch ended has a result of its own, `Superseded`; nothing is concluded from silence.
    pub unknown: Vec<StepIntent>,
    /// A restore that began and has no end: the files are in between. One that ended as `Failed` counts too.
    pub unfinished_restore: Option<RestoreBegin>,
    /// The writer ended while rewound: the files are those of `to`, and leaving puts them back to `from`, the present
    /// as it was when going back began, however often it went on from there (DESIGN 4).
    pub rewound: Option<RestoreBegin>,
    /// The moment with the highest number.
    pub newest: Option<MomentId>,
    /// The highest epoch named by any record.
    pub epoch: u64,
    /// How the job ended, if it did.
    pub finished: Option<Outcome>,
}

impl Recovered {
    /// Reads the loose ends off `records`, which are in the order of the file.
    pub fn of(records: &[Entry]) -> Recovered {
        let mut found = Recovered::default();
        let mut open: IndexMap<(u32, &str, u64), &StepIntent> = IndexMap::new();
        for entry in records {
            found.epoch = found.epoch.max(epoch(&entry.record));
            match &entry.record {
                Record::StepIntent(intent) => {
                    open.insert((intent.lane, &intent.step, intent.epoch), intent);
                    found.finished = None;
                }
                Record::StepResult(result) => {
                    open.shift_remove(&(result.lane, result.step.as_str(), result.epoch));
                }
                Record::Finished(finished) => found.finished = Some(finished.outcome),
                record => found.follow(record),
            }
        }
        found.unknown = open.into_values().cloned().collect();
        found
    }

    /// Where the files and the timeline are.
    fn follow(&mut self, record: &Record) {
        match record {
            Record::Moment(moment) => self.newest = self.newest.max(Some(moment.id)),
            Record::BranchBegan(_) => self.rewound = None,
            Record::RestoreBegin(begin) => self.unfinished_restore = Some(begin.clone()),
            Record::RestoreEnd(end) => self.restored(&end.result),
            _ => {}
        }
    }

    fn restored(&mut self, result: &RestoreResult) {
        if matches!(result, RestoreResult::Failed(_)) {
            return;
        }
        let restore = self.unfinished_restore.take();
        if let (Some(RestoreBegin { from, to }), RestoreResult::Done) = (restore, result) {
            // From a moment to itself: the next start put the files of a session that broke off to where it stands.
            let home = self.rewound.as_ref().filter(|_| from != to).map_or(from, |rewound| rewound.from);
            self.rewound = (to != home).then_some(RestoreBegin { from: home, to });
        }
    }
}

fn epoch(record: &Record) -> u64 {
    match record {
        Record::Moment(moment) => moment.epoch,
        Record::StepIntent(intent) => intent.epoch,
        Record::StepResult(result) => result.epoch,
        Record::Event(event) => event.epoch,
        Record::BranchBegan(branch) => branch.epoch,
        _ => 0,
    }
}
