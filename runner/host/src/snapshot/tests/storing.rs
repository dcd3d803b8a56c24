//! Taking, looking and keeping: what the store answers, on full disks and after crashes too.

use std::io::Write;
use std::path::Path;

use super::super::fault::{FaultKind, Faults};
use super::super::{
    ChangeKind, ChangeSummary, FileType, Presence, RestoreError, RestoreMode, SnapshotError, Store,
};
use super::Bench;

fn at(path: &str) -> &Path {
    Path::new(path)
}

#[test]
fn an_unchanged_tree_adds_nothing() {
    let mut bench = Bench::new();
    bench.write("src/a.rs", "fn a() {}");
    bench.write("src/b.rs", "fn b() {}");
    let first = bench.store.take(&bench.roots).unwrap();
    assert_eq!((first.changed.created, first.changed.dirs_created), (2, 1));
    let again = bench.store.take(&bench.roots).unwrap();
    assert_eq!(
        (again.id, again.content_id, again.changed),
        (first.id, first.content_id, ChangeSummary::default())
    );
}

#[test]
fn summaries_count_what_a_person_would() {
    let mut bench = Bench::new();
    bench.write("kept", "k");
    bench.write("gone/one", "1");
    bench.write("gone/two", "2");
    bench.write("edited", "before");
    bench.write("touched", "t");
    bench.take();
    std::fs::remove_dir_all(bench.path("gone")).unwrap();
    bench.write("edited", "after!");
    bench.write("new/file", "n");
    std::fs::File::open(bench.path("touched")).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    let changed = bench.store.take(&bench.roots).unwrap().changed;
    assert!(changed.stored_bytes > 0);
    let expected = ChangeSummary {
        created: 1,
        modified: 1,
        deleted: 2,
        metadata: 1,
        dirs_created: 1,
        dirs_deleted: 1,
        stored_bytes: changed.stored_bytes,
    };
    assert_eq!(changed, expected);
}

#[test]
fn differences_name_every_path_once() {
    let mut bench = Bench::new();
    for name in ["same", "dir/edited", "dir/gone", "type"] {
        bench.write(name, name);
    }
    let one = bench.take();
    bench.write("dir/edited", "longer than before");
    std::fs::remove_file(bench.path("dir/gone")).unwrap();
    std::fs::remove_file(bench.path("type")).unwrap();
    bench.write("type/new", "n");
    let two = bench.take();
    let changes = bench.store.diff(one, two).unwrap();
    let brief: Vec<_> = changes.iter().map(|one| (one.path.to_str().unwrap(), one.kind)).collect();
    use ChangeKind::{Created, Deleted, Modified, TypeChanged};
    let expected =
        [("dir/edited", Modified), ("dir/gone", Deleted), ("type", TypeChanged), ("type/new", Created)];
    assert_eq!(brief, expected);
    assert_eq!(changes[0].before, Some((FileType::File, 10)));
    assert_eq!(changes[0].after, Some((FileType::File, 18)));
    assert_eq!(bench.store.diff(two, two).unwrap(), []);
}

#[test]
fn the_past_can_be_read_and_searched() {
    let mut bench = Bench::new();
    bench.write("src/version.rs", "1.4.1");
    let one = bench.take();
    bench.write("other", "x");
    let two = bench.take();
    bench.write("src/version.rs", "1.4.2");
    let three = bench.take();
    std::fs::remove_dir_all(bench.path("src")).unwrap();
    let four = bench.take();
    let store = &bench.store;
    assert_eq!(store.read(one, "workspace", at("src/version.rs")).unwrap(), b"1.4.1");
    assert_eq!(store.read(three, "workspace", at("src/version.rs")).unwrap(), b"1.4.2");
    let gone = store.read(four, "workspace", at("src/version.rs"));
    assert!(matches!(gone, Err(SnapshotError::NotFound { .. })));
    let history = store.history(&[one, two, three, four], "workspace", at("src/version.rs")).unwrap();
    let positions: Vec<_> = history.iter().map(|(position, entry)| (*position, entry.is_some())).collect();
    assert_eq!(positions, [(0, true), (2, true), (3, false)]);
    let names: Vec<_> =
        store.list(two, "workspace", at("")).unwrap().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, [b"other".to_vec(), b"src".to_vec()]);
    assert!(store.entry(one, "temp", at("x")).is_err());
}

#[test]
fn the_content_id_leaves_times_out() {
    let mut bench = Bench::new();
    bench.write("a", "same");
    let one = bench.store.take(&bench.roots).unwrap();
    bench.write("a", "same");
    let two = bench.store.take(&bench.roots).unwrap();
    assert!(one.id != two.id && one.content_id == two.content_id);
    bench.write("a", "else");
    assert_ne!(bench.store.take(&bench.roots).unwrap().content_id, one.content_id);
}

#[test]
fn one_byte_more_in_a_large_file_costs_one_chunk() {
    let mut bench = Bench::new();
    let bytes: Vec<u8> =
        (0..16 << 20_u32).map(|at: u32| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    bench.write("large", &bytes);
    let one = bench.take();
    std::fs::OpenOptions::new().append(true).open(bench.path("large")).unwrap().write_all(b"!").unwrap();
    let taken = bench.store.take(&bench.roots).unwrap();
    assert!(taken.changed.stored_bytes < (1 << 20) + 4096, "{}", taken.changed.stored_bytes);
    assert_eq!(bench.store.read(one, "workspace", at("large")).unwrap(), bytes);
    let report = bench.restore(one);
    assert!(report.exact && report.bytes_written == 0, "only cut off: {report:?}");
}

#[test]
fn a_second_store_on_the_same_place_is_refused_but_may_read() {
    let mut bench = Bench::new();
    bench.write("a", "1");
    let id = bench.take();
    assert!(matches!(Store::open(bench.store.dir()), Err(SnapshotError::Locked(_))));
    let mut reader = Store::open_read_only(bench.store.dir()).unwrap();
    assert_eq!(reader.read(id, "workspace", at("a")).unwrap(), b"1");
    bench.write("a", "2");
    assert!(matches!(reader.take(&bench.roots), Err(SnapshotError::ReadOnly(_))));
}

#[test]
fn a_store_that_was_let_go_is_free_at_once() {
    let place = tempfile::tempdir().unwrap();
    let store = Store::open(place.path()).unwrap();
    // As a process has it that another thread is just starting.
    let inherited = store.lock_as_inherited();
    drop(store);
    Store::open(place.path()).unwrap();
    drop(inherited);
}

#[test]
fn a_temporary_store_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::temporary(dir.path()).unwrap();
    let place = store.dir().to_owned();
    assert!(place.is_dir());
    drop(store);
    assert!(!place.exists());
}

#[test]
fn a_full_disk_at_any_point_leaves_the_store_usable() {
    const ENOSPC: i32 = 28;
    for point in 0.. {
        let mut bench = Bench::new();
        bench.write("a", "first");
        let first = bench.take();
        bench.write("a", "second");
        bench.write("b/c", vec![7; 3 << 20]);
        bench.store.set_faults(Faults::after(point, FaultKind::Error(ENOSPC)));
        let taken = bench.store.take(&bench.roots);
        bench.store.set_faults(Faults::default());
        let done = taken.is_ok();
        if let Err(error) = taken {
            assert!(matches!(error, SnapshotError::NoSpace(_)), "{error}");
        }
        assert_eq!(bench.store.presence(first).unwrap(), Presence::Complete);
        let second = bench.take();
        let dump = bench.dump();
        let dir = bench.store.dir().to_owned();
        drop(std::mem::replace(&mut bench.store, Store::temporary(bench.tree.parent().unwrap()).unwrap()));
        bench.store = Store::open(&dir).unwrap();
        assert_eq!(bench.store.presence(second).unwrap(), Presence::Complete, "after a failure at {point}");
        bench.restore(first);
        assert!(bench.restore(second).exact && dump.differences(&bench.dump()).is_empty());
        if done {
            assert!(point > 1, "something was written");
            return;
        }
    }
}

#[test]
fn lost_contents_are_reported_and_nothing_is_touched() {
    let mut bench = Bench::new();
    bench.write("a", "first");
    let first = bench.take();
    bench.write("a", "second");
    bench.take();
    let dump = bench.dump();
    let dir = bench.store.dir().to_owned();
    drop(std::mem::replace(&mut bench.store, Store::temporary(bench.tree.parent().unwrap()).unwrap()));
    std::fs::remove_file(dir.join("data-000001")).unwrap();
    bench.store = Store::open(&dir).unwrap();
    assert_eq!(bench.store.presence(first).unwrap(), Presence::WithoutFiles { missing: 1 });
    assert_eq!(bench.store.entry(first, "workspace", at("a")).unwrap().unwrap().size, 5);
    let refused = bench.store.restore(first, &bench.roots, RestoreMode::Replace);
    assert!(matches!(refused, Err(RestoreError::WithoutFiles { count: 1, .. })), "{refused:?}");
    assert!(dump.differences(&bench.dump()).is_empty());
    let unknown = super::super::SnapshotId::from_bytes([1; 32]);
    assert_eq!(bench.store.presence(unknown).unwrap(), Presence::Unknown);
}

#[test]
fn thinning_drops_contents_of_the_expendable_only() {
    let mut bench = Bench::new();
    let mut ids = Vec::new();
    for round in 0..4_u8 {
        bench.write("changing", vec![round; 100_000]);
        bench.write("constant", "c");
        ids.push(bench.take());
    }
    let thinned = bench.store.thin(&ids[1..3], 350_000).unwrap();
    assert_eq!(thinned.dropped, ids[1..2]);
    assert!(thinned.after < thinned.before && thinned.after <= 350_000, "{thinned:?}");
    let presence = |bench: &Bench, index: usize| bench.store.presence(ids[index]).unwrap();
    assert_eq!(presence(&bench, 1), Presence::WithoutFiles { missing: 1 });
    for index in [0, 2, 3] {
        assert_eq!(presence(&bench, index), Presence::Complete);
    }
    let more = bench.store.thin(&ids[1..], 0).unwrap();
    assert_eq!(more.dropped, ids[1..]);
    assert_eq!(presence(&bench, 0), Presence::Complete);
    bench.write("other", "o");
    let now = bench.take();
    assert_eq!(bench.store.presence(now).unwrap(), Presence::Complete, "what is there is stored again");
    assert!(bench.restore(ids[0]).exact && bench.restore(now).exact);
}

#[test]
fn what_is_left_out_is_neither_recorded_nor_removed() {
    let mut bench = Bench::new();
    let root = super::super::Root::new("workspace", &bench.tree).without("cache/inner").keep_git();
    bench.roots = super::super::Roots::new([root]).unwrap();
    bench.write("a", "1");
    let empty = bench.take();
    bench.write("cache/inner/big", "b");
    bench.write("cache/other", "o");
    bench.write(".git/HEAD", "ref");
    let full = bench.take();
    assert_eq!(bench.store.entry(full, "workspace", at(".git")).unwrap(), None);
    assert_eq!(bench.store.entry(full, "workspace", at("cache/inner")).unwrap(), None);
    let report = bench.restore(empty);
    assert!(!report.exact && bench.path("cache/inner/big").exists() && bench.path(".git/HEAD").exists());
    assert!(!bench.path("cache/other").exists());
    assert!(bench.restore(full).exact);
}

#[test]
fn a_root_that_vanished_comes_back() {
    let mut bench = Bench::new();
    bench.write("a/b", "1");
    let (id, dump) = (bench.take(), bench.dump());
    std::fs::remove_dir_all(&bench.tree).unwrap();
    let gone = bench.store.take(&bench.roots).unwrap();
    assert_eq!(gone.changed.deleted, 1);
    assert!(bench.restore(id).exact);
    assert!(dump.differences(&bench.dump()).is_empty());
    std::fs::remove_dir_all(&bench.tree).unwrap();
    let outside = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), &bench.tree).unwrap();
    assert!(bench.restore(id).exact);
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn distrusted_files_are_read_again() {
    let mut bench = Bench::new();
    bench.write("dir/mapped", "1");
    bench.take();
    bench.store.distrust("workspace", at("dir/mapped"));
    bench.store.distrust("workspace", at("dir/absent"));
    bench.store.distrust("nowhere", at("dir/mapped"));
    let mut cache = bench.store.drop_cache().unwrap();
    assert!(cache.get_mut(0, b"dir/mapped").unwrap().racy);
    bench.store.set_cache(cache);
    bench.take();
    let mut cache = bench.store.drop_cache().unwrap();
    assert!(!cache.get_mut(0, b"dir/mapped").unwrap().racy);
}

#[test]
fn coarse_times_make_recent_files_suspect() {
    let mut bench = Bench::new();
    bench.store.set_time_grain(std::time::Duration::from_secs(3600));
    bench.write("a", "1");
    let one = bench.take();
    let mut cache = bench.store.drop_cache().unwrap();
    assert!(cache.get_mut(0, b"a").unwrap().racy);
    bench.store.set_cache(cache);
    assert_eq!(bench.take(), one);
}

#[test]
fn syncing_can_go_on_elsewhere() {
    let mut bench = Bench::new();
    bench.write("a", "1");
    bench.take();
    let syncer = bench.store.syncer();
    std::thread::spawn(move || syncer.sync().unwrap()).join().unwrap();
    bench.store.sync().unwrap();
}

#[test]
fn a_large_tree_is_walked_by_several_threads_to_the_same_end() {
    let mut bench = Bench::new();
    for index in 0..6000 {
        bench.write(&format!("d{}/e{}/f{index}", index % 7, index % 97), index.to_string());
    }
    let (one, dump) = (bench.take(), bench.dump());
    for index in (0..6000).step_by(3) {
        bench.write(&format!("d{}/e{}/f{index}", index % 7, index % 97), "changed");
    }
    let changed = bench.store.take(&bench.roots).unwrap().changed;
    assert_eq!((changed.modified, changed.created, changed.deleted), (2000, 0, 0));
    assert!(bench.restore(one).exact && dump.differences(&bench.dump()).is_empty());
    assert_eq!(bench.take(), one);
}
