//! Loose ends after a crash.

use super::*;

fn recover(records: &[Record]) -> Recovered {
    Recovered::of(&reader::parse(&journal_bytes(records)).unwrap().records)
}

fn at(states: &mut StateEncoder, id: u64) -> Record {
    moment(states, id, id.checked_sub(1), b"state").into()
}

#[test]
fn an_intent_without_result_is_unknown() {
    let found = recover(&[
        intent("build/1", 1).into(),
        result("build/1", 1, Outcome::Success).into(),
        intent("build/2", 1).into(),
        StepIntent { lane: 1, ..intent("build/serve", 1) }.into(),
    ]);
    assert_eq!(found.unknown, [intent("build/2", 1), StepIntent { lane: 1, ..intent("build/serve", 1) }]);
}

#[test]
fn a_result_of_another_epoch_or_lane_closes_nothing() {
    let found = recover(&[
        intent("build/1", 1).into(),
        result("build/1", 2, Outcome::Success).into(),
        StepResult { lane: 1, ..result("build/1", 1, Outcome::Success) }.into(),
    ]);
    assert_eq!(found.unknown, [intent("build/1", 1)]);
    assert_eq!(found.epoch, 2);
}

#[test]
fn a_superseded_lane_is_not_unknown() {
    let found = recover(&[
        intent("build/1", 1).into(),
        BranchBegan { branch: 2, epoch: 2, from: MomentId(0) }.into(),
        result("build/1", 1, Outcome::Superseded).into(),
    ]);
    assert_eq!(found.unknown, []);
}

#[test]
fn a_restore_without_end_or_with_a_failed_one_is_unfinished() {
    let begin = RestoreBegin { from: MomentId(2), to: MomentId(1) };
    let end = |result| Record::from(RestoreEnd { to: MomentId(1), result });
    let found = |end: Option<Record>| {
        let records: Vec<Record> = [begin.clone().into()].into_iter().chain(end).collect();
        recover(&records).unfinished_restore
    };
    assert_eq!(found(None), Some(begin.clone()));
    assert_eq!(found(Some(end(RestoreResult::Failed("no space".into())))), Some(begin.clone()));
    assert_eq!(found(Some(end(RestoreResult::Done))), None);
    assert_eq!(found(Some(end(RestoreResult::Returned))), None);
}

#[test]
fn dying_while_rewound_is_seen_until_a_branch_or_a_return() {
    let mut states = StateEncoder::new();
    let mut history = vec![at(&mut states, 0), at(&mut states, 1), at(&mut states, 2)];
    let go = |from, to| {
        let (from, to) = (MomentId(from), MomentId(to));
        [Record::from(RestoreBegin { from, to }), RestoreEnd { to, result: RestoreResult::Done }.into()]
    };
    let rewound = |to| Some(RestoreBegin { from: MomentId(2), to: MomentId(to) });
    assert_eq!(recover(&history).rewound, None);
    history.extend(go(2, 1));
    assert_eq!(recover(&history).rewound, rewound(1));
    // An edit made there is a moment of a pending branch, newer than the one to return to.
    history.push(moment(&mut states, 3, Some(1), b"edited").into());
    history.extend(go(3, 0));
    assert_eq!(recover(&history).rewound, rewound(0));
    let mut returned = history.clone();
    returned.extend(go(0, 2));
    assert_eq!(recover(&returned).rewound, None);
    // The next start put the files to where it stands, which need not be where the going back began.
    let mut put_back = history.clone();
    put_back.extend(go(1, 1));
    assert_eq!(recover(&put_back).rewound, None);
    history.push(BranchBegan { branch: 2, epoch: 2, from: MomentId(0) }.into());
    let found = recover(&history);
    assert_eq!((found.rewound, found.epoch, found.newest), (None, 2, Some(MomentId(3))));
}

#[test]
fn finished_is_forgotten_when_the_job_runs_on() {
    let finished = Record::from(Finished { outcome: Outcome::Failure });
    assert_eq!(recover(std::slice::from_ref(&finished)).finished, Some(Outcome::Failure));
    assert_eq!(recover(&[finished, intent("build/3", 2).into()]).finished, None);
}
