//! Journals that end anywhere, and disks that are full.

use super::*;
use crate::journal::{FileStorage, Header, JournalWriter, Storage, SyncHandle, Version};
use std::io;

#[test]
fn a_recording_that_ends_anywhere_opens_with_what_is_whole() {
    let shelf = Shelf::new();
    let mut story = Story::begin(shelf.create("a"), Some(shelf.key.clone()));
    story.run();
    story.recorder.close();
    let path = shelf.find("a").journal();
    let whole = std::fs::read(&path).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for length in (0..whole.len()).step_by(61) {
        std::fs::write(&path, &whole[..length]).unwrap();
        match shelf.open("a") {
            Ok(found) => {
                assert_same(&found.moments, &story.moments[..found.moments.len()]);
                assert!(!found.complete);
                assert!(story.events.starts_with(&found.events));
                seen.insert(found.moments.len());
            }
            Err(ReopenError::Empty | ReopenError::Journal(_)) => assert!(seen.is_empty(), "cut at {length}"),
            Err(other) => panic!("cut at {length}: {other}"),
        }
    }
    assert!(seen.len() >= story.moments.len(), "{seen:?}");
}

#[test]
fn a_step_without_a_result_is_unknown_until_a_person_goes_on() {
    let shelf = Shelf::new();
    let mut story = Story::begin(shelf.create("a"), Some(shelf.key.clone()));
    story.start();
    drop(story.recorder);
    let found = shelf.open("a").unwrap();
    assert_eq!(found.unknown.len(), 1);
    assert_eq!(
        (found.unknown[0].step.as_str(), found.unknown[0].description.as_str()),
        ("main.0", "Run echo one")
    );
    let (mut recorder, found) =
        Recorder::resume(shelf.find("a"), Some(shelf.key.clone()), &versions(), &secrets()).unwrap();
    recorder.accept_unknown(&found.unknown[0]);
    drop(recorder);
    assert_eq!(shelf.open("a").unwrap().unknown, []);
}

/// A disk on which so many bytes fit.
struct Small {
    file: FileStorage,
    room: u64,
}

impl Storage for Small {
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        if offset + bytes.len() as u64 > self.room {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.write_at(bytes, offset)
    }

    fn set_len(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    fn sync_handle(&self) -> io::Result<Box<dyn SyncHandle>> {
        self.file.sync_handle()
    }
}

#[test]
fn a_full_disk_is_told_once_and_the_job_goes_on() {
    let shelf = Shelf::new();
    let recording = shelf.create("a");
    let header = Header::new(0, [1; 16]);
    let storage = Small { file: FileStorage::create(&recording.journal()).unwrap(), room: 3000 };
    let writer = JournalWriter::begin(Box::new(storage), &header).unwrap();
    let key = Some(shelf.key.clone());
    let mut story =
        Story::begin_by(|beginning| Recorder::begin_in(recording, writer, &header, key, beginning));
    story.run();
    story.recorder.stop_reached();
    let warnings = story.recorder.take_warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].starts_with("failed to write the journal: "), "{warnings:?}");
    assert!(story.recorder.is_truncated());
    assert_eq!(story.job.outcome(), Some(Outcome::Failure));
    assert_eq!(story.recorder.close(), Vec::<String>::new());
    let found = shelf.open("a").unwrap();
    assert!(found.truncated && !found.complete);
    assert!((1..story.moments.len()).contains(&found.moments.len()));
    assert_same(&found.moments, &story.moments[..found.moments.len()]);
    let error = Recorder::resume(shelf.find("a"), None, &versions(), &secrets()).unwrap_err().to_string();
    assert!(error.ends_with("hint: it can be viewed"), "{error}");
}

#[test]
fn a_newer_major_is_refused_with_a_hint() {
    let shelf = Shelf::new();
    let recording = shelf.create("a");
    let header = Header { version: Version { major: 2, minor: 0 }, ..Header::new(0, [1; 16]) };
    JournalWriter::create(&recording.journal(), &header).unwrap().finish().unwrap();
    drop(recording);
    assert_eq!(
        shelf.open("a").unwrap_err().to_string(),
        "failed to open the journal: its format is 2.0, this release reads 1.2\nhint: open it with a newer release"
    );
}

#[test]
fn a_recording_without_a_beginning_is_said_to_be_empty() {
    let shelf = Shelf::new();
    let recording = shelf.create("a");
    JournalWriter::create(&recording.journal(), &Header::new(0, [1; 16])).unwrap().finish().unwrap();
    drop(recording);
    let error = shelf.open("a").unwrap_err().to_string();
    assert_eq!(error, "failed to open the recording: it ends before the job began");
}
