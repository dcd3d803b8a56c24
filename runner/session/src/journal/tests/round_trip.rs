//! What is written is what is read.

use super::*;

#[test]
fn every_kind_comes_back() {
    let written = one_of_each();
    let opened = reader::parse(&journal_bytes(&written)).unwrap();
    let (footer, before) = opened.records.split_last().unwrap();
    let before: Vec<_> = before.iter().map(|entry| entry.record.clone()).collect();
    assert_eq!(before, written);
    assert_eq!(footer.record, Footer { records: written.len() as u64, moments: 2 }.into());
    assert!(opened.complete && !opened.truncated);
    assert_eq!(opened.header, header());
    assert_eq!(opened.dropped_tail, None);
}

#[test]
fn positions_are_those_of_the_append() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let mut writer = JournalWriter::create(&path, &header()).unwrap();
    let given: Vec<_> = one_of_each().iter().map(|record| writer.append(record).unwrap()).collect();
    let read: Vec<_> = read(&path).unwrap().records.iter().map(|entry| Written::At(entry.position)).collect();
    assert_eq!(given, read);
}

#[test]
fn what_is_appended_is_in_the_file_before_any_sync_or_finish() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let mut writer = JournalWriter::create(&path, &header()).unwrap();
    for (count, record) in one_of_each().iter().enumerate() {
        writer.append(record).unwrap();
        let opened = read(&path).unwrap();
        assert_eq!(opened.records.len(), count + 1);
        assert!(!opened.complete, "no footer yet");
    }
}

#[test]
fn a_batch_is_all_or_nothing_in_one_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let mut writer = JournalWriter::create(&path, &header()).unwrap();
    let unwritable = Record::Unknown(Unknown { kind: 200, payload: Bytes::default() });
    let batch = [one_of_each(), vec![unwritable]].concat();
    assert!(matches!(writer.append_all(&batch), Err(WriteError::Encode { kind: 200, .. })));
    assert_eq!(read(&path).unwrap().records.len(), 0);
    writer.append_all(&one_of_each()).unwrap();
    assert_eq!(records(&read(&path).unwrap()), one_of_each());
}

#[test]
fn a_record_above_the_limit_is_left_out_and_the_journal_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let mut writer = JournalWriter::create(&path, &header()).unwrap();
    let huge = Event { epoch: 1, bytes: Bytes(vec![0; FRAME_BYTES_MAX]) }.into();
    assert!(matches!(writer.append(&huge), Err(WriteError::TooLarge { .. })));
    writer.append(&Note { text: "after".into() }.into()).unwrap();
    writer.finish().unwrap();
    assert!(read(&path).unwrap().complete);
}

#[test]
fn a_finished_journal_can_be_run_on_and_finished_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    write(&path, &one_of_each()).finish().unwrap();
    let (mut writer, before) = JournalWriter::reopen(&path).unwrap();
    assert!(before.complete);
    writer.append(&Note { text: "again".into() }.into()).unwrap();
    assert!(!read(&path).unwrap().complete, "something follows the footer");
    writer.finish().unwrap();
    let opened = read(&path).unwrap();
    assert!(opened.complete);
    // The first footer and the note come on top.
    let records = one_of_each().len() as u64 + 2;
    assert_eq!(opened.records.last().unwrap().record, Footer { records, moments: 2 }.into());
}

#[test]
fn sync_now_makes_everything_durable() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = write(&folder.path().join("journal"), &one_of_each());
    writer.sync_now().unwrap();
    assert_eq!(writer.durable(), writer.length());
}

#[test]
fn a_sync_starts_by_itself_and_when_asked() {
    struct Telling(FailingDisk, std::sync::mpsc::Sender<()>);
    impl Storage for Telling {
        fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<usize> {
            self.0.write_at(bytes, offset)
        }
        fn set_len(&mut self, length: u64) -> io::Result<()> {
            self.0.set_len(length)
        }
        fn sync_handle(&self) -> io::Result<Box<dyn SyncHandle>> {
            Ok(Box::new(Handle(Mutex::new(self.1.clone()))))
        }
    }
    struct Handle(Mutex<std::sync::mpsc::Sender<()>>);
    impl SyncHandle for Handle {
        fn sync_data(&self) -> io::Result<()> {
            self.0.lock().unwrap().send(()).map_err(io::Error::other)
        }
    }
    let (sender, synced) = std::sync::mpsc::channel();
    let storage = Box::new(Telling(FailingDisk::new(u64::MAX), sender));
    let mut writer = JournalWriter::begin(storage, &header()).unwrap();
    synced.recv().unwrap();
    writer.append(&Note { text: "one".into() }.into()).unwrap();
    synced.recv().unwrap();
    writer.append(&Note { text: "two".into() }.into()).unwrap();
    writer.start_sync();
    synced.recv().unwrap();
}

#[test]
fn a_newer_minor_is_read_and_not_written_and_a_newer_major_is_refused() {
    let mut newer = header();
    newer.version.minor += 1;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let mut writer = JournalWriter::create(&path, &newer).unwrap();
    writer.append(&Note { text: "known".into() }.into()).unwrap();
    drop(writer);
    // A record of a kind this build does not know, as that newer build would write it.
    let mut file = std::fs::read(&path).unwrap();
    let chain = reader::parse(&file).unwrap().chain;
    frame::wrap(&mut file, &chain, 99, |_| Ok::<_, ()>(vec![1, 2])).unwrap();
    std::fs::write(&path, &file).unwrap();

    let opened = read(&path).unwrap();
    let unknown = Record::Unknown(Unknown { kind: 99, payload: Bytes(vec![1, 2]) });
    assert_eq!(records(&opened), [Note { text: "known".into() }.into(), unknown]);
    assert!(matches!(JournalWriter::reopen(&path), Err(OpenError::NewerForWriting { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), file, "a refused file is not touched");

    newer.version.major += 1;
    std::fs::write(&path, newer.to_bytes()).unwrap();
    assert!(matches!(read(&path), Err(OpenError::Newer { .. })));
}

#[test]
fn fields_that_a_newer_minor_appends_are_not_looked_at() {
    let mut payload = Record::from(Note { text: "known".into() }).encode(Vec::new()).unwrap();
    payload.extend_from_slice(b"and more");
    assert_eq!(Record::decode(11, &payload).unwrap(), Note { text: "known".into() }.into());
}

#[test]
fn the_written_forms_of_all_versions_stay() {
    // A change of these hashes is a change of the file format: raise the version, and keep reading the old form.
    let kinds_of = [
        (0, 13, "12fcbd9e3aaa7e8b63546f72318419b46dd6fe820bb06410028cc4123a3ad064"),
        (1, 16, "0573a4783a6da47993500e77b61da48ae231f8e1352ca42753f5afd6cb97f72c"),
        (2, 16, "c9f423fa8df998e31d902b5112741d9c33b139c643bff684528056698482df13"),
    ];
    for (minor, kinds, hash) in kinds_of {
        let header = Header { version: Version { major: 1, minor }, ..header() };
        let mut records: Vec<_> = one_of_each().into_iter().filter(|record| record.kind() <= kinds).collect();
        if minor >= 2 {
            let of_lane = |record: &Record| match record {
                Record::Moment(moment) => Some(Moment { cause: Cause::Lane, ..moment.clone() }.into()),
                _ => None,
            };
            let at = records.iter().position(|record| matches!(record, Record::Moment(_))).unwrap();
            records[at] = of_lane(&records[at]).unwrap();
        }
        let bytes = journal_bytes_of(&header, &records);
        assert_eq!(blake3::hash(&bytes).to_hex().as_str(), hash, "1.{minor}");
        let opened = reader::parse(&bytes).unwrap();
        assert!(opened.complete && opened.check_writable().is_ok());
    }
}
