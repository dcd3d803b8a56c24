//! Output of steps: tags, unfinished lines, times, and where each moment stands in it.

use super::*;
use crate::journal::LogId;
use engine::lines::LineTag;
use host::log::LogBatch;
use jiff::Timestamp;

fn batch(step: u32, epoch: u64, at_ms: i64, lines: &[(LineTag, &str)]) -> LogBatch {
    let time = Timestamp::from_millisecond(at_ms).unwrap();
    let mut batch = LogBatch::new(LaneId::FOREGROUND, Epoch(epoch), StepPath::main(step), time);
    for (tag, text) in lines {
        batch.push(*tag, text.as_bytes());
    }
    batch
}

fn shown(found: &Reopened, log: LogId) -> Vec<(i64, String)> {
    let lines = found.logs.lines(log, 0..u64::MAX).unwrap();
    lines.into_iter().map(|line| (line.at_unix_ms, String::from_utf8(line.text).unwrap())).collect()
}

#[test]
fn lines_come_back_with_tags_and_times() {
    let shelf = Shelf::new();
    let mut story = Story::begin(shelf.create("a"), Some(shelf.key.clone()));
    let path = story.start().unwrap();
    let logs = story.recorder.logs().clone();
    // From another thread, as the lanes do.
    let reader = std::thread::spawn(move || {
        logs.add(&batch(
            0,
            0,
            1000,
            &[(LineTag::Group, "Run echo one"), (LineTag::Plain, "a"), (LineTag::Plain, "")],
        ));
        logs.add(&batch(0, 0, 2000, &[(LineTag::Plain, "part one")]));
        logs.add(&batch(0, 0, 3000, &[(LineTag::Continued, ", part two"), (LineTag::Error, "bad")]));
    });
    reader.join().unwrap();
    let running = story.record(Cause::Left);
    story.end(&path, 0);
    let settled = story.here.unwrap();
    story.recorder.logs().add(&batch(1, 0, 4000, &[(LineTag::Plain, "of the next step")]));
    drop(story.recorder);

    let found = shelf.open("a").unwrap();
    let first = found.logs.of_step("main.0").next().unwrap();
    let expected = [
        (1000, "##[group]Run echo one"),
        (1000, "a"),
        (1000, ""),
        (2000, "part one, part two"),
        (3000, "##[error]bad"),
    ];
    assert_eq!(shown(&found, first), expected.map(|(at, text)| (at, text.to_owned())));
    let lines = |moment: MomentId| {
        found.details[moment.0 as usize].logs.iter().map(|log| log.lines).collect::<Vec<_>>()
    };
    assert_eq!(
        (lines(running), lines(settled)),
        (vec![4], vec![5]),
        "the last line may go on while the step runs"
    );
    assert!(found.logs.end(first).unwrap().complete);
    let second = found.logs.of_step("main.1").next().unwrap();
    assert!(!found.logs.end(second).unwrap().complete, "nobody saw its end");
    assert_eq!(shown(&found, second), [(4000, "of the next step".to_owned())]);
}

#[test]
fn a_step_that_runs_again_on_a_branch_has_a_log_of_its_own() {
    let shelf = Shelf::new();
    let mut story = Story::begin(shelf.create("a"), Some(shelf.key.clone()));
    story.recorder.logs().add(&batch(0, 0, 1, &[(LineTag::Plain, "once")]));
    story.recorder.branch_began(BranchId(2), Epoch(1), MomentId(0));
    story.recorder.logs().add(&batch(0, 1, 2, &[(LineTag::Plain, "again")]));
    story.recorder.close();
    let found = shelf.open("a").unwrap();
    let logs: Vec<_> = found.logs.of_step("main.0").map(|log| shown(&found, log)).collect();
    assert_eq!(logs, [[(1, "once".to_owned())], [(2, "again".to_owned())]]);
    assert!(found.logs.logs().all(|(_, _, end)| end.complete));
}

#[test]
fn a_log_that_cannot_be_written_is_told_once() {
    let shelf = Shelf::new();
    let mut story = Story::begin(shelf.create("a"), Some(shelf.key.clone()));
    let logs = story.recorder.recording().logs();
    // Something else has the name of the next pack.
    std::fs::create_dir(logs.join("000001.log")).unwrap();
    story.recorder.logs().add(&batch(0, 0, 1, &[(LineTag::Plain, "x")]));
    std::fs::create_dir(logs.join("000002.log")).unwrap();
    story.recorder.logs().add(&batch(1, 0, 1, &[(LineTag::Plain, "x")]));
    let warnings = story.recorder.take_warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].starts_with("failed to write the log of step main.0: "), "{warnings:?}");
    assert_eq!(story.recorder.take_warnings(), Vec::<String>::new());
}
