//! Going back, branches, and what was under way when the writer ended.

use super::*;
use crate::journal::RestoreResult;

/// Runs the first two steps and goes back to the moment before the second, with its body running.
fn rewound(shelf: &Shelf) -> (Story, MomentId, MomentId) {
    let mut story = Story::begin(shelf.create("a"), Some(shelf.key.clone()));
    let first = story.start().unwrap();
    story.end(&first, 0);
    let second = story.start().unwrap();
    let target = story.moments.iter().find(|moment| moment.point.is_before(&second)).unwrap().id;
    let present = story.record(Cause::Left);
    story.recorder.restore_begin(present, target);
    (story, present, target)
}

fn arrive(story: &mut Story, target: MomentId) {
    story.recorder.restore_end(target, RestoreResult::Done);
    story.job = story.moments[target.0 as usize].job.as_ref().clone();
    story.here = Some(target);
}

#[test]
fn a_crash_in_the_middle_of_a_restore_is_told() {
    let shelf = Shelf::new();
    let (story, present, target) = rewound(&shelf);
    drop(story.recorder);
    let found = shelf.open("a").unwrap();
    assert_eq!(found.unfinished_restore, Some(Restore { from: present, to: target }));
    assert_eq!((found.rewound, found.newest), (None, Some(present)));
    assert_eq!(found.moments.last().unwrap().cause, Cause::Left);
    let unknown: Vec<_> = found.unknown.iter().map(|intent| (intent.lane, intent.step.as_str())).collect();
    assert_eq!(unknown, [(0, "main.1")], "the second step ran and nobody saw its end");
}

#[test]
fn a_crash_while_in_the_past_says_where_home_is() {
    let shelf = Shelf::new();
    let (mut story, present, target) = rewound(&shelf);
    arrive(&mut story, target);
    story.branch = BranchId(2);
    let edit = story.record(Cause::Edited("set env.A=1".into()));
    drop(story.recorder);
    let found = shelf.open("a").unwrap();
    assert_eq!(found.rewound, Some(Restore { from: present, to: target }));
    assert_eq!(found.unfinished_restore, None);
    assert_eq!(
        (found.newest, found.branch),
        (Some(present), BranchId(1)),
        "the edit's branch never became real"
    );
    assert_eq!(found.moments[edit.0 as usize].cause, Cause::Edited("set env.A=1".into()));
}

#[test]
fn a_branch_ends_what_ran_before_it() {
    let shelf = Shelf::new();
    let (mut story, _, target) = rewound(&shelf);
    arrive(&mut story, target);
    (story.branch, story.epoch) = (BranchId(2), Epoch(1));
    story.recorder.branch_began(BranchId(2), Epoch(1), target);
    while let Some(path) = story.start() {
        story.end(&path, 0);
    }
    story.recorder.close();
    let found = shelf.open("a").unwrap();
    assert_same(&found.moments, &story.moments);
    assert_eq!(found.unknown, [], "superseded, not unknown");
    assert_eq!(found.branches, [Branch { branch: BranchId(2), epoch: Epoch(1), from: target }]);
    assert_eq!((found.newest, found.branch, found.epoch), (story.here, BranchId(2), Epoch(1)));
    assert_eq!((found.rewound, found.finished), (None, Some(crate::journal::Outcome::Success)));
    let epochs: Vec<_> = found.details.iter().map(|details| details.epoch.0).collect();
    assert!(epochs.is_sorted() && epochs.last() == Some(&1));
    let results = crate::journal::read(&shelf.find("a").journal()).unwrap();
    let superseded = results.records.iter().filter(|entry| {
        matches!(&entry.record, crate::journal::Record::StepResult(result)
            if result.outcome == crate::journal::Outcome::Superseded && result.step == "main.1" && result.epoch == 0)
    });
    assert_eq!(superseded.count(), 1);
}

#[test]
fn a_branch_without_moments_of_its_own_stands_where_it_grows_from() {
    let shelf = Shelf::new();
    let (mut story, _, target) = rewound(&shelf);
    arrive(&mut story, target);
    story.recorder.branch_began(BranchId(2), Epoch(1), target);
    drop(story.recorder);
    assert_eq!(shelf.open("a").unwrap().newest, Some(target));
}
