//! A thawed process must find everything to be the very same: open files, directories, locks, sockets.

use std::io::Write;
use std::os::unix::fs::MetadataExt;

use super::super::RestoreMode;
use super::Bench;

#[test]
fn an_open_file_is_the_same_after_return() {
    let mut bench = Bench::new();
    bench.write("log", "start\n");
    let old = bench.take();
    let mut log = std::fs::OpenOptions::new().append(true).open(bench.path("log")).unwrap();
    log.write_all(b"running\n").unwrap();
    bench.write("build/out.o", "object");
    let working_dir = std::fs::File::open(bench.path("build")).unwrap();
    let newest = bench.take();
    let dump = bench.dump();
    let inode = log.metadata().unwrap().ino();

    let mut lot = bench.lot();
    let report = bench.store.restore(old, &bench.roots, RestoreMode::Park(&mut lot)).unwrap();
    assert!(report.exact && report.parked == 2 && report.removed == 0, "{report:?}");
    assert_eq!(std::fs::read(bench.path("log")).unwrap(), b"start\n");
    assert_ne!(bench.path("log").metadata().unwrap().ino(), inode, "never written in place");
    assert_eq!(log.metadata().unwrap().len(), 14);

    // What a frozen process cannot do but one that was overlooked might: it still reaches its own file only.
    log.write_all(b"late\n").unwrap();
    assert_eq!(std::fs::read(bench.path("log")).unwrap(), b"start\n");
    log.set_len(14).unwrap();
    log.set_modified(super::mtime(&bench.path("log"))).unwrap();

    let report = bench.store.unpark(&mut lot, newest, &bench.roots).unwrap();
    assert_eq!(bench.path("log").metadata().unwrap().ino(), inode);
    assert_eq!(bench.path("build").metadata().unwrap().ino(), working_dir.metadata().unwrap().ino());
    assert!(lot.is_empty() && report.parked == 2);
    log.write_all(b"thawed\n").unwrap();
    assert_eq!(std::fs::read(bench.path("log")).unwrap(), b"start\nrunning\nthawed\n");
    let untouched: Vec<_> =
        dump.differences_with_inodes(&bench.dump()).into_iter().filter(|one| !one.contains("log")).collect();
    assert!(untouched.is_empty(), "{untouched:?}");
}

#[test]
fn sockets_and_directory_times_survive() {
    let mut bench = Bench::new();
    bench.write("src/a", "1");
    let old = bench.take();
    bench.write("src/a", "2 and longer");
    bench.write("src/new", "n");
    let listener = std::os::unix::net::UnixListener::bind(bench.path("socket")).unwrap();
    let newest = bench.take();
    let dump = bench.dump();
    let mut lot = bench.lot();
    bench.store.restore(old, &bench.roots, RestoreMode::Park(&mut lot)).unwrap();
    assert!(!bench.path("socket").exists());
    let report = bench.store.unpark(&mut lot, newest, &bench.roots).unwrap();
    assert!(report.exact, "{report:?}");
    assert_eq!(dump.differences_with_inodes(&bench.dump()), Vec::<String>::new());
    std::os::unix::net::UnixStream::connect(bench.path("socket")).unwrap();
    drop(listener);
}

#[test]
fn a_person_edits_meanwhile_and_returns() {
    let mut bench = Bench::new();
    bench.write("same", "same");
    bench.write("a", "1");
    let old = bench.take();
    bench.write("a", "2");
    bench.write("dir/b", "b");
    let newest = bench.take();
    let dump = bench.dump();
    let mut lot = bench.lot();
    bench.store.restore(old, &bench.roots, RestoreMode::Park(&mut lot)).unwrap();
    bench.write("same", "edited");
    bench.write("a", "edited too");
    bench.write("dir", "a file in the way");
    bench.take();
    let report = bench.store.unpark(&mut lot, newest, &bench.roots).unwrap();
    assert!(report.exact, "{report:?}");
    assert_eq!(dump.differences_with_inodes(&bench.dump()), Vec::<String>::new());
}

#[test]
fn what_is_parked_goes_when_the_branch_is_real() {
    let mut bench = Bench::new();
    bench.write("a", "1");
    let old = bench.take();
    bench.write("dir/sub/b", "b");
    bench.take();
    let mut lot = bench.lot();
    bench.store.restore(old, &bench.roots, RestoreMode::Park(&mut lot)).unwrap();
    assert_eq!(lot.len(), 1);
    drop(lot);
    let mut lot = bench.lot();
    assert_eq!(lot.len(), 1, "found again after a crash");
    let dump = bench.dump();
    lot.discard().unwrap();
    assert!(lot.is_empty() && bench.lot().is_empty());
    let names = std::fs::read_dir(bench.store.dir().join("parked")).unwrap();
    assert_eq!(names.count(), 1, "the log alone");
    assert_eq!(dump.differences_with_inodes(&bench.dump()), Vec::<String>::new());
}

#[test]
fn a_renamed_hard_link_comes_and_goes() {
    let mut bench = Bench::new();
    bench.write("one", "");
    std::fs::hard_link(bench.path("one"), bench.path("two")).unwrap();
    let (before, before_dump) = (bench.take(), bench.dump());
    std::fs::rename(bench.path("two"), bench.path("three")).unwrap();
    let (after, after_dump) = (bench.take(), bench.dump());
    let mut lot = bench.lot();
    assert!(bench.store.restore(before, &bench.roots, RestoreMode::Park(&mut lot)).unwrap().exact);
    assert_eq!(bench.dump().differences(&before_dump), [""; 0]);
    assert!(bench.store.unpark(&mut lot, after, &bench.roots).unwrap().exact);
    assert_eq!(bench.dump().differences_with_inodes(&after_dump), [""; 0]);
}
