//! The folder of recordings.

use super::*;
use std::os::unix::fs::PermissionsExt;

fn id(text: &str) -> RecordingId {
    RecordingId::new(text).unwrap()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// A recording that began at `created` and takes some `bytes`, no longer locked.
fn make(recordings: &Recordings, name: &str, created: i64, bytes: usize) {
    let recording = recordings.create(id(name)).unwrap();
    JournalWriter::create(&recording.journal(), &Header::new(created, [0; 16])).unwrap().finish().unwrap();
    std::fs::write(recording.logs().join("000001.log"), vec![0; bytes]).unwrap();
}

fn names(recordings: &Recordings) -> Vec<String> {
    recordings.list().unwrap().into_iter().map(|listed| listed.id.to_string()).collect()
}

#[test]
fn everything_is_private() {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("recordings")).unwrap();
    std::fs::set_permissions(root.path().join("recordings"), PermissionsExt::from_mode(0o755)).unwrap();
    let recordings = Recordings::under(root.path()).unwrap();
    let recording = recordings.create(id("one")).unwrap();
    let _writer = JournalWriter::create(&recording.journal(), &header()).unwrap();
    let store = LogStore::open(&recording.logs()).unwrap();
    let head = LogHead { lane: 0, step: "a".into(), epoch: 1, started_unix_ms: 0 };
    store.begin(&head).unwrap();
    assert_eq!(mode(&root.path().join("recordings")), 0o700);
    assert_eq!(mode(&recording.folder), 0o700);
    assert_eq!(mode(&recording.logs()), 0o700);
    assert_eq!(mode(&recording.journal()), 0o600);
    assert_eq!(mode(&recording.logs().join("000001.log")), 0o600);
    assert_eq!(mode(&root.path().join("recordings/latest")), 0o600);
    assert_eq!(mode(&recording.folder.join("lock")), 0o600);
}

#[test]
fn one_writer_at_a_time() {
    let root = tempfile::tempdir().unwrap();
    let recordings = Recordings::under(root.path()).unwrap();
    let first = recordings.create(id("one")).unwrap();
    assert!(matches!(first.access, Access::Write(_)));
    assert!(matches!(recordings.open(id("one")).unwrap().access, Access::InUse));
    assert!(recordings.list().unwrap()[0].in_use);
    drop(first);
    assert!(!recordings.list().unwrap()[0].in_use);
    assert!(matches!(recordings.open(id("one")).unwrap().access, Access::Write(_)));
}

#[test]
fn names_are_taken_once_and_found_or_not() {
    let root = tempfile::tempdir().unwrap();
    let recordings = Recordings::under(root.path()).unwrap();
    assert_eq!(recordings.latest().unwrap(), None);
    drop(recordings.create(id("one")).unwrap());
    assert!(matches!(recordings.create(id("one")), Err(ShelfError::Exists(_))));
    assert!(matches!(recordings.open(id("two")), Err(ShelfError::Missing(_))));
}

#[test]
fn a_folder_elsewhere_is_opened_if_it_is_that_of_a_recording() {
    let root = tempfile::tempdir().unwrap();
    let recordings = Recordings::under(root.path()).unwrap();
    make(&recordings, "one", 1, 0);
    let moved = root.path().join("moved");
    std::fs::rename(recordings.folder_of(&id("one")), &moved).unwrap();
    let opened = Recordings::open_in(&moved).unwrap();
    assert_eq!((opened.id.as_str(), opened.folder.as_path()), ("moved", moved.as_path()));
    assert!(matches!(opened.access, Access::Write(_)));
    for other in [root.path(), &root.path().join("gone")] {
        assert!(matches!(Recordings::open_in(other), Err(ShelfError::NoRecording(path)) if path == other));
        assert!(!other.join("lock").exists(), "nothing was made there");
    }
}

#[test]
fn latest_is_the_last_made_and_survives_its_removal() {
    let root = tempfile::tempdir().unwrap();
    let recordings = Recordings::under(root.path()).unwrap();
    make(&recordings, "b", 1, 0);
    make(&recordings, "a", 2, 0);
    assert_eq!(recordings.latest().unwrap(), Some(id("a")));
    assert!(recordings.remove(&id("a")).unwrap());
    assert_eq!(recordings.latest().unwrap(), Some(id("b")));
}

#[test]
fn a_shorter_name_takes_the_place_of_a_longer_one() {
    let root = tempfile::tempdir().unwrap();
    let recordings = Recordings::under(root.path()).unwrap();
    for name in ["z-much-longer", "short"] {
        recordings.create(id(name)).unwrap();
        assert_eq!(recordings.latest().unwrap(), Some(id(name)));
    }
}

#[test]
fn old_recordings_are_looked_for_once_in_a_while() {
    let root = tempfile::tempdir().unwrap();
    let recordings = Recordings::under(root.path()).unwrap();
    let hour = std::time::Duration::from_secs(3600);
    assert!(recordings.prune_is_due(hour) && !recordings.prune_is_due(hour));
    let mark = std::fs::File::options().write(true).open(root.path().join("recordings/.pruned")).unwrap();
    mark.set_modified(std::time::SystemTime::now() - 2 * hour).unwrap();
    assert!(recordings.prune_is_due(hour));
    assert!(recordings.list().unwrap().is_empty());
}

#[test]
fn the_oldest_go_first_and_those_in_use_and_the_latest_stay() {
    let root = tempfile::tempdir().unwrap();
    let recordings = Recordings::under(root.path()).unwrap();
    for (name, created) in [("c", 1), ("b", 2), ("a", 3), ("d", 4)] {
        make(&recordings, name, created, 10_000);
    }
    assert_eq!(names(&recordings), ["c", "b", "a", "d"]);
    let in_use = recordings.open(id("b")).unwrap();
    let pruned = recordings.prune(25_000).unwrap();
    assert_eq!(pruned.removed, [id("c"), id("a")]);
    assert_eq!(names(&recordings), ["b", "d"]);
    assert_eq!(pruned.bytes, recordings.list().unwrap().iter().map(|one| one.bytes).sum::<u64>());
    assert_eq!(recordings.prune(0).unwrap().removed, []);
    drop(in_use);
    assert_eq!(recordings.prune(0).unwrap().removed, [id("b")]);
    assert_eq!(names(&recordings), ["d"]);
}

#[test]
fn ids_stay_in_their_folder_and_sort_by_time() {
    for bad in ["", ".", "..", "a/b", ".hidden", "latest", "a b", "ä", &"x".repeat(65)] {
        assert_eq!(RecordingId::new(bad), None, "{bad}");
    }
    let at = RecordingId::at(1_769_869_507_000, 0x0c1f);
    assert_eq!(at.as_str(), "20260131-142507-0c1f");
    assert_eq!(RecordingId::new(at.as_str()), Some(at.clone()));
    assert!(RecordingId::at(1_769_869_508_000, 0) > at);
}
