//! Logs: lines come back by number, and a log says where it ends.

use super::*;
use proptest::prelude::*;

fn head(step: &str) -> LogHead {
    LogHead { lane: 0, step: step.into(), epoch: 1, started_unix_ms: 5 }
}

fn texts(lines: &[LogLine]) -> Vec<String> {
    lines.iter().map(|line| String::from_utf8_lossy(&line.text).into_owned()).collect()
}

#[test]
fn lines_come_back_by_step_and_range() {
    let folder = tempfile::tempdir().unwrap();
    let store = LogStore::open(folder.path()).unwrap();
    let (one, two) = (store.begin(&head("a")).unwrap(), store.begin(&head("b")).unwrap());
    for line in 0..1000 {
        store.append(one, line, format!("a {line}\n").as_bytes()).unwrap();
        store.append(two, line, format!("b {line}\r\n").as_bytes()).unwrap();
    }
    store.append(two, 1000, b"no end").unwrap();
    assert_eq!(store.position(two).unwrap().lines, 1000);
    store.finish(one).unwrap();
    store.flush().unwrap();

    let archive = LogArchive::open(folder.path()).unwrap();
    assert_eq!(archive.of_step("a").collect::<Vec<_>>(), [one]);
    assert_eq!(archive.end(one).unwrap(), LogEnd { lines: 1000, bytes: 5890, complete: true, torn_bytes: 0 });
    assert!(!archive.end(two).unwrap().complete);
    let lines = archive.lines(one, 10..12).unwrap();
    assert_eq!(texts(&lines), ["a 10", "a 11"]);
    assert_eq!((lines[1].number, lines[1].at_unix_ms), (11, 11));
    assert_eq!(texts(&archive.lines(two, 999..5000).unwrap()), ["b 999\r", "no end"]);
    assert_eq!(archive.lines(one, 1000..2000).unwrap(), []);
    assert!(matches!(archive.lines(LogId(77), 0..1), Err(LogError::Missing(77))));
}

#[test]
fn numbers_go_on_after_reopening_and_old_logs_stay() {
    let folder = tempfile::tempdir().unwrap();
    let log = |text: &[u8]| {
        let store = LogStore::open(folder.path()).unwrap();
        let id = store.begin(&head("a")).unwrap();
        store.append(id, 0, text).unwrap();
        id
    };
    let (first, second) = (log(b"one\n"), log(b"two\n"));
    let archive = LogArchive::open(folder.path()).unwrap();
    assert_eq!(archive.of_step("a").collect::<Vec<_>>(), [first, second]);
    assert_eq!(texts(&archive.lines(second, 0..9).unwrap()), ["two"]);
}

#[test]
fn what_was_given_is_written_soon_without_being_asked() {
    let (sender, written) = std::sync::mpsc::channel();
    struct Telling(FailingDisk, std::sync::mpsc::Sender<usize>);
    impl Storage for Telling {
        fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<usize> {
            self.1.send(bytes.len()).map_err(io::Error::other)?;
            self.0.put(bytes, offset);
            Ok(bytes.len())
        }
        fn set_len(&mut self, length: u64) -> io::Result<()> {
            self.0.set_len(length)
        }
        fn sync_handle(&self) -> io::Result<Box<dyn SyncHandle>> {
            self.0.sync_handle()
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let open = move |_: &Path| {
        let disk = Telling(FailingDisk::new(u64::MAX), sender.clone());
        Ok(Box::new(disk) as Box<dyn Storage>)
    };
    let store = LogStore::open_with(folder.path(), Box::new(open)).unwrap();
    let log = store.begin(&head("a")).unwrap();
    assert_eq!(written.try_iter().count(), 2, "the head of the pack");
    store.append(log, 0, b"soon\n").unwrap();
    // One time mark of 12 bytes and the text.
    assert_eq!(written.recv().unwrap(), 17);
}

#[test]
fn cut_at_every_byte() {
    let folder = tempfile::tempdir().unwrap();
    let store = LogStore::open(folder.path()).unwrap();
    let log = store.begin(&head("a")).unwrap();
    for line in ["one\n", "two\n", "half ", "three\n"] {
        store.append(log, 1, line.as_bytes()).unwrap();
        store.flush().unwrap();
    }
    store.finish(log).unwrap();
    let path = folder.path().join("000001.log");
    let bytes = std::fs::read(&path).unwrap();
    let mut seen = Vec::new();
    for cut in 0..=bytes.len() {
        std::fs::write(&path, &bytes[..cut]).unwrap();
        let archive = LogArchive::open(folder.path()).unwrap();
        let Some(end) = archive.end(log) else { continue };
        assert_eq!(end.complete, cut == bytes.len());
        let lines = texts(&archive.lines(log, 0..100).unwrap());
        if seen.last() != Some(&lines) {
            seen.push(lines);
        }
    }
    let expected: [&[&str]; 5] =
        [&[], &["one"], &["one", "two"], &["one", "two", "half "], &["one", "two", "half three"]];
    assert_eq!(seen, expected);
}

#[test]
fn an_altered_block_is_named_and_lines_before_it_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let store = LogStore::open(folder.path()).unwrap();
    let log = store.begin(&head("a")).unwrap();
    for line in ["one\n", "two\n", "three\n"] {
        store.append(log, 1, line.as_bytes()).unwrap();
        store.flush().unwrap();
    }
    store.finish(log).unwrap();
    let path = folder.path().join("000001.log");
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(3).position(|window| window == b"two").unwrap();
    bytes[at] = b'T';
    std::fs::write(&path, bytes).unwrap();
    let archive = LogArchive::open(folder.path()).unwrap();
    assert_eq!(texts(&archive.lines(log, 0..1).unwrap()), ["one"]);
    assert!(matches!(archive.lines(log, 0..3), Err(LogError::Damaged { line: 1, .. })));
}

#[test]
fn every_operation_of_the_disk_can_fail() {
    for fail_at in 1.. {
        let folder = tempfile::tempdir().unwrap();
        let disk = FailingDisk::new(fail_at);
        let theirs = disk.clone();
        let open = move |_: &Path| Ok(Box::new(theirs.clone()) as Box<dyn Storage>);
        let store = LogStore::open_with(folder.path(), Box::new(open)).unwrap();
        let mut reports = 0;
        let log = store.begin(&head("a")).unwrap_or_else(|(log, _)| {
            reports += 1;
            log
        });
        let mut given = 0;
        for number in 0..4 {
            let line = format!("line {number}\n");
            given += line.len() as u64;
            reports += u64::from(store.append(log, number, line.as_bytes()).is_err());
            reports += u64::from(store.flush().is_err());
        }
        reports += u64::from(store.finish(log).is_err());
        let lost = store.lost();
        let failed = disk.operations.load(Ordering::SeqCst) >= fail_at;
        assert_eq!(reports, u64::from(failed), "failing at {fail_at}");

        std::fs::write(folder.path().join("000001.log"), disk.content.lock().unwrap().as_slice()).unwrap();
        let archive = LogArchive::open(folder.path()).unwrap();
        let kept = archive.end(log).map_or(0, |end| end.bytes);
        assert_eq!(kept + lost, given, "failing at {fail_at}");
        assert_eq!(archive.end(log).is_some_and(|end| end.complete), !failed);
        if !failed {
            assert!(fail_at > 10);
            break;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_batches_come_back_as_lines(
        batches in prop::collection::vec(prop::collection::vec(any::<u8>().prop_map(|b| b % 12), 0..40), 1..30),
        flushes in prop::collection::vec(any::<bool>(), 30),
        from in 0_u64..20,
        count in 0_u64..20,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let store = LogStore::open(folder.path()).unwrap();
        let log = store.begin(&head("a")).unwrap();
        for (batch, flush) in batches.iter().zip(flushes) {
            store.append(log, 1, batch).unwrap();
            if flush {
                store.flush().unwrap();
            }
        }
        store.finish(log).unwrap();
        let text = batches.concat();
        let whole = text.strip_suffix(b"\n").unwrap_or(&text);
        let mut expected: Vec<&[u8]> = whole.split(|byte| *byte == b'\n').collect();
        if text.is_empty() {
            expected.clear();
        }
        let archive = LogArchive::open(folder.path()).unwrap();
        let all: Vec<Vec<u8>> = archive.lines(log, 0..u64::MAX).unwrap().into_iter().map(|line| line.text).collect();
        prop_assert_eq!(&all, &expected);
        let some: Vec<Vec<u8>> = archive.lines(log, from..from + count).unwrap().into_iter().map(|line| line.text).collect();
        let wanted: Vec<_> = expected.iter().skip(from as usize).take(count as usize).collect();
        prop_assert_eq!(some.iter().collect::<Vec<_>>().len(), wanted.len());
        prop_assert!(some.iter().zip(wanted).all(|(a, b)| a == b));
    }
}
