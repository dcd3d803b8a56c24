//! A writer that is killed by SIGKILL while it writes: everything it had been told is written is there.

use super::*;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// Set for the child: the recording's folder.
const CHILD: &str = "STEPBACK_TEST_JOURNAL_CHILD";

/// Appends without end, and says after each append which record is in the file.
fn child(folder: &Path) -> ! {
    let mut writer = JournalWriter::create(&folder.join("journal"), &header()).unwrap();
    let logs = LogStore::open(folder).unwrap();
    let head = LogHead { lane: 0, step: "build/1".into(), epoch: 1, started_unix_ms: 0 };
    let log = logs.begin(&head).unwrap();
    let mut states = StateEncoder::new();
    for id in 0_u64.. {
        logs.append(log, id as i64, format!("line {id}\n").as_bytes()).unwrap();
        if id % 16 == 0 {
            logs.flush().unwrap();
            println!("logged {id}");
        }
        let moment = moment(&mut states, id, id.checked_sub(1), &state(id));
        writer.append(&moment.into()).unwrap();
        println!("wrote {id}");
    }
    unreachable!("ids do not end");
}

fn state(id: u64) -> Vec<u8> {
    (0..200 + id % 50).flat_map(|n| (n * 31 + id / 7).to_le_bytes()).collect()
}

#[test]
fn kill_9_loses_nothing_that_was_appended() {
    if let Some(folder) = std::env::var_os(CHILD) {
        child(Path::new(&folder));
    }
    for after in [1, 2, 7, 40, 300, 1500] {
        let folder = tempfile::tempdir().unwrap();
        let (written, logged) = run_and_kill(folder.path(), after);
        check_journal(&folder.path().join("journal"), written);
        check_log(folder.path(), logged);
    }
}

/// Lets a child run until it has written `after` records, kills it, and gives the last record and the last log
/// line that it said were written.
fn run_and_kill(folder: &Path, after: u64) -> (u64, u64) {
    let test = "journal::tests::killed::kill_9_loses_nothing_that_was_appended";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(CHILD, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut written, mut logged) = (None, None);
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let Ok(line) = line else { break };
        let number = |prefix: &str| line.strip_prefix(prefix).and_then(|rest| rest.parse::<u64>().ok());
        written = number("wrote ").or(written);
        logged = number("logged ").or(logged);
        if written == Some(after) {
            // What is still in the pipe afterwards was said before the end and counts too.
            child.kill().unwrap();
        }
    }
    assert!(!child.wait().unwrap().success());
    (written.unwrap(), logged.unwrap())
}

fn check_journal(path: &Path, written: u64) {
    let (_writer, opened) = JournalWriter::reopen(path).unwrap();
    assert!(opened.records.len() as u64 > written, "{} records, {written} told", opened.records.len());
    let mut states = StateArchive::of(&opened.records);
    for (index, entry) in opened.records.iter().enumerate() {
        let Record::Moment(moment) = &entry.record else { panic!("{entry:?}") };
        assert_eq!(moment.id, MomentId(index as u64));
        assert_eq!(states.get(moment.id).unwrap().as_ref(), state(moment.id.0));
    }
    assert!(read(path).unwrap().dropped_tail.is_none(), "cut when opened for writing");
}

fn check_log(folder: &Path, logged: u64) {
    let logs = LogArchive::open(folder).unwrap();
    let log = logs.of_step("build/1").next().unwrap();
    let end = logs.end(log).unwrap();
    assert!(!end.complete);
    assert!(end.lines > logged, "{} lines, line {logged} flushed", end.lines);
    for line in logs.lines(log, 0..u64::MAX).unwrap() {
        assert_eq!(line.text, format!("line {}", line.number).as_bytes());
    }
}
