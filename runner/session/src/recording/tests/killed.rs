//! A recorder that is killed by SIGKILL while it records: everything that it had been given is there.

use super::*;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// Set for the child: the root of its recordings.
const CHILD: &str = "STEPBACK_TEST_RECORDING_CHILD";
const TEST: &str = "recording::tests::killed::kill_9_loses_no_record";

/// Goes round and round in the same step, and says after each record what is in the file.
fn child(root: &Path) -> ! {
    let recordings = Recordings::under(root).unwrap();
    let key = SealKey::under(root).unwrap();
    let mut story = Story::begin(recordings.create(RecordingId::new("a").unwrap()).unwrap(), Some(key));
    story.learn(LEARNT);
    for round in 0_u64.. {
        let path = story.start().unwrap();
        println!("\nintent {round}");
        story.end(&path, 0);
        let from = story.moments[0].clone();
        println!("\nmoments {}", story.moments.len());
        story.job = from.job.as_ref().clone();
        story.here = Some(from.id);
        story.epoch = Epoch(round + 1);
        story.branch = BranchId(2 + round as u32);
        story.recorder.branch_began(story.branch, story.epoch, from.id);
        story.record(Cause::Edited(format!("round {round}")));
    }
    unreachable!("rounds do not end");
}

#[test]
fn kill_9_loses_no_record() {
    if let Some(root) = std::env::var_os(CHILD) {
        child(Path::new(&root));
    }
    for (word, number) in [("intent", 0), ("moments", 4), ("intent", 1), ("intent", 7), ("moments", 90)] {
        let shelf = Shelf::new();
        let (intents, moments) = run_and_kill(shelf.root.path(), word, number);
        check(&shelf, intents, moments);
    }
}

/// Kills a child as soon as it has said `word` with a number from `number` on. Gives the last round that had begun and
/// the last count of moments that it said were written.
fn run_and_kill(root: &Path, word: &str, number: u64) -> (u64, u64) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([TEST, "--exact", "--nocapture"])
        .env(CHILD, root)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut intents, mut moments) = (0, 0);
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let Ok(line) = line else { break };
        let said = |word: &str| line.strip_prefix(word)?.trim().parse::<u64>().ok();
        intents = said("intent ").unwrap_or(intents);
        moments = said("moments ").unwrap_or(moments);
        if said(&format!("{word} ")).is_some_and(|said| said >= number) {
            // What is still in the pipe afterwards was said before the end and counts too.
            child.kill().unwrap();
        }
    }
    assert!(!child.wait().unwrap().success());
    (intents, moments)
}

fn check(shelf: &Shelf, intents: u64, moments: u64) {
    let found = shelf.open("a").unwrap();
    assert!(found.moments.len() as u64 >= moments, "{} of {moments} moments", found.moments.len());
    assert!(!found.complete && !found.truncated);
    assert!(found.epoch.0 >= intents);
    // The step of the last round is unknown exactly if its result is not in the file.
    let journal = crate::journal::read(&shelf.find("a").journal()).unwrap();
    let kinds = journal.records.iter().map(|entry| &entry.record);
    let open = kinds.fold(None, |open, record| match record {
        crate::journal::Record::StepIntent(intent) => Some(intent.clone()),
        crate::journal::Record::StepResult(_) => None,
        _ => open,
    });
    assert_eq!(found.unknown, Vec::from_iter(open));
    let settled = found.moments.iter().rfind(|moment| matches!(moment.point, Point::After(..)));
    if let Some(moment) = settled {
        assert_eq!(text_of(moment.job.env().get("FROM_0")), format!("={TOKEN}{LEARNT}="));
    }
}
