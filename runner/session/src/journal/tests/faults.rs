//! A disk that fails at the Nth operation, for every N: the failure is reported once, the job's calls go on,
//! and what is in the file is a whole part of what was appended.

use super::*;

/// Appends everything to a disk that fails at `fail_at`; false when nothing failed.
fn run(fail_at: u64) -> bool {
    let disk = FailingDisk::new(fail_at);
    let all = one_of_each();
    let mut reported = 0;
    let mut kept = 0;
    let Ok(mut writer) = JournalWriter::begin(Box::new(disk.clone()), &header()) else {
        assert!(reader::parse(&disk.content.lock().unwrap()).is_err(), "no whole header");
        return true;
    };
    for record in &all {
        match writer.append(record) {
            Ok(Written::At(position)) => {
                assert_eq!(position.index, kept);
                assert_eq!(reported, 0, "nothing is written behind a gap");
                kept += 1;
            }
            Ok(Written::Lost) => assert_eq!(reported, 1, "lost only after a report"),
            Err(WriteError::Storage(_)) => reported += 1,
            Err(other) => panic!("{other}"),
        }
    }
    reported += u64::from(writer.sync_now().is_err());
    assert_eq!(reported, u64::from(writer.is_truncated()), "one report for one failure");
    assert_eq!(writer.lost(), all.len() as u64 - kept);
    let failed = writer.is_truncated();
    drop(writer);

    let opened = reader::parse(&disk.content.lock().unwrap()).unwrap();
    assert_eq!(records(&opened), all[..kept as usize], "failing at {fail_at}");
    assert!(!opened.complete);
    failed
}

#[test]
fn every_operation_can_be_the_one_that_fails() {
    let failures = (1..).take_while(|fail_at| run(*fail_at)).count();
    assert!(failures > one_of_each().len(), "each append has an operation that failed: {failures}");
}

#[test]
fn a_full_disk_marks_the_recording_and_nothing_is_written_behind_the_gap() {
    /// Full for appends; an overwrite in place still succeeds, as on a real disk.
    struct Full(FailingDisk, usize);
    impl Storage for Full {
        fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<usize> {
            if offset as usize + bytes.len() > self.1 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.0.write_at(bytes, offset)
        }
        fn set_len(&mut self, length: u64) -> io::Result<()> {
            self.0.set_len(length)
        }
        fn sync_handle(&self) -> io::Result<Box<dyn SyncHandle>> {
            self.0.sync_handle()
        }
    }
    let disk = FailingDisk::new(u64::MAX);
    let mut writer = JournalWriter::begin(Box::new(Full(disk.clone(), 400)), &header()).unwrap();
    let results: Vec<_> = one_of_each().iter().map(|record| writer.append(record)).collect();
    assert_eq!(results.iter().filter(|result| result.is_err()).count(), 1);
    assert!(matches!(results.last(), Some(Ok(Written::Lost))));
    writer.finish().unwrap();

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    std::fs::write(&path, disk.content.lock().unwrap().as_slice()).unwrap();
    let opened = read(&path).unwrap();
    assert!(opened.truncated && !opened.complete);
    assert!(!opened.records.is_empty());
    assert!(matches!(JournalWriter::reopen(&path), Err(OpenError::Truncated)));
}

#[test]
fn a_failed_background_sync_is_reported_once() {
    struct Broken(FailingDisk);
    impl Storage for Broken {
        fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<usize> {
            self.0.write_at(bytes, offset)
        }
        fn set_len(&mut self, length: u64) -> io::Result<()> {
            self.0.set_len(length)
        }
        fn sync_handle(&self) -> io::Result<Box<dyn SyncHandle>> {
            Ok(Box::new(FailingDisk::new(0)))
        }
    }
    let mut writer = JournalWriter::begin(Box::new(Broken(FailingDisk::new(u64::MAX))), &header()).unwrap();
    assert!(writer.sync_now().is_err());
    assert!(writer.is_truncated());
    assert!(matches!(writer.append(&Note { text: "late".into() }.into()), Ok(Written::Lost)));
    assert!(writer.sync_now().is_ok(), "reported already");
}
